"""Files that 0.1.0 wrote stay what they are: read, checked, written again to the byte, solved alike."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from arneq_exact import (
    Certificate,
    MarkovGame,
    Policy,
    ThreatModel,
    check,
    load,
    referee,
    save,
    solve,
    theory,
)
from arneq_exact.cli import main as arneq
from arneq_exact.learning import load_checkpoint, make_learner, save_checkpoint

FOLDER = Path(__file__).with_name("golden")
THREATS = json.loads((FOLDER / "threats.json").read_text(encoding="utf-8"))

OPTIONS = {
    "pennies.k1-exact": {"exact": True},
    "levels.probability-exact": {"exact": True},
    "steps.k0-exact": {"exact": True, "horizon": 3},
    "team.horizon": {"horizon": 2},
    "nosde.incomplete": {"method": "procedure"},
}
"""What the solutions were asked with besides their threats."""

SLACK = 1e-12
"""Relative gap that another processor's rounding may make of an exact answer in doubles."""


def files(*kinds: str) -> pytest.MarkDecorator:
    """Parametrise by all files of some kinds."""
    found = [path for kind in kinds for path in sorted((FOLDER / kind).iterdir())]
    return pytest.mark.parametrize("path", found, ids=[f"{path.parent.name}/{path.name}" for path in found])


def game_file(path: Path) -> Path:
    """Return the file of the game that a file is named after."""
    return FOLDER / "games" / f"{path.name.split('.')[0]}.json"


@cache
def game_of(path: Path) -> MarkovGame:
    """Return the game that a file is named after."""
    return load(game_file(path))


@files("games")
def test_a_game_is_written_again_to_the_byte(path, tmp_path):
    game = load(path)
    for name in ("one", "two"):
        save(game, tmp_path / f"{name}{path.suffix}")
    again = tmp_path / f"one{path.suffix}"
    assert again.read_bytes() == (tmp_path / f"two{path.suffix}").read_bytes()
    assert load(again).same_as(game)
    if path.suffix == ".json":
        assert again.read_bytes() == path.read_bytes()
        return
    # How arrays are packed is the business of zlib and of zipfile.
    with np.load(path) as old, np.load(again) as new:
        assert {name: array.tobytes() for name, array in old.items()} == {
            name: array.tobytes() for name, array in new.items()
        }


@pytest.mark.parametrize("name", ["named", "uneven"])
def test_both_forms_of_a_game_are_the_same_game(name):
    assert load(FOLDER / "games" / f"{name}.json").same_as(load(FOLDER / "games" / f"{name}.npz"))


@files("policies", "certificates")
def test_a_policy_and_a_certificate_are_written_again_to_the_byte(path, tmp_path):
    again = tmp_path / path.name
    save(load(path, game_of(path)), again, game_of(path))
    assert again.read_bytes() == path.read_bytes()


@files("solutions", "audits")
def test_what_a_solution_and_an_audit_hold_is_written_again_alike(path, tmp_path):
    again = tmp_path / path.name
    thing = load(path, game_of(path))
    save(thing, again, game_of(path))
    held = "policy" if path.parent.name == "audits" else "certificate"
    assert isinstance(thing, {"policy": Policy, "certificate": Certificate}[held])
    data = json.loads(path.read_text(encoding="utf-8"))[held]
    assert json.loads(again.read_text(encoding="utf-8")) == data


@files("certificates", "solutions")
def test_a_claim_is_proved_in_its_own_arithmetic_and_bounded_in_the_other(path):
    game = game_of(path)
    certificate = load(path, game)
    own = check(game, certificate, certificate.threat)
    assert own.valid, own.reason
    if certificate.arithmetic == "exact":
        assert own.epsilon == certificate.epsilon
    exact = check(game, certificate, arithmetic="exact")
    assert exact.valid, exact.reason
    rounded = check(game, certificate, arithmetic="float")
    if rounded.epsilon:
        assert all(
            0 <= more - less <= 1e-9 for more, less in zip(rounded.epsilon, exact.epsilon, strict=True)
        )
    else:
        # The checker in doubles takes no rationals that are none.
        assert "Fractions" in rounded.reason
    assert rounded.valid == (certificate.arithmetic == "float" or rounded.epsilon == certificate.epsilon)


@files("certificates", "solutions")
def test_the_referee_and_the_command_agree(path, capsys):
    names = [str(game_file(path)), str(path)]
    assert referee.main(names) == 0
    assert capsys.readouterr().out.startswith("valid: threat ")
    assert arneq(["check", *names]) == 0


@files("solutions")
def test_a_solution_is_found_again(path):
    game, told = game_of(path), json.loads(path.read_text(encoding="utf-8"))
    threat = load(path, game).threat
    again = solve(game, threat, **OPTIONS.get(path.stem, {}))
    assert max(again.relative_gap) <= max(10 * max(told["relative_gap"]), SLACK)
    assert again.proved == (told["status"] != "incomplete")
    assert again.method == told["method"]
    assert again.values == pytest.approx(np.array(told["values"]), abs=1e-7)
    if told["method"] == "exact":
        assert again.status == told["status"]
        assert again.to_json(game)["certificate"] == told["certificate"]


@pytest.mark.parametrize("name", THREATS)
def test_a_threat_is_read_and_written_alike(name):
    threat = ThreatModel.from_json(THREATS[name])
    threat.require_fit(game_of(Path("team.json")).action_counts)
    assert threat.to_json() == THREATS[name]


@files("checkpoints")
def test_a_learner_goes_on_from_its_checkpoint(path, tmp_path):
    def made():
        return make_learner(path.name.split(".")[1], game_of(path), ThreatModel(1), seed=3)

    resumed, anew = made(), made()
    load_checkpoint(resumed, path)
    assert resumed.iteration == 5
    save_checkpoint(resumed, tmp_path / path.name)
    with np.load(path) as old, np.load(tmp_path / path.name) as new:
        assert {name: array.tobytes() for name, array in old.items()} == {
            name: array.tobytes() for name, array in new.items()
        }
    anew.step(5)
    assert resumed.policy.distance(anew.policy) <= 1e-12


@files("counterexamples")
def test_a_counterexample_is_written_again_to_the_byte_and_still_one(path, tmp_path):
    found = theory.search.Counterexample.load(path)
    found.save(tmp_path / path.name)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert theory.ledger.repeat(found.evidence).same_as(found.evidence)
