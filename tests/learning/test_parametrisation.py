"""Softmax and simplex: probabilities, directions, projections."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.learning.parametrisation import Simplex, Softmax, direction

numbers = st.floats(-50, 50)


@given(st.lists(st.tuples(numbers, st.booleans()), min_size=1, max_size=6))
def test_the_projection_is_the_nearest_point(entries):
    """Optimality: x = max(p − τ, 0) on the entries that exist, summing to 1, and 0 elsewhere."""
    point = np.array([[number for number, _ in entries]])
    allowed = np.array([[there for _, there in entries]])
    allowed[0, 0] |= not allowed.any()
    nearest = Simplex().moved(point, np.zeros(point.shape), allowed)[0]
    assert (nearest >= 0).all()
    assert abs(nearest.sum() - 1) <= 1e-12
    assert not nearest[~allowed[0]].any()
    shift = (point[0] - nearest)[nearest > 0]
    assert np.ptp(shift) <= 1e-10
    assert (point[0][allowed[0] & (nearest == 0)] <= shift.max() + 1e-10).all()


@given(st.lists(numbers, min_size=1, max_size=5), st.floats(-1000, 1000))
def test_softmax_does_not_see_a_constant(logits, constant):
    everything = np.ones((1, len(logits)), dtype=bool)
    one = Softmax().probabilities(np.array([logits]), everything)
    other = Softmax().probabilities(np.array([logits]) + constant, everything)
    np.testing.assert_allclose(one, other, rtol=1e-9)
    assert abs(one.sum() - 1) <= 1e-12


@given(st.lists(numbers, min_size=2, max_size=5), st.lists(numbers, min_size=5, max_size=5))
def test_a_constant_gradient_moves_nothing(gradient, logits):
    """Nor does one that only a baseline shifts."""
    size = len(gradient)
    everything = np.ones((1, 1, size), dtype=bool)
    one, often = np.ones(1), np.full((1, 1), 0.5)
    for form in (Softmax(), Simplex()):
        variables = form.start(np.array([[logits[:size]]]) / 10, everything)
        chances = form.probabilities(variables, everything)
        for natural in (False, True):

            def moves(slope, form=form, chances=chances, natural=natural):
                return direction(form, chances, slope, everything, one, often, natural=natural)

            np.testing.assert_allclose(
                moves(np.array([[gradient]])), moves(np.array([[gradient]]) + 7.0), atol=1e-10
            )
            still = moves(np.full((1, 1, size), 3.0))
            moved = form.moved(variables, still, everything)
            np.testing.assert_allclose(form.probabilities(moved, everything), chances, atol=1e-12)


def test_natural_steps_divide_by_visits_and_stay_where_nobody_goes():
    everything = np.ones((1, 2, 2), dtype=bool)
    even = np.full((1, 2, 2), 0.5)
    slope = np.array([[[1.0, 0.0], [5.0, 0.0]]])
    often = np.array([[0.25, 0.0]])
    moves = direction(Softmax(), even, slope, everything, np.array([2.0]), often, natural=True)
    assert moves.tolist() == [[[4.0, -4.0], [0.0, 0.0]]]


def test_entries_that_do_not_exist_stay_away():
    allowed = np.array([[True, False, True]])
    for form in (Softmax(), Simplex()):
        variables = form.start(np.array([[0.0, 9.0, 1.0]]), allowed)
        moved = form.moved(variables, np.array([[0.5, 99.0, 0.1]]), allowed)
        assert form.probabilities(moved, allowed)[0, 1] == 0.0
