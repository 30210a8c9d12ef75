"""The fast checker: the bound of [T12] in double precision, with every rounding error accounted for.

**Model.** Arithmetic is IEEE 754 binary64, round to nearest, with gradual underflow; this is probed at
run time. With u = 2^-53 and η = 2^-1074, Fl(a∘b) = (a∘b)(1+δ), |δ| ≤ u, for + and −, which do not
underflow; products and quotients add at most η/2. Fused multiply-adds only leave roundings out.
For (1+δ_1)^{±1}⋯(1+δ_N)^{±1} = 1+θ we use |θ| ≤ γ_N = N·u/(1−N·u) (Higham, *Accuracy and Stability of
Numerical Algorithms*, 2nd ed., Lemma 3.1).

**One quantity.** Let x be what the sweep computes for one (state, action) or (state, column): a sum of
terms, each a product of game data, u or l, and weights. In any order of summation a computed term meets
at most N roundings, so without underflow |x̂ − x| ≤ γ_N·a where a is the sum of the absolute terms. The
same lines run on |r| and |u| give â ≥ (1−γ_N)·a. N is the sum of:

    m + 1   P v: one product and at most m sums, m = most entries in a row (a first 0 included)
    2       times γ_i, plus r_i
    A_j     averaging out agent j: one product and A_j − 1 sums, for all j; for j = i this is the
            average over π_i in the lower sweep
    K + 1   one product and at most K sums over the corruption sets of an extreme point
    2·C     the upper sweep: C for Σ_c y_c M, C − 1 for the sum of y, 1 for the quotient
    4       reading a rational game: r or P, γ_i, ω(K) and one to spare

**Underflow.** A product's η/2 is afterwards only averaged (π, ω, y/Σy) or multiplied by γ_i ≤ 1, so the
absolute errors add up: at most m + 1 + ΣA_j + K of them, then C/Σy ≤ 2C in the quotient and one more.
That is at most N·η/2, and N·η with the later relative errors. Rows of y must sum to [1/2, 2] for this,
and a rational game must round to normal numbers. Hence a ≤ (â + N·η)/(1−γ_N) and

    |x̂ − x| ≤ E := κ·â + 2·N·η,   κ = γ_N/(1−γ_N).

E itself is computed with κ·(1 + 2^-40) and 4·N·η, which outweighs its own few roundings. Everything after
that (x̂ ± E, minus u or l, maxima) is rounded outward one unit in the last place at each step, and the
last few numbers per agent are Fractions. The largest row sum of P is bounded by its computed value over
1−γ_N. Overflow makes some E infinite or not a number, which is refused.

**Sealing.** Another machine may sum in another order. Its x̂ differs from ours by at most 2·E, so a claim
sealed with 4·E is still confirmed by a check there, which uses 1·E.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.errors import CertificateError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.proof.bound import Bound, Pair, Sweep, bound
from arneq_exact.proof.certificate import Certificate, Numbers
from arneq_exact.proof.columns import column_matrix
from arneq_exact.proof.rounding import above, rounded_up

UNIT = Fraction(1, 2**53)
"""u: half the distance from 1 to the next double."""

SMALLEST = 2.0**-1074
"""η: the least positive double."""

SMALLEST_NORMAL = 2.0**-1022
"""The least double with all its digits."""


CHECKING_WIDTH, SEALING_WIDTH = 1, 4
"""Multiples of E that a check adds, and that a sealed claim covers: other machines may differ by 2·E."""


def evaluate_float(game: MarkovGame, certificate: Certificate, width: int = SEALING_WIDTH) -> Bound:
    """Return rigorous upper bounds of ε and its residual part, with error terms `width` times E.

    By default they are doubles that `check` will confirm on any machine.

    Raises
    ------
    CertificateError
        If the certificate does not fit the game, or the float path cannot vouch for it.
    """
    with np.errstate(all="ignore"):
        return bound(FloatSweep(game, certificate, width))


class FloatSweep(Sweep):
    """Residuals in doubles, rounded outward."""

    uncertain = "is not provably below 1 in double precision; must be,"

    def __init__(self, game: MarkovGame, certificate: Certificate, width: int) -> None:
        super().__init__(game, certificate)
        _require_machine()
        _require_doubles(game, certificate)
        self.width = width
        self.most_entries = int(np.diff(game.transitions.indptr).max())
        counts = game.action_counts.max(axis=0)
        self.fixed_roundings = self.most_entries + 3 + int(counts.sum()) + 1 + 4
        theta = _gamma(self.most_entries + 3)
        self.row_sum = Fraction(float(game.transitions.sum(axis=1).max())) / (1 - theta)

    def modulus(self, agent: int) -> Fraction:
        """Return an upper bound of β."""
        return self.game.exact_discount()[agent] * self.row_sum

    def spread(self, upper: Numbers, lower: Numbers) -> Fraction:
        """Return an upper bound of max (u − l) over states."""
        return self.rounded(above(upper - lower).max())

    def rounded(self, value: Fraction | float) -> Fraction:
        """Return a double that is not below `value`."""
        return Fraction(self.finite(value))

    def residuals(self, step: int, agent: int, upper: Pair, lower: Pair) -> Fraction:
        """Return an upper bound of δU + δL of one step."""
        game = self.game
        (upper_now, next_upper), (lower_now, next_lower) = upper, lower
        policies = self.certificate.policy_at(step)
        attacker = self.certificate.attacker_at(step)[agent]
        values = np.stack([next_upper, next_lower, np.abs(next_upper), np.abs(next_lower)], axis=1)
        paid = game.rewards[:, agent]
        future = game.discount[agent] * (game.transitions @ values)
        payoffs = np.column_stack([paid, paid, np.abs(paid), np.abs(paid)]) + future
        rise = fall = 0.0
        for states, counts, corruptions in self.groups[agent]:
            shape = (len(states), *counts, 4)
            batch = payoffs[game.rows_of(states, int(np.prod(counts)))].reshape(shape)
            own = [table[states, :count] for table, count in zip(policies, counts, strict=True)]
            high, low, high_size, low_size = (
                column_matrix(batch[..., part], agent, own, corruptions, _weight) for part in range(4)
            )
            kappa, tiny = self._error_terms(corruptions, high.shape[2])
            y = attacker[states, : high.shape[2]][:, None, :]
            total = y.sum(axis=2)
            error = kappa * ((high_size * y).sum(axis=2) / total) + tiny
            above_all = self._finite_table(above((high * y).sum(axis=2) / total + error)).max(axis=1)
            rise = max(rise, float(above(above_all - upper_now[states]).max()))
            x = own[agent][:, :, None]
            error = kappa * (low_size * x).sum(axis=1) + tiny
            below = self._finite_table(-above(error - (low * x).sum(axis=1))).min(axis=1)
            fall = max(fall, float(above(lower_now[states] - below).max()))
        return Fraction(self.finite(rise)) + Fraction(self.finite(fall))

    def _error_terms(self, corruptions: tuple[Corruption, ...], n_columns: int) -> tuple[float, float]:
        """Return the factor of â and the absolute term of E."""
        sets = max(len(point.weights) for point in corruptions)
        roundings = self.fixed_roundings + sets + 2 * n_columns
        gamma = _gamma(roundings)
        kappa = rounded_up(self.width * gamma / (1 - gamma) * (1 + Fraction(1, 2**40)))
        return kappa, self.width * 4 * roundings * SMALLEST

    def _finite_table(self, table: FloatArray) -> FloatArray:
        self.finite(0.0 if np.isfinite(table).all() else np.inf)
        return table

    def finite(self, value: float | Fraction) -> float:
        """Round up to a double; refuse what is none."""
        if isinstance(value, Fraction):
            value = rounded_up(value)
        if not np.isfinite(value):
            raise CertificateError(
                "Certificate: a number overflows in double precision; must stay finite, or be checked exactly"
            )
        return float(value)


def _weight(members: tuple[int, ...], probability: Fraction) -> float:
    weight = float(probability)
    if weight < SMALLEST_NORMAL:
        raise CertificateError(
            f"Certificate: threat draws {members} with probability {weight}; "
            "must be at least 2^-1022 for the float check"
        )
    return weight


def _gamma(roundings: int) -> Fraction:
    return roundings * UNIT / (1 - roundings * UNIT)


def _require_machine() -> None:
    """Probe the arithmetic that the error analysis assumes, on arrays, as the sweep runs on them."""
    one, half_unit, least = np.array([1.0]), np.array([2.0**-53]), np.array([SMALLEST_NORMAL])
    nearest = (
        (one + half_unit == one).all()
        and (-one - half_unit == -one).all()
        and (one + 1.5 * half_unit == 1 + 2.0**-52).all()
    )
    if not (nearest and (least * 2.0**-52 == SMALLEST).all() and (SMALLEST * one + least > least).all()):
        raise CertificateError(
            "Certificate: this machine does not round to nearest with gradual underflow; "
            "must be checked exactly"
        )


def _require_doubles(game: MarkovGame, certificate: Certificate) -> None:
    """Require double entries, y near its sum of 1, and a game that doubles hold up to one rounding."""
    for agent in range(game.n_agents):
        tables = (certificate.policy[agent], certificate.attacker[agent])
        if any(table.dtype == object for table in (*tables, certificate.upper, certificate.lower)):
            raise CertificateError(
                f"Certificate: numbers of agent {game.agent_name(agent)!r} are Fractions; "
                "must be doubles for the float check"
            )
        sums = certificate.attacker[agent].sum(axis=-1)
        if not ((sums >= 0.5) & (sums <= 2.0)).all():
            wrong = sums[~((sums >= 0.5) & (sums <= 2.0))][0]
            raise CertificateError(
                f"Certificate: attacker of agent {game.agent_name(agent)!r} has a row that sums to "
                f"{wrong:.6g}; must be between 1/2 and 2 for the float check"
            )
    exact = game.exact
    if exact is None:
        return
    lost = (
        ((np.abs(game.rewards) < SMALLEST_NORMAL) & (exact.reward_numerators != 0)).any()
        or (game.transitions.data < SMALLEST_NORMAL).any()
        or any(0 < factor < Fraction(SMALLEST_NORMAL) for factor in exact.discount)
    )
    if lost:
        raise CertificateError(
            "Certificate: a rational of the game lies below 2^-1022; must be checked exactly"
        )
