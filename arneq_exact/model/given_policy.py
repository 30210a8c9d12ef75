"""What may stand for a policy of all agents: arrays, rules, the forward functions of trained networks.

A profile is given as

* a `Policy`;
* one entry per agent, each an array (S, max A_i), or a function of what the agent observes that returns the
  probabilities of its actions;
* one function of what is observed that returns a row of probabilities per agent.

An observation is the state's name unless `observe` tells otherwise: a function of the name, for instance to
the array that a network was trained on. Nothing is asked of arrays but that numpy can read them; a tensor
with ``detach`` and ``numpy`` is read without importing its library. Numbers of less than double precision are
divided by their sum, which they can miss by rounding; doubles are kept as they are given.

One agent's policy is not silently taken for a profile: it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import PolicyError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy, tabulated
from arneq_exact.require import shown

Observe = Callable[[str], Any]

ROUNDING = 16
"""By how many roundings per action a sum of low precision may miss 1."""


def as_policy(
    game: MarkovGame,
    given: Any,
    observe: Observe | Sequence[Observe] | None = None,
    where: str = "as_policy",
) -> Policy:
    """Return the policy that `given` stands for.

    Parameters
    ----------
    game : MarkovGame
    given : Policy, one array or function per agent, or one function for all
    observe : callable, or one per agent, optional
        From a state's name to what functions are called with; by default they get the name.
    where : str
        Who asks, for messages.

    Raises
    ------
    PolicyError
        If it is one agent's policy, or no policy of this game.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> as_policy(game, [[[0.5, 0.5]], lambda state: [0, 1]])[1].tolist()
    [[0.0, 1.0]]
    >>> half = np.float32([0.1, 0.9])  # sums to 1 + 1.5e-9
    >>> float(as_policy(game, lambda seen: [half] * len(seen), observe=lambda state: np.zeros(2))[0].sum())
    1.0
    """
    if isinstance(given, Policy):
        if observe is not None:
            raise PolicyError(f"{where}: observe is given with a Policy; must go with functions")
        given.require_fit(game, where)
        return given
    eyes = _eyes(game, observe, where)
    if _is_rule(given):
        entries: Sequence[Any] = _split(game, given, observe, where)
        eyes = _eyes(game, None, where)
    else:
        entries = given if isinstance(given, list | tuple) else _numbers(given, f"{where}: policy")
        if isinstance(entries, np.ndarray) and entries.ndim != 3:
            raise PolicyError(
                f"{where}: policy is an array of shape {entries.shape}, at most one agent's; must be a "
                f"profile: one array (S, max A) for each of the {game.n_agents} agents"
            )
        if len(entries) != game.n_agents:
            raise PolicyError(
                f"{where}: policy has {len(entries)} entries; must be a profile: one entry for each of the "
                f"{game.n_agents} agents"
            )
        if all(_is_row(entry) for entry in entries):
            raise PolicyError(
                f"{where}: policy is {shown(given)}, rows of one agent's; must be a profile: one array "
                f"(S, max A) for each of the {game.n_agents} agents"
            )
        if not any(_is_rule(entry) for entry in entries) and observe is not None:
            raise PolicyError(f"{where}: observe is given with arrays; must go with functions")
    arrays = []
    for agent, entry in enumerate(entries):
        if _is_rule(entry):
            arrays.append(tabulated(game, agent, _row_rule(game, agent, entry, eyes[agent], where)))
        else:
            arrays.append(_table(game, agent, entry, where))
    return Policy(game, arrays)


def _is_rule(thing: Any) -> bool:
    return callable(thing) and not hasattr(thing, "__array__") and not hasattr(thing, "detach")


def _is_row(thing: Any) -> bool:
    """Tell whether it is one list of numbers, where a table has one for each state."""
    if isinstance(thing, list | tuple):
        return all(_is_number(entry) for entry in thing)
    return getattr(thing, "ndim", None) == 1


def _is_number(thing: Any) -> bool:
    return isinstance(thing, Real) or getattr(thing, "ndim", None) == 0


def _eyes(game: MarkovGame, observe: Any, where: str) -> list[Observe]:
    """Return one observation function per agent."""
    if observe is None:
        return [lambda state: state] * game.n_agents
    if callable(observe):
        return [observe] * game.n_agents
    if not isinstance(observe, list | tuple) or not all(callable(eye) for eye in observe):
        rule = "a function, or one for each agent"
        raise require.broken(observe, f"{where}: observe", rule, PolicyError)
    if len(observe) != game.n_agents:
        raise PolicyError(f"{where}: observe has {len(observe)} functions; must be {game.n_agents}")
    return list(observe)


def _split(game: MarkovGame, rule: Any, observe: Any, where: str) -> list[Callable[[str], Any]]:
    """Return one function of the state's name per agent from a function that returns the rows of all."""
    if observe is not None and not callable(observe):
        rule = "one function, as the policy is one for all"
        raise require.broken(observe, f"{where}: observe", rule, PolicyError)
    rows: dict[str, Any] = {}
    for state in range(game.n_states):
        name = game.state_name(state)
        answer = rule(name if observe is None else observe(name))
        profile = (
            answer
            if isinstance(answer, list | tuple)
            else np.atleast_1d(_numbers(answer, f"{where}: policy"))
        )
        if all(_is_number(row) for row in profile):
            raise PolicyError(
                f"{where}: policy returns {shown(answer)} in state {name!r}, one agent's probabilities; "
                f"must be a profile: a row for each of the {game.n_agents} agents"
            )
        if len(profile) != game.n_agents:
            raise PolicyError(
                f"{where}: policy returns {len(profile)} rows in state {name!r}; must be a profile: a row "
                f"for each of the {game.n_agents} agents"
            )
        rows[name] = profile

    def part(agent: int) -> Callable[[str], Any]:
        return lambda name: rows[name][agent]

    return [part(agent) for agent in range(game.n_agents)]


