"""[T13] Corruption drawn once against corruption drawn anew at every state.

For a stationary policy π let W^K be agent i's value when K is corrupted at every step, W^static the least of
Σ_K e(K) W^K over the extreme points e of Ω_i (drawn after the first state is seen), and W^rect the robust
value. Let corruption be *certain*: every extreme point is one set. Then W^static = min_K W^K, and an attacker
that may draw anew may always draw the same set, so W^rect ≤ W^static, whatever masks leave it to play. If ω
is fixed before a first state is drawn from μ, the value is min_K μ·W^K ≥ μ·W^static. Where a set is drawn
with a probability ρ < 1 there is no order: a set that stays absent or present is another lottery than fresh
draws.

**When the two are equal.** One K that attains the minimum of the rect backup in every reached state makes
them equal (`arneq_exact.oracle.static`). For k = 0, for k ≥ n−1 and for two agents there is but one K of size
m, so that it does. It is not enough that one K is the worst of the W^K in every state: what it cannot do in
one state another set may do better.

**A chain on which the two differ.** On the chain of `arneq_exact.theory.draw.worked_games`, with k = 1 and
all playing C, corruption drawn anew takes both rewards of agent 1: W^rect = 0. A set that stays takes one:
W^static(s1) = min(w, γ w').

**Memory.** In the watched game, with k = 1, all who are not corrupted play C. Stationary play of agent 1
relies on agent 2 with some probability x. The attacker may corrupt agent 2 or agent 3 and play D at both
steps, so that min(x, 1 − x) γ w' is left at s1, at most γ w' / 2, which x = 1/2 attains. With memory agent 1
relies on the one who did not play D in s1, and on either with probability 1/2 if nobody did. A corrupted
agent that plays D in s1 gives itself away and leaves γ w'; one that plays C there leaves w, and γ w' / 2
later. So min(γ w', w + γ w' / 2) is secured against all that a static attacker can do, more than γ w' / 2 by
min(γ w' / 2, w) > 0. (For a fixed plan of agent 1 the payoff is linear in what the attacker draws, so that
its pure plans, which are written out here, are enough.)"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from arneq_exact.exact.arrays import exact_array, exact_mixtures
from arneq_exact.markov.evaluate import robust_values
from arneq_exact.markov.static import static_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import vertices
from arneq_exact.oracle.static import corruptions
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import under_threat
from arneq_exact.theory.draw.worked_games import (
    chain_rewards,
    draw_chain,
    draw_watched,
    watched_numbers,
)
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    DISCOUNTED,
    DISCOUNTS,
    KINDS,
    VALUE_ERROR,
    draw_budget,
    draw_game,
    policy_of,
    sizes,
    value_tolerance,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import PER_STATE, is_plain_budget
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement

FEW_SUMS = 1e-14
"""What doubles lose in a handful of sums and products of numbers of one size: some units in the last
place."""

RELIANCES = 4
"""Stationary policies, besides the best one, that are tried in the watched game."""


def _is_certain(instance: Instance) -> bool:
    """Tell whether every vertex of every agent's Ω_i is one set."""
    threat, n = instance.threat, instance.game.n_agents
    return all(len(law) == 1 for agent in range(n) for law in vertices(threat, n, agent))


def _is_one_of_all(instance: Instance) -> bool:
    return instance.threat.k == 1 and is_plain_budget(instance.threat)


def _is_chain(instance: Instance) -> bool:
    """Tell whether all play C on the chain and any one other agent may be corrupted."""
    return (
        _is_one_of_all(instance)
        and chain_rewards(instance.game) is not None
        and all((own == [1, 0]).all() for own in policy_of(instance))
    )


CERTAIN = Hypothesis(
    "certain", "A set that is drawn is corrupted for certain, not with a probability.", _is_certain
)
ONE_SET = Hypothesis(
    "one set",
    "One set attains the least backup of the per-state values of agent 1 in every state that it leads to.",
)
WORST_SET = Hypothesis("worst set", "One set leaves agent 1 the least of all sets that stay, in every state.")
CHAIN = Hypothesis(
    "chain",
    "The game is the chain with rewards w, w' > 0, all play C, which is their first action, and k = 1.",
    _is_chain,
    droppable=False,
)
WATCHED = Hypothesis(
    "watched",
    "The game is the watched one, with w, w' and γ above 0.",
    lambda instance: watched_numbers(instance.game) is not None,
    droppable=False,
)
ONE_OF_ALL = Hypothesis("k = 1", "Any one other agent may be corrupted.", _is_one_of_all, droppable=False)


