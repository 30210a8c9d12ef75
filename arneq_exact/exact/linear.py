"""Linear equations in Fractions, by elimination."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.exact.arrays import ExactArray


def solve_linear(matrix: ExactArray, right: ExactArray) -> ExactArray | None:
    """Solve a square system of Fractions by elimination; None if there is not exactly one solution.

    Examples
    --------
    >>> from arneq_exact.exact.arrays import exact_array
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
