"""Polish a two-agent profile: Newton's method on its active optimality conditions.

Agent i plays x_i against z_i = (1 − p_i) x_j + p_i y_i, where y_i is its attacker and p_i the probability
of corruption [T11]. With own-first payoffs Q_i = r_i + γ_i P V_i, an ARNEQ satisfies in every state

    (Q_i z_i)_a = V_i  for a in the support of x_i,     Σ x_i = 1,
    (x_iᵀ Q_i)_c = L_i for c in the support of y_i,     Σ y_i = 1   (where p_i > 0).

Given the supports this is a system of bilinear equations in (x, y, V, L). A support holds the actions
that are played more than they lose, {x_a > V_i − (Q_i z_i)_a}, with payoffs scaled to a range of one.
Steps are minimum-norm least-squares solutions: mixtures of attackers, and of agents in degenerate games,
need not be unique, and a plain linear solve would break there. Quadratic convergence near a regular
solution; no guarantee from afar, which is why the result is only ever a candidate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arneq_exact.markov.bellman import backup
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import FloatArray, IntArray

Support = NDArray[np.bool_]

NEWTON_STEPS = 12
LEAST_SINGULAR_VALUE = 1e-9
LARGEST_SYSTEM = 1500
"""Unknowns beyond which the dense singular value decomposition is not worth its time."""


class _Unknowns:
    """Where each unknown stands in the vector: supports of x_1, x_2, y_1, y_2, then V_1, V_2, L_1, L_2."""

    def __init__(self, supports: Sequence[Support], n_states: int) -> None:
        self.index: list[IntArray] = []
        size = 0
        for support in supports:
            number: IntArray = np.full(support.shape, -1, dtype=np.int64)
            number[support] = size + np.arange(int(support.sum()))
            size += int(support.sum())
            self.index.append(number)
        self.values = [size + agent * n_states + np.arange(n_states) for agent in range(4)]
        self.size = size + 4 * n_states


def polish_two_agents(
    game: MarkovGame,
    probabilities: tuple[float, float],
    policy: Sequence[FloatArray],
    attack: Sequence[FloatArray],
    values: FloatArray,
) -> tuple[FloatArray, ...] | None:
    """Return a polished policy near (policy, attack, values), or None where Newton fails.

    Parameters
    ----------
    probabilities : (p_1, p_2)
    policy : arrays (S, max A_i)
    attack : arrays (S, max C_i)
        An agent with p_i = 0 has one column that is not read.
    values : (2, S)
    """
    n_states = game.n_states
    widths = game.action_counts.max(axis=0)
    unit = np.maximum(game.reward_range / (1 - game.discount), 1e-300)
    x = [np.array(array) for array in policy]
    y = [
        np.array(attack[i]) if probabilities[i] > 0 else np.zeros((n_states, int(widths[1 - i])))
        for i in range(2)
    ]
    dense = _dense_rows(game)
    value = np.array(values)
    scaled = _payoffs(game, dense, value, unit)
    least = [np.einsum("sa,sac,sc->s", x[i], scaled[i], y[i]) for i in range(2)]
    valid = [np.arange(int(widths[i]))[None, :] < game.action_counts[:, i : i + 1] for i in range(2)]
    supports = _supports(scaled, x, y, probabilities, valid)
    unknowns = _Unknowns(supports, n_states)
    if unknowns.size > LARGEST_SYSTEM:
        return None
    value = value / unit[:, None]
    smallest = np.inf
    for _ in range(NEWTON_STEPS):
        scaled = _payoffs(game, dense, value * unit[:, None], unit)
        residual, jacobian = _system(
            game, dense, probabilities, x, y, value, least, scaled, supports, unknowns
        )
        error = float(np.abs(residual).max())
        if not np.isfinite(error) or error > 1e3:
            return None
        if error >= smallest and error <= 1e-13:
            break
        smallest = min(smallest, error)
        step = np.linalg.lstsq(jacobian, -residual, rcond=LEAST_SINGULAR_VALUE)[0]
        for i in range(2):
            x[i][supports[i]] += step[unknowns.index[i][supports[i]]]
            y[i][supports[2 + i]] += step[unknowns.index[2 + i][supports[2 + i]]]
            x[i][~supports[i]] = 0.0
            y[i][~supports[2 + i]] = 0.0
        value = value + np.stack([step[unknowns.values[i]] for i in range(2)])
        least = [least[i] + step[unknowns.values[2 + i]] for i in range(2)]
    if smallest > 1e-8 or any(array.min() < -1e-8 for array in x):
        return None
    clipped = [np.maximum(array, 0.0) for array in x]
    return tuple(array / array.sum(axis=1, keepdims=True) for array in clipped)


def _dense_rows(game: MarkovGame) -> IntArray:
    """Return the row number of each (state, a_1, a_2), −1 past the state's own actions."""
    first, second = (int(a) for a in game.action_counts.max(axis=0))
    rows: IntArray = np.full((game.n_states, first, second), -1, dtype=np.int64)
    for states, (a1, a2) in game.signature_groups:
        rows[states, :a1, :a2] = game.rows_of(states, a1 * a2).reshape(-1, a1, a2)
    return rows


