"""One stage ARNEQ for a batch of states: which class of stage game is at hand, and who solves it.

Classes, decided by the threat alone. Not covered are three agents or more who do not decouple, masks, which
differ from state to state, and two agents whose attackers have several extreme points to choose from.

* ``decoupled`` [T4]: each agent plays a matrix game against everyone else; one linear program an agent.
* ``bimatrix``: two agents, no corruption: a Nash equilibrium by Lemke–Howson.
* ``polymatrix`` [T11]: two agents, agent i corrupted-against with probability p_i: Lemke's method.

A bimatrix game may have many equilibria; `Selection` chooses. The other classes return the one that
their method finds (values of a decoupled game are unique anyway).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.errors import InputError
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.bimatrix import bimatrix_equilibria, solve_bimatrix
from arneq_exact.stage.linear import solve_matrix_games
from arneq_exact.stage.polymatrix import solve_polymatrix
from arneq_exact.stage.robust import robust_matrix

Profile = tuple[FloatArray, ...]
ChooseEquilibrium = Callable[[Sequence[Profile], FloatArray, Profile | None], int]
"""``choose(equilibria, payoffs (n, A1..An), previous profile or None) -> index of the one to play``."""

Selection = str | ChooseEquilibrium
BACKENDS = ("auto", "reference")


def _nearest(equilibria: Sequence[Profile], payoffs: FloatArray, previous: Profile | None) -> int:
    if previous is None:
        return 0
    distance = [
        max(float(np.abs(mine - last).max()) for mine, last in zip(profile, previous, strict=True))
        for profile in equilibria
    ]
    return int(np.argmin(distance))


def _welfare(equilibria: Sequence[Profile], payoffs: FloatArray, previous: Profile | None) -> int:
    total = payoffs.sum(axis=0)
    return int(np.argmax([float(x1 @ total @ x2) for x1, x2 in equilibria]))


SELECTIONS: dict[str, ChooseEquilibrium | None] = {
    "first": None,
    "nearest": _nearest,
    "welfare": _welfare,
}
"""Named selections: the first equilibrium found, the nearest to the last one, the largest sum of values."""


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
        A name in `SELECTIONS` or a function that picks one of the equilibria of a bimatrix game.
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
        if kind is None:
            raise InputError(
                f"stage games of n = {n} agents under {threat.describe()} have no solver yet; "
                "must be n <= 2, or a threat that decouples"
            )
        if backend not in BACKENDS:
            raise InputError(f"backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
        if selection not in SELECTIONS if isinstance(selection, str) else not callable(selection):
            raise InputError(
                f"selection is {selection!r}; must be one of {', '.join(SELECTIONS)} or a function"
            )
        self.kind = kind
        self.threat = threat
        self.backend = backend
        self.calls = calls
        self.corruptions = [threat.corruptions(n, agent) for agent in range(n)]
        self.choose = SELECTIONS[selection] if isinstance(selection, str) else selection
        if self.choose is not None and kind == "polymatrix":
            raise InputError(
                f"selection is {selection!r}; must be 'first' where corruption has a probability, "
                "because only one equilibrium of such a stage game is computed"
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
        pair = np.stack(payoffs, axis=1)
        if self.kind == "bimatrix":
            return self._bimatrix(pair, previous)
        probabilities = two_agent_probabilities(self.threat)
        found = solve_polymatrix(pair, probabilities, backend=self.backend, calls=self.calls)
        unused = np.ones((len(pair), 1))
        attack = tuple(
            mixture if probability > 0 else unused
            for mixture, probability in zip((found.y1, found.y2), probabilities, strict=True)
        )
        return StageProfiles((found.x1, found.x2), attack)

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
        if self.choose is None:
            found = solve_bimatrix(pair, backend=self.backend, calls=self.calls)
            return StageProfiles((found.x1, found.x2), (unused, unused))
        chosen: list[Profile] = []
        for state, payoff in enumerate(pair):
            equilibria = bimatrix_equilibria(payoff, backend=self.backend, calls=self.calls)
            last = None if previous is None else tuple(array[state] for array in previous)
            answer = self.choose(equilibria, payoff, last)
            if not isinstance(answer, int | np.integer) or not 0 <= answer < len(equilibria):
                raise InputError(
                    f"selection returned {answer!r}; must be an index below the {len(equilibria)} equilibria"
                )
            chosen.append(equilibria[int(answer)])
        policy = tuple(np.stack([profile[agent] for profile in chosen]) for agent in range(2))
        return StageProfiles(policy, (unused, unused))
