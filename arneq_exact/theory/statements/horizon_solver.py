"""[T14] What `solve` returns for a finite horizon: subgame-perfect, with a proved ε, values and all.

The policy of every step is judged from the definitions, backwards (`finite_horizon.judged`): its robust
values are those that the solution tells, the gap at the start is at most the ε that the solution proves, and
after any other history nothing is left to gain either, up to the errors of the stage games on the way.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.model.policy import Policy
from arneq_exact.solver.solve import solve
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    BUDGET,
    DISCOUNTED,
    KINDS,
    STAGE_ERROR,
    draw_budget,
    draw_game,
    met,
    sizes,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement
from arneq_exact.theory.statements.finite_horizon import STAGE_WHY, judged

HORIZON = 3
"""Steps where none are given."""


def _solved(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat = instance.game, instance.threat
    horizon = int(instance.extras.get("horizon", HORIZON))
    solution = solve(game, threat, horizon=horizon, seed=instance.seed)
    if not solution.proved:
        return Findings(hypotheses=hypotheses, undecided=f"no equilibrium was proved: {solution.message}")
    policy = Policy(game, list(solution.policy))
    plays = [policy.at(step) for step in range(horizon)]
    nothing = np.zeros(game.n_states)
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(sizes(game)):
        found = judged(game, threat, plays, agent, (nothing, nothing))
        left = found.upper - found.lower
        proved = float(solution.certificate.epsilon[agent])
        comparisons += [
            equal("values of the solution, by definition", solution.values[:, agent], found.lower, unit),
            at_most("gap at the start by definition, proved ε", float(left[0].max()), proved, unit),
            at_most("gain of a deviation after any history, nothing", left, 0.0, unit),
        ]
    return Findings(comparisons, hypotheses, 2 * STAGE_ERROR * horizon, STAGE_WHY)


def _draw(rng: np.random.Generator, kind: str) -> Instance:
    game = draw_game(rng, kind, most_states=2)
    return Instance(game, draw_budget(rng, game.n_agents), {"horizon": int(rng.integers(1, 5))})


STATEMENTS = (
    Statement(
        id="T14.solve",
        title="The solution for a horizon is subgame-perfect, with the values and the ε that it tells",
        claim="What `solve` returns for T steps has its values, at most its ε as gap, and leaves nothing to "
        "gain after any history.",
        hypotheses=(DISCOUNTED, BUDGET),
        source="arneq_exact.theory.statements.horizon_solver; theory page, T14",
        status=UNDER_HYPOTHESES,
        examine=_solved,
        families=families.by_kind(_draw, KINDS),
    ),
)
