"""Zero-sum matrix games, a batch at a time: the stage problem of an agent whose rivals are fixed.

Given π, agent i's robust stage problem is the matrix game M_i^π whose rows are its actions and whose columns
are the pure attacks (K, a_K) [T1], or the columns of a general threat [T10]. By [T2] it is the pair of dual
linear programs

    max v  s.t.  Mᵀ x ≥ v,  x ∈ Δ(rows)          min w  s.t.  M y ≤ w,  y ∈ Δ(columns)

whose optimal values agree (von Neumann's minimax theorem). A pair (x, y) is optimal if and only if its
*duality gap* max_a (My)_a − min_c (xᵀM)_c is zero, so an answer proves itself, and this is how every one of
them is verified here, on payoffs mapped to [0, 1].

Backend ``auto`` runs a compiled simplex method (`simplex_kernel`, which bounds its pivots), hands what it
fails on to HiGHS through scipy, and what that fails on to integer arithmetic (`arneq_exact.exact.simplex`).
Backend ``reference`` formulates the program in cvxpy, tries its installed solvers in turn and polishes what
they return; it never enters compiled code of ours.

References
----------
[T1], [T2], [T10]; Dantzig (1963), *Linear Programming and Extensions*, chapter 13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.normal_form import matrix_games, unit_payoffs
from arneq_exact.stage.verification import Candidate, check_backend, count, verified

METHODS: Final = ("none", "saddle", "simplex", "highs", "exact", "cvxpy")
"""Names of the codes in `MatrixGameSolutions.method`."""


@dataclass(frozen=True)
class MatrixGameSolutions:
    """Verified solutions of B zero-sum matrix games.

    Attributes
    ----------
    value : (B,) array
        Value of each game, the middle of the interval that ``row`` and ``column`` prove.
    row : (B, A) array
        Optimal mixtures of the row player, who maximises.
    column : (B, C) array
        Optimal mixtures of the column player, who minimises.
    method : (B,) int8 array
        Which method answered: an index into `METHODS`.
    regret : (B,) array
        Duality gap divided by the payoff range of the game (a range of 0 counts as 1); at most 1e-10.
    """

    value: FloatArray
    row: FloatArray
    column: FloatArray
    method: NDArray[np.int8]
    regret: FloatArray


def solve_matrix_games(
    matrices: ArrayLike, *, backend: str = "auto", calls: Counter[str] | None = None
) -> MatrixGameSolutions:
    """Solve B zero-sum matrix games [T2].

    Parameters
    ----------
    matrices : (B, A, C) array
        Payoffs of the row player, of any scale; each game is normalised by its own range.
    backend : {"auto", "reference"}
        ``auto``: compiled simplex, then HiGHS, then exact. ``reference``: cvxpy with polishing.
    calls : Counter, optional
        Receives the number of games given to each routine (``simplex``, ``highs``, ``exact``,
        ``cvxpy``).

    Returns
    -------
    MatrixGameSolutions
        One optimal pair per game. Optimal mixtures need not be unique; the choice is deterministic, and
        it is a vertex of the optimal face when ``auto`` answers.

    Raises
    ------
    StageError
        If payoffs are not finite, or no method of the backend reaches a gap of 1e-10 of the range.

    Notes
    -----
    Every mixture is non-negative and was divided by its sum. The cost of ``auto`` is about
    (A+1)(C+1)·min(A, C) operations a game; of ``reference``, milliseconds a game.

    Examples
    --------
    >>> games = [[[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]]  # rock-paper-scissors
    >>> solution = solve_matrix_games(games)
    >>> solution.row.round(12).tolist(), METHODS[solution.method[0]]
    ([[0.333333333333, 0.333333333333, 0.333333333333]], 'simplex')
    """
    name = "solve_matrix_games"
    check_backend(backend, name)
    payoffs = np.asarray(matrices, dtype=np.float64)
    if payoffs.ndim != 3:
        raise StageError(f"{name}: matrices have shape {payoffs.shape}; must be (games, rows, columns)")
    unit, low, width = unit_payoffs(payoffs, 1, name)
    number, rows, columns = unit.shape
    row, column = np.zeros((number, rows)), np.zeros((number, columns))
    method = np.zeros(number, dtype=np.int8)
    if backend == "auto":
        from arneq_exact.stage.zero_sum.simplex_kernel import solve_unit_games

        count(calls, "simplex", number)
        solve_unit_games(unit, row, column, method)
    # What the mixtures guarantee their players, the second with its sign; the value lies between.
    regret, (upper, minus_lower) = verified(
        matrix_games(unit),
        (row, column),
        method,
        lambda game: _candidates(unit[game], backend, calls),
        METHODS,
        name,
        backend,
    )
    return MatrixGameSolutions(low + width * (0.5 * (upper - minus_lower)), row, column, method, regret)


def _candidates(matrix: FloatArray, backend: str, calls: Counter[str] | None) -> Iterator[Candidate]:
    """Pairs for one unit game from the methods behind the first, in their order."""
    if backend == "auto":
        from arneq_exact.exact.simplex import solve_exactly

        for pair in _highs(matrix, calls):
            yield "highs", pair
        count(calls, "exact", 1)
        exact = solve_exactly(matrix)
        if exact is not None:
            yield "exact", exact
        return
    from arneq_exact.stage.reference import matrix_game_by_cvxpy

    for pair in matrix_game_by_cvxpy(matrix, calls):
        yield "cvxpy", pair


def _highs(matrix: FloatArray, calls: Counter[str] | None) -> Iterator[tuple[FloatArray, FloatArray]]:
    """One linear program by HiGHS; its dual values are the column player's mixture."""
    from scipy.optimize import linprog

    from arneq_exact.stage.reference import HIGHS_TIGHT

    rows, columns = matrix.shape
    count(calls, "highs", 1)
    result = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-matrix.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * rows + [(None, None)],
        method="highs",
        options=HIGHS_TIGHT,
    )
    if result.status == 0:
        yield np.asarray(result.x[:rows]), -np.asarray(result.ineqlin.marginals)
