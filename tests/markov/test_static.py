"""Corruption that is drawn once per episode [T13]: values, their order, bounds, refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import games
import numpy as np
import pytest

from arneq_exact import (
    Policy,
    ThreatModel,
    best_response,
    catalog,
    certify,
    check,
    gap,
    robust_values,
    solve,
    static_response_bounds,
    static_values,
    worst_attack,
)
from arneq_exact.errors import PolicyError, ThreatError
from arneq_exact.model.game import MarkovGame
from arneq_exact.oracle import contest as oracle
from arneq_exact.oracle import definition


def only(n: int, agent: int, K) -> ThreatModel:
    """Agent `agent` faces the set K for certain."""
    return ThreatModel(sets={i: [K] if i == agent else [[]] for i in range(n)})


@pytest.mark.parametrize(("n", "k"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 2)])
def test_static_values_are_the_worst_set_that_stays(rng, n, k):
    game = games.random_game(rng, n, 3, (1, 3) if n < 4 else 2, 0.8)
    policy = games.random_policy(rng, game)
    found = static_values(game, ThreatModel(k), policy)
    rect = robust_values(game, ThreatModel(k), policy)
    for agent in range(n):
        others = [j for j in range(n) if j != agent]
        # Every set of at most k agents, also those that a reduction drops.
        family = [K for size in range(k + 1) for K in combinations(others, size)]
        worth = [oracle.robust_value(oracle.contest(game, only(n, agent, K), policy, agent)) for K in family]
        np.testing.assert_allclose(found.values[agent], np.min(worth, axis=0), rtol=0, atol=1e-11)
        for state in range(3):
            (drawn,) = found.points[agent][found.worst[agent, state]].weights
            assert found.by_set[agent][drawn[0]][state] == found.values[agent, state]
    assert (rect <= found.values + 1e-11).all()
    if k in (0, n - 1) or n == 2:
        np.testing.assert_allclose(rect, found.values, rtol=0, atol=1e-11)


def test_the_chain_separates_the_two():
    """Rect takes both rewards of agent 1, a set that stays only one of them."""
    game = catalog.load("static-chain")
    policy = Policy.from_actions(game, [[0, 0, 0], [0, 0, 0]])
    threat = ThreatModel(1)
    assert robust_values(game, threat, policy)[0].tolist() == [0, 0]
    static = replace(threat, timing="static")
    assert robust_values(game, static, policy)[0].tolist() == [0.9, 0]
    found = static_values(game, static, policy)
    assert found.by_set[0][1,].tolist() == [0.9, 1]
    assert found.by_set[0][2,].tolist() == [1, 0]
    assert [found.points[0][e].weights[0][0] for e in found.worst[0]] == [(1,), (2,)]
    # Drawn before the first state is seen, one set must do for both.
    assert found.before([0.5, 0.5])[0] == pytest.approx(0.5)
    assert found.before([0.5, 0.5])[0] > found.values[0] @ [0.5, 0.5]
    assert found.before([1, 0])[0] == found.values[0, 0]
    bounds = static_response_bounds(game, threat, policy, 0)
    assert bounds.lower.tolist() == bounds.upper.tolist() == [0.9, 0]


def test_equal_where_one_set_is_worst_in_every_backup(rng):
    """Agent 2 alone matters to agent 1, so corrupting it attains every minimum of the rect backup."""
    game = games.random_game(rng, 3, 3, 2, 0.8)
    rewards = game.rewards.reshape(3, 2, 2, 2, 3)[:, :, :, :1].repeat(2, axis=3)
    moves = game.transitions.toarray().reshape(3, 2, 2, 2, 3)[:, :, :, :1].repeat(2, axis=3)
    blind = MarkovGame.from_arrays(np.moveaxis(rewards, -1, 0), moves, 0.8)
    policy = games.random_policy(rng, blind)
    rect = robust_values(blind, ThreatModel(1), policy)[0]
    found = static_values(blind, ThreatModel(1), policy)
    np.testing.assert_allclose(rect, found.values[0], rtol=0, atol=1e-12)


def relay(rewarded) -> MarkovGame:
    """Agent 1 walks a → b; at each step agent 2 lets it pass (0) or not; states remember how often it did."""
    states = [("a", 0), ("b", 0), ("b", 1)]
    rewards, moves, ends = [], [], []
    for name, passed in states:
        for action in range(2):
            now = passed + (action == 0)
            rewards.append([int(rewarded(now)), 0] if name == "b" else [0, 0])
            moves.append([(1, states.index(("b", now)))] if name == "a" else [])
            ends.append(float(name == "b"))
    return MarkovGame.from_rows([[1, 2]] * 3, rewards, moves, "9/10", termination=ends)


def test_with_a_probability_neither_timing_is_always_worse():
    half = ThreatModel(1, probability="1/2")
    both, either = relay(lambda now: now == 2), relay(lambda now: now >= 1)
    policy = Policy.from_actions(both, [[0, 0]] * 3)
    # Both gates: open together with probability 1/2, each by itself twice with 1/4.
    assert robust_values(both, half, policy)[0, 0] == pytest.approx(0.9 / 4)
    assert static_values(both, half, policy).values[0, 0] == pytest.approx(0.9 / 2)
    # Either gate: fresh draws spare one of them with 3/4.
    assert robust_values(either, half, policy)[0, 0] == pytest.approx(0.9 * 3 / 4)
    assert static_values(either, half, policy).values[0, 0] == pytest.approx(0.9 / 2)


@pytest.mark.parametrize("name", ["masks", "masks with probability", "distribution to an informed attacker"])
def test_general_threats(rng, name):
    threat = games.general_threats(3)[name]
    game = games.random_game(rng, 3, 3, 2, 0.8)
    policy = games.random_policy(rng, game)
    found = static_values(game, threat, policy)
    for agent in range(3):
        worth = []
        for law in definition.vertices(threat, 3, agent):
            value = np.zeros(3)
            for K, p in law.items():
                alone = replace(only(3, agent, K), masks=threat.masks)
                value += float(p) * oracle.robust_value(oracle.contest(game, alone, policy, agent))
            worth.append(value)
        np.testing.assert_allclose(found.values[agent], np.min(worth, axis=0), rtol=0, atol=1e-11)


@pytest.mark.parametrize("threat", [ThreatModel(1), ThreatModel(1, probability="1/3"), ThreatModel(2)])
def test_bounds_hold_for_every_stationary_deviation(rng, threat):
    game = games.random_game(rng, 3, 3, 2, 0.8)
    policy = games.random_policy(rng, game)
    for agent in range(3):
        bounds = static_response_bounds(game, threat, policy, agent)
        assert (bounds.lower <= bounds.upper + 1e-11).all()
        if threat.probability is None:
            assert (best_response(game, threat, policy, agent).value <= bounds.lower + 1e-11).all()
        arrays = list(policy)
        for _ in range(20):
            arrays[agent] = games.random_policy(rng, game, pure=0.5)[agent]
            deviated = static_values(game, threat, Policy(game, arrays)).values[agent]
            assert (deviated <= bounds.upper + 1e-11).all()
        arrays[agent] = bounds.response
        attained = static_values(game, threat, Policy(game, arrays)).values[agent]
        own = static_values(game, threat, policy).values[agent]
        np.testing.assert_allclose(np.maximum(attained, own), bounds.lower, rtol=0, atol=1e-12)


def test_nothing_is_solved_or_proved_under_static_corruption():
    game = games.matching_pennies()
    static, policy = ThreatModel(1, timing="static"), Policy.uniform(game)
    for call in (
        lambda: solve(game, static),
        lambda: gap(game, static, policy),
        lambda: best_response(game, static, policy, 0),
        lambda: worst_attack(game, static, policy, 0),
        lambda: certify(game, static, policy),
    ):
        with pytest.raises(ThreatError, match="drawn once per episode; must have timing 'per-state'"):
            call()
    made = certify(game, ThreatModel(1), policy)
    verdict = check(game, replace(made, threat=static))
    assert not verdict.valid
    assert "must be drawn anew at every state" in verdict.reason
    assert not check(game, made, static).valid


def test_calls_that_cannot_be_answered():
    game = catalog.load("static-chain")
    policy = Policy.uniform(game)
    shared = {
        i: {frozenset({j for j in range(3) if j != i}): "1/2", frozenset({(i + 1) % 3}): "1/2"}
        for i in range(3)
    }
    with pytest.raises(
        ThreatError, match="attacker of agent 0 may draw several sets with an agent in common"
    ):
        static_values(game, ThreatModel(distribution=shared), policy)
    static_values(game, ThreatModel(distribution=shared, informed=True), policy)
    with pytest.raises(PolicyError, match="policy is time-indexed; must be stationary"):
        static_values(game, ThreatModel(1), Policy.uniform(game, 2))
    with pytest.raises(PolicyError, match="agent is 3"):
        static_response_bounds(game, ThreatModel(1), policy, 3)
    with pytest.raises(PolicyError, match="must be probabilities of the 2 states"):
        static_values(game, ThreatModel(1), policy).before([1, 1])
