"""Certify a policy: find the evidence of [T12], seal the claim.

The evidence is the attackers' optimal mixtures y against all responses, the best-response values u and
the robust values l, as the float solvers find them; a checker then computes the claim ε from them. The
claim is valid however wrong the evidence is, and tight when it is right. `solve` brings the evidence along:
its judge has evaluated the policy already (`arneq_exact.solver.judge`).

π is put on the grid of multiples of 2⁻⁵² so that its rows sum to exactly 1. Where large values would cost
the digits that matter, u and l are found on the recentred game (`arneq_exact.markov.recentre`) and kept as
exact sums; for small games short rationals are guessed as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_judgeable
from arneq_exact.markov.candidates import Bounds
from arneq_exact.markov.evaluate import stationary_bounds
from arneq_exact.markov.horizon import evaluate_horizon
from arneq_exact.markov.recentre import recentre_at, rounding_loss
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import evaluate_float
from arneq_exact.solver.simplify import seems_rational, simple_mixtures, simple_values


@dataclass(frozen=True)
class Sealed:
    """A certificate with what its checker found on the way.

    Attributes
    ----------
    certificate : Certificate
    shift : tuple of Fraction
        The part of ε that pays for residuals: u_i(s) − l_i(s) + shift_i bounds the gap at state s.
    relative : tuple of float
        ε in units of each agent's reward range, rounded up.
    """

    certificate: Certificate
    shift: tuple[Fraction, ...]
    relative: tuple[float, ...]


GRID = 2.0**52
"""Probabilities are multiples of 1/GRID: the finest on which sums of a row are exact in doubles."""

SIMPLIFY_BELOW = 1e-9
"""Relative gap below which rational evidence is guessed: above it the policy is no equilibrium anyway."""

RECENTRE_ABOVE = 1e-11
"""Loss to rounding, as a relative gap, above which evidence is computed on the recentred game."""

EXACT_WORK = 60_000
"""Up to this many numbers in reward table times columns the exact checker seals: a few seconds at most."""


def certify(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Policy,
    *,
    arithmetic: str | None = None,
    bounds: Bounds | None = None,
) -> Certificate:
    """Return a certificate of how far `policy` is from an ARNEQ under `threat`.

    Works for any policy, n and threat: the claim ε may be large, but it is proved.

    Parameters
    ----------
    game, threat, policy
        The policy is put on the 2⁻⁵² grid; `Policy.distance` to ``certificate`` tells how far it moved.
    arithmetic : {"exact", "float"}, optional
        Integers, or doubles with rigorous rounding bounds; by default integers unless the game is large.
    bounds : Bounds, optional
        Evidence that a solver already has; computed here if absent. Wrong evidence makes a weak claim,
        never a false one.

    Raises
    ------
    GameError
        If the policy is stationary and a discount is 1.
    InputError
        If policy, threat and game do not fit, or the arithmetic does not exist.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> certify(game, ThreatModel(1), Policy.uniform(game)).epsilon
    (Fraction(0, 1), Fraction(0, 1))
    """
    return seal(game, threat, policy, arithmetic=arithmetic, bounds=bounds).certificate


def seal(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Policy,
    *,
    arithmetic: str | None = None,
    bounds: Bounds | None = None,
) -> Sealed:
    """Certify as `certify` does, and keep what the checker found."""
    if arithmetic not in (None, "exact", "float"):
        raise InputError(f"certify: arithmetic is {arithmetic!r}; must be 'exact' or 'float'")
    require_judgeable(game, threat, policy, "certify")
    if bounds is not None and not isinstance(bounds, Bounds):
        raise InputError(f"certify: bounds are {type(bounds).__name__}; must be Bounds or left out")
    grid = on_grid(game, policy)
    sealing = arithmetic or sealing_arithmetic(game, threat, grid)
    if bounds is None:
        bounds = refined(game, threat, grid, evaluated(game, threat, grid), sealing)
    return seal_on_grid(game, threat, grid, bounds, sealing)


def seal_on_grid(game: MarkovGame, threat: ThreatModel, grid: Policy, bounds: Bounds, sealing: str) -> Sealed:
    """Seal a policy on the grid with its evidence, or with short rationals near that if those prove more."""
    sealed = _seal(game, threat, grid, bounds, sealing)
    near = sealing == "exact" and 0 < max(sealed.relative) <= SIMPLIFY_BELOW and grid.horizon is None
    if near and (game.exact is not None or seems_rational(bounds.lower)):
        guess = Bounds(
            tuple(simple_mixtures(array) for array in bounds.attack),
            simple_values(bounds.upper),
            simple_values(bounds.lower),
        )
        guessed = _seal(game, threat, grid, guess, sealing)
        if max(guessed.relative) < max(sealed.relative):
            sealed = guessed
    return sealed


def _seal(game: MarkovGame, threat: ThreatModel, grid: Policy, bounds: Bounds, sealing: str) -> Sealed:
    """Let the checker compute the claim from the evidence as it is."""
    draft = Certificate(
        game=game.content_hash,
        threat=threat,
        policy=tuple(grid),
        attacker=bounds.attack,
        upper=bounds.upper,
        lower=bounds.lower,
        epsilon=(Fraction(0),) * game.n_agents,
        arithmetic=sealing,
        horizon=grid.horizon,
    )
    return claimed(game, draft)


def claimed(game: MarkovGame, draft: Certificate) -> Sealed:
    """Return a certificate with the claim that its checker computes, whatever the draft claims."""
    found = evaluate_exact(game, draft) if draft.arithmetic == "exact" else evaluate_float(game, draft)
    return Sealed(replace(draft, epsilon=found.epsilon), found.shift, found.relative(game))


def on_grid(game: MarkovGame, policy: Policy) -> Policy:
    """Return the policy on the grid of multiples of 2⁻⁵², with rows that sum to exactly 1."""
    return Policy(game, [_rows_on_grid(array) for array in policy])


def _rows_on_grid(array: FloatArray) -> FloatArray:
    units = np.rint(array * GRID)
    flat = units.reshape(-1, units.shape[-1])
    largest = flat.argmax(axis=1)
    # Integers below 2^53 are exact in doubles, so the largest entry can take up the difference exactly.
    flat[np.arange(len(flat)), largest] += GRID - flat.sum(axis=1)
    result: FloatArray = flat.reshape(units.shape) / GRID
    return result


def evaluated(game: MarkovGame, threat: ThreatModel, policy: Policy) -> Bounds:
    """Evaluate a policy: attackers' optimal mixtures, best-response values and robust values, in doubles."""
    if policy.horizon is None:
        return stationary_bounds(game, threat, policy)
    values = evaluate_horizon(game, threat, policy)
    return Bounds(values.attack, values.upper, values.lower, values.worst)


def refined(game: MarkovGame, threat: ThreatModel, policy: Policy, bounds: Bounds, sealing: str) -> Bounds:
    """Return evidence as its checker can use it.

    The exact checker gets it from the recentred game where doubles would lose what matters; the one in
    doubles gets doubles, also of what an evaluation on a recentred game has found exactly.
    """
    if policy.horizon is not None:
        return bounds
    upper, lower = (np.asarray(values, dtype=np.float64) for values in (bounds.upper, bounds.lower))
    if sealing == "float":
        return Bounds(bounds.attack, upper, lower)
    if rounding_loss(game, lower) <= RECENTRE_ABOVE:
        return bounds
    centred = recentre_at(game, lower)
    return centred.restored(stationary_bounds(centred.game, threat, policy))


def sealing_arithmetic(game: MarkovGame, threat: ThreatModel, policy: Policy) -> str:
    """Return which checker seals by default, by a measure of the exact one's work: numbers it contracts."""
    columns = max(resolve(game, threat).widths)
    work = game.n_rows * game.n_agents * max(1, columns // 4) * (policy.horizon or 1)
    return "exact" if work <= EXACT_WORK else "float"
