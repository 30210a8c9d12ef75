"""Compiled optimality conditions of one state, with their derivatives, for any number of agents and threat.

With M_i the robust stage matrix of agent i (see `robust`) at payoffs Q_i = r_i + γ_i P V_i, the equations
of a state stand in the places of its unknowns (see `layout`):

    at x_i(a):  (M_i y_i)_a − V_i         at V_i:  Σ x_i − 1
    at y_i(c):  (x_iᵀM_i)_c − L_i         at L_i:  Σ y_i − 1

All sums over joint actions use the products w_L(a) = Π_{l ∉ L} x_l(a_l), one for every set L of agents, built
from each other by one multiplication. T_i(·; K, ·) sums w_{K∪i} Q_i, its derivative by x_j sums
w_{K∪i∪j} Q_i, and so on: the whole Jacobian is a few passes over the rows of the state. Derivatives by values
of successor states are kept as *row weights* R = ∂/∂Q_i, so that coupling is R times transitions.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.kernels import compiled
from arneq_exact.stage.many_agents.layout import Tables


@compiled
def backed_up(t: Tables, rewards: FloatArray, s: int, point: FloatArray, payoff: FloatArray) -> None:
    """Write the payoffs Q_i of a state at the values in `point` into `payoff` (n, rows)."""
    n = t.counts.shape[1]
    first = t.offsets[s]
    for r in range(first, t.offsets[s + 1]):
        for i in range(n):
            payoff[i, r - first] = rewards[r, i]
        for k in range(t.indptr[r], t.indptr[r + 1]):
            value = t.base[t.indices[k] + 1] - 2 * n
            for i in range(n):
                payoff[i, r - first] += t.discount[i] * t.data[k] * point[value + i]


@compiled
def play_products(t: Tables, g: int, x: FloatArray, rows: int, product: FloatArray) -> None:
    """Write w_L(row) for every set L of agents into `product` (2^n, rows)."""
    n = t.counts.shape[1]
    start = t.digit_start[g]
    everyone = (1 << n) - 1
    for r in range(rows):
        product[everyone, r] = 1.0
    for kept in range(everyone - 1, -1, -1):
        j = 0
        while kept >> j & 1:
            j += 1
        first = t.local_x[g, j]
        for r in range(rows):
            product[kept, r] = product[kept | 1 << j, r] * x[first + t.digits[start + r, j]]


@compiled
def conditions_of_state(
    t: Tables,
    s: int,
    point: FloatArray,
    payoff: FloatArray,
    derivatives: bool,
    residual: FloatArray,
    jacobian: FloatArray,
    row_weights: FloatArray,
) -> None:
    """Write the residual of a state and, if wanted, its Jacobian and row weights.

    Parameters
    ----------
    point : (m,)
        The state's own unknowns.
    payoff : (n, rows)
    residual : (m,)
    jacobian : (m, m)
        By the state's own unknowns, at fixed payoffs.
    row_weights : (m, rows)
        Derivative of each equation by the payoffs of its own agent.
    """
    g = t.group[s]
    n = t.counts.shape[1]
    rows = payoff.shape[1]
    m = residual.shape[0]
    start = t.digit_start[g]
    product = np.empty((1 << n, rows))
    play_products(t, g, point, rows, product)
    if derivatives:
        jacobian[:] = 0.0
        row_weights[:] = 0.0
    for i in range(n):
        actions, columns = t.counts[g, i], t.columns[g, i]
        x0, y0, v, low = t.local_x[g, i], t.local_y[g, i], m - 2 * n + i, m - n + i
        first_part, last_part = t.part_start[i], t.part_start[i + 1]
        own = 1 << i
        spread = t.spread_start[g, i]
        positions = 0
        for p in range(first_part, last_part):
            for r in range(rows):
                positions = max(positions, t.position[start + r, p] + 1)
        average = np.zeros((positions, actions))
        attack = np.zeros(positions)
        for q in range(positions):
            for e in range(t.spread[spread + q], t.spread[spread + q + 1]):
                attack[q] += t.spread_weight[e] * point[y0 + t.spread_column[e]]
        for p in range(first_part, last_part):
            kept = t.part_set[p] | own
            for r in range(rows):
                q, a = t.position[start + r, p], t.digits[start + r, i]
                average[q, a] += product[kept, r] * payoff[i, r]
        matrix = np.zeros((columns, actions))
        for q in range(positions):
            for e in range(t.spread[spread + q], t.spread[spread + q + 1]):
                for a in range(actions):
                    matrix[t.spread_column[e], a] += t.spread_weight[e] * average[q, a]
        residual[v] = -1.0
        residual[low] = -1.0
        for a in range(actions):
            residual[x0 + a] = -point[v]
            residual[v] += point[x0 + a]
        for c in range(columns):
            residual[y0 + c] = -point[low]
            residual[low] += point[y0 + c]
            for a in range(actions):
                residual[x0 + a] += matrix[c, a] * point[y0 + c]
                residual[y0 + c] += matrix[c, a] * point[x0 + a]
        if not derivatives:
            continue
        for a in range(actions):
            jacobian[x0 + a, v] = -1.0
            jacobian[v, x0 + a] = 1.0
        for c in range(columns):
            jacobian[y0 + c, low] = -1.0
            jacobian[low, y0 + c] = 1.0
            for a in range(actions):
                jacobian[x0 + a, y0 + c] = matrix[c, a]
                jacobian[y0 + c, x0 + a] = matrix[c, a]
        for p in range(first_part, last_part):
            members = t.part_set[p]
            for r in range(rows):
                q = t.position[start + r, p]
                a = t.digits[start + r, i]
                row_weights[x0 + a, r] += attack[q] * product[members | own, r]
                for e in range(t.spread[spread + q], t.spread[spread + q + 1]):
                    row_weights[y0 + t.spread_column[e], r] += t.spread_weight[e] * product[members, r]
            for j in range(n):
                if j == i or members >> j & 1:
                    continue
                xj = t.local_x[g, j]
                for r in range(rows):
                    q = t.position[start + r, p]
                    a = t.digits[start + r, i]
                    other = xj + t.digits[start + r, j]
                    paid = payoff[i, r]
                    jacobian[x0 + a, other] += attack[q] * product[members | own | 1 << j, r] * paid
                    harm = product[members | 1 << j, r] * paid
                    for e in range(t.spread[spread + q], t.spread[spread + q + 1]):
                        jacobian[y0 + t.spread_column[e], other] += t.spread_weight[e] * harm
