"""The best responses of one agent at every state: by state a polytope, given by its extreme points [T9]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers
from arneq_exact.exact.matrix_games import candidate_strategies
from arneq_exact.oracle.contest import Contest

TIED = 1e-12
"""Mixtures that guarantee the same up to this, in sizes, count as vertices of one polytope; far below what
the tolerance allows for."""

SAME = 1e-9
"""Two computed vertices as near as this are one: rounding of a linear system of a few rows is far smaller."""


def optimal_vertices(faced: Contest, values: Numbers, slack: Any = 0) -> list[Numbers]:
    """Return the extreme points (N, A_i) of X_s for every state, worth up to `slack` less than the best."""
    found = []
    for state in range(len(values)):
        matrix = faced.stage(state, values)
        candidates = candidate_strategies(matrix)
        worth = (candidates @ matrix).min(axis=1)
        distinct: list[Numbers] = []
        for vertex in candidates[worth >= worth.max() - slack]:
            near = (np.abs((vertex - other).astype(float)).max() <= SAME for other in distinct)
            if not any(near):
                distinct.append(vertex)
        found.append(np.stack(distinct))
    return found


def deficits(faced: Contest, own: Sequence[Numbers], values: Numbers) -> Numbers:
    """Return d_x (S,) of the mixtures `own`, one per state."""
    return np.array([values[s] - (x @ faced.stage(s, values)).min() for s, x in enumerate(own)])
