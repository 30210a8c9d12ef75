"""One face for environments of PettingZoo and of gymnasium: agents by number, joint actions as tuples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import GameError, InputError
from arneq_exact.require import shown

WHERE = "from_environment"
GONE = "gone"
"""The one action of an agent that has left while others go on."""

Joint = tuple[Any, ...]


class Adapter:
    """An environment with the interface of `ParallelEnv`, or of gymnasium's `Env`, which has one agent.

    Attributes
    ----------
    env : the environment
    names : names of its agents
    settable : whether it has `get_state` and `set_state`

    Raises
    ------
    InputError
        If it is neither, or an action space is not `Discrete`.
    """

    def __init__(self, env: Any) -> None:
        self.env = env
        self._parallel = hasattr(env, "possible_agents")
        usable = callable(getattr(env, "step", None)) and callable(getattr(env, "reset", None))
        # What lets agents take turns has a step of another kind.
        if not usable or hasattr(env, "agent_iter") or not hasattr(env, "action_space"):
            raise require.broken(env, f"{WHERE}: env", "a ParallelEnv or a gymnasium.Env")
        self._agents: list[Any] = list(env.possible_agents) if self._parallel else [None]
        self.names = [str(agent) for agent in self._agents] if self._parallel else ["1"]
        self.settable = all(callable(getattr(env, name, None)) for name in ("get_state", "set_state"))
        self._spaces = [env.action_space(a) if self._parallel else env.action_space for a in self._agents]
        for name, space in zip(self.names, self._spaces, strict=True):
            if not hasattr(space, "n") or not hasattr(space, "start"):
                raise InputError(f"{WHERE}: actions of agent {name!r} are {shown(space)}; must be Discrete")

    def gone(self, env: Any) -> tuple[Any, ...]:
        """Return the agents that have left."""
        return tuple(a for a in self._agents if a not in env.agents) if self._parallel else ()

    def actions(self, env: Any, observations: Any, infos: Any) -> tuple[tuple[Any, ...], ...]:
        """Return the actions of every agent in the present state."""
        gone = self.gone(env)
        sets: list[tuple[Any, ...]] = []
        for agent, name, space in zip(self._agents, self.names, self._spaces, strict=True):
            if agent in gone:
                sets.append((GONE,))
                continue
            seen, info = (observations[agent], infos[agent]) if self._parallel else (observations, infos)
            masks = [part["action_mask"] for part in (info, seen) if _has_mask(part)]
            allowed = np.flatnonzero(masks[0]) if masks else np.arange(int(space.n))
            if not allowed.size or allowed[-1] >= space.n:
                raise GameError(
                    f"{WHERE}: action mask of agent {name!r} is {shown(masks[0])}; "
                    f"must allow at least one of {int(space.n)} actions"
                )
            sets.append(tuple(int(space.start) + int(action) for action in allowed))
        return tuple(sets)

    def step(self, env: Any, joint: Joint) -> tuple[Any, list[Any], bool, bool, Any]:
        """Return observations, rewards, whether all has ended, whether something was cut, and infos."""
        if not self._parallel:
            seen, reward, terminated, truncated, info = env.step(joint[0])
            ended, cut = bool(terminated or truncated), bool(truncated and not terminated)
            return seen, [_plain(reward)], ended, cut, info
        acting = {a: action for a, action in zip(self._agents, joint, strict=True) if action != GONE}
        seen, rewards, terminations, truncations, infos = env.step(acting)
        paid = [_plain(rewards.get(agent, 0.0)) for agent in self._agents]
        cut = any(truncations.get(a, False) and not terminations.get(a, False) for a in acting)
        return seen, paid, not env.agents, cut, infos

    def global_state(self, env: Any, observations: Any) -> Any:
        """Return PettingZoo's global state where the environment has one, else what is observed."""
        if not self._parallel:
            return observations
        try:
            return env.state()
        except NotImplementedError:  # so PettingZoo says that there is none
            return observations


def _has_mask(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("action_mask") is not None


def _plain(reward: Any) -> Any:
    """Return a number of numpy as one of Python, anything else as it is, for `explore` to judge."""
    return reward.item() if isinstance(reward, np.generic | np.ndarray) and reward.size == 1 else reward
