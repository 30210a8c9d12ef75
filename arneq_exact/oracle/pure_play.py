"""Pure stage ARNEQ under a budget of k corrupted agents, and when a stage ARNEQ is the only one.

All of it is comparison of payoffs, so that integers and Fractions give exact answers. With m = min(k, n−1)
and K running over the sets of m other agents, a pure profile a is worth

    g_i(a) = min over K of g_i^K(a),     g_i^K(a) = min over b_K of Q_i(a_i, b_K, a_rest)        [T1].

**Saddle points.** a_i is a best reply if some column (K, b_K) that is worst for it is one against which it
is the best action: mixing gains nothing there. (The condition is sufficient. Without it the reply a_i can
be optimal against a mixture of columns only; such equilibria are not listed here.) It is *strict*, the only
best reply, if it is the only best action against that column.

**Iterated elimination.** Let only some actions be left, to each agent; what corrupted agents play is never
restricted. An action b of agent i is in no stage ARNEQ with the actions left

* if another action a pays more for every a_K and every a_rest that is left (a column at a time, hence for
  every mixture of columns), or
* if some a ≠ b is the only best reply to all that is left: for every K there is one b_K at which Q_i(a, ·,
  a_rest) is least, whatever a_rest is left, and where every other action pays less than a. For then a is
  worth min_K E Q_i(a, b_K, a_rest), and every other mixture is worth less at the column that attains this.

If one action is left to every agent, the profile is the unique stage ARNEQ.

References
----------
[T1], [T2]; Bernheim (1984), Econometrica 52, 1007–1028 (k = 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Payoffs = NDArray[Any]
"""(n, A1, ..., An) of integers, Fractions or doubles."""

Joint = tuple[int, ...]


@dataclass(frozen=True)
class PurePlay:
    """Pure stage ARNEQ of the saddle kind.

    Attributes
    ----------
    equilibrium, strict : (A1, ..., An) bool
    values : (n, A1, ..., An)
        g_i at every pure profile, equilibrium or not.
    """

    equilibrium: NDArray[np.bool_]
    strict: NDArray[np.bool_]
    values: Payoffs

    def profiles(self) -> list[Joint]:
        """Return the equilibria in C order."""
        return [tuple(map(int, joint)) for joint in np.argwhere(self.equilibrium)]

    def worth(self, joint: Joint) -> NDArray[Any]:
        """Return the agents' values (n,) at one profile."""
        index: tuple[Any, ...] = (slice(None), *joint)
        return np.asarray(self.values[index])


def largest_sets(n: int, agent: int, k: int) -> list[Joint]:
    """Return the sets of exactly min(k, n−1) agents other than `agent`."""
    return list(combinations([j for j in range(n) if j != agent], min(k, n - 1)))


def pure_play(payoffs: Payoffs, k: int) -> PurePlay:
    """Find the pure stage ARNEQ that are saddle points.

    Parameters
    ----------
    payoffs : (n, A1, ..., An)
    k : int

    Examples
    --------
    Of three agents who all earn 2 if at least two play 1, and else 1, one may be corrupted [T5].

    >>> reward = np.array([[[1, 1], [1, 2]], [[1, 2], [2, 2]]])
    >>> found = pure_play(np.stack([reward] * 3), 1)
    >>> found.profiles()
    [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)]
    >>> found.values[0, 0, 0, 0].item(), found.values[0, 1, 1, 1].item()
    (1, 2)
    """
    n = len(payoffs)
    equilibrium = np.ones(payoffs.shape[1:], dtype=bool)
    strict = equilibrium.copy()
    values = np.empty_like(payoffs)
    for agent, payoff in enumerate(payoffs):
        sets = largest_sets(n, agent, k)
        worst = [payoff.min(axis=K, keepdims=True) if K else payoff for K in sets]
        value = worst[0] + np.zeros_like(payoff)
        for other in worst[1:]:
            value = np.minimum(value, other)
        best = payoff == payoff.max(axis=agent, keepdims=True)
        alone = best & (best.sum(axis=agent, keepdims=True) == 1)
        replies = [np.zeros(payoff.shape, dtype=bool) for _ in range(2)]
        for K, least in zip(sets, worst, strict=True):
            at = payoff == least
            for reply, kind in zip(replies, (best, alone), strict=True):
                meets = at & kind
                reply |= (meets.any(axis=K, keepdims=True) if K else meets) & (least == value)
        equilibrium &= replies[0]
        strict &= replies[1]
        values[agent] = value
    return PurePlay(equilibrium, strict & equilibrium, values)


def unique_profile(payoffs: Payoffs, k: int) -> Joint | None:
    """Return the only stage ARNEQ if iterated elimination proves it to be that, else None.

    Examples
    --------
    >>> dilemma = np.array([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    >>> unique_profile(dilemma, 0)
    (1, 1)
    """
    left = survivors(payoffs, k)
    if any(len(actions) > 1 for actions in left):
        return None
    return tuple(actions[0] for actions in left)


def survivors(payoffs: Payoffs, k: int) -> list[list[int]]:
    """Return the actions of each agent that iterated elimination leaves."""
    n = len(payoffs)
    left = [list(range(count)) for count in payoffs.shape[1:]]
    changed = True
    while changed:
        changed = False
        for agent, payoff in enumerate(payoffs):
            if len(left[agent]) > 1:
                kept = _undominated(payoff, largest_sets(n, agent, k), agent, left)
                if len(kept) < len(left[agent]):
                    left[agent], changed = kept, True
    return left


def _undominated(
    payoff: Payoffs, sets: Sequence[Joint], agent: int, left: Sequence[Sequence[int]]
) -> list[int]:
    """Return the actions of one agent that neither rule removes."""
    tables = []
    for K in sets:
        table = payoff
        for j, actions in enumerate(left):
            if j not in K and len(actions) < table.shape[j]:
                table = table.take(actions, axis=j)
        rest = [j for j in range(payoff.ndim) if j != agent and j not in K]
        table = table.transpose([agent, *K, *rest])
        width = int(np.prod([payoff.shape[j] for j in K], dtype=np.int64))
        tables.append(table.reshape(table.shape[0], width, -1))
    own = range(len(left[agent]))
    for a in own:
        if all(_alone_at_its_worst(table, a) for table in tables):
            return [left[agent][a]]
    return [
        left[agent][b]
        for b in own
        if not any(a != b and all((table[a] > table[b]).all() for table in tables) for a in own)
    ]


def _alone_at_its_worst(table: Payoffs, action: int) -> bool:
    """Tell whether one column is worst for an action whatever the rest, and the action is alone best there.

    `table` is (own actions, joint actions of K, joint actions of the rest).
    """
    worst = (table[action] == table[action].min(axis=0)).all(axis=1)
    others = np.delete(table, action, axis=0)
    return bool((worst & (others < table[action]).all(axis=(0, 2))).any())
