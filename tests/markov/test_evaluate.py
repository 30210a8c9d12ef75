"""Robust values, best responses, worst attacks and gaps against value iteration by definition."""

from __future__ import annotations

from itertools import pairwise

import games
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arneq_exact import best_response, gap, robust_values, strategies, worst_attack
from arneq_exact.errors import GameError, PolicyError, ThreatError
from arneq_exact.markov.candidates import Problem
from arneq_exact.markov.decoupled import run as solve_decoupled
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle
from arneq_exact.oracle import definition
from arneq_exact.strategies.threats import PER_STATE


def every_threat(n: int) -> dict[str, ThreatModel]:
    return games.threats(n) | (games.general_threats(n) if n > 1 else {})


THREATS = [(n, name) for n in (1, 2, 3) for name in every_threat(n)]


@pytest.mark.parametrize(("n", "name"), THREATS)
def test_values_and_gap_equal_value_iteration(rng, n, name):
    threat = every_threat(n)[name]
    game = games.random_game(
        rng, n, 3 if n < 3 else 2, (1, 3) if n < 3 else 2, [0.5, 0.3, 0.6][:n], ending=0.3
    )
    policy = games.random_policy(rng, game, pure=0.3)
    own = np.array([oracle.robust_value(oracle.contest(game, threat, policy, i)) for i in range(n)])
    best = np.array([oracle.best_value(oracle.contest(game, threat, policy, i))[0] for i in range(n)])
    np.testing.assert_allclose(robust_values(game, threat, policy), own, rtol=0, atol=1e-11)
    for agent in range(n):
        answer = best_response(game, threat, policy, agent)
        np.testing.assert_allclose(answer.value, best[agent], rtol=0, atol=1e-9)
        # Playing the response is worth its value at every state, by the oracle.
        arrays = list(policy)
        arrays[agent] = answer.policy
        held = oracle.robust_value(oracle.contest(game, threat, Policy(game, arrays), agent))
        np.testing.assert_allclose(held, answer.value, rtol=0, atol=1e-11)
    found = gap(game, threat, policy)
    np.testing.assert_allclose(found, best - own, rtol=0, atol=1e-9)
    assert (found >= 0).all()


@pytest.mark.parametrize("name", ["k=1", "k=2", "k=1 with probability", "disjoint sets", "sets"])
def test_robust_values_of_four_agents(rng, name):
    threat = games.threats(4)[name]
    game = games.random_game(rng, 4, 2, (1, 2), 0.5)
    policy = games.random_policy(rng, game)
    own = [oracle.robust_value(oracle.contest(game, threat, policy, i)) for i in range(4)]
    np.testing.assert_allclose(robust_values(game, threat, policy), own, rtol=0, atol=1e-11)


@settings(max_examples=25)
@given(st.data(), st.sampled_from(["general", "degenerate"]))
def test_values_fall_with_the_budget(data, position):
    """[T5] robust and best-response values are non-increasing in k; from n−1 on nothing changes."""
    game = data.draw(strategies.games(agents=(2, 4), actions=(1, 2), position=position))
    policy = data.draw(strategies.policies(game))
    n = game.n_agents
    own = [robust_values(game, ThreatModel(k), policy) for k in range(n + 1)]
    best = [best_response(game, ThreatModel(k), policy, 0).value for k in range(n + 1)]
    for sequence in (own, best):
        slack = 1e-11 * max(np.abs(sequence[0]).max(), 1)
        assert all((more <= less + slack).all() for less, more in pairwise(sequence))
        assert (sequence[-1] == sequence[-2]).all()


@settings(max_examples=25)
@given(st.data())
def test_robust_values_under_any_threat_are_a_fixed_point(data):
    """Against the worst attack that is named nothing changes, and the best response is worth no less."""
    game = data.draw(strategies.games(position="degenerate"))
    policy = data.draw(strategies.policies(game))
    threat = data.draw(strategies.threats(game, kinds=PER_STATE))
    values = robust_values(game, threat, policy)
    for agent in range(game.n_agents):
        contest = oracle.contest(game, threat, policy, agent)
        np.testing.assert_allclose(values[agent], oracle.robust_value(contest), rtol=0, atol=1e-9)
        assert (best_response(game, threat, policy, agent).value >= values[agent] - 1e-9).all()


def zero_gap(game, threat, policy) -> None:
    assert gap(game, threat, policy).max() <= 1e-11 * game.reward_range.max() / (1 - game.discount.max())


