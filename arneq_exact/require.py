"""The vocabulary of argument checks: every rule that more than one room asks for, with one form of message.

Call it with its name, so that a line reads as a sentence::

    games = require.whole(games, "run: games", at_least=1)

A function returns the value in Python's own type, or raises the class of error that it is given, with
one line: *where* (the function and the argument), the value, the rule. A truth value is never a number.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from numbers import Real
from operator import index
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import InputError

T = TypeVar("T")

LONGEST_VALUE = 60
"""Characters of a value in a message: a message stays one line on a screen, with place and rule beside it."""


def shown(value: Any) -> str:
    """Return a value for an error message: its repr in one line, cut to a readable length.

    Examples
    --------
    >>> shown(np.zeros((2, 1))), len(shown("x" * 1000))
    ('array([[0.], [0.]])', 60)
    """
    try:
        text = str(value) if isinstance(value, Fraction) else " ".join(repr(value).split())
    except ValueError:  # an integer too long to be written
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def broken(
    value: Any, where: str, rule: str, error: type[InputError] = InputError, verb: str = "is"
) -> InputError:
    """Return the error for a value that breaks a rule, to be raised by the caller.

    Examples
    --------
    >>> str(broken(3, "demo: agents", "an even number"))
    'demo: agents is 3; must be an even number'
    """
    return error(f"{where} {verb} {shown(value)}; must be {rule}")


def that(holds: bool, value: Any, where: str, rule: str, error: type[InputError] = InputError) -> None:
    """Refuse a value unless a rule holds, which the caller has decided."""
    if not holds:
        raise broken(value, where, rule, error)


def is_truth_value(value: Any) -> bool:
    """Tell whether a value is True or False, numpy's own included, which Python would count as numbers."""
    return isinstance(value, bool | np.bool_)


def whole(
    value: Any,
    where: str,
    *,
    at_least: int,
    at_most: int | None = None,
    rule: str | None = None,
    error: type[InputError] = InputError,
) -> int:
    """Return an integer from `at_least` to `at_most`, of any integer type; `rule` words it otherwise.

    Examples
    --------
    >>> whole(np.int64(3), "demo: agents", at_least=1)
    3
    >>> whole(3.0, "demo: agents", at_least=1)
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: demo: agents is 3.0; must be an integer of at least 1
    """
    number = None
    if not is_truth_value(value):
        try:
            number = index(value)
        except TypeError:  # no integer
            number = None
    if number is None or number < at_least or (at_most is not None and number > at_most):
        size = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        raise broken(value, where, rule or f"an integer {size}", error)
    return number


def number(
    value: Any,
    where: str,
    rule: str,
    fits: Callable[[float], bool],
    error: type[InputError] = InputError,
) -> float:
    """Return a real number as a double if it `fits`; one beyond double precision counts as infinite.

    Examples
    --------
    >>> number(Fraction(1, 2), "demo: rate", "a number in (0, 1]", lambda x: 0 < x <= 1)
    0.5
    """
    double = math.nan
    is_real = isinstance(value, Real) and not is_truth_value(value)
    if is_real:
        try:
            double = float(value)
        except OverflowError:
            double = math.inf if value > 0 else -math.inf
    if math.isnan(double) or not fits(double):
        raise broken(value, where, rule, error)
    return double


def positive(
    value: Any, where: str, rule: str = "a positive number", error: type[InputError] = InputError
) -> float:
    """Return a number above 0 as a double; infinity is one."""
    return number(value, where, rule, lambda double: double > 0, error)


def probability(value: Any, where: str, error: type[InputError] = InputError) -> float:
    """Return a number in [0, 1] as a double."""
    return number(value, where, "in [0, 1]", lambda double: 0 <= double <= 1, error)


def flag(value: Any, where: str, error: type[InputError] = InputError) -> bool:
    """Return a truth value."""
    that(is_truth_value(value), value, where, "True or False", error)
    return bool(value)