def _row_rule(
    game: MarkovGame, agent: int, rule: Any, eye: Observe, where: str
) -> Callable[[str], Sequence[float]]:
    """Return the rule's rows by state name, as doubles, without zeros past the state's own actions."""
    counts = {game.state_name(state): int(a) for state, a in enumerate(game.action_counts[:, agent])}
    width = max(counts.values())

    def row(state: str) -> Sequence[float]:
        place = f"{where}: policy of agent {game.agent_name(agent)!r} in state {state!r}"
        given = _numbers(rule(eye(state)), place)
        if given.ndim != 1:
            raise PolicyError(f"{place} has shape {given.shape}; must be a list of probabilities")
        if len(given) == width and not given[counts[state] :].any():
            given = given[: counts[state]]
        result: list[float] = _doubles(given).tolist()
        return result

    return row


def _table(game: MarkovGame, agent: int, entry: Any, where: str) -> FloatArray:
    """Return one agent's array in double precision, without zeros past its largest number of actions."""
    given = _numbers(entry, f"{where}: policy of agent {game.agent_name(agent)!r}")
    width = int(game.action_counts[:, agent].max())
    if given.ndim and given.shape[-1] > width and not given[..., width:].any():
        given = given[..., :width]
    return _doubles(given)


def _numbers(thing: Any, where: str) -> Any:
    """Return an array of numbers; tensors leave their library by ``detach`` and ``numpy``."""
    try:
        if hasattr(thing, "detach"):
            thing = thing.detach()
            thing = (thing.cpu() if hasattr(thing, "cpu") else thing).numpy()
        array = np.asarray(thing)
        if array.dtype.kind == "O" and all(isinstance(number, Real) for number in array.flat):
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise require.broken(thing, where, "probabilities", PolicyError) from None
    require.that(array.dtype.kind in "fiu", thing, where, "probabilities", PolicyError)
    return array


def _doubles(given: Any) -> FloatArray:
    """Return doubles; rows of lower precision that sum to 1 within rounding are divided by their sum."""
    array: FloatArray = np.asarray(given, dtype=np.float64)
    if given.dtype.kind != "f" or given.dtype.itemsize >= np.dtype(np.float64).itemsize or not given.size:
        return array
    sums = array.sum(axis=-1, keepdims=True)
    near = np.abs(sums - 1) <= ROUNDING * given.shape[-1] * float(np.finfo(given.dtype).eps)
    result: FloatArray = np.where(near, array / np.where(near, sums, 1.0), array)
    return result
