"""Files written by 0.1.0 stay valid: they load, check, are written again byte for byte, are solved alike."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel, check, load, save, solve
from arneq_exact.proof.files import read_certificate

FOLDER = Path(__file__).with_name("golden")

OPTIONS = {
    "levels.probability-exact": {"exact": True},
    "pennies.k1-exact": {"exact": True},
    "steps.k0-exact": {"exact": True, "horizon": 3},
    "team.horizon": {"horizon": 2},
    "nosde.incomplete": {"method": "procedure"},
}
"""What the solutions were asked with besides their threats."""

MOVED = 1e-12
"""Relative gap up to which a solution may differ from the old one; on one machine they are the same bytes."""


def files(kind: str) -> pytest.MarkDecorator:
    """All files of a kind, by name."""
    found = sorted((FOLDER / kind).glob("*"))
    assert found, kind
    return pytest.mark.parametrize("path", found, ids=lambda path: path.name)


@cache
def game_of(path: Path) -> MarkovGame:
    """The game that a file belongs to, as its name says."""
    game = load(FOLDER / "games" / f"{path.name.split('.')[0]}.json")
    assert isinstance(game, MarkovGame)
    return game


@files("games")
def test_games_are_written_again_byte_for_byte(path, tmp_path):
    game = load(path)
    save(game, tmp_path / path.name)
    if path.suffix == ".json":
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    # Archives hold the time of writing: their arrays are what counts, and the content.
    again = load(tmp_path / path.name)
    assert again.content_hash == game.content_hash
    if path.suffix == ".npz":
        with np.load(path) as old, np.load(tmp_path / path.name) as new:
            assert sorted(old) == sorted(new)
            assert all(np.array_equal(old[name], new[name]) for name in old)


@files("policies")
def test_policies_are_written_again_byte_for_byte(path, tmp_path):
    game = game_of(path)
    save(load(path, game), tmp_path / path.name, game)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@files("certificates")
def test_certificates_check_and_are_written_again_byte_for_byte(path, tmp_path):
    game = game_of(path)
    certificate = load(path, game)
    assert check(game, certificate, certificate.threat).valid
    save(certificate, tmp_path / path.name, game)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@files("solutions")
def test_the_certificates_of_solutions_check(path):
    game = game_of(path)
    certificate, told = read_certificate(path, game)
    assert told is not None
    result = check(game, certificate, certificate.threat)
    assert result.valid
    assert max(result.relative) == max(told["relative_gap"])


@files("solutions")
def test_solutions_are_found_again(path):
    game = game_of(path)
    certificate, told = read_certificate(path, game)
    again = solve(game, certificate.threat, **OPTIONS.get(path.stem, {}))
    assert (again.status, again.method) == (told["status"], told["method"])
    assert max(again.relative_gap) <= max(10 * max(told["relative_gap"]), MOVED)
    if told["status"] == "exact":
        assert again.to_json(game)["certificate"] == told["certificate"]


def test_the_referee_reads_them_all():
    referee = [sys.executable, "-m", "arneq_exact.referee"]
    for path in [*(FOLDER / "certificates").glob("*"), *(FOLDER / "solutions").glob("*")]:
        game = FOLDER / "games" / f"{path.name.split('.')[0]}.json"
        ran = subprocess.run([*referee, str(game), str(path)], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout[:6]) == (0, "valid:"), (path.name, ran.stdout, ran.stderr)


@pytest.mark.parametrize(
    ("name", "data"), json.loads((FOLDER / "threats.json").read_text(encoding="utf-8")).items()
)
def test_threats_are_read_and_written_alike(name, data):
    assert ThreatModel.from_json(data).to_json() == data
