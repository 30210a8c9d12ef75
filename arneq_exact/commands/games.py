"""`arneq games`: the catalog."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from arneq_exact.commands.arguments import add_command, add_output, read_parameters
from arneq_exact.commands.output import PROVED, console, print_json
from arneq_exact.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from arneq_exact.catalog import CatalogEntry


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "games", "list the catalog, describe or write one of its games", run)
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", metavar="FILE", help="write the game as .json or .npz")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Run `arneq games`."""
    from arneq_exact import catalog
    from arneq_exact.model.files import save_game

    if options.name is None:
        entries = [catalog.entry(name) for name in catalog.names()]
        if options.out:
            raise InputError("--out is given without a game; must name a game of the catalog")
        if options.json:
            print_json([_entry_json(entry) for entry in entries])
        else:
            console().print(_games_table(entries))
        return PROVED
    entry = catalog.entry(options.name)
    if options.out:
        game = catalog.load(options.name, **read_parameters(options.param))
        save_game(game, options.out)
        print(f"{game!r} written to {options.out}")
    elif options.param:
        raise InputError("--param is given without --out; it chooses the instance that is written")
    elif options.json:
        print_json(_entry_json(entry))
    else:
        _print_entry(console(), entry)
    return PROVED


def _entry_json(entry: CatalogEntry) -> dict[str, Any]:
    agents, states, rows = entry.sizes
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": entry.summary,
        "origin": entry.origin,
        "agents": agents,
        "states": states,
        "rows": rows,
        "parameters": {name: default for name, (default, _) in entry.parameters.items()},
        "answers": [
            {"label": answer.label, "threat": answer.threat.to_json(), "source": answer.source}
            for answer in entry.answers
        ],
    }


def _games_table(entries: Sequence[CatalogEntry]) -> Table:
    """Return the list of catalog games."""
    from rich.table import Table

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


def _print_entry(terminal: Console, entry: CatalogEntry) -> None:
    """Print everything the catalog says of one game."""
    n, n_states, rows = entry.sizes
    terminal.print(f"[bold]{entry.name}[/]: {entry.title} ({n} agents, {n_states} states, {rows} rows)")
    terminal.print(entry.summary, highlight=False, markup=False)
    terminal.print(f"origin: {entry.origin}", highlight=False, markup=False)
    for name, (default, meaning) in entry.parameters.items():
        terminal.print(f"  {name} = {default!r}: {meaning}", highlight=False, markup=False)
    if entry.answers:
        terminal.print("known answers:")
    for answer in entry.answers:
        instance = "".join(f", {key} = {value!r}" for key, value in answer.parameters.items())
        state, values = next(iter(answer.values.items()))
        worth = ", ".join(str(value) for value in values)
        terminal.print(
            f"  {answer.label}: {answer.threat.describe()}{instance}: worth ({worth}) at {state!r}; "
            f"{answer.source}",
            highlight=False,
            markup=False,
        )
