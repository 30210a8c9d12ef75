"""Exact numbers as Python integers over shared denominators, in numpy object arrays.

A `Fraction` reduces after every operation; integers over one denominator do not, which makes a sweep
20 to 60 times faster. Doubles are dyadic rationals, m·2^e with m odd, so their common denominator is a
power of two. Rational games keep one denominator per *state*: a common one for the whole game would
explode, while one per row would have to be matched within every stage game.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, IntArray, common_denominator
from arneq_exact.model.game import MarkovGame

ObjectArray = NDArray[np.object_]
INT64_BITS = 62
"""Bits up to which shifted integers fit into 64 with their sign and a spare one."""


def object_array(values: Iterable[Any]) -> ObjectArray:
    """Return a flat object array, whatever the entries are."""
    entries = list(values)
    result = np.empty(len(entries), dtype=object)
    result[:] = entries
    return result


def over_common_denominator(values: NDArray[Any]) -> tuple[ObjectArray, int]:
    """Write every entry as integer / one denominator.

    Examples
    --------
    >>> over_common_denominator(np.array([0.5, 3.0]))
    (array([1, 6], dtype=object), 2)
    """
    if values.dtype != object:
        mantissas, exponents = _dyadic(values)
        places = max(0, -int(exponents.min(initial=0)))
        return _shifted(mantissas, exponents + places), 1 << places
    numerators, denominator = common_denominator(values.ravel())
    return object_array(numerators).reshape(values.shape), denominator


def over_row_denominators(table: NDArray[Any]) -> tuple[ObjectArray, ObjectArray]:
    """Write every row of a (rows, columns) table over a denominator of its own."""
    if table.dtype != object:
        mantissas, exponents = _dyadic(table)
        places = np.maximum(0, -exponents.min(axis=1, initial=0))
        return _shifted(mantissas, exponents + places[:, None]), object_array(1 << p for p in places.tolist())
    pairs = [over_common_denominator(row) for row in table]
    return np.stack([row for row, _ in pairs]), object_array(denominator for _, denominator in pairs)


def _dyadic(values: FloatArray) -> tuple[IntArray, IntArray]:
    """Split doubles into odd mantissa (or 0) and exponent, without loss; subnormals included."""
    fractions, exponents = np.frexp(values)
    mantissas = np.ldexp(fractions, 53).astype(np.int64)
    lowest_bit = np.frexp((mantissas & -mantissas).astype(np.float64))[1] - 1
    trailing = np.where(mantissas == 0, 0, lowest_bit).astype(np.int64)
    powers = np.where(mantissas == 0, 0, exponents.astype(np.int64) - 53 + trailing)
    return mantissas >> trailing, powers


def _shifted(mantissas: IntArray, shifts: IntArray) -> ObjectArray:
    if 53 + int(shifts.max(initial=0)) <= INT64_BITS:
        return (mantissas << shifts).astype(object)
    return np.asarray(mantissas.astype(object) << shifts.astype(object))


@dataclass(frozen=True, eq=False)
class IntegerGame:
    """The exact content of a game as integers with one denominator per state.

    Attributes
    ----------
    rewards : (rows, n) over ``reward_denominators[state]``
    transitions : (nnz,) in CSR order, over ``transition_denominators[state]``
    discount : tuple of Fraction, one per agent
    largest_row_sum : Fraction
    """

    game: MarkovGame
    rewards: ObjectArray
    reward_denominators: ObjectArray
    transitions: ObjectArray
    transition_denominators: ObjectArray
    discount: tuple[Fraction, ...]
    largest_row_sum: Fraction
    state_of_row: IntArray

    @classmethod
    def of(cls, game: MarkovGame) -> IntegerGame:
        """Take the exact rationals of a game where it has them, else its doubles at their word."""
        state_of_row = np.repeat(np.arange(game.n_states), np.diff(game.offsets))
        # In bulk, past the game's accessors of single numbers, which would make a Fraction for each.
        if game.exact is None:
            rewards, reward_denominator = over_common_denominator(game.rewards)
            transitions, denominator = over_common_denominator(game.transitions.data)
            paid = np.full(game.n_states, reward_denominator, dtype=object)
            moves = np.full(game.n_states, denominator, dtype=object)
        else:
            exact = game.exact
            paid = _per_state(game, exact.reward_denominators)
            moves = _per_state(game, exact.transition_denominators)
            rewards = exact.reward_numerators * (paid[state_of_row] // exact.reward_denominators)[:, None]
            scale = moves[state_of_row] // exact.transition_denominators
            transitions = exact.transition_numerators * np.repeat(scale, np.diff(game.transitions.indptr))
        sums = sum_by_row(transitions, game.transitions.indptr)
        most = np.maximum.reduceat(sums, game.offsets[:-1])
        largest = max(Fraction(total, unit) for total, unit in zip(most, moves, strict=True))
        return cls(game, rewards, paid, transitions, moves, game.exact_discount(), largest, state_of_row)

    def backup(self, agent: int, values: ObjectArray, unit: int) -> tuple[ObjectArray, ObjectArray]:
        """Return r_i + γ_i P v for v = values / unit: integers (rows,) and denominators (S,)."""
        matrix = self.game.transitions
        expected = sum_by_row(self.transitions * values[matrix.indices], matrix.indptr)
        gamma = self.discount[agent]
        future = self.transition_denominators * (gamma.denominator * unit)
        common = np.lcm(self.reward_denominators, future)
        paid_factor = (common // self.reward_denominators)[self.state_of_row]
        future_factor = (common // future * gamma.numerator)[self.state_of_row]
        return self.rewards[:, agent] * paid_factor + expected * future_factor, common


def sum_by_row(entries: ObjectArray, indptr: IntArray) -> ObjectArray:
    """Sum CSR entries row by row; a row without entries sums to 0."""
    totals = np.zeros(len(indptr) - 1, dtype=object)
    # reduceat misreads empty segments, so only rows that have entries are given to it.
    filled = np.flatnonzero(np.diff(indptr))
    if filled.size:
        totals[filled] = np.add.reduceat(entries, indptr[filled])
    return totals


def _per_state(game: MarkovGame, denominators: ObjectArray) -> ObjectArray:
    bounds = game.offsets.tolist()
    return object_array(math.lcm(*denominators[first:last]) for first, last in pairwise(bounds))
