"""Policies: what is kept, what is shared, what the constructors mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.errors import PolicyError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.strategies import games, policies

GAME = MarkovGame.from_rows(
    [[2, 1], [1, 3]], [[0, 0]] * 5, [[(1, 1)], [(1, 1)], [(1, 0)], [(1, 0)], [(1, 0)]], 0.9
)


def test_uniform_spreads_over_own_actions_only() -> None:
    policy = Policy.uniform(GAME)
    assert policy.horizon is None
    assert policy[0].tolist() == [[0.5, 0.5], [1, 0]]
    assert policy[1].tolist() == [[1, 0, 0], [1 / 3] * 3]


def test_uniform_with_horizon_repeats() -> None:
    policy = Policy.uniform(GAME, 4)
    assert policy.horizon == 4
    assert [array.shape for array in policy] == [(4, 2, 2), (4, 2, 3)]
    for step in range(4):
        assert all(np.array_equal(a, b) for a, b in zip(policy.at(step), Policy.uniform(GAME), strict=True))


def test_from_actions() -> None:
    policy = Policy.from_actions(GAME, [[1, 0], [0, 2]])
    assert policy[0].tolist() == [[0, 1], [1, 0]]
    assert policy[1].tolist() == [[1, 0, 0], [0, 0, 1]]
    timed = Policy.from_actions(GAME, [[[1, 0], [0, 2]], [[0, 0], [0, 1]]])
    assert timed.horizon == 2
    assert timed.at(1)[1].tolist() == [[1, 0, 0], [0, 1, 0]]


def test_from_callable() -> None:
    def rule(agent: int, state: str) -> list[float]:
        count = GAME.action_counts[int(state), agent]
        return [1.0, *[0.0] * (count - 1)]

    assert Policy.from_callable(GAME, rule) == Policy.from_actions(GAME, np.zeros((2, 2), dtype=int))


def test_stationary_policy_is_played_at_every_step() -> None:
    policy = Policy.uniform(GAME)
    assert policy.at(0) is policy.at(99)


def test_probabilities_are_kept_as_given_and_read_only() -> None:
    given_array = np.array([[0.1, 0.9 + 1e-12], [1, 0]])
    policy = Policy(GAME, [given_array, [[1, 0, 0], [0, 0, 1]]])
    assert policy[0].tolist() == given_array.tolist()
    given_array[0, 0] = 7
    assert policy[0][0, 0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        policy[0][0, 0] = 1


def test_sums_may_miss_by_rounding_only() -> None:
    column = [[1, 0, 0], [1, 0, 0]]
    assert Policy(GAME, [[[0.5, 0.5 - 9e-10], [1, 0]], column]).horizon is None
    with pytest.raises(PolicyError, match=r"in state '0' sum to 0\.999999998; must be 1"):
        Policy(GAME, [[[0.5, 0.5 - 2e-9], [1, 0]], column])


def test_negative_zero_becomes_zero() -> None:
    policy = Policy(GAME, [[[1, -0.0], [1, 0]], [[1, 0, 0], [1, 0, 0]]])
    assert not np.signbit(policy[0]).any()


def test_equality_and_distance() -> None:
    one, two = Policy.uniform(GAME), Policy.from_actions(GAME, [[1, 0], [0, 2]])
    assert one == Policy.uniform(GAME)
    assert one != two
    assert one != Policy.uniform(GAME, 1)
    assert one != [1, 2]
    assert one.distance(two) == pytest.approx(2 / 3)
    with pytest.raises(TypeError):
        hash(one)


def test_repr_tells_the_kind() -> None:
    assert repr(Policy.uniform(GAME)) == "Policy(2 agents, 2 states, stationary)"
    assert repr(Policy.uniform(GAME, 3)) == "Policy(2 agents, 2 states, horizon 3)"


def test_fit_is_about_action_counts() -> None:
    policy = Policy.uniform(GAME)
    policy.require_fit(GAME, "here")
    assert Policy(GAME, policy) == policy


@given(st.data())
def test_every_step_of_every_agent_is_a_distribution(data: st.DataObject) -> None:
    game = data.draw(games(discounts=(0, 1)))
    policy = data.draw(policies(game, horizon=data.draw(st.none() | st.integers(1, 3))))
    for agent in range(game.n_agents):
        for step in range(policy.horizon or 1):
            array = policy.at(step)[agent]
            assert array.shape == (game.n_states, game.action_counts[:, agent].max())
            assert np.abs(array.sum(axis=-1) - 1).max() <= 1e-9
            for state, count in enumerate(game.action_counts[:, agent]):
                assert not array[state, count:].any()
