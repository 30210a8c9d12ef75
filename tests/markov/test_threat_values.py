"""What general threats [T10] are worth, by hand and against the forms that must agree."""

from __future__ import annotations

import games
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arneq_exact import (
    Policy,
    ThreatModel,
    best_response,
    certify,
    check,
    gap,
    robust_values,
    solve,
    worst_attack,
)
from arneq_exact.errors import ThreatError
from arneq_exact.model.game import MarkovGame


def spoilers() -> tuple[MarkovGame, Policy]:
    """Agent 1 only watches and is paid Q(a_2, a_3) = [[1, −2], [0, 0]]; agent 3 means to play 0."""
    paid = np.array([[[1, -2], [0, 0]]])
    game = MarkovGame.one_shot(np.stack([paid, 0 * paid, 0 * paid]), agents=["x", "y", "z"])
    return game, Policy.from_actions(game, [[0, 0, 0]])


def test_knowing_who_else_is_corrupted_helps_the_attacker():
    """Agent 2 is corrupted for certain, agent 3 with probability 1/2.

    Alone, agent 2 does best by its second action (0 instead of 1); together, (first, second) takes 2. A
    committed agent 2 must choose: min of (1 − 2)/2 and 0. An informed one has (0 − 2)/2.
    """
    game, policy = spoilers()
    law = {i: {frozenset(): 1} for i in (1, 2)} | {0: {frozenset({1}): "1/2", frozenset({1, 2}): "1/2"}}
    committed, informed = (ThreatModel(distribution=law, informed=knows) for knows in (False, True))
    assert robust_values(game, committed, policy)[0].tolist() == [-0.5]
    assert robust_values(game, informed, policy)[0].tolist() == [-1.0]
    both = worst_attack(game, informed, policy, 0)
    assert both.describe(game, 0) == (
        "y plays 1 (with probability 0.5); or y plays 0, z plays 1 (with probability 0.5)"
    )
    assert both.at(game, 0)[1] == {(1,): {1: 1}, (1, 2): {1: 0, 2: 1}}
    assert worst_attack(game, committed, policy, 0).at(game, 0)[1] == {(1,): {1: 0}, (1, 2): {1: 0, 2: 1}}


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 3))
def test_the_informed_attacker_is_at_least_as_bad(seed, n):
    """Everywhere no better for the agent; the same where every set is certain or all sets are disjoint."""
    rng = np.random.default_rng(seed)
    game = games.random_game(rng, n, 3, 2, 0.8)
    policy = games.random_policy(rng, game)
    for name in ("inequalities", "distribution to an informed attacker"):
        data = games.general_threats(n)[name].to_json()
        knows = ThreatModel.from_json({**data, "informed": True})
        commits = ThreatModel.from_json({**data, "informed": False})
        assert (robust_values(game, knows, policy) <= robust_values(game, commits, policy) + 1e-12).all()
        best = [best_response(game, threat, policy, 0).value for threat in (knows, commits)]
        assert (best[0] <= best[1] + 1e-10).all()
    for k in range(n):
        free = [ThreatModel(k, inequalities=([], []), informed=knows) for knows in (False, True)]
        values = [robust_values(game, threat, policy) for threat in (*free, ThreatModel(k))]
        np.testing.assert_allclose(values[1], values[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(values[2], values[0], rtol=0, atol=1e-12)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 3))
def test_probability_at_most_rho_is_an_inequality(seed, n, k):
    """ω(∅) ≥ 1 − ρ: other extreme points, the same values, best responses and gaps."""
    rng = np.random.default_rng(seed)
    game = games.random_game(rng, n, 2, 2, 0.7)
    policy = games.random_policy(rng, game)
    family = len(ThreatModel(k).family(n, 0))
    as_number = ThreatModel(k, probability="1/3")
    as_row = ThreatModel(k, inequalities=([[-1] + [0] * (family - 1)], ["-2/3"]))
    for function in (robust_values, gap):
        answers = [function(game, threat, policy) for threat in (as_number, as_row)]
        np.testing.assert_allclose(*answers, rtol=0, atol=1e-10)


