"""[T14]: subgame-perfection, errors of stages, and a long horizon played for ever."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, iterate
from arneq_exact.oracle.horizon import judged
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.ledger import statement
from arneq_exact.theory.statements.finite_horizon import draw_cycling, selected_plays

T14 = ("T14.subgames", "T14.errors", "T14.endless")


@pytest.mark.parametrize("name", T14)
def test_it_holds_in_every_class(name):
    one = statement(name)
    for index in range(2 * len(one.families)):
        evidence = one.check_instance(one.draw(index, seed=1))
        assert evidence.verdict == "holds", str(evidence)


def test_a_discount_of_one_is_allowed():
    one = statement("T14.subgames")
    drawn = [one.draw(index, seed=1) for index in range(20)]
    assert any((instance.game.discount == 1).all() for instance in drawn)
    assert statement("T14.endless").check_instance(drawn[0]).verdict in ("holds", "hypotheses not met")


def test_the_iteration_cycles_where_the_family_says_so():
    for seed in range(3):
        drawn = draw_cycling(np.random.default_rng(seed))
        cycle = iterate(drawn.game, ThreatModel(0)).cycle
        assert cycle is not None
        assert cycle.period == 5
        assert statement("T14.endless").check_instance(drawn).verdict == "holds"


def test_the_bound_of_endless_play_shrinks_with_the_discount():
    """NoSDE: 3/4^T (3 − 0) / (1/4), whatever is played afterwards, and the gap stays below."""
    game = games.nosde()
    one, afterwards = statement("T14.endless"), tuple(Policy.uniform(game))
    for horizon in (1, 4, 12):
        evidence = one.check(game, ThreatModel(0), horizon=horizon, afterwards=afterwards)
        assert evidence.verdict == "holds"
        np.testing.assert_allclose(evidence.quantities["bound"], 12 * 0.75**horizon, rtol=1e-14)
        assert max(evidence.quantities["gap"]) > 0


def test_errors_are_attained():
    """Prisoners' dilemma, cooperation twice: each stage gives away 2, in all 2 + 2 γ."""
    moves = np.ones((1, 2, 2, 1))
    game = MarkovGame.from_arrays([[[[3, 0], [5, 1]]], [[[3, 5], [0, 1]]]], moves, 0.5)
    cooperate = tuple(np.tile([1.0, 0.0], (2, 1, 1)) for _ in range(2))
    evidence = statement("T14.errors").check(game, ThreatModel(0), horizon=2, policy=cooperate)
    assert evidence.verdict == "holds"
    assert evidence.quantities["share of the sum"] == (1.0, 1.0)
    plays = [tuple(array[0] for array in cooperate)] * 2
    found = judged(game, ThreatModel(0), plays, 0, (np.zeros(1), np.zeros(1)))
    assert found.errors.tolist() == [2, 2]
    assert (found.upper[0] - found.lower[0]).tolist() == [3]


def test_any_selection_will_do():
    """A game with two equilibria: the one chosen for one agent is not that chosen for the other."""
    game = MarkovGame.from_arrays([[[[2, 0], [0, 1]]], [[[1, 0], [0, 2]]]], np.ones((1, 2, 2, 1)), 0.5)
    chosen = []
    for selection in ("agent-0", "agent-1"):
        instance = Instance(game, ThreatModel(0), {"horizon": 2, "selection": selection})
        assert statement("T14.subgames").check_instance(instance).verdict == "holds"
        chosen.append(selected_plays(instance)[0][0].tolist())
    assert chosen == [[[1, 0]], [[0, 1]]]
