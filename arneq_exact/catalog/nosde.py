"""NoSDE: a two-state, two-agent game whose only stationary equilibrium mixes.

Zinkevich, Greenwald and Littman (2005) call a turn-based game with deterministic transitions NoSDE if it
has *no stationary deterministic equilibrium*. Rules of this one: in state s1 agent 1 chooses, in state s2
agent 2 does; the other agent has the single action "wait". The numbers are (reward of agent 1, reward of
agent 2).

====== ======= ======== ====
state  action  rewards  next
====== ======= ======== ====
s1     keep    (1, 0)   s1
s1     send    (0, 3)   s2
s2     keep    (3, 1)   s2
s2     send    (0, 0)   s1
====== ======= ======== ====

The discount is 3/4. The unique stationary equilibrium has P(send | s1) = 2/3 and P(send | s2) = 5/12, and
value iteration with equilibrium selection from 0 falls into an exact cycle of length five ([T8] iii).

**With probability ρ** the other agent is corrupted. Write p = P(send | s1), q = P(send | s2), g = 3/4, and
x, y for the values of agents 1 and 2. The attacks that hurt are "send" in s2 (agent 1) and "keep" in s1
(agent 2), hence

    x1 = max(1 + g x1, g x2),    x2 = (1−ρ) [(1−q)(3 + g x2) + q g x1] + ρ g x1,
    y2 = max(1 + g y2, g y1),    y1 = (1−ρ) [(1−p) g y1 + p (3 + g y2)] + ρ g y1.

* ρ < 1/3: each agent must leave the other indifferent, x = (4, 16/3) and y = (16/3, 4) whatever ρ is, with
  p = 2 / (3 (1−ρ)) and q = (5 − 12ρ) / (12 (1−ρ)).
* 1/3 < ρ < 5/12: (send, keep); x2 = 48 (1−ρ) / (4 + 3ρ), x1 = g x2, y2 = 4, y1 = 24 (1−ρ) / (4 − 3ρ).
* 5/12 < ρ ≤ 1: (keep, keep); x = (4, 12 / (1 + 3ρ)), y = (0, 4).

In each range the best responses chase one another or are dominant, so the values are unique.

**With majorities** each agent is replaced by 2b+1 clones that earn the same and vote; the majority of the
mover's clones decides. Against a budget of b corrupted agents every unanimous vote is robust and stable: a
clone that votes with the others cannot be outvoted by b corrupted clones, and one that votes against them
hands the outcome to the attacker. So each of the four pure profiles of the original game is an ARNEQ at k =
b, worth what it is worth without corruption.
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import PolicyBuilder, tabulated
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

OUTCOMES = {
    ("s1", "keep"): ((1, 0), "s1"),
    ("s1", "send"): ((0, 3), "s2"),
    ("s2", "keep"): ((3, 1), "s2"),
    ("s2", "send"): ((0, 0), "s1"),
}
ORIGIN = (
    "M. Zinkevich, A. Greenwald and M. L. Littman, Cyclic equilibria in Markov games, "
    "Advances in Neural Information Processing Systems 18 (2005)"
)
LARGEST_BUDGET = 4
"""Of which 18 clones vote: the game's 2¹⁰ rows are small, but sets of four among them are many already."""
DISCOUNT = {"discount": ("3/4", "discount factor; the known answers are for 3/4")}


def build_nosde(discount: Any) -> MarkovGame:
    """Build the two-agent game."""
    return _with_clones("nosde", 1, discount)


def build_majority(budget: Any, discount: Any) -> MarkovGame:
    """Build the game in which each agent is 2·budget + 1 clones."""
    budget = parameters.whole("nosde-majority", "budget", budget, least=1, most=LARGEST_BUDGET)
    return _with_clones("nosde-majority", 2 * budget + 1, discount)


def _with_clones(name: str, clones: int, discount: Any) -> MarkovGame:
    """Build the game with `clones` voters in the place of each agent (an odd number)."""
    letters = "abcdefghi"[:clones] if clones > 1 else [""]
    agents = [f"{group}{letter}" for group in (1, 2) for letter in letters]
    voters = {"s1": range(clones), "s2": range(clones, 2 * clones)}

    def actions(state: str) -> list[list[str]]:
        return [["keep", "send"] if i in voters[state] else ["wait"] for i in range(2 * clones)]

    def step(state: str, joint: tuple[str, ...]) -> tuple[list[int], list[tuple[int, str]]]:
        in_favour = sum(joint[i] == "send" for i in voters[state])
        (first, second), following = OUTCOMES[state, "send" if 2 * in_favour > clones else "keep"]
        return [first] * clones + [second] * clones, [(1, following)]

    return explore({"s1": 1, "s2": 0}, agents, actions, step, parameters.discount(name, discount))


