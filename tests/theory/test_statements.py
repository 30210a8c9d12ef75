"""Every statement of the ledger that is about one stage or the ends of the scale, on known cases."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from arneq_exact.errors import InputError
from arneq_exact.exact.matrix_games import exact_matrix_game
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.theory.draw.threats import stage_under_threat
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import Stage, stages
from arneq_exact.theory.ledger import STATEMENTS, statement
from arneq_exact.theory.statements.monotonicity import pure_equilibria
from arneq_exact.theory.statements.polymatrix_form import complementarity, stacked_payoffs

MINE = [one for one in STATEMENTS if one.id.split(".")[0] in ("T1", "T2", "T3", "T4", "T5", "T10", "T11")]
SEED = 20


def ids(group):
    return [one.id for one in group]


@pytest.mark.parametrize("one", MINE, ids=ids(MINE))
def test_drawn_games_meet_the_hypotheses_and_hold(one):
    """One game of each class, and each holds within its tolerance."""
    for index in range(len(one.families)):
        found = one.check_instance(one.draw(index, SEED))
        assert found.verdict == "holds", str(found)
        assert found.instance.family == list(one.families)[index]


@pytest.mark.parametrize("one", STATEMENTS, ids=ids(STATEMENTS))
def test_draws_depend_on_their_number_alone(one):
    first, again = (one.draw(3, SEED) for _ in range(2))
    assert first.same_as(again)
    others = [one.draw(3 + len(one.families), SEED), one.draw(3, SEED + 1)]
    assert all(other.family == first.family and not other.same_as(first) for other in others)


@pytest.mark.parametrize("one", STATEMENTS, ids=ids(STATEMENTS))
def test_statements_say_what_they_claim(one):
    assert one.claim.endswith(".")
    assert one.claim.count(". ") == 0
    assert one.id.split(".")[0].rstrip("abcdefgh") in {f"T{number}" for number in range(1, 15)}
    for hypothesis in one.hypotheses:
        assert hypothesis.text.endswith(".")
    if one.status.startswith("false without"):
        assert one.confirm is not None


def test_masks_make_smaller_sets_worse():
    """Agent 1 earns what agent 2 plays; corrupted, agent 2 can only play 1: to corrupt nobody is worst."""
    game = MarkovGame.one_shot([[[0, 1], [0, 1]], [[0, 0], [0, 0]]])
    one = statement("T1.sets")
    policy = {"policy": [np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])]}
    masked = ThreatModel(1, masks={1: {0: [1]}})
    assert one.check(game, masked, **policy).verdict == "hypotheses not met"
    found = one.check(game, masked, drop=["no masks"], **policy)
    assert (found.verdict, found.left, found.right) == ("violated", 1.0, 0.0)
    assert one.check(game, ThreatModel(1), **policy).verdict == "holds"


def test_correlation_helps_an_attacker_of_two():
    """Joint attacks hold agent 1 to 1/3, product attacks to 4/9.

    The actions of agent 1 pay 1 where the others play 00, where they play 11, and where they differ. Jointly
    each has probability 1/3. With probabilities p and q of 0, pq, (1−p)(1−q) and p + q − 2pq are all at most
    v only if v ≥ 4/9, as at p = q = 1/3. Where somebody plays 2, as all do unless corrupted, every action
    pays 1.
    """
    paid = np.ones((3, 3, 3))
    paid[:, :2, :2] = [[[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 1], [1, 0]]]
    table = np.zeros((3, 3, 3, 3))
    table[0] = paid
    game, threat = MarkovGame.one_shot(table), ThreatModel(2)
    policy = {"policy": [np.eye(3)[[0]], np.eye(3)[[2]], np.eye(3)[[2]]]}
    found = statement("T2.minimax").check(game, threat, drop=["one corrupted agent"], **policy)
    assert (found.verdict, found.left) == ("violated", pytest.approx(1 / 3))
    assert found.right == pytest.approx(4 / 9, abs=1e-6)
    assert statement("T2.maximin").check(game, threat, **policy).verdict == "holds"


def test_a_committed_attacker_cannot_match_an_informed_one():
    """K is {2} or {2, 3}, each with probability 1/2; committed to one action, the attacker leaves 1.

    Agent 3 plays 0 unless corrupted. Against {2} agent 2 should play 1 (worth 1), with {2, 3} both others 0
    and 1 (worth 0); whoever knows the set leaves 1/2.
    """
    table = np.zeros((3, 1, 2, 2), dtype=object)
    table[0, 0] = [[2, 0], [1, 3]]
    half, nobody = Fraction(1, 2), {frozenset(): 1}
    law = {frozenset({1}): half, frozenset({1, 2}): half}
    threat = ThreatModel(distribution={0: law, 1: nobody, 2: nobody})
    policy = {"policy": [np.array([[1.0]]), np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])]}
    one, game = statement("T10.informed"), MarkovGame.one_shot(table)
    assert one.check(game, threat, **policy).verdict == "hypotheses not met"
    found = one.confirm_exactly(Instance(game, threat, policy), drop=["full simplex"])
    assert (found.verdict, found.left, found.right) == ("violated", 1, half)
    assert statement("T10.harm").check(game, threat, **policy).verdict == "holds"


def test_an_attacker_bound_by_masks_may_prefer_to_do_nothing():
    """Corrupted, agent 2 must give agent 1 its best payoff: less probability does more harm."""
    game = MarkovGame.one_shot([[[0, 1]], [[0, 0]]])
    threat = ThreatModel(1, probability="1/2", masks={1: {0: [1]}})
    policy = {"policy": [np.array([[1.0]]), np.array([[1.0, 0.0]])]}
    one = statement("T10.probability")
    found = one.confirm_exactly(Instance(game, threat, policy, seed=1), drop=["no masks"])
    assert (found.verdict, found.left) == ("violated", Fraction(1, 2))
    assert one.check(game, ThreatModel(1, probability="1/2"), **policy).verdict == "holds"


def test_agents_do_not_decouple_under_a_probability():
    """With probability 1/2 agent 1's best value is half of what agent 2 plays, plus half of its worst."""
    game = MarkovGame.one_shot([[[0, 1]], [[0, 0]]])
    one = statement("T4.decoupling")
    assert one.check(game, ThreatModel(1)).verdict == "holds"
    found = one.confirm_exactly(Instance(game, ThreatModel(1, probability="1/2")), drop=["full simplex"])
    assert (found.verdict, found.left, found.right) == ("violated", 0, Fraction(1, 2))


