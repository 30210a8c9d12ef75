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
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.stage_class import Decoupled
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.require import shown
from arneq_exact.stage.selection import Selection
from arneq_exact.stage.solve import StageSolver
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, UNDECIDED, stage_types

MAX_PERIOD = 64
CYCLE_TOLERANCE = 1e-10
"""Values count as repeated when they agree to this, relative to the largest value."""

LearningRate = float | Callable[[int], float]


@dataclass(frozen=True)
class Cycle:
    """A cycle of the procedure.

    Attributes
    ----------
    period : int
        Iterations after which the values repeat.
    amplitude : float
        Largest difference between two values of one agent and state along the cycle.
    """

    period: int
    amplitude: float


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
    if progress is not None and not callable(progress):
        raise InputError(
            f"iterate: progress is {shown(progress)}; must be a function of (iteration, residual)"
        )
    game.require_discounting("iterate")
    rate = _rate_function(learning_rate)
    _require_limits(max_iterations, tol)
    calls: Counter[str] = Counter()
    step = StageStep(game, threat, partial(StageSolver, selection=selection, backend=backend, calls=calls))
    shape = (game.n_agents, game.n_states)
    values = np.zeros(shape) if initial_values is None else _initial(initial_values, shape)
    unit = float(game.reward_range.max())
    payoffs = backup(game, values)
    kept_values, kept_types, residuals = [values], [], []
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
        if keep_trace:
            kept_types.append(_types(step, payoffs, stage))
            kept_values.append(stage.value)
        values, payoffs = stage.value, following
        residuals.append(residual)
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
    residual_array = np.array(residuals)
    ratio = np.full(len(residuals), np.nan)
    np.divide(residual_array[1:], residual_array[:-1], out=ratio[1:], where=residual_array[:-1] > 0)
    trace = IterationTrace(
        np.stack(kept_values) if keep_trace else np.empty((0, *shape)),
        residual_array,
        ratio,
        np.stack(kept_types) if keep_trace else np.empty((0, *shape), dtype=np.uint8),
    )
    return IterationResult(
        Policy(game, stage.policy), values, status, len(residuals), residuals[-1], cycle, trace, dict(calls)
    )


class CycleWatch:
    """Notices that a sequence of values repeats: a full period must have recurred."""

    def __init__(self) -> None:
        self._history: list[FloatArray] = []
        self._sums: list[float] = []
        self._recurred = np.zeros(MAX_PERIOD + 1, dtype=np.int64)

    def see(self, values: FloatArray) -> Cycle | None:
        """Take the next values; return the cycle once the values of a whole period have recurred."""
        slack = CYCLE_TOLERANCE * max(float(np.abs(values).max()), 1e-300)
        total = float(values.sum())
        found = None
        for period in range(1, min(MAX_PERIOD, len(self._history)) + 1):
            # The sums are compared first: they rule out nearly every period at no cost.
            close = abs(total - self._sums[-period]) <= slack * values.size
            if close and float(np.abs(values - self._history[-period]).max()) <= slack:
                self._recurred[period] += 1
            else:
                self._recurred[period] = 0
            if found is None and period > 1 and self._recurred[period] >= period:
                found = period
        self._history.append(values)
        self._sums.append(total)
        del self._history[: -MAX_PERIOD - 1], self._sums[: -MAX_PERIOD - 1]
        # Values that repeat with period 1 converge; the residual decides about them.
        if found is None or self._recurred[1]:
            return None
        orbit = np.stack(self._history[-found:])
        return Cycle(found, float((orbit.max(axis=0) - orbit.min(axis=0)).max()))


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
    number = _real(value)
    if not 0 < number <= 1:
        raise InputError(f"iterate: {name} is {shown(value)}; must be in (0, 1], or a function of t into it")
    return number


def _real(value: Any) -> float:
    """Return a number as a float, nan if it is none."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else float("nan")


def _require_limits(max_iterations: Any, tol: Any) -> None:
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, Integral) or max_iterations < 1:
        raise InputError(
            f"iterate: max_iterations is {shown(max_iterations)}; must be an integer of at least 1"
        )
    if not _real(tol) >= 0:
        raise InputError(f"iterate: tol is {shown(tol)}; must be a number of at least 0")


def _initial(values: Any, shape: tuple[int, int]) -> FloatArray:
    try:
        table = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"iterate: initial_values must be a table (n, S) = {shape} of numbers") from None
    if table.shape != shape:
        raise InputError(f"iterate: initial_values have shape {table.shape}; must be (n, S) = {shape}")
    if not np.isfinite(table).all():
        raise InputError("iterate: initial_values hold a number that is not finite; must be finite")
    return table
