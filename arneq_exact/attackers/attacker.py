"""One agent's attacker in states with equal action counts and masks: its columns, laid out for arrays.

A column c = (extreme point e of Ω_i, an action for each slot of e) [T10]. A set K is drawn from e, and forces
on its members what c decides for them: so a column is a few *draws*, each a set with its probability and the
actions forced. Columns are numbered point by point, within a point in C order of its slots; the order is that
of certificates (`arneq_exact.model.threat`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.threat.corruption import Corruption, Members, canonical_order

Counts = tuple[int, ...]
"""Numbers of actions of all agents."""


class DrawnSet(NamedTuple):
    """A set that may be drawn from an extreme point, as arrays over the point's slots see it.

    Attributes
    ----------
    members : ascending agents
    weight : float
    kept : the members and the attacked agent: whose actions are not averaged out
    sizes : actions of each member
    allowed : (place among the members, actions) of each member that is masked
    slots : for each member the number of the slot that decides for it
    spread : for each slot its number of choices, or 1 if the set does not use it
    """

    members: Members
    weight: float
    kept: frozenset[int]
    sizes: Counts
    allowed: tuple[tuple[int, tuple[int, ...]], ...]
    slots: tuple[int, ...]
    spread: Counts


class Draws(NamedTuple):
    """All draws of all columns, in the order of columns and then of the sets of their points.

    Attributes
    ----------
    column : (D,)
    variant : (D,)
        Number of the draw within its column.
    part : (D,)
        Number of the set drawn, among the attacker's `parts`.
    weight : (D,)
    forced : (D, n)
        Action forced on each agent, −1 for none.
    """

    column: IntArray
    variant: IntArray
    part: IntArray
    weight: FloatArray
    forced: IntArray


class Attacker:
    """The attacker of one agent in states of one kind.

    Attributes
    ----------
    agent : int
    counts : (A_1, ..., A_n)
    points : extreme points of Ω_i, with the masks of these states
    shapes : for each point the number of choices in every slot
    sizes : for each point the number of its columns
    first : first column of each point, and `width` at the end
    width : number of columns
    """

    def __init__(self, agent: int, counts: Counts, points: Sequence[Corruption]) -> None:
        self.agent = agent
        self.counts = counts
        self.points = tuple(points)
        self.shapes = tuple(point.shape(counts) for point in self.points)
        self.sizes = tuple(map(prod, self.shapes))
        self.first = tuple(sum(self.sizes[:number]) for number in range(len(self.sizes) + 1))
        self.width = self.first[-1]

    @cached_property
    def parts(self) -> tuple[Members, ...]:
        """Sets that some extreme point draws, by size, then lexicographically."""
        sets = {members for point in self.points for members, _ in point.weights}
        return tuple(sorted(sets, key=canonical_order))

    @cached_property
    def drawn(self) -> tuple[tuple[DrawnSet, ...], ...]:
        """For each extreme point the sets that may be drawn from it."""
        return tuple(
            tuple(self._drawn(number, members, float(weight)) for members, weight in point.weights)
            for number, point in enumerate(self.points)
        )

    def _drawn(self, number: int, members: Members, weight: float) -> DrawnSet:
        slots, allowed = self.points[number].slots, dict(self.points[number].allowed)
        used = [members in slot.sets for slot in slots]
        return DrawnSet(
            members,
            weight,
            frozenset(members) | {self.agent},
            tuple(self.counts[j] for j in members),
            tuple((place, allowed[j]) for place, j in enumerate(members) if j in allowed),
            tuple(m for j in members for m, slot in enumerate(slots) if used[m] and slot.agent == j),
            tuple(size if one else 1 for size, one in zip(self.shapes[number], used, strict=True)),
        )

    @cached_property
    def decided(self) -> tuple[IntArray, ...]:
        """For each extreme point the actions that its columns decide, (columns, slots)."""
        tables = []
        for point, size, shape in zip(self.points, self.sizes, self.shapes, strict=True):
            table = np.zeros((size, len(shape)), dtype=np.int64)
            numbers = np.unravel_index(np.arange(size), shape) if shape else ()
            for m, (slot, number) in enumerate(zip(point.slots, numbers, strict=True)):
                table[:, m] = np.array(point.choices(slot.agent, self.counts))[number]
            tables.append(table)
        return tuple(tables)

    @cached_property
    def draws(self) -> Draws:
        """What the columns come to, draw by draw."""
        number = {members: at for at, members in enumerate(self.parts)}
        blocks = []
        for first, drawn, decided in zip(self.first, self.drawn, self.decided, strict=False):
            size = len(decided)
            forced = np.full((size, len(drawn), len(self.counts)), -1, dtype=np.int64)
            for v, one in enumerate(drawn):
                forced[:, v, list(one.members)] = decided[:, list(one.slots)]
            sets, weights = [number[one.members] for one in drawn], [one.weight for one in drawn]
            blocks.append(
                Draws(
                    np.repeat(np.arange(first, first + size), len(drawn)),
                    np.tile(np.arange(len(drawn)), size),
                    np.tile(np.array(sets, dtype=np.int64), size),
                    np.tile(np.array(weights), size),
                    forced.reshape(size * len(drawn), -1),
                )
            )
        return Draws(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))

    def place(self, column: int) -> tuple[Corruption, int]:
        """Return the extreme point that a column belongs to, and its number within the point.

        Raises
        ------
        IndexError
            If there is no such column.
        """
        if not 0 <= column < self.width:
            raise IndexError(f"column {column} of {self.width}")
        number = max(at for at, first in enumerate(self.first[:-1]) if first <= column)
        return self.points[number], column - self.first[number]
