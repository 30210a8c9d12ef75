"""Vertices of polyhedra in exact integers: the double description method.

A pointed cone {z : Rz ≥ 0} is the set of non-negative combinations of its extreme rays. The method keeps
both descriptions and adds one row r at a time: rays with rz ≥ 0 stay, and every *adjacent* pair on opposite
sides of the plane rz = 0 gives one new ray in it. Two extreme rays are adjacent if and only if no third one
is tight in every row in which both are tight. Coordinates are integers without a common divisor, so that a
tie is a tie: degenerate and redundant rows need no tolerance, and the list of rays is complete.

A polyhedron is the section of such a cone by a plane. Its vertices are the rays that meet the plane; the
others are its directions. Two faces of the one method: `extreme_rays` of a cone, from which the equilibria of
two agents are read, and `extreme_points` of a polytope of distributions, which are what an attacker under
linear inequalities chooses from.

Cost: the number of pairs on opposite sides times the number of rays, for every row. Numbers of rays can be
exponential in the dimension, hence `RAY_LIMIT` and `MOST_VERTICES`.

References
----------
Motzkin, Raiffa, Thompson & Thrall (1953), in *Contributions to the Theory of Games II*; Fukuda & Prodon
(1996), in *Combinatorics and Computer Science*, LNCS 1120, 91–111, Proposition 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import StageError, ThreatError
from arneq_exact.exact.rationals import IntArray, common_denominator

Ray = tuple[int, ...]

Row = tuple[Fraction, ...]

RAY_LIMIT = 20_000
"""Largest number of rays of a cone: one row then compares up to 10⁴ of them with all, in about 2 GB."""

ROW_LIMIT = 62
"""Largest number of rows of a cone: a ray's tight rows are the bits of one machine word, for callers too."""

MOST_VERTICES = 400
"""Vertices up to which a polytope is resolved, on the way as well; a second or two of work."""

WORD = 62
"""Rows whose bits share one machine word (int64, the sign left alone)."""

FULL = (1 << WORD) - 1
"""The bits of a word."""


def extreme_rays(rays: Sequence[Ray], rows: Sequence[Ray], known: Sequence[int]) -> dict[Ray, int]:
    """Extreme rays of {z : rz ≥ 0 for every row r}, each with the set of its tight rows.

    Parameters
    ----------
    rays : sequence of integer tuples
        *All* extreme rays of the cone of the rows in `known`, taken within the subspace that they span.
    rows : sequence of integer tuples
    known : sequence of int
        Indices of the rows that the rays satisfy to begin with.

    Returns
    -------
    dict
        From rays, without a common divisor, to bit patterns of tight rows.

    Raises
    ------
    StageError
        If there are more rows or rays than the limits allow.

    Examples
    --------
    The square 0 ≤ x, y ≤ 1 as a section at height 1, begun as the quadrant:

    >>> rows = [(1, 0, 0), (0, 1, 0), (-1, 0, 1), (0, -1, 1), (0, 0, 1)]
    >>> sorted(extreme_rays([(1, 0, 0), (0, 1, 0), (0, 0, 1)], rows, [0, 1, 4]))
    [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    """
    if len(rows) > ROW_LIMIT:
        raise StageError(f"extreme_rays: {len(rows)} rows; must be at most {ROW_LIMIT}")
    tight = {_reduced(ray): 0 for ray in rays}
    for ray in tight:
        tight[ray] = sum(1 << k for k in known if _product(rows[k], ray) == 0)
    for k, row in enumerate(rows):
        if k not in known:
            tight = _cut(tight, row, 1 << k)
            if len(tight) > RAY_LIMIT:
                raise StageError(f"extreme_rays: over {RAY_LIMIT} rays, which is the limit")
    return tight


