"""[T7], from samples: an update of Nash-Q is what it should be, and the updates pull Q towards Q*.

Nash-Q replaces Q_i(s, a) by (1 − α) Q_i(s, a) + α (P_t Q)_i(s, a), where (P_t Q)_i(s, a) = r_i + γ_i
val_i(Q(s')) with s' drawn and α = 1/(1 + v) at the v-th visit. Four things are compared, with val_i(Q) the
worth of the selected policy from the definition:

* *Each update* of a short run: one pair changes, to this mean, for some s' that may follow it.
* *The pseudo-contraction* of the lemma, ‖P_t Q_t − P_t Q*‖ ≤ γ ‖Q_t − Q*‖ + λ_t with λ_t → 0. Along a run λ_t
  is estimated as what is missing, max(0, γ max_s' |val(Q_t)(s') − V*(s')| − γ ‖Q_t − Q*‖); under one type
  throughout it must be 0 at every t [T6].
* *The visits* are those of the pairs that changed.
* *Convergence* along a longer run, by a bound that follows. With ν = γ max |V*(s') − E V*(s')| the noise of a
  sample, let D = max(‖Q_0 − Q*‖, ν/(1−γ)). Then ‖Q_t − Q*‖ ≤ D throughout, since γD + ν ≤ D; and as the
  product of 1 − 1/(1+u) over u = 1, ..., v is 1/(v+1), after v visits of a pair

      |Q_T − Q*|(s, a) ≤ |Q_0 − Q*|(s, a) / (v+1) + (γD + ν) v / (v+1).

  So Q must come nearer to Q* wherever the noise is below (1−γ) D and every pair was visited.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.exploration import RandomPairs
from arneq_exact.learning.nash_q import nash_q
from arneq_exact.learning.nash_q_result import NashQResult
from arneq_exact.learning.step_sizes import HARMONIC
from arneq_exact.markov.iteration import iterate
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import contest, robust_value
from arneq_exact.stage.solve import StageSolver
from arneq_exact.theory.draw.typed_games import by_type, sampled_game
from arneq_exact.theory.engine.assumptions import Visits, common_types, step_size_assumption
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import by_state
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.contraction import worth
from arneq_exact.theory.statements.convergence import FIXED_TYPES, flags_at, not_covered, stage_range

STEP_SIZES = Hypothesis(
    "step sizes",
    "0 ≤ α < 1, the steps sum to infinity and their squares do not (Assumption 2).",
    lambda instance: step_size_assumption(HARMONIC).held,
)

FOLLOWED = 5
"""Updates that are looked at one by one: each asks for all stage ARNEQ again."""

SNAPSHOTS = 4
"""Moments of the longer run at which the pseudo-contraction is looked at, for the same reason few."""

START = 0.05
"""Runs begin this much of the reward range above Q* (times the extras' "directions", one number per agent, so
that zero-sum games stay zero-sum): what is not yet visited must not reverse a choice."""

MAX_ITERATIONS = 400
"""Iterations towards Q*, as many as [T7] itself takes; without Q* an instance is undecided."""

WHY = (
    "a selected policy is worth within 1e-10 and a type is decided within 1e-9 of the range of stage "
    "payoffs, which is the unit of the margins; Q* is a fixed point to 1e-9 of the reward range"
)


@dataclass(frozen=True)
class FixedPoint:
    """Q* = r + γ P V* with V* = val(Q*).

    Attributes
    ----------
    payoffs : (n, rows)
    values : (n, S)
    """

    payoffs: FloatArray
    values: FloatArray


def _sampled(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    if reason := not_covered(instance):
        return Findings(undecided=reason)
    if (instance.game.discount == 1).any():
        return Findings(undecided="a discount is 1: a sample that does not end the episode contracts nothing")
    step = StageStep(game, threat, partial(StageSolver, selection=instance.extras.get("selection", "first")))
    point = _fixed_point(instance, step)
    if point is None:
        return Findings(undecided="no fixed point was found to compare with")
    signs = np.array(instance.extras.get("directions", [1.0] * game.n_agents))
    start = point.payoffs + (START * signs * game.reward_range)[:, None]
    followed = _run(instance, start, FOLLOWED, FOLLOWED)
    whole = _run(instance, start, _updates(game), SNAPSHOTS)
    unit = stage_range(np.concatenate([whole.trace.payoffs, point.payoffs[None]]))
    before = np.concatenate([start[None], followed.trace.payoffs])
    payoffs = np.concatenate([before, whole.trace.payoffs])
    stages = [step.at_payoffs(q) for q in payoffs]
    values = np.stack([_worth(game, threat, q, stage) for q, stage in zip(payoffs, stages, strict=True)])
    seen = np.concatenate([payoffs, point.payoffs[None]])
    flags = [
        flags_at(game, threat, q, v)
        for q, v in zip(seen, np.concatenate([values, point.values[None]]), strict=True)
    ]
    types = common_types(np.stack(flags))
    distance = np.abs(payoffs - point.payoffs).max(axis=2)
    discount = game.discount
    left = discount * np.abs(values - point.values).max(axis=2)
    said = np.concatenate([followed.trace.values, whole.trace.values])
    comparisons = [
        at_most("change of the target, modulus times distance", left, discount * distance, unit),
        equal("values in the trace, by definition", said, values[1:], unit[:, None]),
        *_each_update(game, before, values, followed.visits, unit),
        _comes_near(game, point, start, whole, unit),
    ]
    counts = Visits(whole.visits)
    return Findings(
        comparisons=comparisons,
        hypotheses={FIXED_TYPES.name: types.fixed},
        tolerance=1e-8,
        justification=WHY,
        quantities={
            "λ": np.maximum(left - discount * distance, 0.0).max(axis=1),
            "least visits": counts.least,
            "updates": whole.updates,
            "distance at the start": float((distance[0] / unit).max()),
            "distance at the end": float((distance[-1] / unit).max()),
            "types": types.names(),
        },
    )


def _updates(game: MarkovGame) -> int:
    """Return how many random pairs leave none out, but for one run in 150."""
    return int(game.n_rows * (log(game.n_rows) + 5)) + 1


def _run(instance: Instance, start: FloatArray, updates: int, snapshots: int) -> NashQResult:
    return nash_q(
        instance.game,
        instance.threat,
        updates=updates,
        step_size=HARMONIC,
        exploration=RandomPairs(),
        selection=instance.extras.get("selection", "first"),
        seed=instance.seed,
        initial_payoffs=start,
        snapshots=snapshots,
    )


def _fixed_point(instance: Instance, step: StageStep[StageSolver]) -> FixedPoint | None:
    """Return Q* and V*, by running the procedure, or sooner if its policy stays.

    V* is the worth of the policy from first principles; it counts if val(Q*) is the same.
    """
    game, threat = instance.game, instance.threat
    moves = game.transitions.toarray()
    for tol in (1e-2, 1e-12):
        run = iterate(
            game,
            threat,
            selection=instance.extras.get("selection", "first"),
            tol=tol,
            max_iterations=MAX_ITERATIONS,
            keep_trace=False,
        )
        policy = list(run.policy)
        values = np.stack(
            [
                robust_value(contest(game, threat, policy, agent), by_state(game, array, agent))
                for agent, array in enumerate(policy)
            ]
        )
        payoffs = game.rewards.T + game.discount[:, None] * (values @ moves.T)
        again = _worth(game, threat, payoffs, step.at_payoffs(payoffs))
        if np.abs(again - values).max() <= 1e-9 * float(game.reward_range.max()):
            return FixedPoint(payoffs, values)
    return None


def _worth(game: MarkovGame, threat: ThreatModel, payoffs: FloatArray, stage: StageEquilibria) -> FloatArray:
    """Return what selected stage ARNEQ are worth (n, S) at payoffs (n, rows), by definition."""
    values = np.empty((game.n_agents, game.n_states))
    for state in range(game.n_states):
        rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        counts = game.action_counts[state].tolist()
        play = [array[state, :count] for array, count in zip(stage.policy, counts, strict=True)]
        for agent, own in enumerate(payoffs[:, rows]):
            values[agent, state] = worth(own.reshape(counts), play, agent, threat, state)
    return values


def _each_update(
    game: MarkovGame, payoffs: FloatArray, values: FloatArray, visits: IntArray, unit: FloatArray
) -> list[Comparison]:
    """Repeat the updates that lead from each of the payoffs (T+1, n, rows) to the next, in plain numbers."""
    moves = game.transitions.toarray()
    counts = np.zeros(game.n_rows, dtype=np.int64)
    expected, found, kept, stayed = [], [], [], []
    for before, after, value in zip(payoffs[:-1], payoffs[1:], values[: len(payoffs) - 1], strict=True):
        changed = np.abs(after - before).max(axis=0)
        row = int(changed.argmax())
        counts[row] += 1
        alpha = 1 / (1 + counts[row])
        targets = [game.rewards[row] + game.discount * value[:, s] for s in np.flatnonzero(moves[row])]
        if game.termination is not None and game.termination[row] > 0:
            targets.append(game.rewards[row])
        means = [(1 - alpha) * before[:, row] + alpha * target for target in targets]
        errors = [float((np.abs(mean - after[:, row]) / unit).max()) for mean in means]
        expected.append(means[int(np.argmin(errors))])
        found.append(after[:, row])
        kept.append(np.delete(after, row, axis=1).ravel())
        stayed.append(np.delete(before, row, axis=1).ravel())
    comparisons = [
        equal("payoffs of the visited pair, mean with a sample", np.array(found), np.array(expected), unit),
        equal("visits, pairs that changed", visits, counts),
    ]
    if game.n_rows > 1:
        comparisons.append(equal("payoffs of other pairs, as before", np.array(kept), np.array(stayed)))
    return comparisons


def _comes_near(
    game: MarkovGame, point: FixedPoint, start: FloatArray, run: NashQResult, unit: FloatArray
) -> Comparison:
    """Compare the distance of Q from Q*, pair by pair, with the bound in the module's text."""
    moves = game.transitions.toarray()
    discount = game.discount[:, None]
    expected = point.values @ moves.T
    samples = np.where(moves[None] > 0, np.abs(point.values[:, None, :] - expected[:, :, None]), 0.0)
    noise = samples.max(axis=2)
    if game.termination is not None:
        noise = np.maximum(noise, np.where(game.termination > 0, np.abs(expected), 0.0))
    nu = discount * noise.max(axis=1, keepdims=True)
    first = np.abs(start - point.payoffs)
    most = np.maximum(first.max(axis=1, keepdims=True), nu / (1 - discount))
    visits = run.visits
    bound = first / (visits + 1) + (discount * most + nu) * visits / (visits + 1)
    return at_most(
        "distance of Q from Q*, its bound after the visits",
        np.abs(run.payoffs - point.payoffs),
        bound,
        unit[:, None],
    )


STATEMENTS = (
    Statement(
        id="T7.asynchronous",
        title="Sampled updates form a pseudo-contraction",
        claim="Each update of Nash-Q is the mean of Q and a sample of r + γ val(Q); with one type throughout "
        "‖P_t Q_t − P_t Q*‖ ≤ γ ‖Q_t − Q*‖ along a run, λ_t = 0, and Q comes as near to Q* as visits "
        "make it.",
        hypotheses=(FIXED_TYPES, STEP_SIZES),
        source="theory page, T7; Szepesvári and Littman (1999), Corollary 5",
        status=UNDER_HYPOTHESES,
        examine=_sampled,
        families=by_type(sampled_game),
    ),
)
