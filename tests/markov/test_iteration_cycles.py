"""The model-based procedure where it fails: cycles, and how they are told from convergence [T8]."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import iterate
from arneq_exact.markov.cycle_watch import CycleWatch
from arneq_exact.model.threat import ThreatModel


def test_nosde_cycles_without_corruption():
    """[T8] (iii): an exact 5-cycle from 0."""
    result = iterate(games.nosde(), ThreatModel(0))
    assert result.status == "cycle"
    assert result.cycle.period == 5
    values = result.trace.values
    np.testing.assert_allclose(values[-1], values[-6], rtol=0, atol=1e-9)
    orbit = values[-5:]
    amplitude = (orbit.max(axis=0) - orbit.min(axis=0)).max()
    assert result.cycle.amplitude == pytest.approx(amplitude, abs=1e-12)
    assert amplitude > 4
    # Each state has one mover: it earns its maximum, so it is always of type A.
    assert (result.trace.types[:, 0, 0] & 1).all()
    assert (result.trace.types[:, 1, 1] & 1).all()
    # Were every state of type B′, or of type A, throughout, it would contract.
    assert not (result.trace.types & 1).all()
    assert not (result.trace.types & 2).all()
    words = result.trace.type_names(0)
    assert {word for row in words for word in row} <= {"A", "B′", "A and B′", "neither"}


def test_the_cycle_is_run_through_by_hand():
    """The orbit from 0, stage by stage: in each state the mover takes its better action."""
    values = np.zeros((2, 2))
    keep, send = [(1, 0), (3, 1)], [(0, 3), (0, 0)]
    following = {0: (0, 1), 1: (1, 0)}
    result = iterate(games.nosde(), ThreatModel(0), max_iterations=30)
    for step in range(30):
        new = np.empty((2, 2))
        for state, mover in ((0, 0), (1, 1)):
            options = [
                [pay[state][i] + 0.75 * values[i, following[state][a]] for i in range(2)]
                for a, pay in enumerate((keep, send))
            ]
            assert options[0][mover] != options[1][mover]
            new[:, state] = max(options, key=lambda pair: pair[mover])
        values = new
        np.testing.assert_allclose(result.trace.values[step + 1], values, rtol=0, atol=1e-12)


def test_cycle_watch_wants_a_whole_period():
    watch = CycleWatch()
    orbit = [np.array([[0.0]]), np.array([[1.0]]), np.array([[0.5]])]
    seen = [watch.see(orbit[step % 3]) for step in range(7)]
    assert seen[:5] == [None] * 5
    assert (seen[5].period, seen[5].amplitude) == (3, 1.0)


def test_cycle_watch_is_not_fooled():
    watch = CycleWatch()
    assert all(watch.see(np.array([[0.9**t]])) is None for t in range(200))
    watch = CycleWatch()
    assert all(watch.see(np.array([[1.0, 2.0]])) is None for _ in range(200))
    # Equal sums are not equal values.
    watch = CycleWatch()
    assert all(watch.see(np.array([[float(t), -float(t)]])) is None for t in range(200))
    watch = CycleWatch()
    assert all(watch.see(np.array([[float(t % 65)]])) is None for t in range(300))


def test_cycle_watch_finds_slow_convergence_no_cycle():
    """A damped oscillation returns near its start only when it is over."""
    watch = CycleWatch()
    seen = (t for t in range(3000) if watch.see(np.array([[1 + 0.99**t * (-1) ** t]])) is not None)
    assert 0.99 ** next(seen) < 1e-8
