"""Begin at a given policy: a run is resumed from the best profile of an earlier one.

Offered are the policy as it is and, where the optimality conditions are small enough, the policy polished
with attackers that are optimal there. `arneq_exact.markov.stage_policy_iteration` begins from the same
profile.

Guarantee: none; candidates are certified. Cost: one zero-sum stochastic game per agent, one polish.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arneq_exact.errors import InputError
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.evaluate import robust_values
from arneq_exact.markov.optimality import OptimalityConditions, manageable
from arneq_exact.markov.polish import Polisher
from arneq_exact.markov.stage_step import StageEquilibria
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy

METHOD = "start"
"""What a solution names as its method where the given policy was the best candidate."""

NOTE = "the given start"


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield the given policy, then the policy polished."""
    start = problem.start
    if start is None:
        return
    yield Candidate(start, 0, NOTE)
    # The reference libraries have no polish.
    if start.horizon is None and problem.backend != "reference" and manageable(problem.game, problem.threat):
        profile = attacked_profile(problem, start)
        conditions = OptimalityConditions(problem.game, problem.threat)
        near = conditions.at_profile(profile.policy, profile.attack)
        polished = Polisher(conditions).candidate(near, 0, f"{NOTE} with polish")
        if polished is not None:
            yield polished


def attacked_profile(problem: Problem, policy: Policy) -> StageEquilibria:
    """Return a stationary policy with its robust values and optimal attackers against all responses."""
    attack = []
    for agent in range(problem.game.n_agents):
        problem.report(f"{NOTE}, attack on agent {problem.game.agent_name(agent)}")
        attacked = AttackedAgent(
            problem.game, problem.threat, list(policy), agent, backend=problem.backend, calls=problem.calls
        )
        attack.append(attacked.solve().attack)
    values = robust_values(problem.game, problem.threat, policy)
    return StageEquilibria(tuple(np.array(array) for array in policy), tuple(attack), values)


def require_start(game: MarkovGame, start: object, horizon: int | None) -> Policy:
    """Return the policy that a run begins from.

    Raises
    ------
    InputError
        If it is no policy, or for another horizon.
    PolicyError
        If it was made for a game of other sizes.
    """
    if not isinstance(start, Policy):
        raise InputError(f"solve: start is {type(start).__name__}; must be a Policy or a Solution")
    start.require_fit(game, "solve: start")
    if start.horizon != horizon:
        given = "stationary" if start.horizon is None else f"for {start.horizon} steps"
        needed = "stationary" if horizon is None else f"for {horizon} steps"
        raise InputError(f"solve: start is {given}; must be {needed}, as the run is")
    return start