def _payoffs(game: MarkovGame, dense: IntArray, values: FloatArray, unit: FloatArray) -> list[FloatArray]:
    """Return scaled stage payoffs, own actions first, 0 past the state's own actions."""
    rows = backup(game, values)
    result = []
    for agent in range(2):
        table = np.where(dense >= 0, rows[agent][dense], 0.0) / unit[agent]
        result.append(table if agent == 0 else np.swapaxes(table, 1, 2))
    return result


def _supports(
    scaled: Sequence[FloatArray],
    x: Sequence[FloatArray],
    y: Sequence[FloatArray],
    probabilities: tuple[float, float],
    valid: Sequence[Support],
) -> list[Support]:
    own, attackers = [], []
    for i in range(2):
        p = probabilities[i]
        met = (1 - p) * x[1 - i] + p * y[i]
        worth = np.where(valid[i], np.einsum("sac,sc->sa", scaled[i], met), -np.inf)
        loss = worth.max(axis=1, keepdims=True) - worth
        own.append((x[i] > loss) & valid[i])
        harm = np.where(valid[1 - i], np.einsum("sa,sac->sc", x[i], scaled[i]), np.inf)
        missed = harm - harm.min(axis=1, keepdims=True)
        attackers.append((y[i] > missed) & valid[1 - i] & (p > 0))
    return own + attackers


def _system(
    game: MarkovGame,
    dense: IntArray,
    probabilities: tuple[float, float],
    x: Sequence[FloatArray],
    y: Sequence[FloatArray],
    value: FloatArray,
    least: Sequence[FloatArray],
    scaled: Sequence[FloatArray],
    supports: Sequence[Support],
    unknowns: _Unknowns,
) -> tuple[FloatArray, FloatArray]:
    """Return residual and Jacobian of the active conditions."""
    n_states = game.n_states
    equations = sum(int(support.sum()) for support in supports) + 4 * n_states
    residual = np.zeros(equations)
    jacobian = np.zeros((equations, unknowns.size))
    start = 0
    for i in range(2):
        j, p, gamma = 1 - i, probabilities[i], float(game.discount[i])
        met = (1 - p) * x[j] + p * y[i]
        own_rows = dense if i == 0 else np.swapaxes(dense, 1, 2)
        # Indifference of the agent over its support.
        state, action = np.nonzero(supports[i])
        at = start + np.arange(len(state))
        payoff = scaled[i][state, action]
        residual[at] = (payoff * met[state]).sum(axis=1) - value[i, state]
        _scatter(jacobian, at, unknowns.index[j][state], (1 - p) * payoff)
        _scatter(jacobian, at, unknowns.index[2 + i][state], p * payoff)
        jacobian[np.ix_(at, unknowns.values[i])] += gamma * _chain(game, own_rows[state, action], met[state])
        jacobian[at, unknowns.values[i][state]] -= 1.0
        start += len(state)
        # Indifference of its attacker over its support.
        state, column = np.nonzero(supports[2 + i])
        at = start + np.arange(len(state))
        payoff = scaled[i][state, :, column]
        residual[at] = (payoff * x[i][state]).sum(axis=1) - least[i][state]
        _scatter(jacobian, at, unknowns.index[i][state], payoff)
        jacobian[np.ix_(at, unknowns.values[i])] += gamma * _chain(
            game, own_rows[state, :, column], x[i][state]
        )
        jacobian[at, unknowns.values[2 + i][state]] -= 1.0
        start += len(state)
        # Normalisation; an attacker without corruption has nothing to solve, its L is pinned.
        for slot, mixture in ((i, x[i]), (2 + i, y[i])):
            at = start + np.arange(n_states)
            if slot == 2 + i and p == 0:
                jacobian[at, unknowns.values[2 + i]] = 1.0
            else:
                residual[at] = mixture.sum(axis=1) - 1.0
                states = np.arange(n_states)
                _scatter(jacobian, at, unknowns.index[slot][states], np.ones_like(mixture))
            start += n_states
    return residual, jacobian


def _scatter(jacobian: FloatArray, at: IntArray, columns: IntArray, entries: FloatArray) -> None:
    """Add entries (m, w) at rows `at` and columns (m, w), skipping those numbered −1."""
    row, slot = np.nonzero(columns >= 0)
    jacobian[at[row], columns[row, slot]] += entries[row, slot]


def _chain(game: MarkovGame, rows: IntArray, weights: FloatArray) -> FloatArray:
    """Return Σ_w weights · P[rows] as (m, S)."""
    played = np.where(rows >= 0, weights, 0.0)
    flat = game.transitions[np.maximum(rows, 0).reshape(-1)]
    selector = np.zeros((len(rows), rows.size))
    position = np.arange(rows.size).reshape(rows.shape)
    selector[np.arange(len(rows))[:, None], position] = played
    product: FloatArray = (flat.T @ selector.T).T
    return product
