"""A run is resumed from the best profile of an earlier one, and is never worse than it."""

from __future__ import annotations

import json

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, catalog, check, gap, iterate, save, solve
from arneq_exact.cli import main
from arneq_exact.errors import ArneqError
from arneq_exact.markov import resume, stage_policy_iteration
from arneq_exact.markov.candidates import Problem

THREATS = {"nash": ThreatModel(0), "robust": ThreatModel(1)}


def relative_gap(game, threat, policy):
    gaps = gap(game, threat, policy)
    return float((gaps.reshape(-1, *gaps.shape[-2:]).max(axis=(0, 2)) / game.reward_range).max())


def near(game, policy, by):
    """A policy that mixes with uniform play."""
    flat = Policy.uniform(game, policy.horizon)
    return Policy(game, [(1 - by) * x + by * y for x, y in zip(policy, flat, strict=True)])


def stops_at(calls):
    seen = []

    def progress(line):
        seen.append(line)
        if len(seen) >= calls:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("calls", [1, 3, 6])
@pytest.mark.parametrize("threat", THREATS.values(), ids=THREATS)
def test_an_interrupted_run_is_resumed_and_proved(threat, calls, rng):
    game = games.random_game(rng, 3, 4, 2, 0.9)
    stopped = solve(game, threat, progress=stops_at(calls))
    assert "interrupted" in stopped.message or stopped.proved
    resumed = solve(game, threat, start=stopped)
    assert resumed.proved, resumed.message
    assert resumed.trace[0].method == resume.METHOD
    assert resumed.trace[0].relative_gap == pytest.approx(max(stopped.relative_gap), rel=1e-6, abs=1e-9)
    assert check(game, resumed.certificate, threat).valid


def test_a_run_stopped_by_the_clock_is_resumed():
    game = catalog.load("nosde")
    stopped = solve(game, ThreatModel(0), time_limit=1e-9)
    assert stopped.status == "incomplete"
    resumed = solve(game, ThreatModel(0), start=stopped)
    assert resumed.proved
    assert resumed.status == solve(game, ThreatModel(0)).status


@pytest.mark.parametrize("n", [2, 3])
def test_a_proved_start_is_proved_at_once(rng, n):
    game = games.random_game(rng, n, 4, 2, 0.9)
    whole = solve(game, ThreatModel(1))
    again = solve(game, ThreatModel(1), start=whole)
    assert again.proved
    assert (again.method, again.message, len(again.trace)) == ("start", "the given start", 1)
    assert again.policy.distance(whole.policy) < 1e-12


def test_a_near_start_is_polished_first(rng):
    game = games.random_game(rng, 3, 4, 2, 0.9)
    whole = solve(game, ThreatModel(1))
    again = solve(game, ThreatModel(1), start=near(game, whole.policy, 1e-7))
    assert again.proved
    assert again.message.startswith("the given start with polish; start offered 1 candidate before, ")
    assert again.policy.distance(whole.policy) < 1e-6


@pytest.mark.parametrize("limit", [1e-9, 1e-3])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("horizon", [None, 6])
def test_never_worse_than_its_start(rng, horizon, limit, exact):
    game = games.random_game(rng, 2, 3, 3, 0.9)
    whole = solve(game, ThreatModel(0), horizon=horizon)
    start = near(game, whole.policy, 1e-3)
    worst = relative_gap(game, ThreatModel(0), start)
    assert worst > 1e-8
    for progress in (None, stops_at(1), stops_at(2), stops_at(3)):
        again = solve(
            game,
            ThreatModel(0),
            horizon=horizon,
            start=start,
            time_limit=limit,
            exact=exact,
            progress=progress,
        )
        assert max(again.relative_gap) <= worst * (1 + 1e-6)
        assert check(game, again.certificate, ThreatModel(0)).valid


