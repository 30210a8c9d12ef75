"""[T10] on Markov games, and [T14] as the solver does it: closed forms, and false claims that are caught."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel
from arneq_exact.exact.arrays import exact_array
from arneq_exact.oracle.contest import contest, robust_value
from arneq_exact.theory.ledger import statement
from arneq_exact.theory.statements import certificate_bound, finite_horizon, general_threats


@pytest.mark.parametrize(("informed", "value"), [(False, -1), (True, -2)])
def test_a_repeated_stage_under_a_fixed_distribution(informed, value):
    """The game of the theory page, met again and again with discount 1/2: twice the value of one stage."""
    rewards = np.zeros((3, 1, 1, 2, 2))
    rewards[0, 0, 0] = [[1, -2], [0, 0]]
    game = MarkovGame.from_arrays(rewards, np.ones((1, 1, 2, 2, 1)), 0.5)
    law = {0: {frozenset({1}): "1/2", frozenset({1, 2}): "1/2"}, 1: {frozenset(): 1}, 2: {frozenset(): 1}}
    threat = ThreatModel(distribution=law, informed=informed)
    policy = [exact_array([[1]]), exact_array([[1, 0]]), exact_array([[1, 0]])]
    faced = contest(game, threat, policy, 0, exact=True)
    assert robust_value(faced, [exact_array([1])]).tolist() == [Fraction(value)]


@pytest.mark.parametrize("name", ["T10.values", "T14.solve"])
def test_statements_hold_on_every_class(name):
    one = statement(name)
    for index in range(len(one.families)):
        assert one.check_instance(one.draw(index)).verdict == "holds"


def test_an_unsound_certificate_is_caught(monkeypatch):
    """ε of a tenth of what it should be: with the best evidence it is below what a deviation gains."""
    real = certificate_bound.evaluate_exact
    monkeypatch.setattr(
        certificate_bound,
        "evaluate_exact",
        lambda *given: [tuple(epsilon / 10 for epsilon in real(*given)[0]), *real(*given)[1:]],
    )
    one = statement("T12.soundness")
    assert "violated" in {one.check_instance(one.draw(index)).verdict for index in range(12)}


def test_values_of_the_wrong_attacker_are_caught(monkeypatch):
    """An informed attacker treated as a committed one, and masks as none."""
    real = general_threats.robust_values
    for part, family in (("informed", "informed"), ("masks", "masks")):
        with monkeypatch.context() as patched:
            nothing = False if part == "informed" else None
            patched.setattr(
                general_threats,
                "robust_values",
                lambda game, threat, policy, nothing=nothing, part=part: real(
                    game, replace(threat, **{part: nothing}), policy
                ),
            )
            one = statement("T10.values")
            place, turns = list(one.families).index(family), len(one.families)
            own = range(place, 10 * turns, turns)
            assert "violated" in {one.check_instance(one.draw(index)).verdict for index in own}


def test_a_solution_that_ends_a_step_early_is_caught(monkeypatch):
    """The first step played at the second as well: not what was solved for."""
    real = finite_horizon.solve

    def late(game, threat, **options):
        found = real(game, threat, **options)
        return replace(found, policy=tuple(np.stack([one[0]] * len(one)) for one in found.policy))

    monkeypatch.setattr(finite_horizon, "solve", late)
    one = statement("T14.solve")
    assert "violated" in {one.check_instance(one.draw(index)).verdict for index in range(18)}
