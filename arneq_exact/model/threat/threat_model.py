"""Threat models: which agents an attacker may corrupt, seen from each agent.

Agent i faces its own attacker, who picks at every state a distribution ω over *corruption sets* K ⊆ N\\{i}
from a polytope Ω_i, and actions for whoever may be corrupted. A *committed* attacker fixes them before K
is drawn, an *informed* one after. A minimiser exists at an extreme point of Ω_i with pure actions [T10], so
a threat is resolved into the extreme points of every Ω_i, here `Corruption`s, and an attacker's pure
strategies at a state are its *columns*: pairs of an extreme point and the actions that it decides there.

The order of columns is part of the certificate format.

* Sets are ordered by size, then lexicographically. Extreme points are ordered by their vectors of
  probabilities over the sets in that order, in descending lexicographic order.
* Within an extreme point, columns are the combinations of its decisions in C order, the last decision
  running fastest. A committed attacker decides an action for each agent that some set of positive
  probability holds, agents ascending. An informed attacker decides one for each set of positive
  probability in order and each agent in it, ascending; so it does only where some agent is in two of the
  sets, and elsewhere its columns are those of a committed attacker, since it gains nothing.
* An agent that is masked in the state has the allowed actions for choices, ascending, in place of all.

Extreme points are, without masks, all maximal sets of the family (each certain, or with probability ρ and
otherwise nobody), because corrupted agents may imitate their policy [T1]; under masks they cannot, so every
set of the family is one, and with ρ < 1 so is the certainty that nobody is corrupted. A fixed distribution
is one extreme point, and inequalities have the vertices of their polytope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.threat.corruption import Corruption, Masks, canonical_order, everyone_else
from arneq_exact.model.threat.law import Law
from arneq_exact.model.threat.laws import JSON_READERS, law_of
from arneq_exact.model.threat.masks import masks_json, read_masks, require_masks_fit
from arneq_exact.require import shown

KEYS = ("k", "probability", "sets", "distribution", "inequalities", "informed", "masks", "timing")
"""The arguments, which are also the keys in JSON."""

TIMINGS = ("per-state", "static")
"""When the corruption set is drawn: anew at every state, or once per episode."""


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
        empty set belongs to a family only if listed.
    distribution : {agent: {set of agents: probability}}, optional
        A fixed distribution over corruption sets; with `k`, no set may be larger than k.
    inequalities : (G, h) or {agent: (G, h)}, optional
        With `k` or `sets`: the attacker picks any distribution ω over the family with Gω ≤ h. Columns of
        G stand for the sets of at most k agents by size, then lexicographically, or for the distinct
        `sets` as listed. One pair for all agents, or one for each. Numbers may be rationals.
    informed : bool
        Whether the corrupted agents know who is corrupted when they act; default False.
    masks : {agent: {state: actions}}, optional
        All that an agent can play in a state while it is corrupted, by numbers from 0; states and agents
        that are not listed are free.
    timing : {"per-state", "static"}
        Whether K is drawn anew at every state or once per episode [T13]. Static corruption can be
        evaluated (`arneq_exact.static_values`), not solved.

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
    >>> at_least_half_spared = ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"]))
    >>> [str(point.weights[0][1]) for point in at_least_half_spared.corruptions(2, 0)]
    ['1', '1/2']
    """

    k: int | None = None
    probability: Any = None
    sets: Mapping[int, Iterable[Iterable[int]]] | None = None
    distribution: Mapping[int, Mapping[frozenset[int], Any]] | None = None
    inequalities: Any = None
    informed: bool = False
    masks: Mapping[int, Mapping[int, Iterable[int]]] | None = None
    timing: str = "per-state"
    law: Law = field(init=False, repr=False, compare=False)
    _resolved: dict[tuple[int, int], tuple[Corruption, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        given = (self.k, self.probability, self.sets, self.distribution, self.inequalities)
        law = law_of(*given)
        informed = require.flag(self.informed, "ThreatModel: informed", ThreatError)
        masks = None if self.masks is None else read_masks(self.masks) or None
        if self.timing not in TIMINGS:
            raise ThreatError(f"ThreatModel: timing is {shown(self.timing)}; must be per-state or static")
        canonical = {**law.arguments(), "law": law, "informed": informed, "masks": masks}
        for name, value in canonical.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(repr(self.to_json()))

    def __getstate__(self) -> dict[str, Any]:
        """Leave the hash behind: strings have another one in every process."""
        return {name: part for name, part in self.__dict__.items() if name != "_hash"}

    def corruptions(self, n: int, agent: int) -> tuple[Corruption, ...]:
        """Return the extreme points of Ω_i for `agent` (from 0) among `n` agents, masks left aside.

        Raises
        ------
        ThreatError
            If the threat does not fit a game of `n` agents.
        """
        if (n, agent) not in self._resolved:
            self.law.require_fit(n)
            found = self.law.points(n, agent, informed=self.informed, masked=self.masks is not None)
            points = dict.fromkeys(found)
            sets = sorted({K for point in points for K, _ in point.weights}, key=canonical_order)

            def vector(point: Corruption) -> list[Fraction]:
                law = dict(point.weights)
                return [law.get(K, Fraction(0)) for K in sets]

            self._resolved[n, agent] = tuple(sorted(points, key=vector, reverse=True))
        return self._resolved[n, agent]

    def family(self, n: int, agent: int) -> tuple[frozenset[int], ...]:
        """Return the corruption sets that are possible for `agent`: as listed, or in canonical order."""
        return self.law.family(n, agent)

    def masks_at(self, state: int) -> Masks:
        """Return what corrupted agents can play in a state, agents ascending."""
        listed = (self.masks or {}).items()
        return tuple((agent, tuple(states[state])) for agent, states in listed if state in states)

    def groups(
        self, signature_groups: Iterable[tuple[IntArray, tuple[int, ...]]]
    ) -> Iterator[tuple[IntArray, tuple[int, ...], Masks]]:
        """Split groups of states with equal action counts by masks."""
        for states, counts in signature_groups:
            alike: dict[Masks, list[int]] = {}
            if self.masks is None:
                yield states, counts, ()
                continue
            for state in states.tolist():
                alike.setdefault(self.masks_at(state), []).append(state)
            for masks, members in alike.items():
                yield np.array(members, dtype=np.int64), counts, masks

    def require_fit(self, action_counts: IntArray) -> None:
        """Refuse a game (S, n) of other agents, states or actions than the threat names.

        Raises
        ------
        ThreatError
            With the place, the value and the rule.
        """
        n = action_counts.shape[1]
        for agent in range(n):
            self.corruptions(n, agent)
        require_masks_fit(self.masks or {}, action_counts)

    def decouples(self, n: int) -> bool:
        """Tell whether every agent plays a matrix game of its own against all others together [T4]."""
        return everyone_else([self.corruptions(n, agent) for agent in range(n)])

    def same_as(self, other: ThreatModel, n: int) -> bool:
        """Tell whether two threats mean the same for every one of `n` agents."""
        return (self.masks, self.timing) == (other.masks, other.timing) and all(
            self.corruptions(n, agent) == other.corruptions(n, agent) for agent in range(n)
        )

    def describe(self) -> str:
        """Return the threat in a few words."""
        text = self.law.describe()
        if self.informed:
            text += ", informed attacker"
        if self.masks is not None:
            text += ", masked actions"
        return text if self.timing == "per-state" else f"{text}, drawn once per episode"

    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; agents are numbered from 0, numbers are exact."""
        result = self.law.to_json()
        if self.informed:
            result["informed"] = True
        if self.masks is not None:
            result["masks"] = masks_json(self.masks)
        if self.timing != "per-state":
            result["timing"] = self.timing
        return result

    @classmethod
    def from_json(cls, data: Any, where: str = "threat") -> ThreatModel:
        """Read what `to_json` wrote; unknown keys are refused by name."""
        if not isinstance(data, dict):
            raise ThreatError(f"{where}: is {shown(data)}; must be an object such as {{'k': 1}}")
        for key in data:
            if key not in KEYS:
                raise ThreatError(f"{where}: key {shown(key)} is unknown; must be {', '.join(KEYS)}")
        try:
            for key, value in data.items():
                if value is None:
                    raise ThreatError(f"{key} is null; must be left out")
            return cls(**{key: JSON_READERS.get(key, _as_it_is)(value) for key, value in data.items()})
        except ThreatError as error:
            raise ThreatError(f"{where}: {str(error).removeprefix('ThreatModel: ')}") from None


def _as_it_is(value: Any) -> Any:
    return value
