"""M_i^π and the play it induces, against loops over K, a_K and everyone else's actions."""

from __future__ import annotations

from itertools import pairwise, product

import games
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.oracle import definition
from arneq_exact.stage.robust import joint_play, robust_matrix

COUNTS = [(1,), (4,), (2, 3), (3, 1), (2, 3, 2), (1, 2, 3), (2, 1, 3, 2)]


def every_threat(n: int) -> dict[str, ThreatModel]:
    return games.threats(n) | (games.general_threats(n) if n > 1 else {})


def attackers(threat: ThreatModel, counts) -> tuple[Attacker, ...]:
    return attackers_at(threat, counts, 0).of


CASES = [(counts, name) for counts in COUNTS for name in every_threat(len(counts))]


def by_definition(corruptions: tuple[Corruption, ...], counts, faced: int):
    """The attacks of the columns of agent `faced`, in canonical order."""
    for corruption in corruptions:
        law = {agent: dict(corruption.weights) if agent == faced else {(): 1} for agent in range(len(counts))}
        masks = {agent: {0: list(allowed)} for agent, allowed in corruption.allowed} or None
        alone = ThreatModel(distribution=law, informed=corruption.informed, masks=masks)
        yield from definition.pure_attacks(alone, counts, faced, 0)


def batch(rng, counts, size=2):
    payoff = rng.uniform(-1, 1, (size, *counts))
    policy = [rng.dirichlet(np.ones(count), size) for count in counts]
    return payoff, policy


@pytest.mark.parametrize(("counts", "name"), CASES)
def test_matrix_equals_enumeration(rng, counts, name):
    threat = every_threat(len(counts))[name]
    payoff, policy = batch(rng, counts)
    for agent in range(len(counts)):
        attacker = attackers(threat, counts)[agent]
        found = robust_matrix(payoff, policy, attacker)
        attacks = list(by_definition(attacker.points, counts, agent))
        assert found.shape == (2, counts[agent], len(attacks))
        assert attacker.width == len(attacks)
        for state in range(2):
            mixtures = [mixture[state] for mixture in policy]
            expected = definition.columns_of(payoff[state], mixtures, agent, attacks)
            np.testing.assert_allclose(found[state], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("counts", "name"), CASES)
def test_reduced_columns_lose_no_attack(rng, counts, name):
    """[T1]: the largest sets suffice, smaller listed ones add nothing."""
    n = len(counts)
    threat = every_threat(n)[name]
    payoff, policy = batch(rng, counts, 1)
    mixtures = [mixture[0] for mixture in policy]
    for agent in range(n):
        found = robust_matrix(payoff, policy, attackers(threat, counts)[agent])[0]
        every = definition.columns_of(
            payoff[0], mixtures, agent, list(definition.pure_attacks(threat, counts, agent, 0))
        )
        own = mixtures[agent]
        assert (own @ found).min() == pytest.approx((own @ every).min(), abs=1e-14)
        assert definition.maximin(found)[0] == pytest.approx(definition.maximin(every)[0], abs=1e-10)


@pytest.mark.parametrize(("counts", "name"), CASES)
def test_joint_play_is_what_the_matrix_pays(rng, counts, name):
    n = len(counts)
    threat = every_threat(n)[name]
    payoff, policy = batch(rng, counts, 3)
    for agent in range(n):
        attacker = attackers(threat, counts)[agent]
        matrix = robust_matrix(payoff, policy, attacker)
        response = rng.dirichlet(np.ones(counts[agent]), 3)
        attack = rng.dirichlet(np.ones(matrix.shape[2]), 3)
        play = joint_play(response, policy, attack, attacker)
        assert play.shape == (3, *counts)
        assert (play >= 0).all()
        np.testing.assert_allclose(play.reshape(3, -1).sum(axis=1), 1, rtol=0, atol=1e-14)
        paid = (play * payoff).reshape(3, -1).sum(axis=1)
        np.testing.assert_allclose(
            paid, np.einsum("ba,bac,bc->b", response, matrix, attack), rtol=0, atol=1e-14
        )
        # The agent itself plays its response whatever the attack.
        others = tuple(j + 1 for j in range(n) if j != agent)
        np.testing.assert_allclose(play.sum(axis=others), response, rtol=0, atol=1e-14)


