"""A game and a threat, resolved once: which states are alike, and what the attackers can do in each."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from arneq_exact.attackers.groups import grouped
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.attackers.stage_class import Decoupled, StageClass
from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

KEPT_THREATS = 32
"""Threats that are remembered of one game; a robustness curve or an audit asks for a few at a time."""


class Attackers:
    """The attackers of a game under a threat, for all agents and states. Made by `resolve`.

    Attributes
    ----------
    groups : tuple of StateGroup
        Every state is in one of them.
    group_of : (S,)
        The group of each state.
    widths : for each agent the largest number of its attacker's columns in any state
    """

    def __init__(self, game: MarkovGame, threat: ThreatModel) -> None:
        # No reference to the game: it is the key under which this is remembered.
        self.groups = tuple(grouped(game, threat))
        self.group_of: IntArray = np.empty(game.n_states, dtype=np.int64)
        for number, group in enumerate(self.groups):
            self.group_of[group.states] = number
        self.widths = tuple(map(max, zip(*(group.stage.widths for group in self.groups), strict=True)))

    def of(self, state: int) -> StageAttackers:
        """Return the attackers in one state."""
        return self.groups[int(self.group_of[state])].stage

    @cached_property
    def classes(self) -> frozenset[StageClass]:
        """The classes of stage games that the states have."""
        return frozenset(group.stage.stage_class for group in self.groups)

    @cached_property
    def decoupled(self) -> bool:
        """Whether every agent plays a game of its own against all others together, in every state [T4]."""
        return all(isinstance(one, Decoupled) for one in self.classes)


_resolved: WeakKeyDictionary[MarkovGame, dict[ThreatModel, Attackers]] = WeakKeyDictionary()


def resolve(game: MarkovGame, threat: ThreatModel) -> Attackers:
    """Return the attackers of a game under a threat; the same object when asked again.

    Raises
    ------
    ThreatError
        If the threat does not fit so many agents.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> found = resolve(catalog.load("static-chain"), ThreatModel(1))  # three agents, two states
    >>> [group.states.tolist() for group in found.groups], found.widths, found.decoupled
    ([[0, 1]], (4, 4, 4), False)
    """
    of_game = _resolved.get(game)
    if of_game is None:
        of_game = _resolved[game] = {}
    found = of_game.get(threat)
    if found is None:
        if len(of_game) >= KEPT_THREATS:
            of_game.clear()
        found = of_game[threat] = Attackers(game, threat)
    return found
