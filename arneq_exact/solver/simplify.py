"""Guess the rational evidence behind doubles: 0.0099999… may stand for 1/100.

The evidence of a certificate is never believed [T12], so it may be guessed. Where a game is small its values
and its attackers' mixtures are often rationals with short denominators; written as such instead of as the
nearest doubles they can close the proved gap to exactly 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray

LONGEST_VALUE = 10**7
"""Denominators of values: squared they stay below the 2^53 that a double tells apart."""

LONGEST_PROBABILITY = 10**4
"""Denominators of probabilities: small, since those of a whole row must sum to 1."""

TELLING, TELLING_NEARNESS = 10**4, 1e-13
"""Denominators and nearness that tell a rational from a double, whose nearest is some 1e-8 off."""

NEARNESS = 1e-12
"""A guess must agree with its double to this, relative to the larger of it and 1; solvers leave less."""


def _guess(number: float, longest: int, nearness: float = NEARNESS) -> Fraction | None:
    guess = Fraction(number).limit_denominator(longest)
    return guess if abs(float(guess) - number) <= nearness * max(1.0, abs(number)) else None


def simple_values(array: FloatArray) -> NDArray[Any]:
    """Return every number as a near rational with a short denominator, or as it is if there is none."""
    result = np.empty(array.size, dtype=object)
    for index, number in enumerate(array.reshape(-1).tolist()):
        guess = _guess(number, LONGEST_VALUE)
        result[index] = Fraction(number) if guess is None else guess
    return result.reshape(array.shape)


def seems_rational(values: FloatArray) -> bool:
    """Tell whether half of the values (n, S) of some agent look like short rationals.

    Every double lies near some rational of seven digits, so those tell nothing; of four digits few do, if
    near means a few units in the last place.
    """
    return any(
        2 * sum(_guess(number, TELLING, TELLING_NEARNESS) is not None for number in row) >= len(row)
        for row in values.tolist()
    )


def simple_mixtures(array: FloatArray) -> NDArray[Any]:
    """Return every mixture (last axis) in short rationals that sum to 1, or as it is."""
    result = np.empty((array.size // array.shape[-1], array.shape[-1]), dtype=object)
    for index, row in enumerate(array.reshape(result.shape).tolist()):
        guesses = [_guess(number, LONGEST_PROBABILITY) for number in row]
        known = [guess for guess in guesses if guess is not None]
        whole = len(known) == len(row) and sum(known) == 1
        result[index] = known if whole else [Fraction(number) for number in row]
    return result.reshape(array.shape)
