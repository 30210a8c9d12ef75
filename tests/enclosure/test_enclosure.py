"""Enclosures: irrational equilibria with known closed forms, rational ones, refusals, wrong solutions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import games
import numpy as np
import pytest

from arneq_exact import Enclosure, Policy, catalog, certify, enclose, solve
from arneq_exact.errors import CertificateError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

pytest.importorskip("flint")


def congestion() -> MarkovGame:
    """Action 0 is worth 1/2; action 1 is worth 1 unless both others take it too, then 0.

    With k = 0 all indifferent means x_j x_k = 1/2 for every pair: each takes action 1 with √(1/2).
    """
    payoffs = np.empty((3, 2, 2, 2), dtype=object)
    for joint in product(range(2), repeat=3):
        for agent in range(3):
            crowded = sum(joint) == 3
            payoffs[(agent, *joint)] = (0 if crowded else 1) if joint[agent] else Fraction(1, 2)
    return MarkovGame.one_shot(payoffs)


def around(interval, test) -> bool:
    """An increasing test is negative at the lower end and positive at the upper one."""
    low, high = interval
    return test(low) <= 0 <= test(high) and high - low < Fraction(1, 2**80)


def near(game, threat, rows):
    return certify(game, threat, Policy(game, [[row] for row in rows]))


def test_three_agents_without_corruption():
    game, threat = congestion(), ThreatModel(0)
    found = enclose(game, threat, near(game, threat, [[1 - 0.5**0.5, 0.5**0.5]] * 3))
    assert found
    assert found.unique
    assert found.classes == ()
    for agent in range(3):
        assert around(found.policy[agent][0, 1], lambda x: 2 * x * x - 1)
        assert around(found.values[agent, 0], lambda v: v - Fraction(1, 2))


@pytest.mark.parametrize(("n", "worth"), [(3, (1, 2)), (3, (1, 2, 3)), (4, (1, 3)), (4, (1, 2))])
def test_unanimity(n, worth):
    """[F3]: π(x) ∝ v_x^(−1/(n−1)); with m = n−1 the ratio r of two probabilities has r^m = v_y / v_x."""
    game, threat = catalog.load("unanimity", agents=n, values=list(worth)), ThreatModel(1)
    weights = np.array(worth, dtype=float) ** (-1 / (n - 1))
    row = weights / weights.sum()
    found = enclose(game, threat, near(game, threat, [row.tolist()] * n))
    assert found, found.reason
    assert found.classes == (tuple(range(n)),)
    assert found.unique
    for agent in range(n):
        for x, y in product(range(len(worth)), repeat=2):
            (low, high), (least, most) = found.policy[agent][0, x], found.policy[agent][0, y]
            assert (low / most) ** (n - 1) <= Fraction(worth[y], worth[x]) <= (high / least) ** (n - 1)
        low, high = found.values[agent, 0]
        assert float(low) == pytest.approx(weights.sum() ** -(n - 1), rel=1e-12)
        assert high - low < Fraction(1, 2**80)


RATIONAL = [
    (catalog.load("matching-pennies"), ThreatModel(0), {}),
    (catalog.load("matching-pennies"), ThreatModel(1), {}),
    (catalog.load("prisoners-dilemma"), ThreatModel(0), {}),
    (MarkovGame.one_shot([[[2, 0], [0, 1]], [[0, 1], [1, 0]]]), ThreatModel(0), {"exact": True}),
    (MarkovGame.one_shot([[[2, 0], [0, 1]], [[0, 1], [1, 0]]]), ThreatModel(1), {"exact": True}),
    (MarkovGame.one_shot([[[3, 1], [0, 2]], [[1, 2], [4, 1]]]), ThreatModel(1, probability="1/3"), {}),
]


@pytest.mark.parametrize(("game", "threat", "options"), RATIONAL)
def test_rational_ones_contain_the_rational(game, threat, options):
    solution = solve(game, threat, exact=True)
    found = enclose(game, threat, solution)
    assert found, found.reason
    for table, intervals in zip(solution.exact_policy, found.policy, strict=True):
        for p, (low, high) in zip(table.flat, intervals.reshape(-1, 2), strict=True):
            assert low <= p <= high
    for v, (low, high) in zip(solution.exact_values.flat, found.values.reshape(-1, 2), strict=True):
        assert low <= v <= high
    assert found.unique


@pytest.mark.parametrize("k", [0, 1])
def test_a_stochastic_game_whose_value_is_a_root(k):
    """Zero-sum; (0, 0) pays 1 and goes on with γ = ½, (1, 1) pays 1 and ends, else nothing.

    V = val [[1 + V/2, 0], [0, 1]] = (1 + V/2) / (2 + V/2), so V² + 3V − 2 = 0; action 0 is played with
    1 / (2 + V/2) = 1 − V by both. The same for k = 0 and k = 1 [F4].
    """
    game = MarkovGame.from_rows(
        [[2, 2]], [[1, -1], [0, 0], [0, 0], [1, -1]], [[(1, 0)], [], [], []], 0.5, termination=[0, 1, 1, 1]
    )
    found = enclose(game, ThreatModel(k), solve(game, ThreatModel(k)))
    assert found.unique, found.reason
    assert around(found.values[0, 0], lambda v: v * v + 3 * v - 2)
    low, high = found.values[0, 0]
    for agent in range(2):
        least, most = found.policy[agent][0, 0]
        assert least <= 1 - low
        assert most >= 1 - high


def test_a_markov_game_with_a_known_equilibrium():
    """[T8]: NoSDE at k = 0."""
    game = catalog.load("nosde")
    found = enclose(game, ThreatModel(0), solve(game, ThreatModel(0)))
    assert found.unique
    for interval, exact in (
        (found.policy[0][0, 1], Fraction(2, 3)),
        (found.policy[1][1, 1], Fraction(5, 12)),
        (found.values[0, 1], Fraction(16, 3)),
        (found.values[1, 0], Fraction(16, 3)),
    ):
        assert interval[0] <= exact <= interval[1]


@pytest.mark.parametrize(
    ("n", "k", "states", "actions"), [(3, 1, 1, 3), (3, 1, 2, 2), (3, 0, 1, 2), (2, 0, 3, 2)]
)
def test_random_games(rng, n, k, states, actions):
    """What is enclosed is an equilibrium: its middle has a far smaller gap than the width allows a lie."""
    game = games.random_game(rng, n, states, actions, 0.5)
    threat = ThreatModel(k)
    solution = solve(game, threat, time_limit=20)
    found = enclose(game, threat, solution)
    assert found.enclosed == (found.reason == "")
    assert found, found.reason
    assert found.width < 1e-25
    middle = [np.array(table.sum(axis=-1) / 2, dtype=float) for table in found.policy]
    assert max(certify(game, threat, Policy(game, middle)).epsilon) < 1e-13
    for value, (low, high) in zip(solution.values.flat, found.values.reshape(-1, 2), strict=True):
        assert abs(Fraction(float(value)) - low) < 1e-6
        assert low <= high


@pytest.mark.parametrize("places", [6, 9, 12, 15, 18])
def test_the_radius_never_reaches_the_next_equilibrium(places):
    """Action 1 beats action 0 by (x_j − ½)(x_k − ½) − δ²: all at ½ + δ, or all at ½ − δ."""
    delta = Fraction(1, 2**places)
    payoffs = np.full((3, 2, 2, 2), Fraction(0), dtype=object)
    for joint in product(range(2), repeat=3):
        for agent in range(3):
            others = [Fraction(a) - Fraction(1, 2) for j, a in enumerate(joint) if j != agent]
            payoffs[(agent, *joint)] = joint[agent] * (others[0] * others[1] - delta**2)
    game, threat = MarkovGame.one_shot(payoffs), ThreatModel(0)
    for sign in (1, -1):
        x = float(Fraction(1, 2) + sign * delta)
        found = enclose(game, threat, near(game, threat, [[1 - x, x]] * 3))
        assert found.unique, found.reason
        assert 0 < found.radius < 2 * delta
        low, high = found.policy[0][0, 1]
        assert low <= Fraction(1, 2) + sign * delta <= high


def test_more_bits_are_narrower():
    game, threat = congestion(), ThreatModel(0)
    given = near(game, threat, [[1 - 0.5**0.5, 0.5**0.5]] * 3)
    assert enclose(game, threat, given, bits=512).width < 1e-140
    assert enclose(game, threat, given, bits=64).width < 1e-12


# -- refusals ---------------------------------------------------------------------------------------


def test_a_continuum_is_refused():
    """Constant payoffs: everything is an equilibrium."""
    game = MarkovGame.one_shot(np.zeros((2, 2, 2)).tolist())
    found = enclose(game, ThreatModel(0), certify(game, ThreatModel(0), Policy.uniform(game)))
    assert not found
    assert "singular: the equilibrium is not isolated, or degenerate" in found.reason
    pure = enclose(game, ThreatModel(0), near(game, ThreatModel(0), [[1, 0], [1, 0]]))
    assert not pure
    assert "is not used but not proved worse" in pure.reason


def test_a_segment_of_equilibria_is_refused():
    """Agent 2 is indifferent whatever agent 1 does, and agent 1 prefers action 0: agent 2 mixes at will."""
    game = MarkovGame.one_shot([[[1, 1], [0, 0]], [[1, 1], [0, 0]]])
    found = enclose(game, ThreatModel(0), near(game, ThreatModel(0), [[1, 0], [0.25, 0.75]]))
    assert "singular" in found.reason


def test_attacks_that_tie_without_need_are_refused():
    """Three attacks are equally bad at agent 1's only maximin strategy, and two suffice."""
    tied = [[[1, 0, "1/2"], [0, 1, "1/2"]], [[1, 0, 0], [1, 0, 0]]]
    game = MarkovGame.one_shot(tied)
    found = enclose(game, ThreatModel(1), near(game, ThreatModel(1), [[0.5, 0.5], [1, 0, 0]]))
    assert not found
    assert "attack" in found.reason
    assert "degenerate" in found.reason or "equally bad" in found.reason


