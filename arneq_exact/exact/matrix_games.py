"""Matrix games in exact numbers: by the simplex method, or by all extreme optimal strategies.

`exact_matrix_game` trusts no pivot: the value of a game is returned only if both mixtures guarantee it.

An extreme optimal strategy of the row player makes the columns of some square submatrix equal (Shapley & Snow
1950, Annals of Mathematics Studies 24, 27–35). So the best of the mixtures that do so is optimal, and among
them are all extreme points of the polytope of optimal strategies: `matrix_game` and `candidate_strategies`,
in doubles or in Fractions. Nothing is thresholded: a candidate is judged by what it guarantees. The cost is
exponential in the smaller side of the matrix.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from arneq_exact.errors import StageError
from arneq_exact.exact.arrays import ExactArray, Numbers, exact_array, zeros
from arneq_exact.exact.linear import solve_linear
from arneq_exact.exact.rationals import common_denominator
from arneq_exact.exact.simplex import solve_integer_game


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


def matrix_game(matrix: Numbers) -> tuple[Any, Numbers]:
    """Return value and an extreme optimal strategy (A,) of the row player, who maximises.

    Examples
    --------
    >>> value, mixture = matrix_game(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    >>> float(value), mixture.tolist()
    (0.0, [0.5, 0.5])
    """
    candidates = candidate_strategies(matrix)
    worth = (candidates @ matrix).min(axis=1)
    best = int(worth.argmax())
    return worth[best], candidates[best]


def candidate_strategies(matrix: Numbers) -> Numbers:
    """Return mixtures (N, A) among which are all extreme optimal strategies of the row player.

    For every square submatrix the mixture that makes its columns equal, where there is one. The cost is
    exponential in min(A, C).
    """
    rows, columns = matrix.shape
    found = []
    for size in range(1, min(rows, columns) + 1):
        chosen = np.array(list(combinations(range(rows), size)))
        met = np.array(list(combinations(range(columns), size)))
        pairs = [(r, c) for r in range(len(chosen)) for c in range(len(met))]
        used = chosen[[r for r, _ in pairs]]
        systems = zeros((len(pairs), size + 1, size + 1), matrix.dtype == object)
        square = matrix[used[:, :, None], met[[c for _, c in pairs]][:, None, :]]
        systems[:, :size, :size] = square.swapaxes(1, 2)
        systems[:, :size, size] = -1
        systems[:, size, :size] = 1
        for mixture, support in zip(_mixtures(systems), used, strict=True):
            if mixture is not None:
                whole = zeros(rows, matrix.dtype == object)
                whole[support] = mixture
                found.append(whole)
    return np.stack(found)


def _mixtures(systems: Numbers) -> list[Numbers | None]:
    """Solve systems (m+1, m+1), 1 at the end of the right side, for the x of [x; v]; None outside of Δ."""
    size = systems.shape[1] - 1
    right = zeros(size + 1, systems.dtype == object)
    right[size] = 1 + right[size]
    if systems.dtype == object:
        solved = [solve_linear(system, right) for system in systems]
        return [None if x is None or min(x[:size]) < 0 else x[:size] for x in solved]
    regular = np.linalg.slogdet(systems).sign != 0
    result: list[Numbers | None] = [None] * len(systems)
    if regular.any():
        answers = np.linalg.solve(systems[regular], np.broadcast_to(right[:, None], (size + 1, 1)))[
            :, :size, 0
        ]
        for index, mixture in zip(np.flatnonzero(regular), answers, strict=True):
            # Rounding may leave a zero slightly negative; the clipped mixture is judged as it is.
            if np.isfinite(mixture).all() and mixture.min() > -1e-9:
                clipped = np.clip(mixture, 0, None)
                result[index] = clipped / clipped.sum()
    return result
