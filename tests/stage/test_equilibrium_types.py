"""Types A and B′ of stage ARNEQ on games where both are known [T6], [T8] (ii)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, stage_types

BOTH = TYPE_A | TYPE_B_PRIME


def types_of(payoff, value, agent=0, corrupted=0.0, masks=()) -> int:
    """Types of one of two agents; the other agent's payoffs and value are the same."""
    payoffs, values = [np.array([payoff], dtype=float)] * 2, np.full((2, 1), float(value))
    threat = ThreatModel(1, probability=corrupted)
    attackers = stage_attackers(threat, payoffs[0].shape[1:], masks)
    return int(stage_types(payoffs, values, attackers)[agent, 0])


def test_mixed_types_of_one_game():
    """[T8] (ii): a global point worth 5, a saddle worth 1."""
    payoff = [[5, 1], [1, 1]]
    for agent in range(2):
        assert types_of(payoff, 5, agent) == TYPE_A
        assert types_of(payoff, 1, agent) == TYPE_B_PRIME


def test_neither_type():
    """Stag hunt, its mixed equilibrium: worth 2.5 between the security value 2 and the maximum 5."""
    payoff = [[5, 0], [3, 2]]
    assert types_of(payoff, 2.5) == 0
    assert types_of(payoff, 5) == TYPE_A
    assert types_of(payoff, 2) == TYPE_B_PRIME


def test_agents_may_differ_in_type():
    """A dictator game: the column agent earns its maximum where the row agent earns its security value."""
    assert types_of([[1, 1], [0, 0]], 1, 0) == BOTH
    assert types_of([[0, 4], [0, 2]], 4, 1) == TYPE_A
    assert types_of([[0, 4], [0, 2]], 2, 1) == TYPE_B_PRIME


def test_constant_payoffs_are_both():
    assert types_of([[7, 7], [7, 7]], 7) == BOTH
    assert types_of([[0, 0], [0, 0]], 0, 1, 0.5) == BOTH


def test_zero_sum_stage_games_are_saddles(rng):
    """[F4]"""
    for corrupted in (0.0, 0.4, 1.0):
        for _ in range(20):
            payoff = rng.uniform(-1, 1, (3, 4))
            for agent, own in ((0, payoff), (1, -payoff)):
                table = np.moveaxis(own, agent, 0)
                assert types_of(own, definition.maximin(table)[0], agent, corrupted) & TYPE_B_PRIME


def test_decoupled_values_are_both():
    """[T4]: with everyone corrupted the maximum of g_i is the security value."""
    assert types_of([[5, 1], [1, 1]], 1, 0, 1.0) == BOTH
    assert types_of([[1, -1], [-1, 1]], 0, 1, 1.0) == BOTH


@pytest.mark.parametrize("corrupted", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("agent", [0, 1])
def test_type_a_is_the_maximum_over_mixed_profiles(rng, agent, corrupted):
    """The largest g_i over a fine grid of profiles of 2×2 games is never above the decided maximum."""
    threat = ThreatModel(1, probability=corrupted)
    grid = np.linspace(0, 1, 41)
    for _ in range(5):
        payoff = rng.uniform(-1, 1, (2, 2))
        attacks = list(definition.pure_attacks(threat, (2, 2), agent, 0))
        best = -np.inf
        exact = -np.inf
        for q in grid:
            other = np.array([q, 1 - q])
            table = definition.columns_of(payoff, [other, other], agent, attacks)
            for p in grid:
                best = max(best, float((np.array([p, 1 - p]) @ table).min()))
            exact = max(exact, definition.maximin(table)[0])
        assert not types_of(payoff, best - 1e-6, agent, corrupted) & TYPE_A
        assert types_of(payoff, exact, agent, corrupted) & TYPE_A
        assert types_of(payoff, exact + 1e-3, agent, corrupted) & TYPE_A
        assert best <= exact + 1e-12


def test_tolerance_is_relative_to_the_payoff_range():
    payoff = 1e6 * np.array([[5.0, 1.0], [1.0, 1.0]])
    assert types_of(payoff, 5e6 - 1e-4) == TYPE_A
    assert types_of(payoff, 5e6 - 1) == 0
    assert types_of(payoff * 1e-12, 5e-6) == TYPE_A
    assert types_of(payoff * 1e-12, 5e-6 - 1e-8) == 0


def test_a_batch_is_decided_game_by_game():
    payoffs = np.array([[[5.0, 1.0], [1.0, 1.0]]] * 3)
    nobody = stage_attackers(ThreatModel(0), (2, 2))
    found = stage_types([payoffs] * 2, np.array([[5.0, 1.0, 3.0]] * 2), nobody)
    assert found.tolist() == [[TYPE_A, TYPE_B_PRIME, 0]] * 2
    one = np.array([[3.0, 1.0], [0.0, 0.0]])
    alone = stage_attackers(ThreatModel(0), (2,))
    assert stage_types([one], np.array([[3.0, 0.0]]), alone).tolist() == [[BOTH, BOTH]]


def test_masks_move_the_maximum_and_not_the_security_value():
    """Corrupted for certain, but to the first action only: the maximum is 5, the security value 1."""
    first = ((0, (0,)), (1, (0,)))
    assert types_of([[5, 1], [1, 1]], 5, corrupted=1.0, masks=first) == TYPE_A
    assert types_of([[5, 1], [1, 1]], 5, corrupted=0.5, masks=first) == TYPE_A
    assert types_of([[5, 1], [1, 1]], 1, corrupted=0.5, masks=first) == TYPE_B_PRIME
    assert types_of([[5, 1], [1, 1]], 3, corrupted=0.5, masks=first) == 0
    assert types_of([[5, 1], [1, 1]], 3, corrupted=0.5) == TYPE_A


@pytest.mark.parametrize("k", [0, 1])
def test_type_a_against_a_grid(rng, k):
    """The largest g_i over product profiles, whose maximisers need not be pure."""
    attackers = stage_attackers(ThreatModel(k), (2, 2, 2))
    payoffs = rng.uniform(-1, 1, (3, 2, 2, 2))
    greatest = np.full(3, -np.inf)
    axis = np.linspace(0, 1, 9)
    for point in product(axis, repeat=3):
        profile = [np.array([1 - p, p]) for p in point]
        for agent, payoff in enumerate(payoffs):
            attacks = list(definition.pure_attacks(ThreatModel(k), (2, 2, 2), agent, 0))
            table = definition.columns_of(payoff, profile, agent, attacks)
            greatest[agent] = max(greatest[agent], float((profile[agent] @ table).min()))

    def types(values):
        return stage_types([payoff[None] for payoff in payoffs], np.array(values)[:, None], attackers)[:, 0]

    below = types(greatest - 1e-6)
    assert not (below & TYPE_A).any()
    if k == 0:  # multi-affine: the maximum is at a corner, so the grid has it
        assert (types(greatest) & TYPE_A).all()
    assert (types(np.ones(3)) & TYPE_A).all()
    security = [
        definition.maximin(np.moveaxis(payoff, i, 0).reshape(2, 4))[0] for i, payoff in enumerate(payoffs)
    ]
    assert (types(security) & TYPE_B_PRIME).all()
