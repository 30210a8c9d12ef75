"""Threat models: which agents an attacker may corrupt, seen from each agent.

Agent i faces its own attacker, who picks a distribution ω over *corruption sets* K ⊆ N\\{i} from a
polytope Ω_i and one joint action for whoever may be corrupted, before K is drawn ("committed" [T10]).
A minimiser exists at an extreme point of Ω_i with a pure joint action, so a threat is resolved into
the extreme points of every Ω_i, here `Corruption`s, and an attacker's pure strategies at a state are
its *columns*: pairs (extreme point, joint action of the agents that it may corrupt).

The order of columns is part of the certificate format: extreme points in the order of
`ThreatModel.corruptions`, and for each one the joint actions of its `corruptible` agents (ascending)
in C order, the last agent's action running fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from operator import index
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.model.rationals import number_text, shown, to_fraction

Family = tuple[frozenset[int], ...]
DISTRIBUTION_TOLERANCE = Fraction(1, 10**9)


@dataclass(frozen=True)
class Corruption:
    """An extreme point of Ω_i: a distribution over corruption sets.

    Attributes
    ----------
    weights : tuple of (corruption set as ascending tuple of agents, exact probability)
        Positive probabilities that sum to exactly 1; sets ordered by size, then lexicographically.
    """

    weights: tuple[tuple[tuple[int, ...], Fraction], ...]

    @property
    def corruptible(self) -> tuple[int, ...]:
        """Agents that are in some corruption set, ascending."""
        return tuple(sorted({agent for members, _ in self.weights for agent in members}))

    @classmethod
    def mixture(cls, weights: Iterable[tuple[Iterable[int], Fraction]]) -> Corruption:
        """Order the sets and leave out those of probability 0."""
        kept = [(tuple(sorted(members)), weight) for members, weight in weights if weight > 0]
        return cls(tuple(sorted(kept, key=lambda item: (len(item[0]), item[0]))))


@dataclass(frozen=True)
class ThreatModel:
    """What an attacker may do. Give `k`, or explicit `sets`, or a fixed `distribution`.

    Parameters
    ----------
    k : int, optional
        Any set of at most k other agents may be corrupted. k = 0 is Nash, k ≥ n−1 is maximin [T4].
    probability : number, optional
        Corruption happens with probability at most ρ in [0, 1] (default 1), drawn anew at every
        state; goes with `k` or `sets`. May be a rational such as "1/3".
    sets : {agent: list of sets of agents}, optional
        The corruption sets of each agent, agents numbered from 0; every agent must be listed. The
        empty set belongs to a family only if listed. Corrupted agents may imitate their policy, so
        a set inside a larger listed one adds nothing and is dropped when the threat is resolved [T1].
    distribution : {agent: {set of agents: probability}}, optional
        A fixed distribution over corruption sets; with `k`, no set may be larger than k.

    Raises
    ------
    ThreatError
        If the parts do not fit together.

    Examples
    --------
    >>> ThreatModel(1).corruptions(3, 0)[1].weights
    (((2,), Fraction(1, 1)),)
    >>> ThreatModel(1, probability="1/4").corruptions(2, 0)[0].weights
    (((), Fraction(3, 4)), ((1,), Fraction(1, 4)))
    """

    k: int | None = None
    probability: Any = None
    sets: Mapping[int, Iterable[Iterable[int]]] | None = None
    distribution: Mapping[int, Mapping[frozenset[int], Any]] | None = None
    _rho: Fraction = field(init=False, repr=False, compare=False, default=Fraction(1))

    def __post_init__(self) -> None:
        if self.k is not None:
            object.__setattr__(self, "k", _natural(self.k, "k", "an integer of at least 0"))
        if self.sets is not None and (self.k is not None or self.distribution is not None):
            raise ThreatError("ThreatModel: sets are given with k or distribution; must be given alone")
        if self.k is None and self.sets is None and self.distribution is None:
            raise ThreatError("ThreatModel: nothing is given; must have k, sets or distribution")
        if self.probability is not None:
            if self.distribution is not None:
                raise ThreatError("ThreatModel: probability is given with distribution; must be left out")
            rho = to_fraction(self.probability, "ThreatModel: probability", ThreatError)
            if not 0 <= rho <= 1:
                raise ThreatError(f"ThreatModel: probability is {shown(self.probability)}; must be in [0, 1]")
            object.__setattr__(self, "_rho", rho)
            object.__setattr__(self, "probability", None if rho == 1 else rho)
        if self.sets is not None:
            families = _mapping(self.sets, "sets")
            object.__setattr__(self, "sets", {_agent(i): _family(i, sets) for i, sets in families})
        if self.distribution is not None:
            laws = _mapping(self.distribution, "distribution")
            frozen = {_agent(i): _distribution(i, law, self.k) for i, law in laws}
            object.__setattr__(self, "distribution", frozen)

    def __hash__(self) -> int:
        return hash(repr(self.to_json()))

    def corruptions(self, n: int, agent: int) -> tuple[Corruption, ...]:
        """Return the extreme points of Ω_i for `agent` (from 0) among `n` agents.

        Raises
        ------
        ThreatError
            If the threat does not fit a game of `n` agents.
        """
        self._fit(n)
        if self.distribution is not None:
            return (Corruption.mixture((k, w) for k, w in self.distribution[agent].items()),)
        if self.sets is not None:
            family = [frozenset(members) for members in self.sets[agent]]
        else:
            others = [j for j in range(n) if j != agent]
            family = [frozenset(members) for members in combinations(others, min(self.k or 0, n - 1))]
        maximal = {K for K in family if not any(larger > K for larger in family)}
        ordered = sorted(maximal, key=lambda K: (len(K), sorted(K)))
        rho = self._rho
        points = (
            Corruption.mixture([((), Fraction(1))])
            if rho == 0 or not K
            else Corruption.mixture([((), 1 - rho), (K, rho)])
            for K in ordered
        )
        return tuple(dict.fromkeys(points))

    def decouples(self, n: int) -> bool:
        """Tell whether every agent plays a matrix game of its own against all others together [T4]."""
        return all(
            corruption.weights == ((tuple(j for j in range(n) if j != agent), Fraction(1)),)
            for agent in range(n)
            for corruption in self.corruptions(n, agent)
        )

    def same_as(self, other: ThreatModel, n: int) -> bool:
        """Tell whether two threats have the same extreme points for every one of `n` agents."""
        return all(self.corruptions(n, agent) == other.corruptions(n, agent) for agent in range(n))

    def describe(self) -> str:
        """Return the threat in a few words."""
        chance = "" if self._rho == 1 else f" with probability at most {number_text(self._rho)}"
        if self.distribution is not None:
            return "a fixed distribution over corruption sets"
        if self.sets is not None:
            return f"explicit corruption sets{chance}"
        return f"k = {self.k}{chance}"

    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; agents are numbered from 0, probabilities are exact."""
        result: dict[str, Any] = {}
        if self.k is not None:
            result["k"] = self.k
        if self._rho != 1:
            result["probability"] = number_text(self._rho)
        if self.sets is not None:
            result["sets"] = {str(i): [sorted(K) for K in family] for i, family in sorted(self.sets.items())}
        if self.distribution is not None:
            result["distribution"] = {
                str(i): [[sorted(K), number_text(p)] for K, p in law.items()]
                for i, law in sorted(self.distribution.items())
            }
        return result

    @classmethod
    def from_json(cls, data: Any, where: str = "threat") -> ThreatModel:
        """Read what `to_json` wrote; unknown keys are refused by name."""
        if not isinstance(data, dict):
            raise ThreatError(f"{where}: is {shown(data)}; must be an object such as {{'k': 1}}")
        for key in data:
            if key not in ("k", "probability", "sets", "distribution"):
                raise ThreatError(
                    f"{where}: key {shown(key)} is unknown; must be k, probability, sets, distribution"
                )
        try:
            laws = _numbered(data.get("distribution"), "distribution")
            return cls(
                k=data.get("k"),
                probability=data.get("probability"),
                sets=_numbered(data.get("sets"), "sets"),
                distribution=None if laws is None else {i: _law(i, pairs) for i, pairs in laws.items()},
            )
        except ThreatError as error:
            raise ThreatError(f"{where}: {str(error).removeprefix('ThreatModel: ')}") from None

    def _fit(self, n: int) -> None:
        """Refuse explicit families that do not list exactly the agents 0..n−1, or hold strangers."""
        for name, listed in (("sets", self.sets), ("distribution", self.distribution)):
            if listed is None:
                continue
            if set(listed) != set(range(n)):
                raise ThreatError(
                    f"ThreatModel: {name} list the agents {sorted(listed)}; must list each of 0..{n - 1}"
                )
            for agent, family in listed.items():
                for K in family:
                    if not set(K) <= set(range(n)) - {agent}:
                        raise ThreatError(
                            f"ThreatModel: {name} of agent {agent} hold {sorted(K)}; "
                            f"must be a set of other agents among 0..{n - 1}"
                        )


