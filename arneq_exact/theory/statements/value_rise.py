"""[T5], the strong form: for two agents no agent gains by more corruption; for three all of them may.

Where the ARNEQ at k and the one at k + 1 are both unique there is no choice that could explain a rise. For
two agents V⁰ ≥ V¹ still. For three agents everybody's value may rise: at k = 0 each has a tempting action
that is best whatever the others do, and they end up badly, as in the prisoners' dilemma; at k = 1 one
corrupted agent could punish the tempting action so hard that nobody dares take it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.exact.arrays import exact_array, scaled
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs, stage_payoffs
from arneq_exact.oracle.pure_play import pure_play, unique_profile
from arneq_exact.stage.enumeration.listing import enumerate_equilibria
from arneq_exact.theory.draw import generators
from arneq_exact.theory.engine.evidence import Findings, at_most
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import is_plain_budget
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, Hypothesis, Statement
from arneq_exact.theory.statements.monotonicity import TWO_AGENTS

UNIQUE = Hypothesis("unique", "The stage ARNEQ at k and that at k + 1 are the only ones.")


def _least_rise(instance: Instance) -> Findings:
    """The smallest rise over agents, all stage ARNEQ enumerated."""
    k = instance.threat.k
    if k is None or not is_plain_budget(instance.threat):
        return Findings(undecided="the threat is not a budget k and nothing besides")
    payoffs = stage_payoffs(instance.game, 0)
    lists = []
    for threat in (ThreatModel(k), ThreatModel(k + 1)):
        if stage_attackers(threat, payoffs.shape[1:]).enumeration is None:
            return Findings(undecided="not all stage ARNEQ can be listed")
        lists.append(enumerate_equilibria(payoffs, threat))
    if not all(len(found) for found in lists):
        return Findings(undecided=f"none is listed: {lists[0].argument}; {lists[1].argument}")
    several = any(len(found) > 1 or not found.isolated for found in lists)
    complete = all(found.completeness == "complete" for found in lists)
    unique = False if several else (complete or None)
    before, after = (found.equilibria[0].values for found in lists)
    unit = float(np.ptp(payoffs)) or 1.0
    return Findings(
        comparisons=[at_most("least rise of a value", float((after - before).min()), 0.0, unit)],
        hypotheses={UNIQUE.name: unique},
        tolerance=1e-8,
        justification="listed equilibria are verified to 1e-10 of the payoff range",
        quantities={"before": before, "after": after},
    )


def _least_rise_exactly(instance: Instance) -> Findings:
    """The same in Fractions, where elimination proves both ARNEQ to be unique."""
    game, k = instance.game, instance.threat.k
    if k is None or not is_plain_budget(instance.threat):
        return Findings(undecided="the threat is not a budget k and nothing besides")
    whole, unit = scaled(exact_payoffs(game, 0))
    values, profiles = [], []
    for budget in (k, k + 1):
        joint = unique_profile(whole, budget)
        if joint is None:
            return Findings(undecided=f"elimination does not prove the ARNEQ at k = {budget} to be unique")
        profiles.append(joint)
        values.append([Fraction(int(v), unit) for v in pure_play(whole, budget).worth(joint)])
    before, after = values
    rise = min(b - a for a, b in zip(before, after, strict=True))
    spread = Fraction(int(whole.max() - whole.min()), unit) or Fraction(1)
    return Findings(
        comparisons=[at_most("least rise of a value", rise, Fraction(0), spread)],
        hypotheses={UNIQUE.name: True},
        quantities={"profiles": profiles, "before": before, "after": after},
    )


def _dominance_solvable(rng: np.random.Generator) -> Instance:
    """Draw two agents with a dominant action each: unique at k = 0; at k = 1 values are maximin values."""
    counts = rng.integers(2, 4, 2).tolist()
    payoffs = rng.uniform(-1, 1, (2, *counts))
    for agent, count in enumerate(counts):
        best = int(rng.integers(count))
        own = np.moveaxis(payoffs[agent], agent, 0)
        own[best] = own.max(axis=0) + rng.uniform(0.01, 0.5, own.shape[1])
    return Instance(generators.one_shot(exact_array(payoffs)), ThreatModel(0))


def _zero_sum(rng: np.random.Generator) -> Instance:
    """Draw a zero-sum game in general position: unique at any k, and no value changes."""
    payoff = rng.uniform(-1, 1, tuple(rng.integers(2, 4, 2).tolist()))
    return Instance(generators.one_shot(exact_array(np.stack([payoff, -payoff]))), ThreatModel(0))


STATEMENTS = (
    Statement(
        id="T5.unique",
        title="Not every agent gains by more corruption",
        claim="Where the ARNEQ at k and at k + 1 are unique, some agent's value does not rise.",
        hypotheses=(TWO_AGENTS, UNIQUE),
        source="theory page, T5",
        status=FALSE_WITHOUT + TWO_AGENTS.name,
        examine=_least_rise,
        families={"dominance": _dominance_solvable, "zero-sum": _zero_sum},
        confirm=_least_rise_exactly,
        candidates=generators.alike_agents,
    ),
)