def test_prisoners_dilemma():
    game = games.prisoners_dilemma()
    for k in range(2):
        zero_gap(game, ThreatModel(k), Policy.from_actions(game, [[1, 1]]))
        assert gap(game, ThreatModel(k), Policy.from_actions(game, [[0, 0]])).tolist() == (
            [[2.0], [2.0]] if k == 0 else [[1.0], [1.0]]
        )


@pytest.mark.parametrize("k", range(4))
def test_separable_games(rng, k):
    """[F1], several states with transitions that ignore actions."""
    tables = rng.integers(-9, 10, (3, 4, 4, 3)) + rng.uniform(0, 0.5, (3, 4, 4, 3))
    moves = rng.dirichlet(np.ones(3), 3)
    stage, best = games.separable_answer(tables, k)
    game = games.separable(tables, 0.8, moves)
    policy = Policy.from_actions(game, best)
    expected = np.linalg.solve(np.eye(3) - 0.8 * moves, stage.T).T
    np.testing.assert_allclose(
        robust_values(game, ThreatModel(k), policy), expected, rtol=0, atol=1e-12 * 200
    )
    zero_gap(game, ThreatModel(k), policy)
    worse = np.array(best)
    worse[0, 0] = (worse[0, 0] + 1) % 3
    found = gap(game, ThreatModel(k), Policy.from_actions(game, worse))
    own = tables[0][0][0]
    assert found[0, 0] >= own[best[0][0]] - own[worse[0, 0]] - 1e-12
    assert (found[1:] <= 1e-11).all()


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_threshold_public_good(n, threshold):
    """[F2]: pure ARNEQs have exactly τ + m contributors, or none if τ ≥ 2."""
    benefit, cost = 3.0, 1.0
    game = games.public_good(n, threshold, benefit, cost)
    for k in range(n):
        for q in range(n + 1):
            policy = Policy.from_actions(game, [[1] * q + [0] * (n - q)])
            found = gap(game, ThreatModel(k), policy)
            if q == threshold + min(k, n - 1):
                assert (found == 0).all()
                values = robust_values(game, ThreatModel(k), policy)[:, 0]
                assert values.tolist() == [benefit - cost] * q + [benefit] * (n - q)
            elif q == 0 and threshold >= 2:
                assert (found == 0).all()
                assert (robust_values(game, ThreatModel(k), policy) == 0).all()
            else:
                assert found.max() >= min(cost, benefit - cost)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_unanimity(n):
    """[F3], k = 1: the symmetric mixed ARNEQ; from three agents on all-x is worth 0."""
    values = np.array([1.0, 2.0, 5.0])
    game = games.unanimity(n, values)
    weights = values ** (-1 / (n - 1))
    mixed = weights / weights.sum()
    policy = Policy(game, [[mixed]] * n)
    worth = weights.sum() ** -(n - 1)
    np.testing.assert_allclose(robust_values(game, ThreatModel(1), policy), worth, rtol=1e-13)
    zero_gap(game, ThreatModel(1), policy)
    for x in range(3):
        pure = Policy.from_actions(game, [[x] * n])
        assert (robust_values(game, ThreatModel(1), pure) == 0).all()
        found = gap(game, ThreatModel(1), pure)
        if n >= 3:
            assert (found == 0).all()
        else:
            assert found.min() > 0.1


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/3")])
def test_zero_sum_minimax_pairs(rng, threat):
    """[F4]: a minimax pair is an ARNEQ for every k and ρ, with the same values."""
    game = games.zero_sum_game(rng, 4, 3, 0.9)
    (minimax,) = solve_decoupled(Problem(game, ThreatModel(1)))
    zero_gap(game, threat, minimax.policy)
    values = robust_values(game, threat, minimax.policy)
    np.testing.assert_allclose(values[0], -values[1], rtol=0, atol=1e-11)


def test_climbing_and_penalty():
    """[F5]"""
    game = games.climbing()
    policy = Policy(game, [[[0, 0, 1]], [[6 / 47, 0, 41 / 47]]])
    np.testing.assert_allclose(robust_values(game, ThreatModel(1), policy), [[0], [66 / 47]], atol=1e-13)
    zero_gap(game, ThreatModel(1), policy)
    for kappa, worth in ((0.0, 10 / 7), (-10.0, 0.0), (-100.0, 0.0)):
        game = games.penalty(kappa)
        mixed = [1 / 7, 5 / 7, 1 / 7] if kappa == 0 else [0, 1, 0]
        policy = Policy(game, [[mixed], [mixed]])
        np.testing.assert_allclose(robust_values(game, ThreatModel(1), policy), worth, atol=1e-13)
        zero_gap(game, ThreatModel(1), policy)


