"""Where a search for several equilibria begins: every solver from other starts, and random Newton.

A start asks each solver that `auto` asks, beginning with that solver's start of the same number (other
barrier weights, selections of stage equilibria, initial values, pure profiles), for one proved answer.
Homotopies and best-response play are drawn to some equilibria and never reach others (generically a
homotopy ends at an equilibrium of index +1 only). In small games therefore one more source is used:
Newton's method on the optimality conditions from random profiles of agents and attackers.

One-shot games that `arneq_exact.stage.enumeration.cost` finds quick to enumerate are enumerated before any
start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.resolve import resolve
from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Candidate, Problem, Run
from arneq_exact.markov.optimality import OptimalityConditions
from arneq_exact.markov.polish import Polisher
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.registry import SOLVERS
from arneq_exact.stage.enumeration.cost import is_quick
from arneq_exact.stage.enumeration.listing import StageEquilibriaList, enumerate_under

NEWTON_SIZE = 160
"""Unknowns up to which Newton's method from afar is worth its time: a step is cubic in them."""

NEWTON_TRIES = 8
"""Random profiles per start: most lead nowhere, and a start is to stay short."""

LEAST_WEIGHT = 1e-9
"""Added to every random weight: sparse ones round to 0, and a row of zeros is no mixture."""


def sources(game: MarkovGame, threat: ThreatModel) -> list[tuple[str, Run]]:
    """Return the name of every source of candidates that a start asks, and how to ask it."""
    asked = [(entry.name, entry.run) for entry in SOLVERS if entry.automatic and entry.accepts(game, threat)]
    if OptimalityConditions(game, threat).size <= NEWTON_SIZE:
        asked.append(("random-newton", random_newton))
    return asked


def random_newton(problem: Problem) -> Iterator[Candidate]:
    """Yield what Newton's method makes of random profiles, sparse ones as well as well-mixed ones."""
    conditions = OptimalityConditions(problem.game, problem.threat)
    polisher = Polisher(conditions)
    rng = np.random.default_rng(problem.seed)
    for number in range(NEWTON_TRIES):
        problem.report(f"Newton's method from random profile {number + 1} of {NEWTON_TRIES}")
        concentration = float(np.exp(rng.uniform(np.log(0.1), np.log(3.0))))
        x = [_random_mixtures(mask, concentration, rng) for mask in conditions.action_mask]
        y = [_random_mixtures(mask, concentration, rng) for mask in conditions.column_mask]
        near = conditions.at_profile(x, y)
        polished = polisher.candidate(near, number, "Newton's method from a random profile")
        if polished is not None:
            yield polished


def enumerated(game: MarkovGame, threat: ThreatModel) -> StageEquilibriaList | None:
    """Return the enumeration of a one-shot game, or None where there is none of reasonable cost."""
    attackers = resolve(game, threat).of(0)
    if game.n_states > 1 or game.transitions.count_nonzero():
        return None
    if not is_quick(attackers):
        return None
    try:
        return enumerate_under(_exact_rewards(game).T.reshape(-1, *attackers.counts), attackers)
    except StageError:  # a limit on sizes
        return None


def _exact_rewards(game: MarkovGame) -> NDArray[Any]:
    """Return rewards (rows, n) as the game means them: rationals, not their roundings, may tie."""
    if game.exact is None:
        return game.rewards
    table = np.empty(game.rewards.shape, dtype=object)
    for row, agent in np.ndindex(*table.shape):
        table[row, agent] = game.exact_reward(row, agent)
    return table


def _random_mixtures(mask: NDArray[np.bool_], concentration: float, rng: np.random.Generator) -> FloatArray:
    """Return one Dirichlet mixture (S, max) per state over the entries of a mask."""
    weights = np.where(mask, rng.gamma(concentration, size=mask.shape) + LEAST_WEIGHT, 0.0)
    mixtures: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return mixtures
