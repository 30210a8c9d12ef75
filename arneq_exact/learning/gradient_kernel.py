"""Compiled parts of the exact policy gradient: play, the induced chain, and the way back.

With F the forced play of agent i's attacker (`arneq_exact.learning.tables`), a row (s, a) is played with
probability

    w(s, a) = Σ_K F(K, a_K) Π_{j ∉ K} π_j(a_j) = u(s, a) π_i(a_i),

since i is in no K. Values and discounted occupancy solve two systems with one matrix A = I − γ W P:

    A V = W r,     Aᵀ d = μ.

A is strictly diagonally dominant by rows, so elimination without pivoting is stable (Golub & Van Loan 2013,
section 4.1), and one factorisation serves both.
"""

from __future__ import annotations

from typing import NamedTuple

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.tables import AttackTables, GameTables
from arneq_exact.stage.kernels import compiled


class Played(NamedTuple):
    """Who plays what: an agent, its attacker, everyone's policy.

    Attributes
    ----------
    shared, tables : the game's tables, and those of the agent's attacker
    policy : (n, S, A)
    mixture : (S, C)
        The attacker's, over columns.
    agent : int
    """

    shared: GameTables
    tables: AttackTables
    policy: FloatArray
    mixture: FloatArray
    agent: int


class Dynamics(NamedTuple):
    """What play earns and where it leads: rewards (rows, n), the agent's discount, transitions by rows."""

    rewards: FloatArray
    discount: float
    indptr: IntArray
    indices: IntArray
    data: FloatArray


class Evaluation(NamedTuple):
    """What an evaluation fills: F (S, width), u (rows,), A (S, S) by its factors, V (S,)."""

    forced: FloatArray
    share: FloatArray
    matrix: FloatArray
    value: FloatArray


@compiled
def forced_play(shared: GameTables, tables: AttackTables, mixture: FloatArray, forced: FloatArray) -> None:
    """Fill F (S, width) from the attacker's mixture over columns (S, C)."""
    forced[:] = 0.0
    for s in range(mixture.shape[0]):
        g = shared.signature[s]
        for c in range(tables.first[g, -1]):
            if mixture[s, c] != 0.0:
                for v in range(tables.weight.shape[2]):
                    forced[s, tables.place[g, c, v]] += mixture[s, c] * tables.weight[g, c, v]


@compiled
def share_of_others(p: Played, forced: FloatArray, share: FloatArray) -> None:
    """Fill u (rows,): the probability of a row given the agent's own action in it."""
    shared, part, free, policy = p.shared, p.tables.part, p.tables.free, p.policy
    n = policy.shape[0]
    for s in range(policy.shape[1]):
        g = shared.signature[s]
        for row in range(shared.offsets[s], shared.offsets[s + 1]):
            local = row - shared.offsets[s]
            total = 0.0
            for k in range(free.shape[0]):
                chance = forced[s, part[g, local, k]]
                if chance != 0.0:
                    for j in range(n):
                        if free[k, j] and j != p.agent:
                            chance *= policy[j, s, shared.actions[g, local, j]]
                    total += chance
            share[row] = total


@compiled
def row_weights(
    shared: GameTables, policy: FloatArray, agent: int, share: FloatArray, weights: FloatArray
) -> None:
    """Fill w (rows,): the probability of each row."""
    for s in range(policy.shape[1]):
        g = shared.signature[s]
        for row in range(shared.offsets[s], shared.offsets[s + 1]):
            own = shared.actions[g, row - shared.offsets[s], agent]
            weights[row] = share[row] * policy[agent, s, own]


@compiled
def induced_chain(p: Played, d: Dynamics, e: Evaluation) -> None:
    """Fill A = I − γ W P (S, S), and V (S,) with W r, which is solved for it in place."""
    shared, agent = p.shared, p.agent
    e.matrix[:] = 0.0
    for s in range(e.matrix.shape[0]):
        g = shared.signature[s]
        e.matrix[s, s] = 1.0
        total = 0.0
        for row in range(shared.offsets[s], shared.offsets[s + 1]):
            own = shared.actions[g, row - shared.offsets[s], agent]
            weight = e.share[row] * p.policy[agent, s, own]
            if weight != 0.0:
                total += weight * d.rewards[row, agent]
                for entry in range(d.indptr[row], d.indptr[row + 1]):
                    e.matrix[s, d.indices[entry]] -= d.discount * weight * d.data[entry]
        e.value[s] = total


