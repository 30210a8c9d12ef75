"""Hold the enumeration of stage equilibria against Gambit, against parity, and against random searches.

Run ``python benchmarks/enumeration.py [--quick]``. Five tables:

* bimatrix games with integer payoffs, degenerate ones included: the list must equal that of Gambit's rational
  enumeration of mixed equilibria (needs pygambit, see ``benchmarks/peers``; left out without it);
* three agents with two actions each: the number of equilibria must be odd in at least 99 % of random games;
* two agents under a probability of corruption: the same where games are random, and regrets of at most 1e-10;
* every equilibrium that the barrier path of the stage solver finds from random weights must be in the list;
* and so must every one that random starts of another kind find. A start is a profile drawn at random, from
  which least squares minimises the complementarity conditions of agents and attackers, written from their
  definition with the Fischer–Burmeister function.

The exit code tells whether every table meets its target.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import least_squares

from arneq_exact import ThreatModel
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.stage.enumeration.listing import StageEquilibriaList, enumerate_equilibria
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games

Verdict = tuple[Table, bool]
"""A table, and whether its target is met."""

GENERIC = 0.99
"""Share of random games, nearly all of which are generic, that must have an odd number of equilibria."""

KINDS = {"in 0..1": (0, 2), "in 0..2": (0, 3), "in -9..9": (-9, 10)}


def gambit_table(rng: np.random.Generator, games: int) -> Verdict | None:
    """Equality with Gambit's list, kinds of integer payoffs and sizes in turn."""
    try:
        import pygambit
    except ImportError:
        return None
    met = True
    table = Table(title="extreme equilibria of integer bimatrix games, k = 0")
    for heading in (
        "payoffs",
        "size",
        "games",
        "lists equal",
        "equilibria",
        "longest list",
        "ms",
        "Gambit ms",
    ):
        table.add_column(heading, justify="right")
    for name, (low, high) in KINDS.items():
        for size in (3, 4):
            equal, lengths, ours, theirs = 0, [], 0.0, 0.0
            for _ in range(games):
                payoffs = rng.integers(low, high, (2, size, size))
                start = time.perf_counter()
                found = enumerate_equilibria(payoffs, ThreatModel(0))
                ours += time.perf_counter() - start
                game = pygambit.Game.from_arrays(*(payoff.astype(object) for payoff in payoffs))
                start = time.perf_counter()
                listed = pygambit.nash.enummixed_solve(game, rational=True).equilibria
                theirs += time.perf_counter() - start
                peer = {
                    tuple(
                        tuple(Fraction(str(profile[strategy])) for strategy in player.strategies)
                        for player in game.players
                    )
                    for profile in listed
                }
                equal += {one.exact for one in found.equilibria} == peer
                lengths.append(len(found))
            met &= equal == games
            row = (name, f"{size} × {size}", games, equal, sum(lengths), max(lengths))
            table.add_row(*map(str, row), f"{ours / games * 1e3:.2f}", f"{theirs / games * 1e3:.2f}")
    return table, met


def parity_table(rng: np.random.Generator, games: int) -> Verdict:
    """Numbers of equilibria of random games of three agents with two actions."""
    table = Table(title=f"three agents, two actions, {games} random games each")
    for heading in ("threat", "odd", "complete", "numbers of equilibria", "median ms", "worst ms"):
        table.add_column(heading, justify="right")
    met = True
    threats = [ThreatModel(0), ThreatModel(1), ThreatModel(2)]
    threats += [ThreatModel(k, probability="1/2") for k in (1, 2)]
    for threat in threats:
        enumerate_equilibria(rng.uniform(-1, 1, (3, 2, 2, 2)), threat)
        numbers: Counter[int] = Counter()
        complete, seconds = 0, []
        for _ in track(range(games), description=threat.describe(), transient=True):
            payoffs = rng.uniform(-1, 1, (3, 2, 2, 2))
            start = time.perf_counter()
            found = enumerate_equilibria(payoffs, threat)
            seconds.append(time.perf_counter() - start)
            numbers[len(found)] += 1
            complete += found.completeness == "complete"
        odd = sum(count for number, count in numbers.items() if number % 2)
        met &= odd >= GENERIC * games
        table.add_row(
            threat.describe(),
            str(odd),
            str(complete),
            ", ".join(f"{number}: {count}" for number, count in sorted(numbers.items())),
            f"{np.median(seconds) * 1e3:.1f}",
            f"{max(seconds) * 1e3:.1f}",
        )
    return table, met


