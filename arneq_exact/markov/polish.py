"""Polish a profile: Newton's method on its active optimality conditions.

Given a near-solution (x, y, V), keep the actions and columns in use and solve their equations (see
`arneq_exact.markov.optimality`); constraints that come out on the wrong side change sides and Newton starts
again (`arneq_exact.stage.many_agents.active_set_kernel`). Quadratic convergence near a regular solution; no
guarantee from afar, which is why the result is only ever a candidate. Where every inequality holds as well,
the attackers' mixtures and the values are passed on, and the certificate need not look for its own.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Bounds, Candidate
from arneq_exact.markov.optimality import OptimalityConditions, Point
from arneq_exact.model.policy import Policy

ACCURATE = 1e-10
"""Residuals and violations over 1 − discount up to which attackers and values count as known."""

NEGATIVE = 1e-7
"""Violation up to which a polished point is a candidate: with more, another support was found."""


class Polisher:
    """Newton's method on the active conditions of one system, with its workspace.

    Parameters
    ----------
    conditions : OptimalityConditions
    """

    def __init__(self, conditions: OptimalityConditions) -> None:
        from arneq_exact.stage.many_agents import active_set_kernel, linearised_kernel

        self.conditions = conditions
        self.kernel = active_set_kernel
        self.workspace = linearised_kernel.workspace(conditions.tables)

    def candidate(self, near: Point, iterations: int, note: str) -> Candidate | None:
        """Return the polished profile near a point as a candidate, or None where Newton fails."""
        conditions = self.conditions
        vector = conditions.vector(near)
        try:
            error, violation = self.kernel.polish_point(
                conditions.tables, conditions.rewards, self.workspace, vector
            )
        except np.linalg.LinAlgError:
            return None
        if not violation <= NEGATIVE:
            return None
        found = conditions.point(vector)
        x, y = [_mixtures(array) for array in found.x], [_mixtures(array) for array in found.y]
        bounds = None
        if max(error, violation) <= ACCURATE * (1 - float(conditions.discount.max())):
            bounds = Bounds(tuple(y), conditions.unscaled(found.value), conditions.unscaled(found.least))
        return Candidate(Policy(conditions.game, x), iterations, note, bounds)


def unpolished(conditions: OptimalityConditions, point: Point, iterations: int, note: str) -> Candidate:
    """Return the profile at a point as it is as a candidate."""
    return Candidate(Policy(conditions.game, [_mixtures(array) for array in point.x]), iterations, note)


def _mixtures(array: FloatArray) -> FloatArray:
    clipped = np.maximum(array, 0.0)
    result: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return result
