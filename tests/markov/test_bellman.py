"""Backups, and the value of a fixed play."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact.markov import bellman
from arneq_exact.markov.bellman import backup, backup_agent, chain_of, value_of_play


def random_weights(rng, game) -> np.ndarray:
    """A random correlated play: a distribution over the rows of each state."""
    return np.concatenate([rng.dirichlet(np.ones(size)) for size in np.diff(game.offsets)])


def test_backup_is_the_definition(rng):
    game = games.random_game(rng, 3, 4, (1, 3), [0.2, 0.5, 0.9], ending=0.5)
    values = rng.uniform(-1, 1, (3, 4))
    dense = game.transitions.toarray()
    found = backup(game, values)
    for agent in range(3):
        for row in range(game.n_rows):
            later = sum(dense[row, s] * values[agent, s] for s in range(4))
            expected = game.rewards[row, agent] + game.discount[agent] * later
            assert found[agent, row] == pytest.approx(expected, abs=1e-15)
        assert (found[agent] == backup_agent(game, agent, values[agent])).all()


@pytest.mark.parametrize("ending", [0.0, 0.5])
def test_value_of_play_solves_its_linear_system(rng, ending):
    game = games.random_game(rng, 2, 6, (1, 3), 0.95, ending=ending)
    weights = random_weights(rng, game)
    chain = np.zeros((6, 6))
    reward = np.zeros(6)
    for row, weight in enumerate(weights):
        state, _ = game.joint_action_of(row)
        chain[state] += weight * game.transitions.toarray()[row]
        reward[state] += weight * game.rewards[row, 1]
    np.testing.assert_allclose(chain_of(game, weights).toarray(), chain, rtol=0, atol=1e-15)
    expected = np.linalg.solve(np.eye(6) - 0.95 * chain, reward)
    np.testing.assert_allclose(value_of_play(game, 1, weights), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("discount", [0.5, 0.99, 0.9999])
def test_iterative_and_direct_solvers_agree_with_dense(rng, monkeypatch, discount):
    game = games.random_game(rng, 2, 120, 2, discount, kind="sparse")
    weights = random_weights(rng, game)
    dense = value_of_play(game, 0, weights)
    monkeypatch.setattr(bellman, "DENSE_STATES", 1)
    iterative = value_of_play(game, 0, weights)
    scale = np.abs(dense).max()
    np.testing.assert_allclose(iterative, dense, rtol=0, atol=1e-12 * scale / (1 - discount))
    from_far = value_of_play(game, 0, weights, np.full(120, 1e6))
    np.testing.assert_allclose(from_far, dense, rtol=0, atol=1e-11 * scale / (1 - discount))
    # Where the iterative solver gives up, sparse LU answers.
    monkeypatch.setattr(bellman, "KRYLOV_ITERATIONS", 1)
    direct = value_of_play(game, 0, weights)
    np.testing.assert_allclose(direct, dense, rtol=0, atol=1e-12 * scale / (1 - discount))


def test_value_of_zero_rewards_is_zero(rng, monkeypatch):
    game = games.random_game(rng, 2, 40, 2, 0.9, scale=0.0)
    weights = random_weights(rng, game)
    assert (value_of_play(game, 0, weights) == 0).all()
    monkeypatch.setattr(bellman, "DENSE_STATES", 1)
    assert (value_of_play(game, 0, weights) == 0).all()
