"""Compiled active-set Newton: solve the optimality conditions of a guessed support, and correct the guess.

A support holds what is played more than it loses, {x_a > V − (M y)_a} and {y_c > (xᵀM)_c − L}. Its equations
are solved by Newton's method with all else at 0. Where the solution has negative probabilities or a violated
condition, these constraints change sides and Newton starts again, for a bounded number of rounds.

Mixtures of attackers are structurally not unique for 0 < k < n−1 (if j and l are both pure, "corrupt j to
play its own action" and "corrupt l likewise" are the same column), those of agents are not in degenerate
games. Blocks that are singular to working accuracy are therefore inverted in the sense of least squares, by
their singular values; if the step so found does not solve the linear system, the whole system is solved by
least squares where it is small enough.

Quadratic convergence near a regular solution, and no guarantee from afar.

Reference
---------
Hintermüller, Ito & Kunisch (2002), SIAM J. Optim. 13, 865–888 (primal-dual active sets as Newton's method).
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled
from arneq_exact.stage.many_agents.block_kernel import build_schur, invert, multiply, solve_all
from arneq_exact.stage.many_agents.layout import Tables
from arneq_exact.stage.many_agents.linearised_kernel import KEPT, OFF, Blocks, dense, linearised, residual_of

ROUNDS = 5  # guesses of the support: who is not near after a few corrections is better off on a path
NEWTON_STEPS = 12  # quadratic convergence needs five or six from a support that is right
LOST = 1e3  # a residual, in units of payoffs of range one, from which Newton does not come back
SETTLED = 1e-11  # residual from which a step that does not improve is rounding
FLOOR = 1e-14  # residual at which there is nothing left to gain
CONDITION = (
    1e8  # half of the digits are lost to an inverse of that condition: singular values are used instead
)
LEAST_SINGULAR_VALUE = 1e-9  # of the largest; below it is a direction in which solutions are not unique
MISSED = (
    1e-3  # of the residual: a linear solution that misses more is no solution, and a refinement mends less
)
SOLVED = 1e-9  # residual and violation of a solution, which the caller polishes and verifies
WHOLE = 1000  # active unknowns up to which the whole system is solved by least squares: seconds beyond


@compiled
def invert_active(jacobian: FloatArray, kind: IntArray, inverse: FloatArray) -> bool:
    """Invert the kept part of a block, in the sense of least squares where it is nearly singular."""
    kept = np.flatnonzero(kind == KEPT)
    order = kept.shape[0]
    small = np.empty((order, order))
    for a in range(order):
        for b in range(order):
            small[a, b] = jacobian[kept[a], kept[b]]
    if not np.isfinite(small).all():
        return False
    trial = small.copy()
    if not invert(trial, order) or not np.abs(trial).max() * np.abs(small).max() < CONDITION:
        left, values, right = np.linalg.svd(small)
        for a in range(order):
            values[a] = 1.0 / values[a] if values[a] > LEAST_SINGULAR_VALUE * values[0] else 0.0
        trial = np.ascontiguousarray(right.T) @ (np.ascontiguousarray(left.T) * values.reshape(order, 1))
    inverse[: order * order] = trial.reshape(-1)
    return True


@compiled
def active_step(t: Tables, f: Blocks, residual: FloatArray, step: FloatArray) -> bool:
    """Write the Newton step of the active equations; False if there is none."""
    for s in range(t.group.shape[0]):
        b0, b1 = t.base[s], t.base[s + 1]
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(b1 - b0, b1 - b0)
        inverse = f.inverse[f.block_start[s] : f.block_start[s + 1]]
        if not invert_active(jacobian, f.kind[b0:b1], inverse):
            return False
    active = np.flatnonzero(f.kind == KEPT)
    regular = build_schur(t, f)
    if regular:
        product = np.empty(step.shape[0])
        solve_all(t, f, -residual, step)
        multiply(t, f, step, product)
        missed = product + residual
        regular = np.abs(missed[active]).max() <= MISSED * np.abs(residual[active]).max()
    if regular:
        correction = np.empty(step.shape[0])
        solve_all(t, f, -missed, correction)
        step += correction
        return bool(np.isfinite(step).all())
    if active.shape[0] > WHOLE:
        return False
    whole = dense(t, f)[active][:, active]
    if not np.isfinite(whole).all():
        return False
    step[:] = 0.0
    step[active] = np.linalg.lstsq(whole, -residual[active], LEAST_SINGULAR_VALUE)[0]
    return True


@compiled
def newton(t: Tables, rewards: FloatArray, f: Blocks, point: FloatArray) -> float:
    """Solve the active equations from `point`, in place; return the largest residual among them."""
    size = point.shape[0]
    active = np.flatnonzero(f.kind == KEPT)
    residual, step = np.empty(size), np.empty(size)
    current, smallest = point.copy(), np.inf
    for _ in range(NEWTON_STEPS):
        linearised(t, rewards, current, f, residual)
        error = np.abs(residual[active]).max()
        if not error <= LOST:
            break
        if error < smallest:
            smallest = error
            point[:] = current
        elif smallest <= SETTLED:
            break
        if error <= FLOOR or not active_step(t, f, residual, step):
            break
        current += step
    return float(smallest)


@compiled
def choose_support(
    t: Tables, point: FloatArray, residual: FloatArray, margin: float, kind: IntArray, again: bool
) -> bool:
    """Classify all mixtures; return whether the support changed.

    At first an entry is active if its probability exceeds its loss. `again`, at a solution of the active
    equations, entries below −margin leave and entries whose loss is below −margin enter.
    """
    n = t.counts.shape[1]
    changed = False
    for s in range(t.group.shape[0]):
        g, base = t.group[s], t.base[s]
        for i in range(n):
            for attacker in range(2):
                first = base + (t.local_y[g, i] if attacker else t.local_x[g, i])
                count = t.columns[g, i] if attacker else t.counts[g, i]
                sign = 1.0 if attacker else -1.0
                used, largest = 0, first
                for u in range(first, first + count):
                    loss = sign * residual[u]
                    before = kind[u]
                    if not again:
                        kind[u] = KEPT if point[u] > loss else OFF
                    elif before == KEPT:
                        kind[u] = OFF if point[u] < -margin else KEPT
                    elif loss < -margin:
                        kind[u] = KEPT
                    changed = changed or kind[u] != before
                    used += kind[u] == KEPT
                    if point[u] > point[largest]:
                        largest = u
                if used == 0:
                    kind[largest] = KEPT
    return changed


@compiled
def polish_point(t: Tables, rewards: FloatArray, f: Blocks, point: FloatArray) -> tuple[float, float]:
    """Move `point` (N,), in place, to a solution on its support.

    Returns
    -------
    error : float
        Largest residual of the active equations.
    violation : float
        Largest violation of an inequality: a negative probability or a negative loss.
    """
    for u in range(point.shape[0]):
        f.kind[u] = KEPT
    residual = residual_of(t, rewards, point)
    choose_support(t, point, residual, 0.0, f.kind, False)
    start = point.copy()
    best, best_error, best_violation = point.copy(), np.inf, np.inf
    for _ in range(ROUNDS):
        for u in range(point.shape[0]):
            point[u] = start[u] if f.kind[u] == KEPT else 0.0
        error = newton(t, rewards, f, point)
        if not error <= SOLVED:
            break
        residual = residual_of(t, rewards, point)
        violation = violated(t, point, residual)
        if violation < best_violation:
            best[:] = point
            best_error, best_violation = error, violation
        if violation <= SOLVED or not choose_support(t, point, residual, 0.5 * SOLVED, f.kind, True):
            break
        start[:] = point
    point[:] = best
    return best_error, best_violation


@compiled
def violated(t: Tables, point: FloatArray, residual: FloatArray) -> float:
    """Return the largest violation of an inequality at `point`."""
    n = t.counts.shape[1]
    worst = 0.0
    for s in range(t.group.shape[0]):
        g, base = t.group[s], t.base[s]
        for i in range(n):
            for a in range(base + t.local_x[g, i], base + t.local_y[g, i]):
                worst = max(worst, -point[a], residual[a])
            for c in range(base + t.local_y[g, i], base + t.local_y[g, i] + t.columns[g, i]):
                worst = max(worst, -point[c], -residual[c])
    return float(worst)
