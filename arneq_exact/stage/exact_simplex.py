"""The simplex method for one matrix game in exact integer arithmetic: the last resort of the stage programs.

Payoffs that differ by 1e-9 where others tie make bases so ill-conditioned that floating-point pivots, ours
and those of HiGHS, can end at a basis that misses the optimum by more than 1e-10. Floats are dyadic
rationals, so the program of `simplex_kernel` can be solved exactly: scaled by a power of two it has integer
entries, and *integer pivoting* keeps them so. The tableau is T / D with an integer matrix T and one
denominator D, the last pivot; an exchange at (r, c) with p = T[r][c] maps

    T[i][j] → (T[i][j] p − T[i][c] T[r][j]) / D,    T[i][c] → −T[i][c],    T[r][c] → D,    D → p,

where every division comes out even, since all entries are minors of the first tableau. Bland's rule ends
without tolerances; pivots are bounded all the same, since their number can be exponential.

Cost: a pivot is (A+1)(C+1) products of integers of at most about 60 min(A, C) bits.

References
----------
[T2]; Edmonds (1967), J. Res. Nat. Bur. Standards 71B, 241–245; Bland (1977), Math. Oper. Res. 2, 103–107.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.stage.verification import FloatArray

_BOUND = 10_000  # pivots allowed


def solve_exactly(matrix: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Optimal pair (x, y), each entry rounded once, of a game with unit payoffs; None at the pivot bound."""
    A, C = matrix.shape
    ratios = [[float(entry).as_integer_ratio() for entry in row] for row in matrix]
    scale = max(denominator for row in ratios for _, denominator in row)
    tableau = [
        [scale + numerator * (scale // denominator) for numerator, denominator in row] for row in ratios
    ]
    for row in tableau:
        row.append(1)
    tableau.append([1] * C + [0])
    row_label, column_label = list(range(A)), list(range(A, A + C))
    denominator = 1
    for _ in range(_BOUND):
        # Bland: of the columns that improve, and of the rows of least ratio, those of smallest label.
        improving = [j for j in range(C) if tableau[A][j] > 0]
        if not improving:
            return _mixtures(tableau, row_label, column_label)
        enter = min(improving, key=column_label.__getitem__)
        leave = _leaving(tableau, row_label, enter)
        denominator = _exchange(tableau, leave, enter, denominator)
        row_label[leave], column_label[enter] = column_label[enter], row_label[leave]
    return None


def _leaving(tableau: list[list[int]], row_label: list[int], enter: int) -> int:
    """The row of least ratio. There is one: payoffs are positive, so the program is bounded."""
    leave = -1
    for i in range(len(row_label)):
        entry = tableau[i][enter]
        if entry <= 0:
            continue
        if leave >= 0:
            difference = tableau[i][-1] * tableau[leave][enter] - tableau[leave][-1] * entry
        if leave < 0 or difference < 0 or (difference == 0 and row_label[i] < row_label[leave]):
            leave = i
    return leave


def _exchange(tableau: list[list[int]], leave: int, enter: int, denominator: int) -> int:
    """One step of integer pivoting, in place; returns the new denominator."""
    pivot_row = tableau[leave]
    pivot = pivot_row[enter]
    for i, row in enumerate(tableau):
        if i != leave:
            factor = row[enter]
            tableau[i] = [
                (entry * pivot - factor * other) // denominator
                for entry, other in zip(row, pivot_row, strict=True)
            ]
            tableau[i][enter] = -factor
    pivot_row[enter] = denominator
    return pivot


def _mixtures(
    tableau: list[list[int]], row_label: list[int], column_label: list[int]
) -> tuple[FloatArray, FloatArray]:
    """Read both players' weights from the final tableau and divide by their exact sums."""
    A, C = len(row_label), len(column_label)
    weights = [0] * (A + C)
    for i, label in enumerate(row_label):
        if label >= A:
            weights[label] = tableau[i][-1]
    for j, label in enumerate(column_label):
        if label < A:
            weights[label] = -tableau[A][j]
    x, y = weights[:A], weights[A:]
    return (
        np.array([weight / sum(x) for weight in x]),
        np.array([weight / sum(y) for weight in y]),
    )
