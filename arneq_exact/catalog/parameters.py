"""Validation of the parameters of catalog games, with one form of message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from arneq_exact import require
from arneq_exact.catalog.grid import Grid
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import to_fraction

MOST_NUMBERS = 50_000_000
"""Rewards and probabilities of the largest catalog game that is built: a few gigabytes while it is."""


LONGEST_SIDE = 9
"""Cells of the longest side of a board: the states of a larger one are beyond enumeration."""


def whole(game: str, name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return an integer parameter that lies in [least, most].

    Examples
    --------
    >>> whole("demo", "agents", 3, least=1)
    3
    """
    exact = number(game, name, value)
    if exact.denominator != 1 or exact < least or (most is not None and exact > most):
        rule = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise require.broken(value, f"catalog: {name} of {game!r}", f"an integer {rule}")
    return int(exact)


def number(game: str, name: str, value: Any) -> Fraction:
    """Return a number parameter exactly."""
    return to_fraction(value, f"catalog: {name} of {game!r}")


def numbers(game: str, name: str, values: Any, least: int = 1) -> tuple[Fraction, ...]:
    """Return a list parameter exactly; it must hold at least `least` numbers."""
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) < least:
        rule = f"a list of at least {least} numbers"
        raise require.broken(values, f"catalog: {name} of {game!r}", rule)
    return tuple(number(game, name, value) for value in values)


def discount(game: str, value: Any) -> Fraction:
    """Return a discount in [0, 1]; 1 makes sense for a finite horizon only."""
    exact = number(game, "discount", value)
    if not 0 <= exact <= 1:
        raise require.broken(value, f"catalog: discount of {game!r}", "in [0, 1]")
    return exact


def flag(game: str, name: str, value: Any) -> bool:
    """Return a truth value."""
    return require.flag(value, f"catalog: {name} of {game!r}")


def board(game: str, width: Any, height: Any) -> Grid:
    """Return a board of at most `LONGEST_SIDE` columns and rows."""
    sides = (("width", width), ("height", height))
    return Grid(*(whole(game, name, side, least=1, most=LONGEST_SIDE) for name, side in sides))


def cells(game: str, name: str, value: Any, grid: Grid, what: str) -> Mapping[str, Any]:
    """Return a mapping from some cells of a board to `what`."""
    fits = isinstance(value, Mapping) and bool(value) and set(value) <= set(grid.cells)
    refuse_unless(fits, game, name, value, f"a mapping from cells between a1 and {grid.cells[-1]} to {what}")
    return value  # type: ignore[no-any-return]


def require_size(game: str, size: int) -> None:
    """Refuse a game of more than `MOST_NUMBERS` rewards and probabilities before any memory is asked for."""
    if size > MOST_NUMBERS:
        raise InputError(
            f"catalog: {game!r} of this size has over {MOST_NUMBERS} rewards and probabilities; "
            "must be smaller"
        )


def refuse_unless(condition: bool, game: str, name: str, value: Any, rule: str) -> None:
    """Refuse a parameter whose value breaks `rule`."""
    require.that(condition, value, f"catalog: {name} of {game!r}", rule)
