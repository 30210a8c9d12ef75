"""Games whose states come in levels are solved from their ends."""

from __future__ import annotations

import games
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from arneq_exact import (
    MarkovGame,
    Policy,
    ThreatModel,
    best_response,
    catalog,
    certify,
    check,
    gap,
    robust_values,
    solve,
)
from arneq_exact.errors import StageError
from arneq_exact.markov import components, stage_policy_iteration
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.model.state_graph import state_graph


def chain(rng, n, blocks, size, actions=2, ending=0.0):
    """Blocks of states, each leading on to later ones; states are shuffled."""
    n_states = blocks * size
    counts = np.full((n_states, n), actions)
    source = np.repeat(np.arange(n_states), actions**n)
    moves = np.zeros((len(source), n_states))
    for row, state in enumerate(source):
        block = state // size
        moves[row, block * size : (block + 1) * size] = rng.dirichlet(np.ones(size)) * 0.75
        moves[row, rng.integers(block * size, n_states)] += 0.25 * (1 - ending)
    order = rng.permutation(n_states)
    place = np.argsort(order)
    rows = np.concatenate([np.flatnonzero(source == state) for state in order])
    stay = moves[rows][:, order]
    rewards = rng.uniform(-1, 1, (len(source), n))
    missing = 1 - stay.sum(axis=1)
    game = MarkovGame(rewards, sp.csr_array(stay), counts, 0.9, missing if ending else None)
    return game, place


@pytest.mark.parametrize("kind", ["dense", "sparse", "integer"])
def test_levels_are_those_of_the_condensed_graph(rng, kind):
    for _ in range(20):
        game = games.random_game(rng, 2, int(rng.integers(1, 12)), 1, kind=kind)
        graph = nx.condensation(state_graph(game))
        height = {}
        for part in reversed(list(nx.topological_sort(graph))):
            height[part] = max((height[below] + 1 for below in graph.successors(part)), default=0)
        expected = [set() for _ in range(max(height.values()) + 1)]
        for part, members in graph.nodes(data="members"):
            expected[height[part]] |= members
        assert [set(states.tolist()) for states in components.levels(game)] == expected


@pytest.mark.parametrize("ending", [0.0, 0.5])
def test_a_level_is_worth_what_it_is_worth_in_the_whole(rng, ending):
    """Whatever is played: values of the whole game, cut to a level, are the level's own."""
    game, _ = chain(rng, 3, 3, 4, ending=ending)
    arrays = [rng.dirichlet(np.ones(2), game.n_states) for _ in range(3)]
    masks = {0: {int(s): [0] for s in rng.choice(12, 6, replace=False)}, 2: {1: [1]}}
    threat = ThreatModel(1, masks=masks)
    whole = robust_values(game, threat, Policy(game, arrays))
    for states in components.levels(game):
        level = components.level_game(game, states, whole)
        own = components.level_threat(game, threat, states)
        part = Policy(level, [array[states] for array in arrays])
        assert np.allclose(robust_values(level, own, part), whole[:, states], atol=1e-12)


@pytest.mark.parametrize(("n", "k"), [(2, 0), (3, 0), (3, 1)])
def test_solved_by_levels_and_proved_as_a_whole(rng, n, k):
    game, _ = chain(rng, n, 3, 11)
    assert len(components.levels(game)) == 3
    solution = solve(game, ThreatModel(k))
    assert solution.proved
    assert "last of 3 levels of states" in solution.trace[0].note
    assert check(game, solution.certificate, ThreatModel(k)).valid


def test_foraging_is_solved_by_levels():
    solution = solve(catalog.load("level-based-foraging"), ThreatModel(1))
    assert solution.proved
    assert "last of 2 levels of states" in solution.message


def test_a_level_that_fails_leaves_the_whole_to_the_solver(rng):
    game, _ = chain(rng, 2, 3, 11)

    def poor(problem):
        yield Candidate(Policy.uniform(problem.game), 0, f"uniform on {problem.game.n_states}")

    def breaks(problem):
        if problem.game.n_states < game.n_states:
            raise StageError("no method solved game 0")
        yield from poor(problem)

    (only,) = components.levels_first(breaks)(Problem(game, ThreatModel(0)))
    assert only.note == "uniform on 33"
    levels, whole = components.levels_first(poor)(Problem(game, ThreatModel(0)))
    assert (levels.note, whole.note) == ("0 of 3 levels of states", "uniform on 33")
    assert levels.policy == whole.policy


