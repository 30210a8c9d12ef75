"""What a Solution holds, and that its file proves it to a stranger."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import Certificate, Solution, check, load, save, solve
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.files import load_certificate

CASES = {
    "exact": (games.prisoners_dilemma, ThreatModel(0), {}),
    "certified": (lambda: games.random_game(np.random.default_rng(1), 2, 3, (1, 3), 0.9), ThreatModel(0), {}),
    "incomplete": (games.nosde, ThreatModel(0), {"method": "best-response-iteration"}),
    "horizon": (games.nosde, ThreatModel(1), {"horizon": 3}),
    "probability": (games.nosde, ThreatModel(1, probability="1/3"), {}),
    "decoupled": (lambda: games.random_game(np.random.default_rng(2), 3, 2, 2, 0.9), ThreatModel(2), {}),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    build, threat, options = CASES[request.param]
    game = build()
    return game, threat, solve(game, threat, **options)


def test_round_trip_through_a_file(case, tmp_path):
    game, threat, solution = case
    path = tmp_path / "solution.json"
    solution.save(game, path)
    read = load_certificate(path, game)
    assert isinstance(read, Certificate)
    for mine, theirs in zip(solution.policy, read.policy, strict=True):
        assert mine.tobytes() == theirs.tobytes()
    # Evidence may be doubles or rationals; either way every number comes back exactly.
    written = solution.certificate
    pairs = [*zip(written.attacker, read.attacker, strict=True)]
    pairs += [(written.upper, read.upper), (written.lower, read.lower)]
    for mine, theirs in pairs:
        assert [Fraction(x) for x in mine.flat] == [Fraction(x) for x in theirs.flat]
        assert mine.shape == theirs.shape
    assert read.epsilon == solution.epsilon
    result = check(game, read, threat)
    assert result.valid
    assert result.epsilon == solution.epsilon
    assert result.relative == solution.relative_gap


def test_save_and_load_are_the_same_as_the_methods(case, tmp_path):
    game, threat, solution = case
    solution.save(game, tmp_path / "a.json")
    save(solution, tmp_path / "b.json", game)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert check(game, load(tmp_path / "b.json", game), threat).valid


def test_a_forged_file_is_not_believed(case, tmp_path):
    """A file that lies about its status or claims too little is only as good as its certificate."""
    game, threat, solution = case
    path = tmp_path / "forged.json"
    solution.save(game, path)
    data = json.loads(path.read_text())
    data["status"], data["relative_gap"] = "exact", [0.0] * game.n_agents
    claims = data["certificate"]["epsilon"]
    true = any(solution.epsilon)
    data["certificate"]["epsilon"] = [0] * len(claims)
    path.write_text(json.dumps(data))
    assert check(game, load_certificate(path, game), threat).valid == (not true)


def test_the_file_holds_what_it_says(case):
    game, _, solution = case
    data = solution.to_json(game)
    assert data["format"] == "arneq-solution"
    assert data["status"] == solution.status
    assert np.array_equal(data["values"], solution.values)
    assert np.array_equal(data["gap"], solution.gap)
    assert len(data["attack"]) == game.n_agents
    assert len(data["trace"]) == len(solution.trace)
    assert json.loads(json.dumps(data)) == data


def test_fields_are_frozen_and_shapes_right(case):
    game, _, solution = case
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.status = "exact"
    n, n_states = game.n_agents, game.n_states
    horizon = solution.policy.horizon
    assert solution.values.shape == ((n, n_states) if horizon is None else (horizon + 1, n, n_states))
    assert solution.gap.shape == (n, n_states)
    assert all(isinstance(bound, Fraction) for bound in solution.epsilon)
    assert [attack.agent for attack in solution.attack] == list(range(n))
    for agent in range(n):
        for state in range(n_states):
            assert solution.attack[agent].describe(game, state)


def test_it_says_what_it_is(case):
    _, _, solution = case
    assert isinstance(solution, Solution)
    text = repr(solution)
    assert text.startswith(f"Solution({solution.status} by {solution.method}, proved relative gap ")
    assert f"{max(solution.relative_gap):.3g}" in text


def test_status_and_proved():
    statuses = {}
    for name, (build, threat, options) in CASES.items():
        statuses[name] = solve(build(), threat, **options)
    assert {name: statuses[name].status for name in ("exact", "certified", "incomplete")} == {
        "exact": "exact",
        "certified": "certified",
        "incomplete": "incomplete",
    }
    assert [name for name, found in statuses.items() if not found.proved] == ["incomplete"]
