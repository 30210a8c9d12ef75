"""The oracle itself: answers known on paper, and policies that it must not accept."""

from __future__ import annotations

import numpy as np
import oracle
import pytest

from arneq_exact import catalog
from arneq_exact.catalog.policies import one_state, tabulated
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel


def test_stage_maximin_of_a_known_matrix():
    value, mixture = oracle.stage_maximin(np.array([[3.0, -1.0], [-1.0, 1.0]]))
    assert value == pytest.approx(1 / 3, abs=1e-12)
    assert mixture == pytest.approx([1 / 3, 2 / 3], abs=1e-10)


def test_a_stage_attack_may_be_the_empty_set():
    game = catalog.load("nosde")
    lotteries = list(oracle.attacks(ThreatModel(1), 2, 0, [1, 2]))
    assert [members for ((_, _), (_, members)) in lotteries] == [{}, {1: 0}, {1: 1}]
    assert game.n_agents == 2


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
    built = policy(game)
    threat = ThreatModel(k)
    found = [
        np.max(oracle.best_values(game, threat, built, agent) - oracle.values_of(game, threat, built, agent))
        for agent in range(game.n_agents)
    ]
    assert found == pytest.approx(gaps, abs=1e-9)


def test_horizon_values_of_a_policy_that_sends_too_late():
    game = catalog.load("nosde")
    late = Policy.from_actions(game, [[[0, 0], [0, 0]], [[1, 0], [0, 0]]])
    own, best = oracle.horizon_values(game, ThreatModel(0), late, 0, 2)
    assert own[0] == pytest.approx(1)
    assert best[0] == pytest.approx(9 / 4)
