"""Malformed files as data: an edit of a good file, and what its refusal must say.

A case is (path of keys into the good file, new value, fragment of the message). `DELETE` as the value
removes the key. Cases of text are whole files. Every fragment names the place or the value at fault.
"""

from __future__ import annotations

from typing import Any

DELETE = object()

GAME: dict[str, Any] = {
    "format": "arneq-game",
    "version": 1,
    "agents": ["row", "column"],
    "discount": 0.9,
    "states": [
        {
            "name": "crossing",
            "actions": [["up", "down"], ["left", "right"]],
            "rows": [
                {"actions": ["up", "left"], "rewards": [1, "1/3"], "next": {"crossing": 0.5}, "end": 0.5},
                {"actions": ["up", "right"], "rewards": [0, 0], "next": {"home": 1}},
                {
                    "actions": ["down", "left"],
                    "rewards": [0, 2.5],
                    "next": {"home": "1/3", "crossing": "2/3"},
                },
                {"actions": ["down", "right"], "rewards": [-1, 0], "next": {}, "end": 1},
            ],
        },
        {
            "name": "home",
            "actions": [["stay"], ["stay"]],
            "rows": [{"actions": ["stay", "stay"], "rewards": [0, 0], "next": {"home": 1}}],
        },
    ],
    "initial": {"crossing": 1},
}

Path = tuple[Any, ...]
Case = tuple[Path, Any, str]

# What is no number, wherever a number must stand.
NO_NUMBERS: list[Any] = [None, True, "one", "", "1/0", "1/3/5", [], [0.5], {}, "nan", "1e999999999", "1e400"]

STATE: Path = ("states", 0)
ROW: Path = ("states", 0, "rows", 2)

_HEADER: list[Case] = [
    (("format",), DELETE, "format is None; must be 'arneq-game'"),
    (("format",), "arneq-policy", "format is 'arneq-policy'; must be 'arneq-game'"),
    (("format",), 1, "format is 1"),
    (("format",), ["arneq-game"], "format is ['arneq-game']"),
    (("version",), DELETE, "version is None; must be 1"),
    (("version",), 2, "version is 2; must be 1"),
    (("version",), 0, "version is 0"),
    (("version",), True, "version is True"),
    (("version",), 1.0, "version is 1.0"),
    (("version",), "1", "version is '1'"),
    (("agents",), DELETE, "key 'agents' is missing; must be format, version, agents, discount, states"),
    (("discount",), DELETE, "key 'discount' is missing"),
    (("states",), DELETE, "key 'states' is missing"),
    (("gamma",), 0.9, "key 'gamma' is unknown; must be format, version, agents, discount, states, initial"),
    (("Agents",), [], "key 'Agents' is unknown"),
    (("",), 1, "key '' is unknown"),
    (("comment",), "hello", "key 'comment' is unknown"),
]

_AGENTS: list[Case] = [
    (("agents",), None, "agents: is None; must be a list"),
    (("agents",), 2, "agents: is 2; must be a list"),
    (("agents",), "row", "agents: is 'row'; must be a list"),
    (("agents",), {}, "agents: is {}; must be a list"),
    (("agents",), [], "agents: is empty"),
    (("agents",), ["row", ""], "agents: holds ''; must be non-empty strings"),
    (("agents",), ["row", 2], "agents: holds 2; must be non-empty strings"),
    (("agents",), ["row", None], "agents: holds None"),
    (("agents",), ["row", "row"], "agents: holds 'row' twice"),
    (("agents",), ["row"], "state 'crossing': actions: has 2 lists; must be 1"),
    (("agents",), ["row", "column", "third"], "state 'crossing': actions: has 2 lists; must be 3"),
]

_DISCOUNT: list[Case] = [
    (("discount",), -0.1, "discount of agent 'row' is -0.1; must be in [0, 1]"),
    (("discount",), 1.5, "discount of agent 'row' is 1.5; must be in [0, 1]"),
    (("discount",), "4/3", "discount of agent 'row' is 1.33"),
    (("discount",), "100000000000000000001/100000000000000000000", "discount of agent 'row' is 1.0, exactly"),
    (("discount",), [0.9], "discount: has 1 numbers; must be 2"),
    (("discount",), [0.9, 0.9, 0.9], "discount: has 3 numbers; must be 2"),
    (("discount",), [0.9, 2], "discount of agent 'column' is 2.0"),
    (("discount",), [0.9, "x"], "discount is 'x'"),
    (("discount",), [[0.9, 0.9]], "discount: has 1 numbers"),
]

