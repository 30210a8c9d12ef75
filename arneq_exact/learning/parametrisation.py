"""Two ways to write a probability vector as something that a gradient step may move.

Softmax: p = exp θ / Σ exp θ. With g = ∂J/∂p the plain step is θ ← θ + η p (g − p·g), and the natural one
θ ← θ + η (g/d − p·g/d), where d is the discounted number of visits of the state (Kakade 2002): multiplicative
weights with the robust Q as payoff.

Simplex ("direct"): p itself, and p ← Π(p + η g), Π the Euclidean projection on the simplex; naturally, g/d in
place of g. Its gradient can only be estimated from actions that are played, so learners from samples mix in
some exploration (Daskalakis, Foster & Golowich 2020).

All functions work on arrays (..., A) with a boolean array of the entries that exist; the others stay 0.
"""

from __future__ import annotations

from math import prod
from typing import Any, Protocol

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.parametrisation_kernel import direction_rows, project_rows, softmax_rows
from arneq_exact.learning.tables import BoolArray


class Parametrisation(Protocol):
    """What a learner's variables are, and how a step moves them."""

    weighted: bool
    """Whether a plain step weighs what an action gains by its probability."""

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the variables whose probabilities are proportional to exp(logits)."""
        ...

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p."""
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

    weighted = True

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return θ."""
        return np.where(allowed, logits, 0.0)

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p."""
        result = np.empty(variables.shape)
        softmax_rows(_rows(variables), _rows(allowed), _rows(result))
        return result

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

    weighted = False

    def start(self, logits: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return p."""
        return Softmax().probabilities(logits, allowed)

    def probabilities(self, variables: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the variables themselves, copied."""
        return variables.copy()

    def moved(self, variables: FloatArray, change: FloatArray, allowed: BoolArray) -> FloatArray:
        """Return the projection of variables + change on the simplex of the entries that exist."""
        result = np.empty(variables.shape)
        project_rows(_rows(variables + change), _rows(allowed), _rows(result))
        return result


PARAMETRISATIONS: dict[str, Parametrisation] = {"softmax": Softmax(), "simplex": Simplex()}


def direction(
    form: Parametrisation,
    probabilities: FloatArray,
    gradient: FloatArray,
    allowed: BoolArray,
    unit: FloatArray,
    occupancy: FloatArray,
    *,
    natural: bool,
    entropy: float = 0.0,
) -> FloatArray:
    """Return how the variables of all agents move at rate 1.

    Parameters
    ----------
    form : Parametrisation
    probabilities, gradient, allowed : (n, S, ..., A)
    unit : (n,)
        Factor of each agent's gradient; negative for descent.
    occupancy : (n, S)
        d_i: natural steps divide by it, and it weighs the entropy bonus of plain steps.
    natural : bool
    entropy : float
        Weight of the bonus −ln p.
    """
    n, n_states = occupancy.shape
    vectors = prod(gradient.shape[2:-1])
    change = np.empty(gradient.shape)
    direction_rows(
        _rows(probabilities),
        _rows(gradient),
        _rows(allowed),
        np.repeat(unit, n_states * vectors),
        np.repeat(occupancy.reshape(n * n_states), vectors),
        entropy,
        natural,
        form.weighted and not natural,
        _rows(change),
    )
    return change


def _rows(array: Any) -> Any:
    """View an array as a table of its vectors; a table of none where there are none."""
    return array.reshape(prod(array.shape[:-1]), array.shape[-1])
