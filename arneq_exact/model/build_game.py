"""From what callers write (dense tables, row lists, rationals) to the row layout of `MarkovGame`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from arneq_exact.errors import GameError
from arneq_exact.model.exact import ExactData
from arneq_exact.model.rationals import FloatArray, IntArray, as_float, nearest_float, to_fraction

Parts = dict[str, Any]


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
    ends = None if termination is None else _table(termination, "termination").reshape(-1)
    if paid.dtype != object and moves.dtype != object and not _is_rational(discount):
        return _parts(
            np.ascontiguousarray(paid_rows),
            sp.csr_array(move_rows),
            action_counts,
            _discount(discount, n),
            _vector(ends, "termination"),
            _vector(initial, "initial"),
            None,
        )
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
    n_rows = int(np.prod(counts))
    moves = np.zeros((1, *counts, 1))
    return from_dense(table.reshape(n, 1, *counts), moves, 0.0, np.ones((1, n_rows)), None)


def from_rows(
    action_counts: Any,
    rewards: Sequence[Sequence[Any]],
    transitions: Sequence[Sequence[tuple[Any, int]]],
    discount: Any,
    termination: Sequence[Any] | FloatArray | None,
    initial: Any,
) -> Parts:
    """Lay out one entry per row; see `MarkovGame.from_rows`."""
    counts = np.array(action_counts, dtype=np.int64, ndmin=2)
    n_states, n = counts.shape
    if len(transitions) != len(rewards):
        raise GameError(f"MarkovGame: {len(transitions)} rows of transitions; must be {len(rewards)}")
    rational = _is_rational(discount)
    paid: list[list[Any]] = []
    data: list[list[Any]] = []
    indices: list[int] = []
    indptr = [0]
    for row, (row_rewards, row_moves) in enumerate(zip(rewards, transitions, strict=True)):
        if len(row_rewards) != n:
            raise GameError(f"MarkovGame: rewards of row {row} are {len(row_rewards)} numbers; must be {n}")
        # Doubles pass as they are: only games that hold rationals pay for Fractions.
        paid_row = [_number(value, f"rewards of row {row}") for value in row_rewards]
        moves = [
            (index, number)
            for probability, index in row_moves
            if (number := _number(probability, f"transitions of row {row}")) != 0
        ]
        moves.sort(key=lambda move: move[0])
        for index, _ in moves:
            if not 0 <= index < n_states:
                raise GameError(
                    f"MarkovGame: transitions of row {row} lead to state {index}; "
                    f"must be between 0 and {n_states - 1}"
                )
        paid.append(paid_row)
        data.append([number for _, number in moves])
        indices.extend(index for index, _ in moves)
        indptr.append(len(indices))
        rational = rational or any(isinstance(number, Fraction) for number in paid_row + data[-1])
    exact = None
    if rational:
        exact_paid = [[Fraction(value) for value in row_values] for row_values in paid]
        exact_data = [[Fraction(value) for value in row_values] for row_values in data]
        factors = _per_agent(discount, n)
        exact = ExactData.from_fractions(
            exact_paid,
            exact_data,
            tuple(to_fraction(factor, "MarkovGame: discount", GameError) for factor in factors),
        )
    flat = (
        [
            nearest_float(Fraction(number), "MarkovGame: transitions", GameError)
            for row_values in data
            for number in row_values
        ]
        if rational
        else [number for row_values in data for number in row_values]
    )
    matrix = sp.csr_array(
        (np.array(flat, dtype=np.float64), np.array(indices, dtype=np.int64), np.array(indptr)),
        shape=(len(rewards), n_states),
    )
    table = np.array(
        [
            [nearest_float(Fraction(value), "MarkovGame: rewards", GameError) for value in row_values]
            for row_values in paid
        ]
        if rational
        else paid,
        dtype=np.float64,
    ).reshape(len(rewards), n)
    return _parts(
        table,
        matrix,
        counts,
        _discount(discount, n),
        _vector(termination, "termination"),
        _vector(initial, "initial"),
        exact,
    )


def _parts(
    rewards: FloatArray,
    transitions: sp.csr_array,
    action_counts: IntArray,
    discount: FloatArray,
    termination: FloatArray | None,
    initial: FloatArray | None,
    exact: ExactData | None,
) -> Parts:
    return {
        "rewards": rewards,
        "transitions": transitions,
        "action_counts": action_counts,
        "discount": discount,
        "termination": termination,
        "initial": initial,
        "exact": exact,
    }


def _number(value: Any, where: str) -> float | Fraction:
    """Keep a double as it is; anything else becomes a Fraction unless a double holds it exactly."""
    if isinstance(value, float):
        return value
    exact = to_fraction(value, f"MarkovGame: {where}", GameError)
    double = nearest_float(exact, f"MarkovGame: {where}", GameError)
    return double if Fraction(double) == exact else exact


def _is_rational(discount: Any) -> bool:
    factors = discount if isinstance(discount, Sequence) and not isinstance(discount, str) else [discount]
    return any(
        not isinstance(factor, np.ndarray) and isinstance(_number(factor, "discount"), Fraction)
        for factor in factors
    )


def _nonzero(value: Any) -> bool:
    return not isinstance(value, int | float) or value != 0


def _table(values: Any, name: str) -> NDArray[Any]:
    """Return a float64 table, or an object table if some entry is no plain number."""
    try:
        table = np.asarray(values, dtype=object if not isinstance(values, np.ndarray) else None)
    except ValueError:
        raise GameError(
            f"MarkovGame: {name} are a ragged nested list; every axis must have one length"
        ) from None
    if table.dtype == object:
        flat = [_number(value, name) for value in table.reshape(-1)]
        if any(isinstance(value, Fraction) for value in flat):
            result = np.empty(len(flat), dtype=object)
            result[:] = flat
            return result.reshape(table.shape)
        return np.array(flat, dtype=np.float64).reshape(table.shape)
    if table.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: {name} have dtype {table.dtype}; must be numbers")
    if table.dtype.kind in "iu" and table.size and np.abs(table.astype(object)).max() > 2**53:
        raise GameError(f"MarkovGame: {name} hold integers beyond 2^53; give them as Fractions or strings")
    return table.astype(np.float64)


def _per_agent(value: Any, n: int) -> list[Any]:
    if isinstance(value, str | Fraction) or np.ndim(value) == 0:
        return [value] * n
    return list(value)


def _discount(value: Any, n: int) -> FloatArray:
    return np.array([as_float(factor, "MarkovGame: discount", GameError) for factor in _per_agent(value, n)])


def _vector(values: Any, name: str) -> FloatArray | None:
    if values is None:
        return None
    convert: Callable[[Any], float] = lambda value: as_float(value, f"MarkovGame: {name}", GameError)  # noqa: E731
    return np.array([convert(value) for value in np.asarray(values, dtype=object).reshape(-1)])
