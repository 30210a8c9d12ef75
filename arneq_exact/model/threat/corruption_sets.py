"""Explicit corruption sets: one of those listed for the agent, always or with probability at most ρ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.model.threat.law import (
    Family,
    Law,
    described_probability,
    points_of_sets,
    probability_json,
    require_others,
)
from arneq_exact.model.threat.reading import by_agent, corruption_set, json_lists, json_numbered, listed


@dataclass(frozen=True)
class CorruptionSets(Law):
    """One of the sets of the agent's own family, with probability at most `rho`."""

    sets: Mapping[int, Family]
    rho: Fraction = Fraction(1)

    @classmethod
    def read(cls, sets: Any, rho: Fraction) -> CorruptionSets:
        """Return the law that a mapping from agents to lists of sets gives."""
        return cls({i: _distinct(i, family) for i, family in by_agent(sets, "sets").items()}, rho)

    def family(self, n: int, agent: int) -> Family:
        """Return the sets as listed."""
        return self.sets[agent]

    def points(self, n: int, agent: int, *, informed: bool, masked: bool) -> Iterator[Corruption]:
        """Yield each maximal set, or under masks every set [T1]."""
        return points_of_sets(self.sets[agent], self.rho, masked)

    def describe(self) -> str:
        """Return the law in words."""
        return f"explicit corruption sets{described_probability(self.rho)}"

    def arguments(self) -> dict[str, Any]:
        """Return `sets` and `probability`."""
        return {"sets": dict(self.sets), "probability": None if self.rho == 1 else self.rho}

    def to_json(self) -> dict[str, Any]:
        """Return `probability` and `sets`."""
        sets = {str(i): [sorted(K) for K in family] for i, family in sorted(self.sets.items())}
        return {**probability_json(self.rho), "sets": sets}

    def require_fit(self, n: int) -> None:
        """Refuse families that are not about n agents."""
        require_others("sets", self.sets, n)


def sets_of_json(data: Any) -> dict[int, list[list[Any]]]:
    """Return the argument `sets` from a JSON object."""
    return {i: json_lists(sets, f"sets of agent {i}") for i, sets in json_numbered(data, "sets").items()}


def _distinct(agent: int, sets: Any) -> Family:
    """Return the distinct sets of one agent, in the order given."""
    given = listed(sets, f"sets of agent {agent} are", "a list of sets")
    family = tuple(dict.fromkeys(corruption_set(members) for members in given))
    if not family:
        raise ThreatError(
            f"ThreatModel: the family of corruption sets of agent {agent} is empty; "
            "must hold at least the empty set"
        )
    return family
