"""Discontinuity: a one-state game in which a stage value jumps while the payoffs barely move.

One state, three agents, actions 0 and 1, no equilibrium selection involved [T8] (i):

    Q_1 = 1{a_2 = 1 or a_3 = 1} − a_1 / 10,      Q_2 = δ a_2,      Q_3 = δ a_3.

Action 0 is strictly dominant for agent 1. For δ > 0 agents 2 and 3 play 1, and one corrupted agent cannot
hide the other's 1: V = (1, δ, δ) for k ≤ 1. For δ < 0 they play 0: V = (0, 0, 0). So V_1 jumps by 1 where
the payoffs differ by 2|δ|, for k = 0 and for k = 1. At k = 2 agents decouple and V = (0, max(δ, 0), max(δ,
0)): nothing jumps [T4].
"""

from __future__ import annotations

from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "discontinuity"


def build(delta: Any) -> MarkovGame:
    """Build the one-state game."""
    step = parameters.number(NAME, "delta", delta)
    tenth = parameters.number(NAME, "delta", "1/10")
    rows = [[int(b or c) - tenth * a, step * b, step * c] for a, b, c in product((0, 1), repeat=3)]
    return MarkovGame.from_rows([[2] * 3], rows, [[]] * 8, 0, termination=[1] * 8)


def _answer(k: int, delta: str, values: tuple[Number, ...], action: int) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k),
        {"0": values},
        "closed-form",
        "strictly dominant actions, in the module text [T8]",
        parameters={"delta": delta},
        policy=one_state((1, 0), (1 - action, action), (1 - action, action)),
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Discontinuity of the stage value",
        summary="The value of agent 1 jumps from 1 to 0 as δ changes its sign, for k = 0 and k = 1 alike.",
        origin="constructed for arneq_exact [T8]",
        parameters={
            "delta": ("1/100", "δ, what agents 2 and 3 earn with action 1; not 0 for the known answers")
        },
        build=build,
        answers=(
            _answer(0, "1/100", (1, "1/100", "1/100"), 1),
            _answer(1, "1/100", (1, "1/100", "1/100"), 1),
            _answer(1, "-1/100", (0, 0, 0), 0),
            _answer(2, "1/100", (0, "1/100", "1/100"), 1),
        ),
        sizes=(3, 1, 8),
    ),
)
