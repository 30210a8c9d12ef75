"""The exact checker against the bare formula, known answers, and everything that it must refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_brute_force import bare_bound
from certificate_builder import (
    build,
    hints,
    random_game,
    random_hints,
    random_policy,
    random_threat,
    sealed,
)

from arneq_exact.errors import CertificateError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check import check
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.rounding import shortened

PENNIES = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]


@pytest.mark.parametrize("trial", range(60))
def test_the_bound_is_the_bare_formula(trial):
    rng = np.random.default_rng(trial)
    n, horizon = int(rng.integers(1, 4)), (None, None, 2)[trial % 3]
    rational = trial % 4 == 0
    discount = ("3/4", "9/10")[trial % 2] if rational else 0.9
    game = random_game(rng, n, int(rng.integers(1, 4)), 3, discount=discount, rational=rational)
    threat, policy = random_threat(rng, n), random_policy(rng, game, horizon)
    made = build(game, threat, policy, horizon, found=random_hints(rng, game, threat, horizon))
    epsilon, shift = bare_bound(game, made)
    result = check(game, made, threat)
    assert result.valid, result.reason
    assert list(result.epsilon) == epsilon == list(made.epsilon)
    assert list(result.shift) == shift


def test_matching_pennies_is_proved_with_gap_zero():
    game = MarkovGame.one_shot(PENNIES)
    half = np.full((1, 2), 0.5)
    zero = np.zeros((2, 1))
    for k in (0, 1):
        threat = ThreatModel(k)
        y = (half, half) if k else (np.ones((1, 1)),) * 2
        made = sealed(
            game, Certificate(game.content_hash, threat, (half, half), y, zero, zero, (0, 0), "exact")
        )
        assert made.epsilon == (0, 0)
        assert check(game, made, threat).relative == (0.0, 0.0)


def test_fraction_policies_and_values_are_exact():
    # F3: unanimity with payoffs 1 and 3, k = 1, n = 2: pi(x) proportional to 1/v_x, V = 3/4.
    game = MarkovGame.one_shot([[[1, 0], [0, 3]]] * 2)
    mix = np.array([[Fraction(3, 4), Fraction(1, 4)]], dtype=object)
    value = np.array([[Fraction(3, 4)]] * 2, dtype=object)
    made = Certificate(
        game.content_hash, ThreatModel(1), (mix, mix), (mix, mix), value, value, (0, 0), "exact"
    )
    assert check(game, made).valid


def test_a_probability_threat_is_averaged_over_the_empty_set():
    # One own action; the other earns us 1 by action 0. Corrupted with probability 1/4 it never does.
    game = MarkovGame.one_shot([[[1, 0]], [[0, 0]]])
    policy = (np.ones((1, 1)), np.array([[1.0, 0.0]]))
    threat = ThreatModel(1, probability="1/4")
    y = (np.array([[0.0, 1.0]]), np.ones((1, 1)))
    value = np.array([[0.75], [0.0]])
    made = Certificate(game.content_hash, threat, policy, y, value, value, (0, 0), "exact")
    assert check(game, made).valid
    too_high = replace(made, lower=value + np.array([[0.25], [0.0]]))
    assert evaluate_exact(game, too_high)[0] == (0, 0)
    assert evaluate_exact(game, too_high)[1] == (Fraction(1, 4), 0)


def test_beta_is_the_exact_row_sum_not_the_discount():
    # A row that sums to 1 + 2^-30: with u = 1 and reward 0 the residual is paid at 1/(1 - beta).
    over = 1 + 2.0**-30
    game = MarkovGame.from_arrays([[[1.0]]], [[[over]]], 0.5)
    one = np.ones((1, 1))
    made = Certificate(game.content_hash, ThreatModel(0), (one,), (one,), one, one, (0,), "exact")
    residual = 1 + Fraction(over) / 2 - 1
    assert evaluate_exact(game, made)[0] == (residual / (1 - Fraction(over) / 2),)


def test_discount_one_needs_a_horizon():
    game = MarkovGame.from_arrays([[[1.0]]], [[[1.0]]], 1.0)
    one = np.ones((1, 1))
    made = Certificate(game.content_hash, ThreatModel(0), (one,), (one,), one, one, (0,), "exact")
    assert "must be below 1 without a horizon" in check(game, made).reason
    steps = np.ones((3, 1, 1))
    values = np.array([3.0, 2.0, 1.0, 0.0]).reshape(4, 1, 1)
    timed = replace(made, policy=(steps,), attacker=(steps,), upper=values, lower=values, horizon=3)
    assert check(game, timed).valid


def test_values_after_the_last_step_are_held_to_zero():
    game = MarkovGame.from_arrays([[[1.0]]], [[[1.0]]], 0.5)
    steps, values = np.ones((2, 1, 1)), np.array([1.5, 1.0, 0.0]).reshape(3, 1, 1)
    made = Certificate(
        game.content_hash, ThreatModel(0), (steps,), (steps,), values, values, (0,), "exact", horizon=2
    )
    assert evaluate_exact(game, made)[0] == (0,)
    shifted = np.array([1.0, 0.0, -2.0]).reshape(3, 1, 1)
    assert evaluate_exact(game, replace(made, upper=shifted))[0] == (1.0 - 1.5 + 2 * 0.25,)
    assert evaluate_exact(game, replace(made, lower=values + 1))[0] == (-1 + 0.5 + 0.5 * (0.5 + 0.5 * 1),)


def test_a_long_horizon_keeps_the_bound_short():
    rng = np.random.default_rng(5)
    game = random_game(rng, 2, 2, 2, discount=0.9)
    threat, horizon = ThreatModel(1), 60
    policy = random_policy(rng, game, horizon)
    made = build(game, threat, policy, horizon, found=random_hints(rng, game, threat, horizon))
    assert check(game, made).valid
    for claim, bound in zip(made.epsilon, bare_bound(game, made)[0], strict=True):
        assert bound.denominator.bit_length() > 1200 >= claim.denominator.bit_length() - 1
        assert 0 <= claim - bound < Fraction(1, 2**1190)


def test_shortened_rounds_up_and_leaves_short_numbers():
    long = Fraction(1, 3**2000)
    assert 0 < shortened(long) - long < Fraction(1, 2**1200)
    assert -Fraction(1, 2**1200) < -shortened(-long) - long <= 0
    assert shortened(Fraction(-7, 3)) == Fraction(-7, 3)


@pytest.fixture(scope="module")
def honest():
    rng = np.random.default_rng(11)
    game = random_game(rng, 3, 3, 2, discount=0.75)
    threat, policy = ThreatModel(1), random_policy(rng, game)
    return game, build(game, threat, policy, found=hints(game, threat, policy))


def _first(tables, change):
    table = tables[0].copy()
    change(table)
    return (table, *tables[1:])


def _add(place, amount):
    def change(table):
        table[place] += amount

    return change


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (lambda c: {"game": "0" * 64}, "that of the game at hand"),
        (lambda c: {"arithmetic": "quick"}, "must be 'exact' or 'float'"),
        (lambda c: {"horizon": 0}, "must be an integer of at least 1"),
        (lambda c: {"horizon": 2}, "upper has shape (3, 3); must be (3, 3, 3)"),
        (lambda c: {"policy": c.policy[:2]}, "2 policies are given; must be one per agent: 3"),
        (lambda c: {"attacker": (*c.attacker, c.attacker[0])}, "4 attackers are given"),
        (lambda c: {"epsilon": c.epsilon[:1]}, "1 claimed epsilons are given"),
        (lambda c: {"epsilon": tuple(e + 1 for e in c.epsilon)}, "must equal the recomputed"),
        (lambda c: {"epsilon": (c.epsilon[0] - Fraction(1, 2**900), *c.epsilon[1:])}, "must equal"),
        (lambda c: {"policy": _first(c.policy, _add((0, 0), 2.0**-52))}, "must sum to exactly 1"),
        (lambda c: {"policy": tuple(t[:2] for t in c.policy)}, "has shape (2, 2); must be (3, 2)"),
        (lambda c: {"policy": _first(c.policy, _add((0, 0), np.nan))}, "must be finite, at least 0"),
        (lambda c: {"attacker": _first(c.attacker, _add((1, 0), -2.0))}, "must be finite, at least 0"),
        (lambda c: {"attacker": _first(c.attacker, _add((1, 0), np.inf))}, "must be finite, at least 0"),
        (lambda c: {"attacker": tuple(0 * t for t in c.attacker)}, "must have a positive entry"),
        (lambda c: {"attacker": tuple(t[:, :-1] for t in c.attacker)}, "must be (3, "),
        (lambda c: {"upper": c.upper + np.inf}, "upper holds a number that is not finite"),
        (lambda c: {"lower": c.lower[:, :1]}, "lower has shape (3, 1)"),
        (lambda c: {"threat": ThreatModel(0)}, "must be"),
        (lambda c: {"threat": ThreatModel(sets={0: [[1]]})}, "must list each of 0..2"),
    ],
)
def test_refusals_name_the_part_and_the_rule(honest, parts, reason):
    game, made = honest
    result = check(game, replace(made, **parts(made)))
    assert not result.valid
    assert not result
    assert reason in result.reason
    assert "\n" not in result.reason


def test_another_threat_than_the_callers_is_refused(honest):
    game, made = honest
    assert check(game, made, ThreatModel(1, probability=1)).valid
    result = check(game, made, ThreatModel(2))
    assert result.reason == "Certificate: threat is k = 1; must be k = 2"
    assert result.epsilon == ()


def test_a_number_past_the_states_own_actions_is_refused():
    rng = np.random.default_rng(2)
    game = MarkovGame.from_rows([[2], [1]], [[0.0]] * 3, [[(1.0, 0)]] * 3, 0.5)
    made = build(game, ThreatModel(0), random_policy(rng, game))
    table = made.policy[0].copy()
    table[1] = (0.5, 0.5)
    assert "0 past the state's 1 entries" in check(game, replace(made, policy=(table,))).reason


def test_either_checker_may_judge_the_others_seal(honest):
    game, made = honest
    assert "must be at least" in check(game, made, arithmetic="float").reason
    loose = sealed(game, replace(made, arithmetic="float"))
    assert check(game, loose).valid
    assert check(game, loose, arithmetic="exact").valid
    with pytest.raises(CertificateError, match="arithmetic is 'fast'"):
        check(game, made, arithmetic="fast")


def test_the_arrays_cannot_be_changed_afterwards(honest):
    _, made = honest
    with pytest.raises(ValueError, match="read-only"):
        made.upper[0, 0] = 1
    with pytest.raises(CertificateError, match="ragged"):
        replace(made, upper=[[1], [1, 2]])


def test_relative_is_in_units_of_the_reward_range(honest):
    game, made = honest
    result = check(game, made)
    for relative, claim, unit in zip(result.relative, made.epsilon, game.exact_reward_range(), strict=True):
        assert Fraction(relative) >= claim / unit
        assert relative == pytest.approx(float(claim / unit), rel=1e-12)


def test_a_wrong_call_is_refused_in_one_line(honest):
    game, made = honest
    for arguments in ((made, game), (game, "c.json"), (game, made, 1)):
        with pytest.raises(CertificateError, match=r"^check: \w+ is \w+; must be \w+"):
            check(*arguments)
    for name in ("threat", "policy", "attacker", "epsilon"):
        with pytest.raises(CertificateError, match=f"^Certificate: {name} is float; must be"):
            replace(made, **{name: 1.0})
