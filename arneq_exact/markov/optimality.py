"""The optimality conditions of a stationary ARNEQ as one system of equations, with its Jacobian.

For every agent i and state s, with M = M_i^π(r_i + γ_i P V_i) at s [T3, T9]:

    (M y_i)_a ≤ V_i(s)  for every own action a, with equality where x_i(a) > 0,      Σ x_i = 1,
    (x_iᵀM)_c ≥ L_i(s)  for every attacker column c, with equality where y_i(c) > 0,  Σ y_i = 1.

At a solution V_i = L_i is the robust value. Rewards are scaled to a range of 1 per agent, which decides the
accuracy of degenerate cases. Numbering and tables are those of `arneq_exact.stage.many_agents.layout`,
evaluation is compiled (`arneq_exact.stage.many_agents.conditions_kernel`); here is what Python code needs of
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.bellman import values_of_profile
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.many_agents.layout import tables

LARGEST_COUPLING = 1500
"""Values of agents and states, nS, up to which the system is handled: Schur matrices are dense."""

LARGEST_BLOCKS = 3e7
"""Numbers in all blocks of the Jacobian, row weights included, up to which the system is handled."""


@dataclass
class Point:
    """A profile of agents and attackers, with values.

    Attributes
    ----------
    x : one array (S, max A_i) per agent
    y : one array (S, max C_i) per agent
    value : (n, S)
        V_i, in scaled rewards.
    least : (n, S)
        L_i, in scaled rewards.
    """

    x: list[FloatArray]
    y: list[FloatArray]
    value: FloatArray
    least: FloatArray


class OptimalityConditions:
    """The conditions of one game and threat.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    """

    def __init__(self, game: MarkovGame, threat: ThreatModel) -> None:
        n, n_states = game.n_agents, game.n_states
        self.game = game
        self.n_agents, self.n_states = n, n_states
        self.attackers = resolve(game, threat)
        # A constant taken off every step's reward changes nothing only while no episode ends. It is the
        # least that brings rewards within their range of 0: a recentred game's values must stay near 0.
        self.discount = game.discount
        ends, low, high = game.termination is not None, game.rewards.min(axis=0), game.rewards.max(axis=0)
        self.constant = np.zeros(n) if ends else np.clip(0.0, low, high)
        # What it adds up to; a discount of 1 goes with episodes that end.
        self.level = np.zeros(n) if ends else self.constant / (1 - self.discount)
        self.rewards = np.ascontiguousarray((game.rewards - self.constant) / game.reward_range)
        moves = game.transitions
        self.tables = t = tables(
            [group.stage for group in self.attackers.groups],
            self.attackers.group_of,
            (moves.indptr, moves.indices, moves.data),
            game.discount,
        )
        self.size = int(t.base[-1])
        first = t.base[:-1, None]
        self.at_action = [
            _numbers(first[:, 0] + t.local_x[t.group, i], t.counts[t.group, i]) for i in range(n)
        ]
        self.at_column = [
            _numbers(first[:, 0] + t.local_y[t.group, i], t.columns[t.group, i]) for i in range(n)
        ]
        self.action_mask = [numbers >= 0 for numbers in self.at_action]
        self.column_mask = [numbers >= 0 for numbers in self.at_column]
        self.at_value = t.base[1:][None, :] - 2 * n + np.arange(n)[:, None]
        self.at_least = self.at_value + n
        self.is_mixture = np.ones(self.size, dtype=np.bool_)
        self.is_mixture[self.at_value] = False
        self.is_mixture[self.at_least] = False

    def at_profile(self, x: Sequence[FloatArray], y: Sequence[FloatArray]) -> Point:
        """Return the point of a profile with its exact values."""
        value = values_of_profile(self.game, self.attackers, x, y) - self.level[:, None]
        value /= self.game.reward_range[:, None]
        return Point(list(x), list(y), value, value.copy())

    def unscaled(self, values: FloatArray) -> FloatArray:
        """Return values (n, S) of scaled rewards in the game's own units."""
        result: FloatArray = values * self.game.reward_range[:, None] + self.level[:, None]
        return result

    def residual(self, point: Point) -> FloatArray:
        """Return M y − V, xᵀM − L, Σx − 1 and Σy − 1 in the common numbering."""
        from arneq_exact.stage.many_agents.linearised_kernel import residual_of

        return np.asarray(residual_of(self.tables, self.rewards, self.vector(point)))

    def linearise(self, point: Point) -> tuple[FloatArray, FloatArray]:
        """Return the residual and its Jacobian (size, size), dense."""
        from arneq_exact.stage.many_agents.linearised_kernel import dense, linearised, workspace

        space = workspace(self.tables)
        residual = np.empty(self.size)
        linearised(self.tables, self.rewards, self.vector(point), space, residual)
        return residual, np.asarray(dense(self.tables, space))

    def vector(self, point: Point) -> FloatArray:
        """Return a point as one vector in the common numbering."""
        result = np.empty(self.size)
        for i in range(self.n_agents):
            result[self.at_action[i][self.action_mask[i]]] = point.x[i][self.action_mask[i]]
            result[self.at_column[i][self.column_mask[i]]] = point.y[i][self.column_mask[i]]
        result[self.at_value] = point.value
        result[self.at_least] = point.least
        return result

    def point(self, vector: FloatArray) -> Point:
        """Return the point of a vector; padded entries are 0."""
        # An extra zero at the end serves every −1 of the numbering.
        padded = np.append(vector, 0.0)
        return Point(
            [padded[numbers] for numbers in self.at_action],
            [padded[numbers] for numbers in self.at_column],
            vector[self.at_value],
            vector[self.at_least],
        )


def _numbers(first: IntArray, counts: IntArray) -> IntArray:
    """Number `counts` unknowns of each state from `first`: (S, largest count), −1 past the state's own."""
    slots = np.arange(int(counts.max()))[None, :]
    return np.where(slots < counts[:, None], first[:, None] + slots, -1)


def manageable(game: MarkovGame, threat: ThreatModel) -> bool:
    """Tell whether the system of a game is small enough for block elimination."""
    coupling = game.n_agents * game.n_states
    return coupling <= LARGEST_COUPLING and block_numbers(game, threat) <= LARGEST_BLOCKS


def block_numbers(game: MarkovGame, threat: ThreatModel) -> int:
    """Return how many numbers the blocks of all states hold, row weights included."""
    numbers = 0
    for group in resolve(game, threat).groups:
        size = sum(group.counts) + sum(group.stage.widths) + 2 * game.n_agents
        numbers += len(group.states) * size * (2 * size + int(np.prod(group.counts)))
    return numbers
