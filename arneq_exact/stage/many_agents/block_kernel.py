"""Compiled block elimination for systems that are block diagonal by state, but for coupling through values.

The Jacobian of the optimality conditions is J = D + G E: D has one block per state, E picks the values V of
all states, and G = R γP is the coupling by row weights R (see `conditions_kernel`). With the inverses of the
blocks at hand,

    J z = r   ⟺   (I + E D⁻¹ G) v = E D⁻¹ r,   z = D⁻¹ (r − G v),

a *Schur system* of order nS for v = V. Only the rows of D⁻¹ that belong to values meet G, so G and D⁻¹ G are
never formed. The path adds a border; bordered systems are solved by two right-hand sides (block elimination),
and one step of refinement removes what an ill-conditioned J costs there.

Inside a block, attackers' unknowns y_c have a diagonal of their own on the path: the equation of column c
holds no other attacker unknown. Where that diagonal is not small beside the column it is eliminated by
hand, and the block to invert shrinks from Σ (A_i + C_i + 2) to little more than Σ (A_i + 2).

References
----------
Govaerts (2000), *Numerical Methods for Bifurcations of Dynamical Equilibria*, section 3.6 (bordered systems);
Golub & Van Loan (2013), *Matrix Computations*, 4th ed., sections 2.1.4 and 3.5.3.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled
from arneq_exact.stage.many_agents.layout import Tables
from arneq_exact.stage.many_agents.linearised_kernel import DIAGONAL, KEPT, Blocks, push_values

LAPACK_SIZE = 48  # order up to which the loops below are faster than a call of LAPACK
SINGULAR = (
    1e-250  # pivots below leave an inverse that is no number; nearly singular blocks are for the caller
)


@compiled
def invert(matrix: FloatArray, size: int) -> bool:
    """Overwrite `matrix[:size, :size]` by its inverse (Gauss–Jordan, partial pivoting); False if singular."""
    order = np.empty(size, dtype=np.int64)
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        if not abs(matrix[best, k]) > SINGULAR:
            return False
        order[k] = best
        if best != k:
            for j in range(size):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
        scale = 1.0 / matrix[k, k]
        matrix[k, k] = 1.0
        for j in range(size):
            matrix[k, j] *= scale
        for i in range(size):
            factor = matrix[i, k]
            if i != k and factor != 0.0:
                matrix[i, k] = 0.0
                for j in range(size):
                    matrix[i, j] -= factor * matrix[k, j]
    for k in range(size - 1, -1, -1):
        if order[k] != k:
            for i in range(size):
                matrix[i, k], matrix[i, order[k]] = matrix[i, order[k]], matrix[i, k]
    return True


@compiled
def invert_kept(jacobian: FloatArray, kind: IntArray, inverse: FloatArray) -> bool:
    """Invert the kept part of a block after elimination of its diagonal unknowns; False if singular."""
    size = kind.shape[0]
    kept = np.flatnonzero(kind == KEPT)
    order = kept.shape[0]
    small = np.empty((order, order))
    for a in range(order):
        for b in range(order):
            small[a, b] = jacobian[kept[a], kept[b]]
    for c in range(size):
        if kind[c] == DIAGONAL:
            for a in range(order):
                factor = jacobian[kept[a], c] / jacobian[c, c]
                if factor != 0.0:
                    for b in range(order):
                        small[a, b] -= factor * jacobian[c, kept[b]]
    if not invert(small, order):
        return False
    inverse[: order * order] = small.reshape(-1)
    return True


@compiled
def solve_block(
    jacobian: FloatArray, kind: IntArray, inverse: FloatArray, rhs: FloatArray, result: FloatArray
) -> None:
    """Solve with one block; unknowns that are OFF get 0."""
    size = kind.shape[0]
    kept = np.flatnonzero(kind == KEPT)
    order = kept.shape[0]
    reduced = np.empty(order)
    for a in range(order):
        reduced[a] = rhs[kept[a]]
    for c in range(size):
        if kind[c] == DIAGONAL:
            scaled = rhs[c] / jacobian[c, c]
            for a in range(order):
                reduced[a] -= jacobian[kept[a], c] * scaled
    result[:] = 0.0
    for a in range(order):
        total = 0.0
        for b in range(order):
            total += inverse[a * order + b] * reduced[b]
        result[kept[a]] = total
    for c in range(size):
        if kind[c] == DIAGONAL:
            total = rhs[c]
            for a in range(order):
                total -= jacobian[c, kept[a]] * result[kept[a]]
            result[c] = total / jacobian[c, c]


@compiled
def value_row(
    jacobian: FloatArray, kind: IntArray, inverse: FloatArray, unknown: int, result: FloatArray
) -> None:
    """Write the row of a kept unknown of the block's whole inverse into `result`."""
    size = kind.shape[0]
    kept = np.flatnonzero(kind == KEPT)
    order = kept.shape[0]
    at = 0
    while kept[at] != unknown:
        at += 1
    result[:] = 0.0
    for b in range(order):
        result[kept[b]] = inverse[at * order + b]
    for c in range(size):
        if kind[c] == DIAGONAL:
            total = 0.0
            for b in range(order):
                total -= inverse[at * order + b] * jacobian[kept[b], c]
            result[c] = total / jacobian[c, c]


