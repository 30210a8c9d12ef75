"""The rules of the grid families, move by move, as their module texts tell them."""

from __future__ import annotations

import numpy as np
import pytest
from instances import default_game

from arneq_exact import catalog


def outcome(game, state, joint):
    """Return (rewards, {next state or None: probability}) of a joint action given by names."""
    index = next(s for s in range(game.n_states) if game.state_name(s) == state)
    counts = [int(count) for count in game.action_counts[index]]
    numbers = [
        [game.action_name(index, agent, a) for a in range(counts[agent])].index(action)
        for agent, action in enumerate(joint)
    ]
    row = int(game.offsets[index]) + int(np.ravel_multi_index(numbers, counts))
    moves = game.transitions[[row], :].tocoo()
    following = {game.state_name(int(s)): float(p) for s, p in zip(moves.coords[1], moves.data, strict=True)}
    if game.termination is not None and game.termination[row]:
        following[None] = float(game.termination[row])
    return [float(paid) for paid in game.rewards[row]], following


def offered(game, state, agent):
    index = next(s for s in range(game.n_states) if game.state_name(s) == state)
    return [game.action_name(index, agent, a) for a in range(int(game.action_counts[index, agent]))]


CASES = [
    ("grid-game-1", "a1 c1", ("up", "up"), [0, 0], {"a2 c2": 1}),
    # Both want one cell; a wall makes an agent stay, and its cell counts.
    ("grid-game-1", "a1 c1", ("right", "left"), [-1, -1], {"a1 c1": 1}),
    ("grid-game-1", "a1 b1", ("down", "left"), [-1, -1], {"a1 b1": 1}),
    ("grid-game-1", "a1 b1", ("right", "left"), [0, 0], {"b1 a1": 1}),
    ("grid-game-1", "b3 c2", ("right", "left"), [100, 0], {None: 1}),
    ("grid-game-1", "b3 b1", ("right", "up"), [100, 0], {None: 1}),
    ("grid-game-1", "c2 a2", ("up", "up"), [100, 100], {None: 1}),
    # An agent may stand in the other's goal, and can be met there.
    ("grid-game-1", "a2 c1", ("up", "up"), [0, 0], {"a3 c2": 1}),
    ("grid-game-1", "a3 b3", ("left", "left"), [-1, -1], {"a3 b3": 1}),
    ("grid-game-2", "a1 c1", ("right", "up"), [0, 0], {"b1 c1": 0.5, "b1 c2": 0.5}),
    (
        "grid-game-2",
        "a1 c1",
        ("up", "up"),
        [0, 0],
        {"a1 c1": 0.25, "a1 c2": 0.25, "a2 c1": 0.25, "a2 c2": 0.25},
    ),
    # The barrier holds agent 1 in a1 half of the time, where agent 2 runs into it.
    ("grid-game-2", "a1 b1", ("up", "left"), [-0.5, -0.5], {"a1 b1": 0.5, "a2 a1": 0.5}),
    ("grid-game-2", "a3 c3", ("right", "left"), [100, 100], {None: 1}),
    ("grid-game-2", "a3 c1", ("right", "up"), [100, 0], {None: 1}),
    (
        "level-based-foraging",
        "a1 a2 c1 | b1 b2",
        ("load b1", "none", "none"),
        [1 / 4, 0, 0],
        {"a1 a2 c1 | b2": 1},
    ),
    (
        "level-based-foraging",
        "a1 a2 c1 | b1 b2",
        ("load b1", "none", "load b1"),
        [1 / 12, 0, 1 / 6],
        {"a1 a2 c1 | b2": 1},
    ),
    # Levels 1 and 1 do not reach 3, levels 1 and 2 do; the last item ends the episode.
    (
        "level-based-foraging",
        "a2 c2 b1 | b2",
        ("load b2", "load b2", "none"),
        [0, 0, 0],
        {"a2 c2 b1 | b2": 1},
    ),
    ("level-based-foraging", "a2 c2 b1 | b2", ("none", "load b2", "load b2"), [0, 1 / 4, 1 / 2], {None: 1}),
    # Agents that move into one cell stay.
    ("level-based-foraging", "a1 b2 c1 | b1", ("up", "left", "none"), [0, 0, 0], {"a1 b2 c1 | b1": 1}),
    ("crate-pushing", "d3", ("rest", "rest", "rest", "rest"), [0, 0, 0, 0], {"d3": 1}),
    ("crate-pushing", "d3", ("push", "push", "rest", "rest"), [-0.25, -0.25, 0, 0], {"e3": 1}),
    ("crate-pushing", "d3", ("push", "push", "push", "rest"), [-0.25] * 3 + [0], {"d3": 0.5, "e3": 0.5}),
    (
        "crate-pushing",
        "d5",
        ("steer", "rest", "steer", "push"),
        [-0.25, 0, -0.25, -0.25],
        {"c5": 0.5, "d5": 0.5},
    ),
    (
        "crate-pushing",
        "d3",
        ("push", "steer", "rest", "rest"),
        [-0.25, -0.25, 0, 0],
        {"d3": 0.25, "e3": 0.25, "d2": 0.25, "e2": 0.25},
    ),
    ("crate-pushing", "f5", ("push", "push", "rest", "rest"), [15.75, 7.75, -8, -8], {None: 1}),
    ("crate-pushing", "b1", ("rest", "rest", "push", "push"), [-8, -8, 7.75, 15.75], {None: 1}),
    ("patrolling", "b2 out", ("stay", "wait"), [0, 0], {"b2 out": 1}),
    ("patrolling", "b2 out", ("down", "enter b3"), [-0.1, 0], {"b1 b3 1": 1}),
    ("patrolling", "b2 out", ("up", "enter b3"), [4.9, -5], {"b3 out": 1}),
    ("patrolling", "b2 c1 1", ("stay", "work"), [-6, 3], {"b2 out": 1}),
    ("patrolling", "b2 c1 1", ("right", "flee"), [-0.1, 0], {"c2 out": 1}),
    ("patrolling", "b1 c1 1", ("right", "work"), [4.9, -5], {"c1 out": 1}),
]


