"""Compiled test: does a system of multi-affine equations have no solution in a box, or at most one?

As many equations E = 0 as unknowns, over the unit cube, each given by its values at the corners. With J the
Jacobian at the centre the functions G = J⁻¹E are multi-affine again, and near the identity map.

* The range of a multi-affine function over a box is that of its corner values. So there is no solution if
  any combination of the equations keeps its sign there; those that turn up on the way to J⁻¹ are tried.
* There is *at most one* solution in a neighbourhood of the box if the derivatives of G, which are
  multi-affine as well, differ there from the identity matrix by less than 1 in every row sum: then the
  mean-value matrices of G are strictly diagonally dominant, hence regular. Newton's method finds it.

Both conclusions are drawn with a slack that covers rounding, not with directed rounding.

References
----------
Neumaier (1990), *Interval Methods for Systems of Equations*, chapter 5.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.kernels import compiled, solve_linear_system

SLACK = 1e-12  # payoffs of range one are summed over at most 16 corners: a thousand times their rounding
EXCLUDED, SINGLE, UNKNOWN = 0, 1, 2
_DOMINANT = 0.9  # row sums of the deviation from the identity, of which below 1 would do, without rounding
_PIVOT = 1e-13  # entries below are rounding of entries of order one
_STEPS = 30  # of Newton's method, which needs five or six where it converges
_NEAR = 1e-9  # a step of Newton's method whose square is rounding
_FLARE = 0.25  # the neighbourhood of a box is this much of its width on either side


@compiled
def single_zero(equations: FloatArray, scaled: FloatArray, zero: FloatArray) -> int:
    """Whether E = 0 has no solution in the unit cube, a single one, which is written, or neither is seen."""
    d, corners = equations.shape
    if d == 0:
        return SINGLE
    system, rhs = np.empty((d, d)), np.empty(d)
    zero[:] = 0.5
    _jacobian(equations, zero, system)
    scaled[:] = equations
    if not _eliminate(system, equations, scaled):
        return EXCLUDED
    if system[0, 0] == 0.0:
        return UNKNOWN
    _flare(scaled)
    for k in range(d):
        spread = 0.0
        for j in range(d):
            bit = 1 << j
            farthest = 0.0
            for v in range(corners):
                if not v & bit:
                    slope = (scaled[k, v | bit] - scaled[k, v]) / (1.0 + 2.0 * _FLARE)
                    farthest = max(farthest, abs(slope - (1.0 if j == k else 0.0)))
            spread += farthest
        if spread > _DOMINANT:
            return UNKNOWN
    for _ in range(_STEPS):
        _jacobian(equations, zero, system)
        for k in range(d):
            rhs[k] = _value(equations[k], zero)
        if not solve_linear_system(system, rhs, d):
            return UNKNOWN
        step = 0.0
        for k in range(d):
            zero[k] -= rhs[k]
            step = max(step, abs(rhs[k]))
            if not (-_FLARE <= zero[k] <= 1.0 + _FLARE):
                return UNKNOWN
        if step <= _NEAR:
            return SINGLE
    return UNKNOWN


@compiled
def _eliminate(jacobian: FloatArray, equations: FloatArray, scaled: FloatArray) -> bool:
    """Overwrite ``scaled`` by G = J⁻¹E; False as soon as a combination of the equations has no zero.

    Gauss–Jordan steps with complete pivoting multiply the equations as well. Every row on the way is a
    combination of equations, and one that keeps its sign excludes a solution, whatever rounding did to its
    coefficients: so equations that contradict each other are told apart even where J is singular. In that
    case the first entry of ``jacobian`` is set to 0, otherwise to 1.
    """
    d, corners = equations.shape
    weights = np.eye(d)
    row_of = np.full(d, -1)
    used = np.zeros(d, np.bool_)
    for step in range(d + 1):
        for k in range(d):
            slack = 0.0
            for j in range(d):
                slack += SLACK * abs(weights[k, j])
            low, high = np.inf, -np.inf
            for v in range(corners):
                total = 0.0
                for j in range(d):
                    total += weights[k, j] * equations[j, v]
                scaled[k, v] = total
                low, high = min(low, total), max(high, total)
            if low > slack or high < -slack:
                return False
        if step == d:
            break
        row = column = -1
        best = _PIVOT
        for k in range(d):
            for j in range(d):
                if not used[k] and row_of[j] < 0 and abs(jacobian[k, j]) > best:
                    row, column, best = k, j, abs(jacobian[k, j])
        if row < 0:
            jacobian[0, 0] = 0.0
            return True
        used[row] = True
        row_of[column] = row
        pivot = jacobian[row, column]
        for j in range(d):
            jacobian[row, j] /= pivot
            weights[row, j] /= pivot
        for k in range(d):
            factor = jacobian[k, column]
            if k != row:
                for j in range(d):
                    jacobian[k, j] -= factor * jacobian[row, j]
                    weights[k, j] -= factor * weights[row, j]
    ordered = scaled.copy()
    for j in range(d):
        scaled[j] = ordered[row_of[j]]
    jacobian[0, 0] = 1.0
    return True


@compiled
def _flare(functions: FloatArray) -> None:
    """Corner values over the neighbourhood of the box, in place."""
    d, corners = functions.shape
    for k in range(d):
        for j in range(d):
            bit = 1 << j
            for v in range(corners):
                if not v & bit:
                    change = _FLARE * (functions[k, v | bit] - functions[k, v])
                    functions[k, v] -= change
                    functions[k, v | bit] += change


@compiled
def _weight(v: int, point: FloatArray, without: int) -> float:
    """Weight of a corner at a point, leaving one axis out (-1 for none)."""
    weight = 1.0
    for j in range(point.shape[0]):
        if j != without:
            weight *= point[j] if v >> j & 1 else 1.0 - point[j]
    return weight


@compiled
def _value(corner_values: FloatArray, point: FloatArray) -> float:
    total = 0.0
    for v in range(corner_values.shape[0]):
        total += corner_values[v] * _weight(v, point, -1)
    return total


@compiled
def _jacobian(equations: FloatArray, point: FloatArray, jacobian: FloatArray) -> None:
    """∂E_k/∂s_j at a point of the unit cube."""
    d, corners = equations.shape
    for k in range(d):
        for j in range(d):
            total = 0.0
            for v in range(corners):
                sign = 1.0 if v >> j & 1 else -1.0
                total += sign * equations[k, v] * _weight(v, point, j)
            jacobian[k, j] = total
