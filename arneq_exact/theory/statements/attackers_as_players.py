"""[T3] An ARNEQ is a Nash equilibrium of agents and attackers.

Give every agent i an attacker who mixes y_i over the columns of M_i^π, and payoffs u_i = π_iᵀ M_i^π y_i and
−u_i. For every profile π the regrets of agent i and of its attacker add up to

    max_a (M_i^π y_i)_a − min_c (π_iᵀ M_i^π)_c  ≥  gap_i(π),

with equality at an optimal y_i of the matrix game. So π is a stage ARNEQ (all gaps 0) exactly if (π, y) is
a Nash equilibrium for some y. Since the game is multilinear, such an equilibrium exists.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.stage.solve import StageSolver
from arneq_exact.stage.zero_sum.linear import solve_matrix_games
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import stage_under_threat
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import LP_TOLERANCE, LP_WHY, Stage, kernel_matrix, stages
from arneq_exact.theory.engine.statement import PROVED, Statement
from arneq_exact.theory.statements.pure_attacks import draw_masked

DRAWS = 5
"""Mixed strategies drawn for each attacker."""


def _regrets(instance: Instance) -> Findings:
    """At any profile the two regrets add up to no less than the gap, and to the gap at an optimal attack."""
    rng = instance.rng()
    gaps, drawn, optimal, sizes = [], [], [], []
    for stage in stages(instance):
        for agent in range(stage.n):
            own, payoff = stage.play[agent], stage.payoffs[agent]
            built = kernel_matrix(payoff, stage.play, instance.threat, agent, stage.state)
            gaps.append(float(solve_matrix_games(built[None]).value[0] - (own @ built).min()))
            table = definition.matrix(payoff, stage.play, agent, instance.threat, stage.state)
            attacks = [families.mixture(rng, table.shape[1]) for _ in range(DRAWS)]
            drawn.append(min(_both(own, table, attack) for attack in attacks))
            optimal.append(_both(own, table, solve_matrix_games(table[None]).column[0]))
            sizes.append(stage.size(agent))
    return Findings(
        [
            at_most("gap, regrets of agent and attacker at a drawn attack", gaps, drawn, sizes),
            equal("gap, regrets of agent and attacker at an optimal attack", gaps, optimal, sizes),
        ],
        LP_TOLERANCE,
        LP_WHY,
    )


def _both(own: Array, table: Array, attack: Array) -> float:
    """Return the regret of the agent plus that of its attacker."""
    earned = own @ table @ attack
    return float(((table @ attack).max() - earned) + (earned - (own @ table).min()))


def _existence(instance: Instance) -> Findings:
    """The profile that the solver returns leaves no agent and no attacker a better reply."""
    game, threat = instance.game, instance.threat
    replies, attackers, gaps, zero, sizes = [], [], [], [], []
    for stage in stages(instance):
        resolved = resolve(game, threat).of(stage.state)
        solved = StageSolver(resolved).solve([payoff[None] for payoff in stage.payoffs])
        play = [mixture[0] for mixture in solved.policy]
        for agent in range(stage.n):
            payoff = stage.payoffs[agent]
            placed = stage._replace(play=tuple(play))
            columns = documented_columns(placed, threat, resolved.points[agent], agent)
            widths = columns.shape[1], solved.attack[agent].shape[1]
            if widths[0] != widths[1]:
                return Findings([equal("attacks by definition, columns of the solver", *widths)])
            earned = float(play[agent] @ columns @ solved.attack[agent][0])
            replies.append(float((columns @ solved.attack[agent][0]).max()) - earned)
            attackers.append(earned - float((play[agent] @ columns).min()))
            table = definition.matrix(payoff, play, agent, threat, stage.state)
            gaps.append(definition.matrix_game_value(table) - float((play[agent] @ table).min()))
            zero.append(0.0)
            sizes.append(stage.size(agent))
    return Findings(
        [
            at_most("regret of an agent in the game with attackers, 0", replies, zero, sizes),
            at_most("regret of an attacker, 0", attackers, zero, sizes),
            at_most("gap of the agents' profile by HiGHS, 0", gaps, zero, sizes),
        ],
        LP_TOLERANCE,
        "stage equilibria are verified to a regret of 1e-10 of the payoff range, which is at most 2 units; "
        "HiGHS is asked for 1e-10 on each constraint",
    )


def documented_columns(stage: Stage, threat: ThreatModel, points: Sequence[Corruption], agent: int) -> Array:
    """Return what the agent's actions earn (A_i, C) under each attack, in the documented order of columns.

    Extreme points of Ω_i come as the threat resolves them; the attacks at each are listed and evaluated by
    the definition, for an attacker whose only distribution it is [T10].
    """
    nobody = {frozenset[int](): 1}
    columns = []
    for point in points:
        law = {frozenset(members): weight for members, weight in point.weights}
        alone = ThreatModel(
            distribution={j: law if j == agent else nobody for j in range(stage.n)},
            informed=point.informed,
            masks=threat.masks,
        )
        for attack in definition.pure_attacks(alone, stage.counts, agent, stage.state):
            columns.append(definition.column(stage.payoffs[agent], stage.play, agent, attack))
    return np.stack(columns, axis=1)


def draw_solvable(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a stage game and a budget k that the stage solvers cover."""
    n = int(rng.integers(1, 5))
    counts = families.action_counts(rng, n, 3 if n < 3 else 2)
    if n == 3 and kind == "dense" and rng.random() < 0.3:
        counts = (3, 3, 2)
    return Instance(families.stage_game(rng, kind, counts), ThreatModel(int(rng.integers(0, n + 1))))


def _draw_any_profile(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(1, 5))
    counts = families.action_counts(rng, n, 3 if n < 4 else 2)
    return Instance(families.stage_game(rng, kind, counts), ThreatModel(int(rng.integers(0, n + 1))))


STATEMENTS = (
    Statement(
        id="T3",
        title="ARNEQ and Nash equilibria with attackers",
        claim="A profile's gap is the least total regret of an agent and its attacker, over attacks.",
        hypotheses=(),
        source="theory page, T3; minimax theorem",
        status=PROVED,
        examine=_regrets,
        families=families.by_kind(_draw_any_profile),
    ),
    Statement(
        id="T3.existence",
        title="A stage ARNEQ exists",
        claim="Some profile of agents and attackers leaves none of the 2n players a better reply.",
        hypotheses=(),
        source="theory page, T3; Nash (1951)",
        status=PROVED,
        examine=_existence,
        families={
            **families.by_kind(draw_solvable),
            "other threats": lambda rng: stage_under_threat(rng, "dense"),
            "masks": lambda rng: draw_masked(rng, "integer"),
        },
    ),
)
