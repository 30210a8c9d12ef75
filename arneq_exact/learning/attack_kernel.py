"""Compiled chain rule of a product attack: from ω and π̂ to the mixture over columns, and back."""

from __future__ import annotations

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.tables import AttackTables
from arneq_exact.stage.kernels import compiled


@compiled
def product_mixture(
    signature: IntArray,
    tables: AttackTables,
    points: FloatArray,
    slots: FloatArray,
    conditional: FloatArray,
    mixture: FloatArray,
) -> None:
    """Fill z(d | e) and y(e, d) = ω(e) z(d | e), both (S, C), from ω (S, E) and π̂ (S, Q, A)."""
    conditional[:] = 0.0
    mixture[:] = 0.0
    for s in range(signature.shape[0]):
        g = signature[s]
        for c in range(tables.first[g, -1]):
            chance = 1.0
            for q in range(tables.slot.shape[2]):
                if tables.slot[g, c, q] >= 0:
                    chance *= slots[s, tables.slot[g, c, q], tables.choice[g, c, q]]
            conditional[s, c] = chance
            mixture[s, c] = points[s, tables.point[g, c]] * chance


@compiled
def product_gradient(
    signature: IntArray,
    tables: AttackTables,
    points: FloatArray,
    slots: FloatArray,
    columns: FloatArray,
    by_points: FloatArray,
    by_slots: FloatArray,
    given_points: bool,
) -> None:
    """Add to the gradients by ω (S, E) and π̂ (S, Q, A) what that by columns (S, C) contributes.

    `columns` is the gradient by y; or, with `given_points`, by z, and then nothing is added by ω.
    """
    for s in range(signature.shape[0]):
        g = signature[s]
        for c in range(tables.first[g, -1]):
            e = tables.point[g, c]
            outer = columns[s, c] if given_points else columns[s, c] * points[s, e]
            whole = 1.0
            for q in range(tables.slot.shape[2]):
                if tables.slot[g, c, q] >= 0:
                    whole *= slots[s, tables.slot[g, c, q], tables.choice[g, c, q]]
                    others = 1.0
                    for r in range(tables.slot.shape[2]):
                        if r != q and tables.slot[g, c, r] >= 0:
                            others *= slots[s, tables.slot[g, c, r], tables.choice[g, c, r]]
                    by_slots[s, tables.slot[g, c, q], tables.choice[g, c, q]] += outer * others
            if not given_points:
                by_points[s, e] += columns[s, c] * whole
