"""Pairs (K, a_K) of corruption sets and what their members play, numbered for arrays.

What a column comes to in a state is a weighted sum over such pairs, its *positions*: the payoffs of each are
averages over all agents outside of K. Positions are numbered set by set, within a set in C order of its
members' actions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact.attackers.attacker import Draws
from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.threat.corruption import Members


class Positions:
    """The numbers of the positions of some sets.

    Parameters
    ----------
    parts : corruption sets
    counts : numbers of actions of all agents, or upper bounds that make the numbers of several states agree

    Attributes
    ----------
    first : (parts + 1,)
        First position of each set, and the number of positions at the end.
    """

    def __init__(self, parts: Sequence[Members], counts: Sequence[int]) -> None:
        self._strides = np.zeros((len(parts), len(counts)), dtype=np.int64)
        self.first = np.zeros(len(parts) + 1, dtype=np.int64)
        for number, members in enumerate(parts):
            stride = 1
            for j in reversed(members):
                self._strides[number, j] = stride
                stride *= int(counts[j])
            self.first[number + 1] = self.first[number] + stride

    def __len__(self) -> int:
        return int(self.first[-1])

    def of_rows(self, actions: IntArray) -> IntArray:
        """Return the position (..., parts) of joint actions (..., n) in each set."""
        positions: IntArray = actions @ self._strides.T + self.first[:-1]
        return positions

    def of_draws(self, draws: Draws) -> IntArray:
        """Return the position (D,) of each draw."""
        # The stride of an agent outside of the set is 0, whatever stands for its action.
        positions: IntArray = self.first[draws.part] + (self._strides[draws.part] * draws.forced).sum(axis=1)
        return positions
