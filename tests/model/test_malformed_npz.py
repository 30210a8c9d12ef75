"""Malformed npz files: each is refused with one line that names the file and the entry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import malformed
import numpy as np
import pytest

from arneq_exact.errors import FileError
from arneq_exact.model.files import game_from_json, load_game, save_game

DELETE = malformed.DELETE
NAMES = {
    "agents": ["row", "column"],
    "states": ["crossing", "home"],
    "actions": [[["up", "down"], ["left", "right"]], [["stay"], ["stay"]]],
}


def names(**changes: Any) -> str:
    return json.dumps({**NAMES, **changes})


# The good file has 5 rows, 5 entries, 2 states and 2 agents. Pairs of (changed entries, fragment).
CASES: list[tuple[dict[str, Any], str]] = [
    ({"format": DELETE}, "key 'format' is missing"),
    ({"format": "other"}, "format is 'other'; must be 'arneq-game'"),
    ({"format": np.array(["arneq-game"])}, "format is None"),
    ({"version": DELETE}, "key 'version' is missing"),
    ({"version": 2}, "version is 2; must be 1"),
    ({"version": "1"}, "version is '1'"),
    ({"version": 1.0}, "version is 1.0"),
    ({"rewards": DELETE}, "key 'rewards' is missing"),
    ({"data": DELETE}, "key 'data' is missing"),
    ({"indices": DELETE}, "key 'indices' is missing"),
    ({"indptr": DELETE}, "key 'indptr' is missing"),
    ({"action_counts": DELETE}, "key 'action_counts' is missing"),
    ({"discount": DELETE}, "key 'discount' is missing"),
    ({"gamma": 0.9}, "key 'gamma' is unknown; must be format, version, rewards"),
    ({"Rewards": 0.9}, "key 'Rewards' is unknown"),
    ({"rewards": np.zeros(5)}, "entry 'rewards' has dtype float64 and 1 axes; must be numbers with 2 axes"),
    ({"rewards": np.zeros((5, 2), complex)}, "entry 'rewards' has dtype complex128"),
    ({"rewards": np.zeros((5, 2), bool)}, "entry 'rewards' has dtype bool"),
    ({"rewards": np.full((5, 2), "1")}, "entry 'rewards' has dtype <U1"),
    ({"rewards": np.zeros((4, 2))}, "must be those of rewards: 4"),
    ({"rewards": np.zeros((5, 3))}, "entry 'reward_numerators' has dtype"),
    ({"rewards": np.zeros((5, 2))}, "rewards of state 'crossing', joint action (0, 0) hold 0.0, exactly 1.0"),
    ({"data": np.ones((5, 1))}, "entry 'data' has dtype float64 and 2 axes"),
    ({"data": np.ones(4)}, "entry 'indices' has length 5; must be that of data: 4"),
    ({"data": np.full(5, np.nan)}, "joint action (0, 0) to state 'crossing' is nan"),
    ({"data": np.array([0.5, 1, 2 / 3, 0.3, 1])}, "joint action (1, 0) sum to 0.96"),
    (
        {"data": np.array([0.5, 1, 0.5, 0.5, 1])},
        "transitions of state 'crossing', joint action (1, 0) hold 0.5",
    ),
    ({"indices": np.zeros(5)}, "entry 'indices' has dtype float64; must be integers"),
    ({"indices": np.array([0, 1, 0, 2, 1])}, "entry 'indices' holds 2; must be between 0 and 1"),
    ({"indices": np.array([0, -1, 0, 1, 1])}, "entry 'indices' holds -1"),
    ({"indices": np.array([0, 1, 1, 1, 1])}, "transitions hold 1 duplicate entries"),
    ({"indices": np.array([0, 1, 1, 0, 1])}, "columns of transitions are not ascending"),
    ({"indptr": np.zeros(6)}, "entry 'indptr' has dtype float64; must be integers"),
    ({"indptr": np.array([0, 1, 2, 4, 4])}, "entry 'indptr' must ascend from 0 to the length of data: 5"),
    ({"indptr": np.array([1, 1, 2, 4, 4, 5])}, "entry 'indptr' must ascend from 0"),
    ({"indptr": np.array([0, 2, 1, 4, 4, 5])}, "entry 'indptr' must ascend from 0"),
    ({"indptr": np.array([], int)}, "entry 'indptr' must ascend from 0"),
    ({"indptr": np.array([0, 1, 2, 4, 5])}, "entry 'indptr' tells of 4 rows; must be those of rewards: 5"),
    ({"action_counts": np.array([2, 2])}, "entry 'action_counts' has dtype int64 and 1 axes"),
    ({"action_counts": np.array([[2, 0], [1, 1]])}, "action count of agent 2 in state 0 is 0"),
    ({"action_counts": np.array([[2, -2], [1, 1]])}, "action count of agent 2 in state 0 is -2"),
    ({"action_counts": np.array([[2, 2.5], [1, 1]])}, "must be integers"),
    ({"action_counts": np.array([[2, np.inf], [1, 1]])}, "must be integers"),
    ({"action_counts": np.array([[2, 2], [1, 3]])}, "must be 3"),
    (
        {"action_counts": np.array([[2**40, 2**40], [1, 1]])},
        "2 names of actions of agent 1 in state 0; must be",
    ),
    ({"action_counts": np.array([[2, 2]])}, "entry 'indices' holds 1; must be between 0 and 0"),
    ({"discount": 0.9}, "entry 'discount' has dtype float64 and 0 axes"),
    ({"discount": np.array([0.9])}, "discount has shape (1,)"),
    ({"discount": np.array([0.9, np.nan])}, "discount of agent 'column' is nan; must be in [0, 1]"),
    ({"discount": np.array([0.9, 0.8])}, "discount of agent 'column' is 0.8, exactly"),
    ({"termination": np.zeros((5, 1))}, "entry 'termination' has dtype float64 and 2 axes"),
    ({"termination": np.zeros(4)}, "termination has shape (4,)"),
    ({"termination": np.full(5, np.inf)}, "joint action (0, 0) is inf"),
    ({"termination": DELETE}, "state 'crossing', joint action (0, 0) sum to 0.5"),
    ({"initial": np.zeros(2)}, "initial distribution sums to 0"),
    ({"initial": np.ones(3)}, "initial has shape (3,)"),
    ({"initial": "home"}, "entry 'initial' has dtype <U4"),
    ({"names": np.array([names()])}, "entry 'names' has dtype"),
    ({"names": 3}, "entry 'names' has dtype int64; must be one JSON text"),
    ({"names": "{"}, "entry 'names': line 1, column 2: not JSON"),
    ({"names": "[]"}, "entry 'names': is []; must be an object"),
    ({"names": "{}"}, "entry 'names': key 'agents' is missing; must be agents, states, actions"),
    ({"names": names(players=[])}, "entry 'names': key 'players' is unknown"),
    ({"names": names(agents="row")}, "entry 'names': agents: is 'row'; must be a list"),
    ({"names": names(agents=["row"])}, "1 names of agents; must be 2"),
    ({"names": names(agents=["row", 2])}, "agents hold the name 2; must be a non-empty string"),
    ({"names": names(agents=["row", "row"])}, "agents hold the name 'row' twice"),
    ({"names": names(states=["home", ["x"]])}, "states hold the name ['x']"),
    ({"names": names(actions=[])}, "names of actions are given for 0 states; must be 2"),
    ({"names": names(actions=[1, 2])}, "entry 'names': actions of state 0: is 1"),
    ({"names": names(actions=[["up", "left"], []])}, "entry 'names': actions of state 0: is 'up'"),
    (
        {"names": names(actions=[[["up"], ["left"]], [["s"], ["s"]]])},
        "1 names of actions of agent 1 in state 0",
    ),
    ({"reward_numerators": DELETE}, "entry 'reward_numerators' is missing; must be there with"),
    ({"exact_discount": DELETE}, "entry 'exact_discount' is missing"),
    ({"reward_numerators": np.zeros((5, 2), int)}, "entry 'reward_numerators' has dtype int64"),
    ({"reward_numerators": np.full((5, 1), "1")}, "must be texts of shape (5, 2)"),
    ({"reward_numerators": np.full((5, 2), "1.5")}, "entry 'reward_numerators' holds '1.5'"),
    ({"reward_numerators": np.full((5, 2), "")}, "entry 'reward_numerators' holds ''"),
    ({"reward_numerators": np.full((5, 2), "--1")}, "entry 'reward_numerators' holds '--1'"),
    ({"reward_numerators": np.full((5, 2), "９")}, "entry 'reward_numerators' holds '９'"),
    ({"reward_numerators": np.full((5, 2), "9" * 400)}, "beyond double precision"),
    ({"reward_denominators": np.full(5, "0")}, "entry 'reward_denominators' holds 0; must be at least 1"),
    ({"reward_denominators": np.full(5, "-3")}, "entry 'reward_denominators' holds -3"),
    (
        {"transition_denominators": np.full(5, "7")},
        "transitions of state 'crossing', joint action (0, 0) hold",
    ),
    ({"transition_numerators": np.full(5, "x")}, "entry 'transition_numerators' holds 'x'"),
    ({"exact_discount": np.full(2, "x")}, "entry 'exact_discount' is 'x'"),
    ({"exact_discount": np.full(2, "1/3")}, "discount of agent 'row' is 0.9, exactly"),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every optional entry."""
    path = tmp_path_factory.mktemp("npz") / "good.npz"
    data = malformed.edited(malformed.GAME, ("discount",), "9/10")
    save_game(game_from_json(data), path)
    with np.load(path) as file:
        assert {"termination", "initial", "names", "exact_discount"} <= set(file.files)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        load_game(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("changes", "fragment"), CASES, ids=[f"{n}-{next(iter(c[0]))}" for n, c in enumerate(CASES)]
)
def test_entry_is_refused(good: Path, tmp_path: Path, changes: dict[str, Any], fragment: str) -> None:
    with np.load(good) as file:
        entries = {name: file[name] for name in file.files}
    entries.update(changes)
    path = tmp_path / "game.npz"
    np.savez(path, **{name: value for name, value in entries.items() if value is not DELETE})
    assert fragment in refusal(path)


