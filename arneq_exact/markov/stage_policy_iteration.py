"""Stage policy iteration: solve every stage game, evaluate the stage profile exactly, repeat.

Where the procedure of Eq. (2) takes one backup after each round of stage games, this takes the exact
value of playing the stage profile (agents and attackers) for ever. It is Newton's method on the same
fixed-point equation: a handful of rounds whatever the discount, and it converges on many games where
the procedure cycles. After every second round (every round of the smallest games) the profile is also
polished globally; a stage profile itself is offered where a run ends, or after every round of games that are
too large to polish. Runs that do not settle are restarted: other selections of stage equilibria, other
initial values, smaller steps. A resumed run begins from the values and the profile of the given policy.

Guarantee: none by itself; candidates are certified. Cost per round: S stage games and n sparse linear
systems. Games: every number of agents and every threat. Two agents without masks or a choice of probabilities
have stage solvers of their own; other stage games are solved from the last profile
(`arneq_exact.stage.many_agents.multilinear`), so the selection stays near what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import comb

import numpy as np

from arneq_exact.attackers.resolve import Attackers, resolve
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.attackers.stage_class import Bimatrix, General
from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.cycle_watch import LEAST, CycleWatch
from arneq_exact.markov.optimality import (
    LARGEST_BLOCKS,
    OptimalityConditions,
    block_numbers,
    manageable,
)
from arneq_exact.markov.polish import Polisher
from arneq_exact.markov.resume import attacked_profile
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.solve import ContinuedSolver, SolvesStages, StageSolver

ROUNDS = 24
"""Rounds of a run. Newton's method settles in a handful or does not: later rounds rarely lead anywhere."""

STARTS = 6
"""Runs before other solvers get their turn: each selection from 0, then other values and smaller steps."""

ENUMERATION_WORK = 200_000
"""Pairs of supports per sweep up to which all stage equilibria are enumerated: about a second."""

POLISHED_AT_ONCE = 40
"""Unknowns up to which a round costs more than a polish, so that one follows every round (measured)."""

SETTLED = 1e-12
"""Relative change of values below which a run has settled."""


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept every game of two agents, and others where the stage games of a sweep fit into memory."""
    return _own_class(resolve(game, threat)) or block_numbers(game, threat) <= LARGEST_BLOCKS


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield polished stage profiles, and the stage profiles where runs end."""
    game, threat = problem.game, problem.threat
    rng = np.random.default_rng(problem.seed)
    own_class = _own_class(problem.attackers)
    if not own_class and problem.backend == "reference":
        # The reference libraries have nothing for these stage games.
        return
    selections = _selections(problem) if own_class else ["nearest"]
    polisher = Polisher(OptimalityConditions(game, threat)) if manageable(game, threat) else None
    total = 0
    if problem.start is not None and problem.first_start == 0:
        profile = attacked_profile(problem, problem.start)
        near = "nearest" if "nearest" in selections else selections[0]
        resumed = _step(problem, near, 0)
        for candidate in _one_run(
            problem, resumed, polisher, profile.value, 1.0, "given start", first=profile
        ):
            total += 1
            yield replace(candidate, iterations=total, note=f"{candidate.note}, from the given start")
    last = problem.first_start + STARTS
    for start in range(problem.first_start, last):
        selection = selections[start % len(selections)]
        damping = 1.0 if start < 2 * len(selections) else float(rng.uniform(0.2, 1.0))
        values = np.zeros((game.n_agents, game.n_states))
        if start >= len(selections):
            values = _random_values(problem, rng)
        step = _step(problem, selection, start)
        label = f"start {start + 1} of {last}, {selection} equilibrium"
        for candidate in _one_run(problem, step, polisher, values, damping, label):
            total += 1
            note = f"{candidate.note}, start {start + 1} ({selection} equilibrium)"
            yield replace(candidate, iterations=total, note=note)


def _step(problem: Problem, selection: str, start: int) -> StageStep[SolvesStages]:
    """Return the step of a run: by the solver of the class, or from the last profiles."""
    solver: Callable[[StageAttackers], SolvesStages] = (
        partial(StageSolver, selection=selection, backend=problem.backend, calls=problem.calls)
        if _own_class(problem.attackers)
        else partial(ContinuedSolver, seed=start, calls=problem.calls)
    )
    return StageStep(problem.game, problem.threat, solver)


def _own_class(attackers: Attackers) -> bool:
    """Tell whether the stage games are of two agents and have a solver of their own class."""
    return attackers.groups[0].stage.n == 2 and General() not in attackers.classes


def _selections(problem: Problem) -> list[str]:
    """Return the selections to try, in order.

    Where all stage equilibria are quickly enumerated the best for all agents together comes first: in
    games of coordination that is the equilibrium people look for.
    """
    game = problem.game
    if problem.attackers.classes != {Bimatrix()}:
        return ["first"]
    work = game.n_states * comb(int(game.action_counts.sum(axis=1).max()), int(game.action_counts.max()))
    return ["welfare", "first", "nearest"] if work <= ENUMERATION_WORK else ["first"]


def _one_run(
    problem: Problem,
    step: StageStep[SolvesStages],
    polisher: Polisher | None,
    values: FloatArray,
    damping: float,
    label: str,
    first: StageEquilibria | None = None,
) -> Iterator[Candidate]:
    game = problem.game
    watch = CycleWatch()
    stage = first
    for number in range(ROUNDS):
        problem.report(f"stage policy iteration, {label}, round {number + 1}")
        try:
            played = (None, None) if stage is None else (stage.policy, stage.attack)
            stage = step.at(values, *played)
        except StageError as error:
            problem.report(f"start abandoned: {error}")
            return
        evaluated = step.evaluate(stage, values)
        small = polisher is not None and polisher.conditions.size <= POLISHED_AT_ONCE
        if polisher is not None and (small or number % 2 == 1):
            near = polisher.conditions.at_profile(stage.policy, stage.attack)
            polished = polisher.candidate(near, number, "stage policy iteration with polish")
            if polished is not None:
                yield polished
        profile = Candidate(Policy(game, stage.policy), number, "stage policy iteration")
        following = (1 - damping) * values + damping * evaluated
        change = float(np.abs(following - values).max())
        values = following
        settled = change <= SETTLED * max(float(np.abs(values).max()), LEAST)
        ended = settled or number == ROUNDS - 1 or watch.see(values) is not None
        # Judging a profile costs more than a round; polishing tells sooner whether it is worth it.
        if ended or polisher is None:
            yield profile
        else:
            problem.unfinished = profile
        if ended:
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
