"""Finite horizons: backward induction, its certificates, and what it is worth in the infinite game [T14]."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import check, gap, robust_values, solve
from arneq_exact.errors import GameError, InputError
from arneq_exact.markov.horizon import evaluate_horizon
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle


def countdown(steps: int) -> MarkovGame:
    """One agent, discount 1: wait in the start for 0, or cash in s: worth the steps that remain then.

    States 0..steps count what is left; cashing at s pays s² and ends, waiting moves to s − 1 and pays 3.
    """
    counts = [[1]] + [[2]] * steps
    rewards = [[0]] + [[value] for s in range(1, steps + 1) for value in (3, s * s)]
    moves = [[]] + [row for s in range(1, steps + 1) for row in ([(1, s - 1)], [])]
    ending = [1] + [value for _ in range(steps) for value in (0, 1)]
    return MarkovGame.from_rows(counts, rewards, moves, 1, termination=ending)


def test_countdown_in_closed_form():
    """Worth max over the number w of waits of 3w + (s − w)², for any horizon that is long enough."""
    game = countdown(6)
    solution = solve(game, ThreatModel(0), horizon=7)
    assert solution.status == "exact"
    assert solution.epsilon == (Fraction(0),)
    expected = [max([3 * w + (s - w) ** 2 for w in range(s)] + [3 * s]) for s in range(7)]
    assert solution.values.shape == (8, 1, 7)
    assert solution.values[0, 0].tolist() == expected
    assert solution.values[-1].tolist() == [[0.0] * 7]
    # With one step to go only the last reward counts.
    assert solution.values[-2, 0].tolist() == [0, 3, 4, 9, 16, 25, 36]
    with pytest.raises(GameError, match="discount of agent '1' is 1; must be below 1"):
        solve(game, ThreatModel(0))


def test_nosde_with_two_steps_by_hand():
    """Send from s1 while a step remains, keep at the end: worth (9/4, 15/4) at s1."""
    solution = solve(games.nosde(), ThreatModel(0), horizon=2)
    assert solution.status == "exact"
    assert solution.values[0].T.tolist() == [[2.25, 3.75], [5.25, 1.75]]
    assert solution.policy[0][:, 0].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("name", games.threats(2))
def test_backward_induction_is_subgame_perfect(rng, name):
    """No agent gains at any step, by the oracle; values are those of the policy."""
    threat = games.threats(2)[name]
    game = games.random_game(rng, 2, 2, (1, 3), [1.0, 0.9], ending=0.3)
    policy = solve(game, threat, horizon=3).policy
    values = robust_values(game, threat, policy)
    assert values.shape == (4, 2, 2)
    assert (values[3] == 0).all()
    for agent in range(2):
        for step in range(3):
            contest = oracle.contest(game, threat, policy.at(step), agent)
            later = values[step + 1, agent]
            np.testing.assert_allclose(
                oracle.robust_step(contest, later), values[step, agent], rtol=0, atol=1e-9
            )
            np.testing.assert_allclose(
                oracle.best_step(contest, later), values[step, agent], rtol=0, atol=1e-9
            )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_horizon_certificates(rng, n):
    for threat in {ThreatModel(0), ThreatModel(n - 1)} if n < 3 else {ThreatModel(2)}:
        game = games.random_game(rng, n, 3, 2, 1.0, ending=0.5)
        solution = solve(game, threat, horizon=4)
        assert solution.proved
        assert solution.method == "backward-induction"
        assert solution.policy.horizon == solution.certificate.horizon == 4
        assert solution.policy[0].shape == (4, 3, 2)
        assert solution.gap.shape == (n, 3)
        assert solution.attack[0].column.shape == (4, 3)
        result = check(game, solution.certificate, threat)
        assert result.valid
        assert result.epsilon == solution.epsilon


def test_reference_backend(rng):
    game = games.random_game(rng, 2, 2, 2, 0.9)
    for threat in (ThreatModel(0), ThreatModel(1)):
        reference = solve(game, threat, horizon=2, backend="reference")
        assert reference.proved
        np.testing.assert_allclose(reference.values, solve(game, threat, horizon=2).values, rtol=0, atol=1e-8)


def test_one_step_is_the_stage_game():
    solution = solve(games.climbing(), ThreatModel(1), horizon=1)
    np.testing.assert_allclose(solution.values[0], [[0], [66 / 47]], atol=1e-12)


@pytest.mark.parametrize(("n", "actions", "k"), [(3, 2, 1), (3, 3, 0), (3, 3, 1), (5, 2, 2)])
def test_any_number_of_agents(rng, n, actions, k):
    """[T14]"""
    game = games.random_game(rng, n, 2, actions, 0.9)
    solution = solve(game, ThreatModel(k), horizon=3)
    assert solution.proved, solution.message
    assert gap(game, ThreatModel(k), solution.policy).max() <= 1e-8


def test_a_class_without_stage_solver_is_incomplete_with_a_proved_gap(rng):
    game = games.random_game(rng, 3, 2, 2, 0.9)
    solution = solve(game, ThreatModel(1), horizon=2, backend="reference")
    assert solution.status == "incomplete"
    assert "maximin strategies by backward induction" in solution.message
    assert f"proved relative gap of {max(solution.relative_gap):.3g}" in solution.message
    assert check(game, solution.certificate, ThreatModel(1)).valid
    true = gap(game, ThreatModel(1), solution.policy)
    assert (true <= solution.gap + 1e-12).all()


def test_gap_of_errors_in_stages_adds_up():
    """[T14]: one stage that is ε_t from optimal after t − 1 steps costs at most γ^{t−1} ε_t."""
    game = MarkovGame.from_arrays([[[1.0, 0.0]]], np.ones((1, 2, 1)), 0.5)
    best = Policy.from_actions(game, np.zeros((3, 1, 1), dtype=int))
    assert gap(game, ThreatModel(0), best).max() == 0
    for step in range(3):
        actions = np.zeros((3, 1, 1), dtype=int)
        actions[step] = 1
        assert gap(game, ThreatModel(0), Policy.from_actions(game, actions)).tolist() == [[0.5**step]]


@pytest.mark.parametrize("steps", [3, 8, 20])
def test_playing_it_in_the_infinite_game(steps):
    """[T14]: the first T steps by backward induction, uniform after: ε ≤ γ^T (max(r,0) − min(r,0))/(1 − γ).

    NoSDE at k = 0, where the procedure cycles. The tail is an exact continuation value: uniform's own.
    """
    game = games.nosde()
    gamma = 0.75
    policy = solve(game, ThreatModel(0), horizon=steps).policy
    uniform = Policy.uniform(game)
    for agent in range(2):
        tail = oracle.contest(game, ThreatModel(0), uniform, agent)
        own, best = oracle.robust_value(tail), oracle.best_value(tail)[0]
        for step in reversed(range(steps)):
            contest = oracle.contest(game, ThreatModel(0), policy.at(step), agent)
            own, best = oracle.robust_step(contest, own), oracle.best_step(contest, best)
        assert (best - own).max() <= gamma**steps * 3 / (1 - gamma) + 1e-9
        assert (best - own).min() >= -1e-9


@pytest.mark.parametrize("horizon", [0, -1, 2.0, "2", True])
def test_horizons_that_are_none_are_refused(horizon):
    with pytest.raises(InputError, match=r"horizon is .*; must be an integer of at least 1"):
        solve(games.nosde(), ThreatModel(0), horizon=horizon)


def test_numpy_horizons_are_numbers():
    assert solve(games.nosde(), ThreatModel(0), horizon=np.int64(2)).status == "exact"


def test_stationary_policies_are_not_judged_step_by_step():
    with pytest.raises(InputError, match="policy is stationary; must be time-indexed"):
        evaluate_horizon(games.nosde(), ThreatModel(0), Policy.uniform(games.nosde()))
