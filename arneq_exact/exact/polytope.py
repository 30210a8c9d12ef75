"""Extreme points of {ω ≥ 0, Σω = 1, Gω ≤ h}, exactly, by the double description method.

Begin with the vertices of the simplex and cut with one inequality after the other. A cut keeps the
vertices that satisfy it and adds the point where it meets each edge between a vertex that does and one
that violates it. Two vertices are joined by an edge if and only if no third one lies on every face that
both lie on (Fukuda & Prodon, "Double description method revisited", 1996, Proposition 7). In Fractions
the tests are exact, so degenerate and redundant inequalities need no care.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from arneq_exact.errors import ThreatError

Row = tuple[Fraction, ...]

MOST_VERTICES = 400
"""Vertices up to which a polytope is resolved, on the way as well; a second or two of work."""


@lru_cache(maxsize=256)
def extreme_points(size: int, rows: tuple[Row, ...], bounds: Row) -> tuple[Row, ...]:
    """Return the vertices of {ω ∈ Δ: Gω ≤ h} in descending lexicographic order.

    Parameters
    ----------
    size : int
        Length of ω.
    rows : G, one tuple of `size` Fractions per inequality
    bounds : h

    Raises
    ------
    ThreatError
        If the polytope is empty, or has too many vertices.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> [list(map(str, vertex)) for vertex in extreme_points(2, ((Fraction(0), Fraction(1)),), (half,))]
    [['1', '0'], ['1/2', '1/2']]
    """
    _require_few(size)
    # A vertex comes with the faces it lies on, as bits: ω_j = 0 has bit j, inequality r bit size + r.
    everything = (1 << size) - 1
    vertices: dict[Row, int] = {
        tuple(Fraction(int(j == k)) for j in range(size)): everything & ~(1 << k) for k in range(size)
    }
    for number, (row, bound) in enumerate(zip(rows, bounds, strict=True)):
        face = 1 << (size + number)
        slack = {
            vertex: bound - sum((a * w for a, w in zip(row, vertex, strict=True)), Fraction(0))
            for vertex in vertices
        }
        cut = {
            vertex: faces | face if slack[vertex] == 0 else faces
            for vertex, faces in vertices.items()
            if slack[vertex] >= 0
        }
        violating = [vertex for vertex in vertices if slack[vertex] < 0]
        satisfying = [vertex for vertex in vertices if slack[vertex] > 0]
        for inside in satisfying:
            for outside in violating:
                shared = vertices[inside] & vertices[outside]
                if _joined(inside, outside, shared, vertices):
                    share = slack[inside] / (slack[inside] - slack[outside])
                    meeting = tuple(a + share * (b - a) for a, b in zip(inside, outside, strict=True))
                    cut[meeting] = shared | face
        if not cut:
            raise ThreatError("ThreatModel: inequalities leave no distribution; must leave at least one")
        _require_few(len(cut))
        vertices = cut
    return tuple(sorted(vertices, reverse=True))


def _joined(one: Row, other: Row, shared: int, vertices: dict[Row, int]) -> bool:
    """Tell whether an edge joins two vertices that lie on the `shared` faces."""
    # An edge of a polytope in the plane Σω = 1 lies on at least len − 2 faces.
    if shared.bit_count() < len(one) - 2:
        return False
    return not any(
        faces & shared == shared
        for vertex, faces in vertices.items()
        if vertex is not one and vertex is not other
    )


def _require_few(number: int) -> None:
    if number > MOST_VERTICES:
        raise ThreatError(
            f"ThreatModel: inequalities over so many corruption sets need {number} extreme points; "
            f"must be at most {MOST_VERTICES}"
        )
