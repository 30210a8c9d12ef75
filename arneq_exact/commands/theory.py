"""`arneq theory`: the ledger of statements, its runs, and the search for counterexamples."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arneq_exact.commands.arguments import add_command, add_output, require_output
from arneq_exact.commands.output import INCOMPLETE, INTERRUPTED, PROVED, REFUSED, console, print_json


def add(commands: Any) -> None:
    """Declare the command and what it can be asked to do."""
    parser = add_command(commands, "theory", "list the statements of the theory, run them, search", listing)
    parser.epilog = "exit codes: 0 nothing violated, 1 violated, 2 usage or input error, 3 nothing found"
    add_output(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    running = add_command(actions, "run", "check statements on drawn games; resumes what is in --out", run)
    running.add_argument("ids", nargs="*", metavar="ID", help="such as T1 or T4.nash (default: all)")
    running.add_argument("--games", type=int, default=200, help="games of each statement (default: 200)")
    running.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")
    running.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    running.add_argument("--out", metavar="DIR", help="where parts, table.csv and index.html go")
    add_output(running)

    searching = add_command(
        actions, "search", "find a small game on which a statement fails without a hypothesis", search
    )
    searching.add_argument("id", metavar="ID")
    searching.add_argument("--drop", required=True, metavar="HYPOTHESIS", help="its name, see arneq theory")
    searching.add_argument("--budget", type=float, default=120, metavar="SECONDS", help="default: 120")
    searching.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")
    searching.add_argument("--out", metavar="FILE", help="write the counterexample as JSON")
    add_output(searching)

    repeating = add_command(actions, "repeat", "check evidence from a file again", repeat)
    repeating.add_argument("file", metavar="FILE", help="evidence that a run or a search has written")
    add_output(repeating)


def listing(options: argparse.Namespace) -> int:
    """Run `arneq theory`."""
    from arneq_exact.report.ledger import statements_table
    from arneq_exact.theory.ledger import STATEMENTS

    if options.json:
        print_json(
            [
                {
                    "id": one.id,
                    "title": one.title,
                    "claim": one.claim,
                    "hypotheses": {hypothesis.name: hypothesis.text for hypothesis in one.hypotheses},
                    "status": one.status,
                    "source": one.source,
                    "classes": list(one.families),
                }
                for one in STATEMENTS
            ]
        )
        return PROVED
    rows = [
        {
            "statement": one.id,
            "title": one.title,
            "status": one.status,
            "hypotheses": [hypothesis.name for hypothesis in one.hypotheses],
        }
        for one in STATEMENTS
    ]
    console().print(statements_table(rows))
    return PROVED


def run(options: argparse.Namespace) -> int:
    """Run `arneq theory run`."""
    from arneq_exact.report.ledger import outcome_table
    from arneq_exact.theory.publish import publish
    from arneq_exact.theory.run import run as run_ledger

    try:
        with _parts_progress(options.json) as progress:
            found = run_ledger(
                options.ids,
                games=options.games,
                seed=options.seed,
                folder=options.out,
                workers=options.workers,
                progress=progress,
            )
    except KeyboardInterrupt:
        kept = (
            f"finished parts are kept in {options.out}; the same command resumes"
            if options.out
            else "no --out"
        )
        print(f"arneq theory: interrupted ({kept})", file=sys.stderr)
        return INTERRUPTED
    rows = found.table(by_family=False)
    if options.out:
        publish(found, options.out, _command(options))
    if options.json:
        print_json(found.table())
    else:
        console().print(outcome_table(rows))
        if options.out:
            print(f"written to {Path(options.out) / 'table.csv'} and {Path(options.out) / 'index.html'}")
    return REFUSED if found.violations else PROVED


def search(options: argparse.Namespace) -> int:
    """Run `arneq theory search`."""
    from arneq_exact.theory.search import search as search_for

    require_output(options.out)
    with _draws_progress(options.json) as progress:
        found = search_for(options.id, options.drop, options.budget, options.seed, progress=progress)
    if found is None:
        if options.json:
            print_json({"statement": options.id, "dropped": options.drop, "evidence": None})
        else:
            print(f"{options.id} without {options.drop!r}: nothing found in {options.budget:g} s")
        return INCOMPLETE
    if options.out:
        found.save(options.out)
    if options.json:
        print_json(found.to_json())
    else:
        print(found)
        if options.out:
            print(f"written to {options.out}")
    return PROVED


def repeat(options: argparse.Namespace) -> int:
    """Run `arneq theory repeat`."""
    from arneq_exact.model.json_reading import read_json
    from arneq_exact.theory import search as searching
    from arneq_exact.theory.engine.evidence import Evidence
    from arneq_exact.theory.ledger import repeat as check_again

    data = read_json(options.file)
    if data.get("format") == searching.FORMAT:
        given = searching.Counterexample.from_json(data, options.file).evidence
    else:
        given = Evidence.from_json(data, options.file)
    again = check_again(given)
    same = again.same_as(given)
    if options.json:
        print_json({"same": same, "evidence": again.to_json()})
    else:
        print(again)
        print("the file says the same" if same else f"the file says otherwise: {given}")
    return PROVED if same else REFUSED


def _command(options: argparse.Namespace) -> str:
    """Return the command that gives the same samples; the number of workers makes no difference."""
    return shlex.join(
        ["arneq", "theory", "run", *options.ids, "--games", str(options.games), "--seed", str(options.seed)]
    )


@contextmanager
def _draws_progress(quiet: bool) -> Iterator[Callable[[int, int, float], None] | None]:
    """Show the number of draws and the worst margin on a terminal."""
    from rich.console import Console

    terminal = Console(stderr=True)
    if quiet or not terminal.is_terminal:
        yield None
        return
    with terminal.status("starting") as status:

        def show(draws: int, violations: int, margin: float) -> None:
            status.update(f"{draws} draws, {violations} violate, worst margin {margin:.3g}; Ctrl-C stops")

        yield show


@contextmanager
def _parts_progress(quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """Show a bar on a terminal; say everywhere when kernels are compiled."""
    from rich.console import Console

    from arneq_exact.report.progress import compile_notice

    terminal = Console(stderr=True)
    if quiet or not terminal.is_terminal:
        with compile_notice(lambda line: print(f"arneq: {line}", file=sys.stderr)):
            yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True) as bars, compile_notice(bars.log):
        task = bars.add_task("starting", total=None)

        def show(done: int, total: int, name: str) -> None:
            bars.update(task, completed=done, total=total, description=name)

        yield show
