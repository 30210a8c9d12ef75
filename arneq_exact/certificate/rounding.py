"""Outward rounding: doubles that are never below the real number they stand for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.model.rationals import FloatArray


def above(values: FloatArray) -> FloatArray:
    """Return the next doubles upward: at least the exact result of the one operation before."""
    return np.nextafter(values, np.inf)


def rounded_up(value: Fraction) -> float:
    """Return the smallest double that is at least `value`, infinity past the largest.

    Examples
    --------
    >>> rounded_up(Fraction(1, 2)), rounded_up(Fraction(1, 3)) * 3 >= 1
    (0.5, True)
    """
    try:
        nearest = float(value)
    except OverflowError:
        return float("inf") if value > 0 else -float(np.finfo(np.float64).max)
    return nearest if Fraction(nearest) >= value else float(np.nextafter(nearest, np.inf))
