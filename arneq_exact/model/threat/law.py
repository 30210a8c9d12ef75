"""A law of corruption: which distributions over corruption sets the attacker of each agent may pick.

A law is a class of its own in a file of its own. It gives the extreme points of every Ω_i; what holds for all
laws (masks, informed attackers, timing) is the threat's. A new one needs its file, its place in
`arneq_exact.model.threat.laws`, its argument of `ThreatModel`, its reading in the referee, a paragraph in the
guide to threats, and tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import number_text
from arneq_exact.model.threat.corruption import Corruption

Family = tuple[frozenset[int], ...]
"""The corruption sets that are possible for an agent, distinct."""

NOBODY = Corruption.mixture([((), Fraction(1))])
"""The certainty that nobody is corrupted."""


class Law(ABC):
    """What the attackers of all agents may pick from."""

    @abstractmethod
    def family(self, n: int, agent: int) -> Family:
        """Return the corruption sets that are possible for `agent` among `n`."""

    @abstractmethod
    def points(self, n: int, agent: int, *, informed: bool, masked: bool) -> Iterator[Corruption]:
        """Yield the extreme points of Ω_i, in any order and perhaps twice.

        Parameters
        ----------
        n, agent : int
        informed : bool
            Whether corrupted agents know who is corrupted.
        masked : bool
            Whether some corrupted agent has fewer actions somewhere. If not, it may imitate its policy, and
            sets that others contain can be left out [T1].
        """

    @abstractmethod
    def describe(self) -> str:
        """Return the law in a few words."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `ThreatModel` that give this law, each in its one form."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; agents are numbered from 0, numbers are exact."""

    @abstractmethod
    def require_fit(self, n: int) -> None:
        """Refuse a number of agents that the law is not about.

        Raises
        ------
        ThreatError
        """


def points_of_sets(family: Family, rho: Fraction, masked: bool) -> Iterator[Corruption]:
    """Yield the extreme points of "at most with probability ρ one of these sets".

    Each maximal set is one, certain or with probability ρ and otherwise nobody. Under masks every set is, and
    with ρ < 1 so is the certainty that nobody is corrupted.
    """
    if masked and rho < 1:
        yield NOBODY
    largest = max(map(len, family))
    for K in family:
        if not masked and len(K) < largest and any(other > K for other in family):
            continue
        yield NOBODY if not K or rho == 0 else Corruption.mixture([((), 1 - rho), (K, rho)])


def described_probability(rho: Fraction) -> str:
    """Return the words for a probability of corruption, none where it is certain."""
    return "" if rho == 1 else f" with probability at most {number_text(rho)}"


def probability_json(rho: Fraction) -> dict[str, Any]:
    """Return the entry for a probability of corruption, none where it is certain."""
    return {} if rho == 1 else {"probability": number_text(rho)}


def require_agents(name: str, listed: Iterable[int], n: int) -> None:
    """Refuse what does not list exactly the agents 0..n−1."""
    if set(listed) != set(range(n)):
        raise ThreatError(
            f"ThreatModel: {name} list the agents {sorted(listed)}; must list each of 0..{n - 1}"
        )


def require_others(name: str, listed: Mapping[int, Iterable[frozenset[int]]], n: int) -> None:
    """Refuse families that do not list exactly the agents 0..n−1, or hold the agent itself or strangers."""
    require_agents(name, listed, n)
    for agent, family in listed.items():
        for K in family:
            if not set(K) <= set(range(n)) - {agent}:
                raise ThreatError(
                    f"ThreatModel: {name} of agent {agent} hold {sorted(K)}; "
                    f"must be a set of other agents among 0..{n - 1}"
                )
