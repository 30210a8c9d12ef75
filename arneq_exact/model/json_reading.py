"""Read JSON files strictly: whatever is not exactly the format is refused by name and place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from arneq_exact import require
from arneq_exact.errors import FileError, InputError
from arneq_exact.require import shown

LISTED = 8
"""Names that a message lists: more would hide the rule behind them."""

# Strings come first, so that a "NaN" inside one is never taken for the token.
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the top-level object of a JSON file.

    Stricter than `json.load`: a key that occurs twice and the tokens NaN and Infinity are refused.

    Raises
    ------
    FileError
        Names the file, and the line where there is one.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(f"{where}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{where}: byte {error.start} is not UTF-8; must be a JSON text file") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{where}: cannot be read ({reason(error)})") from None
    return parse_json(text, where)


def parse_json(text: str, where: str) -> dict[str, Any]:
    """Return the top-level object of a JSON text; see `read_json`.

    Examples
    --------
    >>> parse_json('{"a": 1, "a": 2}', "game.json")
    Traceback (most recent call last):
    ...
    arneq_exact.errors.FileError: game.json: key 'a' occurs twice in one object; must occur once
    """

    def no_constant(token: str) -> NoReturn:
        line = next(
            text.count("\n", 0, match.start()) + 1
            for match in _STRING_OR_CONSTANT.finditer(text)
            if match.group(1)
        )
        raise FileError(f"{where}: line {line}: {token} is no number; must be finite")

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise FileError(f"{where}: key {shown(twice)} occurs twice in one object; must occur once")
        return result

    try:
        data = json.loads(text, parse_constant=no_constant, object_pairs_hook=distinct)
    except json.JSONDecodeError as error:
        raise FileError(
            f"{where}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise FileError(f"{where}: is nested too deeply to be read") from None
    except FileError:
        raise
    except ValueError:
        raise FileError(f"{where}: holds an integer with too many digits to be read") from None
    return as_object(data, where)


def reason(error: Exception) -> str:
    """Return the operating system's reason in a few words, without the path that we name already."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(words.split())


def as_object(data: Any, where: str) -> dict[str, Any]:
    """Return `data` if it is a JSON object."""
    if not isinstance(data, dict):
        raise FileError(f"{where}: is {shown(data)}; must be an object {{...}}")
    return data


def as_list(data: Any, where: str, length: int | None = None, of: str = "entries") -> list[Any]:
    """Return `data` if it is a JSON list, of the wanted length if there is one."""
    if not isinstance(data, list):
        raise FileError(f"{where}: is {shown(data)}; must be a list [...]")
    if length is not None and len(data) != length:
        raise FileError(f"{where}: has {len(data)} {of}; must be {length}")
    return data


def as_names(data: Any, where: str) -> list[str]:
    """Return `data` if it is a non-empty JSON list of distinct non-empty strings."""
    names = as_list(data, where)
    if not names:
        raise FileError(f"{where}: is empty; must hold at least one name")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name:
            raise FileError(f"{where}: holds {shown(name)}; must be non-empty strings")
        if name in seen:
            raise FileError(f"{where}: holds {shown(name)} twice; must be distinct")
        seen.add(name)
    return names


def as_name(data: Any, where: str, known: dict[str, int], what: str) -> int:
    """Return the number of a known name; refuse others with the names that there are."""
    if not isinstance(data, str) or data not in known:
        listed = ", ".join(list(known)[:LISTED]) + (", …" if len(known) > LISTED else "")
        raise FileError(f"{where}: {what} {shown(data)} is unknown; must be one of {listed}")
    return known[data]


def check_keys(
    data: dict[str, Any], where: str, required: Sequence[str], optional: Sequence[str] = ()
) -> None:
    """Refuse keys that are unknown or missing, by name."""
    require.keys(data, where, required, optional, FileError)


def check_format(data: dict[str, Any], where: str, name: str, version: int) -> None:
    """Refuse another kind of file or another version of it, before its keys are looked at."""
    found = data.get("format")
    require.that(found == name, found, f"{where}: format", repr(name), FileError)
    found = data.get("version")
    same = isinstance(found, int) and not require.is_truth_value(found) and found == version
    require.that(same, found, f"{where}: version", str(version), FileError)


@contextmanager
def located(where: str) -> Iterator[None]:
    """Put the name of the file in the place of the class in the errors of a constructor."""
    try:
        yield
    except InputError as error:
        message = str(error).removeprefix("MarkovGame: ").removeprefix("Policy: ")
        raise FileError(f"{where}: {message}") from None
