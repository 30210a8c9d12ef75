"""One Nash equilibrium of one-shot games with three agents: ours against Gambit's logit method.

    python benchmarks/peers/gambit_one_shot.py [--quick] [--games 50]

Payoffs are uniform in -1..1; a second group of each size has only games without a pure equilibrium. Each game
is solved by `gambit.nash.logit_solve` (its default tolerance, a regret of 1e-8 of the payoff range), by our
stage solver, one game a call from Python, and by the whole `solve` with its certificate. Times are CPU times,
the least of three calls, kernels warm; making the game objects is left out for all. Regrets are computed in
Fractions from the profiles returned (normalised exactly), in units of the range of all payoffs.
Ratios are of medians. Gambit's regret is held against its own tolerance, ours against 1e-12.

Gambit's path can take very long, and cannot be interrupted: it runs in a child process, whose CPU
time is limited to 2 s a game. A game that it does not finish counts with these 2 s and a regret of inf.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import prod
from multiprocessing.connection import Connection

import numpy as np
import pygambit
from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, ThreatModel, check, solve
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import StageError
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games

NASH = ThreatModel(0)
THEIR_TOLERANCE = 1e-8 * (1 + 1e-3)
"""With room for the rounding in Gambit's own measurement."""

OUR_TOLERANCE = 1e-12
LIMIT = 2
"""Seconds of CPU time for the calls of Gambit on one game."""

FORK = multiprocessing.get_context("fork")
NAMES = ("gambit", "stage", "solve")

Profile = list[list[float]]


def has_pure_equilibrium(payoffs: np.ndarray) -> bool:
    """Tell whether some joint action is a best reply of every agent."""
    best = [payoffs[i] == payoffs[i].max(axis=i, keepdims=True) for i in range(3)]
    return bool(np.logical_and.reduce(best).any())


def draw(rng: np.random.Generator, actions: int, pure: bool) -> np.ndarray:
    """Draw payoffs, again until there is no pure equilibrium unless these are allowed."""
    while True:
        payoffs = rng.uniform(-1, 1, (3, *[actions] * 3))
        if pure or not has_pure_equilibrium(payoffs):
            return payoffs


def regret(payoffs: np.ndarray, profile: Profile | None) -> float:
    """Return the largest gain by a best reply over the payoff range, in Fractions; inf without a profile."""
    if profile is None or not np.isfinite(np.concatenate(profile)).all():
        return np.inf
    mixtures = []
    for mixture in profile:
        exact = [max(Fraction(float(p)), Fraction(0)) for p in mixture]
        mixtures.append([p / sum(exact) for p in exact])
    worst = Fraction(0)
    for i in range(3):
        replies = [Fraction(0)] * len(mixtures[i])
        for joint in product(*(range(len(mixture)) for mixture in mixtures)):
            weight = prod((mixtures[j][joint[j]] for j in range(3) if j != i), start=Fraction(1))
            if weight:
                replies[joint[i]] += weight * Fraction(float(payoffs[i][joint]))
        own = sum(p * value for p, value in zip(mixtures[i], replies, strict=True))
        worst = max(worst, max(replies) - own)
    return float(worst / (Fraction(float(payoffs.max())) - Fraction(float(payoffs.min()))))


def by_gambit(game: pygambit.Game) -> Profile | None:
    """Return the end of the principal branch, None if it is not reached."""
    try:
        found = pygambit.nash.logit_solve(game).equilibria
    except (RuntimeError, ValueError):
        return None
    return [[p for _, p in mixture] for _, mixture in found[0].mixed_strategies()] if found else None


def in_a_child(game: pygambit.Game, pipe: Connection) -> None:
    """Send Gambit's profile and the least time of three calls."""
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + LIMIT, used + LIMIT))
    seconds = min(seconds_of(lambda: by_gambit(game)) for _ in range(3))
    pipe.send((by_gambit(game), seconds))


def limited_gambit(game: pygambit.Game) -> tuple[Profile | None, float]:
    """Return Gambit's profile and time, or None and the limit if it does not stop."""
    here, there = FORK.Pipe(duplex=False)
    child = FORK.Process(target=in_a_child, args=(game, there))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        return None, float(LIMIT)
    finally:
        child.join()


