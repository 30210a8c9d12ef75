"""One stage ARNEQ for a batch of states: which class of stage game is at hand, and who solves it.

By class (`arneq_exact.attackers.stage_class`):

* `Decoupled` [T4]: each agent plays a matrix game against everyone else; one linear program an agent. Masks
  only take columns away.
* `Bimatrix`: a Nash equilibrium by Lemke–Howson.
* `TwoAgents` [T11]: Lemke's method.
* `General`: pure profiles, active-set Newton and barrier paths (`arneq_exact.stage.many_agents.multilinear`).

A stage game may have many equilibria: a selection chooses (`arneq_exact.stage.selection`). ``first`` is the
one that the method of the class finds, the same whatever was played before. For others all are enumerated
(`arneq_exact.stage.enumeration.listing`; bimatrix games in floating point, for speed). Where there is no
enumeration, ``nearest`` is the one that active-set Newton finds from the last profile, and no other selection
applies; the same ``nearest`` is taken where an enumeration is slow (`arneq_exact.stage.enumeration.cost`).
Values of a decoupled game are unique, and it is never enumerated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.attackers.stage_class import Bimatrix, Decoupled, General, TwoAgents
from arneq_exact.errors import InputError, StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.enumeration.cost import is_quick
from arneq_exact.stage.enumeration.listing import enumerate_under, no_enumeration
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games
from arneq_exact.stage.profiles import Profile, StageProfiles
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.selection import Chooser, Selection
from arneq_exact.stage.two_agents.bimatrix import equilibria_of_batch, solve_bimatrix
from arneq_exact.stage.two_agents.polymatrix import solve_polymatrix
from arneq_exact.stage.verification import count
from arneq_exact.stage.zero_sum.linear import MatrixGameSolutions, solve_matrix_games

BACKENDS = ("auto", "reference")
"""Compiled kernels, or nashpy and cvxpy."""

WITHOUT_ENUMERATION = ("first", "nearest")
"""Selections that apply to every stage game."""


class SolvesStages(Protocol):
    """Whatever solves batches of stage games under the attackers that it was made for."""

    attackers: StageAttackers

    def solve(
        self,
        payoffs: Sequence[FloatArray],
        previous: Sequence[FloatArray] | None = None,
        attack: Sequence[FloatArray] | None = None,
    ) -> StageProfiles:
        """Return one stage ARNEQ per state, given perhaps what agents and attackers played last."""
        ...


class StageSolver:
    """Solves batches of stage games of one class.

    Parameters
    ----------
    attackers : StageAttackers
    selection : str or callable
        A name or a function, see `arneq_exact.stage.selection`.
    backend : {"auto", "reference"}
    calls : Counter, optional
        Counts calls into each routine.

    Attributes
    ----------
    stage_class : StageClass
        The class by whose method games are solved: `General` where two agents' equilibria are enumerated.

    Raises
    ------
    InputError
        If the backend does not exist or has no solver for the class, there is no such selection, or it needs
        an enumeration and these stage games have none.
    """

    def __init__(
        self,
        attackers: StageAttackers,
        *,
        selection: Selection = "first",
        backend: str = "auto",
        calls: Counter[str] | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise InputError(f"backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
        self.attackers = attackers
        self.backend = backend
        self.calls = calls
        self.chooser = Chooser(selection, attackers, backend, calls)
        self.stage_class = attackers.stage_class
        if isinstance(self.stage_class, TwoAgents) and self.chooser.enumerates:
            self.stage_class = General()
        if self.stage_class != General():
            return
        if backend == "reference":
            raise InputError(
                f"backend is 'reference' with selection {selection!r}; stage games of n = {attackers.n} "
                f"agents under {attackers.described} are solved by backend 'auto' only"
            )
        if selection not in WITHOUT_ENUMERATION and attackers.enumeration is None:
            raise InputError(
                f"selection is {selection!r}; {no_enumeration(attackers)}, "
                f"or the selection one of {', '.join(WITHOUT_ENUMERATION)}"
            )

    def solve(
        self,
        payoffs: Sequence[FloatArray],
        previous: Sequence[FloatArray] | None = None,
        attack: Sequence[FloatArray] | None = None,
    ) -> StageProfiles:
        """Return one stage ARNEQ per state.

        Parameters
        ----------
        payoffs : one array (B, A1, ..., An) per agent
        previous : one array (B, A_i) per agent, optional
            The last profile, for selections that look back.
        attack : optional
            Not used: attackers begin from what is optimal against `previous`.

        Raises
        ------
        StageError
            If no method of the backend solves some stage game.
        """
        match self.stage_class:
            case Decoupled():
                games = self._matrix_games(payoffs, ())
                return StageProfiles(tuple(game.row for game in games), tuple(game.column for game in games))
            case Bimatrix():
                return self._bimatrix(np.stack(payoffs, axis=1), previous)
            case TwoAgents(probabilities):
                return self._two_agents(np.stack(payoffs, axis=1), probabilities)
        return self._general(payoffs, previous)

    def _two_agents(self, pair: FloatArray, probabilities: tuple[float, float]) -> StageProfiles:
        solved = solve_polymatrix(pair, probabilities, backend=self.backend, calls=self.calls)
        unused = np.ones((len(pair), 1))
        attack = tuple(
            mixture if probability > 0 else unused
            for mixture, probability in zip((solved.y1, solved.y2), probabilities, strict=True)
        )
        return StageProfiles((solved.x1, solved.x2), attack)

    def _bimatrix(self, pair: FloatArray, previous: Sequence[FloatArray] | None) -> StageProfiles:
        batch = len(pair)
        unused = np.ones((batch, 1))
        if not self.chooser.enumerates:
            found = solve_bimatrix(pair, backend=self.backend, calls=self.calls)
            return StageProfiles((found.x1, found.x2), (unused, unused))
        chosen: list[Profile] = []
        found_by_state = equilibria_of_batch(pair, backend=self.backend, calls=self.calls)
        for state, (payoff, equilibria) in enumerate(zip(pair, found_by_state, strict=True)):
            chosen.append(self.chooser.choose(equilibria, payoff, _last(previous, state)))
        policy = tuple(np.stack([profile[agent] for profile in chosen]) for agent in range(2))
        return StageProfiles(policy, (unused, unused))

    def _general(self, payoffs: Sequence[FloatArray], previous: Sequence[FloatArray] | None) -> StageProfiles:
        enumerable = self.attackers.enumeration is not None
        slow_for_one = self.chooser.selection == "nearest" and not is_quick(self.attackers)
        if enumerable and self.chooser.enumerates and not slow_for_one:
            return self._enumerated(payoffs, previous)
        start = None
        if self.chooser.enumerates and previous is not None:
            start = tuple(previous), self._attacks(payoffs, previous)
        try:
            found = solve_multilinear_games(payoffs, self.attackers, start, calls=self.calls)
        except StageError:
            if not enumerable:
                raise
            return self._enumerated(payoffs, previous)
        return StageProfiles(found.policy, found.attack)

    def _enumerated(
        self, payoffs: Sequence[FloatArray], previous: Sequence[FloatArray] | None
    ) -> StageProfiles:
        chosen: list[Profile] = []
        for state, stage in enumerate(np.stack(payoffs, axis=1)):
            count(self.calls, "enumeration", 1)
            found = enumerate_under(stage, self.attackers)
            if not found.equilibria:
                raise StageError(f"the enumeration of a stage game found no equilibrium: {found.argument}")
            profiles = [one.policy for one in found.equilibria]
            chosen.append(self.chooser.choose(profiles, stage, _last(previous, state)))
        policy = [np.stack([profile[agent] for profile in chosen]) for agent in range(len(payoffs))]
        return StageProfiles(tuple(policy), self._attacks(payoffs, policy))

    def _attacks(self, payoffs: Sequence[FloatArray], policy: Sequence[FloatArray]) -> tuple[FloatArray, ...]:
        """Return the attackers' optimal mixtures where the others play `policy`."""
        return tuple(game.column for game in self._matrix_games(payoffs, policy))

    def _matrix_games(
        self, payoffs: Sequence[FloatArray], policy: Sequence[FloatArray]
    ) -> list[MatrixGameSolutions]:
        """Solve every agent's game against its attacker where the others play `policy`."""
        return [
            solve_matrix_games(robust_matrix(payoff, policy, own), backend=self.backend, calls=self.calls)
            for payoff, own in zip(payoffs, self.attackers.of, strict=True)
        ]


