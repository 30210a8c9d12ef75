"""[T5] What more corruption does: to a fixed policy, to the best reply, and to equilibria.

A larger k gives the attacker more columns, so for a fixed π both the robust value and the best robust value
fall, and every ARNEQ value is at least the security value, which is the best robust value at k = n−1. For
two agents V⁰ ≥ V¹ follows. For three or more *equilibrium* values need not fall: others play differently
when more may be corrupted.

**The strong form**: for two agents no agent gains by more corruption; for three all of them may.

Where the ARNEQ at k and the one at k + 1 are both unique there is no choice that could explain a rise. For
two agents V⁰ ≥ V¹ still. For three agents everybody's value may rise: at k = 0 each has a tempting action
that is best whatever the others do, and they end up badly, as in the prisoners' dilemma; at k = 1 one
corrupted agent could punish the tempting action so hard that nobody dares take it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.exact.arrays import exact_array, scaled
from arneq_exact.exact.matrix_games import exact_matrix_game
from arneq_exact.markov.evaluate import best_response, robust_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.contest import best_value, contest, robust_value
from arneq_exact.oracle.definition import Array, exact_payoffs, stage_payoffs
from arneq_exact.oracle.pure_play import pure_play, unique_profile
from arneq_exact.solver.solve import solve
from arneq_exact.stage.enumeration.listing import enumerate_equilibria
from arneq_exact.theory.draw import families, generators
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import by_state
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import (
    DISCOUNTED,
    LP_TOLERANCE,
    PER_STATE,
    Stage,
    is_plain_budget,
    stages,
)
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.ends_of_the_scale import VALUE_TOLERANCE, VALUE_WHY, value_units

TWO_AGENTS = Hypothesis(
    "two agents", "There are at most two agents.", lambda instance: instance.game.n_agents <= 2
)


def _policy(instance: Instance) -> Findings:
    """Robust value and best robust value of a drawn policy, for k = 0, 1, ..., n.

    The side at k+1 is computed from first principles for one agent, which is drawn; the side at k by the
    solvers.
    """
    game, rng = instance.game, instance.rng()
    policy = families.random_policy(rng, game)
    agent = int(rng.integers(game.n_agents))
    own_play = by_state(game, policy[agent], agent)
    unit = value_units(game)
    values, replies, by_hand, best_by_hand = [], [], [], []
    for k in range(game.n_agents + 1):
        threat = ThreatModel(k)
        values.append(robust_values(game, threat, policy))
        replies.append([best_response(game, threat, policy, i).value for i in range(game.n_agents)])
        faced = contest(game, threat, list(policy), agent)
        by_hand.append(robust_value(faced, own_play))
        best_by_hand.append(best_value(faced)[0])
    own, best = np.array(values), np.array(replies)
    defined, best_defined = np.array(by_hand), np.array(best_by_hand)
    size = float(np.ravel(unit[agent])[0])
    return Findings(
        [
            at_most("robust value at k+1, at k", own[1:], own[:-1], unit),
            at_most("best robust value at k+1, at k", best[1:], best[:-1], unit),
            at_most("robust value, best robust value", own, best, unit),
            at_most("robust value at k+1 by definition, at k", defined[1:], own[:-1, agent], size),
            at_most("best robust value at k+1 by definition, at k", best_defined[1:], best[:-1, agent], size),
            equal("robust value by definition, by the solvers", defined, own[:, agent], size),
            equal("best robust value by definition, by the solvers", best_defined, best[:, agent], size),
        ],
        VALUE_TOLERANCE,
        VALUE_WHY,
        {"robust values": own, "best robust values": best},
    )


def _security(instance: Instance) -> Findings:
    """The solution is worth no less to an agent than what it guarantees against everyone."""
    game = instance.game
    solution = solve(game, instance.threat, seed=instance.seed)
    if not solution.proved:
        return Findings(undecided=f"no equilibrium was proved: {solution.message}")
    everyone = ThreatModel(game.n_agents - 1)
    security = [
        best_value(contest(game, everyone, list(solution.policy), agent))[0] for agent in range(game.n_agents)
    ]
    comparison = at_most("security value, ARNEQ value", security, solution.values, value_units(game))
    return Findings([comparison], VALUE_TOLERANCE, VALUE_WHY)


def _equilibria(instance: Instance) -> Findings:
    """All stage ARNEQ at k+1 against all at k, from the enumeration."""
    k = instance.threat.k
    if k is None or not is_plain_budget(instance.threat):
        return Findings(undecided="the threat is not a budget k and nothing besides")
    comparisons: list[Comparison] = []
    counted = []
    # Where some may be missing, those listed can violate the statement but not bear it out.
    partial = ""
    for stage in stages(instance):
        tables = []
        for threat in (ThreatModel(k), ThreatModel(k + 1)):
            if stage_attackers(threat, stage.counts).enumeration is None:
                return Findings(undecided="not all stage ARNEQ can be listed")
            found = enumerate_equilibria(stage.payoffs, threat)
            if not len(found):
                return Findings(undecided=f"none is listed: {found.argument}")
            if found.completeness != "complete":
                partial = f"not all stage ARNEQ are listed: {found.argument}"
            tables.append(np.stack([one.values for one in found.equilibria]))
        counted.append([len(table) for table in tables])
        unit = np.array([stage.size(agent) for agent in range(stage.n)])
        comparisons.append(
            at_most("ARNEQ value at k+1, at k", tables[1].max(axis=0), tables[0].min(axis=0), unit)
        )
    if any(one.margin < -LP_TOLERANCE for one in comparisons):
        # A rise among those that are listed is one, whatever else there may be.
        partial = ""
    return Findings(
        comparisons,
        LP_TOLERANCE,
        "listed equilibria have a regret of at most 1e-10 of the payoff range, which is at most 2 units",
        {"equilibria at k and k+1": np.array(counted)},
        "" if any(one.margin < -LP_TOLERANCE for one in comparisons) else partial,
    )


def _equilibria_exactly(instance: Instance) -> Findings:
    """In one stage, in Fractions: the pure ARNEQ at k+1 against those at k."""
    game, k = instance.game, instance.threat.k
    one_shot = game.n_states == 1 and not game.transitions.nnz
    if k is None or not is_plain_budget(instance.threat) or not one_shot:
        return Findings(undecided="exact values are for one-shot games with a budget k")
    (stage,) = stages(instance, True)
    before, after = (pure_equilibria(stage, budget) for budget in (k, k + 1))
    if not before or not after:
        return Findings(undecided="there is no pure ARNEQ at k, or none at k+1")
    worst = min(
        (
            (before[one][agent] - after[other][agent], agent, one, other)
            for one in before
            for other in after
            for agent in range(stage.n)
        ),
    )
    _, agent, one, other = worst
    comparison = at_most(f"value to agent {agent} at k+1, at k", after[other][agent], before[one][agent])
    return Findings([comparison], quantities={"profile at k": one, "profile at k+1": other})


def pure_equilibria(stage: Stage, k: int) -> dict[tuple[int, ...], list[Fraction]]:
    """Return the pure stage ARNEQ at a budget, with their values, in exact arithmetic."""
    threat = ThreatModel(k)
    found = {}
    for profile in product(*(range(count) for count in stage.counts)):
        play = definition.pure_play(profile, stage.counts)
        values: list[Any] = []
        for agent, action in enumerate(profile):
            table: Array = definition.matrix(stage.payoffs[agent], play, agent, threat, stage.state)
            own = table[action].min()
            if exact_matrix_game(table)[0] > own:
                break
            values.append(own)
        else:
            found[profile] = values
    return found


def _draw_markov(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(1, 5))
    counts = families.action_counts(rng, n, 3 if n < 3 else 2)
    discount = float(rng.choice([0.25, 0.5, 0.8]))
    game = families.markov_game(rng, kind, int(rng.integers(1, 4)), counts, discount)
    return Instance(game, ThreatModel(int(rng.integers(0, n + 1))))


def _draw_solvable(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(1, 4))
    counts = families.action_counts(rng, n, 3 if n < 3 else 2)
    discount = float(rng.choice([0.25, 0.5, 0.8]))
    game = families.markov_game(rng, kind, int(rng.integers(1, 3)), counts, discount)
    return Instance(game, ThreatModel(int(rng.integers(0, n))))


def _draw_two_agents(rng: np.random.Generator, kind: str) -> Instance:
    game = families.stage_game(rng, kind, families.action_counts(rng, 2, 3))
    return Instance(game, ThreatModel(int(rng.integers(0, 2))))


def _draw_more_agents(rng: np.random.Generator, drop: str) -> Instance:
    table = rng.integers(0, 4, (3, 2, 2, 2))
    return Instance(MarkovGame.one_shot(table), ThreatModel(int(rng.integers(0, 2))))


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
        id="T5",
        title="More corruption is worth no more to a fixed policy",
        claim="For a fixed policy the robust value and the best robust value do not rise with k.",
        hypotheses=(DISCOUNTED,),
        source="theory page, T5: the attacker has more columns",
        status=UNDER_HYPOTHESES,
        examine=_policy,
        families=families.by_kind(_draw_markov),
    ),
    Statement(
        id="T5.security",
        title="An ARNEQ is worth at least the security value",
        claim="No ARNEQ is worth less to an agent than what it can guarantee against everyone.",
        hypotheses=(DISCOUNTED, PER_STATE),
        source="theory page, T5",
        status=UNDER_HYPOTHESES,
        examine=_security,
        families=families.by_kind(_draw_solvable),
    ),
    Statement(
        id="T5.equilibria",
        title="Equilibrium values do not rise with k",
        claim="Every ARNEQ at k+1 is worth no more to any agent than every ARNEQ at k.",
        hypotheses=(TWO_AGENTS,),
        source="theory page, T5: for two agents the security value is the value at k = 1",
        status=FALSE_WITHOUT + TWO_AGENTS.name,
        examine=_equilibria,
        confirm=_equilibria_exactly,
        families=families.by_kind(_draw_two_agents),
        candidates=_draw_more_agents,
    ),
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
