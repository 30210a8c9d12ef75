"""The optimality conditions, their Jacobian, and the polish that solves them near a solution."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import gap
from arneq_exact.markov import decoupled
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Problem
from arneq_exact.markov.optimality import OptimalityConditions, Point
from arneq_exact.markov.polish import Polisher
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import robust_matrix

CASES = [(n, name) for n in (1, 2, 3) for name in games.threats(n)]


def random_point(rng, conditions) -> Point:
    return conditions.point(rng.uniform(0.1, 1, conditions.size))


def slow_residual(conditions, point):
    """M y − V, xᵀM − L and the two sums, from the robust matrices of `stage.robust`."""
    result = np.empty(conditions.size)
    for i in range(conditions.n_agents):
        result[conditions.at_value[i]] = point.x[i].sum(axis=1) - 1
        result[conditions.at_least[i]] = point.y[i].sum(axis=1) - 1
        values = conditions.discount[i] * point.value[i]
        rows = conditions.rewards[:, i] + conditions.game.transitions @ values
        for group in conditions.attackers.groups:
            own = group.policy(point.x)
            matrices = robust_matrix(group.gather(rows), own, group.stage.of[i])
            for state, x, matrix in zip(group.states, own[i], matrices, strict=True):
                at_x = conditions.at_action[i][state, : matrix.shape[0]]
                at_y = conditions.at_column[i][state, : matrix.shape[1]]
                result[at_x] = matrix @ point.y[i][state, : len(at_y)] - point.value[i, state]
                result[at_y] = x @ matrix - point.least[i, state]
    return result


@pytest.mark.parametrize(("n", "name"), CASES)
def test_the_jacobian_is_the_derivative(rng, n, name):
    """Central differences are exact up to rounding for functions that are quadratic in each unknown."""
    game = games.random_game(rng, n, 2, (1, 3) if n < 3 else 2, np.linspace(0.4, 0.9, n), ending=0.3)
    conditions = OptimalityConditions(game, games.threats(n)[name])
    point = random_point(rng, conditions)
    vector = conditions.vector(point)
    residual, jacobian = conditions.linearise(point)
    np.testing.assert_array_equal(residual, conditions.residual(point))
    np.testing.assert_allclose(residual, slow_residual(conditions, point), rtol=0, atol=1e-12)
    width = 1e-3
    for unknown in range(conditions.size):
        step = np.zeros(conditions.size)
        step[unknown] = width
        difference = conditions.residual(conditions.point(vector + step)) - conditions.residual(
            conditions.point(vector - step)
        )
        np.testing.assert_allclose(jacobian[:, unknown], difference / (2 * width), rtol=0, atol=1e-10)


def test_vectors_and_points_are_one_to_one(rng):
    conditions = OptimalityConditions(games.random_game(rng, 3, 4, (1, 3)), ThreatModel(1))
    vector = rng.uniform(size=conditions.size)
    np.testing.assert_array_equal(conditions.vector(conditions.point(vector)), vector)


@pytest.mark.parametrize(("n", "name"), CASES)
def test_values_of_a_profile_solve_the_chain(rng, n, name):
    """The agent's value against its worst attack is its robust value, in scaled rewards."""
    threat = games.threats(n)[name]
    game = games.random_game(rng, n, 3, (1, 2), 0.8)
    policy = games.random_policy(rng, game)
    worst = [AttackedAgent(game, threat, list(policy), i).robust_value(policy[i]) for i in range(n)]
    conditions = OptimalityConditions(game, threat)
    point = conditions.at_profile(list(policy), [found.attack for found in worst])
    values = np.array([found.value for found in worst])
    # What is taken off brings rewards within their range of 0, and is nothing where 0 is among them.
    constant = np.clip(0.0, game.rewards.min(axis=0), game.rewards.max(axis=0))[:, None]
    expected = (values - constant / (1 - 0.8)) / game.reward_range[:, None]
    np.testing.assert_allclose(point.value, expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(conditions.unscaled(point.value), values, rtol=0, atol=1e-11)
    residual = conditions.residual(point)
    for i in range(n):
        harm = residual[conditions.at_column[i][conditions.column_mask[i]]]
        assert harm.min() >= -1e-11


def test_conditions_hold_at_the_nosde_equilibrium():
    """[T8] (iii)"""
    conditions = OptimalityConditions(games.nosde(), ThreatModel(0))
    mixed = [np.array([[1 / 3, 2 / 3], [1, 0]]), np.array([[1, 0], [7 / 12, 5 / 12]])]
    unused = [np.ones((2, 1))] * 2
    residual = conditions.residual(conditions.at_profile(mixed, unused))
    used = conditions.at_action[0][0].tolist() + conditions.at_action[1][1].tolist()
    assert np.abs(residual[used]).max() <= 1e-14


@pytest.mark.parametrize("size", [1e-6, 1e-3, 3e-2])
def test_polish_returns_to_the_equilibrium(rng, size):
    game = games.nosde()
    conditions = OptimalityConditions(game, ThreatModel(0))
    p, q = 2 / 3 + size, 5 / 12 - size
    near = [np.array([[1 - p, p], [1, 0]]), np.array([[1, 0], [1 - q, q]])]
    polished = Polisher(conditions).candidate(conditions.at_profile(near, [np.ones((2, 1))] * 2), 7, "note")
    assert (polished.iterations, polished.note) == (7, "note")
    np.testing.assert_allclose(polished.policy[0][0], [1 / 3, 2 / 3], rtol=0, atol=1e-13)
    np.testing.assert_allclose(polished.policy[1][1], [7 / 12, 5 / 12], rtol=0, atol=1e-13)
    assert gap(game, ThreatModel(0), polished.policy).max() <= 1e-12
    for values in (polished.bounds.upper, polished.bounds.lower):
        np.testing.assert_allclose(values, [[4, 16 / 3], [16 / 3, 4]], rtol=0, atol=1e-12)


def test_polish_of_mixtures_that_are_not_unique(rng):
    """Every action has a copy: any split between the two is as good."""
    game = games.DEGENERATE["duplicate actions"](rng, 2)
    (minimax,) = decoupled.run(Problem(game, ThreatModel(1)))
    conditions = OptimalityConditions(game, ThreatModel(1))
    near = conditions.at_profile(list(minimax.policy), list(minimax.bounds.attack))
    exact = Polisher(conditions).candidate(near, 0, "")
    assert gap(game, ThreatModel(1), exact.policy).max() <= 1e-11


def test_polish_from_afar_finds_an_equilibrium_or_gives_up(rng):
    """Random profiles: None or a policy, never an exception; bounds only where they hold."""
    found = []
    for shape in [(3, 3, 0.9), (1, 2, 0.5)] * 20:
        conditions = OptimalityConditions(games.random_game(rng, 2, *shape), ThreatModel(0))
        x = list(games.random_policy(rng, conditions.game))
        unused = [np.ones((shape[0], 1))] * 2
        polished = Polisher(conditions).candidate(conditions.at_profile(x, unused), 0, "")
        found.append(polished is not None and polished.bounds is not None)
        if found[-1]:
            assert gap(conditions.game, ThreatModel(0), polished.policy).max() <= 1e-8
    assert any(found)
    assert not all(found)
