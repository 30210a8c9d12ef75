"""Compiled simplex method for batches of zero-sum matrix games.

For a matrix game with payoffs B = 1 + U ∈ [1, 2] (U the unit payoffs) the value w is positive, and with
y' = y / w the column player's program min w s.t. B y ≤ w, y ∈ Δ becomes

    max 1ᵀy'   subject to   B y' ≤ 1,  y' ≥ 0,

which is feasible at 0: one phase suffices. Its dual solution x' is x / w. The tableau is kept
*condensed*: only the A × C exchange part, the right-hand side and the reduced costs, so a pivot costs
(A+1)(C+1) multiplications. Games with a pure saddle point are recognised before.

Termination: Dantzig's rule until 6(A + C) pivots, then Bland's rule, under which no basis repeats, up to
40(A + C) pivots; a game that reaches this bound is left unsolved. Ratio ties go to the largest pivot
while Dantzig's rule is in force, to the smallest label afterwards. Cost: about (A+1)(C+1) min(A, C)
operations.

References
----------
[T2]; Dantzig (1963), *Linear Programming and Extensions*; Bland (1977), Math. Oper. Res. 2, 103–107.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled, indifferent, normalise, replies

UNSOLVED, SADDLE, SIMPLEX = 0, 1, 2
"""How a game ended: not, at a pure saddle, by pivots."""
_DANTZIG = 6  # pivots per action by Dantzig's rule; most games need about one
_BOUND = 40  # pivots allowed per action, by far the most under Bland's rule, which ends but is slow
_OPTIMAL = 1e-13  # a reduced cost below this is zero: it moves the value by less than 1e-13 of the range
_PIVOT = 1e-11  # an entry below this is rounding, not a pivot
_TIE = 1e-13  # ratios this near are equal: right-hand sides are at most 1, and carry a few roundings
_POLISH_ABOVE = 1e-14  # duality gap from which the final basis is solved afresh: past some ten roundings


@compiled
def solve_unit_games(unit: FloatArray, row: FloatArray, column: FloatArray, method: NDArray[np.int8]) -> None:
    """Fill row (B, A), column (B, C) and method (B,) for unit payoffs (B, A, C)."""
    games, A, C = unit.shape
    tableau = np.empty((A + 1, C + 1))
    row_label = np.empty(A, np.int64)
    column_label = np.empty(C, np.int64)
    system = np.empty((min(A, C), min(A, C)))
    fine_x = np.empty(A)
    fine_y = np.empty(C)
    for game in range(games):
        matrix = unit[game]
        x = row[game]
        y = column[game]
        x[:] = 0.0
        y[:] = 0.0
        maximin, minimax, is_saddle = _security(matrix)
        if is_saddle:
            x[maximin] = 1.0
            y[minimax] = 1.0
            method[game] = SADDLE
            continue
        method[game] = UNSOLVED
        if not _simplex(matrix, tableau, row_label, column_label, minimax):
            continue
        for i in range(A):
            if row_label[i] >= A:
                y[row_label[i] - A] = tableau[i, C]
        for j in range(C):
            if column_label[j] < A:
                x[column_label[j]] = -tableau[A, j]
        if not (normalise(x) and normalise(y)):
            continue
        method[game] = SIMPLEX
        gap = _gap(matrix, x, y)
        if (
            gap > _POLISH_ABOVE
            and _solve_basis(matrix, row_label, column_label, system, fine_x, fine_y)
            and _gap(matrix, fine_x, fine_y) < gap
        ):
            x[:] = fine_x
            y[:] = fine_y


@compiled
def _security(matrix: FloatArray) -> tuple[int, int, bool]:
    """The pure maximin row, the pure minimax column, and whether they form a saddle point."""
    A, C = matrix.shape
    maximin = 0
    lower = -1.0
    for a in range(A):
        low = matrix[a, 0]
        for c in range(1, C):
            low = min(low, matrix[a, c])
        if low > lower:
            lower = low
            maximin = a
    minimax = 0
    upper = 2.0
    for c in range(C):
        high = matrix[0, c]
        for a in range(1, A):
            high = max(high, matrix[a, c])
        if high < upper:
            upper = high
            minimax = c
    return maximin, minimax, lower == upper


@compiled
def _simplex(
    matrix: FloatArray,
    tableau: FloatArray,
    row_label: IntArray,
    column_label: IntArray,
    start: int,
) -> bool:
    """Pivot the condensed tableau to optimality; False at the pivot bound or without a pivot.

    Labels 0 … A−1 are the slacks of the rows, that is x; labels A … A+C−1 are y.
    The first column to enter is ``start``: all reduced costs are then equal, and the minimax column is
    the best single one.
    """
    A, C = matrix.shape
    for i in range(A):
        for j in range(C):
            tableau[i, j] = 1.0 + matrix[i, j]
        tableau[i, C] = 1.0
        row_label[i] = i
    for j in range(C):
        tableau[A, j] = 1.0
        column_label[j] = A + j
    tableau[A, C] = 0.0
    enter = start
    for step in range(_BOUND * (A + C)):
        bland = step > _DANTZIG * (A + C)
        if step > 0:
            enter = _entering(tableau, column_label, bland)
            if enter < 0:
                return True
        leave = _leaving(tableau, row_label, enter, bland)
        if leave < 0:
            return False
        _exchange(tableau, leave, enter)
        row_label[leave], column_label[enter] = column_label[enter], row_label[leave]
    return False


@compiled
def _entering(tableau: FloatArray, column_label: IntArray, bland: bool) -> int:
    """The column of largest reduced cost (Bland: of smallest label with a positive one); −1 at an optimum."""
    A = tableau.shape[0] - 1
    enter = -1
    best = _OPTIMAL
    for j in range(tableau.shape[1] - 1):
        cost = tableau[A, j]
        if bland:
            if cost > _OPTIMAL and (enter < 0 or column_label[j] < column_label[enter]):
                enter = j
        elif cost > best:
            best = cost
            enter = j
    return enter


@compiled
def _leaving(tableau: FloatArray, row_label: IntArray, enter: int, bland: bool) -> int:
    """The row of least ratio; ties go to the largest pivot (Bland: to the smallest label); −1 if none."""
    C = tableau.shape[1] - 1
    leave = -1
    best = np.inf
    for i in range(tableau.shape[0] - 1):
        entry = tableau[i, enter]
        if entry > _PIVOT:
            ratio = tableau[i, C] / entry
            if ratio < best - _TIE:
                best = ratio
                leave = i
            elif ratio <= best + _TIE:
                if bland:
                    if row_label[i] < row_label[leave]:
                        leave = i
                elif entry > tableau[leave, enter]:
                    leave = i
                best = min(best, ratio)
    return leave


@compiled
def _exchange(tableau: FloatArray, leave: int, enter: int) -> None:
    """Exchange the basic variable of row ``leave`` for the non-basic one of column ``enter``, in place."""
    rows, width = tableau.shape
    inverse = 1.0 / tableau[leave, enter]
    tableau[leave, enter] = 1.0
    for j in range(width):
        tableau[leave, j] *= inverse
    for i in range(rows):
        factor = tableau[i, enter]
        if i != leave and factor != 0.0:
            tableau[i, enter] = 0.0
            for j in range(width):
                tableau[i, j] -= factor * tableau[leave, j]
    # Rounding may leave a right-hand side just below zero, from where the ratio test would go astray.
    for i in range(rows - 1):
        tableau[i, width - 1] = max(tableau[i, width - 1], 0.0)


@compiled
def _gap(matrix: FloatArray, x: FloatArray, y: FloatArray) -> float:
    """Duality gap max_a (My)_a − min_c (xᵀM)_c."""
    return replies(matrix, x, y)[2] - replies(matrix.T, y, x)[0]


@compiled
def _solve_basis(
    matrix: FloatArray,
    row_label: IntArray,
    column_label: IntArray,
    system: FloatArray,
    x: FloatArray,
    y: FloatArray,
) -> bool:
    """Read x and y from a fresh solution of the final basis; False if that fails.

    The basis is square: rows whose slack is non-basic against columns whose y is basic. On it both
    players are indifferent.
    """
    A, C = matrix.shape
    rows = np.empty(A, np.int64)
    columns = np.empty(C, np.int64)
    size = 0
    for j in range(C):
        if column_label[j] < A:
            rows[size] = column_label[j]
            size += 1
    size = 0
    for i in range(A):
        if row_label[i] >= A:
            columns[size] = row_label[i] - A
            size += 1
    return indifferent(matrix, columns, rows, size, system, y) and indifferent(
        matrix.T, rows, columns, size, system, x
    )
