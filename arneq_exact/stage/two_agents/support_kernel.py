"""Compiled enumeration of supports: the vertices of both best-response polytopes, and their full matches.

In the notation of `lemke_howson_kernel`, a vertex x ≠ 0 of P is given by a support I and as many best
replies T, with B₂[I, T]ᵀ x_I = 1 regular, x_I ≥ 0 and no column above 1; likewise in Q. The kernel goes
through all pairs (I, T) of equal size, by size and then in the order of their bit patterns, and keeps each
vertex once, with the *complete* set of its labels: degenerate vertices have more labels than equations. A
vertex of P and one of Q with all labels between them are an equilibrium, and the pairs so found are the
extreme equilibria. For a non-degenerate game these are all equilibria; otherwise the set of equilibria is a
union of polytopes that they span. Labels are decided in floating point, to 1e-10 on payoffs of range one,
and no tolerance is right for every degenerate game.

Cost: C(A₁ + A₂, A₁) small linear systems for each polytope, hence a limit on this number.

References
----------
Mangasarian (1964), SIAM J. Appl. Math. 12, 778–780 (extreme equilibria); Avis, Rosenberg, Savani & von
Stengel (2010), Economic Theory 42, 9–37; Nisan et al. (2007), *Algorithmic Game Theory*, section 3.3.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled, solve_linear_system

_ZERO = 1e-10  # a probability or a slack below this is zero: far above rounding of payoffs of range one


@compiled
def vertices(payoff: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Vertices x ≠ 0 of {x ≥ 0 : Bᵀx ≤ 1}, B = 1 + payoff (A, T), each divided by its sum.

    Returns
    -------
    points : (V, A) array
    unused : (V,) array
        Bit pattern of the actions of probability zero.
    replies : (V,) array
        Bit pattern of the tight columns.
    """
    A, T = payoff.shape
    points = [np.empty(A)]
    unused = [0]
    replies = [0]
    points.clear()
    unused.clear()
    replies.clear()
    size_limit = min(A, T)
    system = np.empty((size_limit, size_limit))
    solution = np.empty(size_limit)
    actions = np.empty(A, np.int64)
    columns = np.empty(T, np.int64)
    point = np.empty(A)
    for size in range(1, size_limit + 1):
        support = (1 << size) - 1
        while support < 1 << A:
            _members(support, actions)
            tight = (1 << size) - 1
            while tight < 1 << T:
                _members(tight, columns)
                for k in range(size):
                    for a in range(size):
                        system[k, a] = 1.0 + payoff[actions[a], columns[k]]
                    solution[k] = 1.0
                if solve_linear_system(system, solution, size):
                    zeros, tied = _labels(payoff, actions, solution, size, point)
                    known = tied == 0
                    for v in range(len(unused)):
                        if unused[v] == zeros and replies[v] == tied:
                            known = True
                            break
                    if not known:
                        points.append(point.copy())
                        unused.append(zeros)
                        replies.append(tied)
                tight = _next_of_same_size(tight)
            support = _next_of_same_size(support)
    vertices_found = np.empty((len(points), A))
    for v in range(len(points)):
        vertices_found[v] = points[v]
    return vertices_found, np.array(unused), np.array(replies)


@compiled
def _labels(
    payoff: FloatArray, actions: IntArray, solution: FloatArray, size: int, point: FloatArray
) -> tuple[int, int]:
    """Write the mixture of a basic solution to ``point``; return its labels as two bit patterns.

    The first pattern tells the actions of probability zero, the second the tight columns. The second is 0,
    which no vertex x ≠ 0 has, where the solution is not in the polytope.
    """
    A, T = payoff.shape
    point[:] = 0.0
    total = 0.0
    for k in range(size):
        if not solution[k] >= -_ZERO:
            return 0, 0
        point[actions[k]] = max(solution[k], 0.0)
        total += point[actions[k]]
    zeros = 0
    for a in range(A):
        point[a] /= total
        if point[a] <= _ZERO:
            zeros |= 1 << a
    tied = 0
    for column in range(T):
        slack = 1.0 / total
        for a in range(A):
            slack -= point[a] * (1.0 + payoff[a, column])
        if slack < -_ZERO:
            return 0, 0
        if slack <= _ZERO:
            tied |= 1 << column
    return zeros, tied


@compiled
def _members(pattern: int, members: IntArray) -> None:
    """Write the positions of the bits of ``pattern`` to the front of ``members``."""
    number = 0
    position = 0
    while pattern >> position:
        if pattern >> position & 1:
            members[number] = position
            number += 1
        position += 1


@compiled
def _next_of_same_size(pattern: int) -> int:
    """The next larger integer with as many bits set (Gosper)."""
    lowest = pattern & -pattern
    ripple = pattern + lowest
    return ripple | (((pattern ^ ripple) >> 2) // lowest)
