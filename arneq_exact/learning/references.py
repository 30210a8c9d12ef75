"""Reference lines on the interface of learners: the model-based procedure, and the solver itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from arneq_exact import require
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.learner import Array, Learner
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.exact_horizon import MOST_BITS
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.choice import chosen_solvers
from arneq_exact.solver.clock import require_time_limit
from arneq_exact.solver.options import require_options
from arneq_exact.solver.registry import SOLVERS
from arneq_exact.solver.solution import Solution
from arneq_exact.solver.solve import solve
from arneq_exact.stage.solve import StageSolver

SOLVE_DEFAULTS: dict[str, Any] = {
    "method": "auto",
    "backend": "auto",
    "exact": False,
    "bits": MOST_BITS,
    "tol": 1e-8,
    "time_limit": None,
}
"""Options of `arneq_exact.solve` that are plain data and leave the policy a stationary one."""


class _Reference(Learner):
    """What simulates nothing and learns nothing: a policy that is replaced as a whole."""

    def __init__(self, game: MarkovGame, threat: ThreatModel, seed: int) -> None:
        super().__init__(game, threat, seed=seed)
        require_game_and_threat(game, threat, self.name)
        self._policy = [np.array(array) for array in Policy.uniform(game)]

    @property
    def policy(self) -> Policy:
        """The policy found last; uniform before the first iteration."""
        return Policy(self.game, self._policy)

    def _put(self, policy: Iterable[FloatArray]) -> None:
        for mine, found in zip(self._policy, policy, strict=True):
            mine[...] = found

    def _arrays(self) -> dict[str, Array]:
        return {f"policy_{agent}": array for agent, array in enumerate(self._policy)}


class Procedure(_Reference):
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
        If the class has no stage solver, there is no such selection, or an option is unknown.
    """

    name: ClassVar[str] = "procedure"

    def __init__(
        self,
        game: MarkovGame,
        threat: ThreatModel,
        *,
        seed: int = 0,
        selection: str = "first",
        **unknown: Any,
    ) -> None:
        super().__init__(game, threat, seed)
        require.known(unknown, self.name, "option", ("selection",))
        self.selection = selection
        self._step = StageStep(game, threat, partial(StageSolver, selection=selection))
        self._values = np.zeros((game.n_agents, game.n_states))

    @property
    def settings(self) -> dict[str, Any]:
        """The selection."""
        return {"selection": self.selection}

    def _iterate(self) -> None:
        stage = self._step.at(self._values, self._policy if self.iteration else None)
        self._values[...] = stage.value
        self._put(stage.policy)

    def _arrays(self) -> dict[str, Array]:
        return {"values": self._values, **super()._arrays()}


class Solved(_Reference):
    """The exact answer: the first iteration runs `arneq_exact.solve`, further ones change nothing.

    Parameters
    ----------
    game, threat, seed
    method, backend, exact, bits, tol, time_limit
        As for `arneq_exact.solve`.

    Raises
    ------
    InputError
        If an option is unknown, or `solve` would refuse it.

    Attributes
    ----------
    solution : Solution or None
        What the solver returned, with its proof; None before the first iteration, and after a restart.
    """

    name: ClassVar[str] = "solve"

    def __init__(self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, **options: Any) -> None:
        super().__init__(game, threat, seed)
        require.known(options, self.name, "option", SOLVE_DEFAULTS)
        given = {**SOLVE_DEFAULTS, **options}
        chosen_solvers(SOLVERS, game, threat, given["method"], None)
        plain_options = {name: given[name] for name in ("backend", "tol", "exact", "bits")}
        require_options(seed=seed, **plain_options)
        require_time_limit(given["time_limit"], "solve")
        # As plain numbers: a checkpoint keeps them as text.
        for name, plain in (("tol", float), ("time_limit", float), ("bits", int)):
            if options.get(name) is not None:
                options[name] = plain(options[name])
        self.solution: Solution | None = None
        self._options = options

    @property
    def settings(self) -> dict[str, Any]:
        """The solver's options."""
        return dict(self._options)

    def _iterate(self) -> None:
        if self.iteration:
            return
        self.solution = solve(self.game, self.threat, seed=self.seed, **self._options)
        self._put(self.solution.policy)
