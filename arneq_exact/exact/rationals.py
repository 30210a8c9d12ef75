"""Numbers as people write them: floats, integers, Fractions and strings like "1/3".

A float is taken at its word: it is the dyadic rational that it stores. A string or a Fraction is
taken exactly. Everything downstream that claims to be exact starts from these two rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import InputError
from arneq_exact.require import is_truth_value, shown

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LARGEST_BITS = 4096
"""Longest numerator or denominator. Python writes no integer of over 4300 digits, and a row's common
denominator multiplies: a number that is longer than this is a slip, not a game."""

_EXPONENT = re.compile(r"[eE][+-]?[\d_]{5,}\s*$")


def to_fraction(value: Any, where: str, error: type[InputError] = InputError) -> Fraction:
    """Return the exact value of one number.

    Parameters
    ----------
    value : float, int, Fraction or str
        A string is read as ``"p/q"`` or a decimal, exactly.
    where : str
        The place named in the error message.
    error : type
        The class of error to raise.

    Raises
    ------
    InputError
        If `value` is no finite real number.

    Examples
    --------
    >>> to_fraction("1/3", "demo"), to_fraction(0.5, "demo")
    (Fraction(1, 3), Fraction(1, 2))
    """
    if is_truth_value(value):
        raise error(f"{where} is {value!r}; must be a number, not a truth value")
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise error(f"{where} is {float(value)!r}; must be finite")
        return Fraction(float(value))
    if isinstance(value, Fraction):
        exact = value
    elif isinstance(value, int | np.integer):
        exact = Fraction(int(value))
    elif isinstance(value, str):
        exact = _parsed(value, where, error)
    else:
        raise error(f"{where} is {shown(value)}; must be a number")
    if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > LARGEST_BITS:
        raise error(
            f"{where} is {shown(value)}; must have at most {LARGEST_BITS} bits above and below the line"
        )
    return exact


def _parsed(text: str, where: str, error: type[InputError]) -> Fraction:
    try:
        # Fraction("1e999999999") would compute for hours.
        if len(text) > LARGEST_BITS or _EXPONENT.search(text):
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise error(f"{where} is {shown(text)}; must be a number such as 0.5 or '1/3'") from None


def double_or_fraction(value: Any, where: str, error: type[InputError] = InputError) -> float | Fraction:
    """Return a finite double as it is, and anything else as a Fraction unless a double holds it.

    Examples
    --------
    >>> double_or_fraction("1/2", "demo"), double_or_fraction("1/3", "demo")
    (0.5, Fraction(1, 3))
    """
    # Doubles and small integers are nearly all of a game; only true rationals pay for Fractions.
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and -(2**53) <= value <= 2**53:
        return float(value)
    exact = to_fraction(value, where, error)
    double = nearest_float(exact, where, error)
    return double if Fraction(double) == exact else exact


def nearest_float(value: Fraction, where: str, error: type[InputError] = InputError) -> float:
    """Return the double nearest to `value`; refuse what overflows."""
    try:
        return float(value)
    except OverflowError:
        raise error(f"{where} is {shown(value)}; must lie within the range of double precision") from None


def as_float(value: Any, where: str, error: type[InputError] = InputError) -> float:
    """Return one number as a double (see `to_fraction` for what counts as a number)."""
    return nearest_float(to_fraction(value, where, error), where, error)


def number_text(value: Fraction) -> str | float:
    """Return the shortest faithful form for a JSON file: a float where that is exact, else "p/q"."""
    try:
        as_double = float(value)
    except OverflowError:
        return f"{value.numerator}/{value.denominator}"
    return as_double if Fraction(as_double) == value else f"{value.numerator}/{value.denominator}"


def common_denominator(row: Iterable[Fraction]) -> tuple[list[int], int]:
    """Return integer numerators over one common denominator.

    Examples
    --------
    >>> common_denominator([Fraction(1, 2), Fraction(1, 3)])
    ([3, 2], 6)
    """
    entries = list(row)
    denominator = math.lcm(*(entry.denominator for entry in entries)) if entries else 1
    return [entry.numerator * (denominator // entry.denominator) for entry in entries], denominator
