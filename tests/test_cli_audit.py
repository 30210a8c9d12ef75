"""`arneq audit`: tables, JSON, files, refusals."""

from __future__ import annotations

import json

import pytest

from arneq_exact import Policy, ThreatModel, audit, catalog, cli, save, solve


def run(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def stored(tmp_path):
    game = catalog.load("static-chain")
    save(Policy.uniform(game), tmp_path / "policy.json", game)
    return tmp_path / "policy.json"


def test_tables(capsys, stored):
    code, text, _ = run(capsys, "audit", "static-chain", stored, "--k", 1)
    assert code == 0
    assert "Audit under k = 1" in text
    assert "Value when one set is corrupted throughout" in text


def test_json_and_file_are_the_audit(capsys, tmp_path, stored):
    game = catalog.load("static-chain")
    expected = audit(game, ThreatModel(1), Policy.uniform(game)).to_json(game)
    code, text, _ = run(
        capsys, "audit", "static-chain", stored, "--k", 1, "--json", "--out", tmp_path / "audit.json"
    )
    assert code == 0
    assert json.loads(text) == json.loads(json.dumps(expected))
    assert json.loads((tmp_path / "audit.json").read_text()) == json.loads(text)
    # An audit holds its policy, and can be audited again.
    again = run(capsys, "audit", "static-chain", tmp_path / "audit.json", "--k", 1, "--json")
    assert again[1] == text


def test_a_solution_is_audited(capsys, tmp_path):
    game = catalog.load("team-coordination")
    save(solve(game, ThreatModel(1)), tmp_path / "solution.json", game)
    code, text, _ = run(capsys, "audit", "team-coordination", tmp_path / "solution.json", "--k", 1, "--json")
    assert code == 0
    assert max(max(row) for row in json.loads(text)["gap"]) < 1e-8


def test_refusals_are_one_line(capsys, tmp_path, stored):
    for arguments, message in (
        (["crate-pushing", stored], "policy.json"),
        (["static-chain", stored, "--out", tmp_path / "audit.txt"], "--out is"),
        (["static-chain", tmp_path / "none.json"], "none.json"),
    ):
        code, _, error = run(capsys, "audit", *arguments)
        assert code == 2
        assert message in error
        assert error.count("\n") == 1
