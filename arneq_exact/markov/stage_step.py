"""One step of the model-based procedure: back up values, solve every state's stage game.

Eq. (2): V^{t+1}_i(s) is agent i's stage ARNEQ value at the payoffs Q_i(s, ·) = (B V^t_i)(s, ·). All
solvers of whole games that use stage equilibria take this step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.bellman import backup, values_of_profile
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.solve import SolvesStages


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


Solver = TypeVar("Solver", bound=SolvesStages)


class StageStep(Generic[Solver]):
    """Solve all stage games of a Markov game at given values or payoffs.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    solver : function of `StageAttackers`
        Makes the solver of the stage games of states that are alike.

    Raises
    ------
    InputError
        As `solver` does.
    """

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, solver: Callable[[StageAttackers], Solver]
    ) -> None:
        self.game = game
        self.attackers = resolve(game, threat)
        self.solvers = [solver(group.stage) for group in self.attackers.groups]

    def solver_of(self, state: int) -> Solver:
        """Return the solver of the stage games of one state."""
        return self.solvers[int(self.attackers.group_of[state])]

    def at(
        self,
        values: FloatArray,
        policy: Sequence[FloatArray] | None = None,
        attack: Sequence[FloatArray] | None = None,
    ) -> StageEquilibria:
        """Solve the stage games at the backup of `values` (n, S)."""
        return self.at_payoffs(backup(self.game, values), policy, attack)

    def at_payoffs(
        self,
        payoffs: FloatArray,
        policy: Sequence[FloatArray] | None = None,
        attack: Sequence[FloatArray] | None = None,
    ) -> StageEquilibria:
        """Solve the stage games with payoffs (n, rows).

        Parameters
        ----------
        payoffs : (n, rows)
        policy : one array (S, max A_i) per agent, optional
        attack : one array (S, max C_i) per agent, optional
            What was played last, for solvers that look back.
        """
        n, n_states = self.game.n_agents, self.game.n_states
        policies = [np.zeros((n_states, int(a))) for a in self.game.action_counts.max(axis=0)]
        attacks = [np.zeros((n_states, width)) for width in self.attackers.widths]
        values = np.empty((n, n_states))
        for group, solver in zip(self.attackers.groups, self.solvers, strict=True):
            own = [group.gather(payoffs[agent]) for agent in range(n)]
            found = solver.solve(
                own,
                None if policy is None else group.policy(policy),
                None if attack is None else group.attack(attack),
            )
            for agent, attacker in enumerate(group.stage.of):
                x, y = found.policy[agent], found.attack[agent]
                policies[agent][group.states, : x.shape[1]] = x
                attacks[agent][group.states, : y.shape[1]] = y
                if found.value is None:
                    matrix = robust_matrix(own[agent], found.policy, attacker)
                    values[agent, group.states] = np.einsum("ba,bac->bc", x, matrix).min(axis=1)
                else:
                    values[agent, group.states] = found.value[:, agent]
        return StageEquilibria(tuple(policies), tuple(attacks), values)

    def evaluate(self, stage: StageEquilibria, start: FloatArray) -> FloatArray:
        """Return the exact discounted values (n, S) of agents and attackers who play `stage` for ever."""
        return values_of_profile(self.game, self.attackers, stage.policy, stage.attack, start)
