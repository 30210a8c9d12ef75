"""[T13] Corruption drawn once against corruption drawn anew at every state.

For a stationary policy π let W^K be agent i's value when K is corrupted at every step, W^static = min_K W^K
over |K| ≤ k (K drawn after the first state is seen), and W^rect the robust value. An attacker that may draw
anew may always draw the same set, so W^rect ≤ W^static. If ω is fixed before a first state is drawn from μ,
the value is min_K μ·W^K ≥ μ·W^static. Where a set is drawn with a probability ρ < 1 there is no order: a
set that stays absent or present is another lottery than fresh draws.

**When the two are equal.** At W^rect the best columns of K lack d_K(s) = min_{a_K} (π_iᵀ M_s)_{K,a_K} −
W^rect(s) ≥ 0. Playing them for ever is worth at most W^rect + max d_K / (1 − β_i), the maximum over the
states that are reached from s, since the backup of W^rect under them exceeds W^rect by d_K. Hence

    W^static(s) − W^rect(s)  ≤  min_K max over reached s' of d_K(s') / (1 − β_i),

and one K that attains the minimum of the rect backup in every reached state (d_K = 0) makes them equal. For
k = 0, for k ≥ n−1 and for two agents there is but one K of size m, so that it does. It is not enough that
one K is the worst of the W^K in every state: what it cannot do in one state another set may do better.

A chain on which the two differ is in `arneq_exact.theory.statements.chain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, exact_array, exact_mixtures
from arneq_exact.markov.evaluate import robust_values
from arneq_exact.markov.static import static_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.first_principles import Contest, contest, largest_row_sum, robust_value
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    BUDGET,
    DISCOUNTED,
    DISCOUNTS,
    KINDS,
    by_state,
    draw_budget,
    draw_game,
    met,
    policy_of,
    sizes,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, Hypothesis, Statement
from arneq_exact.theory.statements.best_response_operator import VALUE_ERROR, value_tolerance

CERTAIN = Hypothesis("certain", "A set that is drawn is corrupted for certain, not with a probability.")
ONE_SET = Hypothesis(
    "one set",
    "One set attains the least backup of the per-state values of agent 1 in every state that it leads to.",
)
WORST_SET = Hypothesis("worst set", "One set leaves agent 1 the least of all sets that stay, in every state.")

Members = tuple[int, ...]


@dataclass(frozen=True)
class Corruptions:
    """What a policy of one agent is worth under both kinds of corruption, from the definitions.

    Attributes
    ----------
    rect : (S,)
        Corruption drawn anew.
    by_set : mapping of set to (S,)
        Sets of size m that stay.
    smaller : list of (S,)
        Smaller sets that stay.
    lack : (S,)
        The bound on W^static − W^rect in the module's text.
    """

    rect: Numbers
    by_set: dict[Members, Numbers]
    smaller: list[Numbers]
    lack: Numbers

    def static(self, rho: Any = 1) -> Numbers:
        """Return W^static (S,) when a set is drawn with probability `rho`, and else nobody."""
        worth = list(self.by_set.values())
        if self.smaller:
            worth += self.smaller
            worth = [(1 - rho) * self.smaller[0] + rho * value for value in worth]
        result: Numbers = np.stack(worth).min(axis=0)
        return result


def corruptions(
    game: MarkovGame, threat: ThreatModel, policy: Sequence[Numbers], agent: int, *, exact: bool = False
) -> Corruptions:
    """Evaluate a policy under both kinds of corruption."""
    size = min(int(threat.k or 0), game.n_agents - 1)
    own = by_state(game, policy[agent], agent)
    rect = robust_value(contest(game, threat, policy, agent, exact=exact), own)
    by_set, smaller = {}, []
    others = [j for j in range(game.n_agents) if j != agent]
    for count in range(size + 1):
        faced = contest(game, ThreatModel(count), policy, agent, exact=exact)
        for members in combinations(others, count):
            value = robust_value(faced.only(members), own)
            if count == size:
                by_set[members] = value
            else:
                smaller.append(value)
    rows: Any = largest_row_sum(game) if exact else float(largest_row_sum(game))
    bounds = [_lack(faced.only(members), own, rect) for members in by_set]
    lack: Numbers = np.stack(bounds).min(axis=0) / (1 - faced.discount * rows)
    return Corruptions(rect, by_set, smaller, lack)


def _lack(faced: Contest, own: Sequence[Numbers], rect: Numbers) -> Numbers:
    """Return by first state the largest d_K that the best columns of a set at `rect` lead to."""
    states = range(len(own))
    worth = [x @ faced.stage(state, rect) for state, x in enumerate(own)]
    columns = [int(row.argmin()) for row in worth]
    lacking = np.array([row.min() - rect[state] for state, row in enumerate(worth)])
    leads = [own[state] @ faced.moves[state][:, columns[state]] > 0 for state in states]
    found = []
    for state in states:
        reached = {state}
        while True:
            further = {int(t) for s in reached for t in np.flatnonzero(leads[s])} | reached
            if further == reached:
                break
            reached = further
        found.append(max(lacking[sorted(reached)]))
    return np.array(found)


def _order(instance: Instance, exact: bool) -> Findings:
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    hypotheses = {**met(instance), CERTAIN.name: threat.probability in (None, 1)}
    if not all(held for name, held in hypotheses.items() if name != CERTAIN.name):
        return Findings(hypotheses=hypotheses)
    comparisons: list[Comparison] = []
    rho = Fraction(1 if threat.probability is None else threat.probability)
    if exact:
        used = [exact_mixtures(array) for array in policy]
        for agent in range(game.n_agents):
            defined = corruptions(game, threat, used, agent, exact=True)
            comparisons.append(at_most("corruption drawn anew, once", defined.rect, defined.static(rho)))
        return Findings(comparisons, hypotheses)
    played = Policy(game, policy)
    anew, once = robust_values(game, threat, played), static_values(game, threat, played)
    start = instance.rng().dirichlet(np.ones(game.n_states))
    before = once.before(start)
    for agent, size in enumerate(sizes(game)):
        defined = corruptions(game, threat, policy, agent)
        static = defined.static(float(rho))
        comparisons += [
            at_most("corruption drawn anew, once", defined.rect, static, size),
            equal("drawn anew by the solvers, by definition", anew[agent], defined.rect, size),
            equal("drawn once by the solvers, by definition", once.values[agent], static, size),
            at_most("after the first state, before it", start @ static, before[agent], size),
        ]
    return Findings(comparisons, hypotheses, value_tolerance(game), VALUE_ERROR)


def _equal(instance: Instance, exact: bool, worst_set: bool) -> Findings:
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    hypotheses = {**met(instance), CERTAIN.name: threat.probability in (None, 1)}
    if not all(hypotheses.values()):
        return Findings(hypotheses=hypotheses)
    size = exact_array(sizes(game))[0] if exact else sizes(game)[0]
    slack = 0 if exact else value_tolerance(game) * size
    used = [exact_mixtures(array) for array in policy] if exact else list(policy)
    found = corruptions(game, threat, used, 0, exact=exact)
    static = found.static()
    hypotheses[ONE_SET.name] = bool((found.lack <= slack).all())
    if worst_set:
        hypotheses[WORST_SET.name] = any((value <= static + slack).all() for value in found.by_set.values())
    comparisons = [
        equal("corruption drawn once, drawn anew", static, found.rect, size),
        at_most("difference of the two, what every set lacks", static - found.rect, found.lack, size),
    ]
    if exact:
        return Findings(comparisons, hypotheses)
    anew = robust_values(game, threat, Policy(game, policy))[0]
    once = static_values(game, threat, Policy(game, policy)).values[0]
    comparisons.append(equal("drawn once, drawn anew, by the solvers", once, anew, size))
    # The hypothesis is granted up to one tolerance, and the sides are known up to another.
    return Findings(comparisons, hypotheses, 2 * value_tolerance(game), VALUE_ERROR)


def _any_budget(rng: np.random.Generator, kind: str) -> Instance:
    game = draw_game(rng, kind)
    policy = tuple(families.random_policy(rng, game))
    return Instance(game, draw_budget(rng, game.n_agents, probability=False), {"policy": policy})


def _one_size(case: str) -> Any:
    """Return a family in which one set attains every minimum for agent 1."""

    def draw(rng: np.random.Generator) -> Instance:
        kind = str(rng.choice([kind for kind in KINDS if kind != "ending"]))
        n = 2 if case == "two agents" else 3
        states = int(rng.integers(1, 4))
        game = families.markov_game(rng, kind, states, (2,) * n, float(rng.choice(DISCOUNTS)))
        k = {"nobody": 0, "everyone": n - 1, "two agents": int(rng.integers(0, 2))}.get(case, 1)
        if case == "one influence":
            game = _without_influence(game, int(rng.integers(1, 3)))
        return Instance(game, ThreatModel(k), {"policy": tuple(families.random_policy(rng, game))})

    return draw


def _without_influence(game: MarkovGame, other: int) -> MarkovGame:
    """Return a game of two actions each where agent `other` changes neither rewards nor moves."""
    shape = (game.n_states, *[2] * game.n_agents)
    rewards = game.rewards.reshape(*shape, -1).take([0, 0], axis=other + 1)
    moves = game.transitions.toarray().reshape(*shape, -1).take([0, 0], axis=other + 1)
    return MarkovGame.from_arrays(np.moveaxis(rewards, -1, 0), moves, game.discount)


def _draw_triple(rng: np.random.Generator, drop: str) -> Instance:
    """Draw a game of three agents with small integers, one of whom may be corrupted."""
    states = int(rng.integers(1, 4))
    game = families.markov_game(rng, "integer", states, (1, 2, 2), float(rng.choice(DISCOUNTS)))
    return Instance(game, ThreatModel(1), {}, 0, "integer")


def _draw_probability(rng: np.random.Generator, drop: str) -> Instance:
    """Draw a game of two agents, one of whom is corrupted with a probability."""
    game = families.markov_game(rng, "integer", int(rng.integers(1, 3)), (1, 2), float(rng.choice(DISCOUNTS)))
    return Instance(game, ThreatModel(1, probability="1/2"), {}, 0, "integer")


_EQUAL = {case: _one_size(case) for case in ("nobody", "everyone", "two agents", "one influence")}
_SOURCE = "arneq_exact.theory.statements.static_corruption; theory page, T13"

STATEMENTS = (
    Statement(
        id="T13.order",
        title="Corruption that stays does no more harm than corruption drawn anew",
        claim="For a stationary policy W^rect <= W^static = min over |K| <= k of W^K.",
        hypotheses=(DISCOUNTED, BUDGET, CERTAIN),
        source=_SOURCE,
        status=FALSE_WITHOUT + CERTAIN.name,
        examine=lambda instance: _order(instance, False),
        confirm=lambda instance: _order(instance, True),
        families=families.by_kind(_any_budget, KINDS),
        candidates=_draw_probability,
    ),
    Statement(
        id="T13.equal",
        title="When corruption that stays does as much harm",
        claim="W^rect = W^static for agent 1 if one set attains the per-state minimum wherever it leads.",
        hypotheses=(DISCOUNTED, BUDGET, CERTAIN, ONE_SET),
        source=_SOURCE,
        status=FALSE_WITHOUT + ONE_SET.name,
        examine=lambda instance: _equal(instance, False, False),
        confirm=lambda instance: _equal(instance, True, False),
        families=_EQUAL,
        candidates=_draw_triple,
    ),
    Statement(
        id="T13.worst-set",
        title="One worst set that stays is not enough",
        claim="W^rect = W^static for agent 1 if one set is the worst that stays in every state.",
        hypotheses=(DISCOUNTED, BUDGET, CERTAIN, WORST_SET, ONE_SET),
        source=_SOURCE,
        status=FALSE_WITHOUT + ONE_SET.name,
        examine=lambda instance: _equal(instance, False, True),
        confirm=lambda instance: _equal(instance, True, True),
        families=_EQUAL,
        candidates=_draw_triple,
    ),
)