_STATES: list[Case] = [
    (("states",), None, "states: is None; must be a list"),
    (("states",), {"crossing": {}}, "states: is {'crossing': {}}; must be a list"),
    (("states",), [], "states: is empty"),
    (("states",), [[]], "state number 1: is []; must be an object"),
    (("states", 1), None, "state number 2: is None; must be an object"),
    (("states", 1), "home", "state number 2: is 'home'"),
    (("states", 1, "name"), DELETE, "state number 2: key 'name' is missing"),
    (("states", 1, "name"), "", "states: holds ''"),
    (("states", 1, "name"), 3, "states: holds 3"),
    (("states", 1, "name"), None, "states: holds None"),
    (("states", 1, "name"), ["home"], "states: holds ['home']"),
    (("states", 1, "name"), "crossing", "states: holds 'crossing' twice"),
    (("states", 1, "name"), "house", "state 'crossing', row 2: next: state 'home' is unknown"),
    (
        ("states", 1),
        DELETE,
        "state 'crossing', row 2: next: state 'home' is unknown; must be one of crossing",
    ),
    ((*STATE, "actions"), DELETE, "state 'crossing': key 'actions' is missing; must be name, actions, rows"),
    ((*STATE, "rows"), DELETE, "state 'crossing': key 'rows' is missing"),
    ((*STATE, "row"), [], "state 'crossing': key 'row' is unknown; must be name, actions, rows"),
    ((*STATE, "reward"), 1, "state 'crossing': key 'reward' is unknown"),
    ((*STATE, "actions"), None, "state 'crossing': actions: is None; must be a list"),
    ((*STATE, "actions"), {"row": ["up"]}, "state 'crossing': actions: is {'row': ['up']}"),
    ((*STATE, "actions"), [["up", "down"]], "state 'crossing': actions: has 1 lists; must be 2"),
    ((*STATE, "actions", 0), None, "state 'crossing': actions of agent 'row': is None"),
    ((*STATE, "actions", 0), "up", "state 'crossing': actions of agent 'row': is 'up'"),
    ((*STATE, "actions", 0), [], "state 'crossing': actions of agent 'row': is empty"),
    ((*STATE, "actions", 1), ["left", "left"], "actions of agent 'column': holds 'left' twice"),
    ((*STATE, "actions", 1), ["left", 1], "actions of agent 'column': holds 1"),
    ((*STATE, "actions", 1), ["left", ""], "actions of agent 'column': holds ''"),
    (
        (*STATE, "actions", 0),
        ["up"],
        "row 3: actions: action of agent 'row' 'down' is unknown; must be one of up",
    ),
    ((*STATE, "actions", 0), ["up", "down", "wait"], "actions ['wait', 'left'] have no row"),
    ((*STATE, "actions", 1), [str(a) for a in range(50)], "row 1: actions: action of agent 'column' 'left'"),
]

