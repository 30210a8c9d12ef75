"""Environments enumerated into games: round trips, tables of gymnasium, refusals of what is no such game."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import games
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from gymnasium import Env, spaces
from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from pettingzoo import ParallelEnv
from pettingzoo.utils import parallel_to_aec

from arneq_exact import MarkovGame, ThreatModel, catalog, robust_values, solve, state_graph
from arneq_exact.errors import GameError, InputError, StateLimitError
from arneq_exact.interop.parallel_env import MarkovGameEnv
from arneq_exact.interop.pettingzoo import from_environment, to_parallel_env


class Copied:
    """An environment without the methods to put it back."""

    def __init__(self, env: Any) -> None:
        self.inner = env
        self.possible_agents = env.possible_agents
        self.reset, self.step, self.state = env.reset, env.step, env.state
        self.action_space = env.action_space

    def __deepcopy__(self, memo: dict[int, Any]) -> Copied:
        twin = MarkovGameEnv.__new__(MarkovGameEnv)
        twin.__dict__.update(self.inner.__dict__)
        return Copied(twin)

    @property
    def agents(self) -> list[str]:
        return self.inner.agents


def state_names(game: MarkovGame) -> list[str]:
    return [game.state_name(state) for state in range(game.n_states)]


def same_rows(one: MarkovGame, other: MarkovGame, start: int = 0) -> None:
    """`one` is what can be reached from `start` in `other`, in any order of states, told by name."""
    there = {name: state for state, name in enumerate(state_names(other))}
    reached = {start, *nx.descendants(state_graph(other), start)}
    assert {there[name] for name in state_names(one)} == reached
    assert one.n_states == len(reached)
    order = np.array([there[name] for name in state_names(one)])
    assert np.array_equal(one.action_counts, other.action_counts[order])
    rows = np.concatenate([np.arange(other.offsets[s], other.offsets[s + 1]) for s in order])
    assert np.array_equal(one.rewards, other.rewards[rows])
    assert np.array_equal(one.transitions.toarray(), other.transitions.toarray()[rows][:, order])
    ends = np.zeros(other.n_rows) if other.termination is None else other.termination
    assert np.array_equal(np.zeros(one.n_rows) if one.termination is None else one.termination, ends[rows])


DETERMINISTIC = {
    "NoSDE": (games.nosde(), 0),
    "chain": (catalog.load("static-chain"), 0),
    "grid": (catalog.load("grid-game-1"), 0),
    "one shot": (games.climbing(), 0),
}


@pytest.mark.parametrize("wrap", [lambda env: env, Copied], ids=["set back", "copied"])
@pytest.mark.parametrize(("game", "start"), DETERMINISTIC.values(), ids=DETERMINISTIC)
def test_there_and_back(game, start, wrap):
    env = wrap(to_parallel_env(game, start=start))

    def key(env):
        inner = getattr(env, "inner", env)
        return game.state_name(inner.here)

    again = from_environment(env, discount=game.discount.tolist(), key=key)
    same_rows(again, game)
    assert again.agent_name(1) == game.agent_name(1)
    assert again.initial[0] == 1


@pytest.mark.parametrize("seed", range(6))
def test_random_deterministic_games_come_back(seed):
    """Ragged, with ends, and with states out of reach."""
    rng = np.random.default_rng(seed)
    mixed = games.random_game(rng, 3, 8, (1, 3), 0.9, ending=0.3)
    ends = np.rint(rng.random(mixed.n_rows) < 0.3)
    moves = np.eye(8)[rng.integers(5, size=mixed.n_rows)] * (1 - ends)[:, None]
    game = replace(mixed, transitions=sp.csr_array(moves), termination=ends)
    env = Copied(to_parallel_env(game, start=7)) if seed % 2 else to_parallel_env(game, start=7)
    again = from_environment(env, discount=0.9, key=lambda env: getattr(env, "inner", env).here)
    assert 2 <= again.n_states <= 6
    same_rows(again, game, 7)


def test_keys_by_default():
    def names(env):
        return state_names(from_environment(env, discount=0.9))

    game = games.nosde()
    assert names(to_parallel_env(game, start=0)) == ["(0,)", "(1,)"]
    assert names(Copied(to_parallel_env(game, start=0))) == ["0", "1"]
    one_hot = to_parallel_env(game, start=0, observation="one-hot")
    assert names(Copied(one_hot)) == ["(1.0, 0.0)", "(0.0, 1.0)"]


def test_starts_by_seed():
    game = from_environment(to_parallel_env(games.nosde()), discount=0.9, seeds=range(20))
    assert game.n_states == 2
    assert game.initial.sum() == 1
    assert set((game.initial * 20).tolist()) <= set(range(1, 20))


@pytest.mark.parametrize(
    "env",
    [
        FrozenLakeEnv(is_slippery=False),
        FrozenLakeEnv(map_name="8x8", is_slippery=False),
        CliffWalkingEnv(),
    ],
    ids=["lake", "larger lake", "cliff"],
)
def test_environments_of_gymnasium(env):
    """These have their table of transitions as `P[state][action]`, which is not what is enumerated here."""
    game = from_environment(env, discount=0.95)
    number = {name: state for state, name in enumerate(state_names(game))}
    for name, state in number.items():
        for action in range(env.action_space.n):
            ((_, following, reward, ended),) = {tuple(entry) for entry in env.P[int(name)][action]}
            row = game.offsets[state] + action
            assert game.rewards[row, 0] == reward
            assert (game.termination[row] == 1) == ended
            if not ended:
                assert game.transitions[[row], [number[str(following)]]] == 1


def test_a_shortest_way_is_found():
    """Six moves over the small lake, the last of which is paid."""
    game = from_environment(FrozenLakeEnv(is_slippery=False), discount=0.9)
    solution = solve(game, ThreatModel(0))
    assert solution.proved
    assert solution.values[0, 0] == pytest.approx(0.9**5)


# -- environments of our own -----------------------------------------------------------------------


class Countdown(ParallelEnv):
    """Two agents, a counter from 3: it falls by one when somebody counts; agent b leaves when it is 1."""

    metadata: dict[str, Any] = {"name": "countdown_v0"}  # noqa: RUF012

    def __init__(self, flaw: str = "", where: str = "infos") -> None:
        self.possible_agents = ["a", "b"]
        self.agents: list[str] = []
        self.flaw, self.where = flaw, where
        self.generator: Any = None
        self._space = spaces.Discrete(2, start=5)
        self.steps = 0

    def action_space(self, agent):
        return spaces.Box(0, 1) if self.flaw == "box" else self._space

    def _returns(self):
        # Agent a must count when 2 are left.
        masks = {"a": np.array([0 if self.left == 2 else 1, 1], dtype=np.int8), "b": None}
        if self.flaw == "mask":
            masks["b"] = np.zeros(2, dtype=np.int8)
        if self.flaw == "mask by time" and self.left < 3:
            masks["b"] = np.array([1, self.steps % 2], dtype=np.int8)
        observations: dict[str, Any] = {agent: np.array([self.left]) for agent in "ab"}
        if self.where == "observations":
            observations = {
                agent: {"observation": observations[agent], "action_mask": masks[agent]} for agent in "ab"
            }
            return observations, {agent: {} for agent in "ab"}
        return observations, {agent: {"action_mask": masks[agent]} for agent in "ab"}

    def reset(self, seed=None, options=None):
        self.left, self.steps, self.agents = 3, 0, ["a", "b"]
        kinds = {"generator": np.random.default_rng, "state": np.random.RandomState, "random": random.Random}
        self.generator = kinds[self.flaw](seed) if self.flaw in kinds else None
        return self._returns()

    def step(self, actions):
        assert set(actions) == set(self.agents)
        assert set(actions.values()) <= {5, 6}
        counted = 6 in actions.values()
        self.left -= counted
        self.steps += 1
        rewards = {agent: np.float64(self.left) for agent in actions}
        if self.flaw == "hidden":
            rewards["a"] += self.steps % 2
        if self.generator is not None:
            rewards["a"] += self.generator.random()
        if self.flaw == "global":
            rewards["a"] += np.random.rand()  # noqa: NPY002
        ended = {"a": self.left == 0, "b": self.left <= 1}
        cut = {agent: self.flaw == "limit" and self.steps >= 2 and not ended[agent] for agent in "ab"}
        self.agents = [agent for agent in self.agents if not (ended[agent] or cut[agent])]
        observations, infos = self._returns()
        return observations, rewards, ended, cut, infos


@pytest.mark.parametrize("where", ["infos", "observations"])
def test_masks_and_agents_that_leave(where):
    game = from_environment(Countdown(where=where), discount=0.5)
    assert game.names.agents == ("a", "b")
    assert game.action_counts.tolist() == [[2, 2], [1, 2], [2, 1]]
    assert game.names.actions == ((("5", "6"), ("5", "6")), (("6",), ("5", "6")), (("5", "6"), ("gone",)))
    # Counting from 2 pays 1 to both; then b has left, and a is paid 1 for waiting, 0 for the end.
    assert game.rewards.tolist() == [[3, 3], [2, 2], [2, 2], [2, 2], [1, 1], [1, 1], [1, 0], [0, 0]]
    assert game.termination.tolist() == [0] * 7 + [1]
    policy = solve(game, ThreatModel(0))
    assert policy.proved
    assert robust_values(game, ThreatModel(0), policy.policy)[0, 2] == pytest.approx(2)  # waits for ever


@pytest.mark.parametrize("flaw", ["generator", "state", "random", "global"])
def test_random_steps_are_refused(flaw):
    """A deep copy would repeat the numbers of its original; they are seeded anew. No state is met twice."""

    def key(env):
        return env.left, env.steps

    with pytest.raises(GameError, match=r"joint action \(5, 5\) in state \(3, 0\) gives .* and then"):
        from_environment(Countdown(flaw), discount=0.5, key=key, limit=50)


def test_slippery_lakes_are_refused():
    with pytest.raises(GameError, match="must be deterministic, with a key that tells states apart"):
        from_environment(FrozenLakeEnv(is_slippery=True), discount=0.9)


def test_random_steps_are_refused_where_states_are_set_back():
    game = games.random_game(np.random.default_rng(0), 2, 3, 2, 0.9)
    with pytest.raises(GameError, match="must be deterministic, with a key that tells states apart"):
        from_environment(to_parallel_env(game), discount=0.9)


def test_keys_that_tell_too_little_are_refused():
    """The parity of time pays, and only the counter is told: waiting comes back to 3 at another time."""
    with pytest.raises(GameError, match=r"in state .* gives .* and then .*; must be deterministic"):
        from_environment(Countdown("hidden"), discount=0.5)
    told = from_environment(Countdown("hidden"), discount=0.5, key=lambda env: (env.left, env.steps % 2))
    assert told.n_states == 6


class Errand(Env):
    """From home to the shop and back; leaving home is paid once, and only `paid` knows."""

    def __init__(self) -> None:
        self.action_space = spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.at, self.paid = "home", False
        return self.at, {}

    def step(self, action):
        reward = float(self.at == "home" and not self.paid)
        self.paid = True
        self.at = "shop" if self.at == "home" else "home"
        return self.at, reward, False, False, {}


def test_what_is_forgotten_shows_when_a_state_is_met_again():
    """Home is stepped from before it is reached for the second time."""
    found = r"in state 'home' gives \(\(1.0,\), 'shop'\) and then \(\(0.0,\), 'shop'\)"
    with pytest.raises(GameError, match=found):
        from_environment(Errand(), discount=0.5)
    told = from_environment(Errand(), discount=0.5, key=lambda env: (env.at, env.paid))
    assert told.rewards.ravel().tolist() == [1, 0, 0]


def test_who_has_left_is_part_of_the_state():
    game = from_environment(Countdown(), discount=0.5, key=lambda env: max(env.left, 2))
    assert game.names.states == ("3", "2", "(2, 'b')")


def test_masks_that_change_are_refused():
    with pytest.raises(GameError, match=r"actions in state .* are .* and then .*; must be the same whenever"):
        from_environment(Countdown("mask by time"), discount=0.5)


def test_time_limits_are_refused_unless_they_are_meant():
    env = Countdown("limit")
    with pytest.raises(GameError, match=r"truncates the episode; must be an environment without a time"):
        from_environment(env, discount=0.5)
    ended = from_environment(env, discount=0.5, truncation="end", key=lambda env: (env.left, env.steps))
    assert ended.names.states == ("(3, 0)", "(3, 1)", "(2, 1)")
    assert ended.termination.tolist() == [0] * 4 + [1] * 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"env": 3}, InputError, "env is 3; must be a ParallelEnv or a gymnasium.Env"),
        (
            {"env": parallel_to_aec(to_parallel_env(games.nosde()))},
            InputError,
            "must be a ParallelEnv or a gymnasium.Env",
        ),
        ({"env": Countdown("box")}, InputError, r"actions of agent 'a' are Box\(.*; must be Discrete"),
        (
            {"env": Countdown("mask")},
            GameError,
            "action mask of agent 'b' is .*; must allow at least one",
        ),
        ({"key": lambda env: None}, GameError, "key is None; must be a hashable that tells states apart"),
        ({"key": lambda env: {1, 2}}, GameError, "key is {1, 2}; must be a hashable that tells states apart"),
        ({"key": 3}, InputError, "key is 3; must be a function of the environment"),
        ({"seeds": []}, InputError, "seeds are empty; must be at least one"),
        ({"seeds": 1.5}, InputError, "seed is 1.5; must be an integer of at least 0"),
        ({"truncation": "no"}, InputError, "truncation is 'no'; must be refuse or end"),
        ({"limit": 2}, StateLimitError, "more than limit = 2 states are reachable"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        from_environment(**{"env": Countdown(), "discount": 0.5, **arguments})


def test_the_environment_is_left_as_it_is():
    env = Countdown()
    env.reset(seed=0)
    env.step({"a": 6, "b": 5})
    from_environment(env, discount=0.5)
    assert (env.left, env.steps) == (2, 1)
