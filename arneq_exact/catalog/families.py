"""All families of the catalog, in the order in which they are listed: add a game here."""

from __future__ import annotations

from arneq_exact.catalog import (
    climbing,
    discontinuity,
    grid_games,
    littman_soccer,
    matching_pennies,
    nosde,
    rock_paper_scissors,
    separable,
    static_chain,
    team_coordination,
    threshold_public_good,
    two_by_two,
    unanimity,
)
from arneq_exact.catalog.entry import CatalogEntry

ENTRIES: tuple[CatalogEntry, ...] = (
    *nosde.ENTRIES,
    *grid_games.ENTRIES,
    *littman_soccer.ENTRIES,
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
)
