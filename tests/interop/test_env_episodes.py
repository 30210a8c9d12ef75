"""Markov games as PettingZoo environments, against the tables: frequencies, returns, ends of episodes."""

from __future__ import annotations

from dataclasses import replace

import games
import numpy as np
import pytest
from concentration import MOST_VISITS, bernstein, hoeffding
from episodes import RAGGED, Sampled, reach

from arneq_exact import Policy, ThreatModel, robust_values
from arneq_exact.errors import InputError
from arneq_exact.interop.pettingzoo import to_parallel_env


@pytest.fixture(scope="module")
def sampled():
    policy = games.random_policy(np.random.default_rng(4), RAGGED, pure=0.2)
    return policy, Sampled(to_parallel_env(RAGGED, max_steps=40), policy, 6000, seed=5)


def test_frequencies_are_those_of_the_tensor(sampled):
    policy, run = sampled
    rows, following, _ = np.array(run.steps).T
    counts = np.zeros((RAGGED.n_rows, RAGGED.n_states + 1))
    np.add.at(counts, (rows, following), 1)  # −1, the end, is the last column
    expected = np.column_stack([RAGGED.transitions.toarray(), RAGGED.termination])
    assert not counts[expected == 0].any()
    visits = counts.sum(axis=1)
    often = visits > 300
    assert often.sum() > 10
    bound = hoeffding(visits[often], counts.size * MOST_VISITS)
    assert (np.abs(counts[often] / visits[often][:, None] - expected[often]) <= bound[:, None]).all()

    for state in range(RAGGED.n_states):
        block = slice(RAGGED.offsets[state], RAGGED.offsets[state + 1])
        joint = np.ones(1)
        for agent in range(3):
            joint = np.multiply.outer(joint, policy[agent][state, : RAGGED.action_counts[state, agent]])
        bound = hoeffding(visits[block].sum(), RAGGED.n_rows * MOST_VISITS)
        assert (np.abs(visits[block] / visits[block].sum() - joint.ravel()) <= bound).all()


def test_returns_are_the_values(sampled):
    policy, run = sampled
    exact = robust_values(RAGGED, ThreatModel(0), policy)
    for state in range(RAGGED.n_states):
        chosen = run.returns[run.first == state]
        bound = bernstein(chosen, reach(RAGGED), 12) + 0.8**40 * reach(RAGGED)
        assert (np.abs(chosen.mean(axis=0) - exact[:, state]) <= bound).all()
        assert (bound < 0.1 * reach(RAGGED)).all()


@pytest.mark.parametrize("discounting", ["termination", "truncation"])
def test_discount_as_probability_of_going_on(discounting):
    """Undiscounted sums have the discounted values as expectations; lengths are geometric."""
    game = games.random_game(np.random.default_rng(7), 2, 2, 2, 0.5)
    env = to_parallel_env(game, discounting=discounting, start=0)
    rng = np.random.default_rng(8)
    env.reset(seed=9)
    sums = np.zeros((6000, 2))
    lengths = np.zeros(6000, dtype=int)
    for episode in range(6000):
        env.reset()
        while env.agents:
            actions = dict(zip(env.agents, rng.integers(2, size=2), strict=True))
            _, rewards, terminated, truncated, _ = env.step(actions)
            # Later steps are left out, so that sums are bounded.
            sums[episode] += list(rewards.values()) if lengths[episode] < 12 else 0
            lengths[episode] += 1
        assert set(terminated.values()) == {discounting == "termination"}
        assert set(truncated.values()) == {discounting == "truncation"}
    exact = robust_values(game, ThreatModel(0), Policy.uniform(game))[:, 0]
    bound = bernstein(sums, 12 * 2 * np.abs(game.rewards).max(), 2) + 0.5**12 * reach(game)
    assert (np.abs(sums.mean(axis=0) - exact) <= bound).all()
    assert (bound < 0.2 * reach(game)).all()
    for steps in range(1, 5):
        assert abs((lengths == steps).mean() - 0.5**steps) <= hoeffding(6000, 4)


def test_truncation_after_max_steps():
    env = to_parallel_env(games.nosde(), start=0, max_steps=3)
    env.reset(seed=0)
    ends = [env.step({"1": 0, "2": 0})[2:4] for _ in range(3)]
    assert [truncated["1"] for _, truncated in ends] == [False, False, True]
    assert not any(terminated["1"] for terminated, _ in ends)
    assert env.agents == []
    with pytest.raises(InputError, match="step: no episode is running; must be started by reset"):
        env.step({"1": 0, "2": 0})


def test_an_end_at_the_last_step_is_no_truncation():
    env = to_parallel_env(games.prisoners_dilemma(), max_steps=1)
    env.reset(seed=0)
    _, rewards, terminated, truncated, infos = env.step({"1": np.int64(1), "2": np.array(0)})
    assert rewards == {"1": 5, "2": 0}
    assert all(terminated.values())
    assert not any(truncated.values())
    assert [infos[agent]["action"] for agent in "12"] == [1, 0]


def test_actions_that_a_state_has_not_are_replaced_uniformly():
    game = games.random_game(np.random.default_rng(11), 1, 2, 3, 0.5)
    game = replace(
        game, action_counts=np.array([[2], [3]]), rewards=game.rewards[:5], transitions=game.transitions[:5]
    )
    env = to_parallel_env(game, start=0)
    env.reset(seed=0)
    played = []
    for _ in range(3000):
        env.set_state((0,))
        played.append(env.step({"1": 2})[4]["1"]["action"])
    assert abs(np.mean(played) - 1 / 2) <= hoeffding(3000, 1)
    strict = to_parallel_env(game, start=0, illegal="refuse")
    strict.reset(seed=0)
    with pytest.raises(
        InputError, match="action of agent '1' in state '0' is 2; must be below 2, as its action"
    ):
        strict.step({"1": 2})
