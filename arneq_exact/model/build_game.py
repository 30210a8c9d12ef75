"""From what callers write (dense tables, row lists, rationals) to the row layout of `MarkovGame`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import index, itemgetter
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from arneq_exact import require
from arneq_exact.errors import GameError
from arneq_exact.exact.rationals import FloatArray, IntArray, as_float, double_or_fraction
from arneq_exact.model.exact import ExactData

Parts = dict[str, Any]
"""Parts of a game by the names that `MarkovGame` gives them; those that are left out have its defaults."""

LARGEST_INTEGER = 2**53
"""Up to here a double holds every integer."""


def from_dense(rewards: Any, transitions: Any, discount: Any, termination: Any, initial: Any) -> Parts:
    """Lay out rewards (n, S, A1..An) and transitions (S, A1..An, S); see `MarkovGame.from_arrays`."""
    paid = _table(rewards, "rewards")
    moves = _table(transitions, "transitions")
    if paid.ndim < 3 or paid.ndim != paid.shape[0] + 2:
        raise GameError(
            f"MarkovGame: rewards have shape {paid.shape}; must be (n, S, A1, ..., An), "
            "one axis of actions per agent"
        )
    n, n_states, *counts = paid.shape
    if moves.shape != (n_states, *counts, n_states):
        raise GameError(
            f"MarkovGame: transitions have shape {moves.shape}; "
            f"must be (S, A1, ..., An, S) = {(n_states, *counts, n_states)}"
        )
    if min(paid.shape) == 0:
        raise GameError(f"MarkovGame: rewards have shape {paid.shape}; every length must be at least 1")
    action_counts = np.tile(np.array(counts, dtype=np.int64), (n_states, 1))
    n_rows = n_states * int(np.prod(counts))
    paid_rows = np.moveaxis(paid, 0, -1).reshape(n_rows, n)
    move_rows = moves.reshape(n_rows, n_states)
    ends = None
    if termination is not None:
        table = _table(termination, "termination")
        if table.shape != (n_states, *counts):
            raise GameError(
                f"MarkovGame: termination has shape {table.shape}; "
                f"must be (S, A1, ..., An) = {(n_states, *counts)}"
            )
        ends = table.reshape(-1)
    factors = _per_agent(discount, n)
    if paid.dtype != object and moves.dtype != object and not _is_rational(factors):
        return {
            "rewards": np.ascontiguousarray(paid_rows),
            "transitions": sp.csr_array(move_rows),
            "action_counts": action_counts,
            **_vectors(factors, ends, initial),
        }
    sparse = [
        [(move_rows[row, state], state) for state in range(n_states) if _nonzero(move_rows[row, state])]
        for row in range(n_rows)
    ]
    return from_rows(action_counts, paid_rows.tolist(), sparse, discount, ends, initial)


def from_one_shot(payoffs: Any) -> Parts:
    """Lay out payoffs (n, A1..An) as one state whose every joint action ends the episode."""
    table = _table(payoffs, "payoffs")
    if table.ndim < 2 or table.ndim != table.shape[0] + 1 or table.size == 0:
        raise GameError(
            f"MarkovGame: payoffs have shape {table.shape}; must be (n, A1, ..., An), "
            "one axis of at least one action per agent"
        )
    n, *counts = table.shape
    moves = np.zeros((1, *counts, 1))
    return from_dense(table.reshape(n, 1, *counts), moves, 0.0, np.ones((1, *counts)), None)


def from_rows(
    action_counts: Any,
    rewards: Sequence[Sequence[Any]],
    transitions: Sequence[Sequence[tuple[Any, int]]],
    discount: Any,
    termination: Sequence[Any] | FloatArray | None,
    initial: Any,
) -> Parts:
    """Lay out one entry per row; see `MarkovGame.from_rows`."""
    counts = _counts(action_counts)
    n_states, n = counts.shape
    rewards = _sequence(rewards, "rewards", "one list of rewards per row")
    transitions = _sequence(transitions, "transitions", "one list of (probability, next state) per row")
    if len(transitions) != len(rewards):
        raise GameError(f"MarkovGame: {len(transitions)} rows of transitions; must be {len(rewards)}")
    factors = _per_agent(discount, n)
    rational = _is_rational(factors)
    paid: list[list[Any]] = []
    data: list[list[Any]] = []
    indices: list[int] = []
    indptr = [0]
    for row, (row_rewards, row_moves) in enumerate(zip(rewards, transitions, strict=True)):
        row_rewards = _sequence(row_rewards, f"rewards of row {row}", f"a list of {n} numbers")
        if len(row_rewards) != n:
            raise GameError(f"MarkovGame: rewards of row {row} are {len(row_rewards)} numbers; must be {n}")
        # Doubles pass as they are: only games that hold rationals pay for Fractions.
        paid_row = [_number(value, f"rewards of row {row}") for value in row_rewards]
        moves = _moves(row_moves, row, n_states)
        paid.append(paid_row)
        data.append([number for _, number in moves])
        indices.extend(state for state, _ in moves)
        indptr.append(len(indices))
        rational = rational or any(isinstance(number, Fraction) for number in paid_row + data[-1])
    exact = None
    if rational:
        exact_paid = [[Fraction(value) for value in row_values] for row_values in paid]
        exact_data = [[Fraction(value) for value in row_values] for row_values in data]
        exact = ExactData.from_fractions(exact_paid, exact_data, tuple(Fraction(g) for g in factors))
    flat = [float(number) for row_values in data for number in row_values]
    matrix = sp.csr_array(
        (np.array(flat, dtype=np.float64), np.array(indices, dtype=np.int64), np.array(indptr)),
        shape=(len(rewards), n_states),
    )
    table = np.array([[float(value) for value in row_values] for row_values in paid]).reshape(len(rewards), n)
    return {
        "rewards": table,
        "transitions": matrix,
        "action_counts": counts,
        "exact": exact,
        **_vectors(factors, termination, initial),
    }


def _counts(action_counts: Any) -> IntArray:
    try:
        counts = np.array(action_counts, ndmin=2)
    except ValueError:
        raise GameError("MarkovGame: action_counts are a ragged list; must be (S, n) integers") from None
    if counts.dtype.kind not in "iu" or counts.ndim != 2:
        raise require.broken(action_counts, "MarkovGame: action_counts", "(S, n) integers", GameError, "are")
    return counts.astype(np.int64)


def _moves(moves: Any, row: int, n_states: int) -> list[tuple[int, float | Fraction]]:
    """Return (next state, probability) of one row in ascending order, without probabilities of 0."""
    result = []
    where = f"MarkovGame: transitions of row {row}"
    for move in _sequence(moves, f"transitions of row {row}", "a list of (probability, next state)"):
        try:
            probability, target = move
            state = index(target)
        except (TypeError, ValueError):
            rule = "(probability, next state)"
            raise require.broken(move, where, rule, GameError, "hold") from None
        if not 0 <= state < n_states:
            raise GameError(f"{where} lead to state {state}; must be between 0 and {n_states - 1}")
        number = _number(probability, f"transitions of row {row}")
        if number != 0:
            result.append((state, number))
    result.sort(key=itemgetter(0))
    return result


def _sequence(values: Any, name: str, rule: str) -> Sequence[Any]:
    if isinstance(values, str | dict) or not hasattr(values, "__len__") or not hasattr(values, "__iter__"):
        raise require.broken(values, f"MarkovGame: {name}", rule, GameError, "are")
    return cast(Sequence[Any], values)


def _number(value: Any, where: str) -> float | Fraction:
    return double_or_fraction(value, f"MarkovGame: {where}", GameError)


def _is_rational(factors: list[float | Fraction]) -> bool:
    return any(isinstance(factor, Fraction) for factor in factors)


def _nonzero(value: Any) -> bool:
    return not isinstance(value, int | float) or value != 0


def _table(values: Any, name: str) -> NDArray[Any]:
    """Return a float64 table, or an object table if some entry is no plain number."""
    try:
        table = np.asarray(values, dtype=object if not isinstance(values, np.ndarray) else None)
    except ValueError:
        raise _ragged(name) from None
    if table.dtype == object:
        if any(isinstance(value, list | tuple | np.ndarray) for value in table.reshape(-1)):
            raise _ragged(name)
        flat = [_number(value, name) for value in table.reshape(-1)]
        if any(isinstance(value, Fraction) for value in flat):
            result = np.empty(len(flat), dtype=object)
            result[:] = flat
            return result.reshape(table.shape)
        return np.array(flat, dtype=np.float64).reshape(table.shape)
    if table.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: {name} have dtype {table.dtype}; must be numbers")
    if table.dtype.kind in "iu" and table.size and np.abs(table.astype(object)).max() > LARGEST_INTEGER:
        raise GameError(f"MarkovGame: {name} hold integers beyond 2^53; give them as Fractions or strings")
    return table.astype(np.float64)


def _ragged(name: str) -> GameError:
    return GameError(f"MarkovGame: {name} are a ragged nested list; every axis must have one length")


def _per_agent(discount: Any, n: int) -> list[float | Fraction]:
    """Return one discount per agent, from one for all or one for each."""
    given = discount.tolist() if isinstance(discount, np.ndarray) else discount
    each = given if isinstance(given, list | tuple) and given else [given] * n
    factors = [_number(factor, "discount") for factor in each]
    if len(factors) != n:
        raise GameError(f"MarkovGame: discount has {len(factors)} numbers; must be one number or {n} numbers")
    return factors


def _vectors(factors: list[float | Fraction], termination: Any, initial: Any) -> Parts:
    return {
        "discount": np.array([float(factor) for factor in factors]),
        "termination": _vector(termination, "termination"),
        "initial": _vector(initial, "initial"),
    }


def _vector(values: Any, name: str) -> FloatArray | None:
    if values is None:
        return None
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values.reshape(-1)
    flat = np.asarray(values, dtype=object).reshape(-1)
    return np.array([as_float(value, f"MarkovGame: {name}", GameError) for value in flat])
