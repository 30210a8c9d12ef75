"""Sampled updates of Nash-Q a second, over sizes and kinds of stage games.

    python benchmarks/nash_q.py            all rows
    python benchmarks/nash_q.py --largest 100000   fewer updates a row, for a quick look

Each row: a random dense game, discount 0.9, harmonic steps, uniformly random actions along a trajectory.
Process time of one run after a short warm one, without the compilation of kernels.
"""

from __future__ import annotations

import argparse
import time

from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, ThreatModel, catalog
from arneq_exact.learning.nash_q import nash_q

LONGEST = 1_000_000
ROWS = [
    # agents, states, actions, threat, selection, updates
    (2, 10, 2, ThreatModel(0), "first", LONGEST),
    (2, 10, 2, ThreatModel(1), "first", LONGEST),
    (2, 10, 2, ThreatModel(1, probability="1/2"), "first", LONGEST),
    (2, 10, 3, ThreatModel(0), "first", LONGEST),
    (2, 10, 3, ThreatModel(1), "first", LONGEST),
    (2, 10, 3, ThreatModel(1, probability="1/2"), "first", LONGEST),
    (2, 1000, 3, ThreatModel(0), "first", LONGEST),
    (2, 10, 8, ThreatModel(0), "first", LONGEST // 10),
    (2, 10, 8, ThreatModel(1), "first", LONGEST // 10),
    (3, 10, 2, ThreatModel(2), "first", LONGEST // 10),
    (3, 10, 3, ThreatModel(2), "first", LONGEST // 10),
    (2, 10, 3, ThreatModel(0), "welfare", LONGEST // 1000),
    (3, 10, 2, ThreatModel(1), "first", LONGEST // 5000),
]


def measure(game: MarkovGame, threat: ThreatModel, selection: str, updates: int) -> tuple[float, str]:
    """Return process seconds, and the routines that solved stage games."""
    nash_q(game, threat, updates=20, selection=selection, snapshots=1)
    start = time.process_time()
    run = nash_q(game, threat, updates=updates, selection=selection, snapshots=1)
    seconds = time.process_time() - start
    assert run.updates == updates
    return seconds, ", ".join(f"{name} {number}" for name, number in run.calls.items())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--largest", type=int, default=LONGEST, help="most updates of a row")
    most = parser.parse_args().largest
    table = Table(
        "agents", "states", "actions", "threat", "selection", "updates", "seconds", "updates/s", "calls"
    )
    for agents, states, actions, threat, selection, updates in ROWS:
        game = catalog.load(
            "random-dense", seed=0, agents=agents, states=states, actions=actions, discount=0.9
        )
        number = min(updates, most)
        seconds, calls = measure(game, threat, selection, number)
        cells = (agents, states, actions, threat.describe(), selection, f"{number:,}", f"{seconds:.2f}")
        table.add_row(*map(str, cells), f"{number / seconds:,.0f}", calls)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
