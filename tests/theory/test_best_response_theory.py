"""[T9]: contraction, modulus, polytopes of best responses, closed graph, fixed points, memory."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, best_response
from arneq_exact.oracle.contest import contest, robust_value
from arneq_exact.oracle.history import history_dependent_value
from arneq_exact.oracle.optimal_strategies import deficits, optimal_vertices
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.given_play import draw_budget, with_policies
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.modulus import lipschitz, modulus, policy_distance
from arneq_exact.theory.ledger import statement

T9 = ("T9.contraction", "T9.continuity", "T9.responses", "T9.graph", "T9.fixed-point", "T9.history")


@pytest.mark.parametrize("name", T9)
def test_it_holds_in_every_class(name):
    one = statement(name)
    for index in range(2 * len(one.families)):
        evidence = one.check_instance(one.draw(index, seed=1))
        assert evidence.verdict == "holds", str(evidence)


@pytest.mark.parametrize("name", T9)
def test_it_is_about_any_threat_that_is_drawn_anew(name):
    game = games.random_game(np.random.default_rng(0), 2, 2, 2, 0.5)
    assert statement(name).check(game, ThreatModel(sets={0: [{1}], 1: [{0}]})).verdict == "holds"
    stays = statement(name).check(game, ThreatModel(1, timing="static"))
    assert (stays.verdict, stays.reason) == ("hypotheses not met", "not met: per-state")


@pytest.mark.parametrize("name", T9)
def test_policies_are_optional(name):
    game = games.random_game(np.random.default_rng(0), 2, 2, 2, 0.5)
    assert statement(name).check(game, ThreatModel(1)).verdict == "holds"


def test_the_modulus_is_attained():
    """Agent 1 has no choice; agent 2 gives it 1 or 0 in every step: V differs by 1/(1−γ)."""
    game = MarkovGame.from_arrays([[[[1.0, 0.0]]], [[[0.0, 0.0]]]], np.ones((1, 1, 2, 1)), 0.75)
    gives, keeps = (Policy.from_actions(game, [[0, action]]) for action in range(2))
    distance = policy_distance(game, ThreatModel(0), 0, list(gives), list(keeps))
    assert distance.tolist() == [1]
    values = [best_response(game, ThreatModel(0), policy, 0).value for policy in (gives, keeps)]
    assert float(values[0][0] - values[1][0]) == pytest.approx(4, abs=1e-14)
    assert modulus(game, 0, values[1], distance) == pytest.approx(4, abs=1e-14)
    assert lipschitz(game, 0) == pytest.approx(16)


@pytest.mark.parametrize(
    ("threat", "distance"),
    [
        (ThreatModel(0), 0.75),
        (ThreatModel(1), 0.5),
        (ThreatModel(2), 0.0),
        (ThreatModel(1, probability="1/2"), 0.625),
    ],
)
def test_corrupted_agents_do_not_count_in_the_distance(threat, distance):
    """Agents 2 and 3 move by 1/4 and 1/2; the column that moves most corrupts agent 2."""
    game = MarkovGame.one_shot(np.zeros((3, 2, 2, 2)))
    one = [np.array([[1.0, 0.0]])] * 3
    two = [np.array([[0.0, 1.0]]), np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]])]
    assert policy_distance(game, threat, 0, one, two).tolist() == [distance]


def test_a_segment_of_best_responses():
    """Both actions of agent 1 are equally good, the third is not: the polytope has two vertices."""
    game = MarkovGame.one_shot([[[1, 2], [1, 3], [0, 0]], np.zeros((3, 2)).tolist()])
    faced = contest(game, ThreatModel(1), list(Policy.uniform(game)), 0)
    (vertices,) = optimal_vertices(faced, np.array([1.0]))
    assert sorted(vertices.tolist()) == [[0, 1, 0], [1, 0, 0]]
    half = [np.array([0.5, 0.5, 0.0])]
    assert robust_value(faced, half).tolist() == [1]
    assert deficits(faced, [np.array([0.0, 0.5, 0.5])], np.array([1.0])).tolist() == [0.5]


def test_polytopes_of_best_responses_in_fractions():
    """Exact wherever the value is a short rational, which it mostly is for small integers."""
    one, rng = statement("T9.responses"), np.random.default_rng(1)
    verdicts, vertices = [], []
    for index in range(24):
        n, states = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        kind = ("integer", "degenerate")[index % 2]
        game = families.markov_game(rng, kind, states, (2,) * n if n > 2 else (3,) * n, 0.5)
        policy = tuple(rng.multinomial(2, [1 / c] * c, size=states) / 2 for c in game.action_counts[0])
        threat = draw_budget(rng, n, probability=False)
        evidence = one.confirm_exactly(Instance(game, threat, {"policy": policy}, index))
        verdicts.append(evidence.verdict)
        if evidence.verdict == "holds":
            assert evidence.tolerance == 0
            vertices += [count for row in evidence.quantities["vertices"] for count in row]
    assert set(verdicts) == {"holds", "undecided"}
    assert verdicts.count("holds") > 12
    assert max(vertices) > 1


def test_best_responses_may_jump_on_the_way():
    """Matching pennies from both sides of the mixed policy: pure responses in turn, optimal in the limit."""
    game = games.matching_pennies()
    half, low, high = ((np.array([[0.5, 0.5]]), np.array([[p, 1 - p]])) for p in (0.5, 0.25, 0.75))
    evidence = statement("T9.graph").check(
        game, ThreatModel(0), policy=half, seed=1, **{"even side": low, "odd side": high}
    )
    assert evidence.verdict == "holds"
    assert evidence.quantities["last jump"] == 1
    assert evidence.quantities["loss"][-1] < 1e-11


def test_the_program_looks_two_steps_ahead():
    """NoSDE from s1 against an agent 2 that mixes evenly, and 100 for ending in s2."""
    game = games.nosde()
    faced = contest(game, ThreatModel(0), list(Policy.uniform(game)), 0)
    value, constraints = history_dependent_value(game, faced, 0, np.array([0.0, 100.0]), 1.0)
    # Keep, then send; to send at once is worth 3/4 (3/2 + 3/4 · 50) only.
    assert value == pytest.approx(1 + 0.75**2 * 100, abs=1e-7)
    assert constraints > 10


def test_a_status_that_says_exact_is_held_to_zero():
    game = games.prisoners_dilemma()
    evidence = statement("T9.fixed-point").check(game, ThreatModel(0))
    assert evidence.quantities["status"] == "exact"
    assert evidence.right == evidence.left == 0
    assert evidence.tolerance == 0


def test_families_cover_every_budget():
    drawn = [family(np.random.default_rng(seed)) for family in with_policies().values() for seed in range(20)]
    met = {(one.game.n_agents, one.threat.k) for one in drawn}
    assert {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)} <= met
    assert any(one.threat.probability is not None for one in drawn)
