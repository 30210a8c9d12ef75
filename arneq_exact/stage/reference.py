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

import warnings
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.normal_form import UnitGames
from arneq_exact.stage.verification import count

HIGHS_TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
"""The least that HiGHS takes; what it leaves is polished away."""

# HiGHS is asked through scipy first: highspy 1.16 writes a greeting to standard output whenever it is called.
_LINEAR_SOLVERS: dict[str, dict[str, Any]] = {
    "SCIPY": {"scipy_options": {"method": "highs-ds", **HIGHS_TIGHT}},
    # An interior point stops short of a vertex; as near as doubles let it come.
    "CLARABEL": {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13},
}
_MILP_SECONDS = 30.0  # for each solver: time is exponential in the actions at worst, and somebody waits
_MILP_SOLVERS: dict[str, dict[str, Any]] = {
    "SCIPY": {"scipy_options": {"time_limit": _MILP_SECONDS}},
    "HIGHS": {"time_limit": _MILP_SECONDS, **HIGHS_TIGHT},
}
_PIVOTS = 10  # allowed per label on one path of nashpy; paths that end have about one
NASHPY_SUPPORTS = 2**16  # pairs of supports up to which nashpy enumerates: seconds


def matrix_game_by_cvxpy(
    matrix: FloatArray, calls: Counter[str] | None
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield optimal pairs of one matrix game, one per solver of cvxpy that claims to have solved it."""
    problem, payoff, x, guarantee = _matrix_game_program(*matrix.shape)
    payoff.value = matrix
    for solver, options in _LINEAR_SOLVERS.items():
        solved = _solved(problem, solver, options, calls)
        if solved and x.value is not None and guarantee.dual_value is not None:
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


def _solved(problem: Any, solver: str, options: dict[str, Any], calls: Counter[str] | None) -> bool:
    """Run one solver of cvxpy; False if it fails or is not installed. Warnings are dropped: we verify."""
    import cvxpy

    count(calls, "cvxpy", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem.solve(solver=solver, **options)
        except cvxpy.error.SolverError:
            return False
    return True


def bimatrix_by_nashpy_paths(
    unit: FloatArray, calls: Counter[str] | None
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield the end of nashpy's Lemke–Howson path of each initial label, where it has one.

    ``unit`` (2, A1, A2). The loop is nashpy's `lemke_howson` with a bound on the pivots. Its tableaux return
    the probabilities in the iteration order of a Python set, so they are put back in the order of actions.
    """
    from nashpy.linalg import create_col_tableau, create_row_tableau

    _, A1, A2 = unit.shape
    for dropped in range(A1 + A2):
        count(calls, "nashpy", 1)
        # nashpy's integer pivoting lets numbers grow without bound: overflow shows as a failed path.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            column_tableau = create_col_tableau(1.0 + unit[0], True)
            row_tableau = create_row_tableau(1.0 + unit[1], True)
            try:
                if not _follow_nashpy_path(row_tableau, column_tableau, dropped, _PIVOTS * (A1 + A2)):
                    continue
                x1 = _ordered_strategy(row_tableau, column_tableau, range(A1))
                x2 = _ordered_strategy(column_tableau, row_tableau, range(A1, A1 + A2))
            except (ValueError, KeyError, IndexError):
                continue
        yield x1, x2


def _follow_nashpy_path(row_tableau: Any, column_tableau: Any, dropped: int, bound: int) -> bool:
    """Pivot until every label is met; False at the bound."""
    tableau, other = row_tableau, column_tableau
    if dropped not in row_tableau.non_basic_variables:
        tableau, other = column_tableau, row_tableau
    label = dropped
    for _ in range(bound):
        label = tableau.pivot_and_drop_label(label)
        if row_tableau.non_basic_variables | column_tableau.non_basic_variables == column_tableau.labels:
            return True
        tableau, other = other, tableau
    return False


def _ordered_strategy(tableau: Any, other: Any, actions: range) -> FloatArray:
    """The mixture of one player in the order of its actions.

    Asked for a single label, the tableau answers with a vector whose only non-zero entry shows where that
    label goes.
    """
    strategy = tableau.to_strategy(other.non_basic_variables)
    ordered = np.zeros(len(actions))
    if strategy.shape != ordered.shape:
        raise ValueError("nashpy read two values for one label")
    for action, label in enumerate(actions):
        if label in other.non_basic_variables:
            single = tableau.to_strategy({label})
            ordered[action] = np.nansum(strategy[np.nan_to_num(single) != 0.0])
    return ordered


def bimatrix_by_nashpy_supports(
    unit: FloatArray, calls: Counter[str] | None
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield what nashpy's support enumeration finds on all pairs of supports of ``unit`` (2, A1, A2).

    Nothing for a game with more than `NASHPY_SUPPORTS` pairs.
    """
    from nashpy.algorithms.support_enumeration import support_enumeration

    _, A1, A2 = unit.shape
    if 2 ** (A1 + A2) > NASHPY_SUPPORTS:
        return
    count(calls, "nashpy", 1)
    found = support_enumeration(unit[0], unit[1], non_degenerate=False)
    while True:
        # nashpy warns when it has found an even number of equilibria; every candidate is verified anyway.
        # No warning filter may stay in force while this generator rests, hence one step at a time.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            pair = next(found, None)
        if pair is None:
            return
        yield np.asarray(pair[0], dtype=np.float64), np.asarray(pair[1], dtype=np.float64)


def equilibrium_by_milp(
    games: UnitGames, number: int, calls: Counter[str] | None
) -> Iterator[list[FloatArray]]:
    """Yield an equilibrium of one game of a batch, one per solver of cvxpy that has binaries.

    Players have mixtures z_b, payoffs (Pz)_b of range at most two, and v_b = max (Pz)_b. A binary per action
    tells that it is out of use, z_i ≤ 1 − b_i, or else that it is a best reply, v − (Pz)_i ≤ 2 b_i: the
    feasible points are exactly the equilibria. The time is exponential in the number of actions at worst, so
    each solver is stopped after `_MILP_SECONDS`.
    """
    import cvxpy

    sizes = games.sizes
    player = np.repeat(np.arange(len(sizes)), sizes)
    membership = (player[:, None] == np.arange(len(sizes))).astype(np.float64)
    z = cvxpy.Variable(len(player), nonneg=True)
    best = cvxpy.Variable(len(sizes))
    unused = cvxpy.Variable(len(player), boolean=True)
    regret = membership @ best - games.stacked(number) @ z
    problem = cvxpy.Problem(
        cvxpy.Minimize(0.0),
        [membership.T @ z == 1.0, regret >= 0.0, z <= 1.0 - unused, regret <= 2.0 * unused],
    )
    for solver, options in _MILP_SOLVERS.items():
        if _solved(problem, solver, options, calls) and z.value is not None:
            yield np.split(np.asarray(z.value), np.cumsum(sizes)[:-1])
