"""All stage ARNEQ of two agents and of agents who decouple: against a peer, grids and known sets."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import games
import numpy as np
import pytest
import quantecon.game_theory as gt
from enumeration_oracle import TWO_AGENTS, gap_of, in_hull, profiles_of

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.stage.enumeration.listing import enumerate_equilibria


@pytest.mark.parametrize("counts", [(2, 2), (3, 3), (2, 4), (4, 3), (1, 3)])
def test_generic_bimatrix_games_against_quantecon(rng, counts):
    for _ in range(4):
        payoffs = rng.uniform(-1, 1, (2, *counts))
        found = enumerate_equilibria(payoffs, ThreatModel(0))
        players = [gt.Player(payoffs[0]), gt.Player(np.ascontiguousarray(payoffs[1].T))]
        peer = {
            tuple(np.round(np.concatenate(x), 9)) for x in gt.support_enumeration(gt.NormalFormGame(players))
        }
        assert profiles_of(found) == peer
        assert found.completeness == "complete"
        assert found.isolated
        assert len(found) % 2 == 1


@pytest.mark.parametrize("name", TWO_AGENTS)
def test_every_point_of_a_grid_is_in_a_product_or_no_equilibrium(rng, name):
    """Completeness and soundness, with the gap from the definition; degenerate games included."""
    threat = TWO_AGENTS[name]
    axis = [Fraction(a, 6) for a in range(7)]
    for _ in range(3):
        payoffs = rng.integers(0, 3, (2, 2, 2)).astype(float)
        found = enumerate_equilibria(payoffs, threat)
        assert found.completeness == "complete"
        for p, q in product(axis, repeat=2):
            profile = [np.array([1 - p, p], dtype=float), np.array([1 - q, q], dtype=float)]
            listed = any(
                all(in_hull(x, mixtures) for x, mixtures in zip(profile, factors, strict=True))
                for factors in found.products
            )
            assert listed == (gap_of(payoffs, threat, profile) <= 1e-9)


@pytest.mark.parametrize("name", TWO_AGENTS)
@pytest.mark.parametrize("counts", [(3, 2), (3, 3)])
def test_products_hold_equilibria_only(rng, name, counts):
    threat = TWO_AGENTS[name]
    for payoffs in (rng.integers(0, 3, (2, *counts)).astype(float), rng.uniform(-1, 1, (2, *counts))):
        found = enumerate_equilibria(payoffs, threat)
        assert len(found) > 0
        assert found.products
        for factors in found.products[:6]:
            inner = [rng.dirichlet(np.ones(len(mixtures))) @ np.array(mixtures) for mixtures in factors]
            assert gap_of(payoffs, threat, inner) <= 1e-9
        for one in found.equilibria:
            assert one.regret <= 1e-10
            assert all(sum(x) == 1 and min(x) >= 0 for x in one.exact)
            for agent, payoff in enumerate(payoffs):
                attacks = list(definition.pure_attacks(threat, counts, agent, 0))
                table = definition.columns_of(payoff, one.policy, agent, attacks)
                assert (one.policy[agent] @ table).min() == pytest.approx(one.values[agent], abs=1e-9)


def test_numbers_are_exact():
    """Thirds stay thirds; a difference of 1e-15 in a payoff counts."""
    third = [[["1/3", 0], [0, "2/3"]]] * 2
    found = enumerate_equilibria(third, ThreatModel(0))
    assert [one.exact[0] for one in found.equilibria] == [(1, 0), (0, 1), (Fraction(2, 3), Fraction(1, 3))]
    tied = [[[1.0, 1.0], [1.0, 0.0]]] * 2
    assert not enumerate_equilibria(tied, ThreatModel(0)).isolated
    apart = [[[1.0, 1.0 - 1e-15], [1.0 - 1e-15, 0.0]]] * 2
    assert [one.exact for one in enumerate_equilibria(apart, ThreatModel(0)).equilibria] == [((1, 0), (1, 0))]


def test_continua_of_two_agents():
    """A constant game: everything. A duplicated row: a segment."""
    constant = enumerate_equilibria(np.ones((2, 2, 3)), ThreatModel(0))
    assert len(constant) == 6
    assert [[len(m) for m in factors] for factors in constant.products] == [[2, 3]]
    row = [[2, 0], [2, 0], [0, 1]]
    doubled = enumerate_equilibria([row, row], ThreatModel(0))
    assert not doubled.isolated
    assert ((1, 0, 0), (1, 0)) in {one.exact for one in doubled.equilibria}
    assert ((0, 1, 0), (1, 0)) in {one.exact for one in doubled.equilibria}


def test_decoupled_continua(rng):
    """[T4]: products of polytopes of maximin strategies, any n; climbing is [F5]."""
    climbing = games.climbing().rewards.T.reshape(2, 3, 3)
    (one,) = enumerate_equilibria(climbing, ThreatModel(1)).equilibria
    assert one.exact == ((0, 0, 1), (Fraction(6, 47), 0, Fraction(41, 47)))
    assert one.values.tolist() == [0.0, pytest.approx(66 / 47)]
    payoffs = rng.integers(0, 2, (3, 2, 3, 2))
    payoffs[0] = 1
    found = enumerate_equilibria(payoffs, ThreatModel(2))
    (factors,) = found.products
    assert len(factors[0]) == 2
    assert len(found) == np.prod([len(mixtures) for mixtures in factors])
    for one in found.equilibria:
        assert gap_of(payoffs.astype(float), ThreatModel(2), one.policy) <= 1e-9


def test_largest_probability_is_the_one_to_fear():
    """[T10]: an attacker who may choose how probable corruption is, without masks, chooses the most."""
    payoffs = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    bounded = enumerate_equilibria(payoffs, TWO_AGENTS["bounded"])
    assert profiles_of(bounded) == profiles_of(enumerate_equilibria(payoffs, TWO_AGENTS["rho"]))
