"""Compiled barrier path: the log-barrier central path of the optimality conditions, by continuation.

With weights w (a full-support profile of agents and attackers) and a parameter μ > 0, solve for every
agent, state, action a and column c (notation of `conditions_kernel`)

    V + μ − (M y)_a − μ w_a / x_a = 0,      Σ x = 1,
    (xᵀM)_c − L + μ − μ w_c / y_c = 0,      Σ y = 1.

As μ → ∞ the only solution is x = w, y = w; as μ → 0 the slacks μ w / x become complementary to the mixtures,
and limits are ARNEQ. The path is followed in log x, log y, V, L and log μ, with the first two rows scaled by
1/(1 + μ): an Euler predictor along the tangent, Newton's method across it (pseudo-arclength), so that turning
points in μ are passed. Steps shrink when Newton contracts slowly or the direction turns sharply.

Lengths, angles and tolerances take logarithms as they are, and an agent's V and L in units of its largest
reward over 1 − γ: so do the way that values have to go and their rounding errors grow.

A stage game is a system of one state without transitions; a Markov game couples its states.

Reference
---------
Allgower & Georg (1990), *Numerical Continuation Methods*, chapters 2 and 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import BoolArray, FloatArray
from arneq_exact.stage.kernels import compiled
from arneq_exact.stage.many_agents.block_kernel import build_schur, invert_kept, solve_bordered
from arneq_exact.stage.many_agents.layout import Tables
from arneq_exact.stage.many_agents.linearised_kernel import DIAGONAL, KEPT, Blocks, linearised_state

CORRECTIONS = 6  # Newton steps across the path: when they are quadratic, three do; else the step was too long
FIXED = 5 * CORRECTIONS  # Newton steps at a fixed parameter, where there is no shorter step to go back to
LONGEST_CORRECTION = 2.0  # a factor e² of a probability: further off, Newton is not on this path any more
NEARLY = 1e-3  # length of the last Newton step across the path; its square is the error that is left
ON_PATH = 1e-6  # shorter steps may stall: they are rounding
ROUNDING = 1e-7  # length at which a step that stalls at a fixed parameter is rounding
LANDED = 1e-10  # length of the last Newton step at a fixed parameter
STALLS = 0.5  # Newton that does not halve its steps does not converge
LONGEST_MOVE = 5.0  # of any unknown in one step: a factor e⁵ of a probability
LONGEST_FALL = 2.0  # of log μ in one step
LONGEST_LENGTH = 50.0  # of a step, where no unknown moves far
SHORTEST_LENGTH = 1e-7  # of a step: the path is lost
TURN, EASY_TURN = 0.7, 0.9  # cosines of directions: who turns more is refused; who turns less goes faster
SHRINK, SLOWER = 0.4, 0.7  # of step lengths: after a failure, and after many Newton steps
FEW, MANY = 3, 4  # Newton steps that let the next step grow, or more than which let it shrink
SAFE_LOG = 300.0  # e^300 and its square times payoffs are still numbers
FAR = 10.0  # the largest unit of length times this is a parameter at which weights are all but the solution
MULTIPLIER = 10.0  # largest growth that the elimination of an attacker's unknown by its diagonal may cause
TINY = 1e-300  # keeps a quotient finite

MOVING, ARRIVED, STUCK = 0, 1, 2


class Path(NamedTuple):
    """What a path is followed with.

    Attributes
    ----------
    tables : Tables
    rewards : (rows, n)
    weights : (N,)
        Mixtures of full support, from which the path begins.
    logs : (N,)
        Which unknowns are probabilities, and followed by their logarithms.
    space : Blocks
        Working memory.
    """

    tables: Tables
    rewards: FloatArray
    weights: FloatArray
    logs: BoolArray
    space: Blocks


@compiled
def path_system(path: Path, position: FloatArray, residual: FloatArray, by_parameter: FloatArray) -> bool:
    """Evaluate the path's equations and their derivative by log μ, and invert their Jacobian.

    Returns
    -------
    bool
        False if something is singular or not finite.
    """
    t, f = path.tables, path.space
    size = residual.shape[0]
    point = position[:size].copy()
    for u in range(size):
        if path.logs[u]:
            if not abs(point[u]) < SAFE_LOG:
                return False
            point[u] = np.exp(point[u])
    mu = float(np.exp(position[size]))
    for s in range(t.group.shape[0]):
        b0, b1 = t.base[s], t.base[s + 1]
        m = b1 - b0
        linearised_state(t, path.rewards, s, point, f, residual)
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
        for u in range(m):
            f.kind[b0 + u] = KEPT
            by_parameter[b0 + u] = 0.0
            if path.logs[b0 + u]:
                for e in range(m):
                    jacobian[e, u] *= point[b0 + u]
        add_barrier(path, s, mu, point, jacobian, residual[b0:b1], by_parameter)
        inverse = f.inverse[f.block_start[s] : f.block_start[s + 1]]
        if not (np.isfinite(residual[b0:b1]).all() and invert_kept(jacobian, f.kind[b0:b1], inverse)):
            return False
    return build_schur(t, f)


@compiled
def add_barrier(
    path: Path,
    s: int,
    mu: float,
    point: FloatArray,
    jacobian: FloatArray,
    part: FloatArray,
    by_parameter: FloatArray,
) -> None:
    """Turn a state's optimality conditions and their derivatives into those of the path.

    Scales rows, adds slacks, and tells which attackers' unknowns are eliminated by their diagonal.
    """
    t, f, scale = path.tables, path.space, 1.0 / (1.0 + mu)
    g, b0, m = t.group[s], t.base[s], part.shape[0]
    rows = t.offsets[s + 1] - t.offsets[s]
    row_weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(m, rows)
    for i in range(t.counts.shape[1]):
        x0, y0, end = t.local_x[g, i], t.local_y[g, i], t.local_y[g, i] + t.columns[g, i]
        for e in range(x0, end):
            factor = -scale if e < y0 else scale
            slack = mu * path.weights[b0 + e] / point[b0 + e]
            part[e] = factor * part[e] + scale * (mu - slack)
            by_parameter[b0 + e] = scale * (mu - slack)
            for u in range(m):
                jacobian[e, u] *= factor
            for r in range(rows):
                row_weights[e, r] *= factor
            jacobian[e, e] += scale * slack
        for c in range(y0, end):
            largest = 0.0
            for e in range(x0, y0):
                largest = max(largest, abs(jacobian[e, c]))
            f.kind[b0 + c] = DIAGONAL if largest <= MULTIPLIER * jacobian[c, c] else KEPT


@compiled
def unit_lengths(t: Tables, rewards: FloatArray) -> FloatArray:
    """Return what counts as length 1 of each unknown, log μ included."""
    n = t.counts.shape[1]
    unit = np.ones(t.base[-1] + 1)
    for i in range(n):
        largest = max(1.0, np.abs(rewards[:, i]).max()) / (1.0 - t.discount[i])
        for s in range(t.group.shape[0]):
            value = t.base[s + 1] - 2 * n + i
            unit[value] = unit[value + n] = largest
    return unit


@compiled
def correct(
    path: Path,
    border: FloatArray,
    unit: FloatArray,
    fixed: bool,
    position: FloatArray,
    tangent: FloatArray,
) -> int:
    """Newton's method from `position`, in place, in the plane across `border`; return 0 if it fails.

    Otherwise return the number of steps, and in `tangent` the direction of the path that agrees with
    `border`, of length 1 in terms of `unit`. With `fixed` the border holds the parameter fast, long steps are
    cut instead of refused, and Newton goes on until steps are tiny, or are rounding and shrink no more.
    """
    size = position.shape[0] - 1
    residual, by_parameter = np.empty(size), np.empty(size)
    rhs, step = np.zeros(size + 1), np.empty(size + 1)
    before = np.inf
    for number in range(1, (FIXED if fixed else CORRECTIONS) + 1):
        if not path_system(path, position, residual, by_parameter):
            return 0
        rhs[:size] = -residual
        if not solve_bordered(path.tables, path.space, by_parameter, border, rhs, step):
            return 0
        length = np.abs(step / unit).max()
        stalls = length > STALLS * before
        if fixed and length > LONGEST_CORRECTION:
            step *= LONGEST_CORRECTION / length
        elif not fixed and (length > LONGEST_CORRECTION or stalls) and length > ON_PATH:
            return 0
        position += step
        # Newton's error after a step is about the square of its length.
        done = length <= LANDED or (stalls and length <= ROUNDING) if fixed else length <= NEARLY
        if done:
            rhs[:] = 0.0
            rhs[size] = 1.0
            if not solve_bordered(path.tables, path.space, by_parameter, border, rhs, tangent):
                return 0
            tangent /= np.sqrt(((tangent / unit) ** 2).sum())
            return number
        before = length
    return 0


@compiled
def follow(
    path: Path,
    position: FloatArray,
    tangent: FloatArray,
    pace: FloatArray,
    target: float,
    growth: float,
    steps: int,
) -> int:
    """Advance along the path, in place, until log μ ≤ `target`, for at most `steps` steps.

    Parameters
    ----------
    pace : (2,)
        The length of the next step, and the number of steps taken so far.

    Returns
    -------
    MOVING, ARRIVED or STUCK
    """
    size = position.shape[0] - 1
    unit, following = unit_lengths(path.tables, path.rewards), np.empty(size + 1)
    for _ in range(steps):
        if position[size] <= target:
            return ARRIVED
        border = tangent / unit**2
        while True:
            if pace[0] < SHORTEST_LENGTH:
                return STUCK
            largest = np.abs(tangent / unit).max()
            move = min(pace[0], LONGEST_FALL / max(abs(tangent[size]), TINY), LONGEST_MOVE / largest)
            guess = position + move * tangent
            number = correct(path, border, unit, False, guess, following)
            if number:
                angle = following @ border
                if angle > TURN:
                    break
            pace[0] = SHRINK * min(pace[0], move)
        pace[1] += 1.0
        position[:] = guess
        tangent[:] = following
        if angle > EASY_TURN and number <= FEW:
            pace[0] = min(pace[0] * growth, LONGEST_LENGTH)
        elif number > MANY:
            pace[0] *= SLOWER
    return ARRIVED if position[size] <= target else MOVING


@compiled
def begin(path: Path, position: FloatArray, tangent: FloatArray) -> bool:
    """Go from the weights to the path at a large parameter; False if Newton fails there."""
    size = position.shape[0] - 1
    unit = unit_lengths(path.tables, path.rewards)
    for u in range(size):
        position[u] = np.log(path.weights[u]) if path.logs[u] else 0.5 * unit[u]
    position[size] = np.log(FAR * unit.max())
    border = np.zeros(size + 1)
    border[size] = 1.0
    if not correct(path, border, unit, True, position, tangent):
        return False
    if tangent[size] > 0.0:
        tangent *= -1.0
    return True


@compiled
def land(path: Path, position: FloatArray, target: float) -> FloatArray:
    """Return the natural unknowns at log μ = `target` near `position`, or at `position` itself."""
    size = position.shape[0] - 1
    border = np.zeros(size + 1)
    border[size] = 1.0
    guess, tangent = position.copy(), np.empty(size + 1)
    guess[size] = target
    if not correct(path, border, unit_lengths(path.tables, path.rewards), True, guess, tangent):
        guess[:] = position
    point = guess[:size].copy()
    for u in range(size):
        if path.logs[u]:
            point[u] = np.exp(point[u])
    return point
