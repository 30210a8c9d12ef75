"""The decoupled solver on large games: time beside the plain loop of Eq. (2), and memory.

    python benchmarks/decoupled.py time      S = 1,000, n = 2, A = 4, 5 successors a row, discount .99
    python benchmarks/decoupled.py memory    S = 100,000, n = 2, A = 3

The plain loop solves one cvxpy linear program per agent, state and sweep. Its time is extrapolated: the
number of sweeps is measured with compiled stage games to the same relative accuracy, the time of a
linear program on a sample of the same stage games, both in this run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console

from arneq_exact import MarkovGame, ThreatModel, catalog, check, iterate, load, save, solve
from arneq_exact.markov.bellman import backup
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

console = Console(width=110)
EVERYONE = ThreatModel(1)


def compare_times() -> None:
    """Print the median of five warm solves and its ratio to the plain loop."""
    game = catalog.load(
        "random-sparse", seed=0, agents=2, states=1000, actions=4, discount=0.99, successors=5
    )
    solve(catalog.load("random-sparse", seed=1, agents=2, states=5, actions=4, successors=2), EVERYONE)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        solution = solve(game, EVERYONE)
        seconds.append(time.perf_counter() - start)
        assert solution.proved
    median = statistics.median(seconds)
    result = iterate(game, EVERYONE, tol=1e-8 * (1 - 0.99), keep_trace=False)
    payoffs = backup(game, result.values).reshape(2, game.n_states, 4, 4)
    sample = np.concatenate([payoffs[0, :25], payoffs[1, :25].transpose(0, 2, 1)])
    solve_matrix_games(sample[:1], backend="reference")
    calls: Counter[str] = Counter()
    start = time.perf_counter()
    solve_matrix_games(sample, backend="reference", calls=calls)
    each = (time.perf_counter() - start) / len(sample)
    plain = result.iterations * 2 * game.n_states * each
    console.print(
        f"decoupled solve, {game!r}: {median:.3f} s (median of 5, {min(seconds):.3f} to {max(seconds):.3f}), "
        f"{solution.iterations} policy iterations, relative gap {max(solution.relative_gap):.2g}"
    )
    console.print(
        f"plain loop: {result.iterations} sweeps x {2 * game.n_states} programs x {1e3 * each:.2f} ms "
        f"({calls['cvxpy']} programs timed) = {plain:.0f} s, ratio {plain / median:.0f}"
    )


def measure_memory() -> None:
    """Print time and the peak of memory above the loaded game, in units of the game's own arrays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "game.npz"
        save(
            catalog.load(
                "random-sparse", seed=0, agents=2, states=100_000, actions=3, discount=0.9, successors=5
            ),
            path,
        )
        game = load(path)
    assert isinstance(game, MarkovGame)
    matrix = game.transitions
    arrays = [game.rewards, matrix.data, matrix.indices, matrix.indptr, game.action_counts, game.offsets]
    own = sum(array.nbytes for array in arrays)
    solve(catalog.load("random-sparse", seed=1, agents=2, states=5, actions=3, successors=2), EVERYONE)
    # Linux keeps the peak of resident memory; writing 5 here starts it afresh at the present size.
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    start = time.perf_counter()
    solution = solve(game, EVERYONE)
    seconds = time.perf_counter() - start
    peak = _status("VmHWM") - before
    start = time.perf_counter()
    assert check(game, solution.certificate, EVERYONE).valid
    checking = time.perf_counter() - start
    console.print(
        f"{game!r}: {solution.status} in {seconds:.1f} s, relative gap {max(solution.relative_gap):.2g}, "
        f"checked again in {checking:.1f} s ({solution.certificate.arithmetic})"
    )
    console.print(
        f"game's own arrays {own / 2**20:.0f} MiB, peak above the loaded game {peak / 2**20:.0f} MiB, "
        f"ratio {peak / own:.2f} (resident now {_status('VmRSS') // 2**20} MiB)"
    )


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("time", "memory"))
    {"time": compare_times, "memory": measure_memory}[parser.parse_args().what]()
