"""Bimatrix games: known equilibria, every shape and degenerate kind, agreement of backends and with peers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import quantecon.game_theory as gt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arneq_exact.errors import StageError
from arneq_exact.stage import reference
from arneq_exact.stage.two_agents import bimatrix, lemke_howson_kernel, support_kernel
from arneq_exact.stage.two_agents.bimatrix import (
    METHODS,
    bimatrix_equilibria,
    equilibria_of_batch,
    solve_bimatrix,
)
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

MakePayoffs = Callable[[np.random.Generator, str, int, int, int], np.ndarray]
SHAPES = [(a, b) for a in range(1, 8) for b in range(1, 8)]

# Payoffs of both agents and all equilibria, in the order that `bimatrix_equilibria` promises.
KNOWN = {
    # Luce & Raiffa (1957), chapter 5.
    "prisoner's dilemma": ([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], [([0, 1], [0, 1])]),
    "battle of the sexes": (
        [[[3, 0], [0, 2]], [[2, 0], [0, 3]]],
        [([1, 0], [1, 0]), ([0, 1], [0, 1]), ([0.6, 0.4], [0.4, 0.6])],
    ),
    "matching pennies": ([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], [([0.5, 0.5], [0.5, 0.5])]),
    # Maynard Smith (1982): hawks and doves with value 2, cost 4.
    "hawk-dove": (
        [[[-1, 2], [0, 1]], [[-1, 0], [2, 1]]],
        [([1, 0], [0, 1]), ([0, 1], [1, 0]), ([0.5, 0.5], [0.5, 0.5])],
    ),
    # Nisan et al. (2007), section 3.2.
    "three by two": (
        [[[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]]],
        [
            ([1, 0, 0], [1, 0]),
            ([0.8, 0.2, 0], [2 / 3, 1 / 3]),
            ([0, 1 / 3, 2 / 3], [1 / 3, 2 / 3]),
        ],
    ),
    # Agent 2 never cares, so that the equilibria are a segment; these are its ends.
    "degenerate 2x2": ([[[1, 1], [0, 0]], [[1, 1], [0, 0]]], [([1, 0], [1, 0]), ([1, 0], [0, 1])]),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_equilibria(name: str) -> None:
    payoff, expected = KNOWN[name]
    found = bimatrix_equilibria(payoff)
    assert len(found) == len(expected)
    for pair, known in zip(found, expected, strict=True):
        for mixture, answer in zip(pair, known, strict=True):
            np.testing.assert_allclose(mixture, answer, atol=1e-14)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("name", KNOWN)
def test_one_of_the_known_equilibria_is_found(name: str, backend: str) -> None:
    payoff, expected = KNOWN[name]
    solution = solve_bimatrix([payoff], backend=backend)
    distance = [
        max(np.abs(solution.x1[0] - x1).max(), np.abs(solution.x2[0] - x2).max()) for x1, x2 in expected
    ]
    assert min(distance) <= 1e-14


def assert_equilibrium(payoff: np.ndarray, x1: np.ndarray, x2: np.ndarray) -> None:
    """The definition itself, without the library's own verification."""
    for mixture in (x1, x2):
        assert (mixture >= 0.0).all()
        assert abs(mixture.sum() - 1.0) <= 1e-15 * (1 + len(mixture))
    for own, mixture in ((payoff[0] @ x2, x1), (x1 @ payoff[1], x2)):
        assert own.max() - own @ mixture <= 2e-10 * (np.ptp(payoff) or 1.0)


def test_every_shape_and_kind_on_auto(kind: str, make_payoffs: MakePayoffs) -> None:
    rng = np.random.default_rng([2, len(kind)])
    calls: Counter[str] = Counter()
    for A1, A2 in SHAPES:
        payoffs = make_payoffs(rng, kind, 8, A1, A2)
        solution = solve_bimatrix(payoffs, calls=calls)
        for payoff, x1, x2 in zip(payoffs, solution.x1, solution.x2, strict=True):
            assert_equilibrium(payoff, x1, x2)
    assert calls["lemke_howson"] == 8 * len(SHAPES)


def test_every_shape_and_kind_on_reference(kind: str, make_payoffs: MakePayoffs) -> None:
    rng = np.random.default_rng([3, len(kind)])
    calls: Counter[str] = Counter()
    for A1, A2 in SHAPES:
        payoffs = make_payoffs(rng, kind, 1, A1, A2)
        solution = solve_bimatrix(payoffs, backend="reference", calls=calls)
        assert_equilibrium(payoffs[0], solution.x1[0], solution.x2[0])
    assert calls["nashpy"] >= len(SHAPES)
    assert not {"lemke_howson", "support_enumeration"} & set(calls)


