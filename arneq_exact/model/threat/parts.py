"""The parts of a threat as people and files write them, validated and brought into one form.

Agents, states and actions are numbers from 0. JSON objects have strings as keys and cannot have sets, so
files write agents and states as "0" and a distribution as a list of [set, probability].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from operator import index
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.polytope import Row
from arneq_exact.exact.rationals import number_text, to_fraction
from arneq_exact.model.threat.corruption import canonical_order
from arneq_exact.require import shown

Family = tuple[frozenset[int], ...]
Law = dict[frozenset[int], Fraction]
Inequalities = tuple[tuple[Row, ...], Row]
"""(G, h), row by row."""

StateMasks = dict[int, dict[int, tuple[int, ...]]]
"""Agent → state → actions that the agent can play there while corrupted, ascending."""

_NUMBER = re.compile("0|[1-9][0-9]{0,17}")
DISTRIBUTION_TOLERANCE = Fraction(1, 10**9)


def natural(value: Any, name: str, rule: str = "an integer of at least 0") -> int:
    """Return an integer of at least 0."""
    try:
        number = -1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ThreatError(f"ThreatModel: {name} is {shown(value)}; must be {rule}")
    return number


def by_agent(value: Any, name: str) -> dict[int, Any]:
    """Return what a mapping holds under agent numbers."""
    if not isinstance(value, Mapping):
        raise ThreatError(f"ThreatModel: {name} are {shown(value)}; must be a mapping from agents")
    return {natural(agent, "agent", "a number from 0"): entry for agent, entry in value.items()}


def _listed(value: Any, where: str, rule: str) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ThreatError(f"ThreatModel: {where} {shown(value)}; must be {rule}")
    return list(value)


def corruption_set(members: Any) -> frozenset[int]:
    """Return one corruption set."""
    listed = _listed(members, "corruption set is", "a set of agents")
    return frozenset(natural(agent, "agent", "a number from 0") for agent in listed)


def family(agent: int, sets: Any) -> Family:
    """Return the distinct corruption sets of one agent, in the order given."""
    listed = _listed(sets, f"sets of agent {agent} are", "a list of sets")
    distinct = tuple(dict.fromkeys(corruption_set(members) for members in listed))
    if not distinct:
        raise ThreatError(
            f"ThreatModel: the family of corruption sets of agent {agent} is empty; "
            "must hold at least the empty set"
        )
    return distinct


def distribution(agent: int, law: Any, k: int | None) -> Law:
    """Return a law over corruption sets that sums to exactly 1, in canonical order."""
    where = f"ThreatModel: distribution of agent {agent}"
    if not isinstance(law, Mapping):
        raise ThreatError(f"{where} is {shown(law)}; must be a mapping from sets to probabilities")
    exact: Law = {}
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
    if abs(total - 1) > DISTRIBUTION_TOLERANCE:
        raise ThreatError(f"{where} sums to {float(total):.12g}; must be 1")
    # One order for equal laws, so that equal threats have equal hashes and files.
    return {K: exact[K] / total for K in sorted(exact, key=canonical_order)}


def inequalities(value: Any, owner: str) -> Inequalities:
    """Return (G, h) in Fractions; rows of G have equal lengths."""
    rule = "a pair (G, h) of a list of rows and a list of as many numbers"
    pair = _listed(value, f"inequalities{owner} are", rule)
    if len(pair) != 2:
        raise ThreatError(f"ThreatModel: inequalities{owner} are {shown(value)}; must be {rule}")
    table = [
        _listed(row, f"a row of G{owner} is", "a list of numbers") for row in _listed(pair[0], "G is", rule)
    ]
    limits = _listed(pair[1], "h is", rule)
    if len(table) != len(limits) or len({len(row) for row in table}) > 1:
        raise ThreatError(
            f"ThreatModel: inequalities{owner} have rows of lengths {[len(row) for row in table]} in G and "
            f"{len(limits)} numbers in h; must be rows of one length, and one number for each"
        )
    rows = tuple(
        tuple(to_fraction(entry, f"ThreatModel: G{owner}", ThreatError) for entry in row) for row in table
    )
    return rows, tuple(to_fraction(entry, f"ThreatModel: h{owner}", ThreatError) for entry in limits)


def inequalities_json(pair: Inequalities) -> dict[str, Any]:
    """Return (G, h) in a form for JSON files."""
    rows, limits = pair
    return {"G": [list(map(number_text, row)) for row in rows], "h": list(map(number_text, limits))}


def _list(data: Any, name: str) -> list[Any]:
    """Return a JSON list: an object would pass for the list of its keys."""
    if not isinstance(data, list):
        raise ThreatError(f"{name} are {shown(data)}; must be a list")
    return data


def _list_of_lists(data: Any, name: str) -> list[list[Any]]:
    return [_list(entry, name) for entry in _list(data, name)]


def _pair_of_json(data: Any) -> Any:
    """Return the pair (G, h) that a JSON object {"G": ..., "h": ...} holds."""
    if not isinstance(data, dict) or set(data) != {"G", "h"}:
        raise ThreatError(f"inequalities are {shown(data)}; must be an object with the keys G and h")
    return _list_of_lists(data["G"], "rows of G"), _list(data["h"], "numbers of h")


def _numbered(data: Any, name: str) -> dict[int, Any]:
    """Return what a JSON object holds under numbers written as keys."""
    if not isinstance(data, dict):
        raise ThreatError(f"{name} are {shown(data)}; must be an object with numbers as keys")
    for key in data:
        if not isinstance(key, str) or not _NUMBER.fullmatch(key):
            raise ThreatError(f"{name} have the key {shown(key)}; must be a number such as '0'")
    return {int(key): value for key, value in data.items()}


def _law_of_json(agent: int, pairs: Any) -> dict[frozenset[int], Any]:
    """Return the law of one agent from its list of [set, probability]; JSON keys cannot be sets."""
    where = f"distribution of agent {agent}"
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ThreatError(f"{where} is {shown(pairs)}; must be a list of [set, probability]")
    law = {corruption_set(_list(members, f"sets in the {where}")): p for members, p in pairs}
    if len(law) < len(pairs):
        raise ThreatError(f"{where} lists a set twice; must be distinct sets")
    return law


def masks(value: Any) -> StateMasks:
    """Return what corrupted agents can play, by agent and state, without what says nothing."""
    result: StateMasks = {}
    for agent, states in sorted(by_agent(value, "masks").items()):
        where = f"masks of agent {agent}"
        if not isinstance(states, Mapping):
            raise ThreatError(f"ThreatModel: {where} are {shown(states)}; must be a mapping from states")
        own = {}
        for state, actions in states.items():
            number = natural(state, f"{where}: state", "a number from 0")
            listed = _listed(actions, f"{where} in state {number} are", "a list of actions")
            if not listed:
                raise ThreatError(
                    f"ThreatModel: {where} in state {number} allow nothing; must allow an action"
                )
            own[number] = tuple(sorted({natural(a, f"{where}: action", "a number from 0") for a in listed}))
        if own:
            result[agent] = dict(sorted(own.items()))
    return result


def parts_of_json(data: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a threat that JSON writes in another form than Python."""
    result: dict[str, Any] = {}
    for key, value in data.items():
        if value is None:
            raise ThreatError(f"{key} is null; must be left out")
        if key == "sets":
            families = _numbered(value, "sets").items()
            result[key] = {i: _list_of_lists(sets, f"sets of agent {i}") for i, sets in families}
        elif key == "distribution":
            laws = _numbered(value, "distribution").items()
            result[key] = {i: _law_of_json(i, pairs) for i, pairs in laws}
        elif key == "inequalities" and isinstance(value, dict) and not {"G", "h"} & set(value):
            pairs = _numbered(value, "inequalities").items()
            result[key] = {i: _pair_of_json(pair) for i, pair in pairs}
        elif key == "inequalities":
            result[key] = _pair_of_json(value)
        elif key == "masks":
            masked = {
                i: _numbered(states, f"masks of agent {i}") for i, states in _numbered(value, key).items()
            }
            result[key] = {
                i: {s: _list(actions, f"masks of agent {i}, state {s}") for s, actions in states.items()}
                for i, states in masked.items()
            }
    return result
