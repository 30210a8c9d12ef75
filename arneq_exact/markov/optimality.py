"""The optimality conditions of a stationary ARNEQ as one system of equations, with its Jacobian.

For every agent i and state s, with M = M_i^π(r_i + γ_i P V_i) at s [T3, T9]:

    (M y_i)_a ≤ V_i(s)  for every own action a, with equality where x_i(a) > 0,      Σ x_i = 1,
    (x_iᵀM)_c ≥ L_i(s)  for every attacker column c, with equality where y_i(c) > 0,  Σ y_i = 1.

At a solution V_i = L_i is the robust value. All quantities are multilinear in (x, y, V), so derivatives
are exact: M is affine in each x_j, hence ∂M/∂x_j(b) = M(x_j := e_b) − M(x_j := 0).

Unknowns and equations share one numbering: the equation of action a stands in the row of x_i(a), that of
column c in the row of y_i(c), the two sums in the rows of V_i(s) and L_i(s). Rewards are scaled to a range
of 1 per agent, which decides the accuracy of degenerate cases. Arrays are dense: for games of up to a few
thousand unknowns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arneq_exact.markov.bellman import blocks
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import FloatArray, IntArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import column_counts, joint_play, robust_matrix

BoolArray = NDArray[np.bool_]

LARGEST_SYSTEM = 2500
"""Unknowns up to which a dense Jacobian is worth its time."""


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
        self.n_agents, self.n_states = n, n_states
        self.blocks = blocks(game)
        self.corruptions = [threat.corruptions(n, agent) for agent in range(n)]
        # A constant taken off every step's reward changes nothing only while no episode ends.
        low = game.rewards.min(axis=0) if game.termination is None else 0.0
        self.rewards = (game.rewards - low) / game.reward_range
        self.discount = game.discount
        self.transitions = game.transitions
        self.action_mask = [
            np.arange(int(counts.max()))[None, :] < counts[:, None] for counts in game.action_counts.T
        ]
        self.column_mask: list[BoolArray] = []
        for corruptions in self.corruptions:
            widths = np.empty(n_states, dtype=np.int64)
            for block in self.blocks:
                widths[block.states] = sum(column_counts(corruptions, block.counts))
            self.column_mask.append(np.arange(int(widths.max()))[None, :] < widths[:, None])
        self.size = 0
        self.at_action = [self._number(mask) for mask in self.action_mask]
        self.at_column = [self._number(mask) for mask in self.column_mask]
        everywhere = np.ones((n, n_states), dtype=np.bool_)
        self.at_value, self.at_least = self._number(everywhere), self._number(everywhere)

    def _number(self, mask: BoolArray) -> IntArray:
        """Number the unknowns of a mask; −1 where there is none."""
        numbers: IntArray = np.full(mask.shape, -1, dtype=np.int64)
        count = int(mask.sum())
        numbers[mask] = self.size + np.arange(count)
        self.size += count
        return numbers

    def values_of(self, x: Sequence[FloatArray], y: Sequence[FloatArray]) -> FloatArray:
        """Return the exact scaled values (n, S) of agents and attackers who play (x, y) for ever."""
        result = np.empty((self.n_agents, self.n_states))
        whole = Point(list(x), list(y), result, result)
        for i in range(self.n_agents):
            chain = np.empty((self.n_states, self.n_states))
            reward = np.empty(self.n_states)
            for block in self.blocks:
                own, attack = self._cut(whole, block.states, block.counts)
                play = joint_play(own[i], own, attack[i], self.corruptions[i], i, block.counts)
                weights = play.reshape(len(block.states), -1)
                numbers = block.rows if isinstance(block.rows, slice) else block.rows.reshape(-1)
                moves = self.transitions[numbers].toarray().reshape(*weights.shape, self.n_states)
                chain[block.states] = np.einsum("bj,bjs->bs", weights, moves)
                paid = self.rewards[block.rows, i].reshape(weights.shape)
                reward[block.states] = (weights * paid).sum(axis=1)
            result[i] = np.linalg.solve(np.eye(self.n_states) - self.discount[i] * chain, reward)
        return result

    def at_profile(self, x: Sequence[FloatArray], y: Sequence[FloatArray]) -> Point:
        """Return the point of a profile with its exact values."""
        value = self.values_of(x, y)
        return Point(list(x), list(y), value, value.copy())

    def payoffs(self, agent: int, value: FloatArray) -> FloatArray:
        """Return the scaled backup (rows,) of one agent."""
        result: FloatArray = self.rewards[:, agent] + self.transitions @ (self.discount[agent] * value)
        return result

    def residual(self, point: Point) -> FloatArray:
        """Return M y − V, xᵀM − L, Σx − 1 and Σy − 1 in the common numbering."""
        result = np.empty(self.size)
        for i in range(self.n_agents):
            rows = self.payoffs(i, point.value[i])
            for block in self.blocks:
                x, y = self._cut(point, block.states, block.counts)
                matrix = robust_matrix(block.gather(rows), x, self.corruptions[i], i)
                self._place(result, matrix, x[i], y[i], point, i, block.states)
            result[self.at_value[i]] = point.x[i].sum(axis=1) - 1
            result[self.at_least[i]] = point.y[i].sum(axis=1) - 1
        return result

    def linearise(self, point: Point) -> tuple[FloatArray, FloatArray]:
        """Return the residual and its Jacobian (size, size)."""
        result = np.empty(self.size)
        jacobian = np.zeros((self.size, self.size))
        for i in range(self.n_agents):
            rows = self.payoffs(i, point.value[i])
            for block in self.blocks:
                states, counts = block.states, block.counts
                x, y = self._cut(point, states, counts)
                payoff = block.gather(rows)
                matrix = robust_matrix(payoff, x, self.corruptions[i], i)
                self._place(result, matrix, x[i], y[i], point, i, states)
                at_x = self.at_action[i][states][:, : counts[i]]
                at_y = self.at_column[i][states][:, : matrix.shape[2]]
                jacobian[at_x[:, :, None], at_y[:, None, :]] = matrix
                jacobian[at_y[:, :, None], at_x[:, None, :]] = np.swapaxes(matrix, 1, 2)
                self._by_others(jacobian, payoff, x, y[i], i, states, counts, at_x, at_y)
                self._by_values(jacobian, block.rows, x, y[i], i, counts, at_x, at_y)
                jacobian[at_x, self.at_value[i][states][:, None]] -= 1
                jacobian[at_y, self.at_least[i][states][:, None]] -= 1
            for at, sums, values in (
                (self.at_action[i], self.at_value[i], point.x[i]),
                (self.at_column[i], self.at_least[i], point.y[i]),
            ):
                result[sums] = values.sum(axis=1) - 1
                state, slot = np.nonzero(at >= 0)
                jacobian[sums[state], at[state, slot]] = 1
        return result, jacobian

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

    def _cut(
        self, point: Point, states: IntArray, counts: tuple[int, ...]
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        x = [array[states, :count] for array, count in zip(point.x, counts, strict=True)]
        y = [
            array[states, : sum(column_counts(corruptions, counts))]
            for array, corruptions in zip(point.y, self.corruptions, strict=True)
        ]
        return x, y

    def _place(
        self,
        result: FloatArray,
        matrix: FloatArray,
        x: FloatArray,
        y: FloatArray,
        point: Point,
        i: int,
        states: IntArray,
    ) -> None:
        """Write M y − V and xᵀM − L of one agent and block."""
        _, actions, columns = matrix.shape
        worth = np.einsum("bac,bc->ba", matrix, y) - point.value[i][states][:, None]
        harm = np.einsum("bac,ba->bc", matrix, x) - point.least[i][states][:, None]
        result[self.at_action[i][states][:, :actions]] = worth
        result[self.at_column[i][states][:, :columns]] = harm

    def _by_others(
        self,
        jacobian: FloatArray,
        payoff: FloatArray,
        x: Sequence[FloatArray],
        y: FloatArray,
        i: int,
        states: IntArray,
        counts: tuple[int, ...],
        at_x: IntArray,
        at_y: IntArray,
    ) -> None:
        """Add the derivatives of M y and xᵀM by the policies of the other agents."""
        for j in range(self.n_agents):
            # An agent that is corrupted for certain in every column plays no part in M.
            always = all(j in members for c in self.corruptions[i] for members, _ in c.weights)
            if j == i or always:
                continue
            changed = list(x)
            changed[j] = np.zeros_like(x[j])
            without = robust_matrix(payoff, changed, self.corruptions[i], i)
            for b in range(counts[j]):
                changed[j] = np.zeros_like(x[j])
                changed[j][:, b] = 1
                slope = robust_matrix(payoff, changed, self.corruptions[i], i) - without
                at_b = self.at_action[j][states][:, b : b + 1]
                jacobian[at_x, at_b] += np.einsum("bac,bc->ba", slope, y)
                jacobian[at_y, at_b] += np.einsum("bac,ba->bc", slope, x[i])

    def _by_values(
        self,
        jacobian: FloatArray,
        rows: IntArray | slice,
        x: Sequence[FloatArray],
        y: FloatArray,
        i: int,
        counts: tuple[int, ...],
        at_x: IntArray,
        at_y: IntArray,
    ) -> None:
        """Add the derivatives of M y and xᵀM by the values of successor states."""
        batch, columns = y.shape
        numbers = rows if isinstance(rows, slice) else rows.reshape(-1)
        chain = self.discount[i] * self.transitions[numbers].toarray().reshape(batch, *counts, self.n_states)
        at_value = self.at_value[i][None, None, :]
        rest = joint_play(np.ones((batch, counts[i])), x, y, self.corruptions[i], i, counts)
        others = tuple(j + 1 for j in range(self.n_agents) if j != i)
        jacobian[at_x[:, :, None], at_value] += (rest[..., None] * chain).sum(axis=others)
        flat = chain.reshape(batch, -1, self.n_states)
        for c in range(columns):
            column = np.zeros((batch, columns))
            column[:, c] = 1
            play = joint_play(x[i], x, column, self.corruptions[i], i, counts).reshape(batch, -1)
            jacobian[at_y[:, c : c + 1], at_value[0]] += np.einsum("bj,bjs->bs", play, flat)
