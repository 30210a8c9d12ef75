"""[T10] General threats: columns are vertices of Ω_i with actions; committed and informed attackers.

The least value over Ω_i and over what corrupted agents play is reached at a vertex of Ω_i with pure
actions: one per agent that the vertex may corrupt if the attacker commits before K is drawn, one per set
and member if it is informed. Every set of positive probability counts, the empty one included, so that the
reduction to |K| = m is not valid here. An informed attacker does no less harm. For the full simplex it does
no more: a vertex is then a single set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import WAYS, drawn_omega, fixed_law
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import (
    FULL_SIMPLEX,
    NO_MASKS,
    Stage,
    has_full_simplex,
    kernel_matrix,
    stages,
    summed,
)
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, PROVED, Hypothesis, Statement
from arneq_exact.theory.statements.pure_attacks import mixed_attacks

AT_MOST = Hypothesis("at most", "The attacker may corrupt with any probability up to ρ.")


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


def _columns(instance: Instance) -> Findings:
    """The solvers' columns reach the least value over vertices; attacks that mix do not go below it."""
    rng, threat = instance.rng(), instance.threat
    least, sizes = _per_agent(
        instance, False, lambda stage, agent: _least(instance, stage, agent, threat.informed)
    )
    kernel, _ = _per_agent(instance, False, lambda stage, agent: _solver_least(stage, threat, agent))
    drawn, _ = _per_agent(
        instance,
        False,
        lambda stage, agent: (stage.play[agent] @ mixed_attacks(rng, stage, threat, agent)).min(),
    )
    comparisons = [
        equal("least over the solver's columns, over vertices and actions", kernel, least, sizes),
        at_most("least over vertices and actions, a mixed attack", least, drawn, sizes),
    ]
    return summed(instance, {}, comparisons, False)


def _harm(instance: Instance, exact: bool) -> Findings:
    """An informed attacker leaves no more than a committed one."""
    committed, sizes = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, False))
    informed, _ = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, True))
    comparison = at_most("least against an informed attacker, a committed one", informed, committed, sizes)
    return summed(instance, {}, [comparison], exact)


def _agreement(instance: Instance, exact: bool) -> Findings:
    """Under the full simplex the two attackers leave the same; so do the solvers' columns of both."""
    hypotheses: dict[str, bool | None] = {FULL_SIMPLEX.name: has_full_simplex(instance.threat)}
    committed, sizes = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, False))
    informed, _ = _per_agent(instance, exact, lambda stage, agent: _least(instance, stage, agent, True))
    comparisons = [equal("least against a committed attacker, an informed one", committed, informed, sizes)]
    if not exact:
        knowing = replace(instance.threat, informed=True)
        kernel, _ = _per_agent(instance, False, lambda stage, agent: _solver_least(stage, knowing, agent))
        comparisons.append(
            equal("least over the solver's columns, informed, committed", kernel, committed, sizes)
        )
    return summed(instance, hypotheses, comparisons, exact)


def _probability(instance: Instance, exact: bool) -> Findings:
    """An attacker that may corrupt with probability at most ρ loses nothing by using all of ρ."""
    threat, rng = instance.threat, instance.rng()
    hypotheses: dict[str, bool | None] = {
        NO_MASKS.name: threat.masks is None,
        AT_MOST.name: threat.probability is not None,
    }
    if threat.probability is None or threat.k is None:
        return Findings(hypotheses=hypotheses, undecided="there is no probability ρ with a budget k")
    rho = Fraction(threat.probability)

    def at(share: Fraction) -> Callable[[Stage, int], Any]:
        """The least value over attacks that corrupt with exactly this probability."""

        def value(stage: Stage, agent: int) -> Any:
            columns = [
                definition.column(
                    stage.payoffs[agent],
                    stage.play,
                    agent,
                    definition.Attack({**_spared(1 - share), K: share}, {(): {}, K: attack.forced[K]}),
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
    return summed(instance, hypotheses, comparisons, exact)


def _spared(probability: Fraction) -> dict[tuple[int, ...], Fraction]:
    return {(): probability} if probability else {}


def draw_general(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a stage game under a probability, a fixed distribution, listed sets or inequalities."""
    n = int(rng.integers(2, 4))
    game = families.stage_game(rng, kind, families.action_counts(rng, n, 3 if n == 2 else 2))
    informed = bool(rng.random() < 0.4)
    return Instance(game, drawn_omega(rng, n, WAYS[int(rng.integers(4))], informed))


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
        id="T10",
        title="Vertices and pure actions suffice",
        claim="No attack in Ω_i does more harm than some vertex of Ω_i with pure actions.",
        hypotheses=(),
        source="theory page, T10: linear in ω, multilinear in what is played",
        status=PROVED,
        examine=_columns,
        families=families.by_kind(draw_general),
    ),
    Statement(
        id="T10.harm",
        title="An informed attacker does no less harm",
        claim="An attacker who knows which set is drawn leaves no more than one who commits before.",
        hypotheses=(),
        source="theory page, T10",
        status=PROVED,
        examine=lambda instance: _harm(instance, False),
        confirm=lambda instance: _harm(instance, True),
        families=families.by_kind(draw_general),
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
)
