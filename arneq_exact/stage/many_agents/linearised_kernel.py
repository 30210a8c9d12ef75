"""Compiled optimality conditions of all states at once, and the arrays that their Jacobian lives in.

The Jacobian is block diagonal by state but for the coupling through values of other states. Blocks hold the
derivatives by a state's own unknowns, its own values through returning transitions included; row weights hold
the derivatives of the equations by the payoffs of their own agent, and coupling is row weights times γP.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled
from arneq_exact.stage.many_agents.conditions_kernel import backed_up, conditions_of_state
from arneq_exact.stage.many_agents.layout import Tables

OFF, KEPT, DIAGONAL = 0, 1, 2


class Blocks(NamedTuple):
    """Workspace of a system: blocks of all states one after the other.

    Attributes
    ----------
    block_start, weight_start : (S + 1,)
        First entry of each state in `jacobian` and `inverse`, and in `row_weights`.
    jacobian : blocks, flat
    inverse : inverses of the kept parts of the blocks, flat
    row_weights : row weights, flat
    kind : (N,)
        KEPT, DIAGONAL (eliminated by its own diagonal entry) or OFF (held at 0).
    schur : (nS, nS)
        Inverse of the Schur matrix of `block_kernel`; of order 0 for systems without transitions.
    """

    block_start: IntArray
    weight_start: IntArray
    jacobian: FloatArray
    inverse: FloatArray
    row_weights: FloatArray
    kind: IntArray
    schur: FloatArray


def workspace(t: Tables) -> Blocks:
    """Return empty arrays for the linear algebra of a system."""
    sizes = np.diff(t.base)
    block_start = np.concatenate([[0], np.cumsum(sizes**2)])
    weight_start = np.concatenate([[0], np.cumsum(sizes * np.diff(t.offsets))])
    coupled = t.counts.shape[1] * len(sizes) if len(t.data) else 0
    return Blocks(
        block_start,
        weight_start,
        np.empty(block_start[-1]),
        np.empty(block_start[-1]),
        np.empty(weight_start[-1]),
        np.full(t.base[-1], KEPT),
        np.empty((coupled, coupled)),
    )


@compiled
def couple_own_values(t: Tables, s: int, jacobian: FloatArray, row_weights: FloatArray) -> None:
    """Add to a state's Jacobian the derivatives by its own values through returning transitions."""
    g = t.group[s]
    n = t.counts.shape[1]
    m = jacobian.shape[0]
    first = t.offsets[s]
    for r in range(first, t.offsets[s + 1]):
        for k in range(t.indptr[r], t.indptr[r + 1]):
            if t.indices[k] == s:
                for i in range(n):
                    factor = t.discount[i] * t.data[k]
                    for e in range(t.local_x[g, i], t.local_y[g, i] + t.columns[g, i]):
                        jacobian[e, m - 2 * n + i] += factor * row_weights[e, r - first]


@compiled
def push_values(t: Tables, s: int, values: FloatArray, row_weights: FloatArray, result: FloatArray) -> None:
    """Add to `result` (m,) the effect on a state's equations of other states' values (S, n)."""
    g = t.group[s]
    n = t.counts.shape[1]
    first = t.offsets[s]
    moved = np.empty(n)
    for r in range(first, t.offsets[s + 1]):
        moved[:] = 0.0
        for k in range(t.indptr[r], t.indptr[r + 1]):
            if t.indices[k] != s:
                for i in range(n):
                    moved[i] += t.data[k] * values[t.indices[k], i]
        for i in range(n):
            push = t.discount[i] * moved[i]
            for e in range(t.local_x[g, i], t.local_y[g, i] + t.columns[g, i]):
                result[e] += push * row_weights[e, r - first]


@compiled
def linearised_state(
    t: Tables, rewards: FloatArray, s: int, point: FloatArray, f: Blocks, residual: FloatArray
) -> None:
    """Write a state's part of the residual (N,), its block and its row weights at `point` (N,)."""
    b0, b1 = t.base[s], t.base[s + 1]
    m, rows = b1 - b0, t.offsets[s + 1] - t.offsets[s]
    payoff = np.empty((t.counts.shape[1], rows))
    backed_up(t, rewards, s, point, payoff)
    jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
    row_weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(m, rows)
    conditions_of_state(t, s, point[b0:b1], payoff, True, residual[b0:b1], jacobian, row_weights)
    couple_own_values(t, s, jacobian, row_weights)


@compiled
def linearised(t: Tables, rewards: FloatArray, point: FloatArray, f: Blocks, residual: FloatArray) -> None:
    """Write the residual (N,), the blocks and the row weights of all states at `point` (N,)."""
    for s in range(t.group.shape[0]):
        linearised_state(t, rewards, s, point, f, residual)


@compiled
def residual_of(t: Tables, rewards: FloatArray, point: FloatArray) -> FloatArray:
    """Return the residual of all optimality conditions at `point`, both (N,)."""
    residual = np.empty(point.shape[0])
    unused = np.empty((0, 0))
    for s in range(t.group.shape[0]):
        b0, b1 = t.base[s], t.base[s + 1]
        payoff = np.empty((t.counts.shape[1], t.offsets[s + 1] - t.offsets[s]))
        backed_up(t, rewards, s, point, payoff)
        conditions_of_state(t, s, point[b0:b1], payoff, False, residual[b0:b1], unused, unused)
    return residual


@compiled
def dense(t: Tables, f: Blocks) -> FloatArray:
    """Return the Jacobian of linearised conditions as one matrix (N, N)."""
    size = t.base[-1]
    n = t.counts.shape[1]
    result = np.zeros((size, size))
    for s in range(t.group.shape[0]):
        g = t.group[s]
        b0, b1 = t.base[s], t.base[s + 1]
        m, first, rows = b1 - b0, t.offsets[s], t.offsets[s + 1] - t.offsets[s]
        result[b0:b1, b0:b1] = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
        row_weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(m, rows)
        for r in range(rows):
            for k in range(t.indptr[first + r], t.indptr[first + r + 1]):
                to = t.indices[k]
                if to != s:
                    for i in range(n):
                        value = t.base[to + 1] - 2 * n + i
                        factor = t.discount[i] * t.data[k]
                        for e in range(t.local_x[g, i], t.local_y[g, i] + t.columns[g, i]):
                            result[b0 + e, value] += factor * row_weights[e, r]
    return result
