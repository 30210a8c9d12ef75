"""Results as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy

DUST = 1e-12
"""Size below which a number is shown as 0: differences of equal numbers leave such."""

STATUS_STYLE = {"exact": "bold green", "certified": "bold green", "incomplete": "bold yellow"}


class ToldAttack(Protocol):
    """An attack on one agent that can be told in words."""

    def describe(self, game: MarkovGame, state: int) -> str:
        """Return the attack in a state in words."""


def print_profile(
    console: Console,
    game: MarkovGame,
    policy: Policy,
    values: FloatArray,
    attacks: Sequence[ToldAttack],
    *,
    title: str,
    states: int,
    gaps: FloatArray | None = None,
) -> None:
    """Print a row per state and agent: what it plays, what that is worth, its gap and worst attack."""
    table = titled_table(title)
    columns = ["state", "agent", "plays", "robust value", "gap", "worst attack"]
    if gaps is None:
        columns.remove("gap")
    for name in columns:
        number = name in ("robust value", "gap")
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    arrays = policy.at(0)
    shown = min(states, game.n_states)
    for state in range(shown):
        for agent in range(game.n_agents):
            count = int(game.action_counts[state, agent])
            cells = {
                "state": game.state_name(state) if agent == 0 else "",
                "agent": game.agent_name(agent),
                "plays": mixture_text(game, state, agent, arrays[agent][state, :count]),
                "robust value": f"{values[agent, state]:.9g}",
                "gap": "" if gaps is None else f"{gaps[agent, state]:.3g}",
                "worst attack": attacks[agent].describe(game, state),
            }
            # As Text, because names may hold what would be markup.
            table.add_row(*(Text(cells[name]) for name in columns), end_section=agent == game.n_agents - 1)
    console.print(table)
    if shown < game.n_states:
        console.print(f"{shown} of {game.n_states} states; --states shows more, --json all", highlight=False)


def titled_table(title: str) -> Table:
    """Return an empty table in the style of all of them."""
    return Table(
        title=title, title_justify="left", title_style="bold", header_style="", caption_justify="left"
    )


def short_number(value: float, digits: int = 9) -> str:
    """Return a number without the dust that differences of equal numbers leave.

    Examples
    --------
    >>> short_number(1e-17), short_number(1 / 3, 4)
    ('0', '0.3333')
    """
    return f"{0.0 if abs(value) < DUST else value:.{digits}g}"


def mixture_text(game: MarkovGame, state: int, agent: int, probabilities: FloatArray) -> str:
    """Return a mixture in words: actions with their probabilities, those of probability 0 left out."""
    played = np.flatnonzero(probabilities)
    if len(played) == 1:
        return game.action_name(state, agent, int(played[0]))
    return ", ".join(
        f"{game.action_name(state, agent, int(action))}: {probabilities[action]:.6g}" for action in played
    )
