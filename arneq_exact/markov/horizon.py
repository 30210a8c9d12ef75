"""Finite horizons: backward induction, and judging a time-indexed policy [T14].

With T steps in all, V_T = 0 and V_t is the stage value at the backup of V_{t+1}. Backward induction
with any stage ARNEQ gives a Markov, subgame-perfect ARNEQ without any assumption on types; a discount of
1 is allowed. Arrays carry the step first: policies (T, S, A), values (T+1, n, S).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from arneq_exact import require
from arneq_exact.attackers.stage_class import General
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.solve import StageSolver

LARGEST_POLICY = 2 * 10**8
"""Most probabilities of a time-indexed policy: 1.6 GB."""

SOLVED = 1e-13
"""Gain at one step, in units of its values, up to which a given policy is kept there."""


@dataclass(frozen=True)
class HorizonValues:
    """What a time-indexed policy is worth, step by step.

    Attributes
    ----------
    lower : (T+1, n, S)
        Robust values of the policy.
    upper : (T+1, n, S)
        Best-response robust values.
    response : one array (T, S, max A_i) per agent
    attack : one array (T, S, max C_i) per agent
        The attackers' optimal mixtures against all responses.
    worst : one array (T, S) of int per agent
        Columns of the worst attack on the policy itself.
    """

    lower: FloatArray
    upper: FloatArray
    response: tuple[FloatArray, ...]
    attack: tuple[FloatArray, ...]
    worst: tuple[IntArray, ...]


def evaluate_horizon(game: MarkovGame, threat: ThreatModel, policy: Policy) -> HorizonValues:
    """Judge a time-indexed policy by backward induction.

    Raises
    ------
    InputError
        If the policy is stationary.
    """
    if policy.horizon is None:
        raise InputError("evaluate_horizon: policy is stationary; must be time-indexed")
    steps, n, n_states = policy.horizon, game.n_agents, game.n_states
    lower = np.zeros((steps + 1, n, n_states))
    upper = np.zeros((steps + 1, n, n_states))
    response: list[list[FloatArray]] = [[] for _ in range(n)]
    attack: list[list[FloatArray]] = [[] for _ in range(n)]
    worst: list[list[IntArray]] = [[] for _ in range(n)]
    for step in reversed(range(steps)):
        arrays = policy.at(step)
        for agent in range(n):
            attacked = AttackedAgent(game, threat, arrays, agent)
            lower[step, agent], columns = attacked.stage_worst(arrays[agent], lower[step + 1, agent])
            stage = attacked.stage_value(upper[step + 1, agent])
            upper[step, agent] = stage.value
            response[agent].append(stage.response)
            attack[agent].append(stage.attack)
            worst[agent].append(columns)
    return HorizonValues(
        lower,
        upper,
        tuple(np.stack(arrays[::-1]) for arrays in response),
        tuple(np.stack(arrays[::-1]) for arrays in attack),
        tuple(np.stack(columns[::-1]) for columns in worst),
    )


def candidates_for_horizon(problem: Problem, horizon: int) -> Iterator[Candidate]:
    """Yield the policy of backward induction; of maximin strategies where the backend has no stage solver."""
    require_horizon(problem.game, horizon)
    game, threat, note = problem.game, problem.threat, "backward induction"
    if problem.backend == "reference" and General() in problem.attackers.classes:
        threat, note = ThreatModel(game.n_agents - 1), "maximin strategies by backward induction"
    step = StageStep(game, threat, partial(StageSolver, backend=problem.backend, calls=problem.calls))
    start, before = problem.start, "uniform" if problem.start is None else "as given"
    arrays = [np.array(array) for array in (Policy.uniform(game, horizon) if start is None else start)]
    done, values = 0, np.zeros((game.n_agents, game.n_states))
    try:
        if start is not None:
            for kept in _solved_steps(problem, start):
                done, values = done + 1, kept
                problem.report(f"{note}, {done} of {horizon} steps of the given start are kept")
        for time, found in _stages(step, horizon - done, values):
            for array, part in zip(arrays, found.policy, strict=True):
                array[time] = part
            done += 1
            problem.report(f"{note}, {done} of {horizon} steps")
    finally:
        # Stopped half-way, the last steps are solved already; before them everyone plays as at first.
        if done < horizon:
            partly = f"{note} of the last {done} of {horizon} steps, {before} before"
            problem.unfinished = Candidate(Policy(game, arrays), done, partly)
    yield Candidate(Policy(game, arrays), horizon, note)


def _solved_steps(problem: Problem, policy: Policy) -> Iterator[FloatArray]:
    """Yield the values (n, S) of a policy from its last step backwards while it plays stage ARNEQ there."""
    game = problem.game
    values = np.zeros((game.n_agents, game.n_states))
    for time in reversed(range(policy.horizon or 0)):
        arrays, ahead = policy.at(time), values
        values = np.empty_like(ahead)
        for agent in range(game.n_agents):
            attacked = AttackedAgent(
                game, problem.threat, arrays, agent, backend=problem.backend, calls=problem.calls
            )
            values[agent], _ = attacked.stage_worst(arrays[agent], ahead[agent])
            gain = float((attacked.stage_value(ahead[agent]).value - values[agent]).max())
            if gain > SOLVED * max(float(game.reward_range[agent]), float(np.abs(values[agent]).max())):
                return
        yield values


def _stages(
    step: StageStep[StageSolver], horizon: int, values: FloatArray
) -> Iterator[tuple[int, StageEquilibria]]:
    """Yield (time, stage equilibria) of `horizon` steps, the last first; `values` (n, S) come after it."""
    for time in reversed(range(horizon)):
        found = step.at(values)
        yield time, found
        values = found.value


def require_horizon(game: MarkovGame, horizon: object) -> None:
    """Refuse a horizon that is no positive integer, or whose policy would not fit into memory."""
    steps = require.whole(horizon, "solve: horizon", at_least=1)
    most = LARGEST_POLICY // (game.n_states * int(game.action_counts.max(axis=0).sum()))
    if steps > most:
        raise InputError(f"solve: horizon is {horizon}; must be at most {most} for a game of this size")
