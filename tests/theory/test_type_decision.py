"""[T6]: what the statement on types looks for, on games worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel
from arneq_exact.theory.ledger import statement
from arneq_exact.theory.statements.type_decision import best_pure_profile, column_values, improved

MATCH = np.array([[[1.0, 0.0], [0.0, 1.0]]] * 2)
"""Agents 2 and 3 must match."""


def test_mixing_hides_what_the_others_do():
    """With one corrupted, pure profiles are worth 0 to agent 1, even mixtures of both others 1/2."""
    threat = ThreatModel(1)
    pure = best_pure_profile(MATCH, 0, threat)
    assert column_values(MATCH, 0, threat, pure, 0).min() == 0
    assert improved(MATCH, 0, threat, [np.array([0.5, 0.5])] * 3) == pytest.approx(0.5, abs=1e-15)


def test_columns_are_those_of_the_agent_whoever_is_free():
    """The worst of the columns is g_1 of the profile with the pure action of the free agent in it."""
    even = [np.array([0.5, 0.5])] * 3
    for free in range(3):
        assert column_values(MATCH, 0, ThreatModel(0), even, free).tolist() == [[0.5], [0.5]]
    assert column_values(MATCH, 0, ThreatModel(2), even, 1).min(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_the_best_pure_profile_is_no_type_a(seed):
    game = MarkovGame.one_shot(np.stack([MATCH] * 3))
    evidence = statement("T6.types").check(game, ThreatModel(1), seed=seed)
    assert evidence.verdict == "holds"
    assert evidence.quantities["type A"][0] is False


def test_without_corruption_it_is():
    game = MarkovGame.one_shot(np.stack([MATCH] * 3))
    evidence = statement("T6.types").check(game, ThreatModel(0))
    assert evidence.verdict == "holds"
    assert evidence.quantities["type A"][0] is True


def test_it_holds_in_every_class():
    one = statement("T6.types")
    for index in range(2 * len(one.families)):
        evidence = one.check_instance(one.draw(index, seed=1))
        assert evidence.verdict == "holds", str(evidence)
