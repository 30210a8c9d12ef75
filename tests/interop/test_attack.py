"""Attacks that can be played: moves of columns, mixtures and product form; refusals."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import games
import numpy as np
import pytest

from arneq_exact import Policy, ThreatModel, best_response, catalog, worst_attack
from arneq_exact.errors import InputError, ThreatError
from arneq_exact.interop.attack import Attack


def law(attack: Attack, state: int, step: int = 0) -> dict:
    """The joint distribution over moves, equal moves added."""
    found: dict = {}
    for move, chance in attack.moves(state, step):
        key = tuple(sorted(move.items()))
        found[key] = found.get(key, 0) + chance
    return found


@pytest.mark.parametrize(
    "threat",
    [
        ThreatModel(1),
        ThreatModel(2),
        ThreatModel(1, probability="1/4"),
        ThreatModel(1, informed=True, inequalities=([[-1, 0, 0]], ["-1/2"])),
        ThreatModel(2, masks={1: {0: [0]}, 2: {1: [1]}}),
    ],
    ids=lambda threat: threat.describe(),
)
def test_worst_attacks_play_their_columns(rng, threat):
    game = games.random_game(rng, 3, 4, 2, 0.8)
    found = worst_attack(game, threat, games.random_policy(rng, game), 0)
    attack = Attack.worst(game, found)
    for state in range(game.n_states):
        corruption, forced = found.at(game, state)
        expected = {tuple(sorted(forced[K].items())): float(weight) for K, weight in corruption.weights}
        assert law(attack, state) == expected
        assert attack.sets(state) == {K: float(weight) for K, weight in corruption.weights}


def test_mixtures_add_up_their_columns(rng):
    game = games.random_game(rng, 3, 2, (2, 3), 0.8)
    columns = [[(j, action) for j in (0, 2) for action in range(counts[j])] for counts in game.action_counts]
    weights = np.zeros((2, max(map(len, columns))))
    for row, moves in zip(weights, columns, strict=True):
        row[: len(moves)] = rng.dirichlet(np.ones(len(moves)))
    attack = Attack.from_columns(game, ThreatModel(1), 1, weights)
    for state, moves in enumerate(columns):
        expected = {(move,): weight for move, weight in zip(moves, weights[state], strict=False)}
        assert law(attack, state) == pytest.approx(expected)


def test_answers_of_best_responses_are_attacks(rng):
    game = games.random_game(rng, 3, 2, (1, 3), 0.8)
    answer = best_response(game, ThreatModel(2, probability="1/2"), games.random_policy(rng, game), 1)
    attack = Attack.from_columns(game, ThreatModel(2, probability="1/2"), 1, answer.attack)
    assert attack.sets(0) == pytest.approx({(): 0.5, (0, 2): 0.5})


def test_committed_attacks_are_products(rng):
    game = games.random_game(rng, 3, 2, 2, 0.8)
    policy = games.random_policy(rng, game)
    attack = Attack.committed(
        game, lambda state: {(1,): 0.5, (1, 2): 0.3, (): 0.2} if state else {(): 1}, policy
    )
    assert law(attack, 0) == {(): 1}
    expected = {(): 0.2} | {((1, a),): 0.5 * policy[1][1, a] for a in range(2)}
    for a, b in product(range(2), repeat=2):
        expected[(1, a), (2, b)] = 0.3 * policy[1][1, a] * policy[2][1, b]
    assert law(attack, 1) == pytest.approx(expected)
    assert not attack.has_one_family()
    assert Attack.committed(game, {(1,): 1}, policy).has_one_family()


def test_attacks_by_step(rng):
    game = games.random_game(rng, 2, 3, 2, 0.8)
    policy = games.random_policy(rng, game, horizon=4)
    found = worst_attack(game, ThreatModel(1), policy, 0)
    attack = Attack.worst(game, found)
    assert attack.horizon == 4
    for step, state in product(range(4), range(3)):
        _, forced = found.at(game, state, step)
        assert law(attack, state, step) == {tuple(forced[1,].items()): 1}


def test_draws_have_the_frequencies_of_the_moves(rng):
    game = games.random_game(rng, 3, 1, 2, 0.8)
    attack = Attack(game, lambda _: [({1: 0, 2: 1}, 0.25), ({1: 1}, 0.25), ({2: 1, 1: 1}, 0.5), ({0: 0}, 0)])
    drawn = [tuple(sorted(attack.draw(rng, 0).items())) for _ in range(4000)]
    # Hoeffding at 1e-9 for 4,000 draws: 0.052.
    for move, chance in law(attack, 0).items():
        assert abs(drawn.count(move) / 4000 - chance) < 0.052
    assert ((0, 0),) not in drawn
    within = [attack.draw_for(rng, (1, 2), 0)[1] for _ in range(4000)]
    assert abs(np.mean(within) - 2 / 3) < 0.052
    assert abs([attack.draw_set(rng, 0) for _ in range(4000)].count((1,)) / 4000 - 0.25) < 0.052


GAME = catalog.load("static-chain")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Attack(GAME, 3), "Attack: game is .* and moves are 3; must be a MarkovGame and a function"),
        (lambda: Attack(GAME, []), "moves are .*; must be a MarkovGame and a function"),
        (
            lambda: Attack(GAME, lambda _: [({0: 0}, 0.5)]),
            "moves in state 's1': probabilities sum to 0.5; must be 1",
        ),
        (
            lambda: Attack(GAME, lambda _: [({0: 2}, 1)]),
            "make agent '1' play 2; must be an action from 0 to 1",
        ),
        (lambda: Attack(GAME, lambda _: [({0: True}, 1)]), "make agent '1' play True; must be an action"),
        (lambda: Attack(GAME, lambda _: [({7: 0}, 1)]), "agent is 7; must be a number from 0 to 2"),
        (lambda: Attack(GAME, lambda _: [({}, 2), ({0: 0}, -1)]), "probability is -1.0; must be at least 0"),
        (lambda: Attack(GAME, lambda _: 5), "moves in state 's1' are 5; must be pairs"),
        (
            lambda: Attack.from_columns(GAME, ThreatModel(1), 0, [[1, 0]]),
            r"weights have shape \(1, 2\); must be",
        ),
        (lambda: Attack.from_columns(GAME, ThreatModel(1), 3, [[1, 0]]), "agent is 3; must be a number"),
        (lambda: Attack.committed(GAME, {(1,): 1}, 3), "policy is 3; must be a stationary Policy"),
        (lambda: Attack.committed(GAME, {1: 1}, Policy.uniform(GAME)), "sets hold 1; must hold tuples"),
        (lambda: Attack.committed(GAME, {"12": 1}, Policy.uniform(GAME)), "sets hold '12'; must hold tuples"),
        (lambda: Attack.committed(GAME, {(1, 1): 1}, Policy.uniform(GAME)), "must hold an agent once"),
        (lambda: Attack.committed(GAME, {("a",): 1}, Policy.uniform(GAME)), "agent is 'a'; must be a number"),
        (
            lambda: Attack.committed(GAME, {(1,): "half"}, Policy.uniform(GAME)),
            r"probability of \(1,\) is 'half'; must be",
        ),
        (lambda: Attack.committed(GAME, [(1,)], Policy.uniform(GAME)), "sets are .*; must be {set of agents"),
        (
            lambda: Attack.worst(games.nosde(), worst_attack(GAME, ThreatModel(1), Policy.uniform(GAME), 0)),
            "attack has columns that are missing here|agent",
        ),
        (
            lambda: Attack.worst(
                games.climbing(), worst_attack(GAME, ThreatModel(1), Policy.uniform(GAME), 0)
            ),
            "attack is on a game of 2 states; must fit",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_probabilities_of_sets_are_numbers_in_any_form():
    one = Attack.committed(GAME, {(1,): "1/2", frozenset({2}): Fraction(1, 2)}, Policy.uniform(GAME))
    assert one.sets(0) == {(1,): 0.5, (2,): 0.5}


def test_weights_past_the_columns_of_a_state_are_refused():
    game = games.nosde()
    with pytest.raises(ThreatError, match="reach past its 1 columns; must be 0 there"):
        Attack.from_columns(game, ThreatModel(1), 0, [[0.5, 0.5], [1, 0]])
