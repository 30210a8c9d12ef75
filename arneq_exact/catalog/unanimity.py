"""Unanimity: everybody earns v_x if all play x, and nothing otherwise.

One state, one move; n ≥ 2 agents choose among the same actions x, each worth v_x > 0.

[F3], k = 1: let all play π(x) ∝ v_x^(−1/(n−1)), with normaliser Z. Agent i, playing x, is paid only if the
corrupted agent plays x too (then the n−2 others do with π(x)^(n−2)), so it faces a diagonal matrix game
with entries v_x π(x)^(n−2). Its optimal mixture is inversely proportional to the entries, which is π again,
and the value is V = Z^−(n−1). For n ≥ 3 and at least two actions, all playing one x is an ARNEQ as well,
worth 0: one corrupted agent spoils it whatever agent i does. For k = 0 all playing one x is a Nash
equilibrium worth v_x. For k = n−1 ≥ 2 every value is 0: two corrupted agents who disagree spoil everything.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.catalog.policies import Choice, one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "unanimity"
MOST_AGENTS = 8
"""With three actions these are 6561 rows already."""


def build(agents: Any, values: Any) -> MarkovGame:
    """Build the one-state game."""
    n = parameters.whole(NAME, "agents", agents, least=2, most=MOST_AGENTS)
    worth = parameters.numbers(NAME, "values", values)
    parameters.refuse_unless(min(worth) > 0, NAME, "values", values, "all above 0")
    rows = [
        [worth[joint[0]] if len(set(joint)) == 1 else 0] * n for joint in product(range(len(worth)), repeat=n)
    ]
    return MarkovGame.from_rows([[len(worth)] * n], rows, [[]] * len(rows), 0, termination=[1] * len(rows))


def _answer(
    k: int,
    value: Number,
    choice: Choice,
    agents: int = 3,
    values: tuple[int, ...] = (1, 4),
    unique: bool = False,
) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k),
        {"0": (value,) * agents},
        "closed-form",
        "derived in the module text [F3]",
        parameters={"agents": agents, "values": values},
        policy=one_state(*[choice] * agents),
        unique=unique,
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Unanimity",
        summary=(
            "All must choose the same action. Against one corrupted agent the agents mix, and the least "
            "valuable action most."
        ),
        origin="constructed for arneq_exact: closed form for every n at k = 1",
        parameters={
            "agents": (3, "n, at least 2"),
            "values": ((1, 4), "v_x, what each agent earns if all play x"),
        },
        build=build,
        answers=(
            _answer(1, "4/9", ("2/3", "1/3")),
            _answer(1, 0, ("0", "1")),
            _answer(1, "4/5", ("4/5", "1/5"), agents=2, unique=True),
            _answer(1, "8/27", ("2/3", "1/3"), agents=4, values=(1, 8)),
            _answer(1, "36/121", ("6/11", "3/11", "2/11"), values=(1, 4, 9)),
            _answer(0, 4, ("0", "1")),
            _answer(2, 0, ("1/2", "1/2"), unique=True),
        ),
        sizes=(3, 1, 8),
    ),
)
