"""The catalog on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from arneq_exact.catalog import CatalogEntry


def games_table(entries: Sequence[CatalogEntry]) -> Table:
    """Return the list of catalog games."""
    table = Table(header_style="")
    table.add_column("name", style="bold", no_wrap=True)
    for name in ("agents", "states", "rows"):
        table.add_column(name, justify="right")
    table.add_column("title")
    table.add_column("known answers")
    for entry in entries:
        labels = dict.fromkeys(answer.label for answer in entry.answers)
        table.add_row(entry.name, *(str(size) for size in entry.sizes), entry.title, ", ".join(labels))
    return table


def print_entry(console: Console, entry: CatalogEntry) -> None:
    """Print everything the catalog says of one game."""
    n, n_states, rows = entry.sizes
    console.print(f"[bold]{entry.name}[/]: {entry.title} ({n} agents, {n_states} states, {rows} rows)")
    console.print(entry.summary, highlight=False, markup=False)
    console.print(f"origin: {entry.origin}", highlight=False, markup=False)
    for name, (default, meaning) in entry.parameters.items():
        console.print(f"  {name} = {default!r}: {meaning}", highlight=False, markup=False)
    if entry.answers:
        console.print("known answers:")
    for answer in entry.answers:
        instance = "".join(f", {key} = {value!r}" for key, value in answer.parameters.items())
        state, values = next(iter(answer.values.items()))
        worth = ", ".join(str(value) for value in values)
        console.print(
            f"  {answer.label}: {answer.threat.describe()}{instance}: worth ({worth}) at {state!r}; "
            f"{answer.source}",
            highlight=False,
            markup=False,
        )
