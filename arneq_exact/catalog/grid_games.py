"""The two grid games of Hu and Wellman: two agents, a 3×3 board, goals that are worth racing for.

Cells are named as on a chess board, a1 at the bottom left. Agent 1 starts in a1, agent 2 in c1. Both
choose up, down, left or right at the same time; a move into a wall stays.

* If both would end in the same cell, and it is not the goal of both, both stay where they are and get −1.
  The cell of an agent that stays counts as well. Swapping cells is allowed.
* Reaching one's own goal gives 100 and ends the episode for both; arriving together pays both. An agent may
  stand in the other's goal.
* **Game 1**: the goal of agent 1 is c3, that of agent 2 is a3.
* **Game 2**: both have the goal b3, and a barrier lies above each start cell: the move up from a1 or c1
  succeeds with probability 1/2, independently, and stays otherwise.

The discount is 0.99. A state is "cell of agent 1, cell of agent 2".

**Known equilibria, k = 0** [F6]. No path is shorter than four moves in game 1 and three in game 2.
Game 1: both walk their four moves without meeting, 100·0.99³ = 97.0299 each, the most there is.
Game 2, where both want b1: one goes sideways and arrives after three moves, 98.01; the other tries the
barrier and arrives with it half of the time, 49.005. Or both mix alike: with V the value of the start and x
= P(sideways), sideways and up are worth

    V = x (0.99 V − 1) + 98.01 (1 − x),      V = 49.005 x + (1 − x)(49.005 + 0.2475 V),

as both fail together with probability 1/4 and a lone success is worth 98.01 to one and 0 to the other. So V
= 49.005 / (0.7525 + 0.2475 x), and x = 0.970206… is the root in (0, 1) of
98.01 − 99.01 x = V (1 − 0.99 x).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Label
from arneq_exact.catalog.grid import STEPS, Grid
from arneq_exact.catalog.policies import stored
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

BOARD = Grid(3, 3)
START = "a1 c1"
PRIZE = 100
"""For reaching one's goal, as in the publication."""
ORIGIN = (
    "J. Hu and M. P. Wellman, Nash Q-learning for general-sum stochastic games, "
    "Journal of Machine Learning Research 4 (2003)"
)


def build_game_1(discount: Any) -> MarkovGame:
    """Build the game with a goal for each agent in the opposite top corner."""
    return _build("grid-game-1", ("c3", "a3"), (), discount)


def build_game_2(discount: Any) -> MarkovGame:
    """Build the game with one common goal and barriers above the start cells."""
    return _build("grid-game-2", ("b3", "b3"), ("a1", "c1"), discount)


def _build(name: str, goals: tuple[str, str], barriers: tuple[str, ...], discount: Any) -> MarkovGame:
    def tries(cell: str, action: str) -> list[tuple[Fraction, str]]:
        if action == "up" and cell in barriers:
            return [(Fraction(1, 2), cell), (Fraction(1, 2), BOARD.moved(cell, action))]
        return [(Fraction(1), BOARD.moved(cell, action))]

    def step(state: str, joint: tuple[str, ...]) -> tuple[list[Any], list[tuple[Any, str | None]]]:
        here = state.split()
        paid = [Fraction(0)] * 2
        moves: list[tuple[Any, str | None]] = []
        for (p, first), (q, second) in product(tries(here[0], joint[0]), tries(here[1], joint[1])):
            chance = p * q
            if first == second and not first == goals[0] == goals[1]:
                paid = [earned - chance for earned in paid]
                moves.append((chance, state))
                continue
            arrived = [cell == goal for cell, goal in zip((first, second), goals, strict=True)]
            paid = [earned + PRIZE * chance * there for earned, there in zip(paid, arrived, strict=True)]
            moves.append((chance, None if any(arrived) else f"{first} {second}"))
        return paid, moves

    return explore({START: 1}, 2, [list(STEPS)] * 2, step, parameters.discount(name, discount))


def _nash(name: str, file: str, values: tuple[Any, Any], label: Label, source: str) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(0), {START: values}, label, source, policy=stored(f"{name}-{file}.json"), unique=False
    )


_DISCOUNT = {"discount": ("99/100", "discount factor; the known answers are for 99/100")}

ENTRIES = (
    CatalogEntry(
        name="grid-game-1",
        title="Grid game 1 of Hu and Wellman",
        summary=(
            "Two agents race to opposite corners without colliding. At k = 0 values range from 0 to 97.0299 "
            "by equilibrium; at k = 1 the other agent can block the goal for good."
        ),
        origin=ORIGIN,
        parameters=_DISCOUNT,
        build=build_game_1,
        answers=(
            _nash("grid-game-1", "race", ("97.0299", "97.0299"), "cited", ORIGIN),
            _nash(
                "grid-game-1",
                "deadlock",
                (0, 0),
                "closed-form",
                "stored policy: nobody arrives from the start",
            ),
            KnownAnswer(
                ThreatModel(1),
                {START: (0, 0)},
                "closed-form",
                "an agent always has a cell that the other cannot reach, and the other can sit in its goal",
            ),
        ),
        sizes=(2, 57, 912),
    ),
    CatalogEntry(
        name="grid-game-2",
        title="Grid game 2 of Hu and Wellman",
        summary=(
            "Two agents race to a common goal; each has a barrier that opens half of the time, and only one "
            "can take the way round it. Three equilibria at k = 0."
        ),
        origin=ORIGIN,
        parameters=_DISCOUNT,
        build=build_game_2,
        answers=(
            _nash("grid-game-2", "first-first", ("98.01", "49.005"), "cited", ORIGIN),
            _nash("grid-game-2", "second-first", ("49.005", "98.01"), "cited", ORIGIN),
            _nash(
                "grid-game-2",
                "mixed",
                (49.36904288119102, 49.36904288119102),
                "closed-form",
                "root of a quadratic equation, in the module text [F6]",
            ),
            KnownAnswer(
                ThreatModel(1),
                {START: ("49.005", "49.005")},
                "closed-form",
                "up passes the barrier with probability 1/2 and cannot be stopped after it; an attacker "
                "that goes sideways leaves no better way",
            ),
        ),
        sizes=(2, 56, 896),
    ),
)
