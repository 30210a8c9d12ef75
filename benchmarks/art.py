"""Adversarially Robust Training held against the exact answer, and what its iterations cost.

    python benchmarks/art.py convergence [--quick]   50 games that decouple or are zero-sum, one configuration
    python benchmarks/art.py general [--quick]       0 < k < n−1: final gaps of ART beside the solver's
    python benchmarks/art.py cost                    an exact iteration, and a policy evaluation per agent
    python benchmarks/art.py speed                   simulated steps a second, gradients included

Gaps are largest over agents and states, in units of range/(1 − γ). The number of iterations is fixed and
the last iterate is judged; none is chosen by its gap. Times are processor time of this process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, Policy, ThreatModel, catalog, gap, solve
from arneq_exact.learning import CONVERGENT, make_learner
from arneq_exact.learning.art import ART
from arneq_exact.learning.attacked_game import AttackedGame
from arneq_exact.learning.gradients import ExactGradients
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.bellman import one_blas_thread

DISCOUNT = 0.9
ITERATIONS = 2000
GOOD = 1e-3
LEAST_SHARE = 0.9
FACTOR = 3
TIME_LIMIT = 60
PRODUCT = "(n = 3, product attacks)"

CONFIGURATIONS = {
    "ART as in the paper": {},
    "ART as in the paper, averaged": {"averaging": "linear"},
    "ART, natural gradients": {"natural": True, "agent_rate": 0.1, "attacker_rate": 0.1},
    "ART, CONVERGENT": CONVERGENT,
}

console = Console(width=110)


def random_game(rng: np.random.Generator, n: int, n_states: int, zero_sum: bool = False) -> MarkovGame:
    """Return a game of two actions each: rewards uniform on [−1, 1], transitions uniform on the simplex."""
    rewards = rng.uniform(-1, 1, (n, n_states, *[2] * n))
    if zero_sum:
        rewards[1] = -rewards[0]
    following = rng.dirichlet(np.ones(n_states), size=(n_states, *[2] * n))
    return MarkovGame.from_arrays(rewards, following, DISCOUNT)


def settled_instance(seed: int) -> tuple[str, MarkovGame, ThreatModel]:
    """Return game number `seed` of those where every agent meets one opponent."""
    rng = np.random.default_rng(seed)
    n_states = int(rng.integers(1, 6))
    if seed % 5 in (2, 4):
        return "zero-sum, k = 0", random_game(rng, 2, n_states, zero_sum=True), ThreatModel(0)
    n = (2, 3, 0, 3)[seed % 5]
    return f"decoupled, n = {n}", random_game(rng, n, n_states), ThreatModel(n - 1)


def relative_gap(game: MarkovGame, threat: ThreatModel, policy: Policy) -> float:
    """Return the largest gap in units of range/(1 − γ)."""
    worst = gap(game, threat, policy).max(axis=1)
    return float((worst / game.reward_range * (1 - game.discount)).max())


def table_of_gaps(title: str, rows: dict[str, list[float]]) -> Table:
    """Return the distribution of gaps, a row for each learner."""
    table = Table(title=title)
    names = ("learner", "games", f"≤ {GOOD:g}", "least", "quartile", "median", "3rd quartile", "most")
    for name in names:
        table.add_column(name, justify="left" if name == "learner" else "right")
    for name, gaps in rows.items():
        share = np.mean(np.array(gaps) <= GOOD)
        table.add_row(
            name,
            str(len(gaps)),
            f"{share:.0%}",
            *(f"{q:.1e}" for q in np.quantile(gaps, (0, 0.25, 0.5, 0.75, 1))),
        )
    return table


def convergence(quick: bool) -> bool:
    """Tell whether ART comes to rest at ARNEQ where it can be expected to."""
    rows: dict[str, list[float]] = {}
    began = time.process_time()
    for seed in range(0, 50, 5 if quick else 1):
        kind, game, threat = settled_instance(seed if not quick else seed + seed // 5 % 5)
        learner = make_learner("art-exact", game, threat, **CONVERGENT)
        learner.step(ITERATIONS)
        found = relative_gap(game, threat, learner.policy)
        for name in (kind, "all"):
            rows.setdefault(name, []).append(found)
        if game.n_agents == 3:  # where two are corrupted, product attacks make another game [T2]
            learner = make_learner("art-exact", game, threat, **{**CONVERGENT, "attack": "product"})
            learner.step(ITERATIONS)
            rows.setdefault(PRODUCT, []).append(relative_gap(game, threat, learner.policy))
    rows["all"] = rows.pop("all")
    rows[PRODUCT] = rows.pop(PRODUCT)
    console.print(table_of_gaps(f"exact ART, {CONVERGENT}, {ITERATIONS} iterations, last iterate", rows))
    share = float(np.mean(np.array(rows["all"]) <= GOOD))
    console.print(f"{share:.0%} within {GOOD:g}; {time.process_time() - began:.0f} s")
    return share >= LEAST_SHARE


def general(quick: bool) -> bool:
    """Report final gaps where neither theory nor practice promises that ART arrives."""
    for n, k in ((3, 1), (4, 1), (4, 2)):
        rows: dict[str, list[float]] = {name: [] for name in CONFIGURATIONS}
        rows["solve (proved)"] = []
        for seed in range(2 if quick else 20):
            rng = np.random.default_rng([n, k, seed])
            game, threat = random_game(rng, n, int(rng.integers(1, 6))), ThreatModel(k)
            for name, options in CONFIGURATIONS.items():
                learner = make_learner("art-exact", game, threat, **options)
                learner.step(ITERATIONS)
                rows[name].append(relative_gap(game, threat, learner.policy))
            solution = solve(game, threat, time_limit=TIME_LIMIT)
            ranges = [float(width) for width in game.exact_reward_range()]
            proved = [float(e) / width for e, width in zip(solution.certificate.epsilon, ranges, strict=True)]
            rows["solve (proved)"].append(max(proved) * (1 - DISCOUNT))
        console.print(table_of_gaps(f"n = {n}, k = {k}, {ITERATIONS} iterations, last iterate", rows))
    return True


def seconds(run: Callable[[], object], least: float = 0.5) -> float:
    """Return processor seconds of one call, the mean over at least `least` seconds."""
    run()
    calls, began = 0, time.process_time()
    while time.process_time() - began < least:
        run()
        calls += 1
    return (time.process_time() - began) / calls


def costs(game: MarkovGame, threat: ThreatModel) -> tuple[float, float, float]:
    """Return the seconds of an exact iteration and of n policy evaluations, compiled and by evaluate.py.

    All states must have the same actions.
    """
    learner = ART(game, threat)
    agents = range(game.n_agents)
    played, attack, policy = learner.played(), learner.attack, list(learner.policy)
    source = ExactGradients(AttackedGame(game, threat, "product", "uniform", "cost"))
    judged = [AttackedAgent(game, threat, policy, agent) for agent in agents]

    def compiled() -> None:
        for agent in agents:
            source.evaluate(agent, played)

    def general_purpose() -> None:
        for agent in agents:
            judged[agent].value_of([policy[agent]], [attack[agent]])

    with one_blas_thread():
        return seconds(learner.step), seconds(compiled), seconds(general_purpose)


def cost(quick: bool) -> bool:
    """Measure an exact iteration beside the evaluations of the same plays."""
    table = Table(title="an exact iteration, and one policy evaluation per agent and attacker (ms)")
    for name in ("n, S, A, k", "iteration", "compiled", "ratio", "evaluate.py", "ratio"):
        table.add_column(name, justify="left" if name == "n, S, A, k" else "right")
    met, sizes = [0, 0], 0
    for n, n_states, actions, k in (
        (2, 5, 2, 1),
        (3, 5, 2, 1),
        (3, 100, 3, 1),
        (3, 150, 3, 2),
        (4, 40, 3, 2),
    ):
        game = catalog.load("random-sparse", agents=n, states=n_states, actions=actions, successors=5)
        step, *evaluations = costs(game, ThreatModel(k))
        cells = [f"{cell}" for one in evaluations for cell in (f"{one * 1e3:.3f}", f"{step / one:.2f}")]
        table.add_row(f"{n}, {n_states}, {actions}, {k}", f"{step * 1e3:.3f}", *cells)
        sizes += 1
        met = [count + (step <= FACTOR * one) for count, one in zip(met, evaluations, strict=True)]
    console.print(table)
    console.print(
        f"within {FACTOR} times the compiled evaluation at {met[0]} of {sizes} sizes, "
        f"evaluate.py at {met[1]} of {sizes}"
    )
    return min(met) == sizes


def speed(quick: bool) -> bool:
    """Measure how many steps of the game a sampled learner simulates in a second."""
    game = catalog.load("random-sparse", agents=3, states=100, actions=3, successors=5, discount=DISCOUNT)
    table = Table(title="sampled ART on 100 states, 3 agents, 3 actions: million steps a processor second")
    for name in ("draw", "attack", "episodes a batch", "steps"):
        table.add_column(name, justify="right")
    rates = []
    for draw, attack in (("step", "product"), ("step", "joint"), ("episode", "product")):
        for episodes in (100, 1000):
            learner = make_learner(
                "art-sampled", game, ThreatModel(1), episodes=episodes, draw=draw, attack=attack
            )
            learner.step()
            before, began = learner.environment_steps, time.process_time()
            while time.process_time() - began < 1:
                learner.step()
            rates.append((learner.environment_steps - before) / (time.process_time() - began) / 1e6)
            table.add_row(draw, attack, str(episodes), f"{rates[-1]:.2f}")
    console.print(table)
    return min(rates) >= 1


STUDIES = {"convergence": convergence, "general": general, "cost": cost, "speed": speed}


def main() -> int:
    """Run one study; the exit code tells whether it shows what it must."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", choices=tuple(STUDIES))
    parser.add_argument("--quick", action="store_true", help="a tenth of the games")
    options = parser.parse_args()
    return 0 if STUDIES[options.study](options.quick) else 1


if __name__ == "__main__":
    sys.exit(main())
