"""What every learner is to those who run it: a state that moves by iterations and shows its policy.

A learner belongs to one game and one threat. `step` moves it on, `policy` is what it would play now, and
`attack` what its attackers would. All randomness of iteration t comes from (seed, t), never from a stream
that is carried along; so a learner whose `state` is put back goes on exactly as if it had never stopped
(`arneq_exact.learning.checkpoint`). No learner judges itself: that is what the exact gap is for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

Array = np.ndarray[Any, Any]


class Learner(ABC):
    """A tabular learner of a stationary product policy.

    Parameters
    ----------
    game : MarkovGame
        Every discount below 1.
    threat : ThreatModel
        What the policy is to be robust against. A learner may train against something else, or nothing.
    seed : int
        At least 0. The same seed gives the same bytes.

    Attributes
    ----------
    iteration : int
        Iterations made.
    environment_steps : int
        Steps simulated in the game so far, over the rollouts of all agents; 0 where nothing is simulated.

    Raises
    ------
    GameError, ThreatError, InputError
        With the value and the rule.
    """

    name: ClassVar[str] = "learner"
    game: MarkovGame
    threat: ThreatModel
    seed: int
    iteration: int
    environment_steps: int

    def __init__(self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0) -> None:
        require_game_and_threat(game, threat, self.name, static=True)
        game.require_discounting(self.name)
        self.game = game
        self.threat = threat
        self.seed = require.whole(seed, f"{self.name}: seed", at_least=0)
        self.iteration = 0
        self.environment_steps = 0

    def step(self, iterations: int = 1) -> None:
        """Make so many iterations.

        Raises
        ------
        InputError
            If the number is no integer of at least 0.
        """
        for _ in range(require.whole(iterations, f"{self.name}: iterations", at_least=0)):
            self._iterate()
            self.iteration += 1

    @property
    @abstractmethod
    def policy(self) -> Policy:
        """The policy as of now, averaged if the learner averages."""

    @property
    def training_threat(self) -> ThreatModel:
        """What is trained against: the threat itself, unless the learner's name says otherwise."""
        return self.threat

    @property
    def attack(self) -> tuple[FloatArray, ...] | None:
        """Mixture over columns of `training_threat`, (S, max C_i) per agent; None without attackers."""
        return None

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All options by name, as plain data; a run may be resumed only with the same."""

    def state(self) -> dict[str, Array]:
        """Return all that changes as the learner learns: arrays by name."""
        return {
            "iteration": np.array(self.iteration, dtype=np.int64),
            "environment_steps": np.array(self.environment_steps, dtype=np.int64),
            **{name: array.copy() for name, array in self._arrays().items()},
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Put a `state` back.

        Raises
        ------
        InputError
            If arrays are missing, unknown or of another shape.
        """
        mine = self.state()
        if set(state) != set(mine):
            raise InputError(
                f"{self.name}: state holds {', '.join(sorted(state))}; must hold {', '.join(sorted(mine))}"
            )
        for name, array in mine.items():
            given = np.asarray(state[name])
            if given.shape != array.shape or given.dtype != array.dtype:
                raise InputError(
                    f"{self.name}: {name} of the state is {given.dtype} {given.shape}; "
                    f"must be {array.dtype} {array.shape}"
                )
        self.iteration = int(state["iteration"])
        self.environment_steps = int(state["environment_steps"])
        for name, array in self._arrays().items():
            array[...] = state[name]

    @abstractmethod
    def _iterate(self) -> None:
        """Make one iteration; `iteration` still counts the ones before."""

    @abstractmethod
    def _arrays(self) -> dict[str, Array]:
        """Return the arrays that iterations change, themselves and not copies."""
