"""The robust stage matrix M_i^π(a_i; c), every column of it, for a batch of states.

A column c = (extreme point ω of Ω_i, what the attacker decides there) pays

    M_i^π(a_i; c) = Σ_K ω(K) E[Q_i(a_i, a_K, a_rest)],   a_rest ~ π_{−(K∪i)},

where a_K are the actions decided for K: a committed attacker decides one joint action of all agents that
ω may corrupt, an informed one a joint action of every K (see `arneq_exact.model.threat` for the order).
Corrupted agents outside the drawn K follow π too, and masked agents have fewer actions to be given. The
expectations form a lattice: the one that keeps K is the one that keeps K ∪ {j} with agent j averaged out.
Each is computed once and shared.

Only products and sums occur, so the same lines serve integers and doubles. They never mix the two, and
per contracted agent a term passes through one product and at most A_j − 1 sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption

Weight = Callable[[tuple[int, ...], Fraction], Any]


class ColumnGroup(NamedTuple):
    """States with equal action counts and equal columns."""

    states: IntArray
    counts: tuple[int, ...]
    corruptions: tuple[Corruption, ...]


def column_groups(game: MarkovGame, threat: ThreatModel, agent: int) -> list[ColumnGroup]:
    """Return the states of a game by what the attacker of `agent` can do in them."""
    points = threat.corruptions(game.n_agents, agent)
    return [
        ColumnGroup(states, counts, tuple(point.restricted(masks) for point in points))
        for states, counts, masks in threat.groups(game.signature_groups)
    ]


def column_counts(game: MarkovGame, threat: ThreatModel, agent: int) -> IntArray:
    """Return the number of columns in each state, (S,)."""
    return counted(column_groups(game, threat, agent), game.n_states)


def counted(groups: Sequence[ColumnGroup], n_states: int) -> IntArray:
    """Return the number of columns in each of the states that these groups make up, (S,)."""
    total = np.zeros(n_states, dtype=np.int64)
    for states, counts, corruptions in groups:
        for point in corruptions:
            allowed = dict(point.allowed)
            sizes = {j: len(allowed[j]) if j in allowed else counts[j] for j in point.corruptible}
            decided = [j for K, _ in point.weights for j in K] if point.informed else point.corruptible
            total[states] += math.prod(sizes[j] for j in decided)
    return total


def column_matrix(
    payoffs: NDArray[Any],
    agent: int,
    policies: Sequence[NDArray[Any]],
    corruptions: Sequence[Corruption],
    weight: Weight,
) -> NDArray[Any]:
    """Return M (B, A_i, C) with all columns in canonical order.

    Parameters
    ----------
    payoffs : (B, A_1, ..., A_n)
        Q_i of a batch of states with the same action counts.
    agent : int
    policies : one (B, A_j) per agent
    corruptions : the extreme points of Ω_i, with the masks of these states
    weight : function of (corruption set, its probability)
        The factor of that set's expectation, broadcast against (B, 1, ..., 1).
    """
    n = len(policies)
    everyone = frozenset(range(n))
    known: dict[frozenset[int], NDArray[Any]] = {everyone: payoffs}

    def keeping(kept: frozenset[int]) -> NDArray[Any]:
        if kept not in known:
            other = min(everyone - kept)
            shape = [len(payoffs), *(payoffs.shape[j + 1] if j == other else 1 for j in range(n))]
            products = keeping(kept | {other}) * policies[other].reshape(shape)
            known[kept] = products.sum(axis=other + 1, keepdims=True)
        return known[kept]

    blocks = []
    for corruption in corruptions:
        terms = []
        for members, probability in corruption.weights:
            term = keeping(frozenset({agent, *members})) * weight(members, probability)
            for j, actions in corruption.allowed:
                if j in members:
                    term = term.take(actions, axis=j + 1)
            terms.append(np.moveaxis(term, agent + 1, 1))
        if corruption.informed:
            block = _flat(terms[0])
            for term in terms[1:]:
                # Every decision for the sets so far meets every decision for the next one.
                block = _flat(block[..., None] + _flat(term)[:, :, None, :])
        else:
            # Axes of agents who are corrupted in no set have length 1; all others are complete.
            block = _flat(sum(terms[1:], start=terms[0]))
        blocks.append(block)
    return np.concatenate(blocks, axis=2)


def _flat(block: NDArray[Any]) -> NDArray[Any]:
    return block.reshape(block.shape[0], block.shape[1], -1)
