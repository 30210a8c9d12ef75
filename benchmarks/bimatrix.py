"""Count wrong answers on bimatrix and two-agent corruption games, and time them beside their peers.

Run ``python benchmarks/bimatrix.py [--quick]``. Every shape from 1 × 1 to 7 × 7, kinds in turn: generic
payoffs, integers in {0, 1, 2}, and these with duplicated actions. An answer is wrong if a pure reply gains
more than 1e-9 of the agent's payoff range, computed here from the definition; failures to answer are counted
apart.
"""

from __future__ import annotations

import argparse
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import nashpy
import numpy as np
import quantecon.game_theory as gt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from arneq_exact.errors import StageError
from arneq_exact.stage.two_agents import bimatrix, polymatrix

SHAPES = list(product(range(1, 8), repeat=2))
KINDS = ("generic", "integer", "duplicated")
PROBABILITIES = (0.0, 0.1, 0.5, 0.9, 1.0)


def make_payoffs(rng: np.random.Generator, kind: str, A1: int, A2: int) -> np.ndarray:
    """Payoffs (2, A1, A2) of one game."""
    if kind == "generic":
        return rng.uniform(-1.0, 1.0, (2, A1, A2))
    payoff = rng.integers(0, 3, (2, A1, A2)).astype(np.float64)
    if kind == "duplicated":
        payoff[:, -1] = payoff[:, 0]
        if rng.random() < 0.5:
            payoff[:, :, -1] = payoff[:, :, 0]
    return payoff


def relative_regret(
    payoff: np.ndarray, p: float, x1: np.ndarray, x2: np.ndarray, y1: np.ndarray, y2: np.ndarray
) -> float:
    """Largest gain of two agents, and shortfall of their attackers, over the agent's payoff range."""
    against1, against2 = x1 @ payoff[0], payoff[1] @ x2
    own1 = payoff[0] @ ((1 - p) * x2 + p * y1)
    own2 = ((1 - p) * x1 + p * y2) @ payoff[1]
    gain1 = max(own1.max() - own1 @ x1, (against1 @ y1 - against1.min()) * (p > 0))
    gain2 = max(own2.max() - own2 @ x2, (against2 @ y2 - against2.min()) * (p > 0))
    width = [np.ptp(payoff[agent]) or 1.0 for agent in range(2)]
    return float(max(gain1 / width[0], gain2 / width[1]))


def bimatrix_table(games: list[np.ndarray]) -> Table:
    """Wrong answers and method counts of both backends, with nashpy's own Lemke–Howson for comparison."""
    table = Table(title=f"{len(games)} bimatrix games, 1 × 1 to 7 × 7")
    for heading in ("solver", "wrong", "no answer", "largest regret", "answered by", "ms per game"):
        table.add_column(heading, justify="right")
    bimatrix.solve_bimatrix(games[0][None])
    for backend in ("auto", "reference"):
        answered: Counter[str] = Counter()
        regrets = []
        start = time.perf_counter()
        for payoff in track(games, description=backend, transient=True):
            try:
                solution = bimatrix.solve_bimatrix(payoff[None], backend=backend)
            except StageError:
                continue
            answered[bimatrix.METHODS[solution.method[0]]] += 1
            x1, x2 = solution.x1[0], solution.x2[0]
            regrets.append(relative_regret(payoff, 0.0, x1, x2, x2, x1))
        add_row(table, f"arneq, {backend}", regrets, answered, len(games), time.perf_counter() - start)
    regrets = []
    square = [payoff for payoff in games if min(payoff.shape[1:]) > 1]
    start = time.perf_counter()
    for payoff in square:
        with warnings.catch_warnings(), np.errstate(all="ignore"), alarm(2):
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                x1, x2 = nashpy.Game(*payoff).lemke_howson(initial_dropped_label=0)
                regrets.append(relative_regret(payoff, 0.0, x1, x2, x2, x1))
            except (ValueError, TimeoutError):
                continue
    wrong_shape = Counter({"nashpy-lemke-howson": len(regrets)})
    add_row(
        table, "nashpy alone, ≥ 2 actions", regrets, wrong_shape, len(square), time.perf_counter() - start
    )
    return table


