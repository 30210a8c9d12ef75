"""Polishing: from an approximate equilibrium to one that is accurate to rounding.

In the normal form of `arneq_exact.stage.normal_form`, with the mixtures stacked into one vector z and the
payoffs into one matrix P, z is an equilibrium if and only if every action in use is a best reply,

    z_i > 0  ⇒  (Pz)_i = v_b := max (Pz)_b .

Once a solver has found which actions are in use and which are best replies, this is a *linear* system in
(z, v). It is solved here by the correction of least norm, because on degenerate games the system has many
solutions, or dependent rows, and the nearest solution is the one least likely to leave the simplex. Which
actions count as in use and as best replies depends on a threshold; several are tried, and the point of least
regret wins, the original included: polishing never makes a point worse.

This is plain numpy, used on single games by the fallbacks and by the reference backend.

Reference
---------
Golub & Van Loan (2013), *Matrix Computations*, 4th ed., section 5.5 (least squares of deficient rank).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.normal_form import UnitGames

ENOUGH = 1e-14
"""Regret at which a point needs no polish: some ten roundings of a payoff."""

_THRESHOLDS = (1e-10, 1e-8, 1e-6, 1e-4)
"""Probabilities and losses that count as zero, in turn: from what pivoting leaves to interior points."""

_DEPENDENT = 1e-11
"""Singular values below this part of the largest are zero: they are rounding, which they would magnify."""


def polish(game: UnitGames, mixtures: Sequence[FloatArray]) -> list[FloatArray]:
    """Move the mixtures to a nearby point of least regret.

    Parameters
    ----------
    game : UnitGames
        Batch of one game.
    mixtures : sequence of (A_b,) arrays
        The approximate equilibrium.

    Returns
    -------
    list of (A_b,) arrays
        Mixtures, non-negative and divided by their sums.
    """
    sizes = game.sizes
    player = np.repeat(np.arange(len(sizes)), sizes)
    ends = np.cumsum(sizes)[:-1]

    def regret(point: FloatArray) -> float:
        return float(game.regret(np.split(point[None], ends, axis=1))[0])

    matrix = game.stacked(0)
    start = best = _normalised(np.concatenate(mixtures), player)
    least = regret(best)
    for threshold in _THRESHOLDS:
        if least <= ENOUGH:
            break
        point = _normalised(_least_norm_correction(matrix, player, start, threshold), player)
        reached = regret(point)
        if reached < least:
            best, least = point, reached
    return np.split(best, ends)


def _normalised(point: FloatArray, player: IntArray) -> FloatArray:
    """Clip below zero and divide every player's part by its sum; nan where nothing is left."""
    point = np.maximum(point, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(point / np.bincount(player, weights=point)[player])


def _least_norm_correction(
    matrix: FloatArray, player: IntArray, point: FloatArray, threshold: float
) -> FloatArray:
    """Solve the active equations for the mixtures in use, as near to the point as possible."""
    payoff = matrix @ point
    best = np.array([payoff[player == b].max() for b in range(player[-1] + 1)])
    in_use = point > threshold
    tight = in_use | (payoff >= best[player] - threshold)
    membership = (player[:, None] == np.arange(len(best))).astype(np.float64)
    kept = np.where(in_use, point, 0.0)
    equations = np.block(
        [
            [matrix[np.ix_(tight, in_use)], -membership[tight]],
            [membership[in_use].T, np.zeros((len(best), len(best)))],
        ]
    )
    residual = np.concatenate([best[player[tight]] - matrix[tight] @ kept, 1.0 - membership.T @ kept])
    correction = np.linalg.lstsq(equations, residual, rcond=_DEPENDENT)[0]
    kept[in_use] += correction[: int(in_use.sum())]
    return kept
