"""A budget: any set of at most k other agents may be corrupted, always or with probability at most ρ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.model.threat.law import (
    Family,
    Law,
    described_probability,
    points_of_sets,
    probability_json,
)


@dataclass(frozen=True)
class Budget(Law):
    """Any set of at most `k` agents, with probability at most `rho`."""

    k: int
    rho: Fraction = Fraction(1)

    def family(self, n: int, agent: int) -> Family:
        """Return the sets of at most k others by size, then lexicographically."""
        return self._sets(n, agent, 0)

    def points(self, n: int, agent: int, *, informed: bool, masked: bool) -> Iterator[Corruption]:
        """Yield each set of the largest size, or under masks every set [T1]."""
        sets = self._sets(n, agent, 0 if masked else self.k)
        return points_of_sets(sets, self.rho, masked)

    def describe(self) -> str:
        """Return the budget in words."""
        return f"k = {self.k}{described_probability(self.rho)}"

    def arguments(self) -> dict[str, Any]:
        """Return `k` and `probability`."""
        return {"k": self.k, "probability": None if self.rho == 1 else self.rho}

    def to_json(self) -> dict[str, Any]:
        """Return `k` and `probability`."""
        return {"k": self.k, **probability_json(self.rho)}

    def require_fit(self, n: int) -> None:
        """Fit every number of agents."""

    def _sets(self, n: int, agent: int, smallest: int) -> Family:
        others = [j for j in range(n) if j != agent]
        largest = min(self.k, n - 1)
        sizes = range(min(smallest, largest), largest + 1)
        return tuple(frozenset(members) for size in sizes for members in combinations(others, size))
