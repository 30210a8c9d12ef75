"""The bound of [T12] on the gap, and of [T14] for a finite horizon: what both checkers evaluate.

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

The lines below follow this in Fractions; the residuals δ are a checker's own business (`check_exact`,
`check_float`), and so is the way in which it rounds upwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import NamedTuple

from arneq_exact.errors import CertificateError
from arneq_exact.model.game import MarkovGame
from arneq_exact.proof.certificate import Certificate, Numbers
from arneq_exact.proof.columns import ColumnGroup
from arneq_exact.proof.fit import require_fit
from arneq_exact.proof.rounding import rounded_up

ZERO = Fraction(0)  # for maxima with nothing

Pair = tuple[Numbers, Numbers]
"""Values (S,) of one agent: now, and one step later."""


class Bound(NamedTuple):
    """What a checker finds.

    Attributes
    ----------
    epsilon : tuple of Fraction
        ε, one per agent.
    shift : tuple of Fraction
        The part of it that pays for residuals: e_0, or (δU + δL)/(1−β).
    """

    epsilon: tuple[Fraction, ...]
    shift: tuple[Fraction, ...]

    def relative(self, game: MarkovGame) -> tuple[float, ...]:
        """Return ε in units of each agent's reward range (1 if constant), rounded up."""
        units = game.exact_reward_range()
        return tuple(rounded_up(bound / unit) for bound, unit in zip(self.epsilon, units, strict=True))


class Sweep(ABC):
    """The arithmetic of one checker on one certificate, which it has found to fit its game.

    Parameters
    ----------
    game, certificate

    Raises
    ------
    CertificateError
        If the certificate does not fit the game.
    """

    uncertain = ""
    """Said of a modulus β that is not below 1, if the checker knows no more than a bound on it."""

    def __init__(self, game: MarkovGame, certificate: Certificate) -> None:
        self.groups: list[list[ColumnGroup]] = require_fit(game, certificate)
        self.game, self.certificate = game, certificate

    @abstractmethod
    def modulus(self, agent: int) -> Fraction:
        """Return β, or a bound above it."""

    @abstractmethod
    def residuals(self, step: int, agent: int, upper: Pair, lower: Pair) -> Fraction:
        """Return δU + δL of one step, or a bound above it."""

    @abstractmethod
    def spread(self, upper: Numbers, lower: Numbers) -> Fraction:
        """Return max (u − l) over states, or a bound above it."""

    @abstractmethod
    def rounded(self, value: Fraction) -> Fraction:
        """Return a number that is not below `value`, and short."""


def bound(sweep: Sweep) -> Bound:
    """Return ε and the part of it that pays for residuals; the claim is ignored.

    Raises
    ------
    CertificateError
        If β ≥ 1 without a horizon, or the arithmetic of the checker cannot vouch for the bound.
    """
    certificate = sweep.certificate
    agents = range(sweep.game.n_agents)
    shift = [_shift(sweep, agent) for agent in agents]
    upper, lower = certificate.at_start
    epsilon = [sweep.rounded(sweep.spread(upper[i], lower[i]) + shift[i]) for i in agents]
    return Bound(tuple(epsilon), tuple(shift))


def _shift(sweep: Sweep, agent: int) -> Fraction:
    certificate, modulus = sweep.certificate, sweep.modulus(agent)
    upper, lower = certificate.upper, certificate.lower
    if certificate.horizon is None:
        if modulus >= 1:
            size = sweep.uncertain or f"is {float(modulus):.17g}; must be below 1"
            raise CertificateError(
                f"Certificate: discount of agent {sweep.game.agent_name(agent)!r} times the largest row "
                f"sum {size} without a horizon"
            )
        residual = sweep.residuals(0, agent, (upper[agent],) * 2, (lower[agent],) * 2)
        return sweep.rounded(residual / (1 - modulus))
    error = max(ZERO, -Fraction(min(upper[-1][agent]))) + max(ZERO, Fraction(max(lower[-1][agent])))
    for step in reversed(range(certificate.horizon)):
        u_pair, l_pair = ((v[step][agent], v[step + 1][agent]) for v in (upper, lower))
        error = sweep.rounded(sweep.residuals(step, agent, u_pair, l_pair) + modulus * error)
    return error
