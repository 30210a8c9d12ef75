"""Exact rational game data beside the doubles: integer numerators, one denominator a row.

A common denominator for the whole game would explode; one per row stays as small as the row is
written. The doubles of the game are the correctly rounded values of these rationals.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray, common_denominator

ObjectArray = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class ExactData:
    """The rational content of a game, aligned with its rows and with its CSR entries.

    Attributes
    ----------
    reward_numerators : object array (rows, n) of int
    reward_denominators : object array (rows,) of int
    transition_numerators : object array (nnz,) of int
        Aligned with ``game.transitions.data``.
    transition_denominators : object array (rows,) of int
    discount : tuple of Fraction, one per agent
    """

    reward_numerators: ObjectArray
    reward_denominators: ObjectArray
    transition_numerators: ObjectArray
    transition_denominators: ObjectArray
    discount: tuple[Fraction, ...]

    @classmethod
    def from_fractions(
        cls,
        rewards: list[list[Fraction]],
        transitions: list[list[Fraction]],
        discount: tuple[Fraction, ...],
    ) -> ExactData:
        """Put each row of Fractions over its own common denominator."""
        n = len(discount)
        reward_numerators = np.empty((len(rewards), n), dtype=object)
        reward_denominators = np.empty(len(rewards), dtype=object)
        transition_denominators = np.empty(len(rewards), dtype=object)
        flat: list[int] = []
        for row, (paid, moves) in enumerate(zip(rewards, transitions, strict=True)):
            reward_numerators[row], reward_denominators[row] = common_denominator(paid)
            numerators, transition_denominators[row] = common_denominator(moves)
            flat.extend(numerators)
        transition_numerators = np.empty(len(flat), dtype=object)
        transition_numerators[:] = flat
        return cls(
            reward_numerators, reward_denominators, transition_numerators, transition_denominators, discount
        )

    def reward(self, row: int, agent: int) -> Fraction:
        """Return the exact reward of `agent` in `row`."""
        return Fraction(self.reward_numerators[row, agent], self.reward_denominators[row])

    def moves(self, row: int, start: int, stop: int) -> list[Fraction]:
        """Return the exact transitions of `row`, which are the CSR entries from `start` to `stop`."""
        below = self.transition_denominators[row]
        return [Fraction(above, below) for above in self.transition_numerators[start:stop]]

    def holds_rationals(
        self, rewards: FloatArray, transitions: FloatArray, row_of_entry: NDArray[np.int64]
    ) -> bool:
        """Tell whether some number is no double, given the doubles nearest to all of them."""
        if any(Fraction(float(factor)) != factor for factor in self.discount):
            return True
        parts: list[tuple[FloatArray, ObjectArray, ObjectArray]] = [
            (rewards, self.reward_numerators, np.repeat(self.reward_denominators, rewards.shape[1])),
            (transitions, self.transition_numerators, self.transition_denominators[row_of_entry]),
        ]
        return any(
            Fraction(double) != Fraction(above, below)
            for doubles, numerators, denominators in parts
            for double, above, below in zip(
                doubles.reshape(-1).tolist(), numerators.reshape(-1), denominators, strict=True
            )
        )

    def same_as(self, other: ExactData) -> bool:
        """Tell whether every number is equal."""
        pairs: list[tuple[Any, Any]] = [
            (self.reward_numerators, other.reward_numerators),
            (self.reward_denominators, other.reward_denominators),
            (self.transition_numerators, other.transition_numerators),
            (self.transition_denominators, other.transition_denominators),
        ]
        return self.discount == other.discount and all(np.array_equal(a, b) for a, b in pairs)
