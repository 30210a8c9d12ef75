"""What a Solution promises, for the tests of the front door."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact import check, gap, robust_values


def same_bits(first, second) -> bool:
    return all(a.tobytes() == b.tobytes() and a.shape == b.shape for a, b in zip(first, second, strict=True))


def verify(game, threat, solution, tol=1e-8) -> None:
    """What a Solution promises, field by field."""
    certificate = solution.certificate
    assert check(game, certificate, threat).valid
    assert check(game, certificate, threat).epsilon == solution.epsilon
    assert same_bits(solution.policy, certificate.policy)
    np.testing.assert_array_equal(solution.values, certificate.lower.astype(np.float64))
    units = game.exact_reward_range()
    for bound, unit, relative in zip(solution.epsilon, units, solution.relative_gap, strict=True):
        assert Fraction(relative) >= bound / unit
        assert relative <= float(bound / unit) * (1 + 1e-15) + 1e-300
    expected = "incomplete"
    if max(solution.relative_gap) <= tol:
        expected = "certified" if any(solution.epsilon) else "exact"
    assert solution.status == expected
    assert solution.proved == (expected != "incomplete")
    floats = gap(game, threat, solution.policy)
    assert solution.gap.shape == floats.shape
    # `gap` itself is in doubles: its linear systems lose up to a unit in the last place times 1 / (1 - β);
    # how much of that depends on the processor's routines.
    loss = 1e-13
    if certificate.horizon is None:
        loss = max(loss, np.finfo(float).eps / (1 - game.contraction.max()))
    assert (solution.gap >= floats - loss * np.abs(solution.values).max()).all()
    assert (solution.gap <= [[float(e) * (1 + 1e-12) + 1e-300] for e in solution.epsilon]).all()
    own = robust_values(game, threat, solution.policy)
    # Doubles lose 1 / (1 - β) in a linear system of values.
    lost = 1e-12 if certificate.horizon is not None else max(1e-12, 2e-15 / (1 - game.contraction.max()))
    slack = solution.gap.max() + lost * max(1.0, np.abs(own).max())
    assert np.abs(own - solution.values).max() <= slack
    assert len(solution.attack) == game.n_agents
    assert solution.seconds > 0
    assert solution.iterations >= 0
