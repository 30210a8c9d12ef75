"""Policies: how every agent mixes over its actions in every state, stationary or time-indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import PolicyError
from arneq_exact.exact.rationals import FloatArray, as_float
from arneq_exact.model.game import MarkovGame

SUM_TOLERANCE = 1e-9
"""Largest miss of a distribution's sum, as of a row of transitions; certificates round it away exactly."""


class Policy:
    """A product policy of all agents, validated against its game.

    Parameters
    ----------
    game : MarkovGame
    probabilities : one array per agent
        (S, max A_i) for a stationary policy, (T, S, max A_i) for a finite horizon, with zeros past
        the state's own actions. Rows must be probabilities that sum to 1 within 1e-9; they are kept
        as given.

    Raises
    ------
    PolicyError
        Names the agent, the state and the rule.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> Policy(game, [[[0.5, 0.5]], [[1, 0]]])[1]
    array([[1., 0.]])
    """

    def __init__(self, game: MarkovGame, probabilities: Sequence[Any]) -> None:
        if not isinstance(probabilities, list | tuple | Policy) and not np.ndim(probabilities):
            rule = "a list of one array per agent"
            raise require.broken(probabilities, "Policy: probabilities", rule, PolicyError, "are")
        if isinstance(probabilities, np.ndarray) and probabilities.ndim == 2:
            raise PolicyError(
                "Policy: one array (S, A) is given; must be one array per agent (a profile, not one policy)"
            )
        if len(probabilities) != game.n_agents:
            raise PolicyError(
                f"Policy: {len(probabilities)} arrays are given; must be one for each agent: {game.n_agents}"
            )
        self._arrays = tuple(_validated(game, agent, values) for agent, values in enumerate(probabilities))
        self._counts = game.action_counts
        horizons = {array.shape[0] if array.ndim == 3 else None for array in self._arrays}
        if len(horizons) > 1:
            raise PolicyError("Policy: agents have different horizons; must be one for all")
        self.horizon: int | None = horizons.pop()
        """Number of steps T of a time-indexed policy, None for a stationary one."""

    @classmethod
    def uniform(cls, game: MarkovGame, horizon: int | None = None) -> Policy:
        """Every agent mixes uniformly over its actions."""
        where = "Policy: horizon"
        horizon = require.optional(require.whole, horizon, where, at_least=1, error=PolicyError)
        arrays = []
        for counts in game.action_counts.T:
            allowed = np.arange(counts.max())[None, :] < counts[:, None]
            array = allowed / counts[:, None]
            arrays.append(array if horizon is None else np.repeat(array[None], horizon, axis=0))
        return cls(game, arrays)

    @classmethod
    def from_actions(cls, game: MarkovGame, actions: Any) -> Policy:
        """Pure policy from action numbers (S, n), or (T, S, n) for a finite horizon."""
        try:
            given = np.asarray(actions)
        except ValueError:
            raise PolicyError("Policy: actions are a ragged list; must be (S, n) integers") from None
        if given.dtype.kind not in "iu":
            raise PolicyError(f"Policy: actions have dtype {given.dtype}; must be integers")
        chosen = given.astype(np.int64)
        if chosen.shape[-2:] != game.action_counts.shape or chosen.ndim not in (2, 3):
            raise PolicyError(
                f"Policy: actions have shape {chosen.shape}; must end in (S, n) = {game.action_counts.shape}"
            )
        if (chosen < 0).any() or (chosen >= game.action_counts).any():
            *_, state, agent = (int(i) for i in np.argwhere((chosen < 0) | (chosen >= game.action_counts))[0])
            raise PolicyError(
                f"Policy: action of agent {game.agent_name(agent)!r} in state {game.state_name(state)!r} "
                f"must be below {game.action_counts[state, agent]}"
            )
        widths = game.action_counts.max(axis=0)
        return cls(game, [np.eye(widths[i])[chosen[..., i]] for i in range(game.n_agents)])

    @classmethod
    def from_callable(cls, game: MarkovGame, rule: Callable[[int, str], Sequence[float]]) -> Policy:
        """Stationary policy from ``rule(agent, state name)``, which returns that agent's probabilities."""

        def rule_of(agent: int) -> Callable[[str], Sequence[float]]:
            return lambda state: rule(agent, state)

        return cls(game, [tabulated(game, agent, rule_of(agent)) for agent in range(game.n_agents)])

    def require_fit(self, game: MarkovGame, where: str) -> None:
        """Refuse a game of other sizes than the one the policy was validated against."""
        if len(self) != game.n_agents or not np.array_equal(self._counts, game.action_counts):
            raise PolicyError(f"{where}: policy was made for a game of other sizes; must fit {game!r}")

    def at(self, step: int) -> tuple[FloatArray, ...]:
        """Return the arrays (S, max A_i) that are played at `step` (any step if stationary)."""
        return self._arrays if self.horizon is None else tuple(array[step] for array in self._arrays)

    def __getitem__(self, agent: int) -> FloatArray:
        return self._arrays[agent]

    def __iter__(self) -> Iterator[FloatArray]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Policy) or len(self) != len(other):
            return NotImplemented
        return all(np.array_equal(mine, theirs) for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def distance(self, other: Policy) -> float:
        """Return the largest difference of two probabilities; both policies must be of one shape."""
        if [mine.shape for mine in self] != [theirs.shape for theirs in other]:
            raise PolicyError(f"Policy: {self!r} and {other!r} have different shapes; must be equal")
        return max(float(np.abs(mine - theirs).max()) for mine, theirs in zip(self, other, strict=True))

    def __repr__(self) -> str:
        kind = "stationary" if self.horizon is None else f"horizon {self.horizon}"
        return f"Policy({len(self)} agents, {self._arrays[0].shape[-2]} states, {kind})"


def tabulated(game: MarkovGame, agent: int, rule: Callable[[str], Sequence[float]]) -> FloatArray:
    """Return the array (S, max A_i) of one agent's ``rule(state name)``; only its lengths are checked.

    Raises
    ------
    PolicyError
        If the rule gives no list of one number per action.
    """
    counts = game.action_counts[:, agent]
    array = np.zeros((game.n_states, int(counts.max())))
    for state in range(game.n_states):
        where = f"Policy: agent {game.agent_name(agent)!r} in state {game.state_name(state)!r}"
        given = rule(game.state_name(state))
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise require.broken(given, where, "a list of probabilities", PolicyError, "has")
        row = [as_float(p, f"{where}: probability", PolicyError) for p in given]
        if len(row) != counts[state]:
            raise PolicyError(f"{where} has {len(row)} probabilities; must be {counts[state]}")
        array[state, : len(row)] = row
    return array


def _validated(game: MarkovGame, agent: int, values: Any) -> FloatArray:
    counts = game.action_counts[:, agent]
    name = game.agent_name(agent)
    try:
        if np.iscomplexobj(values):  # numpy would drop the imaginary part
            raise TypeError
        # Adding 0 turns −0 into 0: equal policies have equal bits.
        array = np.array(values, dtype=np.float64, order="C") + 0.0
    except (TypeError, ValueError):
        raise PolicyError(f"Policy: probabilities of agent {name!r} must be a table of numbers") from None
    if array.ndim not in (2, 3) or array.shape[-2:] != (game.n_states, counts.max()) or 0 in array.shape:
        raise PolicyError(
            f"Policy: probabilities of agent {name!r} have shape {array.shape}; must be "
            f"(S, max A) = {(game.n_states, int(counts.max()))}, with a leading T for a finite horizon"
        )
    beyond = np.arange(array.shape[-1])[None, :] >= counts[:, None]
    wrong = ~(array >= 0) | ~np.isfinite(array) | (beyond & (array != 0))
    if wrong.any():
        *_, state, action = (int(index) for index in np.argwhere(wrong)[0])
        raise PolicyError(
            f"Policy: probability of action {action} of agent {name!r} in state "
            f"{game.state_name(state)!r} is {array[wrong][0]}; must be at least 0, "
            f"and 0 past the state's {counts[state]} actions"
        )
    sums = array.sum(axis=-1)
    if (np.abs(sums - 1) > SUM_TOLERANCE).any():
        *_, state = (int(index) for index in np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)[0])
        raise PolicyError(
            f"Policy: probabilities of agent {name!r} in state {game.state_name(state)!r} sum to "
            f"{sums[np.abs(sums - 1) > SUM_TOLERANCE][0]:.12g}; must be 1"
        )
    array.setflags(write=False)
    return array
