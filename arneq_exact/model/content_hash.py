"""The hash that ties a certificate to a game: SHA-256 of the canonical exact content.

Canonical form, so that a JSON file, an npz file and the object in memory agree and a reader in any
language can recompute it. The text ``arneq-game-content-1`` and then, in this order, the sections
`sizes`, `discount`, `rewards`, `indptr`, `indices`, `transitions`. Integers are little-endian int64:
`sizes` holds n, S and the action counts (S, n) in C order. A section of real numbers is the
little-endian doubles nearest to the exact numbers (−0 written as 0), followed by the text
``i:p/q;`` for each entry i, in order, whose exact value p/q is not that double. Columns stand in
ascending order within a row and exact zeros are left out. Names, termination and the initial
distribution do not take part: they change no value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import scipy.sparse as sp

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.exact import ExactData


def content_hash(
    action_counts: IntArray,
    discount: FloatArray,
    rewards: FloatArray,
    transitions: sp.csr_array,
    exact: ExactData | None,
) -> str:
    """Return the hexadecimal SHA-256 of the canonical exact content of a game with these canonical parts."""
    n_rows, n = rewards.shape
    exact_rewards: Iterable[Fraction] | None = None
    exact_moves: Iterable[Fraction] | None = None
    # In bulk, past the game's accessors: a game that is all doubles is hashed without one Fraction.
    if exact is not None:
        exact_rewards = (exact.reward(row, agent) for row in range(n_rows) for agent in range(n))
        row_of_entry = np.repeat(np.arange(n_rows), np.diff(transitions.indptr))
        exact_moves = (
            Fraction(numerator, exact.transition_denominators[row])
            for numerator, row in zip(exact.transition_numerators, row_of_entry, strict=True)
        )
    digest = hashlib.sha256(b"arneq-game-content-1")
    for section in (
        _integers(np.array([n, len(action_counts)])),
        _integers(action_counts),
        _reals(discount, None if exact is None else exact.discount),
        _reals(rewards, exact_rewards),
        _integers(transitions.indptr),
        _integers(transitions.indices),
        _reals(transitions.data, exact_moves),
    ):
        digest.update(section)
    return digest.hexdigest()


def _integers(values: IntArray) -> bytes:
    return np.ascontiguousarray(values, dtype="<i8").tobytes()


def _reals(nearest: FloatArray, exact: Iterable[Fraction] | None) -> bytes:
    flat = np.ascontiguousarray(nearest, dtype="<f8").reshape(-1) + 0.0
    if exact is None:
        return flat.tobytes()
    exceptions = [
        f"{index}:{value.numerator}/{value.denominator};"
        for index, (double, value) in enumerate(zip(flat.tolist(), exact, strict=True))
        if Fraction(double) != value
    ]
    return flat.tobytes() + "".join(exceptions).encode("ascii")
