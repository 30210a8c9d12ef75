"""How many random games are solved with proof: decoupling threats, and two agents at k = 0.

    python benchmarks/random_games.py decoupled [--quick]     200 games, all must be certified at 1e-8
    python benchmarks/random_games.py two-agent [--quick]     300 games, at least 97 % must be
    python benchmarks/random_games.py probability [--quick]   90 games, corruption with probability

Every game is of the catalog's random families, so a seed names it. Every certificate is checked again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from arneq_exact import MarkovGame, ThreatModel, catalog, check, solve

TOLERANCE = 1e-8
FAMILIES = ("dense", "sparse", "integer")
DISCOUNTS = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Study:
    """A family of games, its threat and the share that must be proved."""

    games: int
    least_share: float


STUDIES = {"decoupled": Study(200, 1.0), "two-agent": Study(300, 0.97), "probability": Study(90, 0.97)}


def instance(study: str, seed: int) -> tuple[MarkovGame, ThreatModel, str]:
    """Return game number `seed` of a study with its threat and family; sizes are drawn from the seed."""
    rng = np.random.default_rng(10_000 + seed)
    family = FAMILIES[seed // len(DISCOUNTS) % len(FAMILIES)]
    discount = DISCOUNTS[seed % len(DISCOUNTS)]
    if study == "decoupled":
        agents, states = int(rng.integers(2, 5)), int(rng.integers(2, 51))
        # Four agents with four actions and fifty dense states are 12,800 rows: as large as it gets here.
        threat = ThreatModel(agents - 1)
    else:
        agents, states = 2, int(rng.integers(1, 21))
        threat = ThreatModel(0) if study == "two-agent" else ThreatModel(1, probability=f"{1 + seed % 3}/4")
    actions = int(rng.integers(2, 5))
    common = {"seed": seed, "agents": agents, "states": states, "actions": actions, "discount": discount}
    if family == "dense":
        return catalog.load("random-dense", **common), threat, family
    return (
        catalog.load("random-sparse", **common, successors=2, integer=family == "integer"),
        threat,
        family,
    )


def main() -> int:
    """Run one study; the exit code tells whether enough was proved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", choices=tuple(STUDIES))
    parser.add_argument("--quick", action="store_true", help="every tenth game")
    options = parser.parse_args()
    study = STUDIES[options.study]
    seeds = range(0, study.games, 10 if options.quick else 1)
    console = Console(width=110)
    statuses: dict[str, Counter[str]] = {family: Counter() for family in FAMILIES}
    methods: Counter[str] = Counter()
    seconds: list[float] = []
    proved = 0
    for seed in seeds:
        game, threat, family = instance(options.study, seed)
        solution = solve(game, threat, tol=TOLERANCE)
        assert check(game, solution.certificate, threat).valid
        statuses[family][solution.status] += 1
        methods[solution.method] += 1
        seconds.append(solution.seconds)
        proved += solution.proved
        if not solution.proved:
            console.print(f"seed {seed}: {game!r}, {solution.message}")
    table = Table(title=f"{options.study}: {len(seconds)} games at relative tolerance {TOLERANCE:g}")
    for name in ("family", "games", "exact", "certified", "incomplete"):
        table.add_column(name, justify="left" if name == "family" else "right")
    for family, counts in statuses.items():
        table.add_row(
            family, str(counts.total()), *(str(counts[s]) for s in ("exact", "certified", "incomplete"))
        )
    console.print(table)
    share = proved / len(seconds)
    console.print(
        f"proved {proved} of {len(seconds)} ({share:.1%}); by method {dict(methods)}; "
        f"seconds: median {np.median(seconds):.3f}, 95 % {np.quantile(seconds, 0.95):.2f}, "
        f"most {max(seconds):.1f}"
    )
    return 0 if share >= study.least_share else 1


if __name__ == "__main__":
    sys.exit(main())