@pytest.mark.parametrize("size", [8, 9, 10])
def test_nashpy_ends_on_larger_square_games(size: int) -> None:
    payoffs = np.random.default_rng(size).uniform(-1, 1, (4, 2, size, size))
    solution = solve_bimatrix(payoffs, backend="reference")
    for payoff, x1, x2 in zip(payoffs, solution.x1, solution.x2, strict=True):
        assert_equilibrium(payoff, x1, x2)


@pytest.mark.parametrize("shape", [(6, 3), (7, 2), (3, 7)])
def test_permuted_answers_of_nashpy_are_put_in_order(shape: tuple[int, int]) -> None:
    unit = np.random.default_rng(shape).uniform(0, 1, (2, *shape))
    ends = list(reference.bimatrix_by_nashpy_paths(unit, None))
    assert len(ends) == sum(shape)
    for x1, x2 in ends:
        assert_equilibrium(unit, x1, x2)


small_games = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: st.one_of(
        arrays(np.float64, (2, *shape), elements=st.integers(-2, 2).map(float)),
        arrays(np.float64, (2, *shape), elements=st.floats(-1e4, 1e4).map(lambda number: round(number, 2))),
    )
)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(small_games, st.sampled_from([1e-8, 1.0, 1e6]), st.sampled_from([-1e4, 0.0, 3.0]))
def test_every_game_has_a_verified_equilibrium(payoff: np.ndarray, scale: float, shift: float) -> None:
    """Nash (1951); equilibria do not depend on scale and shift of an agent's payoffs."""
    moved = payoff * np.array([scale, 1.0])[:, None, None] + np.array([0.0, shift])[:, None, None]
    solution = solve_bimatrix(moved[None])
    x1, x2 = solution.x1[0], solution.x2[0]
    for own, mixture, width in (
        (payoff[0] @ x2, x1, np.ptp(payoff[0])),
        (x1 @ payoff[1], x2, np.ptp(payoff[1])),
    ):
        assert own.max() - own @ mixture <= 1e-9 * (width or 1.0)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(small_games)
def test_all_pure_equilibria_are_among_the_extreme_ones(payoff: np.ndarray) -> None:
    found = {
        (int(x1.argmax()), int(x2.argmax()))
        for x1, x2 in bimatrix_equilibria(payoff)
        if x1.max() == x2.max() == 1.0
    }
    stable = (payoff[0] == payoff[0].max(axis=0)) & (payoff[1] == payoff[1].max(axis=1, keepdims=True))
    assert found == {(int(i), int(j)) for i, j in np.argwhere(stable)}


@settings(derandomize=True, max_examples=60, deadline=None)
@given(small_games)
def test_enumerated_equilibria_are_equilibria_and_distinct(payoff: np.ndarray) -> None:
    found = bimatrix_equilibria(payoff)
    assert found
    for number, (x1, x2) in enumerate(found):
        assert_equilibrium(payoff, x1, x2)
        for a, b in found[:number]:
            assert max(np.abs(a - x1).max(), np.abs(b - x2).max()) > 1e-9


def test_enumeration_finds_the_equilibria_that_quantecon_finds() -> None:
    """Generic games: an odd number of equilibria (Wilson 1971), the same as by vertex enumeration."""
    rng = np.random.default_rng(5)
    for _ in range(40):
        payoff = rng.uniform(-1, 1, (2, *rng.integers(2, 6, 2)))
        found = bimatrix_equilibria(payoff)
        peers = gt.vertex_enumeration(
            gt.NormalFormGame([gt.Player(payoff[0]), gt.Player(np.ascontiguousarray(payoff[1].T))])
        )
        assert len(found) % 2 == 1
        assert len(found) == len(peers)
        for x1, x2 in found:
            assert min(np.abs(x1 - a).max() + np.abs(x2 - b).max() for a, b in peers) <= 1e-9


def test_both_backends_enumerate_the_same_on_generic_games() -> None:
    rng = np.random.default_rng(6)
    for shape in [(2, 2), (3, 3), (2, 4), (4, 3)]:
        payoff = rng.uniform(-1, 1, (2, *shape))
        compiled = bimatrix_equilibria(payoff)
        nashpy = bimatrix_equilibria(payoff, backend="reference")
        assert len(compiled) == len(nashpy)
        for one, other in zip(compiled, nashpy, strict=True):
            np.testing.assert_allclose(np.concatenate(one), np.concatenate(other), atol=1e-12)


def test_zero_sum_games_agree_with_the_linear_program() -> None:
    """[F4]: an equilibrium of a zero-sum game is a minimax pair."""
    matrices = np.random.default_rng(7).normal(size=(50, 4, 5))
    solution = solve_bimatrix(np.stack([matrices, -matrices], axis=1))
    value = np.einsum("ba,bac,bc->b", solution.x1, matrices, solution.x2)
    np.testing.assert_allclose(value, solve_matrix_games(matrices).value, atol=1e-9)


