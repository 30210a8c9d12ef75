"""Stage policy iteration: solve every stage game, evaluate the stage profile exactly, repeat.

Where the procedure of Eq. (2) takes one backup after each round of stage games, this takes the exact
value of playing the stage profile (agents and attackers) for ever. It is Newton's method on the same
fixed-point equation: a handful of rounds whatever the discount, and it converges on many games where
the procedure cycles. Every second round the profile is also polished globally. Runs that do not settle
are restarted: other selections of stage equilibria, other initial values, smaller steps.

Guarantee: none by itself; candidates are certified. Cost per round: S stage games and n sparse linear
systems. Games: two agents under any threat (and everything that decouples, where it needs no restart).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from arneq_exact.errors import StageError
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.iteration import CycleWatch
from arneq_exact.markov.optimality import LARGEST_SYSTEM, OptimalityConditions
from arneq_exact.markov.polish import polish
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.solve import stage_class

ROUNDS = 24
STARTS = 6
ENUMERATION_WORK = 200_000
"""Pairs of supports per sweep up to which all stage equilibria are enumerated: about a second."""

SETTLED = 1e-12
"""Relative change of values below which a run has settled."""


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept every game of two agents."""
    return game.n_agents == 2 and stage_class(2, threat) is not None


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield the stage profile of every round, and its polished form every second round."""
    game, threat = problem.game, problem.threat
    rng = np.random.default_rng(problem.seed)
    selections = _selections(game, threat)
    system = OptimalityConditions(game, threat)
    conditions = system if system.size <= LARGEST_SYSTEM else None
    total = 0
    last = problem.first_start + STARTS
    for start in range(problem.first_start, last):
        selection = selections[start % len(selections)]
        damping = 1.0 if start < 2 * len(selections) else float(rng.uniform(0.2, 1.0))
        values = np.zeros((2, game.n_states)) if start < len(selections) else _random_values(problem, rng)
        step = StageStep(game, threat, selection=selection, backend=problem.backend, calls=problem.calls)
        problem.report(f"stage policy iteration, start {start + 1} of {last}, {selection} equilibrium")
        for candidate in _one_run(problem, step, conditions, values, damping):
            total += 1
            yield Candidate(
                candidate.policy, total, f"{candidate.note}, start {start + 1} ({selection} equilibrium)"
            )


def _selections(game: MarkovGame, threat: ThreatModel) -> list[str]:
    """Return the selections to try, in order.

    Where all stage equilibria are quickly enumerated the best for all agents together comes first: in
    games of coordination that is the equilibrium people look for.
    """
    if stage_class(2, threat) != "bimatrix":
        return ["first"]
    work = game.n_states * comb(int(game.action_counts.sum(axis=1).max()), int(game.action_counts.max()))
    return ["welfare", "first", "nearest"] if work <= ENUMERATION_WORK else ["first"]


def _one_run(
    problem: Problem,
    step: StageStep,
    conditions: OptimalityConditions | None,
    values: FloatArray,
    damping: float,
) -> Iterator[Candidate]:
    game = problem.game
    watch = CycleWatch()
    stage: StageEquilibria | None = None
    for number in range(ROUNDS):
        try:
            stage = step.at(values, None if stage is None else stage.policy)
        except StageError as error:
            problem.report(f"start abandoned: {error}")
            return
        yield Candidate(Policy(game, stage.policy), number, "stage policy iteration")
        evaluated = step.evaluate(stage, values)
        if number % 2 == 1 and conditions is not None:
            polished = polish(conditions, conditions.at_profile(stage.policy, stage.attack))
            if polished is not None:
                yield Candidate(Policy(game, polished), number, "stage policy iteration with polish")
        following = (1 - damping) * values + damping * evaluated
        change = float(np.abs(following - values).max())
        values = following
        if change <= SETTLED * max(float(np.abs(values).max()), 1e-300) or watch.see(values) is not None:
            return


def _random_values(problem: Problem, rng: np.random.Generator) -> FloatArray:
    """Return values (n, S) drawn uniformly within the range of discounted rewards."""
    game = problem.game
    scale = (1 / (1 - game.discount))[:, None]
    low = game.rewards.min(axis=0)[:, None] * scale
    high = game.rewards.max(axis=0)[:, None] * scale
    # Values of states differ little from each other under high discounts: draw a level, then spread.
    level = rng.uniform(low, high)
    spread = rng.uniform(-1, 1, (game.n_agents, game.n_states)) * game.reward_range[:, None]
    values: FloatArray = level + spread
    return values
