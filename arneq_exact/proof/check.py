"""The exact checker: the bound of [T12] in integer arithmetic, and the verdict on a certificate.

Fix an agent i, the others' policy π_{−i}, a mixture y(s) over the attacker's columns in every state
(divided by its exact sum), and write

    (U v)(s) = max_a Σ_c y(c|s) M(a; c),
    (L v)(s) = min_c Σ_a π_i(a|s) M(a; c),    where M = M_i^π(s)[r_i + γ_i P v].

*Monotone and contracting.* Every entry of M is an average of rows of r_i + γ_i P v: the weights π, y
and ω are nonnegative and sum to exactly 1. Hence for v ≤ v' also U v ≤ U v' and L v ≤ L v', and for a
constant c ≥ 0: U(v + c) ≤ U v + β c and L(v − c) ≥ L v − β c with β = γ_i · (largest exact row sum of P).
A row of doubles may sum to slightly more than 1, which is why γ_i alone would not do.

*Infinite horizon.* The best-response value is the fixed point of T v = max_x min_y of the same M, the
own robust value V that of L, both unique for β < 1 [T9]. T ≤ U pointwise. Let δU = max (U u − u)₊ and
c = δU/(1−β). Then U(u + c) ≤ U u + β c ≤ u + δU + β c = u + c, so T keeps what lies below u + c there, and
the best-response value is ≤ u + c. In the same way V ≥ l − δL/(1−β) with δL = max (l − L l)₊. Therefore

    gap_i(s) ≤ ε_i := max_s (u − l) + (δU + δL)/(1−β),   for every state s.

*Finite horizon T* [T14], discount 1 allowed. The value after the last step is 0, so u_T and l_T err by
e_T = max (0 − u_T)₊ + max (l_T − 0)₊, and by the same two lines, backwards for t = T−1, …, 0,

    e_t = δU_t + δL_t + β e_{t+1},   gap_i at step 0 ≤ ε_i := max_s (u_0 − l_0) + e_0,

where δ_t compares u_t with U_t u_{t+1} (and l_t with L_t l_{t+1}). No β < 1 is needed.

All of it is evaluated as it stands: doubles are dyadic rationals, rational games enter with their exact
numbers, and integers over common denominators carry the sweep (`integers`). The largest and the smallest
entries are taken over every action and every column, of the general threats of [T10] as well. Only e_t,
(δU + δL)/(1−β) and ε are rounded, upwards, and only if their denominators pass 1200 bits (`shortened`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import CertificateError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_float import float_bound
from arneq_exact.proof.columns import Group, column_groups, column_matrix
from arneq_exact.proof.fit import require_fit
from arneq_exact.proof.integers import (
    IntegerGame,
    ObjectArray,
    over_common_denominator,
    over_row_denominators,
)
from arneq_exact.proof.result import CheckResult
from arneq_exact.proof.rounding import rounded_up, shortened

Bound = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]
ZERO = Fraction(0)


def check(
    game: MarkovGame,
    certificate: Certificate,
    threat: ThreatModel | None = None,
    *,
    arithmetic: str | None = None,
) -> CheckResult:
    """Prove or refuse the claim of a certificate.

    Parameters
    ----------
    game : MarkovGame
        The game that the caller means; a certificate of another game is refused.
    certificate : Certificate
    threat : ThreatModel, optional
        The threat that the caller means; a certificate for another threat is refused.
    arithmetic : {"exact", "float"}, optional
        Which checker to use; by default the one that sealed the certificate. A claim sealed and
        checked exactly must equal the recomputed bound; otherwise it must not be below it.

    Returns
    -------
    CheckResult
        `valid` only if the claim is proved. Nothing that is wrong with a certificate raises.

    Raises
    ------
    CertificateError
        If the call itself is wrong: an argument of another type, an arithmetic that does not exist.
    """
    for name, given, kind in (
        ("game", game, MarkovGame),
        ("certificate", certificate, Certificate),
        ("threat", threat, ThreatModel | None),
    ):
        if not isinstance(given, kind):
            rule = getattr(kind, "__name__", "ThreatModel or None")
            raise CertificateError(f"check: {name} is {type(given).__name__}; must be {rule}")
    used = certificate.arithmetic if arithmetic is None else arithmetic
    if arithmetic not in (None, "exact", "float"):
        raise CertificateError(f"check: arithmetic is {arithmetic!r}; must be 'exact' or 'float'")
    epsilon: tuple[Fraction, ...] = ()
    shift: tuple[Fraction, ...] = ()
    relative: tuple[float, ...] = ()
    try:
        _require_same(game, certificate, threat)
        epsilon, shift = (
            float_bound(game, certificate) if used == "float" else evaluate_exact(game, certificate)
        )
        relative = tuple(
            rounded_up(bound / unit) for bound, unit in zip(epsilon, game.exact_reward_range(), strict=True)
        )
        _require_claim(game, certificate, epsilon, used)
    except InputError as error:
        return CheckResult(False, epsilon, shift, relative, certificate.threat, used, str(error))
    return CheckResult(True, epsilon, shift, relative, certificate.threat, used)


def evaluate_exact(game: MarkovGame, certificate: Certificate) -> Bound:
    """Compute the bound ε of [T12] or [T14] and its residual part, per agent; the claim is ignored.

    Raises
    ------
    CertificateError
        If the certificate does not fit the game, or β ≥ 1 without a horizon.
    """
    require_fit(game, certificate)
    integers = IntegerGame.of(game)
    tables = [
        (
            [over_row_denominators(table) for table in certificate.policy_at(step)],
            [over_row_denominators(table) for table in certificate.attacker_at(step)],
        )
        for step in range(certificate.steps)
    ]
    shifts = [_shift(integers, certificate, tables, agent) for agent in range(game.n_agents)]
    first = (slice(None),) if certificate.horizon is None else (0,)
    upper, lower = certificate.upper[first], certificate.lower[first]
    return tuple(map(_bound, upper, lower, shifts)), tuple(shifts)


Rows = list[tuple[ObjectArray, ObjectArray]]


def _shift(
    integers: IntegerGame, certificate: Certificate, tables: list[tuple[Rows, Rows]], agent: int
) -> Fraction:
    """Return what the residuals of u and l add to ε: e_0, or (δU + δL)/(1−β)."""
    groups = column_groups(integers.game, certificate.threat, agent)
    modulus = integers.discount[agent] * integers.largest_row_sum
    upper, lower = certificate.upper, certificate.lower
    if certificate.horizon is None:
        if modulus >= 1:
            raise CertificateError(
                f"Certificate: discount of agent {integers.game.agent_name(agent)!r} times the largest row "
                f"sum is {float(modulus):.17g}; must be below 1 without a horizon"
            )
        u_pair, l_pair = ((v[agent], v[agent]) for v in (upper, lower))
        residual = _residuals(integers, groups, tables[0], agent, u_pair, l_pair)
        return shortened(residual / (1 - modulus))
    error = max(ZERO, -_exact(min(upper[-1][agent]))) + max(ZERO, _exact(max(lower[-1][agent])))
    for step in reversed(range(certificate.horizon)):
        u_pair, l_pair = ((v[step][agent], v[step + 1][agent]) for v in (upper, lower))
        residual = _residuals(integers, groups, tables[step], agent, u_pair, l_pair)
        error = shortened(residual + modulus * error)
    return error


def _residuals(
    integers: IntegerGame,
    groups: Sequence[Group],
    tables: tuple[Rows, Rows],
    agent: int,
    upper: tuple[NDArray[Any], NDArray[Any]],
    lower: tuple[NDArray[Any], NDArray[Any]],
) -> Fraction:
    """Return δU + δL of one step; `upper` and `lower` are (v now, v afterwards)."""
    game, (policies, attackers) = integers.game, tables
    # Masks split the states, not the extreme points: any group has all the probabilities.
    units = math.lcm(*(w.denominator for point in groups[0].corruptions for _, w in point.weights))
    rise = fall = ZERO
    for is_upper, (now, later) in ((True, upper), (False, lower)):
        payoffs, payoff_units = integers.backup(agent, *over_common_denominator(later))
        for states, counts, corruptions in groups:
            batch = payoffs[game.rows_of(states, int(np.prod(counts)))].reshape(len(states), *counts)
            own = [table[states, :count] for (table, _), count in zip(policies, counts, strict=True)]
            bases = [denominators[states] for _, denominators in policies]
            columns = column_matrix(batch, agent, own, corruptions, _weights(bases, units))
            base = payoff_units[states] * units
            for other, factor in enumerate(bases):
                base = base * (factor if other != agent else 1)
            if is_upper:
                mixture = attackers[agent][0][states, : columns.shape[2]]
                backed = (columns * mixture[:, None, :]).sum(axis=2).max(axis=1)
                base = base * mixture.sum(axis=1)
            else:
                backed = (columns * own[agent][:, :, None]).sum(axis=1).min(axis=1)
                base = base * bases[agent]
            for state, numerator, denominator in zip(states, backed, base, strict=True):
                residual = Fraction(numerator, denominator) - _exact(now[state])
                rise, fall = (max(rise, residual), fall) if is_upper else (rise, max(fall, -residual))
    return rise + fall


def _weights(bases: list[ObjectArray], units: int) -> Any:
    """Return the integer factor of a corruption set's expectation.

    The expectation that keeps K lacks the denominators of π_K; multiplying them in puts all sets, and
    so all columns, over one denominator per state.
    """

    def weight(members: tuple[int, ...], probability: Fraction) -> ObjectArray:
        factor = np.full(len(bases[0]), probability.numerator * (units // probability.denominator), object)
        for member in members:
            factor = factor * bases[member]
        return factor.reshape(-1, *[1] * len(bases))

    return weight


def _require_same(game: MarkovGame, certificate: Certificate, threat: ThreatModel | None) -> None:
    if certificate.game != game.content_hash:
        raise CertificateError(
            f"Certificate: game has content hash {str(certificate.game)[:12]}…; "
            f"must be {game.content_hash[:12]}…, that of the game at hand"
        )
    if threat is not None and not certificate.threat.same_as(threat, game.n_agents):
        raise CertificateError(
            f"Certificate: threat is {certificate.threat.describe()}; must be {threat.describe()}"
        )


def _require_claim(
    game: MarkovGame, certificate: Certificate, epsilon: tuple[Fraction, ...], used: str
) -> None:
    must_equal = used == certificate.arithmetic == "exact"
    for agent, (claim, bound) in enumerate(zip(certificate.epsilon, epsilon, strict=True)):
        if claim < bound or (must_equal and claim != bound):
            rule = "equal" if must_equal else "be at least"
            raise CertificateError(
                f"Certificate: claimed epsilon of agent {game.agent_name(agent)!r} is {_text(claim)}; "
                f"must {rule} the recomputed {_text(bound)} (it is off by {_text(claim - bound)})"
            )


def _bound(upper: NDArray[Any], lower: NDArray[Any], shift: Fraction) -> Fraction:
    widest = max(_exact(high) - _exact(low) for high, low in zip(upper, lower, strict=True))
    return shortened(widest + shift)


def _exact(value: Any) -> Fraction:
    return Fraction(value)


def _text(value: Fraction) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return f"beyond the range of doubles, with sign {1 if value > 0 else -1}"
