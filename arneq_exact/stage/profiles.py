"""What a stage solver returns: one stage ARNEQ of every game of a batch, with optimal attacks."""

from __future__ import annotations

from typing import NamedTuple

from arneq_exact.exact.rationals import FloatArray

Profile = tuple[FloatArray, ...]
"""One mixture (A_i,) per agent, or one array (B, A_i) for a batch."""


class StageProfiles(NamedTuple):
    """Stage ARNEQ of a batch of B games.

    Attributes
    ----------
    policy : one array (B, A_i) per agent
    attack : one array (B, C_i) per agent
        Optimal mixtures of each agent's attacker over its columns.
    value : (B, n), or None where the method does not come by it
        The agents' robust values.
    """

    policy: Profile
    attack: Profile
    value: FloatArray | None = None
