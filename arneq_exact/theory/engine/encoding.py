"""How the numbers that evidence is made of stand in a file, without losing a bit.

Doubles and integers stand as they are. What JSON has no form for is an object of one key::

    {"fraction": "1/3"}    {"float": "inf"}    {"array": [[0.5, 1.0]]}    {"exact array": [["1/3", "2/3"]]}

and an array of doubles of which some are not finite is a ``float array`` of texts.

Lists become tuples, so that what is read back is equal to what was written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.errors import FileError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.require import shown


def frozen(value: Any, where: str) -> Any:
    """Return a value that evidence may hold: numbers, texts, arrays, and tuples and mappings of these.

    Arrays are copied and made read-only; lists become tuples, numpy's scalars plain numbers.

    Raises
    ------
    FileError
        If the value could not be written to a file.

    Examples
    --------
    >>> frozen([np.float64(0.5), Fraction(1, 3)], "demo")
    (0.5, Fraction(1, 3))
    """
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str | Fraction):
        return value
    if isinstance(value, np.ndarray):
        copy = value.copy()
        if copy.dtype == object:
            flat = [to_fraction(entry, where, FileError) for entry in copy.ravel().tolist()]
            copy = np.empty(len(flat), dtype=object)
            copy[:] = flat
            copy = copy.reshape(value.shape)
        copy.setflags(write=False)
        return copy
    if isinstance(value, Mapping):
        return {str(key): frozen(entry, where) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return tuple(frozen(entry, where) for entry in value)
    raise FileError(
        f"{where} is {shown(value)}; must be numbers, texts, arrays, or lists or mappings of these"
    )


def encode(value: Any) -> Any:
    """Return a frozen value as data for a JSON file.

    Examples
    --------
    >>> encode({"both": (Fraction(1, 3), float("inf")), "payoff": np.eye(2)})
    {'both': [{'fraction': '1/3'}, {'float': 'inf'}], 'payoff': {'array': [[1.0, 0.0], [0.0, 1.0]]}}
    """
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return {"exact array": np.vectorize(str, otypes=[object])(value).tolist()}
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return {"float array": np.vectorize(repr, otypes=[object])(value.astype(object)).tolist()}
        return {"array": value.tolist()}
    if isinstance(value, Mapping):
        return {key: encode(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [encode(entry) for entry in value]
    return value


def decode(data: Any, where: str) -> Any:
    """Return what `encode` wrote.

    Raises
    ------
    FileError
        If a number or an array is none.
    """
    if isinstance(data, list):
        return tuple(decode(entry, where) for entry in data)
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((key, entry),) = data.items()
        if key == "fraction":
            return to_fraction(entry, where, FileError)
        try:
            if key == "float":
                return float(entry)
            if key == "array" and np.array(entry).dtype.kind in "biuf":
                return frozen(np.array(entry), where)
            if key == "float array":
                return frozen(np.array(entry, dtype=np.float64), where)
            if key == "exact array":
                return frozen(np.array(entry, dtype=object), where)
        except (TypeError, ValueError) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{where}: is {shown(data)}; must hold a number or an array") from None
        if key == "array":
            raise FileError(f"{where}: is {shown(data)}; must hold an array of numbers")
    return {key: decode(entry, where) for key, entry in data.items()}