def test_nosde():
    """[T8] (iii): the mixed equilibrium at k = 0, (keep, keep) at k = 1."""
    game = games.nosde()
    mixed = Policy(game, [[[1 / 3, 2 / 3], [1, 0]], [[1, 0], [7 / 12, 5 / 12]]])
    np.testing.assert_allclose(
        robust_values(game, ThreatModel(0), mixed), [[4, 16 / 3], [16 / 3, 4]], rtol=0, atol=1e-14
    )
    zero_gap(game, ThreatModel(0), mixed)
    keep = Policy.from_actions(game, [[0, 0], [0, 0]])
    np.testing.assert_allclose(robust_values(game, ThreatModel(1), keep), [[4, 3], [0, 4]], atol=1e-14)
    zero_gap(game, ThreatModel(1), keep)
    assert gap(game, ThreatModel(1), mixed).max() > 0.1
    assert gap(game, ThreatModel(0), keep).max() > 0.1
    for actions in ([[0, 0], [0, 0]], [[0, 0], [0, 1]], [[1, 0], [0, 0]], [[1, 0], [0, 1]]):
        assert gap(game, ThreatModel(0), Policy.from_actions(game, actions)).max() > 0.1


def test_two_equilibria_of_different_values():
    """[T5]: n = 3, k = 1, common reward 2 if at least two play 1, else 1."""
    payoffs = np.ones((3, 2, 2, 2))
    for joint in np.ndindex(2, 2, 2):
        payoffs[(slice(None), *joint)] = 2 if sum(joint) >= 2 else 1
    game = MarkovGame.one_shot(payoffs)
    for action, worth in ((0, 1.0), (1, 2.0)):
        policy = Policy.from_actions(game, [[action] * 3])
        assert (robust_values(game, ThreatModel(1), policy) == worth).all()
        assert (gap(game, ThreatModel(1), policy) == 0).all()


def test_the_rectangular_chain():
    """[T13]: s1 → s2 → end, n = 3, k = 1: agent 1 is worth 0 at s1, as the attacker switches its target."""
    counts = [[1, 2, 2]] * 2
    rows = [(s, a, b) for s in range(2) for a in range(2) for b in range(2)]
    rewards = [[float((a if s == 0 else b) == 0), 0, 0] for s, a, b in rows]
    moves = [[(1, 1)] if s == 0 else [] for s, _, _ in rows]
    game = MarkovGame.from_rows(counts, rewards, moves, 0.9, termination=[float(s == 1) for s, *_ in rows])
    policy = Policy.from_actions(game, [[0, 0, 0]] * 2)
    assert robust_values(game, ThreatModel(1), policy)[0].tolist() == [0.0, 0.0]
    only_second = ThreatModel(sets={0: [{1}], 1: [[]], 2: [[]]})
    assert robust_values(game, only_second, policy)[0].tolist() == [0.9, 1.0]
    attack = worst_attack(game, ThreatModel(1), policy, 0)
    assert attack.describe(game, 0) == "2 plays 1"
    assert attack.describe(game, 1) == "3 plays 1"


@pytest.mark.parametrize("n", [2, 3])
def test_the_worst_attack_attains_the_robust_value(rng, n):
    for threat in every_threat(n).values():
        game = games.random_game(rng, n, 4, (1, 3), 0.9)
        policy = games.random_policy(rng, game)
        values = robust_values(game, threat, policy)
        dense = game.transitions.toarray()
        for agent in range(n):
            attack = worst_attack(game, threat, policy, agent)
            for state in range(4):
                corruption, forced = attack.at(game, state)
                assert [(K, tuple(own)) for K, own in forced.items()] == [
                    (K, K) for K, _ in corruption.weights
                ]
                counts = tuple(int(c) for c in game.action_counts[state])
                rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
                payoff = game.rewards[rows, agent] + game.discount[agent] * dense[rows] @ values[agent]
                mixtures = [array[state, :count] for array, count in zip(policy, counts, strict=True)]
                played = definition.PureAttack(dict(corruption.weights), forced)
                table = definition.columns_of(payoff.reshape(counts), mixtures, agent, [played])
                assert (mixtures[agent] @ table)[0] == pytest.approx(values[agent, state], abs=1e-12)


def test_attacks_in_words():
    game = MarkovGame.one_shot(
        [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], agents=["even", "odd"], actions=[["h", "t"], ["h", "t"]]
    )
    heads = Policy.from_actions(game, [[0, 0]])
    assert worst_attack(game, ThreatModel(0), heads, 0).describe(game, 0) == "no corruption"
    assert worst_attack(game, ThreatModel(1), heads, 0).describe(game, 0) == "odd plays t"
    assert worst_attack(game, ThreatModel(1), heads, 1).describe(game, 0) == "even plays h"
    chance = ThreatModel(1, probability="1/4")
    assert worst_attack(game, chance, heads, 0).describe(game, 0) == "odd plays t (with probability 0.25)"


