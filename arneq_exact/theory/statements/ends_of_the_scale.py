"""[T4] The two ends of the scale: k = 0 is Nash, k ≥ n−1 is maximin.

Without corruption agent i's best reply is the value of a Markov decision process, and an ARNEQ a Nash
equilibrium. When all others may be corrupted, with the full simplex and no masks, M_i does not depend on π:
every agent plays a zero-sum stochastic game of its own, an ARNEQ is a profile of maximin strategies, and
its values are unique. With a probability below 1, a fixed distribution or masks agents do not decouple in
general.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from arneq_exact.exact.matrix_games import exact_matrix_game
from arneq_exact.markov.evaluate import best_response, gap, robust_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.contest import best_value, contest, reply_value, robust_value
from arneq_exact.oracle.definition import Array
from arneq_exact.solver.solve import solve
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.given_play import sizes
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import DISCOUNTED, FULL_SIMPLEX, NO_MASKS, PER_STATE, stages
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement

# Why, in words that evidence carries, below.
VALUE_TOLERANCE = 1e-8
VALUE_WHY = (
    "stage games are verified to 1e-10 of their payoff range and a residual r of the backup moves values by "
    "at most r / (1 - β); solutions are certified to 1e-8 of the reward range, and the unit, the largest "
    "reward over 1 - β, is at least half of that range; β is the discount times the largest row sum"
)

NO_CORRUPTION = Hypothesis("k = 0", "No agent may be corrupted.", lambda instance: instance.threat.k == 0)
EVERYONE = Hypothesis(
    "k at least n-1",
    "All other agents may be corrupted at once.",
    lambda instance: instance.threat.k is not None and instance.threat.k >= instance.game.n_agents - 1,
)


def value_units(game: MarkovGame) -> Array:
    """Return every agent's size as a column (n, 1): a unit for values."""
    return sizes(game)[:, None]


def in_states(game: MarkovGame, array: Array, agent: int) -> list[Array]:
    """Cut (S, max A_i) to the actions that each state has."""
    return [array[state, :count] for state, count in enumerate(game.action_counts[:, agent].tolist())]


def _nash(instance: Instance) -> Findings:
    """At k = 0 values and best replies are those of a Markov decision process; a solution leaves no gain."""
    game = instance.game
    policy = families.random_policy(instance.rng(), game)
    solution = solve(game, instance.threat, seed=instance.seed)
    if not solution.proved:
        return Findings(undecided=f"no equilibrium was proved: {solution.message}")
    unit = value_units(game)
    own, reply, own_alone, reply_alone, gains = [], [], [], [], []
    values = robust_values(game, instance.threat, policy)
    for agent in range(game.n_agents):
        alone = contest(game, ThreatModel(0), list(policy), agent)
        nobody = [np.ones(1)] * game.n_states
        own.append(values[agent])
        own_alone.append(robust_value(alone, in_states(game, policy[agent], agent)))
        reply.append(best_response(game, instance.threat, policy, agent).value)
        reply_alone.append(reply_value(alone, nobody))
        at_solution = contest(game, ThreatModel(0), list(solution.policy), agent)
        played = robust_value(at_solution, in_states(game, solution.policy[agent], agent))
        gains.append(reply_value(at_solution, nobody) - played)
    return Findings(
        [
            equal("value of a drawn policy, by its linear system", own, own_alone, unit),
            equal("best reply to it, by Markov decision process", reply, reply_alone, unit),
            at_most("gain by a deviation from the solution, 0", gains, np.zeros(np.shape(gains)), unit),
        ],
        VALUE_TOLERANCE,
        VALUE_WHY,
    )


def _decoupling(instance: Instance) -> Findings:
    """What an agent can guarantee does not depend on the others' policy, and is its security value."""
    game, threat = instance.game, instance.threat
    rng = instance.rng()
    policies = [families.random_policy(rng, game) for _ in range(2)]
    first, second, security = [], [], []
    for agent in range(game.n_agents):
        one, other = (best_response(game, threat, policy, agent).value for policy in policies)
        first.append(one)
        second.append(other)
        everyone = ThreatModel(game.n_agents - 1)
        alone = contest(game, everyone, list(policies[0]), agent)
        security.append(best_value(alone)[0])
    unit = value_units(game)
    return Findings(
        [
            equal("best robust value against one policy, against another", first, second, unit),
            equal("best robust value, security value", first, security, unit),
        ],
        VALUE_TOLERANCE,
        VALUE_WHY,
    )


