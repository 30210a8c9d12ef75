"""Policy gradients of every agent and its attacker: one interface, and the exact source.

Agent i's objective is the value of a play: its policy and those of the others, its own attacker's mixture,

    J_i = Σ_s μ(s) V_i(s),

with μ the start distribution. The agent ascends it by its own π_i alone, its attacker descends it. With d_i
the discounted occupancy, d_i = (I − γ_i (W_i P)ᵀ)⁻¹ μ, and Q_i the robust action values (Sutton, McAllester,
Singh & Mansour 2000),

    ∂J_i/∂π_i(a | s) = d_i(s) Q_i(s, a),      ∂J_i/∂y_i(c | s) = d_i(s) Q_i(s, c),

where y_i is the attacker's mixture over columns and Q_i(s, c) the worth of a column. If a set is drawn once
per episode, J_i is the mean over the sets of the values of as many plays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning import gradient_kernel as kernel
from arneq_exact.learning.attacked_game import AttackedGame, Parts
from arneq_exact.markov.bellman import DENSE_STATES, chain_of

DRAWS = ("step", "episode")
LAPACK_STATES = 2000
"""Up to here a dense factorisation: random chains fill a sparse one."""


class Gradients(NamedTuple):
    """Gradients by probabilities, all agents at once.

    Attributes
    ----------
    by : dict of arrays
        ∂J_i/∂p for each variable of agent i and its attacker, shaped as the variables. Estimates are
        unbiased up to a constant in every probability vector, which no step uses.
    occupancy : (n, S)
        d_i, or its estimate.
    objective : (n,)
        J_i, or its estimate.
    steps : int
        Environment steps simulated.
    """

    by: Parts
    occupancy: FloatArray
    objective: FloatArray
    steps: int


class GradientSource(Protocol):
    """Where gradients come from."""

    def gradients(self, played: Parts, iteration: int, call: int) -> Gradients:
        """Return the gradients at the probabilities `played`.

        Parameters
        ----------
        played : dict of arrays
        iteration, call : int
            Number of the iteration and of the call within it: what randomness is drawn by.
        """
        ...


class ExactGradients:
    """Gradients from the model: one linear system and its transpose per agent (and set, if drawn once).

    Parameters
    ----------
    arena : AttackedGame
    draw : {"step", "episode"}
        Whether the set of corrupted agents is drawn anew at every state or once per episode, by ω at the
        first state.

    Notes
    -----
    Cost per agent: one pass over the rows and one factorisation, of S³/3 multiplications.
    """

    def __init__(self, arena: AttackedGame, draw: str = "step") -> None:
        self.arena = arena
        self.draw = draw
        game = arena.game
        self._share = np.empty(game.n_rows)
        self._forced = [np.empty((game.n_states, tables.width)) for tables in arena.tables]
        self._dense = game.n_states <= DENSE_STATES
        self._matrix = np.empty((game.n_states, game.n_states) if self._dense else (0, 0))

    def gradients(self, played: Parts, iteration: int = 0, call: int = 0) -> Gradients:
        """Return the exact gradients; neither number matters."""
        arena = self.arena
        n, n_states = arena.game.n_agents, arena.game.n_states
        by = {name: np.zeros(array.shape) for name, array in played.items()}
        occupancy, objective = np.zeros((n, n_states)), np.zeros(n)
        for agent in range(n):
            mixture, conditional = arena.mixture(agent, played)
            if self.draw == "step":
                value, visits, actions, columns = self.play(agent, played, mixture, arena.start)
                occupancy[agent] = visits
                objective[agent] = arena.start @ value
                by["policy"][agent] = visits[:, None] * actions
                arena.add_gradient(agent, played, visits[:, None] * columns, by)
                continue
            for e in range(arena.tables[agent].first.shape[1] - 1):
                drawn = arena.start * played["points"][agent, :, e]
                of_point = arena.tables[agent].point[arena.shared.signature] == e
                held = np.zeros_like(conditional)
                held[:, : of_point.shape[1]] = np.where(of_point, conditional[:, : of_point.shape[1]], 0.0)
                value, visits, actions, columns = self.play(agent, played, held, drawn)
                occupancy[agent] += visits
                objective[agent] += drawn @ value
                by["policy"][agent] += visits[:, None] * actions
                by["points"][agent, :, e] = arena.start * value
                columns[:, : of_point.shape[1]][~of_point] = 0.0
                arena.add_gradient(agent, played, visits[:, None] * columns, by, given_points=True)
        return Gradients(by, occupancy, objective, 0)

    def evaluate(self, agent: int, played: Parts) -> FloatArray:
        """Return V_i (S,) alone: what one policy evaluation costs."""
        mixture, _ = self.arena.mixture(agent, played)
        if not self._dense:
            value, _ = self._factorised(agent, played, mixture)
            return value
        value = np.empty(self.arena.game.n_states)
        kernel.evaluate(*self._play(agent, played, mixture, value))
        return value

    def play(
        self, agent: int, played: Parts, mixture: FloatArray, start: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return V, d from `start`, and the robust Q of the agent's actions (S, A) and of columns (S, C)."""
        actions = np.empty(played["policy"].shape[1:])
        columns = np.empty(mixture.shape)
        if self._dense:
            value, visits = np.empty(len(start)), start.copy()
            kernel.play(*self._play(agent, played, mixture, value), visits, actions, columns)
            return value, visits, actions, columns
        value, solve_transposed = self._factorised(agent, played, mixture)
        kernel.action_and_column_values(*self._play(agent, played, mixture, value), actions, columns)
        return value, solve_transposed(start), actions, columns

    def _play(
        self, agent: int, played: Parts, mixture: FloatArray, value: FloatArray
    ) -> tuple[kernel.Played, kernel.Dynamics, kernel.Evaluation]:
        """Return what compiled code reads of a play, and what it fills."""
        arena = self.arena
        return (
            kernel.Played(arena.shared, arena.tables[agent], played["policy"], mixture, agent),
            kernel.Dynamics(arena.rewards, float(arena.game.discount[agent]), *arena.csr),
            kernel.Evaluation(self._forced[agent], self._share, self._matrix, value),
        )

    def _factorised(
        self, agent: int, played: Parts, mixture: FloatArray
    ) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        """Return V (S,) of a large game, and what solves the transposed system."""
        arena = self.arena
        game, forced, weights = arena.game, self._forced[agent], np.empty(arena.game.n_rows)
        discount, policy = float(game.discount[agent]), played["policy"]
        kernel.forced_play(arena.shared, arena.tables[agent], mixture, forced)
        whole = kernel.Played(arena.shared, arena.tables[agent], policy, mixture, agent)
        kernel.share_of_others(whole, forced, self._share)
        kernel.row_weights(arena.shared, policy, agent, self._share, weights)
        reward = np.add.reduceat(weights * arena.rewards[:, agent], game.offsets[:-1])
        chain = chain_of(game, weights)
        if game.n_states <= LAPACK_STATES:
            factors = scipy.linalg.lu_factor(np.eye(game.n_states) - discount * chain.toarray())
            return scipy.linalg.lu_solve(factors, reward), partial(scipy.linalg.lu_solve, factors, trans=1)
        sparse = spla.splu((sp.eye_array(game.n_states, format="csr") - discount * chain).tocsc())
        return sparse.solve(reward), partial(sparse.solve, trans="T")


def require_draw(arena: AttackedGame, draw: str, where: str) -> None:
    """Refuse a way of drawing corrupted agents that the threat or the attack does not have.

    Raises
    ------
    InputError
        With the value and the rule.
    """
    if require.one_of(draw, f"{where}: draw", DRAWS) == "episode":
        if arena.attack != "product":
            raise InputError(f"{where}: attack is 'joint' with draw 'episode'; must be 'product'")
        if any(tables.weight.shape[2] > 1 for tables in arena.tables):
            raise InputError(
                f"{where}: threat is {arena.threat.describe()}; with draw 'episode' every extreme point "
                "must be a single set, as under a budget k"
            )
