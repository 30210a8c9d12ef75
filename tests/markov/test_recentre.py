"""Recentring: an equivalent game row by row, and proofs where doubles alone would lose the digits."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, catalog, check, gap, robust_values, solve
from arneq_exact.markov.recentre import recentre, recentre_at, rounding_loss


def shifted(game, constant):
    return MarkovGame(game.rewards + constant, game.transitions, game.action_counts, game.discount)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_values_differ_by_the_offset_and_gaps_do_not(rng, k):
    game = games.random_game(rng, 3, 4, 2, 0.9)
    policy = Policy.uniform(game)
    centred = recentre(game, np.array([0.5, -2.0, 7.0]))
    assert [float(offset) for offset in centred.offset] == pytest.approx([5, -20, 70])
    values = robust_values(game, ThreatModel(k), policy)
    inner = robust_values(centred.game, ThreatModel(k), policy)
    offset = np.array([float(offset) for offset in centred.offset])[:, None]
    assert inner + offset == pytest.approx(values, abs=1e-11)
    assert gap(centred.game, ThreatModel(k), policy) == pytest.approx(
        gap(game, ThreatModel(k), policy), abs=1e-11
    )


def test_terminating_rational_games_keep_their_equilibria():
    """Where episodes end, a constant per step is no constant of the game; the row sums account for it."""
    game = catalog.load("grid-game-1")
    answer = next(answer for answer in catalog.entry("grid-game-1").answers if answer.threat.k == 0)
    policy = answer.policy(game)
    values = robust_values(game, answer.threat, policy)
    centred = recentre_at(game, values)
    assert gap(centred.game, answer.threat, policy).max() < 1e-10
    inner = robust_values(centred.game, answer.threat, policy)
    assert inner + np.array([[float(offset)] for offset in centred.offset]) == pytest.approx(values, abs=1e-9)


def test_evidence_comes_back_exactly(rng):
    game = shifted(games.random_game(rng, 2, 3, 2, 0.9), 1e6)
    centred = recentre_at(game, np.full((2, 3), 1e7))
    assert np.abs(centred.game.rewards).max() < 3
    assert all(abs(offset - 10**7) < Fraction(1, 10**5) for offset in centred.offset)
    assert rounding_loss(centred.game, np.ones((2, 3))) < rounding_loss(game, np.full((2, 3), 1e7))


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize(
    ("constant", "discount"), [(0, 0.9999), (0, 0.999999), (1e3, 0.99), (1e5, 0.99), (1e7, 0.99), (-3e8, 0.5)]
)
def test_large_values_are_proved(rng, constant, discount, k):
    game = shifted(games.random_game(rng, 2, 4, 2, discount), constant)
    solution = solve(game, ThreatModel(k))
    assert solution.proved, solution.message
    assert check(game, solution.certificate, ThreatModel(k)).valid


def test_a_constant_game_with_a_large_reward():
    game = MarkovGame.from_arrays([[[4e8]]], [[[1.0]]], 0.9)
    assert solve(game, ThreatModel(0)).proved
