"""One stage ARNEQ for a batch of states: which class of stage game is at hand, and who solves it.

Classes, decided by the threat and by what masks leave corrupted agents to do in the states at hand:

* ``decoupled`` [T4]: each agent plays a matrix game against everyone else; one linear program an agent.
  Masks only take columns away.
* ``bimatrix``: two agents, no corruption: a Nash equilibrium by Lemke–Howson.
* ``polymatrix`` [T11]: two agents without masks, agent i corrupted-against with probability p_i: Lemke's
  method.
* ``general``: everything else, any number of agents under any threat [T10], by pure profiles, active-set
  Newton and barrier paths (`arneq_exact.stage.many_agents.multilinear`).

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
from dataclasses import dataclass

import numpy as np

from arneq_exact.errors import InputError, StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Masks
from arneq_exact.stage.enumeration.cost import is_quick
from arneq_exact.stage.enumeration.listing import enumerate_under, enumeration_class, no_enumeration
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.selection import Chooser, Profile, Selection
from arneq_exact.stage.two_agents.bimatrix import equilibria_of_batch, solve_bimatrix
from arneq_exact.stage.two_agents.polymatrix import solve_polymatrix
from arneq_exact.stage.verification import count
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

BACKENDS = ("auto", "reference")
WITHOUT_ENUMERATION = ("first", "nearest")
"""Selections that apply to every stage game."""


@dataclass(frozen=True)
class StageProfiles:
    """Stage ARNEQ of a batch of B states.

    Attributes
    ----------
    policy : one array (B, A_i) per agent
    attack : one array (B, C_i) per agent
        Optimal mixtures of each agent's attacker over its columns.
    """

    policy: tuple[FloatArray, ...]
    attack: tuple[FloatArray, ...]


def two_agent_probabilities(threat: ThreatModel) -> tuple[float, float]:
    """Return (p_1, p_2): the probability with which each of two agents sees the other corrupted.

    For threats that leave each attacker one extreme point: the first is read.
    """
    first, second = (
        float(sum(weight for members, weight in threat.corruptions(2, agent)[0].weights if members))
        for agent in range(2)
    )
    return first, second


def stage_class(n: int, threat: ThreatModel, masks: Masks = ()) -> str:
    """Return the class of the stage games of states in which corrupted agents obey `masks`."""
    if threat.decouples(n):
        return "decoupled"
    points = _masked(n, threat, masks)
    if n == 2 and all(len(own) == 1 and not own[0].allowed for own in points):
        return "bimatrix" if two_agent_probabilities(threat) == (0.0, 0.0) else "polymatrix"
    return "general"


def _masked(n: int, threat: ThreatModel, masks: Masks) -> list[tuple[Corruption, ...]]:
    """Return every agent's extreme points where corrupted agents obey `masks`."""
    return [tuple(point.restricted(masks) for point in threat.corruptions(n, agent)) for agent in range(n)]


