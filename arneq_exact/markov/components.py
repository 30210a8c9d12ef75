"""Solve a game from its ends: strongly connected components of the state graph in order.

Play that has left a component never comes back, so an ARNEQ of the closed components needs nothing else, and
their values turn steps into them into rewards: r + γ P V, and the episode ends. Components that cannot reach
each other make one smaller game, so there are as many games as levels of the condensed graph. Any solver may
be asked. The profile put together is a candidate like any other, proved on the whole game; the attacks and
values of the levels are what its certificate is made of, so that nothing is computed on the whole game again.
Where the solver is stopped or fails half-way, the levels that are solved are left behind.

Guarantee: the solver's own, level by level; errors of a level reach those above times the discount.
Cost: the solver's, on games that together have the states of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.candidates import Bounds, Candidate, Problem, Run
from arneq_exact.markov.evaluate import stationary_bounds
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

FEWEST_STATES = 30
"""States up to which a game is solved as a whole: there is little to win."""

MOST_LEVELS = 50
"""Levels up to which it pays: each costs a run of the solver."""

NO_ENDING = 1e-9
"""Probability of an ending up to which there is none: by so much may the rows of any game miss 1."""

SMALL_GAP = 1e-10
"""Gap of a level's policy, in units of the whole game's reward range, that goes on to the next level."""


def levels(game: MarkovGame) -> list[IntArray]:
    """Return the states of each level: closed components first, then what leads to earlier ones only.

    Examples
    --------
    >>> game = MarkovGame.from_arrays([[[1], [0]]], [[[0, 1]], [[0, 1]]], 0.9)
    >>> [states.tolist() for states in levels(game)]
    [[1], [0]]
    """
    moves = sp.coo_array(game.transitions)
    source = np.searchsorted(game.offsets, moves.row, side="right") - 1
    used = moves.data > 0
    graph = sp.coo_array(
        (np.ones(int(used.sum())), (source[used], moves.col[used])), shape=(game.n_states, game.n_states)
    )
    count, member = connected_components(graph.tocsr(), directed=True, connection="strong")
    edges = np.unique(np.stack([member[graph.row], member[graph.col]]), axis=1)
    start, end = edges[:, edges[0] != edges[1]]
    height = np.zeros(count, dtype=np.int64)
    # The longest way down: settled after as many rounds as there are levels.
    while True:
        above = height.copy()
        np.maximum.at(above, start, height[end] + 1)
        if (above == height).all():
            break
        height = above
    return [np.flatnonzero(height[member] == level) for level in range(int(height.max()) + 1)]


def levels_first(solver: Run) -> Run:
    """Return a solver that tries the levels of a game before the whole."""

    def run(problem: Problem) -> Iterator[Candidate]:
        try:
            yield from by_levels(problem, solver)
        except (StageError, np.linalg.LinAlgError) as error:
            problem.report(f"levels of the state graph were abandoned: {error}")
        # The whole game leaves its own profile behind; what the levels came to is judged before.
        if problem.unfinished is not None:
            yield problem.unfinished
        yield from solver(problem)

    return run


def by_levels(problem: Problem, solver: Run) -> Iterator[Candidate]:
    """Yield the profile put together from all levels, if the solver succeeds on each, and nothing else.

    If it does not, or is stopped, the profile of the levels so far is left as `problem.unfinished`.
    """
    game = problem.game
    if game.n_states <= FEWEST_STATES:
        return
    order = levels(game)
    if not 1 < len(order) <= MOST_LEVELS:
        return
    values, upper = np.zeros((2, game.n_agents, game.n_states))
    arrays = [np.array(array) for array in Policy.uniform(game)]
    attacks = [np.zeros((game.n_states, 0)) for _ in range(game.n_agents)]
    iterations, note, solved = 0, "", 0
    level: Problem | None = None
    try:
        for states in order:
            problem.report(f"level {solved + 1} of {len(order)} of the state graph, {len(states)} states")
            level = replace(
                problem,
                game=level_game(game, states, values),
                threat=level_threat(game, problem.threat, states),
                start=None,
                unfinished=None,
            )
            found = _solved(level, solver, game.reward_range)
            if found is None:
                return
            candidate, bounds = found
            iterations, note = iterations + candidate.iterations, candidate.note
            _write(arrays, candidate, states)
            attacks = [_with_rows(*pair, states) for pair in zip(attacks, bounds.attack, strict=True)]
            values[:, states], upper[:, states] = bounds.lower, bounds.upper
            solved, level = solved + 1, None
    finally:
        left = None if level is None else level.unfinished
        if left is not None:
            _write(arrays, left, order[solved])
            iterations += left.iterations
        if solved < len(order) and (solved or left is not None):
            partly = f"{solved} of {len(order)} levels of states"
            problem.unfinished = Candidate(Policy(game, arrays), iterations, partly)
    note = f"{note}, last of {len(order)} levels of states"
    yield Candidate(Policy(game, arrays), iterations, note, Bounds(tuple(attacks), upper, values))


def _write(arrays: list[FloatArray], candidate: Candidate, states: IntArray) -> None:
    """Write a level's policy into the arrays (S, A_i) of the whole game."""
    for array, part in zip(arrays, candidate.policy, strict=True):
        array[states, : part.shape[1]] = part


