"""Facts of soccer that need no solver: symmetry, and the rules at the ball and at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from arneq_exact import catalog
from arneq_exact.catalog.littman_soccer import half_turned, minimax_pair

ACTIONS = ["up", "down", "left", "right", "stand"]


@pytest.fixture(scope="module")
def soccer():
    return catalog.load("littman-soccer")


def outcome(game, state, joint):
    """Return (reward of A, {next state: probability})."""
    index = next(s for s in range(game.n_states) if game.state_name(s) == state)
    row = int(game.offsets[index]) + 5 * ACTIONS.index(joint[0]) + ACTIONS.index(joint[1])
    moves = game.transitions[[row], :].tocoo()
    return float(game.rewards[row, 0]), {
        game.state_name(int(s)): float(p) for s, p in zip(moves.coords[1], moves.data, strict=True)
    }


@pytest.mark.parametrize(
    ("state", "joint", "expected"),
    [
        # The holder runs into the other player and loses the ball.
        ("c2 b2 A", ("left", "stand"), (0, {"c2 b2 B": 1})),
        # The other player runs into the holder: nothing changes.
        ("c2 b2 A", ("stand", "right"), (0, {"c2 b2 A": 1})),
        # Who moves first decides whether the cell is free, and who gets the ball.
        ("c2 b2 A", ("left", "down"), (0, {"c2 b1 B": 0.5, "b2 b1 A": 0.5})),
        # Both want one cell: the first gets it, and takes the ball if the holder comes second.
        ("a1 c1 A", ("right", "left"), (0, {"b1 c1 A": 0.5, "a1 b1 B": 0.5})),
        # A goal, from the right cells and with the ball only.
        ("a2 c1 A", ("left", "stand"), (1, {"d2 b3 A": 0.5, "d2 b3 B": 0.5})),
        ("a1 c1 A", ("left", "stand"), (0, {"a1 c1 A": 1})),
        ("a2 c1 B", ("left", "stand"), (0, {"a2 c1 B": 1})),
        ("a1 e3 B", ("stand", "right"), (-1, {"d2 b3 A": 0.5, "d2 b3 B": 0.5})),
        # No own goals.
        ("e2 c1 A", ("right", "stand"), (0, {"e2 c1 A": 1})),
        # A goal counts only if the holder still has the ball when it moves.
        ("a2 a1 A", ("left", "up"), (1, {"d2 b3 A": 0.5, "d2 b3 B": 0.5})),
    ],
)
def test_rules(soccer, state, joint, expected):
    assert outcome(soccer, state, joint) == expected


def test_half_a_turn_maps_the_game_to_itself(soccer):
    index = {soccer.state_name(s): s for s in range(soccer.n_states)}
    image = np.array([index[half_turned(soccer.state_name(s))] for s in range(soccer.n_states)])
    assert sorted(image) == list(range(760))
    turned = np.array([1, 0, 3, 2, 4])
    moves = soccer.transitions.toarray().reshape(760, 5, 5, 760)
    paid = soccer.rewards[:, 0].reshape(760, 5, 5)
    swapped = moves[image][:, turned][:, :, turned].transpose(0, 2, 1, 3)[..., image]
    assert np.array_equal(moves, swapped)
    assert np.array_equal(paid, -paid[image][:, turned][:, :, turned].transpose(0, 2, 1))
    assert np.array_equal(soccer.rewards[:, 0], -soccer.rewards[:, 1])


def test_the_stored_pair_is_symmetric(soccer):
    pair = minimax_pair(soccer)
    index = {soccer.state_name(s): s for s in range(soccer.n_states)}
    for state, s in index.items():
        assert np.array_equal(pair[0][s], pair[1][index[half_turned(state)]][[1, 0, 3, 2, 4]])
