"""What commands print to: the console, JSON, progress; and their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

    from rich.console import Console

    from arneq_exact.solver.clock import Progress

PROVED, REFUSED, USAGE, INCOMPLETE = 0, 1, 2, 3
"""Exit codes: a proved answer, a refuted claim, a usage or input error, an answer without its proof."""

INTERRUPTED, READER_GONE = 130, 141
"""Exit codes of a shell for a program that Ctrl-C or a closed pipe has ended: 128 + SIGINT, 128 + SIGPIPE."""


@contextmanager
def solver_progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show what a long run is doing, on a terminal only; say everywhere when kernels are compiled."""
    from rich.console import Console
    from rich.markup import escape

    from arneq_exact.report.progress import compile_notice

    terminal = Console(stderr=True)
    if not terminal.is_terminal or quiet:
        with compile_notice(lambda line: print(f"arneq: {line}", file=sys.stderr)):
            yield None
        return
    with terminal.status("starting") as status, compile_notice(status.update):

        def show(progress: Progress) -> None:
            best = "" if progress.best == float("inf") else f", best relative gap {progress.best:.2g}"
            if progress.proved != float("inf"):
                best += f" (proved {progress.proved:.2g})"
            line = f"{progress.method}: {progress.line} ({progress.seconds:.1f} s{best}), Ctrl-C stops"
            status.update(escape(line))

        yield show


def console() -> Console:
    """Return where tables are printed."""
    from rich.console import Console

    # Piped output keeps one width, so that what is written to a file does not depend on the terminal.
    return Console() if sys.stdout.isatty() else Console(width=110)


def bounds_json(epsilon: Sequence[Fraction], relative: Sequence[float]) -> dict[str, Any]:
    """Return proved bounds as data: exact, and in units of each agent's reward range."""
    exact = [f"{bound.numerator}/{bound.denominator}" for bound in epsilon]
    return {"epsilon": exact, "relative": list(relative)}


def print_json(data: Any) -> None:
    """Print data as JSON."""
    print(json.dumps(data, ensure_ascii=False, indent=1))
