"""A bound on max over product profiles of min_c f_c(π), proved in Fractions.

The f_c are multi-affine functions of a profile, given at the pure profiles: payoffs of attackers' columns, of
one agent or of several at once. Branch and bound goes as in `arneq_exact.stage.types.greatest_value`: over a
product of simplices no profile is worth more than max over corners of Σ_c y_c f_c(corner), whatever the
mixture y. Here the linear program in doubles only suggests y; it is rounded to a rational mixture, and the
bound is evaluated exactly. So the proof is the list of boxes with their mixtures, and rounding can make it
longer but not wrong."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.exact.arrays import ExactArray
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

GRID = 2**16
"""Probabilities of suggested mixtures are rounded to multiples of 1/GRID: what that loses of a bound is far
below the losses, of 1/256 of the payoff range at least, that are to be proved."""

BOXES = 400
"""Boxes that are examined: a second or two for three agents with three actions each."""


def proved_below(columns: ExactArray, bound: Fraction, boxes: int = BOXES) -> bool | None:
    """Tell whether every product profile is worth less than `bound`.

    Parameters
    ----------
    columns : (C, A1, ..., An) object array of Fractions
        f_c at every pure profile.
    bound : Fraction
    boxes : int
        Budget.

    Returns
    -------
    bool or None
        True: proved. False: some profile is worth at least `bound`, evaluated exactly. None: undecided.

    Examples
    --------
    >>> one, zero = Fraction(1), Fraction(0)
    >>> matching = np.array([[[one, zero], [zero, one]], [[zero, one], [one, zero]]], dtype=object)
    >>> proved_below(matching, Fraction(1, 2)), proved_below(matching, Fraction(2, 3))
    (False, True)
    """
    pending = [columns]
    examined = 0
    while pending:
        values = pending.pop()
        examined += 1
        if examined > boxes:
            return None
        counts = values.shape[1:]
        table = values.reshape(len(values), -1)
        solved = solve_matrix_games(table.T.astype(np.float64)[None])
        mixture = _rounded(solved.column[0])
        if max(_weighted(mixture, corner) for corner in table.T) < bound:
            continue
        if worth_of_marginals(values, solved.row[0].reshape(counts)) >= bound:
            return False
        pending += _halves(values)
    return True


def worth_of_marginals(
    values: ExactArray, play: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> Fraction:
    """Return min_c f_c exactly at the product of the (rounded) marginals of a mixture over corners."""
    worth = values
    for axis in reversed(range(play.ndim)):
        marginal = play.sum(axis=tuple(j for j in range(play.ndim) if j != axis))
        weights = np.array(_rounded(marginal), dtype=object)
        worth = worth.dot(weights)
    return Fraction(min(worth.ravel().tolist()))


def _rounded(mixture: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Fraction]:
    """Return a rational mixture near one in doubles."""
    weights = [round(GRID * max(float(p), 0.0)) for p in mixture]
    total = sum(weights)
    return [Fraction(weight, total) for weight in weights]


def _weighted(mixture: list[Fraction], values: ExactArray) -> Fraction:
    return sum((w * v for w, v in zip(mixture, values.tolist(), strict=True) if w), Fraction(0))


def _halves(values: ExactArray) -> list[ExactArray]:
    """Halve the edge of a simplex along which some function varies most."""
    best: tuple[Fraction, int, int, int] | None = None
    for axis in range(1, values.ndim):
        moved = np.moveaxis(values, axis, 0)
        for p in range(len(moved)):
            for q in range(p + 1, len(moved)):
                spread = abs(moved[p] - moved[q]).max()
                if best is None or spread > best[0]:
                    best = (spread, axis, p, q)
    assert best is not None, "a single profile is either below the bound or not"
    _, axis, p, q = best
    halves = []
    for kept, replaced in ((p, q), (q, p)):
        half = values.copy()
        ends = np.moveaxis(half, axis, 0)
        ends[replaced] = (ends[kept] + ends[replaced]) / 2
        halves.append(half)
    return halves
