"""The environments that `arneq_exact.interop.pettingzoo` makes; importing this module needs PettingZoo."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from arneq_exact import require
from arneq_exact.errors import GameError, InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.interop.attack import Attack, Forced
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.row_layout import joint_strides
from arneq_exact.model.simulate import END, Transitions, cumulative_mixture, draw_from
from arneq_exact.model.threat.corruption import Members
from arneq_exact.require import shown

ByAgent = dict[str, Any]


class MarkovGameEnv(ParallelEnv):  # type: ignore[misc]  # PettingZoo has no types
    """A Markov game as a PettingZoo environment; see `to_parallel_env` for what its options mean.

    Attributes
    ----------
    game : MarkovGame
    here : int
        Number of the present state; that of the last one once the episode has ended.
    steps : int
        Steps taken in this episode.
    max_steps : int or None
        Steps after which an episode is truncated.
    """

    def __init__(
        self,
        game: MarkovGame,
        *,
        observations: np.ndarray[Any, Any] | None,
        start: FloatArray,
        max_steps: int | None,
        discounting: str,
        illegal: str,
        mask_in_observation: bool,
        seed: int,
    ) -> None:
        self.game = game
        self.metadata = {"name": "markov_game_v0", "render_modes": ["ansi"], "is_parallelizable": True}
        self.render_mode = "ansi"
        self.possible_agents = [game.agent_name(agent) for agent in range(game.n_agents)]
        self.agents: list[str] = []
        self.here, self.steps = 0, 0
        self._observations = observations
        self._start = cumulative_mixture(start)
        self.max_steps = max_steps
        self._discounting = discounting
        self._illegal = illegal
        self._mask_in_observation = mask_in_observation
        self._rng = np.random.default_rng(seed)
        self._transitions = Transitions(game)
        self._strides = joint_strides(game.action_counts)
        widths = game.action_counts.max(axis=0)
        self.action_spaces = {
            name: spaces.Discrete(int(width))
            for name, width in zip(self.possible_agents, widths, strict=True)
        }
        self.observation_spaces = {
            name: self._observation_space(int(width))
            for name, width in zip(self.possible_agents, widths, strict=True)
        }

    # -- what PettingZoo asks for ---------------------------------------------------------------

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[ByAgent, dict[str, ByAgent]]:
        """Start an episode.

        Parameters
        ----------
        seed : int, optional
            Starts the random numbers anew; without it they go on.
        options : mapping, optional
            ``options["state"]`` is the number of the first state; it is drawn otherwise.
        """
        if seed is not None:
            self._rng = np.random.default_rng(require.whole(seed, "reset: seed", at_least=0))
        if not isinstance(options, Mapping | None):
            raise InputError(f"reset: options are {shown(options)}; must be a mapping or None")
        chosen = (options or {}).get("state")
        if chosen is None:
            self.here = int(draw_from(self._start, self._rng.random(1))[0])
        else:
            self.here = self.game.state_number(chosen, "reset: state")
        self.agents, self.steps = list(self.possible_agents), 0
        return self._observe(), self._inform(None)

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[ByAgent, dict[str, float], dict[str, bool], dict[str, bool], dict[str, ByAgent]]:
        """Play one joint action, given as ``{agent: action}``.

        Returns observations, rewards, terminations, truncations and infos, each by agent. After the end the
        observation is that of the last state, since the end itself is no state.

        Raises
        ------
        InputError
            If there is no episode to go on with, or an action breaks its rule.
        """
        if not self.agents:
            raise InputError("step: no episode is running; must be started by reset")
        require_actions(actions)
        joint = [self._action(agent, actions) for agent in range(self.game.n_agents)]
        row = int(self.game.offsets[self.here] + self._strides[self.here] @ joint)
        rewards = self.game.rewards[row].tolist()
        following = int(self._transitions.draw(np.array([row]), self._rng.random(1))[0])
        self.steps += 1
        terminated = following == END
        truncated = not terminated and self.steps == self.max_steps
        if self._discounting != "learner" and self._rng.random() >= self.game.discount[0]:
            if self._discounting == "termination":
                terminated, truncated = True, False
            else:
                truncated = not terminated
        if not terminated:
            self.here = following
        names = self.possible_agents
        if terminated or truncated:
            self.agents = []
        return (
            self._observe(),
            dict(zip(names, rewards, strict=True)),
            dict.fromkeys(names, terminated),
            dict.fromkeys(names, truncated),
            self._inform(joint),
        )

    def observation_space(self, agent: str) -> Any:
        """Return the space of an agent's observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return the space of an agent's actions, always the same object."""
        return self.action_spaces[agent]

    def state(self) -> np.ndarray[Any, Any]:
        """Return what is observed of the state, as an array."""
        return np.array(self._seen(self.here))

    def render(self) -> str:
        """Return the name of the present state."""
        return self.game.state_name(self.here)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    # -- beyond PettingZoo ----------------------------------------------------------------------

    def get_state(self) -> tuple[int, ...]:
        """Return what `set_state` takes: the state's number, with the steps taken if they are limited."""
        return (self.here,) if self.max_steps is None else (self.here, self.steps)

    def set_state(self, state: tuple[int, ...]) -> None:
        """Go on from a state that `get_state` returned, in a running episode."""
        fits = isinstance(state, tuple) and len(state) == len(self.get_state())
        require.that(fits, state, "set_state: state", "what get_state returns")
        here, steps = self.game.state_number(state[0], "set_state: state"), 0
        if self.max_steps is not None:
            steps = require.whole(state[1], "set_state: steps", at_least=0)
            rule = f"below {self.max_steps}, where episodes are cut"
            require.that(steps < self.max_steps, steps, "set_state: steps", rule)
        self.here, self.steps = here, steps
        self.agents = list(self.possible_agents)

    def observation(self, state: int | str) -> Any:
        """Return what is observed in a state, by its number or its name, without mask.

        So ``audit(game, threat, networks, observe=env.observation)`` shows networks what they know.
        """
        if isinstance(state, str):
            known = state in self._numbers
            require.that(known, state, "observation: state", "the name of a state", GameError)
            return self._seen(self._numbers[state])
        return self._seen(self.game.state_number(state, "observation: state"))

    def action_mask(self, agent: int) -> np.ndarray[Any, Any]:
        """Return which actions an agent, from 0, has in the present state: (max A_i,) of 0 and 1."""
        width = self.action_spaces[self.possible_agents[agent]].n
        mask: np.ndarray[Any, Any] = np.arange(width) < self.game.action_counts[self.here, agent]
        return mask.astype(np.int8)

    # -- parts ----------------------------------------------------------------------------------

    def _observation_space(self, width: int) -> Any:
        table = self._observations
        inner: Any
        if table is None:
            inner = spaces.Discrete(self.game.n_states)
        else:
            inner = spaces.Box(table.min(axis=0), table.max(axis=0), table.shape[1:], table.dtype.type)
        if not self._mask_in_observation:
            return inner
        return spaces.Dict({"observation": inner, "action_mask": spaces.Box(0, 1, (width,), np.int8)})

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {self.game.state_name(state): state for state in range(self.game.n_states)}

    def _seen(self, state: int) -> Any:
        return state if self._observations is None else self._observations[state].copy()

    def _observe(self) -> ByAgent:
        if not self._mask_in_observation:
            return {name: self._seen(self.here) for name in self.possible_agents}
        return {
            name: {"observation": self._seen(self.here), "action_mask": self.action_mask(agent)}
            for agent, name in enumerate(self.possible_agents)
        }

    def _inform(self, joint: list[int] | None) -> dict[str, ByAgent]:
        infos: dict[str, ByAgent] = {}
        for agent, name in enumerate(self.possible_agents):
            infos[name] = {"action_mask": self.action_mask(agent)}
            if joint is not None:
                infos[name]["action"] = joint[agent]
        return infos

    def _action(self, agent: int, actions: Mapping[str, Any]) -> int:
        name = self.possible_agents[agent]
        where = f"step: action of agent {name!r}"
        if name not in actions:
            raise InputError(f"{where} is missing; must be given for every agent")
        action = actions[name]
        whole = isinstance(action, int | np.integer | np.ndarray) and not require.is_truth_value(action)
        there = whole and self.action_spaces[name].contains(action)
        require.that(there, action, where, f"in {self.action_spaces[name]}")
        count = int(self.game.action_counts[self.here, agent])
        if action < count:
            return int(action)
        if self._illegal == "refuse":
            raise InputError(
                f"{where} in state {self.game.state_name(self.here)!r} is {action}; must be below {count}, "
                "as its action mask says"
            )
        return int(self._rng.integers(count))


