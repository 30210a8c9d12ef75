"""How many games of every class are solved with proof: any number of agents, any k, degenerate games.

    python benchmarks/all_classes.py random [--quick] [--part 1/2] [--method M]       1,000 dense random games
    python benchmarks/all_classes.py degenerate [--quick] [--part 1/2] [--method M]     500 degenerate games
    python benchmarks/all_classes.py threats [--quick] [--part 1/2] [--method M]    200 games, general threats
    python benchmarks/all_classes.py speed                                     small games, discount .9

Random games have n = 2–4 agents, 1–8 states, 2–3 actions, every k in turn and a discount of .5, .9 or .99;
the catalog's seed names them. Degenerate ones go through the kinds of `KINDS` in turn, games under general
threats (n = 2–4, 1–5 states) through those of `THREATS`. Every certificate is checked again. Printed are the
share proved, the share proved at the first attempt (the first start of the first method), which method won,
CPU times with warm kernels, and every failure. Quick runs skip ten games of eleven, and parts are blocks of
the rest: all kinds are met, whose numbers are prime to eleven.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, Solution, ThreatModel, catalog, check, gap, solve
from arneq_exact.markov import barrier
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.candidates import Problem
from arneq_exact.solver.choice import chosen_solvers
from arneq_exact.solver.registry import SOLVERS

TOLERANCE = 1e-8
DISCOUNTS = (0.5, 0.9, 0.99)
GAMES = {"random": 1000, "degenerate": 500, "threats": 200}
WARM_UP = 13
SPEED_SIZES = ((2, 4, 2, 0), (2, 8, 3, 0), (3, 3, 2, 0), (3, 3, 2, 1), (4, 2, 2, 1), (4, 2, 2, 2))
KINDS = (
    "integer",
    "sparse",
    "team",
    "zero-sum",
    "constant",
    "duplicated actions",
    "dummy agent",
    "absorbing",
    "one action",
    "scales",
    "unequal counts",
    "unequal discounts",
    "scales and integer",
)
THREATS = (
    "probability",
    "sets",
    "sets with probability",
    "masks",
    "masks with probability",
    "inequalities",
    "informed",
    "informed with inequalities and masks",
    "distribution",
    "distribution, informed",
)


def random_game(number: int) -> tuple[MarkovGame, ThreatModel, str]:
    """Return game `number`: sizes are drawn from it, k and the discount go round."""
    rng = np.random.default_rng(20_000 + number)
    agents, states = int(rng.integers(2, 5)), int(rng.integers(1, 9))
    actions, discount = int(rng.integers(2, 4)), DISCOUNTS[number % 3]
    k = number // 3 % agents
    game = catalog.load(
        "random-dense", seed=number, agents=agents, states=states, actions=actions, discount=discount
    )
    return game, ThreatModel(k), f"n = {agents}, k = {k}"


def degenerate_game(number: int) -> tuple[MarkovGame, ThreatModel, str]:
    """Return game `number` of the degenerate ones, of kind `number` modulo their number."""
    kind = KINDS[number % len(KINDS)]
    rng = np.random.default_rng(30_000 + number)
    n, n_states = int(rng.integers(2, 5)), int(rng.integers(1, 6))
    discount = np.full(n, rng.choice(DISCOUNTS))
    counts = np.full((n_states, n), int(rng.integers(2, 4)))
    if kind == "zero-sum":
        n = 2
        counts, discount = counts[:, :2], discount[:2]
    if kind in ("one action", "unequal counts"):
        counts = rng.integers(1, 4, (n_states, n))
    if kind == "one action":
        counts[:, rng.integers(n)] = 1
    if kind == "unequal discounts":
        discount = rng.choice([0.1, 0.5, 0.9, 0.99], n)
    source = np.repeat(np.arange(n_states), counts.prod(axis=1))
    rows = len(source)
    rewards = rng.integers(-2, 3, (rows, n)).astype(np.float64)
    if kind in ("unequal counts", "unequal discounts", "scales"):
        rewards = rng.uniform(-1, 1, (rows, n))
    transitions = np.zeros((rows, n_states))
    transitions[np.arange(rows), rng.integers(n_states, size=rows)] = 1.0
    if kind in ("integer", "team", "unequal discounts", "scales"):
        transitions = rng.dirichlet(np.ones(n_states), rows)
    if kind == "absorbing":
        stay = source % 2 == 0
        transitions[stay] = np.eye(n_states)[source[stay]]
    if kind == "team":
        rewards[:] = rewards[:, :1]
    elif kind == "zero-sum":
        rewards[:, 1] = -rewards[:, 0]
    elif kind == "constant":
        rewards[:, : int(rng.integers(1, n + 1))] = rng.integers(-2, 3)
    elif kind in ("duplicated actions", "dummy agent"):
        twin = int(rng.integers(n))
        for s in range(n_states):
            own = np.flatnonzero(source == s)
            action = np.unravel_index(np.arange(len(own)), counts[s])
            image = [a.copy() for a in action]
            # The last action is a copy of the first, or all actions of the agent are copies of it.
            image[twin] = image[twin] * 0 if kind == "dummy agent" else image[twin] % (counts[s, twin] - 1)
            same = own[np.ravel_multi_index(image, counts[s])]
            rewards[own], transitions[own] = rewards[same], transitions[same]
    if kind.startswith("scales"):
        rewards *= 10.0 ** rng.choice([-6, 0, 6], n)
    game = MarkovGame(rewards, sp.csr_array(transitions), counts, discount)
    return game, ThreatModel(int(rng.integers(n))), kind


def threatened_game(number: int) -> tuple[MarkovGame, ThreatModel, str]:
    """Return game `number` of those under general threats: dense and random, sizes are drawn from the number.

    Agents number 3, 2, 3, 4 in turn, so that every kind of threat meets 2, 3 and 4 of them.
    """
    kind = THREATS[number % len(THREATS)]
    rng = np.random.default_rng(40_000 + number)
    n, states = (3, 2, 3, 4)[number // len(THREATS) % 4], int(rng.integers(1, 6))
    actions, discount = int(rng.integers(2, 4)) if n < 4 else 2, DISCOUNTS[number % 3]
    game = catalog.load(
        "random-dense", seed=50_000 + number, agents=n, states=states, actions=actions, discount=discount
    )
    threat: dict[str, Any] = {"informed": kind.startswith("informed") or kind.endswith("informed")}
    if kind.startswith("sets"):
        threat["sets"] = {i: _drawn_sets(rng, n, i) for i in range(n)}
    elif kind.startswith("distribution"):
        threat["distribution"] = {i: _drawn_law(rng, _drawn_sets(rng, n, i)) for i in range(n)}
    else:
        k = int(rng.integers(1, n))
        threat["k"] = k
        if "inequalities" in kind:
            sets = sum(comb(n - 1, size) for size in range(k + 1))
            threat["inequalities"] = _drawn_inequalities(rng, sets)
    if kind.endswith("probability"):
        threat["probability"] = Fraction(int(rng.integers(1, 10)), 10)
    if "masks" in kind:
        threat["masks"] = {
            i: {s: rng.choice(actions, int(rng.integers(1, actions)), replace=False) for s in range(states)}
            for i in range(n)
            if i == 0 or rng.random() < 0.5
        }
    return game, ThreatModel(**threat), kind


def _drawn_sets(rng: np.random.Generator, n: int, agent: int) -> list[tuple[int, ...]]:
    """Return one to four corruption sets among all but `agent`, the empty one possibly among them."""
    others = [j for j in range(n) if j != agent]
    every = [found for size in range(n) for found in combinations(others, size)]
    count = int(rng.integers(1, min(4, len(every)) + 1))
    return [every[at] for at in sorted(rng.choice(len(every), count, replace=False))]


def _drawn_law(rng: np.random.Generator, sets: list[tuple[int, ...]]) -> dict[frozenset[int], Fraction]:
    weights = rng.integers(1, 6, len(sets)).tolist()
    return {frozenset(one): Fraction(w, sum(weights)) for one, w in zip(sets, weights, strict=True)}


def _drawn_inequalities(rng: np.random.Generator, sets: int) -> tuple[list[list[int]], list[Fraction]]:
    """Return one or two half-spaces through or beyond a random distribution: no empty polytope."""
    weights = rng.integers(1, 6, sets).tolist()
    half_spaces = rng.integers(-3, 4, (int(rng.integers(1, 3)), sets)).tolist()
    at = [
        Fraction(sum(g * w for g, w in zip(row, weights, strict=True)), sum(weights)) for row in half_spaces
    ]
    return half_spaces, [bound + Fraction(int(rng.integers(0, 3)), 4) for bound in at]


BUILD: dict[str, Callable[[int], tuple[MarkovGame, ThreatModel, str]]] = {
    "random": random_game,
    "degenerate": degenerate_game,
    "threats": threatened_game,
}


def measure_speed(console: Console) -> int:
    """Print the median CPU time of whole solves, and of the barrier path's first accurate candidate."""
    for agents, states, actions, k in SPEED_SIZES:
        threat = ThreatModel(k)
        whole, alone, steps = [], [], []
        for seed in range(21):
            game = catalog.load(
                "random-dense", seed=seed, agents=agents, states=states, actions=actions, discount=0.9
            )
            start = time.process_time()
            assert solve(game, threat).proved
            middle = time.process_time()
            found = next(one for one in barrier.run(Problem(game, threat)) if one.bounds is not None)
            alone.append(time.process_time() - middle)
            whole.append(middle - start)
            steps.append(found.iterations)
            assert (gap(game, threat, found.policy).max(axis=1) <= TOLERANCE * game.reward_range).all()
        # The first one compiles or loads kernels.
        console.print(
            f"{(agents, states, actions, k)}: solved and proved in {1e3 * np.median(whole[1:]):.1f} ms, "
            f"barrier path alone {1e3 * np.median(alone[1:]):.1f} ms, {np.median(steps[1:]):.0f} steps"
        )
    return 0


