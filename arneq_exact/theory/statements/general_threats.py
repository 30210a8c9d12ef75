"""[T10] General threats: columns are vertices of Ω_i with actions; committed and informed attackers.

The least value over Ω_i and over what corrupted agents play is reached at a vertex of Ω_i with pure actions
([T1], which is asked of any threat): one per agent that the vertex may corrupt if the attacker commits before
K is drawn, one per set and member if it is informed. Every set of positive probability counts, the empty one
included, so that the reduction to |K| = m is not valid here. An informed attacker does no less harm. For the
full simplex it does no more: a vertex is then a single set. The columns (vertex, what is played) take the
place of C_i in the linear program [T2], in the best-response operator [T9] and in the certificate [T12],
whose statements are of any threat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.contest import best_value, contest, robust_value
from arneq_exact.oracle.definition import Array, pure_attacks
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import fixed_law, stage_under_threat, under_any_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import DISCOUNTED, VALUE_ERROR, policy_of, sizes, value_tolerance
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import (
    FULL_SIMPLEX,
    NO_MASKS,
    PER_STATE,
    Stage,
    kernel_matrix,
    stages,
    summed,
)
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, PROVED, UNDER_HYPOTHESES, Hypothesis, Statement

AT_MOST = Hypothesis(
    "at most",
    "The attacker may corrupt with any probability up to ρ.",
    lambda instance: instance.threat.probability is not None,
)


def _per_agent(
    instance: Instance, exact: bool, side: Callable[[Stage, int], Any]
) -> tuple[list[Any], list[Any]]:
    """Return `side` for every stage and agent, and the units."""
    values, sizes = [], []
    for stage in stages(instance, exact):
        for agent in range(stage.n):
            values.append(side(stage, agent))
            sizes.append(stage.size(agent))
    return values, sizes


def _least(instance: Instance, stage: Stage, agent: int, informed: bool) -> Any:
    """Return the least value over all pure attacks, written out."""
    table = definition.matrix(
        stage.payoffs[agent], stage.play, agent, instance.threat, stage.state, informed=informed
    )
    return stage.play[agent].dot(table).min()


def _solver_least(stage: Stage, threat: ThreatModel, agent: int) -> float:
    """Return the least value over the solver's columns."""
    built = kernel_matrix(stage.payoffs[agent], stage.play, threat, agent, stage.state)
    return float((stage.play[agent] @ built).min())


def _harm(instance: Instance, exact: bool) -> Findings:
    """An informed attacker leaves no more than a committed one."""
    committed, sizes = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, False))
    informed, _ = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, True))
    comparison = at_most("least against an informed attacker, a committed one", informed, committed, sizes)
    return summed(instance, [comparison], exact)


def _agreement(instance: Instance, exact: bool) -> Findings:
    """Under the full simplex the two attackers leave the same; so do the solvers' columns of both."""
    committed, sizes = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, False))
    informed, _ = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, True))
    comparisons = [equal("least against a committed attacker, an informed one", committed, informed, sizes)]
    if not exact:
        knowing = replace(instance.threat, informed=True)
        kernel, _ = _per_agent(instance, False, lambda stage, agent: _solver_least(stage, knowing, agent))
        comparisons.append(
            equal("least over the solver's columns, informed, committed", kernel, committed, sizes)
        )
    return summed(instance, comparisons, exact)


def _probability(instance: Instance, exact: bool) -> Findings:
    """An attacker that may corrupt with probability at most ρ loses nothing by using all of ρ."""
    threat, rng = instance.threat, instance.rng()
    if threat.probability is None or threat.k is None:
        return Findings(undecided="there is no probability ρ with a budget k")
    rho = Fraction(threat.probability)

    def at(share: Fraction) -> Callable[[Stage, int], Any]:
        """The least value over attacks that corrupt with exactly this probability."""

        def value(stage: Stage, agent: int) -> Any:
            columns = [
                definition.column(
                    stage.payoffs[agent],
                    stage.play,
                    agent,
                    definition.PureAttack({**_spared(1 - share), K: share}, {(): {}, K: attack.forced[K]}),
                )
                for attack in definition.pure_attacks(
                    ThreatModel(threat.k, masks=threat.masks), stage.counts, agent, stage.state
                )
                for K in attack.law
                if K
            ]
            nobody: Array = definition.reply_values(stage.payoffs[agent], agent, stage.play)
            return min(stage.play[agent].dot(column) for column in columns or [nobody])

        return value

    share = rho * Fraction(int(rng.integers(0, 8)), 8)
    full, sizes = _per_agent(instance, exact, at(rho))
    less, _ = _per_agent(instance, exact, at(share))
    comparisons = [at_most("least with all of ρ, with less", full, less, sizes)]
    if not exact:
        kernel, _ = _per_agent(instance, False, lambda stage, agent: _solver_least(stage, threat, agent))
        comparisons.append(equal("least over the solver's columns, with all of ρ", kernel, full, sizes))
    return summed(instance, comparisons, exact)


