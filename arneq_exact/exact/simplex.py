"""The simplex method for one matrix game in exact integers: for exact answers, and as a last resort.

Payoffs that differ by 1e-9 where others tie make bases so ill-conditioned that floating-point pivots, ours
and those of HiGHS, can end at a basis that misses the optimum by more than 1e-10. Floats are dyadic
rationals, so the program of `simplex_kernel` can be solved exactly: scaled by a power of two it has integer
entries, and *integer pivoting* (`arneq_exact.exact.pivot`) keeps them so. The tableau has no columns for what
is in the basis: in an exchange at (r, c) with p = T[r][c], the column of what leaves takes the place of the
one that enters,

    T[i][j] → (T[i][j] p − T[i][c] T[r][j]) / D,    T[i][c] → −T[i][c],    T[r][c] → D,    D → p.

Bland's rule ends without tolerances; pivots are bounded all the same, since their number can be exponential.

Cost: a pivot is (A+1)(C+1) products of integers of at most about 60 min(A, C) bits.

References
----------
[T2]; Edmonds (1967), J. Res. Nat. Bur. Standards 71B, 241–245; Bland (1977), Math. Oper. Res. 2, 103–107.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.pivot import exchange
from arneq_exact.exact.rationals import FloatArray

PIVOT_LIMIT = 10_000
"""Pivots beyond which a game is given up: about as many as there are actions are the rule, but under Bland's
rule exponentially many are possible."""


def solve_exactly(matrix: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Optimal pair (x, y), each entry rounded once, of a game with unit payoffs; None at the pivot bound."""
    ratios = [[float(entry).as_integer_ratio() for entry in row] for row in matrix]
    scale = max(denominator for row in ratios for _, denominator in row)
    weights = solve_integer_game(
        [[scale + numerator * (scale // denominator) for numerator, denominator in row] for row in ratios]
    )
    if weights is None:
        return None
    x, y = (np.array([weight / sum(side) for weight in side]) for side in weights)
    return x, y


def solve_integer_game(
    matrix: list[list[int]], bits: int | None = None
) -> tuple[list[int], list[int]] | None:
    """Optimal weights of both players, to be divided by their sums, of a game with positive integer payoffs.

    Parameters
    ----------
    matrix : list of rows
        Paid to the player who chooses the row.
    bits : int, optional
        Length of the denominator D past which the search stops.

    Returns
    -------
    pair of lists of int, or None
        None past the bound of pivots, or past `bits`.

    Examples
    --------
    >>> solve_integer_game([[3, 1], [1, 2]])
    ([1, 2], [1, 2])
    """
    # max 1z subject to Mz ≤ 1, z ≥ 0: the rows of M with their bounds, and below them what z earns.
    tableau = [[*row, 1] for row in matrix]
    tableau.append([1] * len(matrix[0]) + [0])
    A, C = len(tableau) - 1, len(tableau[0]) - 1
    row_label, column_label = list(range(A)), list(range(A, A + C))
    denominator = 1
    for _ in range(PIVOT_LIMIT):
        # Bland: of the columns that improve, and of the rows of least ratio, those of smallest label.
        improving = [j for j in range(C) if tableau[A][j] > 0]
        if not improving:
            return _weights(tableau, row_label, column_label)
        enter = min(improving, key=column_label.__getitem__)
        leave = _leaving(tableau, row_label, enter)
        denominator = _exchange(tableau, leave, enter, denominator)
        if bits is not None and denominator.bit_length() > bits:
            return None
        row_label[leave], column_label[enter] = column_label[enter], row_label[leave]
    return None


def _leaving(tableau: list[list[int]], row_label: list[int], enter: int) -> int:
    """The row of least ratio. There is one, since the program is bounded."""
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
    """One exchange, in place; the column of what leaves takes the place of the one that enters."""
    entering = [row[enter] for row in tableau]
    pivot = exchange(tableau, leave, enter, denominator)
    for row, factor in zip(tableau, entering, strict=True):
        row[enter] = -factor
    tableau[leave][enter] = denominator
    return pivot


def _weights(
    tableau: list[list[int]], row_label: list[int], column_label: list[int]
) -> tuple[list[int], list[int]]:
    """Read the multipliers and the solution from the final tableau."""
    A, C = len(row_label), len(column_label)
    weights = [0] * (A + C)
    for i, label in enumerate(row_label):
        if label >= A:
            weights[label] = tableau[i][-1]
    for j, label in enumerate(column_label):
        if label < A:
            weights[label] = -tableau[A][j]
    return weights[:A], weights[A:]
