"""A finite horizon that is stopped half-way keeps the steps that are solved."""

from __future__ import annotations

import games
import numpy as np

from arneq_exact import ThreatModel, check, solve


def test_interrupted_backward_induction_keeps_its_last_steps(rng):
    game = games.random_game(rng, 2, 4, 3, 0.9)
    lines = []

    def stop(progress):
        lines.append(progress.line)
        if progress.line.startswith("backward induction, 6 of"):
            raise KeyboardInterrupt

    solution = solve(game, ThreatModel(0), horizon=10, progress=stop)
    assert solution.status == "incomplete"
    assert "interrupted" in solution.message
    assert "the last 6 of 10 steps" in solution.message
    assert len(lines) == 6
    assert check(game, solution.certificate, ThreatModel(0)).valid
    whole = solve(game, ThreatModel(0), horizon=10)
    assert whole.proved
    for stopped, finished in zip(solution.policy, whole.policy, strict=True):
        assert np.array_equal(stopped[4:], finished[4:])
        assert np.allclose(stopped[:4], 1 / 3)


def test_the_time_limit_stops_it(rng):
    game = games.random_game(rng, 2, 20, 4, 0.9)
    solution = solve(game, ThreatModel(0), horizon=3000, time_limit=0.5)
    assert solution.status == "incomplete"
    assert "time limit" in solution.message