def _order(instance: Instance, exact: bool) -> Findings:
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    comparisons: list[Comparison] = []
    if exact:
        used = [exact_mixtures(array) for array in policy]
        for agent in range(game.n_agents):
            defined = corruptions(game, threat, used, agent, exact=True)
            comparisons.append(at_most("corruption drawn anew, once", defined.rect, defined.static))
        return Findings(comparisons)
    played = Policy(game, policy)
    anew, once = robust_values(game, threat, played), static_values(game, threat, played)
    start = instance.rng().dirichlet(np.ones(game.n_states))
    before = once.before(start)
    for agent, size in enumerate(sizes(game)):
        defined = corruptions(game, threat, policy, agent)
        static = defined.static
        comparisons += [
            at_most("corruption drawn anew, once", defined.rect, static, size),
            equal("drawn anew by the solvers, by definition", anew[agent], defined.rect, size),
            equal("drawn once by the solvers, by definition", once.values[agent], static, size),
            at_most("after the first state, before it", start @ static, before[agent], size),
        ]
    return Findings(comparisons, value_tolerance(game), VALUE_ERROR)


def _equal(instance: Instance, exact: bool, worst_set: bool) -> Findings:
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    size = exact_array(sizes(game))[0] if exact else sizes(game)[0]
    slack = 0 if exact else value_tolerance(game) * size
    used = [exact_mixtures(array) for array in policy] if exact else list(policy)
    found = corruptions(game, threat, used, 0, exact=exact)
    static = found.static
    hypotheses: dict[str, bool | None] = {ONE_SET.name: bool((found.lack <= slack).all())}
    if worst_set:
        hypotheses[WORST_SET.name] = any((value <= static + slack).all() for value in found.by_set.values())
    comparisons = [
        equal("corruption drawn once, drawn anew", static, found.rect, size),
        at_most("difference of the two, what every set lacks", static - found.rect, found.lack, size),
    ]
    if exact:
        return Findings(comparisons, hypotheses=hypotheses)
    played = Policy(game, policy)
    anew, once = robust_values(game, threat, played)[0], static_values(game, threat, played).values[0]
    comparisons.append(equal("drawn once, drawn anew, by the solvers", once, anew, size))
    # The hypothesis is granted up to one tolerance, and the sides are known up to another.
    return Findings(comparisons, 2 * value_tolerance(game), VALUE_ERROR, hypotheses=hypotheses)


def _chain(instance: Instance) -> Findings:
    game, threat, policy = instance.game, instance.threat, policy_of(instance)
    rewards = chain_rewards(game)
    assert rewards is not None, "a hypothesis"
    first, second = rewards
    defined = corruptions(game, threat, [exact_mixtures(array) for array in policy], 0, exact=True)
    played = Policy(game, policy)
    anew, once = robust_values(game, threat, played)[0], static_values(game, threat, played).values[0]
    kept = np.array([min(first, game.exact_discount()[0] * second), Fraction(0)], dtype=object)
    size = float(max(first, second))
    return Findings(
        [
            equal("drawn anew, 0", defined.rect, kept * 0),
            equal("drawn once, (min(w, γ w'), 0)", defined.static, kept),
            equal("drawn anew by the solvers, 0", anew, 0.0, size),
            equal("drawn once by the solvers, (min(w, γ w'), 0)", once, kept.astype(float), size),
        ],
        FEW_SUMS,
        "the solvers add and multiply two numbers in doubles; the definitions are evaluated in Fractions",
        {"difference": kept[0]},
    )


def secured(first: Fraction, second: Fraction, discount: Fraction) -> Fraction:
    """Return what the plan with memory leaves against the worst pure plan of one corrupted agent, or none."""
    worth = []
    for victim, early, late in product((None, 1, 2), range(2), range(2)):
        played = [{victim: early}.get(j, 0) for j in (1, 2)]
        seen = [j for j, action in zip((1, 2), played, strict=True) if action == 0]
        relied = [Fraction({victim: late}.get(j, 0) == 0) for j in seen]
        worth.append(first * (played == [0, 0]) + discount * second * sum(relied) / len(relied))
    return min(worth)


