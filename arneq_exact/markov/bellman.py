"""Bellman backups, and the chain that a choice of joint play induces.

One backup of all agents is one sparse product: Q = r + P (γ V)ᵀ, rows × agents. A choice of play in
every state is a weight per row; with W the (S, rows) matrix of weights the induced chain is W P, so
attacker transitions (S, |C|, S) are never formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from threadpoolctl import threadpool_limits

from arneq_exact.model.corruption import Corruption, Masks
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import FloatArray, IntArray
from arneq_exact.model.threat import ThreatModel

DENSE_STATES = 150
"""Up to this many states a dense solve is faster than anything sparse (measured)."""

KRYLOV_TOLERANCE = 1e-14
KRYLOV_ITERATIONS = 400


@dataclass(frozen=True)
class Block:
    """States with equal action counts and equal masks, with their rows.

    Attributes
    ----------
    states : (B,)
    rows : (B, J) row numbers, or a slice where the block is contiguous
    counts : (A1, ..., An)
    masks : what corrupted agents can play, where that is not everything
    """

    states: IntArray
    rows: IntArray | slice
    counts: tuple[int, ...]
    masks: Masks = ()

    def gather(self, values: FloatArray) -> FloatArray:
        """Return row values (rows,) as (B, A1, ..., An); a view where the block is contiguous."""
        return values[self.rows].reshape(len(self.states), *self.counts)

    def policy(self, arrays: Sequence[FloatArray]) -> list[FloatArray]:
        """Cut each (S, max A_j) array to the block: (B, A_j)."""
        return [array[self.states, :count] for array, count in zip(arrays, self.counts, strict=True)]

    def corruptions(self, points: Sequence[Corruption]) -> tuple[Corruption, ...]:
        """Return extreme points with the masks of the block."""
        return tuple(point.restricted(self.masks) for point in points)


def blocks(game: MarkovGame, threat: ThreatModel | None = None) -> tuple[Block, ...]:
    """Return the states of `game` grouped by action counts, and by the masks of a threat."""
    groups = threat or ThreatModel(0)
    result = []
    for states, counts, masks in groups.groups(game.signature_groups):
        size = int(np.prod(counts))
        first, last = int(states[0]), int(states[-1])
        contiguous = last - first + 1 == len(states)
        rows: IntArray | slice = (
            slice(int(game.offsets[first]), int(game.offsets[last + 1]))
            if contiguous
            else game.rows_of(states, size)
        )
        result.append(Block(states, rows, counts, masks))
    return tuple(result)


def backup(game: MarkovGame, values: FloatArray) -> FloatArray:
    """Return the backup of all agents.

    Parameters
    ----------
    values : (n, S)

    Returns
    -------
    (n, rows)
        Q_i(s, a) = r_i(s, a) + γ_i Σ_s' P(s'|s, a) V_i(s').
    """
    return np.stack([backup_agent(game, agent, values[agent]) for agent in range(game.n_agents)])


def backup_agent(game: MarkovGame, agent: int, values: FloatArray) -> FloatArray:
    """Return the backup of one agent: values (S,) to (rows,)."""
    result: FloatArray = game.transitions @ (game.discount[agent] * values)
    result += game.rewards[:, agent]
    return result


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit BLAS to one thread: on small matrices more threads cost several times what they save."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def chain_of(game: MarkovGame, weights: FloatArray) -> sp.csr_array:
    """Return the (S, S) transition matrix under row weights (rows,)."""
    played = np.flatnonzero(weights)
    selector = sp.csr_array(
        (weights[played], played, np.searchsorted(played, game.offsets)), shape=(game.n_states, game.n_rows)
    )
    return selector @ game.transitions


def value_of_play(
    game: MarkovGame, agent: int, weights: FloatArray, start: FloatArray | None = None
) -> FloatArray:
    """Return the agent's discounted value (S,) when rows are played with these weights (rows,).

    Solves (I − γ W P) v = W r: densely for few states, by BiCGSTAB from `start` for many (random
    chains fill a factorisation), by sparse LU where that does not converge.
    """
    reward = np.add.reduceat(weights * game.rewards[:, agent], game.offsets[:-1])
    chain = chain_of(game, weights)
    gamma = float(game.discount[agent])
    if game.n_states <= DENSE_STATES:
        dense: FloatArray = np.linalg.solve(np.eye(game.n_states) - gamma * chain.toarray(), reward)
        return dense
    matrix = sp.eye_array(game.n_states, format="csr") - gamma * chain
    solution, failed = spla.bicgstab(
        matrix, reward, x0=start, rtol=KRYLOV_TOLERANCE, atol=0.0, maxiter=KRYLOV_ITERATIONS
    )
    if failed or not np.isfinite(solution).all():
        solution = spla.splu(matrix.tocsc()).solve(reward)
    # One step of refinement removes what the stopping rule left.
    residual = reward - matrix @ solution
    if np.abs(residual).max() > 4 * np.finfo(float).eps * max(np.abs(solution).max(), 1.0):
        correction, _ = spla.bicgstab(matrix, residual, rtol=1e-3, atol=0.0, maxiter=KRYLOV_ITERATIONS)
        if np.isfinite(correction).all():
            solution = solution + correction
    result: FloatArray = solution
    return result
