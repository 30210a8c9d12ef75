"""Tables of studies: several equilibria of one game, and the robustness curve."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.report.tables import STATUS_STYLE, mixture_text, short_number, titled_table

STATES = 4
"""States shown of each equilibrium: several equilibria fit on a screen."""

VALUES = {
    "equilibrium": "equilibrium",
    "nash_attacked": "Nash attacked",
    "unattacked": "unattacked",
    "price": "price",
}
"""Columns of a curve: the name in its records, the name in the table."""

ROWS = 60
"""Rows shown of a curve: a screen or two."""


class Listed(NamedTuple):
    """What is told of one equilibrium: its status, the starts that led to it, what is played, its worth."""

    status: str
    starts: int
    policy: Policy
    values: FloatArray


def plain_text(table: Table) -> str:
    """Return a table as text without colours, as wide as it needs to be."""
    stream = io.StringIO()
    Console(file=stream, width=160, color_system=None, markup=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().split("\n"))


def equilibria_table(game: MarkovGame, found: Sequence[Listed], message: str) -> Table:
    """Return one block per equilibrium: status, starts, what each agent plays and what that is worth."""
    table = titled_table(f"{len(found)} distinct equilibri{'um' if len(found) == 1 else 'a'}")
    for name in ("no.", "status", "starts", "state", "agent", "plays", "robust value"):
        right = name in ("no.", "starts", "robust value")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    shown = min(STATES, game.n_states)
    for number, one in enumerate(found):
        for state in range(shown):
            for agent in range(game.n_agents):
                played = one.policy[agent][state, : int(game.action_counts[state, agent])]
                head = (str(number), _status(one.status), str(one.starts)) if state + agent == 0 else [""] * 3
                table.add_row(
                    *head,
                    game.state_name(state) if agent == 0 else "",
                    game.agent_name(agent),
                    mixture_text(game, state, agent, played),
                    f"{one.values[agent, state]:.9g}",
                    end_section=state == shown - 1 and agent == game.n_agents - 1,
                )
    table.caption = message
    if shown < game.n_states:
        table.caption += f"; {shown} of {game.n_states} states are shown"
    return table


def curve_table(records: Sequence[Mapping[str, Any]], level: str, title: str) -> Table:
    """Return the rows of a robustness curve; an incomplete level shows its proved gap."""
    table = titled_table(title)
    for name in (level, "status", "state", "agent", *VALUES.values(), "worst corruption"):
        table.add_column(name, justify="right" if name in VALUES.values() else "left", overflow="fold")
    last: tuple[Any, Any] = (None, None)
    for record in records[:ROWS]:
        here = (record[level], record["state"])
        if last[0] not in (None, here[0]):
            table.add_section()
        status = _status(record["status"])
        if record["status"] == "incomplete":
            status.append(f", relative gap {record['relative_gap']:.1e}")
        table.add_row(
            *("", "") if last[0] == here[0] else (f"{here[0]:.6g}", status),
            "" if last == here else here[1],
            record["agent"],
            *(short_number(record[name]) for name in VALUES),
            record["worst_corruption"],
        )
        last = here
    table.caption = "price: what the Nash policy earns unattacked, less what the equilibrium does"
    if len(records) > ROWS:
        table.caption += f"; {len(records) - ROWS} more rows in to_pandas()"
    return table


def _status(status: str) -> Text:
    return Text(status, STATUS_STYLE[status])
