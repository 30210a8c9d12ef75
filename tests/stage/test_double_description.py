"""Extreme rays of cones against all their bases, and the limit of their number."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from arneq_exact.errors import StageError
from arneq_exact.exact.double_description import extreme_rays


def test_rays_of_a_cone_against_bases(rng):
    """Extreme rays are what d − 1 independent rows determine, if it is feasible."""
    for _ in range(20):
        rows = [(1, 0, 0), (0, 1, 0), (0, 0, 1)] + [tuple(rng.integers(-3, 4, 3).tolist()) for _ in range(4)]
        rays = extreme_rays([(1, 0, 0), (0, 1, 0), (0, 0, 1)], rows, [0, 1, 2])
        expected = set()
        for pair in combinations(rows, 2):
            ray = np.cross(*pair)
            for sign in (1, -1):
                if ray.any() and (np.array(rows) @ (sign * ray) >= 0).all():
                    expected.add(tuple((sign * ray // np.gcd.reduce(ray)).tolist()))
        assert set(rays) == expected
        for ray, tight in rays.items():
            assert [bool(tight >> k & 1) for k in range(len(rows))] == (np.array(rows) @ ray == 0).tolist()


def test_the_limit_of_rows_is_named():
    with pytest.raises(StageError, match="extreme_rays: 63 rows; must be at most 62"):
        extreme_rays([(1,)], [(1,)] * 63, [0])
