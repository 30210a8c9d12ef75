"""Extreme points of an attacker's polytope, and what a column at such a point decides.

A `Corruption` is a distribution over corruption sets. An attacker that has chosen one decides an action
for each of its *slots* and thereby a column. A committed attacker has one slot for every agent that some
set holds: the action is fixed before the set is drawn. An informed attacker has one slot for every set
and every member of it [T10]. Where no agent is in two sets the two are the same attacker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

Members = tuple[int, ...]
"""A corruption set: its agents, ascending."""

Masks = tuple[tuple[int, tuple[int, ...]], ...]
"""Agents, ascending, with the actions that they can play while corrupted, ascending; others play all."""


def canonical_order(members: Iterable[int]) -> tuple[int, Members]:
    """Return the key that orders corruption sets by size, then lexicographically."""
    ordered = tuple(sorted(members))
    return len(ordered), ordered


class Slot(NamedTuple):
    """An action that the attacker decides: that of `agent` whenever one of `sets` is drawn."""

    agent: int
    sets: tuple[Members, ...]


@dataclass(frozen=True)
class Corruption:
    """An extreme point of Ω_i: a distribution over corruption sets.

    Attributes
    ----------
    weights : tuple of (corruption set as ascending tuple of agents, exact probability)
        Positive probabilities that sum to exactly 1; sets ordered by size, then lexicographically.
    informed : bool
        Whether actions depend on the set that is drawn; only where that makes a difference.
    allowed : tuple of (agent, actions)
        What corrupted agents can play in the state at hand, where that is not everything.
    """

    weights: tuple[tuple[Members, Fraction], ...]
    informed: bool = False
    allowed: Masks = ()

    @classmethod
    def mixture(cls, weights: Iterable[tuple[Iterable[int], Fraction]], informed: bool = False) -> Corruption:
        """Order the sets and leave out those of probability 0.

        Examples
        --------
        >>> one, three = Fraction(1, 4), Fraction(3, 4)
        >>> Corruption.mixture([({1, 2}, one), ({1}, three), ({2}, 0)], informed=True).slots
        (Slot(agent=1, sets=((1,),)), Slot(agent=1, sets=((1, 2),)), Slot(agent=2, sets=((1, 2),)))
        """
        kept = [(tuple(sorted(members)), weight) for members, weight in weights if weight > 0]
        held = [agent for members, _ in kept for agent in members]
        return cls(
            tuple(sorted(kept, key=lambda item: canonical_order(item[0]))),
            informed and len(set(held)) < len(held),
        )

    def restricted(self, masks: Masks) -> Corruption:
        """Return the same point where corrupted agents can play no more than `masks` allow."""
        own = tuple((agent, actions) for agent, actions in masks if agent in self.corruptible)
        return replace(self, allowed=own) if own != self.allowed else self

    @cached_property
    def corruptible(self) -> Members:
        """Agents that are in some corruption set, ascending."""
        return tuple(sorted({agent for members, _ in self.weights for agent in members}))

    @cached_property
    def chance(self) -> Fraction:
        """The probability that somebody is corrupted."""
        return sum((weight for members, weight in self.weights if members), Fraction(0))

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """What the attacker decides, in the order of a column's actions."""
        sets = [members for members, _ in self.weights]
        if self.informed:
            return tuple(Slot(agent, (members,)) for members in sets for agent in members)
        return tuple(
            Slot(agent, tuple(members for members in sets if agent in members)) for agent in self.corruptible
        )

    def choices(self, agent: int, counts: Sequence[int]) -> tuple[int, ...]:
        """Return the actions that `agent` can play while corrupted, of `counts[agent]` in all."""
        return dict(self.allowed).get(agent) or tuple(range(counts[agent]))

    def shape(self, counts: Sequence[int]) -> tuple[int, ...]:
        """Return the number of choices in every slot; columns are their combinations in C order."""
        sizes = {agent: len(actions) for agent, actions in self.allowed}
        return tuple(sizes.get(slot.agent, counts[slot.agent]) for slot in self.slots)

    def forced(self, column: int, counts: Sequence[int]) -> dict[Members, dict[int, int]]:
        """Return, for every set that may be drawn, the action that a column forces on each member.

        Examples
        --------
        >>> point = Corruption((((), Fraction(1, 2)), ((1, 2), Fraction(1, 2))))
        >>> point.forced(4, (2, 2, 3))
        {(): {}, (1, 2): {1: 1, 2: 1}}
        """
        decided: dict[Slot, int] = {}
        for slot in reversed(self.slots):
            choices = self.choices(slot.agent, counts)
            column, number = divmod(column, len(choices))
            decided[slot] = choices[number]
        return {
            members: {slot.agent: decided[slot] for slot in self.slots if members in slot.sets}
            for members, _ in self.weights
        }


def everyone_else(points: Sequence[Sequence[Corruption]]) -> bool:
    """Tell whether every agent faces all others together, corrupted for certain: such agents decouple [T4].

    Parameters
    ----------
    points : for each agent the extreme points of its Ω_i
    """
    return all(
        point.weights == ((tuple(j for j in range(len(points)) if j != agent), Fraction(1)),)
        for agent, own in enumerate(points)
        for point in own
    )