class ContinuedSolver:
    """Solves batches of stage games of any class by active-set Newton from the last profile.

    Selections stay near what they were, so that values move little once they are near a solution.

    Parameters
    ----------
    attackers : StageAttackers
    seed : int
        0 for the path from uniform weights where there is no last profile, others for random weights.
    calls : Counter, optional
        Counts stage games by method.
    """

    def __init__(
        self, attackers: StageAttackers, *, seed: int = 0, calls: Counter[str] | None = None
    ) -> None:
        self.attackers = attackers
        self.seed = seed
        self.calls = calls

    def solve(
        self,
        payoffs: Sequence[FloatArray],
        previous: Sequence[FloatArray] | None = None,
        attack: Sequence[FloatArray] | None = None,
    ) -> StageProfiles:
        """Return one stage ARNEQ per state.

        Parameters
        ----------
        payoffs : one array (B, A1, ..., An) per agent
        previous : one array (B, A_i) per agent, optional
        attack : one array (B, C_i) per agent, optional
            What was played last: both, or neither.

        Raises
        ------
        StageError
            If some stage game is not solved.
        """
        start = None if previous is None or attack is None else (tuple(previous), tuple(attack))
        return solve_multilinear_games(payoffs, self.attackers, start, self.seed, self.calls)


def _last(previous: Sequence[FloatArray] | None, state: int) -> Profile | None:
    """The last profile of one state."""
    return None if previous is None else tuple(array[state] for array in previous)
