"""The referee agrees with the checker, reads the files by itself, and needs nothing but Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_builder import build, random_game, random_hints, random_policy, random_threat
from certificate_mutants import mutants

from arneq_exact import referee
from arneq_exact.errors import CertificateError
from arneq_exact.model.files import game_to_json
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate_json import certificate_to_json
from arneq_exact.proof.check import check


def _run(tmp_path, game, certificate):
    paths = tmp_path / "game.json", tmp_path / "certificate.json"
    for path, data in zip(paths, (game, certificate), strict=True):
        path.write_text(json.dumps(data), encoding="utf-8")
    return referee.main([str(path) for path in paths])


@pytest.mark.parametrize("seed", range(24))
def test_the_referee_finds_the_same_bounds(seed, tmp_path, capsys):
    rng = np.random.default_rng(seed)
    n, horizon, rational = int(rng.integers(1, 4)), (None, None, 2)[seed % 3], seed % 4 == 0
    game = random_game(rng, n, 3, 3, discount="9/10" if rational else 0.9, rational=rational)
    threat, policy = random_threat(rng, n), random_policy(rng, game, horizon)
    found = random_hints(rng, game, threat, horizon)
    made = build(game, threat, policy, horizon, ("exact", "float")[seed % 2], found)
    data = certificate_to_json(made, game)
    assert _run(tmp_path, game_to_json(game), data) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("valid: threat ")
    assert printed.count("\n") == 1
    if made.arithmetic == "exact":
        lowered = [
            f"{(e - Fraction(1, 2**600)).numerator}/{(e - Fraction(1, 2**600)).denominator}"
            for e in made.epsilon
        ]
        assert _run(tmp_path, game_to_json(game), data | {"epsilon": lowered}) == 1


def test_the_referee_judges_forgeries_as_the_checker_does(tmp_path, capsys):
    rng, judged = np.random.default_rng(2), 0
    for number in range(3):
        for mutant in mutants(rng, number):
            try:
                data = certificate_to_json(mutant.certificate, mutant.game)
            except CertificateError:
                continue
            # Each by its own arithmetic: the referee is exact, so it may confirm a lowered float claim.
            verdict = check(mutant.game, mutant.certificate, arithmetic="exact").valid
            assert (_run(tmp_path, game_to_json(mutant.game), data) == 0) == verdict, mutant.kind
            judged += 1
    assert judged > 60


def test_a_solution_is_judged_by_its_certificate(tmp_path):
    rng = np.random.default_rng(0)
    game = random_game(rng, 2, 2, 2)
    made = build(
        game, ThreatModel(1), random_policy(rng, game), found=random_hints(rng, game, ThreatModel(1))
    )
    data = {"format": "arneq-solution", "version": 1, "certificate": certificate_to_json(made, game)}
    assert _run(tmp_path, game_to_json(game), data) == 0
    assert _run(tmp_path, game_to_json(game), {"format": "arneq-solution"}) == 2


def _pennies():
    game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], agents=["a", "b"])
    rng = np.random.default_rng(0)
    made = build(
        game, ThreatModel(1), random_policy(rng, game), found=random_hints(rng, game, ThreatModel(1))
    )
    return game_to_json(game), certificate_to_json(made, game)


@pytest.mark.parametrize(
    ("game_parts", "parts", "code"),
    [
        ({}, {}, 0),
        ({}, {"game": "0" * 64}, 1),
        ({"discount": 0.5}, {}, 1),
        ({}, {"policy": [[[0.5, 0.25]], [[0.5, 0.5]]]}, 1),
        ({}, {"policy": [[[0.5, 0.5, 0]], [[0.5, 0.5]]]}, 2),
        ({}, {"attacker": [[[0, 0]], [[0.5, 0.5]]]}, 1),
        ({}, {"attacker": [[[1]], [[0.5, 0.5]]]}, 2),
        ({}, {"threat": {"k": 0}}, 2),
        ({}, {"threat": {"k": True}}, 2),
        ({}, {"threat": {"sets": {"0": [[0]], "1": [[0]]}}}, 2),
        ({}, {"threat": {"k": 1, "probability": "3/2"}}, 2),
        ({}, {"threat": {"distribution": {"0": [[[1], 0.5]], "1": [[[0], 1]]}}}, 2),
        # Threats that mean the same as k = 1 here, and some that do not.
        ({}, {"threat": {"k": 1, "informed": True, "timing": "per-state", "masks": {}}}, 0),
        ({}, {"threat": {"k": 1, "inequalities": {"G": [[1, 0]], "h": [0]}}}, 0),
        ({}, {"threat": {"k": 1, "masks": {"0": {"0": [0, 1]}, "1": {"0": [1, 0, 1]}}}}, 2),
        ({}, {"threat": {"k": 1, "inequalities": {"G": [], "h": []}}}, 2),
        ({}, {"threat": {"k": 1, "timing": "static"}}, 1),
        ({}, {"threat": {"k": 1, "informed": 1}}, 2),
        ({}, {"threat": {"k": 1, "inequalities": {"G": [[1, 0]], "h": [-1]}}}, 2),
        ({}, {"threat": {"k": 1, "inequalities": {"G": [[1]], "h": [0]}}}, 2),
        ({}, {"threat": {"k": 1, "inequalities": {"G": [[1, 0]], "h": []}}}, 2),
        ({}, {"threat": {"k": 1, "probability": 1, "inequalities": {"G": [], "h": []}}}, 2),
        ({}, {"threat": {"k": 1, "masks": {"0": {"1": [0]}}}}, 2),
        ({}, {"threat": {"k": 1, "masks": {"2": {"0": [0]}}}}, 2),
        ({}, {"threat": {"k": 1, "masks": {"0": {"0": [2]}}}}, 2),
        ({}, {"threat": {"k": 1, "masks": {"0": {"0": []}}}}, 2),
        ({}, {"threat": {"k": 1, "masks": {"0": {"0": "0"}}}}, 2),
        ({}, {"threat": {"k": 1, "masks": [0]}}, 2),
        ({}, {"horizon": 0}, 2),
        ({}, {"horizon": 1}, 2),
        ({}, {"arithmetic": "quick"}, 2),
        ({}, {"upper": [[0]]}, 2),
        ({}, {"upper": [["x"], [0]]}, 2),
        ({}, {"lower": [[None], [0]]}, 2),
        ({}, {"epsilon": ["1e99999999", 0]}, 2),
        ({}, {"extra": 1}, 2),
        ({}, {"version": 2}, 2),
        ({"discount": 2}, {}, 2),
        ({"agents": ["a", "a"]}, {}, 2),
        ({"states": []}, {}, 2),
    ],
)
def test_exit_codes(game_parts, parts, code, tmp_path, capsys):
    game, data = _pennies()
    assert _run(tmp_path, game | game_parts, data | parts) == code
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows[0].update(end=0.5),
        lambda rows: rows[0].update(end=2, next={"0": -1}),
        lambda rows: rows[0].update(next={"nowhere": 0}),
        lambda rows: rows[0].update(actions=["0", "9"]),
        lambda rows: rows[0].update(rewards=[1]),
        lambda rows: rows[0].update(rewards=[1, "1e400"]),
    ],
)
def test_malformed_games_are_unreadable(change, tmp_path, capsys):
    game, data = _pennies()
    change(game["states"][0]["rows"])
    assert _run(tmp_path, game, data) == 2
    assert capsys.readouterr().err.startswith("unreadable: ")


def test_files_that_are_no_json_are_unreadable(tmp_path, capsys):
    for text in ("", "[", '{"a": 1, "a": 2}', "[1]", "\udcff"):
        path = tmp_path / "x.json"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert referee.main([str(path), str(path)]) == 2
    assert referee.main([str(tmp_path / "absent.json")] * 2) == 2
    assert referee.main([]) == 2
    assert "usage: " in capsys.readouterr().err


def test_the_referee_imports_nothing_but_the_standard_library(tmp_path):
    game, data = _pennies()
    assert _run(tmp_path, game, data) == 0
    code = (
        "import sys; from arneq_exact.referee import main; code = main(sys.argv[1:]); "
        "loaded = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names); "
        "ours = [name for name in sys.modules if name.startswith('arneq_exact')]; "
        "assert not {'numpy', 'scipy', 'numba'} & loaded, loaded; "
        "assert sorted(ours) == ['arneq_exact', 'arneq_exact.referee'], ours; sys.exit(code)"
    )
    files = [str(tmp_path / "game.json"), str(tmp_path / "certificate.json")]
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    module = subprocess.run(
        [sys.executable, "-m", "arneq_exact.referee", *files], capture_output=True, check=False
    )
    assert module.returncode == 0


def test_checking_needs_no_solver_library(tmp_path):
    """With numba, cvxpy, nashpy, networkx and matplotlib blocked, a certificate is still read and checked."""
    game, data = _pennies()
    assert _run(tmp_path, game, data) == 0
    code = """
