"""The robust stage matrix M_i^π and the play that an attacker's columns induce.

At one state, agent i with payoffs Q_i meets an attacker whose pure strategies are the columns
c = (extreme point e of Ω_i, an action d for each of its slots) [T10]. With K drawn from e, agents in K play
what d decides for them under K, written d_K, and all others but i follow π:

    M_i^π(a_i; (e, d)) = Σ_K e(K) · E_{a_rest ~ π_rest} Q_i(a_i, d_K, a_rest).

A committed attacker decides an action for each agent that e may corrupt, an informed one for each set and
member; masks leave it fewer actions to decide among (`arneq_exact.attackers.attacker`).

Everything works on a batch of B states with equal action counts: payoffs (B, A_1, …, A_n), policies
one array (B, A_j) per agent. The matrix is built by averaging out one benign agent at a time, shared
over the lattice of corruption sets, so that no product over all agents is formed more than once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat.corruption import Members


def robust_matrix(payoff: FloatArray, policy: Sequence[FloatArray], attacker: Attacker) -> FloatArray:
    """Return M_i^π of a batch of states.

    Parameters
    ----------
    payoff : (B, A1, ..., An)
        Stage payoffs Q_i of the attacked agent.
    policy : one array (B, A_j) per agent
        The attacked agent's own entry is not read.
    attacker : Attacker

    Returns
    -------
    (B, A_i, C)
        Columns in the canonical order of `arneq_exact.model.threat`.
    """
    batch, counts, agent = len(payoff), attacker.counts, attacker.agent
    n = len(counts)
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
    for drawn in attacker.drawn:
        mixed: FloatArray | None = None
        for one in drawn:
            part = np.moveaxis(keep(one.kept), agent + 1, 1)
            part = part.reshape(batch, counts[agent], *one.sizes)
            for place, actions in one.allowed:
                part = part.take(actions, axis=place + 2)
            if one.weight != 1:
                part = one.weight * part
            part = part.reshape(batch, counts[agent], *one.spread)
            mixed = part if mixed is None else mixed + part
        assert mixed is not None
        columns.append(mixed.reshape(batch, counts[agent], -1))
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=2)


def joint_play(
    response: FloatArray, policy: Sequence[FloatArray], attack: FloatArray, attacker: Attacker
) -> FloatArray:
    """Return the distribution of joint actions when the attacked agent plays `response` against `attack`.

    Parameters
    ----------
    response : (B, A_i)
    policy : one array (B, A_j) per agent; the attacked agent's own entry is not read
    attack : (B, C)
        The attacker's mixture over columns.
    attacker : Attacker

    Returns
    -------
    (B, A1, ..., An)
    """
    batch, counts = len(response), attacker.counts
    n = len(counts)
    forced: dict[Members, FloatArray] = {}
    for first, size, shape, drawn in zip(
        attacker.first, attacker.sizes, attacker.shapes, attacker.drawn, strict=False
    ):
        block = attack[:, first : first + size].reshape(batch, *shape)
        for one in drawn:
            unused = tuple(m + 1 for m in range(len(shape)) if m not in one.slots)
            part = one.weight * (block.sum(axis=unused) if unused else block)
            if one.allowed:
                everything = np.zeros((batch, *one.sizes))
                choices = dict(one.allowed)
                chosen = [choices.get(place, range(count)) for place, count in enumerate(one.sizes)]
                everything[np.ix_(range(batch), *chosen)] = part
                part = everything
            part = part.reshape(batch, *(counts[j] if j in one.members else 1 for j in range(n)))
            forced[one.members] = forced[one.members] + part if one.members in forced else part
    total = np.zeros((batch, *counts))
    for members, part in forced.items():
        play = part
        for j in range(n):
            if j not in members:
                shape = (batch, *(counts[j] if axis == j else 1 for axis in range(n)))
                play = play * (response if j == attacker.agent else policy[j]).reshape(shape)
        total += play
    return total
