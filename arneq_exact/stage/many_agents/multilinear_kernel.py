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

from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import BoolArray, FloatArray, IntArray
from arneq_exact.stage.kernels import compiled, normalise
from arneq_exact.stage.many_agents.active_set_kernel import polish_point
from arneq_exact.stage.many_agents.layout import Tables
from arneq_exact.stage.many_agents.linearised_kernel import Blocks, residual_of
from arneq_exact.stage.many_agents.path_kernel import ARRIVED, Path, begin, follow, land

GOOD = 1e-11  # duality gap of an answer: a tenth of what is verified, so that rounding does not decide
VIOLATION = 1e-6  # negative probabilities up to here are clipped: what that costs shows in the gap
STEPS = 1500  # along one path to one parameter; paths that end well take some hundreds
FIRST_LENGTH = 0.5  # of a step, in logarithms of probabilities
FIRST_LANDING, LAST_LANDING, APART = np.log(1e-3), np.log(1e-11), np.log(100.0)
"""Logarithms of parameters at which Newton is tried: the gap is about the parameter, and from 1e-3 on the
support shows; below 1e-11 the path has nothing to add."""
EASY, CAREFUL = 2.0, 1.4  # growth of step lengths on the first path, and on later ones, after it failed
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
    if not violation <= VIOLATION or not on_simplexes(t, point):
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


class Plan(NamedTuple):
    """What is tried.

    Attributes
    ----------
    start : (B, m), or (0, m) where nothing is known
        Mixtures to begin with; values are not read.
    pure_first, pure_last : bool
        Whether pure profiles are looked at before the paths, and where all of these fail.
    weights : (paths, m)
        Weights of the paths to try, mixtures of full support.
    logs : (m,)
        Which unknowns are probabilities.
    """

    start: FloatArray
    pure_first: bool
    pure_last: bool
    weights: FloatArray
    logs: BoolArray


class Found(NamedTuple):
    """What is found for each game.

    Attributes
    ----------
    profile : (B, m)
        The best profile found, normalised.
    gap : (B,)
    method : (B,)
        NEWTON, PURE, PATH, or FAILED if the gap is above `GOOD`.
    """

    profile: FloatArray
    gap: FloatArray
    method: IntArray


@compiled
def keep(found: Found, b: int, point: FloatArray, reached: float, method: int) -> None:
    """Keep a profile of game b if it is better than what there is, as an answer if it is good."""
    if reached < found.gap[b]:
        found.gap[b] = reached
        found.profile[b] = point
    if reached <= GOOD:
        found.method[b] = method


@compiled
def along_path(
    path: Path, growth: float, position: FloatArray, tangent: FloatArray, b: int, found: Found
) -> None:
    """Follow one path for game b, and offer its landings to Newton, until one is good."""
    t, payoffs, f = path.tables, path.rewards, path.space
    pace = np.zeros(2)
    pace[0] = FIRST_LENGTH
    alive = begin(path, position, tangent)
    target = FIRST_LANDING
    while alive and target > LAST_LANDING:
        alive = follow(path, position, tangent, pace, target, growth, STEPS) == ARRIVED
        if alive:
            point = land(path, position, target)
            keep(found, b, point, polished_gap(t, payoffs, f, point), PATH)
            alive = found.method[b] == FAILED
        target -= APART


@compiled
def take_pure(t: Tables, payoffs: FloatArray, point: FloatArray, b: int, found: Found) -> None:
    """Answer game b by its best pure equilibrium, if it has one; `point` is for work."""
    reached = best_pure(t, payoffs, point)
    if reached <= GOOD:
        found.gap[b], found.method[b] = reached, PURE
        found.profile[b] = point


@compiled
def solve_multilinear(t: Tables, payoffs: FloatArray, plan: Plan, f: Blocks, found: Found) -> None:
    """Solve B stage games with unit payoffs (B, rows, n); `t` has one state without transitions."""
    m = plan.logs.shape[0]
    position, tangent = np.empty(m + 1), np.empty(m + 1)
    for b in range(payoffs.shape[0]):
        game = payoffs[b]
        found.gap[b], found.method[b] = np.inf, FAILED
        if plan.start.shape[0]:
            point = plan.start[b].copy()
            duality_gap(t, game, point)
            keep(found, b, point, polished_gap(t, game, f, point), NEWTON)
        if found.method[b] == FAILED and plan.pure_first:
            take_pure(t, game, position[:m], b, found)
        for number in range(plan.weights.shape[0]):
            if found.method[b] == FAILED:
                path = Path(t, game, plan.weights[number], plan.logs, f)
                along_path(path, EASY if number == 0 else CAREFUL, position, tangent, b, found)
        if found.method[b] == FAILED and plan.pure_last:
            take_pure(t, game, position[:m], b, found)
