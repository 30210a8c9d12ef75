"""Exact policy gradients against finite differences of a value computed from its definition."""

from __future__ import annotations

import games
import numpy as np
import pytest
from learning_cases import objective, random_game, random_parts, random_threat, softmax_slope

from arneq_exact import MarkovGame, ThreatModel, catalog, robust_values, worst_attack
from arneq_exact.errors import InputError
from arneq_exact.learning.attacked_game import AttackedGame
from arneq_exact.learning.gradients import ExactGradients, require_draw
from arneq_exact.model.policy import Policy

STEP = 3e-5
EXACT = 1e-6


def differences(game, threat, agent, parts, draw, name):
    """∂J_i/∂θ of one variable in softmax, by central differences in every logit that exists."""
    own = parts[name][agent]
    slopes = np.zeros(own.shape)
    for place in zip(*np.nonzero(own), strict=True):
        ends = []
        for shift in (STEP, -STEP):
            logits = np.log(np.where(own > 0, own, 1.0))
            logits[place] += shift
            weights = np.where(own > 0, np.exp(logits), 0.0)
            moved = dict(parts)
            moved[name] = parts[name].copy()
            moved[name][agent] = weights / weights.sum(axis=-1, keepdims=True)
            ends.append(objective(game, threat, agent, moved, draw))
        slopes[place] = (ends[0] - ends[1]) / (2 * STEP)
    return slopes


@pytest.mark.parametrize("block", range(10))
def test_exact_gradients_are_finite_differences(block):
    """100 games in tens: all kinds of threat, both attacks, sets drawn per step and per episode."""
    compared = 0
    for seed in range(10 * block, 10 * block + 10):
        rng = np.random.default_rng(seed)
        n, n_states = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        game = random_game(rng, n, n_states, ending=bool(seed % 2))
        threat = random_threat(rng, n)
        attack, draw = (("product", "step"), ("joint", "step"), ("product", "episode"))[seed % 3]
        if draw == "episode":
            threat = ThreatModel(int(rng.integers(0, n)))
        arena = AttackedGame(game, threat, attack, "uniform", "test")
        parts = random_parts(rng, arena)
        found = ExactGradients(arena, draw).gradients(parts)
        agent = int(rng.integers(n))
        assert found.objective[agent] == pytest.approx(objective(game, threat, agent, parts, draw), abs=1e-12)
        for name in parts:
            direction = softmax_slope(parts[name], found.by[name])[agent]
            slopes = differences(game, threat, agent, parts, draw, name)
            largest = np.abs(slopes).max(initial=0.0)
            if parts[name].shape[-1] == 1 or largest < 1e-6:
                np.testing.assert_allclose(direction, slopes, atol=1e-10)
                continue
            assert np.abs(direction - slopes).max() <= EXACT * largest
            compared += 1
    assert compared >= 10


def test_occupancy_is_that_of_the_induced_chain(rng):
    """Visits sum to 1/(1 − γ) where no episode ends."""
    game = random_game(rng, 3, 4)
    arena = AttackedGame(game, ThreatModel(1), "product", "uniform", "test")
    for draw in ("step", "episode"):
        found = ExactGradients(arena, draw).gradients(random_parts(rng, arena))
        np.testing.assert_allclose(found.occupancy.sum(axis=1), 10.0, rtol=1e-12)


@pytest.mark.parametrize("n_states", [151, 2001])
def test_larger_games_take_other_linear_solvers(n_states, rng):
    """Dense elimination, LAPACK and sparse LU agree: the game is a small one repeated."""
    small = catalog.load("random-sparse", agents=2, states=10, actions=2, successors=2, seed=4)
    copies = -(-n_states // 10)
    rows = range(small.n_rows)
    dense = [small.transitions[[row], :].toarray()[0] for row in rows]
    large = MarkovGame.from_rows(
        np.tile(small.action_counts, (copies, 1)),
        np.tile(small.rewards, (copies, 1)).tolist(),
        [
            [(float(p), copy * 10 + s) for s, p in enumerate(dense[row]) if p > 0]
            for copy in range(copies)
            for row in rows
        ],
        0.9,
    )
    threat = ThreatModel(1)
    one = AttackedGame(small, threat, "joint", "uniform", "test")
    many = AttackedGame(large, threat, "joint", "uniform", "test")
    parts = random_parts(rng, one)
    repeated = {name: np.tile(array, (1, copies, 1)) for name, array in parts.items()}
    expected, found = ExactGradients(one).gradients(parts), ExactGradients(many).gradients(repeated)
    np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-10)
    for name in parts:
        scaled = np.tile(expected.by[name], (1, copies, 1)) / copies
        np.testing.assert_allclose(found.by[name], scaled, rtol=1e-9, atol=1e-13)


def test_the_worst_column_has_the_robust_value(rng):
    """Playing the worst attack of `worst_attack` gives the robust value: tables and audit agree."""
    game = random_game(rng, 3, 3, most_actions=3)
    threat = ThreatModel(1)
    arena = AttackedGame(game, threat, "joint", "uniform", "test")
    parts = random_parts(rng, arena)
    widths = game.action_counts.max(axis=0)
    policy = Policy(game, [parts["policy"][i][:, : widths[i]] for i in range(3)])
    for agent in range(3):
        parts["columns"][agent] = 0.0
        columns = worst_attack(game, threat, policy, agent).column
        parts["columns"][agent, np.arange(3), columns] = 1.0
        value = ExactGradients(arena).evaluate(agent, parts)
        np.testing.assert_allclose(value, robust_values(game, threat, policy)[agent], rtol=1e-12)


def test_odd_options_are_refused_in_one_line():
    game = games.prisoners_dilemma()
    with pytest.raises(InputError, match=r"^here: attack is 'both'; must be one of product, joint$"):
        AttackedGame(game, ThreatModel(1), "both", "uniform", "here")
    with pytest.raises(InputError, match=r"^here: start is 'initial'; must be 'uniform' for a game without"):
        AttackedGame(game, ThreatModel(1), "product", "initial", "here")
    arena = AttackedGame(game, ThreatModel(1, probability="1/2"), "product", "uniform", "here")
    with pytest.raises(InputError, match="every extreme point must be a single set"):
        require_draw(arena, "episode", "here")
    with pytest.raises(InputError, match="attack is 'joint' with draw 'episode'"):
        require_draw(AttackedGame(game, ThreatModel(1), "joint", "uniform", "here"), "episode", "here")
