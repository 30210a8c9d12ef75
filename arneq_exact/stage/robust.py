"""The robust stage matrix M_i^π and the play that an attacker's columns induce.

At one state, agent i with payoffs Q_i meets an attacker whose pure strategies are the columns
c = (extreme point e of Ω_i, joint action a_U of the agents U that e may corrupt) [T10]. With K drawn
from e, agents in K play their part of a_U and all others but i follow π:

    M_i^π(a_i; (e, a_U)) = Σ_K e(K) · E_{a_rest ~ π_rest} Q_i(a_i, a_K, a_rest).

Everything works on a batch of B states with equal action counts: payoffs (B, A_1, …, A_n), policies
one array (B, A_j) per agent. The matrix is built by averaging out one benign agent at a time, shared
over the lattice of corruption sets, so that no product over all agents is formed more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import Corruption

Counts = tuple[int, ...]


def column_counts(corruptions: Sequence[Corruption], counts: Counts) -> list[int]:
    """Return the number of columns of each extreme point at a state with these action counts."""
    return [prod(counts[j] for j in corruption.corruptible) for corruption in corruptions]


def robust_matrix(
    payoff: FloatArray, policy: Sequence[FloatArray], corruptions: Sequence[Corruption], agent: int
) -> FloatArray:
    """Return M_i^π of a batch of states.

    Parameters
    ----------
    payoff : (B, A1, ..., An)
        Stage payoffs Q_i of the agent.
    policy : one array (B, A_j) per agent
        The agent's own entry is not read.
    corruptions : extreme points of the agent's Ω_i
    agent : int

    Returns
    -------
    (B, A_i, C)
        Columns in the canonical order of `arneq_exact.model.threat`.
    """
    counts: Counts = payoff.shape[1:]
    n = len(counts)
    batch = payoff.shape[0]
    kept: dict[frozenset[int], FloatArray] = {frozenset(range(n)): payoff}

    def keep(agents: frozenset[int]) -> FloatArray:
        """Average out every agent not in `agents`; averaged axes stay with length 1."""
        if agents not in kept:
            out = max(j for j in range(n) if j not in agents)
            shape = [1] * (n + 1)
            shape[0], shape[out + 1] = batch, counts[out]
            kept[agents] = (keep(agents | {out}) * policy[out].reshape(shape)).sum(
                axis=out + 1, keepdims=True
            )
        return kept[agents]

    columns = []
    for corruption in corruptions:
        corruptible = corruption.corruptible
        full = [batch] + [counts[j] if j == agent or j in corruptible else 1 for j in range(n)]
        mixed: FloatArray | None = None
        for members, weight in corruption.weights:
            part = keep(frozenset(members) | {agent})
            if weight != 1:
                part = float(weight) * part
            mixed = part if mixed is None else mixed + part
        assert mixed is not None
        spread = np.moveaxis(np.broadcast_to(mixed, full), agent + 1, 1)
        columns.append(spread.reshape(batch, counts[agent], -1))
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=2)


def joint_play(
    response: FloatArray,
    policy: Sequence[FloatArray],
    attack: FloatArray,
    corruptions: Sequence[Corruption],
    agent: int,
    counts: Counts,
) -> FloatArray:
    """Return the distribution of joint actions when `agent` plays `response` against `attack`.

    Parameters
    ----------
    response : (B, A_i)
    policy : one array (B, A_j) per agent; the agent's own entry is not read
    attack : (B, C)
        The attacker's mixture over columns.
    counts : (A1, ..., An)

    Returns
    -------
    (B, A1, ..., An)
    """
    batch = response.shape[0]
    n = len(counts)
    forced: dict[tuple[int, ...], FloatArray] = {}
    start = 0
    for corruption, size in zip(corruptions, column_counts(corruptions, counts), strict=True):
        corruptible = corruption.corruptible
        mixture = attack[:, start : start + size]
        start += size
        shape = [batch] + [counts[j] if j in corruptible else 1 for j in range(n)]
        block = mixture.reshape(shape)
        for members, weight in corruption.weights:
            spared = tuple(j + 1 for j in corruptible if j not in members)
            part = float(weight) * (block.sum(axis=spared, keepdims=True) if spared else block)
            forced[members] = forced[members] + part if members in forced else part
    total = np.zeros((batch, *counts))
    for members, part in forced.items():
        play = part
        for j in range(n):
            if j not in members:
                shape = [1] * (n + 1)
                shape[0], shape[j + 1] = batch, counts[j]
                play = play * (response if j == agent else policy[j]).reshape(shape)
        total += play
    return total
