"""What the extras of an instance mean, by name, and what is refused.

* *policies* ("policy", "other", "even side", "odd side", "afterwards"): one array (S, max A_i) per agent of
  probabilities; rows need not sum to exactly 1. "policy" may be time-indexed, (T, S, max A_i).
* *values* ("continuation", "upper", "lower"): arrays (n, S).
* "agent": a number from 0; "horizon", "iterations": at least 1; "selection": a name; "directions": a number
  for each agent.

Other names are nobody's business here: a statement of one's own may have its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, NoReturn

import numpy as np

from arneq_exact.errors import InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.require import shown

POLICIES: Final = ("policy", "other", "even side", "odd side", "afterwards")
VALUES: Final = ("continuation", "upper", "lower")
COUNTS: Final = ("horizon", "iterations")


def require_extras(game: MarkovGame, extras: Mapping[str, Any]) -> None:
    """Refuse extras of a known name that do not fit the game.

    Raises
    ------
    InputError

    Examples
    --------
    >>> require_extras(MarkovGame.one_shot([[[1, 0]], [[0, 1]]]), {"agent": 2})
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: Instance: agent is 2; must be an integer from 0 to 1
    """
    for name, value in extras.items():
        if name in POLICIES:
            _require_policy(game, name, value)
        elif name in VALUES:
            _require_array(name, value, (game.n_agents, game.n_states))
        elif name == "agent" and not (_is_integer(value) and 0 <= value < game.n_agents):
            _refuse(name, value, f"an integer from 0 to {game.n_agents - 1}")
        elif name in COUNTS and not (_is_integer(value) and value >= 1):
            _refuse(name, value, "an integer of at least 1")
        elif name == "selection" and not isinstance(value, str):
            _refuse(name, value, "the name of a selection")
        elif name == "directions" and not _are_numbers(value, game.n_agents):
            _refuse(name, value, f"{game.n_agents} numbers, one for each agent")


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, and no truth value."""
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def _refuse(name: str, value: Any, rule: str) -> NoReturn:
    raise InputError(f"Instance: {name} is {shown(value)}; must be {rule}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_numbers(value: Any, count: int) -> bool:
    if isinstance(value, np.ndarray):
        return value.shape == (count,) and value.dtype.kind in "iufO"
    return isinstance(value, tuple) and len(value) == count and all(map(is_number, value))


def _require_policy(game: MarkovGame, name: str, value: Any) -> None:
    if not isinstance(value, tuple) or len(value) != game.n_agents:
        _refuse(name, value, f"a list of {game.n_agents} arrays, one for each agent")
    for agent, (array, most) in enumerate(zip(value, game.action_counts.max(axis=0).tolist(), strict=True)):
        own = f"{name} of agent {agent}"
        shape: tuple[int, ...] = (game.n_states, most)
        if name == "policy" and isinstance(array, np.ndarray) and array.ndim == 3 and len(array):
            shape = (len(array), *shape)
        _require_array(own, array, shape)
        for state, count in enumerate(game.action_counts[:, agent].tolist()):
            played = array[..., state, :count]
            beyond = array[..., state, count:]
            if np.any(played < 0) or np.any(played.sum(axis=-1) <= 0) or np.any(beyond != 0):
                _refuse(f"{own} in state {state}", array[..., state, :].tolist(), "a mixture of its actions")


def _require_array(name: str, value: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufO":
        _refuse(name, value, "an array of numbers")
    if value.shape != shape:
        raise InputError(f"Instance: {name} has shape {value.shape}; must be {shape}")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise InputError(f"Instance: {name} holds a number that is not finite; must be finite")
