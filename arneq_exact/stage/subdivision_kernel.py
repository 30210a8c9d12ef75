"""Compiled search of one face of the cube of mixed profiles, all agents having two actions.

A face is the set of profiles in which some agents play a given pure action and the others mix; its points
are those of a cube [0, 1]^d with one axis for each mixing agent. All functions at hand are multi-affine and
are stored by their 2^d values at the corners of a box: those of a half-box are averages, so that bisection
costs next to nothing, and *the range of a multi-affine function over a box is exactly the range of its
corner values*. That makes the exclusion tests below sharp.

The theory is in `arneq_exact.stage.two_action_enumeration`; what is computed here, for every box:

* columns that cannot be worst anywhere in the box are set aside, and then the *patterns* of each agent (see
  there) that cannot hold; a box where an agent has none is discarded;
* every choice E = 0 of one pattern equation per mixing agent is multiplied by the inverse Jacobian J at the
  centre, which leaves multi-affine functions G = J⁻¹E. The choice is discarded if a combination of its
  equations has no zero in the box. It has *at most one* zero in a neighbourhood of the box if there the
  derivatives of G differ from the identity matrix by less than 1 in every row sum (the mean-value matrices
  are then regular); Newton's method finds it;
* if some choice is neither, the box is bisected, down to a least width, and reported as undecided there.

Payoffs are of range one, and nothing is discarded unless it fails by more than `SLACK`.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.stage.kernels import compiled, solve_linear_system
from arneq_exact.stage.verification import FloatArray, IntArray

SLACK = 1e-12
_FLARE = 0.25  # the neighbourhood of a box is this much of its width on either side
_CHOICES = 64  # with more choices of pattern equations than this, a box is bisected first

EXCLUDED, SINGLE, UNKNOWN = 0, 1, 2
MIXES = 2


@compiled
def search_face(
    columns: IntArray,
    functions: FloatArray,
    play: IntArray,
    depth: int,
    budget: int,
    roots: FloatArray,
    undecided: FloatArray,
) -> tuple[int, int, int]:
    """Find all points of a face that may be equilibria.

    Parameters
    ----------
    columns : (n,)
        Number of columns of each agent.
    functions : (n, C, 2, 2^d)
        Corner values over the face: payoff f of each column, and its slope in the agent's own mixture.
    play : (n,)
        0 or 1 for a pure action, 2 for an agent who mixes; mixing agents are the axes, in order.
    depth : int
        How often each axis may be halved.
    budget : int
        Boxes allowed.
    roots : (R, d) array
        Receives the zeros found.
    undecided : (U, 2, d) array
        Receives lower and upper corners of undecided boxes.

    Returns
    -------
    tuple of int
        Numbers of boxes examined, of zeros and of undecided boxes; the last two are one more than there is
        room for, and the first one more than the budget, where the search was cut short.
    """
    n, C = functions.shape[:2]
    corners = functions.shape[3]
    d = roots.shape[1]
    room = d * (depth + 1) + 2
    stack = np.empty((room, n, C, 2, corners))
    low, width = np.empty((room, d)), np.empty((room, d))
    level = np.zeros((room, d), np.int64)
    stack[0] = functions
    low[0], width[0] = 0.0, 1.0
    top = 1
    patterns = np.empty((n, C * (C + 1) // 2, 2), np.int64)
    count = np.empty(n, np.int64)
    box = np.empty((n, C, 2, corners))
    equations, scaled = np.empty((d, corners)), np.empty((d, corners))
    zero = np.empty(d)
    boxes = found = left = 0
    while top:
        top -= 1
        boxes += 1
        if boxes > budget:
            break
        box[:] = stack[top]
        if not _possible(columns, box, play, patterns, count):
            continue
        choices = 1
        for i in range(n):
            choices *= count[i]
        open_choice = choices > _CHOICES
        choice = 0
        while not open_choice and choice < choices:
            _choose(choice, box, play, patterns, count, equations)
            verdict = _single_zero(equations, scaled, zero)
            open_choice = verdict == UNKNOWN
            if verdict == SINGLE:
                if found == roots.shape[0]:
                    return boxes, found + 1, left
                roots[found] = low[top] + width[top] * zero
                found += 1
            choice += 1
        if not open_choice:
            continue
        axis = 0
        for j in range(1, d):
            if level[top, j] < level[top, axis]:
                axis = j
        if level[top, axis] == depth:
            if left == undecided.shape[0]:
                return boxes, found, left + 1
            undecided[left, 0] = low[top]
            undecided[left, 1] = low[top] + width[top]
            left += 1
            continue
        low[top + 1], width[top + 1], level[top + 1] = low[top], width[top], level[top]
        _halve(box, axis, stack[top], stack[top + 1])
        width[top, axis] *= 0.5
        width[top + 1, axis] *= 0.5
        low[top + 1, axis] += width[top, axis]
        level[top, axis] += 1
        level[top + 1, axis] += 1
        top += 2
    return boxes, found, left


@compiled
def _halve(box: FloatArray, axis: int, lower: FloatArray, upper: FloatArray) -> None:
    """Corner values over the two halves of a box."""
    n, C, kinds, corners = box.shape
    bit = 1 << axis
    for i in range(n):
        for c in range(C):
            for kind in range(kinds):
                for v in range(corners):
                    if not v & bit:
                        a, b = box[i, c, kind, v], box[i, c, kind, v | bit]
                        lower[i, c, kind, v], upper[i, c, kind, v | bit] = a, b
                        middle = 0.5 * (a + b)
                        lower[i, c, kind, v | bit] = middle
                        upper[i, c, kind, v] = middle


@compiled
def _possible(
    columns: IntArray, box: FloatArray, play: IntArray, patterns: IntArray, count: IntArray
) -> bool:
    """List the patterns that may hold in a box; False if an agent has none."""
    n, C, _, corners = box.shape
    active = np.empty(C, np.bool_)
    least, most = np.empty(C), np.empty(C)
    for i in range(n):
        for c in range(columns[i]):
            active[c] = True
            for other in range(columns[i]):
                gap = np.inf
                for v in range(corners):
                    gap = min(gap, box[i, c, 0, v] - box[i, other, 0, v])
                active[c] = active[c] and gap <= SLACK
            least[c] = box[i, c, 1].min()
            most[c] = box[i, c, 1].max()
        count[i] = 0
        if play[i] != MIXES:
            for c in range(columns[i]):
                fits = least[c] <= SLACK if play[i] == 0 else most[c] >= -SLACK
                if active[c] and fits:
                    count[i] = 1
        else:
            for c in range(columns[i]):
                for other in range(c, columns[i]):
                    if not (active[c] and active[other]):
                        continue
                    if other == c:
                        fits = least[c] <= SLACK and most[c] >= -SLACK
                    else:
                        fits = (least[c] <= SLACK and most[other] >= -SLACK) or (
                            least[other] <= SLACK and most[c] >= -SLACK
                        )
                        low, high = np.inf, -np.inf
                        for v in range(corners):
                            difference = box[i, c, 0, v] - box[i, other, 0, v]
                            low, high = min(low, difference), max(high, difference)
                        fits = fits and low <= SLACK and high >= -SLACK
                    if fits:
                        patterns[i, count[i], 0], patterns[i, count[i], 1] = c, other
                        count[i] += 1
        if count[i] == 0:
            return False
    return True


@compiled
def _choose(
    choice: int, box: FloatArray, play: IntArray, patterns: IntArray, count: IntArray, equations: FloatArray
) -> None:
    """Write the corner values of the equations of choice number ``choice``."""
    k = 0
    for i in range(box.shape[0]):
        if play[i] != MIXES:
            continue
        c, other = patterns[i, choice % count[i], 0], patterns[i, choice % count[i], 1]
        choice //= count[i]
        for v in range(box.shape[3]):
            equations[k, v] = box[i, c, 1, v] if c == other else box[i, c, 0, v] - box[i, other, 0, v]
        k += 1


@compiled
def _single_zero(equations: FloatArray, scaled: FloatArray, zero: FloatArray) -> int:
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
        if spread > 0.9:
            return UNKNOWN
    for _ in range(30):
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
        if step <= 1e-9:  # the next step would be its square
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
        best = 1e-13
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
