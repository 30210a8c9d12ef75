"""All stage ARNEQ of one stage game, and how much "all" is worth."""

from arneq_exact.stage.enumeration.listing import enumerate_equilibria as enumerate_equilibria