@pytest.mark.parametrize("line", ["level 3 of 3", "barrier path 1 of 6, parameter"])
def test_levels_that_are_solved_outlast_an_interrupt(rng, line):
    """Stopped before the last level, or within its barrier path: lower levels are played as solved."""
    game, _ = chain(rng, 3, 3, 11)
    threat, lines = ThreatModel(1), []

    def stop(progress):
        lines.append(progress.line)
        if any("level 3 of 3" in said for said in lines) and line in progress.line:
            raise KeyboardInterrupt

    solution = solve(game, threat, method="barrier", progress=stop)
    assert solution.status == "incomplete"
    assert "interrupted" in solution.message
    assert "2 of 3 levels of states" in solution.message
    gaps, flat = gap(game, threat, solution.policy), gap(game, threat, Policy.uniform(game))
    below = np.concatenate(components.levels(game)[:2])
    assert (gaps[:, below].max(axis=1) <= 1e-8 * game.reward_range).all()
    assert gaps.max() < 0.8 * flat.max()
    assert check(game, solution.certificate, threat).valid


@pytest.mark.parametrize("kind", ["near", "poor"])
def test_a_level_leaves_its_best_profile(rng, kind):
    """A candidate that misses by little is not lost to what the solver was at when it was stopped."""
    game, _ = chain(rng, 2, 3, 11)
    states = components.levels(game)[0]
    level = components.level_game(game, states, np.zeros((2, 33)))
    flat = Policy.uniform(level)
    if kind == "near":
        exact = solve(level, ThreatModel(0)).policy
        offered = Policy(level, [0.99 * array + 0.01 / 2 for array in exact])
    else:
        offered = Policy(level, [np.tile([1.0, 0.0], (len(states), 1))] * 2)
    gaps = [gap(level, ThreatModel(0), policy).max() for policy in (offered, flat)]
    assert (gaps[0] < 0.1 * gaps[1]) if kind == "near" else (gaps[0] > gaps[1])

    def stopped(problem):
        yield Candidate(offered, 3, "offered")
        problem.unfinished = Candidate(flat, 5, "at work")
        raise KeyboardInterrupt

    problem = Problem(game, ThreatModel(0))
    with pytest.raises(KeyboardInterrupt):
        list(components.by_levels(problem, stopped))
    assert problem.unfinished.note == "0 of 3 levels of states"
    assert problem.unfinished.iterations == (3 if kind == "near" else 5)
    for whole, part in zip(problem.unfinished.policy, offered if kind == "near" else flat, strict=True):
        assert (whole[states] == part).all()


def test_small_games_and_single_components_are_left_alone(rng):
    small, _ = chain(rng, 2, 3, 5)
    single = games.random_game(rng, 2, 40, 2)
    for game in (small, single):
        problem = Problem(game, ThreatModel(0))
        assert list(components.by_levels(problem, lambda given: pytest.fail("asked"))) == []


@pytest.mark.parametrize("masks", [None, {0: {0: [0], 5: [1]}}])
def test_the_profile_comes_with_what_proves_it(rng, masks):
    """Values and attacks put together from the levels are those of the whole; masks make unequal widths."""
    game, _ = chain(rng, 3, 3, 11, ending=0.5)
    threat = ThreatModel(1, masks=masks)
    (candidate,) = components.by_levels(Problem(game, threat), stage_policy_iteration.run)
    unit = game.reward_range
    assert (gap(game, threat, candidate.policy).max(axis=1) <= 1e-8 * unit).all()
    bounds = candidate.bounds
    np.testing.assert_allclose(bounds.lower, robust_values(game, threat, candidate.policy), atol=1e-10)
    for agent in range(3):
        best = best_response(game, threat, candidate.policy, agent)
        np.testing.assert_allclose(bounds.upper[agent], best.value, atol=1e-8)
        assert bounds.attack[agent].shape == best.attack.shape
        np.testing.assert_allclose(bounds.attack[agent].sum(axis=1), 1, atol=1e-12)
    certificate = certify(game, threat, candidate.policy, bounds=bounds)
    assert check(game, certificate, threat).valid
    assert max(certificate.epsilon) <= 1e-8 * unit.min()