@lru_cache(maxsize=256)
def extreme_points(size: int, rows: tuple[Row, ...], bounds: Row) -> tuple[Row, ...]:
    """Return the vertices of {ω ≥ 0, Σω = 1, Gω ≤ h} in descending lexicographic order.

    The polytope is the section Σω = 1 of the cone {ω ≥ 0, Σ_j (h_r − G_rj) ω_j ≥ 0 for every r}. The order is
    part of the format of certificates: it numbers the columns of an attacker.

    Parameters
    ----------
    size : int
        Length of ω.
    rows : G, one tuple of `size` Fractions per inequality
    bounds : h

    Raises
    ------
    ThreatError
        If the polytope is empty, or has too many vertices.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> [list(map(str, vertex)) for vertex in extreme_points(2, ((Fraction(0), Fraction(1)),), (half,))]
    [['1', '0'], ['1/2', '1/2']]
    """
    _require_few(size)
    # Row j, for j < size, is ω_j ≥ 0: the unit vector of k is tight in all of them but row k.
    everything = (1 << size) - 1
    tight = {tuple(int(j == k) for j in range(size)): everything & ~(1 << k) for k in range(size)}
    for number, (row, bound) in enumerate(zip(rows, bounds, strict=True)):
        slack, _ = common_denominator(bound - entry for entry in row)
        tight = _cut(tight, tuple(slack), 1 << (size + number))
        if not tight:
            raise ThreatError("ThreatModel: inequalities leave no distribution; must leave at least one")
        _require_few(len(tight))
    return tuple(sorted(map(_distribution, tight), reverse=True))


def _distribution(ray: Ray) -> Row:
    """The point of a ray where its entries sum to 1."""
    total = sum(ray)
    return tuple(Fraction(entry, total) for entry in ray)


def _require_few(number: int) -> None:
    if number > MOST_VERTICES:
        raise ThreatError(
            f"ThreatModel: inequalities over so many corruption sets need {number} extreme points; "
            f"must be at most {MOST_VERTICES}"
        )


def _cut(tight: dict[Ray, int], row: Ray, bit: int) -> dict[Ray, int]:
    """Add one row to a cone."""
    height = {ray: _product(row, ray) for ray in tight}
    above = [ray for ray in tight if height[ray] > 0]
    below = [ray for ray in tight if height[ray] < 0]
    kept = {ray: pattern | (bit if height[ray] == 0 else 0) for ray, pattern in tight.items()}
    for ray in below:
        del kept[ray]
    if not above or not below:
        return kept
    words = -(-(max(tight.values()) | bit).bit_length() // WORD)
    patterns = _words(tight.values(), words)
    lower = _words([tight[ray] for ray in below], words)
    for up in above:
        # Adjacent: only the two themselves are tight in all of their common rows.
        holders = _holders(patterns, lower, tight[up]).sum(axis=1)
        for index in np.flatnonzero(holders == 2):
            down = below[index]
            new = tuple(height[up] * b - height[down] * a for a, b in zip(up, down, strict=True))
            kept[_reduced(new)] = (tight[up] & tight[down]) | bit
    return kept


def _words(patterns: Iterable[int], words: int) -> list[IntArray]:
    """Bit patterns as machine words, one array for each word, the low bits first."""
    listed = list(patterns)
    return [
        np.array([pattern >> WORD * w & FULL for pattern in listed], dtype=np.int64) for w in range(words)
    ]


def _holders(patterns: list[IntArray], lower: list[IntArray], upper: int) -> NDArray[np.bool_]:
    """Whether each ray (axis 1) is tight in all rows that a ray of `lower` (axis 0) shares with `upper`."""
    common = (lower[0] & (upper & FULL))[:, None]
    holds: NDArray[np.bool_] = (patterns[0] & common) == common
    for w in range(1, len(patterns)):
        common = (lower[w] & (upper >> WORD * w & FULL))[:, None]
        holds &= (patterns[w] & common) == common
    return holds


def _product(row: Ray, ray: Ray) -> int:
    return sum(a * b for a, b in zip(row, ray, strict=True))


def _reduced(ray: Sequence[int]) -> Ray:
    """Divide by the greatest common divisor."""
    divisor = gcd(*ray)
    return tuple(entry // divisor for entry in ray)