def test_objects_are_never_unpickled(good: Path, tmp_path: Path) -> None:
    with np.load(good) as file:
        entries = {name: file[name] for name in file.files}
    entries["rewards"] = np.array([[1, None]] * 5, dtype=object)
    path = tmp_path / "game.npz"
    np.savez(path, allow_pickle=True, **entries)
    assert "entry 'rewards' is damaged" in refusal(path)


@pytest.mark.parametrize("kind", ["empty", "text", "half", "json", "npy", "pickle"])
def test_other_bytes_are_refused(good: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "game.npz"
    if kind == "npy":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    else:
        whole = good.read_bytes()
        contents = {
            "empty": b"",
            "text": b"arneq-game",
            "half": whole[: len(whole) // 2],
            "json": b"{}",
            "pickle": b"\x80\x04N.",
        }
        path.write_bytes(contents[kind])
    assert "is no npz file" in refusal(path)


def test_every_damaged_byte_is_refused_or_harmless(good: Path, tmp_path: Path) -> None:
    """Whatever single byte is hit, the file is refused in one line or still holds the same game."""
    whole = good.read_bytes()
    game = load_game(good)
    path = tmp_path / "game.npz"
    refused = 0
    positions = range(0, len(whole), max(1, len(whole) // 400))
    for position in positions:
        damaged = bytearray(whole)
        damaged[position] ^= (0x55, 0x80, 0xFF)[position % 3]
        path.write_bytes(damaged)
        try:
            harmless = load_game(path).same_as(game)
        except FileError:
            refusal(path)
            refused += 1
        else:
            assert harmless
    assert refused > len(positions) // 2


def test_foreign_members_are_refused(good: Path, tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "game.npz"
    path.write_bytes(good.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "hello")
    assert "key 'readme.txt' is unknown" in refusal(path)
    path.write_bytes(good.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("rewards", "hello")
    assert "an entry occurs twice" in refusal(path)
