"""[T12] The bound of a certificate: never below the gap, equal to it with the best evidence, and why β.

Under any threat, its columns in place of C_i [T10]. For agent i let y(s) be a mixture of attacks and u, l two
vectors; with M_s[v] = M_i^{π(s)}[r_i + γ_i P v]

    δU = max_s (max_a (M_s[u] y(s))_a − u(s))₊,        δL = max_s (l(s) − min_c (π_i(s)ᵀ M_s[l])_c)₊,
    gap_i(s) ≤ ε_i = max_s (u(s) − l(s)) + (δU + δL) / (1 − β_i),     β_i = γ_i · (largest exact row sum).

**Soundness** is put to the test with evidence of every quality, from random numbers to the best there is.
The formula is evaluated here in Fractions, column by column from the definitions; the gap is bounded from
below by what one deviation gains, both of its values solved exactly as decision processes. All comparisons
are between rational numbers, without tolerance: the deviation's gain, the formula, the ε of the library's
integers, and that of its doubles with rigorous rounding.

**Tightness.** With y from the linear program at the best-response value u, and l the robust value of π,
both residuals vanish and ε = max gap. The library's evidence is in doubles, so equality holds up to their
error.

**Why β.** With 1 − γ_i in place of 1 − β_i the bound is unsound as soon as rows of P may sum to more than
1, which rows of doubles do. One agent stays in one state and may earn 1 by its second action, but plays the
first. With u = l = 0, δU = 1, and what it misses is 1/(1 − β), more than 1/(1 − γ).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, exact_array
from arneq_exact.markov.candidates import Bounds
from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import Contest, best_value, contest, largest_row_sum, robust_value
from arneq_exact.oracle.solver_columns import solver_attacks, strangers
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import evaluate_float
from arneq_exact.proof.columns import column_counts
from arneq_exact.solver.seal import certify, on_grid
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import under_any_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    DISCOUNTED,
    VALUE_ERROR,
    attack_by_state,
    by_state,
    draw_budget,
    draw_game,
    draw_values,
    policy_of,
    sizes,
    value_tolerance,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import PER_STATE
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement

ROWS = Hypothesis(
    "rows",
    "No row of transition probabilities sums to more than 1.",
    lambda instance: largest_row_sum(instance.game) <= 1,
)

DYADIC = ("sparse", "integer", "degenerate", "near-degenerate")
"""Classes of games whose rows of doubles sum to exactly 1."""

SHORTENING = Fraction(1, 2**1198)
"""The library rounds up numbers of more than 1200 binary places, two of them at most."""

EXCESS = 1 + 2.0**-30
"""What rows are multiplied by to sum to more than 1: below the 1e-9 that a game may miss."""


def bound(
    faced: Contest,
    own: Sequence[Numbers],
    attack: Sequence[Numbers],
    upper: Numbers,
    lower: Numbers,
    modulus: Any,
) -> Any:
    """Return ε_i by the formula, for mixtures `own` and `attack` by state, and u and l (S,)."""
    states = range(len(own))
    high = [(faced.stage(s, upper) @ (attack[s] / attack[s].sum())).max() - upper[s] for s in states]
    low = [lower[s] - (own[s] @ faced.stage(s, lower)).min() for s in states]
    zero = 0 * upper[0]
    return (upper - lower).max() + (max(zero, *high) + max(zero, *low)) / (1 - modulus)


def gain(game: MarkovGame, threat: ThreatModel, policy: Policy, faced: Contest) -> Fraction:
    """Return what one good deviation gains at the best state: a lower bound of the gap, exact and near it."""
    agent = faced.agent
    deviation = exact_array(best_response(game, threat, policy, agent).policy)
    moved = [row / row.sum() for row in by_state(game, deviation, agent)]
    own = by_state(game, exact_array(policy[agent]), agent)
    return Fraction((robust_value(faced, moved) - robust_value(faced, own)).max())


def _evidence(instance: Instance, policy: Policy, listed: Sequence[Contest]) -> Bounds:
    """Draw y (S, max C) per agent, u and l (n, S): the best there is, or off by little or by much."""
    game, threat, rng = instance.game, instance.threat, instance.rng()
    off = float(rng.choice([0.0, 1e-6, 0.1, 1.0]))
    attack, upper = [], []
    for one in listed:
        best = best_response(game, threat, policy, one.agent)
        table = (1 - off) * best.attack
        for row, columns in zip(table, one.attacks, strict=True):
            row[: len(columns)] += off * families.mixture(rng, len(columns))
        attack.append(table)
        upper.append(best.value)
    lower = robust_values(game, threat, policy)
    return Bounds(
        tuple(attack), np.stack(upper) + off * draw_values(rng, game), lower + off * draw_values(rng, game)
    )


def _columns(instance: Instance, listed: Contest, faced: Contest) -> list[Comparison]:
    """Hold the checker's columns against the attacks that the definition lists."""
    counted = column_counts(instance.game, instance.threat, faced.agent)
    return [
        equal(
            "attacks of the columns, columns of the checker", [len(own) for own in listed.attacks], counted
        ),
        equal("columns that no attack allows, none", Fraction(strangers(listed, faced)), 0),
    ]


