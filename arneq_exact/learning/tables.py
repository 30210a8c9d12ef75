"""Index tables by which compiled code plays a game under attack.

States are grouped by their *signature*: their action counts and masks. Agent i's attacker chooses a column
c = (extreme point e of Ω_i, an action for each slot of e) [T10]; a set K is then drawn from e, which makes
each column a few *variants*: a probability, and an action forced on every member of K. All that a state's
play depends on is therefore

    F(K, a_K) = Σ_c y(c) · P(K | c) · 1{c forces a_K on K},

the forced play, where y is the attacker's mixture over columns. Its entries for all K of agent i stand in
one row of `width` numbers; the tables say where. Arrays are padded over signatures, with −1 or weight 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.bellman import Block, blocks
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Members, canonical_order
from arneq_exact.stage.robust import column_counts

BoolArray = NDArray[np.bool_]


class GameTables(NamedTuple):
    """What all agents share.

    Attributes
    ----------
    signature : (S,)
        Signature of each state.
    offsets : (S+1,)
        First row of each state.
    actions : (G, R, n)
        Action of each agent in each of a signature's rows.
    counts : (G, n)
        Action counts of each signature.
    """

    signature: IntArray
    offsets: IntArray
    actions: IntArray
    counts: IntArray


class AttackTables(NamedTuple):
    """What one agent's attacker may do.

    Attributes
    ----------
    free : (sets, n) bool
        Agents that play their policy while the set is corrupted: those not in it.
    part : (G, R, sets)
        Place in the forced play that each row belongs to, for each set.
    weight : (G, C, V)
        P(K | c) of each variant of each column.
    place : (G, C, V)
        Place in the forced play of each variant.
    forced : (G, C, V, n)
        Action that each variant forces on each agent, −1 for none.
    first : (G, E+1)
        First column of each extreme point, and the number of columns at the end.
    point : (G, C)
        Extreme point of each column; −1 past the end.
    slot, choice : (G, C, Q)
        Slots that each column decides, −1 past the last, and what it decides.
    width : int
        Length of the forced play.
    """

    free: BoolArray
    part: IntArray
    weight: FloatArray
    place: IntArray
    forced: IntArray
    first: IntArray
    point: IntArray
    slot: IntArray
    choice: IntArray
    width: int


@dataclass(frozen=True)
class Allowed:
    """Which entries of an attacker's variables exist: boolean arrays.

    Attributes
    ----------
    columns : (S, C)
    points : (S, E)
    slots : (S, Q, max A)
        What each slot may be decided to be. The slots of a committed attacker are agents.
    """

    columns: BoolArray
    points: BoolArray
    slots: BoolArray


def game_tables(game: MarkovGame, threat: ThreatModel) -> GameTables:
    """Return the tables that all agents share; `threat` only splits states by masks."""
    groups = blocks(game, threat)
    signature = np.empty(game.n_states, dtype=np.int64)
    most = max(int(np.prod(block.counts)) for block in groups)
    actions = np.zeros((len(groups), most, game.n_agents), dtype=np.int64)
    for number, block in enumerate(groups):
        signature[block.states] = number
        joint = np.indices(block.counts).reshape(game.n_agents, -1).T
        actions[number, : len(joint)] = joint
    counts = np.array([block.counts for block in groups], dtype=np.int64)
    return GameTables(signature, np.asarray(game.offsets, dtype=np.int64), actions, counts)


def attack_tables(game: MarkovGame, threat: ThreatModel, agent: int) -> tuple[AttackTables, Allowed]:
    """Return the tables of the attacker of `agent`, and which of its variables exist."""
    n = game.n_agents
    groups = blocks(game, threat)
    points = threat.corruptions(n, agent)
    sets = sorted({members for point in points for members, _ in point.weights}, key=canonical_order)
    most = game.action_counts.max(axis=0)
    # Forced play of a set is laid out by the largest action counts, in C order.
    strides = np.zeros((len(sets), n), dtype=np.int64)
    starts = np.zeros(len(sets) + 1, dtype=np.int64)
    for number, members in enumerate(sets):
        stride = 1
        for j in reversed(members):
            strides[number, j] = stride
            stride *= int(most[j])
        starts[number + 1] = starts[number] + stride
    shared = game_tables(game, threat)
    part = shared.actions @ strides.T + starts[:-1]
    columns = [_columns(block, points, threat.informed) for block in groups]
    slots = sorted({key for group in columns for column in group for key, _ in column.decided})
    shape = (len(groups), max(map(len, columns)))
    variants = max(len(point.weights) for point in points)
    weight = np.zeros((*shape, variants))
    place = np.zeros((*shape, variants), dtype=np.int64)
    forced = np.full((*shape, variants, n), -1, dtype=np.int64)
    point_of = np.full(shape, -1, dtype=np.int64)
    first = np.zeros((len(groups), len(points) + 1), dtype=np.int64)
    most_slots = max([len(column.decided) for group in columns for column in group], default=0)
    slot = np.full((*shape, most_slots), -1, dtype=np.int64)
    choice = np.zeros((*shape, most_slots), dtype=np.int64)
    exists = np.zeros((len(groups), len(slots), int(most.max())), dtype=bool)
    for g, group in enumerate(columns):
        for c, column in enumerate(group):
            point_of[g, c] = column.point
            first[g, column.point + 1 :] = c + 1
            for v, (members, probability, decisions) in enumerate(column.variants):
                number = sets.index(members)
                weight[g, c, v] = probability
                place[g, c, v] = starts[number] + sum(a * strides[number, j] for j, a in decisions.items())
                for j, action in decisions.items():
                    forced[g, c, v, j] = action
            for q, (key, action) in enumerate(column.decided):
                slot[g, c, q] = slots.index(key)
                choice[g, c, q] = action
                exists[g, slots.index(key), action] = True
    free = np.array([[j not in members for j in range(n)] for members in sets])
    tables = AttackTables(free, part, weight, place, forced, first, point_of, slot, choice, int(starts[-1]))
    # A slot that no column of a signature uses has one entry, so that it is a distribution all the same.
    exists[~exists.any(axis=2), 0] = True
    state = shared.signature
    return tables, Allowed(
        (point_of >= 0)[state], np.ones((game.n_states, len(points)), dtype=bool), exists[state]
    )


Slot = tuple[int, tuple[Members, ...]]
"""A slot's agent, and for an informed attacker the set in which it acts."""


class _Column(NamedTuple):
    """One column: its extreme point, its variants, and what it decides for each slot."""

    point: int
    variants: list[tuple[Members, float, dict[int, int]]]
    decided: list[tuple[Slot, int]]


def _columns(block: Block, points: Sequence[Corruption], informed: bool) -> list[_Column]:
    """Return the columns of a block's states in canonical order."""
    found = []
    restricted = block.corruptions(points)
    for number, (corruption, size) in enumerate(
        zip(restricted, column_counts(restricted, block.counts), strict=True)
    ):
        for column in range(size):
            decisions = corruption.forced(column, block.counts)
            variants = [(members, float(w), decisions[members]) for members, w in corruption.weights]
            # A committed attacker's action for an agent is one for all sets and extreme points.
            decided = [
                ((slot.agent, slot.sets if informed else ()), decisions[slot.sets[0]][slot.agent])
                for slot in corruption.slots
            ]
            found.append(_Column(number, variants, decided))
    return found
