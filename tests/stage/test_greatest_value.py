"""The greatest g_i over mixed product profiles [T6]: known answers, proved bounds, what is not decided."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.stage.types import equilibrium_types
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, UNDECIDED, types_at
from arneq_exact.stage.types.greatest_value import columns_at_pure_profiles, greatest_value


def attackers(payoff, k):
    return stage_attackers(ThreatModel(k), payoff.shape)


def worth(payoff, profile, agent, k):
    """g_i by the columns written out."""
    attacks = list(definition.pure_attacks(ThreatModel(k), payoff.shape, agent, 0))
    return float((profile[agent] @ definition.columns_of(payoff, profile, agent, attacks)).min())


def matching(n=3):
    """Others must match: at pure profiles the agent has 0, and 1/2 where they mix evenly."""
    return np.array([[[1.0, 0.0], [0.0, 1.0]]] * 2)


def test_mixing_is_worth_more_than_any_pure_profile():
    payoff = matching()
    assert columns_at_pure_profiles(payoff, attackers(payoff, 1).of[0]).min(axis=0).max() == 0
    found = greatest_value(payoff, attackers(payoff, 1).of[0])
    assert found.lower == pytest.approx(0.5, abs=1e-9)
    assert found.upper == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "k", "actions"), [(3, 1, 2), (3, 1, 3), (4, 2, 2), (3, 0, 3), (3, 2, 2), (2, 1, 4)]
)
def test_bounds_hold_and_the_profile_is_worth_the_lower_one(rng, n, k, actions):
    payoff = rng.uniform(-1, 1, (actions,) * n)
    agent = int(rng.integers(n))
    found = greatest_value(payoff, attackers(payoff, k).of[agent], accuracy=1e-3)
    assert found.lower <= found.upper <= found.lower + 0.1
    assert worth(payoff, found.profile, agent, k) == pytest.approx(found.lower, abs=1e-12)
    for _ in range(60):
        profile = [rng.dirichlet(np.full(actions, rng.choice([0.2, 1.0]))) for _ in range(n)]
        assert worth(payoff, profile, agent, k) <= found.upper


@pytest.mark.parametrize("k", [0, 2])
def test_the_ends_of_the_scale_are_exact(rng, k):
    """k = 0: the largest payoff; k = n−1: the security value. One box decides."""
    payoff = rng.uniform(-1, 1, (3, 2, 3))
    found = greatest_value(payoff, attackers(payoff, k).of[0])
    best = payoff.max() if k == 0 else definition.maximin(payoff.reshape(3, -1))[0]
    assert found.boxes == 1
    assert found.lower == pytest.approx(best, abs=1e-9)
    assert found.upper == pytest.approx(best, abs=1e-9)


def test_separable_payoffs_have_the_closed_form(rng):
    """[F1]: the sum of maxima, less the largest drop of another agent."""
    tables = rng.uniform(0, 1, (3, 3))
    payoff = sum(
        table.reshape([3 if j == axis else 1 for axis in range(3)]) for j, table in enumerate(tables)
    )
    drops = tables.max(axis=1) - tables.min(axis=1)
    for agent in range(3):
        best = tables.max(axis=1).sum() - np.delete(drops, agent).max()
        found = greatest_value(payoff, attackers(payoff, 1).of[agent])
        assert (found.lower, found.upper) == pytest.approx((best, best), abs=1e-8)


def test_a_target_stops_the_search(rng):
    payoff = rng.uniform(-1, 1, (3, 3, 3))
    attacker = attackers(payoff, 1).of[0]
    best = greatest_value(payoff, attacker, accuracy=1e-3)
    assert greatest_value(payoff, attacker, target=best.lower - 0.1).lower > best.lower - 0.1
    assert greatest_value(payoff, attacker, target=best.upper + 0.1).upper <= best.upper + 0.1


def test_exact_payoffs_stay_exact():
    payoff = np.array([[Fraction(1, 3), Fraction(2)], [Fraction(0), Fraction(5)]], dtype=object)
    columns = columns_at_pure_profiles(payoff, attackers(payoff, 0).of[0])
    assert columns.tolist() == [payoff.tolist()]


def test_what_the_budget_does_not_decide_is_undecided(monkeypatch):
    """At the maximum itself bounds meet only in the limit, if the first box does not decide."""
    generator = np.random.default_rng(5)
    payoffs = np.repeat(generator.uniform(-1, 1, (1, 3, 3, 3)), 3, axis=0)
    resolved = attackers(payoffs[0], 1)
    bounds = [greatest_value(payoffs[i], resolved.of[i], accuracy=1e-4) for i in range(3)]
    near = np.array([(found.lower + found.upper) / 2 for found in bounds])
    original = equilibrium_types.greatest_value
    monkeypatch.setattr(
        equilibrium_types, "greatest_value", lambda *args, **options: original(*args, **options, corners=27)
    )
    flags = types_at(payoffs, near, resolved)
    first_box_decides = [found.boxes == 1 for found in bounds]
    assert first_box_decides == [True, False, False]
    assert flags.tolist() == [TYPE_A, UNDECIDED, UNDECIDED]


def test_three_actions_are_decided(rng):
    """Aligned interests: the profile of all maximisers is of type A and not B′."""
    tables = np.sort(rng.uniform(0, 1, (3, 3, 3)), axis=2)
    payoffs = np.stack(
        [
            sum(tables[i, j].reshape([3 if j == a else 1 for a in range(3)]) for j in range(3))
            for i in range(3)
        ]
    )
    drops = tables[:, :, 2] - tables[:, :, 0]
    values = np.array([payoffs[i].max() - np.delete(drops[i], i).max() for i in range(3)])
    assert types_at(payoffs, values, attackers(payoffs[0], 1)).tolist() == [TYPE_A] * 3
    assert not (types_at(payoffs, values - 1e-3, attackers(payoffs[0], 1)) & TYPE_A).any()
    security = np.array([tables[i, i, 2] + tables[i].min(axis=1).sum() - tables[i, i, 0] for i in range(3)])
    assert types_at(payoffs, security, attackers(payoffs[0], 1)).tolist() == [TYPE_B_PRIME] * 3


def test_games_too_large_are_not_examined():
    payoff = np.random.default_rng(0).random((8, 8, 8, 8))
    found = greatest_value(payoff, attackers(payoff, 1).of[0])
    assert (found.lower, found.upper, found.profile) == (-np.inf, np.inf, None)
