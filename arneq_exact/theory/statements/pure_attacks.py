"""[T1] Pure attacks suffice, and the largest sets alone.

What attacker i minimises is linear in ω_i and multilinear in the π̂^i_j, so the least value over all mixed
attacks is reached at a vertex of Ω_i with pure actions, under any threat [T10]; for a budget, at a pure K
with pure a_K. A smaller K is a larger K whose further agents imitate π, so the sets of size m = min(k, n−1)
suffice. The last step fails under action masks, where agents cannot imitate.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array, PureAttack
from arneq_exact.oracle.pure_play import largest_sets
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import stage_under_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import (
    FULL_SIMPLEX,
    NO_MASKS,
    Stage,
    kernel_matrix,
    rational_mixture,
    stages,
    summed,
)
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, PROVED, Statement

DRAWS = 6
"""Mixed attacks drawn for every agent in every state."""


def mixed_attacks(
    rng: np.random.Generator, stage: Stage, threat: ThreatModel, agent: int, exact: bool = False
) -> Array:
    """Return what the agent's actions earn under drawn mixed attacks (A_i, DRAWS): ω in Ω_i, product π̂."""
    laws = definition.vertices(threat, stage.n, agent)
    masks = threat.masks or {}
    columns = []
    for _ in range(DRAWS):
        law: dict[tuple[int, ...], Any] = {}
        for share, vertex in zip(rational_mixture(rng, len(laws)), laws, strict=True):
            for K, weight in vertex.items():
                law[K] = law.get(K, Fraction(0)) + share * weight
        played = {}
        for j, count in enumerate(stage.counts):
            allowed = list(masks.get(j, {}).get(stage.state, range(count)))
            whole = np.array([Fraction(0)] * count, dtype=object)
            whole[allowed] = rational_mixture(rng, len(allowed))
            played[j] = whole if exact else whole.astype(np.float64)
        weights = {K: p if exact else float(p) for K, p in law.items() if p}
        forced = {K: {j: played[j] for j in K} for K in weights}
        columns.append(definition.mixed_column(stage.payoffs[agent], stage.play, agent, weights, forced))
    return np.stack(columns, axis=1)


def largest_set_columns(stage: Stage, threat: ThreatModel, agent: int) -> Array:
    """Return what the agent's actions earn under each pure attack on a set of size m that masks allow."""
    masks = threat.masks or {}
    columns = []
    assert threat.k is not None
    for K in largest_sets(stage.n, agent, threat.k):
        choices = [masks.get(j, {}).get(stage.state, range(stage.counts[j])) for j in K]
        for actions in product(*choices):
            attack = PureAttack({K: Fraction(1)}, {K: dict(zip(K, actions, strict=True))})
            columns.append(definition.column(stage.payoffs[agent], stage.play, agent, attack))
    return np.stack(columns, axis=1)


def _contests(instance: Instance, exact: bool) -> list[tuple[Stage, int, Any, Any]]:
    """Every stage and agent, with the largest payoff and the least value over all pure attacks."""
    found = []
    for stage in stages(instance, exact):
        for agent in range(stage.n):
            columns = definition.matrix(stage.payoffs[agent], stage.play, agent, instance.threat, stage.state)
            found.append((stage, agent, stage.size(agent), stage.play[agent].dot(columns).min()))
    return found


def _mixed(instance: Instance, exact: bool) -> Findings:
    """Mixed attacks leave no less than the worst pure one; so do the solvers' columns, and as much."""
    rng = instance.rng()
    comparisons: list[Comparison] = []
    drawn, least, kernel, sizes = [], [], [], []
    for stage, agent, size, worst in _contests(instance, exact):
        own = stage.play[agent]
        drawn.append(own.dot(mixed_attacks(rng, stage, instance.threat, agent, exact)).min())
        least.append(worst)
        sizes.append(size)
        if not exact:
            built = kernel_matrix(stage.payoffs[agent], stage.play, instance.threat, agent, stage.state)
            kernel.append(own.dot(built).min())
    comparisons.append(at_most("least over pure attacks, a mixed attack", least, drawn, sizes))
    if not exact:
        name = "least over the solver's columns, over all pure attacks"
        comparisons.append(equal(name, kernel, least, sizes))
    return summed(instance, comparisons, exact)


def _largest(instance: Instance, exact: bool) -> Findings:
    """The least value over sets of size m is the least over all sets."""
    threat = instance.threat
    if threat.k is None:
        return Findings(undecided="there is no budget k")
    reduced, least, sizes = [], [], []
    for stage, agent, size, worst in _contests(instance, exact):
        reduced.append(stage.play[agent].dot(largest_set_columns(stage, threat, agent)).min())
        least.append(worst)
        sizes.append(size)
    comparison = equal("least over sets of size m, over all sets", reduced, least, sizes)
    return summed(instance, [comparison], exact)


def draw_stage(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a stage game or, now and then, a Markov game with a continuation, and a budget k."""
    n = int(rng.integers(1, 5))
    counts = families.action_counts(rng, n, 3 if n < 4 else 2)
    threat = ThreatModel(int(rng.integers(0, n + 1)))
    if rng.random() < 0.75:
        return Instance(families.stage_game(rng, kind, counts), threat)
    game = families.markov_game(rng, kind, 2, counts, 0.5)
    return Instance(game, threat, {"continuation": rng.uniform(-1, 1, (n, 2))})


def draw_masked(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a stage game whose corrupted agents cannot play everything."""
    n = int(rng.integers(2, 5))
    counts = families.action_counts(rng, n, 3 if n < 4 else 2)
    masks = {}
    for j, count in enumerate(counts):
        if count > 1 and rng.random() < 0.7:
            allowed = rng.choice(count, int(rng.integers(1, count)), replace=False)
            masks[j] = {0: sorted(allowed.tolist())}
    threat = ThreatModel(int(rng.integers(1, n)), masks=masks or None)
    return Instance(families.stage_game(rng, kind, counts), threat)


_ANY_THREAT = {
    **families.by_kind(draw_stage),
    "masks": lambda rng: draw_masked(rng, "integer"),
    "other threats": lambda rng: stage_under_threat(rng, str(rng.choice(families.KINDS))),
}

STATEMENTS = (
    Statement(
        id="T1",
        title="Pure attacks suffice",
        claim="Against a fixed policy no attack that mixes does more harm than the worst pure one.",
        hypotheses=(),
        source="theory page, T1: linear in ω, multilinear in π̂",
        status=PROVED,
        examine=lambda instance: _mixed(instance, False),
        confirm=lambda instance: _mixed(instance, True),
        families=_ANY_THREAT,
    ),
    Statement(
        id="T1.sets",
        title="The largest corruption sets suffice",
        claim="Some attack that does most harm corrupts exactly m = min(k, n−1) agents.",
        hypotheses=(FULL_SIMPLEX, NO_MASKS),
        source="theory page, T1: further agents may imitate their policy",
        status=FALSE_WITHOUT + NO_MASKS.name,
        examine=lambda instance: _largest(instance, False),
        confirm=lambda instance: _largest(instance, True),
        families=families.by_kind(draw_stage),
        candidates=lambda rng, drop: draw_masked(rng, "integer"),
    ),
)