def _memory(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    numbers = watched_numbers(game)
    assert numbers is not None, "a hypothesis"
    first, second, discount = numbers
    most = discount * second / 2
    shares = [Fraction(1, 2), *(Fraction(int(n), 8) for n in instance.rng().integers(0, 9, RELIANCES))]
    defined, solved = [], []
    for share in shares:
        policy = [exact_array([[1, 0], reliance]) for reliance in ([share, 1 - share], [1, 0], [1, 0])]
        defined.append(corruptions(game, threat, policy, 0, exact=True).static[0])
        played = Policy(game, [array.astype(np.float64) for array in policy])
        solved.append(static_values(game, threat, played).values[0, 0])
    held, size = secured(first, second, discount), first + second
    return Findings(
        [
            equal("static value of even reliance, γ w' / 2", defined[0], most, size),
            at_most("static values of stationary policies, γ w' / 2", defined, most, size),
            equal("static values by the solvers, by definition", solved, defined, size),
            equal("what memory secures, γ w' / 2 and min(γ w' / 2, w)", held, most + min(most, first), size),
        ],
        FEW_SUMS,
        "the solvers add and multiply a few numbers in doubles; all else is evaluated in Fractions",
        {"stationary": most, "memory": held},
    )


def _any_budget(rng: np.random.Generator, kind: str) -> Instance:
    game = draw_game(rng, kind)
    policy = tuple(families.random_policy(rng, game))
    return Instance(game, draw_budget(rng, game.n_agents, probability=False), {"policy": policy})


def _masked(rng: np.random.Generator) -> Instance:
    """Draw a game under a budget and masks, a set that is drawn being corrupted for certain."""
    drawn = under_threat(rng, "masks", "policy")
    return Instance(drawn.game, ThreatModel(drawn.threat.k, masks=drawn.threat.masks), drawn.extras)


def _one_size(case: str) -> Callable[[np.random.Generator], Instance]:
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


def _small(
    rng: np.random.Generator, most_states: int, counts: tuple[int, ...], threat: ThreatModel
) -> Instance:
    """Draw a game with small integers: a candidate for a counterexample."""
    states = int(rng.integers(1, most_states + 1))
    game = families.markov_game(rng, "integer", states, counts, float(rng.choice(DISCOUNTS)))
    return Instance(game, threat, {}, 0, "integer")


_EQUAL = {case: _one_size(case) for case in ("nobody", "everyone", "two agents", "one influence")}
_SOURCE = "arneq_exact.theory.statements.static_corruption; theory page, T13"

STATEMENTS = (
    Statement(
        id="T13.order",
        title="Corruption that stays does no more harm than corruption drawn anew",
        claim="For a stationary policy and certain corruption W^rect <= W^static = min over K of W^K.",
        hypotheses=(DISCOUNTED, PER_STATE, CERTAIN),
        source=_SOURCE,
        status=FALSE_WITHOUT + CERTAIN.name,
        examine=lambda instance: _order(instance, False),
        confirm=lambda instance: _order(instance, True),
        families={
            **families.by_kind(_any_budget, KINDS),
            "sets": lambda rng: under_threat(rng, "sets", "policy"),
            "masks": _masked,
        },
        candidates=lambda rng, drop: _small(rng, 2, (1, 2), ThreatModel(1, probability="1/2")),
    ),
    Statement(
        id="T13.equal",
        title="When corruption that stays does as much harm",
        claim="W^rect = W^static for agent 1 if one set attains the per-state minimum wherever it leads.",
        hypotheses=(DISCOUNTED, PER_STATE, CERTAIN, ONE_SET),
        source=_SOURCE,
        status=FALSE_WITHOUT + ONE_SET.name,
        examine=lambda instance: _equal(instance, False, False),
        confirm=lambda instance: _equal(instance, True, False),
        families=_EQUAL,
        candidates=lambda rng, drop: _small(rng, 3, (1, 2, 2), ThreatModel(1)),
    ),
    Statement(
        id="T13.worst-set",
        title="One worst set that stays is not enough",
        claim="W^rect = W^static for agent 1 if one set is the worst that stays in every state.",
        hypotheses=(DISCOUNTED, PER_STATE, CERTAIN, WORST_SET, ONE_SET),
        source=_SOURCE,
        status=FALSE_WITHOUT + ONE_SET.name,
        examine=lambda instance: _equal(instance, False, True),
        confirm=lambda instance: _equal(instance, True, True),
        families=_EQUAL,
        candidates=lambda rng, drop: _small(rng, 3, (1, 2, 2), ThreatModel(1)),
    ),
    Statement(
        id="T13.chain",
        title="A chain on which the two differ",
        claim="On the chain W^rect(s1) = 0 and W^static(s1) = min(w, γ w') > 0 for agent 1.",
        hypotheses=(DISCOUNTED, CHAIN),
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_chain,
        families={"chain": draw_chain},
    ),
    Statement(
        id="T13.memory",
        title="Against corruption that stays, memory is worth more than any stationary policy",
        claim="On the game in which agent 1 first watches and then relies on somebody, memory secures "
        "min(γ w' / 2, w) > 0 more than the best stationary policy.",
        hypotheses=(WATCHED, ONE_OF_ALL),
        source=_SOURCE,
        status=UNDER_HYPOTHESES,
        examine=_memory,
        families={"watched": draw_watched},
    ),
)
