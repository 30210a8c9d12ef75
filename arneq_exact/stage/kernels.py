"""What every compiled stage kernel shares: the compiler's options and small dense linear algebra.

The kernels of this package follow one pattern. A loop over the batch runs *inside* compiled code, games
come with payoffs normalised to [0, 1] (see `normal_form`), a pivoting method ends in a *basis*, and
the solution is then read from a fresh solution of the linear system of that basis wherever the tableau
has gathered too much rounding. `to_unit` and `replies` are the compiled twins of `normal_form`, by which
kernels choose between candidates; `verification` decides.

Only the modules called ``*kernel*`` import numba, and they are imported when a solver first needs them.

Reference
---------
Golub & Van Loan (2013), *Matrix Computations*, 4th ed., section 3.4 (elimination with partial pivoting).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit

from arneq_exact.exact.rationals import FloatArray, IntArray

_F = TypeVar("_F", bound=Callable[..., object])

_SINGULAR = (
    1e-12  # pivots below are zero: entries are payoffs of order one, and rounding is 1e-16 times a growth
)
PIVOT = 1e-10  # an entry of a tableau below this is rounding, and no row to leave by
TIE = 1e-12  # ratios this near are equal: exact ties in rational data come back only to rounding
_GRID = 1048576.0  # 2^20: mixtures of simple games, 1/2 and 3/4, lie on multiples of its inverse
_ON_GRID = 4.5e-16  # two units in the last place of a probability near 1


def compiled(function: _F) -> _F:
    """Compile with numba, cached on disk; a division by zero gives inf or nan, as in numpy.

    numpy's error model spares the branch before every division, without which inner loops do not
    vectorise. The decorator keeps the Python signature visible to type checkers.
    """
    return cast(_F, njit(cache=True, error_model="numpy")(function))


@compiled
def to_unit(matrix: FloatArray) -> tuple[float, float]:
    """Map payoffs to [0, 1] in place, as `normal_form.unit_payoffs` does; return minimum and range."""
    least = matrix.min()
    width = matrix.max() - least
    if width == 0.0:
        width = 1.0
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[i, j] = (matrix[i, j] - least) / width
    return least, width


@compiled
def replies(payoff: FloatArray, own: FloatArray, other: FloatArray) -> tuple[float, float, float]:
    """What actions get against another player's mixture: the least, what the own mixture gets, the most.

    ``payoff`` (A, C), ``own`` (A,), ``other`` (C,). The most less its own is its regret; of a matrix game the
    most of the rows less the least of the columns is the duality gap.
    """
    least = np.inf
    most = -np.inf
    kept = 0.0
    for i in range(payoff.shape[0]):
        total = 0.0
        for j in range(payoff.shape[1]):
            total += payoff[i, j] * other[j]
        kept += own[i] * total
        least = min(least, total)
        most = max(most, total)
    return least, kept, most


@compiled
def indifferent(
    payoff: FloatArray, actions: IntArray, tight: IntArray, size: int, system: FloatArray, mixture: FloatArray
) -> bool:
    """Fill the mixture of some actions against which as many rows of ``payoff`` (R, A) get the same.

    The first ``size`` of ``actions`` and rows ``tight`` count: (1 + payoff)[tight, actions] z = 1 gives
    the mixture up to its sum. ``system`` is work space. False if it is singular, or nothing is left.
    """
    solution = np.ones(size)
    for i in range(size):
        for j in range(size):
            system[i, j] = 1.0 + payoff[tight[i], actions[j]]
    if not solve_linear_system(system, solution, size):
        return False
    mixture[:] = 0.0
    for j in range(size):
        mixture[actions[j]] = solution[j]
    return normalise(mixture)


@compiled
def solve_linear_system(matrix: FloatArray, rhs: FloatArray, size: int) -> bool:
    """Overwrite ``rhs[:size]`` by the solution of ``matrix[:size, :size] z = rhs[:size]``.

    Gaussian elimination with partial pivoting, in place. Returns False, with both arrays spoilt, when
    the system is singular to working accuracy.
    """
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        if not abs(matrix[best, k]) > _SINGULAR:
            return False
        if best != k:
            for j in range(k, size):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
            rhs[k], rhs[best] = rhs[best], rhs[k]
        for i in range(k + 1, size):
            factor = matrix[i, k] / matrix[k, k]
            if factor != 0.0:
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
                rhs[i] -= factor * rhs[k]
    for k in range(size - 1, -1, -1):
        total = rhs[k]
        for j in range(k + 1, size):
            total -= matrix[k, j] * rhs[j]
        rhs[k] = total / matrix[k, k]
    return True


@compiled
def normalise(mixture: FloatArray) -> bool:
    """Clip negative entries to zero and divide by the sum, in place; False if nothing positive is left.

    A mixture within rounding of multiples of 2^-20 that sum to 1 becomes these multiples. Pivoting leaves
    1/2 as 0.49999999999999994; so the mixtures of simple games, and what is proved of them, are exact.
    """
    total = 0.0
    for i in range(mixture.shape[0]):
        if not mixture[i] > 0.0:
            mixture[i] = 0.0
        total += mixture[i]
    if not (total > 0.0 and total < np.inf):
        return False
    dyadic = 0.0
    near = True
    for i in range(mixture.shape[0]):
        mixture[i] /= total
        grid = np.rint(mixture[i] * _GRID) * (1.0 / _GRID)
        near = near and abs(mixture[i] - grid) <= _ON_GRID
        dyadic += grid
    if near and dyadic == 1.0:
        for i in range(mixture.shape[0]):
            mixture[i] = np.rint(mixture[i] * _GRID) * (1.0 / _GRID)
    return True


@compiled
def lexicographic_row(tableau: FloatArray, column: int, first: int, count: int, tied: IntArray) -> int:
    """The leaving row of the lexicographic minimum ratio test, or -1 if no entry of the column is positive.

    The right-hand side is the last column; ``tableau[:, first:first + count]`` is the inverse of the
    basis (the columns that began as the identity). Ties of the ratio are broken by the ratios of these
    columns in turn, which is the same as perturbing the right-hand side by (ε, ε², …): no basis repeats.
    ``tied`` is scratch space with room for every row.
    """
    rows = tableau.shape[0]
    last = tableau.shape[1] - 1
    number = 0
    best = np.inf
    for i in range(rows):
        if tableau[i, column] > PIVOT:
            ratio = max(tableau[i, last], 0.0) / tableau[i, column]
            if ratio < best - TIE:
                number = 0
            if ratio <= best + TIE:
                tied[number] = i
                number += 1
                best = min(best, ratio)
    if number == 0:
        return -1
    j = first
    while number > 1 and j < first + count:
        best = np.inf
        kept = 0
        for t in range(number):
            row = tied[t]
            ratio = tableau[row, j] / tableau[row, column]
            if ratio < best - TIE:
                kept = 0
            if ratio <= best + TIE:
                tied[kept] = row
                kept += 1
                best = min(best, ratio)
        number = kept
        j += 1
    return int(tied[0])


@compiled
def pivot(tableau: FloatArray, row: int, column: int) -> None:
    """Make ``column`` the unit vector of ``row`` by row operations (a Gauss–Jordan step), in place."""
    rows, width = tableau.shape
    inverse = 1.0 / tableau[row, column]
    for j in range(width):
        tableau[row, j] *= inverse
    for i in range(rows):
        factor = tableau[i, column]
        if i != row and factor != 0.0:
            for j in range(width):
                tableau[i, j] -= factor * tableau[row, j]
            tableau[i, column] = 0.0
    tableau[row, column] = 1.0
