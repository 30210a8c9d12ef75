"""The stage games of a whole game of any number of agents under any threat, and the value of their profiles.

The counterpart of `arneq_exact.markov.stage_step` for games without a solver of their own class: every stage
is solved by `arneq_exact.stage.many_agents.multilinear`, from the last profile where there is one. That keeps
the selection as it was, so that values move little once they are near a solution.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.optimality import OptimalityConditions
from arneq_exact.markov.stage_step import StageEquilibria
from arneq_exact.stage.many_agents.multilinear import solve_multilinear_games
from arneq_exact.stage.robust import column_counts


class MultilinearStep:
    """Solve all stage games of a system at given values.

    Parameters
    ----------
    conditions : OptimalityConditions
    seed : int
        0 for the path from uniform weights, others for random weights.
    calls : Counter, optional
        Counts stage games by method.
    """

    def __init__(
        self, conditions: OptimalityConditions, seed: int = 0, calls: Counter[str] | None = None
    ) -> None:
        self.conditions = conditions
        self.seed = seed
        self.calls = calls

    def at(self, values: FloatArray, last: StageEquilibria | None) -> StageEquilibria:
        """Solve the stage games at the backup of `values` (n, S), from the profiles in `last`.

        Raises
        ------
        StageError
            If some stage game is not solved.
        """
        conditions = self.conditions
        n = conditions.n_agents
        payoffs = backup(conditions.game, values)
        policy = [np.zeros(mask.shape) for mask in conditions.action_mask]
        attack = [np.zeros(mask.shape) for mask in conditions.column_mask]
        value = np.empty((n, conditions.n_states))
        for block, points in zip(conditions.blocks, conditions.corruptions, strict=True):
            widths = [sum(column_counts(own, block.counts)) for own in points]
            start = None
            if last is not None:
                start = (
                    tuple(block.policy(last.policy)),
                    tuple(y[block.states, :width] for y, width in zip(last.attack, widths, strict=True)),
                )
            found = solve_multilinear_games(
                [block.gather(payoffs[i]) for i in range(n)], points, start, self.seed, self.calls
            )
            for i in range(n):
                policy[i][block.states, : block.counts[i]] = found.policy[i]
                attack[i][block.states, : widths[i]] = found.attack[i]
                value[i, block.states] = found.value[:, i]
        return StageEquilibria(tuple(policy), tuple(attack), value)

    def evaluate(self, stage: StageEquilibria, start: FloatArray) -> FloatArray:
        """Return the exact values (n, S) of agents and attackers who play `stage` for ever."""
        return self.conditions.values_of_play(stage.policy, stage.attack, start)
