"""What a run of Nash-Q leaves: payoffs, policy, visits, and a trace of its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.exploration import Exploration
from arneq_exact.learning.step_sizes import StepSize
from arneq_exact.model.policy import Policy


@dataclass(frozen=True)
class NashQTrace:
    """What a run looked like at T moments, the last one included.

    Attributes
    ----------
    updates : (T,)
        Updates done by then.
    payoffs : (T, n, rows)
        Q.
    values : (T, n, S)
        Values of the stage ARNEQ selected at Q.
    residual : (T,)
        ‖r + γ P val(Q) − Q‖∞, with the game's own transitions.
    error : (T,)
        ‖Q − Q*‖∞ with Q* the backup of `reference_values`; nan if none were given.
    """

    updates: IntArray
    payoffs: FloatArray
    values: FloatArray
    residual: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class NashQResult:
    """Outcome of a run.

    Attributes
    ----------
    payoffs : (n, rows)
        Q, one row per (state, joint action).
    values : (n, S)
        Values of the stage ARNEQ selected at Q.
    policy : Policy
        These stage ARNEQ (not proved to be an ARNEQ of the game: certify them).
    visits : (rows,)
        How often each pair was updated.
    updates : int
    status : {"finished", "interrupted"}
    step_size, exploration, seed
        As given.
    trace : NashQTrace
    calls : dict
        How many stage games each routine was given; ``compiled`` are those solved within the updates.
    """

    payoffs: FloatArray
    values: FloatArray
    policy: Policy
    visits: IntArray
    updates: int
    status: str
    step_size: StepSize | Callable[[int], float]
    exploration: Exploration
    seed: int
    trace: NashQTrace
    calls: dict[str, int]
