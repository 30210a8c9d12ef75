"""Krawczyk's test in ball arithmetic: a box that holds exactly one zero of a square polynomial system.

For a box B with centre c, an approximate inverse R of the Jacobian and the Jacobian J(B) over the box,

    K(B) = c − R F(c) + (I − R J(B)) (B − c).

If K(B) lies in the interior of B, there is exactly one zero in B, and it lies in K(B): the map z − R F(z)
takes B into K(B), so it has a fixed point by Brouwer's theorem; the inclusion forces ‖I − R J‖ < 1 for every
J in J(B) in the norm scaled by the box's radii, hence R and every such J are regular, fixed points are
zeros, and two zeros would give J (z − z') = 0 for some J in J(B) by the mean value theorem.

The arithmetic is that of arb (python-flint): every number is a ball that holds the true one.

References
----------
Krawczyk (1969), Computing 4, 187–201; Moore (1977), SIAM J. Numer. Anal. 14, 611–615; Johansson (2017), IEEE
Trans. Computers 66, 1281–1292 (arb).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from arneq_exact.enclosure.polynomials import Evaluator, Polynomial

NEWTON_STEPS = 60
"""Most steps to the zero: by `WORST_CONDITION` an inverse in doubles gains some digits in each."""

FRESH_INVERSES = 3
"""Steps with an inverse of their own: after them a double's digits of the Jacobian are right."""

WORST_CONDITION = 1e12
"""Condition past which an inverse in doubles keeps too few digits for Newton's method to contract."""

SPARE_BITS = 16
"""Bits of the precision that are left to rounding: boxes are 2^(SPARE_BITS − bits) wide at least."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with balls of `bits` bits."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(value: Fraction) -> Any:
    """Return a ball that holds a rational."""
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def ends(number: Any) -> tuple[Fraction, Fraction]:
    """Return rationals below and above every number of a ball."""
    result = []
    for end in (number.lower(), number.upper()):
        mantissa, exponent = end.man_exp()
        result.append(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))
    return result[0], result[1]


class BallSystem:
    """A square system of polynomials, evaluated in balls.

    Parameters
    ----------
    equations : sequence of Polynomial
    """

    def __init__(self, equations: Sequence[Polynomial]) -> None:
        self.equations = equations
        self.size = len(equations)
        self.balls = Evaluator(ball)

    def residual(self, point: Sequence[Any]) -> Any:
        """Return F as a column."""
        return flint.arb_mat([[self.balls.value(equation, point)] for equation in self.equations])

    def jacobian(self, point: Sequence[Any]) -> Any:
        """Return the matrix of partial derivatives over a box."""
        matrix = flint.arb_mat(self.size, self.size)
        for row, equation in enumerate(self.equations):
            for column, slope in self.balls.gradient(equation, point).items():
                matrix[row, column] = slope
        return matrix

    def inverse(self, point: Sequence[Any]) -> Any:
        """Return an approximate inverse of the Jacobian at a point, None where it is nearly singular."""
        middle = np.array([[float(e.mid()) for e in row] for row in self.jacobian(point).tolist()])
        scale = np.abs(middle).max(axis=1, keepdims=True)
        if not np.isfinite(middle).all() or (scale == 0).any():
            return None
        if np.linalg.cond(middle / scale) > WORST_CONDITION:
            return None
        return flint.arb_mat(np.linalg.inv(middle).tolist())

    def zero(self, guess: Sequence[float], bits: int) -> tuple[list[Any], Any] | str:
        """Return a box that holds exactly one zero, with the approximate inverse; or why there is none."""
        point = [flint.arb(value) for value in guess]
        tiny = flint.arb(2) ** (SPARE_BITS - bits)
        inverse = None
        for step in range(NEWTON_STEPS):
            if step < FRESH_INVERSES:
                inverse = self.inverse(point)
                if inverse is None:
                    return "the reduced system is singular: the equilibrium is not isolated, or degenerate"
            change = (inverse * self.residual(point)).entries()
            point = [(here - delta).mid() for here, delta in zip(point, change, strict=True)]
            if max((abs(delta) for delta in change), key=lambda size: float(size.upper())).upper() < tiny:
                break
        else:
            return "Newton's method finds no equilibrium near the policy with the same actions in use"
        change = (inverse * self.residual(point)).entries()
        moved = max(float(abs(delta).upper()) for delta in change)
        radius = flint.arb(2.0 * moved) + tiny
        box = [flint.arb(here, radius) for here in point]
        image = self._image(point, box, inverse, change)
        if not all(whole.contains_interior(part) for whole, part in zip(box, image, strict=True)):
            return "Krawczyk's test fails: the reduced system is too nearly singular"
        return image, inverse

    def _image(self, point: list[Any], box: list[Any], inverse: Any, change: list[Any]) -> list[Any]:
        """Return K(B)."""
        spread = flint.arb_mat([[whole - here] for whole, here in zip(box, point, strict=True)])
        rest = (self._identity() - inverse * self.jacobian(box)) * spread
        moves = zip(point, change, rest.entries(), strict=True)
        return [here - delta + extra for here, delta, extra in moves]

    def one_zero_at_most(self, box: Sequence[Any], inverse: Any) -> bool:
        """Tell whether every Jacobian over the box is proved regular, so that two zeros cannot be."""
        return bool(norm(self._identity() - inverse * self.jacobian(box)) < 1)

    def _identity(self) -> Any:
        matrix = flint.arb_mat(self.size, self.size)
        for place in range(self.size):
            matrix[place, place] = 1
        return matrix


def norm(matrix: Any) -> Any:
    """Return an upper bound on the largest row sum of absolute values."""
    largest = flint.arb(0)
    for row in matrix.tolist():
        largest = largest.max(sum((abs(entry) for entry in row), flint.arb(0)))
    return largest.upper()
