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
from typing import TYPE_CHECKING

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray

if TYPE_CHECKING:
    from arneq_exact.model.game import MarkovGame


def content_hash(game: MarkovGame) -> str:
    """Return the hexadecimal SHA-256 of the canonical exact content of `game`."""
    digest = hashlib.sha256(b"arneq-game-content-1")
    sizes = np.array([game.n_agents, game.n_states], dtype="<i8")
    digest.update(sizes.tobytes())
    digest.update(_integers(game.action_counts))
    exact = game.exact
    digest.update(_reals(game.discount, None if exact is None else exact.discount))
    matrix = game.transitions
    if exact is None:
        digest.update(_reals(game.rewards, None))
    else:
        digest.update(
            _reals(
                game.rewards,
                (exact.reward(row, agent) for row in range(game.n_rows) for agent in range(game.n_agents)),
            )
        )
    digest.update(_integers(matrix.indptr))
    digest.update(_integers(matrix.indices))
    if exact is None:
        digest.update(_reals(matrix.data, None))
    else:
        row_of_entry = np.repeat(np.arange(game.n_rows), np.diff(matrix.indptr))
        digest.update(
            _reals(
                matrix.data,
                (
                    Fraction(numerator, exact.transition_denominators[row])
                    for numerator, row in zip(exact.transition_numerators, row_of_entry, strict=True)
                ),
            )
        )
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
