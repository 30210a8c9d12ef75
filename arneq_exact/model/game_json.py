"""The JSON form of a game: named states and actions, sparse entries, floats or exact "p/q".

::

    {"format": "arneq-game", "version": 1, "agents": ["row", "column"], "discount": 0.9,
     "states": [{"name": "s1", "actions": [["up", "down"], ["left", "right"]],
                 "rows": [{"actions": ["up", "left"], "rewards": [1, "1/3"], "next": {"s1": 0.5}, "end": 0.5},
                          ...]}],
     "initial": {"s1": 1}}

Every joint action of a state has exactly one row, in any order. `end` (default 0) is the probability
that the episode ends after the row; `next` and `end` sum to 1. `discount` is one number or one per
agent, `initial` may be left out. In messages rows are counted from 1, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from arneq_exact.errors import FileError
from arneq_exact.exact.rationals import as_float, double_or_fraction
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_reading import (
    as_list,
    as_name,
    as_names,
    as_object,
    check_format,
    check_keys,
    located,
)
from arneq_exact.model.json_writing import plain
from arneq_exact.model.names import GameNames

FORMAT = "arneq-game"
VERSION = 1
"""Of the format; files of another one are refused."""

Number = float | Fraction


def game_to_json(game: MarkovGame) -> dict[str, Any]:
    """Return the game as data for a JSON file; `game_from_json` gives back the same game.

    Examples
    --------
    >>> data = game_to_json(MarkovGame.one_shot([[3, "1/3"]]))
    >>> data["states"][0]["rows"][1]
    {'actions': ['1'], 'rewards': ['1/3'], 'next': {}, 'end': 1}
    """
    agents = [game.agent_name(agent) for agent in range(game.n_agents)]
    states = [game.state_name(state) for state in range(game.n_states)]
    factors: list[Number] = list(game.exact_discount() if game.exact else game.discount.tolist())
    data: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "agents": agents,
        "discount": plain(factors[0]) if len(set(factors)) == 1 else [plain(factor) for factor in factors],
        "states": [_state_to_json(game, state, states) for state in range(game.n_states)],
    }
    if game.initial is not None:
        data["initial"] = {
            states[state]: plain(float(game.initial[state])) for state in np.flatnonzero(game.initial)
        }
    return data


def game_from_json(data: Any, where: str = "game") -> MarkovGame:
    """Return the game that `data` describes.

    Parameters
    ----------
    data : parsed JSON
    where : str
        The name of the file, for messages.

    Raises
    ------
    FileError
        Names the place, the value and the rule that it breaks.
    """
    top = as_object(data, where)
    check_format(top, where, FORMAT, VERSION)
    check_keys(top, where, ["format", "version", "agents", "discount", "states"], ["initial"])
    agents = as_names(top["agents"], f"{where}: agents")
    discount = _discount(top["discount"], f"{where}: discount", len(agents))
    described = as_list(top["states"], f"{where}: states")
    states = as_names(
        [_state_name(state, where, number) for number, state in enumerate(described, 1)], f"{where}: states"
    )
    reader = _StateReader(agents, states)
    for name, state in zip(states, described, strict=True):
        reader.read(state, f"{where}: state {name!r}")
    initial = None
    if "initial" in top:
        initial = [0.0] * len(states)
        for state, number in _distribution(top["initial"], f"{where}: initial", reader.state_numbers):
            initial[state] = as_float(number, f"{where}: initial", FileError)
    with located(where):
        return MarkovGame.from_rows(
            reader.counts,
            reader.rewards,
            reader.transitions,
            discount,
            termination=reader.termination,
            initial=initial,
            names=GameNames.of(agents, states, reader.actions),
        )


class _StateReader:
    """Collects the rows of all states in the order of the row layout."""

    def __init__(self, agents: list[str], states: list[str]) -> None:
        self.agents = agents
        self.state_numbers = {name: number for number, name in enumerate(states)}
        self.counts: list[list[int]] = []
        self.actions: list[list[list[str]]] = []
        self.rewards: list[list[Number]] = []
        self.transitions: list[list[tuple[Number, int]]] = []
        self.termination: list[Number] = []

    def read(self, state: dict[str, Any], where: str) -> None:
        """Add one state of the file."""
        check_keys(state, where, ["name", "actions", "rows"])
        sets = as_list(state["actions"], f"{where}: actions", len(self.agents), "lists")
        actions = [
            as_names(names, f"{where}: actions of agent {agent!r}")
            for agent, names in zip(self.agents, sets, strict=True)
        ]
        counts = [len(names) for names in actions]
        numbers = [{name: number for number, name in enumerate(names)} for names in actions]
        rows: dict[tuple[int, ...], tuple[list[Number], list[tuple[Number, int]], Number]] = {}
        for position, row in enumerate(as_list(state["rows"], f"{where}: rows"), 1):
            place = f"{where}, row {position}"
            check_keys(as_object(row, place), place, ["actions", "rewards", "next"], ["end"])
            joint = self._joint_action(row["actions"], place, numbers)
            if joint in rows:
                raise FileError(f"{place}: actions {row['actions']} occur twice; must occur once")
            rows[joint] = (
                self._rewards(row["rewards"], place),
                [(p, s) for s, p in _distribution(row["next"], f"{place}: next", self.state_numbers)],
                double_or_fraction(row.get("end", 0.0), f"{place}: end", FileError),
            )
        if len(rows) < prod(counts):
            # The product may be astronomically large: stop at the first joint action without a row.
            absent = next(joint for joint in product(*map(range, counts)) if joint not in rows)
            missing = [names[action] for names, action in zip(actions, absent, strict=True)]
            raise FileError(
                f"{where}: actions {missing} have no row; must have one row for each of "
                f"{prod(counts)} joint actions"
            )
        self.counts.append(counts)
        self.actions.append(actions)
        for joint in product(*map(range, counts)):
            paid, moves, end = rows[joint]
            self.rewards.append(paid)
            self.transitions.append(moves)
            self.termination.append(end)

    def _joint_action(self, data: Any, place: str, numbers: list[dict[str, int]]) -> tuple[int, ...]:
        chosen = as_list(data, f"{place}: actions", len(self.agents), "actions")
        return tuple(
            as_name(name, f"{place}: actions", known, f"action of agent {agent!r}")
            for name, known, agent in zip(chosen, numbers, self.agents, strict=True)
        )

    def _rewards(self, data: Any, place: str) -> list[Number]:
        paid = as_list(data, f"{place}: rewards", len(self.agents), "numbers")
        return [
            double_or_fraction(value, f"{place}: reward of agent {agent!r}", FileError)
            for agent, value in zip(self.agents, paid, strict=True)
        ]


def _state_to_json(game: MarkovGame, state: int, states: list[str]) -> dict[str, Any]:
    actions = [
        [game.action_name(state, agent, action) for action in range(count)]
        for agent, count in enumerate(game.action_counts[state].tolist())
    ]
    first = int(game.offsets[state])
    return {
        "name": states[state],
        "actions": actions,
        "rows": [
            {"actions": list(joint), **_row_to_json(game, first + number, states)}
            for number, joint in enumerate(product(*actions))
        ],
    }


def _row_to_json(game: MarkovGame, row: int, states: list[str]) -> dict[str, Any]:
    start, stop = int(game.transitions.indptr[row]), int(game.transitions.indptr[row + 1])
    targets = game.transitions.indices[start:stop].tolist()
    rewards: list[Number]
    moves: list[Number]
    if game.exact is None:  # a double is written as a decimal, not as the rational that it is
        rewards = game.rewards[row].tolist()
        moves = game.transitions.data[start:stop].tolist()
    else:
        rewards = [game.exact_reward(row, agent) for agent in range(game.n_agents)]
        moves = [probability for probability, _ in game.exact_moves(row)]
    result: dict[str, Any] = {
        "rewards": [plain(reward) for reward in rewards],
        "next": {states[target]: plain(p) for target, p in zip(targets, moves, strict=True)},
    }
    if game.termination is not None and game.termination[row]:
        result["end"] = plain(float(game.termination[row]))
    return result


def _state_name(state: Any, where: str, position: int) -> Any:
    place = f"{where}: state number {position}"
    if "name" not in as_object(state, place):
        raise FileError(f"{place}: key 'name' is missing; must be name, actions, rows")
    return state["name"]


def _discount(data: Any, where: str, n: int) -> Number | list[Number]:
    if not isinstance(data, list):
        return double_or_fraction(data, where, FileError)
    return [double_or_fraction(value, where, FileError) for value in as_list(data, where, n, "numbers")]


def _distribution(data: Any, where: str, known: dict[str, int]) -> Iterator[tuple[int, Number]]:
    """Yield (state number, probability) pairs of a sparse distribution over states."""
    for name, value in as_object(data, where).items():
        state = as_name(name, where, known, "state")
        yield state, double_or_fraction(value, f"{where}: probability of state {name!r}", FileError)
