"""Assumptions 1 to 3 of the convergence theorem [T7] as decisions."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import catalog, iterate
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.learning.step_sizes import Constant, Geometric, Polynomial, StepSize
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, UNDECIDED
from arneq_exact.theory.engine.assumptions import (
    common_types,
    encountered_types,
    selected_types,
    step_size_assumption,
    visits,
)


def test_visits_are_counts_per_state_and_joint_action():
    game = games.nosde()
    counts = visits(game, [(0, (0, 0)), (0, (1, 0)), (1, (0, 1)), (0, (1, 0))])
    assert counts.counts.tolist() == [1, 2, 0, 1]
    assert counts.least == 0
    assert counts.missed.tolist() == [2]


@pytest.mark.parametrize(
    ("pair", "message"),
    [((2, (0, 0)), "state is 2; must be from 0 to 1"), ((0, (2, 0)), "must fit"), ((0, (0,)), "must fit")],
)
def test_visits_refuse_strangers(pair, message):
    with pytest.raises(InputError, match=message):
        visits(games.nosde(), [pair])


@pytest.mark.parametrize(
    ("schedule", "verdict", "reason"),
    [
        (Polynomial(), "holds", ""),
        (Polynomial(0.75), "holds", ""),
        (Polynomial(0.5), "violated", "sum of squares diverges"),
        (Polynomial(1.5), "violated", "sum of the steps is finite"),
        (Polynomial(1.0, offset=0.0), "violated", "not below 1"),
        (Constant(0.1), "violated", "sum of squares diverges"),
        (Constant(1.0), "violated", "not below 1"),
        (Geometric(0.5, 0.9), "violated", "sum of the steps is finite"),
        (lambda visit: 1 / (1 + visit), "undecided", "no finite number of values"),
    ],
)
def test_step_sizes(schedule, verdict, reason):
    found = step_size_assumption(schedule)
    assert found.verdict == verdict
    assert reason in found.reason
    assert found.held == {"holds": True, "violated": False, "undecided": None}[verdict]


def test_a_stranger_cannot_vouch_for_its_own_sums():
    """Whoever has the attributes of a schedule, or derives from one, is still not decided."""

    class Stranger:
        name, largest, sum_diverges, square_sum_converges = "mine", 0.5, True, True

        def __call__(self, visits):
            return np.full(np.shape(visits), 0.5)

    class Derived(Polynomial):
        def __call__(self, visits):
            return np.full(np.shape(visits), 0.5)

    assert isinstance(Stranger(), StepSize)
    for schedule in (Stranger(), Derived()):
        assert step_size_assumption(schedule).verdict == "undecided"


def test_types_of_one_game_with_both():
    """[T8] (ii)"""
    payoffs = np.array([[[5.0, 1.0], [1.0, 1.0]]] * 2)
    nobody = stage_attackers(ThreatModel(0), (2, 2))
    pure = np.eye(2)
    top, low = (selected_types(payoffs, [pure[a]] * 2, nobody) for a in range(2))
    assert [(one.a, one.b, one.b_prime, one.value) for one in top] == [(True, False, False, 5.0)] * 2
    assert [(one.a, one.b, one.b_prime, one.value) for one in low] == [(False, True, True, 1.0)] * 2


def test_security_value_without_a_saddle():
    """[T6a] The stage ARNEQ is worth its security value, and the strategy does not guarantee it."""
    payoffs = np.array([[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [-1.0, 0.0]]])
    nobody = stage_attackers(ThreatModel(0), (2, 2))
    one = selected_types(payoffs, [np.array([1.0, 0.0]), np.array([1.0, 0.0])], nobody)[1]
    assert one.b_prime
    assert not one.b


def test_types_along_a_run_of_nosde():
    """[T8] (iii): who moves has a best choice; whom it is done to changes type."""
    run = encountered_types(iterate(catalog.load("nosde"), ThreatModel(0)))
    assert run.fixed is False
    assert run.names()[0][1] == run.names()[1][0] == "none"
    assert encountered_types(iterate(catalog.load("nosde"), ThreatModel(1))).fixed is True


def test_undecided_types_leave_the_run_undecided():
    types = np.array([[[TYPE_A]], [[UNDECIDED]]], dtype=np.uint8)
    assert common_types(types).fixed is None
    assert common_types(types).names() == [["undecided"]]
    also = np.array([[[TYPE_A | TYPE_B_PRIME]], [[UNDECIDED | TYPE_B_PRIME]]], dtype=np.uint8)
    assert common_types(also).fixed is True
    assert common_types(also).names() == [["B′"]]
    lost = np.array([[[UNDECIDED]], [[TYPE_B_PRIME]]], dtype=np.uint8)
    assert common_types(lost).fixed is False


def test_a_run_without_a_trace_is_refused():
    run = iterate(catalog.load("nosde"), ThreatModel(1), keep_trace=False)
    with pytest.raises(InputError, match="kept no trace"):
        encountered_types(run)
