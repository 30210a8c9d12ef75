"""`load` and `save` at the package root: every kind of object, and what is refused."""

from __future__ import annotations

import json

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, certify, check, load, save, solve
from arneq_exact.errors import ArneqError, FileError, InputError
from arneq_exact.proof.files import load_certificate


@pytest.mark.parametrize("name", ["game.json", "game.npz"])
def test_games(rng, tmp_path, name):
    game = games.random_game(rng, 3, 4, (1, 3), [0.5, 0.7, 0.9], ending=0.3)
    save(game, tmp_path / name)
    read = load(tmp_path / name)
    assert isinstance(read, MarkovGame)
    assert read.same_as(game)
    assert read.content_hash == game.content_hash


def test_a_certificate_holds_for_the_game_in_either_format(rng, tmp_path):
    game = games.random_game(rng, 2, 3, 2, 0.9)
    solution = solve(game, ThreatModel(1))
    for name in ("game.json", "game.npz"):
        save(game, tmp_path / name)
        assert check(load(tmp_path / name), solution.certificate, ThreatModel(1)).valid


@pytest.mark.parametrize("horizon", [None, 3])
def test_policies(rng, tmp_path, horizon):
    game = games.random_game(rng, 2, 4, (1, 3), 0.9)
    policy = games.random_policy(rng, game, horizon)
    save(policy, tmp_path / "policy.json", game)
    read = load(tmp_path / "policy.json", game)
    assert isinstance(read, Policy)
    assert read == policy
    assert read.horizon == horizon


def test_certificates(rng, tmp_path):
    game = games.random_game(rng, 3, 3, 2, 0.9)
    certificate = certify(game, ThreatModel(1), games.random_policy(rng, game))
    save(certificate, tmp_path / "certificate.json", game)
    for read in (
        load(tmp_path / "certificate.json", game),
        load_certificate(tmp_path / "certificate.json", game),
    ):
        assert read.epsilon == certificate.epsilon
        assert check(game, read, ThreatModel(1)).valid
        assert not check(game, read, ThreatModel(0)).valid


def test_strings_and_paths_are_both_taken(tmp_path):
    game = games.nosde()
    save(game, str(tmp_path / "game.json"))
    assert load(str(tmp_path / "game.json")).same_as(game)


def test_a_game_is_asked_for_where_it_is_needed(tmp_path):
    game = games.nosde()
    for thing in (Policy.uniform(game), solve(game, ThreatModel(1))):
        with pytest.raises(
            InputError, match=f"save: game is missing; must be given with a {type(thing).__name__}"
        ):
            save(thing, tmp_path / "x.json")


@pytest.mark.parametrize("thing", [3, "policy", [1, 2], None, np.zeros(3), ThreatModel(1)])
def test_what_has_no_format_is_refused(tmp_path, thing):
    """A threat has a JSON form of its own, but no file."""
    for game in (None, games.nosde()):
        with pytest.raises(InputError, match="has no file format; must be a game, policy"):
            save(thing, tmp_path / "x.json", game)
    assert not (tmp_path / "x.json").exists()


def broken(tmp_path, text: str):
    path = tmp_path / "broken.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "broken.json"),
        ("", "broken.json"),
        ("[]", "broken.json"),
        ("{}", "format is None; must be arneq-policy, -audit, -certificate or -solution"),
        ('{"format": "arneq-game"}', "format is 'arneq-game'; must be"),
        ('{"format": "arneq-solution"}', "key 'certificate' is missing; a solution must hold one"),
        ('{"format": "arneq-solution", "certificate": 3}', "certificate"),
        ('{"format": "arneq-certificate"}', "version is None; must be 1"),
        ('{"format": "arneq-policy"}', "version is None; must be 1"),
    ],
)
def test_broken_files_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(ArneqError) as caught:
        load(broken(tmp_path, text), games.nosde())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    for game in (None, games.nosde()):
        with pytest.raises(FileError, match=r"none\.json"):
            load(tmp_path / "none.json", game)
    with pytest.raises(FileError, match=r"x\.json"):
        save(games.nosde(), tmp_path / "nowhere" / "x.json")
    with pytest.raises(FileError, match=r"x\.json"):
        save(Policy.uniform(games.nosde()), tmp_path / "nowhere" / "x.json", games.nosde())


def test_a_policy_of_another_game_is_refused(tmp_path):
    save(Policy.uniform(games.climbing()), tmp_path / "policy.json", games.climbing())
    with pytest.raises(ArneqError):
        load(tmp_path / "policy.json", games.nosde())


def test_a_certificate_of_another_game_proves_nothing(tmp_path):
    game, other = games.nosde(), games.nosde("1/2")
    save(solve(game, ThreatModel(1)), tmp_path / "solution.json", game)
    read = load(tmp_path / "solution.json", other)
    result = check(other, read)
    assert not result.valid
    assert "content hash" in result.reason
    with pytest.raises(InputError, match="another game"):
        save(solve(game, ThreatModel(1)), tmp_path / "solution.json", other)


def test_a_solution_file_is_valid_json_for_strangers(tmp_path):
    game = games.nosde()
    save(solve(game, ThreatModel(0)), tmp_path / "solution.json", game)
    data = json.loads((tmp_path / "solution.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert data["format"] == "arneq-solution"
    assert data["certificate"]["game"] == game.content_hash
