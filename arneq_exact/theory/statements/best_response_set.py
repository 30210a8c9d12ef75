"""[T9] The set of best responses: a product of polytopes, one for each state, with closed graph.

Fix π_{-i} and let V = V_i^π be the best-response value, M_s = M_i^{π(s)}[r_i + γ_i P V] the stage matrices
at it. For a stationary x of agent i with robust value W^x call d_x(s) = V(s) − min_c (x(s)ᵀ M_s)_c ≥ 0 its
*deficit*.

**Product of polytopes.** W^x ≤ V, and W^x is the fixed point of L_x v(s) = min_c (x(s)ᵀ M_s[v])_c, which is
monotone. So W^x(s) = L_x W^x(s) ≤ L_x V(s) = V(s) − d_x(s). On the other hand L_x V ≥ V − max d_x, hence
W^x ≥ V − max d_x / (1 − β_i). Together, in every state,

    d_x(s)  ≤  V(s) − W^x(s)  ≤  max_s' d_x(s') / (1 − β_i).

Hence x is a best response at every state if and only if d_x = 0, that is, x(s) ∈ X_s = {x ∈ Δ: xᵀ M_s ≥
V(s)} in every state, whatever it does in the others. X_s is the polytope of optimal strategies of the
matrix game M_s: not empty, compact, convex; its extreme points are found by `exact.matrix_games`. The check
takes vertices and convex combinations of them, chosen freely state by state, and policies at large for the
two inequalities.

**Closed graph.** Let x be a best response to π' and D_i the distance of policies, ω(v) the modulus of
`best_response_operator` at values v. Then at π, whose robust values are W and best-response values V,

    V^π − W^{π,x}  ≤  |V^π − V^π'| + |W^{π',x} − W^{π,x}|  ≤  ω(V^π) + ω(W^{π,x}).

If π^t → π, the right side tends to 0, so that a limit of best responses x^t has no deficit at π: the graph
is closed. The check walks to π from two sides in turn, at distances 2^-t, and follows the best responses
that the library returns, which may jump for ever; the limit of each side is a best response at π all the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, exact_array, exact_mixtures
from arneq_exact.exact.matrix_games import candidate_strategies
from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.policy import Policy
from arneq_exact.oracle.first_principles import Contest, contest, largest_row_sum, robust_value
from arneq_exact.theory.draw.families import mixture
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    BUDGET,
    DISCOUNTED,
    by_state,
    met,
    padded,
    policy_of,
    sizes,
    with_policies,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement
from arneq_exact.theory.statements.best_response_operator import (
    VALUE_ERROR,
    modulus,
    policy_distance,
    value_tolerance,
)

DRAWS = 2
"""Policies at large that are drawn for each agent."""

STEPS = (1, 2, 5, 10, 20, 21, 40, 41)
"""Distances 2^-t at which best responses are followed; odd t on one side, even t on the other."""

TIED = 1e-12
"""Mixtures that guarantee the same up to this, in sizes, count as vertices of one polytope; far below what
the tolerance allows for."""

SHORT = 10**6
"""Largest denominator of a value that is guessed to be a short rational."""


def optimal_vertices(faced: Contest, values: Numbers, slack: Any = 0) -> list[Numbers]:
    """Return the extreme points (N, A_i) of X_s for every state, worth up to `slack` less than the best."""
    found = []
    for state in range(len(values)):
        matrix = faced.stage(state, values)
        candidates = candidate_strategies(matrix)
        worth = (candidates @ matrix).min(axis=1)
        kept = candidates[worth >= worth.max() - slack]
        distinct: list[Numbers] = []
        for vertex in kept:
            if not any(
                np.allclose(vertex.astype(float), other.astype(float), atol=1e-9) for other in distinct
            ):
                distinct.append(vertex)
        found.append(np.stack(distinct))
    return found


def deficits(faced: Contest, own: Sequence[Numbers], values: Numbers) -> Numbers:
    """Return d_x (S,) of the mixtures `own`, one per state."""
    return np.array([values[s] - (x @ faced.stage(s, values)).min() for s, x in enumerate(own)])


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

    picks = [own[rng.integers(len(own))] for own in vertices]
    mixed = [weights(len(own)) @ own for own in vertices]
    comparisons = [
        equal(
            "worth of vertices of the polytopes, best-response value",
            robust_value(faced, picks),
            values,
            size,
        ),
        equal("worth of convex combinations, best-response value", robust_value(faced, mixed), values, size),
    ]
    for _ in range(DRAWS):
        own = [weights(paid.shape[0]) for paid in faced.paid]
        # In some states a best response, in others anything: what one state loses is lost there.
        own = [x if rng.random() < 0.5 else other for x, other in zip(own, mixed, strict=True)]
        lost = values - robust_value(faced, own)
        deficit = deficits(faced, own, values)
        comparisons += [
            at_most("deficit in the stage, loss of value there", deficit, lost, size),
            at_most("loss of value, largest deficit / (1 − β)", lost, deficit.max() / (1 - beta), size),
        ]
    return comparisons


def _responses(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat, rng, policy = instance.game, instance.threat, instance.rng(), policy_of(instance)
    comparisons: list[Comparison] = []
    counted = []
    for agent, size in enumerate(sizes(game)):
        values = best_response(game, threat, Policy(game, policy), agent).value
        faced = contest(game, threat, policy, agent)
        vertices = optimal_vertices(faced, values, TIED * size)
        comparisons += _set_comparisons(rng, faced, values, vertices, size, game.contraction[agent])
        chosen = padded(game, [mixture(rng, len(own)) @ own for own in vertices], agent)
        played = Policy(game, [chosen if j == agent else other for j, other in enumerate(policy)])
        judged = robust_values(game, threat, played)[agent]
        comparisons.append(equal("worth of a combination by the solvers", judged, values, size))
        counted.append([len(own) for own in vertices])
    return Findings(comparisons, hypotheses, value_tolerance(game), VALUE_ERROR, {"vertices": counted})


def _responses_exactly(instance: Instance) -> Findings:
    """Repeat the check in Fractions where the best-response value is a short rational."""
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat, rng = instance.game, instance.threat, instance.rng()
    policy = [exact_mixtures(array) for array in policy_of(instance)]
    comparisons: list[Comparison] = []
    counted = []
    rows = largest_row_sum(game)
    for agent in range(game.n_agents):
        floats = best_response(game, threat, Policy(game, policy_of(instance)), agent).value
        values = exact_array(
            np.array([exact_array(v).item().limit_denominator(SHORT) for v in floats], dtype=object)
        )
        faced = contest(game, threat, policy, agent, exact=True)
        vertices = optimal_vertices(faced, values)
        if any(
            (own @ faced.stage(s, values)).min(axis=1).max() != values[s] for s, own in enumerate(vertices)
        ):
            return Findings((), hypotheses, undecided="a best-response value is no short rational")
        comparisons += _set_comparisons(rng, faced, values, vertices, 1, faced.discount * rows)
        counted.append([len(own) for own in vertices])
    return Findings(comparisons, hypotheses, quantities={"vertices": counted})


def _graph(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
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
    return Findings(
        comparisons, hypotheses, value_tolerance(game), VALUE_ERROR, {"loss": losses, "last jump": jump}
    )


STATEMENTS = (
    Statement(
        id="T9.responses",
        title="Best responses are a product of polytopes",
        claim=(
            "A stationary policy is a best response at every state if and only if, state by state, it lies "
            "in the polytope of optimal strategies of the matrix game at the best-response value."
        ),
        hypotheses=(DISCOUNTED, BUDGET),
        source="arneq_exact.theory.statements.best_response_set; theory page, T9",
        status=UNDER_HYPOTHESES,
        examine=_responses,
        confirm=_responses_exactly,
        families=with_policies("policy"),
    ),
    Statement(
        id="T9.graph",
        title="The best-response correspondence has a closed graph",
        claim="A limit of best responses to π^t → π is a best response to π.",
        hypotheses=(DISCOUNTED, BUDGET),
        source="arneq_exact.theory.statements.best_response_set; theory page, T9",
        status=UNDER_HYPOTHESES,
        examine=_graph,
        families=with_policies("policy", "even side", "odd side"),
    ),
)
