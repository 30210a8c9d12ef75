"""The `arneq` command: exit codes, output, wrong input, interruption."""

from __future__ import annotations

import configparser
import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import arneq_exact
from arneq_exact import MarkovGame, Policy, ThreatModel, catalog, certify, cli, save


def run(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def nosde(tmp_path):
    path = tmp_path / "nosde.json"
    save(catalog.load("nosde"), path)
    return path


def test_solve_writes_a_solution_that_check_and_referee_accept(capsys, tmp_path, nosde):
    out = tmp_path / "solution.json"
    code, text, _ = run(capsys, "solve", nosde, "--k", 1, "--out", out)
    assert code == 0
    assert "exact" in text
    assert "keep" in text
    code, text, _ = run(capsys, "check", nosde, out, "--k", 1)
    assert code == 0
    assert "k = 1" in text
    referee = subprocess.run(
        [sys.executable, "-m", "arneq_exact.referee", str(nosde), str(out)], capture_output=True, text=True
    )
    assert referee.returncode == 0, referee.stderr


def test_check_refuses_another_threat_and_a_forged_claim(capsys, tmp_path, nosde):
    out = tmp_path / "solution.json"
    assert run(capsys, "solve", nosde, "--k", 0, "--out", out)[0] == 0
    code, text, _ = run(capsys, "check", nosde, out, "--k", 1)
    assert code == 1
    assert "refused" in text
    data = json.loads(out.read_text())
    data["certificate"]["epsilon"] = ["0/1", "0/1"]
    out.write_text(json.dumps(data))
    code, text, _ = run(capsys, "check", nosde, out)
    assert code == 1
    assert "epsilon" in text


def test_gap_of_a_policy_that_is_no_equilibrium(capsys, tmp_path, nosde):
    game = catalog.load("nosde")
    policy, certificate = tmp_path / "policy.json", tmp_path / "certificate.json"
    save(Policy.uniform(game), policy, game)
    code, text, _ = run(capsys, "gap", nosde, policy, "--k", 0, "--json", "--out", certificate)
    assert code == 0
    assert max(json.loads(text)["relative"]) > 0.1
    assert run(capsys, "check", nosde, certificate, "--k", 0)[0] == 0


def test_gap_judges_the_policy_of_a_solution(capsys, tmp_path, nosde):
    out = tmp_path / "solution.json"
    assert run(capsys, "solve", nosde, "--k", 1, "--out", out)[0] == 0
    code, text, _ = run(capsys, "gap", nosde, out, "--k", 1, "--json")
    assert code == 0
    assert max(json.loads(text)["relative"]) <= 1e-8


def test_incomplete_has_exit_code_3_and_a_proved_gap(capsys):
    arguments = ["random-dense", "--param", "agents=3", "--k", 1, "--method", "best-response-iteration"]
    code, text, _ = run(capsys, "solve", *arguments, "--json")
    answer = json.loads(text)
    assert code == 3
    assert answer["status"] == "incomplete"
    assert max(answer["relative_gap"]) > 1e-8
    assert "proved relative gap" in answer["message"]


def test_games_lists_describes_and_writes(capsys, tmp_path):
    code, text, _ = run(capsys, "games", "--json")
    assert code == 0
    assert {entry["name"] for entry in json.loads(text)} == set(catalog.names())
    code, text, _ = run(capsys, "games", "penalty")
    assert code == 0
    assert "origin" in text
    code, text, _ = run(capsys, "games", "penalty", "--param", "penalty=-4", "--out", tmp_path / "p.npz")
    assert code == 0
    assert run(capsys, "solve", tmp_path / "p.npz", "--k", 1)[0] == 0


def test_finite_horizon_and_probability(capsys):
    code, text, _ = run(capsys, "solve", "nosde", "--horizon", 3, "--probability", "1/4", "--k", 1, "--json")
    answer = json.loads(text)
    assert code == 0
    assert answer["method"] == "backward-induction"
    assert answer["certificate"]["horizon"] == 3
    assert answer["certificate"]["threat"] == {"k": 1, "probability": 0.25}


def test_threat_from_a_file(capsys, tmp_path):
    path = tmp_path / "threat.json"
    path.write_text(json.dumps(ThreatModel(sets={0: [[1]], 1: [[]]}).to_json()))
    code, text, _ = run(capsys, "solve", "climbing", "--threat", path, "--json")
    assert code == 0
    assert json.loads(text)["certificate"]["threat"] == {"sets": {"0": [[1]], "1": [[]]}}


@pytest.mark.parametrize(
    "extra",
    [
        {"inequalities": {"G": [[-1, 0]], "h": ["-1/2"]}},
        {"masks": {"0": {"0": [0, 1]}}},
        {"informed": True},
    ],
)
def test_general_threats_from_a_file(capsys, tmp_path, extra):
    """Judged, written, checked by the command and by the referee."""
    game, policy, threat, certificate = (tmp_path / f"{name}.json" for name in "gptc")
    climbing = catalog.load("climbing")
    save(climbing, game)
    save(Policy.uniform(climbing), policy, climbing)
    threat.write_text(json.dumps({"k": 1, **extra}))
    assert run(capsys, "gap", game, policy, "--threat", threat, "--out", certificate)[0] == 0
    assert json.loads(certificate.read_text())["threat"] == ThreatModel.from_json({"k": 1, **extra}).to_json()
    assert run(capsys, "check", game, certificate, "--threat", threat)[0] == 0
    assert run(capsys, "check", game, certificate, "--k", 0)[0] == 1
    ran = subprocess.run(
        [sys.executable, "-m", "arneq_exact.referee", str(game), str(certificate)], capture_output=True
    )
    assert ran.returncode == 0


@pytest.mark.parametrize("command", ["solve", "gap"])
def test_static_threats_are_refused_in_one_line(capsys, tmp_path, command):
    threat, policy = tmp_path / "threat.json", tmp_path / "policy.json"
    threat.write_text('{"k": 1, "timing": "static"}')
    save(Policy.uniform(catalog.load("climbing")), policy, catalog.load("climbing"))
    given = ["climbing", policy] if command == "gap" else ["climbing"]
    code, out, err = run(capsys, command, *given, "--threat", threat)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "must have timing 'per-state'" in err


WRONG = {
    "no such game": (["solve", "nosd"], "did you mean 'nosde'"),
    "no such file": (["solve", "absent.json"], "absent.json"),
    "negative k": (["solve", "nosde", "--k", "-1"], "k is -1"),
    "probability alone": (["solve", "nosde", "--probability", "0.5"], "without --k"),
    "probability above 1": (["solve", "nosde", "--k", "1", "--probability", "2"], "in [0, 1]"),
    "unknown method": (["solve", "nosde", "--method", "magic"], "must be auto or one of"),
    "method that does not apply": (["solve", "nosde", "--k", "0", "--method", "decoupled"], "does not take"),
    "unknown backend": (["solve", "nosde", "--backend", "gpu"], "backend"),
    "zero tolerance": (["solve", "nosde", "--tol", "0"], "tol"),
    "horizon 0": (["solve", "nosde", "--horizon", "0"], "horizon"),
    "unknown parameter": (["solve", "nosde", "--param", "x=1"], "no parameter 'x'"),
    "parameter without value": (["solve", "nosde", "--param", "x"], "NAME=VALUE"),
    "check without certificate": (["check", "nosde", "absent.json"], "absent.json"),
    "threat file and k": (["solve", "nosde", "--k", "1", "--threat", "t.json"], "given alone"),
    "output of no game": (["games", "--out", "x.json"], "without a game"),
    "instance without output": (["games", "nosde", "--param", "a=1"], "without --out"),
    "output in no folder": (["solve", "nosde", "--out", "/no/such/folder/x.json"], "folder must exist"),
    "output of another kind": (["solve", "nosde", "--out", "x.npz"], "must end in .json"),
    "horizon beyond memory": (["solve", "nosde", "--horizon", "99999999999"], "must be at most"),
}


@pytest.mark.parametrize(("arguments", "fragment"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_is_one_line_and_exit_code_2(capsys, arguments, fragment):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"arneq {arguments[0]}: ")
    assert fragment in err


def test_usage_errors_have_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["solve"])
    assert stopped.value.code == 2


def test_help_answers_in_under_a_second():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    help_text = subprocess.run(
        [sys.executable, "-m", "arneq_exact", "--help"], capture_output=True, text=True, check=True
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time, whatever else the machine does; it takes a tenth of a second.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert "solve" in help_text


def read_terminal(terminal: int, until: bytes | None = None) -> bytes:
    """What a process prints on its terminal, until some text or its end; at most two minutes."""
    seen, deadline = b"", time.monotonic() + 120
    while until is None or until not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            assert until is None, seen[-2000:]
            break
    return seen


def test_ctrl_c_gives_the_best_policy_so_far(tmp_path):
    """A real process on a terminal, a signal once it shows progress: exit code 3, a sound certificate."""
    out = tmp_path / "solution.json"
    game = ["random-dense", "--param", "agents=3", "--param", "states=40"]
    arguments = ["solve", *game, "--k", "1", "--tol", "1e-300", "--out", str(out)]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "arneq_exact", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "400"},
    )
    os.close(theirs)
    try:
        read_terminal(ours, until=b"Ctrl-C stops")
        process.send_signal(signal.SIGINT)
        errors = read_terminal(ours)
        assert process.wait(60) == 3, errors
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    answer = json.loads(out.read_text())
    assert answer["status"] == "incomplete"
    assert "interrupted" in answer["message"]
    assert cli.main(["check", *game, str(out)]) == 0


