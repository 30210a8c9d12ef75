"""The reference backend of the stage solvers: nashpy and cvxpy, and nothing of ours that computes.

These routines yield *candidates*, best first, for one game with unit payoffs; the callers polish them with
plain linear algebra, verify them, and take the first that passes. They exist to be independent of the
compiled kernels, so none is called from here. nashpy and cvxpy are imported when first needed.

* Matrix games [T2]: one linear program per game in cvxpy, by its installed solvers in turn.
* Bimatrix games: nashpy's Lemke–Howson tableaux, driven step by step from every initial label with a bound
  on the pivots (nashpy's own loop has none, and need not end once rounding spoils its integer pivoting),
  then nashpy's support enumeration over all pairs of supports, then the mixed-integer program below.
* Two agents and their attackers [T11]: a mixed-integer program in cvxpy, by the solvers that have binaries.

References
----------
[T2], [T11]; Lemke & Howson (1964), SIAM J. Appl. Math. 12, 413–423; Sandholm, Gilpin & Conitzer (2005),
*Mixed-integer programming methods for finding Nash equilibria*, AAAI; Knight & Campbell (2018), *Nashpy*,
JOSS 3(30), 904.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from arneq_exact.stage.verification import FloatArray, count

_LINEAR_SOLVERS = ("HIGHS", "CLARABEL", "SCIPY", "SCS")


def matrix_game_by_cvxpy(
    matrix: FloatArray, calls: Counter[str] | None
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield optimal pairs of one matrix game, one per solver of cvxpy that claims to have solved it."""
    import cvxpy

    problem, payoff, x, guarantee = _matrix_game_program(*matrix.shape)
    payoff.value = matrix
    for solver in _installed(_LINEAR_SOLVERS):
        count(calls, "cvxpy", 1)
        try:
            problem.solve(solver=solver)
        except cvxpy.error.SolverError:
            continue
        if x.value is not None and guarantee.dual_value is not None:
            yield np.asarray(x.value), np.abs(guarantee.dual_value)


@lru_cache(maxsize=64)
def _matrix_game_program(rows: int, columns: int) -> tuple[Any, Any, Any, Any]:
    """The program max v, Mᵀx ≥ v, x ∈ Δ with M as a parameter, compiled by cvxpy once a shape."""
    import cvxpy

    payoff = cvxpy.Parameter((rows, columns))
    x = cvxpy.Variable(rows, nonneg=True)
    value = cvxpy.Variable()
    guarantee = payoff.T @ x >= value
    problem = cvxpy.Problem(cvxpy.Maximize(value), [guarantee, cvxpy.sum(x) == 1])
    return problem, payoff, x, guarantee


@lru_cache(maxsize=4)
def _installed(solvers: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the solvers that cvxpy can call here, in the order given."""
    import cvxpy

    installed = cvxpy.installed_solvers()
    return tuple(solver for solver in solvers if solver in installed)
