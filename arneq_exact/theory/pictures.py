"""Runs of the procedure that the ledger's page shows: how it contracts, and how it cycles.

The contraction of [T7] is a statement about each iteration: the residual shrinks at least by the factor γ.
Where types hold throughout it does; on the NoSDE game of [T8] without corruption it does not, and the
values run into a 5-cycle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arneq_exact import catalog
from arneq_exact.markov.iteration import iterate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.solve import solve
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.assumptions import common_types

ITERATIONS = 24
"""Steps that a picture shows: enough to see a slope, few enough to tell them apart."""

SETTLED = 1e-12
"""Residuals, in units of the first, below which their ratio is rounding."""


def contraction_traces(seed: int = 0) -> list[dict[str, Any]]:
    """Return the ratio of residuals per iteration, for one run in each of a few classes.

    Each has "label", "discount", "ratio" (one number per iteration) and "types" ("fixed", "not fixed" or
    "undecided").
    """
    rng = np.random.default_rng(seed)
    runs = [
        ("everyone may be corrupted", families.markov_game(rng, "dense", 3, (2, 2, 2), 0.8), 2),
        ("two agents, opposed", families.markov_game(rng, "opposed", 3, (3, 3), 0.8), 0),
        ("separable, 3 agents, k = 1", families.markov_game(rng, "separable", 3, (2, 2, 2), 0.8), 1),
        ("two agents, dense, k = 0", families.markov_game(rng, "dense", 3, (3, 3), 0.8), 0),
        ("NoSDE game, k = 0", catalog.load("nosde"), 0),
        ("NoSDE game, k = 1", catalog.load("nosde"), 1),
    ]
    return [{"label": label, **_trace(game, k)} for label, game, k in runs]


def _trace(game: MarkovGame, k: int) -> dict[str, Any]:
    found = iterate(game, ThreatModel(k), max_iterations=ITERATIONS)
    residual = found.trace.residual
    kept = residual[1:] > SETTLED * residual[0]
    settled = len(kept) if kept.all() else int(np.argmin(kept))
    fixed = common_types(found.trace.types[: settled + 1]).fixed
    return {
        "discount": float(game.discount.max()),
        "ratio": found.trace.ratio[1 : settled + 1].tolist(),
        "types": {True: "fixed", False: "not fixed", None: "undecided"}[fixed],
        "status": found.status,
    }


def nosde_cycle() -> list[dict[str, Any]]:
    """Return the procedure's values on the NoSDE game in the plane of both agents' values, for k = 0 and 1.

    One entry for each k and state: "k", "state", "path" (pairs of values, from 0 on), "cycle" (the pairs that
    repeat), "equilibrium" (the pair of the stationary equilibrium).
    """
    game = catalog.load("nosde")
    panels = []
    for k in (0, 1):
        found = iterate(game, ThreatModel(k), max_iterations=200)
        solution = solve(game, ThreatModel(k))
        values = found.trace.values
        period = found.cycle.period if found.cycle else 0
        for state in range(game.n_states):
            pairs = values[:, :, state]
            panels.append(
                {
                    "k": k,
                    "state": game.state_name(state),
                    "path": pairs.tolist(),
                    "cycle": pairs[len(pairs) - period :].tolist() if period else [],
                    "equilibrium": solution.values[:, state].tolist(),
                }
            )
    return panels