class StageSolver:
    """Solves batches of stage games of one class.

    Parameters
    ----------
    n : int
    threat : ThreatModel
    selection : str or callable
        A name or a function, see `arneq_exact.stage.selection`.
    backend : {"auto", "reference"}
    calls : Counter, optional
        Counts calls into each routine.
    masks : tuple of (agent, actions)
        What corrupted agents can play in the states at hand, where that is not everything.

    Raises
    ------
    InputError
        If the backend does not exist or has no solver for the class, or there is no such selection.
    """

    def __init__(
        self,
        n: int,
        threat: ThreatModel,
        *,
        selection: Selection = "first",
        backend: str = "auto",
        calls: Counter[str] | None = None,
        masks: Masks = (),
    ) -> None:
        if backend not in BACKENDS:
            raise InputError(f"backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
        self.kind = stage_class(n, threat, masks)
        self.threat = threat
        self.backend = backend
        self.calls = calls
        self.corruptions = _masked(n, threat, masks)
        self.chooser = Chooser(selection, self.corruptions, backend, calls)
        if self.kind == "polymatrix" and self.chooser.enumerates:
            self.kind = "general"
        if self.kind == "general" and backend == "reference":
            raise InputError(
                f"backend is 'reference' with selection {selection!r}; stage games of n = {n} agents under "
                f"{threat.describe()} are solved by backend 'auto' only"
            )

    def require_selection(self, counts: Sequence[int]) -> None:
        """Refuse agents with these action counts if the selection needs an enumeration that there is not.

        Raises
        ------
        InputError
        """
        free = self.kind != "general" or self.chooser.selection in WITHOUT_ENUMERATION
        if not free and enumeration_class(counts, self.corruptions) is None:
            raise InputError(
                f"selection is {self.chooser.selection!r}; {no_enumeration(counts, self.threat.describe())}, "
                f"or the selection one of {', '.join(WITHOUT_ENUMERATION)}"
            )

    def solve(
        self, payoffs: Sequence[FloatArray], previous: Sequence[FloatArray] | None = None
    ) -> StageProfiles:
        """Return one stage ARNEQ per state.

        Parameters
        ----------
        payoffs : one array (B, A1, ..., An) per agent
        previous : one array (B, A_i) per agent, optional
            The last profile, for selections that look back.

        Raises
        ------
        InputError
            If the selection needs an enumeration, and these stage games have none.
        StageError
            If no method of the backend solves some stage game.
        """
        self.require_selection(payoffs[0].shape[1:])
        if self.kind == "decoupled":
            return self._decoupled(payoffs)
        if self.kind == "general":
            return self._general(payoffs, previous)
        pair = np.stack(payoffs, axis=1)
        if self.kind == "bimatrix":
            return self._bimatrix(pair, previous)
        probabilities = two_agent_probabilities(self.threat)
        solved = solve_polymatrix(pair, probabilities, backend=self.backend, calls=self.calls)
        unused = np.ones((len(pair), 1))
        attack = tuple(
            mixture if probability > 0 else unused
            for mixture, probability in zip((solved.y1, solved.y2), probabilities, strict=True)
        )
        return StageProfiles((solved.x1, solved.x2), attack)

    def _decoupled(self, payoffs: Sequence[FloatArray]) -> StageProfiles:
        games = [
            solve_matrix_games(
                robust_matrix(payoff, (), self.corruptions[agent], agent),
                backend=self.backend,
                calls=self.calls,
            )
            for agent, payoff in enumerate(payoffs)
        ]
        return StageProfiles(tuple(game.row for game in games), tuple(game.column for game in games))

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
        counts = payoffs[0].shape[1:]
        enumerable = enumeration_class(counts, self.corruptions) is not None
        slow_for_one = self.chooser.selection == "nearest" and not is_quick(counts, self.corruptions)
        if enumerable and self.chooser.enumerates and not slow_for_one:
            return self._enumerated(payoffs, previous)
        start = None
        if self.chooser.enumerates and previous is not None:
            start = tuple(previous), self._attacks(payoffs, previous)
        try:
            found = solve_multilinear_games(payoffs, self.corruptions, start, calls=self.calls)
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
            found = enumerate_under(stage, self.corruptions, self.threat.describe())
            if not found.equilibria:
                raise StageError(f"the enumeration of a stage game found no equilibrium: {found.argument}")
            profiles = [one.policy for one in found.equilibria]
            chosen.append(self.chooser.choose(profiles, stage, _last(previous, state)))
        policy = [np.stack([profile[agent] for profile in chosen]) for agent in range(len(payoffs))]
        return StageProfiles(tuple(policy), self._attacks(payoffs, policy))

    def _attacks(self, payoffs: Sequence[FloatArray], policy: Sequence[FloatArray]) -> tuple[FloatArray, ...]:
        """Return the attackers' optimal mixtures where the others play `policy`."""
        return tuple(
            solve_matrix_games(
                robust_matrix(payoff, policy, self.corruptions[agent], agent),
                backend=self.backend,
                calls=self.calls,
            ).column
            for agent, payoff in enumerate(payoffs)
        )


def _last(previous: Sequence[FloatArray] | None, state: int) -> Profile | None:
    """The last profile of one state."""
    return None if previous is None else tuple(array[state] for array in previous)
