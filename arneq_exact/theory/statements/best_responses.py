"""[T9] One agent against its attacker, for fixed play of the others; what its best responses are.

**The operator.** Fix π_{-i}. T_i v(s) = val M_i^{π(s)}[r_i + γ_i P v] is monotone, and a constant c ≥ 0 added
to v adds between γ_i c · (least row sum of P) and γ_i c · (largest row sum of P) = β_i c to it. Hence |T v −
T v'| ≤ β_i |v − v'| in the largest norm, and T has one fixed point V_i^π, the best-response value. How far it
moves with π_{-i} is in `arneq_exact.theory.engine.modulus`.

**A product of polytopes.** Let M_s be the stage matrices at V = V_i^π. For a stationary x of agent i with
robust value W^x call d_x(s) = V(s) − min_c (x(s)ᵀ M_s)_c ≥ 0 its *deficit*. W^x ≤ V, and W^x is the fixed
point of L_x v(s) = min_c (x(s)ᵀ M_s[v])_c, which is monotone. So W^x(s) = L_x W^x(s) ≤ L_x V(s) = V(s) −
d_x(s). On the other hand L_x V ≥ V − max d_x, hence W^x ≥ V − max d_x / (1 − β_i). Together, in every state,

    d_x(s)  ≤  V(s) − W^x(s)  ≤  max_s' d_x(s') / (1 − β_i).

Hence x is a best response at every state if and only if d_x = 0, that is, x(s) ∈ X_s = {x ∈ Δ: xᵀ M_s ≥ V(s)}
in every state, whatever it does in the others. X_s is the polytope of optimal strategies of the matrix game
M_s: not empty, compact, convex. The check takes its extreme points and convex combinations of them, chosen
freely state by state, and policies at large for the two inequalities.

**Closed graph.** Let x be a best response to π', and ω(v) the modulus at values v. Then at π, whose robust
values are W and best-response values V,

    V^π − W^{π,x}  ≤  |V^π − V^π'| + |W^{π',x} − W^{π,x}|  ≤  ω(V^π) + ω(W^{π,x}).

If π^t → π, the right side tends to 0, so that a limit of best responses x^t has no deficit at π: the graph is
closed. The check walks to π from two sides in turn, at distances 2^-t, and follows the best responses that
the library returns, which may jump for ever; the limit of each side is a best response at π all the same.

**A fixed point.** With κ(π) = ∏_i {best responses of agent i to π_{-i}}, Kakutani's theorem gives some π ∈
κ(π), an ARNEQ. A solution says how near it is: with the status "exact" π ∈ κ(π), otherwise π ∈ κ_ε(π) for the
proved ε. This is decided in Fractions without the certificate's checker: from the certificate's policy and
attackers' mixtures, at their word, two decision processes are solved exactly, the attacker's against π_i,
worth W, and agent i's against the mixtures, worth U. So W ≤ V_i^π ≤ U, and π_i is an ε_i-best response if U −
W ≤ ε_i in every state.

**Memory** does not help: two steps with all history-dependent behaviour on both sides, and V after them, are
worth V (`arneq_exact.oracle.history`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, exact_array, exact_mixtures
from arneq_exact.exact.matrix_games import matrix_game
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.policy import Policy
from arneq_exact.oracle.contest import Contest, contest, largest_row_sum, reply_value, robust_value
from arneq_exact.oracle.history import CONSTRAINT_ERROR, history_dependent_value
from arneq_exact.oracle.optimal_strategies import TIED, deficits, optimal_vertices
from arneq_exact.oracle.solver_columns import solver_attacks, strangers
from arneq_exact.solver.solve import solve
from arneq_exact.theory.draw.families import mixture
from arneq_exact.theory.draw.threats import under_any_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    DISCOUNTED,
    OPERATOR_ERROR,
    STAGE_ERROR,
    VALUE_ERROR,
    attack_by_state,
    by_state,
    draw_values,
    padded,
    policy_of,
    sizes,
    value_tolerance,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.modulus import lipschitz, modulus, policy_distance
from arneq_exact.theory.engine.stages import PER_STATE
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement

DRAWS = 2
"""Policies at large that are drawn for each agent."""

STEPS = (1, 2, 5, 10, 20, 21, 40, 41)
"""Distances 2^-t at which best responses are followed, down to what doubles tell apart; odd t on one side,
even t on the other."""

SHORT = 10**6
"""Largest denominator of a value that is guessed to be a short rational: doubles are good for 10^7 twice
over."""


def _contraction(instance: Instance) -> Findings:
    game, threat, rng = instance.game, instance.threat, instance.rng()
    policy = policy_of(instance)
    one, two = draw_values(rng, game), draw_values(rng, game)
    row_sums = np.asarray(game.transitions.sum(axis=1))
    comparisons: list[Comparison] = []
    ratios = []
    for agent, size in enumerate(sizes(game)):
        attacked = AttackedAgent(game, threat, policy, agent)
        first, second = attacked.stage_value(one[agent]).value, attacked.stage_value(two[agent]).value
        apart, moved = (float(np.abs(a - b).max()) for a, b in ((one[agent], two[agent]), (first, second)))
        faced = contest(game, threat, policy, agent)
        defined = [matrix_game(faced.stage(state, one[agent]))[0] for state in range(game.n_states)]
        shift = float(rng.uniform(0, size))
        raised = attacked.stage_value(one[agent] + shift).value - first
        least, most = (game.discount[agent] * shift * bound for bound in (row_sums.min(), row_sums.max()))
        name = "distance of T v and T v', β times that of v and v'"
        comparisons += [
            at_most(name, moved, game.contraction[agent] * apart, size),
            equal("T v by the solvers, by its definition", first, defined, size),
            at_most("least discount of a constant, what it adds to T v", least, raised, size),
            at_most("what a constant adds to T v, its largest discount", raised, most, size),
        ]
        ratios.append(moved / apart)
    return Findings(comparisons, 4 * STAGE_ERROR, OPERATOR_ERROR, {"ratio": ratios})


def _continuity(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    policies = [policy_of(instance, name) for name in ("policy", "other")]
    comparisons: list[Comparison] = []
    used = []
    for agent, size in enumerate(sizes(game)):
        values = []
        for policy in policies:
            found = best_response(game, threat, Policy(game, policy), agent)
            held = robust_value(contest(game, threat, policy, agent), by_state(game, found.policy, agent))
            faced = contest(game, threat, policy, agent, attacks=solver_attacks)
            allowed = reply_value(faced, attack_by_state(faced, found.attack))
            comparisons += [
                equal("best-response value, what its strategy guarantees", found.value, held, size),
                equal("best-response value, what its attack allows", found.value, allowed, size),
            ]
            values.append(found.value)
        distance = policy_distance(game, threat, agent, *policies)
        bounds = [modulus(game, agent, value, distance) for value in values]
        apart = float(np.abs(values[0] - values[1]).max())
        constant = lipschitz(game, agent) * float(distance.max())
        comparisons += [
            at_most("distance of best-response values, modulus", apart, min(bounds), size),
            at_most("modulus, Lipschitz constant times distance of policies", max(bounds), constant, size),
        ]
        used.append(apart / min(bounds) if min(bounds) > 0 else 0.0)
    return Findings(comparisons, value_tolerance(game), VALUE_ERROR, {"share of the modulus": used})


def _set_comparisons(
    rng: np.random.Generator,
    faced: Contest,
    values: Numbers,
    vertices: Sequence[Numbers],
    size: Any,
    beta: Any,
) -> list[Comparison]:
    """Compare vertices, convex combinations and policies at large with the best-response value."""

    def weights(count: int) -> Numbers:
        drawn = rng.integers(1, 9, count)
        return exact_array(drawn) / int(drawn.sum()) if faced.exact else drawn / drawn.sum()

    picks = robust_value(faced, [own[rng.integers(len(own))] for own in vertices])
    mixed = [weights(len(own)) @ own for own in vertices]
    comparisons = [
        equal("worth of vertices of the polytopes, best-response value", picks, values, size),
        equal("worth of convex combinations, best-response value", robust_value(faced, mixed), values, size),
    ]
    for _ in range(DRAWS):
        own = [weights(paid.shape[0]) for paid in faced.paid]
        # In some states a best response, in others anything: what one state loses is lost there.
        own = [x if rng.random() < 0.5 else other for x, other in zip(own, mixed, strict=True)]
        lost, deficit = values - robust_value(faced, own), deficits(faced, own, values)
        comparisons += [
            at_most("deficit in the stage, loss of value there", deficit, lost, size),
            at_most("loss of value, largest deficit / (1 − β)", lost, deficit.max() / (1 - beta), size),
        ]
    return comparisons


def _responses(instance: Instance, exact: bool) -> Findings:
    """In doubles; or in Fractions, where the best-response value is a short rational."""
    game, threat, rng, policy = instance.game, instance.threat, instance.rng(), policy_of(instance)
    used = [exact_mixtures(array) for array in policy] if exact else policy
    comparisons: list[Comparison] = []
    counted = []
    for agent, size in enumerate(sizes(game)):
        values = best_response(game, threat, Policy(game, policy), agent).value
        if exact:
            values = exact_array([Fraction(v).limit_denominator(SHORT) for v in values.tolist()])
        faced = contest(game, threat, used, agent, exact=exact)
        vertices = optimal_vertices(faced, values, 0 if exact else TIED * size)
        if exact and any(deficits(faced, [own[0] for own in vertices], values)):
            return Findings(undecided="a best-response value is no short rational")
        counted.append([len(own) for own in vertices])
        if exact:
            beta = faced.discount * largest_row_sum(game)
            comparisons += _set_comparisons(rng, faced, values, vertices, 1, beta)
            continue
        comparisons += _set_comparisons(rng, faced, values, vertices, size, game.contraction[agent])
        chosen = padded(game, [mixture(rng, len(own)) @ own for own in vertices], agent)
        played = Policy(game, [chosen if j == agent else other for j, other in enumerate(policy)])
        judged = robust_values(game, threat, played)[agent]
        comparisons.append(equal("worth of a combination by the solvers", judged, values, size))
    if exact:
        return Findings(comparisons, quantities={"vertices": counted})
    return Findings(comparisons, value_tolerance(game), VALUE_ERROR, {"vertices": counted})


def _graph(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    limit, sides = policy_of(instance), [policy_of(instance, name) for name in ("even side", "odd side")]
    agent = int(instance.rng().integers(game.n_agents))
    size = sizes(game)[agent]
    best = best_response(game, threat, Policy(game, limit), agent).value
    faced = contest(game, threat, limit, agent)
    losses, bounds, followed = [], [], []
    for step in STEPS:
        near = [
            (1 - 2.0**-step) * here + 2.0**-step * there
            for here, there in zip(limit, sides[step % 2], strict=True)
        ]
        response = best_response(game, threat, Policy(game, near), agent).policy
        worth = robust_value(faced, by_state(game, response, agent))
        distance = policy_distance(game, threat, agent, limit, near)
        losses.append(float((best - worth).max()))
        bounds.append(modulus(game, agent, best, distance) + modulus(game, agent, worth, distance))
        followed.append(response)
    comparisons = [
        at_most("loss at the limit of a best response on the way, modulus", losses, bounds, size),
        at_most("loss at the limit of the last best responses, nothing", losses[-2:], [bounds[-1]] * 2, size),
    ]
    jump = float(np.abs(followed[-1] - followed[-2]).max())
    return Findings(comparisons, value_tolerance(game), VALUE_ERROR, {"loss": losses, "last jump": jump})


def _fixed_point(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    solution = solve(game, threat)
    policy = [exact_array(array) for array in solution.certificate.policy]
    comparisons: list[Comparison] = []
    gains = []
    for agent, proved in enumerate(solution.epsilon):
        faced = contest(game, threat, policy, agent, exact=True)
        listed = contest(game, threat, policy, agent, exact=True, attacks=solver_attacks)
        table = exact_array(solution.certificate.attacker[agent])
        width = max(len(used) for used in listed.attacks)
        comparisons += [
            equal(
                "columns of the certificate that no attack allows, none",
                Fraction(strangers(listed, faced)),
                0,
            ),
            equal("columns of the certificate, attacks", Fraction(table.shape[1]), width),
        ]
        if table.shape[1] == width:
            own = robust_value(faced, by_state(game, policy[agent], agent))
            attack = [mixture / mixture.sum() for mixture in attack_by_state(listed, table)]
            gains.append(max(reply_value(listed, attack) - own))
            claimed = Fraction(0) if solution.status == "exact" else proved
            comparisons.append(at_most("most that a deviation gains, proved ε", gains[-1], claimed))
    return Findings(comparisons, quantities={"gain": gains, "status": solution.status})


def _history(instance: Instance) -> Findings:
    game, rng, policy = instance.game, instance.rng(), policy_of(instance)
    agent, state = int(rng.integers(game.n_agents)), int(rng.integers(game.n_states))
    size = sizes(game)[agent]
    values = best_response(game, instance.threat, Policy(game, policy), agent).value
    faced = contest(game, instance.threat, policy, agent)
    found, constraints = history_dependent_value(game, faced, state, values, size)
    name = "most that memory secures, best stationary response"
    why = (
        "HiGHS may miss each constraint by 1e-10; its dual weights, probabilities of attacks and values in "
        f"sizes, are at most 1; {VALUE_ERROR}"
    )
    tolerance = constraints * CONSTRAINT_ERROR + value_tolerance(game)
    told = {"agent": agent, "state": state}
    return Findings([equal(name, found, values[state], size)], tolerance, why, told)


_ASSUMED = (DISCOUNTED, PER_STATE)
_SOURCE = "arneq_exact.theory.statements.best_responses; theory page, T9"

STATEMENTS = (
    Statement(
        id="T9.contraction",
        title="The best-response operator contracts",
        claim="For fixed π_{-i}, T_i v = val M_i^π[r_i + γ_i P v] is a contraction with modulus β_i.",
        hypotheses=_ASSUMED,
        source="theory page, T9; Shapley (1953), PNAS 39, 1095–1100",
        status=UNDER_HYPOTHESES,
        examine=_contraction,
        families=under_any_threat("policy"),
    ),
    Statement(
        id="T9.continuity",
        title="The best-response value is Lipschitz in the others' policy",
        claim="Two policies of the others that are D_i apart give best-response values that are at most "
        "max_s spread_s D_i(s) / (1 − β_i) apart.",
        hypotheses=_ASSUMED,
        source="arneq_exact.theory.engine.modulus; theory page, T9",
        status=UNDER_HYPOTHESES,
        examine=_continuity,
        families=under_any_threat("policy", "other"),
    ),
    Statement(
        id="T9.responses",
        title="Best responses are a product of polytopes",
        claim="A stationary policy is a best response at every state if and only if, state by state, it lies "
        "in the polytope of optimal strategies of the matrix game at the best-response value.",
        hypotheses=_ASSUMED,
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=lambda instance: _responses(instance, False),
        confirm=lambda instance: _responses(instance, True),
        families=under_any_threat("policy"),
    ),
    Statement(
        id="T9.graph",
        title="The best-response correspondence has a closed graph",
        claim="A limit of best responses to π^t → π is a best response to π.",
        hypotheses=_ASSUMED,
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_graph,
        families=under_any_threat("policy", "even side", "odd side"),
    ),
    Statement(
        id="T9.fixed-point",
        title="A solution is a fixed point of the best-response correspondence",
        claim="The policy found by solve is a best response to itself, exactly if the status is 'exact' and "
        "up to the proved ε otherwise.",
        hypotheses=_ASSUMED,
        source="theory page, T9 (Theorem 1) and T12; Kakutani (1941), Duke Math. J. 8, 457–459",
        status=UNDER_HYPOTHESES,
        examine=_fixed_point,
        families=under_any_threat(),
    ),
    Statement(
        id="T9.history",
        title="Memory does not help a deviator",
        claim="No deviation that depends on history is worth more than the best stationary response.",
        hypotheses=_ASSUMED,
        source="theory page, T9; Shapley (1953), PNAS 39, 1095–1100",
        status=UNDER_HYPOTHESES,
        examine=_history,
        families=under_any_threat("policy"),
    ),
)
