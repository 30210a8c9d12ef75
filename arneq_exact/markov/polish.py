"""Polish a profile: Newton's method on its active optimality conditions.

Given a near-solution (x, y, V), keep the actions and columns in use and solve their equations: see
`arneq_exact.markov.optimality`. A support holds what is played more than it loses,
{x_a > V − (M y)_a} and {y_c > (xᵀM)_c − L}. Steps are minimum-norm least-squares solutions: the mixtures
of attackers are structurally not unique for 0 < k < n−1, those of agents are not in degenerate games, and
a plain linear solve would break there. Quadratic convergence near a regular solution; no guarantee from
afar, which is why the result is only ever a candidate.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.markov.optimality import OptimalityConditions, Point
from arneq_exact.model.rationals import FloatArray

NEWTON_STEPS = 12
LEAST_SINGULAR_VALUE = 1e-9
FLOOR = 1e-14
NEGATIVE = -1e-8


def polish(conditions: OptimalityConditions, near: Point) -> list[FloatArray] | None:
    """Return polished policies (S, max A_i) per agent near a point, or None where Newton fails.

    Cost: up to 12 singular value decompositions of the active system.
    """
    vector = conditions.vector(near)
    active = _active(conditions, near, conditions.residual(near))
    off = np.setdiff1d(np.arange(conditions.size), active)
    vector[off] = 0.0
    smallest = np.inf
    best = vector
    for _ in range(NEWTON_STEPS):
        residual, jacobian = conditions.linearise(conditions.point(vector))
        error = float(np.abs(residual[active]).max())
        if not np.isfinite(error) or error > 1e3:
            return None
        if error < smallest:
            smallest, best = error, vector
        elif smallest <= 1e-11:
            break
        if error <= FLOOR:
            break
        step = np.linalg.lstsq(
            jacobian[np.ix_(active, active)], -residual[active], rcond=LEAST_SINGULAR_VALUE
        )[0]
        vector = vector.copy()
        vector[active] += step
    found = conditions.point(best)
    if smallest > 1e-9 or any(array.min() < NEGATIVE for array in found.x):
        return None
    clipped = [np.maximum(array, 0.0) for array in found.x]
    return [array / array.sum(axis=1, keepdims=True) for array in clipped]


def _active(conditions: OptimalityConditions, point: Point, residual: FloatArray) -> FloatArray:
    """Return the numbers of the unknowns in use, values and sums included."""
    parts = [conditions.at_value.reshape(-1), conditions.at_least.reshape(-1)]
    for i in range(conditions.n_agents):
        for at, mask, mixture, sign in (
            (conditions.at_action[i], conditions.action_mask[i], point.x[i], -1.0),
            (conditions.at_column[i], conditions.column_mask[i], point.y[i], 1.0),
        ):
            loss = np.where(mask, sign * residual[at], np.inf)
            used = mask & (mixture > loss)
            # Where a rough point would leave a mixture empty, its largest entry stays.
            empty = ~used.any(axis=1)
            used[empty, np.where(mask, mixture, -1.0)[empty].argmax(axis=1)] = True
            parts.append(at[used])
    return np.sort(np.concatenate(parts))
