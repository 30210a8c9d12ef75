"""Stage games of any number of agents under any threat: one ARNEQ for each of a batch of states.

A stage ARNEQ is a Nash equilibrium of the 2n-player game between agents and their attackers [T3], whose
payoffs are multilinear: products of up to n mixtures. Its conditions are solved by active-set Newton from a
known profile (the equilibrium of a nearby game, if the caller has one), by looking at the pure profiles of
small games, and by following a barrier path where that fails; restarts follow paths with other weights. See
`multilinear_kernel` for the order.

Guarantee: an answer is verified: the duality gap of every agent against its attacker, which bounds its
regret, is at most 1e-10 of its payoff range; otherwise `StageError`. Which equilibrium is found depends on
the start. For n ≥ 3 and k < n−1 equilibria can be irrational, so no pivoting method could be exact here
[T11].

Reference
---------
Herings & Peeters (2010), *Economic Theory* 42, 119–156 (homotopy methods for equilibria).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.many_agents.layout import tables
from arneq_exact.stage.normal_form import unit_payoffs
from arneq_exact.stage.profiles import Profile, StageProfiles
from arneq_exact.stage.verification import count, refuse_unverified

PATHS = 8
"""Barrier paths tried for a game: the first from uniform weights, the others from random ones."""

MOST_PURE = 1000
"""Joint actions up to which pure profiles are looked at first."""

SYSTEMS = 64
"""Kinds of stage games whose tables are kept: more than most games have, and a bound on memory."""


def solve_multilinear_games(
    payoffs: Sequence[FloatArray],
    attackers: StageAttackers,
    start: tuple[Profile, Profile] | None = None,
    seed: int = 0,
    calls: Counter[str] | None = None,
) -> StageProfiles:
    """Return one stage ARNEQ per game, with optimal attacks.

    Parameters
    ----------
    payoffs : one array (B, A1, ..., An) per agent
    attackers : StageAttackers
    start : policies and attacks, optional
        A profile near an equilibrium of each game, to begin with.
    seed : int
        With 0 the first path begins at uniform weights, and pure profiles are looked at before it unless
        there is a start; else all paths begin at random weights, and pure profiles come last.
    calls : Counter, optional
        Counts games solved by each method.

    Raises
    ------
    StageError
        If some game is not solved to 1e-10 of its payoff range.
    """
    # Compiled code is loaded when a game is first solved.
    from arneq_exact.stage.many_agents.multilinear_kernel import METHODS, Found, Plan, solve_multilinear

    batch, n = len(payoffs[0]), attackers.n
    system = _system(attackers)
    unit, low, width = unit_payoffs(np.stack(payoffs, axis=1), 2, "multilinear stage games")
    rewards = np.ascontiguousarray(unit.reshape(batch, n, -1).swapaxes(1, 2))
    size = system.size
    small, fresh = rewards.shape[1] <= MOST_PURE, start is None and seed == 0
    begin = np.zeros((0 if start is None else batch, size))
    if start is not None:
        for where, mixture in zip(system.mixtures, (*start[0], *start[1]), strict=True):
            begin[:, where] = mixture
    plan = Plan(begin, small and fresh, small and not fresh, system.weights(seed), system.logs)
    solved = Found(np.zeros((batch, size)), np.empty(batch), np.empty(batch, dtype=np.int64))
    solve_multilinear(system.tables, rewards, plan, system.workspace, solved)
    refuse_unverified(solved.gap, "multilinear stage games", "auto")
    if calls is not None:
        for code, name in METHODS.items():
            count(calls, name, int((solved.method == code).sum()))
    found = [solved.profile[:, where] for where in system.mixtures]
    value = low + width * solved.profile[:, size - n :]
    return StageProfiles(tuple(found[:n]), tuple(found[n:]), value)


class _System:
    """What games of one shape share: tables and workspace of the kernel, weights of the paths.

    The workspace serves one call at a time, which holds Python's lock throughout.
    """

    def __init__(self, attackers: StageAttackers) -> None:
        from arneq_exact.stage.many_agents.linearised_kernel import workspace

        n = attackers.n
        self.tables = tables([attackers], np.zeros(1, dtype=np.int64))
        self.size = int(self.tables.base[-1])
        self.logs = np.arange(self.size) < self.size - 2 * n
        self.workspace = workspace(self.tables)
        first = [*self.tables.local_x[0].tolist(), *self.tables.local_y[0].tolist()]
        length = [*self.tables.counts[0].tolist(), *self.tables.columns[0].tolist()]
        self.mixtures = [slice(at, at + long) for at, long in zip(first, length, strict=True)]
        self._weights: dict[int, FloatArray] = {}

    def weights(self, seed: int) -> FloatArray:
        """Return the weights of the paths, (PATHS, m): uniform, and Dirichlet draws mixed with it."""
        if seed not in self._weights:
            rng = np.random.default_rng(seed)
            weights = np.ones((PATHS, self.size))
            drawn = weights[0 if seed else 1 :]
            for where in self.mixtures:
                length = where.stop - where.start
                weights[:, where] = 1 / length
                drawn[:, where] = 0.3 / length + 0.7 * rng.dirichlet(np.ones(length), len(drawn))
            self._weights[seed] = weights
        return self._weights[seed]


@lru_cache(maxsize=SYSTEMS)
def _system(attackers: StageAttackers) -> _System:
    return _System(attackers)
