"""Nash-Q for robust equilibria: the procedure of Eq. (2), asynchronous and from samples.

Agents keep Q_i(s, a) for all i, since they see each other's actions and rewards. After trying a joint
action a in s, being paid r_i, and coming to s', they set

    Q_i(s, a) ← (1 − α) Q_i(s, a) + α [r_i + γ_i val_i(Q(s'))],

with val_i the agent's value of a *selected* stage ARNEQ of Q(s', ·) under the threat, and 0 where the
episode has ended. α falls with the visits of (s, a). Nobody is corrupted while they learn: the threat is what
they prepare for. Rewards are the game's expected ones; what is sampled is the next state.

If every pair is tried infinitely often, the steps are those of Robbins and Monro, and one type of stage
equilibrium holds throughout, Q converges almost surely to the fixed point of the procedure [T7]: wherever
agents decouple [T4], and in zero-sum games. Elsewhere nothing is promised [T8]. In the NoSDE game the
selected policy never comes near the one stationary equilibrium, because every stage equilibrium on the way is
pure and its values jump; falling steps average the jumps, so that Q itself may settle, but what is played
does not.

A run proves nothing: certify the policy.

References
----------
Hu & Wellman (2003), JMLR 4, 1039–1069; Szepesvári & Littman (1999), Neural Computation 11, 2017–2060.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.attackers.stage_class import Bimatrix, Decoupled, TwoAgents
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.exploration import Exploration, RandomPairs, Trajectory
from arneq_exact.learning.nash_q_result import NashQResult, NashQTrace
from arneq_exact.learning.step_sizes import HARMONIC, StepSize, step_sizes
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.stage_step import StageEquilibria, StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.selection import Selection
from arneq_exact.stage.solve import StageSolver

WHERE = "nash_q"

CHUNK = 20_000
"""Updates between two looks at the progress, and at Ctrl-C."""


def nash_q(
    game: MarkovGame,
    threat: ThreatModel,
    *,
    updates: int = 1_000_000,
    step_size: StepSize | Callable[[int], float] = HARMONIC,
    exploration: Exploration | None = None,
    selection: Selection = "first",
    backend: str = "auto",
    seed: int = 0,
    initial_payoffs: FloatArray | None = None,
    reference_values: FloatArray | None = None,
    snapshots: int = 50,
    progress: Callable[[int, float], None] | None = None,
) -> NashQResult:
    """Learn stage payoffs Q from samples of a Markov game.

    Parameters
    ----------
    game, threat
        Any class with a stage solver, as for `arneq_exact.iterate`.
    updates : int
    step_size : schedule or callable v -> α
        Step of the v-th update of a pair, see `arneq_exact.learning.step_sizes`.
    exploration : Trajectory or RandomPairs
        Which pairs are tried, see `arneq_exact.learning.exploration`; by default a trajectory of uniformly
        random actions.
    selection : str or callable
        Which stage equilibrium, see `arneq_exact.stage.selection`.
    backend : {"auto", "reference"}
        As for `arneq_exact.iterate`.
    seed : int
        The same seed gives the same bytes, however many snapshots are taken.
    initial_payoffs : (n, rows), optional
        Q at the start, zero by default.
    reference_values : (n, S), optional
        Values V* to measure the error against.
    snapshots : int
        Length of the trace, moments equally far apart.
    progress : callable, optional
        Called as ``progress(updates, residual)``, with the residual of the last snapshot (inf before).

    Returns
    -------
    NashQResult
        Ctrl-C ends a run early, with status "interrupted" and what was learnt so far.

    Raises
    ------
    GameError
        If a discount is 1.
    InputError
        If the backend or the selection does not apply to the stage games, or an option has no such value.
    StageError
        If a stage game defeats its backend.

    Notes
    -----
    Updates are compiled, with their stage games where agents decouple or n = 2 and nothing is enumerated:
    about a microsecond each for two actions. Elsewhere a stage game costs a call from Python after each
    update. ``benchmarks/nash_q.py`` measures both.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> run = nash_q(game, ThreatModel(1), updates=2000)
    >>> run.status, int(run.visits.sum()), bool(run.trace.residual[-1] < 0.01)
    ('finished', 2000, True)
    """
    require_game_and_threat(game, threat, WHERE)
    game.require_discounting(WHERE)
    updates = require.whole(updates, f"{WHERE}: updates", at_least=1)
    seed = require.whole(seed, f"{WHERE}: seed", at_least=0)
    snapshots = require.whole(snapshots, f"{WHERE}: snapshots", at_least=1)
    exploration = Trajectory() if exploration is None else exploration
    known = isinstance(exploration, Trajectory | RandomPairs)
    require.that(known, exploration, f"{WHERE}: exploration", "a Trajectory or RandomPairs")
    rule = "a function of (updates, residual)"
    require.optional(require.function, progress, f"{WHERE}: progress", rule=rule)
    step_sizes(step_size, 1, 2, WHERE)
    start, values = (
        require.optional(
            require.table, given, f"{WHERE}: {name}", axes=f"(n, {what})", shape=(game.n_agents, size)
        )
        for given, name, what, size in (
            (initial_payoffs, "initial_payoffs", "rows", game.n_rows),
            (reference_values, "reference_values", "S", game.n_states),
        )
    )
    calls: Counter[str] = Counter()
    step = StageStep(game, threat, partial(StageSolver, selection=selection, backend=backend, calls=calls))
    run = _Learning(step, exploration, step_size, seed, np.zeros((game.n_agents, game.n_rows)), progress)
    if start is not None:
        run.memory.payoffs[:] = start.T
    run.reference = None if values is None else backup(game, values)
    moments = np.unique(np.arange(1, snapshots + 1) * updates // snapshots)
    status = "finished"
    try:
        for moment in moments[moments > 0].tolist():
            run.up_to(moment)
            run.take_snapshot()
    except KeyboardInterrupt:
        status = "interrupted"
        run.take_snapshot()
    assert run.stage is not None
    calls["compiled"] += int(run.memory.cursor[2])
    return NashQResult(
        run.payoffs(),
        run.stage.value,
        Policy(game, run.stage.policy),
        run.memory.visits,
        run.done,
        status,
        step_size,
        exploration,
        seed,
        run.trace(),
        {name: number for name, number in calls.items() if number},
    )


class _Learning:
    """One call of `nash_q`: its memory, its random numbers, its snapshots."""

    def __init__(
        self,
        step: StageStep[StageSolver],
        exploration: Exploration,
        step_size: StepSize | Callable[[int], float],
        seed: int,
        payoffs: FloatArray,
        progress: Callable[[int, float], None] | None,
    ) -> None:
        from arneq_exact.learning import nash_q_kernel as kernel

        self.kernel = kernel
        self.step, self.game = step, step.game
        self.generator = np.random.default_rng(seed)
        self.step_size, self.progress = step_size, progress
        self.reference: FloatArray | None = None
        self.stage: StageEquilibria | None = None
        self.steps = np.empty(0)
        self.residual = np.inf
        self.kept: list[tuple[int, FloatArray, FloatArray, float, float]] = []
        n, n_states = self.game.n_agents, self.game.n_states
        self.rules = _rules(kernel, step, exploration)
        first = int(np.searchsorted(self.rules.start, self.generator.random(), "right"))
        self.memory = kernel.Memory(
            payoffs=np.ascontiguousarray(payoffs.T),
            visits=np.zeros(self.game.n_rows, dtype=np.int64),
            values=np.zeros((n_states, n)),
            policy=np.zeros((n_states, n, int(self.game.action_counts.max()))),
            stale=np.ones(n_states, dtype=np.int64),
            cursor=np.array([0, first, 0], dtype=np.int64),
        )

    @property
    def done(self) -> int:
        """Updates done."""
        return int(self.memory.cursor[0])

    def payoffs(self) -> FloatArray:
        """Q as (n, rows)."""
        return self.memory.payoffs.T.copy(order="C")

    def up_to(self, moment: int) -> None:
        """Run until so many updates are done."""
        while self.done < moment:
            first = self.done
            uniforms = self.generator.random((min(moment - first, CHUNK), self.game.n_agents + 3))
            self._extend_steps(int(self.memory.visits.max()) + len(uniforms))
            while True:
                state = self.kernel.run_updates(self.rules, self.memory, uniforms, first, self.steps)
                if state == self.kernel.FINISHED:
                    break
                self._solve(state)
            if self.progress is not None:
                self.progress(self.done, self.residual)

    def take_snapshot(self) -> None:
        """Solve all states as the game's own transitions have it, and keep how far that is from Q."""
        payoffs = self.payoffs()
        self.stage = self.step.at_payoffs(payoffs, self._previous())
        self.residual = float(np.abs(backup(self.game, self.stage.value) - payoffs).max())
        error = np.nan if self.reference is None else float(np.abs(payoffs - self.reference).max())
        self.kept.append((self.done, payoffs, self.stage.value, self.residual, error))

    def trace(self) -> NashQTrace:
        """What was kept."""
        updates, payoffs, values, residual, error = zip(*self.kept, strict=True)
        return NashQTrace(
            np.array(updates), np.stack(payoffs), np.stack(values), np.array(residual), np.array(error)
        )

    def _extend_steps(self, visits: int) -> None:
        """Have the steps of so many visits at hand."""
        if visits > len(self.steps):
            further = step_sizes(self.step_size, len(self.steps) + 1, 2 * visits + 1, WHERE)
            self.steps = np.concatenate([self.steps, further])

    def _previous(self) -> list[FloatArray] | None:
        """The policies selected last, one array (S, max A_i) per agent; None before any."""
        if (self.memory.policy.sum(axis=2) == 0).any():
            return None
        widths = self.game.action_counts.max(axis=0)
        return [self.memory.policy[:, agent, :width] for agent, width in enumerate(widths)]

    def _solve(self, state: int) -> None:
        """Solve the stage game of one state by the solver of its class."""
        counts = tuple(int(a) for a in self.game.action_counts[state])
        rows = slice(int(self.game.offsets[state]), int(self.game.offsets[state + 1]))
        own = [
            self.memory.payoffs[rows, agent].copy().reshape(1, *counts) for agent in range(self.game.n_agents)
        ]
        known = self.memory.policy[state]
        last = [known[None, agent, :count] for agent, count in enumerate(counts)] if known.any() else None
        solver = self.step.solver_of(state)
        found = solver.solve(own, last)
        for agent, mixture in enumerate(found.policy):
            matrix = robust_matrix(own[agent], found.policy, solver.attackers.of[agent])
            self.memory.policy[state, agent, : counts[agent]] = mixture[0]
            self.memory.values[state, agent] = (mixture[0] @ matrix[0]).min()
        self.memory.stale[state] = 0


