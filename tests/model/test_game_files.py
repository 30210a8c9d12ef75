"""Files give back the same game and the same policy, bit for bit, and are made to be read."""

from __future__ import annotations

import json
import tempfile
from fractions import Fraction
from pathlib import Path

import malformed
import malformed_policies
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.errors import FileError
from arneq_exact.model.files import (
    game_from_json,
    game_to_json,
    load_game,
    load_policy,
    policy_from_json,
    policy_to_json,
    read_json,
    save_game,
    save_policy,
    write_json,
)
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_writing import WIDTH, json_text
from arneq_exact.model.names import GameNames
from arneq_exact.model.policy import Policy
from arneq_exact.strategies import games, policies


@given(games(named=True, discounts=(0, 1)))
def test_game_survives_both_forms(game: MarkovGame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("game.json", "game.npz", "GAME.JSON", "Game.Npz"):
            path = Path(folder) / name
            save_game(game, path)
            loaded = load_game(str(path))
            assert loaded.same_as(game)
            assert loaded.content_hash == game.content_hash
            assert loaded.rewards.tobytes() == game.rewards.tobytes()
            assert loaded.transitions.data.tobytes() == game.transitions.data.tobytes()
            assert loaded.discount.tobytes() == game.discount.tobytes()
            assert (loaded.exact is None) == (game.exact is None)
            if game.exact is not None and loaded.exact is not None:
                assert loaded.exact.same_as(game.exact)


@given(st.data())
def test_policy_survives_its_file(data: st.DataObject) -> None:
    game = data.draw(games(named=True, discounts=(0, 1)))
    policy = data.draw(policies(game, horizon=data.draw(st.none() | st.integers(1, 3))))
    with tempfile.TemporaryDirectory() as folder:
        save_policy(policy, game, f"{folder}/policy.json")
        loaded = load_policy(f"{folder}/policy.json", game)
    assert loaded.horizon == policy.horizon
    for mine, theirs in zip(loaded, policy, strict=True):
        assert mine.tobytes() == theirs.tobytes()


@given(games(named=True, discounts=(0, 1)))
def test_same_game_gives_same_bytes(game: MarkovGame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("game.json", "game.npz"):
            first, second = Path(folder) / f"1{name}", Path(folder) / f"2{name}"
            save_game(game, first)
            save_game(load_game(first), second)
            assert first.read_bytes() == second.read_bytes()


def test_json_form_is_as_documented() -> None:
    game = game_from_json(malformed.GAME)
    written = game_to_json(game)
    assert written == malformed.edited(
        malformed.GAME, ("states", 0, "rows", 2, "next"), written_next(written)
    )
    assert written_next(written) == {"crossing": "2/3", "home": "1/3"}
    assert game.exact is not None
    assert game.exact.reward(0, 1) == Fraction(1, 3)
    assert game.names.actions == ((("up", "down"), ("left", "right")), (("stay",), ("stay",)))
    assert game.termination is not None
    assert game.termination.tolist() == [0.5, 0, 0, 1, 0]
    assert game.transitions.toarray().tolist() == [[0.5, 0], [0, 1], [2 / 3, 1 / 3], [0, 0], [0, 1]]
    assert game.rewards.tolist() == [[1, 1 / 3], [0, 0], [0, 2.5], [-1, 0], [0, 0]]


def written_next(written: dict[str, object]) -> object:
    return written["states"][0]["rows"][2]["next"]


def test_rows_may_stand_in_any_order() -> None:
    rows = malformed.GAME["states"][0]["rows"]
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        shuffled = malformed.edited(malformed.GAME, ("states", 0, "rows"), [rows[i] for i in order])
        assert game_from_json(shuffled).same_as(game_from_json(malformed.GAME))


def test_one_row_stands_on_one_line() -> None:
    lines = json_text(game_to_json(game_from_json(malformed.GAME))).splitlines()
    assert sum('"rewards"' in line for line in lines) == 5
    assert all(line.rstrip(",]").endswith("}") for line in lines if '"rewards"' in line)
    assert max(map(len, lines)) <= WIDTH + 1


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=45) | st.dictionaries(st.text(), inner, max_size=5),
        max_leaves=30,
    )
)
def test_layout_changes_no_content(data: object) -> None:
    assert json.loads(json_text(data)) == data


