"""The npz form of a game: its arrays as they are, for games too large for JSON.

Entries: `format`, `version`, `rewards` (rows, n), `data`, `indices`, `indptr` (the CSR transitions),
`action_counts` (S, n), `discount` (n,), and where the game has them `termination` (rows,), `initial`
(S,), `names` (one JSON text) and the exact parts: `reward_numerators` (rows, n),
`reward_denominators` (rows,), `transition_numerators` (entries,), `transition_denominators` (rows,)
as decimal digits and `exact_discount` (n,) as "p/q". Nothing is pickled, in either direction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from arneq_exact import require
from arneq_exact.errors import FileError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.model.exact import ExactData
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.game_json import FORMAT, VERSION
from arneq_exact.model.json_reading import as_list, check_format, located, parse_json, reason
from arneq_exact.model.names import GameNames
from arneq_exact.model.npz_file import Array, read_npz, write_npz
from arneq_exact.require import shown

LONGEST_INTEGER = 4300
"""Digits of an integer: as many as Python reads without being told to."""

_REQUIRED = ("format", "version", "rewards", "data", "indices", "indptr", "action_counts", "discount")
_EXACT = (
    "reward_numerators",
    "reward_denominators",
    "transition_numerators",
    "transition_denominators",
    "exact_discount",
)
_OPTIONAL = ("termination", "initial", "names", *_EXACT)


def write_game_npz(game: MarkovGame, path: str | Path) -> None:
    """Write the game to an npz file; the same game gives the same bytes.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    # Optional entries first: a damaged directory loses its tail, which must not pass for a game
    # without them. Required entries are missed.
    entries: dict[str, Any] = {}
    if game.termination is not None:
        entries["termination"] = game.termination
    if game.initial is not None:
        entries["initial"] = game.initial
    if game.names != GameNames():
        names = {"agents": game.names.agents, "states": game.names.states, "actions": game.names.actions}
        entries["names"] = json.dumps(names)
    try:
        if game.exact is not None:
            entries.update(_exact_to_text(game.exact))
    except ValueError as error:
        raise FileError(f"{path}: cannot be written ({reason(error)})") from None
    entries.update(
        rewards=game.rewards,
        data=game.transitions.data,
        indices=game.transitions.indices,
        indptr=game.transitions.indptr,
        action_counts=game.action_counts,
        discount=game.discount,
        format=FORMAT,
        version=VERSION,
    )
    write_npz(path, entries, compressed=True)


def read_game_npz(path: str | Path) -> MarkovGame:
    """Return the game that an npz file holds.

    Raises
    ------
    FileError
        Names the file, the entry and the rule that it breaks.
    """
    where = str(path)
    entries = _read_entries(path, where)
    transitions = _transitions(entries, where)
    rewards = _numbers(entries, "rewards", where, 2)
    exact = _exact_from_text(entries, where, rewards.shape, transitions)
    with located(where):
        return MarkovGame(
            rewards,
            transitions,
            _numbers(entries, "action_counts", where, 2),
            _numbers(entries, "discount", where, 1),
            termination=_numbers(entries, "termination", where, 1) if "termination" in entries else None,
            initial=_numbers(entries, "initial", where, 1) if "initial" in entries else None,
            names=_names(entries, where),
            exact=exact,
        )


def _read_entries(path: str | Path, where: str) -> dict[str, Array]:
    entries = read_npz(
        path,
        "npz file",
        "save_game",
        lambda names: require.keys(dict.fromkeys(names), where, _REQUIRED, _OPTIONAL, FileError),
    )
    header = {
        name: entries[name].item() if entries[name].ndim == 0 else None for name in ("format", "version")
    }
    check_format(header, where, FORMAT, VERSION)
    return entries


def _numbers(entries: Mapping[str, Array], name: str, where: str, axes: int) -> Array:
    value = entries[name]
    if value.dtype.kind not in "iuf" or value.ndim != axes:
        raise FileError(
            f"{where}: entry {name!r} has dtype {value.dtype} and {value.ndim} axes; "
            f"must be numbers with {axes} axes"
        )
    return value


