"""[T8]: what happens without one type throughout, shown on families around the known examples.

* *Discontinuity*: n = 3, k ∈ {0, 1}, Q_1 = b·1{a_2 = 1 or a_3 = 1} − c a_1, Q_j = ±δ_j a_j for j = 2, 3:
  agents 2 and 3 have a dominant action that turns with the sign, and V_1 jumps by b while the payoffs move
  by 2 max δ.
* *Mixed types*: k = 0, both agents paid a in one corner and b < a elsewhere: one equilibrium is a global
  point, another a saddle, and the values a and b differ by as much as one likes.
* *Cycles*: NoSDE, in any unit of either agent's payoffs, with either agent in the part of the first, and
  with states in either order. From 0 the procedure runs into an exact 5-cycle at k = 0, proved in
  Fractions; its stationary equilibrium mixes. At k = 1 it converges. With clones who vote the cycle stays at
  any budget (`arneq_exact.theory.statements.majority_votes`)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.exact.arrays import scaled
from arneq_exact.markov.iteration import iterate
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs, stage_payoffs
from arneq_exact.oracle.periodic_orbit import find_orbit
from arneq_exact.oracle.pure_play import pure_play
from arneq_exact.stage.solve import StageSolver
from arneq_exact.theory.draw.nosde import is_nosde, nosde_like
from arneq_exact.theory.draw.worked_games import draw_corner, draw_jump, is_corner, is_jump
from arneq_exact.theory.engine.assumptions import selected_types
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import is_plain_budget
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement

Generator = np.random.Generator

RUN, ORBIT = 600, 60
"""Iterations in which a run must be seen to go round, and a guess of its orbit to be made: at the discount of
NoSDE, 3/4, values repeat to 1e-10 after some 80, and play settles sooner. More than that is margin."""


def _is_plain(instance: Instance, *budgets: int) -> bool:
    return is_plain_budget(instance.threat) and instance.threat.k in budgets


JUMPS = Hypothesis(
    "jump",
    "Two states, k = 0 or 1: Q_1 = b·1{a_2 = 1 or a_3 = 1} − c a_1 in both and Q_j = ±δ_j a_j, j = 2, 3, "
    "with one sign in each; b, c > 0 and 2 max δ ≤ b.",
    lambda instance: _is_plain(instance, 0, 1) and is_jump(instance.game),
    droppable=False,
)


def _jump(instance: Instance) -> Findings:
    game = instance.game
    stages = [stage_payoffs(game, state) for state in range(2)]
    attackers = stage_attackers(instance.threat, stages[0].shape[1:])
    batch = [np.stack([stage[agent] for stage in stages]) for agent in range(3)]
    found = StageSolver(attackers).solve(batch)
    values = [
        selected_types(stage, [x[state] for x in found.policy], attackers)[0].value
        for state, stage in enumerate(stages)
    ]
    change = max(float(np.abs(stages[1] - stages[0]).max()), 1e-300)
    whole = [scaled(exact_payoffs(game, state)) for state in range(2)]
    exact = []
    for table, unit in whole:
        joint = pure_play(table, instance.threat.k or 0).profiles()[0]
        exact.append(Fraction(int(pure_play(table, instance.threat.k or 0).worth(joint)[0]), unit))
    bonus = float(np.ptp(stages[0][0]))
    return Findings(
        comparisons=[
            at_most("change of all payoffs, jump of the value", change, abs(values[0] - values[1]), bonus),
            equal(
                "jump of the value, in Fractions",
                abs(values[0] - values[1]),
                float(abs(exact[0] - exact[1])),
                bonus,
            ),
            equal("change of the own payoffs, none", float(np.abs(stages[1][0] - stages[0][0]).max()), 0.0),
        ],
        tolerance=1e-9,
        justification="stage values are verified to 1e-10 of the payoff range",
        quantities={"values": values, "change": change},
    )


CORNER = Hypothesis(
    "corner",
    "One stage with two actions for each of two agents, k = 0; in one corner both earn more than elsewhere, "
    "where each earns the same.",
    lambda instance: _is_plain(instance, 0) and is_corner(instance.game),
    droppable=False,
)
NOSDE = Hypothesis(
    "NoSDE",
    "The game is NoSDE, in any units and order; k = 0.",
    lambda instance: _is_plain(instance, 0) and is_nosde(instance.game),
    droppable=False,
)


def _mixed_types(instance: Instance) -> Findings:
    payoffs = stage_payoffs(instance.game, 0)
    nobody = stage_attackers(instance.threat, payoffs.shape[1:])
    found = pure_play(payoffs, 0)
    best = np.unravel_index(int(payoffs[0].argmax()), payoffs.shape[1:])
    other = tuple(1 - int(action) for action in best)
    both = []
    for joint in (tuple(int(action) for action in best), other):
        play = [np.eye(2)[action] for action in joint]
        both.append((bool(found.equilibrium[joint]), selected_types(payoffs, play, nobody)))
    (is_one, top), (is_other, saddle) = both
    kinds = all(one.a and not one.b for one in top) and all(one.b and not one.a for one in saddle)
    gap = min(one.value - two.value for one, two in zip(top, saddle, strict=True))
    return Findings(
        comparisons=[
            equal("both profiles are equilibria", float(is_one and is_other), 1.0),
            equal("one is a global point, the other a saddle", float(kinds), 1.0),
            at_most("0, gap of their values", 0.0, gap, float(np.ptp(payoffs))),
        ],
        justification="payoffs are compared as they stand, and types to 1e-9 of their range",
        tolerance=1e-9,
        quantities={"values": [[one.value for one in types] for types in (top, saddle)]},
    )


def _goes_round(instance: Instance) -> Findings:
    game = instance.game
    run = iterate(game, ThreatModel(0), max_iterations=RUN, keep_trace=False)
    converges = iterate(game, ThreatModel(1), tol=1e-6, keep_trace=False)
    orbit = find_orbit(game, 0, iterations=ORBIT)
    if orbit is None:
        return Findings(comparisons=[equal("an orbit is proved", 0.0, 1.0)])
    period = run.cycle.period if run.cycle else 0
    unit = game.reward_range[:, None, None]
    floats = orbit.values.astype(np.float64)
    # Once round from where the run ended.
    again = iterate(game, ThreatModel(0), initial_values=run.values, max_iterations=orbit.period - 1)
    last = again.trace.values
    # Somewhere along the orbit the run and the proof agree.
    shifts = [np.abs(np.roll(floats, shift, axis=0) - last).max(axis=(0, 2)) for shift in range(orbit.period)]
    nearest = min(shifts, key=lambda errors: float((errors / unit[:, 0, 0]).max()))
    return Findings(
        comparisons=[
            equal("period of the run, of the proved orbit", float(period), float(orbit.period)),
            equal("period, five", float(orbit.period), 5.0),
            equal("values of the run, of the proved orbit", nearest, 0.0, unit[:, 0, 0]),
            equal("converges at k = 1", float(converges.status == "converged"), 1.0),
        ],
        tolerance=1e-8,
        justification="a cycle is noticed where values repeat to 1e-10 of the largest value",
        quantities={"values along the orbit": orbit.values},
    )


STATEMENTS = (
    Statement(
        id="T8.discontinuity",
        title="A stage value jumps",
        claim="A value jumps while the own payoffs stay and those of others change by little.",
        hypotheses=(JUMPS,),
        source="theory page, T8 (i)",
        status=UNDER_HYPOTHESES,
        examine=_jump,
        families={"k = 0": lambda rng: draw_jump(rng, 0), "k = 1": lambda rng: draw_jump(rng, 1)},
    ),
    Statement(
        id="T8.types",
        title="One stage game with both types",
        claim="A stage game can have an equilibrium of type A and not B, and another of type B and not A.",
        hypotheses=(CORNER,),
        source="theory page, T8 (ii)",
        status=UNDER_HYPOTHESES,
        examine=_mixed_types,
        families={
            "integer": lambda rng: draw_corner(rng, Fraction(1)),
            "quarters": lambda rng: draw_corner(rng, Fraction(1, 4)),
        },
    ),
    Statement(
        id="T8.cycle",
        title="The procedure goes round",
        claim="On NoSDE the procedure runs into an exact cycle of five at k = 0, and converges at k = 1.",
        hypotheses=(NOSDE,),
        source="theory page, T8 (iii); Zinkevich, Greenwald and Littman (2005)",
        status=UNDER_HYPOTHESES,
        examine=_goes_round,
        families={"nosde": lambda rng: Instance(nosde_like(rng), ThreatModel(0))},
    ),
)
