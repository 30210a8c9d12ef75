"""`arneq check` and the referee read the same files as the same thing: one table, one exit code for both."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from certificate_builder import build, random_hints, random_policy

from arneq_exact import cli, referee, solve
from arneq_exact.model.files import game_to_json
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate_json import certificate_to_json

PROVED, REFUSED, UNREADABLE = 0, 1, 2
LAW = {"0": [[[], 0.5], [[1], 0.5]], "1": [[[0], 1]]}
SETS = {"0": [[1]], "1": [[0]]}
CUT = {"G": [[1, 0]], "h": [0]}


def put(*path):
    """A change of nested data: the last but one step of the path is set to the last."""
    *steps, last, value = path

    def change(data):
        for step in steps:
            data = data[step]
        data[last] = value

    return change


def threat(**parts):
    return put("threat", parts)


def row(**parts):
    return lambda game: game["states"][0]["rows"][0].update(parts)


def other_game(change):
    """The change in a certificate that names another game."""

    def both(data):
        change(data)
        data["game"] = "0" * 64

    return both


CERTIFICATES = {
    "as it was made": (lambda data: None, PROVED),
    # The same threat in other words.
    "two sets for one": (threat(sets=SETS), PROVED),
    "sets that hold an agent twice": (threat(sets={"0": [[1, 1]], "1": [[0], [0]]}), PROVED),
    "probability 1": (threat(k=1, probability=1), PROVED),
    "probability as text": (threat(k=1, probability="1/1"), PROVED),
    "a large budget": (threat(k=10**30), PROVED),
    "inequalities without rows": (threat(k=1, inequalities={"G": [], "h": []}), UNREADABLE),
    "inequalities that leave one set": (threat(k=1, inequalities=CUT), PROVED),
    "the same for each agent": (threat(k=1, inequalities={"0": CUT, "1": CUT}), PROVED),
    "certain corruption": (threat(distribution={"0": [[[1], 1]], "1": [[[0], 1]]}), PROVED),
    "masks that forbid nothing": (threat(k=1, masks={"0": {"0": [0, 1]}}), UNREADABLE),
    "empty masks": (threat(k=1, masks={"7": {}}), PROVED),
    "informed": (threat(k=1, informed=True), PROVED),
    # Threats that are none, or of another game.
    "sets for a third agent": (threat(sets={**SETS, "2": [[0]]}), UNREADABLE),
    "sets for one agent": (threat(sets={"0": [[1]]}), UNREADABLE),
    "sets with a stranger": (threat(sets={"0": [[2]], "1": [[0]]}), UNREADABLE),
    "sets with the agent itself": (threat(sets={"0": [[0]], "1": [[0]]}), UNREADABLE),
    "a truth value as an agent": (threat(sets={"0": [[True]], "1": [[0]]}), UNREADABLE),
    "an object as a set": (threat(sets={"0": [[1], {}], "1": [[0]]}), UNREADABLE),
    "no sets": (threat(sets={"0": [], "1": [[0]]}), UNREADABLE),
    "a key with a leading zero": (threat(sets={"00": [[1]], "1": [[0]]}), UNREADABLE),
    "a key of 5000 digits": (threat(sets={"0": [[1]], "1" * 5000: [[0]]}), UNREADABLE),
    "k is null": (threat(k=None, sets=SETS), UNREADABLE),
    "masks are null": (threat(k=1, masks=None), UNREADABLE),
    "k with sets": (threat(k=1, sets=SETS), UNREADABLE),
    "k is a truth value": (threat(k=True), UNREADABLE),
    "k is a float": (threat(k=1.0), UNREADABLE),
    "k is negative": (threat(k=-1), UNREADABLE),
    "nothing": (threat(), UNREADABLE),
    "unknown key": (threat(k=1, budget=1), UNREADABLE),
    "probability with a distribution": (threat(distribution=LAW, probability=1), UNREADABLE),
    "probability with inequalities": (threat(k=1, inequalities=CUT, probability=1), UNREADABLE),
    "inequalities with a distribution": (threat(distribution=LAW, inequalities=CUT), UNREADABLE),
    "probability above 1": (threat(k=1, probability="3/2"), UNREADABLE),
    "distribution that sums to 2": (
        threat(distribution={"0": [[[1], 1], [[], 1]], "1": [[[0], 1]]}),
        UNREADABLE,
    ),
    "distribution with a set twice": (
        threat(distribution={"0": [[[1], 0.5], [[1, 1], 0.5]], "1": [[[0], 1]]}),
        UNREADABLE,
    ),
    "distribution with too large a set": (threat(k=0, distribution=LAW), UNREADABLE),
    "distribution as an object": (threat(distribution={"0": {"1": 1}, "1": [[[0], 1]]}), UNREADABLE),
    "inequalities that leave nothing": (threat(k=1, inequalities={"G": [[1, 1]], "h": [0]}), UNREADABLE),
    "inequalities of the wrong length": (threat(k=1, inequalities={"G": [[1]], "h": [1]}), UNREADABLE),
    "inequalities with an object": (threat(k=1, inequalities={"G": {}, "h": []}), UNREADABLE),
    "inequalities for one agent": (threat(k=1, inequalities={"0": CUT}), UNREADABLE),
    "informed is 1": (threat(k=1, informed=1), UNREADABLE),
    "masks of a stranger": (threat(k=1, masks={"2": {"0": [0]}}), UNREADABLE),
    "masks of an unknown state": (threat(k=1, masks={"0": {"1": [0]}}), UNREADABLE),
    "masks of an unknown action": (threat(k=1, masks={"0": {"0": [2]}}), UNREADABLE),
    "masks that allow nothing": (threat(k=1, masks={"0": {"0": []}}), UNREADABLE),
    "unknown timing": (threat(k=1, timing="weekly"), UNREADABLE),
    "static corruption": (threat(k=1, timing="static"), REFUSED),
    # The head.
    "version is true": (put("version", True), UNREADABLE),
    "version is 1.0": (put("version", 1.0), UNREADABLE),
    "version 2": (put("version", 2), UNREADABLE),
    "another format": (put("format", "arneq-game"), UNREADABLE),
    "unknown key at the top": (put("note", "x"), UNREADABLE),
    "missing key": (lambda data: data.pop("lower"), UNREADABLE),
    "game is a number": (put("game", 7), UNREADABLE),
    "another game": (put("game", "0" * 64), REFUSED),
    "another game and no numbers": (other_game(put("policy", 0)), REFUSED),
    "another game and more agents": (other_game(threat(sets={**SETS, "2": [[0]]})), REFUSED),
    "another game and no threat": (other_game(threat(k=-1)), UNREADABLE),
    "another game and no horizon": (other_game(put("horizon", 0)), UNREADABLE),
    "unknown arithmetic": (put("arithmetic", "quick"), UNREADABLE),
    "horizon 0": (put("horizon", 0), UNREADABLE),
    "horizon is a truth value": (put("horizon", True), UNREADABLE),
    "a horizon that the lists lack": (put("horizon", 2), UNREADABLE),
    # The numbers.
    "a row too long": (put("policy", 0, 0, [0.5, 0.5, 0]), UNREADABLE),
    "a row too short": (put("attacker", 0, 0, [1]), UNREADABLE),
    "an agent too few": (put("policy", [[[1, 0]]]), UNREADABLE),
    "a state too many": (put("upper", 0, [0, 0]), UNREADABLE),
    "a policy that sums to 3/4": (put("policy", 0, 0, [0.5, 0.25]), REFUSED),
    "a negative probability": (put("policy", 0, 0, [1.5, -0.5]), REFUSED),
    "an attacker of zeros": (put("attacker", 0, 0, [0, 0]), REFUSED),
    "a claim too low": (put("epsilon", 0, -1), REFUSED),
    "a claim too high": (put("epsilon", 0, 100), REFUSED),
    "a claim too many": (put("epsilon", [0, 0, 0]), UNREADABLE),
    "a truth value as a number": (put("upper", 0, 0, True), UNREADABLE),
    "null as a number": (put("upper", 0, 0, None), UNREADABLE),
    "not a number": (put("upper", 0, 0, float("nan")), UNREADABLE),
    "division by zero": (put("upper", 0, 0, "1/0"), UNREADABLE),
    "an endless exponent": (put("epsilon", 0, "1e9_99999999"), UNREADABLE),
    "a number of 5000 bits": (put("epsilon", 0, "1e1500"), UNREADABLE),
    "a number beyond doubles": (put("upper", 0, 0, "1e400"), UNREADABLE),
    "a number below doubles": (put("policy", 0, 0, ["1e-400", 1]), REFUSED),
}

GAMES = {
    "version is true": (put("version", True), UNREADABLE),
    "version is 1.0": (put("version", 1.0), UNREADABLE),
    "initial distribution": (put("initial", {"0": 1}), PROVED),
    "initial distribution that sums to 1/2": (put("initial", {"0": 0.5}), UNREADABLE),
    "initial distribution over strangers": (put("initial", {"x": 1}), UNREADABLE),
    "initial is null": (put("initial", None), UNREADABLE),
    "not a number in the initial distribution": (put("initial", {"0": float("inf")}), UNREADABLE),
    "other names": (put("agents", ["x", "y"]), PROVED),
    "an empty name": (put("agents", ["", "y"]), UNREADABLE),
    "a name twice": (put("agents", ["a", "a"]), UNREADABLE),
    "a number as a name": (put("agents", [1, 2]), UNREADABLE),
    "no states": (put("states", []), UNREADABLE),
    "another discount": (put("discount", 0.5), REFUSED),
    "one discount for each": (put("discount", [0, "0/7"]), PROVED),
    "discount above 1": (put("discount", 2), UNREADABLE),
    "discounts for three": (put("discount", [0, 0, 0]), UNREADABLE),
    "no rows": (put("states", 0, "rows", []), UNREADABLE),
    "a row twice": (lambda game: game["states"][0]["rows"].append(game["states"][0]["rows"][0]), UNREADABLE),
    "unknown action": (row(actions=["0", "9"]), UNREADABLE),
    "a number as an action": (row(actions=[0, 0]), UNREADABLE),
    "a reward too few": (row(rewards=[1]), UNREADABLE),
    "a reward as equal text": (row(rewards=["1/1", "-1.0"]), PROVED),
    "another reward": (row(rewards=["1/3", -1]), REFUSED),
    "a reward beyond 1e150": (row(rewards=[1e151, 1]), UNREADABLE),
    "a reward beyond doubles": (row(rewards=["1e400", 1]), UNREADABLE),
    "unknown next state": (row(next={"nowhere": 0}), UNREADABLE),
    "a next state of probability 0": (row(next={"0": 0}), PROVED),
    "probabilities that sum to 3/2": (row(next={"0": 0.5}), UNREADABLE),
    "a negative probability": (row(next={"0": -1}, end=2), UNREADABLE),
    "a probability below doubles": (row(next={"0": "1e-400"}), UNREADABLE),
    "next as a list": (row(next=[1]), UNREADABLE),
    "unknown key of a row": (row(reward=1), UNREADABLE),
}


@pytest.fixture(scope="module")
def files():
    """Matching pennies with an agent that may be corrupted, and a certificate of it."""
    game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], agents=["a", "b"])
    rng = np.random.default_rng(0)
    made = build(
        game, ThreatModel(1), random_policy(rng, game), found=random_hints(rng, game, ThreatModel(1))
    )
    return game_to_json(game), certificate_to_json(made, game)


def judge(tmp_path, capsys, game, certificate):
    """The exit codes of the command and of the referee, and what they print to stderr."""
    paths = [str(tmp_path / "game.json"), str(tmp_path / "certificate.json")]
    for path, data in zip(paths, (game, certificate), strict=True):
        (tmp_path / path).write_text(json.dumps(data), encoding="utf-8")
    codes = cli.main(["check", *paths]), referee.main(paths)
    return codes, capsys.readouterr().err


@pytest.mark.parametrize(("change", "code"), CERTIFICATES.values(), ids=CERTIFICATES.keys())
def test_certificates(files, tmp_path, capsys, change, code):
    game, certificate = copy.deepcopy(files)
    change(certificate)
    codes, errors = judge(tmp_path, capsys, game, certificate)
    assert codes == (code, code), errors
    assert errors.count("\n") == (2 if code == UNREADABLE else 0)


@pytest.mark.parametrize(("change", "code"), GAMES.values(), ids=GAMES.keys())
def test_games(files, tmp_path, capsys, change, code):
    game, certificate = copy.deepcopy(files)
    change(game)
    codes, errors = judge(tmp_path, capsys, game, certificate)
    assert codes == (code, code), errors
    assert errors.count("\n") == (2 if code == UNREADABLE else 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda made: made, PROVED),
        (lambda made: [made], UNREADABLE),
        (lambda made: {"format": "arneq-solution"}, UNREADABLE),
        (lambda made: {**made, "certificate": [made["certificate"]]}, UNREADABLE),
        (lambda made: {**made, "certificate": made}, UNREADABLE),
        (lambda made: {**made, "certificate": {**made["certificate"], "epsilon": [-1, -1]}}, REFUSED),
    ],
)
def test_solutions(tmp_path, capsys, change, code):
    game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    solution = solve(game, ThreatModel(1)).to_json(game)
    codes, errors = judge(tmp_path, capsys, game_to_json(game), change(solution))
    assert codes == (code, code), errors