def test_masks_bound_what_corruption_can_do():
    """Between nobody corrupted and everything allowed; a mask on one's own actions means nothing."""
    game, policy = spoilers()
    free = robust_values(game, ThreatModel(2), policy)[0, 0]
    assert free == -2
    # z cannot leave its first action: y alone can still take the 1.
    assert robust_values(game, ThreatModel(2, masks={2: {0: [0]}}), policy)[0, 0] == 0
    # Forced to play 1, y spoils what z could do together with it; z alone takes all.
    assert robust_values(game, ThreatModel(2, masks={1: {0: [1]}}), policy)[0, 0] == -2
    # Forced to be harmless, both of them: nobody corrupted is as bad as it gets.
    harmless = ThreatModel(2, masks={1: {0: [0]}, 2: {0: [0]}})
    assert robust_values(game, harmless, policy)[0, 0] == 1
    for corrupted in (harmless, ThreatModel(2)):
        own = ThreatModel.from_json(
            {**corrupted.to_json(), "masks": {**corrupted.to_json().get("masks", {}), "0": {"0": [0]}}}
        )
        assert robust_values(game, own, policy)[0, 0] == robust_values(game, corrupted, policy)[0, 0]
    # Corruption for certain into a helpful action may raise the value above that of nobody corrupted.
    kind = Policy.from_actions(game, [[0, 1, 0]])
    forced = ThreatModel(sets={0: [{1}], 1: [[]], 2: [[]]}, masks={1: {0: [0]}})
    assert robust_values(game, forced, kind)[0, 0] == 1
    assert robust_values(game, ThreatModel(0), kind)[0, 0] == 0


def test_masks_differ_from_state_to_state(rng):
    game = games.random_game(rng, 2, 3, 2, 0.5)
    policy = games.random_policy(rng, game)
    threat = ThreatModel(1, masks={1: {0: [0], 2: [0, 1]}})
    attack = worst_attack(game, threat, policy, 0)
    assert attack.at(game, 0)[1].get((1,), {1: 0}) == {1: 0}
    loose = robust_values(game, ThreatModel(1), policy)[0]
    none = robust_values(game, ThreatModel(0), policy)[0]
    found = robust_values(game, threat, policy)[0]
    assert (loose <= found + 1e-12).all()
    assert (found <= none + 1e-12).all()


@pytest.mark.parametrize("name", list(games.general_threats(3)))
@pytest.mark.parametrize("n", [2, 3])
def test_any_policy_is_certified(rng, n, name):
    threat = games.general_threats(n)[name]
    game = games.random_game(rng, n, 3, 2, 0.8)
    policy = games.random_policy(rng, game)
    for arithmetic in ("exact", "float"):
        made = certify(game, threat, policy, arithmetic=arithmetic)
        assert check(game, made, threat).valid
        found = gap(game, threat, policy).max(axis=1)
        np.testing.assert_allclose([float(e) for e in made.epsilon], found, rtol=0, atol=1e-9)
    assert not check(game, made, ThreatModel(0)).valid


@pytest.mark.parametrize("name", list(games.general_threats(3)))
def test_solve_says_no_more_than_is_proved(name):
    """Dominant actions are an equilibrium under every threat; `solve` finds and proves it."""
    threat = games.general_threats(3)[name]
    payoff = np.arange(8.0).reshape(2, 2, 2)
    game = MarkovGame.from_arrays(
        np.stack([np.stack([np.moveaxis(payoff, 0, i)] * 2) for i in range(3)]),
        np.full((2, 2, 2, 2, 2), 0.5),
        0.5,
    )
    solution = solve(game, threat)
    assert solution.proved
    assert check(game, solution.certificate, threat).valid
    assert solution.policy[0][:, 1].tolist() == [1, 1]


def test_masked_agents_who_decouple_are_solved(rng):
    game = games.random_game(rng, 3, 3, 2, 0.8)
    everyone = {i: [[j for j in range(3) if j != i]] for i in range(3)}
    solution = solve(game, ThreatModel(sets=everyone, masks={0: {0: [0]}, 2: {1: [1], 2: [0]}}))
    assert (solution.proved, solution.method) == (True, "decoupled")
    free = solve(game, ThreatModel(sets=everyone))
    assert (solution.values >= free.values - 1e-9).all()
    assert (solution.values > free.values + 1e-3).any()


def test_masks_that_do_not_fit_the_game_are_refused():
    game, policy = spoilers()
    for masks, words in (({0: {1: [0]}}, "name state 1"), ({1: {0: [2]}}, "allow action 2")):
        for call in (
            lambda t: gap(game, t, policy),
            lambda t: solve(game, t),
            lambda t: certify(game, t, policy),
        ):
            with pytest.raises(ThreatError, match=words):
                call(ThreatModel(1, masks=masks))
