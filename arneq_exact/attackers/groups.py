"""States that are alike to everyone: equal action counts, and attackers who can do the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.attackers.attacker import Counts
from arneq_exact.attackers.stage_attackers import StageAttackers, stage_attackers
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel


@dataclass(frozen=True, eq=False)
class StateGroup:
    """States with equal action counts and equal attackers, with their rows.

    Attributes
    ----------
    states : (B,)
    rows : (B, J) row numbers, or a slice where the group is contiguous
    stage : StageAttackers
    """

    states: IntArray
    rows: IntArray | slice
    stage: StageAttackers

    @property
    def counts(self) -> Counts:
        """Numbers of actions (A_1, ..., A_n)."""
        return self.stage.counts

    def gather(self, values: FloatArray) -> FloatArray:
        """Return row values (rows,) as (B, A_1, ..., A_n); a view where the group is contiguous."""
        return values[self.rows].reshape(len(self.states), *self.counts)

    def scatter(self, play: FloatArray, into: FloatArray) -> None:
        """Write numbers (B, A_1, ..., A_n) into row values (rows,)."""
        into[self.rows] = play.reshape(into[self.rows].shape)

    def policy(self, arrays: Sequence[FloatArray]) -> list[FloatArray]:
        """Cut each (S, max A_j) array to the group: (B, A_j)."""
        return [array[self.states, :count] for array, count in zip(arrays, self.counts, strict=True)]

    def attack(self, arrays: Sequence[FloatArray]) -> list[FloatArray]:
        """Cut each (S, max C_j) array to the group: (B, C_j)."""
        return [array[self.states, :width] for array, width in zip(arrays, self.stage.widths, strict=True)]


def grouped(game: MarkovGame, threat: ThreatModel) -> Iterator[StateGroup]:
    """Yield the groups of states of a game under a threat."""
    for states, counts, masks in threat.groups(game.signature_groups):
        first, last = int(states[0]), int(states[-1])
        rows: IntArray | slice = (
            slice(int(game.offsets[first]), int(game.offsets[last + 1]))
            if last - first + 1 == len(states)
            else game.rows_of(states, int(np.prod(counts)))
        )
        yield StateGroup(states, rows, stage_attackers(threat, counts, masks))
