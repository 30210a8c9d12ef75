"""[T7]: under one type throughout the procedure contracts, converges, and ends at an ARNEQ; sampled too.

*Synchronous.* At successive iterates the stage payoffs differ by at most γ_i ‖V^t_i − V^{t−1}_i‖, and by
[T6] the stage values by no more. So every step of an agent is at most γ_i times its last one, whatever
happens to others. A policy selected at V^t with ‖V^{t+1} − V^t‖ ≤ ε is worth V^{t+1} within γε/(1−γ), and
so is the best reply to it: its gap is at most 2γε/(1−γ).

*Asynchronous.* Nash-Q replaces Q(s, a) by a mean of itself and (P_t Q)(s, a) = r + γ val(Q)(s'). The
pseudo-contraction lemma asks for ‖P_t Q_t − P_t Q*‖ ≤ γ ‖Q_t − Q*‖ + λ_t with λ_t → 0. Along a run λ_t is
estimated as what is missing, max(0, γ max_s' |val(Q_t)(s') − V*(s')| − γ ‖Q_t − Q*‖); under one type
throughout it must be 0 at every t.

Convergence fails without Assumption 3: a procedure may go round for ever [T8].
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.learning.exploration import RandomPairs
from arneq_exact.learning.nash_q import nash_q
from arneq_exact.learning.step_sizes import HARMONIC
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.evaluate import gap, robust_values
from arneq_exact.markov.iteration import iterate
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.model.rationals import FloatArray
from arneq_exact.stage.equilibrium_types import TYPE_A, types_at
from arneq_exact.theory import generators
from arneq_exact.theory.assumptions import (
    EncounteredTypes,
    Flags,
    Visits,
    common_types,
    encountered_types,
    step_size_assumption,
)
from arneq_exact.theory.evidence import Findings, at_most, equal
from arneq_exact.theory.instance import Instance
from arneq_exact.theory.periodic_orbit import PeriodicOrbit, find_orbit
from arneq_exact.theory.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.typed_games import by_type, sampled_game, typed_game

FIXED_TYPES = Hypothesis(
    "fixed types",
    "Per agent and state one type, A or B′, holds at every selected stage ARNEQ (Assumption 3).",
)
STEP_SIZES = Hypothesis(
    "step sizes", "0 ≤ α < 1, the steps sum to infinity and their squares do not (Assumption 2)."
)

MAX_ITERATIONS = 400
RESIDUAL = 1e-2
"""Of the reward range: steps are compared until they are this short."""

UPDATES, SNAPSHOTS = 20, 5

START = 0.05
"""Runs begin this much of the reward range above Q* (times the extras' "directions", one number per agent, so
that zero-sum games stay zero-sum): what is not yet visited must not reverse a choice."""

WHY = (
    "at each of two stage games a value errs by at most 1e-10 and a type by at most 1e-9 of the range of "
    "stage payoffs, which is the unit of the margins"
)


def _unit(payoffs: FloatArray) -> FloatArray:
    """Return the range of stage payoffs per agent, (n,), for payoffs (..., n, rows)."""
    moved = np.moveaxis(payoffs, -2, 0).reshape(payoffs.shape[-2], -1)
    spread: FloatArray = np.ptp(moved, axis=1)
    return np.where(spread > 0, spread, 1.0)


def _contracts(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    unit = float(game.reward_range.max())
    run = iterate(
        game,
        threat,
        selection=instance.extras.get("selection", "first"),
        max_iterations=int(instance.extras.get("iterations", MAX_ITERATIONS)),
        tol=RESIDUAL,
    )
    types = encountered_types(run)
    steps = np.abs(np.diff(run.trace.values, axis=0)).max(axis=2)
    bound = game.contraction
    range_ = _unit(np.stack([backup(game, values) for values in run.trace.values]))
    comparisons = [equal("converged", float(run.status == "converged"), 1.0)]
    if len(steps) > 1:
        name = "step of the values, modulus times the step before"
        comparisons.append(at_most(name, steps[1:], bound * steps[:-1], range_))
    if run.status == "converged":
        regret = gap(game, threat, run.policy).max(axis=1)
        allowed = 2 * bound / (1 - bound) * steps[-1]
        comparisons.append(
            at_most("gap of the last policy, its bound", regret, allowed, range_ / (1 - bound))
        )
    # Of steps that rounding has not swallowed.
    ratios = steps[1:] / np.maximum(steps[:-1], 1e-7 * unit)
    return Findings(
        comparisons=comparisons,
        hypotheses={FIXED_TYPES.name: types.fixed},
        tolerance=1e-8,
        justification=WHY,
        quantities={
            "ratio per iteration": run.trace.ratio,
            "largest ratio": float(ratios.max(initial=0.0)),
            "modulus": float(bound.max()),
            "types": types.names(),
            "only A": bool((types.always == TYPE_A).all()),
            "status": run.status,
            "period": run.cycle.period if run.cycle else 0,
        },
    )


def _cycles(instance: Instance) -> Findings:
    """A periodic orbit in Fractions whose stage ARNEQ are unique, pure and strict."""
    if instance.threat.k is None:
        return Findings(undecided="the threat is no budget")
    orbit = find_orbit(instance.game, instance.threat.k)
    if orbit is None:
        return Findings(undecided="no periodic orbit with unique, pure and strict stage ARNEQ was found")
    spread = max(instance.game.exact_reward_range())
    return Findings(
        comparisons=[at_most("amplitude of the orbit", orbit.amplitude(), Fraction(0), spread)],
        hypotheses={FIXED_TYPES.name: _along(instance, orbit).fixed},
        quantities={
            "period": orbit.period,
            "values": orbit.values,
            "play": [[list(joint) for joint in play] for play in orbit.play],
        },
    )


def _along(instance: Instance, orbit: PeriodicOrbit) -> EncounteredTypes:
    """Return the types that hold along an orbit, decided in doubles at each of its stage ARNEQ."""
    game = instance.game
    flags = []
    for step, values in enumerate(orbit.values):
        payoffs = backup(game, values.astype(np.float64))
        following = orbit.values[(step + 1) % orbit.period].astype(np.float64)
        flags.append(_flags(instance, payoffs, following))
    return common_types(np.stack(flags))


def _pseudo_contraction(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    selection = instance.extras.get("selection", "first")
    point = _fixed_point(instance, selection)
    if point is None:
        return Findings(undecided="no fixed point was found to compare with")
    best, values = point
    signs = np.array(instance.extras.get("directions", [1.0] * game.n_agents))
    run = nash_q(
        game,
        threat,
        updates=UPDATES,
        step_size=HARMONIC,
        exploration=RandomPairs(),
        selection=selection,
        seed=instance.seed,
        initial_payoffs=best + (START * signs * game.reward_range)[:, None],
        snapshots=SNAPSHOTS,
    )
    payoffs = np.concatenate([run.trace.payoffs, best[None]])
    selected = np.concatenate([run.trace.values, values[None]])
    flags = np.stack([_flags(instance, q, v) for q, v in zip(payoffs, selected, strict=True)])
    types = common_types(flags)
    discount = game.discount
    left = game.contraction * np.abs(run.trace.values - values).max(axis=2)
    right = discount * np.abs(run.trace.payoffs - best).max(axis=2)
    missing = np.maximum(left - right, 0.0)
    assumption = step_size_assumption(HARMONIC)
    counts = Visits(run.visits)
    return Findings(
        comparisons=[at_most("change of the target, modulus times distance", left, right, _unit(payoffs))],
        hypotheses={FIXED_TYPES.name: types.fixed, STEP_SIZES.name: assumption.held},
        tolerance=1e-8,
        justification=WHY + "; Q* is a fixed point to 1e-9",
        quantities={"λ": missing.max(axis=1), "least visits": counts.least, "types": types.names()},
    )


def _fixed_point(instance: Instance, selection: str) -> tuple[FloatArray, FloatArray] | None:
    """Return Q* and V* = val(Q*), by running the procedure, or sooner if its policy stays."""
    game, threat = instance.game, instance.threat
    for tol in (RESIDUAL, 1e-12):
        run = iterate(
            game, threat, selection=selection, tol=tol, max_iterations=MAX_ITERATIONS, keep_trace=False
        )
        values = robust_values(game, threat, run.policy)
        again = StageStep(game, threat, selection=selection).at(values).value
        if np.abs(again - values).max() <= 1e-9 * float(game.reward_range.max()):
            return backup(game, values), again
    return None


def _flags(instance: Instance, payoffs: FloatArray, values: FloatArray) -> Flags:
    """Return types (n, S) at stage payoffs (n, rows) with selected values (n, S)."""
    game = instance.game
    corruptions = [instance.threat.corruptions(game.n_agents, agent) for agent in range(game.n_agents)]
    flags = np.empty(values.shape, dtype=np.uint8)
    for state in range(game.n_states):
        rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        stage = payoffs[:, rows].reshape(game.n_agents, *game.action_counts[state].tolist())
        flags[:, state] = types_at(stage, values[:, state], corruptions)
    return flags


STATEMENTS = (
    Statement(
        id="T7",
        title="The procedure contracts and ends at an ARNEQ",
        claim="If one type holds throughout per agent and state, every step of the procedure is at most γ "
        "times the last one, it converges, and the selected policies tend to an ARNEQ.",
        hypotheses=(FIXED_TYPES,),
        source="theory page, T7 (Theorem 2 of the paper, synchronous form)",
        status=FALSE_WITHOUT + FIXED_TYPES.name,
        examine=_contracts,
        families=by_type(typed_game),
        confirm=_cycles,
        candidates=generators.markov,
    ),
    Statement(
        id="T7.asynchronous",
        title="Sampled updates form a pseudo-contraction",
        claim="Along a run of Nash-Q with one type throughout, ‖P_t Q_t − P_t Q*‖ ≤ γ ‖Q_t − Q*‖: λ_t = 0.",
        hypotheses=(FIXED_TYPES, STEP_SIZES),
        source="theory page, T7; Szepesvári and Littman (1999), Corollary 5",
        status=UNDER_HYPOTHESES,
        examine=_pseudo_contraction,
        families=by_type(sampled_game),
    ),
)