_ROWS: list[Case] = [
    ((*STATE, "rows"), None, "state 'crossing': rows: is None"),
    ((*STATE, "rows"), {}, "state 'crossing': rows: is {}"),
    (
        (*STATE, "rows"),
        [],
        "state 'crossing': actions ['up', 'left'] have no row; must have one row for each of 4",
    ),
    (("states", 1, "rows"), [], "state 'home': actions ['stay', 'stay'] have no row"),
    (ROW, DELETE, "state 'crossing': actions ['down', 'left'] have no row"),
    (ROW, None, "state 'crossing', row 3: is None; must be an object"),
    (ROW, [], "state 'crossing', row 3: is []"),
    (ROW, 7, "state 'crossing', row 3: is 7"),
    ((*ROW, "actions"), DELETE, "state 'crossing', row 3: key 'actions' is missing"),
    ((*ROW, "rewards"), DELETE, "state 'crossing', row 3: key 'rewards' is missing"),
    ((*ROW, "next"), DELETE, "state 'crossing', row 3: key 'next' is missing"),
    ((*ROW, "reward"), [1, 2], "row 3: key 'reward' is unknown; must be actions, rewards, next, end"),
    ((*ROW, "End"), 0, "state 'crossing', row 3: key 'End' is unknown"),
    ((*ROW, "termination"), 0, "state 'crossing', row 3: key 'termination' is unknown"),
    ((*ROW, "actions"), None, "state 'crossing', row 3: actions: is None"),
    ((*ROW, "actions"), "down", "state 'crossing', row 3: actions: is 'down'"),
    ((*ROW, "actions"), ["down"], "state 'crossing', row 3: actions: has 1 actions; must be 2"),
    ((*ROW, "actions"), ["down", "left", "left"], "row 3: actions: has 3 actions; must be 2"),
    (
        (*ROW, "actions"),
        ["down", "up"],
        "action of agent 'column' 'up' is unknown; must be one of left, right",
    ),
    ((*ROW, "actions"), ["sideways", "left"], "action of agent 'row' 'sideways' is unknown"),
    ((*ROW, "actions"), [1, 0], "row 3: actions: action of agent 'row' 1 is unknown"),
    ((*ROW, "actions"), [None, "left"], "row 3: actions: action of agent 'row' None is unknown"),
    ((*ROW, "actions"), [["down"], "left"], "action of agent 'row' ['down'] is unknown"),
    ((*ROW, "actions"), ["up", "left"], "state 'crossing', row 3: actions ['up', 'left'] occur twice"),
    ((*ROW, "rewards"), None, "state 'crossing', row 3: rewards: is None"),
    ((*ROW, "rewards"), 1, "state 'crossing', row 3: rewards: is 1"),
    ((*ROW, "rewards"), {"row": 1}, "state 'crossing', row 3: rewards: is {'row': 1}"),
    ((*ROW, "rewards"), [1], "state 'crossing', row 3: rewards: has 1 numbers; must be 2"),
    ((*ROW, "rewards"), [1, 2, 3], "state 'crossing', row 3: rewards: has 3 numbers; must be 2"),
    ((*ROW, "rewards"), [1, 1e200], "reward of agent 'column' in state 'crossing'"),
    ((*ROW, "rewards"), [1, 10**400], "state 'crossing', row 3: reward of agent 'column' is 1000"),
    ((*ROW, "rewards"), ["-1e160", 0], "reward of agent 'row' in state 'crossing'"),
    ((*ROW, "next"), None, "state 'crossing', row 3: next: is None; must be an object"),
    ((*ROW, "next"), [], "state 'crossing', row 3: next: is []"),
    ((*ROW, "next"), [["home", 1]], "state 'crossing', row 3: next: is [['home', 1]]"),
    ((*ROW, "next"), "home", "state 'crossing', row 3: next: is 'home'"),
    ((*ROW, "next"), {"Home": 1}, "row 3: next: state 'Home' is unknown; must be one of crossing, home"),
    ((*ROW, "next"), {"1": 1}, "state 'crossing', row 3: next: state '1' is unknown"),
    ((*ROW, "next"), {}, "transitions of state 'crossing', joint action (1, 0) sum to 0"),
    ((*ROW, "next"), {"home": 0.9}, "joint action (1, 0) sum to 0.9 with their termination; must be 1"),
    ((*ROW, "next"), {"home": 1.1}, "joint action (1, 0) sum to 1.1"),
    ((*ROW, "next"), {"home": 1 + 1e-8}, "joint action (1, 0) sum to 1.00000001"),
    ((*ROW, "next"), {"home": "999/1000"}, "joint action (1, 0) sum to 0.999"),
    ((*ROW, "next"), {"home": 1.5, "crossing": -0.5}, "joint action (1, 0) to state 'crossing' is -0.5"),
    ((*ROW, "next"), {"home": 1, "crossing": "1e-400"}, "too small for double precision"),
    ((*ROW, "end"), 0.5, "joint action (1, 0) sum to 1.5 with their termination"),
    ((*ROW, "end"), -0.5, "termination of state 'crossing', joint action (1, 0) is -0.5; must be at least 0"),
    ((*ROW, "end"), "1/3", "joint action (1, 0) sum to 1.33"),
    (("states", 0, "rows", 0, "end"), DELETE, "joint action (0, 0) sum to 0.5"),
    (("states", 1, "rows", 0, "next"), {"home": 0.25}, "state 'home', joint action (0, 0) sum to 0.25"),
]