@pytest.mark.parametrize("name", ["k=0", "k=1", "everyone with probability", "distribution with nested sets"])
def test_time_indexed_policies(rng, name):
    """Backward induction over the oracle's one-step maps, also with a discount of 1."""
    threat = games.threats(3)[name]
    game = games.random_game(rng, 3, 2, 2, [0.9, 1.0, 1.0], ending=0.3)
    policy = games.random_policy(rng, game, horizon=3)
    values = robust_values(game, threat, policy)
    assert values.shape == (4, 3, 2)
    for agent in range(3):
        own, best = np.zeros((4, 2)), np.zeros((4, 2))
        for step in reversed(range(3)):
            contest = oracle.contest(game, threat, policy.at(step), agent)
            own[step] = oracle.robust_step(contest, own[step + 1])
            best[step] = oracle.best_step(contest, best[step + 1])
        np.testing.assert_allclose(values[:, agent], own, rtol=0, atol=1e-13)
        answer = best_response(game, threat, policy, agent)
        np.testing.assert_allclose(answer.value, best, rtol=0, atol=1e-9)
        assert answer.policy.shape == (3, 2, 2)
        np.testing.assert_allclose(gap(game, threat, policy)[agent], best[0] - own[0], rtol=0, atol=1e-9)
        arrays = list(policy)
        arrays[agent] = answer.policy
        held = robust_values(game, threat, Policy(game, arrays))[:, agent]
        np.testing.assert_allclose(held, answer.value, rtol=0, atol=1e-12)
        attack = worst_attack(game, threat, policy, agent)
        assert attack.column.shape == (3, 2)
        attack.describe(game, 1, step=2)


def test_a_constant_time_indexed_policy_tends_to_the_stationary_one(rng):
    game = games.random_game(rng, 2, 3, 2, 0.5)
    policy = games.random_policy(rng, game)
    long = Policy(game, [np.repeat(array[None], 60, axis=0) for array in policy])
    first = robust_values(game, ThreatModel(1), long)[0]
    np.testing.assert_allclose(first, robust_values(game, ThreatModel(1), policy), rtol=0, atol=1e-14)


FUNCTIONS = {
    "robust_values": robust_values,
    "gap": gap,
    "best_response": lambda *given: best_response(*given, 0),
    "worst_attack": lambda *given: worst_attack(*given, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_does_not_fit_is_refused(name):
    function = FUNCTIONS[name]
    game = games.prisoners_dilemma()
    uniform = Policy.uniform(game)
    with pytest.raises(PolicyError, match=f"{name}: policy is list; must be a Policy of all agents"):
        function(game, ThreatModel(0), [[[0.5, 0.5]], [[0.5, 0.5]]])
    with pytest.raises(PolicyError, match=f"{name}: policy was made for a game of other sizes"):
        function(game, ThreatModel(0), Policy.uniform(games.climbing()))
    with pytest.raises(ThreatError, match=f"{name}: threat is 1; must be a ThreatModel"):
        function(game, 1, uniform)
    with pytest.raises(GameError, match=f"{name}: game is .*; must be a MarkovGame"):
        function("nosde", ThreatModel(0), uniform)
    with pytest.raises(ThreatError, match="sets list the agents"):
        function(game, ThreatModel(sets={0: [[1]]}), uniform)
    endless = MarkovGame.from_arrays(np.ones((1, 1, 2)), np.ones((1, 2, 1)), 1.0)
    with pytest.raises(GameError, match=f"{name}: discount of agent '1' is 1; must be below 1"):
        function(endless, ThreatModel(0), Policy.uniform(endless))
    assert function(endless, ThreatModel(0), Policy.uniform(endless, 2)) is not None


@pytest.mark.parametrize("agent", [-1, 2, 0.0, "0", True, None])
@pytest.mark.parametrize("function", [best_response, worst_attack])
def test_agents_that_do_not_exist_are_refused(function, agent):
    game = games.prisoners_dilemma()
    with pytest.raises(PolicyError, match=rf"{function.__name__}: agent is .*; must be a number from 0 to 1"):
        function(game, ThreatModel(0), Policy.uniform(game), agent)


def test_numpy_integers_number_agents():
    game = games.prisoners_dilemma()
    for agent in np.arange(2):
        assert worst_attack(game, ThreatModel(1), Policy.uniform(game), agent).column.tolist() == [1]
