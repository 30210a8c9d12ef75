"""Polishing: from an approximate equilibrium to one that is accurate to rounding.

Every stage game without products of more than two mixtures is a *polymatrix* game: players b with
mixtures z_b on simplices, stacked into one vector z, and one matrix P with payoffs (Pz)_b for the
actions of player b. z is an equilibrium if and only if every action in use is a best reply,

    z_i > 0  ⇒  (Pz)_i = v_b := max (Pz)_b .

A matrix game is the case P = [[0, M], [−Mᵀ, 0]], a bimatrix game P = [[0, Q₁], [Q₂ᵀ, 0]], and two agents with
their attackers have four blocks [T11]. Once a solver has found which actions are in use and which are best
replies, the condition is a *linear* system in (z, v). It is solved here by the correction of least norm,
because on degenerate games the system has many solutions, or dependent rows, and the nearest solution is
the one least likely to leave the simplex. Which actions count as in use and as best replies depends on a
threshold; several are tried, and the point of least regret wins, the original included: polishing never
makes a point worse.

This is plain numpy, used on single games by the fallbacks and by the reference backend.

Reference
---------
Golub & Van Loan (2013), *Matrix Computations*, 4th ed., section 5.5 (least squares of deficient rank).
"""

from __future__ import annotations

import numpy as np

from arneq_exact.stage.verification import FloatArray, IntArray

_THRESHOLDS = (1e-10, 1e-8, 1e-6, 1e-4)
ENOUGH = 1e-14
"""Regret at which a point needs no polish."""


def polish_matrix_game(matrix: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Polish an optimal pair of the zero-sum game ``matrix`` (A, C), payoffs of range one."""
    x, y = polish([[None, matrix], [-matrix.T, None]], [x, y])
    return x, y


def polish_bimatrix(payoff: FloatArray, x1: FloatArray, x2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Polish an equilibrium of the bimatrix game ``payoff`` (2, A1, A2), payoffs of range one."""
    x1, x2 = polish([[None, payoff[0]], [payoff[1].T, None]], [x1, x2])
    return x1, x2


def polymatrix_blocks(payoff: FloatArray, probability: FloatArray) -> list[list[FloatArray | None]]:
    """Payoff blocks of two agents and their attackers, in the order x1, x2, y1, y2 [T11].

    An attacker's payoff is not multiplied by the probability of corruption, so that it has to be optimal
    even where that is zero.
    """
    q1, q2 = payoff
    p1, p2 = probability
    return [
        [None, (1.0 - p1) * q1, p1 * q1, None],
        [(1.0 - p2) * q2.T, None, None, p2 * q2.T],
        [-q1.T, None, None, None],
        [None, -q2, None, None],
    ]


def polish(blocks: list[list[FloatArray | None]], mixtures: list[FloatArray]) -> list[FloatArray]:
    """Move the mixtures to a nearby point of least regret.

    Parameters
    ----------
    blocks : list of list of (A_b, A_c) arrays or None
        Payoff of player b against player c; None where c does not concern b. Payoffs of range one.
    mixtures : list of (A_b,) arrays
        The approximate equilibrium.

    Returns
    -------
    list of (A_b,) arrays
        Mixtures, non-negative and divided by their sums.
    """
    sizes = [len(mixture) for mixture in mixtures]
    player = np.repeat(np.arange(len(sizes)), sizes)
    matrix = stack(blocks, sizes)
    best = _normalised(np.concatenate(mixtures), player)
    best_regret = _largest_regret(matrix, player, best)
    start = best
    for threshold in _THRESHOLDS:
        if best_regret <= ENOUGH:
            break
        point = _normalised(_least_norm_correction(matrix, player, start, threshold), player)
        regret = _largest_regret(matrix, player, point)
        if regret < best_regret:
            best, best_regret = point, regret
    return np.split(best, np.cumsum(sizes)[:-1])


def stack(blocks: list[list[FloatArray | None]], sizes: list[int]) -> FloatArray:
    """One matrix from the payoff blocks, zero where a block is None."""
    return np.block(
        [
            [np.zeros((sizes[b], sizes[c])) if block is None else block for c, block in enumerate(blocks[b])]
            for b in range(len(sizes))
        ]
    )


def _best_payoffs(payoff: FloatArray, player: IntArray) -> FloatArray:
    """Largest payoff of each player, (players,)."""
    return np.array([payoff[player == b].max() for b in range(player[-1] + 1)])


def _largest_regret(matrix: FloatArray, player: IntArray, point: FloatArray) -> float:
    """Largest regret over the players; inf for a point that is not finite."""
    if not np.isfinite(point).all():
        return np.inf
    payoff = matrix @ point
    own = np.bincount(player, weights=point * payoff)
    return float((_best_payoffs(payoff, player) - own).max())


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
    best = _best_payoffs(payoff, player)
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
    correction = np.linalg.lstsq(equations, residual, rcond=1e-11)[0]
    kept[in_use] += correction[: int(in_use.sum())]
    return kept
