"""Stationary Nash equilibria of Markov games: our `solve` with proof against the homotopies of sgamesolver.

    python benchmarks/peers/sgamesolver_markov.py [--quick] [--seeds 10]

Sizes are in sgamesolver's order (states, agents, actions); games are the catalog's random-dense with
discount .9 and k = 0, the same for all. Times are CPU times on one thread, taken in turn in one run: for us
the whole `solve` with its proof, kernels warm (games of the same size and other seeds are solved first), for
sgamesolver setting up a homotopy and following it with its default parameters; building the games is left
out. Gaps are in units of the reward range: for us the proved one, for sgamesolver what `arneq_exact.gap`
measures on its normalised strategies. A gap below 1e-12 is rounding (its path ended in a pure equilibrium);
such games are counted, and the ratio of gaps is the least over the other games and both methods.

The last size is given to each homotopy once, in a process of its own with a limit of CPU time.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import multiprocessing
import resource
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, Policy, Solution, ThreatModel, catalog, check, gap, solve
from arneq_exact.markov.bellman import one_blas_thread

# Removed in numpy 2, and used by sgamesolver 1.0.2 when it is imported.
np.NaN = np.nan  # noqa: NPY201

import sgamesolver  # noqa: E402

SIZES = ((2, 2, 2), (8, 2, 2), (16, 2, 3), (8, 3, 2), (32, 3, 2))
LARGE = (64, 2, 4)
METHODS = ("QRE", "LogTracing")
ROUNDING = 1e-12
NASH = ThreatModel(0)


def random_game(size: tuple[int, int, int], seed: int) -> MarkovGame:
    """Return the catalog's random game of one size."""
    states, agents, actions = size
    return catalog.load(
        "random-dense", seed=seed, agents=agents, states=states, actions=actions, discount=0.9
    )


def in_their_form(game: MarkovGame, actions: int) -> sgamesolver.SGame:
    """Return the same game as sgamesolver wants it."""
    joint = (game.n_states, *[actions] * game.n_agents)
    rewards = np.moveaxis(game.rewards.reshape(*joint, game.n_agents), -1, 1)
    transitions = game.transitions.toarray().reshape(*joint, game.n_states)
    return sgamesolver.SGame(list(rewards), list(transitions), np.array(game.discount))


def follow(theirs: sgamesolver.SGame, method: str) -> np.ndarray | None:
    """Return the strategies (S, n, A) at the end of a homotopy, None if it fails."""
    homotopy = getattr(sgamesolver.homotopy, method)(theirs)
    homotopy.solver_setup()
    homotopy.solver.verbose = 0
    homotopy.solve()
    return None if homotopy.equilibrium is None else homotopy.equilibrium.strategies


def relative_gap(game: MarkovGame, strategies: np.ndarray | None) -> float:
    """Return the largest gap in units of the reward range; inf without strategies."""
    if strategies is None:
        return np.inf
    strategies = strategies / strategies.sum(axis=-1, keepdims=True)
    policy = Policy(game, [strategies[:, i] for i in range(game.n_agents)])
    return float((gap(game, NASH, policy).max(axis=1) / game.reward_range).max())


def ours(game: MarkovGame) -> tuple[Solution, float]:
    """Solve with proof; return the CPU seconds too."""
    start = time.process_time()
    solution = solve(game, NASH)
    return solution, time.process_time() - start


def warm_up(size: tuple[int, int, int]) -> None:
    """Compile or load the kernels."""
    for seed in (97, 98, 99):
        solve(random_game(size, seed), NASH)