def require_actions(actions: Any) -> None:
    """Refuse what gives no actions by agent.

    Raises
    ------
    InputError
        With the value and the rule.
    """
    if not isinstance(actions, Mapping):
        raise InputError(f"step: actions are {shown(actions)}; must be a mapping from agents to actions")


class CorruptedEnv(BaseParallelWrapper):  # type: ignore[misc]  # PettingZoo has no types
    """An environment in which an attacker overrules the agents that it corrupts.

    Attributes
    ----------
    attack : Attack
    corrupted : tuple of int
        Agents, from 0, that were corrupted in the last step; before the first step of an episode with
        static corruption those that will be.
    """

    def __init__(self, env: Any, attack: Attack, timing: str, seed: int) -> None:
        super().__init__(env)
        self.attack = attack
        self.corrupted: Members = ()
        self._static = timing == "static"
        self._stream = self._stream_of(seed)

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[ByAgent, dict[str, ByAgent]]:
        """Start an episode; a seed starts the attacker's random numbers anew, too."""
        observations, infos = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self._stream = self._stream_of(seed)
        here = self.env.unwrapped.here
        self.corrupted = self.attack.draw_set(self._stream, here) if self._static else ()
        return observations, infos

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[ByAgent, dict[str, float], dict[str, bool], dict[str, bool], dict[str, ByAgent]]:
        """Play one joint action, in which corrupted agents play what the attacker wants.

        The info of every agent tells by ``corrupted`` whether it was, and by ``action`` what was played.
        """
        game = self.env.unwrapped
        require_actions(actions)
        played = dict(actions)
        if game.agents:
            for agent, action in self._forced(game.here, game.steps).items():
                played[game.possible_agents[agent]] = action
        observations, rewards, terminations, truncations, infos = self.env.step(played)
        for agent, name in enumerate(game.possible_agents):
            infos[name]["corrupted"] = agent in self.corrupted
        return observations, rewards, terminations, truncations, infos

    def _forced(self, here: int, step: int) -> Forced:
        if self._static:
            return self.attack.draw_for(self._stream, self.corrupted, here, step)
        forced = self.attack.draw(self._stream, here, step)
        self.corrupted = tuple(sorted(forced))
        return forced

    @staticmethod
    def _stream_of(seed: int) -> np.random.Generator:
        """Return a stream that is independent of the environment's own from the same seed."""
        return np.random.default_rng([1, seed])
