"""Level-based foraging: agents of different strength gather food, some of it only together.

Agents and items of food stand on a board, each in a cell of its own, and each has a level. All agents
choose at the same time among

* none: stay;
* up, down, left, right, offered if that cell is on the board and holds neither food nor, before the move,
  an agent; agents that move into the same cell all stay where they are;
* load x, offered for each item of food in a cell x next to the agent.

An item is gathered if the levels of the agents that load it sum to at least its own level; otherwise
loading has no effect. Of an item of level f, a loader of level a gets a·f / (L·F), where L is the sum of
the loaders' levels and F that of all items at the start: a whole board is worth 1 to all together. With
`shared` every agent is paid what all together get: the fully cooperative version. The cell is free from the
next step on, and the episode ends with the last item. The first placement is uniformly
random over the cells without food.

As in the publications, except that an agent next to two items chooses between them, that moves which would
have no effect are left out, and that a discount takes the place of the step limit. The default board has
3×2 cells, food of level 1 in b1 and of level 3 in b2, and agents of levels 1, 1 and 2: anyone can take the
first item, the second takes agent 3 and a partner. A state is "cells of the agents | cells of the food
left".
"""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any, NamedTuple

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.catalog.grid import STEPS
from arneq_exact.catalog.policies import stored
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "level-based-foraging"


class Board(NamedTuple):
    """Where the agents are and which food is left."""

    cells: tuple[str, ...]
    food: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' '.join(self.cells)} | {' '.join(self.food)}"


def build(width: Any, height: Any, food: Any, levels: Any, shared: Any, discount: Any) -> MarkovGame:
    """Build the game with all placements of the agents as possible starts."""
    grid = parameters.board(NAME, width, height)
    given = sorted(parameters.cells(NAME, "food", food, grid, "levels").items())
    item = {cell: parameters.whole(NAME, "food", level, least=1) for cell, level in given}
    strength = [
        parameters.whole(NAME, "levels", level, least=1)
        for level in parameters.numbers(NAME, "levels", levels)
    ]
    free = [cell for cell in grid.cells if cell not in item]
    together = parameters.flag(NAME, "shared", shared)
    parameters.refuse_unless(
        len(strength) <= len(free), NAME, "levels", levels, f"at most {len(free)} agents"
    )
    starts = [Board(cells, tuple(item)) for cells in permutations(free, len(strength))]
    everything = sum(item.values())

    def choices(board: Board) -> list[list[str]]:
        taken = set(board.cells) | set(board.food)
        return [
            [
                "none",
                *(step for step in STEPS if grid.beyond(cell, step) not in (*taken, None)),
                *(f"load {near}" for near in board.food if near in grid.adjacent(cell)),
            ]
            for cell in board.cells
        ]

    def step(board: Board, joint: tuple[str, ...]) -> tuple[list[Any], list[tuple[int, Board | None]]]:
        targets = [grid.moved(cell, action) for cell, action in zip(board.cells, joint, strict=True)]
        cells = tuple(
            target if targets.count(target) == 1 else cell
            for cell, target in zip(board.cells, targets, strict=True)
        )
        paid: list[Any] = [0] * len(joint)
        left = []
        for cell in board.food:
            loaders = [agent for agent, action in enumerate(joint) if action == f"load {cell}"]
            lifted = sum(strength[agent] for agent in loaders)
            if lifted < item[cell]:
                left.append(cell)
                continue
            for agent in loaders:
                paid[agent] += Fraction(strength[agent] * item[cell], lifted * everything)
        if together:
            paid = [sum(paid)] * len(paid)
        return paid, [(1, Board(cells, tuple(left)) if left else None)]

    return explore(
        {start: Fraction(1, len(starts)) for start in starts},
        len(strength),
        choices,
        step,
        parameters.discount(NAME, discount),
    )


_Values = dict[str, tuple[Number, ...]]


def _answer(k: int, values: _Values) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k),
        values,
        "computed-and-certified",
        "value iteration over pure stage equilibria; the stored policy's gap is 0 up to rounding",
        policy=stored(f"level-based-foraging-k{k}.json"),
        unique=False,
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Level-based foraging with three agents",
        summary=(
            "Agents of levels 1, 1 and 2 on a 3×2 board with food of levels 1 and 3: some food is there for "
            "the quickest, some needs a partner whom one must trust."
        ),
        origin=(
            "S. V. Albrecht and S. Ramamoorthy, A game-theoretic model and best-response learning method "
            "for ad hoc coordination in multiagent systems, AAMAS (2013); rewards and blocking as in "
            "G. Papoudakis, F. Christianos, L. Schäfer and S. V. Albrecht, Benchmarking multi-agent deep "
            "reinforcement learning algorithms in cooperative tasks, NeurIPS Datasets and Benchmarks (2021)"
        ),
        parameters={
            "width": (3, "columns"),
            "height": (2, "rows"),
            "food": ({"b1": 1, "b2": 3}, "level of the food in each cell that has some"),
            "levels": ((1, 1, 2), "level of each agent"),
            "shared": (False, "whether all are paid what all together get"),
            "discount": ("9/10", "discount factor"),
        },
        build=build,
        answers=(
            _answer(
                0,
                {
                    "a1 a2 c1 | b1 b2": (0.0833333333, 0.2025, 0.5716666667),
                    "a1 c1 a2 | b1 b2": (0.125, 0.3275, 0.405),
                    "c2 c1 a2 | b1 b2": (0.25, 0.25, 0.5),
                },
            ),
            _answer(
                1,
                {
                    "a1 a2 c1 | b1 b2": (0.0833333333, 0.0, 0.4400416667),
                    "a1 c1 a2 | b1 b2": (0.125, 0.125, 0.0),
                    "c2 c1 a2 | b1 b2": (0.0, 0.25, 0.30375),
                },
            ),
            KnownAnswer(
                ThreatModel(2),
                {
                    "a1 a2 c1 | b1 b2": (0.0833333333, 0.0, 0.1666666667),
                    "a1 c1 a2 | b1 b2": (0.125, 0.125, 0.0),
                    "c2 c1 a2 | b1 b2": (0.0, 0.25, 0.0),
                },
                "computed-and-certified",
                "strategy improvement for the security values",
            ),
        ),
        sizes=(3, 144, 1968),
    ),
)
