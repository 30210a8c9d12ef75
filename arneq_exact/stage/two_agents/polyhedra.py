"""Two agents under corruption with probabilities p₁, p₂: their stage ARNEQ as points of two polyhedra.

By linear duality x₁ is optimal against x₂ if and only if there are an attack y₁ on agent 1 and numbers v₁, t₁
such that, action by action and column by column,

    (1 − p₁) Q₁x₂ + p₁ Q₁y₁ ≤ v₁    with equality where x₁ > 0,
    Q₁ᵀx₁ ≥ t₁                      with equality where y₁ > 0,

and likewise for agent 2 (the four players of [T11]; if p_i = 0, y_i and t_i are left out, and
where corrupted agents are masked, y_i has the allowed actions only). The four players
form a path y₁ – x₁ – x₂ – y₂, and that splits the conditions between *two* polyhedra,

    P₁ = {(x₁, y₂, t₁, v₂)}    with x₁, y₂ ≥ 0,  (1 − p₂) Q₂ᵀx₁ + p₂ Q₂ᵀy₂ ≤ v₂,  Q₁ᵀx₁ ≥ t₁,
    P₂ = {(x₂, y₁, t₂, v₁)}    with x₂, y₁ ≥ 0,  (1 − p₁) Q₁x₂ + p₁ Q₁y₁ ≤ v₁,    Q₂x₂ ≥ t₂,

which share nothing. Each has one row for each *label*, the label being an action of one of the four players:
"it is not in use" on its own side, "it is a best reply" on the other. Points of P₁ and P₂ are an equilibrium
if and only if every label is tight in at least one of the two. This is the geometry of bimatrix games
(p = 0: P₁ and P₂ are the best-response polyhedra), and the same conclusion follows.

**Completeness.** The tight labels of a point are those of the smallest face around it. Hence the equilibria
(x₁, y₂; x₂, y₁) are exactly the union of the products F₁ × F₂ of faces whose labels are all labels. Such
faces are bounded, since t and v are then fixed by a tight row, so each is the convex hull of its vertices,
and all pairs of these vertices are equilibria. Therefore the pairs of *vertices* with all labels between
them, found among all vertices of P₁ and P₂ in integers, determine the whole set: it is the union, over the
maximal sets U × W of such pairs, of conv U × conv W. Forgetting the attackers keeps this: the stage ARNEQ
are the union of the products conv(x₁ of U) × conv(x₂ of W).

For p = 0 the pairs are the extreme equilibria of the bimatrix game. For p > 0 they are the projections of the
extreme equilibria of the four players; such a projection need not be a corner of the set of stage ARNEQ.

References
----------
[T11]; Mangasarian (1964), SIAM J. Appl. Math. 12, 778–780; Avis, Rosenberg, Savani & von Stengel (2010),
Economic Theory 42, 9–37.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.attackers.stage_class import Risk
from arneq_exact.exact.double_description import Ray, extreme_rays

ExactMatrix = Sequence[Sequence[Fraction]]
ExactMixture = tuple[Fraction, ...]
Product = tuple[tuple[ExactMixture, ...], tuple[ExactMixture, ...]]


@dataclass(frozen=True)
class Polyhedron:
    """P₁ or P₂ as a cone, homogeneous in the sum of its mixtures.

    Coordinates are the agent's mixture x, then y, t, v where present: y is the attack on the *other* agent,
    t bounds what the attack on *this* one leaves.

    Attributes
    ----------
    rows : tuple of integer tuples
        One for each label, in the same order for both polyhedra.
    start : tuple of integer tuples
        The extreme rays of the rows in `known`.
    known : tuple of int
    actions : int
        The length of x.
    """

    rows: tuple[Ray, ...]
    start: tuple[Ray, ...]
    known: tuple[int, ...]
    actions: int

    def vertices(self) -> dict[Ray, int]:
        """All vertices, each with the bit pattern of its tight labels."""
        rays = extreme_rays(self.start, self.rows, self.known)
        return {ray: tight for ray, tight in rays.items() if any(ray[: self.actions])}

    def mixture(self, vertex: Ray) -> ExactMixture:
        """The agent's mixture at a vertex."""
        weights = vertex[: self.actions]
        return tuple(Fraction(weight, sum(weights)) for weight in weights)


def two_agent_polyhedra(
    payoffs: Sequence[ExactMatrix], risks: Sequence[Risk]
) -> tuple[Polyhedron, Polyhedron]:
    """P₁ and P₂ for payoffs Q₁, Q₂ (A₁ × A₂) and what agents 1 and 2 fear.

    Labels are numbered x₁, x₂, y₁, y₂ in this order, the attackers' only where present.
    """
    first, second = (_integers(payoff) for payoff in payoffs)
    transposed = [list(column) for column in zip(*second, strict=True)]
    swapped = [list(column) for column in zip(*first, strict=True)]
    on_first, on_second = risks
    return (
        _polyhedron(first, second, on_first, on_second, leads=True),
        _polyhedron(transposed, swapped, on_second, on_first, leads=False),
    )


