"""The barrier path, its block elimination, and the order in which `auto` asks."""

from __future__ import annotations

from itertools import islice

import games
import numpy as np
import pytest
from solution_promises import verify

from arneq_exact import MarkovGame, catalog, gap, solve
from arneq_exact.markov import barrier, stage_policy_iteration
from arneq_exact.markov.candidates import Problem
from arneq_exact.markov.optimality import OptimalityConditions, manageable
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.registry import SOLVERS, automatic_order
from arneq_exact.stage.many_agents import block_kernel, linearised_kernel

SIZES = [(n, states, k) for n in (2, 3, 4) for states in (1, 3) for k in range(n)]


def linearised(rng, game, threat):
    """Return tables, workspace and dense Jacobian at a random point."""
    conditions = OptimalityConditions(game, threat)
    space = linearised_kernel.workspace(conditions.tables)
    residual = np.empty(conditions.size)
    point = rng.uniform(0.1, 1, conditions.size)
    linearised_kernel.linearised(conditions.tables, conditions.rewards, point, space, residual)
    return conditions.tables, space, linearised_kernel.dense(conditions.tables, space)


def invert_blocks(t, space):
    for s in range(len(t.group)):
        size = t.base[s + 1] - t.base[s]
        jacobian = space.jacobian[space.block_start[s] : space.block_start[s + 1]].reshape(size, size)
        kind = space.kind[t.base[s] : t.base[s + 1]]
        inverse = space.inverse[space.block_start[s] : space.block_start[s + 1]]
        assert block_kernel.invert_kept(jacobian, kind, inverse)
    assert block_kernel.build_schur(t, space)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize(("n", "states"), [(2, 5), (3, 4), (3, 20)])
def test_block_elimination_solves_the_dense_system(rng, n, states, diagonal):
    game = games.random_game(rng, n, states, (1, 3) if n == 2 else 2, np.linspace(0.5, 0.9, n), ending=0.2)
    t, space, _ = linearised(rng, game, ThreatModel(1))
    size = int(t.base[-1])
    for s in range(states):
        m = t.base[s + 1] - t.base[s]
        jacobian = space.jacobian[space.block_start[s] : space.block_start[s + 1]].reshape(m, m)
        jacobian += np.diag(rng.uniform(3, 6, m))
        for i in range(n if diagonal else 0):
            first = t.base[s] + t.local_y[t.group[s], i]
            space.kind[first : first + t.columns[t.group[s], i]] = linearised_kernel.DIAGONAL
    whole = linearised_kernel.dense(t, space)
    invert_blocks(t, space)
    rhs, found = rng.normal(size=size + 1), np.empty(size + 1)
    block_kernel.solve_all(t, space, rhs[:size], found[:size])
    np.testing.assert_allclose(whole @ found[:size], rhs[:size], rtol=0, atol=1e-9)
    product = np.empty(size)
    block_kernel.multiply(t, space, found[:size].copy(), product)
    np.testing.assert_allclose(product, whole @ found[:size], rtol=0, atol=1e-11)
    column, border = rng.normal(size=size), rng.normal(size=size + 1)
    assert block_kernel.solve_bordered(t, space, column, border, rhs, found)
    bordered = np.block([[whole, column[:, None]], [border]])
    np.testing.assert_allclose(bordered @ found, rhs, rtol=0, atol=1e-10)