def _decoupling_exactly(instance: Instance) -> Findings:
    """In one stage, in Fractions: the best robust value against every pure profile of the others."""
    game, threat = instance.game, instance.threat
    best: tuple[Any, Any, Any] = (-1, 0, 0)
    for stage in stages(instance, True):
        if game.transitions.nnz:
            return Findings(undecided="exact values are for one-shot games")
        for agent in range(stage.n):
            values = []
            for profile in product(*(range(count) for count in stage.counts)):
                play = definition.pure_play(profile, stage.counts)
                table = definition.matrix(stage.payoffs[agent], play, agent, threat, stage.state)
                values.append(exact_matrix_game(table)[0])
            best = max(best, ((max(values) - min(values)) / stage.size(agent), min(values), max(values)))
    name = "best robust value against one pure policy, against another"
    return Findings([equal(name, best[1], best[2])])


def _maximin(instance: Instance) -> Findings:
    """ARNEQ are the profiles of maximin strategies, with unique values."""
    game, threat = instance.game, instance.threat
    solution = solve(game, threat, seed=instance.seed)
    if not solution.proved:
        return Findings(undecided=f"no equilibrium was proved: {solution.message}")
    everyone = ThreatModel(game.n_agents - 1)
    security, guaranteed = [], []
    arrays = [np.zeros((game.n_states, int(counts.max()))) for counts in game.action_counts.T]
    for agent in range(game.n_agents):
        alone = contest(game, everyone, list(solution.policy), agent)
        value, strategy = best_value(alone)
        security.append(value)
        guaranteed.append(robust_value(alone, in_states(game, solution.policy[agent], agent)))
        for state, mixture in enumerate(strategy):
            arrays[agent][state, : len(mixture)] = mixture
    gaps = gap(game, threat, Policy(game, arrays))
    unit = value_units(game)
    return Findings(
        [
            equal("values of the solution, security values", solution.values, security, unit),
            equal("what its strategies guarantee, security values", guaranteed, security, unit),
            at_most("gap of maximin strategies found apart, 0", gaps, np.zeros(gaps.shape), unit),
        ],
        VALUE_TOLERANCE,
        VALUE_WHY,
    )


def draw_markov(rng: np.random.Generator, kind: str, k: int | None = None) -> Instance:
    """Draw a small Markov game and a budget: k, or else one that makes agents decouple."""
    n = int(rng.integers(1, 4)) if k is None else int(rng.integers(2, 4))
    counts = families.action_counts(rng, n, 3 if n < 3 else 2)
    discount = float(rng.choice([0.25, 0.5, 0.8]))
    game = families.markov_game(rng, kind, int(rng.integers(1, 4)), counts, discount)
    return Instance(game, ThreatModel(max(n - 1, 0) + int(rng.integers(0, 2)) if k is None else k))


def _draw_coupled(rng: np.random.Generator, drop: str) -> Instance:
    """Draw a one-shot game in which everyone may be corrupted, but with a probability or under masks."""
    n = int(rng.integers(2, 4))
    counts = families.action_counts(rng, n, 3 if n == 2 else 2)
    game = families.stage_game(rng, "integer", counts)
    if drop == FULL_SIMPLEX.name:
        return Instance(game, ThreatModel(n - 1, probability=str(rng.choice(["1/2", "1/4", "3/4"]))))
    if drop == NO_MASKS.name:
        return Instance(game, ThreatModel(n - 1, masks={j: {0: [0]} for j in range(n)}))
    return Instance(game, ThreatModel(int(rng.integers(0, n - 1))))


HYPOTHESES = (DISCOUNTED, PER_STATE, FULL_SIMPLEX, NO_MASKS, EVERYONE)

STATEMENTS = (
    Statement(
        id="T4.nash",
        title="Without corruption an ARNEQ is a Nash equilibrium",
        claim="At k = 0 values, best replies and gains are those of a Markov decision process.",
        hypotheses=(DISCOUNTED, PER_STATE, NO_CORRUPTION),
        source="theory page, T4",
        status=UNDER_HYPOTHESES,
        examine=_nash,
        families=families.by_kind(lambda rng, kind: draw_markov(rng, kind, 0)),
    ),
    Statement(
        id="T4.decoupling",
        title="When everyone may be corrupted agents decouple",
        claim="An agent's best robust value is its security value, whatever the others' policy is.",
        hypotheses=HYPOTHESES,
        source="theory page, T4",
        status=FALSE_WITHOUT + FULL_SIMPLEX.name,
        examine=_decoupling,
        confirm=_decoupling_exactly,
        families=families.by_kind(draw_markov),
        candidates=_draw_coupled,
    ),
    Statement(
        id="T4.maximin",
        title="When everyone may be corrupted an ARNEQ is a profile of maximin strategies",
        claim="ARNEQ values are the security values, and exactly the maximin strategies attain them.",
        hypotheses=HYPOTHESES,
        source="theory page, T4",
        status=UNDER_HYPOTHESES,
        examine=_maximin,
        families=families.by_kind(draw_markov),
    ),
)
