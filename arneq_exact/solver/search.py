"""The search: ask one solver after the other, until a candidate is proved or there is nothing left to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov import resume
from arneq_exact.markov.candidates import Candidate, Problem, Run
from arneq_exact.markov.recentre import levels
from arneq_exact.model.policy import Policy
from arneq_exact.solver.clock import Clock, OutOfTime
from arneq_exact.solver.exact_answer import exact_answer
from arneq_exact.solver.judge import Judge, JudgedCandidate
from arneq_exact.solver.solution import TraceEntry

NEARLY = 1e-3
"""Relative gap below which a candidate is worth recentring the game at its values: they are near enough."""

EXACT_SHARE = 0.5
"""Part of the time limit that exact solving may take: the rest is for an answer in floating point."""

BREAKDOWNS = (StageError, np.linalg.LinAlgError)
"""How a method fails on its stage games or its linear algebra: it is abandoned, which is no error."""


@dataclass
class Search:
    """One search: its judge and clock, the best candidate so far, what was asked and offered.

    Attributes
    ----------
    judge : Judge
    clock : Clock
    problem : Problem
        What solvers are given, but for the game, which is the judge's.
    horizon : int or None
    best : JudgedCandidate or None
    trace : list of TraceEntry
    asked, abandoned : list of str
        Methods that ran to their end; why others did not.
    inexact : str
        Why there is no exact answer, where one was asked for.
    """

    judge: Judge
    clock: Clock
    problem: Problem
    horizon: int | None

    def __post_init__(self) -> None:
        self.problem.report = self.report
        self.method = ""
        self.best: JudgedCandidate | None = None
        self.proof_of: JudgedCandidate | None = None
        self.proved = np.inf
        self.trace: list[TraceEntry] = []
        self.asked: list[str] = []
        self.abandoned: list[str] = []
        self.inexact = ""

    @property
    def is_proved(self) -> bool:
        """Tell whether the best candidate is proved within tolerance, which ends the search."""
        best = self.best
        return best is not None and best.sealed is not None and best.relative <= self.judge.tol

    def run(self, methods: Sequence[tuple[str, Run]]) -> None:
        """Ask methods in order, until a candidate is proved; each begins again after a recentring."""
        if self.horizon is None:
            self._recentre(levels(self.judge.game))
        for self.method, solver in methods:
            while self._begin_again_after(solver):
                pass
            if self.is_proved:
                return
            self.asked.append(self.method)

    def report(self, line: str) -> None:
        """Pass on a line of progress; stop the search when time is up."""
        if self.clock.proof_is_due:
            self._prove_for_progress()
        judged = np.inf if self.best is None else self.best.relative
        self.clock.tell(self.method, line, judged, self.proved)
        self.clock.go_on()

    def run_exactly(self, bits: int) -> None:
        """Look for an exact answer; keep the reason if there is none."""
        self.method, self.clock.share = "exact", EXACT_SHARE
        judge = self.judge
        try:
            found = exact_answer(judge.game, judge.threat, self.horizon, bits, self.report)
        except StageError as error:
            self.inexact = f"; not in rational numbers: {error}"
        except OutOfTime:
            self.inexact = "; not in rational numbers: half of the time limit was spent"
        else:
            answer = judge.unjudged(found.candidate, "exact")
            relative = max(found.sealed.relative)
            self.best = replace(answer, relative=relative, sealed=found.sealed, attack=found.attack)
        self.clock.share = 1.0

    def best_proved(self) -> JudgedCandidate:
        """Return the best candidate with its proof; a resumed run is not worse than its start."""
        best = self.best
        if best is not None and self.is_proved:
            return best
        contenders = [] if best is None else [best]
        left, start = self.problem.unfinished, self.problem.start
        if left is not None:
            contenders.insert(0, self.judge.unjudged(left, self.method))
        if start is not None and (best is None or best.candidate.note != resume.NOTE):
            contenders.append(self.judge.unjudged(Candidate(start, 0, resume.NOTE), resume.METHOD))
        if not contenders:
            # Stopped before the first candidate: the uniform policy has a provable gap as well.
            uniform = Candidate(Policy.uniform(self.judge.game, self.horizon), 0, "uniform policy")
            contenders = [self.judge.unjudged(uniform, "none")]
        return min(map(self.judge.prove, contenders), key=lambda judged: judged.relative)

    def _begin_again_after(self, solver: Run) -> bool:
        """Judge what one method offers, until a candidate is proved.

        Returns True if the method is to begin again, on a recentred game: a candidate was as good as
        rounding allows there. A method that breaks down is abandoned, not an error.
        """
        self.problem = replace(self.problem, game=self.judge.work.game, unfinished=None)
        try:
            for candidate in solver(self.problem):
                judged = self.judge.judge(candidate, self.method)
                entry = TraceEntry(self.method, candidate.note, candidate.iterations, judged.relative)
                self.trace.append(entry)
                if self.best is None or judged.relative < self.best.relative:
                    self.best = judged
                if self.is_proved:
                    return False
                self.report(candidate.note)
                near = judged.relative <= NEARLY and self.horizon is None
                if near and judged.bounds is not None and self._recentre(judged.bounds.lower):
                    return True
        except BREAKDOWNS as error:
            self.abandoned.append(f"{self.method} was abandoned: {error}")
            self.report(self.abandoned[-1])
        return False

    def _recentre(self, values: FloatArray) -> bool:
        if not self.judge.recentre(values):
            return False
        self.report(f"recentring {self.judge.recentrings}")
        return True

    def _prove_for_progress(self) -> None:
        """Prove the gap of the best candidate for whoever watches, once."""
        best = self.best
        if best is None or best is self.proof_of:
            return
        with self.clock.proving():
            try:
                best = self.judge.prove(best)
            except BREAKDOWNS as error:
                self.abandoned.append(f"a proof on the way was abandoned: {error}")
        self.best = self.proof_of = best
        if best.sealed is not None:
            self.proved = min(self.proved, max(best.sealed.relative))
