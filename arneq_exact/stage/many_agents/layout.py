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
from typing import NamedTuple

import numpy as np

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.positions import Positions
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.exact.rationals import FloatArray, IntArray


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
    stages: Sequence[StageAttackers],
    group: IntArray,
    transitions: tuple[IntArray, IntArray, FloatArray] | None = None,
    discount: FloatArray | None = None,
) -> Tables:
    """Return the tables of a system.

    Parameters
    ----------
    stages : the attackers of each group of states, under one threat
    group : (S,)
        The group of each state.
    transitions : (indptr, indices, data), optional
        Rows × states; without them the states are separate stage games.
    discount : (n,), optional
    """
    n = stages[0].n
    counts = np.array([stage.counts for stage in stages])
    columns = np.array([stage.widths for stage in stages])
    # Masks take actions away from sets, but no set: parts are those of any group.
    parts = [attacker.parts for attacker in stages[0].of]
    sizes = np.stack([counts, columns], axis=2).reshape(len(counts), -1)
    starts = np.cumsum(sizes, axis=1) - sizes
    rows = counts.prod(axis=1)
    digits = [np.stack(np.unravel_index(np.arange(np.prod(row)), row), axis=1) for row in counts]
    spreads = [[_spread(attacker) for attacker in stage.of] for stage in stages]
    entries = [spread for of_group in spreads for spread in of_group]
    starting = np.cumsum([0, *(len(spread.column) for spread in entries)])
    lengths = np.array([[len(spread.start) for spread in of_group] for of_group in spreads])
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
        part_start=np.cumsum([0, *map(len, parts)]),
        part_set=np.array([sum(1 << j for j in members) for sets in parts for members in sets]),
        position=np.concatenate(
            [
                np.concatenate([Positions(sets, row).of_rows(digit) for sets in parts], axis=1)
                for row, digit in zip(counts, digits, strict=True)
            ]
        ),
        spread_start=np.cumsum(lengths).reshape(lengths.shape) - lengths,
        spread=np.concatenate([at + spread.start for at, spread in zip(starting, entries, strict=False)]),
        spread_column=np.concatenate([spread.column for spread in entries]),
        spread_weight=np.concatenate([spread.weight for spread in entries]),
        indptr=transitions[0].astype(np.int64),
        indices=transitions[1].astype(np.int64),
        data=transitions[2].astype(np.float64),
        discount=np.zeros(n) if discount is None else np.array(discount, dtype=np.float64),
    )


class _Spread(NamedTuple):
    """Columns and weights of the positions of one attacker, in compressed rows that end with a sentinel."""

    start: IntArray
    column: IntArray
    weight: FloatArray


def _spread(attacker: Attacker) -> _Spread:
    positions, draws = Positions(attacker.parts, attacker.counts), attacker.draws
    position = positions.of_draws(draws)
    # Within a position columns ascend.
    order = np.argsort(position, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(position, minlength=len(positions)))])
    return _Spread(start, draws.column[order], draws.weight[order])
