"""What is recorded of a policy and of the exact reference, agent by agent.

Values are means over first states, by the game's initial distribution or uniformly without one. The gap of an
agent is taken at its worst state, as in the definition of an ε-ARNEQ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arneq_exact.markov.audit import audit
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.evaluate import gap, robust_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver import solve

Record = dict[str, Any]


def first_states(game: MarkovGame) -> FloatArray:
    """Return the distribution (S,) of the first state."""
    if game.initial is not None:
        return game.initial
    return np.full(game.n_states, 1 / game.n_states)


def curve_records(game: MarkovGame, threat: ThreatModel, policy: Policy) -> list[Record]:
    """Return what a learning curve shows of a policy."""
    start = first_states(game)
    with one_blas_thread():
        robust = robust_values(game, threat, policy)
        gaps = gap(game, threat, policy)
    return [
        {
            "agent": game.agent_name(agent),
            "robust": float(robust[agent] @ start),
            "gap": float(gaps[agent].max()),
            "gap_at_start": float(gaps[agent] @ start),
        }
        for agent in range(game.n_agents)
    ]


def final_records(game: MarkovGame, threat: ThreatModel, policy: Policy) -> list[Record]:
    """Return what the final table shows of a policy, from an audit."""
    start = first_states(game)
    found = audit(game, threat, policy)
    assert found.static is not None  # the threat is a budget
    return [
        {
            "agent": game.agent_name(agent),
            "nominal": float(found.nominal[agent] @ start),
            **{f"robust_k{k}": float(values[agent] @ start) for k, values in found.robust.items() if k},
            "static": float(found.static[agent] @ start),
            "gap": float(found.gap[agent].max()),
            "gap_at_start": float(found.gap[agent] @ start),
        }
        for agent in range(game.n_agents)
    ]


def reference_records(game: MarkovGame, k: int, time_limit: float) -> tuple[list[Record], float]:
    """Solve a game; return values with proved bounds, and the seconds that it took.

    `lower` is proved to be attained by the solver's policy, `upper` not to be exceeded by any deviation from
    it [T12]. Where the answer is certified they are equal to the tolerance, and one ARNEQ value; there may
    be other ARNEQs.
    """
    threat = ThreatModel(k)
    solution = solve(game, threat, time_limit=time_limit)
    start = first_states(game)
    lower = np.asarray(solution.certificate.lower, dtype=np.float64)
    upper = np.asarray(solution.certificate.upper, dtype=np.float64)
    records = [
        {
            **record,
            "status": solution.status,
            "method": solution.method,
            "lower": float(lower[agent] @ start),
            "upper": float(upper[agent] @ start),
            "proved_gap": float(solution.epsilon[agent]),
        }
        for agent, record in enumerate(final_records(game, threat, solution.policy))
    ]
    return records, solution.seconds