def _transitions(entries: Mapping[str, Array], where: str) -> sp.csr_array:
    """Return the CSR matrix after the checks that scipy leaves to its caller."""
    data = _numbers(entries, "data", where, 1)
    indices = _numbers(entries, "indices", where, 1)
    indptr = _numbers(entries, "indptr", where, 1)
    n_states = _numbers(entries, "action_counts", where, 2).shape[0]
    for name, values in (("indices", indices), ("indptr", indptr)):
        if values.dtype.kind == "f":
            raise FileError(f"{where}: entry {name!r} has dtype {values.dtype}; must be integers")
    if len(indices) != len(data):
        raise FileError(
            f"{where}: entry 'indices' has length {len(indices)}; must be that of data: {len(data)}"
        )
    if len(indptr) < 2 or indptr[0] != 0 or indptr[-1] != len(data) or (indptr[1:] < indptr[:-1]).any():
        raise FileError(f"{where}: entry 'indptr' must ascend from 0 to the length of data: {len(data)}")
    if len(indices) and not (indices.min() >= 0 and indices.max() < n_states):
        wrong = indices[(indices < 0) | (indices >= n_states)][0]
        raise FileError(f"{where}: entry 'indices' holds {wrong}; must be between 0 and {n_states - 1}")
    return sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1, n_states))


def _names(entries: Mapping[str, Array], where: str) -> GameNames:
    if "names" not in entries:
        return GameNames()
    place = f"{where}: entry 'names'"
    if entries["names"].ndim or entries["names"].dtype.kind != "U":
        raise FileError(f"{place} has dtype {entries['names'].dtype}; must be one JSON text")
    data = parse_json(str(entries["names"]), place)
    require.keys(data, place, ["agents", "states", "actions"], error=FileError)
    for key in ("agents", "states", "actions"):
        if data[key] is not None:
            as_list(data[key], f"{place}: {key}")
    for number, per_agent in enumerate(data["actions"] or ()):
        for names in as_list(per_agent, f"{place}: actions of state {number}"):
            as_list(names, f"{place}: actions of state {number}")
    return GameNames.of(data["agents"], data["states"], data["actions"])


def _exact_to_text(exact: ExactData) -> dict[str, Array]:
    result: dict[str, Array] = {}
    for name in _EXACT[:-1]:
        values: Array = getattr(exact, name)
        digits = np.array([str(number) for number in values.reshape(-1)], dtype=np.str_)
        result[name] = digits.reshape(values.shape)
    result["exact_discount"] = np.array([str(factor) for factor in exact.discount], dtype=np.str_)
    return result


def _exact_from_text(
    entries: Mapping[str, Array], where: str, reward_shape: tuple[int, ...], transitions: sp.csr_array
) -> ExactData | None:
    given = [name for name in _EXACT if name in entries]
    if not given:
        return None
    n_rows, n = reward_shape
    if transitions.shape[0] != n_rows:
        found = transitions.shape[0]
        raise FileError(f"{where}: entry 'indptr' tells of {found} rows; must be those of rewards: {n_rows}")
    shapes = {
        "reward_numerators": reward_shape,
        "reward_denominators": (n_rows,),
        "transition_numerators": transitions.data.shape,
        "transition_denominators": (transitions.shape[0],),
        "exact_discount": (n,),
    }
    for name in _EXACT:
        if name not in entries:
            raise FileError(f"{where}: entry {name!r} is missing; must be there with {given[0]}")
        value = entries[name]
        if value.dtype.kind != "U" or value.shape != shapes[name]:
            raise FileError(
                f"{where}: entry {name!r} has dtype {value.dtype} and shape {value.shape}; "
                f"must be texts of shape {shapes[name]}"
            )
    paid_over = _integers(entries, "reward_denominators", where, 1)
    paid = _integers(entries, "reward_numerators", where)
    moved_over = _integers(entries, "transition_denominators", where, 1)
    moved = _integers(entries, "transition_numerators", where)
    starts = transitions.indptr.tolist()
    # Through Fractions, so that the integers are in lowest terms whoever wrote the file.
    return ExactData.from_fractions(
        [[Fraction(paid[row * n + i], paid_over[row]) for i in range(n)] for row in range(n_rows)],
        [
            [Fraction(number, below) for number in moved[start:stop]]
            for start, stop, below in zip(starts[:-1], starts[1:], moved_over, strict=True)
        ],
        tuple(
            to_fraction(text, f"{where}: entry 'exact_discount'", FileError)
            for text in entries["exact_discount"].tolist()
        ),
    )


def _integers(entries: Mapping[str, Array], name: str, where: str, least: int | None = None) -> list[int]:
    result = []
    for text in entries[name].reshape(-1).tolist():
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_INTEGER):
            raise FileError(f"{where}: entry {name!r} holds {shown(text)}; must be the digits of an integer")
        number = int(text)
        if least is not None and number < least:
            raise FileError(f"{where}: entry {name!r} holds {number}; must be at least {least}")
        result.append(number)
    return result