def test_pure_first() -> None:
    payoff = np.array(KNOWN["hawk-dove"][0], dtype=float)
    pennies = np.array(KNOWN["matching pennies"][0], dtype=float)
    solution = solve_bimatrix([payoff, pennies], pure_first=True)
    assert [METHODS[code] for code in solution.method] == ["pure", "lemke-howson"]
    np.testing.assert_array_equal(solution.x1[0], [1.0, 0.0])
    np.testing.assert_array_equal(solution.x2[0], [0.0, 1.0])


def test_support_enumeration_answers_where_lemke_howson_fails(
    monkeypatch: pytest.MonkeyPatch, make_payoffs: MakePayoffs
) -> None:
    monkeypatch.setattr(lemke_howson_kernel, "solve_unit_games", lambda *_: None)
    payoffs = make_payoffs(np.random.default_rng(8), "integer", 10, 3, 4)
    calls: Counter[str] = Counter()
    solution = solve_bimatrix(payoffs, calls=calls)
    assert set(solution.method) == {METHODS.index("support-enumeration")}
    assert calls["support_enumeration"] == 10
    for payoff, x1, x2 in zip(payoffs, solution.x1, solution.x2, strict=True):
        assert_equilibrium(payoff, x1, x2)


def test_the_mixed_integer_program_answers_where_nashpy_fails(
    monkeypatch: pytest.MonkeyPatch, make_payoffs: MakePayoffs
) -> None:
    monkeypatch.setattr(reference, "bimatrix_by_nashpy_paths", lambda *_: iter(()))
    monkeypatch.setattr(reference, "bimatrix_by_nashpy_supports", lambda *_: iter(()))
    payoffs = make_payoffs(np.random.default_rng(9), "duplicated", 3, 3, 4)
    solution = solve_bimatrix(payoffs, backend="reference")
    assert set(solution.method) == {METHODS.index("cvxpy-milp")}
    for payoff, x1, x2 in zip(payoffs, solution.x1, solution.x2, strict=True):
        assert_equilibrium(payoff, x1, x2)


def test_reference_enters_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a compiled kernel was called")

    monkeypatch.setattr(lemke_howson_kernel, "solve_unit_games", refuse)
    monkeypatch.setattr(support_kernel, "vertices", refuse)
    payoff = KNOWN["hawk-dove"][0]
    solve_bimatrix([payoff], backend="reference")
    assert len(bimatrix_equilibria(payoff, backend="reference")) == 3


def test_a_wrong_answer_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(unit: np.ndarray, x1: np.ndarray, x2: np.ndarray, solved: np.ndarray) -> None:
        x1[:, 0] = x2[:, 0] = 1.0
        solved[:] = 1

    monkeypatch.setattr(lemke_howson_kernel, "solve_unit_games", wrong)
    monkeypatch.setattr(bimatrix, "_candidates", lambda *_: iter(()))
    with pytest.raises(StageError, match="the best answer has regret 1"):
        solve_bimatrix([KNOWN["matching pennies"][0]])


@pytest.mark.parametrize("solver", [lambda game: solve_bimatrix([game]), bimatrix_equilibria])
def test_refusals(solver: object) -> None:
    with pytest.raises(StageError, match="must be"):
        solver([[[1.0]]])
    with pytest.raises(StageError, match="not finite"):
        solver([[[np.nan]], [[1.0]]])
    with pytest.raises(StageError, match="without an action"):
        solver(np.zeros((2, 0, 3)))


def test_enumeration_refuses_what_would_not_end() -> None:
    with pytest.raises(StageError, match="support pairs"):
        bimatrix_equilibria(np.zeros((2, 15, 15)))
    with pytest.raises(StageError, match="pairs of supports"):
        bimatrix_equilibria(np.zeros((2, 9, 9)), backend="reference")


@pytest.mark.parametrize("lost", [[], [(np.array([1.0, 0.0]), np.array([1.0, 0.0]))]], ids=["none", "wrong"])
def test_enumeration_on_reference_is_never_empty(monkeypatch, lost) -> None:
    """Thresholds of nashpy's support enumeration may leave nothing true; then one equilibrium is found."""
    monkeypatch.setattr(reference, "bimatrix_by_nashpy_supports", lambda *_: iter(lost))
    pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    ((x1, x2),) = bimatrix_equilibria(pennies, backend="reference")
    assert np.allclose(x1, 0.5, atol=1e-12)
    assert np.allclose(x2, 0.5, atol=1e-12)


def test_an_empty_batch_has_empty_lists():
    assert equilibria_of_batch(np.zeros((0, 2, 2, 3))) == []
    assert solve_bimatrix(np.zeros((0, 2, 2, 3))).x2.shape == (0, 3)