def test_read_json_gives_back_what_write_json_wrote(tmp_path: Path) -> None:
    data = {"values": [0.1, 1e-300, 5e-324, 2**60, "γ"], "empty": {}, "none": None}
    write_json(data, tmp_path / "data.json")
    assert read_json(tmp_path / "data.json") == data


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text("old")
    with pytest.raises(FileError, match="cannot be written"):
        write_json({"name": "\ud800"}, path)
    assert path.read_text() == "old"


def test_numbering_is_not_a_name(tmp_path: Path) -> None:
    spelt = GameNames.of(["1"], ["0"], [[["0", "1"]]])
    game = MarkovGame.from_rows([[2]], [[1], [2]], [[(1, 0)], [(1, 0)]], 0.5, names=spelt)
    assert game.names == GameNames()
    save_game(game, tmp_path / "game.json")
    assert '"agents": ["1"]' in (tmp_path / "game.json").read_text()
    assert load_game(tmp_path / "game.json").names == GameNames()


def test_numbers_may_be_written_in_every_way() -> None:
    values = ["1/2", "0.5", "5e-1", 0.5]
    texts = {
        game_from_json(malformed.edited(malformed.GAME, ("discount",), value)).content_hash
        for value in values
    }
    assert len(texts) == 1
    assert game_from_json(malformed.edited(malformed.GAME, ("discount",), "9/10")).exact_discount() == (
        Fraction(9, 10),
        Fraction(9, 10),
    )
    assert game_from_json(malformed.GAME).exact_discount()[0] == Fraction(0.9)


def test_probabilities_of_zero_may_be_left_out() -> None:
    game = game_from_json(malformed.GAME)
    policy = policy_from_json(malformed_policies.POLICY, game)
    assert policy[1].tolist() == [[1, 0], [1, 0]]
    assert policy_to_json(policy, game)["probabilities"]["column"] == {
        "crossing": {"left": 1},
        "home": {"stay": 1},
    }
    spelt = malformed.edited(malformed_policies.POLICY, ("probabilities", "column", "crossing", "right"), 0)
    assert policy_from_json(spelt, game) == policy
    rational = malformed.edited(
        malformed_policies.POLICY, ("probabilities", "row", "crossing"), {"up": "1/3", "down": "2/3"}
    )
    assert policy_from_json(rational, game)[0][0].tolist() == [1 / 3, 2 / 3]


def test_time_indexed_policy_keeps_its_steps(tmp_path: Path) -> None:
    game = MarkovGame.one_shot([[3, 1]])
    policy = Policy(game, [[[[1, 0]], [[0, 1]], [[0.1, 0.9]]]])
    save_policy(policy, game, tmp_path / "policy.json")
    loaded = load_policy(tmp_path / "policy.json", game)
    assert loaded.horizon == 3
    assert loaded == policy


def test_large_npz_has_no_object_per_row(tmp_path: Path) -> None:
    """20,000 states: the arrays come back as they are, in time that no Python loop over rows allows."""
    n_states, successors = 20_000, 5
    n_rows = 4 * n_states
    columns = (np.arange(n_rows)[:, None] * 7919 + np.arange(successors) * 101) % n_states
    indptr = np.arange(0, n_rows * successors + 1, successors)
    matrix = sp.csr_array(
        (np.full(n_rows * successors, 0.2), columns.reshape(-1), indptr), shape=(n_rows, n_states)
    )
    rewards = np.random.default_rng(0).normal(size=(n_rows, 2))
    game = MarkovGame(rewards, matrix, np.full((n_states, 2), 2), 0.9)
    save_game(game, tmp_path / "game.npz")
    with np.load(tmp_path / "game.npz", allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} <= set("fiU")
    assert load_game(tmp_path / "game.npz").same_as(game)
