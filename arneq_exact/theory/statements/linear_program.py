"""[T2] The agent's problem is a linear program.

Agent i's best robust value is the value of the matrix game M_i^π: max v subject to M_iᵀ x ≥ v, x ∈ Δ. The
dual solution is a joint distribution over (K, a_K), the worst mixed attack against all of the agent's
strategies.

**Who gains from correlation?** An attacker who draws K and, independently, each member's action plays ω ⊗
product π̂. For the agent's max-min it makes no difference if the attacker may do no more than that, because
pure attacks are of this form. For the min-max it does: with m ≥ 2 the attacker may need to correlate what two
corrupted agents do. With m ≤ 1 every joint attack is a product: ω(j) is its mass on agent j, π̂_j its
conditional distribution there.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact.exact.matrix_games import exact_matrix_game
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.stage.zero_sum.linear import solve_matrix_games
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import (
    FULL_SIMPLEX,
    LP_TOLERANCE,
    LP_WHY,
    NO_MASKS,
    Stage,
    kernel_matrix,
    rational_mixture,
    stages,
)
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, PROVED, Hypothesis, Statement
from arneq_exact.theory.statements.pure_attacks import draw_stage, mixed_attacks


def _duality(instance: Instance) -> Findings:
    """Primal, dual and HiGHS agree, and no drawn strategy guarantees more."""
    rng = instance.rng()
    primal, dual, highs, drawn, sizes = [], [], [], [], []
    for stage in stages(instance):
        for agent in range(stage.n):
            table = definition.matrix(stage.payoffs[agent], stage.play, agent, instance.threat, stage.state)
            built = kernel_matrix(stage.payoffs[agent], stage.play, instance.threat, agent, stage.state)
            solved = solve_matrix_games(built[None])
            primal.append(float((solved.row[0] @ table).min()))
            dual.append(float((built @ solved.column[0]).max()))
            highs.append(definition.matrix_game_value(table))
            others = np.stack([families.mixture(rng, len(table)) for _ in range(6)])
            drawn.append(float((others @ table).min(axis=1).max()))
            sizes.append(stage.size(agent))
    return Findings(
        [
            equal("the program's optimum, its dual's", primal, dual, sizes),
            equal("the program's optimum, HiGHS on all pure attacks", primal, highs, sizes),
            at_most("a drawn strategy's guarantee, the optimum", drawn, primal, sizes),
        ],
        LP_TOLERANCE,
        LP_WHY,
    )


ROUNDS = 200
"""Cuts after which the max-min against product attacks would be given up; pure attacks are finitely many."""

STARTS, SWEEPS = 5, 6
"""Descents over product attacks, and the times that each goes through all factors."""

BOXES = 4000
"""Boxes of product attacks that are examined to prove a gap."""

ONE_CORRUPTED = Hypothesis(
    "one corrupted agent",
    "m = min(k, n−1) is at most 1.",
    lambda instance: min(instance.threat.k or 0, instance.game.n_agents - 1) <= 1,
)


def _maximin(instance: Instance) -> Findings:
    """Max-min over an attacker of product attacks, by cutting planes, against the linear program."""
    rng = instance.rng()
    joint, restricted, sizes = [], [], []
    for stage in stages(instance):
        for agent in range(stage.n):
            built = kernel_matrix(stage.payoffs[agent], stage.play, instance.threat, agent, stage.state)
            joint.append(float(solve_matrix_games(built[None]).value[0]))
            restricted.append(_against_products(rng, stage, instance.threat, agent))
            sizes.append(stage.size(agent))
    comparison = equal("max-min against joint attacks, against product attacks", joint, restricted, sizes)
    return Findings([comparison], LP_TOLERANCE, LP_WHY)


def _against_products(rng: np.random.Generator, stage: Stage, threat: ThreatModel, agent: int) -> float:
    """Max-min of an attacker who mixes over sets and, independently, over each agent's actions.

    Starts from attacks that mix; then adds, of the pure attacks and of new drawn ones, what hurts the current
    strategy most, until nothing hurts it more. Every attack that is used is a product.
    """
    pure = definition.matrix(stage.payoffs[agent], stage.play, agent, threat, stage.state)
    cuts = mixed_attacks(rng, stage, threat, agent)
    for _ in range(ROUNDS):
        solved = solve_matrix_games(cuts[None])
        more = np.concatenate([pure, mixed_attacks(rng, stage, threat, agent)], axis=1)
        harm = solved.row[0] @ more
        if harm.min() >= solved.value[0] - 1e-12 * stage.size(agent):
            return float(solved.value[0])
        cuts = np.concatenate([cuts, more[:, [int(harm.argmin())]]], axis=1)
    raise AssertionError("cutting planes did not end")


def _minimax(instance: Instance) -> Findings:
    """Min-max over product attacks, found by descent, against the linear program."""
    rng = instance.rng()
    threat = instance.threat
    joint, restricted, sizes = [], [], []
    for stage in stages(instance):
        for agent in range(stage.n):
            table = definition.matrix(stage.payoffs[agent], stage.play, agent, threat, stage.state)
            solved = solve_matrix_games(table[None])
            joint.append(float(solved.value[0]))
            restricted.append(_least_product(rng, stage, threat, agent, solved.column[0]))
            sizes.append(stage.size(agent))
    comparison = equal("min-max of joint attacks, of product attacks", joint, restricted, sizes)
    return Findings([comparison], LP_TOLERANCE, LP_WHY)


def _least_product(
    rng: np.random.Generator, stage: Stage, threat: ThreatModel, agent: int, joint: Array
) -> float:
    """Return the least max_a over product attacks that descent finds.

    First from the marginals of the optimal joint attack, which for m ≤ 1 are that attack, then from drawn
    ones. Each sweep lowers the maximum over one factor of the product at a time, each by a matrix game.
    """
    attacks = list(definition.pure_attacks(threat, stage.counts, agent, stage.state))
    sets = definition.corruption_sets(stage.n, agent, threat.k or 0)
    best = float("inf")
    correlated = len(sets[-1]) > 1
    for start in range(STARTS if correlated else 1):
        law = rng.dirichlet(np.ones(len(sets)))
        played = {j: families.mixture(rng, count) for j, count in enumerate(stage.counts)}
        if start == 0:
            law, played = _marginals(attacks, joint, sets, stage)
        worst = float("inf")
        others: list[int | None] = [j for j in range(stage.n) if j != agent]
        for factor in [None, *others] * SWEEPS if correlated else [None]:
            columns = _factor_columns(stage, agent, sets, law, played, factor)
            mixture = solve_matrix_games(columns[None]).column[0]
            if factor is None:
                law = mixture
            else:
                played[factor] = mixture
            worst = float((columns @ mixture).max())
        best = min(best, worst)
    return best


def _factor_columns(
    stage: Stage, agent: int, sets: list[Any], law: Array, played: dict[int, Array], factor: int | None
) -> Array:
    """Return what actions earn for each choice of one factor: the set (None), or one agent's action."""

    def earned(members: Any, mixtures: dict[int, Array]) -> Array:
        mix = [mixtures[j] if j in members else stage.play[j] for j in range(stage.n)]
        return definition.reply_values(stage.payoffs[agent], agent, mix)

    if factor is None:
        return np.stack([earned(K, played) for K in sets], axis=1)
    columns = []
    for action in range(stage.counts[factor]):
        pure = {**played, factor: definition.unit(action, stage.counts[factor])}
        columns.append(sum(weight * earned(K, pure) for weight, K in zip(law, sets, strict=True)))
    return np.stack(columns, axis=1)