def test_attacks_that_are_the_same_function_are_merged():
    """The same with a copy of the first column: it is redundant by identity."""
    game = MarkovGame.one_shot([[[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [1, 0, 0]]])
    found = enclose(game, ThreatModel(1), near(game, ThreatModel(1), [[0.5, 0.5], [1, 0, 0]]))
    assert found.unique, found.reason


def test_a_dummy_agent_does_no_harm():
    """Agent 3 matters to nobody, agent 2 has a dominant action, agent 1 matches pennies with agent 2."""
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0] = np.array([[1.0, 0.0], [0.0, 1.0]])[:, :, None]
    payoffs[1, :, 0, :] = 1
    payoffs[2, :, :, 0] = 1
    game, threat = MarkovGame.one_shot(payoffs), ThreatModel(1)
    found = enclose(game, threat, near(game, threat, [[0.5, 0.5], [1, 0], [1, 0]]))
    assert found.unique, found.reason
    low, high = found.policy[0][0, 0]
    assert low <= Fraction(1, 2) <= high


@pytest.mark.parametrize(("seed", "kept"), [(24, 3), (44, 3), (18, 2), (19, 2)])
def test_imitation_makes_attacks_redundant(seed, kept):
    """Equally bad attacks on both other agents: one of them follows from the others, by imitation."""
    from arneq_exact.enclosure.verified_play import VerifiedPlay

    rng = np.random.default_rng(seed)
    game = MarkovGame.one_shot([rng.integers(-9, 10, (3, 2, 2)).tolist() for _ in range(3)])
    threat = ThreatModel(1)
    solution = solve(game, threat)
    stages = VerifiedPlay(game, threat, solution.certificate, [0, 1, 2], 128).system.stages.values()
    assert [len(stage.kept) for stage in stages if stage.dropped] == [kept]
    found = enclose(game, threat, solution)
    assert found.unique
    assert found.classes == ()


