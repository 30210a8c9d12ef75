"""How people and files write the parts of a threat: numbers of agents, sets, lists, mappings.

Agents, states and actions are numbers from 0. JSON objects have strings as keys and cannot have sets, so
files write agents and states as "0" and a distribution as a list of [set, probability].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from arneq_exact import require
from arneq_exact.errors import ThreatError
from arneq_exact.require import shown

_NUMBER = re.compile("0|[1-9][0-9]{0,17}")
"""A number from 0 as a key: one way to write each, and none too long for an array index of 64 bits."""


def natural(value: Any, name: str, rule: str = "an integer of at least 0") -> int:
    """Return an integer of at least 0."""
    return require.whole(value, f"ThreatModel: {name}", at_least=0, rule=rule, error=ThreatError)


def by_agent(value: Any, name: str) -> dict[int, Any]:
    """Return what a mapping holds under agent numbers."""
    if not isinstance(value, Mapping):
        raise ThreatError(f"ThreatModel: {name} are {shown(value)}; must be a mapping from agents")
    return {natural(agent, "agent", "a number from 0"): entry for agent, entry in value.items()}


def listed(value: Any, where: str, rule: str) -> list[Any]:
    """Return the entries of something that can be iterated over and is no text."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ThreatError(f"ThreatModel: {where} {shown(value)}; must be {rule}")
    return list(value)


def corruption_set(members: Any) -> frozenset[int]:
    """Return one corruption set."""
    agents = listed(members, "corruption set is", "a set of agents")
    return frozenset(natural(agent, "agent", "a number from 0") for agent in agents)


def json_list(data: Any, name: str) -> list[Any]:
    """Return a JSON list: an object would pass for the list of its keys."""
    if not isinstance(data, list):
        raise ThreatError(f"{name} are {shown(data)}; must be a list")
    return data


def json_lists(data: Any, name: str) -> list[list[Any]]:
    """Return a JSON list of lists."""
    return [json_list(entry, name) for entry in json_list(data, name)]


def json_numbered(data: Any, name: str) -> dict[int, Any]:
    """Return what a JSON object holds under numbers written as keys."""
    if not isinstance(data, dict):
        raise ThreatError(f"{name} are {shown(data)}; must be an object with numbers as keys")
    for key in data:
        if not isinstance(key, str) or not _NUMBER.fullmatch(key):
            raise ThreatError(f"{name} have the key {shown(key)}; must be a number such as '0'")
    return {int(key): value for key, value in data.items()}