def test_check_imports_no_solver(tmp_path, nosde):
    """`arneq check` runs where numba, cvxpy and nashpy cannot be imported."""
    game = catalog.load("nosde")
    certificate = tmp_path / "certificate.json"
    save(certify(game, ThreatModel(1), Policy.uniform(game)), certificate, game)
    code = (
        "import sys\n"
        "for name in ('numba', 'cvxpy', 'nashpy', 'networkx', 'matplotlib'): sys.modules[name] = None\n"
        f"from arneq_exact import cli; sys.exit(cli.main(['check', {str(nosde)!r}, {str(certificate)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_solution_that_claims_more_than_its_certificate_is_refused(capsys, tmp_path, nosde):
    out = tmp_path / "solution.json"
    assert run(capsys, "solve", nosde, "--k", 0, "--out", out)[0] == 0
    honest = json.loads(out.read_text())
    for key, forged in (("status", "exact"), ("status", "solved"), ("values", [[9, 9], [9, 9]]), ("gap", 0)):
        out.write_text(json.dumps({**honest, key: forged}))
        code, text, _ = run(capsys, "check", nosde, out)
        assert code == 1
        assert f"Solution: {key}" in text


def test_the_command_is_named_once(capsys):
    code, _, error = run(capsys, "solve", "climbing", "--tol", "-1")
    assert (code, error) == (2, "arneq solve: tol is -1.0; must be a positive number\n")


def test_a_game_beyond_the_memory_is_told_in_one_line(capsys, monkeypatch):
    """Not exit code 1, which a traceback has: that means a certificate that fails."""
    code, _, error = run(capsys, "solve", "random-dense", "--param", "states=1e9")
    assert (code, error.count("\n")) == (2, 1)
    assert "must be smaller" in error

    def exhausted(name, **parameters):
        raise MemoryError

    monkeypatch.setattr(catalog, "load", exhausted)
    code, _, error = run(capsys, "solve", "random-dense")
    assert (code, error) == (2, "arneq solve: the game is too large for the memory\n")


def test_names_that_look_like_markup_are_printed_as_they_are(capsys, tmp_path):
    game = MarkovGame.one_shot(
        [[[1, 0], [0, 2]], [[1, 0], [0, 2]]],
        agents=["[red]", "[/x]"],
        actions=[["[left]", "[/right]"], ["[bold]a", "b"]],
    )
    path = tmp_path / "odd.json"
    save(game, path)
    code, text, _ = run(capsys, "solve", path, "--k", 0)
    assert code == 0
    assert "[red]" in text
    assert "[/x]" in text
    assert "[/right]" in text


def test_gap_shows_the_worst_attack(capsys, tmp_path, nosde):
    game = catalog.load("nosde")
    policy = tmp_path / "policy.json"
    save(Policy.uniform(game), policy, game)
    code, text, _ = run(capsys, "gap", nosde, policy, "--k", 1)
    assert code == 0
    assert "1 plays" in text
    code, text, _ = run(capsys, "gap", nosde, policy, "--k", 1, "--json")
    assert len(json.loads(text)["worst_attack"]) == 2


def test_a_reader_who_leaves_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m arneq_exact games --json | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] in ("0", "141")
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_package_runs_as_a_module(arguments):
    ran = subprocess.run([sys.executable, "-m", "arneq_exact", *arguments], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith((f"arneq {arneq_exact.__version__}\n", "usage: arneq "))


def test_one_version():
    setup = Path(__file__).parents[1] / "setup.cfg"
    parser = configparser.ConfigParser()
    parser.read(setup, encoding="utf-8")
    assert parser["metadata"]["version"] == "attr: arneq_exact.version.__version__"
