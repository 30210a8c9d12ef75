"""[T2] The agent's problem is a linear program.

Agent i's best robust value is the value of the matrix game M_i^π: max v subject to M_iᵀ x ≥ v, x ∈ Δ. The
dual solution is a joint distribution over (K, a_K), the worst mixed attack against all of the agent's
strategies.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.oracle import definition
from arneq_exact.stage.zero_sum.linear import solve_matrix_games
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import LP_TOLERANCE, LP_WHY, kernel_matrix, stages
from arneq_exact.theory.engine.statement import PROVED, Statement
from arneq_exact.theory.statements.pure_attacks import draw_stage


def _duality(instance: Instance) -> Findings:
    """Primal, dual and HiGHS agree, and no drawn strategy guarantees more."""
    rng = instance.rng()
    primal, dual, highs, drawn, sizes = [], [], [], [], []
    for stage in stages(instance):
        for agent in range(stage.n):
            table = definition.matrix(stage.payoffs[agent], stage.play, agent, instance.threat, stage.state)
            built = kernel_matrix(stage.payoffs[agent], stage.play, instance.threat, agent, stage.state)
            solved = solve_matrix_games(built[None])
            primal.append(float((solved.row[0] @ table).min()))
            dual.append(float((built @ solved.column[0]).max()))
            highs.append(definition.matrix_game_value(table))
            others = np.stack([families.mixture(rng, len(table)) for _ in range(6)])
            drawn.append(float((others @ table).min(axis=1).max()))
            sizes.append(stage.size(agent))
    return Findings(
        [
            equal("the program's optimum, its dual's", primal, dual, sizes),
            equal("the program's optimum, HiGHS on all pure attacks", primal, highs, sizes),
            at_most("a drawn strategy's guarantee, the optimum", drawn, primal, sizes),
        ],
        {},
        LP_TOLERANCE,
        LP_WHY,
    )


STATEMENTS = (
    Statement(
        id="T2",
        title="The agent's problem is a linear program",
        claim="An agent's best robust value is the value of the matrix game M_i^π, its dual a joint attack.",
        hypotheses=(),
        source="theory page, T2; von Neumann's minimax theorem",
        status=PROVED,
        examine=_duality,
        families=families.by_kind(draw_stage),
    ),
)
