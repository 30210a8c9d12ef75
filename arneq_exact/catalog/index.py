"""The catalog's front door: which games there are, and how to get one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from arneq_exact.catalog import (
    climbing,
    crate_pushing,
    discontinuity,
    grid_games,
    level_based_foraging,
    littman_soccer,
    matching_pennies,
    nosde,
    patrolling,
    random_games,
    rock_paper_scissors,
    separable,
    static_chain,
    team_coordination,
    threshold_public_good,
    two_by_two,
    unanimity,
)
from arneq_exact.catalog.entry import CatalogEntry
from arneq_exact.errors import InputError
from arneq_exact.model.game import MarkovGame

ENTRIES: tuple[CatalogEntry, ...] = (
    *nosde.ENTRIES,
    *grid_games.ENTRIES,
    *littman_soccer.ENTRIES,
    *level_based_foraging.ENTRIES,
    *patrolling.ENTRIES,
    *crate_pushing.ENTRIES,
    *matching_pennies.ENTRIES,
    *rock_paper_scissors.ENTRIES,
    *climbing.ENTRIES,
    *two_by_two.ENTRIES,
    *threshold_public_good.ENTRIES,
    *separable.ENTRIES,
    *unanimity.ENTRIES,
    *team_coordination.ENTRIES,
    *discontinuity.ENTRIES,
    *static_chain.ENTRIES,
    *random_games.ENTRIES,
)
"""All games in the order in which they are listed; add a game here. None is built before it is loaded."""

_BY_NAME = {entry.name: entry for entry in ENTRIES}


def names() -> list[str]:
    """Return the names of all catalog games."""
    return list(_BY_NAME)


def entry(name: str) -> CatalogEntry:
    """Return what the catalog holds under `name`.

    Raises
    ------
    InputError
        If there is no such game; the message lists the choices.
    """
    try:
        return _BY_NAME[name]
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
