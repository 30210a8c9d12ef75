"""Compiled simulation of episodes with the sums that policy gradients are made of.

The length of an episode is drawn first: T with P(T > t) = γ^t. Rewards up to T are summed undiscounted, so
that states are visited as often as the discounted occupancy says, and

    G_t = r_t + … + r_{T−1}

is an unbiased estimate of Q at (s_t, a_t) [the memoryless end]: no truncation error is left. One uniform
number of 53 bits draws T, so T is at most 1 + 53 ln 2 / ln(1/γ), which bounds the buffers.

Random numbers are those of SplitMix64 (Steele, Lea & Flood 2014), begun anew for every episode from a hash
of (seed, iteration, call, agent, episode): the same numbers in whatever order episodes are simulated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.learning.tables import AttackTables, GameTables
from arneq_exact.stage.kernels import compiled

# The increment and the two multipliers that define SplitMix64, and the shifts between them; the last leaves
# the 53 bits of a double.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@compiled
def mixed(word: np.uint64) -> np.uint64:
    """Return the finaliser of SplitMix64: a bijection of 64-bit words that scatters its input."""
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return word ^ (word >> _31)


FEW = 8
"""Entries that are walked through faster than halved: one line of cache."""


@compiled
def found(cumulative: FloatArray, first: int, last: int, number: float) -> int:
    """Return the first place in [first, last) whose cumulative weight exceeds `number`, else `last`."""
    while last - first > FEW:
        middle = (first + last) >> 1
        if cumulative[middle - 1] > number:
            last = middle
        else:
            first = middle
    while first < last and not cumulative[first] > number:
        first += 1
    return first


@compiled
def cumulate_by_point(
    shared: GameTables, tables: AttackTables, conditional: FloatArray, sums: FloatArray
) -> None:
    """Fill cumulative sums of z (S, C) that begin anew at every extreme point, beyond 1 from its end on."""
    sums[:] = 2.0
    for s in range(conditional.shape[0]):
        g = shared.signature[s]
        for e in range(tables.first.shape[1] - 1):
            total, last = 0.0, tables.first[g, e + 1] - 1
            while last > tables.first[g, e] and conditional[s, last] == 0.0:
                last -= 1
            for c in range(tables.first[g, e], last):
                total += conditional[s, c]
                sums[s, c] = total


class Chances(NamedTuple):
    """What is drawn from, all of it cumulative within its rows.

    Attributes
    ----------
    policy : (n, S, A)
        1 from each state's last action on.
    points, columns : (S, E), (S, C)
        Columns are drawn from the whole row; `per_episode`, a point is drawn at the first state and columns
        from those of that point, over which `columns` then begins anew.
    following : (entries,)
        Transitions within each row; what is missing to 1 ends the episode.
    start : (S,)
    """

    policy: FloatArray
    points: FloatArray
    columns: FloatArray
    following: FloatArray
    start: FloatArray


class Rollouts(NamedTuple):
    """Whose episodes they are, and how they are played.

    Attributes
    ----------
    agent : int
    per_episode : bool
        Whether the extreme point is drawn once, at the first state.
    rewards : (rows, n)
    log_discount : float
        ln γ, −inf for γ = 0.
    indptr, indices : transitions in compressed rows
    baseline : (S,)
    """

    agent: int
    per_episode: bool
    rewards: FloatArray
    log_discount: float
    indptr: IntArray
    indices: IntArray
    baseline: FloatArray


class Sums(NamedTuple):
    """What episodes add to.

    Attributes
    ----------
    policy, points, columns : (S, A), (S, E), (S, C)
        Sums of G_t − baseline(s_t) by the action, point and column drawn.
    visits, returns : (S,)
        Number of visits and sum of G_t.
    """

    policy: FloatArray
    points: FloatArray
    columns: FloatArray
    visits: FloatArray
    returns: FloatArray


@compiled
def simulate(
    shared: GameTables,
    tables: AttackTables,
    chances: Chances,
    e: Rollouts,
    drawn_by: tuple[np.uint64, int],
    memory: tuple[IntArray, FloatArray],
    sums: Sums,
) -> tuple[int, float]:
    """Simulate episodes of one agent with its attacker; add up returns by what was played.

    Parameters
    ----------
    drawn_by : (key, number of episodes)
        Episode m draws from the stream that begins at key + m.
    memory : (longest, 3) and (longest,)
        Where an episode is kept: state, own action and column of each step, and what it paid.
    sums : Sums
        Added to.

    Returns
    -------
    (steps, sum of G_0)
    """
    # One function, and arrays taken out of their tuples once: calls and tuples within the loop cost a third.
    policy, points, columns, following, start = chances
    agent, per_episode, rewards, log_discount, indptr, indices, baseline = e
    by_policy, by_points, by_columns, visits, returns = sums
    key, episodes = drawn_by
    trajectory, paid = memory
    n = policy.shape[0]
    steps, total = 0, 0.0
    for episode in range(episodes):
        word = mixed(key + np.uint64(episode) * _GOLDEN)
        word += _GOLDEN
        uniform = np.float64(mixed(word) >> _11) * 2.0**-53
        length = 1
        if log_discount > -np.inf:
            length = 1 + int(np.log1p(-uniform) / log_discount)
        word += _GOLDEN
        s = found(start, 0, start.shape[0] - 1, np.float64(mixed(word) >> _11) * 2.0**-53)
        point = -1
        if per_episode:
            word += _GOLDEN
            point = found(points[s], 0, points.shape[1] - 1, np.float64(mixed(word) >> _11) * 2.0**-53)
        reached = 0
        for t in range(length):
            g = shared.signature[s]
            first, last = 0, tables.first[g, -1]
            if per_episode:
                first, last = tables.first[g, point], tables.first[g, point + 1]
            column = first
            if last - first > 1:
                word += _GOLDEN
                column = found(columns[s], first, last - 1, np.float64(mixed(word) >> _11) * 2.0**-53)
            variant = 0
            if tables.weight.shape[2] > 1:
                word += _GOLDEN
                uniform = np.float64(mixed(word) >> _11) * 2.0**-53
                while variant + 1 < tables.weight.shape[2] and uniform >= tables.weight[g, column, variant]:
                    uniform -= tables.weight[g, column, variant]
                    if tables.weight[g, column, variant + 1] == 0.0:
                        break
                    variant += 1
            local, own = 0, 0
            for j in range(n):
                action = tables.forced[g, column, variant, j]
                if action < 0:
                    word += _GOLDEN
                    action = found(
                        policy[j, s], 0, shared.counts[g, j] - 1, np.float64(mixed(word) >> _11) * 2.0**-53
                    )
                local = local * shared.counts[g, j] + action
                if j == agent:
                    own = action
            row = shared.offsets[s] + local
            trajectory[t, 0] = s
            trajectory[t, 1] = own
            trajectory[t, 2] = column
            paid[t] = rewards[row, agent]
            reached = t + 1
            word += _GOLDEN
            entry = found(following, indptr[row], indptr[row + 1], np.float64(mixed(word) >> _11) * 2.0**-53)
            if entry == indptr[row + 1]:
                break
            s = indices[entry]
        steps += reached
        gained = 0.0
        for t in range(reached - 1, -1, -1):
            gained += paid[t]
            s = trajectory[t, 0]
            advantage = gained - baseline[s]
            by_policy[s, trajectory[t, 1]] += advantage
            by_columns[s, trajectory[t, 2]] += advantage
            visits[s] += 1.0
            returns[s] += gained
        if per_episode:
            by_points[trajectory[0, 0], point] += gained - baseline[trajectory[0, 0]]
        total += gained
    return steps, total
