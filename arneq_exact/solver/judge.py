"""The judge: one candidate in, a judged candidate out, evaluated once.

A candidate's policy is put on the certificate's grid of probabilities and evaluated there: robust values,
best-response values, attackers' optimal mixtures. Their difference is its gap, in floating point. Where that
looks good the same numbers are the evidence that its certificate is sealed with [T12]; where it does not,
they are kept, for the day when this candidate turns out to be the best that was met.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Bounds, Candidate
from arneq_exact.markov.evaluate import WorstAttack, worst_attacks_at
from arneq_exact.markov.recentre import Recentred, recentred_further, unchanged
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.seal import Sealed, evaluated, on_grid, refined, seal_on_grid, sealing_arithmetic

RECENTRINGS = 3
"""Recentrings of one run: each takes its level from better values, and the second is hardly ever needed."""

LOSS = 1e-3
"""Share of tol that rounding may cost before the game is recentred."""


@dataclass(frozen=True)
class JudgedCandidate:
    """A candidate with all that is known of it.

    Attributes
    ----------
    candidate : Candidate
    method : str
        The solver that offered it.
    policy : Policy
        The candidate's, on the grid.
    bounds : Bounds or None
        About the game as the judge had it then; None if it was not evaluated yet.
    centred : Recentred
        That game.
    relative : float
        Largest gap in units of the reward range: proved if there is a proof, else in floating point.
    sealed : Sealed or None
    attack : one WorstAttack per agent, or None
        The worst attacks on the policy, where they are known.
    """

    candidate: Candidate
    method: str
    policy: Policy
    bounds: Bounds | None
    centred: Recentred
    relative: float = np.inf
    sealed: Sealed | None = None
    attack: tuple[WorstAttack, ...] | None = None


class Judge:
    """Judges candidates for one game and threat.

    Parameters
    ----------
    game, threat
    tol : float
        Relative gap up to which a candidate is worth sealing.

    Attributes
    ----------
    work : Recentred
        The game that solvers work on: `game`, or one that is equivalent where doubles lose too much.
    """

    def __init__(self, game: MarkovGame, threat: ThreatModel, tol: float) -> None:
        self.game, self.threat, self.tol = game, threat, tol
        self.work = unchanged(game)
        self.recentrings = 0

    def recentre(self, values: FloatArray) -> bool:
        """Take the level of `values` off the game if rounding would matter; tell whether so."""
        further = recentred_further(self.game, self.work, values, LOSS * self.tol)
        if further is None or self.recentrings >= RECENTRINGS:
            return False
        self.work = further
        self.recentrings += 1
        return True

    def judge(self, candidate: Candidate, method: str) -> JudgedCandidate:
        """Evaluate a candidate, and seal it if it looks good enough.

        What a solver knows already is sealed as it is; only if that does not do is it evaluated as well.
        """
        if candidate.bounds is not None:
            believed = self.prove(self.unjudged(candidate, method, candidate.bounds))
            if believed.relative <= self.tol:
                return believed
            again = self.prove(self.evaluate(candidate, method))
            return min(believed, again, key=lambda judged: judged.relative)
        judged = self.evaluate(candidate, method)
        return self.prove(judged) if judged.relative <= self.tol else judged

    def evaluate(self, candidate: Candidate, method: str) -> JudgedCandidate:
        """Return a candidate with its bounds and its gap in floating point."""
        judged = self.unjudged(candidate, method, None)
        bounds = evaluated(self.work.game, self.threat, judged.policy)
        first = () if judged.policy.horizon is None else (0,)
        gap = np.maximum(bounds.upper[first] - bounds.lower[first], 0.0)
        relative = float((gap / self.game.reward_range[:, None]).max())
        return replace(judged, bounds=bounds, relative=relative)

    def prove(self, judged: JudgedCandidate) -> JudgedCandidate:
        """Return a judged candidate with its proof, from the bounds that are known."""
        if judged.sealed is not None:
            return judged
        if judged.bounds is None:
            judged = self.evaluate(judged.candidate, judged.method)
            assert judged.bounds is not None
        bounds = judged.centred.restored(judged.bounds)
        sealing = sealing_arithmetic(self.game, self.threat, judged.policy)
        if sealing == "float" or judged.bounds is not judged.candidate.bounds:
            # What a solver brings along is sealed as it is, if the checker takes it.
            bounds = refined(self.game, self.threat, judged.policy, bounds, sealing)
        sealed = seal_on_grid(self.game, self.threat, judged.policy, bounds, sealing)
        return replace(judged, relative=max(sealed.relative), sealed=sealed)

    def worst_attacks(
        self, judged: JudgedCandidate, policy: Policy, values: FloatArray
    ) -> tuple[WorstAttack, ...]:
        """Return the worst attack on every agent at the robust values of the sealed policy."""
        if judged.attack is not None:
            return judged.attack
        if judged.bounds is not None and judged.bounds.worst is not None:
            return tuple(
                WorstAttack(agent, np.asarray(columns, dtype=np.int64), self.threat)
                for agent, columns in enumerate(judged.bounds.worst)
            )
        return worst_attacks_at(self.game, self.threat, policy, values)

    def unjudged(self, candidate: Candidate, method: str, bounds: Bounds | None = None) -> JudgedCandidate:
        """Return a candidate of which nothing is known yet but what its solver says."""
        return JudgedCandidate(candidate, method, on_grid(self.game, candidate.policy), bounds, self.work)
