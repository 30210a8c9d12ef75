"""Compiled Lemke–Howson method for batches of bimatrix games.

With unit payoffs raised by one, B₁, B₂ ∈ [1, 2], the best-response polytopes are

    P = {x ≥ 0 : B₂ᵀ x ≤ 1},     Q = {y ≥ 0 : B₁ y ≤ 1}.

A point of P has label i if x_i = 0 and label A₁ + j if column j is tight; a point of Q has label A₁ + j if
y_j = 0 and label i if row i is tight. A pair of vertices that together has all A₁ + A₂ labels is an
equilibrium (after division by the sums), or the artificial one (0, 0). The method drops one label at (0, 0)
and follows edges, alternately in P and Q, always dropping the label that was just met twice, until the
first label is met again.

Each tableau stores all columns, numbered by their labels, so that the slack columns hold the inverse of the
basis that the lexicographic ratio test needs; under this rule no basis repeats, degenerate games included.
In floating point this is not proved, so pivots are bounded. The initial labels are tried in turn until one
ends at regret ≤ 1e-10; generic games need one path, of length about A₁ + A₂ in practice and exponential
at worst. Cost: (A₁ + A₂)² operations per pivot.

References
----------
Lemke & Howson (1964), SIAM J. Appl. Math. 12, 413–423; Savani & von Stengel (2006), Econometrica 74, 397–429
(exponential paths); Nisan et al. (2007), *Algorithmic Game Theory*, section 3.4–3.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import (
    compiled,
    indifferent,
    lexicographic_row,
    normalise,
    pivot,
    replies,
)
from arneq_exact.stage.verification import TOLERANCE

_BOUND = 100  # pivots allowed per label on one path; generic games need about one
_ACCEPT = TOLERANCE  # regret at which no further initial label is tried
_POLISH_ABOVE = 1e-15  # regret from which the final bases are solved afresh: a few roundings


@compiled
def solve_unit_games(unit: FloatArray, x1: FloatArray, x2: FloatArray, solved: NDArray[np.int8]) -> None:
    """Fill x1 (B, A1), x2 (B, A2) and solved (B,), 0 or 1, for unit payoffs (B, 2, A1, A2)."""
    games, _, A1, A2 = unit.shape
    labels = A1 + A2
    primal = np.empty((A2, labels + 1))
    dual = np.empty((A1, labels + 1))
    primal_basis = np.empty(A2, np.int64)
    dual_basis = np.empty(A1, np.int64)
    tied = np.empty(labels, np.int64)
    system = np.empty((labels, labels))
    x = np.empty(A1)
    y = np.empty(A2)
    for game in range(games):
        q1 = unit[game, 0]
        q2 = unit[game, 1]
        least = np.inf
        for label in range(labels):
            _start(q1, q2, primal, dual, primal_basis, dual_basis)
            if not _follow(primal, dual, primal_basis, dual_basis, label, tied):
                continue
            _read(primal, primal_basis, 0, x)
            _read(dual, dual_basis, A1, y)
            if normalise(x) and normalise(y):
                regret = _regret(q1, q2, x, y)
                if regret < least:
                    least = regret
                    x1[game] = x
                    x2[game] = y
                if (
                    regret > _POLISH_ABOVE
                    and _solve_basis(q2.T, primal_basis, 0, A1, system, x)
                    and _solve_basis(q1, dual_basis, A1, 0, system, y)
                ):
                    regret = _regret(q1, q2, x, y)
                    if regret < least:
                        least = regret
                        x1[game] = x
                        x2[game] = y
            if least <= _ACCEPT:
                break
        solved[game] = least <= _ACCEPT


@compiled
def _start(
    q1: FloatArray,
    q2: FloatArray,
    primal: FloatArray,
    dual: FloatArray,
    primal_basis: IntArray,
    dual_basis: IntArray,
) -> None:
    """Tableaux of P (rows are columns j) and Q (rows are rows i) at the artificial equilibrium."""
    A1, A2 = q1.shape
    primal[:] = 0.0
    dual[:] = 0.0
    for j in range(A2):
        for i in range(A1):
            primal[j, i] = 1.0 + q2[i, j]
        primal[j, A1 + j] = 1.0
        primal[j, A1 + A2] = 1.0
        primal_basis[j] = A1 + j
    for i in range(A1):
        for j in range(A2):
            dual[i, A1 + j] = 1.0 + q1[i, j]
        dual[i, i] = 1.0
        dual[i, A1 + A2] = 1.0
        dual_basis[i] = i


@compiled
def _follow(
    primal: FloatArray,
    dual: FloatArray,
    primal_basis: IntArray,
    dual_basis: IntArray,
    dropped: int,
    tied: IntArray,
) -> bool:
    """Follow the path that misses the label ``dropped`` to its end; False at the pivot bound or on a ray."""
    A1 = dual.shape[0]
    A2 = primal.shape[0]
    in_primal = dropped < A1
    label = dropped
    for _ in range(_BOUND * (A1 + A2)):
        if in_primal:
            row = lexicographic_row(primal, label, A1, A2, tied)
            if row < 0:
                return False
            pivot(primal, row, label)
            label, primal_basis[row] = primal_basis[row], label
        else:
            row = lexicographic_row(dual, label, 0, A1, tied)
            if row < 0:
                return False
            pivot(dual, row, label)
            label, dual_basis[row] = dual_basis[row], label
        if label == dropped:
            return True
        in_primal = not in_primal
    return False


@compiled
def _read(tableau: FloatArray, basis: IntArray, first: int, mixture: FloatArray) -> None:
    """The basic values of the labels first … first + len(mixture) − 1, zero for the others."""
    mixture[:] = 0.0
    last = tableau.shape[1] - 1
    for row in range(basis.shape[0]):
        action = basis[row] - first
        if 0 <= action < mixture.shape[0]:
            mixture[action] = tableau[row, last]


@compiled
def _solve_basis(
    payoff: FloatArray, basis: IntArray, first: int, first_slack: int, system: FloatArray, mixture: FloatArray
) -> bool:
    """Solve for a player's mixture from its final basis; ``payoff`` has a row a reply of the other player.

    The actions in the basis, labelled from ``first`` on, face equally many replies whose slacks, labelled
    from ``first_slack`` on, are not in it: these are tight.
    """
    slack_is_basic = np.zeros(payoff.shape[0], np.int64)
    actions = np.empty(mixture.shape[0], np.int64)
    tight = np.empty(payoff.shape[0], np.int64)
    size = 0
    for label in basis:
        if first <= label < first + mixture.shape[0]:
            actions[size] = label - first
            size += 1
        else:
            slack_is_basic[label - first_slack] = 1
    number = 0
    for reply in range(payoff.shape[0]):
        if slack_is_basic[reply] == 0:
            tight[number] = reply
            number += 1
    return number == size and indifferent(payoff, actions, tight, size, system, mixture)


@compiled
def _regret(q1: FloatArray, q2: FloatArray, x: FloatArray, y: FloatArray) -> float:
    """Largest gain of either player by its best pure reply."""
    _, own1, best1 = replies(q1, x, y)
    _, own2, best2 = replies(q2.T, y, x)
    return max(best1 - own1, best2 - own2)
