"""All stage ARNEQ: against other algorithms, against grids, known sets and continua, and proofs of "no"."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import brute_force
import games
import numpy as np
import pytest
import quantecon.game_theory as gt
from scipy.optimize import linprog

from arneq_exact import iterate
from arneq_exact.errors import InputError, StageError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage import enumeration, exclusion
from arneq_exact.stage.double_description import extreme_rays
from arneq_exact.stage.enumeration import enumerate_equilibria
from arneq_exact.stage.equilibrium_types import TYPE_A, TYPE_B_PRIME, stage_types
from arneq_exact.stage.exclusion import Deviation, excluded_supports, gain, pure_profiles, refutes
from arneq_exact.stage.selection import SELECTIONS, Chooser

HALF = Fraction(1, 2)
TWO_AGENTS = {
    "k=0": ThreatModel(0),
    "rho": ThreatModel(1, probability="1/2"),
    "k=1": ThreatModel(1),
    "one-sided": ThreatModel(sets={0: [{1}], 1: [[]]}),
    "other-sided": ThreatModel(sets={0: [[]], 1: [{0}]}),
    "masked": ThreatModel(sets={0: [{1}], 1: [{0}]}, masks={1: {0: [1]}}),
    "fixed": ThreatModel(distribution={0: {(): "2/3", (1,): "1/3"}, 1: {(0,): 1}}),
    "bounded": ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"])),
}


def gap_of(payoffs, threat, profile) -> float:
    """Largest gain of an agent, from the definition; masks of state 0 apply."""
    n = len(payoffs)
    gains = []
    for agent, payoff in enumerate(payoffs):
        attacks = list(brute_force.columns(threat, n, agent, payoff.shape))
        table = brute_force.matrix(payoff, profile, agent, attacks)
        gains.append(brute_force.maximin(table) - float((profile[agent] @ table).min()))
    return max(gains)


def in_hull(point: np.ndarray, mixtures) -> bool:
    corners = np.array(mixtures).T
    answer = linprog(
        np.zeros(corners.shape[1]),
        A_eq=np.vstack([corners, np.ones(corners.shape[1])]),
        b_eq=np.r_[point, 1.0],
        bounds=(0, None),
    )
    return answer.status == 0


def profiles_of(found) -> set[tuple[float, ...]]:
    """Profiles as numbers rounded to 9 digits."""
    return {tuple(np.round(np.concatenate(one.policy), 9) + 0.0) for one in found.equilibria}


# -- two agents -------------------------------------------------------------------------------------


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
                attacks = list(brute_force.columns(threat, 2, agent, counts))
                table = brute_force.matrix(payoff, one.policy, agent, attacks)
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


def test_rays_of_a_cone_against_bases(rng):
    """Extreme rays are what d − 1 independent rows determine, if it is feasible."""
    for _ in range(20):
        rows = [(1, 0, 0), (0, 1, 0), (0, 0, 1)] + [tuple(rng.integers(-3, 4, 3).tolist()) for _ in range(4)]
        rays = extreme_rays([(1, 0, 0), (0, 1, 0), (0, 0, 1)], rows, [0, 1, 2])
        expected = set()
        for pair in combinations(rows, 2):
            ray = np.cross(*pair)
            for sign in (1, -1):
                if ray.any() and (np.array(rows) @ (sign * ray) >= 0).all():
                    expected.add(tuple((sign * ray // np.gcd.reduce(ray)).tolist()))
        assert set(rays) == expected
        for ray, tight in rays.items():
            assert [bool(tight >> k & 1) for k in range(len(rows))] == (np.array(rows) @ ray == 0).tolist()


# -- two actions each -------------------------------------------------------------------------------


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
            with monkeypatch.context() as patch:
                patch.setattr(enumeration, "attack_on", lambda points, counts: None)
                bisected = enumerate_equilibria(payoffs, TWO_AGENTS[name])
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
    for k, sign, value in product((0, 1), (1.0, -1.0), (None,)):
        payoffs = np.zeros((3, 2, 2, 2))
        a1, a2, a3 = np.indices((2, 2, 2))
        payoffs[0] = ((a2 == 1) | (a3 == 1)) - 0.1 * a1
        payoffs[1], payoffs[2] = sign * 1e-3 * a2, sign * 1e-3 * a3
        found = enumerate_equilibria(payoffs, ThreatModel(k))
        value = 1.0 if sign > 0 else 0.0
        assert [one.values[0] for one in found.equilibria] == [value]


# -- proofs of "no" ---------------------------------------------------------------------------------


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


# -- selections -------------------------------------------------------------------------------------

MIXED_TYPES = np.array([[[5.0, 1.0], [1.0, 1.0]]] * 2)


def values_under(selection, payoffs, threat) -> list[float]:
    from arneq_exact import MarkovGame

    result = iterate(MarkovGame.one_shot(payoffs), threat, selection=selection)
    assert result.status == "converged"
    return result.values[:, 0].round(9).tolist()


def test_types_choose_between_the_global_optimum_and_the_saddle():
    """[T8] (ii), [T5]"""
    assert values_under("type-a", MIXED_TYPES, ThreatModel(0)) == [5, 5]
    assert values_under("type-b", MIXED_TYPES, ThreatModel(0)) == [1, 1]
    team = np.where(np.indices((2, 2, 2)).sum(axis=0) >= 2, 2.0, 1.0)
    payoffs = np.stack([team] * 3)
    assert values_under("type-a", payoffs, ThreatModel(1)) == [2, 2, 2]
    assert values_under("type-b", payoffs, ThreatModel(1)) == [1, 1, 1]
    assert values_under("welfare", payoffs, ThreatModel(1)) == [2, 2, 2]


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1, probability="1/10")])
def test_an_agent_gets_its_best(threat):
    battle = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    first, second = values_under("agent-0", battle, threat), values_under("agent-1", battle, threat)
    assert first[0] > second[0]
    assert second[1] > first[1]
    assert first == second[::-1]


def test_selections_are_refused_by_name():
    corruptions = [ThreatModel(0).corruptions(2, agent) for agent in range(2)]
    for wrong in ("best", "agent-2", "agent-", 3):
        with pytest.raises(
            InputError, match="must be one of first, nearest, welfare, type-a, type-b, agent-0"
        ):
            Chooser(wrong, corruptions)
    assert {"first", "nearest"} < set(SELECTIONS)


@pytest.mark.parametrize("k", [0, 1])
def test_type_a_against_a_grid(rng, k):
    """The largest g_i over product profiles, whose maximisers need not be pure."""
    corruptions = [ThreatModel(k).corruptions(3, agent) for agent in range(3)]
    payoffs = rng.uniform(-1, 1, (3, 2, 2, 2))
    greatest = np.full(3, -np.inf)
    axis = np.linspace(0, 1, 9)
    for point in product(axis, repeat=3):
        profile = [np.array([1 - p, p]) for p in point]
        for agent, payoff in enumerate(payoffs):
            attacks = list(brute_force.columns(ThreatModel(k), 3, agent, (2, 2, 2)))
            table = brute_force.matrix(payoff, profile, agent, attacks)
            greatest[agent] = max(greatest[agent], float((profile[agent] @ table).min()))
    below = stage_types(payoffs, greatest - 1e-6, corruptions)
    assert not (below & TYPE_A).any()
    if k == 0:  # multi-affine: the maximum is at a corner, so the grid has it
        assert (stage_types(payoffs, greatest, corruptions) & TYPE_A).all()
    assert (stage_types(payoffs, np.ones(3), corruptions) & TYPE_A).all()
    security = [
        brute_force.maximin(np.moveaxis(payoff, i, 0).reshape(2, 4)) for i, payoff in enumerate(payoffs)
    ]
    assert (stage_types(payoffs, np.array(security), corruptions) & TYPE_B_PRIME).all()


@pytest.mark.parametrize("selection", [*SELECTIONS, "agent-2"])
def test_the_procedure_runs_on_three_agents(rng, selection):
    """[T7]: what converges is an ARNEQ."""
    from arneq_exact import gap

    game = games.random_game(rng, 3, 2, [2, 2, 1], 0.5)
    result = iterate(game, ThreatModel(1), selection=selection, max_iterations=60)
    if result.status == "converged":
        assert gap(game, ThreatModel(1), result.policy).max() <= 1e-8
    assert result.trace.types.shape == (result.iterations, 3, 2)
    assert result.calls["enumeration"] == 2 * result.iterations


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payoffs", [1.0, [1, 2], np.zeros((3, 2, 2)), [[[1]], [[2, 3]]], np.zeros((2, 0, 2))]
)
def test_payoffs_of_another_shape_are_refused(payoffs):
    with pytest.raises(InputError, match="payoffs have shape"):
        enumerate_equilibria(payoffs, ThreatModel(0))


def test_payoffs_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match=r"payoff \(1, 0, 1\) is 'x'"):
        enumerate_equilibria([[[1, 2]], [[3, "x"]]], ThreatModel(0))


def test_classes_without_enumeration_are_refused_by_name():
    with pytest.raises(InputError, match="n = 3 agents with 2, 3, 2 actions under k = 1 have no enumeration"):
        enumerate_equilibria(np.zeros((3, 2, 3, 2)), ThreatModel(1))
    masked = ThreatModel(1, masks={1: {0: [0]}})
    with pytest.raises(
        InputError, match="n = 2 agents with 3, 3 actions under k = 1, masked actions have no"
    ):
        enumerate_equilibria(np.zeros((2, 3, 3)), masked)
    with pytest.raises(InputError, match="n = 3 agents under k = 1 have no witnesses for supports"):
        excluded_supports(np.zeros((3, 2, 2, 2)), ThreatModel(1))


def test_limits_are_named(monkeypatch):
    monkeypatch.setattr(exclusion, "PATTERNS", 8)
    with pytest.raises(StageError, match="over 8 patterns of supports"):
        excluded_supports(np.zeros((2, 2, 2)), ThreatModel(0))
    monkeypatch.setattr(enumeration, "LISTED", 3)
    cut = enumerate_equilibria(np.zeros((2, 2, 2)), ThreatModel(0))
    assert (cut.completeness, len(cut)) == ("incomplete", 3)
    assert [[len(mixtures) for mixtures in factors] for factors in cut.products] == [[2, 2]]
    with pytest.raises(StageError, match="extreme_rays: 63 rows; must be at most 62"):
        extreme_rays([(1,)], [(1,)] * 63, [0])
