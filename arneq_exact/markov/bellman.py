"""Bellman backups, and the chain that a choice of joint play induces.

One backup of all agents is one sparse product: Q = r + P (γ V)ᵀ, rows × agents. A choice of play in
every state is a weight per row; with W the (S, rows) matrix of weights the induced chain is W P, so
attacker transitions (S, |C|, S) are never formed. Small games have their transitions as a dense table too:
there it takes longer to set up a sparse product than to form it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from threadpoolctl import ThreadpoolController

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Masks

DENSE_STATES = 150
"""Up to this many states a dense solve is faster than anything sparse (measured)."""

DENSE_TRANSITIONS = 100_000
"""Up to this many numbers in rows × states, dense products are faster than sparse ones (measured)."""

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


_unmasked: WeakKeyDictionary[MarkovGame, tuple[Block, ...]] = WeakKeyDictionary()
_dense: WeakKeyDictionary[MarkovGame, FloatArray] = WeakKeyDictionary()


def blocks(game: MarkovGame, threat: ThreatModel | None = None) -> tuple[Block, ...]:
    """Return the states of `game` grouped by action counts, and by the masks of a threat."""
    if threat is not None and threat.masks is not None:
        return _blocks(game, threat)
    if game not in _unmasked:
        _unmasked[game] = _blocks(game, ThreatModel(0))
    return _unmasked[game]


def _blocks(game: MarkovGame, threat: ThreatModel) -> tuple[Block, ...]:
    result = []
    for states, counts, masks in threat.groups(game.signature_groups):
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
    moves = dense_transitions(game)
    result: FloatArray = (game.transitions if moves is None else moves) @ (game.discount[agent] * values)
    result += game.rewards[:, agent]
    return result


def dense_transitions(game: MarkovGame) -> FloatArray | None:
    """Return the transitions (rows, S) as a dense table, None if the game is too large for that to pay."""
    if game.n_rows * game.n_states > DENSE_TRANSITIONS:
        return None
    if game not in _dense:
        _dense[game] = game.transitions.toarray()
    return _dense[game]


@cache
def _blas() -> ThreadpoolController:
    """Find the BLAS libraries, once: numpy's and scipy's are loaded with this module."""
    return ThreadpoolController()


class _OneThread:
    """A limit that several threads of a process ask for at once: the first sets it, the last lifts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._limit: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if self._holders == 0:
                self._limit = _blas().limit(limits=1, user_api="blas")
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    self._limit.restore_original_limits()


_one_thread = _OneThread()


def one_blas_thread() -> AbstractContextManager[None]:
    """Limit BLAS to one thread: on small matrices more threads cost several times what they save.

    The limit is the whole process's. It holds as long as any thread is within such a block.
    """
    return _one_thread.held()


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
    gamma = float(game.discount[agent])
    if game.n_states <= DENSE_STATES:
        moves = dense_transitions(game)
        if moves is None:
            table = chain_of(game, weights).toarray()
        else:
            table = np.add.reduceat(weights[:, None] * moves, game.offsets[:-1], axis=0)
        dense: FloatArray = np.linalg.solve(np.eye(game.n_states) - gamma * table, reward)
        return dense
    chain = chain_of(game, weights)
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
