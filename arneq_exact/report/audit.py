"""Tables of an audit: one by budget, one by corruption set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.report.tables import ToldAttack, short_number, titled_table

MOST_SETS = 8
"""Corruption sets that have a column each on a page; of more, only the worst of each size is named."""

DIGITS = 6
"""Significant digits of values: enough to tell agents and budgets apart, few enough for many columns."""


class Figures(Protocol):
    """What is printed of an audit; `arneq_exact.Audit` says what each of them is."""

    @property
    def threat(self) -> ThreatModel:
        """The threat that was asked for."""

    @property
    def nominal(self) -> FloatArray:
        """(n, S)."""

    @property
    def robust(self) -> Mapping[int, FloatArray]:
        """{k: (n, S)}."""

    @property
    def by_set(self) -> Mapping[tuple[int, tuple[int, ...]], FloatArray]:
        """{(agent, K): (S,)}."""

    @property
    def per_state(self) -> FloatArray:
        """(n, S)."""

    @property
    def static(self) -> FloatArray | None:
        """(n, S), or None."""

    @property
    def worst(self) -> Sequence[ToldAttack]:
        """One per agent."""

    @property
    def gap(self) -> FloatArray:
        """(n, S)."""


def print_audit(console: Console, game: MarkovGame, audit: Figures, states: int) -> None:
    """Print the values from the start and at `states` states, by budget and by corruption set."""
    console.print(budget_table(game, audit, states))
    console.print(set_table(game, audit, states))
    if states < game.n_states:
        console.print(f"{states} of {game.n_states} states; --states shows more, --json all", highlight=False)


def budget_table(game: MarkovGame, audit: Figures, states: int) -> Table:
    """Return nominal and robust values, both timings, gap and worst attack, by place and agent."""
    columns: dict[str, FloatArray] = {"nominal": audit.nominal}
    columns |= {f"k = {k}": values for k, values in audit.robust.items() if k > 0}
    if not any((values == audit.per_state).all() for values in audit.robust.values()):
        columns["per state"] = audit.per_state
    if audit.static is not None:
        columns["static"] = audit.static
    table = _table(f"Audit under {audit.threat.describe()}", [*columns, "gap"], ["worst attack"])
    for place in _places(game, states):
        for agent in range(game.n_agents):
            numbers = [short_number(place.read(values[agent]), DIGITS) for values in columns.values()]
            attack = "" if place.state is None else audit.worst[agent].describe(game, place.state)
            gap = f"{place.read(audit.gap[agent]):.3g}"
            _add(table, game, place, agent, [*numbers, gap, attack])
    table.caption = (
        f"largest gap {audit.gap.max():.3g}; k = …: at most k corrupted, drawn anew at every state; "
        "static: drawn once per episode"
    )
    return table


def set_table(game: MarkovGame, audit: Figures, states: int) -> Table:
    """Return the values when one set is corrupted throughout, by place and agent."""
    sets = sorted({K for _, K in audit.by_set}, key=lambda K: (len(K), K))
    sizes = range(game.n_agents)
    few = len(sets) <= MOST_SETS
    titles = [_members(game, K) for K in sets] if few else [f"worst of {size}" for size in sizes]
    table = _table("Value when one set is corrupted throughout", titles, [])
    for place in _places(game, states):
        for agent in range(game.n_agents):
            worth = {K: place.read(values) for (of, K), values in audit.by_set.items() if of == agent}
            cells = {K: short_number(value, DIGITS) for K, value in worth.items()}
            if few:
                _add(table, game, place, agent, [cells.get(K, "") for K in sets])
                continue
            least = [min((K for K in worth if len(K) == size), key=worth.__getitem__) for size in sizes]
            _add(table, game, place, agent, [f"{cells[K]} ({_members(game, K)})" for K in least])
    return table


class _Place(NamedTuple):
    """Where values are read: a state, or the mean over first states."""

    label: str
    state: int | None
    read: Callable[[FloatArray], float]


def _places(game: MarkovGame, states: int) -> Iterator[_Place]:
    start = game.initial
    if start is not None and (start < 1).all():
        yield _Place("(start)", None, lambda values: float(values @ start))
    for state in range(min(states, game.n_states)):
        yield _Place(game.state_name(state), state, lambda values, state=state: float(values[state]))  # type: ignore[misc]


def _add(table: Table, game: MarkovGame, place: _Place, agent: int, cells: Sequence[str]) -> None:
    head = ("" if agent else place.label, game.agent_name(agent))
    # As Text, because names may hold what would be markup.
    table.add_row(*map(Text, (*head, *cells)), end_section=agent == game.n_agents - 1)


def _members(game: MarkovGame, members: Sequence[int]) -> str:
    return ", ".join(game.agent_name(j) for j in members) or "nobody"


def _table(title: str, numbers: Sequence[str], words: Sequence[str]) -> Table:
    table = titled_table(title)
    for name in ("state", "agent", *numbers, *words):
        table.add_column(Text(name), justify="right" if name in numbers else "left", overflow="fold")
    return table
