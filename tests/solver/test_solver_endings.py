"""How a solve can end early: interrupts, time limits, solvers that break down."""

from __future__ import annotations

import itertools
import re

import games
import numpy as np
import pytest
from solution_promises import verify

from arneq_exact import catalog, check, gap, solve
from arneq_exact.errors import StageError
from arneq_exact.markov.candidates import Candidate
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver import registry


class Interrupts:
    """A progress callback that presses Ctrl-C at the n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.seen = []

    def __call__(self, progress) -> None:
        self.seen.append(progress)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_an_interrupt_gives_the_best_policy_so_far(calls):
    game = games.nosde()
    progress = Interrupts(calls)
    solution = solve(game, ThreatModel(0), progress=progress)
    assert solution.status == "incomplete"
    assert "interrupted" in solution.message
    assert len(progress.seen) == calls
    verify(game, ThreatModel(0), solution)
    if calls == 1:
        # Before any candidate: the uniform policy, with its gap.
        assert solution.policy == Policy.uniform(game)
        assert solution.method == "none"
        assert solution.trace == ()
    else:
        # The profile at hand, or something better that was judged before.
        assert solution.policy != Policy.uniform(game)
        assert solution.method == "stage-policy-iteration"
        best = min([entry.relative_gap for entry in solution.trace], default=np.inf)
        assert max(solution.relative_gap) <= best * (1 + 1e-6)


@pytest.mark.parametrize("discount", [0.9, 0.999])
def test_an_interrupted_barrier_path_leaves_its_last_point(discount):
    game = catalog.load("random-dense", seed=3, agents=3, states=4, actions=2, discount=discount)
    threat = ThreatModel(1)

    def stop(progress):
        reached = re.search(r"parameter ([0-9.e+-]+),", progress.line)
        if reached and float(reached[1]) <= 1e-2:
            raise KeyboardInterrupt

    solution = solve(game, threat, method="barrier", progress=stop)
    assert solution.status == "incomplete"
    assert "interrupted" in solution.message
    assert "barrier path 1, stopped at parameter" in solution.message
    # No candidate was met before: this is the path's own point.
    assert solution.trace == ()
    flat = gap(game, threat, Policy.uniform(game))
    assert (solution.gap.max(axis=1) <= 0.2 * flat.max(axis=1)).all()
    verify(game, threat, solution)


def test_an_interrupt_in_a_finite_horizon():
    solution = solve(games.nosde(), ThreatModel(0), horizon=3, progress=Interrupts(1))
    assert solution.status == "incomplete"
    # The last step is solved; before it everyone plays uniformly.
    uniform = Policy.uniform(games.nosde(), 3)
    assert all((mine[:2] == flat[:2]).all() for mine, flat in zip(solution.policy, uniform, strict=True))
    assert solution.policy != uniform
    assert check(games.nosde(), solution.certificate, ThreatModel(0)).valid


@pytest.mark.parametrize("method", ["auto", "procedure", "barrier", "stage-policy-iteration"])
def test_the_time_limit_ends_every_method(method):
    game = games.nosde()
    solve(game, ThreatModel(0))  # kernels are compiled outside the limit
    solution = solve(game, ThreatModel(0), method=method, time_limit=1e-9)
    assert solution.status == "incomplete"
    assert "the time limit of 1e-09 s was reached" in solution.message
    assert solution.seconds < 5
    verify(game, ThreatModel(0), solution)


def test_progress_tells_method_line_best_proved_and_seconds(monkeypatch):
    monkeypatch.setattr("arneq_exact.solver.clock.PROOF_INTERVAL", 0.0)
    monkeypatch.setattr("arneq_exact.solver.clock.PROOF_SHARE", 0.0)
    lines = []
    solution = solve(games.nosde(), ThreatModel(0), progress=lines.append)
    assert lines[0].proved == np.inf
    assert all(later.proved <= earlier.proved for earlier, later in itertools.pairwise(lines))
    # What is proved follows what is judged at once, and can only be a little larger.
    best, proved = (np.array([getattr(line, name) for line in lines]) for name in ("best", "proved"))
    judged = np.isfinite(best)
    assert judged.any()
    np.testing.assert_allclose(proved[judged], best[judged], rtol=1e-6)
    assert solution.proved
    assert lines[0].best == np.inf
    assert lines[0].method == "stage-policy-iteration"
    assert all(later.seconds >= earlier.seconds for earlier, later in itertools.pairwise(lines))
    assert all(later.best <= earlier.best for earlier, later in itertools.pairwise(lines))
    assert {line.method for line in lines} <= {entry.name for entry in registry.SOLVERS}
    assert all(line.line for line in lines)


@pytest.mark.parametrize("error", [StageError("no method solved game 0"), np.linalg.LinAlgError("no SVD")])
def test_a_solver_that_breaks_down_is_abandoned(monkeypatch, rng, error):
    game = games.random_game(rng, 2, 2, 2, 0.5)

    def breaks(problem):
        yield Candidate(Policy.uniform(game), 0, "uniform policy")
        raise error

    broken = type(registry.SOLVERS[0])(**{**vars(registry.SOLVERS[0]), "name": "broken", "run": breaks})
    monkeypatch.setattr("arneq_exact.solver.solve.SOLVERS", (broken,))
    solution = solve(game, ThreatModel(1))
    assert solution.status == "incomplete"
    assert f"broken was abandoned: {error}" in solution.message
    verify(game, ThreatModel(1), solution)
    # The next one is still asked.
    monkeypatch.setattr("arneq_exact.solver.solve.SOLVERS", (broken, *registry.SOLVERS))
    assert solve(game, ThreatModel(1)).proved


def test_a_stage_solver_that_fails_everywhere_leaves_the_uniform_policy(monkeypatch):
    """Backward induction and maximin need stage games: nothing escapes when they fail."""

    def fails(*arguments, **options):
        raise StageError("no method solved game 0")

    monkeypatch.setattr("arneq_exact.stage.solve.StageSolver.solve", fails)
    solution = solve(games.nosde(), ThreatModel(0), horizon=2)
    assert solution.status == "incomplete"
    assert "backward-induction was abandoned: no method solved game 0" in solution.message
    assert solution.policy == Policy.uniform(games.nosde(), 2)
