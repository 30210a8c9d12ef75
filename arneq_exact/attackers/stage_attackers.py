"""The attackers of all agents in states with equal action counts and masks, and the class of the stage games.

This is all that a stage game knows of a threat. Equal ones are one object, so that what is derived from it is
derived once: its class, its columns, its tables for compiled code.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from arneq_exact.attackers.attacker import Attacker, Counts
from arneq_exact.attackers.stage_class import (
    MOST_AGENTS,
    Decoupled,
    Enumeration,
    Risk,
    StageClass,
    risks,
    stage_class,
)
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Masks

KEPT = 256
"""Resolved stages that are remembered: more than games have kinds of states, and a bound on memory."""


class StageAttackers:
    """What the attackers of a stage game can do. Made by `stage_attackers`.

    Attributes
    ----------
    counts : (A_1, ..., A_n)
    described : str
        The threat in words, for messages.
    of : one `Attacker` per agent
    widths : number of columns of each attacker
    """

    def __init__(self, counts: Counts, points: Sequence[Sequence[Corruption]], described: str) -> None:
        self.counts = counts
        self.described = described
        self.of = tuple(Attacker(agent, counts, own) for agent, own in enumerate(points))
        self.widths = tuple(attacker.width for attacker in self.of)

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.counts)

    @cached_property
    def points(self) -> tuple[tuple[Corruption, ...], ...]:
        """Every agent's extreme points, with masks."""
        return tuple(attacker.points for attacker in self.of)

    @cached_property
    def stage_class(self) -> StageClass:
        """The class of the stage games."""
        return stage_class(self.points)

    @cached_property
    def risks(self) -> tuple[Risk, Risk] | None:
        """What two agents fear, if one probability counts for each."""
        return risks(self.points, self.counts)

    @cached_property
    def enumeration(self) -> Enumeration | None:
        """How all stage equilibria are found, None where there is no way."""
        if self.stage_class == Decoupled(masked=False):
            return Enumeration.MAXIMIN
        if self.risks is not None:
            return Enumeration.TWO_AGENTS
        if self.n <= MOST_AGENTS and max(self.counts) <= 2:
            return Enumeration.TWO_ACTIONS
        return None


@lru_cache(maxsize=KEPT)
def stage_attackers(threat: ThreatModel, counts: Counts, masks: Masks = ()) -> StageAttackers:
    """Return what the attackers can do where agents have these numbers of actions.

    Parameters
    ----------
    threat : ThreatModel
    counts : (A_1, ..., A_n)
    masks : what corrupted agents can play in the states at hand, where that is not everything

    Raises
    ------
    ThreatError
        If the threat does not fit so many agents.

    Examples
    --------
    >>> resolved = stage_attackers(ThreatModel(1), (2, 2, 3))
    >>> resolved.stage_class, resolved.widths, resolved.of[0].parts
    (General(), (5, 5, 4), ((1,), (2,)))
    """
    n = len(counts)
    points = [threat.corruptions(n, agent) for agent in range(n)]
    masked = [[point.restricted(masks) for point in own] if masks else own for own in points]
    return StageAttackers(counts, masked, threat.describe())


def attackers_at(threat: ThreatModel, counts: Sequence[int], state: int) -> StageAttackers:
    """Return what the attackers can do in one state, whose masks apply."""
    return stage_attackers(threat, tuple(map(int, counts)), threat.masks_at(state))
