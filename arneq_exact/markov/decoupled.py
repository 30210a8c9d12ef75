"""Threats that decouple [T4]: every agent plays its own maximin strategy.

With everyone else corrupted for certain, agent i faces a zero-sum stochastic game that does not depend
on the others' policies. Its value is unique; any optimal strategy of each agent makes an ARNEQ. One agent
alone (n = 1) is a Markov decision process, the case without other agents.

Guarantee: policy iteration with a Hoffman–Karp safeguard converges for every discount below 1.
Cost: about 10 rounds an agent, each S linear programs and one sparse linear system.
References: Shapley (1953); Hoffman & Karp (1966); Pollatschek & Avi-Itzhak (1969).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Bounds, Candidate, Problem
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept every game whose threat decouples, one-agent games included."""
    return resolve(game, threat).decoupled


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield the profile of maximin strategies."""
    game = problem.game
    anything = list(Policy.uniform(game))
    solved = []
    for agent in range(game.n_agents):
        problem.report(f"maximin of agent {game.agent_name(agent)}")
        attacked = AttackedAgent(
            game, problem.threat, anything, agent, backend=problem.backend, calls=problem.calls
        )
        solved.append(attacked.solve())
    values = np.stack([agent.value for agent in solved])
    yield Candidate(
        Policy(game, [agent.response for agent in solved]),
        sum(agent.rounds for agent in solved),
        "maximin strategies by policy iteration",
        Bounds(tuple(agent.attack for agent in solved), values, values),
    )
