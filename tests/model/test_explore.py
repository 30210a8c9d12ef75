"""`explore`: breadth-first order, summed successors, ends, exact numbers; and the state graph."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
import pytest

from arneq_exact.errors import StateLimitError
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.state_graph import state_graph


def test_states_come_breadth_first() -> None:
    """A binary tree: level by level, left to right, as a breadth-first search finds them."""

    def step(node: str, joint: tuple[str]) -> tuple[list[int], list[tuple[int, str | None]]]:
        return [0], [(1, node + joint[0] if len(node) < 3 else None)]

    game = explore(["*"], 1, [["l", "r"]], step, 0.9)
    assert game.names.states == ("*", "*l", "*r", "*ll", "*lr", "*rl", "*rr")
    assert game.transitions.toarray()[:2].argmax(axis=1).tolist() == [1, 2]
    assert game.termination is not None
    assert game.termination.tolist() == [0] * 6 + [1] * 8


def test_joint_actions_are_in_row_order() -> None:
    seen: list[tuple[str, ...]] = []

    def step(_state: int, joint: tuple[str, ...]) -> tuple[list[int], list[tuple[int, int]]]:
        seen.append(joint)
        return [len(seen), -len(seen)], [(1, 0)]

    game = explore([0], ["ann", "bob"], [["a", "b"], ["x", "y", "z"]], step, 0.5)
    assert seen == [(a, b) for a in "ab" for b in "xyz"]
    assert game.rewards[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert game.joint_action_of(4) == (0, (1, 1))
    assert [game.action_name(0, 1, action) for action in range(3)] == ["x", "y", "z"]


def test_actions_may_depend_on_the_state() -> None:
    game = explore([1], 1, lambda n: [list(range(n))], lambda n, _: ([0], [(1, min(n + 1, 3))]), 0.9)
    assert game.action_counts[:, 0].tolist() == [1, 2, 3]
    assert game.names.states == ("1", "2", "3")


def test_duplicate_successors_are_summed() -> None:
    moves = [(0.25, "a"), (0.25, "b"), (0.25, "a"), (0.125, None), (0.125, None)]
    game = explore(["a"], 1, [["go"]], lambda s, _: ([0], moves if s == "a" else [(1, s)]), 0.9)
    assert game.transitions.toarray().tolist() == [[0.5, 0.25], [0, 1]]
    assert game.termination is not None
    assert game.termination.tolist() == [0.25, 0]


@pytest.mark.parametrize("kind", [Fraction, str])
def test_rationals_are_added_exactly(kind: Any) -> None:
    """Strings of one successor once were glued together: "1/3" + "1/3" = "1/31/3"."""

    def number(numerator: int, denominator: int) -> Any:
        return Fraction(numerator, denominator) if kind is Fraction else f"{numerator}/{denominator}"

    moves = [(number(1, 3), "a"), (number(1, 3), "a"), (number(1, 6), None), (number(1, 6), None)]
    game = explore(["a"], 1, [["go"]], lambda *_: ([number(1, 7)], moves), number(9, 10))
    assert game.exact is not None
    assert Fraction(game.exact.transition_numerators[0], game.exact.transition_denominators[0]) == Fraction(
        2, 3
    )
    assert game.exact.reward(0, 0) == Fraction(1, 7)
    assert game.exact_discount() == (Fraction(9, 10),)
    assert game.termination is not None
    assert game.termination.tolist() == [1 / 3]


def test_doubles_are_added_as_doubles() -> None:
    game = explore([0], 1, [[0]], lambda *_: ([0], [(0.1, 0), (0.2, 0), (0.7, 0)]), 0.9)
    assert game.exact is None
    assert game.transitions.data.tolist() == [0.1 + 0.2 + 0.7]


def test_impossible_successors_are_not_visited() -> None:
    game = explore([0], 1, [["go"]], lambda s, _: ([0], [(1, 0), (0, "never"), ("0/3", "nor this")]), 0.9)
    assert game.n_states == 1


def test_initial_states() -> None:
    def stay(state: str, _: Any) -> tuple[list[int], list[tuple[int, str]]]:
        return [0], [(1, state)]

    game = explore({"b": 0.25, "a": "3/4"}, 1, [["go"]], stay, 0.9)
    assert game.names.states == ("b", "a")
    assert game.initial is not None
    assert game.initial.tolist() == [0.25, 0.75]
    assert explore(["a", "b", "a"], 1, [["go"]], stay, 0.9).n_states == 2
    assert explore(["a"], 1, [["go"]], stay, 0.9).initial is None


def test_limit_is_the_number_of_states_kept() -> None:
    def step(n: int, _: Any) -> tuple[list[int], list[tuple[int, int | None]]]:
        return [0], [(1, n + 1 if n < 4 else None)]

    assert explore([0], 1, [["go"]], step, 0.9, limit=5).n_states == 5
    with pytest.raises(StateLimitError, match="more than limit = 4 states"):
        explore([0], 1, [["go"]], step, 0.9, limit=4)


def test_errors_of_the_step_function_are_its_own() -> None:
    def step(_state: Any, _joint: Any) -> Any:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        explore([0], 1, [["go"]], step, 0.9)


def test_progress_is_told_after_every_state() -> None:
    told: list[tuple[int, int]] = []
    explore(
        [0],
        1,
        [["go"]],
        lambda n, _: ([0], [(1, min(n + 1, 2))]),
        0.9,
        progress=lambda done, found: told.append((done, found)),
    )
    assert told == [(1, 2), (2, 3), (3, 3)]


def test_same_game_as_by_hand() -> None:
    """Matching pennies for ever, once as a step function and once as tables."""
    signs = {("h", "h"): 1, ("t", "t"): 1, ("h", "t"): -1, ("t", "h"): -1}
    game = explore([0], 2, [["h", "t"]] * 2, lambda s, a: ([signs[a], -signs[a]], [(1, s)]), 0.5)
    table = np.array([[1.0, -1], [-1, 1]])
    by_hand = MarkovGame.from_arrays(
        np.stack([table, -table])[:, None], np.ones((1, 2, 2, 1)), 0.5, actions=[["h", "t"]] * 2
    )
    assert game.same_as(by_hand)


def test_state_graph_has_an_edge_for_every_possible_move() -> None:
    game = MarkovGame.from_rows(
        [[2, 1], [1, 1], [1, 1]],
        [[0, 0]] * 4,
        [[(0.25, 0), (0.75, 1)], [(0.5, 1), (0.5, 2)], [(1, 0)], []],
        0.9,
        termination=[0, 0, 0, 1],
    )
    graph = state_graph(game)
    assert set(graph.edges) == {(0, 0), (0, 1), (0, 2), (1, 0)}
    assert graph.edges[0, 1]["probability"] == 0.75
    assert graph.nodes[2] == {"name": "2"}
    components = {frozenset(part) for part in nx.strongly_connected_components(graph)}
    assert components == {frozenset({0, 1}), frozenset({2})}
