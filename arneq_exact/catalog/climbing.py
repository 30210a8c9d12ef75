"""The climbing game and the penalty game: common rewards where coordination is risky.

Both are one-state games in which two agents get the same payoff, by (action of agent 1, action of agent 2):

========== === === ===      ========== === === ===
climbing    a   b   c       penalty     a   b   c
========== === === ===      ========== === === ===
a           11 −30   0      a           10   0   κ
b          −30   7   6      b            0   2   0
c            0   0   5      c            κ   0  10
========== === === ===      ========== === === ===

**Climbing** [F5]: (a, a) and (b, b) are equilibria; (c, c) is not. Under corruption each agent is worth its
security value. For agent 1 that is 0, with row c: to win something in columns a and b it would need 11 x_a
> 30 x_b and 7 x_b > 30 x_a. For agent 2 it is 66/47 with (6/47, 0, 41/47), which makes rows a and b worth
the same; the dual mixture of the rows is (36/47, 11/47, 0).

**Penalty**, κ ≤ 2: for −10 < κ the mixture (u, 1−2u, u) with u = 2/(14+κ) makes all columns equal, worth 2
(10+κ)/(14+κ), which the same mixture of the columns cannot exceed; for κ ≤ −10 the security value is 0,
with action b.
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

ORIGIN = (
    "C. Claus and C. Boutilier, The dynamics of reinforcement learning in cooperative multiagent systems, "
    "AAAI (1998)"
)


def build_climbing() -> MarkovGame:
    """Build the climbing game."""
    return _common([[11, -30, 0], [-30, 7, 6], [0, 0, 5]])


def build_penalty(penalty: Any) -> MarkovGame:
    """Build the penalty game."""
    kappa = parameters.number("penalty", "penalty", penalty)
    parameters.refuse_unless(kappa <= 2, "penalty", "penalty", penalty, "at most 2")
    return _common([[10, 0, kappa], [0, 2, 0], [kappa, 0, 10]])


def _common(payoff: list[list[Any]]) -> MarkovGame:
    return MarkovGame.one_shot([payoff, payoff], actions=[["a", "b", "c"]] * 2)


def _equilibrium(action: str, value: int) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(0),
        {"0": (value, value)},
        "cited",
        ORIGIN,
        policy=one_state(action, action),
        unique=False,
    )


def _secured(penalty: Any, value: str, mixture: tuple[str, str, str]) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(1),
        {"0": (value, value)},
        "closed-form",
        "security value, derived in the module text [F5]",
        parameters={"penalty": penalty},
        policy=one_state(mixture, mixture),
    )


ENTRIES = (
    CatalogEntry(
        name="climbing",
        title="Climbing game",
        summary=(
            "Two agents with a common reward: the best outcome, 11, lies next to −30. Under corruption "
            "the agents are worth 0 and 66/47."
        ),
        origin=ORIGIN,
        parameters={},
        build=build_climbing,
        answers=(
            _equilibrium("a", 11),
            _equilibrium("b", 7),
            KnownAnswer(
                ThreatModel(1),
                {"0": (0, "66/47")},
                "closed-form",
                "security values, derived in the module text [F5]",
                policy=one_state("c", ("6/47", 0, "41/47")),
            ),
        ),
        sizes=(2, 1, 9),
    ),
    CatalogEntry(
        name="penalty",
        title="Penalty game",
        summary=(
            "Two agents with a common reward: two optima worth 10 with a penalty for mixing them up, and a "
            "safe 2."
        ),
        origin=ORIGIN,
        parameters={"penalty": (-4, "κ, the payoff of (a, c) and (c, a); at most 2")},
        build=build_penalty,
        answers=(
            _equilibrium("a", 10),
            _equilibrium("b", 2),
            _equilibrium("c", 10),
            _secured(-4, "6/5", ("1/5", "3/5", "1/5")),
            _secured(0, "10/7", ("1/7", "5/7", "1/7")),
            _secured(-100, "0", ("0", "1", "0")),
        ),
        sizes=(2, 1, 9),
    ),
)
