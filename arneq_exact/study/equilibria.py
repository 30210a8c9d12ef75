"""More than one equilibrium: search from many starts, prove what is found, keep what is distinct.

A stationary ARNEQ need not be unique, nor need its values be [T5]. `equilibria` runs every suitable solver
from many starts (`arneq_exact.study.starts`), certifies each answer [T12], and counts two answers as one if
no probability differs by more than a stated distance. What it returns *are* equilibria, up to their proved ε.
That there are no others is claimed only where a one-shot game was enumerated completely
(`arneq_exact.stage.enumeration.listing`); a continuum then shows as its extreme points, otherwise as as many
points of it as were met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

import numpy as np

from arneq_exact import require
from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.candidates import Candidate, Problem, Run
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.solver.clock import Clock, OutOfTime, ProgressFunction
from arneq_exact.solver.judge import Judge, JudgedCandidate
from arneq_exact.study.starts import enumerated, sources

ENUMERATION = "enumeration"


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """One proved ARNEQ.

    Attributes
    ----------
    policy : Policy
        The certificate's policy, bit for bit.
    values : (n, S)
        Robust values.
    status : {"exact", "certified"}
        Whether the proved gap is the rational 0 or within tol.
    relative_gap : tuple of float
        Proved gap per agent in units of its reward range.
    certificate : Certificate
    starts : int
        How many starts led here; 0 if only the enumeration did.
    methods : tuple of str
        Which solvers led here.
    """

    policy: Policy
    values: FloatArray
    status: str
    relative_gap: tuple[float, ...]
    certificate: Certificate
    starts: int
    methods: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Always true: what is not proved is not collected."""
        return True

    @property
    def epsilon(self) -> tuple[Fraction, ...]:
        """Proved gap per agent, over all states."""
        return self.certificate.epsilon


@dataclass(frozen=True, eq=False)
class Equilibria:
    """The distinct equilibria that a search found, the largest sum of values first.

    Iterate over it, take its length, index it; print it for a table.

    Attributes
    ----------
    found : tuple of Equilibrium
    game, threat
    starts : int
        Starts that were begun; fewer than asked for if the search was stopped, 0 if an enumeration was
        complete.
    seed : int
    distance : float
        Two policies count as one if no probability differs by more.
    tol : float
    seconds : float
    completeness : {"complete", "isolated only", "incomplete"}
        "complete": there are no others, except in the convex hulls of a continuum's extreme points.
        "isolated only": others may exist next to a continuum or a singular equilibrium. "incomplete": no
        claim. The first two only for one-shot games, by enumeration.
    message : str
        What was done, why it ended, and the argument for completeness.
    """

    found: tuple[Equilibrium, ...]
    game: MarkovGame
    threat: ThreatModel
    starts: int
    seed: int
    distance: float
    tol: float
    seconds: float
    completeness: str
    message: str

    @property
    def values(self) -> FloatArray:
        """Robust values (number found, n, S)."""
        shape = (len(self.found), self.game.n_agents, self.game.n_states)
        return np.array([each.values for each in self.found], dtype=np.float64).reshape(shape)

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.found)

    def __getitem__(self, number: int) -> Equilibrium:
        return self.found[number]

    def __repr__(self) -> str:
        return f"Equilibria({len(self.found)} found from {self.starts} starts, {self.threat.describe()})"

    def __str__(self) -> str:
        from arneq_exact.report.studies import Listed, equilibria_table, plain_text

        listed = [Listed(one.status, one.starts, one.policy, one.values) for one in self.found]
        return plain_text(equilibria_table(self.game, listed, self.message))


def equilibria(
    game: MarkovGame,
    threat: ThreatModel,
    *,
    starts: int = 20,
    seed: int = 0,
    distance: float = 1e-6,
    tol: float = 1e-8,
    progress: ProgressFunction = None,
    time_limit: float | None = None,
) -> Equilibria:
    """Collect distinct stationary equilibria, every one proved.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    starts : int
        How many times each solver is begun anew. More starts find more. None is made where the
        enumeration of a one-shot game is complete.
    seed : int
        The same seed gives the same equilibria, unless the search is stopped by the clock.
    distance : float
        Two policies count as one if no probability differs by more.
    tol : float
        Relative tolerance of the proofs, as in `solve`.
    progress : callable, optional
        Called with a `Progress` whenever something changes.
    time_limit : float, optional
        Seconds after which no new step is begun.

    Returns
    -------
    Equilibria
        Possibly none. Ctrl-C and the time limit keep what was found until then. Its `completeness`
        tells whether there may be others.

    Raises
    ------
    ArneqError
        If an argument breaks a rule.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> found = equilibria(catalog.load("battle-of-the-sexes"), ThreatModel(0))
    >>> found.completeness
    'complete'
    >>> found.values[:, :, 0].round(6).tolist()
    [[2.0, 1.0], [1.0, 2.0], [0.666667, 0.666667]]
    """
    where = "equilibria"
    require_game_and_threat(game, threat, where)
    game.require_discounting(where)
    clock = Clock(where, progress, time_limit)
    starts = require.whole(starts, f"{where}: starts", at_least=1)
    seed = require.whole(seed, f"{where}: seed", at_least=0)
    distance = require.positive(distance, f"{where}: distance")
    search = _Collection(Judge(game, threat, require.positive(tol, f"{where}: tol")), distance, clock)
    with one_blas_thread():
        try:
            search.enumerate()
            if search.completeness != "complete":
                search.sample(starts, seed)
            ending = ""
        except OutOfTime:
            ending = f"; stopped by the time limit of {time_limit:g} s"
        except KeyboardInterrupt:
            ending = "; interrupted"
    if search.completeness == "complete":
        return search.result(seed, f"all by enumeration: {search.argument}")
    if search.completeness == "isolated only":
        ending += "; by enumeration none is missing but next to a continuum or a singular equilibrium"
    return search.result(seed, f"{search.starts} of {starts} starts{ending}")


