"""The normal form of a stage game: payoffs in [0, 1], a mixture a player, and one measure of an answer.

Payoffs are first mapped to [0, 1], agent by agent: u = (Q − min Q) / (max Q − min Q), with a range of 0
replaced by 1. Neither the equilibria nor the optimal attacks of a game change under such a map.

A stage game without products of more than two mixtures is a *polymatrix* game: player b has a mixture z_b,
and its actions pay sums over the other players c, Σ_c block(b, c) z_c. Who minimises has them negated:

    matrix game                 x: M y,  y: −Mᵀx
    bimatrix game               x₁: Q₁x₂,  x₂: Q₂ᵀx₁
    two agents, attacked [T11]  x₁: (1−p₁)Q₁x₂ + p₁Q₁y₁,  y₁: −Q₁ᵀx₁,  and likewise x₂, y₂

The *regret* of a player is what it would gain by its best pure reply, max_a u_a − Σ_a z_a u_a; by linearity
no mixed reply gains more. The regret of a profile is the largest over its players, so it is relative to each
agent's payoff range. In a matrix game the regrets are added: their sum is the duality gap max_a (My)_a −
min_c (xᵀM)_c, in which the two own payoffs cancel, and which bounds the error of the value.

Any number of agents have products of more mixtures; their gaps are read off the optimality conditions
(`arneq_exact.stage.many_agents.multilinear_kernel`). Kernels have `arneq_exact.stage.kernels.replies` for it.
What is here is plain numpy and shares no code with the solvers whose answers it measures.

Reference
---------
Nisan, Roughgarden, Tardos & Vazirani (2007), *Algorithmic Game Theory*, section 3.2 (best-response
condition).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import BoolArray, FloatArray

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""How far a mixture's sum may be from 1, for each action: a division and an addition round in each."""