def test_joint_play_of_nested_sets_by_definition(rng):
    """A distribution over {} , {1}, {1, 2}: agent 2 plays π unless both are drawn."""
    threat = games.threats(3)["distribution with nested sets"]
    counts = (2, 2, 3)
    attacker = attackers(threat, counts)[0]
    (corruption,) = attacker.points
    _, policy = batch(rng, counts, 1)
    response = rng.dirichlet(np.ones(2), 1)
    attack = rng.dirichlet(np.ones(6), 1)
    expected = np.zeros(counts)
    for column, (b, c) in enumerate(product(range(2), range(3))):
        for K, weight in corruption.weights:
            second = np.eye(2)[b] if 1 in K else policy[1][0]
            third = np.eye(3)[c] if 2 in K else policy[2][0]
            expected += (
                float(weight) * attack[0, column] * np.einsum("a,b,c->abc", response[0], second, third)
            )
    found = joint_play(response, policy, attack, attacker)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


def test_column_order_by_hand():
    """n = 3, agent 1, k = 1: first agent 0's actions, then agent 2's; agent 1's own policy is not read."""
    payoff = np.arange(12.0).reshape(1, 2, 2, 3)
    nobody = np.full((1, 2), np.nan)
    policy = [np.array([[1.0, 0.0]]), nobody, np.array([[0.0, 0.0, 1.0]])]
    attacker = attackers(ThreatModel(1), (2, 2, 3))[1]
    assert attacker.sizes == (2, 3)
    found = robust_matrix(payoff, policy, attacker)[0]
    for action in range(2):
        expected = [payoff[0, a, action, 2] for a in range(2)] + [payoff[0, 0, action, c] for c in range(3)]
        assert found[action].tolist() == expected


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_corrupting_more_never_helps_the_agent(seed, n):
    """[T5] for one stage: min over columns and maximin are non-increasing in k; k = n−1 ignores π."""
    rng = np.random.default_rng(seed)
    counts = tuple(int(c) for c in rng.integers(1, 4, n))
    payoff, policy = batch(rng, counts, 1)
    _, elsewhere = batch(rng, counts, 1)
    agent = int(rng.integers(n))
    tables = [robust_matrix(payoff, policy, attackers(ThreatModel(k), counts)[agent])[0] for k in range(n)]
    own = [float((policy[agent][0] @ table).min()) for table in tables]
    best = [definition.maximin(table)[0] for table in tables]
    assert all(more <= less + 1e-12 for less, more in pairwise(own))
    assert all(more <= less + 1e-9 for less, more in pairwise(best))
    last = robust_matrix(payoff, elsewhere, attackers(ThreatModel(n - 1), counts)[agent])[0]
    assert (tables[-1] == last).all()
    assert (tables[0] == tables[0][:, :1]).all()


@pytest.mark.parametrize("n", [2, 3, 4])
def test_probability_is_a_mixture_of_benign_and_corrupted(rng, n):
    """[T10]: column (1 − ρ) M_∅ + ρ M_c."""
    counts = tuple(int(c) for c in rng.integers(2, 4, n))
    payoff, policy = batch(rng, counts)
    for k in range(1, n):
        benign, corrupted, mixed = (
            robust_matrix(payoff, policy, attackers(threat, counts)[0])
            for threat in (ThreatModel(0), ThreatModel(k), ThreatModel(k, probability=0.3))
        )
        np.testing.assert_allclose(mixed, 0.7 * benign + 0.3 * corrupted, rtol=0, atol=1e-15)
