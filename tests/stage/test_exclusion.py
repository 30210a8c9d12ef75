"""Proofs of "no": witnesses against supports, and deviations from pure profiles."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import brute_force
import numpy as np
import pytest
from enumeration_oracle import TWO_AGENTS, gap_of

from arneq_exact.errors import InputError, StageError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.enumeration import exclusion
from arneq_exact.stage.enumeration.exclusion import Deviation, excluded_supports, gain, pure_profiles, refutes
from arneq_exact.stage.enumeration.listing import enumerate_equilibria


@pytest.mark.parametrize("name", TWO_AGENTS)
def test_supports_are_realised_or_refuted(rng, name):
    threat = TWO_AGENTS[name]
    counts = (2, 3) if name == "k=0" else (2, 2)
    for high in (3, 100):
        payoffs = rng.integers(0, high, (2, *counts))
        realised, excluded = excluded_supports(payoffs, threat)
        assert realised
        assert all(refutes(payoffs, threat, one) for one in excluded)
        # A witness proves nothing about supports that are realised, and no changed witness does.
        for one in excluded[::9]:
            assert not any(refutes(payoffs, threat, replace(one, supports=real)) for real in realised)
            (first, *others), *rest = one.weights
            spoilt = replace(one, weights=((first + 1, *others), *rest))
            assert not refutes(payoffs, threat, spoilt)
        agents = {supports[:2] for supports in realised}
        for equilibrium in enumerate_equilibria(payoffs, threat).equilibria:
            assert tuple(tuple(np.flatnonzero(x > 0).tolist()) for x in equilibrium.policy) in agents


def test_zero_weights_refute_nothing():
    payoffs = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    one = excluded_supports(payoffs, ThreatModel(0))[1][0]
    nothing = replace(one, weights=tuple(tuple(Fraction(0) for _ in part) for part in one.weights))
    assert not refutes(payoffs, ThreatModel(0), nothing)
    negative = replace(one, weights=tuple(tuple(-w for w in part) for part in one.weights))
    assert not refutes(payoffs, ThreatModel(0), negative)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_pure_profiles_and_deviations(rng, k):
    threat = ThreatModel(k)
    for payoffs in (rng.integers(-2, 3, (3, 2, 3, 2)), rng.uniform(-1, 1, (3, 2, 2, 2))):
        found, deviations = pure_profiles(payoffs, threat)
        counts = payoffs.shape[1:]
        assert sorted([*found, *(one.profile for one in deviations)]) == list(np.ndindex(*counts))
        for profile in found:
            mixtures = [np.eye(count)[a] for count, a in zip(counts, profile, strict=True)]
            assert gap_of(payoffs.astype(float), threat, mixtures) <= 1e-9
        for one in deviations:
            assert gain(payoffs, threat, one) > 0
            mixtures = [np.eye(count)[a] for count, a in zip(counts, one.profile, strict=True)]
            attacks = list(brute_force.columns(threat, 3, one.agent, counts))
            table = brute_force.matrix(payoffs[one.agent].astype(float), mixtures, one.agent, attacks)
            better = np.array(one.mixture, dtype=float) @ table
            gained = better.min() - table[one.profile[one.agent]].min()
            assert gained == pytest.approx(float(gain(payoffs, threat, one)), abs=1e-12)


def test_deviations_that_are_none():
    pennies = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
    stay = Deviation((0, 0), 0, (Fraction(1), Fraction(0)))
    assert gain(pennies, ThreatModel(0), stay) == 0
    with pytest.raises(InputError, match="gain: mixture is"):
        gain(pennies, ThreatModel(0), replace(stay, mixture=(Fraction(2), Fraction(-1))))


def test_what_has_no_witnesses_is_refused_by_name(monkeypatch):
    for k in range(3):
        with pytest.raises(InputError, match=f"n = 3 agents under k = {k} have no witnesses for supports"):
            excluded_supports(np.zeros((3, 2, 2, 2)), ThreatModel(k))
    with pytest.raises(InputError, match="n = 1 agents under k = 0 have no witnesses for supports"):
        excluded_supports(np.zeros((1, 2)), ThreatModel(0))
    monkeypatch.setattr(exclusion, "PATTERNS", 8)
    with pytest.raises(StageError, match="over 8 patterns of supports"):
        excluded_supports(np.zeros((2, 2, 2)), ThreatModel(0))
