"""Zero-sum matrix games: known values, duality, degenerate matrices, agreement of backends and with peers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from quantecon.optimize import minmax
from scipy.optimize import linprog

from arneq_exact.errors import StageError
from arneq_exact.exact.simplex import solve_exactly
from arneq_exact.stage.zero_sum import linear, simplex_kernel
from arneq_exact.stage.zero_sum.linear import METHODS, solve_matrix_games

CLIMBING = [[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]]

# (matrix, value, row mixture or None where it is not unique)
KNOWN = {
    # von Neumann (1928): matching pennies and rock-paper-scissors are fair.
    "matching pennies": ([[1.0, -1.0], [-1.0, 1.0]], 0.0, [0.5, 0.5]),
    "rock-paper-scissors": ([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], 0.0, [1 / 3] * 3),
    # [F5]; Claus & Boutilier (1998).
    "climbing, row agent": (CLIMBING, 0.0, [0.0, 0.0, 1.0]),
    "climbing, column agent": (np.transpose(CLIMBING), 66 / 47, [6 / 47, 0.0, 41 / 47]),
    "penalty, kappa 0": (np.diag([10.0, 2.0, 10.0]), 10 / 7, [1 / 7, 5 / 7, 1 / 7]),
    "penalty, kappa -10": ([[10.0, 0.0, -10.0], [0.0, 2.0, 0.0], [-10.0, 0.0, 10.0]], 0.0, None),
    "2x2 without saddle": ([[3.0, 0.0], [1.0, 2.0]], 1.5, [0.25, 0.75]),
    "one action each": ([[7.25]], 7.25, [1.0]),
    "one row": ([[3.0, 1.0, 2.0]], 1.0, [1.0]),
    "one column": ([[3.0], [5.0], [2.0]], 5.0, [0.0, 1.0, 0.0]),
    "constant": (np.full((3, 4), -2.5), -2.5, None),
}


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("name", KNOWN)
def test_known_values(name: str, backend: str) -> None:
    matrix, value, row = KNOWN[name]
    solution = solve_matrix_games([matrix], backend=backend)
    assert solution.value[0] == pytest.approx(value, abs=1e-12)
    if row is not None:
        np.testing.assert_allclose(solution.row[0], row, atol=1e-12)


def test_diagonal_games_have_the_harmonic_value() -> None:
    """diag(d), d > 0: value 1 / Σ 1/d, both mixtures proportional to 1/d (n = 2 in [F3])."""
    diagonal = np.random.default_rng(1).uniform(0.1, 5.0, (200, 6))
    solution = solve_matrix_games(np.einsum("bi,ij->bij", diagonal, np.eye(6)))
    value = 1.0 / (1.0 / diagonal).sum(axis=1)
    np.testing.assert_allclose(solution.value, value, rtol=1e-12)
    np.testing.assert_allclose(solution.row, value[:, None] / diagonal, rtol=1e-10)
    np.testing.assert_allclose(solution.column, value[:, None] / diagonal, rtol=1e-10)


def degenerate(rng: np.random.Generator, games: int, rows: int, columns: int) -> np.ndarray:
    """Integer matrices in {0, 1, 2}, half of them with a duplicated row and a duplicated column."""
    matrices = rng.integers(0, 3, (games, rows, columns)).astype(np.float64)
    matrices[::2, -1] = matrices[::2, 0]
    matrices[::2, :, -1] = matrices[::2, :, 0]
    return matrices


def highs_value(matrix: np.ndarray) -> float:
    rows, columns = matrix.shape
    result = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-matrix.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
    )
    return float(-result.fun)


@pytest.mark.parametrize("shape", [(2, 4), (3, 9), (5, 5), (10, 10), (7, 2)])
@pytest.mark.parametrize("kind", ["random", "degenerate"])
def test_values_of_highs_and_of_quantecon(shape: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng([*shape, len(kind)])
    matrices = rng.normal(size=(400, *shape)) if kind == "random" else degenerate(rng, 400, *shape)
    values = solve_matrix_games(matrices).value
    np.testing.assert_allclose(values, [minmax(matrix)[0] for matrix in matrices], atol=1e-9)
    np.testing.assert_allclose(values[:40], [highs_value(matrix) for matrix in matrices[:40]], atol=1e-9)


finite = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
small_integers = st.integers(-2, 2).map(float)
matrices = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.one_of(
        arrays(np.float64, shape, elements=finite), arrays(np.float64, shape, elements=small_integers)
    )
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(matrices)
def test_every_answer_proves_itself(matrix: np.ndarray) -> None:
    solution = solve_matrix_games(matrix[None])
    x, y = solution.row[0], solution.column[0]
    width = max(float(np.ptp(matrix)), 0.0) or 1.0
    for mixture in (x, y):
        assert (mixture >= 0.0).all()
        assert mixture.sum() == pytest.approx(1.0, abs=1e-15 * len(mixture))
    slack = 1e-10 * width + 1e-14 * np.abs(matrix).max()
    assert (x @ matrix).min() >= solution.value[0] - slack
    assert (matrix @ y).max() <= solution.value[0] + slack
    assert solution.regret[0] <= 1e-10


@settings(derandomize=True, max_examples=60, deadline=None)
@given(matrices, st.sampled_from([1e-9, 1e-3, 7.0, 1e8]), st.sampled_from([-1e3, 0.0, 5.0]))
def test_scale_and_shift(matrix: np.ndarray, scale: float, shift: float) -> None:
    plain = solve_matrix_games(matrix[None]).value[0]
    moved = solve_matrix_games(scale * (matrix[None] + shift)).value[0]
    size = np.abs(matrix).max() + abs(shift)
    assert moved == pytest.approx(scale * (plain + shift), abs=scale * size * 1e-9 + 1e-300)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(matrices)
def test_exchanging_the_players_negates_the_value(matrix: np.ndarray) -> None:
    there = solve_matrix_games(matrix[None]).value[0]
    back = solve_matrix_games(-matrix.T[None]).value[0]
    assert there == pytest.approx(-back, abs=1e-9 * max(np.abs(matrix).max(), 1.0))


def test_backends_agree_and_count_their_calls() -> None:
    rng = np.random.default_rng(3)
    batch = np.concatenate([rng.uniform(-1, 1, (15, 3, 5)), degenerate(rng, 15, 3, 5)])
    calls: Counter[str] = Counter()
    auto = solve_matrix_games(batch, calls=calls)
    reference = solve_matrix_games(batch, backend="reference", calls=calls)
    np.testing.assert_allclose(auto.value, reference.value, atol=1e-9)
    assert reference.regret.max() <= 1e-10
    assert calls["simplex"] == 30
    assert calls["cvxpy"] >= 30
    assert set(reference.method) == {METHODS.index("cvxpy")}


def test_reference_enters_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a compiled kernel was called")

    monkeypatch.setattr(simplex_kernel, "solve_unit_games", refuse)
    solve_matrix_games([CLIMBING], backend="reference")


def test_highs_answers_where_the_simplex_kernel_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = np.random.default_rng(4).normal(size=(20, 4, 6))
    expected = solve_matrix_games(batch).value
    monkeypatch.setattr(simplex_kernel, "solve_unit_games", lambda *_: None)
    calls: Counter[str] = Counter()
    solution = solve_matrix_games(batch, calls=calls)
    np.testing.assert_allclose(solution.value, expected, atol=1e-10)
    assert calls["highs"] == 20
    assert set(solution.method) == {METHODS.index("highs")}


def nearly_tied(rng: np.random.Generator, games: int, rows: int, columns: int) -> np.ndarray:
    """Integer matrices whose ties are broken at the scale at which floating-point pivots go astray."""
    size = 10.0 ** rng.integers(-12, -7, (games, 1, 1))
    return rng.integers(0, 3, (games, rows, columns)) + size * rng.normal(size=(games, rows, columns))


@pytest.mark.parametrize("shape", [(3, 9), (6, 6), (12, 12)])
def test_near_ties_are_solved_by_some_method(shape: tuple[int, int]) -> None:
    matrices = nearly_tied(np.random.default_rng(shape), 500, *shape)
    assert solve_matrix_games(matrices).regret.max() <= 1e-10


def test_exact_arithmetic_answers_where_all_else_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    batch = np.concatenate([degenerate(rng, 15, 4, 6), nearly_tied(rng, 15, 4, 6)])
    expected = solve_matrix_games(batch).value
    monkeypatch.setattr(simplex_kernel, "solve_unit_games", lambda *_: None)
    monkeypatch.setattr(linear, "_highs", lambda *_: iter(()))
    calls: Counter[str] = Counter()
    solution = solve_matrix_games(batch, calls=calls)
    np.testing.assert_allclose(solution.value, expected, atol=1e-9)
    assert solution.regret.max() <= 1e-14
    assert calls["exact"] == 30


def test_exact_arithmetic_rounds_once() -> None:
    x, y = solve_exactly(np.array([[0.0, 1.0, 0.5], [0.5, 0.0, 1.0], [1.0, 0.5, 0.0]]))
    assert x.tolist() == y.tolist() == [1 / 3] * 3


def test_a_wrong_answer_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(unit: np.ndarray, row: np.ndarray, column: np.ndarray, method: np.ndarray) -> None:
        row[:, 0] = column[:, 0] = 1.0

    monkeypatch.setattr(simplex_kernel, "solve_unit_games", wrong)
    monkeypatch.setattr(linear, "_candidates", lambda *_: iter(()))
    with pytest.raises(StageError, match="no method of backend 'auto' solved game 0 of 1"):
        solve_matrix_games([[[1.0, -1.0], [-1.0, 1.0]]])


def test_the_same_game_gives_the_same_bytes_in_any_batch() -> None:
    batch = np.random.default_rng(5).normal(size=(50, 4, 4))
    together = solve_matrix_games(batch)
    alone = [solve_matrix_games(game[None]) for game in batch]
    assert together.row.tobytes() == np.concatenate([one.row for one in alone]).tobytes()


def test_empty_batch() -> None:
    assert solve_matrix_games(np.zeros((0, 3, 2))).row.shape == (0, 3)


@pytest.mark.parametrize(
    ("games", "message"),
    [
        (np.zeros((3, 2)), "must be"),
        (np.zeros((1, 0, 2)), "without an action"),
        ([[[np.nan, 1.0]]], "game .0,. are not finite"),
        ([[[1.0]], [[np.inf]]], "game .1,. are not finite"),
        ([[[-1.7e308, 1.7e308]]], "finite range"),
    ],
)
def test_refusals(games: object, message: str) -> None:
    with pytest.raises(StageError, match=message):
        solve_matrix_games(games)


def test_unknown_backend() -> None:
    with pytest.raises(StageError, match="backend 'gurobi' is unknown"):
        solve_matrix_games([[[1.0]]], backend="gurobi")
