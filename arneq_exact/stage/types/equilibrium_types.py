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
* elsewhere by branch and bound over products of simplices (`arneq_exact.stage.types.greatest_value`). It
  holds
  where the upper bound is at most g_i(π), and fails where the lower one is above; where the budget ends in
  between, it is neither claimed nor denied: *undecided*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.types.greatest_value import greatest_value
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

# Flags, one bit each.
TYPE_A = 1
# The next bit.
TYPE_B_PRIME = 2
UNDECIDED = 4
"""Whether type A holds is open."""

TOLERANCE = 1e-9
"""Of the agent's stage payoff range: closer than this, values count as equal."""

EPS = float(np.finfo(float).eps)  # the spacing of doubles at 1, twice what one operation rounds by

Flags = NDArray[np.uint8]


def equal_within(payoff: FloatArray) -> float:
    """Return how close values of a stage game must be to count as equal.

    1e-9 of the payoff range, and what rounding makes of values that are all the same.
    """
    return TOLERANCE * float(np.ptp(payoff)) + 16 * EPS * float(np.abs(payoff).max())


def stage_types(
    payoffs: Sequence[FloatArray],
    values: FloatArray,
    attackers: StageAttackers,
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
    attackers : StageAttackers
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
    for agent, (payoff, value, attacker) in enumerate(zip(payoffs, values, attackers.of, strict=True)):
        counts = attacker.counts
        own_first = np.moveaxis(payoff, agent + 1, 1).reshape(len(payoff), counts[agent], -1)
        slack = np.array([equal_within(table) for table in own_first])
        flags[agent, np.abs(value - worth(own_first)) <= slack] |= TYPE_B_PRIME
        bound = value + slack
        if attacker.parts == (tuple(j for j in range(len(counts)) if j != agent),):
            flags[agent, worth(robust_matrix(payoff, (), attacker)) <= bound] |= TYPE_A
        elif attacker.parts == ((),):
            flags[agent, own_first.max(axis=(1, 2)) <= bound] |= TYPE_A
        elif len(counts) == 2:
            matrices = _against_pure(payoff, attacker)
            best = worth(np.concatenate(matrices)).reshape(len(matrices), -1).max(axis=0)
            flags[agent, best <= bound] |= TYPE_A
        else:
            for number, one in enumerate(payoff):
                bar = float(bound[number])
                most = greatest_value(one, attacker, target=bar, backend=backend, calls=calls)
                if most.upper <= bar:
                    flags[agent, number] |= TYPE_A
                elif most.lower <= bar:
                    flags[agent, number] |= UNDECIDED
    return flags


def types_at(
    payoffs: FloatArray,
    values: FloatArray,
    attackers: StageAttackers,
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> Flags:
    """Decide the types (n,) at one stage ARNEQ with payoffs (n, A1, ..., An) and values (n,)."""
    batch = [payoff[None] for payoff in payoffs]
    return stage_types(batch, values[:, None], attackers, backend=backend, calls=calls)[:, 0]


def _against_pure(payoff: FloatArray, attacker: Attacker) -> list[FloatArray]:
    """Return the agent's robust matrices (B, A_i, C) for every pure profile of the others."""
    counts = attacker.counts
    free = [1 if j == attacker.agent else count for j, count in enumerate(counts)]
    matrices = []
    for profile in np.ndindex(*free):
        policy = [np.eye(count)[[a] * len(payoff)] for a, count in zip(profile, counts, strict=True)]
        matrices.append(robust_matrix(payoff, policy, attacker))
    return matrices