def at_first_attempt(solution: Solution, game: MarkovGame, threat: ThreatModel, method: str) -> bool:
    """Tell whether the first method that was asked proved its answer from its first start."""
    later = [f"start {number} " for number in range(2, 10)] + [f"path {number}," for number in range(2, 10)]
    return (
        solution.proved
        and solution.method == chosen_solvers(SOLVERS, game, threat, method, None)[0].name
        and not any(words in entry.note for entry in solution.trace for words in later)
    )


def main() -> int:
    """Run one study; the exit code tells whether everything was proved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", choices=(*GAMES, "speed"))
    parser.add_argument("--quick", action="store_true", help="every eleventh game")
    parser.add_argument("--part", default="1/1", help="which share of the games: 1/2, 2/2")
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    part, parts = (int(number) for number in options.part.split("/"))
    console = Console(width=120)
    if options.study == "speed":
        with one_blas_thread():
            return measure_speed(console)
    proved, first, total = Counter[str](), Counter[str](), Counter[str]()
    methods: Counter[str] = Counter()
    seconds: dict[str, list[float]] = defaultdict(list)
    numbers = np.arange(0, GAMES[options.study], 11 if options.quick else 1)
    for number in range(WARM_UP):
        # Kernels are compiled or loaded before anything is measured.
        game, threat, _ = BUILD[options.study](number)
        solve(game, threat, tol=TOLERANCE, method=options.method)
    for number in np.array_split(numbers, parts)[part - 1].tolist():
        game, threat, family = BUILD[options.study](number)
        start = time.process_time()
        solution = solve(game, threat, tol=TOLERANCE, method=options.method)
        seconds[family].append(time.process_time() - start)
        assert check(game, solution.certificate, threat).valid
        total[family] += 1
        proved[family] += solution.proved
        methods[solution.method if solution.proved else "none"] += 1
        first[family] += at_first_attempt(solution, game, threat, options.method)
        if not solution.proved:
            console.print(f"game {number} ({family}): {game!r}, {threat.describe()}: {solution.message}")
    table = Table(title=f"{options.study} games, relative tolerance {TOLERANCE:g}")
    for name in ("family", "games", "proved", "first attempt", "median ms", "most ms"):
        table.add_column(name, justify="left" if name == "family" else "right")
    for family in sorted(total):
        times = 1e3 * np.array(seconds[family])
        counts = (total[family], proved[family], first[family])
        table.add_row(family, *map(str, counts), f"{np.median(times):.0f}", f"{times.max():.0f}")
    console.print(table)
    games = total.total()
    console.print(
        f"proved {proved.total()} of {games} ({proved.total() / games:.1%}), at the first attempt "
        f"{first.total()} ({first.total() / games:.1%}); by method {dict(methods)}; "
        f"{sum(sum(times) for times in seconds.values()):.0f} s of CPU"
    )
    return 0 if proved == total else 1


if __name__ == "__main__":
    sys.exit(main())
