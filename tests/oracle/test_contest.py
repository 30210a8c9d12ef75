"""Contests written out from the definitions, against all pure attackers one by one, and closed forms."""

from __future__ import annotations

from fractions import Fraction

import games
import numpy as np
import pytest
from certificate_brute_force import ExactGame, fractions
from certificate_brute_force import robust_value as worst_of_all

from arneq_exact import Policy, ThreatModel
from arneq_exact.exact.arrays import exact_array
from arneq_exact.exact.linear import solve_linear
from arneq_exact.exact.matrix_games import candidate_strategies, matrix_game
from arneq_exact.oracle.contest import (
    best_value,
    contest,
    largest_row_sum,
    reply_value,
    robust_value,
)
from arneq_exact.oracle.definition import listed_attacks, matrix_game_value, pure_attacks
from arneq_exact.theory.engine.given_play import by_state


@pytest.mark.parametrize("kind", ["dense", "sparse", "integer"])
@pytest.mark.parametrize(("n", "threat"), [(1, ThreatModel(0)), (2, ThreatModel(1)), (3, ThreatModel(1))])
def test_values_are_those_of_the_worst_of_all_attackers(rng, kind, n, threat):
    """In Fractions without a difference; strategy improvement ends where HiGHS sees no better stage."""
    game = games.random_game(rng, n, 2, 2, 0.8, kind=kind, ending=0.3)
    policy = games.random_policy(rng, game)
    for agent in range(n):
        exact = contest(game, threat, policy, agent, exact=True)
        every = worst_of_all(ExactGame(game), threat, [fractions(array) for array in policy], agent)
        assert robust_value(exact).tolist() == every
        faced = contest(game, threat, policy, agent, attacks=pure_attacks)
        np.testing.assert_allclose(robust_value(faced), np.array(every, dtype=float), rtol=0, atol=1e-11)
        best, response = best_value(faced)
        np.testing.assert_allclose(robust_value(faced, response), best, rtol=0, atol=1e-11)
        step = [matrix_game_value(faced.stage(state, best)) for state in range(game.n_states)]
        np.testing.assert_allclose(step, best, rtol=0, atol=1e-9)


def test_a_probability_mixes_in_the_play_of_nobody_corrupted(rng):
    game = games.random_game(rng, 3, 2, 2, 0.5)
    policy = games.random_policy(rng, game)
    parts = [contest(game, threat, policy, 0).paid[1] for threat in (ThreatModel(0), ThreatModel(2))]
    mixed = contest(game, ThreatModel(2, probability="1/4"), policy, 0).paid[1]
    np.testing.assert_allclose(mixed, 0.75 * parts[0] + 0.25 * parts[1], rtol=0, atol=1e-15)


def test_fractions_agree_with_doubles(rng):
    game = games.random_game(rng, 2, 2, 2, 0.5, kind="sparse")
    policy = games.random_policy(rng, game)
    for agent in range(2):
        rough = contest(game, ThreatModel(1), policy, agent)
        exact = contest(game, ThreatModel(1), policy, agent, exact=True)
        assert exact.exact
        assert not rough.exact
        own = by_state(game, policy[agent], agent)
        attack = [np.full(len(columns), 1 / len(columns)) for columns in rough.attacks]
        for value, mixtures in ((robust_value, own), (reply_value, attack)):
            found = value(exact, [exact_array(mixture) for mixture in mixtures])
            assert all(isinstance(number, Fraction) for number in found)
            np.testing.assert_allclose(found.astype(float), value(rough, mixtures), rtol=0, atol=1e-14)


def test_one_set_that_stays(rng):
    """`only` leaves the columns of one set: those of a game in which the others are never corrupted."""
    game = games.random_game(rng, 3, 2, 2, 0.8)
    policy = games.random_policy(rng, game)
    sets = ThreatModel(sets={0: [{2}], 1: [set()], 2: [set()]})
    own = by_state(game, policy[0], 0)
    stays = robust_value(contest(game, ThreatModel(1), policy, 0).only((2,)), own)
    np.testing.assert_allclose(stays, robust_value(contest(game, sets, policy, 0)), rtol=0, atol=1e-12)


def test_chances_are_distributions(rng):
    game = games.random_game(rng, 3, 2, 2, 0.8)
    faced = contest(game, ThreatModel(1), games.random_policy(rng, game), 1)
    for chances, columns in zip(map(faced.chances, range(2)), faced.attacks, strict=True):
        assert chances.shape == (2, len(columns), 8)
        np.testing.assert_allclose(chances.sum(axis=2), 1, rtol=0, atol=1e-15)


def test_columns_stand_in_the_documented_order():
    def forced(threat, n, agent, counts):
        return [list(attack.forced.values())[-1] for attack in listed_attacks(threat, counts, agent, 0)]

    assert forced(ThreatModel(2), 3, 1, (1, 3, 2)) == [{0: 0, 2: 0}, {0: 0, 2: 1}]
    assert forced(ThreatModel(5), 2, 0, (2, 2)) == [{1: 0}, {1: 1}]
    assert forced(ThreatModel(1, probability=0), 2, 0, (2, 2)) == [{}]


def test_known_matrix_games():
    rock = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    value, mixture = matrix_game(rock)
    assert value == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(mixture, 1 / 3, rtol=0, atol=1e-15)
    climbing = exact_array([[11, -30, 0], [-30, 7, 0], [0, 6, 5]])  # [F5], rows of the column agent
    value, mixture = matrix_game(climbing)
    assert (value, mixture.tolist()) == (Fraction(66, 47), [Fraction(6, 47), 0, Fraction(41, 47)])


def test_all_extreme_optimal_strategies_are_candidates():
    """Two of three rows are optimal, in any mixture: the polytope is a segment with pure ends."""
    matrix = exact_array([[1, 2], [1, 3], [0, 0]])
    found = candidate_strategies(matrix)
    optimal = {tuple(x) for x in found if (x @ matrix).min() == 1}
    assert {(1, 0, 0), (0, 1, 0)} <= optimal


def test_a_singular_system_has_no_solution():
    assert solve_linear(exact_array([[1, 2], [2, 4]]), exact_array([1, 2])) is None
    solved = solve_linear(exact_array([[0, 2], [1, 0]]), exact_array([1, 3]))
    assert solved is not None
    assert solved.tolist() == [3, Fraction(1, 2)]


def test_row_sums_are_exact(rng):
    game = games.random_game(rng, 2, 4, 2, 0.8)
    exact = max(sum(map(Fraction, row)) for row in game.transitions.toarray().tolist())
    assert largest_row_sum(game) == exact != 1
    assert largest_row_sum(games.nosde()) == 1


def test_policies_are_read_by_state():
    game = games.absorbing(2)
    policy = Policy.uniform(game)
    assert [len(row) for row in by_state(game, policy[0], 0)] == [2, 1, 1]
