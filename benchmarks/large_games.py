"""Large dense random games with three agents or more, and two agents without corruption: time, memory, proof.

    python benchmarks/large_games.py [--seeds 5] [--only 3,50,3,1] [--method auto]

Sizes are (agents, states, actions, k), discount .9, one core. A row that stays incomplete is printed with its
proved gap. Compiled kernels are warm: a small game of the same number of agents is solved first.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time

from rich.console import Console

from arneq_exact import ThreatModel, catalog, check, solve

SIZES = ((3, 50, 3, 1), (4, 20, 3, 1), (4, 30, 3, 2), (3, 100, 2, 1), (3, 150, 4, 1), (2, 200, 4, 0))


def main() -> int:
    """Solve every size with every seed; the exit code tells whether all were proved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="one size, such as 3,50,3,1")
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    console = Console(width=120)
    only = options.only and tuple(int(number) for number in options.only.split(","))
    missed = 0
    for size in [only] if only else SIZES:
        agents, states, actions, k = size
        common = {"agents": agents, "actions": actions, "discount": 0.9}
        for states_of_warm_up in (2, 20):
            solve(catalog.load("random-dense", seed=99, states=states_of_warm_up, **common), ThreatModel(k))
        seconds, proving = [], []
        for seed in range(options.seeds):
            game = catalog.load("random-dense", seed=seed, states=states, **common)
            start = time.process_time()
            solution = solve(game, ThreatModel(k), method=options.method)
            seconds.append(time.process_time() - start)
            start = time.process_time()
            assert check(game, solution.certificate, ThreatModel(k)).valid
            proving.append(time.process_time() - start)
            missed += not solution.proved
            if not solution.proved:
                console.print(f"{size} seed {seed}: {solution.message}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        console.print(
            f"{size}: median {statistics.median(seconds):.2f} s of CPU (most {max(seconds):.2f}), checking "
            f"{statistics.median(proving):.2f} s, last by {solution.method}, relative gap "
            f"{max(solution.relative_gap):.1g}, peak of this process so far {peak:.0f} MiB"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
