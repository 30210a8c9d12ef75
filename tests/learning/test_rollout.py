"""Sampled policy gradients: unbiased, reproducible, and quieter with a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from learning_cases import random_game, random_parts, random_threat, softmax_slope

from arneq_exact import MarkovGame, ThreatModel
from arneq_exact.errors import InputError
from arneq_exact.learning.attacked_game import AttackedGame
from arneq_exact.learning.gradients import ExactGradients
from arneq_exact.learning.rollout import SampledGradients, following
from arneq_exact.learning.rollout_kernel import found
from arneq_exact.model.simulate import cumulative_mixture

BATCHES = 60
EPISODES = 400


def flat(parts, gradient):
    """The gradient by all logits, in one vector."""
    names = sorted(parts)
    return np.concatenate([softmax_slope(parts[x], gradient.by[x]).ravel() for x in names])


def estimates(arena, parts, draw, seed, baseline, rate=0.0):
    source = SampledGradients(arena, draw, EPISODES, seed, baseline, rate)
    found = [source.gradients(parts, batch, 0) for batch in range(BATCHES)]
    return np.array([flat(parts, one) for one in found]), found


def case(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    game = random_game(rng, n, int(rng.integers(1, 4)), discount=0.8, ending=bool(seed % 2))
    attack, draw = (("product", "step"), ("joint", "step"), ("product", "episode"))[seed % 3]
    threat = ThreatModel(int(rng.integers(0, n))) if draw == "episode" else random_threat(rng, n)
    arena = AttackedGame(game, threat, attack, "uniform", "test")
    return rng, arena, random_parts(rng, arena), draw


@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize("block", range(4))
def test_sampled_gradients_are_unbiased(block, rate):
    """20 games in fives, with a baseline that stays and with one that learns.

    Of each game, the mean estimate along one random direction within three standard errors, and over all
    logits the squared deviations are as large as chance makes them.
    """
    squares, refused = [], 0
    for seed in range(5 * block, 5 * block + 5):
        rng, arena, parts, draw = case(seed)
        exact = flat(parts, ExactGradients(arena, draw).gradients(parts))
        baseline = rng.normal(size=(arena.game.n_agents, arena.game.n_states))
        begun = baseline.copy()
        made, found = estimates(arena, parts, draw, seed, baseline, rate)
        assert (baseline == begun).all() == (rate == 0)
        direction = rng.normal(size=exact.shape)
        along = made @ direction
        error = along.std(ddof=1) / np.sqrt(BATCHES)
        assert abs(along.mean() - exact @ direction) <= 3 * error
        # The test can fail: an estimate that forgets to discount by as little as a tenth would be seen.
        refused += abs(along.mean() - 0.9 * exact @ direction) > 3 * error
        errors = made.std(axis=0, ddof=1) / np.sqrt(BATCHES)
        seen = errors > 1e-12
        np.testing.assert_allclose(made.mean(axis=0)[~seen], exact[~seen], atol=1e-12)
        squares.extend(((made.mean(axis=0) - exact)[seen] / errors[seen]) ** 2)
        visits = np.array([one.occupancy for one in found])
        steps = np.array([one.steps for one in found])
        np.testing.assert_allclose(visits.sum(axis=(1, 2)) * EPISODES, steps, rtol=1e-12)
    assert refused >= 1
    assert 0.5 <= np.mean(squares) <= 1.6


def test_values_are_estimated_without_bias():
    """The objective of long episodes: nothing is lost by truncation."""
    rng = np.random.default_rng(5)
    game = MarkovGame.from_arrays(np.ones((2, 3, 2, 2)), rng.dirichlet(np.ones(3), (3, 2, 2)), [0.98, 0.5])
    arena = AttackedGame(game, ThreatModel(1), "product", "uniform", "test")
    source = SampledGradients(arena, "step", 20_000, 1, np.zeros((2, 3)), 0.0)
    made = source.gradients(random_parts(rng, arena), 0, 0)
    # Lengths are geometric: mean 1/(1 − γ), standard deviation √γ/(1 − γ).
    assert abs(made.objective[0] - 50) <= 3 * 50 / np.sqrt(20_000)
    assert abs(made.objective[1] - 2) <= 3 * np.sqrt(2) / np.sqrt(20_000)


def test_a_baseline_takes_off_variance():
    """With V as baseline the estimates vary far less, and the baseline learns V.

    The return of a reward of 1 a step is geometric: E G² is nearly twice its variance, which is the part
    that no baseline can take off.
    """
    rng = np.random.default_rng(2)
    game = random_game(rng, 3, 3, discount=0.8)
    game = MarkovGame(game.rewards + 3.0, game.transitions, game.action_counts, game.discount)
    arena = AttackedGame(game, ThreatModel(1), "product", "uniform", "test")
    parts = random_parts(rng, arena)
    exact = ExactGradients(arena)
    value = np.stack([exact.evaluate(agent, parts) for agent in range(3)])
    without, _ = estimates(arena, parts, "step", 0, np.zeros_like(value))
    having, _ = estimates(arena, parts, "step", 0, value)
    assert having.var(axis=0).sum() < 0.6 * without.var(axis=0).sum()
    learned = np.zeros_like(value)
    source = SampledGradients(arena, "step", 2000, 0, learned, 0.2)
    for iteration in range(40):
        source.gradients(parts, iteration, 0)
    np.testing.assert_allclose(learned, value, atol=0.3)


def test_the_same_numbers_whatever_the_order(rng):
    """A batch depends on (seed, iteration, call) alone; other seeds give other numbers."""
    game = random_game(rng, 3, 3)
    arena = AttackedGame(game, ThreatModel(1), "product", "uniform", "test")
    parts = random_parts(rng, arena)

    def made(seed, iteration, call=0):
        return flat(
            parts,
            SampledGradients(arena, "step", 20, seed, np.zeros((3, 3)), 0.0).gradients(
                parts, iteration, call
            ),
        )

    late, early = made(1, 9), made(1, 3)
    assert made(1, 3).tobytes() == early.tobytes()
    assert made(1, 9).tobytes() == late.tobytes()
    assert len({made(*key).tobytes() for key in ((1, 3), (1, 9), (2, 3), (1, 3, 1))}) == 4


def test_actions_of_probability_zero_are_never_drawn():
    """Nor do they spoil the gradient."""
    sums = cumulative_mixture(np.array([0.0, 0.3, 0.0, 0.7, 0.0]))
    drawn = {found(sums, 0, 4, u) for u in (0.0, 0.2999, 0.3, 0.9, 1 - 2.0**-53)}
    assert drawn == {1, 3}
    wide = cumulative_mixture(np.full(40, 1 / 40))
    assert [found(wide, 0, 39, (i + 0.5) / 40) for i in range(40)] == list(range(40))


def test_a_discount_that_leaves_no_room_is_refused():
    """Before anything is allocated: half a trillion steps."""
    game = MarkovGame.from_arrays(np.ones((1, 1, 1)), np.ones((1, 1, 1)), 1 - 1e-10)
    arena = AttackedGame(game, ThreatModel(0), "product", "uniform", "test")
    with pytest.raises(InputError, match=r"discount of agent '1' is 0\.9999999999; must be"):
        SampledGradients(arena, "step", 1, 0, np.zeros((1, 1)), 0.0)


def test_rows_that_end_the_episode_leave_room_for_it():
    game = MarkovGame.from_rows([[2]], [[1.0], [2.0]], [[(0.25, 0)], [(1.0, 0)]], 0.9, termination=[0.75, 0])
    assert following(game).tolist() == [0.25, np.inf]