def conditions(payoffs: np.ndarray, k: int):
    """Residual of the conditions of three agents with two actions and their attackers, from the definition.

    Unknowns: for each agent its mixture (2), its value v, its attacker's mixture (C) and value t.
    """
    sets = {0: [()], 1: None, 2: None}
    columns = []
    for i in range(3):
        others = [j for j in range(3) if j != i]
        groups = sets[k] or ([(j,) for j in others] if k == 1 else [tuple(others)])
        columns.append(
            [dict(zip(K, a, strict=True)) for K in groups for a in product(range(2), repeat=len(K))]
        )

    def matrix(mixtures, i):
        table = np.empty((2, len(columns[i])))
        for c, forced in enumerate(columns[i]):
            value = payoffs[i]
            for j in reversed(range(3)):
                if j != i:
                    weights = np.eye(2)[forced[j]] if j in forced else mixtures[j]
                    value = np.moveaxis(value, j, -1) @ weights
            table[:, c] = value
        return table

    sizes = [2 + 1 + len(c) + 1 for c in columns]

    def fischer(a, b):
        return a + b - np.sqrt(a * a + b * b + 1e-300)

    def residual(z):
        parts = np.split(z, np.cumsum(sizes)[:-1])
        mixtures = [part[:2] for part in parts]
        out = []
        for i, part in enumerate(parts):
            table = matrix(mixtures, i)
            x, v, y, t = part[:2], part[2], part[3:-1], part[-1]
            out += [fischer(x, v - table @ y), fischer(y, x @ table - t), [x.sum() - 1, y.sum() - 1]]
        return np.concatenate(out)

    def start(rng):
        return np.concatenate(
            [np.r_[rng.dirichlet([1, 1]), 0.0, rng.dirichlet(np.ones(len(c))), 0.0] for c in columns]
        )

    def regret(mixtures):
        worst = 0.0
        for i in range(3):
            table = matrix(mixtures, i)
            ends = [0.0, 1.0]
            for a, b in product(table.T, repeat=2):
                slope = (a[1] - a[0]) - (b[1] - b[0])
                if slope != 0 and 0 < (b[0] - a[0]) / slope < 1:
                    ends.append((b[0] - a[0]) / slope)
            best = max(min((1 - p) * col[0] + p * col[1] for col in table.T) for p in ends)
            worst = max(worst, best - (mixtures[i] @ table).min())
        return worst

    return residual, start, regret


def search_table(rng: np.random.Generator, games: int, starts: int = 20) -> Verdict:
    """Equilibria found from random starts, and how many of them the list misses."""
    table = Table(title=f"three agents, two actions, {games} games, {starts} random starts each")
    for heading in ("k", "starts that end in an equilibrium", "distinct ones", "listed in all", "missing"):
        table.add_column(heading, justify="right")
    met_all = True
    for k in range(3):
        ended = distinct = listed = missing = 0
        for _ in track(range(games), description=f"k = {k}", transient=True):
            payoffs = rng.uniform(-1, 1, (3, 2, 2, 2))
            known = [np.array([x[1] for x in one.policy]) for one in found_by(payoffs, k).equilibria]
            listed += len(known)
            residual, start, regret = conditions(payoffs, k)
            met: list[np.ndarray] = []
            for _ in range(starts):
                end = least_squares(residual, start(rng), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=60)
                if np.abs(end.fun).max() > 1e-9:
                    continue
                width = len(end.x) // 3
                mixtures = [np.clip(end.x[i * width : i * width + 2], 0, 1) for i in range(3)]
                mixtures = [x / x.sum() for x in mixtures]
                if regret(mixtures) > 1e-8:
                    continue
                ended += 1
                point = np.array([x[1] for x in mixtures])
                if not any(np.abs(point - other).max() <= 1e-5 for other in met):
                    met.append(point)
            distinct += len(met)
            missing += sum(not any(np.abs(point - one).max() <= 1e-5 for one in known) for point in met)
        met_all &= missing == 0
        table.add_row(*map(str, (k, ended, distinct, listed, missing)))
    return table, met_all


