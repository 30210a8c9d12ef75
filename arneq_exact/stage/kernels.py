"""What every compiled stage kernel shares: the compiler's options and small dense linear algebra.

The kernels of this package follow one pattern. A loop over the batch runs *inside* compiled code, games
come with payoffs normalised to [0, 1] (see `verification`), a pivoting method ends in a *basis*, and
the solution is then read from a fresh solution of the linear system of that basis wherever the tableau
has gathered too much rounding. Nothing here judges an answer: kernels yield candidates, and
`verification` decides.

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


def compiled(function: _F) -> _F:
    """Compile with numba, cached on disk; a division by zero gives inf or nan, as in numpy.

    numpy's error model spares the branch before every division, without which inner loops do not
    vectorise. The decorator keeps the Python signature visible to type checkers.
    """
    return cast(_F, njit(cache=True, error_model="numpy")(function))


@compiled
def solve_linear_system(matrix: FloatArray, rhs: FloatArray, size: int) -> bool:
    """Overwrite ``rhs[:size]`` by the solution of ``matrix[:size, :size] z = rhs[:size]``.

    Gaussian elimination with partial pivoting, in place. Returns False, with both arrays spoilt, when
    a pivot is below 1e-12: entries are payoffs of order one, so the system is then singular to working
    accuracy.
    """
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        if not abs(matrix[best, k]) > 1e-12:
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
        grid = np.rint(mixture[i] * 1048576.0) * (1.0 / 1048576.0)
        near = near and abs(mixture[i] - grid) <= 4.5e-16
        dyadic += grid
    if near and dyadic == 1.0:
        for i in range(mixture.shape[0]):
            mixture[i] = np.rint(mixture[i] * 1048576.0) * (1.0 / 1048576.0)
    return True


@compiled
def lexicographic_row(tableau: FloatArray, column: int, first: int, count: int, tied: IntArray) -> int:
    """The leaving row of the lexicographic minimum ratio test, or -1 if no entry of the column is positive.

    The right-hand side is the last column; ``tableau[:, first:first + count]`` is the inverse of the
    basis (the columns that began as the identity). Ties of the ratio are broken by the ratios of these
    columns in turn, which is the same as perturbing the right-hand side by (ε, ε², …): no basis repeats.
    ``tied`` is scratch space with room for every row. Ties are ties up to 1e-12, relative to the ratio
    scale of one: exact ties in rational data come back from floating point only to rounding.
    """
    rows = tableau.shape[0]
    last = tableau.shape[1] - 1
    number = 0
    best = np.inf
    for i in range(rows):
        if tableau[i, column] > 1e-10:
            ratio = max(tableau[i, last], 0.0) / tableau[i, column]
            if ratio < best - 1e-12:
                number = 0
            if ratio <= best + 1e-12:
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
            if ratio < best - 1e-12:
                kept = 0
            if ratio <= best + 1e-12:
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
