"""`arneq experiment`: learners on families of games, judged exactly; tables, figures, resumable."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arneq_exact.commands.arguments import add_command
from arneq_exact.commands.output import PROVED, console

if TYPE_CHECKING:
    from arneq_exact.learning.experiment.scheduling import Progress

FIGURES = ("svg", "png", "none")


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "experiment", "train learners and judge them by the exact answer", run)
    parser.add_argument("config", metavar="CONFIG", help="a .toml file, see the docs on experiments")
    parser.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="folder of the results; a run that was stopped goes on there",
    )
    parser.add_argument("--quick", action="store_true", help="the small version that CONFIG describes")
    parser.add_argument("--seeds", type=int, metavar="N", help="at most N seeds of each learner")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="runs at a time (default: 1)")
    parser.add_argument(
        "--backend", default="loky", help="joblib's: loky, threading, sequential or dask (default: loky)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, with --backend dask")
    parser.add_argument("--format", default="csv", help="of the tables: csv or parquet (default: csv)")
    parser.add_argument("--figures", default="svg", choices=FIGURES, help="default: svg")


def run(options: argparse.Namespace) -> int:
    """Run `arneq experiment`."""
    from arneq_exact.learning.experiment import summary
    from arneq_exact.learning.experiment.configuration import read_config
    from arneq_exact.learning.experiment.results import require_format
    from arneq_exact.learning.experiment.scheduling import run_experiment
    from arneq_exact.report.experiment import final_tables, margin_table
    from arneq_exact.report.experiment_plot import draw_curves, draw_finals, require_plots

    # What could only be refused at the end is refused before the work.
    require_format(options.format)
    if options.figures != "none":
        require_plots()
    config = read_config(options.config, quick=options.quick, seeds=options.seeds)
    out = Path(options.out)
    terminal = console()
    with _bars() as progress:
        result = run_experiment(
            config,
            out,
            workers=options.workers,
            backend=options.backend,
            scheduler=options.scheduler,
            progress=progress,
        )
    written = result.write(out, options.format)
    finals, references = summary.finals(result), summary.references(result)
    if options.figures != "none":
        kinds = {instance.name: instance.kind for instance in config.instances}
        written += [out / f"curves.{options.figures}", out / f"final.{options.figures}"]
        draw_curves(written[-2], summary.curves(result), references, kinds)
        draw_finals(written[-1], finals, references)
    terminal.print(config.title, style="bold", highlight=False)
    for table in final_tables(finals, references, config.confidence):
        terminal.print(table)
    margins = summary.margins(result)
    if margins:
        terminal.print(margin_table(margins))
    terminal.print(f"written to {', '.join(map(str, written))}", highlight=False, soft_wrap=True)
    return PROVED


@contextmanager
def _bars() -> Iterator[Progress | None]:
    """Show a bar per game and budget, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    terminal = Console(file=sys.stderr)
    if not terminal.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal) as bars:
        tasks: dict[tuple[str, int], Any] = {}

        def show(state: Mapping[tuple[str, int], tuple[float, int]]) -> None:
            for key, (done, count) in state.items():
                if key not in tasks:
                    tasks[key] = bars.add_task(f"{key[0]}, k = {key[1]}", total=count)
                bars.update(tasks[key], completed=done)

        yield show