def _claims(instance: Instance, policy: Policy, evidence: Bounds) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return ε by the library's integers and by its doubles, for evidence of any quality."""
    game = instance.game
    draft = Certificate(
        game=game.content_hash,
        threat=instance.threat,
        policy=tuple(policy),
        attacker=evidence.attack,
        upper=evidence.upper,
        lower=evidence.lower,
        epsilon=(Fraction(0),) * game.n_agents,
        arithmetic="exact",
    )
    return evaluate_exact(game, draft)[0], evaluate_float(game, draft)[0]


def _soundness(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    policy = on_grid(game, Policy(game, policy_of(instance)))
    exact = [exact_array(array) for array in policy]
    agents = range(game.n_agents)
    faced = [contest(game, threat, exact, agent, exact=True) for agent in agents]
    listed = [contest(game, threat, exact, agent, exact=True, attacks=solver_attacks) for agent in agents]
    columns = [one for agent in agents for one in _columns(instance, listed[agent], faced[agent])]
    if any(comparison.margin < 0 for comparison in columns):
        return Findings(columns)
    evidence = _evidence(instance, policy, listed)
    by_integers, by_doubles = _claims(instance, policy, evidence)
    rows, units = largest_row_sum(game), exact_array(sizes(game))
    comparisons: list[Comparison] = []
    slack = []
    for agent, one in enumerate(listed):
        attack = attack_by_state(one, exact_array(evidence.attack[agent]))
        own = by_state(game, exact[agent], agent)
        hints = (exact_array(evidence.upper[agent]), exact_array(evidence.lower[agent]))
        formula = bound(one, own, attack, *hints, one.discount * rows)
        gained = gain(game, threat, policy, faced[agent])
        unit = units[agent]
        comparisons += [
            at_most("what a deviation gains, the formula", gained, formula, unit),
            at_most("the formula, ε by integers", formula, by_integers[agent], unit),
            at_most("ε by integers, the formula rounded up", by_integers[agent], formula + SHORTENING, unit),
            at_most("ε by integers, ε by doubles", by_integers[agent], by_doubles[agent], unit),
        ]
        slack.append(formula - gained)
    return Findings(comparisons, quantities={"formula minus gain": slack})


def _tightness(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    certificate = certify(game, threat, Policy(game, policy_of(instance)))
    policy = Policy(game, [np.asarray(array, dtype=float) for array in certificate.policy])
    comparisons: list[Comparison] = []
    for agent, (proved, unit) in enumerate(zip(certificate.epsilon, exact_array(sizes(game)), strict=True)):
        faced = contest(game, threat, list(policy), agent, exact=True)
        gained = gain(game, threat, policy, faced)
        in_doubles = contest(game, threat, list(policy), agent)
        most = float((best_value(in_doubles)[0] - robust_value(in_doubles)).max())
        comparisons += [
            equal("proved ε, what a deviation gains", proved, gained, unit),
            equal("proved ε, gap by definition", float(proved), most, float(unit)),
        ]
    reason = f"evidence is in doubles: {VALUE_ERROR}; u, l and both values of the gap enter"
    return Findings(comparisons, 2 * value_tolerance(game), reason)


def _plain_discount(instance: Instance) -> Findings:
    """Evaluate the bound with 1 − γ in place of 1 − β, in Fractions; y is even, u = l = 0 if not given."""
    game, threat = instance.game, instance.threat
    if (game.discount == 1).any():
        return Findings(undecided="1 − γ is 0: the bound says nothing")
    policy = on_grid(game, Policy(game, policy_of(instance)))
    exact = [exact_array(array) for array in policy]
    nothing = np.zeros((game.n_agents, game.n_states))
    upper, lower = (exact_array(instance.extras.get(name, nothing)) for name in ("upper", "lower"))
    comparisons: list[Comparison] = []
    for agent in range(game.n_agents):
        one = contest(game, threat, exact, agent, exact=True)
        attack = [exact_array([1] * len(columns)) for columns in one.attacks]
        own = by_state(game, exact[agent], agent)
        formula = bound(one, own, attack, upper[agent], lower[agent], one.discount)
        comparisons.append(at_most("what a deviation gains, bound", gain(game, threat, policy, one), formula))
    return Findings(comparisons)


def _draw_dyadic(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a game whose rows sum to exactly 1, with or without evidence."""
    game = draw_game(rng, kind, most_agents=2, most_states=2)
    extras = {"upper": draw_values(rng, game), "lower": draw_values(rng, game)} if rng.random() < 0.5 else {}
    return Instance(game, ThreatModel(int(rng.integers(0, game.n_agents))), extras)


def with_excess(game: MarkovGame) -> MarkovGame:
    """Return a game whose rows sum to slightly more than those of `game`."""
    return replace(game, transitions=game.transitions * EXCESS, exact=None)


def _draw_above_one(rng: np.random.Generator) -> Instance:
    game = with_excess(draw_game(rng, str(rng.choice(DYADIC)), most_states=2))
    policy = tuple(families.random_policy(rng, game))
    return Instance(game, draw_budget(rng, game.n_agents), {"policy": policy})


def _draw_excess(rng: np.random.Generator, drop: str) -> Instance:
    """Draw a game whose rows sum to slightly more than 1, for the search."""
    kind = str(rng.choice(DYADIC))
    game = draw_game(rng, kind, most_agents=2, most_states=2)
    return Instance(with_excess(game), ThreatModel(0), {}, 0, kind)


STATEMENTS = (
    Statement(
        id="T12.soundness",
        title="The bound of a certificate holds, whatever its evidence",
        claim="No agent gains more than ε_i by any deviation, however wrong y, u and l are.",
        hypotheses=(DISCOUNTED, PER_STATE),
        source="theory page, T12",
        status=UNDER_HYPOTHESES,
        examine=_soundness,
        families={**under_any_threat("policy", most_states=2), "rows above 1": _draw_above_one},
    ),
    Statement(
        id="T12.tightness",
        title="The bound of a certificate is the gap, with the best evidence",
        claim=(
            "If y comes from the linear program at the best-response value u and l is the robust value, "
            "ε_i = max_s gap_i(s)."
        ),
        hypotheses=(DISCOUNTED, PER_STATE),
        source="theory page, T12",
        status=UNDER_HYPOTHESES,
        examine=_tightness,
        families=under_any_threat("policy", most_states=2),
    ),
    Statement(
        id="T12.discount",
        title="The bound with the discount in place of the modulus",
        claim="No agent gains more than max (u − l) + (δU + δL) / (1 − γ_i).",
        hypotheses=(DISCOUNTED, PER_STATE, ROWS),
        source="theory page, T12",
        status=FALSE_WITHOUT + ROWS.name,
        examine=_plain_discount,
        confirm=_plain_discount,
        families=families.by_kind(_draw_dyadic, DYADIC),
        candidates=_draw_excess,
    ),
)