def by_stage_solver(payoffs: list[np.ndarray]) -> Profile | None:
    """Return what the stage solver finds in one game."""
    try:
        attackers = stage_attackers(NASH, payoffs[0].shape[1:])
        return [list(table[0]) for table in solve_multilinear_games(payoffs, attackers).policy]
    except StageError:
        return None


def by_solve(game: MarkovGame) -> Profile | None:
    """Return the policy of a whole `solve`, None if it is not proved."""
    solution = solve(game, NASH)
    valid = solution.proved and check(game, solution.certificate, NASH).valid
    return [list(table[0]) for table in solution.policy] if valid else None


def seconds_of(call: Callable[[], object]) -> float:
    """Return the CPU time of one call.

    By the thread's clock: a limit on its CPU time makes that of a process as coarse as the system's ticks.
    """
    start = time.thread_time()
    call()
    return time.thread_time() - start


def compare(rng: np.random.Generator, actions: int, pure: bool, games: int) -> tuple[list[str], bool]:
    """Return one row of the table, and whether the targets are met."""
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    regrets: dict[str, list[float]] = {name: [] for name in NAMES}
    # The first game only warms kernels up.
    for number in range(games + 1):
        payoffs = draw(rng, actions, pure)
        theirs = pygambit.Game.from_arrays(*payoffs)
        stage = [payoff[None] for payoff in payoffs]
        whole = MarkovGame.one_shot(payoffs)
        calls = {
            "stage": lambda stage=stage: by_stage_solver(stage),
            "solve": lambda whole=whole: solve(whole, NASH),
        }
        taken = [[seconds_of(calls[name]) for name in calls] for _ in range(3)]
        if number == 0:
            continue
        found, least_of_theirs = limited_gambit(theirs)
        seconds["gambit"].append(least_of_theirs)
        regrets["gambit"].append(regret(payoffs, found))
        for name, least in zip(calls, np.min(taken, axis=0), strict=True):
            seconds[name].append(float(least))
        regrets["stage"].append(regret(payoffs, by_stage_solver(stage)))
        regrets["solve"].append(regret(payoffs, by_solve(whole)))
    median = {name: float(np.median(values)) for name, values in seconds.items()}
    good = {name: int((np.array(values) <= OUR_TOLERANCE).sum()) for name, values in regrets.items()}
    theirs_good = int((np.array(regrets["gambit"]) <= THEIR_TOLERANCE).sum())
    stage_ratio, solve_ratio = (median["gambit"] / median[name] for name in ("stage", "solve"))
    row = [str(actions), "random" if pure else "no pure one"]
    row += [f"{theirs_good} ({good['gambit']})", str(good["stage"]), str(good["solve"])]
    row += [f"{max(regrets[name]):.0e}" for name in NAMES]
    row += [f"{1e3 * median[name]:.2f}" for name in NAMES]
    row += [f"{stage_ratio:.1f}", f"{solve_ratio:.1f}"]
    return row, good["stage"] == good["solve"] == games and stage_ratio >= 5


def main() -> int:
    """Print the comparison; the exit code tells whether the stage solver meets the targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the games")
    parser.add_argument("--games", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    games = options.games // 5 if options.quick else options.games
    rng = np.random.default_rng(options.seed)
    table = Table(title=f"one-shot games, three agents, {games} games each; medians of time")
    for name in (
        "A",
        "games",
        "Gambit ≤ 1e-8 (≤ 1e-12)",
        "stage ≤ 1e-12",
        "solve ≤ 1e-12",
        *(f"{name} worst regret" for name in ("Gambit", "stage", "solve")),
        *(f"{name} ms" for name in ("Gambit", "stage", "solve")),
        "Gambit / stage",
        "Gambit / solve",
    ):
        table.add_column(name, justify="right")
    met = True
    with one_blas_thread():
        for actions, pure in product((2, 3, 4), (True, False)):
            row, good = compare(rng, actions, pure, games)
            table.add_row(*row)
            met &= good
            print(*row, file=sys.stderr, flush=True)
    console = Console(width=150)
    console.print(table)
    console.print(
        "targets of the stage solver (all within 1e-12, 5 times faster):", "met" if met else "MISSED"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