@compiled
def factorise(matrix: FloatArray) -> None:
    """Overwrite a matrix, diagonally dominant by rows, with its factors L and U; L has unit diagonal."""
    size = matrix.shape[0]
    for k in range(size):
        for i in range(k + 1, size):
            if matrix[i, k] != 0.0:
                factor = matrix[i, k] / matrix[k, k]
                matrix[i, k] = factor
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]


@compiled
def solve_factorised(factors: FloatArray, vector: FloatArray) -> None:
    """Overwrite b by the solution of L U x = b."""
    size = factors.shape[0]
    for i in range(size):
        total = vector[i]
        for j in range(i):
            total -= factors[i, j] * vector[j]
        vector[i] = total
    for i in range(size - 1, -1, -1):
        total = vector[i]
        for j in range(i + 1, size):
            total -= factors[i, j] * vector[j]
        vector[i] = total / factors[i, i]


@compiled
def solve_transposed(factors: FloatArray, vector: FloatArray) -> None:
    """Overwrite b by the solution of (L U)ᵀ x = b; rows are walked along, as they lie in memory."""
    size = factors.shape[0]
    for i in range(size):
        vector[i] /= factors[i, i]
        for j in range(i + 1, size):
            vector[j] -= factors[i, j] * vector[i]
    for i in range(size - 1, -1, -1):
        for j in range(i):
            vector[j] -= factors[i, j] * vector[i]


@compiled
def evaluate(p: Played, d: Dynamics, e: Evaluation) -> None:
    """Fill F, u, the factors of A and the value V: one policy evaluation."""
    forced_play(p.shared, p.tables, p.mixture, e.forced)
    share_of_others(p, e.forced, e.share)
    induced_chain(p, d, e)
    factorise(e.matrix)
    solve_factorised(e.matrix, e.value)


@compiled
def action_and_column_values(
    p: Played, d: Dynamics, e: Evaluation, actions: FloatArray, columns: FloatArray
) -> None:
    """Fill the robust Q of the agent's actions (S, A) and of its attacker's columns (S, C).

    F is overwritten by the worth of forced play: E[Q | K, a_K], averaged over those who are free.
    """
    shared, tables, policy, forced = p.shared, p.tables, p.policy, e.forced
    n = policy.shape[0]
    forced[:] = 0.0
    actions[:] = 0.0
    columns[:] = 0.0
    for s in range(policy.shape[1]):
        g = shared.signature[s]
        for row in range(shared.offsets[s], shared.offsets[s + 1]):
            local = row - shared.offsets[s]
            total = 0.0
            for entry in range(d.indptr[row], d.indptr[row + 1]):
                total += d.data[entry] * e.value[d.indices[entry]]
            worth = d.rewards[row, p.agent] + d.discount * total
            actions[s, shared.actions[g, local, p.agent]] += e.share[row] * worth
            for k in range(tables.free.shape[0]):
                chance = worth
                for j in range(n):
                    if tables.free[k, j]:
                        chance *= policy[j, s, shared.actions[g, local, j]]
                forced[s, tables.part[g, local, k]] += chance
        for c in range(tables.first[g, -1]):
            total = 0.0
            for v in range(tables.weight.shape[2]):
                total += tables.weight[g, c, v] * forced[s, tables.place[g, c, v]]
            columns[s, c] = total


@compiled
def play(
    p: Played, d: Dynamics, e: Evaluation, visits: FloatArray, actions: FloatArray, columns: FloatArray
) -> None:
    """Evaluate a play, and fill d and the robust Q; `visits` comes in as the start distribution μ."""
    evaluate(p, d, e)
    solve_transposed(e.matrix, visits)
    action_and_column_values(p, d, e, actions, columns)
