"""Compiled solution of stage games of any number of agents: active-set Newton, pure profiles, barrier paths.

Each game of the batch is first given to `active_set_kernel` from a starting profile, if there is one. In
small games without a starting profile all pure profiles are looked at; the equilibrium among them that is
worth most in sum is taken. Where neither gives an equilibrium, the barrier path of `path_kernel` is followed
from a list of weights in turn, and near its end every small parameter is offered to active-set Newton again.
Pure profiles that were not looked at before are the last resort.

An answer is measured by the duality gaps max_a (M_i y_i)_a − min_c (x_iᵀM_i)_c of all agents, on payoffs of
range one. An agent's gap bounds its regret, and y_i is proof of that [T2].
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import BoolArray, FloatArray, IntArray
from arneq_exact.stage.kernels import compiled, normalise
from arneq_exact.stage.many_agents.active_set_kernel import polish_point
from arneq_exact.stage.many_agents.layout import Tables
from arneq_exact.stage.many_agents.linearised_kernel import Blocks, residual_of
from arneq_exact.stage.many_agents.path_kernel import ARRIVED, begin, follow, land

GOOD = 1e-11
STEPS = 1500
FIRST_LENGTH = 0.5
EASY, CAREFUL = 2.0, 1.4
FAILED, NEWTON, PURE, PATH = 0, 1, 2, 3
METHODS = {NEWTON: "active-set Newton", PURE: "pure profiles", PATH: "barrier path"}


@compiled
def on_simplexes(t: Tables, point: FloatArray) -> bool:
    """Clip and normalise all mixtures of the one state, in place; False if one is empty."""
    for i in range(t.counts.shape[1]):
        x0, y0 = t.local_x[0, i], t.local_y[0, i]
        if not normalise(point[x0:y0]) or not normalise(point[y0 : y0 + t.columns[0, i]]):
            return False
    return True


@compiled
def duality_gap(t: Tables, payoffs: FloatArray, point: FloatArray) -> float:
    """Return the largest duality gap of an agent at a profile, and write V and L into `point`."""
    n = t.counts.shape[1]
    m = point.shape[0]
    point[m - 2 * n :] = 0.0
    residual = residual_of(t, payoffs, point)
    worst = 0.0
    for i in range(n):
        x0, y0 = t.local_x[0, i], t.local_y[0, i]
        point[m - 2 * n + i] = residual[x0:y0].max()
        point[m - n + i] = residual[y0 : y0 + t.columns[0, i]].min()
        worst = max(worst, point[m - 2 * n + i] - point[m - n + i])
    return float(worst)


@compiled
def polished_gap(t: Tables, payoffs: FloatArray, f: Blocks, point: FloatArray) -> float:
    """Polish a profile, in place, and return its duality gap; inf where that fails."""
    _, violation = polish_point(t, payoffs, f, point)
    if not violation <= 1e-6 or not on_simplexes(t, point):
        return np.inf
    return duality_gap(t, payoffs, point)


@compiled
def best_pure(t: Tables, payoffs: FloatArray, point: FloatArray) -> float:
    """Write the pure equilibrium of greatest sum of values, against pure attacks; return its duality gap.

    inf where there is none. Values stand in units of the payoff ranges, so the sum weighs agents alike.
    """
    n = t.counts.shape[1]
    m = point.shape[0]
    trial = np.empty(m)
    reached, most = np.inf, -np.inf
    for row in range(payoffs.shape[0]):
        trial[:] = 0.0
        for i in range(n):
            trial[t.local_x[0, i] + t.digits[row, i]] = 1.0
        # With L = 0 the attackers' part of the residual is what each column leaves the agent.
        residual = residual_of(t, payoffs, trial)
        for i in range(n):
            y0 = t.local_y[0, i]
            trial[y0 + residual[y0 : y0 + t.columns[0, i]].argmin()] = 1.0
        gap = duality_gap(t, payoffs, trial)
        worth = trial[m - n :].sum()
        if gap <= GOOD and worth > most:
            reached, most = gap, worth
            point[:] = trial
    return reached


@compiled
def take_pure(
    t: Tables,
    payoffs: FloatArray,
    point: FloatArray,
    b: int,
    profile: FloatArray,
    gap: FloatArray,
    method: IntArray,
) -> None:
    """Answer game b by its best pure equilibrium, if it has one; `point` is for work."""
    reached = best_pure(t, payoffs, point)
    if reached <= GOOD:
        gap[b], method[b] = reached, PURE
        profile[b] = point


@compiled
def solve_multilinear(
    t: Tables,
    payoffs: FloatArray,
    start: FloatArray,
    pure_first: bool,
    pure_last: bool,
    weights: FloatArray,
    logs: BoolArray,
    f: Blocks,
    profile: FloatArray,
    gap: FloatArray,
    method: IntArray,
) -> None:
    """Solve a batch of B stage games with unit payoffs.

    Parameters
    ----------
    t : tables of one state without transitions
    payoffs : (B, rows, n)
    start : (B, m), or (0, m) where nothing is known
        Mixtures to begin with; values are not read.
    pure_first, pure_last : bool
        Whether pure profiles are looked at before the paths, and where all of these fail.
    weights : (paths, m)
        Weights of the paths to try, mixtures of full support.
    profile : (B, m)
        The best profile found, normalised.
    gap : (B,)
    method : (B,)
        NEWTON, PURE, PATH, or FAILED if the gap is above 1e-11.
    """
    m = logs.shape[0]
    position, tangent, pace = np.empty(m + 1), np.empty(m + 1), np.zeros(2)
    for b in range(payoffs.shape[0]):
        gap[b], method[b] = np.inf, FAILED
        if start.shape[0]:
            point = start[b].copy()
            duality_gap(t, payoffs[b], point)
            reached = polished_gap(t, payoffs[b], f, point)
            if reached < np.inf:
                gap[b], profile[b] = reached, point
            if reached <= GOOD:
                method[b] = NEWTON
        if method[b] == FAILED and pure_first:
            take_pure(t, payoffs[b], position[:m], b, profile, gap, method)
        path = 0
        while method[b] == FAILED and path < weights.shape[0]:
            pace[0] = FIRST_LENGTH
            alive = begin(t, payoffs[b], weights[path], logs, f, position, tangent)
            target = np.log(1e-3)
            while alive and target > np.log(1e-11):
                growth = EASY if path == 0 else CAREFUL
                ended = follow(
                    t, payoffs[b], weights[path], logs, f, position, tangent, pace, target, growth, STEPS
                )
                alive = ended == ARRIVED
                if alive:
                    point = land(t, payoffs[b], weights[path], logs, f, position, target)
                    reached = polished_gap(t, payoffs[b], f, point)
                    if reached < gap[b]:
                        gap[b], profile[b] = reached, point
                    if reached <= GOOD:
                        method[b], alive = PATH, False
                target -= np.log(100.0)
            path += 1
        if method[b] == FAILED and pure_last:
            take_pure(t, payoffs[b], position[:m], b, profile, gap, method)
