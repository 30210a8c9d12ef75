"""A stage ARNEQ in which every agent and every attacker plays one action, by looking at all of them.

With all mixtures pure, agent i loses max_b M_i(b; c) − min_c' M_i(a_i; c') at most when its attacker plays
the column c: the duality gap of the pair (a_i, c). A profile of actions is an equilibrium of this kind
exactly if for every agent some column makes this 0. Where payoffs are separable or nearly so there is one,
and methods that follow paths may stall next to it, because attackers are indifferent among many columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from arneq_exact.model.corruption import Corruption
from arneq_exact.model.rationals import FloatArray
from arneq_exact.stage.robust import column_counts, robust_matrix

LARGEST = 20_000
"""Largest number of joint actions times columns that is looked at."""

PureSaddle = tuple[list[FloatArray], list[FloatArray], FloatArray, float]
"""Policies (A_i,), attacks (C_i,), values (n,) and the largest duality gap."""


def best_pure_saddle(payoffs: FloatArray, corruptions: Sequence[Sequence[Corruption]]) -> PureSaddle | None:
    """Return the pure profile of agents and attackers with the smallest duality gap.

    Parameters
    ----------
    payoffs : (n, A1, ..., An)
    corruptions : extreme points of every agent's Ω_i

    Returns
    -------
    PureSaddle or None
        None if there are too many profiles to look at. Cost: one robust stage matrix per pure profile.

    Examples
    --------
    >>> from arneq_exact import ThreatModel
    >>> dilemma = np.array([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]])
    >>> found = best_pure_saddle(dilemma, [ThreatModel(0).corruptions(2, i) for i in range(2)])
    >>> [x.tolist() for x in found[0]], found[3]
    ([[0.0, 1.0], [0.0, 1.0]], 0.0)
    """
    counts = payoffs.shape[1:]
    n, size = len(counts), prod(counts)
    if size * max(sum(column_counts(points, counts)) for points in corruptions) > LARGEST:
        return None
    joint = np.indices(counts).reshape(n, -1)
    policy = [np.eye(count)[joint[j]] for j, count in enumerate(counts)]
    gaps, columns, values = np.empty((n, size)), np.empty((n, size), dtype=np.int64), np.empty((n, size))
    for agent, payoff in enumerate(payoffs):
        matrix = robust_matrix(np.broadcast_to(payoff, (size, *counts)), policy, corruptions[agent], agent)
        values[agent] = matrix[np.arange(size), joint[agent]].min(axis=1)
        most = matrix.max(axis=1)
        columns[agent] = most.argmin(axis=1)
        gaps[agent] = most.min(axis=1) - values[agent]
    best = int(gaps.max(axis=0).argmin())
    attacks = [
        np.eye(sum(column_counts(points, counts)))[columns[agent, best]]
        for agent, points in enumerate(corruptions)
    ]
    return [each[best] for each in policy], attacks, values[:, best], float(gaps[:, best].max())
