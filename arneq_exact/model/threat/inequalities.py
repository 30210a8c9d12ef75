"""Linear inequalities: an attacker picks any distribution ω over a family of sets with Gω ≤ h."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.double_description import Row, extreme_points
from arneq_exact.exact.rationals import number_text, to_fraction
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.model.threat.law import Family, Law, require_agents
from arneq_exact.model.threat.reading import by_agent, json_list, json_lists, json_numbered, listed
from arneq_exact.require import shown

Pair = tuple[tuple[Row, ...], Row]
"""(G, h), row by row."""


@dataclass(frozen=True)
class Inequalities(Law):
    """Distributions over the sets of `over` that obey (G, h), one pair for all agents or one for each."""

    over: Law
    pairs: Pair | Mapping[int, Pair]

    @classmethod
    def read(cls, over: Law, value: Any) -> Inequalities:
        """Return the law that (G, h), or a mapping from agents to such pairs, gives."""
        if isinstance(value, Mapping):
            pairs = by_agent(value, "inequalities")
            return cls(over, {i: _pair(pair, f" of agent {i}") for i, pair in pairs.items()})
        return cls(over, _pair(value, ""))

    def family(self, n: int, agent: int) -> Family:
        """Return the sets that columns of G stand for."""
        return self.over.family(n, agent)

    def points(self, n: int, agent: int, *, informed: bool, masked: bool) -> Iterator[Corruption]:
        """Yield the vertices of the polytope."""
        family = self.family(n, agent)
        rows, bounds = self.pairs[agent] if isinstance(self.pairs, Mapping) else self.pairs
        if rows and len(rows[0]) != len(family):
            raise ThreatError(
                f"ThreatModel: inequalities of agent {agent} have {len(rows[0])} columns; "
                f"must have one for each of its {len(family)} corruption sets"
            )
        for vertex in extreme_points(len(family), rows, bounds):
            yield Corruption.mixture(zip(family, vertex, strict=True), informed)

    def describe(self) -> str:
        """Return the law in words."""
        return f"{self.over.describe()} under linear inequalities"

    def arguments(self) -> dict[str, Any]:
        """Return those of the family, and `inequalities`."""
        pairs = dict(self.pairs) if isinstance(self.pairs, Mapping) else self.pairs
        return {**self.over.arguments(), "inequalities": pairs}

    def to_json(self) -> dict[str, Any]:
        """Return the entries of the family, and `inequalities`."""
        if isinstance(self.pairs, Mapping):
            listed_pairs = {str(i): _pair_json(pair) for i, pair in sorted(self.pairs.items())}
            return {**self.over.to_json(), "inequalities": listed_pairs}
        return {**self.over.to_json(), "inequalities": _pair_json(self.pairs)}

    def require_fit(self, n: int) -> None:
        """Refuse families or pairs that are not about n agents."""
        self.over.require_fit(n)
        if isinstance(self.pairs, Mapping):
            require_agents("inequalities", self.pairs, n)


def inequalities_of_json(data: Any) -> Any:
    """Return the argument `inequalities` from a JSON object {"G": ..., "h": ...}, or one for each agent."""
    if isinstance(data, dict) and not {"G", "h"} & set(data):
        return {i: _pair_of_json(pair) for i, pair in json_numbered(data, "inequalities").items()}
    return _pair_of_json(data)


def _pair_of_json(data: Any) -> Any:
    if not isinstance(data, dict) or set(data) != {"G", "h"}:
        raise ThreatError(f"inequalities are {shown(data)}; must be an object with the keys G and h")
    return json_lists(data["G"], "rows of G"), json_list(data["h"], "numbers of h")


def _pair_json(pair: Pair) -> dict[str, Any]:
    rows, limits = pair
    return {"G": [list(map(number_text, row)) for row in rows], "h": list(map(number_text, limits))}


def _pair(value: Any, owner: str) -> Pair:
    """Return (G, h) in Fractions; rows of G have equal lengths."""
    rule = "a pair (G, h) of a list of rows and a list of as many numbers"
    pair = listed(value, f"inequalities{owner} are", rule)
    if len(pair) != 2:
        raise ThreatError(f"ThreatModel: inequalities{owner} are {shown(value)}; must be {rule}")
    table = [
        listed(row, f"a row of G{owner} is", "a list of numbers") for row in listed(pair[0], "G is", rule)
    ]
    limits = listed(pair[1], "h is", rule)
    if len(table) != len(limits) or len({len(row) for row in table}) > 1:
        raise ThreatError(
            f"ThreatModel: inequalities{owner} have rows of lengths {[len(row) for row in table]} in G and "
            f"{len(limits)} numbers in h; must be rows of one length, and one number for each"
        )
    rows = tuple(
        tuple(to_fraction(entry, f"ThreatModel: G{owner}", ThreatError) for entry in row) for row in table
    )
    return rows, tuple(to_fraction(entry, f"ThreatModel: h{owner}", ThreatError) for entry in limits)
