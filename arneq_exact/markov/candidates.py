"""What a solver of Markov games is given, and what it yields: candidates, never verdicts.

Only `arneq_exact.solve` certifies. A solver is a generator so that it can offer every policy that looks
promising, be stopped between two of them, and leave the best one behind when it is interrupted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arneq_exact.attackers.resolve import Attackers, resolve
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel


@dataclass(frozen=True)
class Bounds:
    """What a solver already knows towards a certificate [T12]: attackers' mixtures and values.

    Attributes
    ----------
    attack : one array (S, max C_i) per agent, or (T, S, max C_i)
    upper, lower : (n, S), or (T+1, n, S)
        Near the best-response values and the robust values of the candidate.
    worst : one array (T, S) of int per agent, or None
        Columns of the worst attack on a time-indexed policy, where they are known.
    """

    attack: tuple[FloatArray, ...]
    upper: FloatArray
    lower: FloatArray
    worst: tuple[IntArray, ...] | None = None


@dataclass(frozen=True)
class Candidate:
    """A policy that may be an ARNEQ.

    Attributes
    ----------
    policy : Policy
    iterations : int
        Iterations that the solver had used so far.
    note : str
        How it was found, for people.
    bounds : Bounds or None
    """

    policy: Policy
    iterations: int
    note: str
    bounds: Bounds | None = None


@dataclass
class Problem:
    """What solvers work on.

    Attributes
    ----------
    game, threat
    backend : {"auto", "reference"}
    seed : int
        Where a solver draws restarts.
    first_start : int
        Which of its starts a solver begins with: 0 is the one it recommends, later ones are drawn from
        `seed`. For collecting several equilibria.
    calls : Counter
        Stage games given to each routine.
    start : Policy or None
        Where the caller would begin: the best profile of an earlier run.
    report : callable
        Takes one line about what the solver is doing; may raise to stop it.
    unfinished : Candidate or None
        What a solver that was stopped half-way leaves behind.
    """

    game: MarkovGame
    threat: ThreatModel
    backend: str = "auto"
    seed: int = 0
    first_start: int = 0
    start: Policy | None = None
    calls: Counter[str] = field(default_factory=Counter)
    report: Callable[[str], None] = lambda line: None
    unfinished: Candidate | None = None

    @property
    def attackers(self) -> Attackers:
        """The game and the threat, resolved."""
        return resolve(self.game, self.threat)


Run = Callable[[Problem], Iterator[Candidate]]
