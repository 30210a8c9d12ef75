"""Reference lines on the interface of learners: the model-based procedure, and the solver itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from arneq_exact.learning.learner import Array, Learner
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solution import Solution
from arneq_exact.solver import solve


class Procedure(Learner):
    """The model-based procedure of Eq. (2): one iteration solves every state's stage game once.

    Parameters
    ----------
    game, threat, seed
        Any class with a stage solver, as for `arneq_exact.iterate`. The seed is not used.
    selection : str
        Which stage equilibrium is played.

    Raises
    ------
    InputError
        If the class has no stage solver, or there is no such selection.
    """

    name: ClassVar[str] = "procedure"

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, selection: str = "first"
    ) -> None:
        super().__init__(game, threat, seed=seed)
        require_game_and_threat(game, threat, self.name)
        self.selection = selection
        self._step = StageStep(game, threat, selection=selection)
        self._values = np.zeros((game.n_agents, game.n_states))
        self._policy = [np.array(array) for array in Policy.uniform(game)]

    @property
    def policy(self) -> Policy:
        """The stage equilibria selected last; uniform before the first iteration."""
        return Policy(self.game, self._policy)

    @property
    def settings(self) -> dict[str, Any]:
        """The selection."""
        return {"selection": self.selection}

    def _iterate(self) -> None:
        stage = self._step.at(self._values, self._policy if self.iteration else None)
        self._values[...] = stage.value
        for mine, selected in zip(self._policy, stage.policy, strict=True):
            mine[...] = selected

    def _arrays(self) -> dict[str, Array]:
        return {
            "values": self._values,
            **{f"policy_{agent}": array for agent, array in enumerate(self._policy)},
        }


class Solved(Learner):
    """The exact answer: the first iteration runs `arneq_exact.solve`, further ones change nothing.

    Parameters
    ----------
    game, threat, seed
    **options
        Of `arneq_exact.solve`, such as ``tol`` and ``time_limit``.

    Attributes
    ----------
    solution : Solution or None
        What the solver returned, with its proof; None before the first iteration, and after a restart.
    """

    name: ClassVar[str] = "solve"

    def __init__(self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, **options: Any) -> None:
        super().__init__(game, threat, seed=seed)
        require_game_and_threat(game, threat, self.name)
        self.solution: Solution | None = None
        self._options = options
        self._policy = [np.array(array) for array in Policy.uniform(game)]

    @property
    def policy(self) -> Policy:
        """The solution's policy; uniform before the first iteration."""
        return Policy(self.game, self._policy)

    @property
    def settings(self) -> dict[str, Any]:
        """The solver's options."""
        return dict(self._options)

    def _iterate(self) -> None:
        if self.iteration:
            return
        self.solution = solve(self.game, self.threat, seed=self.seed, **self._options)
        for mine, found in zip(self._policy, self.solution.policy, strict=True):
            mine[...] = found

    def _arrays(self) -> dict[str, Array]:
        return {f"policy_{agent}": array for agent, array in enumerate(self._policy)}
