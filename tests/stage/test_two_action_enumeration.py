"""All stage ARNEQ of agents with two actions each: odd numbers, known sets, admitted continua."""

from __future__ import annotations

from itertools import product

import games
import numpy as np
import pytest
from enumeration_oracle import TWO_AGENTS, gap_of, profiles_of

from arneq_exact.attackers.stage_attackers import StageAttackers, stage_attackers
from arneq_exact.attackers.stage_class import Enumeration
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.enumeration.listing import enumerate_equilibria, enumerate_under


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1), ThreatModel(2, probability="1/3")])
def test_three_agents_odd_and_complete(rng, threat):
    for _ in range(25):
        payoffs = rng.uniform(-1, 1, (3, 2, 2, 2))
        found = enumerate_equilibria(payoffs, threat)
        assert found.completeness == "complete"
        assert len(found) % 2 == 1
    for one in found.equilibria:
        assert gap_of(payoffs, threat, one.policy) <= 1e-9


def test_four_agents_and_lone_actions(rng):
    found = enumerate_equilibria(rng.uniform(-1, 1, (4, 2, 2, 2, 2)), ThreatModel(1))
    assert (found.completeness, len(found) % 2) == ("complete", 1)
    for counts in [(2, 1, 2), (1, 2, 2, 1), (1, 1, 1)]:
        payoffs = rng.uniform(-1, 1, (len(counts), *counts))
        found = enumerate_equilibria(payoffs, ThreatModel(1))
        assert (found.completeness, len(found) % 2) == ("complete", 1)
        for one in found.equilibria:
            assert [len(x) for x in one.policy] == list(counts)
            assert gap_of(payoffs, ThreatModel(1), one.policy) <= 1e-9


def test_both_algorithms_agree_where_both_apply(rng, monkeypatch):
    """Two agents with two actions: bisection against vertices in integers."""
    for name in ("k=0", "rho", "one-sided"):
        for _ in range(10):
            payoffs = rng.uniform(-1, 1, (2, 2, 2))
            exact = enumerate_equilibria(payoffs, TWO_AGENTS[name])
            attackers = StageAttackers((2, 2), stage_attackers(TWO_AGENTS[name], (2, 2)).points, name)
            monkeypatch.setattr(attackers, "enumeration", Enumeration.TWO_ACTIONS)
            bisected = enumerate_under(payoffs, attackers)
            assert bisected.equilibria[0].exact is None
            assert profiles_of(bisected) == profiles_of(exact)


def test_a_dummy_third_agent_changes_nothing(rng):
    for _ in range(5):
        pair = rng.uniform(-1, 1, (2, 2, 2))
        payoffs = np.zeros((3, 2, 2, 2))
        payoffs[:2] = pair[..., None]
        payoffs[2, :, :, 1] = 1.0
        two = {one[:4] for one in profiles_of(enumerate_equilibria(pair, ThreatModel(0)))}
        three = {one[:4] for one in profiles_of(enumerate_equilibria(payoffs, ThreatModel(0)))}
        assert two == three


def test_families_with_known_sets():
    """[F2], [F3], [T5]"""
    good = games.public_good(3, 1, 3.0, 1.0).rewards.T.reshape(3, 2, 2, 2)
    pure = [p for p in product(range(2), repeat=3) if sum(p) == 2]
    found = enumerate_equilibria(good, ThreatModel(1))
    corners = {one for one in profiles_of(found) if set(one) <= {0.0, 1.0}}
    assert corners == {tuple(float(b) for a in p for b in (1 - a, a)) for p in pure}
    unanimity = np.zeros((3, 2, 2, 2))
    unanimity[:, 0, 0, 0], unanimity[:, 1, 1, 1] = 1.0, 4.0
    found = enumerate_equilibria(unanimity, ThreatModel(1))
    symmetric = np.array([2, 1]) / 3
    mixed = [one for one in found.equilibria if all(np.allclose(x, symmetric, atol=1e-9) for x in one.policy)]
    assert len(mixed) == 1
    np.testing.assert_allclose(mixed[0].values, 4 / 9, atol=1e-9)


def test_continua_of_three_agents_are_admitted():
    constant = enumerate_equilibria(np.ones((3, 2, 2, 2)), ThreatModel(1))
    assert constant.completeness in ("isolated only", "incomplete")
    assert len(constant) == 8
    assert len(constant.undecided) > 0
    # Agent 2 is indifferent everywhere, the others have strict preferences: a segment from corner to corner.
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0, 1], payoffs[2, :, :, 1] = 1.0, 1.0
    segment = enumerate_equilibria(payoffs, ThreatModel(1))
    assert segment.completeness == "isolated only"
    assert profiles_of(segment) == {(0.0, 1.0, 1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0, 0.0, 1.0)}
    low, high = segment.undecided.min(axis=(0, 1)), segment.undecided.max(axis=(0, 1))
    assert low.tolist() == [1.0, 0.0, 1.0]
    assert high.tolist() == [1.0, 1.0, 1.0]


def test_the_discontinuity():
    """[T8] (i): the only value of agent 1 jumps from 1 to 0."""
    for k, (sign, value) in product((0, 1), ((1.0, 1.0), (-1.0, 0.0))):
        payoffs = np.zeros((3, 2, 2, 2))
        a1, a2, a3 = np.indices((2, 2, 2))
        payoffs[0] = ((a2 == 1) | (a3 == 1)) - 0.1 * a1
        payoffs[1], payoffs[2] = sign * 1e-3 * a2, sign * 1e-3 * a3
        found = enumerate_equilibria(payoffs, ThreatModel(k))
        assert [one.values[0] for one in found.equilibria] == [value]
