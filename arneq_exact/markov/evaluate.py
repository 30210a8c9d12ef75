"""Judging a given policy: robust value, worst attack, best response and gap, for any n and threat.

Fix a stationary product policy π. Agent i's robust value is the value of a Markov decision process of its
attacker, and its best-response value that of a zero-sum stochastic game [T9]; both are computed by policy
iteration in polynomial time per iteration (`arneq_exact.markov.attacked_agent`). The gap, best-response
value minus robust value, is the robust exploitability of the policy: π is an ARNEQ iff it is zero.

These are floating-point answers; `arneq_exact.certify` turns them into proofs [T12].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.arguments import require_agent, require_judgeable
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.candidates import Bounds
from arneq_exact.markov.horizon import evaluate_horizon
from arneq_exact.markov.static import static_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption


@dataclass(frozen=True)
class BestResponse:
    """An agent's best response to a policy under a threat.

    Attributes
    ----------
    value : (S,)
        Best-response robust value at every state, or (T+1, S) for a finite horizon.
    policy : (S, max A_i), or (T, S, max A_i)
        A response that attains it at every state at once.
    attack : (S, max C_i), or (T, S, max C_i)
        The attacker's optimal mixture over columns against all responses.
    """

    value: FloatArray
    policy: FloatArray
    attack: FloatArray


@dataclass(frozen=True)
class WorstAttack:
    """The worst attack on one agent under a policy: a pure column in every state [T1].

    Attributes
    ----------
    agent : int
    column : (S,) int, or (T, S) for a finite horizon
        Column numbers in the canonical order of `arneq_exact.model.threat`.
    threat : ThreatModel
    """

    agent: int
    column: IntArray
    threat: ThreatModel

    def at(
        self, game: MarkovGame, state: int, step: int = 0
    ) -> tuple[Corruption, dict[tuple[int, ...], dict[int, int]]]:
        """Return the corruption chosen in `state`, and what each set that may be drawn is forced to play.

        A set is an ascending tuple of agents; its members' actions are equal for all sets that hold them
        unless the attacker is informed.
        """
        counts = tuple(int(a) for a in game.action_counts[state])
        column = int(self.column[state] if self.column.ndim == 1 else self.column[step, state])
        corruption, number = attackers_at(self.threat, counts, state).of[self.agent].place(column)
        return corruption, corruption.forced(number, counts)

    def describe(self, game: MarkovGame, state: int, step: int = 0) -> str:
        """Return the attack in a state in words."""
        corruption, forced = self.at(game, state, step)
        parts = []
        for members, weight in corruption.weights:
            if members:
                text = ", ".join(
                    f"{game.agent_name(j)} plays {game.action_name(state, j, action)}"
                    for j, action in forced[members].items()
                )
                parts.append(text if weight == 1 else f"{text} (with probability {float(weight):.6g})")
        return "; or ".join(parts) or "no corruption"


def robust_values(game: MarkovGame, threat: ThreatModel, policy: Policy) -> FloatArray:
    """Return the robust values (n, S) of a policy; (T+1, n, S) if it is time-indexed.

    Under static corruption these are the values by first state of `arneq_exact.static_values`.

    Raises
    ------
    GameError
        If the policy is stationary and some discount is 1.
    ThreatError, PolicyError
        If threat or policy do not fit the game.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> robust_values(game, ThreatModel(1), Policy.uniform(game)).tolist()
    [[0.0], [0.0]]
    """
    require_judgeable(game, threat, policy, "robust_values", static=True)
    if threat.timing == "static":
        return static_values(game, threat, policy).values
    if policy.horizon is not None:
        return evaluate_horizon(game, threat, policy).lower
    return np.stack(
        [
            AttackedAgent(game, threat, list(policy), agent).robust_value(policy[agent]).value
            for agent in range(game.n_agents)
        ]
    )


def best_response(game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int) -> BestResponse:
    """Return the best response of `agent` (from 0) to the others' part of `policy`.

    Raises
    ------
    PolicyError
        If the agent does not exist or the policy does not fit.
    """
    require_judgeable(game, threat, policy, "best_response")
    require_agent(game, agent, "best_response")
    if policy.horizon is not None:
        judged = evaluate_horizon(game, threat, policy)
        return BestResponse(judged.upper[:, agent], judged.response[agent], judged.attack[agent])
    solved = AttackedAgent(game, threat, list(policy), agent).solve()
    return BestResponse(solved.value, solved.response, solved.attack)


def gap(game: MarkovGame, threat: ThreatModel, policy: Policy) -> FloatArray:
    """Return best-response value minus robust value, (n, S): the robust exploitability at every state.

    For a time-indexed policy the gap of the whole game from its first step. A policy is an ARNEQ iff its
    gap is zero; tiny negative differences of rounding are returned as 0.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # prisoners' dilemma
    >>> gap(game, ThreatModel(0), Policy.from_actions(game, [[0, 0]])).tolist()
    [[2.0], [2.0]]
    """
    require_judgeable(game, threat, policy, "gap")
    if policy.horizon is not None:
        judged = evaluate_horizon(game, threat, policy)
        whole: FloatArray = np.maximum(judged.upper[0] - judged.lower[0], 0.0)
        return whole
    bounds = stationary_bounds(game, threat, policy)
    between: FloatArray = np.maximum(bounds.upper - bounds.lower, 0.0)
    return between


def stationary_bounds(game: MarkovGame, threat: ThreatModel, policy: Policy) -> Bounds:
    """Return robust and best-response values of a stationary policy, and attacks that are optimal there."""
    attack, upper, lower = [], [], []
    for agent in range(game.n_agents):
        attacked = AttackedAgent(game, threat, list(policy), agent)
        lower.append(attacked.robust_value(policy[agent]).value)
        best = attacked.solve(lower[-1])
        attack.append(best.attack)
        upper.append(best.value)
    return Bounds(tuple(attack), np.stack(upper), np.stack(lower))


def worst_attack(game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int) -> WorstAttack:
    """Return an attack that is worst for `agent` (from 0) at every state at once."""
    require_judgeable(game, threat, policy, "worst_attack")
    require_agent(game, agent, "worst_attack")
    if policy.horizon is not None:
        return worst_attacks_at(game, threat, policy, None)[agent]
    attacked = AttackedAgent(game, threat, list(policy), agent)
    columns = attacked.robust_value(policy[agent]).attack.argmax(axis=1)
    return WorstAttack(agent, columns.astype(np.int64), threat)


def worst_attacks_at(
    game: MarkovGame, threat: ThreatModel, policy: Policy, values: FloatArray | None
) -> tuple[WorstAttack, ...]:
    """Return the worst attack on every agent, read off the robust `values` (n, S) of a stationary policy.

    One backup of robust values shows the columns that attain them; a time-indexed policy needs no values.
    """
    if policy.horizon is not None:
        worst = evaluate_horizon(game, threat, policy).worst
        return tuple(
            WorstAttack(agent, np.asarray(columns, dtype=np.int64), threat)
            for agent, columns in enumerate(worst)
        )
    assert values is not None
    attacks = []
    for agent in range(game.n_agents):
        attacked = AttackedAgent(game, threat, list(policy), agent)
        attacks.append(WorstAttack(agent, attacked.stage_worst(policy[agent], values[agent])[1], threat))
    return tuple(attacks)
