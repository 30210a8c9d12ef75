"""Policies that belong to known answers: written in place, or stored as JSON under ``data/``.

A policy is a table ``{state name: one choice per agent}``; a choice is the name of an action, or a
list of probabilities, which may be rationals such as "1/3".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy

Choice = str | Sequence[float | str]
Table = Mapping[str, Sequence[Choice]]
PolicyBuilder = Callable[[MarkovGame], Policy]


def tabulated(table: Table) -> PolicyBuilder:
    """Return the builder of the policy that `table` writes down."""

    def build(game: MarkovGame) -> Policy:
        index = {game.state_name(state): state for state in range(game.n_states)}

        def rule(agent: int, state_name: str) -> list[float]:
            choice = table[state_name][agent]
            if not isinstance(choice, str):
                return list(choice)  # type: ignore[arg-type]  # from_callable reads "p/q" as well
            state = index[state_name]
            count = int(game.action_counts[state, agent])
            names = [game.action_name(state, agent, action) for action in range(count)]
            chosen = names.index(choice)
            return [float(action == chosen) for action in range(count)]

        return Policy.from_callable(game, rule)

    return build


def one_state(*choices: Choice) -> PolicyBuilder:
    """Return the builder for a game with one state: one choice per agent."""
    return tabulated({"0": choices})


def read_table(file: str) -> dict[str, Any]:
    """Return the table in ``data/<file>``."""
    text = files("arneq_exact.catalog").joinpath("data", file).read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)["policy"]
    return table


def stored(file: str) -> PolicyBuilder:
    """Return the builder of the policy in ``data/<file>``, which is read on use only."""
    return lambda game: tabulated(read_table(file))(game)
