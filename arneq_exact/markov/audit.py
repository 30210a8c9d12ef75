"""Auditing a policy that comes from elsewhere: everything that can be said about it exactly, in one result.

For a stationary product policy π an audit gives, for every agent and state,

* the nominal value, when nobody is corrupted;
* for every budget k = 0..n−1 the robust value and a worst attack [T1];
* for every corruption set K the value when K is corrupted from the first step to the last and plays what
  hurts the agent most [T13]: who is it that the agent relies on?
* under the given threat the robust value, drawn anew at every state or once per episode, the worst attack,
  and the gap: what a best response would gain, the robust exploitability of π.

Every figure solves a Markov decision process or a zero-sum stochastic game to rounding error by policy
iteration (`arneq_exact.markov.attacked_agent`); nothing is simulated. `arneq_exact.certify` turns the gap
into a proof.

Cost: one decision process per agent and set, 2^(n−1) of them, one per agent and budget 0 < k < n−1, and one
stochastic game per agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from arneq_exact.errors import PolicyError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.arguments import require_game_and_threat, require_judgeable
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.markov.static import has_static_policy, values_under_sets, worst_of_sets
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.given_policy import Observe, as_policy
from arneq_exact.model.json_writing import write_json
from arneq_exact.model.policy import Policy
from arneq_exact.model.policy_json import policy_to_json
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Members

# Name and version of the file format.
FORMAT = "arneq-audit"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Audit:
    """What a policy is worth, to whom, under which corruption. Nothing in it can be written to.

    `arneq_exact.report.audit.print_audit` prints it as tables.

    Attributes
    ----------
    policy : Policy
    threat : ThreatModel
    nominal : (n, S)
        Values when nobody is corrupted.
    robust : {k: (n, S)}
        Robust values for every budget k = 0..n−1, drawn anew at every state. What the threat says besides
        its budget (probability, masks, informed) holds for all of them; from a threat without a budget
        (sets, a distribution, inequalities) the masks and informed are taken.
    by_set : {(agent, K): (S,)}
        The agent's values when the set K, an ascending tuple of other agents, is corrupted for certain,
        throughout. Masks hold.
    per_state : (n, S)
        Robust values under the threat itself.
    static : (n, S) or None
        Values under the threat if its set is drawn once per episode, after the first state is seen. None
        for a committed attacker that may draw two sets with an agent in common [T13].
    attack : {k: one WorstAttack per agent}
        Attacks that attain `robust`.
    worst : one WorstAttack per agent
        Attacks that attain `per_state`.
    gap : (n, S)
        Best-response robust value minus `per_state`: what the agent could gain at every state.
    """

    policy: Policy
    threat: ThreatModel
    nominal: FloatArray
    robust: Mapping[int, FloatArray]
    by_set: Mapping[tuple[int, Members], FloatArray]
    per_state: FloatArray
    static: FloatArray | None
    attack: Mapping[int, tuple[WorstAttack, ...]]
    worst: tuple[WorstAttack, ...]
    gap: FloatArray

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Mapping):
                object.__setattr__(self, one.name, MappingProxyType(dict(value)))
            for part in value.values() if isinstance(value, Mapping) else (value,):
                _lock(part)

    def __getstate__(self) -> dict[str, Any]:
        """Return plain dicts: a read-only view cannot be pickled."""
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: dict(part) if isinstance(part, MappingProxyType) else part for name, part in parts.items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, part in state.items():
            object.__setattr__(self, name, part)
        self.__post_init__()  # arrays come out of a pickle as writable

    def to_json(self, game: MarkovGame) -> dict[str, Any]:
        """Return the audit as data for a JSON file; agents and states stand in the order of their names."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "threat": self.threat.to_json(),
            "agents": [game.agent_name(agent) for agent in range(game.n_agents)],
            "states": [game.state_name(state) for state in range(game.n_states)],
            "nominal": self.nominal.tolist(),
            "robust": {str(k): values.tolist() for k, values in self.robust.items()},
            "by_set": [
                {
                    "agent": game.agent_name(agent),
                    "set": [game.agent_name(j) for j in members],
                    "values": values.tolist(),
                }
                for (agent, members), values in self.by_set.items()
            ],
            "per_state": self.per_state.tolist(),
            "static": None if self.static is None else self.static.tolist(),
            "gap": self.gap.tolist(),
            "attack": {
                str(k): [attack.column.tolist() for attack in attacks] for k, attacks in self.attack.items()
            },
            "worst": [attack.column.tolist() for attack in self.worst],
            "policy": policy_to_json(self.policy, game),
        }

    def save(self, game: MarkovGame, path: str | Path) -> None:
        """Write the audit as JSON.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        write_json(self.to_json(game), path)

    def __repr__(self) -> str:
        n, n_states = self.nominal.shape
        size = f"{n} agents, {n_states} states"
        return f"Audit({size}, {self.threat.describe()}, largest gap {self.gap.max():.3g})"


def audit(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Any,
    *,
    observe: Observe | Sequence[Observe] | None = None,
) -> Audit:
    """Say everything that can be said exactly about a stationary policy under a threat.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
        Corruption drawn anew at every state; what a set that stays would do is said as well.
    policy : Policy, arrays, or functions
        A profile of all agents: a `Policy`; one array (S, max A_i) per agent; one function per agent from an
        observation to its probabilities, such as the forward function of a trained network; or one function
        that returns a row per agent.
    observe : callable, or one per agent, optional
        From a state's name to the observation that functions are called with; by default the name.

    Returns
    -------
    Audit

    Raises
    ------
    GameError, ThreatError
        If game and threat do not fit together, or some discount is 1.
    PolicyError
        If `policy` is one agent's, another game's, or time-indexed.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> chain = catalog.load("static-chain")  # 3 agents, states s1 and s2
    >>> found = audit(chain, ThreatModel(1), lambda state: [[1, 0], [1, 0], [1, 0]])
    >>> found.nominal[0].tolist(), found.robust[1][0].tolist(), found.static[0].tolist()
    ([1.9, 1.0], [0.0, 0.0], [0.9, 0.0])
    >>> found.by_set[0, (1,)].tolist(), found.worst[0].describe(chain, 0)
    ([0.9, 1.0], '2 plays D')
    """
    require_game_and_threat(game, threat, "audit")
    profile = as_policy(game, policy, observe, "audit")
    if profile.horizon is not None:
        raise PolicyError("audit: policy is time-indexed; must be stationary")
    require_judgeable(game, threat, profile, "audit")
    agents = range(game.n_agents)
    with one_blas_thread():
        by_set = tuple(
            values_under_sets(game, threat, profile, agent, _sets_of_others(game.n_agents, agent))
            for agent in agents
        )
        judged = {k: _judged(game, budget(threat, k), profile)[:2] for k in agents}
        own, worst, gap = robust_values_and_gap(game, threat, profile)
    points = tuple(threat.corruptions(game.n_agents, agent) for agent in agents)
    has_static = all(has_static_policy(of_agent) for of_agent in points)
    return Audit(
        policy=profile,
        threat=threat,
        nominal=np.stack([by_set[agent][()] for agent in agents]),
        robust={k: values for k, (values, _) in judged.items()},
        by_set={(agent, K): values for agent in agents for K, values in by_set[agent].items()},
        per_state=own,
        static=worst_of_sets(points, by_set).values if has_static else None,
        attack={k: attacks for k, (_, attacks) in judged.items()},
        worst=worst,
        gap=gap,
    )


def budget(threat: ThreatModel, k: int) -> ThreatModel:
    """Return the threat with another budget; one that has none keeps its masks and whether it is informed.

    Examples
    --------
    >>> budget(ThreatModel(1, probability="1/2"), 2).describe()
    'k = 2 with probability at most 0.5'
    >>> budget(ThreatModel(sets={0: [[1]], 1: [[]]}), 1).describe()
    'k = 1'
    """
    if threat.k is not None and threat.distribution is None and threat.inequalities is None:
        return replace(threat, k=k)
    return ThreatModel(k, informed=threat.informed, masks=threat.masks)


def _lock(part: Any) -> None:
    """Make the arrays of one field read-only, those of attacks too."""
    if isinstance(part, np.ndarray):
        part.setflags(write=False)
    elif isinstance(part, tuple):
        for attack in part:
            attack.column.setflags(write=False)


def _sets_of_others(n: int, agent: int) -> list[Members]:
    others = [j for j in range(n) if j != agent]
    return [K for size in range(n) for K in combinations(others, size)]


def _judged(
    game: MarkovGame, threat: ThreatModel, policy: Policy
) -> tuple[FloatArray, tuple[WorstAttack, ...], list[AttackedAgent]]:
    """Return robust values (n, S), worst attacks, and the agents' problems."""
    faced = [AttackedAgent(game, threat, list(policy), agent) for agent in range(game.n_agents)]
    replies = [attacked.robust_value(own) for attacked, own in zip(faced, policy, strict=True)]
    attacks = (WorstAttack(agent, reply.attack.argmax(axis=1), threat) for agent, reply in enumerate(replies))
    return np.stack([reply.value for reply in replies]), tuple(attacks), faced


def robust_values_and_gap(
    game: MarkovGame, threat: ThreatModel, policy: Policy
) -> tuple[FloatArray, tuple[WorstAttack, ...], FloatArray]:
    """Return robust values (n, S), worst attacks and gaps (n, S) of a valid stationary policy."""
    own, attacks, faced = _judged(game, threat, policy)
    best = [attacked.solve(value).value for attacked, value in zip(faced, own, strict=True)]
    return own, attacks, np.maximum(np.stack(best) - own, 0.0)