def level_game(game: MarkovGame, states: IntArray, values: FloatArray) -> MarkovGame:
    """Return the game of some states (S',) that ends where play leaves them, with `values` (n, S) for it."""
    rows = np.concatenate([np.arange(game.offsets[s], game.offsets[s + 1]) for s in states])
    outside = values.copy()
    outside[:, states] = 0.0
    rewards = backup(game, outside)[:, rows].T
    moves = sp.csr_array(game.transitions[rows][:, states])
    ending = np.clip(1.0 - moves.sum(axis=1), 0.0, 1.0)
    ending[ending <= NO_ENDING] = 0.0
    return MarkovGame(
        np.ascontiguousarray(rewards),
        moves,
        game.action_counts[states],
        game.discount,
        ending if ending.any() else None,
    )


def level_threat(game: MarkovGame, threat: ThreatModel, states: IntArray) -> ThreatModel:
    """Return the threat with its masks renumbered for some states (S',).

    Attackers keep the extreme points that they have in the whole game, which are more where anything is
    masked; so columns keep their numbers.
    """
    if threat.masks is None:
        return threat
    place = {int(state): at for at, state in enumerate(states)}
    masks = {
        agent: {place[state]: actions for state, actions in listed.items() if state in place}
        for agent, listed in threat.masks.items()
    }
    # A mask that forbids nothing stands for those of other levels.
    anything = {0: {0: range(int(game.action_counts[states[0], 0]))}}
    return replace(threat, masks={agent: listed for agent, listed in masks.items() if listed} or anything)


def _solved(level: Problem, solver: Run, unit: FloatArray) -> tuple[Candidate, Bounds] | None:
    """Return the solver's first candidate of a small gap (units (n,) of the whole game) with its bounds.

    Without one, the best profile is left as `level.unfinished`.
    """
    best, least = None, np.inf
    try:
        for candidate in solver(level):
            bounds, gap = _judged(level, candidate, unit)
            if gap <= SMALL_GAP:
                return candidate, bounds
            if gap < least:
                best, least = candidate, gap
    finally:
        left = level.unfinished
        if best is not None and (left is None or _judged(level, left, unit)[1] > least):
            level.unfinished = best
    return None


def _judged(level: Problem, candidate: Candidate, unit: FloatArray) -> tuple[Bounds, float]:
    """Return the bounds of a candidate and its largest gap, in units (n,) of the whole game."""
    bounds = stationary_bounds(level.game, level.threat, candidate.policy)
    return bounds, float(((bounds.upper - bounds.lower).max(axis=1) / unit).max())


def _with_rows(table: FloatArray, rows: FloatArray, states: IntArray) -> FloatArray:
    """Return a table (S, columns) with `rows` for some states, widened with zeros where they are longer."""
    width = max(table.shape[1], rows.shape[1])
    result = np.zeros((len(table), width))
    result[:, : table.shape[1]] = table
    result[states, : rows.shape[1]] = rows
    return result
