"""What is recorded of a policy and of the exact reference, agent by agent.

Values are means over first states, by the game's initial distribution or uniformly without one. The gap of an
agent is taken at its worst state, as in the definition of an ε-ARNEQ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arneq_exact import catalog
from arneq_exact.learning.experiment.configuration import BudgetedGame
from arneq_exact.markov.audit import audit, robust_values_and_gap
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.solve import solve

Record = dict[str, Any]

SAME = 1e-6
"""Relative difference of values up to which two equilibria are one line in a figure."""


def curve_records(game: MarkovGame, threat: ThreatModel, policy: Policy) -> list[Record]:
    """Return what a learning curve shows of a policy."""
    start = game.first_states
    with one_blas_thread():
        robust, _, gaps = robust_values_and_gap(game, threat, policy)
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
    start = game.first_states
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


def reference_records(instance: BudgetedGame, time_limit: float) -> tuple[list[Record], float]:
    """Return the exact answers of an instance with proved bounds, and the seconds that `solve` took.

    The first is what `solve` finds by itself; if the catalog holds another equilibrium of the game, that one,
    certified, follows. `lower` is proved to be attained by the policy, `upper` not to be exceeded by any
    deviation from it [T12]. Where the answer is certified they are equal to the tolerance: the values of one
    ARNEQ; there may be others.
    """
    game, threat = instance.load(), ThreatModel(instance.k)
    found = solve(game, threat, time_limit=time_limit)
    answers = {"solve": found}
    known = _known_policy(instance, game)
    if known is not None:
        proved = solve(game, threat, time_limit=time_limit, start=known)
        if not found.proved or np.abs(proved.values - found.values).max() > SAME * np.abs(found.values).max():
            answers["catalog"] = proved
    start = game.first_states
    records = []
    for source, answer in answers.items():
        lower = np.asarray(answer.certificate.lower, dtype=np.float64)
        upper = np.asarray(answer.certificate.upper, dtype=np.float64)
        records += [
            {
                "source": source,
                "status": answer.status,
                "method": answer.method,
                **record,
                "lower": float(lower[agent] @ start),
                "upper": float(upper[agent] @ start),
                "proved_gap": float(answer.epsilon[agent]),
            }
            for agent, record in enumerate(final_records(game, threat, answer.policy))
        ]
    return records, found.seconds


def _known_policy(instance: BudgetedGame, game: MarkovGame) -> Policy | None:
    """Return the equilibrium that the catalog holds of this instance, if it holds one."""
    entry = catalog.entry(instance.game)
    if any(entry.parameters[name][0] != value for name, value in instance.parameters.items()):
        return None
    for answer in entry.answers:
        if answer.policy is not None and answer.threat.same_as(ThreatModel(instance.k), game.n_agents):
            return answer.policy(game)
    return None
