"""Corruption that stays beside corruption drawn anew, from the definitions, for a policy of one agent [T13].

At W^rect the best columns of K lack d_K(s) = min_{a_K} (π_iᵀ M_s)_{K,a_K} −
W^rect(s) ≥ 0. Playing them for ever is worth at most W^rect + max d_K / (1 − β_i), the maximum over the
states that are reached from s, since the backup of W^rect under them exceeds W^rect by d_K. Hence

    W^static(s) − W^rect(s)  ≤  min_K max over reached s' of d_K(s') / (1 − β_i),

and one K that attains the minimum of the rect backup in every reached state (d_K = 0) makes them equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import Contest, contest, largest_row_sum, robust_value
from arneq_exact.oracle.definition import Law, Set, vertices


@dataclass(frozen=True)
class Corruptions:
    """What a policy of one agent is worth under both kinds of corruption, from the definitions.

    Attributes
    ----------
    rect : (S,)
        Corruption drawn anew.
    by_set : mapping of set to (S,)
        W^K, for every set that is drawn with some probability.
    laws : list of mappings of set to probability
        Vertices of Ω_i.
    lack : (S,)
        The bound on W^static − W^rect in the module's text, for certain corruption.
    """

    rect: Numbers
    by_set: dict[Set, Numbers]
    laws: list[Law]
    lack: Numbers

    @property
    def static(self) -> Numbers:
        """W^static (S,)."""
        number: Any = Fraction if self.rect.dtype == object else float
        means = [sum(number(p) * self.by_set[K] for K, p in law.items()) for law in self.laws]
        result: Numbers = np.stack(means).min(axis=0)
        return result


def corruptions(
    game: MarkovGame, threat: ThreatModel, policy: Sequence[Numbers], agent: int, *, exact: bool = False
) -> Corruptions:
    """Evaluate a policy under both kinds of corruption."""
    counts = game.action_counts[:, agent]
    own = [row[:count] for row, count in zip(policy[agent], counts, strict=True)]
    rect = robust_value(contest(game, threat, policy, agent, exact=exact), own)
    laws = vertices(threat, game.n_agents, agent)
    faced = {}
    for K in dict.fromkeys(K for law in laws for K in law):
        stays = {j: [frozenset(K) if j == agent else frozenset()] for j in range(game.n_agents)}
        faced[K] = contest(game, ThreatModel(sets=stays, masks=threat.masks), policy, agent, exact=exact)
    by_set = {K: robust_value(one, own) for K, one in faced.items()}
    rows: Any = largest_row_sum(game) if exact else float(largest_row_sum(game))
    bounds = [_lack(one, own, rect) for one in faced.values()]
    lack: Numbers = np.stack(bounds).min(axis=0) / (1 - next(iter(faced.values())).discount * rows)
    return Corruptions(rect, by_set, laws, lack)


def _lack(faced: Contest, own: Sequence[Numbers], rect: Numbers) -> Numbers:
    """Return by first state the largest d_K that the best columns of a set at `rect` lead to."""
    states = range(len(own))
    worth = [x @ faced.stage(state, rect) for state, x in enumerate(own)]
    lacking = np.array([row.min() - rect[state] for state, row in enumerate(worth)])
    leads = [own[state] @ faced.moves[state][:, int(worth[state].argmin())] > 0 for state in states]
    found = []
    for state in states:
        reached: set[int] = set()
        further = {state}
        while further:
            reached |= further
            further = {int(t) for s in further for t in np.flatnonzero(leads[s])} - reached
        found.append(max(lacking[sorted(reached)]))
    return np.array(found)
