"""Outward rounding: numbers that are never below the real number they stand for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray

LONGEST_DENOMINATOR = 1200
"""Bits past which an exact bound is shortened: beyond every double, and short enough to be written."""


def above(values: FloatArray) -> FloatArray:
    """Return the next doubles upward: at least the exact result of the one operation before."""
    return np.nextafter(values, np.inf)


def sum_above(left: FloatArray, right: FloatArray | float) -> FloatArray:
    """Return the least doubles that are at least left + right, exact sums included.

    The rounding error of a sum is itself a double (Møller 1965, Knuth's TwoSum), so its sign tells
    whether the rounded sum is already an upper bound.
    """
    total = left + right
    virtual = total - left
    error = (left - (total - virtual)) + (right - virtual)
    return np.where(error > 0, np.nextafter(total, np.inf), total)


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


def shortened(value: Fraction) -> Fraction:
    """Return `value`, or if its denominator has over 1200 bits the next multiple of 2^-1200 above it.

    Bounds over a long horizon would else grow by a hundred bits a step. The rule is part of what a
    sealed claim means, so that every checker finds the same number.

    Examples
    --------
    >>> shortened(Fraction(1, 3))
    Fraction(1, 3)
    """
    if value.denominator.bit_length() <= LONGEST_DENOMINATOR:
        return value
    scaled = value * 2**LONGEST_DENOMINATOR
    return Fraction(-(-scaled.numerator // scaled.denominator), 2**LONGEST_DENOMINATOR)


def pointwise_bounds(upper: NDArray[Any], lower: NDArray[Any], shift: tuple[Fraction, ...]) -> FloatArray:
    """Return u − l + shift rounded up, at least 0, for u and l (n, S): bounds on the gap at every state."""
    result = np.empty(upper.shape)
    for agent, extra in enumerate(shift):
        if object in (upper.dtype, lower.dtype):
            spread = [
                Fraction(high) - Fraction(low) for high, low in zip(upper[agent], lower[agent], strict=True)
            ]
            result[agent] = [rounded_up(max(difference + extra, Fraction(0))) for difference in spread]
        else:
            above = sum_above(upper[agent], -lower[agent])
            result[agent] = np.maximum(sum_above(above, rounded_up(extra)), 0.0)
    return result
