"""Two ways to write a probability vector as something that a gradient step may move.

Softmax: p = exp θ / Σ exp θ. With g = ∂J/∂p the plain step is θ ← θ + η p (g − p·g), and the natural one
θ ← θ + η (g/d − p·g/d), where d is the discounted number of visits of the state (Kakade 2002): multiplicative
weights with the robust Q as payoff.

Simplex ("direct"): p itself, and p ← Π(p + η g), Π the Euclidean projection on the simplex (Held, Wolfe &
Crowder 1974); naturally, g/d in place of g. Its gradient can only be estimated from actions that are played,
so learners from samples mix in some exploration (Daskalakis, Foster & Golowich 2020).

All functions work on arrays (..., A) with a boolean array of the entries that exist; the others stay 0.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from arneq_exact.learning.tables import BoolArray
from arneq_exact.model.rationals import FloatArray


class Parametrisation(Protocol):
    """What a learner's variables are, and how a step moves them."""

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the variables whose probabilities are proportional to exp(logits)."""
        ...

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p."""
        ...

    def direction(self, probabilities: FloatArray, gradient: FloatArray, natural: bool) -> FloatArray:
        """Return how the variables move for ∂J/∂p, or for its natural counterpart, at rate 1."""
        ...

    def moved(self, variables: FloatArray, change: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the variables after a change, brought back to where they belong."""
        ...


class Softmax:
    """p = exp θ / Σ exp θ.

    Examples
    --------
    >>> everything = np.ones((1, 2), dtype=bool)
    >>> Softmax().probabilities(np.log([[1.0, 3.0]]), everything).round(12).tolist()
    [[0.25, 0.75]]
    """

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return θ."""
        return np.where(allowed, logits, 0.0)

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p; the largest θ is taken off before the exponential."""
        held = np.where(allowed, variables, -np.inf)
        weights = np.exp(held - held.max(axis=-1, keepdims=True))
        result: FloatArray = weights / weights.sum(axis=-1, keepdims=True)
        return result

    def direction(self, probabilities: FloatArray, gradient: FloatArray, natural: bool) -> FloatArray:
        """Return p (g − p·g), or g − p·g naturally."""
        advantage: FloatArray = gradient - (probabilities * gradient).sum(axis=-1, keepdims=True)
        return advantage if natural else probabilities * advantage

    def moved(self, variables: FloatArray, change: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return θ + change."""
        return variables + np.where(allowed, change, 0.0)


class Simplex:
    """p itself, projected after every step.

    Examples
    --------
    >>> everything = np.ones((1, 3), dtype=bool)
    >>> change = np.array([[0.0, 0.4, 0.6]])
    >>> Simplex().moved(np.array([[0.2, 0.3, 0.5]]), change, everything).round(12).tolist()
    [[0.0, 0.3, 0.7]]
    """

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p."""
        return Softmax().probabilities(logits, allowed)

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the variables themselves."""
        return variables

    def direction(self, probabilities: FloatArray, gradient: FloatArray, natural: bool) -> FloatArray:
        """Return g less its mean weight p·g, a constant that the projection removes but keeps sums small."""
        advantage: FloatArray = gradient - (probabilities * gradient).sum(axis=-1, keepdims=True)
        return advantage

    def moved(self, variables: FloatArray, change: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the projection of variables + change on the simplex of the entries that exist."""
        return project(variables + change, allowed)


def project(points: FloatArray, allowed: BoolArray) -> FloatArray:
    """Return the Euclidean projection of each row of `points` (..., A) on the simplex.

    The projection is max(x − τ, 0) with τ such that it sums to 1; τ is found by sorting.
    """
    held = np.where(allowed, points, -np.inf)
    ordered = -np.sort(-held, axis=-1)
    finite = np.where(np.isfinite(ordered), ordered, 0.0)
    excess = (np.cumsum(finite, axis=-1) - 1.0) / np.arange(1, points.shape[-1] + 1)
    support = (ordered > excess).sum(axis=-1, keepdims=True)
    threshold = np.take_along_axis(excess, support - 1, axis=-1)
    clipped = np.maximum(held - threshold, 0.0)
    result: FloatArray = clipped / clipped.sum(axis=-1, keepdims=True)
    return result


PARAMETRISATIONS: dict[str, Parametrisation] = {"softmax": Softmax(), "simplex": Simplex()}