import sys
for name in ("numba", "cvxpy", "nashpy", "networkx", "matplotlib"):
    sys.modules[name] = None
from arneq_exact.proof.check import check
from arneq_exact.proof.certificate_json import certificate_from_json
from arneq_exact.model.files import load_game, read_json
game = load_game(sys.argv[1])
made = certificate_from_json(read_json(sys.argv[2]), game)
assert check(game, made).valid
assert not [name for name in sys.modules if name.startswith(("arneq_exact.stage", "arneq_exact.markov"))]
"""
    files = [str(tmp_path / "game.json"), str(tmp_path / "certificate.json")]
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr


def test_the_referee_needs_the_same_hash(tmp_path):
    game, data = _pennies()
    renamed = json.loads(json.dumps(game).replace('"a"', '"anna"'))
    assert _run(tmp_path, renamed, data) == 0
    changed = replace_reward(game)
    assert _run(tmp_path, changed, data) == 1


def replace_reward(game):
    """The same game with one reward a little larger."""
    other = json.loads(json.dumps(game))
    other["states"][0]["rows"][0]["rewards"][0] = "3/2"
    return other


def test_the_claim_is_compared_with_the_recomputed_bound_only():
    # A dataclass copy with other evidence keeps the claim: both judges recompute and refuse it.
    rng = np.random.default_rng(9)
    game = random_game(rng, 2, 2, 2)
    made = build(
        game, ThreatModel(1), random_policy(rng, game), found=random_hints(rng, game, ThreatModel(1))
    )
    assert not check(game, replace(made, upper=made.upper - 1)).valid
