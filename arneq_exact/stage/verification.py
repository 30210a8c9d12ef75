"""Normal form of stage payoffs, and the verdict on what a stage solver returns.

Every stage solver measures its answer by the same number. Payoffs are first mapped to [0, 1], agent by
agent: u = (Q − min Q) / (max Q − min Q), with a range of 0 replaced by 1. Neither the equilibria nor the
optimal attacks of a game change under such a map. The *regret* of a player is what it would gain by its
best pure reply, max_a u(a, rest) − u(own mixture, rest); by linearity no mixed reply gains more. The
regret of a profile is the largest over its players, so it is relative to each agent's payoff range, and an
answer is *verified* if its regret is at most `TOLERANCE` = 1e-10.

For a zero-sum matrix game M the regret of (x, y) is the larger of the two players' regrets, and the duality
gap max_a (My)_a − min_c (xᵀM)_c is their sum: we hold the gap itself against the tolerance there.

These functions are plain numpy and share no code with the solvers whose answers they judge.

Reference
---------
Nisan, Roughgarden, Tardos & Vazirani (2007), *Algorithmic Game Theory*, section 3.2 (best-response
condition).
"""

from __future__ import annotations

from collections import Counter
from math import prod

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import StageError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TOLERANCE = 1e-10


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


def matrix_game_bounds(
    matrices: FloatArray, row: FloatArray, column: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What the two mixtures guarantee: (min_c (xᵀM)_c, max_a (My)_a), each (B,); the value lies between."""
    lower = _least(np.einsum("ba,bac->bc", row, matrices))
    upper = -_least(-np.einsum("bac,bc->ba", matrices, column))
    return lower, upper


def regret_of_bimatrix(unit: FloatArray, x1: FloatArray, x2: FloatArray) -> FloatArray:
    """Largest regret of the two agents, (B,), for unit payoffs (B, 2, A1, A2)."""
    own1 = np.einsum("bij,bj->bi", unit[:, 0], x2)
    own2 = np.einsum("bij,bi->bj", unit[:, 1], x1)
    return np.maximum(_regret(own1, x1), _regret(own2, x2))


def regret_of_polymatrix(
    unit: FloatArray,
    probability: FloatArray,
    x1: FloatArray,
    x2: FloatArray,
    y1: FloatArray,
    y2: FloatArray,
) -> FloatArray:
    """Largest regret of two agents and their attackers, (B,), for unit payoffs (B, 2, A1, A2) [T11].

    An attacker's regret is what it falls short of the worst column for its agent's mixture, whatever the
    probability of corruption, so that it is held to optimality even where it is never drawn.
    """
    p1, p2 = probability
    agent1 = np.einsum("bij,bj->bi", unit[:, 0], (1.0 - p1) * x2 + p1 * y1)
    agent2 = np.einsum("bij,bi->bj", unit[:, 1], (1.0 - p2) * x1 + p2 * y2)
    attacker1 = -np.einsum("bij,bi->bj", unit[:, 0], x1)
    attacker2 = -np.einsum("bij,bj->bi", unit[:, 1], x2)
    agents = np.maximum(_regret(agent1, x1), _regret(agent2, x2))
    attackers = np.maximum(_regret(attacker1, y1), _regret(attacker2, y2))
    return np.maximum(agents, attackers)


def _regret(payoff: FloatArray, mixture: FloatArray) -> FloatArray:
    """Best pure reply minus own payoff, (B,); never below zero, because rounding is not a gain."""
    gain = payoff.max(axis=1) - np.einsum("ba,ba->b", payoff, mixture)
    return np.asarray(np.maximum(gain, 0.0))


def on_simplex(mixture: FloatArray) -> BoolArray:
    """Which rows of (B, A) are mixtures: entries ≥ 0 (nan is not) and a sum within rounding of 1."""
    total = mixture @ np.ones(mixture.shape[1])
    rounding = 4.0 * np.finfo(np.float64).eps * mixture.shape[1]
    return np.asarray((_least(mixture) >= 0.0) & (np.abs(total - 1.0) <= rounding))


def _least(rows: FloatArray) -> FloatArray:
    """Minimum of each row; for many short rows, columns at a time are several times faster."""
    return np.asarray(np.ascontiguousarray(rows.T).min(axis=0))


def refuse_unverified(regret: FloatArray, name: str, backend: str) -> None:
    """Raise `StageError` naming the first game whose regret is above the tolerance (or nan)."""
    failed = np.flatnonzero(~(regret <= TOLERANCE))
    if failed.size:
        first = int(failed[0])
        raise StageError(
            f"{name}: no method of backend {backend!r} solved game {first} of {regret.size} to {TOLERANCE:g} "
            f"of its payoff range; the best answer has regret {regret[first]:.3g}"
        )


def check_backend(backend: str, name: str) -> None:
    """Refuse a backend that does not exist."""
    if backend not in ("auto", "reference"):
        raise StageError(f"{name}: backend {backend!r} is unknown; must be 'auto' or 'reference'")


def count(calls: Counter[str] | None, routine: str, number: int) -> None:
    """Add ``number`` games to the tally of ``routine``, if the caller keeps one."""
    if calls is not None and number:
        calls[routine] += number
