"""One step of the model-based procedure: back up values, solve every state's stage game.

Eq. (2): V^{t+1}_i(s) is agent i's stage ARNEQ value at the payoffs Q_i(s, ·) = (B V^t_i)(s, ·). All
solvers of whole games that use stage equilibria take this step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.markov.bellman import backup, blocks, value_of_play
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import column_counts, joint_play, robust_matrix
from arneq_exact.stage.selection import Selection
from arneq_exact.stage.solve import StageSolver


@dataclass(frozen=True)
class StageEquilibria:
    """Stage ARNEQ of every state.

    Attributes
    ----------
    policy : one array (S, max A_i) per agent
    attack : one array (S, max C_i) per agent
    value : (n, S)
        The agents' stage robust values min_c (π_iᵀ M_i^π)_c.
    """

    policy: tuple[FloatArray, ...]
    attack: tuple[FloatArray, ...]
    value: FloatArray


class StageStep:
    """Solve all stage games of a Markov game at given values or payoffs.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    selection, backend, calls : optional
        As in `arneq_exact.stage.solve.StageSolver`.
    """

    def __init__(
        self,
        game: MarkovGame,
        threat: ThreatModel,
        *,
        selection: Selection = "first",
        backend: str = "auto",
        calls: Counter[str] | None = None,
    ) -> None:
        n = game.n_agents
        self.game = game
        self.solver = StageSolver(n, threat, selection=selection, backend=backend, calls=calls)
        self.blocks = blocks(game)
        self.corruptions = self.solver.corruptions
        self.widths = [
            max(sum(column_counts(corruptions, block.counts)) for block in self.blocks)
            for corruptions in self.corruptions
        ]

    def at(self, values: FloatArray, previous: Sequence[FloatArray] | None = None) -> StageEquilibria:
        """Solve the stage games at the backup of `values` (n, S)."""
        return self.at_payoffs(backup(self.game, values), previous)

    def at_payoffs(
        self, payoffs: FloatArray, previous: Sequence[FloatArray] | None = None
    ) -> StageEquilibria:
        """Solve the stage games with payoffs (n, rows)."""
        n, n_states = self.game.n_agents, self.game.n_states
        policy = [np.zeros((n_states, int(a))) for a in self.game.action_counts.max(axis=0)]
        attack = [np.zeros((n_states, width)) for width in self.widths]
        value = np.empty((n, n_states))
        for block in self.blocks:
            own = [block.gather(payoffs[agent]) for agent in range(n)]
            last = None if previous is None else block.policy(previous)
            stage = self.solver.solve(own, last)
            for agent in range(n):
                x = stage.policy[agent]
                policy[agent][block.states, : x.shape[1]] = x
                y = stage.attack[agent]
                attack[agent][block.states, : y.shape[1]] = y
                matrix = robust_matrix(own[agent], stage.policy, self.corruptions[agent], agent)
                value[agent, block.states] = np.einsum("ba,bac->bc", x, matrix).min(axis=1)
        return StageEquilibria(tuple(policy), tuple(attack), value)

    def evaluate(self, stage: StageEquilibria, start: FloatArray) -> FloatArray:
        """Return the exact discounted values (n, S) of agents and attackers who play `stage` for ever."""
        result = np.empty_like(start)
        for agent, corruptions in enumerate(self.corruptions):
            weights = np.empty(self.game.n_rows)
            for block in self.blocks:
                own = block.policy(stage.policy)
                width = sum(column_counts(corruptions, block.counts))
                attack = stage.attack[agent][block.states, :width]
                play = joint_play(own[agent], own, attack, corruptions, agent, block.counts)
                weights[block.rows] = play.reshape(weights[block.rows].shape)
            result[agent] = value_of_play(self.game, agent, weights, start[agent])
        return result
