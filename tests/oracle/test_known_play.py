"""The oracle itself: answers known on paper, and policies that it must not accept."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import catalog
from arneq_exact.catalog.policies import one_state, tabulated
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle
from arneq_exact.oracle import definition


def test_stage_maximin_of_a_known_matrix():
    value, mixture = definition.maximin(np.array([[3.0, -1.0], [-1.0, 1.0]]))
    assert value == pytest.approx(1 / 3, abs=1e-12)
    assert mixture == pytest.approx([1 / 3, 2 / 3], abs=1e-10)


@pytest.mark.parametrize("shape", [(2, 7), (4, 4), (5, 12)])
def test_maximins_agree_with_linprog(rng, shape):
    """By extreme strategies where those are few; beyond, by equations on the support that HiGHS finds."""
    table = rng.uniform(-1, 1, shape)
    value, mixture = definition.maximin(table)
    assert value == pytest.approx(definition.matrix_game_value(table), abs=1e-9)
    assert value == pytest.approx((mixture @ table).min(), abs=1e-14)


def test_a_stage_attack_may_be_the_empty_set():
    assert list(definition.pure_attacks(ThreatModel(1), [1, 2], 0, 0)) == [
        ({(): 1}, {(): {}}),
        ({(1,): 1}, {(1,): {1: 0}}),
        ({(1,): 1}, {(1,): {1: 1}}),
    ]


@pytest.mark.parametrize("k", [0, 1])
def test_best_values_are_the_fixed_point(rng, k):
    game = games.random_game(rng, 3, 3, 2, 0.9)
    faced = oracle.contest(game, ThreatModel(k, probability=0.5), Policy.uniform(game), 0)
    best, own = oracle.best_value(faced)[0], oracle.robust_value(faced)
    np.testing.assert_allclose(oracle.best_step(faced, best), best, rtol=0, atol=1e-12)
    np.testing.assert_allclose(oracle.robust_step(faced, own), own, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "k", "policy", "gaps"),
    [
        ("prisoners-dilemma", 1, one_state("cooperate", "defect"), [1, 0]),
        ("climbing", 0, one_state("c", "c"), [1, 0]),
        ("threshold-public-good", 1, one_state((0, 1), (0, 1), (1, 0), (1, 0)), [1, 1, 1, 1]),
        ("team-coordination", 1, one_state((0, 1), (0, 1), (1, 0)), [0, 0, 1]),
        # Under (keep, keep) agent 1 would rather send at k = 0: 9 instead of 4.
        ("nosde", 0, tabulated({"s1": ("keep", "wait"), "s2": ("wait", "keep")}), [5, 0]),
    ],
)
def test_gap_of_policies_that_are_no_arneq(name, k, policy, gaps):
    game = catalog.load(name)
    assert oracle.gap(game, ThreatModel(k), policy(game)).max(axis=1) == pytest.approx(gaps, abs=1e-9)


def test_horizon_values_of_a_policy_that_sends_too_late():
    game = catalog.load("nosde")
    late = Policy.from_actions(game, [[[0, 0], [0, 0]], [[1, 0], [0, 0]]])
    own, best = oracle.horizon_values(game, ThreatModel(0), late, 0)
    assert own[0] == pytest.approx(1)
    assert best[0] == pytest.approx(9 / 4)
