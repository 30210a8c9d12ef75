"""Means with their confidence bands, and by how much one exceeds another: the sum of an experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """A mean and the half width of its confidence band.

    Attributes
    ----------
    mean, half_width : float
        The half width is nan of one observation where others could differ.
    """

    mean: float
    half_width: float


@dataclass(frozen=True)
class Margin:
    """By how much one learner's worst-case value exceeds another's.

    Attributes
    ----------
    game : str
    k : int
    learner, rival : str
    margin : float
        Difference of the mean robust values.
    band : float
        Sum of the half widths of both: a margin beyond it is one between bands that do not overlap.
    """

    game: str
    k: int
    learner: str
    rival: str
    margin: float
    band: float

    @property
    def verdict(self) -> str:
        """Whether "better", "worse", or "within the bands"; "one seed" if that makes a band unknown."""
        if math.isnan(self.band):
            return "one seed"
        if abs(self.margin) <= self.band:
            return "within the bands"
        return "better" if self.margin > 0 else "worse"