def _compiled(kernel: Any, step: StageStep[StageSolver]) -> tuple[int, tuple[float, float]]:
    """How compiled code solves the stage games, and two agents' probabilities of corruption."""
    if all(solver.backend == "auto" for solver in step.solvers) and len(step.attackers.classes) == 1:
        (kind,) = step.attackers.classes
        if kind == Decoupled(masked=False):
            return kernel.DECOUPLED, (0.0, 0.0)
        if not step.solvers[0].chooser.enumerates:
            if isinstance(kind, Bimatrix):
                return kernel.BIMATRIX, (0.0, 0.0)
            if isinstance(kind, TwoAgents):
                return kernel.POLYMATRIX, kind.probabilities
    return kernel.BY_CALLER, (0.0, 0.0)


def _rules(kernel: Any, step: StageStep[StageSolver], exploration: Exploration) -> Any:
    """What does not change in a run, for the kernel."""
    game = step.game
    pairs = isinstance(exploration, RandomPairs)
    kind, probabilities = _compiled(kernel, step)
    indptr = game.transitions.indptr.astype(np.int64)
    cumulative = np.zeros(len(game.transitions.data))
    for row in range(game.n_rows):
        part = slice(int(indptr[row]), int(indptr[row + 1]))
        cumulative[part] = game.transitions.data[part].cumsum()
    ends = np.zeros(game.n_rows, dtype=bool) if game.termination is None else game.termination > 0
    start = game.first_states
    begins = start.cumsum()
    begins[np.flatnonzero(start)[-1] :] = 1.0  # rounding must not leave a gap below 1
    return kernel.Rules(
        kind=kind,
        probability=np.array(probabilities),
        pairs=pairs,
        epsilon=1.0 if isinstance(exploration, RandomPairs) else exploration.epsilon,
        restart=0.0 if isinstance(exploration, RandomPairs) else exploration.restart,
        start=begins,
        counts=game.action_counts,
        offsets=game.offsets,
        row_state=np.repeat(np.arange(game.n_states), np.diff(game.offsets)),
        rewards=game.rewards,
        indptr=indptr,
        indices=game.transitions.indices.astype(np.int64),
        cumulative=cumulative,
        last=np.where(ends, -1, indptr[1:] - 1),
        discount=game.discount,
    )
