"""The robust stage matrix M_i^π and the play that an attacker's columns induce.

At one state, agent i with payoffs Q_i meets an attacker whose pure strategies are the columns
c = (extreme point e of Ω_i, an action d for each of its slots) [T10]. With K drawn from e, agents in K play
what d decides for them under K, written d_K, and all others but i follow π:

    M_i^π(a_i; (e, d)) = Σ_K e(K) · E_{a_rest ~ π_rest} Q_i(a_i, d_K, a_rest).

A committed attacker decides an action for each agent that e may corrupt, an informed one for each set and
member; masks leave it fewer actions to decide among (`arneq_exact.model.threat.corruption`).

Everything works on a batch of B states with equal action counts: payoffs (B, A_1, …, A_n), policies
one array (B, A_j) per agent. The matrix is built by averaging out one benign agent at a time, shared
over the lattice of corruption sets, so that no product over all agents is formed more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat.corruption import Corruption, Members

Counts = tuple[int, ...]


def column_counts(corruptions: Sequence[Corruption], counts: Counts) -> list[int]:
    """Return the number of columns of each extreme point at a state with these action counts."""
    return [prod(corruption.shape(counts)) for corruption in corruptions]


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
        shape = corruption.shape(counts)
        mixed: FloatArray | None = None
        for members, weight in corruption.weights:
            part = np.moveaxis(keep(frozenset(members) | {agent}), agent + 1, 1)
            part = part.reshape(batch, counts[agent], *(counts[j] for j in members))
            for j, actions in corruption.allowed:
                if j in members:
                    part = part.take(actions, axis=members.index(j) + 2)
            if weight != 1:
                part = float(weight) * part
            part = part.reshape(batch, counts[agent], *_spread(corruption, members, shape))
            mixed = part if mixed is None else mixed + part
        assert mixed is not None
        columns.append(mixed.reshape(batch, counts[agent], -1))
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=2)


def _spread(corruption: Corruption, members: Members, shape: tuple[int, ...]) -> list[int]:
    """Return the shape of what depends on a column through one set: 1 for slots that it does not use."""
    return [size if members in slot.sets else 1 for slot, size in zip(corruption.slots, shape, strict=True)]


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
    forced: dict[Members, FloatArray] = {}
    start = 0
    for corruption, size in zip(corruptions, column_counts(corruptions, counts), strict=True):
        block = attack[:, start : start + size].reshape(batch, *corruption.shape(counts))
        start += size
        for members, weight in corruption.weights:
            unused = [m + 1 for m, slot in enumerate(corruption.slots) if members not in slot.sets]
            part = float(weight) * (block.sum(axis=tuple(unused)) if unused else block)
            if any(j in members for j, _ in corruption.allowed):
                chosen = np.ix_(range(batch), *(corruption.choices(j, counts) for j in members))
                everything = np.zeros((batch, *(counts[j] for j in members)))
                everything[chosen] = part
                part = everything
            part = part.reshape(batch, *(counts[j] if j in members else 1 for j in range(n)))
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
