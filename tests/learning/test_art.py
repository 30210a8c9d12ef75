"""Adversarially Robust Training: where it arrives, what its options do, what it never does."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import games
import numpy as np
import pytest
from learning_cases import random_game

from arneq_exact import MarkovGame, ThreatModel, catalog, gap, robust_values, solve
from arneq_exact.errors import InputError, ThreatError
from arneq_exact.learning import ART, CONVERGENT
from arneq_exact.learning.gradients import ExactGradients

ROOM = 1e-3
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "art.py"
CLIMBING = [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]


def relative_gap(game, threat, policy):
    """Largest gap in units of range/(1 − γ)."""
    return float((gap(game, threat, policy).max(axis=1) / game.reward_range * (1 - game.discount)).max())


def test_art_comes_to_rest_where_every_agent_meets_one_opponent():
    """On nine of ten at least of the 50 games of benchmarks/art.py: one configuration, the last iterate."""
    benchmark = runpy.run_path(str(BENCHMARK))
    good, kinds = [], set()
    for seed in range(50):
        kind, game, threat = benchmark["settled_instance"](seed)
        learner = ART(game, threat, **CONVERGENT)
        begun = relative_gap(game, threat, learner.policy)
        learner.step(benchmark["ITERATIONS"])
        good.append((begun <= ROOM, relative_gap(game, threat, learner.policy) <= ROOM))
        kinds.add(kind)
    assert kinds == {"decoupled, n = 2", "decoupled, n = 3", "zero-sum, k = 0"}
    at_first, at_last = np.sum(good, axis=0)
    assert at_first <= 5
    assert at_last >= 45


def test_the_security_value_of_the_climbing_game():
    """[F5]: 66/47 for the column agent, with (6/47, 0, 41/47)."""
    game = MarkovGame.one_shot([CLIMBING] * 2)
    learner = ART(game, ThreatModel(1), **CONVERGENT)
    learner.step(3000)
    np.testing.assert_allclose(learner.policy[1][0], [6 / 47, 0, 41 / 47], atol=1e-9)
    assert robust_values(game, ThreatModel(1), learner.policy)[1, 0] == pytest.approx(66 / 47, abs=1e-8)


@pytest.mark.parametrize("update", ["simultaneous", "alternating", "extragradient", "optimistic"])
@pytest.mark.parametrize("parametrisation", ["softmax", "simplex"])
def test_an_arneq_is_a_point_of_rest(update, parametrisation):
    """Started at a proved ARNEQ with its attackers, exact ART with a joint attack stays: here 0 < k < n−1."""
    game = catalog.load("random-dense", agents=3, states=2, actions=2, seed=1)
    threat = ThreatModel(1)
    solution = solve(game, threat)
    assert solution.proved
    options = {"attack": "joint", "natural": True, "update": update, "parametrisation": parametrisation}
    learner = ART(game, threat, **options)
    state = learner.state()
    for agent in range(3):
        policy = np.asarray(solution.policy[agent])
        attack = np.array(solution.certificate.attacker[agent], dtype=float)
        attack /= attack.sum(axis=1, keepdims=True)
        for name, array in (("policy", policy), ("columns", attack)):
            variable = state[f"variable_{name}"][agent]
            held = array if parametrisation == "simplex" else np.log(np.maximum(array, 1e-30))
            variable[:, : array.shape[1]] = held
    learner.restore(state)
    before = learner.policy
    assert before.distance(solution.policy) <= 1e-9
    learner.step(5)
    assert before.distance(learner.policy) <= 1e-6
    elsewhere = ART(game, threat, **options)
    begun = elsewhere.policy
    elsewhere.step(5)
    assert begun.distance(elsewhere.policy) > 1e-2


def test_scaling_rewards_changes_nothing(rng):
    """Rates are in units of the reward range; a factor of 8 is exact in floating point."""
    game = random_game(rng, 3, 3)
    larger = MarkovGame(8 * game.rewards, game.transitions, game.action_counts, game.discount)
    for options in ({}, CONVERGENT, {"entropy": 0.1}, {"natural": True, "entropy": 0.1}):
        one, other = ART(game, ThreatModel(1), **options), ART(larger, ThreatModel(1), **options)
        one.step(20)
        other.step(20)
        assert one.policy == other.policy


def test_one_plain_step_is_descent_ascent(rng):
    """Against the gradients themselves: agents up, attackers down, at their own rates."""
    game = random_game(rng, 3, 2)
    learner = ART(game, ThreatModel(1), agent_rate=0.3, attacker_rate=0.7, initial_spread=1.0, seed=5)
    before, played = learner.state(), learner.played()
    found = ExactGradients(learner._arena).gradients(played)
    learner.step()
    after = learner.state()
    unit = game.reward_range[:, None, None]
    for name, rate, axes in (("policy", 0.3, 0), ("points", -0.7, 0), ("slots", -0.7, 1)):
        p, g = played[name], found.by[name]
        slope = p * (g - (p * g).sum(axis=-1, keepdims=True)) / (unit[..., None] if axes else unit)
        moved = after[f"variable_{name}"] - before[f"variable_{name}"]
        np.testing.assert_allclose(moved, rate * slope, atol=1e-14)
        assert np.abs(moved).max() > 1e-4


def test_schedules_make_two_time_scales(rng):
    """In the first iteration a schedule 1/(1 + v) halves the rate."""
    game = random_game(rng, 2, 2)
    slow = {"polynomial": {"power": 1.0}}
    one = ART(game, ThreatModel(1), agent_rate=0.2, initial_spread=1.0)
    other = ART(game, ThreatModel(1), agent_rate=0.4, agent_schedule=slow, initial_spread=1.0)
    one.step()
    other.step()
    assert one.policy.distance(other.policy) <= 1e-15
    one.step()
    other.step()
    assert one.policy.distance(other.policy) > 1e-5


@pytest.mark.parametrize("averaging", ["uniform", "linear"])
def test_averages_are_those_of_the_iterates(averaging, rng):
    game = random_game(rng, 2, 2)
    last = ART(game, ThreatModel(1), initial_spread=1.0)
    averaged = ART(game, ThreatModel(1), initial_spread=1.0, averaging=averaging)
    policies, attacks = [], []
    for _ in range(6):
        last.step()
        averaged.step()
        policies.append(last.policy[0])
        attacks.append(last.attack[1])
    weights = np.ones(6) if averaging == "uniform" else np.arange(1.0, 7.0)
    mean = np.average(policies, axis=0, weights=weights)
    np.testing.assert_allclose(averaged.policy[0], mean, atol=1e-14)
    np.testing.assert_allclose(averaged.attack[1], np.average(attacks, axis=0, weights=weights), atol=1e-14)


def test_entropy_pulls_towards_uniform_play():
    """With rewards that hardly matter beside it; without it the better action wins."""
    game = MarkovGame.one_shot([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])
    threat = ThreatModel(0)
    for natural in (False, True):
        pulled = ART(game, threat, entropy=20.0, natural=natural, agent_rate=0.04, initial_spread=2.0, seed=1)
        free = ART(game, threat, natural=natural, agent_rate=1.0)
        assert np.abs(pulled.policy[1] - 0.5).max() > 0.1
        pulled.step(300)
        free.step(300)
        # argmax of p·r + 20 H(p) is the softmax of r/20
        np.testing.assert_allclose(
            pulled.policy[1][0], [1 / (1 + np.exp(-0.05)), 1 / (1 + np.exp(0.05))], atol=1e-6
        )
        assert free.policy[1][0, 0] > 0.99


def test_exploration_is_a_floor(rng):
    game = random_game(rng, 2, 2)
    learner = ART(
        game, ThreatModel(1), gradients="sampled", parametrisation="simplex", exploration=0.1, agent_rate=1.0
    )
    learner.step(30)
    for agent in range(2):
        counts = game.action_counts[:, agent]
        for state, count in enumerate(counts):
            assert (learner.policy[agent][state, :count] >= 0.1 / count - 1e-12).all()


@pytest.mark.parametrize("parametrisation", ["softmax", "simplex"])
def test_gradients_pass_through_exploration(parametrisation, rng):
    """A plain step goes along the slope of what is played, by central differences in the variables."""
    game = random_game(rng, 2, 2)
    options = {
        "parametrisation": parametrisation,
        "exploration": 0.3,
        "agent_rate": 1e-3,
        "initial_spread": 0.5,
    }
    learner = ART(game, ThreatModel(1), **options)
    source = ExactGradients(learner._arena)
    before = learner.state()["variable_policy"]
    slopes = np.zeros(before.shape)
    for agent in range(2):
        for place in np.argwhere(learner._allowed["policy"][agent]):
            worth = []
            for shift in (1e-5, -1e-5):
                moved = {name: array.copy() for name, array in learner._variables.items()}
                moved["policy"][agent][tuple(place)] += shift
                worth.append(source.gradients(learner.played(moved)).objective[agent])
            slopes[agent][tuple(place)] = (worth[0] - worth[1]) / 2e-5 / game.reward_range[agent]
    if parametrisation == "simplex":  # the part of the slope within the simplex
        allowed = learner._allowed["policy"]
        slopes -= np.where(allowed, slopes.sum(axis=2, keepdims=True) / allowed.sum(axis=2, keepdims=True), 0)
    learner.step()
    step = (learner.state()["variable_policy"] - before) / 1e-3
    np.testing.assert_allclose(step, slopes, atol=1e-6 * np.abs(slopes).max())
    assert np.abs(slopes).max() > 1e-2


def test_sampled_art_improves_a_policy():
    """From a uniform start towards the security strategy, with noise."""
    game = MarkovGame.one_shot([CLIMBING] * 2)
    threat = ThreatModel(1)
    learner = ART(
        game,
        threat,
        gradients="sampled",
        episodes=500,
        natural=True,
        agent_rate=0.2,
        attacker_rate=0.2,
        averaging="linear",
    )
    before = gap(game, threat, learner.policy).max()
    learner.step(300)
    assert gap(game, threat, learner.policy).max() < 0.1 * before
    assert learner.environment_steps == 300 * 2 * 500


@pytest.mark.parametrize(("timing", "worth"), [("static", 0.9), ("per-state", 0.0)])
def test_when_the_set_is_drawn_makes_the_difference(timing, worth):
    """[T13]: at s1 of the chain agent 1 keeps γ if K is drawn once per episode, nothing otherwise."""
    game = catalog.load("static-chain", discount=0.9)
    for gradients in ("exact", "sampled"):
        learner = ART(
            game,
            ThreatModel(1, timing=timing),
            gradients=gradients,
            start="initial",
            natural=True,
            agent_rate=1.0,
            attacker_rate=0.5,
        )
        learner.step(300)
        exact = ExactGradients(learner._arena, learner._source.draw)
        objective = exact.gradients(learner.played()).objective
        assert objective[0] == pytest.approx(worth, abs=0.02)
        assert objective[1] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attack": "pure"}, "ART: attack is 'pure'; must be one of product, joint"),
        ({"agent_rate": 0}, "ART: agent_rate is 0; must be a number above 0"),
        ({"agent_rate": float("nan")}, "agent_rate is nan; must be a number above 0"),
        ({"attacker_rate": float("inf")}, r"attacker_rate is inf; must be at most 1e\+100"),
        ({"entropy": -1}, "entropy is -1; must be a number of at least 0"),
        ({"episodes": 0}, "episodes is 0; must be an integer of at least 1"),
        ({"natural": 1}, "natural is 1; must be True or False"),
        ({"exploration": 1.0}, r"exploration is 1.0; must be a number in \[0, 1\)"),
        ({"temperature": 1}, "ART: option 'temperature' is unknown; must be one of gradients"),
        ({"gradients": "sampled", "parametrisation": "simplex"}, "exploration is 0.0; must be above 0"),
        ({"agent_schedule": "harmonic"}, "agent_schedule is 'harmonic'; must be one of constant, polynomial"),
        ({"agent_schedule": {"polynomial": {"exponent": 1}}}, "agent_schedule is .* must be a schedule with"),
        ({"entropy_schedule": {"polynomial": {"power": -1}}}, "power is -1; must be a number of at least 0"),
        ({"seed": -1}, "ART: seed is -1; must be an integer of at least 0"),
        ({"initial_spread": 1e308}, r"initial_spread is 1e\+308; must be at most 1e\+100"),
        ({"agent_rate": 10**400}, r"agent_rate is 10+…; must be at most 1e\+100"),
        ({"entropy": -(10**400)}, "entropy is -10+…; must be a number of at least 0"),
        ({"draw": "game"}, "draw is 'game'; must be one of step, episode"),
    ],
)
def test_odd_options_of_art_are_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message) as raised:
        ART(games.prisoners_dilemma(), ThreatModel(1), **options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("parametrisation", ["softmax", "simplex"])
def test_the_largest_numbers_leave_a_policy(parametrisation):
    learner = ART(
        games.prisoners_dilemma(),
        ThreatModel(1),
        parametrisation=parametrisation,
        initial_spread=1e100,
        agent_rate=1e100,
        attacker_rate=1e100,
    )
    learner.step(20)  # a policy that is none is refused
    assert learner.policy[0].sum() == pytest.approx(1, abs=1e-12)


def test_settings_are_data_whatever_numbers_are_given():
    """A checkpoint is written with them: numpy's integers become Python's."""
    given = {"episodes": np.int64(5), "agent_schedule": {"polynomial": {"power": np.int32(1)}}}
    learner = ART(games.prisoners_dilemma(), ThreatModel(1), **given)
    kept = json.loads(json.dumps(learner.settings))
    assert kept["episodes"] == 5
    assert kept["agent_schedule"] == {"polynomial": {"power": 1}}


def test_odd_arguments_of_art_are_refused():
    game = games.prisoners_dilemma()
    with pytest.raises(InputError, match="ART: game is 3; must be a MarkovGame"):
        ART(3, ThreatModel(1))
    with pytest.raises(ThreatError, match="ART: threat is 1; must be a ThreatModel"):
        ART(game, 1)
    with pytest.raises(InputError, match="iterations is -1; must be an integer of at least 0"):
        ART(game, ThreatModel(1)).step(-1)
    endless = MarkovGame.from_arrays(np.ones((1, 1, 1)), np.ones((1, 1, 1)), 1)
    with pytest.raises(InputError, match="discount of agent '1' is 1; must be below 1"):
        ART(endless, ThreatModel(0))
