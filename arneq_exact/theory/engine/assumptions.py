"""The three assumptions of the convergence theorem [T7], each as something that can be looked at.

1. *Visits*: every (state, joint action) is updated infinitely often. Of a finite run the counts can be told.
2. *Step sizes*: 0 ≤ α_t < 1, Σ α_t = ∞, Σ α_t² < ∞, and α_t = 0 for pairs that are not visited. Sums of a
   function of one's own cannot be decided by evaluating it; those of named schedules are known by calculus.
3. *Types*: one type of selected stage ARNEQ throughout, per agent and state. A type is decided for one
   selected equilibrium (`selected_types`), and for a run of the procedure from its trace
   (`encountered_types`).

References
----------
[T6], [T7]; Hu and Wellman (2003), JMLR 4, 1039–1069, Assumptions 1 to 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.step_sizes import Constant, Geometric, Polynomial, StepSize
from arneq_exact.markov.iteration import IterationResult
from arneq_exact.model.game import MarkovGame
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.types.equilibrium_types import (
    TYPE_A,
    TYPE_B_PRIME,
    UNDECIDED,
    equal_within,
    types_at,
)

Flags = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Visits:
    """How often each (state, joint action) occurs along a trajectory.

    Attributes
    ----------
    counts : (rows,)
    """

    counts: IntArray

    @property
    def least(self) -> int:
        """The smallest count."""
        return int(self.counts.min())

    @property
    def missed(self) -> IntArray:
        """Rows that do not occur at all."""
        return np.flatnonzero(self.counts == 0).astype(np.int64)


def visits(game: MarkovGame, trajectory: Iterable[tuple[int, Sequence[int]]]) -> Visits:
    """Count the pairs (state, joint action) of a trajectory (Assumption 1).

    Raises
    ------
    InputError
        If the game has no such state or joint action.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> found = visits(game, [(0, (0, 1)), (0, (0, 1)), (0, (1, 1))])
    >>> found.counts.tolist(), found.least, found.missed.tolist()
    ([0, 2, 0, 1], 0, [0, 2])
    """
    counts = np.zeros(game.n_rows, dtype=np.int64)
    for state, joint in trajectory:
        if not 0 <= state < game.n_states:
            raise InputError(f"visits: state is {state}; must be from 0 to {game.n_states - 1}")
        shape = tuple(map(int, game.action_counts[state]))
        if len(joint) != len(shape) or not all(0 <= a < count for a, count in zip(joint, shape, strict=True)):
            raise InputError(f"visits: joint action in state {state} is {tuple(joint)}; must fit {shape}")
        counts[game.offsets[state] + np.ravel_multi_index(tuple(joint), shape)] += 1
    return Visits(counts)


@dataclass(frozen=True)
class StepSizeDecision:
    """Whether a schedule fulfils Assumption 2.

    Attributes
    ----------
    verdict : {"holds", "violated", "undecided"}
    reason : str
        What fails, or why nothing can be said; empty if it holds.
    """

    verdict: str
    reason: str

    @property
    def held(self) -> bool | None:
        """The verdict as a truth value, None if undecided."""
        return {"holds": True, "violated": False}.get(self.verdict)


NAMED = (Polynomial, Constant, Geometric)
"""The schedules whose sums are known by calculus; a class derived from one may give other steps."""


def step_size_assumption(schedule: StepSize | Callable[[int], float]) -> StepSizeDecision:
    """Decide Assumption 2 for a named schedule; a function of one's own is undecided.

    Examples
    --------
    >>> from arneq_exact.learning.step_sizes import Constant, Polynomial
    >>> step_size_assumption(Polynomial()).verdict
    'holds'
    >>> step_size_assumption(Constant(0.1))
    StepSizeDecision(verdict='violated', reason='the sum of squares diverges')
    >>> step_size_assumption(lambda visit: 1 / (1 + visit)).verdict
    'undecided'
    """
    if not isinstance(schedule, Polynomial | Constant | Geometric) or type(schedule) not in NAMED:
        # What else calls itself a schedule says itself what its sums are: nothing is decided by that.
        return StepSizeDecision("undecided", "no finite number of values of a function decides its sums")
    if not schedule.largest < 1:
        return StepSizeDecision("violated", f"the largest step is {schedule.largest:g}, not below 1")
    if not schedule.sum_diverges:
        return StepSizeDecision("violated", "the sum of the steps is finite")
    if not schedule.square_sum_converges:
        return StepSizeDecision("violated", "the sum of squares diverges")
    return StepSizeDecision("holds", "")


@dataclass(frozen=True)
class SelectedType:
    """Types of one agent at one stage ARNEQ (Assumption 3).

    Attributes
    ----------
    a : bool or None
        Global optimum: no mixed product profile is worth more to the agent. None if undecided.
    b : bool
        Saddle: no play of all others is worse for it than the attacker's worst.
    b_prime : bool
        Its value is its security value.
    value : float
    """

    a: bool | None
    b: bool
    b_prime: bool
    value: float


def selected_types(
    payoffs: FloatArray,
    policy: Sequence[FloatArray],
    attackers: StageAttackers,
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> tuple[SelectedType, ...]:
    """Decide types A, B and B′ of every agent at a selected stage ARNEQ.

    Parameters
    ----------
    payoffs : (n, A1, ..., An)
    policy : one array (A_i,) per agent
    attackers : StageAttackers
    backend, calls
        As in `arneq_exact.stage.solve.StageSolver`.

    Examples
    --------
    >>> from arneq_exact import ThreatModel
    >>> from arneq_exact.attackers.stage_attackers import stage_attackers
    >>> payoffs = np.array([[[5.0, 1.0], [1.0, 1.0]]] * 2)  # [T8] (ii)
    >>> nobody = stage_attackers(ThreatModel(0), (2, 2))
    >>> first, second = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    >>> [(one.a, one.b) for one in selected_types(payoffs, [first, first], nobody)]
    [(True, False), (True, False)]
    >>> [(one.a, one.b) for one in selected_types(payoffs, [second, second], nobody)]
    [(False, True), (False, True)]
    """
    values = stage_values(payoffs, policy, attackers)
    flags = types_at(payoffs, values, attackers, backend=backend, calls=calls)
    found = []
    for agent, payoff in enumerate(payoffs):
        own_first = np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1)
        least = float((policy[agent] @ own_first).min())
        slack = equal_within(payoff)
        flag = int(flags[agent])
        a = None if flag & UNDECIDED else bool(flag & TYPE_A)
        value = float(values[agent])
        found.append(SelectedType(a, value <= least + slack, bool(flag & TYPE_B_PRIME), value))
    return tuple(found)


def stage_values(payoffs: FloatArray, policy: Sequence[FloatArray], attackers: StageAttackers) -> FloatArray:
    """Return g_i(π) of every agent, (n,)."""
    batch = [each[None] for each in policy]
    return np.array(
        [
            (policy[agent] @ robust_matrix(payoff[None], batch, attackers.of[agent])[0]).min()
            for agent, payoff in enumerate(payoffs)
        ]
    )


@dataclass(frozen=True, eq=False)
class EncounteredTypes:
    """Which types held at every iteration of a run, per agent and state.

    Attributes
    ----------
    always : (n, S) uint8
        Sum of `TYPE_A` and `TYPE_B_PRIME` that held throughout.
    undecided : (n, S) bool
        Where type A held or was undecided throughout, and undecided at least once.
    """

    always: Flags
    undecided: NDArray[np.bool_]

    @property
    def fixed(self) -> bool | None:
        """Whether Assumption 3 held throughout: one type per agent and state; None if undecided."""
        open_ones = self.undecided & (self.always == 0)
        if ((self.always == 0) & ~open_ones).any():
            return False
        return None if open_ones.any() else True

    def names(self) -> list[list[str]]:
        """Return the types that held throughout in words, per agent and state."""
        words = {0: "none", TYPE_A: "A", TYPE_B_PRIME: "B′", TYPE_A | TYPE_B_PRIME: "A and B′"}
        return [
            [
                "undecided" if open_ and not flag else words[int(flag)]
                for flag, open_ in zip(*row, strict=True)
            ]
            for row in zip(self.always, self.undecided, strict=True)
        ]


def encountered_types(iteration: IterationResult) -> EncounteredTypes:
    """Tell whether one type held throughout a run of `iterate` (Assumption 3).

    Raises
    ------
    InputError
        If the run kept no trace.

    Examples
    --------
    >>> from arneq_exact import ThreatModel, catalog, iterate
    >>> encountered_types(iterate(catalog.load("nosde"), ThreatModel(0))).names()
    [['A and B′', 'none'], ['none', 'A and B′']]
    >>> encountered_types(iterate(catalog.load("nosde"), ThreatModel(1))).fixed
    True
    """
    types = iteration.trace.types
    if not len(types):
        raise InputError("encountered_types: the run kept no trace; must be run with keep_trace=True")
    return common_types(types)


def common_types(types: Flags) -> EncounteredTypes:
    """Return what the types (t, n, S) of a run have in common."""
    always = np.bitwise_and.reduce(types, axis=0) & np.uint8(TYPE_A | TYPE_B_PRIME)
    possible = ((types & (TYPE_A | UNDECIDED)) > 0).all(axis=0)
    undecided = np.logical_and(possible, ((types & UNDECIDED) > 0).any(axis=0))
    return EncounteredTypes(always.astype(np.uint8), np.asarray(undecided))
