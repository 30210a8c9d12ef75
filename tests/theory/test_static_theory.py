"""[T13]: corruption drawn once against corruption drawn anew."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel, catalog
from arneq_exact.errors import InputError
from arneq_exact.exact.arrays import exact_array
from arneq_exact.oracle.static import corruptions
from arneq_exact.theory.draw.worked_games import chain_rewards, draw_chain, watched
from arneq_exact.theory.engine.given_play import policy_of
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.ledger import statement
from arneq_exact.theory.statements import static_corruption

T13 = ("T13.order", "T13.equal", "T13.worst-set", "T13.chain", "T13.memory")


@pytest.mark.parametrize("name", T13)
def test_it_holds_in_every_class(name):
    one = statement(name)
    for index in range(16):
        evidence = one.check_instance(one.draw(index, seed=1))
        assert evidence.verdict == "holds", str(evidence)


@pytest.mark.parametrize("name", ["T13.order", "T13.equal", "T13.worst-set"])
def test_it_holds_in_fractions(name):
    one = statement(name)
    for index in range(len(one.families)):
        evidence = one.confirm_exactly(one.draw(index, seed=3))
        # What is equal in doubles need not be equal to the last bit.
        assert evidence.verdict in ("holds", "hypotheses not met"), str(evidence)
        assert evidence.tolerance == 0


def test_the_chain_separates_the_two_exactly():
    """[T13]: rect 0, static γ; no set attains the minimum in both states, so nothing is claimed there."""
    chain = Instance(catalog.load("static-chain"), ThreatModel(1))
    policy = [exact_array(array) for array in policy_of(chain)]
    found = corruptions(chain.game, chain.threat, policy, 0, exact=True)
    assert found.rect.tolist() == [0, 0]
    assert found.static.tolist() == [Fraction(9, 10), 0]
    assert {K: value.tolist() for K, value in found.by_set.items()} == {
        (): [Fraction(19, 10), 1],
        (1,): [Fraction(9, 10), 1],
        (2,): [1, 0],
    }
    equal = statement("T13.equal")
    assert equal.check_instance(chain).verdict == "hypotheses not met"
    evidence = equal.confirm_exactly(chain, drop=["one set"])
    assert (evidence.verdict, evidence.left, evidence.right) == ("violated", Fraction(9, 10), 0)


def test_the_bound_on_the_difference_on_the_chain():
    """Whatever a set takes, it lacks the 1 that the other takes: the bound 1/(1−γ) = 10 is above 9/10."""
    chain = Instance(catalog.load("static-chain"), ThreatModel(1))
    policy = [exact_array(array) for array in policy_of(chain)]
    found = corruptions(chain.game, chain.threat, policy, 0, exact=True)
    assert found.lack.tolist() == [10, 0]


def test_one_worst_set_is_not_enough():
    """A chain whose second reward is 3 and γ = 1/2: agent 3 is the worst to lose, and yet the two differ."""
    rewards, moves = [], []
    for state in range(2):
        for first in range(2):
            for second in range(2):
                rewards.append([(1, 3)[state] * (1 - (first, second)[state]), 0, 0])
                moves.append([(1, 1)] if state == 0 else [])
    game = MarkovGame.from_rows([[1, 2, 2]] * 2, rewards, moves, "1/2", termination=[0] * 4 + [1] * 4)
    one = statement("T13.worst-set")
    evidence = one.confirm_exactly(Instance(game, ThreatModel(1)), drop=["one set"])
    assert evidence.hypotheses["worst set"] is True
    assert evidence.hypotheses["one set"] is False
    assert (evidence.verdict, evidence.left, evidence.right) == ("violated", 1, 0)


def test_with_a_probability_there_is_no_order():
    one, rng = statement("T13.order"), np.random.default_rng(0)
    dropped = [one.confirm_exactly(one.candidates(rng, "certain"), drop=["certain"]) for _ in range(40)]
    assert {evidence.verdict for evidence in dropped} == {"holds", "violated"}


@pytest.mark.parametrize("name", ["T13.equal", "T13.worst-set"])
def test_the_search_has_candidates(name):
    one, rng = statement(name), np.random.default_rng(0)
    dropped = [one.confirm_exactly(one.candidates(rng, "one set"), drop=["one set"]) for _ in range(100)]
    assert any(evidence.verdict == "violated" for evidence in dropped)


def test_smaller_sets_do_less(rng):
    game = games.random_game(rng, 3, 2, 2, 0.5)
    found = corruptions(game, ThreatModel(2), list(games.random_policy(rng, game)), 1)
    assert list(found.by_set) == [(), (0,), (2,), (0, 2)]
    assert all((worth >= found.by_set[0, 2] - 1e-12).all() for worth in found.by_set.values())
    np.testing.assert_allclose(found.static, found.by_set[0, 2], rtol=0, atol=1e-12)


def test_the_chain_has_a_closed_form():
    drawn = draw_chain(np.random.default_rng(5))
    gamma = drawn.game.exact_discount()[0]
    evidence = statement("T13.chain").check_instance(drawn)
    first, second = chain_rewards(drawn.game)
    assert evidence.quantities["difference"] == min(first, gamma * second) > 0
    catalogued = statement("T13.chain").check(catalog.load("static-chain"), ThreatModel(1))
    assert (catalogued.verdict, catalogued.quantities["difference"]) == ("holds", Fraction(9, 10))


def test_what_is_not_the_chain():
    """One reward more, another budget or another policy, and the statement is about something else."""
    game = catalog.load("static-chain")
    paid = game.rewards.copy()
    paid[-1, 0] = 1
    other = MarkovGame(paid, game.transitions, game.action_counts, game.discount, game.termination)
    one = statement("T13.chain")
    defects = tuple(np.tile([0.0, 1.0], (2, 1)) for _ in range(3))
    for found in (
        one.check(other, ThreatModel(1)),
        one.check(game, ThreatModel(2)),
        one.check(game, ThreatModel(1, masks={1: {0: [0]}})),
        one.check(game, ThreatModel(1), policy=defects),
    ):
        assert (found.verdict, found.reason) == ("hypotheses not met", "not met: chain")
    with pytest.raises(InputError, match="hypothesis 'chain' says what it is about; must not be dropped"):
        one.check(game, ThreatModel(2), drop=["chain"])


def test_memory_identifies_a_static_attacker():
    """w = 1/4, w' = 1, γ = 1/2 leaves 1/4 to stationary play and 1/2 with memory; a large w gains no more."""
    assert static_corruption.secured(Fraction(1, 4), Fraction(1), Fraction(1, 2)) == Fraction(1, 2)
    assert static_corruption.secured(Fraction(1, 8), Fraction(1), Fraction(1, 2)) == Fraction(3, 8)
    assert static_corruption.secured(Fraction(9), Fraction(1), Fraction(1, 2)) == Fraction(1, 2)
    game = watched(Fraction(1, 4), Fraction(1), Fraction(1, 2))
    found = statement("T13.memory").check(game, ThreatModel(1))
    assert (found.verdict, found.quantities["stationary"]) == ("holds", Fraction(1, 4))
    assert statement("T13.memory").check(game, ThreatModel(2)).verdict == "hypotheses not met"
    other = MarkovGame.one_shot(np.zeros((3, 2, 2, 2)))
    assert statement("T13.memory").check(other, ThreatModel(1)).verdict == "hypotheses not met"


def test_a_plan_that_trusts_the_traitor_is_caught(monkeypatch):
    """Relying on nobody's record is worth no more than stationary play."""
    real = static_corruption.secured
    monkeypatch.setattr(static_corruption, "secured", lambda *numbers: real(*numbers) / 2)
    one = statement("T13.memory")
    assert one.check_instance(one.draw(0)).verdict == "violated"
