"""Integer pivoting: one exchange of a tableau T / D, with integers T and one denominator D, the last pivot.

An exchange at (r, c) with p = T[r][c] keeps row r and maps every other row to (p T[i] − T[i][c] T[r]) / D,
where each division comes out even because all entries are minors of the first tableau. D then becomes p.
Nothing is rounded, and numbers grow no longer than those minors.

References
----------
Edmonds (1967), J. Res. Nat. Bur. Standards 71B, 241–245.
"""

from __future__ import annotations


def exchange(tableau: list[list[int]], row: int, column: int, denominator: int) -> int:
    """Take one step of integer pivoting in place, and return the new denominator.

    Examples
    --------
    >>> tableau = [[2, 1, 4], [1, 3, 7]]
    >>> exchange(tableau, 0, 0, 1), tableau
    (2, [[2, 1, 4], [0, 5, 10]])
    """
    pivot_row = tableau[row]
    pivot = pivot_row[column]
    for i, other in enumerate(tableau):
        if i == row:
            continue
        factor = other[column]
        if factor:
            tableau[i] = [
                (pivot * entry - factor * above) // denominator
                for entry, above in zip(other, pivot_row, strict=True)
            ]
        elif pivot != denominator:
            tableau[i] = [pivot * entry // denominator for entry in other]
    return pivot
