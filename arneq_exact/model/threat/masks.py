"""Masks: all that an agent can play in a state while it is corrupted, by agent and state; others are free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.threat.reading import by_agent, json_list, json_numbered, listed, natural
from arneq_exact.require import shown

StateMasks = dict[int, dict[int, tuple[int, ...]]]
"""Agent → state → actions that the agent can play there while corrupted, ascending."""


def read_masks(value: Any) -> StateMasks:
    """Return masks by agent and state, without what says nothing."""
    result: StateMasks = {}
    for agent, states in sorted(by_agent(value, "masks").items()):
        where = f"masks of agent {agent}"
        if not isinstance(states, Mapping):
            raise ThreatError(f"ThreatModel: {where} are {shown(states)}; must be a mapping from states")
        own = {}
        for state, actions in states.items():
            number = natural(state, f"{where}: state", "a number from 0")
            given = listed(actions, f"{where} in state {number} are", "a list of actions")
            if not given:
                raise ThreatError(
                    f"ThreatModel: {where} in state {number} allow nothing; must allow an action"
                )
            own[number] = tuple(sorted({natural(a, f"{where}: action", "a number from 0") for a in given}))
        if own:
            result[agent] = dict(sorted(own.items()))
    return result


def masks_of_json(data: Any) -> dict[int, dict[int, list[Any]]]:
    """Return the argument `masks` from a JSON object of objects."""
    masked = {
        i: json_numbered(states, f"masks of agent {i}") for i, states in json_numbered(data, "masks").items()
    }
    return {
        i: {s: json_list(actions, f"masks of agent {i}, state {s}") for s, actions in states.items()}
        for i, states in masked.items()
    }


def masks_json(masks: Mapping[int, Mapping[int, Any]]) -> dict[str, Any]:
    """Return a form for JSON files."""
    return {
        str(i): {str(state): list(actions) for state, actions in states.items()}
        for i, states in masks.items()
    }


def require_masks_fit(masks: Mapping[int, Mapping[int, Any]], action_counts: IntArray) -> None:
    """Refuse a game (S, n) of other agents, states or actions than the masks name."""
    n_states, n = action_counts.shape
    for agent, states in masks.items():
        for state, actions in states.items():
            where = f"ThreatModel: masks of agent {agent}"
            if agent >= n or state >= n_states:
                raise ThreatError(
                    f"{where} name state {state}; must be agents 0..{n - 1} and states 0..{n_states - 1}"
                )
            if max(actions) >= action_counts[state, agent]:
                raise ThreatError(
                    f"{where} in state {state} allow action {max(actions)}; "
                    f"must be actions 0..{action_counts[state, agent] - 1}"
                )
