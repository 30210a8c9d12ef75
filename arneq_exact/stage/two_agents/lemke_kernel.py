"""Compiled Lemke method for the two-agent stage game with corruption of probability p.

[T11] writes the game of two agents and their attackers as a linear complementarity problem: find z = (x, v)
with

    z ≥ 0,   w = M z + q ≥ 0,   zᵀw = 0,      M = [[C, −E], [Eᵀ, 0]],   q = (0, −1),

where x stacks the four mixtures, v their values, E tells which action is whose, and C = 2 − P > 0 for payoffs
P in [−1, 1]. Lemke's method adds z₀ d with a covering vector d > 0, pivots z₀ in so that the right-hand side
becomes non-negative, and then always brings in the complement of what has just left, until z₀ leaves. M is
copositive-plus and the problem is feasible, so a ray is impossible, and under the lexicographic ratio test
no basis repeats [T11]. In floating point neither is proved: the number of pivots is bounded, and a few other
covering vectors, which lead along other paths, are tried where one fails.

The tableau keeps the columns of w (the inverse of the basis, for the ratio test), of z and of z₀. With
N = 2(A₁ + A₂) + 4 rows, a pivot costs 2N² operations.

References
----------
[T11]; Lemke (1965), Management Science 11, 681–689; Cottle, Pang & Stone (1992), *The Linear Complementarity
Problem*, sections 4.4, 4.9; Howson (1972), Management Science 18, 312–318 (polymatrix games).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import (
    PIVOT,
    TIE,
    compiled,
    lexicographic_row,
    normalise,
    pivot,
    replies,
    solve_linear_system,
)
from arneq_exact.stage.verification import TOLERANCE

_BOUND = 100  # pivots allowed per row on one path; most games need about one
_COVERINGS = (
    8  # covering vectors tried before the mixed-integer program, which takes a thousand times as long
)
_ACCEPT = TOLERANCE  # regret at which no further covering vector is tried
_POLISH_ABOVE = 1e-15  # regret from which the final basis is solved afresh: a few roundings
_GOLDEN = 0.6180339887498949  # multiples of the golden ratio, modulo 1, are spread evenly


@compiled
def solve_unit_games(
    unit: FloatArray,
    probability: FloatArray,
    mixtures: FloatArray,
    solved: NDArray[np.int8],
) -> None:
    """Fill mixtures (B, 2(A1 + A2)), stacked x1, x2, y1, y2, and solved (B,), 0 or 1.

    ``unit`` (B, 2, A1, A2) holds unit payoffs, ``probability`` (2,) that of corruption as each agent sees it.
    """
    games, _, A1, A2 = unit.shape
    actions = 2 * (A1 + A2)
    rows = actions + 4
    player = np.repeat(np.arange(4), np.array([A1, A2, A2, A1]))
    matrix = np.empty((rows, rows))
    tableau = np.empty((rows, 2 * rows + 2))
    basis = np.empty(rows, np.int64)
    tied = np.empty(rows, np.int64)
    system = np.empty((rows, rows))
    values = np.empty(rows)
    for game in range(games):
        _complementarity_matrix(unit[game], probability, player, matrix)
        least = np.inf
        for covering in range(_COVERINGS):
            if not _follow(matrix, tableau, basis, tied, covering):
                continue
            values[:] = 0.0
            for row in range(rows):
                if rows <= basis[row] < 2 * rows:
                    values[basis[row] - rows] = tableau[row, 2 * rows + 1]
            for attempt in range(2):
                if attempt == 1 and (
                    least <= _POLISH_ABOVE or not _solve_basis(matrix, basis, system, values)
                ):
                    break
                if _normalise_blocks(values, player):
                    regret = _regret(matrix, player, values)
                    if regret < least:
                        least = regret
                        mixtures[game] = values[:actions]
            if least <= _ACCEPT:
                break
        solved[game] = least <= _ACCEPT


@compiled
def _complementarity_matrix(
    unit: FloatArray, probability: FloatArray, player: IntArray, matrix: FloatArray
) -> None:
    """Write M of [T11] for one game.

    The attackers' payoffs are not multiplied by the probability, so that they are optimal even at p = 0.
    """
    _, A1, A2 = unit.shape
    actions = player.shape[0]
    x2, y1, y2 = A1, A1 + A2, A1 + 2 * A2
    p1, p2 = probability
    matrix[:] = 0.0
    matrix[:actions, :actions] = 2.0
    for i in range(A1):
        for j in range(A2):
            q1 = unit[0, i, j]
            q2 = unit[1, i, j]
            matrix[i, x2 + j] -= (1.0 - p1) * q1
            matrix[i, y1 + j] -= p1 * q1
            matrix[x2 + j, i] -= (1.0 - p2) * q2
            matrix[x2 + j, y2 + i] -= p2 * q2
            matrix[y1 + j, i] += q1
            matrix[y2 + i, x2 + j] += q2
    for action in range(actions):
        matrix[action, actions + player[action]] = -1.0
        matrix[actions + player[action], action] = 1.0


@compiled
def _follow(matrix: FloatArray, tableau: FloatArray, basis: IntArray, tied: IntArray, covering: int) -> bool:
    """Follow the path of one covering vector; True if z₀ has left, with the solution in the last column.

    Labels: 0 … N−1 are w, N … 2N−1 are z, 2N is z₀; they are the numbers of the columns.
    """
    rows = matrix.shape[0]
    artificial = 2 * rows
    tableau[:] = 0.0
    first = rows - 1
    for row in range(rows):
        tableau[row, row] = 1.0
        for j in range(rows):
            tableau[row, rows + j] = -matrix[row, j]
        # 1 for the first vector; the others spread over (1, 2) by the golden ratio.
        tableau[row, artificial] = -(1.0 + (_GOLDEN * covering * row) % 1.0)
        basis[row] = row
    for row in range(rows - 4, rows):
        tableau[row, artificial + 1] = -1.0
        # Of equal ratios q/d the last row is the lexicographically least; z₀ must make them all feasible.
        if tableau[row, artificial] >= tableau[first, artificial]:
            first = row
    pivot(tableau, first, artificial)
    entering = first + rows
    basis[first] = artificial
    for _ in range(_BOUND * rows):
        row = _leaving_row(tableau, basis, entering, tied)
        if row < 0:
            return False
        pivot(tableau, row, entering)
        leaving = basis[row]
        basis[row] = entering
        if leaving == artificial:
            return True
        entering = leaving + rows if leaving < rows else leaving - rows
    return False


@compiled
def _leaving_row(tableau: FloatArray, basis: IntArray, entering: int, tied: IntArray) -> int:
    """The lexicographic ratio test, but the row of z₀ if it is among the ties: the path then ends."""
    rows = basis.shape[0]
    row = lexicographic_row(tableau, entering, 0, rows, tied)
    if row < 0:
        return -1
    last = 2 * rows + 1
    for other in range(rows):
        if basis[other] == 2 * rows and tableau[other, entering] > PIVOT:
            ratio = tableau[row, last] / tableau[row, entering]
            if tableau[other, last] <= (ratio + TIE) * tableau[other, entering]:
                return other
    return row


@compiled
def _solve_basis(matrix: FloatArray, basis: IntArray, system: FloatArray, values: FloatArray) -> bool:
    """Solve M[T, J] z_J = −q_T for the z_J in the basis, T the rows whose w is not in it."""
    rows = matrix.shape[0]
    w_is_basic = np.zeros(rows, np.int64)
    variables = np.empty(rows, np.int64)
    size = 0
    for label in basis:
        if label < rows:
            w_is_basic[label] = 1
        elif label < 2 * rows:
            variables[size] = label - rows
            size += 1
    solution = np.zeros(rows)
    equation = 0
    for row in range(rows):
        if w_is_basic[row] == 0 and equation < size:
            for k in range(size):
                system[equation, k] = matrix[row, variables[k]]
            solution[equation] = 1.0 if row >= rows - 4 else 0.0
            equation += 1
    if equation != size or not solve_linear_system(system, solution, size):
        return False
    values[:] = 0.0
    for k in range(size):
        values[variables[k]] = solution[k]
    return True


@compiled
def _end_of(player: IntArray, number: int, start: int) -> int:
    """The end of a player's actions, which begin at ``start``."""
    while start < player.shape[0] and player[start] == number:
        start += 1
    return start


@compiled
def _normalise_blocks(values: FloatArray, player: IntArray) -> bool:
    """Put each of the four mixtures on its simplex."""
    start = 0
    for b in range(4):
        stop = _end_of(player, b, start)
        if not normalise(values[start:stop]):
            return False
        start = stop
    return True


@compiled
def _regret(matrix: FloatArray, player: IntArray, values: FloatArray) -> float:
    """Largest regret of the four players, whose payoffs are costs here; C's constant 2 drops out."""
    actions = player.shape[0]
    worst = -np.inf
    start = 0
    for b in range(4):
        stop = _end_of(player, b, start)
        least, own, _ = replies(matrix[start:stop, :actions], values[start:stop], values[:actions])
        worst = max(worst, own - least)
        start = stop
    return worst
