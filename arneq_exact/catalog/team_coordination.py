"""Team coordination: a common reward, and one class of threat with two very different ARNEQs.

One state, one move. Each of n agents plays 0 or 1; all earn 2 if at least `quorum` play 1, and 1 otherwise.

With n = 3, quorum 2 and k = 1 [T5]: if all play 1, one corrupted agent leaves two ones, worth 2, which is
the best there is. If all play 0, an agent that switches to 1 gains nothing while the corrupted agent stays
at 0: worth 1. Both are ARNEQs. The same holds for any n and k with quorum + k ≤ n (all 1) and quorum ≥ 2
(all 0).
"""

from __future__ import annotations

from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "team-coordination"
MOST_AGENTS = 12
"""Rows double with every agent, and sets of any size are among the threats: 4096 of each are enough."""


def build(agents: Any, quorum: Any) -> MarkovGame:
    """Build the one-state game."""
    n = parameters.whole(NAME, "agents", agents, least=1, most=MOST_AGENTS)
    needed = parameters.whole(NAME, "quorum", quorum, least=0)
    rows = [[2 if sum(joint) >= needed else 1] * n for joint in product((0, 1), repeat=n)]
    return MarkovGame.from_rows([[2] * n], rows, [[]] * len(rows), 0, termination=[1] * len(rows))


def _answer(k: int, action: int, value: int, unique: bool = False) -> KnownAnswer:
    choice = (1 - action, action)
    return KnownAnswer(
        ThreatModel(k),
        {"0": (value,) * 3},
        "closed-form",
        "derived in the module text [T5]",
        policy=one_state(choice, choice, choice),
        unique=unique,
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Team coordination with a quorum",
        summary=(
            "Three agents with a common reward: at k = 1 everybody voting 1 is worth 2 and everybody voting "
            "0 is worth 1."
        ),
        origin="constructed for arneq_exact [T5]",
        parameters={
            "agents": (3, "n; the known answers are for 3"),
            "quorum": (2, "ones that are needed; the known answers are for 2"),
        },
        build=build,
        answers=(
            _answer(0, 0, 1),
            _answer(0, 1, 2),
            _answer(1, 0, 1),
            _answer(1, 1, 2),
            _answer(2, 1, 1, unique=True),
        ),
        sizes=(3, 1, 8),
    ),
)
