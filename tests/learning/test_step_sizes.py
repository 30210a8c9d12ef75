"""Schedules: their values, what is known of their sums, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from arneq_exact.errors import InputError
from arneq_exact.learning.step_sizes import HARMONIC, Constant, Geometric, Polynomial, StepSize, step_sizes

SCHEDULES = [
    HARMONIC,
    Polynomial(0.75),
    Polynomial(0.5),
    Polynomial(0.51, 0.5),
    Polynomial(1.5),
    Polynomial(0),
    Polynomial(1, 10, 20),
    Constant(0.25),
    Geometric(0.5, 0.9),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_sums_behave_as_the_schedule_says(schedule: StepSize) -> None:
    """What Cauchy's condensation test sees: Σ α(v) and Σ 2^j α(2^j) converge together, α being monotone.

    The terms 2^j α(2^j) are c·2^(j(1−p)) for large j: the sum converges iff they fall by a fixed factor.
    """
    doublings = 2.0 ** np.arange(20, 41)
    for power, converges in ((1, not schedule.sum_diverges), (2, schedule.square_sum_converges)):
        terms = doublings * schedule(doublings) ** power
        falls = bool((terms[1:] <= 0.99 * terms[:-1]).all())
        assert falls == converges
        assert falls or (terms[1:] >= (1 - 1e-4) * terms[:-1]).all()
    steps = schedule(np.arange(1, 2000))
    assert schedule.largest == steps[0] == steps.max()
    assert (steps >= 0).all()
    assert isinstance(schedule, StepSize)


def test_values() -> None:
    assert step_sizes(HARMONIC, 1, 5, "here").tolist() == [1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert Polynomial(0.5, 2, 3)([1, 6]).tolist() == pytest.approx([1, 2 / 3], abs=1e-15)
    assert step_sizes(lambda visit: 1 / visit, 2, 5, "here").tolist() == [1 / 2, 1 / 3, 1 / 4]
    assert [schedule.name for schedule in (HARMONIC, Polynomial(0.6, 3, 9), Polynomial(1, 0.5, 0))] == [
        "1/(1 + v)",
        "3/(9 + v)^0.6",
        "0.5/v",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Polynomial(-1), "Polynomial: power is -1; must be a number of at least 0"),
        (lambda: Polynomial("one"), "Polynomial: power is 'one'; must be a number of at least 0"),
        (lambda: Polynomial(1, 0), "Polynomial: scale is 0; must be a number above 0"),
        (lambda: Polynomial(1, 1, float("nan")), "Polynomial: offset is nan; must be a number of at least 0"),
        (
            lambda: Polynomial(1, 3),
            "Polynomial: the first step, scale / (offset + 1)^power, is 1.5; must be <= 1",
        ),
        (lambda: Constant(0), "Constant: value is 0; must be a number in (0, 1]"),
        (lambda: Constant(True), "Constant: value is True; must be a number in (0, 1]"),
        (lambda: Geometric(0.5, 1), "Geometric: decay is 1; must be a number in (0, 1)"),
        (lambda: Geometric(1.5, 0.5), "Geometric: first is 1.5; must be a number in (0, 1]"),
        (lambda: step_sizes(lambda visit: 2, 1, 3, "here"), "here: step_size(1) is 2; must be in [0, 1]"),
        (
            lambda: step_sizes("harmonic", 1, 3, "here"),  # type: ignore[arg-type]
            "here: step_size is 'harmonic'; must be a schedule such as Polynomial(), "
            "or a function of the number of the visit",
        ),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        make()
    assert str(refusal.value) == message