_INITIAL: list[Case] = [
    (("initial",), None, "initial: is None; must be an object"),
    (("initial",), "home", "initial: is 'home'"),
    (("initial",), [1, 0], "initial: is [1, 0]"),
    (("initial",), {}, "initial distribution sums to 0"),
    (("initial",), {"start": 1}, "initial: state 'start' is unknown; must be one of crossing, home"),
    (("initial",), {"home": 0.5}, "initial distribution sums to 0.5"),
    (("initial",), {"home": "1/3", "crossing": "1/3"}, "initial distribution sums to 0.66"),
    (("initial",), {"home": 1.5, "crossing": -0.5}, "least entry -0.5"),
]


def number_cases(path: Path, fragment: str) -> list[Case]:
    """Refuse at `path` whatever is no number."""
    return [(path, value, fragment) for value in NO_NUMBERS]


GAME_CASES: list[Case] = [
    *_HEADER,
    *_AGENTS,
    *_DISCOUNT,
    *_STATES,
    *_ROWS,
    *_INITIAL,
    *[case for case in number_cases(("discount",), "discount") if case[1] not in ([0.5],)],
    *number_cases((*ROW, "rewards", 1), "state 'crossing', row 3: reward of agent 'column' is"),
    *number_cases((*ROW, "next", "home"), "state 'crossing', row 3: next: probability of state 'home' is"),
    *number_cases((*ROW, "end"), "state 'crossing', row 3: end is"),
    *number_cases(("initial", "home"), "initial: probability of state 'home' is"),
]

TEXT_CASES: list[tuple[str | bytes, str]] = [
    ("", "line 1, column 1: not JSON"),
    ("   \n\n", "line 3, column 1: not JSON"),
    ("game", "line 1, column 1: not JSON"),
    ("{", "line 1, column 2: not JSON"),
    ('{"format": "arneq-game"', "line 1, column 24: not JSON"),
    ('{"format": "arneq-game",\n "version": 1,\n}', "line 3, column 1: not JSON"),
    ("{'format': 1}", "line 1, column 2: not JSON"),
    ('{"format": "arneq-game"} trailing', "line 1, column 26: not JSON"),
    ('{"a": 01}', "line 1, column 8: not JSON"),
    ('{"a": .5}', "line 1, column 7: not JSON"),
    ('{"a": "\n"}', "line 1, column 8: not JSON"),
    ('// comment\n{"a": 1}', "line 1, column 1: not JSON"),
    ("[]", "is []; must be an object"),
    ("null", "is None; must be an object"),
    ("true", "is True; must be an object"),
    ("3", "is 3; must be an object"),
    ('"arneq-game"', "is 'arneq-game'; must be an object"),
    ("{}", "format is None"),
    ('{"format": "arneq-game",\n"discount": NaN}', "line 2: NaN is no number"),
    ('{"name": "NaN",\n\n"discount": Infinity}', "line 3: Infinity is no number"),
    ('{"discount": -Infinity}', "line 1: -Infinity is no number"),
    ('{"format": "arneq-game", "format": "arneq-game"}', "key 'format' occurs twice"),
    ('{"a": {"b": [{"c": 1, "d": 2, "c": 1}]}}', "key 'c' occurs twice"),
    ("[" * 100_000, "nested too deeply"),
    ('{"a": ' + "9" * 5000 + "}", "too many digits"),
    (b'\xff\xfe{"a": 1}', "byte 0 is not UTF-8"),
    (b'{"name": "caf\xe9"}', "byte 13 is not UTF-8"),
    ('\ufeff{"a": 1}', "line 1, column 1: not JSON"),
    (b"PK\x03\x04", "line 1, column 1: not JSON"),
]


def edited(good: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return a copy of a good file with one place changed."""
    data = _unshared(good)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    if value is DELETE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def _unshared(data: Any) -> Any:
    """Copy every part once for each place it stands in (deepcopy would keep the steps of a policy shared)."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data
