"""The row layout: what the constructors build and what the facts about a game say."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.errors import GameError
from arneq_exact.exact.rationals import common_denominator, double_or_fraction, number_text, to_fraction
from arneq_exact.model.exact import ExactData
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.strategies import games


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_from_arrays_puts_every_number_in_its_row(n: int, n_states: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = tuple(rng.integers(1, 4, n).tolist())
    rewards = rng.normal(size=(n, n_states, *counts))
    transitions = rng.dirichlet(np.ones(n_states), size=(n_states, *counts))
    game = MarkovGame.from_arrays(rewards, transitions, 0.9)
    dense = game.transitions.toarray()
    for row in range(game.n_rows):
        state, joint = game.joint_action_of(row)
        assert game.rewards[row].tolist() == rewards[(slice(None), state, *joint)].tolist()
        assert dense[row].tolist() == transitions[(state, *joint)].tolist()
    assert game.same_as(MarkovGame.from_arrays(rewards.tolist(), transitions.tolist(), [0.9] * n))


@given(games(named=True, discounts=(0, 1)))
def test_rows_are_grouped_by_state_in_c_order(game: MarkovGame) -> None:
    places = [game.joint_action_of(row) for row in range(game.n_rows)]
    expected = [
        (state, joint)
        for state, counts in enumerate(game.action_counts.tolist())
        for joint in product(*map(range, counts))
    ]
    assert places == expected
    assert game.offsets[-1] == game.n_rows
    covered = np.concatenate([states for states, _ in game.signature_groups])
    assert sorted(covered.tolist()) == list(range(game.n_states))
    for states, counts in game.signature_groups:
        assert (game.action_counts[states] == counts).all()
        rows = game.rows_of(states, int(np.prod(counts)))
        assert all(
            game.joint_action_of(int(row))[0] == state for state, row in zip(states, rows[:, 0], strict=True)
        )


@given(games(named=True, discounts=(0, 1)))
def test_parts_are_canonical_owned_and_read_only(game: MarkovGame) -> None:
    matrix = game.transitions
    assert matrix.has_canonical_format
    assert (matrix.data > 0).all()
    parts = [game.rewards, game.action_counts, game.discount, matrix.data, matrix.indices, matrix.indptr]
    parts += [part for part in (game.termination, game.initial) if part is not None]
    assert not any(part.flags.writeable for part in parts)
    assert game.discount.shape == (game.n_agents,)
    total = matrix.sum(axis=1) + (0 if game.termination is None else game.termination)
    assert np.abs(total - 1).max() <= 1e-9
    assert game.names == game.names.canonical()


@given(games(named=True, discounts=(0, 1)))
def test_doubles_are_the_rounded_rationals(game: MarkovGame) -> None:
    if game.exact is None:
        assert game.exact_discount() == tuple(map(Fraction, game.discount.tolist()))
        return
    for row in range(game.n_rows):
        for agent in range(game.n_agents):
            assert float(game.exact.reward(row, agent)) == game.rewards[row, agent]
        moves = slice(game.transitions.indptr[row], game.transitions.indptr[row + 1])
        below = game.exact.transition_denominators[row]
        exact_row = [Fraction(above, below) for above in game.exact.transition_numerators[moves]]
        assert [float(p) for p in exact_row] == game.transitions.data[moves].tolist()
        ends = 0 if game.termination is None else game.termination[row]
        assert float(1 - sum(exact_row)) == pytest.approx(ends, abs=1e-15)


def test_exact_is_kept_only_where_doubles_do_not_do() -> None:
    assert MarkovGame.one_shot([["1/2", 3, Fraction(1, 4)]]).exact is None
    assert MarkovGame.one_shot([[1, 2**53 + 1]]).exact is not None
    assert MarkovGame.one_shot([["1/3", 0.5]]).exact_discount() == (Fraction(0),)
    plain = MarkovGame.one_shot([[1, 2]])
    spelt = ExactData.from_fractions([[Fraction(1)], [Fraction(2)]], [[], []], (Fraction(0),))
    direct = MarkovGame(
        plain.rewards, plain.transitions, plain.action_counts, 0.0, termination=np.ones(2), exact=spelt
    )
    assert direct.exact is None
    assert direct.same_as(plain)


def test_mixed_doubles_and_rationals_are_taken_at_their_word() -> None:
    game = MarkovGame.one_shot([[0.1, "1/10"]])
    assert game.exact is not None
    assert game.exact.reward(0, 0) == Fraction(0.1)
    assert game.exact.reward(1, 0) == Fraction(1, 10)


def test_one_state_one_agent_one_action() -> None:
    game = MarkovGame.from_arrays([[[5]]], [[[1]]], 0.5)
    assert (game.n_agents, game.n_states, game.n_rows) == (1, 1, 1)
    assert game.reward_range.tolist() == [1]
    assert game.contraction.tolist() == [0.5]


def test_one_shot_ends_after_every_action() -> None:
    game = MarkovGame.one_shot([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert game.termination is not None
    assert game.termination.tolist() == [1] * 4
    assert game.transitions.nnz == 0
    assert game.rewards.tolist() == [[1, 5], [2, 6], [3, 7], [4, 8]]
    assert game.largest_row_sum == 0
    assert game.discount.tolist() == [0, 0]
    assert game.reward_range.tolist() == [3, 3]


def test_contraction_is_discount_times_largest_row_sum() -> None:
    game = MarkovGame.from_rows(
        [[2, 1]], [[0, 0]] * 2, [[(0.5, 0)], [(0.25, 0)]], [0.8, 1], termination=[0.5, 0.75]
    )
    assert game.contraction.tolist() == [0.4, 0.5]
    game.require_discounting("here")
    undiscounted = MarkovGame.from_arrays([[[0]]], [[[1]]], 1)
    with pytest.raises(GameError, match="here: discount of agent '1' is 1; must be below 1"):
        undiscounted.require_discounting("here")


def test_row_sums_may_miss_by_rounding_only() -> None:
    assert MarkovGame.from_arrays([[[0]]], [[[1 - 9e-10]]], 0.5).n_rows == 1
    with pytest.raises(GameError, match=r"sum to 0\.999999998; must be 1"):
        MarkovGame.from_arrays([[[0]]], [[[1 - 2e-9]]], 0.5)


def test_no_termination_is_the_same_as_none_at_all() -> None:
    moves = [[(1, 0)]]
    assert MarkovGame.from_rows([[1]], [[0]], moves, 0.5, termination=[0]).termination is None


def test_input_arrays_are_copied() -> None:
    rewards = np.array([[1.0], [2.0]])
    matrix = sp.csr_array(np.ones((2, 1)))
    game = MarkovGame(rewards, matrix, np.array([[2]]), 0.5)
    rewards[:] = 9
    matrix.data[:] = 9
    assert game.rewards.tolist() == [[1], [2]]
    assert game.transitions.data.tolist() == [1, 1]


@pytest.mark.parametrize("form", [sp.csr_array, sp.coo_array, sp.csc_array, sp.lil_array, sp.csr_matrix])
def test_every_sparse_form_is_taken(form: type) -> None:
    game = MarkovGame(np.zeros((2, 1)), form(np.eye(2)), np.ones((2, 1), dtype=int), 0.5)
    assert game.transitions.toarray().tolist() == [[1, 0], [0, 1]]


def test_same_as_sees_every_part() -> None:
    def build(discount: float = 0.5, initial: object = None, names: GameNames | None = None) -> MarkovGame:
        return MarkovGame.from_rows([[1]], [[0]], [[(1, 0)]], discount, initial=initial, names=names)

    assert build().same_as(build())
    assert not build().same_as(build(0.25))
    assert not build().same_as(build(initial=[1]))
    assert not build().same_as(build(names=GameNames.of(["ann"], None, None)))
    assert not build().same_as("game")


def test_names_fall_back_to_numbers() -> None:
    game = MarkovGame.from_rows([[2, 1]], [[0, 0]] * 2, [[(1, 0)]] * 2, 0.5)
    assert (game.agent_name(1), game.state_name(0), game.action_name(0, 0, 1)) == ("2", "0", "1")
    assert game.names.place(*game.joint_action_of(1)) == "state '0', joint action (1, 0)"
    assert repr(game) == "MarkovGame(2 agents, 1 state, 2 rows)"
    assert repr(MarkovGame.one_shot([["1/3"]])).endswith(", exact rationals)")


def test_common_lists_of_names_are_shared() -> None:
    names = GameNames.of(None, None, [[["a", "b"]], [["a", "b"]], [["a", "c"]]])
    assert names.actions is not None
    assert names.actions[0] is names.actions[1]
    assert names.actions[0] is not names.actions[2]


@given(st.fractions())
def test_number_text_is_faithful(value: Fraction) -> None:
    assert to_fraction(number_text(value), "here") == value
    kept = double_or_fraction(value, "here")
    assert Fraction(kept) == value
    assert isinstance(kept, float) == (Fraction(float(value)) == value)


@given(st.lists(st.fractions(), max_size=6))
def test_common_denominator_is_the_least(row: list[Fraction]) -> None:
    numerators, denominator = common_denominator(row)
    assert [Fraction(above, denominator) for above in numerators] == row
    assert np.gcd.reduce([denominator, *numerators], dtype=object) == 1
