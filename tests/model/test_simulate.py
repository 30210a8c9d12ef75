"""Simulated episodes against the tables: frequencies, returns, ends, seeds, refusals."""

from __future__ import annotations

import games
import numpy as np
import pytest
import scipy.sparse as sp
from concentration import MOST_VISITS, bernstein, hoeffding

from arneq_exact.errors import GameError, InputError, PolicyError
from arneq_exact.markov.evaluate import robust_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.row_layout import joint_strides
from arneq_exact.model.simulate import (
    END,
    Transitions,
    cumulative_mixture,
    draw_from,
    simulate,
)
from arneq_exact.model.threat import ThreatModel


def rows_played(game: MarkovGame, run) -> np.ndarray:
    strides = joint_strides(game.action_counts)
    alive = run.states != END
    states = run.states[alive]
    return game.offsets[states] + (run.actions[alive] * strides[states]).sum(axis=1)


@pytest.fixture(scope="module")
def ragged():
    rng = np.random.default_rng(5)
    game = games.random_game(rng, 3, 4, (1, 3), 0.8, kind="sparse", ending=0.5)
    policy = games.random_policy(rng, game, pure=0.2)
    return game, policy, simulate(game, policy, 20_000, max_steps=40, seed=1)


def test_frequencies_are_those_of_the_tables(ragged):
    game, policy, run = ragged
    rows = rows_played(game, run)
    played = np.bincount(rows, minlength=game.n_rows)
    # Next states, the end as last column; steps that were cut off show no next state.
    following = np.concatenate([run.states[:, 1:], np.full((len(run.states), 1), END)], axis=1)
    seen = run.states != END
    cut = np.zeros_like(seen)
    cut[~run.ended, run.lengths[~run.ended] - 1] = True
    kept = ~cut[seen]
    counts = np.zeros((game.n_rows, game.n_states + 1))
    np.add.at(counts, (rows[kept], following[seen][kept]), 1)
    often = counts.sum(axis=1) > 100
    assert often.sum() > game.n_rows / 2
    expected = np.column_stack([game.transitions.toarray(), game.termination])
    bound = hoeffding(counts.sum(axis=1)[often], counts.size * MOST_VISITS)
    frequencies = counts[often] / counts[often].sum(axis=1)[:, None]
    assert (np.abs(frequencies - expected[often]) <= bound[:, None]).all()
    assert not counts[expected == 0].any()

    for agent, array in enumerate(policy):
        for state in range(game.n_states):
            here = (run.states == state).sum()
            drawn = np.bincount(run.actions[run.states == state][:, agent], minlength=array.shape[1])
            assert (np.abs(drawn / here - array[state]) <= hoeffding(here, 100 * MOST_VISITS)).all()
            assert not drawn[array[state] == 0].any()
    assert played.sum() == run.lengths.sum() < MOST_VISITS


def test_rewards_are_those_of_the_rows(ragged):
    game, _, run = ragged
    assert np.array_equal(run.rewards[run.states != END], game.rewards[rows_played(game, run)])
    assert not run.rewards[run.states == END].any()


def test_returns_estimate_the_values(ragged):
    game, policy, run = ragged
    exact = robust_values(game, ThreatModel(0), policy)
    returns = run.returns(game.discount)
    largest = np.abs(game.rewards).max(axis=0)
    for state in range(game.n_states):
        chosen = returns[run.states[:, 0] == state]
        # Returns lie within ±max|r|/(1−γ); what is cut off is worth at most γ^40 of that.
        reach = largest / (1 - game.discount)
        bound = bernstein(chosen, 2 * reach, 3 * game.n_states) + game.discount**40 * reach
        assert (np.abs(chosen.mean(axis=0) - exact[:, state]) <= bound).all()
        # The bound is no empty one: it tells apart the values of different states.
        assert bound.max() < 0.25


def test_rounding_is_no_end_and_nothing_of_probability_0_happens():
    """Rows that miss 1 by rounding: the largest uniform number still finds a next state."""
    row = [1 / 3, 1 / 3, 1 / 3 - 1e-10, 0.0]
    explicit = sp.csr_array((row, ([0] * 4, [0, 1, 2, 3])), shape=(4, 4))
    matrix = sp.csr_array(explicit + sp.csr_array((np.ones(3), ([1, 2, 3], [1, 2, 3])), shape=(4, 4)))
    game = MarkovGame(np.zeros((4, 1)), matrix, np.ones((4, 1), dtype=int), np.array([0.9]))
    last = np.nextafter(1, 0)
    assert Transitions(game).draw(np.zeros(3, dtype=int), np.array([0.0, 0.5, last])).tolist() == [0, 1, 2]


