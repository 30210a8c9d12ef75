"""Every known answer that has a policy is an ARNEQ with the stored values, by the oracle."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from instances import answer_game

from arneq_exact import catalog
from arneq_exact.model.policy import Policy
from arneq_exact.oracle import contest as oracle

# Where agents decouple [T4] a policy is not needed: the best response to anything is the maximin value.
DECOUPLED = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name in catalog.names()
    for number, answer in enumerate(catalog.entry(name).answers)
    if answer.policy is None
]

ANSWERS = [
    pytest.param(name, number, id=f"{name}-{number}-k{answer.threat.k}")
    for name in catalog.names()
    for number, answer in enumerate(catalog.entry(name).answers)
    if answer.policy is not None
]


@cache
def own_and_best(game, threat, build, horizon):
    """Per agent (own, best-response) robust values; answers that share a policy share the work."""
    policy = build(game)
    assert policy.horizon == horizon
    if horizon is not None:
        return [oracle.horizon_values(game, threat, policy, i) for i in range(game.n_agents)]
    contests = [oracle.contest(game, threat, policy, i) for i in range(game.n_agents)]
    return [(oracle.robust_value(contest), oracle.best_value(contest)[0]) for contest in contests]


@pytest.mark.parametrize(("name", "number"), ANSWERS)
def test_stored_policy_is_an_arneq_with_the_stored_values(name, number):
    answer = catalog.entry(name).answers[number]
    game = answer_game(name, number)
    index = {game.state_name(state): state for state in range(game.n_states)}
    stated = {index[state]: [float(v) for v in row] for state, row in answer.exact_values().items()}
    assert stated
    for agent, (own, best) in enumerate(own_and_best(game, answer.threat, answer.policy, answer.horizon)):
        assert np.max(best - own) <= 1e-8 * game.reward_range[agent]
        for state, row in stated.items():
            assert own[state] == pytest.approx(row[agent], abs=answer.tolerance, rel=0)


@pytest.mark.parametrize(("name", "number"), DECOUPLED)
def test_values_without_a_policy_are_the_maximin_values(name, number):
    answer = catalog.entry(name).answers[number]
    game = answer_game(name, number)
    assert answer.threat.decouples(game.n_agents)
    assert answer.horizon is None
    index = {game.state_name(state): state for state in range(game.n_states)}
    for agent in range(game.n_agents):
        best = oracle.best_value(oracle.contest(game, answer.threat, Policy.uniform(game), agent))[0]
        for state, row in answer.exact_values().items():
            assert best[index[state]] == pytest.approx(float(row[agent]), abs=answer.tolerance, rel=0)
