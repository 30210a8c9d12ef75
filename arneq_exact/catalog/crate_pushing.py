"""Crate pushing: two teams of two, who agree on a side but not on a row.

A crate stands in a cell of a board with an odd number of columns and rows, at first in the middle. Team Red
(agents 1 and 2) wants it in the last column, team Blue (agents 3 and 4) in the first. All choose at the
same time:

* rest, which is free;
* push, at a cost: Red pushes to the right, Blue to the left;
* steer, at the same cost: the first mate of each team (agents 1 and 3) steers up, the second (2 and 4)
  down.

With h = (Red agents that push) − (Blue agents that push), the crate moves one column in the direction of h
with probability |h|/2, and independently, with v = (agents that steer up) − (agents that steer down), one
row in the direction of v with probability |v|/2, unless it is at the edge. When it enters the last or the
first column the episode ends. The team whose side it is wins: its first mate gets 8 + 2 (row − 1), its
second 8 + 2 (height − row), rows counted from 1; each agent of the other team gets −8.

So the teams oppose each other, mates want different rows, and each mate would rather let the other push. A
state is the cell of the crate. By default the board has 7×5 cells, so that 25 are no one's side; the cost
is 1/4 and the discount γ = 9/10.

**Known ARNEQs.** For k = 1 and 2 all rest, except that in the column next to the side where a team would
lose, k of its mates push, which just holds the crate against k corrupted opponents. Holding it for ever
costs (1/4) / (1 − γ) = 5/2. From d3 it takes two columns to get there: one corrupted agent moves the crate
with probability 1/2 a step, a factor (γ/2) / (1 − γ/2) = 9/11 a column, two move it surely, a factor γ. So
a mate that holds is worth −(5/2)(9/11)² = −405/242 at k = 1 and −(5/2)γ² = −81/40 at k = 2; at k = 1 its
partner rests, worth 0.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.catalog.grid import Grid
from arneq_exact.catalog.policies import PolicyBuilder
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

NAME = "crate-pushing"
WIDEST = 25
"""Columns: the largest odd number for which there are letters."""
AGENTS = ("red 1", "red 2", "blue 1", "blue 2")
PRIZE = 8
"""What is won or lost at least when the crate arrives: more than pushing costs on the way, see the rules."""
RIGHT = (1, 1, -1, -1)
"""Column direction in which each agent pushes."""
UP = (1, -1, 1, -1)
"""Row direction in which each agent steers."""


def build(width: Any, height: Any, cost: Any, discount: Any) -> MarkovGame:
    """Build the game with the crate in the middle."""
    columns = parameters.whole(NAME, "width", width, least=3, most=WIDEST)
    rows = parameters.whole(NAME, "height", height, least=1, most=parameters.LONGEST_SIDE)
    parameters.refuse_unless(columns % 2 == 1, NAME, "width", width, "odd")
    parameters.refuse_unless(rows % 2 == 1, NAME, "height", height, "odd")
    effort = parameters.number(NAME, "cost", cost)

    def step(cell: str, joint: tuple[str, ...]) -> tuple[list[Any], list[tuple[float, str | None]]]:
        x, y = Grid.position(cell)
        paid: list[Any] = [0 if action == "rest" else -effort for action in joint]
        across = _shift([RIGHT[i] for i, action in enumerate(joint) if action == "push"])
        along = _shift([UP[i] for i, action in enumerate(joint) if action == "steer"])
        moves: list[tuple[float, str | None]] = []
        for (p, dx), (q, dy) in product(across, along):
            column, row = x + dx, min(max(y + dy, 0), rows - 1)
            if 0 < column < columns - 1:
                moves.append((p * q, Grid.cell(column, row)))
                continue
            moves.append((p * q, None))
            winner = 1 if column else -1
            for i, side in enumerate(RIGHT):
                prize = PRIZE + 2 * (row if UP[i] == 1 else rows - 1 - row)
                paid[i] += (prize if side == winner else -PRIZE) * Fraction(p * q)
        return paid, moves

    start = Grid.cell(columns // 2, rows // 2)
    actions = [["rest", "push", "steer"]] * len(AGENTS)
    return explore({start: 1}, AGENTS, actions, step, parameters.discount(NAME, discount))


def _shift(forces: list[int]) -> list[tuple[float, int]]:
    """Return the lottery over one step in the direction of the net force."""
    net = sum(forces)
    lottery = [(1 - abs(net) / 2, 0), (abs(net) / 2, 1 if net > 0 else -1)]
    return [(chance, shift) for chance, shift in lottery if chance]


def last_line(defenders: int) -> PolicyBuilder:
    """Return the builder of: all rest, but next to the losing side the last `defenders` mates push."""

    def build_policy(game: MarkovGame) -> Policy:
        columns = [Grid.position(game.state_name(state))[0] for state in range(game.n_states)]
        table = []
        for column in columns:
            threatened = {min(columns): (0, 1), max(columns): (2, 3)}.get(column, ())
            pushing = threatened[len(threatened) - defenders :]
            table.append([int(agent in pushing) for agent in range(len(AGENTS))])
        return Policy.from_actions(game, table)

    return build_policy


def _answer(k: int, values: tuple[Number, ...]) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k),
        {"d3": values},
        "closed-form",
        "the last line is held by k mates, in the module text",
        policy=last_line(k),
        unique=False,
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Two teams push a crate",
        summary=(
            "Two teams of two push a crate to opposite sides of a 7×5 board; effort is costly and mates want "
            "different rows. At k = 1 and 2 the last line before a loss is held by k mates."
        ),
        origin="constructed for arneq_exact, as a mixed cooperative–competitive game with two teams",
        parameters={
            "width": (7, "columns, odd"),
            "height": (5, "rows, odd"),
            "cost": ("1/4", "cost of pushing and of steering"),
            "discount": ("9/10", "discount factor"),
        },
        build=build,
        answers=(
            _answer(1, (0, "-405/242", 0, "-405/242")),
            _answer(2, ("-81/40",) * 4),
            KnownAnswer(
                ThreatModel(3),
                {
                    "d3": (-5.9992486852,) * 4,
                    "b1": (-7.7272727273, -7.7272727273, -4.8267194864, -4.8267194864),
                },
                "computed-and-certified",
                "strategy improvement for the security values",
            ),
        ),
        sizes=(4, 25, 2025),
    ),
)
