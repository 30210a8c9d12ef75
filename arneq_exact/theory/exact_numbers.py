"""A game's numbers as Fractions, and the few exact computations that confirm a counterexample.

Nothing here is shared with the solvers' arithmetic but the simplex method in integers, whose answer is proved
by its own duality: the value of a matrix game is returned only if both mixtures guarantee it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import StageError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import common_denominator
from arneq_exact.stage.exact_simplex import solve_integer_game

ExactArray = NDArray[Any]
SMALL = 2**31
"""Integers up to this size are kept as int64; sums of two of them cannot overflow."""


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


def exact_moves(game: MarkovGame, row: int) -> list[tuple[Fraction, int]]:
    """Return the exact transitions of a row as pairs (probability, next state)."""
    start, stop = int(game.transitions.indptr[row]), int(game.transitions.indptr[row + 1])
    states = game.transitions.indices[start:stop].tolist()
    if game.exact is None:
        return [
            (Fraction(p), s) for p, s in zip(game.transitions.data[start:stop].tolist(), states, strict=True)
        ]
    below = game.exact.transition_denominators[row]
    above = game.exact.transition_numerators[start:stop]
    return [(Fraction(number, below), s) for number, s in zip(above, states, strict=True)]


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


def matrix_game_value(table: Sequence[Sequence[Fraction]]) -> tuple[Fraction, list[Fraction]]:
    """Return the exact value of a matrix game and an optimal mixture of the row player, who maximises.

    Raises
    ------
    StageError
        If the simplex method meets its bound of pivots.

    Examples
    --------
    >>> one = Fraction(1)
    >>> matrix_game_value([[2 * one, 0 * one], [0 * one, one]])
    (Fraction(2, 3), [Fraction(1, 3), Fraction(2, 3)])
    """
    flat, unit = common_denominator(entry for row in table for entry in row)
    width, least = len(table[0]), min(flat)
    rows = [[n - least + 1 for n in flat[at : at + width]] for at in range(0, len(flat), width)]
    weights = solve_integer_game(rows)
    if weights is None:
        raise StageError("an exact matrix game met the bound of pivots")
    x, y = (_mixture(side) for side in weights)
    lower = min(_dot(x, column) for column in zip(*rows, strict=True))
    upper = max(_dot(y, row) for row in rows)
    if lower != upper:
        raise StageError("an exact matrix game fails its own test: a fault in the program")
    return (lower + least - 1) / unit, x


def security_value(payoff: ExactArray, agent: int) -> Fraction:
    """Return sec_i = max_x min over a_-i of Q_i(x, a_-i) of one agent's payoffs (A1, ..., An)."""
    table = np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1)
    return matrix_game_value(table.tolist())[0]


def solve_linear_system(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Return the solution of a regular square system, by Gauss's elimination.

    Examples
    --------
    >>> one = Fraction(1)
    >>> solve_linear_system([[2 * one, one], [one, one]], [3 * one, 2 * one])
    [Fraction(1, 1), Fraction(1, 1)]
    """
    rows = [[*row, entry] for row, entry in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = next(row for row in range(column, size) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [entry / head for entry in rows[column]]
        for row in range(size):
            factor = rows[row][column]
            if row != column and factor:
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]


def _mixture(weights: Sequence[int]) -> list[Fraction]:
    total = sum(weights)
    return [Fraction(weight, total) for weight in weights]


def _dot(weights: Iterable[Fraction], values: Iterable[Any]) -> Fraction:
    return sum((w * v for w, v in zip(weights, values, strict=True) if w), Fraction(0))
