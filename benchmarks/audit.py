"""How long an audit takes, compiled code warm: n = 3, S = 1,000, A = 3, 5 successors a row, γ = 0.95.

    python benchmarks/audit.py

The median of five random games under k = 1 with random policies, wall-clock and processor time, then the same
with pure policies (the worst replies then have many ties) and one catalog game of each size.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from arneq_exact import MarkovGame, Policy, ThreatModel, audit, catalog


def random_profile(game: MarkovGame, rng: np.random.Generator, pure: bool) -> Policy:
    """Return Dirichlet mixtures, or one random action everywhere."""
    if pure:
        return Policy.from_actions(game, rng.integers(0, game.action_counts))
    counts = game.action_counts
    return Policy(game, [rng.dirichlet(np.ones(int(a.max())), game.n_states) for a in counts.T])


def seconds(game: MarkovGame, policy: Policy) -> tuple[float, float, float]:
    """Return wall-clock time, processor time and the largest gap of one audit."""
    wall, processor = time.perf_counter(), time.process_time()
    found = audit(game, ThreatModel(1), policy)
    return time.perf_counter() - wall, time.process_time() - processor, float(found.gap.max())


def main() -> None:
    """Print the table."""
    warm = catalog.load("random-sparse", seed=9, agents=3, states=5, actions=3, successors=2)
    audit(warm, ThreatModel(1), Policy.uniform(warm))
    print(f"{'game':<34}{'policy':<10}{'wall s':>9}{'CPU s':>9}{'largest gap':>13}")
    for pure in (False, True):
        runs = []
        for seed in range(5):
            game = catalog.load(
                "random-sparse", seed=seed, agents=3, states=1000, actions=3, discount=0.95, successors=5
            )
            runs.append(seconds(game, random_profile(game, np.random.default_rng(seed), pure)))
        wall, processor, gap = (statistics.median(column) for column in zip(*runs, strict=True))
        kind = "pure" if pure else "mixed"
        print(f"{'random, n = 3, S = 1,000 (median)':<34}{kind:<10}{wall:>9.3f}{processor:>9.3f}{gap:>13.4g}")
    for name in ("level-based-foraging", "crate-pushing"):
        game = catalog.load(name)
        wall, processor, gap = seconds(game, Policy.uniform(game))
        print(f"{name:<34}{'uniform':<10}{wall:>9.3f}{processor:>9.3f}{gap:>13.4g}")


if __name__ == "__main__":
    main()
