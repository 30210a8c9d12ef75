"""Matching pennies, also with a larger prize for matching on heads.

One state, one move. Agent 1 wins if both show the same side: `heads` on two heads, 1 on two tails; agent 2
wins 1 if the sides differ. What one wins the other loses:

============ ===== =====
agent 1 \\ 2  heads tails
============ ===== =====
heads        x     −1
tails        −1    1
============ ===== =====

For x > −1 both mix with P(heads) = 2 / (x + 3) and the value of agent 1 is (x − 1) / (x + 3), since at that
mixture both columns, and both rows, are worth the same. The game is zero-sum with two agents, so a minimax
pair is an ARNEQ for every k and ρ [F4].
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel


def build(heads: Any) -> MarkovGame:
    """Build the one-state game."""
    prize = parameters.number("matching-pennies", "heads", heads)
    parameters.refuse_unless(prize > -1, "matching-pennies", "heads", heads, "above -1")
    won: list[list[Any]] = [[prize, -1], [-1, 1]]
    lost = [[-value for value in row] for row in won]
    return MarkovGame.one_shot([won, lost], actions=[["heads", "tails"]] * 2)


_SOURCE = "indifference, in the module text; zero-sum, hence the same for every k and ρ [F4]"

ENTRIES = (
    CatalogEntry(
        name="matching-pennies",
        title="Matching pennies",
        summary=(
            "The smallest zero-sum game without a pure equilibrium, with an optional prize for two heads."
        ),
        origin=(
            "folklore; asymmetric payoffs as in J. K. Goeree and C. A. Holt, Ten little treasures of game "
            "theory and ten intuitive contradictions, American Economic Review 91 (2001), here kept zero-sum"
        ),
        parameters={"heads": (1, "x, what agent 1 wins from agent 2 when both show heads; above -1")},
        build=build,
        answers=(
            KnownAnswer(
                ThreatModel(0),
                {"0": (0, 0)},
                "closed-form",
                _SOURCE,
                policy=one_state(("1/2", "1/2"), ("1/2", "1/2")),
            ),
            KnownAnswer(
                ThreatModel(1),
                {"0": ("1/3", "-1/3")},
                "closed-form",
                _SOURCE,
                parameters={"heads": 3},
                policy=one_state(("1/3", "2/3"), ("1/3", "2/3")),
            ),
            KnownAnswer(
                ThreatModel(1, probability="1/4"),
                {"0": ("-1/5", "1/5")},
                "closed-form",
                _SOURCE,
                parameters={"heads": "1/3"},
                policy=one_state(("3/5", "2/5"), ("3/5", "2/5")),
            ),
        ),
        sizes=(2, 1, 4),
    ),
)
