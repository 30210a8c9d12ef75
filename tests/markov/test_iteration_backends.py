"""The model-based procedure by its two backends."""

from __future__ import annotations

import subprocess
import sys

import games
import numpy as np
import pytest

from arneq_exact import iterate
from arneq_exact.model.threat import ThreatModel

COMPILED = {"simplex", "highs", "lemke_howson", "support_enumeration", "lemke", "exact_simplex"}


@pytest.mark.parametrize(
    ("build", "threat", "library", "steps"),
    [
        (lambda rng: games.nosde(), ThreatModel(0), "nashpy", 12),
        (lambda rng: games.nosde(), ThreatModel(1), "cvxpy", 12),
        (lambda rng: games.nosde(), ThreatModel(1, probability="1/2"), "cvxpy", 6),
        (lambda rng: games.zero_sum_game(rng, 3, 3, 0.8), ThreatModel(0), "nashpy", 12),
        (lambda rng: games.random_game(rng, 3, 2, 2, 0.8), ThreatModel(2), "cvxpy", 12),
        (lambda rng: games.random_game(rng, 1, 3, 3, 0.8), ThreatModel(0), "cvxpy", 12),
    ],
)
def test_reference_backend_reproduces_the_trace(rng, build, threat, library, steps):
    """Where stage values are unique both backends go the same way; the reference uses its libraries."""
    game = build(rng)
    reference = iterate(game, threat, backend="reference", max_iterations=steps)
    compiled = iterate(game, threat, max_iterations=steps)
    scale = max(1.0, float(np.abs(compiled.trace.values).max()))
    np.testing.assert_allclose(reference.trace.values, compiled.trace.values, rtol=0, atol=1e-9 * scale)
    assert reference.calls[library] > 0
    assert set(reference.calls) <= {"nashpy", "cvxpy"}
    assert set(compiled.calls) <= COMPILED
    assert sum(compiled.calls.values()) > 0
    # At least one call for every state and iteration that is solved.
    assert sum(reference.calls.values()) >= steps


WITHOUT_KERNELS = """
import sys

sys.modules["numba"] = None
from arneq_exact import MarkovGame, ThreatModel, iterate

rewards = [[1, 0], [0, 3], [3, 1], [0, 0]]
moves = [[(1, 0)], [(1, 1)], [(1, 1)], [(1, 0)]]
nosde = MarkovGame.from_rows([[2, 1], [1, 2]], rewards, moves, 0.75)
for threat in (ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/2")):
    for selection in ("first", "nearest", "welfare") if threat.k == 0 else ("first",):
        result = iterate(nosde, threat, backend="reference", selection=selection, max_iterations=2)
        assert set(result.calls) <= {"nashpy", "cvxpy"}, result.calls
print("done")
"""


def test_the_reference_backend_runs_without_the_kernels_at_all():
    """Types in the trace included: numba cannot even be imported."""
    ran = subprocess.run([sys.executable, "-c", WITHOUT_KERNELS], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "done", ran.stderr