def test_more_corruption_can_be_worth_more():
    """Common reward 2 if two play 1, else 1: all-0 is worth 1 at k = 0, all-1 is worth 2 at k = 1."""
    common = np.array([[[1, 1], [1, 2]], [[1, 2], [2, 2]]], dtype=object)
    instance = Instance(MarkovGame.one_shot(np.stack([common] * 3)), ThreatModel(0))
    (stage,) = stages(instance, True)
    assert pure_equilibria(stage, 1)[0, 0, 0] == [1, 1, 1]
    assert pure_equilibria(stage, 1)[1, 1, 1] == [2, 2, 2]
    one = statement("T5.equilibria")
    for found in (
        one.confirm_exactly(instance, drop=["two agents"]),
        one.check_instance(instance, drop=["two agents"]),
    ):
        assert (found.verdict, found.left, found.right) == ("violated", 2, 1)


def test_the_complementarity_problem_of_matching_pennies():
    """C is positive, and the uniform profile with its costs solves the problem."""
    pennies = np.array([[Fraction(1), Fraction(-1)], [Fraction(-1), Fraction(1)]], dtype=object)
    stage = Stage(0, np.stack([pennies, -pennies]), ())
    P, sizes = stacked_payoffs(stage, Fraction(1, 2))
    M, q = complementarity(P, sizes)
    assert sizes == [2, 2, 2, 2]
    assert M[:8, :8].min() == 1
    z = np.array([Fraction(1, 2)] * 8 + [Fraction(8)] * 4, dtype=object)
    z[8:] = M[:8, :8].dot(z[:8])[0]
    assert set((M.dot(z) + q).tolist()) == {0}


def test_the_definition_on_a_game_worked_by_hand():
    """Two others, one corrupted: agent 1 earns a_2 + 2 a_3, both play 1 with probability 1/2."""
    half = np.array([Fraction(1, 2)] * 2, dtype=object)
    play = [np.array([Fraction(1)], dtype=object), half, half]
    exact = np.array([[[Fraction(a + 2 * b) for b in range(2)] for a in range(2)]], dtype=object)
    columns = definition.matrix(exact, play, 0, ThreatModel(1))
    # Nobody, then agent 2 at 0 and 1, then agent 3 at 0 and 1.
    assert columns.tolist() == [[Fraction(3, 2), 1, 2, Fraction(1, 2), Fraction(5, 2)]]
    both = definition.matrix(exact, play, 0, ThreatModel(1, probability="1/4"))
    assert both.min() == Fraction(3, 4) * Fraction(3, 2) + Fraction(1, 4) * Fraction(1, 2)


def test_exact_matrix_games_prove_their_value():
    value, x, y = exact_matrix_game(
        np.array([[Fraction(3), Fraction(0)], [Fraction(0), Fraction(1, 2)]], dtype=object)
    )
    assert (value, x, y) == (
        Fraction(3, 7),
        [Fraction(1, 7), Fraction(6, 7)],
        [Fraction(1, 7), Fraction(6, 7)],
    )


def test_vertices_of_a_polytope_found_twice():
    """What the definition lists is what the threat resolves into, on drawn inequalities."""
    rng = np.random.default_rng(4)
    compared = 0
    while compared < 12:
        drawn = stage_under_threat(rng, "integer")
        if drawn.threat.inequalities is None:
            continue
        n = drawn.game.n_agents
        for agent in range(n):
            listed = {frozenset(law.items()) for law in definition.vertices(drawn.threat, n, agent)}
            resolved = {frozenset(point.weights) for point in drawn.threat.corruptions(n, agent)}
            assert listed == resolved
        compared += 1


def test_a_value_that_cancels_to_zero():
    """A sparse game of value 0: strategy improvement must end there, although rounding leaves 1e-17 or so."""
    one = statement("T4.decoupling")
    found = one.check_instance(one.draw(449))
    assert found.verdict == "holds"
    assert abs(found.left) + abs(found.right) < 1e-11


def test_a_merged_statement_names_the_one_that_took_it_over():
    with pytest.raises(InputError, match=r"'T10\.certificate' is part of T12\.soundness now"):
        statement("T10.certificate")
