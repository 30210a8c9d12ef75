"""The simplex method for one matrix game in exact integers: for exact answers, and as a last resort.

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

from arneq_exact.exact.rationals import FloatArray

_BOUND = 10_000  # pivots allowed


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
    tableau = [[*row, 1] for row in matrix]
    tableau.append([1] * len(matrix[0]) + [0])
    return maximise(tableau, bits)


def maximise(tableau: list[list[int]], bits: int | None = None) -> tuple[list[int], list[int]] | None:
    """Solve max cz subject to Mz ≤ b, z ≥ 0, for integers with b ≥ 0, if there is a maximum.

    Parameters
    ----------
    tableau : list of rows
        The rows of M, each with its entry of b at the end, and below them c with a 0. Overwritten.
    bits : int, optional
        As in `solve_integer_game`.

    Returns
    -------
    pair of lists of int, or None
        Optimal multipliers of the rows and an optimal z, both times the same positive number. None past the
        bound of pivots, or past `bits`.

    Examples
    --------
    >>> maximise([[2, 1, 2], [1, 1, 0]] + [[1, -1, 0]])  # z = 0 is forced
    ([0, 1], [0, 0])
    """
    A, C = len(tableau) - 1, len(tableau[0]) - 1
    row_label, column_label = list(range(A)), list(range(A, A + C))
    denominator = 1
    for _ in range(_BOUND):
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
