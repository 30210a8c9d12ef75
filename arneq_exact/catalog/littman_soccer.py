"""Littman's soccer: two players, one ball, moves in random order.

The board has 5 columns a…e and 4 rows 1…4, row 1 at the bottom. Each player stands in a cell of its own,
and one of them holds the ball. Both choose up, down, left, right or stand at the same time; then the two
moves are carried out one after the other, each order with probability 1/2:

* a move into the cell of the other player does not take place, and if the mover holds the ball, the other
  gets it;
* player A scores by moving left with the ball from a2 or a3 (the left goal), player B by moving right with
  the ball from e2 or e3; the scorer gets 1, the other −1, and the second move is no longer carried out;
* any other move off the board, into one's own goal included, leaves the player where it is.

After a goal A stands in d2 and B in b3, and the ball goes to either with probability 1/2 (`after_goal`
"reset"; with "end" the episode ends instead). The game begins like that, too. The discount is 0.9, and the
game is zero-sum. A state is "cell of A, cell of B, who has the ball". Littman leaves open what happens at
the edges and which cells of the sides are goals; the rules above are the usual reading.

**Known facts.** Turning the board by half a turn and swapping the players maps the game to itself, so a
state is worth to A what the turned one is worth to B; the two opening states are worth opposite amounts,
hence a goal is followed by 0 on average, and "reset" and "end" have the same values. No state is worth more
than 0.9^(d−1) to a holder who is d moves away from scoring, and exactly that if the opponent cannot get in
the way. A minimax pair is an ARNEQ for every k and ρ [F4].
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Label, Number
from arneq_exact.catalog.grid import STEPS, Grid
from arneq_exact.catalog.policies import Choice, read_table, tabulated
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

NAME = "littman-soccer"
BOARD = Grid(5, 4)
OPENING = {"d2 b3 A": 0.5, "d2 b3 B": 0.5}
GOALS = (("left", ("a2", "a3")), ("right", ("e2", "e3")))
"""Direction and cells from which A, then B, scores."""


def build(discount: Any, after_goal: Any) -> MarkovGame:
    """Build the game on the 4×5 board."""
    parameters.refuse_unless(
        after_goal in ("reset", "end"), NAME, "after_goal", after_goal, "'reset' or 'end'"
    )
    scored = [(0.5, state) for state in OPENING] if after_goal == "reset" else [(1.0, None)]

    def step(state: str, joint: tuple[str, str]) -> tuple[list[float], list[tuple[float, str | None]]]:
        advantage = 0.0
        moves: list[tuple[float, str | None]] = []
        for order in ((0, 1), (1, 0)):
            scorer, following = _played(state, joint, order)
            if scorer is None:
                moves.append((0.5, following))
            else:
                advantage += 0.5 if scorer == 0 else -0.5
                moves.extend((0.5 * chance, opening) for chance, opening in scored)
        return [advantage, -advantage], moves

    return explore(OPENING, ["A", "B"], [[*STEPS, "stand"]] * 2, step, parameters.discount(NAME, discount))


def _played(state: str, joint: tuple[str, str], order: tuple[int, int]) -> tuple[int | None, str]:
    """Carry out both moves in `order`; return (who scored, next state)."""
    *cells, holder = state.split()
    ball = "AB".index(holder)
    for player in order:
        direction, mouth = GOALS[player]
        if player == ball and joint[player] == direction and cells[player] in mouth:
            return player, state
        target = BOARD.moved(cells[player], joint[player])
        if target == cells[1 - player]:
            ball = 1 - player
        else:
            cells[player] = target
    return None, f"{cells[0]} {cells[1]} {'AB'[ball]}"


def half_turned(state: str) -> str:
    """Return the state as it looks after half a turn of the board, with the players swapped."""
    *cells, holder = state.split()
    turned = [BOARD.cell(BOARD.width - 1 - x, BOARD.height - 1 - y) for x, y in map(BOARD.position, cells)]
    return f"{turned[1]} {turned[0]} {'AB'[holder == 'A']}"


def minimax_pair(game: MarkovGame) -> Policy:
    """Return the stored minimax policy of A, with its mirror image for B."""
    table = read_table("littman-soccer-minimax.json")
    turned_action = {"up": "down", "down": "up", "left": "right", "right": "left", "stand": "stand"}
    actions = list(turned_action)

    def turned(choice: Choice) -> Choice:
        if isinstance(choice, str):
            return turned_action[choice]
        return [choice[actions.index(turned_action[action])] for action in actions]

    return tabulated({state: (own, turned(table[half_turned(state)])) for state, own in table.items()})(game)


def _answer(
    values: dict[str, tuple[Number, ...]], label: Label, source: str, after_goal: str = "reset"
) -> KnownAnswer:
    return KnownAnswer(ThreatModel(0), values, label, source, {"after_goal": after_goal}, minimax_pair)


_COMPUTED: dict[str, tuple[Number, ...]] = {
    "d2 b3 A": (0.2184844404, -0.2184844404),
    "d2 b3 B": (-0.2184844404, 0.2184844404),
}
_STRATEGY_IMPROVEMENT = (
    "strategy improvement; both players' values agree to 1e-12, the stored pair is optimal"
)

ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Littman's soccer",
        summary=(
            "Two players fight for one ball on a 4×5 board, with moves in random order. Zero-sum: a minimax "
            "pair is an ARNEQ for every threat."
        ),
        origin=(
            "M. L. Littman, Markov games as a framework for multi-agent reinforcement learning, "
            "Proceedings of the 11th International Conference on Machine Learning (1994)"
        ),
        parameters={
            "discount": ("9/10", "discount factor; the known answers are for 9/10"),
            "after_goal": ("reset", "'reset': the next kick-off follows; 'end': the episode ends"),
        },
        build=build,
        answers=(
            _answer(
                {"a2 e4 A": (1, -1), "b2 e4 A": ("9/10", "-9/10"), "a1 a2 B": ("-6561/10000", "6561/10000")},
                "closed-form",
                "the holder cannot be stopped, in the module text",
            ),
            _answer(_COMPUTED, "computed-and-certified", _STRATEGY_IMPROVEMENT),
            _answer(_COMPUTED, "computed-and-certified", _STRATEGY_IMPROVEMENT, after_goal="end"),
        ),
        sizes=(2, 760, 19000),
    ),
)
