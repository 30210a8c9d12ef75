"""Time compiled stage programs against QuantEcon's jitted minmax, and compare their values with HiGHS.

Run ``python benchmarks/stage_lp.py [--quick]``. Both are timed in turn in one run, on the same matrices,
warm; the figures are medians over the repetitions. Ours include normalisation and verification.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from quantecon.optimize import minmax
from rich.console import Console
from rich.table import Table
from scipy.optimize import linprog

from arneq_exact.stage.zero_sum.linear import METHODS, solve_matrix_games

SHAPES = [(2, 4), (3, 9), (5, 5), (10, 10), (9, 3), (4, 48), (8, 64)]
GATED = SHAPES[:4]


@njit
def minmax_values(matrices: np.ndarray) -> np.ndarray:
    """QuantEcon's minmax on every matrix, with the loop compiled too."""
    values = np.empty(matrices.shape[0])
    for game in range(matrices.shape[0]):
        values[game] = minmax(matrices[game])[0]
    return values


def highs_value(matrix: np.ndarray) -> float:
    """Value of one matrix game by scipy's HiGHS."""
    rows, columns = matrix.shape
    result = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-matrix.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
    )
    return float(-result.fun)


def make_matrices(rng: np.random.Generator, kind: str, games: int, shape: tuple[int, int]) -> np.ndarray:
    """Random matrices, or integers in {0, 1, 2} with duplicated rows and columns in every other one."""
    if kind == "random":
        return rng.uniform(-1.0, 1.0, (games, *shape))
    matrices = rng.integers(0, 3, (games, *shape)).astype(np.float64)
    matrices[::2, -1] = matrices[::2, 0]
    matrices[::2, :, -1] = matrices[::2, :, 0]
    return matrices


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def time_table(rng: np.random.Generator, games: int, repetitions: int) -> Table:
    """Microseconds per game, ours and QuantEcon's side by side."""
    table = Table(title=f"µs per matrix game, batches of {games}, median of {repetitions}")
    for heading in ("shape", "kind", "arneq", "QuantEcon", "ratio", "largest gap / range", "answered by"):
        table.add_column(heading, justify="right")
    for shape in SHAPES:
        for kind in ("random", "degenerate"):
            matrices = make_matrices(rng, kind, games, shape)
            solution = solve_matrix_games(matrices)
            minmax_values(matrices[:2])
            ours, theirs = [], []
            for _ in range(repetitions):
                ours.append(seconds(lambda batch=matrices: solve_matrix_games(batch)))
                theirs.append(seconds(lambda batch=matrices: minmax_values(batch)))
            mine, peer = (float(np.median(times)) / games * 1e6 for times in (ours, theirs))
            answered = np.bincount(solution.method, minlength=len(METHODS))
            table.add_row(
                f"{shape[0]} × {shape[1]}",
                kind,
                f"{mine:.3f}",
                f"{peer:.3f}",
                f"{mine / peer:.2f}" + (" (≤ 1.5)" if shape in GATED else ""),
                f"{solution.regret.max():.1e}",
                ", ".join(f"{METHODS[code]} {number}" for code, number in enumerate(answered) if number),
            )
    return table


def value_table(rng: np.random.Generator, random_games: int, degenerate_games: int) -> Table:
    """Largest difference to the values of HiGHS."""
    table = Table(title="values against HiGHS")
    for heading in ("kind", "matrices", "largest difference", "above 1e-9"):
        table.add_column(heading, justify="right")
    for kind, games in (("random", random_games), ("degenerate", degenerate_games)):
        differences = []
        for shape in GATED:
            matrices = make_matrices(rng, kind, games // len(GATED), shape)
            values = solve_matrix_games(matrices).value
            expected = [highs_value(matrix) for matrix in matrices]
            differences.extend(np.abs(values - expected))
        table.add_row(
            kind,
            str(len(differences)),
            f"{max(differences):.1e}",
            str(int((np.array(differences) > 1e-9).sum())),
        )
    return table


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller batches, a tenth of the comparisons")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    console = Console(width=120)
    quick = arguments.quick
    console.print(time_table(rng, 10_000 if quick else 50_000, 5 if quick else 9))
    console.print(value_table(rng, 1_000 if quick else 10_000, 200 if quick else 2_000))


if __name__ == "__main__":
    main()
