"""Threshold public good: all enjoy a good that enough of them must pay for.

One state, one move. Each of n agents contributes (1) or does not (0). If at least τ contribute, every agent
gains b; each contributor pays c whatever happens, 0 < c < b: Q_i = b·1{Σ a_j ≥ τ} − c·a_i.

[F2]: at budget k, with m = min(k, n−1), the pure ARNEQs have exactly q = τ + m contributors if that is at
most n. With q contributors an attacker removes m of them; a contributor is then just pivotal (it faces τ −
1 others at worst), and a free rider still enjoys the good. Contributors are worth b − c, the others b. If τ
≥ 2, nobody contributing, worth 0, is one as well. For k = n−1 an agent alone cannot secure the good, and 0
is the unique value (τ ≥ 2).
"""

from __future__ import annotations

from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "threshold-public-good"
MOST_AGENTS = 12
"""Rows double with every agent, and sets of any size are among the threats: 4096 of each are enough."""


def build(agents: Any, threshold: Any, benefit: Any, cost: Any) -> MarkovGame:
    """Build the one-state game."""
    n = parameters.whole(NAME, "agents", agents, least=1, most=MOST_AGENTS)
    needed = parameters.whole(NAME, "threshold", threshold, least=1)
    b, c = parameters.number(NAME, "benefit", benefit), parameters.number(NAME, "cost", cost)
    parameters.refuse_unless(0 < c < b, NAME, "cost", cost, f"above 0 and below benefit = {benefit}")
    profiles = list(product((0, 1), repeat=n))
    rows = [[(b if sum(a) >= needed else 0) - c * a[i] for i in range(n)] for a in profiles]
    return MarkovGame.from_rows([[2] * n], rows, [[]] * len(rows), 0, termination=[1] * len(rows))


def _answer(k: int, contributors: int, agents: int = 4, unique: bool = False) -> KnownAnswer:
    """The default benefit is 2 and the default cost is 1."""
    values = (1,) * contributors + (2 if contributors else 0,) * (agents - contributors)
    return KnownAnswer(
        ThreatModel(k),
        {"0": values},
        "closed-form",
        "exactly threshold + k contributors, or none [F2]",
        parameters={} if agents == 4 else {"agents": agents},
        policy=one_state(*[(0, 1)] * contributors, *[(1, 0)] * (agents - contributors)),
        unique=unique,
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Threshold public good",
        summary=(
            "A good that needs τ contributors. Against k corrupted agents, k more must contribute; "
            "against all others nobody does."
        ),
        origin=(
            "threshold public goods are classical (T. R. Palfrey and H. Rosenthal, J. Public Economics 24, "
            "1984)"
        ),
        parameters={
            "agents": (4, "n"),
            "threshold": (2, "τ, the number of contributors that the good needs"),
            "benefit": (2, "b, for every agent if the good is there; the known answers are for 2"),
            "cost": (1, "c, for each contributor, 0 < c < b; the known answers are for 1"),
        },
        build=build,
        answers=(
            _answer(0, 2),
            _answer(1, 3),
            _answer(1, 0),
            _answer(2, 4),
            _answer(3, 0, unique=True),
            _answer(2, 4, agents=6),
        ),
        sizes=(4, 1, 16),
    ),
)