@pytest.mark.parametrize("off", [1e-3, 1e-5])
def test_a_wrong_solution_is_not_enclosed(off):
    """Newton's method would find the true one: it is too far from what was given."""
    game, threat = congestion(), ThreatModel(0)
    right = 0.5**0.5
    found = enclose(game, threat, near(game, threat, [[1 - right - off, right + off]] * 3))
    assert not found
    assert "is no equilibrium itself" in found.reason


def test_mutants(rng):
    """Any change of an equilibrium's policy beyond rounding is refused."""
    game, threat = games.random_game(rng, 3, 1, 2, 0.0), ThreatModel(1)
    solution = solve(game, threat)
    assert enclose(game, threat, solution)
    for agent in range(3):
        for row in ([1, 0], [0, 1], [0.5, 0.5], [0.25, 0.75]):
            arrays = [array.copy() for array in solution.policy]
            if np.abs(arrays[agent] - row).max() < 1e-6:
                continue
            arrays[agent][0] = row
            assert not enclose(game, threat, certify(game, threat, Policy(game, arrays)))
            # Evidence that belongs to the right policy does not help.
            forged = replace(solution.certificate, policy=tuple(arrays))
            assert not enclose(game, threat, forged)


def test_wrong_evidence_does_not_prove_a_wrong_equilibrium():
    """Not an equilibrium of prisoners' dilemma, with values and attacks that are made up."""
    game, threat = games.prisoners_dilemma(), ThreatModel(0)
    certificate = near(game, threat, [[1, 0], [1, 0]])
    for value in (0.0, 1.0, 3.0):
        forged = replace(certificate, upper=np.full((2, 1), value), lower=np.full((2, 1), value))
        assert not enclose(game, threat, forged)