def _spared(probability: Fraction) -> dict[tuple[int, ...], Fraction]:
    return {(): probability} if probability else {}


def _values(instance: Instance) -> Findings:
    """Values of a drawn policy and best responses, by the solvers and with every pure attack written out."""
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    own = robust_values(game, threat, Policy(game, policy))
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(sizes(game)):
        faced = contest(game, threat, policy, agent, attacks=pure_attacks)
        best = best_response(game, threat, Policy(game, policy), agent).value
        comparisons += [
            equal("robust value by the solvers, by definition", own[agent], robust_value(faced), unit),
            equal("best response by the solvers, by definition", best, best_value(faced)[0], unit),
        ]
    return Findings(comparisons, value_tolerance(game), VALUE_ERROR)


def _draw_budget(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(2, 5))
    counts = families.action_counts(rng, n, 3 if n < 4 else 2)
    return Instance(families.stage_game(rng, kind, counts), ThreatModel(int(rng.integers(0, n + 1))))


def _draw_probability(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(2, 4))
    game = families.stage_game(rng, kind, families.action_counts(rng, n))
    rho = Fraction(int(rng.integers(1, 8)), 8)
    return Instance(game, ThreatModel(int(rng.integers(1, n)), probability=rho))


def _draw_law(rng: np.random.Generator, drop: str) -> Instance:
    """Three agents, two actions, small integers, a fixed distribution in which agents share sets."""
    game = families.stage_game(rng, "integer", (2, 2, 2))
    return Instance(game, ThreatModel(distribution={agent: fixed_law(rng, 3, agent) for agent in range(3)}))


def _draw_masked_probability(rng: np.random.Generator, drop: str) -> Instance:
    """A probability, where corrupted agents may be unable to do harm."""
    drawn = _draw_probability(rng, "integer")
    masks = {j: {0: [0]} for j in range(drawn.game.n_agents)}
    return Instance(
        drawn.game, ThreatModel(drawn.threat.k, probability=drawn.threat.probability, masks=masks)
    )


STATEMENTS = (
    Statement(
        id="T10.harm",
        title="An informed attacker does no less harm",
        claim="An attacker who knows which set is drawn leaves no more than one who commits before.",
        hypotheses=(),
        source="theory page, T10",
        status=PROVED,
        examine=lambda instance: _harm(instance, False),
        confirm=lambda instance: _harm(instance, True),
        families=families.by_kind(stage_under_threat),
    ),
    Statement(
        id="T10.informed",
        title="Committed and informed attackers agree",
        claim="An attacker who knows which set is drawn does as much harm as one who commits before.",
        hypotheses=(FULL_SIMPLEX,),
        source="theory page, T10: a vertex of the full simplex is a single set",
        status=FALSE_WITHOUT + FULL_SIMPLEX.name,
        examine=lambda instance: _agreement(instance, False),
        confirm=lambda instance: _agreement(instance, True),
        families=families.by_kind(_draw_budget),
        candidates=_draw_law,
    ),
    Statement(
        id="T10.probability",
        title="Using all of the probability is optimal",
        claim="An attacker who may corrupt with probability at most ρ does most harm with all of ρ.",
        hypotheses=(NO_MASKS, AT_MOST),
        source="theory page, T10: corrupted agents may imitate their policy",
        status=FALSE_WITHOUT + NO_MASKS.name,
        examine=lambda instance: _probability(instance, False),
        confirm=lambda instance: _probability(instance, True),
        families=families.by_kind(_draw_probability),
        candidates=_draw_masked_probability,
    ),
    Statement(
        id="T10.values",
        title="Robust values and best responses under any threat",
        claim="With columns (extreme point of Ω_i, what is played) values and best responses are those of "
        "[T2] and [T9].",
        hypotheses=(DISCOUNTED, PER_STATE),
        source="theory page, T10",
        status=UNDER_HYPOTHESES,
        examine=_values,
        families=under_any_threat("policy", most_states=2),
    ),
)