def test_stage_policy_iteration_begins_from_the_start(rng):
    game = games.random_game(rng, 3, 4, 2, 0.9)
    whole = solve(game, ThreatModel(1))
    problem = Problem(game, ThreatModel(1), start=near(game, whole.policy, 1e-2))
    first = next(stage_policy_iteration.run(problem))
    assert first.note.endswith("from the given start")
    assert first.policy.distance(whole.policy) < 1e-6


def test_a_finite_horizon_keeps_the_steps_that_are_solved(rng):
    game = games.random_game(rng, 2, 4, 3, 0.9)
    lines = []

    def stop(progress):
        if progress.line.startswith("backward induction, 6 of"):
            raise KeyboardInterrupt

    stopped = solve(game, ThreatModel(0), horizon=10, progress=stop)
    resumed = solve(game, ThreatModel(0), horizon=10, start=stopped, progress=lines.append)
    assert resumed.proved
    assert any("6 of 10 steps of the given start are kept" in line.line for line in lines)
    assert not any("7 of 10 steps of the given start" in line.line for line in lines)
    for mine, theirs in zip(resumed.policy, stopped.policy, strict=True):
        assert np.allclose(mine[4:], theirs[4:], atol=1e-15)
    # Stopped once more, it went on from there, and nothing was lost.
    further = []

    def later(progress):
        further.append(progress.line)
        if progress.line.startswith("backward induction, 8 of 10 steps"):
            raise KeyboardInterrupt

    twice = solve(game, ThreatModel(0), horizon=10, start=stopped, progress=later)
    solved = [line for line in further if line.startswith("backward induction")]
    assert [int(line.split()[2]) for line in solved] == list(range(1, 9))
    assert ["kept" in line for line in solved] == [True] * 6 + [False] * 2
    assert max(twice.relative_gap) <= max(stopped.relative_gap)


def test_a_policy_of_the_procedure_is_a_start():
    game = catalog.load("nosde")
    run = iterate(game, ThreatModel(0))
    assert solve(game, ThreatModel(0), start=run.policy).proved


def wrong_starts():
    game = catalog.load("nosde")
    other = MarkovGame.one_shot([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
    yield "policy", {"start": 3}, "start is int; must be a Policy or a Solution"
    yield "arrays", {"start": [[[1.0]]]}, "start is list; must be a Policy or a Solution"
    yield "size", {"start": Policy.uniform(other)}, "solve: start: policy was made for a game of other sizes"
    yield "horizon", {"start": Policy.uniform(game, 3)}, "start is for 3 steps; must be stationary"
    yield "stationary", {"start": Policy.uniform(game), "horizon": 3}, "is stationary; must be for 3 steps"
    yield "steps", {"start": Policy.uniform(game, 2), "horizon": 3}, "is for 2 steps; must be for 3 steps"


@pytest.mark.parametrize(
    ("options", "text"), [pytest.param(*rest, id=name) for name, *rest in wrong_starts()]
)
def test_wrong_starts_are_refused_in_one_line(options, text):
    with pytest.raises(ArneqError, match=text) as raised:
        solve(catalog.load("nosde"), ThreatModel(0), **options)
    assert "\n" not in str(raised.value)


def test_the_command_line_begins_from_files(tmp_path, capsys):
    game = catalog.load("nosde")
    solution, policy, other = (str(tmp_path / name) for name in ("s.json", "p.json", "o.json"))
    assert main(["solve", "nosde", "--time-limit", "1e-9", "--out", solution]) == 3
    capsys.readouterr()
    save(Policy.uniform(game), policy, game)
    for file in (solution, policy):
        assert main(["solve", "nosde", "--start", file, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["trace"][0][:2] == ["start", "the given start"]
    climbing = catalog.load("climbing")
    save(Policy.uniform(climbing), other, climbing)
    for file in (other, str(tmp_path / "missing.json")):
        assert main(["solve", "nosde", "--start", file]) == 2
        error = capsys.readouterr().err
        assert error.startswith("arneq solve: ")
        assert error.count("\n") == 1
