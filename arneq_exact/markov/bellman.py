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
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from threadpoolctl import ThreadpoolController

from arneq_exact.attackers.resolve import Attackers
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.stage.robust import joint_play

DENSE_STATES = 150
"""Up to this many states a dense solve is faster than anything sparse (measured)."""

DENSE_TRANSITIONS = 100_000
"""Up to this many numbers in rows × states, dense products are faster than sparse ones (measured)."""

KRYLOV_TOLERANCE = 1e-14
"""Relative residual at which BiCGSTAB stops: some tens of roundings, the least that doubles can reach."""

KRYLOV_ITERATIONS = 400
"""Iterations of BiCGSTAB after which a factorisation is tried: a bound on work that comes to nothing."""

REFINED = 4 * float(np.finfo(float).eps)
"""Residual, relative to the solution, above which it is refined: the rounding of a product or two."""

REFINEMENT = 1e-3
"""Accuracy of the correction in a step of refinement: it gains three digits, more than are missing."""


_dense: WeakKeyDictionary[MarkovGame, FloatArray] = WeakKeyDictionary()


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
    if np.abs(residual).max() > REFINED * max(np.abs(solution).max(), 1.0):
        correction, _ = spla.bicgstab(matrix, residual, rtol=REFINEMENT, atol=0.0, maxiter=KRYLOV_ITERATIONS)
        if np.isfinite(correction).all():
            solution = solution + correction
    result: FloatArray = solution
    return result


def values_of_profile(
    game: MarkovGame,
    attackers: Attackers,
    policy: Sequence[FloatArray],
    attack: Sequence[FloatArray],
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the exact discounted values (n, S) of agents and attackers who play a profile for ever.

    Parameters
    ----------
    policy : one array (S, max A_i) per agent
    attack : one array (S, max C_i) per agent
    start : (n, S), optional
        Values to begin iterative methods from.
    """
    values = np.empty((game.n_agents, game.n_states))
    for agent in range(game.n_agents):
        weights = np.empty(game.n_rows)
        for group in attackers.groups:
            own, attacker = group.policy(policy), group.stage.of[agent]
            mixture = attack[agent][group.states, : attacker.width]
            group.scatter(joint_play(own[agent], own, mixture, attacker), weights)
        values[agent] = value_of_play(game, agent, weights, None if start is None else start[agent])
    return values
