"""The classes of stage games, as types: which solver is made for them, and what can be enumerated.

The class is decided by what the attackers can do: by their extreme points, with the masks of the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from arneq_exact.model.threat.corruption import Corruption, everyone_else

MOST_AGENTS = 4
"""Largest number of agents with two actions each whose stage equilibria are enumerated: the cube of profiles
has 3^n faces, each of them bisected."""


@dataclass(frozen=True)
class Risk:
    """What one of two agents fears: with which probability the other is corrupted, and what it may play then.

    Attributes
    ----------
    probability : Fraction
    actions : tuple of int
        None where the probability is 0.
    """

    probability: Fraction
    actions: tuple[int, ...]


@dataclass(frozen=True)
class Decoupled:
    """Every agent plays a matrix game of its own against all others together, corrupted for certain [T4].

    Attributes
    ----------
    masked : bool
        Whether corrupted agents have fewer actions than others: then payoffs alone do not make the game.
    """

    masked: bool


@dataclass(frozen=True)
class Bimatrix:
    """Two agents, nobody ever corrupted: a Nash equilibrium of two matrices."""


@dataclass(frozen=True)
class TwoAgents:
    """Two agents without masks, each with one probability of corruption: a polymatrix game [T11].

    Attributes
    ----------
    probabilities : pair of float
        The probability with which each agent sees the other corrupted.
    """

    probabilities: tuple[float, float]


@dataclass(frozen=True)
class General:
    """Everything else: any number of agents under any threat [T10]."""


StageClass = Decoupled | Bimatrix | TwoAgents | General


class Enumeration(Enum):
    """How all stage equilibria are found, where they can be."""

    MAXIMIN = "the vertices of every agent's polytope of maximin strategies"
    TWO_AGENTS = "the labelled vertices of the best-response polyhedra of two agents"
    TWO_ACTIONS = "bisection of the cube of profiles"


def stage_class(points: Sequence[Sequence[Corruption]]) -> StageClass:
    """Return the class of stage games.

    Parameters
    ----------
    points : for each agent the extreme points of its Ω_i, with masks

    Examples
    --------
    >>> from arneq_exact import ThreatModel
    >>> [stage_class([ThreatModel(k).corruptions(2, i) for i in range(2)]) for k in range(2)]
    [Bimatrix(), Decoupled(masked=False)]
    """
    masked = any(point.allowed for own in points for point in own)
    if everyone_else(points):
        return Decoupled(masked)
    if len(points) == 2 and not masked and all(len(own) == 1 for own in points):
        first, second = (float(own[0].chance) for own in points)
        return TwoAgents((first, second)) if first or second else Bimatrix()
    return General()


def risks(points: Sequence[Sequence[Corruption]], counts: Sequence[int]) -> tuple[Risk, Risk] | None:
    """Return what two agents fear; None for other numbers of agents, or if several probabilities matter.

    Without masks the largest probability is worst, since corrupted agents may imitate their policy [T1].
    """
    found = [_risk(own, counts) for own in points] if len(points) == 2 else []
    known = [risk for risk in found if risk is not None]
    return (known[0], known[1]) if len(known) == 2 else None


def _risk(points: Sequence[Corruption], counts: Sequence[int]) -> Risk | None:
    worst = max(points, key=lambda point: point.chance)
    if any(point.chance < worst.chance for point in points) and any(point.allowed for point in points):
        return None
    if not worst.chance:
        return Risk(worst.chance, ())
    (other,) = worst.corruptible
    return Risk(worst.chance, worst.choices(other, counts))