@compiled
def build_schur(t: Tables, f: Blocks) -> bool:
    """Form and invert the Schur matrix from inverted blocks; False if it is singular."""
    n = t.counts.shape[1]
    n_states = t.group.shape[0]
    schur = f.schur
    if schur.shape[0] == 0:
        return True
    schur[:] = 0.0
    for s in range(n_states):
        g = t.group[s]
        b0, b1 = t.base[s], t.base[s + 1]
        m = b1 - b0
        first, rows = t.offsets[s], t.offsets[s + 1] - t.offsets[s]
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
        inverse = f.inverse[f.block_start[s] : f.block_start[s + 1]]
        weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(m, rows)
        kind = f.kind[b0:b1]
        line = np.empty(m)
        effect = np.empty((n, rows))
        for own in range(n):
            at = s * n + own
            schur[at, at] += 1.0
            value_row(jacobian, kind, inverse, m - 2 * n + own, line)
            effect[:] = 0.0
            for i in range(n):
                for e in range(t.local_x[g, i], t.local_y[g, i] + t.columns[g, i]):
                    if line[e] != 0.0:
                        factor = t.discount[i] * line[e]
                        for r in range(rows):
                            effect[i, r] += factor * weights[e, r]
            for r in range(rows):
                for k in range(t.indptr[first + r], t.indptr[first + r + 1]):
                    if t.indices[k] != s:
                        to = t.indices[k] * n
                        for i in range(n):
                            schur[at, to + i] += effect[i, r] * t.data[k]
    if schur.shape[0] <= LAPACK_SIZE:
        return invert(schur, schur.shape[0])
    if not np.isfinite(schur).all():
        return False
    schur[:] = np.linalg.inv(schur)
    return True


@compiled
def values_in(t: Tables, vector: FloatArray) -> FloatArray:
    """Return the values (S, n) among the unknowns."""
    n = t.counts.shape[1]
    result = np.empty((t.group.shape[0], n))
    for s in range(result.shape[0]):
        for i in range(n):
            result[s, i] = vector[t.base[s + 1] - 2 * n + i]
    return result


@compiled
def solve_all(t: Tables, f: Blocks, rhs: FloatArray, result: FloatArray) -> None:
    """Solve J z = rhs with inverted blocks and Schur matrix."""
    n_states = t.group.shape[0]
    for s in range(n_states):
        b0, b1 = t.base[s], t.base[s + 1]
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(b1 - b0, b1 - b0)
        inverse = f.inverse[f.block_start[s] : f.block_start[s + 1]]
        solve_block(jacobian, f.kind[b0:b1], inverse, rhs[b0:b1], result[b0:b1])
    if f.schur.shape[0] == 0:
        return
    n = t.counts.shape[1]
    values = (f.schur @ values_in(t, result).reshape(-1)).reshape(n_states, n)
    for s in range(n_states):
        b0, b1 = t.base[s], t.base[s + 1]
        m = b1 - b0
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
        inverse = f.inverse[f.block_start[s] : f.block_start[s + 1]]
        weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(
            m, t.offsets[s + 1] - t.offsets[s]
        )
        rest = np.zeros(m)
        push_values(t, s, values, weights, rest)
        for e in range(m):
            rest[e] = rhs[b0 + e] - rest[e]
        solve_block(jacobian, f.kind[b0:b1], inverse, rest, result[b0:b1])


@compiled
def multiply(t: Tables, f: Blocks, vector: FloatArray, result: FloatArray) -> None:
    """Write J times a vector into `result`."""
    values = values_in(t, vector)
    for s in range(t.group.shape[0]):
        b0, b1 = t.base[s], t.base[s + 1]
        m = b1 - b0
        jacobian = f.jacobian[f.block_start[s] : f.block_start[s + 1]].reshape(m, m)
        for e in range(m):
            total = 0.0
            for u in range(m):
                total += jacobian[e, u] * vector[b0 + u]
            result[b0 + e] = total
        if f.schur.shape[0]:
            weights = f.row_weights[f.weight_start[s] : f.weight_start[s + 1]].reshape(
                m, t.offsets[s + 1] - t.offsets[s]
            )
            push_values(t, s, values, weights, result[b0:b1])


@compiled
def solve_bordered(
    t: Tables, f: Blocks, column: FloatArray, border: FloatArray, rhs: FloatArray, result: FloatArray
) -> bool:
    """Solve [[J, column], [border]] z = rhs with one step of refinement; False if not finite."""
    size = rhs.shape[0] - 1
    through = np.empty(size)
    solve_all(t, f, column, through)
    corner = border[size] - border[:size] @ through
    part, rest = np.empty(size), rhs.copy()
    result[:] = 0.0
    for _ in range(2):
        solve_all(t, f, rest[:size], part)
        last = (rest[size] - border[:size] @ part) / corner
        for e in range(size):
            result[e] += part[e] - last * through[e]
        result[size] += last
        multiply(t, f, result[:size], rest[:size])
        for e in range(size):
            rest[e] = rhs[e] - rest[e] - column[e] * result[size]
        rest[size] = rhs[size] - border @ result
    return bool(np.isfinite(result).all())