def one_of(value: Any, where: str, known: Iterable[str], error: type[InputError] = InputError) -> str:
    """Return a text that is one of the known ones.

    Examples
    --------
    >>> one_of("grid", "demo: kind", ("line", "ring"))
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: demo: kind is 'grid'; must be one of line, ring
    """
    names = list(known)
    that(isinstance(value, str) and value in names, value, where, f"one of {', '.join(names)}", error)
    return str(value)


def function(value: Any, where: str, rule: str, error: type[InputError] = InputError) -> Any:
    """Return what can be called; `rule` says of what it is a function."""
    that(callable(value), value, where, rule, error)
    return value


def instance(
    value: Any, where: str, kind: type[T], error: type[InputError] = InputError, rule: str | None = None
) -> T:
    """Return an object of a class; `rule` says how to make one, where that helps."""
    if not isinstance(value, kind):
        raise broken(value, where, rule or f"a {kind.__name__}", error)
    return value


def optional(check: Callable[..., T], value: Any, where: str, **rules: Any) -> T | None:
    """Return None for None, else what `check` makes of the value.

    Examples
    --------
    >>> optional(positive, None, "demo: time_limit")
    """
    return None if value is None else check(value, where, **rules)


def known(
    names: Iterable[Any], where: str, what: str, among: Iterable[str], error: type[InputError] = InputError
) -> None:
    """Refuse a name, of an option say, that does not exist.

    Examples
    --------
    >>> known(["sede"], "demo", "option", ["seed", "tol"])
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: demo: option 'sede' is unknown; must be one of seed, tol
    """
    listed = list(among)
    for name in names:
        if name not in listed:
            raise error(f"{where}: {what} {shown(name)} is unknown; must be one of {', '.join(listed)}")


def keys(
    data: Mapping[Any, Any],
    where: str,
    required: Iterable[str],
    optional: Iterable[str] = (),
    error: type[InputError] = InputError,
) -> None:
    """Refuse keys of an object from a file that are unknown or missing.

    Examples
    --------
    >>> keys({"reward": 1}, "game.json: state 'a', row 1", ["rewards"], ["end"])
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: game.json: state 'a', row 1: key 'reward' is unknown; must be rewards, end
    """
    needed = list(required)
    allowed = [*needed, *optional]
    for key in data:
        if key not in allowed:
            raise error(f"{where}: key {shown(key)} is unknown; must be {', '.join(allowed)}")
    for key in needed:
        if key not in data:
            raise error(f"{where}: key {key!r} is missing; must be {', '.join(allowed)}")


def table(
    values: Any, where: str, axes: str, shape: tuple[int, ...], error: type[InputError] = InputError
) -> NDArray[np.float64]:
    """Return a copy of a table of finite numbers of one shape, whose axes are called `axes`.

    Examples
    --------
    >>> table([[1, 2]], "demo: values", "(n, S)", (1, 3))
    Traceback (most recent call last):
    ...
    arneq_exact.errors.InputError: demo: values have shape (1, 2); must be (n, S) = (1, 3)
    """
    try:
        result = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise error(f"{where} must be a table {axes} = {shape} of numbers") from None
    if result.shape != shape:
        raise error(f"{where} have shape {result.shape}; must be {axes} = {shape}")
    finite(result, where, error)
    return result


def finite(values: Any, where: str, error: type[InputError] = InputError, verb: str = "hold") -> None:
    """Refuse an array that holds an infinite number or none at all."""
    if not np.isfinite(values).all():
        raise error(f"{where} {verb} a number that is not finite; must be finite")


def installed(*modules: str, where: str, extra: str, called: str | None = None) -> Any:
    """Return the first of some optional modules; refuse with the way to install them.

    Parameters
    ----------
    *modules : str
    where : str
        What needs them.
    extra : str
        The extra of this package that brings them.
    called : str, optional
        Their name in the message; by default those of their libraries.
    """
    try:
        first, *_ = [importlib.import_module(module) for module in modules]
    except ImportError:
        names = called or " or ".join(module.split(".")[0] for module in modules)
        raise InputError(
            f"{where}: {names} is not installed; must be, as by pip install 'arneq-exact[{extra}]'"
        ) from None
    return first
