"""Malformed files: each is refused with one line that names the file and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import malformed
import malformed_policies
import pytest

from arneq_exact.errors import FileError
from arneq_exact.model.files import game_from_json, load_game, load_policy, policy_from_json
from arneq_exact.model.game import MarkovGame


def case_id(value: Any) -> str | None:
    if isinstance(value, tuple):
        return ".".join(str(part) for part in value)
    return "deleted" if value is malformed.DELETE else None


def assert_refused(message: str, where: str, fragment: str) -> None:
    assert message.startswith(f"{where}: ")
    assert fragment in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.fixture(scope="module")
def game() -> MarkovGame:
    return game_from_json(malformed.GAME)


def test_good_files_are_accepted(game: MarkovGame) -> None:
    assert game.n_rows == 5
    assert policy_from_json(malformed_policies.POLICY, game).horizon is None
    assert policy_from_json(malformed_policies.TIMED_POLICY, game).horizon == 2


def test_table_is_large() -> None:
    games = len(malformed.GAME_CASES) + len(malformed.TEXT_CASES)
    policies = len(malformed_policies.POLICY_CASES) + len(malformed_policies.TIMED_POLICY_CASES)
    assert games + policies >= 220


@pytest.mark.parametrize(("path", "value", "fragment"), malformed.GAME_CASES, ids=case_id)
def test_game_file_is_refused(tmp_path: Path, path: tuple[Any, ...], value: Any, fragment: str) -> None:
    file = tmp_path / "game.json"
    file.write_text(json.dumps(malformed.edited(malformed.GAME, path, value)))
    with pytest.raises(FileError) as caught:
        load_game(file)
    assert_refused(str(caught.value), str(file), fragment)


@pytest.mark.parametrize(("path", "value", "fragment"), malformed_policies.POLICY_CASES, ids=case_id)
def test_policy_file_is_refused(game: MarkovGame, path: tuple[Any, ...], value: Any, fragment: str) -> None:
    with pytest.raises(FileError) as caught:
        policy_from_json(malformed.edited(malformed_policies.POLICY, path, value), game, "policy.json")
    assert_refused(str(caught.value), "policy.json", fragment)


@pytest.mark.parametrize(("path", "value", "fragment"), malformed_policies.TIMED_POLICY_CASES, ids=case_id)
def test_timed_policy_file_is_refused(
    game: MarkovGame, path: tuple[Any, ...], value: Any, fragment: str
) -> None:
    with pytest.raises(FileError) as caught:
        policy_from_json(malformed.edited(malformed_policies.TIMED_POLICY, path, value), game, "policy.json")
    assert_refused(str(caught.value), "policy.json", fragment)


@pytest.mark.parametrize(
    ("text", "fragment"), malformed.TEXT_CASES, ids=[f"{i}" for i in range(len(malformed.TEXT_CASES))]
)
def test_text_is_refused(tmp_path: Path, text: str | bytes, fragment: str) -> None:
    file = tmp_path / "game.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError) as caught:
        load_game(file)
    assert_refused(str(caught.value), str(file), fragment)


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("absent.json", "there is no such file"),
        ("absent.npz", "there is no such file"),
        ("folder.json", "cannot be read"),
        ("folder.npz", "cannot be read"),
        ("game.txt", "extension is '.txt'; must be .json or .npz"),
        ("game", "extension is ''; must be .json or .npz"),
        ("game.json.gz", "extension is '.gz'"),
        ("no/such/folder/game.json", "there is no such file"),
    ],
)
def test_path_is_refused(tmp_path: Path, name: str, fragment: str) -> None:
    for folder in ("folder.json", "folder.npz"):
        (tmp_path / folder).mkdir()
    with pytest.raises(FileError) as caught:
        load_game(tmp_path / name)
    assert_refused(str(caught.value), str(tmp_path / name), fragment)


def test_policies_are_json_only(tmp_path: Path, game: MarkovGame) -> None:
    with pytest.raises(FileError, match=r"extension is '\.npz'; must be \.json"):
        load_policy(tmp_path / "policy.npz", game)
    with pytest.raises(FileError, match="must be a string or a Path"):
        load_game(3)
