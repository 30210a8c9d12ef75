"""Prisoner's dilemma and battle of the sexes: two agents with two actions each.

Both are one-state games, payoffs written (agent 1, agent 2):

**Prisoner's dilemma**, with T > R > P > S: (cooperate, cooperate) pays (R, R), (defect, defect) pays (P,
P), and (cooperate, defect) pays (S, T), (defect, cooperate) (T, S). Defection is strictly dominant and the
other's defection is the worst attack: (defect, defect), worth P, is the unique ARNEQ for every k. With
corruption probability ρ it stays so.

**Battle of the sexes**, with a > b > 0: (opera, opera) pays (a, b), (boxing, boxing) pays (b, a), anything
else (0, 0). For k = 0 there are three equilibria: the two pure ones, and a mixed one in which each goes to
its favourite with probability a / (a + b), worth ab / (a + b) to both. For k = 1 each agent secures that
same value, but by going to its *less* liked place with probability a / (a + b): the agent now makes the
attacker indifferent instead of its partner.
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Label, Number
from arneq_exact.catalog.policies import Choice, one_state
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

DRESHER = "M. Flood and M. Dresher (1950), told by A. W. Tucker"
LUCE_RAIFFA = "R. D. Luce and H. Raiffa, Games and Decisions, Wiley (1957)"


def build_dilemma(temptation: Any, reward: Any, punishment: Any, sucker: Any) -> MarkovGame:
    """Build the prisoner's dilemma."""
    name = "prisoners-dilemma"
    given = {"temptation": temptation, "reward": reward, "punishment": punishment, "sucker": sucker}
    t, r, p, s = (parameters.number(name, key, value) for key, value in given.items())
    parameters.refuse_unless(
        t > r > p > s, name, "order of payoffs", given, "temptation > reward > punishment > sucker"
    )
    return MarkovGame.one_shot([[[r, s], [t, p]], [[r, t], [s, p]]], actions=[["cooperate", "defect"]] * 2)


def build_battle(liked: Any, other: Any) -> MarkovGame:
    """Build the battle of the sexes."""
    name = "battle-of-the-sexes"
    a, b = parameters.number(name, "liked", liked), parameters.number(name, "other", other)
    parameters.refuse_unless(a > b > 0, name, "liked", liked, f"above other = {other}, and other above 0")
    return MarkovGame.one_shot([[[a, 0], [0, b]], [[b, 0], [0, a]]], actions=[["opera", "boxing"]] * 2)


def _answer(
    k: int, values: tuple[Number, Number], label: Label, source: str, *choices: Choice, unique: bool = False
) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k), {"0": values}, label, source, policy=one_state(*choices), unique=unique
    )


ENTRIES = (
    CatalogEntry(
        name="prisoners-dilemma",
        title="Prisoner's dilemma",
        summary="Defection is dominant, so the unique ARNEQ is the same for every threat.",
        origin=DRESHER,
        parameters={
            "temptation": (5, "T, for defecting on a cooperator"),
            "reward": (3, "R, for mutual cooperation"),
            "punishment": (1, "P, for mutual defection"),
            "sucker": (0, "S, for cooperating with a defector"),
        },
        build=build_dilemma,
        answers=tuple(
            _answer(k, (1, 1), "closed-form", "strict dominance", "defect", "defect", unique=True)
            for k in (0, 1)
        ),
        sizes=(2, 1, 4),
    ),
    CatalogEntry(
        name="battle-of-the-sexes",
        title="Battle of the sexes",
        summary=(
            "Two pure equilibria that the agents rank differently, and a mixed one; the maximin mixture for "
            "k = 1 has the mixed equilibrium's value and the opposite probabilities."
        ),
        origin=LUCE_RAIFFA,
        parameters={
            "liked": (2, "a, for meeting at one's favourite place"),
            "other": (1, "b, for meeting at the other place; 0 < b < a"),
        },
        build=build_battle,
        answers=(
            _answer(0, (2, 1), "cited", LUCE_RAIFFA, "opera", "opera"),
            _answer(0, (1, 2), "cited", LUCE_RAIFFA, "boxing", "boxing"),
            _answer(0, ("2/3", "2/3"), "cited", LUCE_RAIFFA, ("2/3", "1/3"), ("1/3", "2/3")),
            _answer(
                1,
                ("2/3", "2/3"),
                "closed-form",
                "security value ab / (a + b) [T4]",
                ("1/3", "2/3"),
                ("2/3", "1/3"),
                unique=True,
            ),
        ),
        sizes=(2, 1, 4),
    ),
)
