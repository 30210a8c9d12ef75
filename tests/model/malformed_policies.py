"""Malformed policy files as data, for the good game of `malformed`; see there."""

from __future__ import annotations

from typing import Any

from malformed import DELETE, Case, number_cases

POLICY: dict[str, Any] = {
    "format": "arneq-policy",
    "version": 1,
    "horizon": None,
    "probabilities": {
        "row": {"crossing": {"up": 0.25, "down": 0.75}, "home": {"stay": 1}},
        "column": {"crossing": {"left": 1}, "home": {"stay": 1}},
    },
}

TIMED_POLICY: dict[str, Any] = {
    **POLICY,
    "horizon": 2,
    "probabilities": {agent: [states, states] for agent, states in POLICY["probabilities"].items()},
}

POLICY_CASES: list[Case] = [
    (("format",), "arneq-game", "format is 'arneq-game'; must be 'arneq-policy'"),
    (("format",), DELETE, "format is None"),
    (("version",), 3, "version is 3; must be 1"),
    (("horizon",), DELETE, "key 'horizon' is missing; must be format, version, horizon, probabilities"),
    (("probabilities",), DELETE, "key 'probabilities' is missing"),
    (("policy",), {}, "key 'policy' is unknown"),
    (("horizon",), 0, "horizon is 0; must be null or an integer of at least 1"),
    (("horizon",), -1, "horizon is -1"),
    (("horizon",), 1.0, "horizon is 1.0"),
    (("horizon",), True, "horizon is True"),
    (("horizon",), "2", "horizon is '2'"),
    (("horizon",), 2, "agent 'row': is {'crossing'"),
    (("probabilities",), None, "probabilities: is None"),
    (("probabilities",), [], "probabilities: is []"),
    (("probabilities", "row"), DELETE, "probabilities: key 'row' is missing; must be row, column"),
    (("probabilities", "third"), {}, "probabilities: key 'third' is unknown; must be row, column"),
    (("probabilities", "row"), None, "agent 'row': is None; must be an object"),
    (("probabilities", "row"), [{}], "agent 'row': is [{}]; must be an object"),
    (("probabilities", "row", "home"), DELETE, "agent 'row', state 'home': is missing"),
    (
        ("probabilities", "row", "house"),
        {},
        "agent 'row': state 'house' is unknown; must be one of crossing, home",
    ),
    (("probabilities", "row", "home"), None, "agent 'row', state 'home': is None"),
    (("probabilities", "row", "home"), [1], "agent 'row', state 'home': is [1]"),
    (("probabilities", "row", "home"), {}, "probabilities of agent 'row' in state 'home' sum to 0"),
    (
        ("probabilities", "row", "home"),
        {"up": 1},
        "state 'home': action 'up' is unknown; must be one of stay",
    ),
    (
        ("probabilities", "row", "crossing", "up"),
        0.5,
        "agent 'row' in state 'crossing' sum to 1.25; must be 1",
    ),
    (
        ("probabilities", "row", "crossing", "up"),
        -0.25,
        "action 0 of agent 'row' in state 'crossing' is -0.25",
    ),
    (("probabilities", "row", "crossing", "up"), DELETE, "agent 'row' in state 'crossing' sum to 0.75"),
    *number_cases(
        ("probabilities", "row", "crossing", "up"),
        "agent 'row', state 'crossing', action 'up': probability is",
    ),
]

TIMED_POLICY_CASES: list[Case] = [
    (("horizon",), None, "agent 'row': is [{"),
    (("horizon",), 3, "agent 'row': has 2 steps; must be 3"),
    (("probabilities", "column"), {}, "agent 'column': is {}; must be a list"),
    (("probabilities", "column", 1), DELETE, "agent 'column': has 1 steps; must be 2"),
    (("probabilities", "column", 1), None, "agent 'column', step 1: is None"),
    (("probabilities", "column", 1, "home"), DELETE, "agent 'column', step 1, state 'home': is missing"),
    (
        ("probabilities", "column", 1, "home", "stay"),
        "x",
        "step 1, state 'home', action 'stay': probability is 'x'",
    ),
    (("probabilities", "column", 1, "home", "stay"), 0.5, "agent 'column' in state 'home' sum to 0.5"),
]
