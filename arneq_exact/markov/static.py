"""Static corruption: the corruption set is drawn once per episode and stays [T13].

For a stationary policy π and a set K that is corrupted from the first step to the last, agent i's value
W^K is that of a Markov decision process of the corrupted agents. An attacker that picks one distribution ω
over sets for the whole episode leaves agent i

    W^static(π)(s) = min over extreme points e of Ω_i of Σ_K e(K) W^K(π)(s),

the set being drawn *after* the first state s is seen; for Ω_i = Δ(𝒦_i) this is min_K W^K. If the attacker
picks ω *before* it sees a first state that is drawn from μ, the value is min_e Σ_s μ(s) Σ_K e(K) W^K(s),
which is no less than the μ-mean of W^static. Where every extreme point is one certain set, W^static is no
less than the robust value under corruption drawn anew at every state, because that attacker may keep drawing
the same set. With probabilities in between there is no order: what lasts can be worse or better than fresh
draws.

This is evaluation only. Agents with memory could find out who is corrupted, so stationary policies are not
enough for an equilibrium here, and no such equilibrium is computed; of a stationary best response bounds are.

A committed attacker that may draw two sets with an agent in common would have to play one policy against
both, which is no longer a decision process; such threats are refused unless the attacker is informed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.errors import PolicyError, ThreatError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.arguments import require_agent, require_judgeable
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Members

MISS = 1e-9
"""By how much the probabilities of first states may miss 1, as the rows of a game may."""


@dataclass(frozen=True, eq=False)
class StaticValues:
    """What a stationary policy is worth when the corruption set is drawn once per episode.

    Attributes
    ----------
    values : (n, S)
        W^static by first state: the attacker chooses after seeing it.
    worst : (n, S) int
        Number of the worst extreme point in `points`.
    points : extreme points of every agent's Ω_i
    by_set : one {K: (S,)} per agent
        W^K for every set that some extreme point of the agent draws.
    """

    values: FloatArray
    worst: IntArray
    points: tuple[tuple[Corruption, ...], ...]
    by_set: tuple[dict[Members, FloatArray], ...]

    def before(self, start: Sequence[float] | FloatArray) -> FloatArray:
        """Return the values (n,) if the attacker chooses before the first state is drawn from `start` (S,).

        Raises
        ------
        PolicyError
            If `start` is no distribution over the states.
        """
        mu = np.asarray(start, dtype=np.float64)
        if mu.shape != self.values.shape[1:] or not (mu >= 0).all() or abs(mu.sum() - 1) > MISS:
            raise PolicyError(
                f"before: start has shape {mu.shape} and sum {mu.sum():.12g}; must be probabilities of "
                f"the {self.values.shape[1]} states"
            )
        least = [
            min(float(_mixed(point, worth) @ mu) for point in points)
            for points, worth in zip(self.points, self.by_set, strict=True)
        ]
        return np.array(least)


@dataclass(frozen=True)
class StaticBounds:
    """Bounds on the most that an agent's stationary policies are worth under static corruption.

    Attributes
    ----------
    lower, upper : (S,)
        By first state. `lower` is attained by the given policy or by `response`.
    response : (S, max A_i)
        The best response to corruption drawn anew at every state.
    """

    lower: FloatArray
    upper: FloatArray
    response: FloatArray


def static_values(game: MarkovGame, threat: ThreatModel, policy: Policy) -> StaticValues:
    """Evaluate a stationary policy under static corruption, whatever the threat's timing says.

    Raises
    ------
    GameError, ThreatError, PolicyError
        If the parts do not fit, the policy is time-indexed, or the attacker would have to be informed.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> chain = catalog.load("static-chain")  # two states; whoever is corrupted, agent 1 loses one reward
    >>> always_c = Policy.from_actions(chain, [[0, 0, 0], [0, 0, 0]])
    >>> found = static_values(chain, ThreatModel(1), always_c)
    >>> found.values[0].tolist(), found.points[0][found.worst[0, 0]].weights
    ([0.9, 0.0], (((1,), Fraction(1, 1)),))
    """
    _require(game, threat, policy, "static_values")
    points = tuple(_points(game, threat, agent) for agent in range(game.n_agents))
    by_set = tuple(
        values_under_sets(game, threat, policy, agent, _drawn(points[agent]))
        for agent in range(game.n_agents)
    )
    return worst_of_sets(points, by_set)


def values_under_sets(
    game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int, sets: Iterable[Members]
) -> dict[Members, FloatArray]:
    """Return W^K (S,) of `agent` for each of some sets, ascending tuples; of the threat only masks matter."""
    return {
        K: _faced(game, threat, policy, agent, K).robust_value(policy[agent]).value
        for K in dict.fromkeys(sets)
    }


def worst_of_sets(
    points: tuple[tuple[Corruption, ...], ...], by_set: tuple[dict[Members, FloatArray], ...]
) -> StaticValues:
    """Return what attackers that pick among `points` leave of the values under single sets."""
    tables = [
        np.stack([_mixed(point, worth) for point in own]) for own, worth in zip(points, by_set, strict=True)
    ]
    return StaticValues(
        np.stack([table.min(axis=0) for table in tables]),
        np.stack([table.argmin(axis=0) for table in tables]),
        points,
        by_set,
    )


def has_static_policy(points: Sequence[Corruption]) -> bool:
    """Tell whether the attacker's best play against a set that stays is a decision process of its own."""
    return all(
        point.informed or sum(len(K) for K, _ in point.weights) <= len(point.corruptible) for point in points
    )


