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

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.positions import Positions
from arneq_exact.attackers.resolve import resolve
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Members

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
    attackers = resolve(game, threat)
    counts = [group.counts for group in attackers.groups]
    actions = np.zeros((len(counts), max(map(prod, counts)), game.n_agents), dtype=np.int64)
    for number, own in enumerate(counts):
        joint = np.indices(own).reshape(game.n_agents, -1).T
        actions[number, : len(joint)] = joint
    return GameTables(
        attackers.group_of,
        np.asarray(game.offsets, dtype=np.int64),
        actions,
        np.array(counts, dtype=np.int64),
    )


def attack_tables(game: MarkovGame, threat: ThreatModel, agent: int) -> tuple[AttackTables, Allowed]:
    """Return the tables of the attacker of `agent`, and which of its variables exist."""
    n, shared = game.n_agents, game_tables(game, threat)
    groups = [group.stage.of[agent] for group in resolve(game, threat).groups]
    # Masks take actions away from sets and points, but no set and no point.
    parts, n_points = groups[0].parts, len(groups[0].points)
    most = game.action_counts.max(axis=0)
    # Forced play of a set is laid out by the largest action counts, in C order.
    positions = Positions(parts, most)
    keys = [_slot_keys(attacker, threat.informed) for attacker in groups]
    slots = sorted({key for of_points in keys for own in of_points for key in own})
    shape = (len(groups), max(attacker.width for attacker in groups))
    variants = max(len(point.weights) for point in groups[0].points)
    most_slots = max(len(own) for of_points in keys for own in of_points)
    weight = np.zeros((*shape, variants))
    place = np.zeros((*shape, variants), dtype=np.int64)
    forced = np.full((*shape, variants, n), -1, dtype=np.int64)
    point_of = np.full(shape, -1, dtype=np.int64)
    slot = np.full((*shape, most_slots), -1, dtype=np.int64)
    choice = np.zeros((*shape, most_slots), dtype=np.int64)
    exists = np.zeros((len(groups), len(slots), int(most.max())), dtype=bool)
    for g, attacker in enumerate(groups):
        draws = attacker.draws
        at = g, draws.column, draws.variant
        weight[at], place[at], forced[at] = draws.weight, positions.of_draws(draws), draws.forced
        point_of[g, : attacker.width] = np.repeat(np.arange(n_points), attacker.sizes)
        for first, own, decided in zip(attacker.first, keys[g], attacker.decided, strict=False):
            numbers = np.array([slots.index(key) for key in own], dtype=np.int64)
            columns = slice(first, first + len(decided))
            slot[g, columns, : len(own)] = numbers
            choice[g, columns, : len(own)] = decided
            exists[g, numbers, decided] = True
    free = np.array([[j not in members for j in range(n)] for members in parts])
    tables = AttackTables(
        free=free,
        part=positions.of_rows(shared.actions),
        weight=weight,
        place=place,
        forced=forced,
        first=np.array([attacker.first for attacker in groups], dtype=np.int64),
        point=point_of,
        slot=slot,
        choice=choice,
        width=len(positions),
    )
    # A slot that no column of a signature uses has one entry, so that it is a distribution all the same.
    exists[~exists.any(axis=2), 0] = True
    state = shared.signature
    return tables, Allowed(
        (point_of >= 0)[state], np.ones((game.n_states, n_points), dtype=bool), exists[state]
    )


SlotKey = tuple[int, tuple[Members, ...]]
"""A slot's agent, and for an informed attacker the set in which it acts."""


def _slot_keys(attacker: Attacker, informed: bool) -> list[list[SlotKey]]:
    """Return what tells the slots of every extreme point from those of others.

    A committed attacker's action for an agent is one for all sets and extreme points.
    """
    return [
        [(slot.agent, slot.sets if informed else ()) for slot in point.slots] for point in attacker.points
    ]
