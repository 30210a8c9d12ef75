"""The robust stage matrix M_i^π(a_i; c), every column of it, for a batch of states.

A column c = (extreme point ω of Ω_i, actions of the agents U that ω may corrupt) pays

    M_i^π(a_i; c) = Σ_K ω(K) E[Q_i(a_i, a_K, a_rest)],   a_rest ~ π_{−(K∪i)},

so that corrupted agents outside the drawn K follow π too. The expectations form a lattice: the one that
keeps K is the one that keeps K ∪ {j} with agent j averaged out. Each is computed once and shared.

Only products and sums occur, so the same lines serve integers and doubles. They never mix the two, and
per contracted agent a term passes through one product and at most A_j − 1 sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.model.threat import Corruption

Weight = Callable[[tuple[int, ...], Fraction], Any]


def column_counts(action_counts: NDArray[np.int64], corruptions: Sequence[Corruption]) -> NDArray[np.int64]:
    """Return the number of columns in each state, (S,)."""
    total = np.zeros(len(action_counts), dtype=np.int64)
    for corruption in corruptions:
        total += np.prod(action_counts[:, list(corruption.corruptible)], axis=1, dtype=np.int64)
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
    corruptions : the extreme points of Ω_i
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
        terms = [
            keeping(frozenset({agent, *members})) * weight(members, probability)
            for members, probability in corruption.weights
        ]
        # Axes of agents who are corrupted in no set have length 1; all others are complete.
        block = np.moveaxis(sum(terms[1:], start=terms[0]), agent + 1, 1)
        blocks.append(block.reshape(block.shape[0], block.shape[1], -1))
    return np.concatenate(blocks, axis=2)
