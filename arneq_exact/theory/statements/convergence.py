"""[T7]: under one type throughout the procedure contracts, converges, and ends at an ARNEQ.

At successive iterates the stage payoffs differ by at most β_i ‖V^t_i − V^{t−1}_i‖, and by [T6] the stage
values by no more. So every step of an agent is at most β_i times its last one, whatever happens to others. A
policy selected at V^t with ‖V^{t+1} − V^t‖ ≤ ε is worth V^{t+1} within βε/(1−β), and so is the best reply to
it: its gap is at most 2βε/(1−β).

*What the values are.* Where type B′ holds for an agent in all states, each of its steps is one of minimax
iteration, V^{t+1}_i(s) = sec_i(Q^t_i(s, ·)), which depends on nothing that others do: V* is what it can
secure in the Markov game. Where type A holds, V^{t+1}_i(s) = max over profiles of g_i, so that no stationary
product policy is worth more than V* anywhere.

The run is the library's. What its last policy is worth, the best reply to it, and what the agents can secure
are computed from first principles, so that a fault in a kernel cannot be on both sides.

Convergence fails without Assumption 3: a procedure may go round for ever [T8].
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.iteration import IterationResult, iterate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import best_value, contest, robust_value
from arneq_exact.oracle.definition import is_budget, stage_payoffs
from arneq_exact.oracle.periodic_orbit import PeriodicOrbit, find_orbit
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, types_at
from arneq_exact.theory.draw import families, generators
from arneq_exact.theory.draw.typed_games import by_type, typed_game
from arneq_exact.theory.engine.assumptions import EncounteredTypes, Flags, common_types, encountered_types
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import by_state
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, Hypothesis, Statement
from arneq_exact.theory.statements.contraction import best_found, worth

FIXED_TYPES = Hypothesis(
    "fixed types",
    "Per agent and state one type, A or B′, holds at every selected stage ARNEQ (Assumption 3).",
)

MAX_ITERATIONS = 400
"""Iterations of a run: drawn games have discounts of at most 9/10, where a run takes some 170. One that takes
more than these counts as one that did not converge."""
RESIDUAL = 1e-8
"""Of the reward range: steps are compared until they are this short."""

OTHERS = 2
"""Drawn policies that are worth no more than V* at type A: few, each is evaluated for every agent."""

WHY = (
    "at each of two stage games a value errs by at most 1e-10 and a type by at most 1e-9 of the range of "
    "stage payoffs, which is the unit of the margins; errors of a step add up to at most 1/(1 − γ) of that, "
    "which is the unit where values in the long run are compared"
)


def stage_range(payoffs: FloatArray) -> FloatArray:
    """Return the range of stage payoffs per agent, (n,), for payoffs (..., n, rows)."""
    moved = np.moveaxis(payoffs, -2, 0).reshape(payoffs.shape[-2], -1)
    spread: FloatArray = np.ptp(moved, axis=1)
    return np.where(spread > 0, spread, 1.0)


def not_covered(instance: Instance) -> str:
    """Return why first principles have no say about an instance; empty if they have."""
    if not is_budget(instance.threat):
        return "the threat is no budget k that is drawn anew at every state"
    if not (instance.game.contraction < 1).all():
        return "a discount times a row sum of the transitions is not below 1"
    return ""


def _contracts(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    if reason := not_covered(instance):
        return Findings(undecided=reason)
    unit = float(game.reward_range.max()) or 1.0
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
    range_ = stage_range(np.stack([backup(game, values) for values in run.trace.values]))
    comparisons = [equal("converged", float(run.status == "converged"), 1.0)]
    if len(steps) > 1:
        name = "step of the values, modulus times the step before"
        comparisons.append(at_most(name, steps[1:], bound * steps[:-1], range_))
    if run.status == "converged":
        comparisons += _at_the_limit(instance, run, types, bound / (1 - bound) * steps[-1], range_)
    # Of steps that rounding has not swallowed: for show alone, ten times above where the run stops.
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


def _at_the_limit(
    instance: Instance, run: IterationResult, types: EncounteredTypes, near: FloatArray, range_: FloatArray
) -> list[Comparison]:
    """Compare the last values and the last policy with first principles.

    Parameters
    ----------
    near : (n,)
        γε/(1−γ) per agent, with ε the last step: values, and the worth of the last policy, are within this.
    range_ : (n,)
    """
    game, threat, rng = instance.game, instance.threat, instance.rng()
    policy, everyone = list(run.policy), ThreatModel(game.n_agents - 1)
    others = [list(families.random_policy(rng, game)) for _ in range(OTHERS)]
    units = range_ / (1 - game.contraction)
    comparisons = []
    for agent, (values, unit) in enumerate(zip(run.values, units, strict=True)):
        faced = contest(game, threat, policy, agent)
        own = robust_value(faced, by_state(game, policy[agent], agent))
        best = best_value(faced)[0]
        comparisons += [
            at_most("last values from the worth of the last policy", abs(values - own), near[agent], unit),
            at_most("gap of the last policy, its bound", best - own, 2 * near[agent], unit),
        ]
        if (types.always[agent] & TYPE_B_PRIME).all():
            secured = contest(game, everyone, policy, agent)
            security = best_value(secured)[0]
            name = "distance at type B′ from what minimax iteration secures"
            comparisons.append(at_most(name, abs(values - security), near[agent], unit))
        if (types.always[agent] & TYPE_A).all():
            for other in others:
                tried = contest(game, threat, other, agent)
                reached = robust_value(tried, by_state(game, other[agent], agent))
                name = "robust value of a drawn policy, value at type A"
                comparisons.append(at_most(name, reached, values + near[agent], unit))
    return comparisons + _last_step(instance, run, types, range_)


def _last_step(
    instance: Instance, run: IterationResult, types: EncounteredTypes, range_: FloatArray
) -> list[Comparison]:
    """Compare the last step of the procedure in a drawn state with the definition of one."""
    game, threat, rng = instance.game, instance.threat, instance.rng()
    state = int(rng.integers(game.n_states))
    payoffs = stage_payoffs(game, state, run.trace.values[-2])
    play = [by_state(game, array, agent)[state] for agent, array in enumerate(run.policy)]
    comparisons = []
    for agent, (payoff, unit) in enumerate(zip(payoffs, range_, strict=True)):
        value = run.values[agent, state]
        defined = worth(payoff, play, agent, threat, state)
        comparisons.append(equal("last step, by definition", value, defined, unit))
        if types.always[agent, state] & TYPE_A:
            found = best_found(payoff, agent, threat, rng, state)
            comparisons.append(at_most("profile found, last step at type A", found, value, unit))
    return comparisons


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
        flags.append(flags_at(game, instance.threat, payoffs, following))
    return common_types(np.stack(flags))


def flags_at(game: MarkovGame, threat: ThreatModel, payoffs: FloatArray, values: FloatArray) -> Flags:
    """Return types (n, S) at stage payoffs (n, rows) with selected values (n, S)."""
    attackers = resolve(game, threat)
    flags = np.empty(values.shape, dtype=np.uint8)
    for state in range(game.n_states):
        rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        stage = payoffs[:, rows].reshape(game.n_agents, *game.action_counts[state].tolist())
        flags[:, state] = types_at(stage, values[:, state], attackers.of(state))
    return flags


STATEMENTS = (
    Statement(
        id="T7",
        title="The procedure contracts and ends at an ARNEQ",
        claim="If one type holds throughout per agent and state, every step of the procedure is at most β "
        "times the last one, it converges, and the selected policies tend to an ARNEQ with the limit for "
        "its values: what an agent of type B′ can secure, and for one of type A the most that any policy is "
        "worth.",
        hypotheses=(FIXED_TYPES,),
        source="theory page, T7 (Theorem 2 of the paper, synchronous form)",
        status=FALSE_WITHOUT + FIXED_TYPES.name,
        examine=_contracts,
        families=by_type(typed_game),
        confirm=_cycles,
        candidates=generators.markov,
    ),
)
