"""Where everything stands: unknowns, rows and attackers' columns of many states, as flat arrays for kernels.

Unknowns are numbered state by state. Within a state come, agent by agent, the agent's mixture x_i and its
attacker's mixture y_i, then all V_i, then all L_i; equations share the numbers (see `conditions_kernel`).

For agent i the corruption sets K that occur in extreme points of Ω_i are its *parts*, and pairs (K, a_K)
its *positions*. An attacker's column is a weighted sum of positions, one for each part of its extreme point
[T10]: with T_i(a_i; K, a_K) the payoff averaged over all agents outside K ∪ {i},

    M_i(a_i; c) = Σ_q weight(q, c) T_i(a_i; q).

This table of weights is all that a threat is to the kernels. States of one group share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.threat.corruption import Corruption, Members
from arneq_exact.stage.robust import column_counts


class Group(NamedTuple):
    """States with equal action counts and equal attackers.

    Attributes
    ----------
    states : (B,)
    counts : (A1, ..., An)
    corruptions : extreme points of every agent's Ω_i
    """

    states: IntArray
    counts: tuple[int, ...]
    corruptions: Sequence[Sequence[Corruption]]


class Tables(NamedTuple):
    """The structure of a system of S states and n agents in G groups.

    Attributes
    ----------
    base : (S + 1,)
        First unknown of each state.
    group : (S,)
    offsets : (S + 1,)
        First row of each state.
    counts, columns : (G, n)
        Numbers of actions and of attackers' columns.
    local_x, local_y : (G, n)
        First unknown of x_i and y_i within its state.
    digit_start : (G,)
        First entry of a group in `digits` and `position`.
    digits : (sum of rows, n)
        Each agent's action in each row.
    part_start : (n + 1,)
        First part of each agent.
    part_set : (parts,)
        Corruption sets as bit patterns of agents.
    position : (sum of rows, parts)
        The position that a row belongs to, for each part.
    spread_start : (G, n)
        First entry of a group and agent in `spread`.
    spread : (sum of positions + 1,)
        First entry of each position in `spread_column` and `spread_weight`.
    spread_column, spread_weight : columns that contain a position, with their weights
    indptr, indices, data : transitions (rows, S) in compressed rows
    discount : (n,)
    """

    base: IntArray
    group: IntArray
    offsets: IntArray
    counts: IntArray
    columns: IntArray
    local_x: IntArray
    local_y: IntArray
    digit_start: IntArray
    digits: IntArray
    part_start: IntArray
    part_set: IntArray
    position: IntArray
    spread_start: IntArray
    spread: IntArray
    spread_column: IntArray
    spread_weight: FloatArray
    indptr: IntArray
    indices: IntArray
    data: FloatArray
    discount: FloatArray


def tables(
    groups: Sequence[Group],
    transitions: tuple[IntArray, IntArray, FloatArray] | None = None,
    discount: FloatArray | None = None,
) -> Tables:
    """Return the tables of a system.

    Parameters
    ----------
    groups : sequence of `Group`
        Every state belongs to one group; states are numbered from 0.
    transitions : (indptr, indices, data), optional
        Rows × states; without them the states are separate stage games.
    discount : (n,), optional
    """
    n = len(groups[0].counts)
    group = np.empty(sum(len(alike.states) for alike in groups), dtype=np.int64)
    for number, alike in enumerate(groups):
        group[alike.states] = number
    counts = np.array([alike.counts for alike in groups])
    parts = [
        sorted({K for one in groups for point in one.corruptions[i] for K, _ in point.weights}, key=_order)
        for i in range(n)
    ]
    part_start = np.cumsum([0, *(len(sets) for sets in parts)])
    columns = np.array(
        [[sum(column_counts(points, alike.counts)) for points in alike.corruptions] for alike in groups]
    )
    sizes = np.stack([counts, columns], axis=2).reshape(len(counts), -1)
    starts = np.cumsum(sizes, axis=1) - sizes
    rows = counts.prod(axis=1)
    digits, position, spread = [], [], _Spread()
    spread_start = np.empty((len(counts), n), dtype=np.int64)
    for number, alike in enumerate(groups):
        row = alike.counts
        digit = np.stack(np.unravel_index(np.arange(rows[number]), row), axis=1)
        digits.append(digit)
        place = np.empty((rows[number], part_start[-1]), dtype=np.int64)
        for i in range(n):
            spread_start[number, i] = len(spread.start)
            place[:, part_start[i] : part_start[i + 1]] = _positions(digit, row, parts[i])
            spread.add(row, parts[i], alike.corruptions[i])
        position.append(place)
    n_rows = np.concatenate([[0], np.cumsum(rows[group])])
    if transitions is None:
        transitions = (np.zeros(n_rows[-1] + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Tables(
        base=np.concatenate([[0], np.cumsum(sizes.sum(axis=1)[group] + 2 * n)]),
        group=group,
        offsets=n_rows,
        counts=counts,
        columns=columns,
        local_x=np.ascontiguousarray(starts[:, 0::2]),
        local_y=np.ascontiguousarray(starts[:, 1::2]),
        digit_start=np.cumsum(rows) - rows,
        digits=np.concatenate(digits),
        part_start=part_start,
        part_set=np.array([sum(1 << j for j in members) for sets in parts for members in sets]),
        position=np.concatenate(position),
        spread_start=spread_start,
        spread=np.array(spread.start),
        spread_column=np.array(spread.column),
        spread_weight=np.array(spread.weight),
        indptr=transitions[0].astype(np.int64),
        indices=transitions[1].astype(np.int64),
        data=transitions[2].astype(np.float64),
        discount=np.zeros(n) if discount is None else np.array(discount, dtype=np.float64),
    )


def _positions(digits: IntArray, counts: Sequence[int], parts: Sequence[Members]) -> IntArray:
    """Return the position of every row in every part, (rows, parts), numbered through the parts."""
    result = np.empty((len(digits), len(parts)), dtype=np.int64)
    first = 0
    for number, members in enumerate(parts):
        index = np.zeros(len(digits), dtype=np.int64)
        size = 1
        for j in members:
            index = index * counts[j] + digits[:, j]
            size *= counts[j]
        result[:, number] = first + index
        first += size
    return result


class _Spread:
    """Columns and weights of positions, in compressed rows that end with a sentinel for each agent."""

    def __init__(self) -> None:
        self.start: list[int] = []
        self.column: list[int] = []
        self.weight: list[float] = []

    def add(self, counts: Sequence[int], parts: Sequence[Members], points: Sequence[Corruption]) -> None:
        """Append one agent's positions, in a state with these action counts."""
        at: dict[tuple[Members, tuple[int, ...]], list[tuple[int, float]]] = {
            (members, forced): []
            for members in parts
            for forced in product(*(range(counts[j]) for j in members))
        }
        number = 0
        for point in points:
            slots = point.slots
            # For each set the slots that decide its members' actions, members ascending.
            deciding = [
                [m for j in K for m, slot in enumerate(slots) if slot.agent == j and K in slot.sets]
                for K, _ in point.weights
            ]
            for decided in product(*(point.choices(slot.agent, counts) for slot in slots)):
                for (K, weight), chosen in zip(point.weights, deciding, strict=True):
                    at[K, tuple(decided[m] for m in chosen)].append((number, float(weight)))
                number += 1
        for entries in at.values():
            self.start.append(len(self.column))
            self.column.extend(column for column, _ in entries)
            self.weight.extend(weight for _, weight in entries)
        self.start.append(len(self.column))


def _order(members: Members) -> tuple[int, Members]:
    return len(members), members
