"""The catalog's front door: which games there are, and how to get one."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Any

from arneq_exact.catalog.entry import CatalogEntry
from arneq_exact.errors import InputError
from arneq_exact.model.game import MarkovGame


@cache
def _entries() -> dict[str, CatalogEntry]:
    # Looked up on first use: a family module holds data and a builder, no game is built here.
    from arneq_exact.catalog.families import ENTRIES

    return {entry.name: entry for entry in ENTRIES}


def names() -> list[str]:
    """Return the names of all catalog games."""
    return list(_entries())


def entry(name: str) -> CatalogEntry:
    """Return what the catalog holds under `name`.

    Raises
    ------
    InputError
        If there is no such game; the message lists the choices.
    """
    try:
        return _entries()[name]
    except (KeyError, TypeError):
        nearest = get_close_matches(str(name), names(), n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise InputError(
            f"catalog: game {name!r} is unknown; {hint}must be one of: {', '.join(names())}"
        ) from None


def load(name: str, **parameters: Any) -> MarkovGame:
    """Build a catalog game.

    Parameters
    ----------
    name : str
    **parameters
        As listed by ``entry(name).parameters``; defaults for those left out.

    Raises
    ------
    InputError
        If the name, a parameter or its value is not admissible.

    Examples
    --------
    >>> load("nosde").n_states
    2
    """
    return entry(name).load(**parameters)