def _natural(value: Any, name: str, rule: str) -> int:
    try:
        number = -1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ThreatError(f"ThreatModel: {name} is {shown(value)}; must be {rule}")
    return number


def _agent(agent: Any) -> int:
    return _natural(agent, "agent", "a number from 0")


def _mapping(value: Any, name: str) -> Iterable[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        raise ThreatError(f"ThreatModel: {name} are {shown(value)}; must be a mapping from agents")
    return value.items()


def _set(members: Any) -> frozenset[int]:
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise ThreatError(f"ThreatModel: corruption set is {shown(members)}; must be a set of agents")
    return frozenset(_agent(agent) for agent in members)


def _family(agent: int, sets: Any) -> Family:
    if isinstance(sets, str) or not isinstance(sets, Iterable):
        raise ThreatError(f"ThreatModel: sets of agent {agent} are {shown(sets)}; must be a list of sets")
    family = tuple(dict.fromkeys(_set(members) for members in sets))
    if not family:
        raise ThreatError(
            f"ThreatModel: the family of corruption sets of agent {agent} is empty; "
            "must hold at least the empty set"
        )
    return family


def _distribution(agent: int, law: Any, k: int | None) -> dict[frozenset[int], Fraction]:
    where = f"ThreatModel: distribution of agent {agent}"
    if not isinstance(law, Mapping):
        raise ThreatError(f"{where} is {shown(law)}; must be a mapping from sets to probabilities")
    exact: dict[frozenset[int], Fraction] = {}
    for members, p in law.items():
        K = _set(members)
        if K in exact:
            raise ThreatError(f"{where} holds {sorted(K)} twice; must be distinct sets")
        if k is not None and len(K) > k:
            raise ThreatError(f"{where} holds {sorted(K)}; must be sets of at most k = {k} agents")
        exact[K] = to_fraction(p, where, ThreatError)
        if exact[K] < 0:
            raise ThreatError(f"{where} gives {sorted(K)} probability {shown(p)}; must be at least 0")
    total = sum(exact.values(), Fraction(0))
    if abs(total - 1) > DISTRIBUTION_TOLERANCE:
        raise ThreatError(f"{where} sums to {float(total):.12g}; must be 1")
    # One order for equal laws, so that equal threats have equal hashes and files.
    ordered = sorted(exact, key=lambda K: (len(K), sorted(K)))
    return {K: exact[K] / total for K in ordered}


def _numbered(data: Any, name: str) -> dict[int, Any] | None:
    """Return what a JSON object holds under agent numbers written as keys."""
    if data is None:
        return None
    if not isinstance(data, dict):
        raise ThreatError(f"{name} are {shown(data)}; must be an object with agent numbers as keys")
    for key in data:
        if not (isinstance(key, str) and key.isdecimal() and key == str(int(key))):
            raise ThreatError(f"{name} have the key {shown(key)}; must be an agent number such as '0'")
    return {int(key): value for key, value in data.items()}


def _law(agent: int, pairs: Any) -> dict[frozenset[int], Any]:
    """Return the law of one agent from its list of [set, probability]; JSON keys cannot be sets."""
    where = f"distribution of agent {agent}"
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ThreatError(f"{where} is {shown(pairs)}; must be a list of [set, probability]")
    law = {_set(members): p for members, p in pairs}
    if len(law) < len(pairs):
        raise ThreatError(f"{where} lists a set twice; must be distinct sets")
    return law