def _mixed(send_1: str, send_2: str, keep_1: str, keep_2: str) -> PolicyBuilder:
    return tabulated({"s1": ((keep_1, send_1), "wait"), "s2": ("wait", (keep_2, send_2))})


def _played(first: str, second: str) -> PolicyBuilder:
    return tabulated({"s1": (first, "wait"), "s2": ("wait", second)})


def _unanimous(first: str, second: str) -> PolicyBuilder:
    return tabulated({"s1": (first,) * 3 + ("wait",) * 3, "s2": ("wait",) * 3 + (second,) * 3})


def _two_steps(game: MarkovGame) -> Policy:
    """Send from s1 while one more step remains; keep otherwise."""
    return Policy.from_actions(game, [[[1, 0], [0, 0]], [[0, 0], [0, 0]]])


NOSDE_ANSWERS = (
    KnownAnswer(
        ThreatModel(0),
        {"s1": (4, "16/3"), "s2": ("16/3", 4)},
        "cited",
        ORIGIN,
        policy=_mixed("2/3", "5/12", "1/3", "7/12"),
    ),
    KnownAnswer(
        ThreatModel(1),
        {"s1": (4, 0), "s2": (3, 4)},
        "closed-form",
        "the probability formula at 1: each agent keeps, the other's corrupted choice is the worse of two",
        policy=_played("keep", "keep"),
    ),
    KnownAnswer(
        ThreatModel(0),
        {"s1": ("9/4", "15/4"), "s2": ("21/4", "7/4")},
        "closed-form",
        "backward induction by hand; every stage has one equilibrium",
        policy=_two_steps,
        horizon=2,
    ),
)

PROBABILITY_ANSWERS = (
    KnownAnswer(
        ThreatModel(1, probability="1/4"),
        {"s1": (4, "16/3"), "s2": ("16/3", 4)},
        "closed-form",
        "derived in the module text, case below 1/3",
        policy=_mixed("8/9", "2/9", "1/9", "7/9"),
    ),
    KnownAnswer(
        ThreatModel(1, probability="3/8"),
        {"s1": ("180/41", "120/23"), "s2": ("240/41", 4)},
        "closed-form",
        "derived in the module text, case between 1/3 and 5/12",
        policy=_played("send", "keep"),
    ),
    KnownAnswer(
        ThreatModel(1, probability="1/2"),
        {"s1": (4, 0), "s2": ("24/5", 4)},
        "closed-form",
        "derived in the module text, case above 5/12",
        policy=_played("keep", "keep"),
    ),
)

MAJORITY_ANSWERS = tuple(
    KnownAnswer(
        ThreatModel(1),
        {"s1": (first[0],) * 3 + (second[0],) * 3, "s2": (first[1],) * 3 + (second[1],) * 3},
        "closed-form",
        "unanimous votes are robust; the values are those of the pure profile without corruption",
        policy=_unanimous(*votes),
        unique=False,
    )
    for votes, first, second in (
        (("send", "keep"), (9, 12), (6, 4)),
        (("keep", "keep"), (4, 12), (0, 4)),
        (("keep", "send"), (4, 3), (0, 0)),
        (("send", "send"), (0, 0), ("48/7", "36/7")),
    )
)

ENTRIES = (
    CatalogEntry(
        name="nosde",
        title="NoSDE: no stationary deterministic equilibrium",
        summary=(
            "Two states, each with one mover. The only stationary equilibrium mixes, and value iteration "
            "cycles."
        ),
        origin=ORIGIN,
        parameters=DISCOUNT,
        build=build_nosde,
        answers=NOSDE_ANSWERS,
        sizes=(2, 2, 4),
    ),
    CatalogEntry(
        name="nosde-probability",
        title="NoSDE under corruption with probability ρ",
        summary=(
            "The game 'nosde' under the threat ThreatModel(1, probability=ρ): mixed for ρ < 1/3 with values "
            "that do not depend on ρ, (send, keep) up to 5/12, (keep, keep) above."
        ),
        origin=f"constructed for arneq_exact from {ORIGIN}",
        parameters=DISCOUNT,
        build=build_nosde,
        answers=PROBABILITY_ANSWERS,
        sizes=(2, 2, 4),
    ),
    CatalogEntry(
        name="nosde-majority",
        title="NoSDE played by clones that vote",
        summary=(
            "Each agent of 'nosde' is 2b+1 clones whose majority decides, so that a budget of b corrupted "
            "agents cannot overturn a unanimous vote: several ARNEQs, and iteration may still cycle."
        ),
        origin=f"constructed for arneq_exact from {ORIGIN}",
        parameters={"budget": (1, "b: each agent becomes 2b+1 clones"), **DISCOUNT},
        build=build_majority,
        answers=MAJORITY_ANSWERS,
        sizes=(6, 2, 16),
    ),
)
