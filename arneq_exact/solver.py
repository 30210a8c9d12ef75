"""The front door: ask solvers for candidates, certify, and say only what is proved.

Solvers yield candidates and never a verdict. Here each candidate is judged in floating point, the ones
that look good are certified [T12], and the first whose proved gap is within tolerance is the answer.
If none is, or time runs out, or the user interrupts, the best candidate is returned as "incomplete"
with the gap that was proved for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np

from arneq_exact.certificate.build import Sealed, seal
from arneq_exact.certificate.exact_answer import exact_answer
from arneq_exact.certificate.rounding import pointwise_bounds
from arneq_exact.errors import InputError, StageError
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.choice import chosen_solvers
from arneq_exact.markov.evaluate import WorstAttack, robust_values, worst_attack
from arneq_exact.markov.evaluate import gap as float_gap
from arneq_exact.markov.exact_horizon import MOST_BITS
from arneq_exact.markov.horizon import candidates_for_horizon
from arneq_exact.markov.recentre import recentre_at, rounding_loss, unchanged
from arneq_exact.markov.registry import SOLVERS
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solution import Solution, TraceEntry
from arneq_exact.stage.solve import BACKENDS

RECENTRINGS = 3
NEARLY = 1e-3
"""Relative gap below which a candidate is worth recentring the game at its values."""

LOSS = 1e-3
"""Share of tol that rounding may cost before the game is recentred."""


@dataclass(frozen=True)
class Progress:
    """What a run is doing.

    Attributes
    ----------
    method : str
    line : str
        What the solver reports.
    best : float
        Least relative gap judged so far, inf at first; floating point, not proved.
    seconds : float
    """

    method: str
    line: str
    best: float
    seconds: float


def solve(
    game: MarkovGame,
    threat: ThreatModel,
    *,
    method: str = "auto",
    backend: str = "auto",
    horizon: int | None = None,
    exact: bool = False,
    bits: int = MOST_BITS,
    tol: float = 1e-8,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    time_limit: float | None = None,
) -> Solution:
    """Compute one Adversarially Robust Nash Equilibrium, with a proof of how good it is.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    method : str
        "auto", or the name of a row in `arneq_exact.markov.registry.SOLVERS`.
    backend : {"auto", "reference"}
        Compiled kernels, or nashpy and cvxpy for the stage games.
    horizon : int, optional
        Number of steps of a finite horizon [T14]; discounts of 1 are allowed only there.
    exact : bool
        Try rational numbers first. There is a rational answer for a finite horizon, or where no state
        comes again (one-shot games), with n = 2 and one probability of corruption, or any n and a threat
        that decouples. Elsewhere, or past `bits`, the message says so and `method` is used.
    bits : int
        Longest numerator or denominator of an exact probability or value, at most 4096.
    tol : float
        Relative tolerance: in units of each agent's reward range (1 if constant).
    seed : int
        For restarts; the same seed gives the same answer.
    progress : callable, optional
        Called with a `Progress` whenever something changes.
    time_limit : float, optional
        Seconds after which no new step is begun.

    Returns
    -------
    Solution
        "certified" if the proved gap is within `tol`, "exact" if it is 0, else "incomplete". Ctrl-C
        and the time limit give the best policy so far, with its proved gap, as "incomplete".

    Raises
    ------
    InputError
        If an argument breaks a rule. Never for lack of convergence.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # prisoners' dilemma
    >>> solution = solve(game, ThreatModel(0))
    >>> solution.status, solution.values.tolist()
    ('exact', [[1.0], [1.0]])
    """
    require_game_and_threat(game, threat, "solve")
    entries = chosen_solvers(SOLVERS, game, threat, method, horizon)
    if backend not in BACKENDS:
        raise InputError(f"solve: backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
    if isinstance(tol, bool) or not isinstance(tol, Real) or not tol > 0:
        raise InputError(f"solve: tol is {tol!r}; must be a positive number")
    if time_limit is not None and (not isinstance(time_limit, Real) or not time_limit > 0):
        raise InputError(f"solve: time_limit is {time_limit!r}; must be a positive number of seconds")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"solve: seed is {seed!r}; must be an integer of at least 0")
    if progress is not None and not callable(progress):
        raise InputError(f"solve: progress is {progress!r}; must be a function of one Progress")
    if not isinstance(exact, bool):
        raise InputError(f"solve: exact is {exact!r}; must be True or False")
    if isinstance(bits, bool) or not isinstance(bits, Integral) or not 1 <= bits <= MOST_BITS:
        raise InputError(f"solve: bits is {bits!r}; must be an integer from 1 to {MOST_BITS}")
    if horizon is None:
        game.require_discounting("solve")
    run = _Run(game, threat, float(tol), horizon, progress, time_limit)
    with one_blas_thread():
        try:
            if exact:
                run.judge_exactly(int(bits))
            run.prepare()
            problem = run.problem = Problem(run.work.game, threat, backend, seed, report=run.report)
            if horizon is not None:
                run.judge_all("backward-induction", candidates_for_horizon(problem, horizon))
            for entry in entries:
                # A method begins again after each recentring, a few times at most.
                while run.judge_all(entry.name, entry.run(replace(problem, game=run.work.game))):
                    pass
            ending = "every method was tried"
        except _Proved:
            ending = ""
        except _OutOfTime:
            ending = f"the time limit of {time_limit:g} s was reached"
        except KeyboardInterrupt:
            ending = "interrupted"
        return run.solution(ending)


class _Proved(Exception):  # noqa: N818 - ends the search, is no error
    """The candidate at hand is certified."""


class _OutOfTime(Exception):  # noqa: N818 - ends the search, is no error
    """The time limit has passed."""


@dataclass(frozen=True)
class _Judged:
    candidate: Candidate
    method: str
    relative: float
    sealed: Sealed | None
    attack: tuple[WorstAttack, ...] | None = None


class _Run:
    """One call of `solve`: its clock, its progress, the best candidate so far."""

    def __init__(
        self,
        game: MarkovGame,
        threat: ThreatModel,
        tol: float,
        horizon: int | None,
        progress: Callable[[Progress], None] | None,
        time_limit: float | None,
    ) -> None:
        self.game, self.threat, self.tol, self.horizon = game, threat, tol, horizon
        self.progress, self.time_limit = progress, time_limit
        self.started = time.perf_counter()
        self.method = ""
        self.best: _Judged | None = None
        self.trace: list[TraceEntry] = []
        self.abandoned: list[str] = []
        self.inexact = ""
        self.problem: Problem | None = None
        self.share = 1.0
        self.work = unchanged(game)
        self.recentrings = 0

    def prepare(self) -> None:
        """Recentre the game before anything is solved, if its values are large beyond its differences."""
        if self.horizon is None:
            self._recentre(Policy.uniform(self.game))

    def _recentre(self, policy: Policy) -> bool:
        """Take the level of a policy's values off the game if rounding would matter; tell whether so."""
        values = robust_values(self.work.game, self.threat, policy)
        if self.recentrings >= RECENTRINGS or rounding_loss(self.work.game, values) <= LOSS * self.tol:
            return False
        whole = values + np.array([float(offset) for offset in self.work.offset])[:, None]
        self.work = recentre_at(self.game, whole)
        self.recentrings += 1
        self.report(f"recentring {self.recentrings}")
        return True

    def report(self, line: str) -> None:
        """Pass on a line of progress; stop the search when time is up."""
        seconds = time.perf_counter() - self.started
        if self.progress is not None:
            self.progress(
                Progress(self.method, line, np.inf if self.best is None else self.best.relative, seconds)
            )
        if self.time_limit is not None and seconds > self.share * self.time_limit:
            raise _OutOfTime

    def judge_exactly(self, bits: int) -> None:
        """Raise `_Proved` with the exact answer, or keep the reason why there is none.

        It may take half of the time limit: the rest is for an answer in floating point.
        """
        self.method, self.share = "exact", 0.5
        try:
            found = exact_answer(self.game, self.threat, self.horizon, bits, self.report)
        except StageError as error:
            self.inexact = f"; not in rational numbers: {error}"
        except _OutOfTime:
            self.inexact = "; not in rational numbers: half of the time limit was spent"
        else:
            self.best = _Judged(
                found.candidate, "exact", max(found.sealed.relative), found.sealed, found.attack
            )
            raise _Proved
        self.share = 1.0

    def judge_all(self, method: str, candidates: Iterator[Candidate]) -> bool:
        """Judge every candidate of one method; raise `_Proved` at the first that is certified.

        Returns True if the method is to begin again, on a recentred game: a candidate was as good as
        rounding allows there. A method that breaks down on its stage games or its linear algebra is
        abandoned, not an error.
        """
        self.method = method
        try:
            for candidate in candidates:
                judged = self._judge(candidate)
                self.trace.append(TraceEntry(candidate.note, candidate.iterations, judged.relative))
                if self.best is None or judged.relative < self.best.relative:
                    self.best = judged
                if judged.sealed is not None and judged.relative <= self.tol:
                    raise _Proved
                self.report(candidate.note)
                close = judged.relative <= NEARLY and candidate.policy.horizon is None
                if close and self._recentre(candidate.policy):
                    return True
        except (StageError, np.linalg.LinAlgError) as error:
            self.abandoned.append(f"{method} was abandoned: {error}")
            self.report(self.abandoned[-1])
        return False

    def _judge(self, candidate: Candidate) -> _Judged:
        if candidate.bounds is None:
            unit = self.game.reward_range[:, None]
            relative = float((float_gap(self.work.game, self.threat, candidate.policy) / unit).max())
            if relative > self.tol:
                return _Judged(candidate, self.method, relative, None)
        bounds = None if candidate.bounds is None else self.work.restored(candidate.bounds)
        sealed = seal(self.game, self.threat, candidate.policy, bounds=bounds)
        return _Judged(candidate, self.method, max(sealed.relative), sealed)

    def solution(self, ending: str) -> Solution:
        """Certify the best candidate, if that is still to do, and build the answer."""
        best = self.best
        if best is None:
            # Stopped before the first candidate: the uniform policy has a provable gap as well.
            method, left = self.method, None if self.problem is None else self.problem.unfinished
            if left is None:
                method, left = "none", Candidate(Policy.uniform(self.game, self.horizon), 0, "uniform policy")
            best = _Judged(left, method, np.inf, None)
        sealed = best.sealed or seal(self.game, self.threat, best.candidate.policy)
        certificate, relative = sealed.certificate, sealed.relative
        if not any(certificate.epsilon):
            status = "exact"
        else:
            status = "certified" if max(relative) <= self.tol else "incomplete"
        first = () if certificate.horizon is None else (0,)
        policy = Policy(self.game, [table.astype(np.float64) for table in certificate.policy])
        message = best.candidate.note
        if status == "incomplete":
            message = self._why(ending, max(relative), best.candidate.note)
        return Solution(
            status=status,
            policy=policy,
            values=np.array(certificate.lower, dtype=np.float64),
            gap=pointwise_bounds(certificate.upper[first], certificate.lower[first], sealed.shift),
            epsilon=certificate.epsilon,
            relative_gap=relative,
            attack=best.attack
            or tuple(worst_attack(self.game, self.threat, policy, i) for i in range(self.game.n_agents)),
            certificate=certificate,
            method=best.method,
            iterations=best.candidate.iterations,
            seconds=time.perf_counter() - self.started,
            trace=tuple(self.trace),
            message=message + self.inexact,
        )

    def _why(self, ending: str, relative: float, note: str) -> str:
        parts = []
        if not covered(self.game, self.threat):
            parts.append(
                f"games of n = {self.game.n_agents} agents under {self.threat.describe()} "
                "are a class that no solver covers yet"
            )
        parts.extend(self.abandoned)
        if ending:
            parts.append(ending)
        parts.append(
            f"the best policy met ({note}) has a proved relative gap of {relative:.3g}, tol is {self.tol:g}"
        )
        return "; ".join(parts)


def covered(game: MarkovGame, threat: ThreatModel) -> bool:
    """Tell whether `solve` has a solver made for this class of game and threat."""
    return any(entry.complete and entry.accepts(game, threat) for entry in SOLVERS)
