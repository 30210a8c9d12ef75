"""One stage ARNEQ for a batch of states: which class of stage game is at hand, and who solves it.

Classes, decided by the threat alone. Not covered are masks, which differ from state to state.

* ``decoupled`` [T4]: each agent plays a matrix game against everyone else; one linear program an agent.
* ``bimatrix``: two agents, no corruption: a Nash equilibrium by Lemke–Howson.
* ``polymatrix`` [T11]: two agents, agent i corrupted-against with probability p_i: Lemke's method.

* ``enumerated``: up to four agents otherwise, if nobody has more than two actions in the state at hand; and
  two agents whose attackers choose among probabilities. All stage ARNEQ are enumerated. With more agents
  or actions, ``first`` is found by active-set Newton and barrier paths (`arneq_exact.stage.multilinear`),
  and no other selection applies.

A stage game may have many equilibria: a selection chooses (`arneq_exact.stage.selection`). ``first`` is the
one that the method of the class finds; for others all are enumerated (`arneq_exact.stage.enumeration`;
bimatrix games in floating point, for speed). Values of a decoupled game are unique, and it is never
enumerated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.errors import InputError, StageError
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.bimatrix import equilibria_of_batch, solve_bimatrix
from arneq_exact.stage.enumeration import MOST_AGENTS, enumerate_under
from arneq_exact.stage.linear import solve_matrix_games
from arneq_exact.stage.multilinear import solve_multilinear_games
from arneq_exact.stage.polymatrix import solve_polymatrix
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.selection import Chooser, Profile, Selection
from arneq_exact.stage.verification import count

BACKENDS = ("auto", "reference")


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


def stage_class(n: int, threat: ThreatModel) -> str | None:
    """Return the class of stage game, or None where no stage solver exists."""
    if threat.masks is not None:
        return None
    if threat.decouples(n):
        return "decoupled"
    if n == 2 and all(len(threat.corruptions(2, agent)) == 1 for agent in range(2)):
        return "bimatrix" if two_agent_probabilities(threat) == (0.0, 0.0) else "polymatrix"
    return None


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

    Raises
    ------
    InputError
        If the class has no stage solver, the backend does not exist, or the selection does not exist or
        does not apply.
    """

    def __init__(
        self,
        n: int,
        threat: ThreatModel,
        *,
        selection: Selection = "first",
        backend: str = "auto",
        calls: Counter[str] | None = None,
    ) -> None:
        kind = stage_class(n, threat)
        if kind is None and threat.masks is None and (n <= MOST_AGENTS or selection == "first"):
            kind = "enumerated"
        if kind is None:
            raise InputError(
                f"stage games of n = {n} agents under {threat.describe()} have no solver yet; "
                f"must be selection 'first' without masks, or n <= {MOST_AGENTS} with two actions each"
            )
        if backend not in BACKENDS:
            raise InputError(f"backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
        self.kind = kind
        self.threat = threat
        self.backend = backend
        self.calls = calls
        self.corruptions = [threat.corruptions(n, agent) for agent in range(n)]
        self.chooser = Chooser(selection, self.corruptions, backend, calls)
        if kind == "polymatrix" and self.chooser.enumerates:
            self.kind = "enumerated"
        if self.kind == "enumerated" and backend == "reference":
            raise InputError(
                f"backend is 'reference' with selection {selection!r}; stage games of n = {n} agents under "
                f"{threat.describe()} are enumerated by backend 'auto' only"
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
        StageError
            If no method of the backend solves some stage game.
        """
        if self.kind == "decoupled":
            return self._decoupled(payoffs)
        if self.kind == "enumerated":
            if not self.chooser.enumerates and not enumerable(payoffs[0].shape[1:]):
                found = solve_multilinear_games(payoffs, self.corruptions, calls=self.calls)
                return StageProfiles(found.policy, found.attack)
            return self._enumerated(payoffs, previous)
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
        attack = [
            solve_matrix_games(
                robust_matrix(payoff, policy, self.corruptions[agent], agent),
                backend=self.backend,
                calls=self.calls,
            ).column
            for agent, payoff in enumerate(payoffs)
        ]
        return StageProfiles(tuple(policy), tuple(attack))


def enumerable(counts: Sequence[int]) -> bool:
    """Tell whether all stage ARNEQ can be enumerated for agents with these action counts."""
    return len(counts) <= 2 or (len(counts) <= MOST_AGENTS and max(counts) <= 2)


def _last(previous: Sequence[FloatArray] | None, state: int) -> Profile | None:
    """The last profile of one state."""
    return None if previous is None else tuple(array[state] for array in previous)
