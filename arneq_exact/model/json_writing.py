"""Write JSON files for people: short objects and lists on one line, doubles and rationals exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from arneq_exact.errors import FileError
from arneq_exact.exact.rationals import number_text
from arneq_exact.model.json_reading import reason
from arneq_exact.model.replace_file import replace_file

WIDTH = 120
"""Characters of a line: what an editor shows without scrolling."""

LARGEST_INTEGER = 2**53
"""Below it doubles that are integers are written without a point."""

# One encoder for all pieces: json.dumps would build a new one for each of them.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def plain(value: float | Fraction) -> int | float | str:
    """Return a number as it stands in a file: 1 for 1.0, else the shortest double, else "p/q".

    Examples
    --------
    >>> plain(1.0), plain(0.1), plain(Fraction(1, 3)), plain(-0.0)
    (1, 0.1, '1/3', -0.0)
    """
    if isinstance(value, Fraction):
        text = number_text(value)
        return text if isinstance(text, str) else plain(text)
    # −0 must stay a float, and past 2^53 the digits of an integer would claim too much.
    if value and value.is_integer() and abs(value) < LARGEST_INTEGER:
        return int(value)
    return value if value or str(value) == "-0.0" else 0


def json_text(data: Any) -> str:
    """Return JSON text in which whatever fits stands on one line.

    Examples
    --------
    >>> print(json_text({"row": {"end": 0.5}}), end="")
    {"row": {"end": 0.5}}
    """
    return "".join(_pieces(data, "")) + "\n"


def write_json(data: Any, path: str | Path) -> None:
    """Write `data` to a file; see `json_text`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    try:
        encoded = json_text(data).encode("utf-8")
    except ValueError as error:
        raise FileError(f"{path}: cannot be written ({reason(error)})") from None
    replace_file(path, encoded)


def _pieces(data: Any, indent: str) -> Iterator[str]:
    if _short(data):
        flat = _encode(data)
        if len(flat) + len(indent) <= WIDTH or not isinstance(data, dict | list):
            yield flat
            return
    inner = indent + "  "
    start, end = "{}" if isinstance(data, dict) else "[]"
    separator = start + "\n"
    for item in data.items() if isinstance(data, dict) else data:
        yield separator + inner
        if isinstance(data, dict):
            key, value = item
            yield _encode(key) + ": "
        else:
            value = item
        yield from _pieces(value, inner)
        separator = ",\n"
    yield "\n" + indent + end


def _short(data: Any) -> bool:
    """Tell quickly that something cannot fit on a line, so that no part of a file is dumped twice."""
    if not isinstance(data, dict | list):
        return True
    parts = list(data.values()) if isinstance(data, dict) else data
    return len(parts) <= WIDTH // 3 and all(
        not isinstance(part, dict | list) or (len(part) <= WIDTH // 3 and _short(part)) for part in parts
    )