def unit_payoffs(
    payoffs: FloatArray, batch_axes: int, name: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Map every payoff array to [0, 1]; return (unit payoffs, minima, ranges with 0 replaced by 1).

    The first ``batch_axes`` axes number the arrays; the others are actions. Payoffs that are not finite,
    whose range overflows, or that have no action are refused with `StageError`.
    """
    shape = payoffs.shape[:batch_axes]
    if 0 in payoffs.shape[batch_axes:]:
        raise StageError(f"{name}: payoffs of shape {payoffs.shape} leave an agent without an action")
    actions = prod(payoffs.shape[batch_axes:])
    flat = np.ascontiguousarray(payoffs).reshape(*shape, actions)
    low, high = flat.min(axis=-1), flat.max(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        width = high - low
    if not np.isfinite(width).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(width))[0])
        raise StageError(f"{name}: the payoffs of game {where} are not finite numbers with a finite range")
    width[width == 0.0] = 1.0
    # Dividing, not multiplying by an inverse: the largest payoff must map to exactly 1.
    unit = flat - low[..., None]
    unit /= width[..., None]
    return unit.reshape(payoffs.shape), low, width


def unit_pairs(payoffs: FloatArray, name: str) -> FloatArray:
    """Unit payoffs (B, 2, A1, A2) of a batch of two agents, or `StageError` for another shape."""
    if payoffs.ndim != 4 or payoffs.shape[1] != 2:
        raise StageError(f"{name}: payoffs of a game have shape {payoffs.shape[1:]}; must be (2, A1, A2)")
    return unit_payoffs(payoffs, 2, name)[0]


@dataclass(frozen=True)
class UnitGames:
    """A batch of B polymatrix games with payoffs of range one.

    Attributes
    ----------
    blocks : for each player b and player c, a (B, A_b, A_c) array or None
        What the actions of b get from those of c; None where c does not concern b.
    signs : (players,)
        −1 for a player who minimises.
    zero_sum : bool
        Whether the regrets of the two players add up to a duality gap.
    """

    blocks: Sequence[Sequence[FloatArray | None]]
    signs: Sequence[float]
    zero_sum: bool = False

    @property
    def sizes(self) -> list[int]:
        """Number of actions of each player."""
        return [next(block.shape[1] for block in row if block is not None) for row in self.blocks]

    def regret(self, mixtures: Sequence[FloatArray]) -> FloatArray:
        """Regret of each profile (B,), at least zero: rounding is no gain; inf where one is no mixture."""
        return self.measure(mixtures)[0]

    def measure(self, mixtures: Sequence[FloatArray]) -> tuple[FloatArray, list[FloatArray]]:
        """Regret of each profile (B,), and the payoff (B,) of each player's best pure reply."""
        payoffs = self._payoffs(mixtures)
        best = [largest(payoff) for payoff in payoffs]
        worst = np.zeros(len(best[0]))
        if self.zero_sum:
            np.maximum(best[0] + best[1], worst, out=worst)
        else:
            for reply, payoff, mixture in zip(best, payoffs, mixtures, strict=True):
                np.maximum(reply - np.einsum("ba,ba->b", payoff, mixture), worst, out=worst)
        for mixture in mixtures:
            worst[~on_simplex(mixture)] = np.inf
        return worst, best

    def game(self, number: int) -> UnitGames:
        """Batch of one game."""
        one = slice(number, number + 1)
        blocks = [[None if block is None else block[one] for block in row] for row in self.blocks]
        return UnitGames(blocks, self.signs, self.zero_sum)

    def stacked(self, number: int) -> FloatArray:
        """Payoffs of one game as one matrix over the actions of all players."""
        sizes = self.sizes
        return np.block(
            [
                [
                    np.zeros((sizes[b], sizes[c])) if block is None else sign * block[number]
                    for c, block in enumerate(row)
                ]
                for b, (row, sign) in enumerate(zip(self.blocks, self.signs, strict=True))
            ]
        )

    def _payoffs(self, mixtures: Sequence[FloatArray]) -> list[FloatArray]:
        """Payoffs (B, A_b) of every player's actions."""
        result = []
        for row, sign in zip(self.blocks, self.signs, strict=True):
            parts = [
                np.einsum("bij,bj->bi", block, mixture)
                for block, mixture in zip(row, mixtures, strict=True)
                if block is not None
            ]
            payoff = parts[0] if len(parts) == 1 else parts[0] + parts[1]
            result.append(payoff if sign > 0.0 else -payoff)
        return result


def matrix_games(unit: FloatArray) -> UnitGames:
    """Zero-sum games with unit payoffs (B, A, C), of a row player and a column player who minimises."""
    return UnitGames([[None, unit], [unit.swapaxes(1, 2), None]], (1.0, -1.0), zero_sum=True)


def bimatrix_games(unit: FloatArray) -> UnitGames:
    """Games of two agents with unit payoffs (B, 2, A1, A2)."""
    return UnitGames([[None, unit[:, 0]], [unit[:, 1].swapaxes(1, 2), None]], (1.0, 1.0))


def attacked_pairs(unit: FloatArray, probability: FloatArray) -> UnitGames:
    """Games of two agents and their attackers, in the order x1, x2, y1, y2 [T11].

    An attacker's payoff is not multiplied by the probability of corruption, so that it is held to optimality
    even where it is never drawn.
    """
    q1, q2 = unit[:, 0], unit[:, 1]
    p1, p2 = probability
    of_agent1, of_agent2 = q1, q2.swapaxes(1, 2)
    blocks = [
        [None, (1.0 - p1) * of_agent1, p1 * of_agent1, None],
        [(1.0 - p2) * of_agent2, None, None, p2 * of_agent2],
        [q1.swapaxes(1, 2), None, None, None],
        [None, q2, None, None],
    ]
    return UnitGames(blocks, (1.0, 1.0, -1.0, -1.0))


def on_simplex(mixture: FloatArray) -> BoolArray:
    """Which rows of (B, A) are mixtures: entries ≥ 0 (nan is not) and a sum within rounding of 1."""
    total = mixture @ np.ones(mixture.shape[1])
    miss = ROUNDING * mixture.shape[1]
    return np.asarray((np.ascontiguousarray(mixture.T).min(axis=0) >= 0.0) & (np.abs(total - 1.0) <= miss))


def largest(rows: FloatArray) -> FloatArray:
    """Maximum of each row; for many short rows, columns at a time are several times faster."""
    return np.asarray(np.ascontiguousarray(rows.T).max(axis=0))
