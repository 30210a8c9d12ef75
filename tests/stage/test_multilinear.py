"""Stage games of any number of agents: verified answers, warm starts, and what cannot be solved."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import StageError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games
from arneq_exact.stage.robust import robust_matrix

THREATS = {
    "k=0": ThreatModel(0),
    "k=1": ThreatModel(1),
    "k=2": ThreatModel(2),
    "probability": ThreatModel(1, probability="1/3"),
    "informed": ThreatModel(2, inequalities=([[0, 1, 0, 0, 0, 0, 0]], ["1/2"]), informed=True),
}


def regrets(payoffs, attackers, policy):
    """Best pure-against-worst improvement of every agent by its linear program's optimality conditions."""
    from arneq_exact.stage.zero_sum.linear import solve_matrix_games

    found = []
    for agent, payoff in enumerate(payoffs):
        matrix = robust_matrix(payoff, policy, attackers.of[agent])
        own = np.einsum("ba,bac->bc", policy[agent], matrix).min(axis=1)
        found.append(solve_matrix_games(matrix).value - own)
    return np.array(found)


@pytest.mark.parametrize("name", ["k=0", "k=1", "k=2", "probability"])
@pytest.mark.parametrize("counts", [(2, 2, 2), (3, 2, 1), (2, 3, 2, 2), (4, 3)])
def test_answers_are_equilibria(rng, name, counts):
    n = len(counts)
    attackers = stage_attackers(THREATS[name], counts)
    payoffs = [rng.uniform(-5, 20, (6, *counts)) for _ in range(n)]
    found = solve_multilinear_games(payoffs, attackers)
    assert regrets(payoffs, attackers, found.policy).max() <= 25e-10
    for agent, payoff in enumerate(payoffs):
        matrix = robust_matrix(payoff, found.policy, attackers.of[agent])
        worth = np.einsum("bac,bc->ba", matrix, found.attack[agent])
        np.testing.assert_allclose(worth.max(axis=1), found.value[:, agent], rtol=0, atol=1e-8)
        assert found.policy[agent].shape == (6, counts[agent])
        np.testing.assert_allclose(found.policy[agent].sum(axis=1), 1, rtol=0, atol=1e-15)


def test_informed_attackers_and_masks(rng):
    threat = THREATS["informed"]
    masks = ((1, (0,)), (2, (1, 2)))
    attackers = stage_attackers(threat, (2, 2, 3, 2), masks)
    payoffs = [rng.uniform(size=(3, 2, 2, 3, 2)) for _ in range(4)]
    found = solve_multilinear_games(payoffs, attackers)
    assert regrets(payoffs, attackers, found.policy).max() <= 1e-10


@pytest.mark.parametrize("k", [0, 1, 2])
def test_integer_payoffs(rng, k):
    attackers = stage_attackers(ThreatModel(k), (2, 3, 2))
    payoffs = [rng.integers(-1, 2, (40, 2, 3, 2)).astype(float) for _ in range(3)]
    found = solve_multilinear_games(payoffs, attackers)
    assert regrets(payoffs, attackers, found.policy).max() <= 2e-10


