"""Arrays of exact numbers: object arrays of Fractions, or integers with one divisor."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import common_denominator

ExactArray = NDArray[Any]
"""An object array of Fractions."""

Numbers = NDArray[Any]
"""A float64 array, or an object array of Fractions."""

SMALL = 2**31
"""Integers up to this size are kept as int64; sums of two of them cannot overflow."""


def zeros(shape: int | tuple[int, ...], exact: bool) -> Numbers:
    """Return zeros, doubles or Fractions."""
    return np.full(shape, Fraction(0), dtype=object) if exact else np.zeros(shape)


def exact_array(numbers: Any) -> ExactArray:
    """Return an object array of Fractions with the exact value of every number.

    Examples
    --------
    >>> exact_array([0.5, 3]).tolist()
    [Fraction(1, 2), Fraction(3, 1)]
    """
    table = np.asarray(numbers)
    result = np.empty(table.size, dtype=object)
    result[:] = [Fraction(number) for number in table.ravel().tolist()]
    return result.reshape(table.shape)


def exact_mixtures(table: Any) -> ExactArray:
    """Return the exact value of mixtures (last axis), divided by their exact sums: doubles may miss 1.

    Examples
    --------
    >>> exact_mixtures([[0.1, 0.9], [0.5, 0.5]]).sum(axis=1).tolist()
    [Fraction(1, 1), Fraction(1, 1)]
    """
    exact = exact_array(table)
    return np.asarray(exact / exact.sum(axis=-1, keepdims=True), dtype=object)


def scaled(payoffs: ExactArray) -> tuple[NDArray[Any], int]:
    """Return integers and the number that they must be divided by.

    Examples
    --------
    >>> scaled(exact_array([[0.5, 3.0]]))
    (array([[1, 6]]), 2)
    """
    numerators, denominator = common_denominator(payoffs.ravel().tolist())
    small = all(abs(number) < SMALL for number in numerators)
    table = np.empty(len(numerators), dtype=np.int64 if small else object)
    table[:] = numerators
    return table.reshape(payoffs.shape), denominator
