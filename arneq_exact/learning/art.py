"""Adversarially Robust Training (ART): agents ascend their robust objectives, attackers descend them.

Nöther, Nika, Singla & Radanovic (2024) train independent learners by stochastic gradient descent ascent:
agent i moves π_i along ∂J_i/∂π_i, its attacker moves (ω_i, π̂^i) against ∂J_i/∂(ω_i, π̂^i), all at once; J_i is
the value of agent i when its own attacker draws the corrupted agents. The defaults are that method; each
option (`arneq_exact.learning.options`) changes one thing.

What may be expected: nothing in general, since simultaneous gradients of a game may circle, or settle where
no equilibrium is. Where agents decouple [T4], or two agents play a zero-sum game, every agent meets one
opponent, and optimistic steps converge in their last iterate: `CONVERGENT` is optimistic gradient descent
ascent on the simplex (Wei, Lee, Zhang & Luo 2021, for two-player zero-sum Markov games; here without their
slowly moving critic, since the model gives the values of the policies at hand). What is reached there and
elsewhere is measured by `benchmarks/art.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.attacked_game import AttackedGame, Parts
from arneq_exact.learning.gradients import ExactGradients, GradientSource, require_draw
from arneq_exact.learning.learner import Array, Learner
from arneq_exact.learning.options import TrainingOptions, schedule_of
from arneq_exact.learning.parametrisation import PARAMETRISATIONS, direction
from arneq_exact.learning.rollout import SampledGradients
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

CONVERGENT: dict[str, Any] = {
    "attack": "joint",
    "parametrisation": "simplex",
    "natural": True,
    "update": "optimistic",
}
"""Options under which exact ART came to rest where agents decouple or two play a zero-sum game: 49 of 50
random games within 2000 iterations (`benchmarks/art.py`)."""


class ART(Learner):
    """Gradient descent ascent of all agents against attackers of their own.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
        Any. Under static corruption, sets are drawn once per episode.
    seed : int
    **options
        See `arneq_exact.learning.options.TrainingOptions`.

    Raises
    ------
    GameError, ThreatError, InputError
        With the value and the rule.

    Notes
    -----
    An iteration with exact gradients costs per agent one factorisation of an (S, S) matrix, the same as one
    policy evaluation, and two passes over the rows of the game; with sampled gradients its episodes.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> learner = ART(game, ThreatModel(1), initial_spread=1.0, **CONVERGENT)
    >>> learner.step(200)
    >>> learner.policy[0].round(2).tolist()
    [[0.5, 0.5]]
    """

    name: ClassVar[str] = "ART"

    def __init__(self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, **options: Any) -> None:
        super().__init__(game, threat, seed=seed)
        self.options = TrainingOptions.of(self.name, options)
        self._prepare()

    def _prepare(self) -> None:
        """Set up variables and gradients for the threat that is trained against."""
        options, training = self.options, self.training_threat
        self._arena = AttackedGame(self.game, training, options.attack, options.start, self.name)
        draw = options.draw or ("step" if training.timing == "per-state" else "episode")
        require_draw(self._arena, draw, self.name)
        self._form = PARAMETRISATIONS[options.parametrisation]
        self._allowed = self._arena.allowed
        self._share = {name: 1.0 / array.sum(axis=-1, keepdims=True) for name, array in self._allowed.items()}
        rng = np.random.default_rng([self.seed, 0])
        self._variables: Parts = {
            name: self._form.start(options.initial_spread * rng.standard_normal(array.shape), array)
            for name, array in self._allowed.items()
        }
        self._before: Parts = {
            name: np.zeros(array.shape)
            for name, array in self._variables.items()
            if options.update == "optimistic"
        }
        self._average: Parts = {}
        if options.averaging != "last":
            shape = (self.game.n_agents, self.game.n_states, self._arena.columns)
            self._average = {"policy": self.played()["policy"], "columns": np.zeros(shape)}
            self._average["columns"][...] = self._columns()
        self._rates = {
            "agent": schedule_of(options.agent_schedule, "agent_schedule"),
            "attacker": schedule_of(options.attacker_schedule, "attacker_schedule"),
            "entropy": schedule_of(options.entropy_schedule, "entropy_schedule"),
        }
        self._baseline: Parts = {}
        self._source = self._make_source(draw)

    def _make_source(self, draw: str) -> GradientSource:
        options = self.options
        if options.gradients == "exact":
            return ExactGradients(self._arena, draw)
        self._baseline["returns"] = np.zeros((self.game.n_agents, self.game.n_states))
        return SampledGradients(
            self._arena, draw, options.episodes, self.seed, self._baseline["returns"], options.baseline_rate
        )

    @property
    def policy(self) -> Policy:
        """What the agents play now, or its average."""
        arrays = self._average["policy"] if self._average else self.played()["policy"]
        widths = self.game.action_counts.max(axis=0)
        return Policy(self.game, [arrays[i][:, :width] for i, width in enumerate(widths)])

    @property
    def attack(self) -> tuple[FloatArray, ...]:
        """The attackers' mixtures over the columns of `training_threat`, or their averages."""
        columns = self._average["columns"] if self._average else self._columns()
        return tuple(columns[i][:, : t.point.shape[1]].copy() for i, t in enumerate(self._arena.tables))

    @property
    def settings(self) -> dict[str, Any]:
        """All options by name."""
        return self.options.as_data()

    def played(self, variables: Parts | None = None) -> Parts:
        """Return the probabilities of every player's variables, exploration included."""
        explored = self.options.exploration
        result = {}
        for name, array in (self._variables if variables is None else variables).items():
            allowed = self._allowed[name]
            chances = self._form.probabilities(array, allowed)
            if explored:
                chances = (1 - explored) * chances + np.where(allowed, explored * self._share[name], 0.0)
            result[name] = chances
        return result

    def _iterate(self) -> None:
        update = self.options.update
        here = self._variables
        if update == "simultaneous":
            self._move(here, self._changes(here, 0))
        elif update == "alternating":
            changes = self._changes(here, 0)
            self._move(here, {"policy": changes["policy"]})
            changes = self._changes(here, 1)
            del changes["policy"]
            self._move(here, changes)
        elif update == "extragradient":
            trial = {name: array.copy() for name, array in here.items()}
            self._move(trial, self._changes(here, 0))
            self._move(here, self._changes(trial, 1))
        else:
            trial = {name: array.copy() for name, array in here.items()}
            self._move(trial, self._before)
            changes = self._changes(trial, 0)
            for name, change in changes.items():
                self._before[name][...] = change
            self._move(here, changes)
        if self._average:
            done = self.iteration + 1
            weight = 1.0 / done if self.options.averaging == "uniform" else 2.0 / (done + 1)
            latest = self.played()
            for name, array in (("policy", latest["policy"]), ("columns", self._columns(latest))):
                self._average[name] += weight * (array - self._average[name])

    def _changes(self, variables: Parts, call: int) -> Parts:
        """Return how far all variables move, for the gradients at these."""
        options = self.options
        played = self.played(variables)
        found = self._source.gradients(played, self.iteration, call)
        self.environment_steps += found.steps
        entropy = options.entropy * float(self._rates["entropy"](self.iteration + 1))
        rates = {
            "policy": options.agent_rate * float(self._rates["agent"](self.iteration + 1)),
            "attack": options.attacker_rate * float(self._rates["attacker"](self.iteration + 1)),
        }
        unit = (1 - options.exploration) / self.game.reward_range
        changes = {}
        for name, gradient in found.by.items():
            is_policy = name == "policy"
            towards = direction(
                self._form,
                self._form.probabilities(variables[name], self._allowed[name]),
                gradient,
                self._allowed[name],
                unit if is_policy else -unit,
                found.occupancy,
                natural=options.natural,
                entropy=entropy,
            )
            changes[name] = rates["policy" if is_policy else "attack"] * towards
        return changes

    def _move(self, variables: Parts, changes: Mapping[str, FloatArray]) -> None:
        for name, change in changes.items():
            variables[name][...] = self._form.moved(variables[name], change, self._allowed[name])

    def _columns(self, played: Parts | None = None) -> FloatArray:
        """Return every attacker's mixture over columns, (n, S, C)."""
        current = self.played() if played is None else played
        return np.stack([self._arena.mixture(agent, current)[0] for agent in range(self.game.n_agents)])

    def _arrays(self) -> dict[str, Array]:
        return {
            **{f"variable_{name}": array for name, array in self._variables.items()},
            **{f"before_{name}": array for name, array in self._before.items()},
            **{f"average_{name}": array for name, array in self._average.items()},
            **{f"baseline_{name}": array for name, array in self._baseline.items()},
        }
