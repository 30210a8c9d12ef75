"""The content hash: its written definition, recomputed here without the library's code."""

from __future__ import annotations

import hashlib
import struct
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import malformed
import numpy as np
import scipy.sparse as sp
from hypothesis import given

from arneq_exact.model.files import game_from_json, game_to_json, load_game, save_game
from arneq_exact.model.game import MarkovGame
from arneq_exact.strategies import games


def hash_from_definition(data: dict[str, Any]) -> str:
    """SHA-256 of the canonical content of a game file, from the definition in words."""
    names = {state["name"]: number for number, state in enumerate(data["states"])}
    n = len(data["agents"])
    counts = [[len(actions) for actions in state["actions"]] for state in data["states"]]
    given_discount = data["discount"] if isinstance(data["discount"], list) else [data["discount"]] * n
    rewards: list[Fraction] = []
    probabilities: list[Fraction] = []
    indices: list[int] = []
    indptr = [0]
    for state in data["states"]:
        rows = {tuple(row["actions"]): row for row in state["rows"]}
        for joint in product(*state["actions"]):
            rewards += [Fraction(reward) for reward in rows[joint]["rewards"]]
            moves = sorted((names[name], Fraction(p)) for name, p in rows[joint]["next"].items())
            indices += [state for state, p in moves if p]
            probabilities += [p for _, p in moves if p]
            indptr.append(len(indices))

    def integers(values: list[int]) -> bytes:
        return struct.pack(f"<{len(values)}q", *values)

    def reals(values: list[Fraction]) -> bytes:
        nearest = [float(value) for value in values]
        exceptions = "".join(
            f"{place}:{value.numerator}/{value.denominator};"
            for place, value in enumerate(values)
            if Fraction(nearest[place]) != value
        )
        return struct.pack(f"<{len(values)}d", *nearest) + exceptions.encode()

    content = b"arneq-game-content-1" + integers([n, len(counts)])
    content += integers([count for row in counts for count in row])
    content += reals([Fraction(factor) for factor in given_discount]) + reals(rewards)
    content += integers(indptr) + integers(indices) + reals(probabilities)
    assert len(indptr) == 1 + sum(prod(row) for row in counts)
    return hashlib.sha256(content).hexdigest()


@given(games(named=True, discounts=(0, 1)))
def test_hash_is_as_defined(game: MarkovGame) -> None:
    assert game.content_hash == hash_from_definition(game_to_json(game))


def test_hash_of_a_known_game_never_changes() -> None:
    """Certificates name this hash: a change here breaks every certificate that was ever written."""
    known = "4f34e382b6d96f87c280a9cda836b6a815b9ae1e62bcf7f65a424253b16b9988"
    assert game_from_json(malformed.GAME).content_hash == known
    assert hash_from_definition(malformed.GAME) == known


def test_json_npz_and_memory_agree(tmp_path: Path) -> None:
    game = game_from_json(malformed.GAME)
    for name in ("game.json", "game.npz"):
        save_game(game, tmp_path / name)
        assert load_game(tmp_path / name).content_hash == game.content_hash


def rows_game(rewards: Any = ((1, 0.5), (0, 2)), discount: Any = 0.5, **rest: Any) -> MarkovGame:
    moves = rest.pop("moves", [[(0.5, 0)], [(1, 0)]])
    rest.setdefault("termination", [0.5, 0])
    return MarkovGame.from_rows([[2, 1]], rewards, moves, discount, **rest)


def test_what_does_not_matter() -> None:
    game = rows_game()
    assert rows_game(rewards=((1, 0.5), (-0.0, 2))).content_hash == game.content_hash
    assert rows_game(rewards=(("1", "1/2"), (Fraction(0), "2"))).content_hash == game.content_hash
    assert rows_game(discount=["1/2", 0.5]).content_hash == game.content_hash
    assert rows_game(initial=[1]).content_hash == game.content_hash


def test_explicit_zeros_and_column_order_do_not_matter() -> None:
    plain = MarkovGame.from_rows([[1], [1]], [[0], [0]], [[(0.5, 0), (0.5, 1)], [(1, 1)]], 0.9)
    untidy = sp.csr_array(
        (np.array([0.5, 0.5, 0.0, 1.0]), np.array([1, 0, 0, 1]), np.array([0, 2, 4])), shape=(2, 2)
    )
    direct = MarkovGame(plain.rewards, untidy, plain.action_counts, 0.9)
    assert direct.content_hash == plain.content_hash
    assert direct.transitions.nnz == 3


def test_what_matters() -> None:
    different = [
        rows_game(),
        rows_game(rewards=((1, 0.5), (5e-324, 2))),
        rows_game(rewards=((1, "1/3"), (0, 2))),
        rows_game(rewards=((1, 1 / 3), (0, 2))),
        rows_game(discount=0.25),
        rows_game(discount=[0.5, 0.25]),
        rows_game(discount="1/3"),
        rows_game(discount=1 / 3),
        rows_game(moves=[[(0.25, 0)], [(1, 0)]], termination=[0.75, 0]),
        rows_game(moves=[[("1/3", 0)], [(1, 0)]], termination=["2/3", 0]),
        rows_game(moves=[[(1 / 3, 0)], [(1, 0)]], termination=["2/3", 0]),
        MarkovGame.from_rows([[1, 2]], [[1, 0.5], [0, 2]], [[(0.5, 0)], [(1, 0)]], 0.5, termination=[0.5, 0]),
    ]
    assert len({game.content_hash for game in different}) == len(different)