def test_singular_matrices_are_reported():
    assert not block_kernel.invert(np.zeros((3, 3)), 3)
    matrix = np.array([[0.0, 2.0], [1.0, 1.0]])
    assert block_kernel.invert(matrix, 2)
    np.testing.assert_allclose(matrix @ [[0, 2], [1, 1]], np.eye(2), atol=1e-15)


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/2")])
def test_the_landed_point_is_on_the_path(rng, threat):
    """Slack times probability is μ w, shifted by μ: the equations of the central path."""
    game = games.random_game(rng, 3, 3, 2, 0.8)
    conditions = OptimalityConditions(game, threat)
    path = barrier._Path(conditions, barrier._weights(conditions, rng), 2.0)
    assert path.begin()
    assert path.advance(1e-2, 500) == 1
    point = path.landed(1e-2)
    vector, residual = conditions.vector(point), conditions.residual(point)
    weights = path.path.weights
    for i in range(3):
        at = conditions.at_action[i]
        expected = 1e-2 * (1 - weights[at] / vector[at])
        np.testing.assert_allclose(residual[at], expected, rtol=0, atol=1e-8)
        at = conditions.at_column[i]
        expected = 1e-2 * (weights[at] / vector[at] - 1)
        np.testing.assert_allclose(residual[at], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", ["barrier", "stage-policy-iteration"])
@pytest.mark.parametrize(("n", "states", "k"), SIZES)
def test_every_k_is_proved(method, n, states, k):
    game = catalog.load("random-dense", seed=n + states + k, agents=n, states=states, actions=2, discount=0.9)
    solution = solve(game, ThreatModel(k), method=method)
    assert solution.proved, solution.message


@pytest.mark.parametrize("discount", [0.999, 0.9999])
@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("n", [2, 3])
def test_values_in_the_thousands_do_not_stop_the_path(n, k, discount):
    for seed in range(3):
        game = catalog.load(
            "random-dense", seed=seed, agents=n, states=1 + seed, actions=2, discount=discount
        )
        solution = solve(game, ThreatModel(k), method="barrier")
        assert solution.proved, solution.message
        assert "barrier path 1," in solution.message
        verify(game, ThreatModel(k), solution)


@pytest.mark.parametrize("constant", [0.0, 1000.0])
@pytest.mark.parametrize("discount", [0.9, 0.9999])
def test_the_path_begins_with_a_direction(rng, discount, constant):
    """Wherever values are and however they round: of length 1, downwards, and steps are taken along it.

    Episodes end, so the constant stays in the values.
    """
    given = games.random_game(rng, 3, 3, 2, discount, ending=0.3)
    game = MarkovGame(
        given.rewards + constant, given.transitions, given.action_counts, given.discount, given.termination
    )
    conditions = OptimalityConditions(game, ThreatModel(1))
    path = barrier._Path(conditions, barrier._weights(conditions, rng), 2.0)
    assert path.begin()
    unit = path.kernel.unit_lengths(conditions.tables, conditions.rewards)
    assert np.linalg.norm(path.tangent / unit) == pytest.approx(1, abs=1e-12)
    assert path.tangent[-1] < 0
    before = path.parameter
    assert path.advance(1e-12, 5) == path.kernel.MOVING
    assert path.steps == 5
    assert path.parameter < before


@pytest.mark.parametrize("name", games.threats(3))
def test_every_threat_is_proved(rng, name):
    game = games.random_game(rng, 3, 4, (1, 3), np.array([0.5, 0.9, 0.7]), ending=0.2)
    solution = solve(game, games.threats(3)[name])
    assert solution.proved, solution.message


def test_masks_are_obeyed_by_both_methods(rng):
    threat = ThreatModel(1, masks={0: {0: [1]}, 2: {1: [0]}})
    game = games.random_game(rng, 3, 3, 2, 0.8)
    for method in ("barrier", "stage-policy-iteration"):
        solution = solve(game, threat, method=method)
        assert solution.proved, solution.message
        assert gap(game, threat, solution.policy).max() <= 1e-8


def test_later_starts_are_others_and_seeded(rng):
    game = games.random_game(rng, 3, 2, 2, 0.8)

    def policies(first_start):
        found = barrier.run(Problem(game, ThreatModel(0), seed=5, first_start=first_start))
        return [next(found).note, next(found).policy[0].tolist()]

    assert policies(0)[0].startswith("barrier path 1,")
    assert policies(3)[0].startswith("barrier path 4,")
    assert policies(3) == policies(3)


def test_the_reference_backend_has_no_compiled_paths(rng):
    problem = Problem(games.random_game(rng, 3, 2, 2, 0.8), ThreatModel(1), backend="reference")
    assert list(barrier.run(problem)) == []
    assert list(stage_policy_iteration.run(problem)) == []


def test_games_beyond_the_limits_are_not_accepted(rng, monkeypatch):
    game = games.random_game(rng, 3, 4, 2, 0.8)
    assert manageable(game, ThreatModel(1))
    monkeypatch.setattr("arneq_exact.markov.optimality.LARGEST_COUPLING", 11)
    assert not barrier.accepts(game, ThreatModel(1))
    # Stage policy iteration goes on without its polish, from settled profiles.
    notes = [c.note for c in islice(stage_policy_iteration.run(Problem(game, ThreatModel(1))), 3)]
    assert notes
    assert not any("polish" in note for note in notes)


def test_small_games_of_three_agents_begin_with_the_barrier_path(rng):
    names = [entry.name for entry in automatic_order(SOLVERS, games.random_game(rng, 3, 2))]
    assert names[:3] == ["decoupled", "barrier", "stage-policy-iteration"]
    for game in (games.random_game(rng, 2, 2), games.random_game(rng, 3, 20, 1)):
        names = [entry.name for entry in automatic_order(SOLVERS, game)]
        assert names == [entry.name for entry in SOLVERS if entry.automatic]


@pytest.mark.parametrize("seed", range(12))
def test_near_degenerate_games_are_proved_without_a_polish(seed):
    """Integer payoffs moved by 1e-7: ties are no ties, and no tolerance tells which actions are in use.

    The gap of a point of the path is a small multiple of its parameter all the same.
    """
    generator = np.random.default_rng(seed)
    payoffs = generator.integers(0, 3, (3, 2, 2, 2)) + 1e-7 * generator.uniform(-1, 1, (3, 2, 2, 2))
    game = MarkovGame.one_shot(payoffs)
    for k in (0, 1):
        solution = solve(game, ThreatModel(k), method="barrier")
        assert solution.proved
        verify(game, ThreatModel(k), solution)
