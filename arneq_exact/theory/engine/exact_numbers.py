"""A game's numbers as Fractions, and the few exact computations that confirm a counterexample.

Nothing here is shared with the solvers' arithmetic but the simplex method in integers, whose answer is proved
by its own duality: the value of a matrix game is returned only if both mixtures guarantee it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import common_denominator
from arneq_exact.exact.simplex import solve_integer_game
from arneq_exact.model.game import MarkovGame

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


def exact_matrix_game(table: ExactArray) -> tuple[Fraction, list[Fraction], list[Fraction]]:
    """Return the value of a matrix game of Fractions or integers, and optimal mixtures that prove it.

    The row player maximises.

    Raises
    ------
    StageError
        If the simplex method meets its bound of pivots.

    Examples
    --------
    >>> exact_matrix_game(exact_array([[2, 0], [0, 1]]))[:2]
    (Fraction(2, 3), [Fraction(1, 3), Fraction(2, 3)])
    """
    exact = exact_array(table)
    flat, _ = common_denominator(exact.ravel().tolist())
    width, least = exact.shape[1], min(flat)
    rows = [[n - least + 1 for n in flat[at : at + width]] for at in range(0, len(flat), width)]
    weights = solve_integer_game(rows)
    if weights is None:
        raise StageError("an exact matrix game met the bound of pivots")
    x, y = ([Fraction(weight, sum(side)) for weight in side] for side in weights)
    lower = min(np.array(x, dtype=object).dot(exact).tolist())
    upper = max(exact.dot(np.array(y, dtype=object)).tolist())
    if lower != upper:
        raise StageError("an exact matrix game fails its own test: a fault in the program")
    return lower, x, y


def exact_security_value(payoff: ExactArray, agent: int) -> Fraction:
    """Return sec_i = max_x min over a_-i of Q_i(x, a_-i) of one agent's payoffs (A1, ..., An)."""
    return exact_matrix_game(np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1))[0]


def solve_linear(matrix: ExactArray, right: ExactArray) -> ExactArray | None:
    """Solve a square system of Fractions by elimination; None if there is not exactly one solution.

    Examples
    --------
    >>> solve_linear(exact_array([[2, 1], [1, 1]]), exact_array([3, 2])).tolist()
    [Fraction(1, 1), Fraction(1, 1)]
    """
    size = len(right)
    lines = [[*map(Fraction, line), Fraction(value)] for line, value in zip(matrix, right, strict=True)]
    for pivot in range(size):
        chosen = next((r for r in range(pivot, size) if lines[r][pivot]), None)
        if chosen is None:
            return None
        lines[pivot], lines[chosen] = lines[chosen], lines[pivot]
        lines[pivot] = [value / lines[pivot][pivot] for value in lines[pivot]]
        for r in range(size):
            if r != pivot and lines[r][pivot]:
                factor = lines[r][pivot]
                lines[r] = [a - factor * b for a, b in zip(lines[r], lines[pivot], strict=True)]
    return np.array([line[-1] for line in lines], dtype=object)
