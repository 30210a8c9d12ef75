"""[T9] The point that `solve` finds is a fixed point of the best-response correspondence, as far as it
says.

With κ(π) = ∏_i {stationary best responses of agent i to π_{-i}}, Kakutani's theorem gives some π ∈ κ(π), an
ARNEQ. A solution says how near it is: with the status "exact" π ∈ κ(π), otherwise π ∈ κ_ε(π), the product
of the ε_i-best responses, for the proved ε.

Both are decided here in Fractions without the certificate's checker. The policy and the attackers' mixtures
are taken from the certificate at their word, the stage matrices written out from the definitions, and two
decision processes solved exactly: the attacker's against π_i, whose value is the robust value W of π_i, and
agent i's against the mixtures, whose value U bounds what any deviation is worth. So W ≤ V_i^π ≤ U, and π_i
is an ε_i-best response if U − W ≤ ε_i in every state. For the status "exact" the right side is the rational
0.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.exact.arrays import exact_array
from arneq_exact.oracle.first_principles import contest, reply_value, robust_value
from arneq_exact.solver.solve import solve
from arneq_exact.theory.draw.families import by_kind
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most
from arneq_exact.theory.engine.given_play import (
    BUDGET,
    DISCOUNTED,
    KINDS,
    attack_by_state,
    by_state,
    draw_budget,
    draw_game,
    met,
    same_columns,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement


def _fixed_point(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat = instance.game, instance.threat
    solution = solve(game, threat)
    policy = [exact_array(array) for array in solution.certificate.policy]
    comparisons: list[Comparison] = []
    gains = []
    for agent, proved in enumerate(solution.epsilon):
        faced = contest(game, threat, policy, agent, exact=True)
        own = robust_value(faced, by_state(game, policy[agent], agent))
        table = exact_array(solution.certificate.attacker[agent])
        agree = same_columns(faced, table)
        if agree.margin < 0:
            return Findings([agree], hypotheses)
        attack = attack_by_state(faced, table)
        most = reply_value(faced, [mixture / mixture.sum() for mixture in attack])
        claimed = Fraction(0) if solution.status == "exact" else proved
        comparisons.append(at_most("most that a deviation gains, proved ε", max(most - own), claimed))
        gains.append(max(most - own))
    return Findings(comparisons, hypotheses, quantities={"gain": gains, "status": solution.status})


def _draw(rng: np.random.Generator, kind: str) -> Instance:
    game = draw_game(rng, kind)
    return Instance(game, draw_budget(rng, game.n_agents))


STATEMENTS = (
    Statement(
        id="T9.fixed-point",
        title="A solution is a fixed point of the best-response correspondence",
        claim=(
            "The policy found by solve is a best response to itself, exactly if the status is 'exact' and "
            "up to the proved ε otherwise."
        ),
        hypotheses=(DISCOUNTED, BUDGET),
        source="theory page, T9 (Theorem 1) and T12; Kakutani (1941), Duke Math. J. 8, 457–459",
        status=UNDER_HYPOTHESES,
        examine=_fixed_point,
        families=by_kind(_draw, KINDS),
    ),
)
