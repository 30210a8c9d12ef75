"""Candidates for classes without a solver of their own: maximin, uniform, and best-response play.

Yields the profile of maximin strategies (the ARNEQ against everyone else corrupted), the uniform
profile, and then plays best responses in turn, each agent against the current policies of the others
under its own attacker. A fixed point of that is an ARNEQ, typically a pure one; in general it cycles, so
a bounded number of rounds is played. A start after the first plays from a random pure profile instead.

Guarantee: none; candidates are certified. Cost: one zero-sum stochastic game per agent and round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from arneq_exact.markov import decoupled
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

ROUNDS = 20
"""Rounds of best-response play: where it ends at all, a few do; a cycle is not worth more."""


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept every game."""
    return True


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield simple policies and then every round of best-response play."""
    game = problem.game
    if problem.first_start:
        start = _random_pure(problem)
        yield Candidate(start, 0, "random pure policy")
    else:
        yield Candidate(Policy.uniform(game), 0, "uniform policy")
        everyone = replace(problem, threat=ThreatModel(game.n_agents - 1))
        start = next(decoupled.run(everyone)).policy
        yield Candidate(start, 0, "maximin strategies")
    arrays = list(start)
    for number in range(1, ROUNDS + 1):
        problem.report(f"best-response play, round {number} of {ROUNDS}")
        before = list(arrays)
        for agent in range(game.n_agents):
            attacked = AttackedAgent(
                game, problem.threat, arrays, agent, backend=problem.backend, calls=problem.calls
            )
            arrays[agent] = attacked.solve().response
        yield Candidate(Policy(game, arrays), number, "best-response play")
        if all((old == new).all() for old, new in zip(before, arrays, strict=True)):
            return


def _random_pure(problem: Problem) -> Policy:
    rng = np.random.default_rng(problem.seed)
    return Policy.from_actions(problem.game, rng.integers(problem.game.action_counts))
