"""Vertices of cut simplexes against enumeration of tight constraints."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact import referee
from arneq_exact.errors import ThreatError
from arneq_exact.exact.double_description import MOST_VERTICES, extreme_points
from arneq_exact.oracle import definition

NUMBERS = st.integers(-3, 3).map(Fraction) | st.fractions(-1, 1, max_denominator=4)


def exact(
    rows: list[list[Fraction]], bounds: list[Fraction]
) -> tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...]]:
    return tuple(map(tuple, rows)), tuple(bounds)


@given(st.data(), st.integers(1, 4), st.integers(0, 4))
def test_vertices_equal_enumeration(data: st.DataObject, size: int, cuts: int) -> None:
    """Degenerate, redundant, contradictory and duplicate inequalities included."""
    row = st.lists(NUMBERS, min_size=size, max_size=size)
    rows = data.draw(st.lists(row, min_size=cuts, max_size=cuts))
    bounds = data.draw(st.lists(NUMBERS, min_size=cuts, max_size=cuts))
    expected = definition.polytope_vertices(size, rows, bounds)
    if not expected:
        with pytest.raises(ThreatError, match="leave no distribution"):
            extreme_points(size, *exact(rows, bounds))
    else:
        assert list(extreme_points(size, *exact(rows, bounds))) == expected
        assert sorted(referee.vertices(size, rows, bounds), reverse=True) == expected


def test_an_equation_as_two_inequalities() -> None:
    third = Fraction(1, 3)
    rows = [[Fraction(1), Fraction(0), Fraction(0)], [Fraction(-1), Fraction(0), Fraction(0)]]
    assert extreme_points(3, *exact(rows, [third, -third])) == (
        (third, 2 * third, Fraction(0)),
        (third, Fraction(0), 2 * third),
    )


def test_a_cube_in_the_simplex_has_its_corners() -> None:
    """ω_j ≤ 1/10 for all but one: that one takes the rest. With ten, 2^9 corners are too many."""
    most = Fraction(1, 10)
    for size in (5, 8):
        rows = [[Fraction(int(j == k)) for j in range(size)] for k in range(1, size)]
        assert len(extreme_points(size, *exact(rows, [most] * (size - 1)))) == 2 ** (size - 1)
    rows = [[Fraction(int(j == k)) for j in range(10)] for k in range(1, 10)]
    with pytest.raises(ThreatError, match=f"must be at most {MOST_VERTICES}"):
        extreme_points(10, *exact(rows, [most] * 9))
    with pytest.raises(ThreatError, match="need 401 extreme points"):
        extreme_points(401, (), ())


def test_more_faces_than_a_machine_word_has_bits() -> None:
    """ω_0 + ω_1 ≤ 1/2 and ω_0 ≤ 1/4 over 70 sets: the tight faces of a vertex take two words."""
    size, zero, quarter, half = 70, Fraction(0), Fraction(1, 4), Fraction(1, 2)
    rows = [[Fraction(int(j <= last)) for j in range(size)] for last in (1, 0)]
    heads = [(zero, zero), (zero, half), (quarter, zero), (quarter, quarter)]
    expected = {
        (first, second, *(Fraction(int(j == k)) * (1 - first - second) for j in range(2, size)))
        for first, second in heads
        for k in range(2, size)
    }
    assert list(extreme_points(size, *exact(rows, [half, quarter]))) == sorted(expected, reverse=True)
