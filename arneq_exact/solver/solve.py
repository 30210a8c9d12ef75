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

import numpy as np

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov import resume
from arneq_exact.markov.arguments import require_exactness, require_game_and_threat, require_options
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.candidates import Candidate, Problem, Run
from arneq_exact.markov.evaluate import WorstAttack, robust_values, worst_attacks_at
from arneq_exact.markov.evaluate import gap as float_gap
from arneq_exact.markov.exact_horizon import MOST_BITS
from arneq_exact.markov.horizon import candidates_for_horizon
from arneq_exact.markov.recentre import levels, recentred_further, unchanged
from arneq_exact.markov.resume import require_start
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.rounding import pointwise_bounds
from arneq_exact.solver.choice import beyond_solvers, chosen_solvers
from arneq_exact.solver.exact_answer import exact_answer
from arneq_exact.solver.registry import SOLVERS
from arneq_exact.solver.seal import Sealed, seal
from arneq_exact.solver.solution import Progress, Solution, TraceEntry, account, why_incomplete

RECENTRINGS = 3
NEARLY = 1e-3
"""Relative gap below which a candidate is worth recentring the game at its values."""

PROOF_INTERVAL = 1.0
"""Seconds between proofs that are made for progress: at least this, and ten times what the last one took."""

LOSS = 1e-3
"""Share of tol that rounding may cost before the game is recentred."""


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
    start: Policy | Solution | None = None,
) -> Solution:
    """Compute one Adversarially Robust Nash Equilibrium, with a proof of how good it is.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    method : str
        "auto", or the name of a row in `arneq_exact.solver.registry.SOLVERS`.
    backend : {"auto", "reference"}
        Compiled kernels, or nashpy and cvxpy for the stage games.
    horizon : int, optional
        Number of steps of a finite horizon [T14]; discounts of 1 are allowed only there.
    exact : bool
        Try rational numbers first. There is a rational answer for a finite horizon, or where no state
        comes again (one-shot games), with n = 2 (not for a choice of probability under masks), or any n and
        a threat that decouples. Elsewhere, or past `bits`, the message says so and `method` is used.
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
    start : Policy or Solution, optional
        Where to begin: the answer of an earlier run. It is judged first and polished, and stage policy
        iteration and backward induction go on from it; the answer is never worse than `start`.

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
    require_options(backend, tol, time_limit, seed, progress)
    require_exactness(exact, bits, MOST_BITS)
    given = start.policy if isinstance(start, Solution) else start
    first = None if given is None else require_start(game, given, horizon)
    if horizon is None:
        game.require_discounting("solve")
    run = _Run(game, threat, float(tol), horizon, progress, time_limit, first)
    with one_blas_thread():
        try:
            if exact:
                run.judge_exactly(int(bits))
            run.prepare()
            problem = Problem(run.work.game, threat, backend, seed, start=first, report=run.report)
            run.problem = problem
            if first is not None:
                run.ask(resume.METHOD, resume.run, problem)
            if horizon is not None:
                run.judge_all("backward-induction", candidates_for_horizon(problem, horizon))
            for entry in entries:
                run.ask(entry.name, entry.run, problem)
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
        start: Policy | None,
    ) -> None:
        self.game, self.threat, self.tol, self.horizon = game, threat, tol, horizon
        self.progress, self.time_limit = progress, time_limit
        self.started = time.perf_counter()
        self.method = ""
        self.best: _Judged | None = None
        self.proof_of: _Judged | None = None
        self.proved, self.next_proof = np.inf, PROOF_INTERVAL
        self.start = None if start is None else Candidate(start, 0, resume.NOTE)
        self.trace: list[TraceEntry] = []
        self.asked: list[str] = []
        self.abandoned: list[str] = []
        self.inexact = ""
        self.problem: Problem | None = None
        self.share = 1.0
        self.work = unchanged(game)
        self.recentrings = 0

    def prepare(self) -> None:
        """Recentre the game before anything is solved, if its rewards are large beyond their differences."""
        if self.horizon is None:
            self._recentre(levels(self.game))

    def _recentre(self, values: FloatArray) -> bool:
        """Take the level of `values` off the game if rounding would matter; tell whether so."""
        further = recentred_further(self.game, self.work, values, LOSS * self.tol)
        if further is None or self.recentrings >= RECENTRINGS:
            return False
        self.work = further
        self.recentrings += 1
        self.report(f"recentring {self.recentrings}")
        return True

    def report(self, line: str) -> None:
        """Pass on a line of progress; stop the search when time is up."""
        seconds = time.perf_counter() - self.started
        if self.progress is not None:
            self._prove_for_progress(seconds)
            judged = np.inf if self.best is None else self.best.relative
            self.progress(Progress(self.method, line, judged, self.proved, seconds))
        if self.time_limit is not None and seconds > self.share * self.time_limit:
            raise _OutOfTime

    def _prove_for_progress(self, seconds: float) -> None:
        """Prove the gap of the best candidate for whoever watches: not in the first second, nor twice."""
        best = self.best
        if best is None or best is self.proof_of or seconds < self.next_proof:
            return
        if best.sealed is None:
            try:
                best = replace(best, sealed=seal(self.game, self.threat, best.candidate.policy))
            except (StageError, np.linalg.LinAlgError) as error:
                self.abandoned.append(f"a proof on the way was abandoned: {error}")
        self.best = self.proof_of = best
        if best.sealed is not None:
            self.proved = min(self.proved, max(best.sealed.relative))
        now = time.perf_counter() - self.started
        self.next_proof = now + max(PROOF_INTERVAL, 10 * (now - seconds))

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

    def ask(self, method: str, solver: Run, problem: Problem) -> None:
        """Run one method; it begins again after each recentring, a few times at most."""
        while True:
            self.problem = replace(problem, game=self.work.game)
            if not self.judge_all(method, solver(self.problem)):
                return

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
                self.trace.append(TraceEntry(method, candidate.note, candidate.iterations, judged.relative))
                if self.best is None or judged.relative < self.best.relative:
                    self.best = judged
                if judged.sealed is not None and judged.relative <= self.tol:
                    raise _Proved
                self.report(candidate.note)
                if judged.relative <= NEARLY and self.horizon is None:
                    values = robust_values(self.work.game, self.threat, candidate.policy)
                    if self._recentre(values):
                        return True
        except (StageError, np.linalg.LinAlgError) as error:
            self.abandoned.append(f"{method} was abandoned: {error}")
            self.report(self.abandoned[-1])
        self.asked.append(method)
        return False

    def _judge(self, candidate: Candidate) -> _Judged:
        if candidate.bounds is None:
            unit = self.game.reward_range[:, None]
            relative = float((float_gap(self.work.game, self.threat, candidate.policy) / unit).max())
            if relative > self.tol:
                return _Judged(candidate, self.method, relative, None)
        bounds = None if candidate.bounds is None else self.work.restored(candidate.bounds)
        sealed = seal(self.game, self.threat, candidate.policy, bounds=bounds)
        if bounds is not None and max(sealed.relative) > self.tol:
            # What the solver knew was not enough; the best that can be known of the policy may be.
            again = seal(self.game, self.threat, candidate.policy)
            sealed = min(sealed, again, key=lambda proof: max(proof.relative))
        return _Judged(candidate, self.method, max(sealed.relative), sealed)

    def solution(self, ending: str) -> Solution:
        """Certify the best candidate, if that is still to do, and build the answer."""
        best, sealed = self._best_proved()
        certificate, relative = sealed.certificate, sealed.relative
        status = "certified" if max(relative) <= self.tol else "incomplete"
        status = status if any(certificate.epsilon) else "exact"
        first = () if certificate.horizon is None else (0,)
        policy = Policy(self.game, [table.astype(np.float64) for table in certificate.policy])
        values, message = np.array(certificate.lower, dtype=np.float64), best.candidate.note
        if status == "incomplete":
            reasons = [beyond_solvers(SOLVERS, self.game, self.threat), *self.abandoned, ending]
            message = why_incomplete(reasons, message, max(relative), self.tol)
        # The last entry is the winner's own.
        others = self.trace if status == "incomplete" else self.trace[:-1]
        message = "; ".join([message, *account(self.asked, others, before=status != "incomplete")])
        return Solution(
            status=status,
            policy=policy,
            values=values,
            gap=pointwise_bounds(certificate.upper[first], certificate.lower[first], sealed.shift),
            epsilon=certificate.epsilon,
            relative_gap=relative,
            attack=best.attack
            or worst_attacks_at(self.game, self.threat, policy, None if self.horizon is not None else values),
            certificate=certificate,
            method=best.method,
            iterations=best.candidate.iterations,
            seconds=time.perf_counter() - self.started,
            trace=tuple(self.trace),
            message=message + self.inexact,
        )

    def _best_proved(self) -> tuple[_Judged, Sealed]:
        """Certify the best candidate, if that is still to do; a resumed run is not worse than its start."""
        best = self.best
        if best is not None and best.sealed is not None and best.relative <= self.tol:
            return best, best.sealed
        left = None if self.problem is None else self.problem.unfinished
        contenders = [_Judged(left, self.method, np.inf, None)] if left is not None else []
        if best is not None:
            contenders.append(best)
        if self.start is not None and (best is None or best.candidate.note != resume.NOTE):
            contenders.append(_Judged(self.start, resume.METHOD, np.inf, None))
        if not contenders:
            # Stopped before the first candidate: the uniform policy has a provable gap as well.
            uniform = Candidate(Policy.uniform(self.game, self.horizon), 0, "uniform policy")
            contenders = [_Judged(uniform, "none", np.inf, None)]
        proofs = [each.sealed or seal(self.game, self.threat, each.candidate.policy) for each in contenders]
        least = min(range(len(proofs)), key=lambda at: max(proofs[at].relative))
        return contenders[least], proofs[least]
