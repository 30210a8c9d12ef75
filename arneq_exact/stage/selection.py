"""Which of several stage ARNEQ the model-based procedure plays: the selection is part of its operator.

Named selections:

* ``first``: the one that the solver of the class finds, without an enumeration;
* ``nearest``: the nearest to the profile selected last, in the largest difference of a probability; where
  there is no quick enumeration, the one that active-set Newton finds from that profile;
* ``welfare``: the largest sum of the agents' stage values g_i;
* ``agent-0``, ``agent-1``, …: the one that is best for this agent, numbered from 0;
* ``type-a`` and ``type-b``: one that is of type A (of type B′) for as many agents as possible: for all of
  them, if there is one [T6], [T7].

Ties go to the one enumerated first: fewest actions in use, then the order of actions. A function of one's
own is called as ``choose(equilibria, payoffs, previous)`` and returns an index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.profiles import Profile
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.types.equilibrium_types import (
    TYPE_A,
    TYPE_B_PRIME,
    stage_types,
)

ChooseEquilibrium = Callable[[Sequence[Profile], FloatArray, Profile | None], int]
"""``choose(equilibria, payoffs (n, A1..An), previous profile or None) -> index of the one to play``."""

Selection = str | ChooseEquilibrium

SELECTIONS = ("first", "nearest", "welfare", "type-a", "type-b")
"""Named selections; ``agent-0``, ``agent-1``, … are further ones."""


@dataclass(frozen=True)
class Chooser:
    """Carries out a selection.

    Attributes
    ----------
    selection : str or function
    attackers : StageAttackers
    backend, calls
        As in `arneq_exact.stage.solve.StageSolver`, for the linear programs that types need.
    """

    selection: Selection
    attackers: StageAttackers
    backend: str = "auto"
    calls: Counter[str] | None = None

    def __post_init__(self) -> None:
        names = [*SELECTIONS, *(f"agent-{agent}" for agent in range(self.attackers.n))]
        if self.selection not in names if isinstance(self.selection, str) else not callable(self.selection):
            raise InputError(
                f"selection is {self.selection!r}; must be one of {', '.join(names)} or a function"
            )

    @property
    def enumerates(self) -> bool:
        """Whether all equilibria are wanted."""
        return self.selection != "first"

    def choose(self, equilibria: Sequence[Profile], payoffs: FloatArray, previous: Profile | None) -> Profile:
        """Return the selected one of the equilibria of a stage game with payoffs (n, A1, ..., An)."""
        if not isinstance(self.selection, str):
            answer = self.selection(equilibria, payoffs, previous)
            if not isinstance(answer, int | np.integer) or not 0 <= answer < len(equilibria):
                raise InputError(
                    f"selection returned {answer!r}; must be an index below the {len(equilibria)} equilibria"
                )
            return equilibria[int(answer)]
        if len(equilibria) == 1:
            return equilibria[0]
        return equilibria[int(np.argmax(self._merit(self.selection, equilibria, payoffs, previous)))]

    def _merit(
        self, name: str, equilibria: Sequence[Profile], payoffs: FloatArray, previous: Profile | None
    ) -> FloatArray:
        """What the named selection maximises, (E,)."""
        if name == "first" or (name == "nearest" and previous is None):
            return np.zeros(len(equilibria))
        if name == "nearest":
            assert previous is not None
            return np.array(
                [
                    -max(np.abs(x - last).max() for x, last in zip(one, previous, strict=True))
                    for one in equilibria
                ]
            )
        values = self._values(equilibria, payoffs)
        if name == "welfare":
            return np.asarray(values.sum(axis=1))
        if name.startswith("agent-"):
            return np.asarray(values[:, int(name.removeprefix("agent-"))])
        flag = TYPE_A if name == "type-a" else TYPE_B_PRIME
        batch = [np.repeat(payoff[None], len(values), axis=0) for payoff in payoffs]
        types = stage_types(batch, values.T, self.attackers, backend=self.backend, calls=self.calls)
        merit: FloatArray = (types & flag > 0).sum(axis=0).astype(np.float64)
        return merit

    def _values(self, equilibria: Sequence[Profile], payoffs: FloatArray) -> FloatArray:
        """Stage values (E, n)."""
        batch = [np.stack([one[agent] for one in equilibria]) for agent in range(len(payoffs))]
        values = np.empty((len(equilibria), len(payoffs)))
        for agent, payoff in enumerate(payoffs):
            repeated = np.broadcast_to(payoff, (len(equilibria), *payoff.shape))
            matrix = robust_matrix(repeated, batch, self.attackers.of[agent])
            values[:, agent] = np.einsum("ba,bac->bc", batch[agent], matrix).min(axis=1)
        return values
