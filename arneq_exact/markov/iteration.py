"""The model-based procedure of Eq. (2), with its trace.

From values V^0, repeat: back up, select a stage ARNEQ of every state at Q_i = r_i + γ_i P V_i, take the
stage values. It contracts when one type of stage equilibrium holds throughout [T6, T7]; without that it
may cycle [T8], which is detected and reported instead of running to the limit. The learning-rate form is
Q ← (1 − α_t) Q + α_t (r + γ P val(Q)).

Converging proves nothing by itself: certify the policy that is returned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact import require
from arneq_exact.attackers.stage_class import Decoupled
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.cycle_watch import Cycle, CycleWatch
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.selection import Selection
from arneq_exact.stage.solve import StageSolver
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, UNDECIDED, stage_types

LearningRate = float | Callable[[int], float]


@dataclass(frozen=True)
class IterationTrace:
    """What happened, iteration by iteration.

    Attributes
    ----------
    values : (t+1, n, S)
        V^0, V^1, …; empty first axis if the trace was not kept.
    residual : (t,)
        ‖V^{t+1} − V^t‖∞, or ‖r + γ P val(Q) − Q‖∞ in the learning-rate form.
    ratio : (t,)
        Residual over the previous residual; nan at first.
    types : (t, n, S) uint8
        1 for type A, 2 for type B′, 3 for both, 0 for neither; empty if the trace was not kept. With 4
        added, type A could be neither proved nor refuted (see `arneq_exact.stage.types.equilibrium_types`).
    """

    values: FloatArray
    residual: FloatArray
    ratio: FloatArray
    types: NDArray[np.uint8]

    def type_names(self, iteration: int) -> list[list[str]]:
        """Return the types of one iteration in words, per agent and state."""
        words = {
            0: "neither",
            TYPE_A: "A",
            TYPE_B_PRIME: "B′",
            TYPE_A | TYPE_B_PRIME: "A and B′",
            UNDECIDED: "A undecided",
            TYPE_B_PRIME | UNDECIDED: "B′, A undecided",
        }
        return [[words[int(flag)] for flag in row] for row in self.types[iteration]]


@dataclass(frozen=True)
class IterationResult:
    """Outcome of the procedure.

    Attributes
    ----------
    policy : Policy
        The stage equilibria selected last (not proved to be an ARNEQ: certify them).
    values : (n, S)
    status : {"converged", "cycle", "limit"}
    iterations : int
    residual : float
    cycle : Cycle or None
    trace : IterationTrace
    calls : dict
        How many stage games each routine was given, by the name of the routine or library.
    """

    policy: Policy
    values: FloatArray
    status: str
    iterations: int
    residual: float
    cycle: Cycle | None
    trace: IterationTrace
    calls: dict[str, int]


def iterate(
    game: MarkovGame,
    threat: ThreatModel,
    *,
    backend: str = "auto",
    selection: Selection = "first",
    learning_rate: LearningRate | None = None,
    max_iterations: int = 10_000,
    tol: float = 1e-10,
    initial_values: FloatArray | None = None,
    keep_trace: bool = True,
    progress: Callable[[int, float], None] | None = None,
) -> IterationResult:
    """Run the model-based procedure of Eq. (2).

    Parameters
    ----------
    game, threat
        Any number of agents, any threat.
    backend : {"auto", "reference"}
        Compiled kernels; or nashpy and cvxpy, for two agents without masks under one probability of
        corruption each, and for threats that decouple.
    selection : str or callable
        Which stage equilibrium, see `arneq_exact.stage.selection`. All but "first" and "nearest" need stage
        games that can be enumerated, see `arneq_exact.stage.enumeration.listing`.
    learning_rate : float in (0, 1] or callable t -> α_t, optional
        Use the learning-rate form.
    max_iterations : int
    tol : float
        Stop when the residual is at most this much of the largest reward range.
    initial_values : (n, S), optional
        V^0, zero by default.
    keep_trace : bool
        Keep values and types of every iteration (types cost a few linear programs per state).
    progress : callable, optional
        Called as ``progress(iteration, residual)``.

    Raises
    ------
    GameError
        If a discount is 1.
    InputError
        If an option has no such value, or the backend or the selection does not apply to the stage games.
    StageError
        If a stage game defeats its backend.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> result = iterate(game, ThreatModel(1))
    >>> result.status, result.iterations
    ('converged', 1)
    """
    require_game_and_threat(game, threat, "iterate")
    rule = "a function of (iteration, residual)"
    require.optional(require.function, progress, "iterate: progress", rule=rule)
    game.require_discounting("iterate")
    rate = _rate_function(learning_rate)
    require.whole(max_iterations, "iterate: max_iterations", at_least=1)
    require.number(tol, "iterate: tol", "a number of at least 0", lambda number: number >= 0)
    calls: Counter[str] = Counter()
    step = StageStep(game, threat, partial(StageSolver, selection=selection, backend=backend, calls=calls))
    values = _initial(initial_values, (game.n_agents, game.n_states))
    unit = float(game.reward_range.max())
    payoffs = backup(game, values)
    record = _Record(values, keep_trace)
    watch = CycleWatch()
    watch.see(values)
    status, cycle = "limit", None
    stage: StageEquilibria | None = None
    for iteration in range(max_iterations):
        stage = step.at_payoffs(payoffs, None if stage is None else stage.policy)
        target = backup(game, stage.value)
        if learning_rate is None:
            residual = float(np.abs(stage.value - values).max())
            following = target
        else:
            alpha = _rate(rate(iteration), f"learning_rate({iteration})")
            residual = float(np.abs(target - payoffs).max())
            following = (1 - alpha) * payoffs + alpha * target
        record.add(residual, stage.value, _types(step, payoffs, stage) if keep_trace else None)
        values, payoffs = stage.value, following
        if progress is not None:
            progress(iteration + 1, residual)
        if residual <= tol * unit:
            status = "converged"
            break
        # Under a schedule of learning rates nothing repeats exactly; the limit ends the run.
        cycle = None if callable(learning_rate) else watch.see(values)
        if cycle is not None:
            status = "cycle"
            break
    assert stage is not None
    done, policy = len(record.residuals), Policy(game, stage.policy)
    return IterationResult(policy, values, status, done, residual, cycle, record.trace(), dict(calls))


class _Record:
    """What a run keeps for its trace: residuals always, values and types if asked to."""

    def __init__(self, values: FloatArray, keep: bool) -> None:
        self.residuals: list[float] = []
        self.values = [values]
        self.types: list[NDArray[np.uint8]] = []
        self.keep = keep

    def add(self, residual: float, values: FloatArray, types: NDArray[np.uint8] | None) -> None:
        """Take one iteration; `types` are None where they are not kept."""
        self.residuals.append(residual)
        if types is not None:
            self.values.append(values)
            self.types.append(types)

    def trace(self) -> IterationTrace:
        """Return what was kept."""
        shape = self.values[0].shape
        residual = np.array(self.residuals)
        ratio = np.full(len(residual), np.nan)
        np.divide(residual[1:], residual[:-1], out=ratio[1:], where=residual[:-1] > 0)
        return IterationTrace(
            np.stack(self.values) if self.keep else np.empty((0, *shape)),
            residual,
            ratio,
            np.stack(self.types) if self.keep else np.empty((0, *shape), dtype=np.uint8),
        )


def _types(step: StageStep[StageSolver], payoffs: FloatArray, stage: StageEquilibria) -> NDArray[np.uint8]:
    """Decide the types (n, S) of the stage equilibria at payoffs (n, rows)."""
    flags = np.zeros(stage.value.shape, dtype=np.uint8)
    for group, solver in zip(step.attackers.groups, step.solvers, strict=True):
        if group.stage.stage_class == Decoupled(masked=False):
            flags[:, group.states] = TYPE_A | TYPE_B_PRIME
            continue
        flags[:, group.states] = stage_types(
            [group.gather(own) for own in payoffs],
            stage.value[:, group.states],
            group.stage,
            backend=solver.backend,
            calls=solver.calls,
        )
    return flags


def _rate_function(learning_rate: LearningRate | None) -> Callable[[int], float]:
    if callable(learning_rate):
        return learning_rate
    constant = 1.0 if learning_rate is None else _rate(learning_rate, "learning_rate")
    return lambda _: constant


def _rate(value: Any, name: str) -> float:
    rule = "in (0, 1], or a function of t into it"
    return require.number(value, f"iterate: {name}", rule, lambda number: 0 < number <= 1)


def _initial(values: Any, shape: tuple[int, int]) -> FloatArray:
    if values is None:
        return np.zeros(shape)
    return require.table(values, "iterate: initial_values", "(n, S)", shape)
