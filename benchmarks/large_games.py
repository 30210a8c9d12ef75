"""Large dense random games with three agents or more, and two agents without corruption: time, memory, proof.

    python benchmarks/large_games.py [--seeds 5] [--only 3,50,3,1] [--method auto]

Sizes are (agents, states, actions, k), discount .9, one core. Each size is a process of its own, in which a
small and a middling game of the same number of agents are solved first, so that kernels are warm; "MiB" is
the peak of the process (about 200 without any game). A game that stays incomplete is printed with its proved
gap. The exit code tells whether everything was proved, and within the targets of `TARGETS`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import time

from rich.console import Console
from rich.table import Table

from arneq_exact import ThreatModel, catalog, check, solve

Size = tuple[int, ...]

SIZES: tuple[Size, ...] = (
    (3, 50, 3, 1),
    (4, 20, 3, 1),
    (4, 30, 3, 2),
    (3, 100, 2, 1),
    (3, 150, 4, 1),
    (2, 200, 4, 0),
)
TARGETS: dict[Size, float] = {(3, 50, 3, 1): 3.0, (3, 100, 2, 1): 15.0}
"""Seconds of CPU within which the median game is to be solved and proved."""


def measured(size: Size, seeds: int, method: str) -> tuple[bool, tuple[str, ...], list[str]]:
    """Return whether a size was proved in time, its row of the table, and what stayed incomplete."""
    agents, states, actions, k = size
    threat, common = ThreatModel(k), {"agents": agents, "actions": actions, "discount": 0.9}
    for states_of_warm_up in (2, 20):
        solve(catalog.load("random-dense", seed=99, states=states_of_warm_up, **common), threat)
    seconds, checking, gaps, methods, incomplete = [], [], [], set(), []
    for seed in range(seeds):
        game = catalog.load("random-dense", seed=seed, states=states, **common)
        start = time.process_time()
        solution = solve(game, threat, method=method)
        seconds.append(time.process_time() - start)
        start = time.process_time()
        assert check(game, solution.certificate, threat).valid
        checking.append(time.process_time() - start)
        gaps.append(max(solution.relative_gap))
        methods.add(solution.method)
        if not solution.proved:
            incomplete.append(f"{size} seed {seed}: {solution.message}")
    median, target = statistics.median(seconds), TARGETS.get(size)
    row = (
        str(size),
        f"{seeds - len(incomplete)} of {seeds}",
        f"{max(gaps):.1g}",
        ", ".join(sorted(methods)),
        f"{median:.2f}",
        f"{max(seconds):.2f}",
        "" if target is None else f"{target:g}",
        f"{statistics.median(checking):.2f}",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f}",
    )
    return not incomplete and (target is None or median <= target), row, incomplete


def main() -> int:
    """Solve every size with every seed; the exit code tells whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="one size, such as 3,50,3,1")
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    console = Console(width=130)
    table = Table(title=f"dense random games, {options.seeds} seeds each")
    for heading in ("n, S, A, k", "proved", "largest gap", "methods", "median CPU s", "most", "target"):
        table.add_column(heading)
    table.add_column("check s")
    table.add_column("MiB")
    only = options.only and tuple(int(number) for number in options.only.split(","))
    missed = []
    for size in [only] if only else SIZES:
        # A fresh interpreter, so that the peak of memory is this size's own.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            met, row, incomplete = pool.apply(measured, (size, options.seeds, options.method))
        table.add_row(*row)
        for line in incomplete:
            console.print(line)
        if not met:
            missed.append(row[0])
    console.print(table)
    console.print(f"targets: {'MISSED by ' + '; '.join(missed) if missed else 'met'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
