"""Numbers as people write them: floats, integers, Fractions and strings like "1/3".

A float is taken at its word: it is the dyadic rational that it stores. A string or a Fraction is
taken exactly. Everything downstream that claims to be exact starts from these two rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
    if isinstance(value, bool | np.bool_):
        raise error(f"{where} is {value!r}; must be a number, not a truth value")
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int | np.integer):
        return Fraction(int(value))
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise error(f"{where} is {float(value)!r}; must be finite")
        return Fraction(float(value))
    if isinstance(value, str):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise error(f"{where} is {value!r}; must be a number such as 0.5 or '1/3'") from None
    raise error(f"{where} is {value!r}; must be a number")


def nearest_float(value: Fraction, where: str, error: type[InputError] = InputError) -> float:
    """Return the double nearest to `value`; refuse what overflows."""
    try:
        return float(value)
    except OverflowError:
        raise error(f"{where} is {str(value)[:40]}…; must lie within the range of double precision") from None


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
