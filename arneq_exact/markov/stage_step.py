"""One step of the model-based procedure: back up values, solve every state's stage game.

Eq. (2): V^{t+1}_i(s) is agent i's stage ARNEQ value at the payoffs Q_i(s, ·) = (B V^t_i)(s, ·). All
solvers of whole games that use stage equilibria take this step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.bellman import backup, blocks, value_of_play
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import column_counts, joint_play, robust_matrix
from arneq_exact.stage.selection import Selection
from arneq_exact.stage.solve import StageSolver, stage_class


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


def stage_classes(game: MarkovGame, threat: ThreatModel) -> set[str]:
    """Return the classes of stage games that the states of a game have under a threat."""
    return {stage_class(game.n_agents, threat, block.masks) for block in blocks(game, threat)}


def reference_solves(game: MarkovGame, threat: ThreatModel) -> bool:
    """Tell whether the reference backend has a solver for the stage games of every state."""
    return "general" not in stage_classes(game, threat)


class StageStep:
    """Solve all stage games of a Markov game at given values or payoffs.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    selection, backend, calls : optional
        As in `arneq_exact.stage.solve.StageSolver`.

    Raises
    ------
    InputError
        As there, and if the selection needs an enumeration that the stage games of some state do not have.
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
        self.blocks = blocks(game, threat)
        # One solver for each block: what masks leave of the attackers' columns decides the class.
        self.solvers = [
            StageSolver(n, threat, selection=selection, backend=backend, calls=calls, masks=block.masks)
            for block in self.blocks
        ]
        for block, solver in zip(self.blocks, self.solvers, strict=True):
            solver.require_selection(block.counts)
        self._block_of = np.empty(game.n_states, dtype=np.int64)
        for number, block in enumerate(self.blocks):
            self._block_of[block.states] = number
        self.widths = [
            max(
                sum(column_counts(solver.corruptions[agent], block.counts))
                for block, solver in zip(self.blocks, self.solvers, strict=True)
            )
            for agent in range(n)
        ]

    def solver_of(self, state: int) -> StageSolver:
        """Return the solver of the stage games of one state."""
        return self.solvers[int(self._block_of[state])]

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
        for block, solver in zip(self.blocks, self.solvers, strict=True):
            own = [block.gather(payoffs[agent]) for agent in range(n)]
            last = None if previous is None else block.policy(previous)
            stage = solver.solve(own, last)
            for agent in range(n):
                x = stage.policy[agent]
                policy[agent][block.states, : x.shape[1]] = x
                y = stage.attack[agent]
                attack[agent][block.states, : y.shape[1]] = y
                matrix = robust_matrix(own[agent], stage.policy, solver.corruptions[agent], agent)
                value[agent, block.states] = np.einsum("ba,bac->bc", x, matrix).min(axis=1)
        return StageEquilibria(tuple(policy), tuple(attack), value)

    def evaluate(self, stage: StageEquilibria, start: FloatArray) -> FloatArray:
        """Return the exact discounted values (n, S) of agents and attackers who play `stage` for ever."""
        result = np.empty_like(start)
        for agent in range(self.game.n_agents):
            weights = np.empty(self.game.n_rows)
            for block, solver in zip(self.blocks, self.solvers, strict=True):
                corruptions = solver.corruptions[agent]
                own = block.policy(stage.policy)
                width = sum(column_counts(corruptions, block.counts))
                attack = stage.attack[agent][block.states, :width]
                play = joint_play(own[agent], own, attack, corruptions, agent, block.counts)
                weights[block.rows] = play.reshape(weights[block.rows].shape)
            result[agent] = value_of_play(self.game, agent, weights, start[agent])
        return result
