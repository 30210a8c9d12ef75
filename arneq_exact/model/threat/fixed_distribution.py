"""A fixed distribution over corruption sets: the attacker of an agent has nothing to pick but actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import number_text, to_fraction
from arneq_exact.model.threat.corruption import Corruption, canonical_order
from arneq_exact.model.threat.law import Family, Law, require_others
from arneq_exact.model.threat.reading import by_agent, corruption_set, json_list, json_numbered
from arneq_exact.require import shown

TOLERANCE = Fraction(1, 10**9)
"""By how much probabilities may miss 1, as rows of a game may: sums of rounded doubles do. They are
divided by their sum."""


@dataclass(frozen=True)
class FixedDistribution(Law):
    """The law of each agent's corruption set; with `k`, sets hold at most k agents."""

    laws: Mapping[int, Mapping[frozenset[int], Fraction]]
    k: int | None = None

    @classmethod
    def read(cls, laws: Any, k: int | None) -> FixedDistribution:
        """Return the law that a mapping from agents to {set: probability} gives."""
        return cls({i: _law(i, law, k) for i, law in by_agent(laws, "distribution").items()}, k)

    def family(self, n: int, agent: int) -> Family:
        """Return the sets that the agent's law lists, in canonical order."""
        return tuple(self.laws[agent])

    def points(self, n: int, agent: int, *, informed: bool, masked: bool) -> Iterator[Corruption]:
        """Yield the one point that there is."""
        yield Corruption.mixture(self.laws[agent].items(), informed)

    def describe(self) -> str:
        """Return the law in words."""
        return "a fixed distribution over corruption sets"

    def arguments(self) -> dict[str, Any]:
        """Return `k` and `distribution`."""
        return {"k": self.k, "distribution": {i: dict(law) for i, law in self.laws.items()}}

    def to_json(self) -> dict[str, Any]:
        """Return `k` and `distribution`, a list of [set, probability] for each agent."""
        laws = {
            str(i): [[sorted(K), number_text(p)] for K, p in law.items()]
            for i, law in sorted(self.laws.items())
        }
        return {**({} if self.k is None else {"k": self.k}), "distribution": laws}

    def require_fit(self, n: int) -> None:
        """Refuse laws that are not about n agents."""
        require_others("distribution", self.laws, n)


def distribution_of_json(data: Any) -> dict[int, dict[frozenset[int], Any]]:
    """Return the argument `distribution` from a JSON object; JSON keys cannot be sets."""
    return {i: _law_of_json(i, pairs) for i, pairs in json_numbered(data, "distribution").items()}


def _law_of_json(agent: int, pairs: Any) -> dict[frozenset[int], Any]:
    where = f"distribution of agent {agent}"
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ThreatError(f"{where} is {shown(pairs)}; must be a list of [set, probability]")
    law = {corruption_set(json_list(members, f"sets in the {where}")): p for members, p in pairs}
    if len(law) < len(pairs):
        raise ThreatError(f"{where} lists a set twice; must be distinct sets")
    return law


def _law(agent: int, law: Any, k: int | None) -> dict[frozenset[int], Fraction]:
    """Return a law that sums to exactly 1, in canonical order: equal laws have equal files and hashes."""
    where = f"ThreatModel: distribution of agent {agent}"
    if not isinstance(law, Mapping):
        raise ThreatError(f"{where} is {shown(law)}; must be a mapping from sets to probabilities")
    exact: dict[frozenset[int], Fraction] = {}
    for members, p in law.items():
        K = corruption_set(members)
        if K in exact:
            raise ThreatError(f"{where} holds {sorted(K)} twice; must be distinct sets")
        if k is not None and len(K) > k:
            raise ThreatError(f"{where} holds {sorted(K)}; must be sets of at most k = {k} agents")
        exact[K] = to_fraction(p, where, ThreatError)
        if exact[K] < 0:
            raise ThreatError(f"{where} gives {sorted(K)} probability {shown(p)}; must be at least 0")
    total = sum(exact.values(), Fraction(0))
    if abs(total - 1) > TOLERANCE:
        raise ThreatError(f"{where} sums to {float(total):.12g}; must be 1")
    return {K: exact[K] / total for K in sorted(exact, key=canonical_order)}