def static_response_bounds(game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int) -> StaticBounds:
    """Bound what a stationary deviation of `agent` (from 0) can be worth under static corruption.

    From below by two policies, the given one and the best response to corruption drawn anew at every
    state; from above by the games against sets that the agent knows, min_e Σ_K e(K) max_π' W^K(π').
    """
    _require(game, threat, policy, "static_response_bounds")
    require_agent(game, agent, "static_response_bounds")
    points = _points(game, threat, agent)
    arrays = list(policy)
    response = AttackedAgent(game, threat, arrays, agent).solve().response
    faced = {K: _faced(game, threat, policy, agent, K) for K in dict.fromkeys(_drawn(points))}

    def least(value: Callable[[AttackedAgent], FloatArray]) -> FloatArray:
        worth = {K: value(attacked) for K, attacked in faced.items()}
        result: FloatArray = np.min([_mixed(point, worth) for point in points], axis=0)
        return result

    return StaticBounds(
        np.maximum(
            least(lambda attacked: attacked.robust_value(policy[agent]).value),
            least(lambda attacked: attacked.robust_value(response).value),
        ),
        least(lambda attacked: attacked.solve().value),
        response,
    )


def _require(game: MarkovGame, threat: ThreatModel, policy: Policy, where: str) -> None:
    require_judgeable(game, threat, policy, where, static=True)
    if policy.horizon is not None:
        raise PolicyError(f"{where}: policy is time-indexed; must be stationary")


def _points(game: MarkovGame, threat: ThreatModel, agent: int) -> tuple[Corruption, ...]:
    points = threat.corruptions(game.n_agents, agent)
    if not has_static_policy(points):
        raise ThreatError(
            f"static corruption: the attacker of agent {agent} may draw several sets with an agent in "
            "common; must be informed=True, since a committed one has no best policy of this form"
        )
    return points


def _drawn(points: Sequence[Corruption]) -> Iterator[Members]:
    return (K for point in points for K, _ in point.weights)


def _faced(game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int, K: Members) -> AttackedAgent:
    """Return the agent's problem when K is corrupted for certain, at every step."""
    sets = {i: [K if i == agent else ()] for i in range(game.n_agents)}
    return AttackedAgent(game, ThreatModel(sets=sets, masks=threat.masks), list(policy), agent)


def _mixed(point: Corruption, worth: Mapping[Members, FloatArray]) -> FloatArray:
    result: FloatArray = np.sum([float(weight) * worth[K] for K, weight in point.weights], axis=0)
    return result