def polymatrix_table(games: list[np.ndarray], backends: dict[str, int]) -> Table:
    """Wrong answers of the two-agent solver, on every ``step``-th game of each backend."""
    table = Table(title="two agents and their attackers, p in {0, .1, .5, .9, 1}")
    for heading in ("solver", "wrong", "no answer", "largest regret", "answered by", "ms per game"):
        table.add_column(heading, justify="right")
    polymatrix.solve_polymatrix(games[0][None], 0.5)
    for backend, step in backends.items():
        answered: Counter[str] = Counter()
        regrets = []
        chosen = [(payoff, PROBABILITIES[number % 5]) for number, payoff in enumerate(games)][::step]
        start = time.perf_counter()
        for payoff, p in track(chosen, description=backend, transient=True):
            try:
                solution = polymatrix.solve_polymatrix(payoff[None], p, backend=backend)
            except StageError:
                continue
            answered[polymatrix.METHODS[solution.method[0]]] += 1
            profile = (solution.x1[0], solution.x2[0], solution.y1[0], solution.y2[0])
            regrets.append(relative_regret(payoff, p, *profile))
        add_row(table, f"arneq, {backend}", regrets, answered, len(chosen), time.perf_counter() - start)
    return table


@contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in the block after so many seconds: nashpy's own path need not end."""

    def ring(*_: object) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def add_row(
    table: Table, solver: str, regrets: list[float], answered: Counter[str], games: int, elapsed: float
) -> None:
    """One line of either table."""
    wrong = sum(not regret <= 1e-9 for regret in regrets)
    table.add_row(
        solver,
        str(wrong),
        str(games - len(regrets)),
        f"{max(regrets):.1e}",
        ", ".join(f"{method} {number}" for method, number in answered.items()),
        f"{elapsed / games * 1e3:.3f}",
    )


def time_table(rng: np.random.Generator, games: int) -> Table:
    """Microseconds per game in a batch, beside QuantEcon's jitted Lemke–Howson called once a game."""
    table = Table(title=f"µs per generic game, batches of {games}, median of 5")
    for heading in ("shape", "Lemke–Howson", "QuantEcon", "ratio", "Lemke, p = .5"):
        table.add_column(heading, justify="right")
    for size in (2, 3, 5, 7, 10):
        payoffs = rng.uniform(-1.0, 1.0, (games, 2, size, size))
        peers = [gt.NormalFormGame([gt.Player(a), gt.Player(np.ascontiguousarray(b.T))]) for a, b in payoffs]
        runs = {
            "ours": lambda batch=payoffs: bimatrix.solve_bimatrix(batch),
            "peer": lambda batch=peers: [gt.lemke_howson(game) for game in batch],
            "corruption": lambda batch=payoffs: polymatrix.solve_polymatrix(batch, 0.5),
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(6):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - start) / games * 1e6)
        median = {name: float(np.median(measured[1:])) for name, measured in times.items()}
        table.add_row(
            f"{size} × {size}",
            f"{median['ours']:.2f}",
            f"{median['peer']:.2f}",
            f"{median['ours'] / median['peer']:.2f}",
            f"{median['corruption']:.2f}",
        )
    return table


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the games")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    number = 200 if arguments.quick else 2_000
    games = [make_payoffs(rng, KINDS[k % 3], *SHAPES[k // 3 % len(SHAPES)]) for k in range(number)]
    small = [payoff for payoff in games if max(payoff.shape) <= 6]
    console = Console(width=150)
    console.print(bimatrix_table(games))
    console.print(polymatrix_table(small, {"auto": 1, "reference": 5}))
    console.print(time_table(rng, 100 if arguments.quick else 500))


if __name__ == "__main__":
    main()
