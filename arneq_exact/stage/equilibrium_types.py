"""Types of a selected stage ARNEQ: why the model-based procedure should contract there [T6].

For agent i with stage payoffs Q_i and stage value g_i(π):

* type A, global optimum: g_i(π) is the maximum of g_i over all mixed product profiles;
* type B′: g_i(π) = sec_i(Q_i), the security value max_x min_{a_-i} Q_i(x, a_-i).

Type B′ is one linear program. Type A is decided

* where all others are corrupted for certain: g_i does not depend on π_{-i}, and its maximum is the value of
  the agent's matrix game, so that every stage ARNEQ is of type A. Without masks it is of type B′ too [T4];
* for two agents, under every threat: for fixed x_i the columns grow together with Q_i(x_i, x_j), which is
  linear in x_j, so a maximum is reached at a pure a_j. It is the largest value, over a_j, of the matrix game
  with a_j for the other's policy; without corruption, max Q_i;
* for up to four agents with two actions each, whatever the threat, by bisection of the cube of profiles.
  Over a box the columns' payoffs are multi-affine, so no product profile in it is worth more than the value
  of the matrix game (corners of the box) × (columns); a box is dropped where that is at most g_i(π). A
  maximum that is not told from g_i(π) by `BOXES` boxes does not count as type A;
* elsewhere from two bounds: it fails where a pure profile is worth more than g_i(π), and it holds where
  the matrix game (pure profiles) × (columns) is worth no more, since that lets the agents correlate.
  Between the two it is *undecided*, and does not count as type A.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from arneq_exact.model.corruption import Corruption
from arneq_exact.model.rationals import FloatArray
from arneq_exact.stage.linear import solve_matrix_games
from arneq_exact.stage.robust import column_counts, robust_matrix
from arneq_exact.stage.two_action_enumeration import corner_payoffs

TYPE_A = 1
TYPE_B_PRIME = 2
UNDECIDED = 4
"""Whether type A holds is open."""

TOLERANCE = 1e-9
"""Of the agent's stage payoff range: closer than this, values count as equal."""

BOXES = 20_000
"""Boxes examined to decide type A for two actions each."""

CUBE_AGENTS = 4
"""Agents with two actions each up to which the cube of profiles is bisected."""

LARGEST_TABLE = 10**6
"""Numbers (pure profiles × columns) up to which the bounds on type A are computed."""

Flags = NDArray[np.uint8]


def stage_types(
    payoffs: Sequence[FloatArray],
    values: FloatArray,
    corruptions: Sequence[Sequence[Corruption]],
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> Flags:
    """Decide the types of every agent at a batch of B stage ARNEQ.

    Parameters
    ----------
    payoffs : one array (B, A1, ..., An) per agent
    values : (n, B)
        Stage values g_i at the selected equilibria.
    corruptions : for each agent, the extreme points of its Ω_i
    backend, calls
        As in `arneq_exact.stage.solve.StageSolver`, for the linear programs.

    Returns
    -------
    (n, B) uint8
        Sums of the flags `TYPE_A`, `TYPE_B_PRIME` and `UNDECIDED` that hold; 0 for neither type.
    """

    def worth(games: FloatArray) -> FloatArray:
        return solve_matrix_games(np.ascontiguousarray(games), backend=backend, calls=calls).value

    flags = np.zeros(values.shape, dtype=np.uint8)
    for agent, (payoff, value, points) in enumerate(zip(payoffs, values, corruptions, strict=True)):
        counts = payoff.shape[1:]
        own_first = np.moveaxis(payoff, agent + 1, 1).reshape(len(payoff), counts[agent], -1)
        slack = TOLERANCE * np.maximum(own_first.max(axis=(1, 2)) - own_first.min(axis=(1, 2)), 1e-300)
        flags[agent, np.abs(value - worth(own_first)) <= slack] |= TYPE_B_PRIME
        bound = value + slack
        if _everyone_corrupted(points, agent, len(counts)):
            flags[agent, worth(robust_matrix(payoff, (), points, agent)) <= bound] |= TYPE_A
        elif not any(point.corruptible for point in points):
            flags[agent, own_first.max(axis=(1, 2)) <= bound] |= TYPE_A
        elif len(counts) == 2:
            matrices = _against_pure(payoff, points, agent)
            best = worth(np.concatenate(matrices)).reshape(len(matrices), -1).max(axis=0)
            flags[agent, best <= bound] |= TYPE_A
        elif len(counts) <= CUBE_AGENTS and max(counts) <= 2:
            for number, (one, unit) in enumerate(zip(payoff, slack / TOLERANCE, strict=True)):
                low = float(one.min())
                functions = corner_payoffs((one - low) / unit, points, agent)
                if _is_greatest(functions, (float(bound[number]) - low) / float(unit), backend, calls):
                    flags[agent, number] |= TYPE_A
        elif prod(counts) * sum(column_counts(points, counts)) > LARGEST_TABLE:
            flags[agent] |= UNDECIDED
        else:
            profiles = np.concatenate(_against_pure(payoff, points, agent), axis=1)
            flags[agent, worth(profiles) <= bound] |= TYPE_A
            refuted = profiles.min(axis=2).max(axis=1) > bound
            flags[agent, ~refuted & (flags[agent] & TYPE_A == 0)] |= UNDECIDED
    return flags


def _everyone_corrupted(points: Sequence[Corruption], agent: int, n: int) -> bool:
    """Tell whether all agents but one are corrupted for certain."""
    others = tuple(j for j in range(n) if j != agent)
    return all([members for members, _ in point.weights] == [others] for point in points)


def _against_pure(payoff: FloatArray, points: Sequence[Corruption], agent: int) -> list[FloatArray]:
    """Return the agent's robust matrices (B, A_i, C) for every pure profile of the others."""
    counts = payoff.shape[1:]
    free = [1 if j == agent else count for j, count in enumerate(counts)]
    matrices = []
    for profile in np.ndindex(*free):
        policy = [np.eye(count)[[a] * len(payoff)] for a, count in zip(profile, counts, strict=True)]
        matrices.append(robust_matrix(payoff, policy, points, agent))
    return matrices


def _is_greatest(functions: FloatArray, bound: float, backend: str, calls: Counter[str] | None) -> bool:
    """Whether no profile is worth more than `bound`, for columns' payoffs (C, 2, ..., 2) at the corners."""
    if functions.min(axis=0).max() > bound:
        return False
    n = functions.ndim - 1
    boxes = functions[None]
    examined = level = 0
    while len(boxes):
        examined += len(boxes)
        if examined > BOXES:
            return False
        corners = np.ascontiguousarray(np.moveaxis(boxes.reshape(*boxes.shape[:2], -1), 1, 2))
        games = solve_matrix_games(corners, backend=backend, calls=calls)
        play = games.row.reshape(-1, *[2] * n)
        worth = boxes
        for axis in range(n):
            others = tuple(j + 1 for j in range(n) if j != axis)
            worth = np.einsum("bcs...,bs->bc...", worth, play.sum(axis=others))
        if worth.min(axis=1).max() > bound:
            return False
        boxes = boxes[games.value > bound]
        axis = level % n + 2
        low, high = np.split(boxes, 2, axis=axis)
        middle = (low + high) / 2
        boxes = np.concatenate(
            [np.concatenate([low, middle], axis=axis), np.concatenate([middle, high], axis=axis)]
        )
        level += 1
    return True