def _marginals(
    attacks: list[Any], joint: Array, sets: list[Any], stage: Stage
) -> tuple[Array, dict[int, Array]]:
    """Split a joint attack into its distribution over sets and each agent's distribution over actions."""
    law = np.zeros(len(sets))
    played = {j: np.zeros(count) for j, count in enumerate(stage.counts)}
    for attack, weight in zip(attacks, joint, strict=True):
        (members,) = attack.law
        law[sets.index(members)] += weight
        for j, action in attack.forced[members].items():
            played[j][action] += weight
    for j, mixture in played.items():
        total = mixture.sum()
        played[j] = mixture / total if total > 0 else stage.play[j]
    return law, played


def _minimax_exactly(instance: Instance) -> Findings:
    """A proved lower bound of the min-max over product attacks, in Fractions, against the joint value.

    Of two-action agents j ≠ i let p_j be the corrupted probability of the second action. Over a box of p
    the payoffs of every K are multi-affine, so a matrix game with a column for every K and every corner is
    worth no more than any product attack in it. Boxes are halved until each is worth more than the joint
    value.
    """
    threat = instance.threat
    best = Fraction(-1)
    found: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    for stage in stages(instance, True):
        for agent in range(stage.n):
            if any(count > 2 for j, count in enumerate(stage.counts) if j != agent):
                continue
            table = definition.matrix(stage.payoffs[agent], stage.play, agent, threat, stage.state)
            value, _, _ = exact_matrix_game(table)
            bound = _bisect(stage, agent, threat.k or 0, value)
            if bound is not None and (bound - value) / stage.size(agent) > best:
                best, found = (bound - value) / stage.size(agent), (value, bound)
    if best <= 0:
        return Findings(undecided=f"no gap is proved by {BOXES} boxes")
    comparison = equal("min-max of joint attacks, a lower bound of that of product attacks", *found)
    return Findings([comparison])


