"""The catalog's larger games at every k: status, proved gap, method, CPU time and memory.

    python benchmarks/catalog_games.py [--only littman-soccer] [--time-limit 120] [--method auto]

Each row is a process of its own, on one core and with warm kernels: the game's own class is solved on a small
random game first. "CPU s" is `solve` with its proof, "MiB" the peak of the process (about 200 without any
game). A row that stays incomplete is printed with its proved gap. Every certificate is checked again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time

from rich.console import Console
from rich.table import Table

from arneq_exact import ThreatModel, catalog, check, solve

GAMES = ("littman-soccer", "crate-pushing", "level-based-foraging", "patrolling")


def measured(name: str, k: int, method: str, time_limit: float) -> tuple[str, ...]:
    """Solve one game and return its row of the table."""
    game = catalog.load(name)
    threat = ThreatModel(k)
    warm_up = {"agents": game.n_agents, "states": 2, "actions": 2}
    solve(catalog.load("random-dense", seed=1, **warm_up), threat, method=method)
    start = time.process_time()
    solution = solve(game, threat, method=method, time_limit=time_limit)
    seconds = time.process_time() - start
    assert check(game, solution.certificate, threat).valid
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    size = f"{game.n_agents}, {game.n_states}, {game.n_rows}"
    numbers = (f"{max(solution.relative_gap):.1g}", solution.method, f"{seconds:.2f}", f"{peak:.0f}")
    return name, str(k), size, solution.status, *numbers, solution.message


def main() -> int:
    """Solve every game at every k; the exit code tells whether all were proved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=GAMES)
    parser.add_argument("--time-limit", type=float, default=120.0)
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    console = Console(width=130)
    table = Table(title=f"catalog games, time limit {options.time_limit:g} s")
    for heading in ("game", "k", "n, states, rows", "status", "relative gap", "method", "CPU s", "MiB"):
        table.add_column(heading)
    missed = 0
    for name in (options.only,) if options.only else GAMES:
        for k in range(catalog.load(name).n_agents):
            # A fresh interpreter, so that the peak of memory is this row's own.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                *row, message = pool.apply(measured, (name, k, options.method, options.time_limit))
            table.add_row(*row)
            console.print(f"{name}, k = {k}: {row[3]} in {row[6]} s: {message}")
            missed += row[3] == "incomplete"
    console.print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
