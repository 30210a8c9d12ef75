"""Compiled steps of probability vectors: softmax, projection, and the direction in which to move.

All work on the rows of (vectors, A) arrays with a boolean array of the entries that exist; the others are 0.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.tables import BoolArray
from arneq_exact.stage.kernels import compiled

_TINY = float(np.finfo(np.float64).tiny)  # keeps the logarithm of a vanishing probability finite


@compiled
def softmax_rows(logits: FloatArray, allowed: BoolArray, chances: FloatArray) -> None:
    """Fill exp θ / Σ exp θ; the largest θ is taken off before the exponential."""
    for row in range(logits.shape[0]):
        most = -np.inf
        for a in range(logits.shape[1]):
            if allowed[row, a] and logits[row, a] > most:
                most = logits[row, a]
        total = 0.0
        for a in range(logits.shape[1]):
            chances[row, a] = np.exp(logits[row, a] - most) if allowed[row, a] else 0.0
            total += chances[row, a]
        for a in range(logits.shape[1]):
            chances[row, a] /= total


@compiled
def project_rows(points: FloatArray, allowed: BoolArray, nearest: FloatArray) -> None:
    """Fill the Euclidean projection on the simplex: max(x − τ, 0), with τ such that it sums to 1.

    The entries are taken from the largest down; τ is the mean excess of the longest run that stays above it
    (Held, Wolfe & Crowder 1974).
    """
    ordered = np.empty(points.shape[1])
    for row in range(points.shape[0]):
        size = 0
        for a in range(points.shape[1]):
            if allowed[row, a]:
                place = size
                while place > 0 and ordered[place - 1] < points[row, a]:
                    ordered[place] = ordered[place - 1]
                    place -= 1
                ordered[place] = points[row, a]
                size += 1
        sums, threshold = 0.0, 0.0
        for place in range(size):
            sums += ordered[place]
            excess = (sums - 1.0) / (place + 1)
            if not ordered[place] > excess:
                break
            threshold = excess
        total = 0.0
        for a in range(points.shape[1]):
            above = points[row, a] - threshold
            nearest[row, a] = above if allowed[row, a] and above > 0.0 else 0.0
            total += nearest[row, a]
        for a in range(points.shape[1]):
            nearest[row, a] /= total


@compiled
def direction_rows(
    chances: FloatArray,
    gradient: FloatArray,
    allowed: BoolArray,
    unit: FloatArray,
    visits: FloatArray,
    entropy: float,
    natural: bool,
    weighted: bool,
    change: FloatArray,
) -> None:
    """Fill the direction of each vector p, h − p·h for h = unit · g, times p if `weighted`.

    `visits` holds d of each vector's state: natural steps divide g by it, else it weighs the entropy bonus
    −`entropy` · ln p.
    """
    for row in range(chances.shape[0]):
        often = visits[row]
        mean = 0.0
        for a in range(chances.shape[1]):
            change[row, a] = 0.0
            if allowed[row, a]:
                towards = unit[row] * gradient[row, a]
                if natural:
                    towards = towards / often if often > 0.0 else 0.0
                if entropy > 0.0:
                    bonus = -entropy * np.log(max(chances[row, a], _TINY))
                    towards += bonus if natural else bonus * often
                change[row, a] = towards
                mean += chances[row, a] * towards
        for a in range(chances.shape[1]):
            if allowed[row, a]:
                change[row, a] -= mean
                if weighted:
                    change[row, a] *= chances[row, a]