def _bisect(stage: Stage, agent: int, k: int, value: Fraction) -> Fraction | None:
    """Return a bound above `value` that every product attack exceeds, or None."""
    sets = definition.corruption_sets(stage.n, agent, k)
    others = [j for j in range(stage.n) if j != agent and stage.counts[j] == 2]
    boxes = [tuple((Fraction(0), Fraction(1)) for _ in others)]
    least: Fraction | None = None
    for _ in range(BOXES):
        if not boxes:
            return least
        box = boxes.pop()
        columns = []
        for corner in product(*box):
            played = {j: np.array([1 - p, p], dtype=object) for j, p in zip(others, corner, strict=True)}
            for K in sets:
                mix = [played.get(j, stage.play[j]) if j in K else stage.play[j] for j in range(stage.n)]
                columns.append(definition.reply_values(stage.payoffs[agent], agent, mix))
        bound, _, _ = exact_matrix_game(np.stack(columns, axis=1))
        if bound > value:
            least = bound if least is None else min(least, bound)
            continue
        widest = max(range(len(box)), key=lambda side: box[side][1] - box[side][0], default=-1)
        if widest < 0 or box[widest][1] - box[widest][0] < Fraction(1, 256):
            return None
        low, high = box[widest]
        middle = (low + high) / 2
        boxes += [(*box[:widest], half, *box[widest + 1 :]) for half in ((low, middle), (middle, high))]
    return None


def _draw_small_budget(rng: np.random.Generator, kind: str) -> Instance:
    drawn = draw_stage(rng, kind)
    return Instance(drawn.game, ThreatModel(int(rng.integers(0, 2))), drawn.extras)


def _draw_two_corrupted(rng: np.random.Generator, drop: str) -> Instance:
    """Three agents of whom two may be corrupted, small integers."""
    table = rng.integers(0, 3, (3, int(rng.integers(2, 4)), 2, 2))
    policy = [rational_mixture(rng, count)[None] for count in table.shape[1:]]
    return Instance(MarkovGame.one_shot(table.astype(object)), ThreatModel(2), {"policy": policy})


STATEMENTS = (
    Statement(
        id="T2",
        title="The agent's problem is a linear program",
        claim="An agent's best robust value is the value of the matrix game M_i^π, its dual a joint attack.",
        hypotheses=(),
        source="theory page, T2; von Neumann's minimax theorem",
        status=PROVED,
        examine=_duality,
        families=families.by_kind(draw_stage),
    ),
    Statement(
        id="T2.maximin",
        title="Correlation does not help against max-min",
        claim="The agent guarantees no more against product attacks than against joint ones.",
        hypotheses=(),
        source="theory page, T2: pure attacks are products",
        status=PROVED,
        examine=_maximin,
        families=families.by_kind(draw_stage),
    ),
    Statement(
        id="T2.minimax",
        title="A product attack can hold the agent to its value",
        claim="Some product attack leaves the agent no more than its best robust value.",
        hypotheses=(FULL_SIMPLEX, NO_MASKS, ONE_CORRUPTED),
        source="theory page, T2: for m ≤ 1 every joint attack is a product",
        status=FALSE_WITHOUT + ONE_CORRUPTED.name,
        examine=_minimax,
        confirm=_minimax_exactly,
        families=families.by_kind(_draw_small_budget),
        candidates=_draw_two_corrupted,
    ),
)
