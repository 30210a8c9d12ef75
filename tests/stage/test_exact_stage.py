"""Rational stage equilibria: degenerate ones included, judged by brute force in Fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import attackers_at, stage_attackers
from arneq_exact.errors import StageError
from arneq_exact.exact.lemke import polymatrix_equilibrium
from arneq_exact.exact.simplex import solve_integer_game
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.exact_stage import ExactStageSolver
from arneq_exact.stage.robust import robust_matrix


def solver(threat: ThreatModel, payoffs) -> ExactStageSolver:
    return ExactStageSolver(stage_attackers(threat, payoffs[0].shape))


def exact(table) -> np.ndarray:
    result = np.empty(np.shape(table), dtype=object)
    result[...] = [Fraction(int(x)) for x in np.ravel(table)] if result.ndim == 1 else result
    for place in np.ndindex(result.shape):
        result[place] = Fraction(int(np.asarray(table)[place]))
    return result


def columns(payoff, agent: int, policy, chance: Fraction):
    """M_i(a; b) written out over all joint actions of the others; `chance` that all others are corrupted."""
    n = payoff.ndim
    others = [j for j in range(n) if j != agent]
    spans = [range(payoff.shape[j]) for j in others]
    matrix = []
    for a in range(payoff.shape[agent]):

        def paid(joint, a=a):
            place = list(joint)
            place.insert(agent, a)
            return payoff[tuple(place)]

        spared = Fraction(0)
        if chance < 1:
            for joint in product(*spans):
                weight = Fraction(1)
                for j, b in zip(others, joint, strict=True):
                    weight *= policy[j][b]
                spared += weight * paid(joint)
        row = [(1 - chance) * spared + chance * paid(joint) for joint in product(*spans)]
        matrix.append(row if chance else [spared])
    return matrix


def assert_equilibrium(payoffs, found, chances) -> None:
    for agent, payoff in enumerate(payoffs):
        matrix = columns(payoff, agent, found.policy, chances[agent])
        x, y = found.policy[agent], found.attack[agent]
        for mixture in (x, y):
            assert sum(mixture) == 1
            assert min(mixture) >= 0
            assert all(isinstance(p, Fraction) for p in mixture)
        worst = [sum(x[a] * row[c] for a, row in enumerate(matrix)) for c in range(len(matrix[0]))]
        best = [sum(y[c] * entry for c, entry in enumerate(row)) for row in matrix]
        assert max(best) == min(worst) == found.value[agent]
        assert worst[found.worst[agent]] == min(worst)


KINDS = {
    "small integers": lambda rng, shape: rng.integers(0, 3, shape),
    "large integers": lambda rng, shape: rng.integers(-(10**6), 10**6, shape),
    "constant": lambda rng, shape: np.full(shape, 7),
    "signs": lambda rng, shape: rng.choice([-1, 1], shape),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chances", [("0", "0"), ("1/3", "1/3"), ("1", "1"), ("1/2", "0"), ("1", "2/7")])
def test_two_agents(rng, kind, chances):
    p = [Fraction(chance) for chance in chances]
    law = {i: {frozenset(): 1 - p[i], frozenset({1 - i}): p[i]} for i in range(2)}
    threat = ThreatModel(distribution=law)
    for _ in range(12):
        shape = tuple(rng.integers(1, 5, 2))
        payoffs = [exact(KINDS[kind](rng, shape)) for _ in range(2)]
        assert_equilibrium(payoffs, solver(threat, payoffs).solve(payoffs), p)


@pytest.mark.parametrize("kind", KINDS)
def test_agents_who_decouple(rng, kind):
    for _ in range(8):
        shape = tuple(rng.integers(1, 4, 3))
        payoffs = [exact(KINDS[kind](rng, shape)) for _ in range(3)]
        assert_equilibrium(payoffs, solver(ThreatModel(2), payoffs).solve(payoffs), [Fraction(1)] * 3)


def test_one_agent():
    payoffs = [exact([3, 5, 5])]
    found = solver(ThreatModel(0), payoffs).solve(payoffs)
    assert found.value == [5]


def test_lemke_on_cyclic_and_degenerate_games():
    """Games on which pivoting without the lexicographic rule may cycle: all payoffs tie."""
    for size in range(1, 7):
        zero = [[0] * (2 * size) for _ in range(2 * size)]
        found = polymatrix_equilibrium(zero, [size, size])
        assert found is not None
        assert all(sum(weights) > 0 for weights in found)


def test_pure_equilibria_come_first():
    """Battle of the sexes has a mixed one as well; numbers stay short."""
    payoffs = [exact([[2, 0], [0, 1]]), exact([[1, 0], [0, 2]])]
    found = solver(ThreatModel(0), payoffs).solve(payoffs)
    assert found.policy == [[1, 0], [1, 0]]


def test_bits_stop_the_pivoting():
    rng = np.random.default_rng(0)
    matrix = rng.integers(1, 10**9, (6, 6)).tolist()
    assert solve_integer_game(matrix, 60) is None
    assert solve_integer_game(matrix) is not None
    solver = ExactStageSolver(stage_attackers(ThreatModel(1), (6, 6)), bits=40)
    with pytest.raises(StageError, match="passed the bound of pivots or of 40 bits"):
        solver.solve([exact(rng.integers(1, 10**9, (6, 6))) for _ in range(2)])


@pytest.mark.parametrize(
    ("n", "threat"), [(3, ThreatModel(1)), (3, ThreatModel(0)), (3, ThreatModel(2, probability="1/2"))]
)
def test_other_classes_are_refused(n, threat):
    with pytest.raises(StageError, match="outside of the classes that have a rational equilibrium"):
        ExactStageSolver(stage_attackers(threat, (2,) * n))


MASKED = {
    "for certain": (ThreatModel(sets={0: [{1}], 1: [{0}]}), ((0, (1,)), (1, (0, 2)))),
    "with a probability": (
        ThreatModel(distribution={0: {(): "1/3", (1,): "2/3"}, 1: {(0,): 1}}),
        ((0, (0, 2)), (1, (2,))),
    ),
    "who chooses, without masks": (ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"])), ()),
    "who chooses under masks elsewhere": (ThreatModel(1, masks={0: {7: [0]}}), ()),
}


@pytest.mark.parametrize("name", MASKED)
def test_attackers_of_two_agents_by_the_robust_matrix(rng, name):
    """Masked columns, and columns of the smaller probabilities that nobody would choose."""
    threat, masks = MASKED[name]
    attackers = stage_attackers(threat, (3, 3), masks)
    for _ in range(10):
        payoffs = [exact(rng.integers(0, 4, (3, 3))) for _ in range(2)]
        found = ExactStageSolver(attackers).solve(payoffs)
        policy = [np.array([[float(p) for p in x]]) for x in found.policy]
        for agent, payoff in enumerate(payoffs):
            matrix = robust_matrix(payoff.astype(float)[None], policy, attackers.of[agent])[0]
            worth = policy[agent][0] @ matrix
            assert len(found.attack[agent]) == len(worth)
            assert sum(found.attack[agent]) == 1
            best = matrix @ np.array([float(p) for p in found.attack[agent]])
            assert worth.min() == pytest.approx(float(found.value[agent]), abs=1e-12)
            assert best.max() == pytest.approx(float(found.value[agent]), abs=1e-12)
            assert worth[found.worst[agent]] == pytest.approx(worth.min(), abs=1e-12)


def test_masked_attackers_who_choose_a_probability_have_no_rational_answer():
    threat = ThreatModel(1, masks={0: {0: [0]}})
    payoffs = [exact([[1, 0], [0, 1]])] * 2
    assert solver(threat, payoffs).solve(payoffs).value == [Fraction(1, 2)] * 2
    with pytest.raises(StageError, match="k = 1, masked actions are outside of the classes"):
        ExactStageSolver(attackers_at(threat, (2, 2), 0))
