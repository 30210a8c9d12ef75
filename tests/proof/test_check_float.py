"""The float checker is never below the exact bound, and says so when it cannot vouch for itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from certificate_builder import build, on_grid, random_game, random_hints, random_policy
from certificate_rounding_cases import compare

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof import check_float
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check import check
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import CHECKING_WIDTH, evaluate_float
from arneq_exact.proof.rounding import rounded_up


def test_the_float_bound_is_never_below_the_exact_one():
    below, closest = compare(seed=0, games=250)
    assert below == 0
    assert closest < 1e-13, "the bound should be tight somewhere"


def test_the_float_bound_is_tight_on_plain_games():
    rng = np.random.default_rng(1)
    for _ in range(20):
        game = random_game(rng, 3, 4, 3, discount=0.9)
        threat, policy = ThreatModel(1), random_policy(rng, game)
        made = build(game, threat, policy, found=random_hints(rng, game, threat))
        for bound, exact in zip(evaluate_float(game, made)[0], made.epsilon, strict=True):
            assert 0 <= bound / exact - 1 < 1e-12


def test_a_seal_survives_another_order_of_summation(monkeypatch):
    rng = np.random.default_rng(3)
    columns = check_float.column_matrix

    calls = count()

    def reordered(*arguments):
        # Another order moves a sum by a few units in the last place; here always for the worse:
        # of the four matrices the first is for u, the second for l, then come their sizes.
        worse = -np.inf if next(calls) % 4 == 1 else np.inf
        return np.nextafter(np.nextafter(columns(*arguments), worse), worse)

    for _ in range(20):
        game = random_game(rng, 3, 3, 3, discount=0.9)
        threat, policy = ThreatModel(1), random_policy(rng, game)
        made = build(game, threat, policy, arithmetic="float", found=random_hints(rng, game, threat))
        with monkeypatch.context() as patch:
            patch.setattr(check_float, "column_matrix", reordered)
            assert check(game, made).valid


def test_a_claim_below_the_float_bound_is_refused():
    rng = np.random.default_rng(4)
    game = random_game(rng, 2, 3, 2)
    threat, policy = ThreatModel(1), random_policy(rng, game)
    made = build(game, threat, policy, arithmetic="float", found=random_hints(rng, game, threat))
    exact = evaluate_exact(game, made)[0]
    assert "must be at least the recomputed" in check(game, replace(made, epsilon=exact)).reason
    assert check(game, replace(made, epsilon=exact), arithmetic="exact").valid
    assert check(game, replace(made, epsilon=tuple(e + 1 for e in exact))).valid


def _one_state(rewards, move=0.5, discount=0.5):
    return MarkovGame.from_rows(
        [[1]] * 1, [rewards], [[(move, 0)]], discount, termination=[1 - Fraction(move)]
    )


def _certificate(game, **parts):
    one = np.ones((1, 1))
    zero = np.zeros((1, 1))
    base = Certificate(game.content_hash, ThreatModel(0), (one,), (one,), zero, zero, (0,), "float")
    return replace(base, **parts)


@pytest.mark.parametrize(
    ("game", "parts", "reason"),
    [
        (
            _one_state([1.0]),
            {"policy": (np.array([[Fraction(1, 3) * 3 + Fraction(0)]], dtype=object),)},
            "are Fractions",
        ),
        (_one_state([1.0]), {"attacker": (np.array([[0.25]]),)}, "between 1/2 and 2"),
        (_one_state([1.0]), {"attacker": (np.array([[1e300]]),)}, "between 1/2 and 2"),
        (_one_state([Fraction(1, 10**320)]), {}, "must be checked exactly"),
        (_one_state([Fraction(1, 3)], move=Fraction(1, 10**320)), {}, "must be checked exactly"),
        (_one_state([1e150]), {"upper": np.array([[1.7e308]]), "lower": np.array([[-1.7e308]])}, "overflows"),
        (
            _one_state([-1e150]),
            {"upper": np.array([[-1.7e308]]), "lower": np.array([[1.7e308]])},
            "overflows",
        ),
        (_one_state([1.0], move=1.0, discount=1 - 2.0**-53), {}, "not provably below 1"),
        (
            MarkovGame.from_rows([[1, 1]], [[1.0, 1.0]], [[(1.0, 0)]], 0.5),
            {
                "threat": ThreatModel(1, probability=Fraction(1, 10**310)),
                "policy": (np.ones((1, 1)),) * 2,
                "attacker": (np.ones((1, 1)),) * 2,
                "upper": np.zeros((2, 1)),
                "lower": np.zeros((2, 1)),
                "epsilon": (0, 0),
            },
            "at least 2^-1022",
        ),
    ],
)
def test_what_the_float_path_cannot_vouch_for_is_refused(game, parts, reason):
    result = check(game, _certificate(game, **parts))
    assert not result.valid
    assert reason in result.reason


def test_a_machine_that_flushes_subnormals_is_refused(monkeypatch):
    game = _one_state([1.0])
    monkeypatch.setattr(check_float, "SMALLEST", 0.0)
    assert "gradual underflow" in check(game, _certificate(game)).reason


def test_rational_games_enter_with_their_rounding():
    # 1/3 rounds down: a bound from the double alone would be below the exact residual.
    game = _one_state([Fraction(1, 3)], move=Fraction(1, 3), discount="1/3")
    made = _certificate(game)
    assert (
        evaluate_float(game, made, CHECKING_WIDTH)[0][0] >= evaluate_exact(game, made)[0][0] == Fraction(3, 8)
    )


def test_rounded_up_is_the_least_double_above():
    for value in (Fraction(1, 3), Fraction(-1, 3), Fraction(0), Fraction(1, 10**400), Fraction(5, 2)):
        up = rounded_up(value)
        assert Fraction(up) >= value
        assert Fraction(float(np.nextafter(up, -np.inf))) < value
    assert rounded_up(Fraction(10**400)) == np.inf
    assert Fraction(rounded_up(Fraction(-(10**400)))) > -(10**400)


def test_policies_on_the_grid_sum_to_exactly_one():
    rng = np.random.default_rng(6)
    for size in range(1, 8):
        assert sum(map(Fraction, on_grid(rng.dirichlet(np.ones(size))).tolist())) == 1