def test_scales_do_not_matter(rng):
    attackers = stage_attackers(ThreatModel(1), (2, 2, 2))
    payoffs = [rng.uniform(size=(4, 2, 2, 2)) for _ in range(3)]
    plain = solve_multilinear_games(payoffs, attackers)
    scaled = solve_multilinear_games([1e9 * payoffs[0], 1e-9 * payoffs[1], payoffs[2] - 3], attackers)
    for one, other in zip(plain.policy, scaled.policy, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    np.testing.assert_allclose(scaled.value[:, 0], 1e9 * plain.value[:, 0], rtol=1e-6)


def test_a_warm_start_stays_near_and_needs_no_path(rng):
    attackers = stage_attackers(ThreatModel(1), (2, 2, 2))
    payoffs = [rng.uniform(size=(30, 2, 2, 2)) for _ in range(3)]
    first = solve_multilinear_games(payoffs, attackers)
    moved = [payoff + 1e-6 * rng.uniform(size=payoff.shape) for payoff in payoffs]
    calls: Counter[str] = Counter()
    second = solve_multilinear_games(moved, attackers, (first.policy, first.attack), calls=calls)
    assert calls["active-set Newton"] >= 29
    assert calls.total() == 30
    near = [np.abs(a - b).max(axis=1) for a, b in zip(first.policy, second.policy, strict=True)]
    assert np.median(near) <= 1e-4


def test_unanimity_has_the_known_answer():
    """[F3] n = 3, k = 1: a start near the mixed equilibrium comes back to π(x) ∝ v_x^(−1/2)."""
    payoff = np.zeros((1, 2, 2, 2))
    payoff[0, 0, 0, 0], payoff[0, 1, 1, 1] = 1.0, 4.0
    attackers = stage_attackers(ThreatModel(1), (2, 2, 2))
    mixed = np.array([[2 / 3, 1 / 3]])
    columns = robust_matrix(payoff, [mixed] * 3, attackers.of[0]).shape[2]
    shifted = mixed + np.array([[1e-3, -1e-3]])
    near = ((shifted,) * 3, (np.full((1, columns), 1 / columns),) * 3)
    found = solve_multilinear_games([payoff] * 3, attackers, near)
    for agent in range(3):
        np.testing.assert_allclose(found.policy[agent], mixed, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.value[0, agent], 4 / 9, rtol=0, atol=1e-9)
        matrix = robust_matrix(payoff, found.policy, attackers.of[agent])
        assert (found.policy[agent] @ matrix[0]).min() == pytest.approx(found.value[0, agent], abs=1e-12)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_pure_profiles_come_first_or_last(monkeypatch, k):
    """Unanimity: all-1 is worth 4 to everybody, all-0 is worth 1 [F3]; under corruption both are worth 0."""
    payoff = np.zeros((1, 2, 2, 2))
    payoff[0, 0, 0, 0], payoff[0, 1, 1, 1] = 1.0, 4.0
    attackers = stage_attackers(ThreatModel(k), (2, 2, 2))
    calls: Counter[str] = Counter()
    found = solve_multilinear_games([payoff] * 3, attackers, calls=calls)
    assert {name: number for name, number in calls.items() if number} == {"pure profiles": 1}
    assert found.value.tolist() == [[4.0 if k == 0 else 0.0] * 3]
    # With a seed paths come first; where there are none, pure profiles are the last resort.
    monkeypatch.setattr(
        "arneq_exact.stage.many_agents.multilinear._System.weights", lambda *key: np.zeros((0, 1))
    )
    last = solve_multilinear_games([payoff] * 3, attackers, seed=1, calls=calls)
    assert (last.value == found.value).all()


def test_seeds_begin_elsewhere(rng):
    attackers = stage_attackers(ThreatModel(0), (2, 2, 2))
    payoffs = [rng.uniform(size=(60, 2, 2, 2))] * 3
    first, again, other = (solve_multilinear_games(payoffs, attackers, seed=seed) for seed in (0, 0, 7))
    assert all((a == b).all() for a, b in zip(first.policy, again.policy, strict=True))
    assert regrets(payoffs, attackers, other.policy).max() <= 1e-10
    # Some of these common-payoff games have several equilibria.
    apart = [np.abs(a - b).max(axis=1) for a, b in zip(first.policy, other.policy, strict=True)]
    assert np.max(apart) > 1e-3


def test_payoffs_that_are_not_numbers_are_refused():
    payoffs = [np.full((1, 2, 2, 2), np.nan)] * 3
    with pytest.raises(StageError, match="not finite"):
        solve_multilinear_games(payoffs, stage_attackers(ThreatModel(1), (2, 2, 2)))


def test_what_is_not_solved_is_an_error(monkeypatch, rng):
    """No pure profile looked at, no path and no start: nothing is found, and nothing is claimed."""
    monkeypatch.setattr("arneq_exact.stage.many_agents.multilinear.MOST_PURE", 0)
    monkeypatch.setattr(
        "arneq_exact.stage.many_agents.multilinear._System.weights", lambda *key: np.zeros((0, 1))
    )
    payoffs = [rng.uniform(size=(2, 2, 2, 2)) for _ in range(3)]
    with pytest.raises(StageError, match="solved game 0 of 2"):
        solve_multilinear_games(payoffs, stage_attackers(ThreatModel(1), (2, 2, 2)))
