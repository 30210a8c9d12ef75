"""The front door on fixed samples of random games."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest
from solution_promises import verify

from arneq_exact import MarkovGame, certify, solve
from arneq_exact.markov import decoupled
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle


@pytest.mark.parametrize("number", range(24))
def test_sample_of_decoupled_games(number):
    """All are certified, whatever the size and discount."""
    rng = np.random.default_rng([11, number])
    n = 2 + number % 3
    n_states = int(rng.integers(2, 21)) if n < 4 else int(rng.integers(2, 9))
    actions = (2, 4) if n < 4 else (2, 3)
    kind = ("dense", "sparse", "integer")[number % 3]
    discount = (0.5, 0.9, 0.99)[number // 3 % 3]
    game = games.random_game(rng, n, n_states, actions, discount, kind=kind, ending=0.2 * (number % 2))
    threat = ThreatModel(n - 1)
    solution = solve(game, threat)
    assert solution.proved, solution.message
    verify(game, threat, solution)
    # [T4]: values are unique, fixed points of each agent's own minimax operator.
    if n_states <= 6 and n < 4:
        for agent in range(n):
            contest = oracle.contest(game, threat, solution.policy, agent)
            np.testing.assert_allclose(
                oracle.best_step(contest, solution.values[agent]), solution.values[agent], rtol=0, atol=1e-7
            )


def test_sample_of_two_agent_nash_games():
    """30 games at k = 0, dense, sparse and integer: at least 29 are certified."""
    proved = 0
    for number in range(30):
        rng = np.random.default_rng([12, number])
        kind = ("dense", "sparse", "integer")[number % 3]
        discount = (0.5, 0.9, 0.99)[number // 3 % 3]
        game = games.random_game(rng, 2, int(rng.integers(1, 9)), (2, 3), discount, kind=kind)
        solution = solve(game, ThreatModel(0))
        verify(game, ThreatModel(0), solution)
        proved += solution.proved
    assert proved >= 29


@pytest.mark.parametrize("number", range(9))
def test_sample_of_two_agents_with_a_probability(number):
    """State-dependent action sets; different views of the two agents."""
    rng = np.random.default_rng([13, number])
    threat = (
        ThreatModel(1, probability="1/4"),
        ThreatModel(1, probability=0.9),
        ThreatModel(distribution={0: {frozenset(): "1/3", frozenset({1}): "2/3"}, 1: {frozenset(): 1}}),
    )[number % 3]
    kind = ("dense", "sparse", "integer")[number // 3]
    game = games.random_game(rng, 2, 4, (1, 4), [0.9, 0.7], kind=kind)
    solution = solve(game, threat)
    assert solution.proved, solution.message
    verify(game, threat, solution)


def test_decoupled_bounds_need_no_second_look(monkeypatch):
    """The solver's own mixtures and values are the evidence: nothing is solved again to certify."""
    game = games.random_game(np.random.default_rng(5), 2, 5, 3, 0.9)
    (candidate,) = decoupled.run(decoupled.Problem(game, ThreatModel(1)))
    monkeypatch.setattr("arneq_exact.solver.judge.evaluated", pytest.fail)
    solution = solve(game, ThreatModel(1))
    assert solution.proved
    upper = solution.certificate.upper.astype(np.float64)
    np.testing.assert_allclose(upper, candidate.bounds.upper, rtol=0, atol=1e-11)


def test_simple_values_are_proved_exactly():
    """Evidence may be guessed rationals: the values 12/(1 + 3ρ) of the cycling game close the gap."""
    game = games.nosde("3/4")
    for rho, worth in (("1/2", Fraction(24, 5)), ("3/5", Fraction(30, 7))):
        threat = ThreatModel(1, probability=rho)
        solution = solve(game, threat)
        verify(game, threat, solution)
        assert solution.status == "exact"
        assert Fraction(solution.certificate.lower[0, 1]) == worth


@pytest.mark.parametrize("seed", range(6))
def test_high_discounts_are_proved_from_the_best_evidence(seed):
    """At γ = .9999 residuals count ten thousandfold: a solver's own bounds may fall short of what is true."""
    generator = np.random.default_rng(seed)
    game = MarkovGame.from_arrays(
        generator.integers(-2, 3, (3, 3, 2, 2, 2)).astype(float),
        generator.dirichlet(np.ones(3), (3, 2, 2, 2)),
        0.9999,
    )
    solution = solve(game, ThreatModel(0), method="stage-policy-iteration")
    verify(game, ThreatModel(0), solution)
    best = certify(game, ThreatModel(0), solution.policy).epsilon
    units = game.exact_reward_range()
    assert solution.proved == all(bound <= 1e-8 * unit for bound, unit in zip(best, units, strict=True))