def test_mixtures_that_miss_1_by_rounding_draw_what_has_a_probability():
    cumulative = cumulative_mixture(np.array([0.5, 0.0, 0.5 - 1e-10, 0.0]))
    drawn = draw_from(cumulative, np.array([0.5, np.nextafter(1, 0)]))
    assert drawn.tolist() == [2, 2]


def test_every_uniform_number_has_its_successor():
    """Bisection agrees with a plain walk through the row, at and around every threshold."""
    rng = np.random.default_rng(2)
    game = games.random_game(rng, 2, 9, (1, 3), 0.9, ending=0.4)
    drawn = Transitions(game)
    for row in range(game.n_rows):
        dense = game.transitions.toarray()[row]
        entries = np.flatnonzero(dense)
        sums = np.cumsum(dense[entries])
        numbers = [0.0, *sums[sums < 1], *np.nextafter(sums[sums < 1], 0), np.nextafter(1, 0)]
        expected = []
        for u in numbers:
            past = [int(s) for s, total in zip(entries, sums, strict=True) if u < total]
            ends = game.termination[row] > 0
            expected.append(past[0] if past else END if ends else int(entries[-1]))
        got = drawn.draw(np.full(len(numbers), row), np.array(numbers))
        assert got.tolist() == expected


def test_one_shot_games_end_at_once():
    game = games.prisoners_dilemma()
    run = simulate(game, Policy.from_actions(game, [[1, 0]]), 5, max_steps=3, seed=0)
    assert run.lengths.tolist() == [1] * 5
    assert run.ended.all()
    assert run.returns(game.discount).tolist() == [[5, 0]] * 5


def test_same_seed_same_episodes(ragged):
    game, policy, run = ragged
    again = simulate(game, policy, 20_000, max_steps=40, seed=1)
    other = simulate(game, policy, 20_000, max_steps=40, seed=2)
    assert np.array_equal(run.states, again.states)
    assert np.array_equal(run.actions, again.actions)
    assert not np.array_equal(run.states, other.states)


def test_time_indexed_policies_are_followed_by_the_step():
    game = games.nosde()
    actions = np.zeros((3, 2, 2), dtype=int)
    actions[:, 0, 0] = [0, 1, 0]
    run = simulate(game, Policy.from_actions(game, actions), 1, max_steps=3, seed=0, start=0)
    assert run.states.tolist() == [[0, 0, 1]]
    assert not run.ended.any()
    with pytest.raises(PolicyError, match=r"simulate: policy has horizon 3; must be at least max_steps = 4"):
        simulate(game, Policy.from_actions(game, actions), 1, max_steps=4, seed=0)


def test_starts():
    game = games.nosde()
    policy = Policy.uniform(game)

    def firsts(start):
        return simulate(game, policy, 400, max_steps=1, seed=3, start=start).states[:, 0]

    assert set(firsts(1)) == {1}
    assert set(firsts([1, 0])) == {0}
    assert set(firsts(None)) == {0, 1}
    named = MarkovGame(
        game.rewards, game.transitions, game.action_counts, game.discount, initial=np.eye(2)[1]
    )
    assert set(simulate(named, policy, 50, max_steps=1, seed=0).states[:, 0]) == {1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": 0}, "simulate: episodes is 0; must be an integer of at least 1"),
        ({"max_steps": 2.5}, "simulate: max_steps is 2.5; must be an integer of at least 1"),
        ({"seed": -1}, "simulate: seed is -1; must be an integer of at least 0"),
        ({"start": 2}, "simulate: start is 2; must be a state from 0 to 1"),
        (
            {"start": [0.5, 0.4]},
            r"simulate: start is \[0.5, 0.4\]; must be a state's number",
        ),
        ({"start": "s1"}, "simulate: start is 's1'; must be a state's number"),
        ({"start": [np.nan, 1]}, "simulate: start is .*; must be a state's number"),
        ({"policy": [[1]]}, r"simulate: policy is \[\[1\]\]; must be a Policy of all agents"),
        ({"game": None}, "simulate: game is None; must be a MarkovGame"),
    ],
)
def test_refusals(change, message):
    game = games.nosde()
    good = {"game": game, "policy": Policy.uniform(game), "episodes": 1, "max_steps": 1, "seed": 0}
    with pytest.raises(InputError, match=message):
        simulate(**{**good, **change})


def test_policies_of_other_games_are_refused():
    game = games.prisoners_dilemma()
    with pytest.raises(PolicyError, match="simulate: policy was made for a game of other sizes"):
        simulate(game, Policy.uniform(games.nosde()), 1, max_steps=1, seed=0)
    with pytest.raises(GameError, match="must be a MarkovGame"):
        simulate(3, Policy.uniform(game), 1, max_steps=1, seed=0)
