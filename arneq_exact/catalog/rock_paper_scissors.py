"""Rock, paper, scissors with a stake for each way to win.

One state, one move, zero-sum: rock beats scissors and wins `rock`, paper beats rock and wins `paper`,
scissors beat paper and win `scissors`; equal signs win nothing.

The payoff matrix is skew-symmetric, so the value is 0, and with positive stakes r, p, s the one optimal
mixture lies in its kernel: rock : paper : scissors = s : r : p. It is an ARNEQ for every k and ρ [F4].
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel


def build(rock: Any, paper: Any, scissors: Any) -> MarkovGame:
    """Build the one-state game."""
    stakes = []
    for name, value in (("rock", rock), ("paper", paper), ("scissors", scissors)):
        stakes.append(parameters.number("rock-paper-scissors", name, value))
        parameters.refuse_unless(stakes[-1] > 0, "rock-paper-scissors", name, value, "above 0")
    r, p, s = stakes
    won: list[list[Any]] = [[0, -p, r], [p, 0, -s], [-r, s, 0]]
    lost = [[-value for value in row] for row in won]
    return MarkovGame.one_shot([won, lost], actions=[["rock", "paper", "scissors"]] * 2)


_SOURCE = "kernel of a skew-symmetric matrix, in the module text; zero-sum [F4]"

ENTRIES = (
    CatalogEntry(
        name="rock-paper-scissors",
        title="Rock, paper, scissors",
        summary="The cyclic zero-sum game with three actions; stakes may differ by the winning sign.",
        origin="folklore",
        parameters={
            "rock": (1, "what rock wins from scissors; above 0"),
            "paper": (1, "what paper wins from rock; above 0"),
            "scissors": (1, "what scissors win from paper; above 0"),
        },
        build=build,
        answers=(
            KnownAnswer(
                ThreatModel(0),
                {"0": (0, 0)},
                "closed-form",
                _SOURCE,
                policy=one_state(("1/3", "1/3", "1/3"), ("1/3", "1/3", "1/3")),
            ),
            KnownAnswer(
                ThreatModel(1),
                {"0": (0, 0)},
                "closed-form",
                _SOURCE,
                parameters={"rock": 1, "paper": 2, "scissors": 3},
                policy=one_state(("1/2", "1/6", "1/3"), ("1/2", "1/6", "1/3")),
            ),
        ),
        sizes=(2, 1, 9),
    ),
)