def test_finite_horizons_are_refused():
    game = games.nosde()
    found = enclose(game, ThreatModel(0), solve(game, ThreatModel(0), horizon=2))
    assert "finite horizon" in found.reason
    assert repr(found).startswith("Enclosure(none: ")


def test_large_systems_are_refused(rng):
    game = games.random_game(rng, 2, 200, 2, 0.5, kind="sparse")
    found = enclose(game, ThreatModel(1), certify(game, ThreatModel(1), Policy.uniform(game)))
    assert not found
    assert "over 600 unknowns are too many" in found.reason


def test_arguments():
    game = games.prisoners_dilemma()
    solution = solve(game, ThreatModel(0))
    assert isinstance(enclose(game, ThreatModel(0), solution), Enclosure)
    with pytest.raises(CertificateError, match="another game or threat"):
        enclose(game, ThreatModel(1), solution)
    with pytest.raises(CertificateError, match="another game or threat"):
        enclose(games.matching_pennies(), ThreatModel(0), solution)
    with pytest.raises(InputError, match="bits is 3; must be an integer from 64 to 4096"):
        enclose(game, ThreatModel(0), solution, bits=3)
    for wrong, message in (
        (("g", ThreatModel(0), solution), "game is 'g'; must be a MarkovGame"),
        ((game, 0, solution), "threat is 0; must be a ThreatModel"),
        ((game, ThreatModel(0), "x"), "solution is 'x'; must be a Solution or Certificate"),
        ((game, ThreatModel(0), None), "solution is None; must be a Solution or Certificate"),
        ((game, ThreatModel(0), solution.policy), "solution is .*; must be a Solution or Certificate"),
    ):
        with pytest.raises(CertificateError, match=f"enclose: {message}$"):
            enclose(*wrong)
