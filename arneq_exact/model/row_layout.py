"""The order of a game's rows: grouped by state, then the joint actions in C order of the state's counts."""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import IntArray


def first_rows(action_counts: IntArray) -> IntArray:
    """Return the first row of each state, and the number of rows at the end: (S+1,), read-only."""
    sizes = np.prod(action_counts, axis=1, dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    offsets.setflags(write=False)
    return offsets


def joint_action_of(action_counts: IntArray, offsets: IntArray, row: int) -> tuple[int, tuple[int, ...]]:
    """Return (state, joint action) of a row."""
    state = int(np.searchsorted(offsets, row, side="right")) - 1
    joint = np.unravel_index(row - int(offsets[state]), tuple(int(a) for a in action_counts[state]))
    return state, tuple(int(a) for a in joint)


def joint_strides(action_counts: IntArray) -> IntArray:
    """Return (S, n): by how much a row's place in its state grows with each agent's action."""
    later = np.cumprod(action_counts[:, ::-1], axis=1, dtype=np.int64)[:, ::-1]
    return np.concatenate([later[:, 1:], np.ones((len(action_counts), 1), dtype=np.int64)], axis=1)
