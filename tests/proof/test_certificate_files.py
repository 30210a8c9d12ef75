"""Certificates in JSON: every number comes back, and what is no certificate is refused by place."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from certificate_builder import build, random_game, random_hints, random_policy, random_threat

from arneq_exact.errors import CertificateError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate_json import certificate_from_json, certificate_to_json
from arneq_exact.proof.check import check


def _made(seed, horizon=None, arithmetic="exact", rational=False, threat=None):
    rng = np.random.default_rng(seed)
    game = random_game(rng, 3, 3, 3, discount="3/4" if rational else 0.75, rational=rational)
    threat = threat or random_threat(rng, 3)
    policy = random_policy(rng, game, horizon)
    return game, build(game, threat, policy, horizon, arithmetic, random_hints(rng, game, threat, horizon))


@pytest.mark.parametrize("seed", range(12))
def test_every_number_comes_back(seed):
    game, made = _made(seed, (None, 2)[seed % 2], ("exact", "float")[seed % 3 == 0], seed % 4 == 1)
    text = json.dumps(certificate_to_json(made, game))
    read = certificate_from_json(json.loads(text), game)
    for name in ("policy", "attacker"):
        for mine, theirs in zip(getattr(made, name), getattr(read, name), strict=True):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
    assert np.array_equal(made.upper, read.upper)
    assert np.array_equal(made.lower, read.lower)
    assert (read.epsilon, read.horizon, read.arithmetic) == (made.epsilon, made.horizon, made.arithmetic)
    assert check(game, read, made.threat).valid
    assert json.dumps(certificate_to_json(read, game)) == text


def test_fractions_are_written_as_text_and_come_back_exact():
    game, made = _made(3)
    data = certificate_to_json(made, game)
    data["upper"][0][0] = "1/3"
    read = certificate_from_json(data, game)
    assert read.upper.dtype == object
    assert certificate_to_json(read, game)["upper"][0][0] == "1/3"


def test_a_certificate_of_another_game_is_read_and_then_refused():
    game, made = _made(4)
    other, _ = _made(5)
    read = certificate_from_json(certificate_to_json(made, game), other)
    assert "that of the game at hand" in check(other, read).reason
    with pytest.raises(CertificateError, match="another game"):
        certificate_to_json(made, other)
    # Its numbers cannot be read: their lengths are the other game's.
    assert (read.game, read.threat, read.epsilon) == (made.game, made.threat, ())
    data = certificate_to_json(made, game) | {"policy": 0, "upper": [[1.0], [1.0, 2.0]]}
    assert not check(other, certificate_from_json(data, other)).valid


def _set(*path):
    *steps, last, value = path

    def change(data):
        for step in steps:
            data = data[step]
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("format", "arneq-game"), "format is 'arneq-game'"),
        (_set("version", 2), "version is 2"),
        (_set("note", "x"), "key 'note' is unknown"),
        (lambda data: data.pop("lower"), "key 'lower' is missing"),
        (_set("game", 7), "game is 7; must be a content hash"),
        (_set("arithmetic", "quick"), "must be 'exact' or 'float'"),
        (_set("arithmetic", ["exact"]), "must be 'exact' or 'float'"),
        (_set("horizon", 0), "must be null or an integer of at least 1"),
        (_set("horizon", True), "must be null or an integer of at least 1"),
        (_set("horizon", 2), "has 3 steps; must be 2"),
        (_set("threat", {"k": -1}), "must be an integer of at least 0"),
        (_set("threat", {"q": 1}), "key 'q' is unknown"),
        (_set("threat", None), "must be an object"),
        (_set("threat", {"sets": {"0": [[1]]}}), "must list each of 0..2"),
        (_set("policy", []), "policy: has 0 agents; must be 3"),
        (_set("policy", 0, 1, []), "state number 1: has 0 entries; must be"),
        (_set("policy", 0, 1, 0, "one"), "policy of agent '1', state number 1 is 'one'"),
        (_set("policy", 0, 1, 0, None), "is None; must be a number"),
        (_set("policy", 0, 1, 0, True), "not a truth value"),
        (_set("policy", 0, 1, 0, float("nan")), "must be finite"),
        (_set("attacker", 2, 0, {}), "must be a list"),
        (_set("upper", 0, 0, "1/0"), "is '1/0'; must be a number"),
        (_set("upper", [[0]]), "upper: has 1 entries; must be 3"),
        (_set("lower", 0, [0.0, 0.0]), "lower, entry 0: has 2 entries; must be 3"),
        (_set("epsilon", ["0"]), "epsilon: has 1 agents; must be 3"),
        (_set("epsilon", 0, "1e999999"), "epsilon is '1e999999'"),
        (_set("epsilon", 0, [0]), "epsilon is [0]"),
    ],
)
def test_what_is_no_certificate_is_refused_by_place(change, message):
    game, made = _made(6, threat=ThreatModel(1))
    data = copy.deepcopy(certificate_to_json(made, game))
    change(data)
    with pytest.raises(CertificateError) as refusal:
        certificate_from_json(data, game, "c.json")
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("c.json: ")
    assert "\n" not in str(refusal.value)


def test_no_object_at_all_is_refused():
    game, _ = _made(7)
    with pytest.raises(CertificateError, match="must be an object"):
        certificate_from_json([], game)