@pytest.mark.parametrize(("name", "state", "joint", "rewards", "following"), CASES)
def test_one_move(name, state, joint, rewards, following):
    paid, moves = outcome(default_game(name), state, joint)
    assert paid == pytest.approx(rewards, abs=1e-15)
    assert moves == following


def test_foraging_offers_only_moves_that_have_an_effect():
    game = default_game("level-based-foraging")
    assert offered(game, "a1 a2 c1 | b1 b2", 0) == ["none", "load b1"]
    assert offered(game, "a1 c2 b1 | b2", 0) == ["none", "up"]
    assert offered(game, "a1 c2 b1 | b2", 2) == ["none", "right", "load b2"]


def test_foraging_with_shared_food_pays_everyone_the_sum():
    own, shared = default_game("level-based-foraging"), catalog.load("level-based-foraging", shared=True)
    np.testing.assert_allclose(shared.rewards, own.rewards.sum(axis=1)[:, None].repeat(3, axis=1), atol=1e-15)
    assert (shared.transitions != own.transitions).nnz == 0


def test_foraging_starts_anywhere_and_a_whole_board_is_worth_one():
    game = default_game("level-based-foraging")
    assert np.count_nonzero(game.initial) == 24
    assert game.initial.sum() == pytest.approx(1)
    assert game.exact is not None
    # Both items at once: agent 1 takes the first, agents 2 and 3 the second.
    assert max(sum(game.exact.reward(row, agent) for agent in range(3)) for row in range(game.n_rows)) == 1


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("level-based-foraging", {"levels": (1, 1, 2, 2, 1)}),
        ("level-based-foraging", {"food": {"z9": 1}}),
        ("level-based-foraging", {"shared": 1}),
        ("crate-pushing", {"width": 4}),
        ("patrolling", {"targets": {}}),
        ("littman-soccer", {"after_goal": "stop"}),
        ("random-dense", {"integer": 1}),
        ("random-sparse", {"successors": 0}),
    ],
)
def test_inadmissible_boards_are_refused(name, parameters):
    with pytest.raises(ValueError, match=f"^catalog: {next(iter(parameters))} of '{name}' is .*; must be "):
        catalog.load(name, **parameters)


def test_random_games_are_reproducible_and_stochastic():
    for name in ("random-dense", "random-sparse"):
        first, again, other = (catalog.load(name, seed=seed) for seed in (3, 3, 4))
        assert first.content_hash == again.content_hash != other.content_hash
        for integer in (False, True):
            game = catalog.load(name, integer=integer)
            assert game.transitions.sum(axis=1) == pytest.approx(1, abs=1e-12)
            assert (game.exact is not None) == integer
    # The first draw of the stream, by hand: PCG64(0) begins with this raw number.
    raw = int(np.random.PCG64(0).random_raw())
    assert catalog.load("random-dense").rewards[0, 0] == 2 * ((raw >> 11) * 2.0**-53) - 1
