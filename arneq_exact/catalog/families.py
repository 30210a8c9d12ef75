"""All families of the catalog, in the order in which they are listed: add a game here."""

from __future__ import annotations

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
