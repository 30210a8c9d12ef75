"""Lemke's method in exact integer arithmetic: one equilibrium of a polymatrix game, degenerate ones included.

In a polymatrix game every player's payoff is a sum of payoffs against the single other players. Stack the
actions of all players; P[r][c] is what action r earns against action c (0 within a player and between players
who do not meet). With C = (max P + 1)·11ᵀ − P > 0 and E telling which action is whose, an equilibrium is a
solution of the linear complementarity problem of [T11]

    z = (x, v) ≥ 0,   w = M z + q ≥ 0,   zᵀw = 0,      M = [[C, −E], [Eᵀ, 0]],   q = (0, −1).

For x ≥ 0 with block sums s_p ≥ 1, w = 0 on the sums (v_p > 0 because C > 0) makes every block a mixture,
v_p the least cost of player p, and complementarity says that only actions of least cost are played.

*It ends.* M is copositive-plus (xᵀCx ≥ 0 on x ≥ 0, and it is 0 only at x = 0) and the problem is feasible, so
Lemke's path does not end on a ray; under the lexicographic ratio test no basis comes back, however degenerate
the game [T11]. Both hold literally here because nothing is rounded. Two players give Nash equilibria of a
bimatrix game, four give two agents with their attackers.

*Integer pivoting* (`arneq_exact.exact.pivot`) keeps the tableau in integers over one denominator D > 0; its
entries are minors of [I, −M, −1, q].

Cost: with N rows, a pivot is 2N² products of integers of at most N log₂(max C) bits or so; usually about N
pivots, exponentially many at worst (their number is bounded).

References
----------
[T11]; Lemke (1965), Management Science 11, 681–689; Edmonds (1967), J. Res. Nat. Bur. Standards 71B, 241–245;
Cottle, Pang & Stone (1992), *The Linear Complementarity Problem*, section 4.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from arneq_exact.exact.pivot import exchange

PIVOT_LIMIT = 20_000
"""Pivots of one path, beyond which the game is given up: paths take about as many pivots as rows, which are
below a hundred or so, but exponentially many at worst."""

Matrix = Sequence[Sequence[int]]


def polymatrix_equilibrium(
    payoff: Matrix, sizes: Sequence[int], bits: int | None = None
) -> list[list[int]] | None:
    """Return one equilibrium as integer weights per player, to be divided by their sums.

    Parameters
    ----------
    payoff : square integer matrix over the stacked actions
        Payoffs of a player may have any unit and, per opponent, any origin.
    sizes : sequence of int
        Number of actions of each player.
    bits : int, optional
        Length of the denominator past which the search stops.

    Returns
    -------
    list of lists of int, or None
        None past the bound of pivots, or past `bits`.

    Examples
    --------
    A bimatrix game, matching pennies of unequal stakes:

    >>> polymatrix_equilibrium([[0, 0, 2, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]], [2, 2])
    [[1, 1], [1, 2]]
    """
    tableau = _tableau(payoff, sizes)
    rows = len(tableau)
    artificial, right = 2 * rows, 2 * rows + 1
    basis = list(range(rows))
    # z₀ enters in the lexicographically least row: of equal right-hand sides −1, the last one.
    row = rows - 1
    tableau[row] = [-entry for entry in tableau[row]]
    denominator = exchange(tableau, row, artificial, 1)
    basis[row], entering = artificial, row + rows
    for _ in range(PIVOT_LIMIT):
        row = _leaving_row(tableau, basis, entering, artificial)
        denominator = exchange(tableau, row, entering, denominator)
        if bits is not None and denominator.bit_length() > bits:
            return None
        leaving, basis[row] = basis[row], entering
        if leaving == artificial:
            break
        entering = leaving + rows if leaving < rows else leaving - rows
    else:
        return None
    value = {label: tableau[row][right] for row, label in enumerate(basis)}
    result, first = [], rows
    for size in sizes:
        weights = [value.get(label, 0) for label in range(first, first + size)]
        unit = gcd(*weights)
        result.append([weight // unit for weight in weights])
        first += size
    return result


def _tableau(payoff: Matrix, sizes: Sequence[int]) -> list[list[int]]:
    """Return the rows of [I, −M, −1, q]; columns 0…N−1 are w, N…2N−1 are z, then z₀."""
    actions = len(payoff)
    rows = actions + len(sizes)
    owner = [player for player, size in enumerate(sizes) for _ in range(size)]
    top = max(max(row) for row in payoff) + 1
    tableau = []
    for r in range(rows):
        row = [0] * (2 * rows + 2)
        row[r] = 1
        for c in range(actions):
            if r < actions:
                row[rows + c] = payoff[r][c] - top
            elif owner[c] == r - actions:
                row[rows + c] = -1
        if r < actions:
            row[rows + actions + owner[r]] = 1
        row[2 * rows] = -1
        row[2 * rows + 1] = 0 if r < actions else -1
        tableau.append(row)
    return tableau


def _leaving_row(tableau: list[list[int]], basis: list[int], entering: int, artificial: int) -> int:
    """Return the row of least ratio, z₀'s if it is among the ties, else the lexicographically least one."""
    right = artificial + 1
    best = -1
    for i, row in enumerate(tableau):
        if row[entering] <= 0:
            continue
        if best < 0:
            best = i
            continue
        kept = tableau[best]
        difference = row[right] * kept[entering] - kept[right] * row[entering]
        if difference == 0:
            if artificial in (basis[i], basis[best]):
                best = i if basis[i] == artificial else best
                continue
            for column in range(len(tableau)):
                difference = row[column] * kept[entering] - kept[column] * row[entering]
                if difference:
                    break
        if difference < 0:
            best = i
    assert best >= 0, "Lemke's path ended on a ray, which is impossible for a copositive-plus matrix"
    return best
