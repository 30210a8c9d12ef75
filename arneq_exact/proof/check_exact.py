"""The exact checker: the bound of [T12] in integer arithmetic.

It is evaluated as it stands: doubles are dyadic rationals, rational games enter with their exact numbers,
and integers over common denominators carry the sweep (`integers`). The largest and the smallest entries are
taken over every action and every column, of the general threats of [T10] as well. Only e_t, (δU + δL)/(1−β)
and ε are rounded, upwards, and only if their denominators pass 1200 bits (`shortened`).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.model.game import MarkovGame
from arneq_exact.proof.bound import ZERO, Bound, Pair, Sweep, bound
from arneq_exact.proof.certificate import Certificate, Numbers
from arneq_exact.proof.columns import column_matrix
from arneq_exact.proof.integers import (
    IntegerGame,
    ObjectArray,
    over_common_denominator,
    over_row_denominators,
)
from arneq_exact.proof.rounding import shortened


def evaluate_exact(game: MarkovGame, certificate: Certificate) -> Bound:
    """Compute ε and its residual part, per agent; the claim is ignored.

    Raises
    ------
    CertificateError
        If the certificate does not fit the game, or β ≥ 1 without a horizon.
    """
    return bound(ExactSweep(game, certificate))


class ExactSweep(Sweep):
    """Residuals in integers."""

    def __init__(self, game: MarkovGame, certificate: Certificate) -> None:
        super().__init__(game, certificate)
        self.integers = IntegerGame.of(game)
        # Every agent's residuals read the policies and attackers of a step: they are written once.
        self.tables = [
            (
                [over_row_denominators(table) for table in certificate.policy_at(step)],
                [over_row_denominators(table) for table in certificate.attacker_at(step)],
            )
            for step in range(certificate.steps)
        ]

    def modulus(self, agent: int) -> Fraction:
        """Return β."""
        return self.integers.discount[agent] * self.integers.largest_row_sum

    def residuals(self, step: int, agent: int, upper: Pair, lower: Pair) -> Fraction:
        """Return δU + δL of one step."""
        game, integers, groups = self.game, self.integers, self.groups[agent]
        policies, attackers = self.tables[step]
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
                    residual = Fraction(numerator, denominator) - Fraction(now[state])
                    rise, fall = (max(rise, residual), fall) if is_upper else (rise, max(fall, -residual))
        return rise + fall

    def spread(self, upper: Numbers, lower: Numbers) -> Fraction:
        """Return max (u − l) over states."""
        return max(Fraction(high) - Fraction(low) for high, low in zip(upper, lower, strict=True))

    def rounded(self, value: Fraction) -> Fraction:
        """Return `value`, unless it is very long."""
        return shortened(value)


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
