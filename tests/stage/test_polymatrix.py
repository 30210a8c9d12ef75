"""Two agents and corruption of probability p [T11]: both ends of the scale, and best replies by programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arneq_exact.errors import StageError
from arneq_exact.stage import reference
from arneq_exact.stage.two_agents import lemke_kernel
from arneq_exact.stage.two_agents.polymatrix import METHODS, PolymatrixSolutions, solve_polymatrix
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

MakePayoffs = Callable[[np.random.Generator, str, int, int, int], np.ndarray]
PROBABILITIES = [0.0, 0.1, 0.5, 0.9, 1.0, (0.3, 0.7), (0.0, 1.0)]
CLIMBING = np.array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]])


def own_values(
    payoffs: np.ndarray, probability: object, solution: PolymatrixSolutions
) -> tuple[np.ndarray, np.ndarray]:
    """Robust stage value of each agent, (B,) each: (1 − p) nominal + p worst case."""
    p1, p2 = np.broadcast_to(np.asarray(probability, dtype=float), 2)
    reply1 = np.einsum("bi,bij->bj", solution.x1, payoffs[:, 0])
    reply2 = np.einsum("bij,bj->bi", payoffs[:, 1], solution.x2)
    nominal1 = np.einsum("bj,bj->b", reply1, solution.x2)
    nominal2 = np.einsum("bi,bi->b", reply2, solution.x1)
    return (1 - p1) * nominal1 + p1 * reply1.min(axis=1), (1 - p2) * nominal2 + p2 * reply2.min(axis=1)


def best_values(
    payoffs: np.ndarray, probability: object, solution: PolymatrixSolutions
) -> tuple[np.ndarray, np.ndarray]:
    """Value of a best reply by linear programming: columns (1 − p) M_∅ + p M_c [T10]."""
    p1, p2 = np.broadcast_to(np.asarray(probability, dtype=float), 2)
    nominal1 = np.einsum("bij,bj->bi", payoffs[:, 0], solution.x2)
    nominal2 = np.einsum("bij,bi->bj", payoffs[:, 1], solution.x1)
    game1 = (1 - p1) * nominal1[:, :, None] + p1 * payoffs[:, 0]
    game2 = (1 - p2) * nominal2[:, :, None] + p2 * payoffs[:, 1].transpose(0, 2, 1)
    return solve_matrix_games(game1).value, solve_matrix_games(game2).value


def assert_stage_arneq(payoffs: np.ndarray, probability: object, solution: PolymatrixSolutions) -> None:
    for mixture in (solution.x1, solution.x2, solution.y1, solution.y2):
        assert (mixture >= 0.0).all()
        np.testing.assert_allclose(mixture.sum(axis=1), 1.0, atol=1e-14)
    own, best = own_values(payoffs, probability, solution), best_values(payoffs, probability, solution)
    scale = 1.0 + np.abs(payoffs).max(axis=(1, 2, 3))
    for mine, optimum in zip(own, best, strict=True):
        assert (np.abs(optimum - mine) <= 5e-10 * scale).all()
    # An attacker uses minimising columns only.
    against1 = np.einsum("bi,bij->bj", solution.x1, payoffs[:, 0])
    against2 = np.einsum("bij,bj->bi", payoffs[:, 1], solution.x2)
    for attack, against in ((solution.y1, against1), (solution.y2, against2)):
        assert (np.einsum("bc,bc->b", attack, against) <= against.min(axis=1) + 5e-10 * scale).all()


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_every_shape_and_kind_on_auto(probability: object, kind: str, make_payoffs: MakePayoffs) -> None:
    rng = np.random.default_rng([4, len(kind)])
    calls: Counter[str] = Counter()
    for A1 in range(1, 7):
        for A2 in range(1, 7):
            payoffs = make_payoffs(rng, kind, 4, A1, A2)
            assert_stage_arneq(payoffs, probability, solve_polymatrix(payoffs, probability, calls=calls))
    assert calls == {"lemke": 4 * 36}


@pytest.mark.parametrize("probability", [0.0, 0.5, (0.3, 1.0)])
def test_reference(probability: object, kind: str, make_payoffs: MakePayoffs) -> None:
    rng = np.random.default_rng([5, len(kind)])
    calls: Counter[str] = Counter()
    for shape in [(1, 3), (2, 2), (3, 3), (4, 2), (5, 5)]:
        payoffs = make_payoffs(rng, kind, 1, *shape)
        solution = solve_polymatrix(payoffs, probability, backend="reference", calls=calls)
        assert_stage_arneq(payoffs, probability, solution)
        assert METHODS[solution.method[0]] == "cvxpy-milp"
    assert set(calls) == {"cvxpy"}


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_certain_corruption_gives_security_values(backend: str) -> None:
    """[T4], [F5]: the climbing game is worth 0 to the row agent and 66/47 to the column agent."""
    payoffs = np.array([[CLIMBING, CLIMBING]])
    solution = solve_polymatrix(payoffs, 1.0, backend=backend)
    values = own_values(payoffs, 1.0, solution)
    np.testing.assert_allclose(np.ravel(values), [0.0, 66 / 47], atol=1e-12)
    np.testing.assert_allclose(solution.x1[0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(solution.x2[0], [6 / 47, 0, 41 / 47], atol=1e-12)


def test_certain_corruption_agrees_with_the_linear_program() -> None:
    payoffs = np.random.default_rng(6).normal(size=(40, 2, 3, 4))
    value1, value2 = own_values(payoffs, 1.0, solve_polymatrix(payoffs, 1.0))
    np.testing.assert_allclose(value1, solve_matrix_games(payoffs[:, 0]).value, atol=1e-9)
    np.testing.assert_allclose(value2, solve_matrix_games(payoffs[:, 1].transpose(0, 2, 1)).value, atol=1e-9)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_zero_sum_games_keep_their_value(probability: object) -> None:
    """[F4], [T5]: values are at least ±v, and add up to at most 0, at every probability."""
    matrices = np.random.default_rng(7).normal(size=(40, 4, 3))
    payoffs = np.stack([matrices, -matrices], axis=1)
    value1, value2 = own_values(payoffs, probability, solve_polymatrix(payoffs, probability))
    expected = solve_matrix_games(matrices).value
    np.testing.assert_allclose(value1, expected, atol=1e-9)
    np.testing.assert_allclose(value2, -expected, atol=1e-9)


@pytest.mark.parametrize("probability", [0.2, 0.6, 1.0])
def test_coordination_breaks_where_corruption_is_likely(probability: float) -> None:
    """Both earn 2 if they match at action 0, 1 if they match at action 1, else 0.

    Against x2 = (1, 0) agent 1 earns 2(1 − p)x + p min(2x, 1 − x) with x = P(action 0). At x = 1 the attacker
    takes everything; moving off costs 2(1 − p) and gains p per unit, so matching at 0 stands iff p ≤ 2/3.
    At p = 1 it is the maximin problem of value 2/3.
    """
    matrix = np.diag([2.0, 1.0])
    payoffs = np.array([[matrix, matrix]])
    solution = solve_polymatrix(payoffs, probability)
    assert_stage_arneq(payoffs, probability, solution)
    pure = PolymatrixSolutions(
        *(np.array([[1.0, 0.0]]),) * 2, *(np.array([[0.0, 1.0]]),) * 2, solution.method, solution.regret
    )
    own, best = own_values(payoffs, probability, pure), best_values(payoffs, probability, pure)
    assert (best[0][0] <= own[0][0] + 1e-12) == (probability <= 2 / 3)
    if probability == 1.0:
        np.testing.assert_allclose(own_values(payoffs, 1.0, solution), 2 / 3, atol=1e-12)


integer_games = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, (2, *shape), elements=st.integers(-2, 2).map(float))
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(integer_games, st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
def test_every_game_has_a_verified_equilibrium(payoff: np.ndarray, probability: tuple[float, float]) -> None:
    solution = solve_polymatrix(payoff[None], probability)
    assert_stage_arneq(payoff[None], probability, solution)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(integer_games, st.sampled_from([1e-8, 1e7]), st.sampled_from([0.25, (0.0, 0.75)]))
def test_the_scale_of_payoffs_changes_nothing(payoff: np.ndarray, scale: float, probability: object) -> None:
    plain = solve_polymatrix(payoff[None], probability)
    scaled = solve_polymatrix(scale * payoff[None], probability)
    assert scaled.regret[0] <= 1e-10
    assert_stage_arneq(payoff[None], probability, scaled)
    assert_stage_arneq(payoff[None], probability, plain)


def test_the_mixed_integer_program_answers_where_lemke_fails(
    monkeypatch: pytest.MonkeyPatch, make_payoffs: MakePayoffs
) -> None:
    monkeypatch.setattr(lemke_kernel, "solve_unit_games", lambda *_: None)
    payoffs = make_payoffs(np.random.default_rng(8), "integer", 3, 3, 3)
    calls: Counter[str] = Counter()
    solution = solve_polymatrix(payoffs, 0.5, calls=calls)
    assert_stage_arneq(payoffs, 0.5, solution)
    assert calls["cvxpy"] >= 3
    with pytest.raises(StageError, match="at most 40"):
        solve_polymatrix(np.random.default_rng(9).normal(size=(1, 2, 11, 11)), 0.5)


def test_reference_enters_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a compiled kernel was called")

    monkeypatch.setattr(lemke_kernel, "solve_unit_games", refuse)
    assert solve_polymatrix([[CLIMBING, CLIMBING]], 0.5, backend="reference").regret[0] <= 1e-10


def test_a_wrong_answer_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Nash equilibrium with a careless attacker is refused even where the attacker is never drawn."""

    def wrong(unit: np.ndarray, probability: np.ndarray, mixtures: np.ndarray, solved: np.ndarray) -> None:
        mixtures[:, [0, 2, 4, 6]] = 1.0
        solved[:] = 1

    monkeypatch.setattr(lemke_kernel, "solve_unit_games", wrong)
    monkeypatch.setattr(reference, "equilibrium_by_milp", lambda *_: iter(()))
    coordination = np.diag([2.0, 1.0])
    with pytest.raises(StageError, match="the best answer has regret 1"):
        solve_polymatrix([[coordination, coordination]], 0.0)


@pytest.mark.parametrize("probability", [-0.1, 1.1, np.nan, (0.1, 0.2, 0.3)])
def test_a_wrong_probability_is_refused(probability: object) -> None:
    with pytest.raises(StageError, match="one or two numbers in"):
        solve_polymatrix(np.zeros((1, 2, 2, 2)), probability)


def test_wrong_payoffs_are_refused() -> None:
    with pytest.raises(StageError, match=r"must be \(2, A1, A2\)"):
        solve_polymatrix(np.zeros((2, 2, 2)), 0.5)
    with pytest.raises(StageError, match="not finite"):
        solve_polymatrix(np.full((1, 2, 2, 2), np.nan), 0.5)