@dataclass
class _Known:
    judged: JudgedCandidate
    starts: set[int] = field(default_factory=set)
    methods: list[str] = field(default_factory=list)

    def equilibrium(self) -> Equilibrium:
        """Return what is told of it."""
        sealed = self.judged.sealed
        assert sealed is not None
        return Equilibrium(
            policy=self.judged.policy,
            values=sealed.certificate.values,
            status="certified" if any(sealed.certificate.epsilon) else "exact",
            relative_gap=sealed.relative,
            certificate=sealed.certificate,
            starts=len(self.starts),
            methods=tuple(self.methods),
        )


@dataclass
class _Collection:
    """One call of `equilibria`: what it knows so far."""

    judge: Judge
    distance: float
    clock: Clock
    known: list[_Known] = field(default_factory=list)
    starts: int = 0
    best: float = np.inf
    method: str = ""
    prefix: str = ""
    completeness: str = "incomplete"
    argument: str = ""

    def report(self, line: str) -> None:
        line = f"{self.prefix}{len(self.known)} found; {line}"
        self.clock.tell(self.method, line, self.best, self.best)
        self.clock.go_on()

    def enumerate(self) -> None:
        """Enumerate a one-shot game, and prove every equilibrium that is listed."""
        self.method = ENUMERATION
        self.report("one-shot games are enumerated")
        listed = enumerated(self.judge.game, self.judge.threat)
        if listed is None:
            return
        proved = [
            self.add(Candidate(Policy(self.judge.game, [x[None] for x in one.policy]), 0, ENUMERATION), None)
            for one in listed.equilibria
        ]
        # A listed equilibrium that tol refuses is known to exist but not returned: no claim is left.
        if all(proved):
            self.completeness, self.argument = listed.completeness, listed.argument

    def sample(self, starts: int, seed: int) -> None:
        """Make all starts, each with a seed of its own: more starts only add to what fewer find."""
        asked = sources(self.judge.game, self.judge.threat)
        for start, drawn in enumerate(np.random.SeedSequence(seed).generate_state(starts)):
            self.starts = start + 1
            for method, run in asked:
                self.ask(method, run, start, starts, int(drawn))

    def ask(self, method: str, run: Run, start: int, starts: int, seed: int) -> None:
        """Follow one solver from one start to its first proved equilibrium."""
        self.method, self.prefix = method, f"start {start + 1} of {starts}, "
        problem = Problem(
            self.judge.game, self.judge.threat, seed=seed, first_start=start, report=self.report
        )
        try:
            for candidate in run(problem):
                if self.add(candidate, start):
                    return
                self.report(candidate.note)
        except (StageError, np.linalg.LinAlgError) as error:
            self.report(f"abandoned: {error}")

    def add(self, candidate: Candidate, start: int | None) -> bool:
        """Tell whether a candidate is a proved equilibrium, and remember it."""
        judged = self.judge.evaluate(candidate, self.method)
        if judged.relative > self.judge.tol:
            return False
        near = next((one for one in self.known if self._is_near(one.judged, judged)), None)
        if near is None:
            judged = self.judge.prove(judged)
            if judged.relative > self.judge.tol:
                return False
            near = _Known(judged)
            self.known.append(near)
            self.best = min(self.best, judged.relative)
        if start is not None:
            near.starts.add(start)
        if self.method not in near.methods:
            near.methods.append(self.method)
        self.report(candidate.note)
        return True

    def _is_near(self, one: JudgedCandidate, other: JudgedCandidate) -> bool:
        return one.policy.distance(other.policy) <= self.distance

    def result(self, seed: int, message: str) -> Equilibria:
        found = [each.equilibrium() for each in self.known]
        found.sort(key=partial(_order, self.judge.game))
        return Equilibria(
            found=tuple(found),
            game=self.judge.game,
            threat=self.judge.threat,
            starts=self.starts,
            seed=seed,
            distance=self.distance,
            tol=self.judge.tol,
            seconds=self.clock.seconds,
            completeness=self.completeness,
            message=message,
        )


def _order(game: MarkovGame, one: Equilibrium) -> tuple[float, ...]:
    """Sort key: sum of the agents' values, then each agent's, then the policy, all descending."""
    weights = np.full(game.n_states, 1 / game.n_states) if game.initial is None else game.initial
    worth = (one.values @ weights).round(9)
    played = np.concatenate([array.reshape(-1) for array in one.policy])
    return (-round(float(worth.sum()), 9), *(-worth).tolist(), *(-played).tolist())
