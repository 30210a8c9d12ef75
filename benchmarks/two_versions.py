"""Two versions of the package side by side: is the new one no slower than the old one?

    python benchmarks/two_versions.py OLD NEW [--repeats 5] [--only small] [--most 1.1]

OLD and NEW are checkouts. Each version has a process of its own that lives for the whole run, with warm
kernels. The two solve one game after the other in turn, so that both meet the same machine. Seconds are CPU
of `solve`, proof included. A row's ratio is the median over its games of new by old, each the least of
`--repeats` solves. The exit code tells whether every ratio is at most `--most`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

LARGE = ((3, 50, 3, 1), (4, 20, 3, 1), (4, 30, 3, 2), (3, 100, 2, 1), (3, 150, 4, 1), (2, 200, 4, 0))
"""Agents, states, actions, k: the sizes of `large_games.py`, five seeds each."""

CATALOG = (
    ("littman-soccer", (0, 1)),
    ("crate-pushing", (0, 1, 2)),
    ("level-based-foraging", (0, 1, 2)),
    ("patrolling", (0, 1, 2)),
)
"""The games of `catalog_games.py` at every k."""

SMALL = ((3, 1, 2, 1), (3, 4, 2, 1), (2, 20, 3, 0))
"""Small games, where what surrounds the solving counts: fifty seeds each."""

ALONE = 25
"""Solves of a game that is a row of its own: the least of two may still be off by a tenth."""

ENOUGH = 6.0
"""Seconds after which a game is not solved a third time: noise is a few hundredths of a second."""

Item = dict[str, Any]


def rows() -> Iterator[tuple[str, str, list[Item]]]:
    """Every row: its group, its name, its games."""
    for size in SMALL:
        yield "small", str(size), [_random(size, seed) for seed in range(50)]
    for name, budgets in CATALOG:
        for k in budgets:
            yield "catalog", f"{name}, k = {k}", [{"name": name, "k": k, "options": {}}]
    for size in LARGE:
        yield "large", str(size), [_random(size, seed) for seed in range(5)]


def _random(size: tuple[int, ...], seed: int) -> Item:
    agents, states, actions, k = size
    options = {"agents": agents, "states": states, "actions": actions, "discount": 0.9, "seed": seed}
    return {"name": "random-dense", "k": k, "options": options}


def work() -> None:
    """Solve what standard input names, a line a game, and answer with seconds, status and gap."""
    from arneq_exact import ThreatModel, catalog, solve

    for line in sys.stdin:
        item = json.loads(line)
        game = catalog.load(item["name"], **item["options"])
        start = time.process_time()
        solution = solve(game, ThreatModel(item["k"]))
        seconds = time.process_time() - start
        print(json.dumps([seconds, solution.status, max(solution.relative_gap)]), flush=True)


class Version:
    """A process that solves games with the package of one checkout."""

    def __init__(self, checkout: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--work"],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": os.path.abspath(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def solve(self, item: Item) -> tuple[float, str, float]:
        """Return seconds of CPU, the status and the largest relative gap."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(item) + "\n")
        self.process.stdin.flush()
        seconds, status, gap = json.loads(self.process.stdout.readline())
        return seconds, status, gap


def compared(versions: tuple[Version, Version], items: list[Item], repeats: int) -> tuple[list[float], ...]:
    """Return the seconds of both versions, a game each; what differs in status ends the comparison."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for version in versions:  # kernels of this kind of game
        version.solve(items[0])
    for item in items:
        least, told = [float("inf")] * 2, ["", ""]
        tries, spent = 0, 0.0
        while tries < 2 or (tries < repeats and spent < ENOUGH):
            for number, version in enumerate(versions):
                taken, told[number], _gap = version.solve(item)
                least[number] = min(least[number], taken)
                spent += taken
            tries += 1
        assert told[0] == told[1], f"{item}: {told[0]} by the old version, {told[1]} by the new one"
        for number in range(2):
            seconds[number].append(least[number])
    return seconds


def main() -> int:
    """Print a row for each kind of game; the exit code tells whether none is slower than allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--repeats", type=int, default=5, help="solves of each game, at most")
    parser.add_argument("--only", choices=("small", "catalog", "large"))
    parser.add_argument("--most", type=float, default=1.1)
    options = parser.parse_args()
    versions = Version(options.old), Version(options.new)
    table = Table("games", "old, s", "new, s", "new / old", title="Median seconds of CPU of solve")
    worst = 0.0
    for group, name, items in rows():
        if options.only not in (None, group):
            continue
        old, new = compared(versions, items, options.repeats if len(items) > 1 else ALONE)
        ratio = statistics.median(b / a for a, b in zip(old, new, strict=True))
        worst = max(worst, ratio)
        table.add_row(name, f"{statistics.median(old):.4g}", f"{statistics.median(new):.4g}", f"{ratio:.2f}")
    Console(width=110).print(table)
    return int(worst > options.most)


if __name__ == "__main__":
    if sys.argv[1:] == ["--work"]:
        work()
    else:
        sys.exit(main())
