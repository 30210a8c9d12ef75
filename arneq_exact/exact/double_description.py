"""Vertices of a polyhedron in exact integers: the double description method.

A pointed cone {z : Rz ≥ 0} is the set of non-negative combinations of its extreme rays. The method keeps
both descriptions and adds one row r at a time: rays with rz ≥ 0 stay, and every *adjacent* pair on opposite
sides of the plane rz = 0 gives one new ray in it. Two extreme rays are adjacent if and only if no third one
is tight in every row in which both are tight. Coordinates are integers without a common divisor, so that a
tie is a tie: degenerate polyhedra need no tolerance, and the list of rays is complete.

A polyhedron is the section of such a cone by a plane. Its vertices are the rays that meet the plane; the
others are its directions.

Cost: the number of pairs on opposite sides times the number of rays, for every row. Numbers of rays can be
exponential in the dimension, hence `RAY_LIMIT`.

References
----------
Motzkin, Raiffa, Thompson & Thrall (1953), in *Contributions to the Theory of Games II*; Fukuda & Prodon
(1996), in *Combinatorics and Computer Science*, LNCS 1120, 91–111.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np

from arneq_exact.errors import StageError

Ray = tuple[int, ...]

RAY_LIMIT = 20_000
"""Largest number of rays that is kept."""

ROW_LIMIT = 62
"""Largest number of rows: a ray's tight rows are the bits of one machine word."""


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


def _cut(tight: dict[Ray, int], row: Ray, bit: int) -> dict[Ray, int]:
    """Add one row to a cone."""
    height = {ray: _product(row, ray) for ray in tight}
    above = [ray for ray in tight if height[ray] > 0]
    below = [ray for ray in tight if height[ray] < 0]
    kept = {ray: pattern | (bit if height[ray] == 0 else 0) for ray, pattern in tight.items()}
    for ray in below:
        del kept[ray]
    if not below:
        return kept
    patterns = np.array(list(tight.values()), dtype=np.int64)
    lower = np.array([tight[ray] for ray in below], dtype=np.int64)
    for up in above:
        common = lower & tight[up]
        # Adjacent: only the two themselves are tight in all of their common rows.
        holders = ((patterns[None, :] & common[:, None]) == common[:, None]).sum(axis=1)
        for index in np.flatnonzero(holders == 2):
            down = below[index]
            new = tuple(height[up] * b - height[down] * a for a, b in zip(up, down, strict=True))
            kept[_reduced(new)] = int(common[index]) | bit
    return kept


def _product(row: Ray, ray: Ray) -> int:
    return sum(a * b for a, b in zip(row, ray, strict=True))


def _reduced(ray: Sequence[int]) -> Ray:
    """Divide by the greatest common divisor."""
    divisor = gcd(*ray)
    return tuple(entry // divisor for entry in ray)
