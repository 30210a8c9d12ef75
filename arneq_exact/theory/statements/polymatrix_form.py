"""[T11] Two agents and a probability: a complementarity problem with rational solutions.

Agents x_1, x_2 and attackers y_1 ∈ Δ(A_2), y_2 ∈ Δ(A_1) play a polymatrix game. With P its stacked payoffs
(0 between those who do not meet), C = (max P + 1)·11ᵀ − P > 0 and E the indicator of blocks, its equilibria
are the solutions of

    z = (x, v) ≥ 0,   w = Mz + q ≥ 0,   zᵀw = 0,      M = [[C, −E], [Eᵀ, 0]],   q = (0, −1).

M is copositive-plus: zᵀMz = xᵀCx ≥ 0 for z ≥ 0, and where it is 0, x = 0 and (M + Mᵀ)z = 0. So Lemke's
method with a lexicographic rule ends at a solution. Everything is checked here in Fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.exact.lemke import polymatrix_equilibrium
from arneq_exact.exact.matrix_games import exact_matrix_game
from arneq_exact.exact.rationals import common_denominator
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.stage.exact_stage import ExactStageSolver
from arneq_exact.stage.two_agents.polymatrix import solve_polymatrix
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import LP_TOLERANCE, Stage, stages
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.monotonicity import TWO_AGENTS

DRAWS = 8
"""Non-negative vectors on which M is tried."""


def _one_probability(instance: Instance) -> bool:
    threat = instance.threat
    limits = (threat.masks, threat.inequalities)
    return instance.game.n_agents == 2 and threat.k is not None and all(limit is None for limit in limits)


PROBABILITY = Hypothesis(
    "one probability", "Each of two agents sees the other corrupted with one probability.", _one_probability
)


def _probability(threat: ThreatModel) -> Fraction:
    if threat.k == 0:
        return Fraction(0)
    return Fraction(1) if threat.probability is None else Fraction(threat.probability)


def stacked_payoffs(stage: Stage, rho: Fraction) -> tuple[Array, list[int]]:
    """Return P and the block sizes: agents 1 and 2, then the attackers of agent 1 and of agent 2."""
    first, second = stage.payoffs
    rows, columns = first.shape
    sizes = [rows, columns, columns, rows]
    starts = np.cumsum([0, *sizes])
    agent1, agent2, attacker1, attacker2 = (slice(low, high) for low, high in pairwise(starts.tolist()))
    P = np.full((sum(sizes), sum(sizes)), Fraction(0), dtype=object)
    P[agent1, agent2], P[agent1, attacker1], P[attacker1, agent1] = (1 - rho) * first, rho * first, -first.T
    P[agent2, agent1], P[agent2, attacker2] = (1 - rho) * second.T, rho * second.T
    P[attacker2, agent2] = -second
    return P, sizes


def complementarity(P: Array, sizes: Sequence[int]) -> tuple[Array, Array]:
    """Return M and q of the problem."""
    actions, players = len(P), len(sizes)
    C = P.max() + 1 - P
    E = np.full((actions, players), Fraction(0), dtype=object)
    for row, player in enumerate(np.repeat(np.arange(players), sizes)):
        E[row, player] = Fraction(1)
    nothing = np.full((players, players), Fraction(0), dtype=object)
    M = np.block([[C, -E], [E.T, nothing]])
    return M, np.array([Fraction(0)] * actions + [Fraction(-1)] * players, dtype=object)


def _copositive_plus(rng: np.random.Generator, M: Array, actions: int) -> list[Comparison]:
    """zᵀMz on drawn z ≥ 0 is the form of C, which is positive unless x = 0; then (M + Mᵀ)z = 0."""
    forms, own = [], []
    for _ in range(DRAWS):
        z = np.array([Fraction(int(entry)) for entry in rng.integers(0, 3, len(M))], dtype=object)
        x = z[:actions]
        forms.append(z.dot(M.dot(z)))
        # C > 0 entry by entry, so the form is at least the least entry times the square of the sum.
        own.append(M[:actions, :actions].min() * x.sum() ** 2)
        z[:actions] = Fraction(0)
        symmetric = (M + M.T).dot(z)
        forms.append(abs(symmetric).max())
        own.append(Fraction(0))
    return [
        at_most("what the form must exceed, the form of M", own, forms),
        at_most("1, the least entry of C", Fraction(1), M[:actions, :actions].min()),
    ]


def _solves(
    M: Array, q: Array, sizes: Sequence[int], mixtures: Sequence[Sequence[Fraction]]
) -> list[Comparison]:
    """Mixtures of an equilibrium, with the least cost of each player, solve the problem."""
    x = [Fraction(p) for mixture in mixtures for p in mixture]
    costs = M[: len(x), : len(x)].dot(np.array(x, dtype=object))
    edges = np.cumsum([0, *sizes])
    v = [costs[low:high].min() for low, high in pairwise(edges.tolist())]
    z = np.array([*x, *v], dtype=object)
    w = M.dot(z) + q
    return [
        at_most("0, the least entry of z and of w", Fraction(0), min(z.min(), w.min())),
        equal("product of z and w, 0", z.dot(w), Fraction(0)),
    ]


def _equilibrium(instance: Instance, stage: Stage, play: Sequence[Sequence[Any]], where: str) -> Comparison:
    """The gap of each agent's strategy, in Fractions, from the definition."""
    mixtures = [np.array([Fraction(p) for p in one], dtype=object) for one in play]
    gaps = []
    for agent in range(2):
        table = definition.matrix(stage.payoffs[agent], mixtures, agent, instance.threat)
        gaps.append(exact_matrix_game(table)[0] - mixtures[agent].dot(table).min())
    return equal(f"gap of {where}, 0", gaps, [Fraction(0)] * 2)