def compare(size: tuple[int, int, int], seeds: int) -> tuple[list[str], bool]:
    """Return one row of the table, and whether the targets are met."""
    warm_up(size)
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", *METHODS)}
    gaps: dict[str, list[float]] = {name: [] for name in ("ours", *METHODS)}
    proved = 0
    for seed in range(seeds):
        game = random_game(size, seed)
        theirs = in_their_form(game, size[2])
        solution, taken = ours(game)
        proved += solution.proved and check(game, solution.certificate, NASH).valid
        seconds["ours"].append(taken)
        gaps["ours"].append(max(solution.relative_gap))
        for method in METHODS:
            start = time.process_time()
            strategies = follow(theirs, method)
            seconds[method].append(time.process_time() - start)
            gaps[method].append(relative_gap(game, strategies))
    median = {name: float(np.median(taken)) for name, taken in seconds.items()}
    faster = min(METHODS, key=median.__getitem__)
    speed = median[faster] / median["ours"]
    least = min(
        theirs / max(mine, 1e-16)
        for method in METHODS
        for mine, theirs in zip(gaps["ours"], gaps[method], strict=True)
        if theirs > ROUNDING
    )
    row = [str(size), f"{proved}/{seeds}", f"{1e3 * median['ours']:.0f}"]
    row += [f"{1e3 * median[method]:.0f}" for method in METHODS]
    row += [f"{speed:.1f}", f"{max(gaps['ours']):.0e}"]
    for method in METHODS:
        failed, pure = np.isinf(gaps[method]).sum(), (np.array(gaps[method]) <= ROUNDING).sum()
        row.append(f"{np.median(gaps[method]):.0e} ({failed}, {pure})")
    row.append(f"{least:.0e}")
    return row, bool(proved == seeds and speed >= 5 and least >= 1e4)


def follow_alone(method: str, limit: int, answers: multiprocessing.Queue) -> None:
    """Follow one homotopy of the large game; the system ends this process at the limit."""
    game = random_game(LARGE, 0)
    theirs = in_their_form(game, LARGE[2])
    start = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(start) + limit, int(start) + limit + 1))
    with one_blas_thread():
        strategies = follow(theirs, method)
    answers.put((time.process_time() - start, relative_gap(game, strategies)))


def compare_large(console: Console, limit: int) -> bool:
    """Print what becomes of the large game; return whether we solve it."""
    context = multiprocessing.get_context("spawn")
    runs = []
    for method in METHODS:
        answers = context.Queue()
        process = context.Process(target=follow_alone, args=(method, limit, answers))
        process.start()
        runs.append((method, process, answers))
    for method, process, answers in runs:
        process.join(5 * limit)
        if process.is_alive():
            process.terminate()
            process.join()
        if process.exitcode == 0:
            taken, reached = answers.get(timeout=5)
            console.print(f"{LARGE}, sgamesolver {method}: {taken:.1f} s of CPU, gap {reached:.0e}")
        else:
            console.print(f"{LARGE}, sgamesolver {method}: not finished in {limit} s of CPU")
    warm_up(LARGE)
    game = random_game(LARGE, 0)
    solution, taken = ours(game)
    valid = check(game, solution.certificate, NASH).valid
    console.print(
        f"{LARGE}, arneq_exact: {solution.status} in {taken:.2f} s of CPU, proved gap "
        f"{max(solution.relative_gap):.0e}, by {solution.method}, certificate checked: {valid}"
    )
    return solution.proved and valid


def main() -> int:
    """Print the comparison; the exit code tells whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seeds, a limit of 10 s")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    console = Console(width=150)
    table = Table(
        title="stationary Nash equilibria, discount .9; medians of CPU time; (failed, ended in a pure one)"
    )
    for name in (
        "(S, n, A)",
        "proved",
        "ours ms",
        *(f"{method} ms" for method in METHODS),
        "times faster",
        "our largest gap",
        *(f"{method} gap" for method in METHODS),
        "least ratio of gaps",
    ):
        table.add_column(name, justify="right")
    met = True
    with one_blas_thread():
        for size in SIZES:
            row, good = compare(size, 3 if options.quick else options.seeds)
            table.add_row(*row)
            met &= good
        console.print(table)
        met &= compare_large(console, 10 if options.quick else 60)
    verdict = "met" if met else "MISSED"
    console.print("targets (5 times faster, gap 1e4 times smaller, last size solved):", verdict)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