def _polyhedron(
    own: list[list[int]], other: list[list[int]], on_own: Risk, on_other: Risk, *, leads: bool
) -> Polyhedron:
    """P of one agent; both matrices have its own actions as rows.

    Rows come in four groups: x in use, best replies of the other agent, columns of the own attacker, y in
    use.
    """
    A, B, D = len(own), len(own[0]), len(on_other.actions)
    attacked = int(bool(on_own.actions))
    width = A + D + attacked + 1
    p = on_other.probability
    benign, corrupt = p.denominator - p.numerator, p.numerator
    unit = [tuple(int(j == k) for j in range(width)) for k in range(width)]
    replies = [
        tuple(
            [-benign * other[a][b] for a in range(A)]
            + [-corrupt * other[d][b] for d in on_other.actions]
            + [0] * attacked
            + [1]
        )
        for b in range(B)
    ]
    columns = [tuple([own[a][c] for a in range(A)] + [0] * D + [-1, 0]) for c in on_own.actions]
    groups = [unit[:A], replies, columns, unit[A : A + D]]
    rows: list[Ray] = []
    known: list[int] = []
    for group in (0, 1, 2, 3) if leads else (1, 0, 3, 2):
        # The start obeys every row "in use" and the first of the others, which decides t or v.
        satisfied = len(groups[group]) if group in (0, 3) else min(1, len(groups[group]))
        known += range(len(rows), len(rows) + satisfied)
        rows += groups[group]
    # Pure actions of x and y, with t and v as the first column and the first reply make them.
    start = []
    for a in range(A):
        for d in on_other.actions or (a,):
            x = [int(j == a) for j in range(A)]
            y = [int(j == d) for j in on_other.actions]
            t = [own[a][c] for c in on_own.actions[:1]]
            start.append((*x, *y, *t, benign * other[a][0] + corrupt * other[d][0]))
    if attacked:
        start.append(tuple(-entry for entry in unit[-2]))
    start.append(unit[-1])
    return Polyhedron(tuple(rows), tuple(start), tuple(known), A)


def _integers(matrix: ExactMatrix) -> list[list[int]]:
    """A positive multiple with integer entries, which has the same equilibria."""
    scale = int(np.lcm.reduce([entry.denominator for row in matrix for entry in row], dtype=object))
    return [[int(entry * scale) for entry in row] for row in matrix]


def two_agent_products(payoffs: Sequence[ExactMatrix], risks: Sequence[Risk]) -> list[Product]:
    """The stage ARNEQ of two agents as a union of products conv(mixtures of agent 1) × conv(of agent 2).

    Every pair of listed mixtures within a product is one of the (projected) extreme equilibria, and every
    extreme equilibrium is in some product.
    """
    import networkx as nx

    both = two_agent_polyhedra(payoffs, risks)
    listed = [list(polyhedron.vertices().items()) for polyhedron in both]
    tight = [np.array([pattern for _, pattern in vertices], dtype=np.int64) for vertices in listed]
    everything = (1 << len(both[0].rows)) - 1
    pairs = np.argwhere((tight[0][:, None] | tight[1][None, :]) == everything)
    graph: Any = nx.Graph()
    for side in range(2):
        members = [(side, int(v)) for v in np.unique(pairs[:, side])]
        graph.add_edges_from((u, w) for k, u in enumerate(members) for w in members[:k])
    graph.add_edges_from(((0, int(v)), (1, int(w))) for v, w in pairs)
    products = set()
    for clique in nx.find_cliques(graph):
        mixtures = [
            {both[side].mixture(listed[side][v][0]) for s, v in clique if s == side} for side in range(2)
        ]
        if all(mixtures):
            products.add((tuple(sorted(mixtures[0])), tuple(sorted(mixtures[1]))))
    return sorted(products)


def optimal_mixtures(matrix: ExactMatrix) -> tuple[ExactMixture, ...]:
    """Extreme optimal strategies of the row player of a matrix game (A × C): vertices of greatest t [T4]."""
    own = _integers(matrix)
    A = len(own)
    rows = [tuple(int(j == k) for j in range(A + 1)) for k in range(A)]
    rows += [(*column, -1) for column in zip(*own, strict=True)]
    start = [tuple([int(j == a) for j in range(A)] + [own[a][0]]) for a in range(A)]
    start.append((*[0] * A, -1))
    rays = extreme_rays(start, rows, range(A + 1))
    values = {ray: Fraction(ray[-1], sum(ray[:A])) for ray in rays if any(ray[:A])}
    value = max(values.values())
    best = [ray for ray, reached in values.items() if reached == value]
    return tuple(sorted(tuple(Fraction(weight, sum(ray[:A])) for weight in ray[:A]) for ray in best))
