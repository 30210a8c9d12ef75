"""Patrolling: a guard walks a board, an intruder picks where and when to break in.

The guard stands in a cell; some cells are targets. The intruder is out, or busy at a target for some number
of steps already. Both see everything and choose at the same time:

* the guard: stay, or up, down, left, right where the board goes on; a move costs it `cost`;
* the intruder, when out: wait, or enter x for a target x; when busy: work, or flee.

After both have acted: an intruder that fled is out. One that entered or worked is caught if the guard is
now in its cell: the guard gets `fine`, the intruder −`fine`, and the intruder is out. Otherwise it has been
busy for one more step, and if these are `duration` steps, it gets the target's value and is out, while the
guard loses twice that value. The episode never ends.

By default the board has 3×3 cells with the targets a1 (value 2), c1 (value 3) and b3 (value 4), duration 2,
fine 5, cost 1/10, discount 9/10; the guard begins in the centre with the intruder out. A state is "cell of
the guard, out" or "cell of the guard, target, steps".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.grid import STEPS
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "patrolling"


class Watch(NamedTuple):
    """Where the guard is, where the intruder is (None: out), and for how many steps."""

    guard: str
    target: str | None = None
    steps: int = 0

    def __str__(self) -> str:
        return f"{self.guard} {self.target} {self.steps}" if self.target else f"{self.guard} out"


def build(
    width: Any, height: Any, targets: Any, duration: Any, fine: Any, cost: Any, discount: Any
) -> MarkovGame:
    """Build the game with the guard in the centre and the intruder out."""
    grid = parameters.board(NAME, width, height)
    given = parameters.cells(NAME, "targets", targets, grid, "values")
    worth = {cell: parameters.number(NAME, "targets", value) for cell, value in given.items()}
    needed = parameters.whole(NAME, "duration", duration, least=1)
    penalty, effort = parameters.number(NAME, "fine", fine), parameters.number(NAME, "cost", cost)

    def choices(watch: Watch) -> list[list[str]]:
        ways = [step for step in STEPS if grid.beyond(watch.guard, step)]
        burglary = ["work", "flee"] if watch.target else ["wait", *(f"enter {cell}" for cell in worth)]
        return [["stay", *ways], burglary]

    def step(watch: Watch, joint: tuple[str, str]) -> tuple[list[Any], list[tuple[int, Watch]]]:
        guard = grid.moved(watch.guard, joint[0])
        walked = 0 if joint[0] == "stay" else -effort
        target = None if joint[1] in ("wait", "flee") else watch.target or joint[1].split()[1]
        if target is None:
            return [walked, 0], [(1, Watch(guard))]
        if guard == target:
            return [walked + penalty, -penalty], [(1, Watch(guard))]
        if watch.steps + 1 == needed:
            return [walked - 2 * worth[target], worth[target]], [(1, Watch(guard))]
        return [walked, 0], [(1, Watch(guard, target, watch.steps + 1))]

    start = Watch(grid.cell(grid.width // 2, grid.height // 2))
    return explore({start: 1}, ["guard", "intruder"], choices, step, parameters.discount(NAME, discount))


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="A guard on patrol and an intruder",
        summary=(
            "A guard walks a 3×3 board with three targets; an intruder breaks in where the guard is far. "
            "General-sum: the guard loses more than the intruder gains."
        ),
        origin=(
            "constructed for arneq_exact after the patrolling games of N. Agmon, S. Kraus and G. A. Kaminka, "
            "Multi-robot perimeter patrol in adversarial settings, ICRA (2008)"
        ),
        parameters={
            "width": (3, "columns"),
            "height": (3, "rows"),
            "targets": ({"a1": 2, "c1": 3, "b3": 4}, "value of each target cell"),
            "duration": (2, "steps that a burglary takes, the entry included"),
            "fine": (5, "what the intruder pays the guard when caught"),
            "cost": ("1/10", "cost of a move of the guard"),
            "discount": ("9/10", "discount factor"),
        },
        build=build,
        answers=(
            KnownAnswer(
                ThreatModel(1),
                {
                    "b2 out": (-18.4293142734, 7.1259570698),
                    "a1 out": (-22.2763084261, 9.3720252265),
                    "b2 c1 1": (-22.5863828461, 9.4133613628),
                },
                "computed-and-certified",
                "strategy improvement for the security values",
            ),
        ),
        sizes=(2, 33, 310),
    ),
)
