"""[T12]: the bound against exact deviations, its tightness, and the counterexample to the plain discount."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel
from arneq_exact.exact.arrays import exact_array
from arneq_exact.oracle.contest import contest, largest_row_sum
from arneq_exact.theory.engine.given_play import by_state
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import FALSE_WITHOUT
from arneq_exact.theory.ledger import statement
from arneq_exact.theory.statements.certificate_bound import bound, gain, with_excess

T12 = ("T12.soundness", "T12.tightness", "T12.discount")


@pytest.mark.parametrize("name", T12)
def test_it_holds_in_every_class(name):
    one = statement(name)
    for index in range(2 * len(one.families)):
        evidence = one.check_instance(one.draw(index, seed=1))
        assert evidence.verdict == "holds", str(evidence)


def test_soundness_is_decided_without_tolerance():
    """Evidence of every quality is drawn: some bounds are the gap, some far above."""
    one = statement("T12.soundness")
    slack = []
    for index in range(20):
        evidence = one.check_instance(one.draw(index, seed=2))
        assert evidence.tolerance == 0
        assert all(
            isinstance(side, Fraction) for one in evidence.comparisons for side in (one.left, one.right)
        )
        slack += [float(number) for number in evidence.quantities["formula minus gain"]]
    assert min(slack) < 1e-12
    assert max(slack) > 0.1


def staying(excess: bool) -> MarkovGame:
    """One agent, one state, two actions worth 0 and 1, for ever."""
    game = MarkovGame.from_arrays([[[0.0, 1.0]]], np.ones((1, 2, 1)), 0.75)
    return with_excess(game) if excess else game


def test_the_plain_discount_is_unsound_for_rows_above_one():
    """[T12] by hand: u = l = 0 gives 1/(1−γ), and what is missed is 1/(1−β)."""
    one = statement("T12.discount")
    assert one.status == FALSE_WITHOUT + "rows"
    assert one.check(staying(False), ThreatModel(0)).verdict == "holds"
    game = staying(True)
    assert largest_row_sum(game) == 1 + Fraction(1, 2**30)
    assert one.check(game, ThreatModel(0)).verdict == "hypotheses not met"
    evidence = one.confirm_exactly(Instance(game, ThreatModel(0)), drop=["rows"])
    assert evidence.verdict == "violated"
    assert evidence.left == 1 / (1 - Fraction(3, 4) * (1 + Fraction(1, 2**30)))
    assert evidence.right == 4


def test_the_search_has_candidates():
    one, rng = statement("T12.discount"), np.random.default_rng(0)
    verdicts = [one.confirm_exactly(one.candidates(rng, "rows"), drop=["rows"]).verdict for _ in range(30)]
    assert verdicts.count("violated") >= 3


def test_the_bound_by_hand():
    """Prisoners' dilemma at (cooperate, cooperate): u = 5, l = 3 are the values, so ε = 2; u = 4 pays 1."""
    game = games.prisoners_dilemma()
    policy = Policy.from_actions(game, [[0, 0]])
    faced = contest(game, ThreatModel(0), [exact_array(array) for array in policy], 0, exact=True)
    own = by_state(game, exact_array(policy[0]), 0)
    attack = [exact_array([1])]
    assert gain(game, ThreatModel(0), policy, faced) == 2
    for upper, lower, epsilon in ((5, 3, 2), (4, 3, 2), (5, 4, 2), (4, 4, 2), (7, 3, 4), (5, 0, 5)):
        assert bound(faced, own, attack, exact_array([upper]), exact_array([lower]), 0) == epsilon
    assert bound(faced, own, attack, exact_array([4]), exact_array([3]), Fraction(1, 2)) == 3