def path_table(rng: np.random.Generator, games: int, starts: int = 20) -> Verdict:
    """Equilibria at the ends of barrier paths from random weights, and how many of them the list misses."""
    table = Table(title=f"three agents, two actions, {games} games, {starts} barrier paths each")
    for heading in ("k", "paths", "distinct ones", "listed in all", "missing"):
        table.add_column(heading, justify="right")
    met_all = True
    for k in range(3):
        attackers = stage_attackers(ThreatModel(k), (2, 2, 2))
        payoffs = rng.uniform(-1, 1, (games, 3, 2, 2, 2))
        met: list[set[int]] = [set() for _ in range(games)]
        known = [
            np.array([[x[1] for x in one.policy] for one in found_by(game, k).equilibria])
            for game in track(payoffs, description=f"k = {k}", transient=True)
        ]
        missing = 0
        for seed in range(1, starts + 1):
            end = solve_multilinear_games(list(payoffs.swapaxes(0, 1)), attackers, seed=seed)
            points = np.stack([x[:, 1] for x in end.policy], axis=1)
            for listed, point, seen in zip(known, points, met, strict=True):
                distance = np.abs(listed - point).max(axis=1)
                if distance.min() > 1e-6:
                    missing += 1
                else:
                    seen.add(int(distance.argmin()))
        met_all &= missing == 0
        row = (k, games * starts, sum(map(len, met)), sum(map(len, known)), missing)
        table.add_row(*map(str, row))
    return table, met_all


def found_by(payoffs: np.ndarray, k: int) -> StageEquilibriaList:
    """The enumeration."""
    return enumerate_equilibria(payoffs, ThreatModel(k))


def probability_table(rng: np.random.Generator, games: int) -> Verdict:
    """Two agents with 0 < ρ < 1: numbers of equilibria and times."""
    table = Table(title=f"two agents, corruption with a probability, {games} games each")
    for heading in ("payoffs", "size", "ρ", "odd", "with a continuum", "largest regret", "median ms"):
        table.add_column(heading, justify="right")
    met = True
    for (name, size), rho in product(
        [("random", 2), ("random", 3), ("random", 4), ("in 0..2", 3)], ("1/10", "1/2")
    ):
        odd = continua = 0
        regret, seconds = 0.0, []
        for _ in range(games):
            draw = (
                rng.uniform(-1, 1, (2, size, size))
                if name == "random"
                else rng.integers(0, 3, (2, size, size))
            )
            start = time.perf_counter()
            found = enumerate_equilibria(draw, ThreatModel(1, probability=rho))
            seconds.append(time.perf_counter() - start)
            odd += len(found) % 2
            continua += not found.isolated
            regret = max(regret, *(one.regret for one in found.equilibria))
        met &= regret <= 1e-10 and (name != "random" or odd >= GENERIC * games)
        row = (
            name,
            f"{size} × {size}",
            rho,
            odd,
            continua,
            f"{regret:.1e}",
            f"{np.median(seconds) * 1e3:.1f}",
        )
        table.add_row(*map(str, row))
    return table, met


def main() -> int:
    """Print the tables; the exit code tells whether all targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the games")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    rng = np.random.default_rng(arguments.seed)
    console = Console(width=150)
    peer = gambit_table(rng, 300 // share)
    if peer is None:
        console.print("pygambit is not installed: no comparison")
    verdicts = [] if peer is None else [peer]
    verdicts.append(parity_table(rng, 1000 // share))
    verdicts.append(probability_table(rng, 100 // share))
    verdicts.append(path_table(rng, 1000 // share))
    verdicts.append(search_table(rng, 20 // share))
    for table, met in verdicts:
        console.print(table)
        console.print(f"target: {'met' if met else 'MISSED'}")
    return 0 if all(met for _, met in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
