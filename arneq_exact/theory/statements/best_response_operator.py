"""[T9] One agent's operator against its attacker contracts; its fixed point moves with π_{-i} by a modulus.

Fix π_{-i}. T_i v(s) = val M_i^{π(s)}[r_i + γ_i P v] is monotone, and a constant c ≥ 0 added to v adds
between γ_i c · (least row sum of P) and γ_i c · (largest row sum of P) = β_i c to it. Hence |T v − T v'| ≤
β_i |v − v'| in the largest norm, and T has one fixed point V_i^π, the best-response value.

**The modulus.** Let TV_j(s) = ½ |π_j(s) − π'_j(s)|_1 be the distance of two policies of agent j. Under an
attack on K, the agents j outside K ∪ {i} play independently, so the two distributions of their joint
actions are no farther apart in total variation than Σ_{j ∉ K∪i} TV_j(s) (change one agent at a time). An
expectation of Q moves by at most the distance times the spread max Q − min Q, and so does the value of a
matrix game when no entry moves by more. With Q = r_i + γ_i P v, spread_s its largest minus its least entry
in state s, and

    D_i(s) = max over columns of Σ_K ω(K) Σ_{j ∉ K∪i} TV_j(s)
           = the sum of the n−1−m largest TV_j(s), j ≠ i, for a budget k with m = min(k, n−1),

    |T^π v(s) − T^π' v(s)| ≤ spread_s(r_i + γ_i P v) D_i(s).

Put v = V^π' = T^π' V^π'. Then |V^π − V^π'| ≤ |T^π V^π − T^π V^π'| + |T^π V^π' − T^π' V^π'|, the first part
at most β_i |V^π − V^π'|, so that

    |V^π − V^π'| ≤ max_s spread_s(r_i + γ_i P V^π') D_i(s) / (1 − β_i)                       (the modulus)
                ≤ (max(r_i, 0) − min(r_i, 0)) / (1 − β_i)² · max_s D_i(s)                    (Lipschitz).

The second line holds since values lie between min(r_i, 0)/(1−β_i) and max(r_i, 0)/(1−β_i), and so do
backups of them. It is attained by an agent without choice, in one state, whom another's pure action pays or
not (k = 0): V differs by 1/(1−γ), and that is the modulus. Where agents decouple, D = 0: the value does not
depend on π_{-i}.

The robust value of a fixed π_i obeys the same modulus, with W in place of V: it is the fixed point of the
same matrices with min_c x^T M in place of their value.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from arneq_exact.exact.matrix_games import matrix_game
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.evaluate import best_response
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.first_principles import contest, reply_value, robust_value
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    BUDGET,
    DISCOUNTED,
    STAGE_ERROR,
    attack_by_state,
    by_state,
    draw_values,
    met,
    policy_of,
    same_columns,
    sizes,
    with_policies,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement

OPERATOR_ERROR = (
    "the library accepts a matrix game with a duality gap of 1e-10 of its payoff range, which is at most two "
    "sizes; two of them enter"
)
VALUE_ERROR = (
    "one step of T is known to 1e-10 of the payoff range, at most two sizes, and the fixed point of a "
    "contraction β to 1/(1−β) times that; two fixed points enter"
)


def value_tolerance(game: MarkovGame) -> float:
    """Return how far two computed fixed points may be off, in sizes; see `VALUE_ERROR`."""
    return 4 * STAGE_ERROR / (1 - float(game.contraction.max()))


def policy_distance(
    game: MarkovGame,
    threat: ThreatModel,
    agent: int,
    policy: Sequence[FloatArray],
    other: Sequence[FloatArray],
) -> FloatArray:
    """Return D_i (S,) of two policies under a budget, with a probability of corruption or not."""
    apart = [np.abs(one - two).sum(axis=1) / 2 for one, two in zip(policy, other, strict=True)]
    distances = -np.sort(
        -np.stack([apart[j] for j in range(len(apart)) if j != agent] or [0 * apart[agent]]), 0
    )
    free = game.n_agents - 1 - min(int(threat.k or 0), game.n_agents - 1)
    rho = float(Fraction(1 if threat.probability is None else threat.probability))
    result: FloatArray = (1 - rho) * distances.sum(axis=0) + rho * distances[:free].sum(axis=0)
    return result


def modulus(game: MarkovGame, agent: int, values: FloatArray, distance: FloatArray) -> float:
    """Return max_s spread_s(r_i + γ_i P v) D_i(s) / (1 − β_i) for values (S,) and D_i (S,)."""
    backed = game.rewards[:, agent] + game.discount[agent] * (game.transitions.toarray() @ values)
    first = game.offsets[:-1]
    spread = np.maximum.reduceat(backed, first) - np.minimum.reduceat(backed, first)
    return float((spread * distance).max() / (1 - game.contraction[agent]))


def lipschitz(game: MarkovGame, agent: int) -> float:
    """Return (max(r_i, 0) − min(r_i, 0)) / (1 − β_i)²."""
    paid = game.rewards[:, agent]
    return float((max(paid.max(), 0) - min(paid.min(), 0)) / (1 - game.contraction[agent]) ** 2)


def _contraction(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat, rng = instance.game, instance.threat, instance.rng()
    policy = policy_of(instance)
    one, two = draw_values(rng, game), draw_values(rng, game)
    row_sums = np.asarray(game.transitions.sum(axis=1))
    comparisons: list[Comparison] = []
    ratios = []
    for agent, size in enumerate(sizes(game)):
        attacked = AttackedAgent(game, threat, policy, agent)
        first, second = attacked.stage_value(one[agent]).value, attacked.stage_value(two[agent]).value
        apart = float(np.abs(one[agent] - two[agent]).max())
        moved = float(np.abs(first - second).max())
        comparisons.append(
            at_most(
                "distance of T v and T v', β times that of v and v'",
                moved,
                game.contraction[agent] * apart,
                size,
            )
        )
        ratios.append(moved / apart)
        faced = contest(game, threat, policy, agent)
        defined = [matrix_game(faced.stage(state, one[agent]))[0] for state in range(game.n_states)]
        comparisons.append(equal("T v by the solvers, by its definition", first, defined, size))
        shift = float(rng.uniform(0, size))
        raised = attacked.stage_value(one[agent] + shift).value - first
        bounds = game.discount[agent] * shift * row_sums
        comparisons.append(
            at_most("least discount of a constant, what it adds to T v", bounds.min(), raised, size)
        )
        comparisons.append(
            at_most("what a constant adds to T v, its largest discount", raised, bounds.max(), size)
        )
    return Findings(comparisons, hypotheses, 4 * STAGE_ERROR, OPERATOR_ERROR, {"ratio": ratios})


def _continuity(instance: Instance) -> Findings:
    hypotheses = met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat = instance.game, instance.threat
    policies = [policy_of(instance, name) for name in ("policy", "other")]
    comparisons: list[Comparison] = []
    used = []
    for agent, size in enumerate(sizes(game)):
        values = []
        for policy in policies:
            found = best_response(game, threat, Policy(game, policy), agent)
            faced = contest(game, threat, policy, agent)
            agree = same_columns(faced, found.attack)
            if agree.margin < 0:
                return Findings([agree], hypotheses)
            held = robust_value(faced, by_state(game, found.policy, agent))
            attack = attack_by_state(faced, found.attack)
            comparisons += [
                equal("best-response value, what its strategy guarantees", found.value, held, size),
                equal(
                    "best-response value, what its attack allows",
                    found.value,
                    reply_value(faced, attack),
                    size,
                ),
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
    return Findings(
        comparisons, hypotheses, value_tolerance(game), VALUE_ERROR, {"share of the modulus": used}
    )


STATEMENTS = (
    Statement(
        id="T9.contraction",
        title="The best-response operator contracts",
        claim="For fixed π_{-i}, T_i v = val M_i^π[r_i + γ_i P v] is a contraction with modulus β_i.",
        hypotheses=(DISCOUNTED, BUDGET),
        source="theory page, T9; Shapley (1953), PNAS 39, 1095–1100",
        status=UNDER_HYPOTHESES,
        examine=_contraction,
        families=with_policies("policy"),
    ),
    Statement(
        id="T9.continuity",
        title="The best-response value is Lipschitz in the others' policy",
        claim=(
            "Two policies of the others that are D_i apart give best-response values that are at most "
            "max_s spread_s D_i(s) / (1 − β_i) apart."
        ),
        hypotheses=(DISCOUNTED, BUDGET),
        source="arneq_exact.theory.statements.best_response_operator; theory page, T9",
        status=UNDER_HYPOTHESES,
        examine=_continuity,
        families=with_policies("policy", "other"),
    ),
)
