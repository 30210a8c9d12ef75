"""`arneq games`: the catalog."""

from __future__ import annotations

import argparse
from typing import Any

from arneq_exact.commands.arguments import add_command, add_output, read_parameters
from arneq_exact.commands.output import PROVED, console, print_json
from arneq_exact.errors import InputError


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
    from arneq_exact.report.catalog import games_table, print_entry

    if options.name is None:
        entries = [catalog.entry(name) for name in catalog.names()]
        if options.out:
            raise InputError("--out is given without a game; must name a game of the catalog")
        if options.json:
            print_json([_entry_json(entry) for entry in entries])
        else:
            console().print(games_table(entries))
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
        print_entry(console(), entry)
    return PROVED


def _entry_json(entry: Any) -> dict[str, Any]:
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
