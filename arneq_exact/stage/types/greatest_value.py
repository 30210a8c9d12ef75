"""The greatest robust stage value g_i over all mixed product profiles, between a lower and an upper bound.

g_i(π) = min_c f_c(π) with one multi-affine function f_c of the profile for each column c of the attacker
[T1], [T10]. The maximum over product profiles is a problem without concavity: pure profiles are not enough,
and correlated ones are too much. It is enclosed by branch and bound over products of simplices:

* A *box* is a product of simplices, one in each agent's Δ(A_j). At its corners (one vertex per agent) every
  f_c has a value, and inside f_c is the average of these under a product of weights. A product is a special
  correlated distribution, so that no profile in the box is worth more than the matrix game (corners) ×
  (columns). **Upper bound**: the largest Σ_c y_c f_c(corner), for any mixture y; the y of the linear program
  makes it the value of that game.
* **Lower bound**: g_i at the product of the marginals of the optimal mixture over corners, a profile.
* A box is dropped where its upper bound is at most what matters. Else the edge of a simplex along which some
  f_c varies most is halved. Edges of the agent's own simplex need no halving: with the others fixed, the
  linear program is the agent's own.

The first box decides for k = 0, where agents decouple, and wherever one mixture of the attacker keeps every
pure profile down to the best value.

The bounds are computed in double precision, and the upper one is raised by `ROUNDING` of the payoff range.

References
----------
[T1], [T6], [T10]; Horst and Tuy (1996), *Global Optimization*, chapter 4 (simplicial branch and bound).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

CORNERS = 160_000
"""Corners of boxes that are examined: 20,000 boxes for three agents with two actions each."""

LARGEST = 50_000
"""Largest number of (corner, column) pairs for which a first box is examined at all."""

ROUNDING = 1e-13
"""Of the payoff range: added to upper bounds, which are sums of at most a few thousand products."""


@dataclass(frozen=True)
class GreatestValue:
    """Bounds on max g_i over mixed product profiles.

    Attributes
    ----------
    lower, upper : float
        The maximum lies between them; `upper` is inf if the stage game is too large to be examined.
    profile : tuple of arrays (A_j,), or None
        A profile that is worth `lower`.
    boxes : int
        Boxes examined.
    """

    lower: float
    upper: float
    profile: tuple[FloatArray, ...] | None
    boxes: int


def columns_at_pure_profiles(payoff: FloatArray, attacker: Attacker) -> FloatArray:
    """Return f_c at every pure profile.

    Parameters
    ----------
    payoff : (A1, ..., An)
    attacker : Attacker

    Returns
    -------
    (C, A1, ..., An)
        Of the dtype of the payoffs: Fractions stay Fractions where the threat's weights are 1.
    """
    counts = payoff.shape
    n = len(counts)
    joint = np.indices(counts).reshape(n, -1)
    unit = np.zeros((), dtype=payoff.dtype) + 1
    policy = [unit * np.eye(count, dtype=np.int64)[joint[j]] for j, count in enumerate(counts)]
    batch = np.broadcast_to(payoff, (joint.shape[1], *counts))
    matrix = robust_matrix(batch, policy, attacker)
    own = matrix[np.arange(joint.shape[1]), joint[attacker.agent]]
    return np.ascontiguousarray(own.T).reshape(-1, *counts)


def greatest_value(
    payoff: FloatArray,
    attacker: Attacker,
    *,
    target: float | None = None,
    accuracy: float = 1e-9,
    corners: int = CORNERS,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> GreatestValue:
    """Enclose the greatest value g_i of one stage game over all mixed product profiles.

    Parameters
    ----------
    payoff : (A1, ..., An)
        Stage payoffs of the agent.
    attacker : Attacker
    target : float, optional
        Stop as soon as the maximum is known to be above it, or not to be.
    accuracy : float
        Without a target: stop when the bounds are this close, in units of the payoff range.
    corners : int
        Budget of corners; when it is used up the bounds are as far as they got.
    backend, calls
        As in `arneq_exact.stage.zero_sum.linear.solve_matrix_games`.

    Examples
    --------
    Of three agents with a common reward one may be corrupted. At the corners of the cube the agent has 0, in
    the middle 1/2: mixing hides what the others do.

    >>> from arneq_exact import ThreatModel
    >>> from arneq_exact.attackers.stage_attackers import stage_attackers
    >>> reward = np.array([[[1.0, 0.0], [0.0, 1.0]]] * 2)  # others must match
    >>> found = greatest_value(reward, stage_attackers(ThreatModel(1), reward.shape).of[0])
    >>> round(found.lower, 6), round(found.upper, 6)
    (0.5, 0.5)
    """
    counts = payoff.shape
    columns = np.unique(columns_at_pure_profiles(payoff, attacker).reshape(-1, prod(counts)), axis=0)
    if columns.size > LARGEST:
        return GreatestValue(-np.inf, np.inf, None, 0)
    low, width = float(payoff.min()), float(np.ptp(payoff)) or 1.0
    found = _Search(((columns - low) / width).reshape(-1, *counts), attacker.agent, backend, calls)
    wanted = None if target is None else (target - low) / width
    lower, upper = found.run(wanted, accuracy, corners)
    return GreatestValue(low + width * lower, low + width * upper, found.profile, found.boxes)


class _Search:
    """Branch and bound on unit payoffs.

    A box is kept as its corner values (C, A1, ..., An) and the vertices (A_j, A_j) of its simplices.
    """

    def __init__(self, columns: FloatArray, agent: int, backend: str, calls: Counter[str] | None) -> None:
        self.columns = columns
        self.counts = columns.shape[1:]
        self.others = [j for j, count in enumerate(self.counts) if j != agent and count > 1]
        self.backend, self.calls = backend, calls
        self.lower = -np.inf
        self.profile: tuple[FloatArray, ...] | None = None
        self.boxes = 0

    def run(self, target: float | None, accuracy: float, corners: int) -> tuple[float, float]:
        """Return the bounds."""
        values = self.columns[None]
        vertices = [np.eye(count)[None] for count in self.counts]
        dropped = -np.inf
        budget = max(1, corners // prod(self.counts))
        while True:
            self.boxes += len(values)
            upper = self._bounds(values, vertices)
            bar = self.lower + accuracy if target is None else target
            open_ = upper > bar
            dropped = max(dropped, float(upper[~open_].max(initial=-np.inf)))
            values, vertices, upper = values[open_], [each[open_] for each in vertices], upper[open_]
            most = max(dropped, self.lower, float(upper.max(initial=-np.inf)))
            above = target is not None and self.lower > target
            if not len(values) or above or not self.others or self.boxes + 2 * len(values) > budget:
                return self.lower, most
            values, vertices = self._halved(values, vertices)

    def _bounds(self, values: FloatArray, vertices: Sequence[FloatArray]) -> FloatArray:
        """Return upper bounds (B,) and raise the lower one."""
        batch, n = len(values), len(self.counts)
        table = np.ascontiguousarray(np.moveaxis(values.reshape(batch, values.shape[1], -1), 1, 2))
        games = solve_matrix_games(table, backend=self.backend, calls=self.calls)
        play = games.row.reshape(batch, *self.counts)
        worth, marginals = values, []
        for axis in reversed(range(n)):
            weights = play.sum(axis=tuple(j + 1 for j in range(n) if j != axis))
            weights /= weights.sum(axis=1, keepdims=True)
            marginals.append(np.einsum("bv,bva->ba", weights, vertices[axis]))
            worth = np.einsum("bc...v,bv->bc...", worth, weights)
        least = worth.min(axis=1)
        best = int(least.argmax())
        if least[best] > self.lower:
            self.lower = float(least[best])
            self.profile = tuple(each[best] for each in reversed(marginals))
        upper: FloatArray = np.einsum("bac,bc->ba", table, games.column).max(axis=1) + ROUNDING
        return upper

    def _halved(
        self, values: FloatArray, vertices: Sequence[FloatArray]
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Halve in each box the edge along which some function varies most."""
        batch = len(values)
        edges, spread = [], []
        for j in self.others:
            moved = np.moveaxis(values, j + 2, 1).reshape(batch, self.counts[j], -1)
            for p in range(self.counts[j]):
                for q in range(p + 1, self.counts[j]):
                    edges.append((j, p, q))
                    spread.append(np.abs(moved[:, p] - moved[:, q]).max(axis=1))
        chosen = np.argmax(np.stack(spread), axis=0)
        parts: list[FloatArray] = []
        corners: list[list[FloatArray]] = []
        for number in np.unique(chosen):
            j, p, q = edges[number]
            these = chosen == number
            for kept, replaced in ((p, q), (q, p)):
                half = values[these].copy()
                ends = np.moveaxis(half, j + 2, 0)
                ends[replaced] = (ends[kept] + ends[replaced]) / 2
                own = [each[these].copy() for each in vertices]
                own[j][:, replaced] = (own[j][:, kept] + own[j][:, replaced]) / 2
                parts.append(half)
                corners.append(own)
        joined = [np.concatenate([own[j] for own in corners]) for j in range(len(self.counts))]
        return np.concatenate(parts), joined