def _problem(instance: Instance) -> Findings:
    """Equilibria solve the problem, and Lemke's solution of it is an equilibrium."""
    threat, game = instance.threat, instance.game
    if not _one_probability(instance) or game.transitions.nnz or game.n_states > 1:
        return Findings(undecided="the problem is written for two agents in one stage")
    rng = instance.rng()
    (stage,) = stages(instance, True)
    rho = _probability(threat)
    P, sizes = stacked_payoffs(stage, rho)
    M, q = complementarity(P, sizes)
    comparisons = _copositive_plus(rng, M, len(P))
    solved = ExactStageSolver(stage_attackers(threat, stage.counts)).solve(list(stage.payoffs))
    widths = [len(attack) for attack in solved.attack]
    if rho > 0 and widths != sizes[2:]:
        return Findings([equal("attacks of both attackers, columns of the solver", sizes[2:], widths)])
    attacks = [
        # At probability 0 nothing is attacked; any best reply completes the equilibrium.
        attack if rho > 0 else _worst(stage, solved.policy, agent)
        for agent, attack in enumerate(solved.attack)
    ]
    comparisons.append(_equilibrium(instance, stage, solved.policy, "the rational equilibrium"))
    comparisons += _solves(M, q, sizes, [*solved.policy, *attacks])
    numerators, _ = common_denominator([Fraction(entry) for entry in P.ravel().tolist()])
    width = len(P)
    lemke = polymatrix_equilibrium(
        [numerators[at : at + width] for at in range(0, width * width, width)], sizes
    )
    if lemke is None:
        return Findings(comparisons, undecided="Lemke's method met its bound of pivots")
    mixtures = [[Fraction(weight, sum(weights)) for weight in weights] for weights in lemke]
    comparisons.append(_equilibrium(instance, stage, mixtures[:2], "Lemke's solution"))
    comparisons += _solves(M, q, sizes, mixtures)
    return Findings(comparisons)


def _worst(stage: Stage, policy: Sequence[Sequence[Fraction]], agent: int) -> list[Fraction]:
    """Return a pure best reply of the attacker of `agent` to the agent's mixture."""
    harm = np.array(policy[agent], dtype=object).dot(np.moveaxis(stage.payoffs[agent], agent, 0)).tolist()
    return [Fraction(int(action == harm.index(min(harm)))) for action in range(len(harm))]


def _compiled(instance: Instance) -> Findings:
    """The compiled Lemke method ends at an equilibrium, judged from the definition."""
    threat = instance.threat
    if not _one_probability(instance):
        return Findings(undecided="the problem is written for two agents")
    rho = float(_probability(threat))
    gaps, zero, sizes = [], [], []
    for stage in stages(instance):
        found = solve_polymatrix(stage.payoffs[None], rho)
        play = [found.x1[0], found.x2[0]]
        for agent in range(2):
            table = definition.matrix(stage.payoffs[agent], play, agent, threat, stage.state)
            gaps.append(definition.matrix_game_value(table) - float((play[agent] @ table).min()))
            zero.append(0.0)
            sizes.append(stage.size(agent))
    return Findings(
        [at_most("gap of Lemke's solution by HiGHS, 0", gaps, zero, sizes)],
        LP_TOLERANCE,
        "equilibria are verified to a regret of 1e-10 of the payoff range, which is at most 2 units; "
        "HiGHS is asked for 1e-10 on each constraint",
    )


def _draw(rng: np.random.Generator, kind: str) -> Instance:
    game = families.stage_game(rng, kind, families.action_counts(rng, 2, 3))
    return Instance(game, ThreatModel(1, probability=Fraction(int(rng.integers(0, 9)), 8)))


def _draw_larger(rng: np.random.Generator, kind: str) -> Instance:
    game = families.stage_game(rng, kind, families.action_counts(rng, 2, 5))
    return Instance(game, ThreatModel(1, probability=Fraction(int(rng.integers(0, 9)), 8)))


STATEMENTS = (
    Statement(
        id="T11",
        title="Two agents: a complementarity problem with rational solutions",
        claim="Two-agent stage ARNEQ are the solutions of a copositive-plus problem: rational ones exist.",
        hypotheses=(TWO_AGENTS, PROBABILITY),
        source="theory page, T11; Lemke (1965), Howson (1972)",
        status=UNDER_HYPOTHESES,
        examine=_problem,
        families=families.by_kind(_draw),
    ),
    Statement(
        id="T11.lemke",
        title="Lexicographic Lemke ends at an equilibrium",
        claim="Lemke's method on the complementarity problem ends at a stage ARNEQ, ties or not.",
        hypotheses=(TWO_AGENTS, PROBABILITY),
        source="theory page, T11",
        status=UNDER_HYPOTHESES,
        examine=_compiled,
        families=families.by_kind(_draw_larger),
    ),
)
