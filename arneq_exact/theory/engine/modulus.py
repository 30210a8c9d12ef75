"""How far best-response values move with the others' policy [T9]: a modulus of continuity, and its proof.

Let TV_j(s) = ½ |π_j(s) − π'_j(s)|_1 be the distance of two policies of agent j. Under an attack on K, the
agents j outside K ∪ {i} play independently, so the two distributions of their joint actions are no farther
apart in total variation than Σ_{j ∉ K∪i} TV_j(s) (change one agent at a time). An expectation of Q moves by
at most the distance times the spread max Q − min Q, and so does the value of a matrix game when no entry
moves by more. With Q = r_i + γ_i P v, spread_s its largest minus its least entry in state s, and

    D_i(s) = max over the laws ω of the attacker's columns of Σ_K ω(K) Σ_{j ∉ K∪i} TV_j(s)
           = the sum of the n−1−m largest TV_j(s), j ≠ i, for a budget k with m = min(k, n−1),

    |T^π v(s) − T^π' v(s)| ≤ spread_s(r_i + γ_i P v) D_i(s).

Put v = V^π' = T^π' V^π'. Then |V^π − V^π'| ≤ |T^π V^π − T^π V^π'| + |T^π V^π' − T^π' V^π'|, the first part at
most β_i |V^π − V^π'|, so that

    |V^π − V^π'| ≤ max_s spread_s(r_i + γ_i P V^π') D_i(s) / (1 − β_i)                       (the modulus)
                ≤ (max(r_i, 0) − min(r_i, 0)) / (1 − β_i)² · max_s D_i(s)                    (Lipschitz).

The second line holds since values lie between min(r_i, 0)/(1−β_i) and max(r_i, 0)/(1−β_i), and so do backups
of them. It is attained by an agent without choice, in one state, whom another's pure action pays or not (k =
0): V differs by 1/(1−γ), and that is the modulus. Where agents decouple, D = 0: the value does not depend on
π_{-i}.

The robust value of a fixed π_i obeys the same modulus, with W in place of V: it is the fixed point of the
same matrices with min_c x^T M in place of their value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import listed_attacks


def policy_distance(
    game: MarkovGame,
    threat: ThreatModel,
    agent: int,
    policy: Sequence[FloatArray],
    other: Sequence[FloatArray],
) -> FloatArray:
    """Return D_i (S,) of two policies."""
    apart = np.stack([np.abs(one - two).sum(axis=1) / 2 for one, two in zip(policy, other, strict=True)])
    laws = [attack.law for attack in listed_attacks(threat, (1,) * game.n_agents, agent, 0)]
    distances = [
        sum(float(p) * np.delete(apart, [agent, *K], axis=0).sum(axis=0) for K, p in law.items())
        for law in laws
    ]
    result: FloatArray = np.max(distances, axis=0)
    return result


def modulus(game: MarkovGame, agent: int, values: FloatArray, distance: FloatArray) -> float:
    """Return max_s spread_s(r_i + γ_i P v) D_i(s) / (1 − β_i) for values (S,) and D_i (S,)."""
    backed = game.rewards[:, agent] + game.discount[agent] * (game.transitions.toarray() @ values)
    first = game.offsets[:-1]
    spread = np.maximum.reduceat(backed, first) - np.minimum.reduceat(backed, first)
    return float((spread * distance).max() / (1 - game.contraction[agent]))


def lipschitz(game: MarkovGame, agent: int) -> float:
    """Return (max(r_i, 0) − min(r_i, 0)) / (1 − β_i)²."""
    paid = game.rewards[:, agent]
    return float((max(paid.max(), 0) - min(paid.min(), 0)) / (1 - game.contraction[agent]) ** 2)
