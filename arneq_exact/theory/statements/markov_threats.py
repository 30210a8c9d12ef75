"""[T10] on Markov games: values, best responses, certificates under any Ω_i, masks, informed attackers.

The columns (extreme point of Ω_i, what is played) take the place of C_i in the linear program [T2], in the
best-response operator [T9] and in the certificate [T12]. Here every pure attack is written out, superfluous
ones included, in every state (`oracle.contest` with `pure_attacks`).

*Values.* The robust value of a drawn policy and the best-response value, by policy iteration and strategy
improvement on these tables, are those of the library.

*Certificates.* With evidence of any quality the ε of the library's integers, and that of its doubles, are no
less than what a deviation gains, whose two values are computed in Fractions. With its best evidence ε is no
more than that either.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from arneq_exact.exact.arrays import exact_array
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.policy import Policy
from arneq_exact.oracle.contest import best_value, contest, robust_value
from arneq_exact.oracle.definition import pure_attacks
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import evaluate_float
from arneq_exact.proof.columns import column_counts
from arneq_exact.solver.seal import certify, on_grid
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import CLASSES, under_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    DISCOUNTED,
    VALUE_ERROR,
    by_state,
    draw_values,
    policy_of,
    sizes,
    value_tolerance,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import PER_STATE
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement
from arneq_exact.theory.statements.certificate_bound import gain


def _met(instance: Instance) -> dict[str, bool | None]:
    return {
        DISCOUNTED.name: bool((instance.game.contraction < 1).all()),
        PER_STATE.name: instance.threat.timing == "per-state",
    }


def _values(instance: Instance) -> Findings:
    hypotheses = _met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    own = robust_values(game, threat, Policy(game, policy))
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(sizes(game)):
        faced = contest(game, threat, policy, agent, attacks=pure_attacks)
        worth = robust_value(faced, by_state(game, policy[agent], agent))
        best = best_response(game, threat, Policy(game, policy), agent).value
        comparisons += [
            equal("robust value by the solvers, by definition", own[agent], worth, unit),
            equal("best response by the solvers, by definition", best, best_value(faced)[0], unit),
        ]
    return Findings(comparisons, hypotheses, value_tolerance(game), VALUE_ERROR)


def _blurred(instance: Instance, policy: Policy) -> tuple[list[FloatArray], FloatArray, FloatArray]:
    """Return y (S, max C) per agent, u and l (n, S): the best there is, off by little, or off by much."""
    game, threat, rng = instance.game, instance.threat, instance.rng()
    off = float(rng.choice([0.0, 1e-6, 0.1, 1.0]))
    attack, upper = [], []
    for agent in range(game.n_agents):
        best = best_response(game, threat, policy, agent)
        table = (1 - off) * best.attack
        for row, count in zip(table, column_counts(game, threat, agent).tolist(), strict=True):
            row[:count] += off * families.mixture(rng, count)
        attack.append(table)
        upper.append(best.value)
    lower = robust_values(game, threat, policy)
    return attack, np.stack(upper) + off * draw_values(rng, game), lower + off * draw_values(rng, game)


def _certificate(instance: Instance) -> Findings:
    hypotheses = _met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat = instance.game, instance.threat
    policy = on_grid(game, Policy(game, policy_of(instance)))
    attack, upper, lower = _blurred(instance, policy)
    draft = Certificate(
        game=game.content_hash,
        threat=threat,
        policy=tuple(policy),
        attacker=tuple(attack),
        upper=upper,
        lower=lower,
        epsilon=(Fraction(0),) * game.n_agents,
        arithmetic="exact",
    )
    by_integers, by_doubles = evaluate_exact(game, draft)[0], evaluate_float(game, draft)[0]
    exact = [exact_array(array) for array in policy]
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(exact_array(sizes(game))):
        faced = contest(game, threat, exact, agent, exact=True, attacks=pure_attacks)
        gained = gain(game, threat, policy, faced)
        comparisons += [
            at_most("what a deviation gains, ε by integers", gained, by_integers[agent], unit),
            at_most("ε by integers, ε by doubles", by_integers[agent], by_doubles[agent], unit),
        ]
    return Findings(comparisons, hypotheses)


def _tightness(instance: Instance) -> Findings:
    hypotheses = _met(instance)
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    game, threat = instance.game, instance.threat
    certificate = certify(game, threat, Policy(game, policy_of(instance)))
    policy = [np.asarray(array, dtype=float) for array in certificate.policy]
    comparisons = []
    for agent, (proved, unit) in enumerate(zip(certificate.epsilon, sizes(game), strict=True)):
        faced = contest(game, threat, policy, agent, attacks=pure_attacks)
        own = robust_value(faced, by_state(game, policy[agent], agent))
        most = float((best_value(faced)[0] - own).max())
        comparisons.append(equal("proved ε, gap by definition", float(proved), most, unit))
    reason = f"evidence is in doubles: {VALUE_ERROR}; u, l and both values of the gap enter"
    return Findings(comparisons, hypotheses, 2 * value_tolerance(game), reason)


_FAMILIES: dict[str, Callable[[np.random.Generator], Instance]] = dict(
    families.by_kind(lambda rng, case: under_threat(rng, case, "policy"), CLASSES)
)
_SOURCE = "arneq_exact.theory.statements.markov_threats; theory page, T10"

STATEMENTS = (
    Statement(
        id="T10.values",
        title="Robust values and best responses under general threats",
        claim="With columns (extreme point of Ω_i, what is played) values and best responses are those of "
        "[T2] and [T9].",
        hypotheses=(DISCOUNTED, PER_STATE),
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_values,
        families=_FAMILIES,
    ),
    Statement(
        id="T10.certificate",
        title="The bound of a certificate holds under general threats",
        claim="No deviation gains more than ε_i, with columns of extreme points in place of C_i.",
        hypotheses=(DISCOUNTED, PER_STATE),
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_certificate,
        families=_FAMILIES,
    ),
    Statement(
        id="T10.tightness",
        title="The bound of a certificate is the gap under general threats",
        claim="With the best evidence ε_i = max_s gap_i(s), with columns of extreme points in place of C_i.",
        hypotheses=(DISCOUNTED, PER_STATE),
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_tightness,
        families=_FAMILIES,
    ),
)
