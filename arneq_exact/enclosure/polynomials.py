"""Polynomials with rational coefficients in numbered unknowns: enough to write equilibrium conditions down.

A polynomial maps monomials (unknowns as an ascending tuple, repeated for powers) to coefficients that are
not 0. Two polynomials are the same function exactly if they are equal, which makes identities between
attacks a question of comparing dictionaries. `Evaluator` puts any numbers in for the unknowns: doubles to
look for a solution, balls to prove one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Polynomial = dict[tuple[int, ...], Fraction]


def constant(value: Fraction | int) -> Polynomial:
    """Return a constant."""
    return {(): Fraction(value)} if value else {}


def unknown(number: int) -> Polynomial:
    """Return an unknown."""
    return {(number,): Fraction(1)}


def add(target: Polynomial, other: Mapping[tuple[int, ...], Fraction], factor: Fraction | int = 1) -> None:
    """Add a multiple of another polynomial, in place."""
    for monomial, coefficient in other.items():
        total = target.get(monomial, 0) + factor * coefficient
        if total:
            target[monomial] = Fraction(total)
        else:
            target.pop(monomial, None)


def linear(terms: Iterable[tuple[Fraction | int, Polynomial]]) -> Polynomial:
    """Return a linear combination.

    Examples
    --------
    >>> linear([(1, constant(1)), (-1, unknown(0)), (1, unknown(0))])
    {(): Fraction(1, 1)}
    """
    result: Polynomial = {}
    for factor, polynomial in terms:
        add(result, polynomial, factor)
    return result


def product(*factors: Polynomial) -> Polynomial:
    """Return a product.

    Examples
    --------
    >>> product(unknown(1), linear([(1, constant(1)), (-1, unknown(0))]))
    {(1,): Fraction(1, 1), (0, 1): Fraction(-1, 1)}
    """
    result = constant(1)
    for factor in factors:
        expanded: Polynomial = {}
        for left, first in result.items():
            add(expanded, {tuple(sorted(left + right)): first * second for right, second in factor.items()})
        result = expanded
    return result


class Evaluator:
    """Evaluate polynomials at numbers of one kind.

    Parameters
    ----------
    convert : callable
        Takes a Fraction to a number of that kind.
    """

    def __init__(self, convert: Callable[[Fraction], Any]) -> None:
        self.convert = convert
        self.known: dict[Fraction, Any] = {}

    def coefficient(self, value: Fraction) -> Any:
        """Return a coefficient, converted once."""
        if value not in self.known:
            self.known[value] = self.convert(value)
        return self.known[value]

    def value(self, polynomial: Polynomial, point: Sequence[Any]) -> Any:
        """Return the value at a point."""
        total = self.coefficient(Fraction(0))
        for monomial, coefficient in polynomial.items():
            term = self.coefficient(coefficient)
            for number in monomial:
                term = term * point[number]
            total = total + term
        return total

    def gradient(self, polynomial: Polynomial, point: Sequence[Any]) -> dict[int, Any]:
        """Return the partial derivatives that are not identically 0, by unknown."""
        result: dict[int, Any] = {}
        for monomial, coefficient in polynomial.items():
            for place, by in enumerate(monomial):
                term = self.coefficient(coefficient)
                for number in monomial[:place] + monomial[place + 1 :]:
                    term = term * point[number]
                result[by] = result[by] + term if by in result else term
        return result
