"""Complete validation of a `MarkovGame`, once, at its construction.

On return the arrays are canonical (contiguous float64 and int64, sorted CSR, one discount per agent),
owned by the game and read-only, so that everything below may rely on them without a check of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from arneq_exact.errors import GameError
from arneq_exact.model.names import GameNames
from arneq_exact.require import shown

if TYPE_CHECKING:
    from arneq_exact.model.game import MarkovGame

LARGEST_ROW_COUNT = 2**40
"""Far above what fits in memory, far below what overflows."""

LARGEST_REWARD = 1e150
"""Solvers multiply payoffs; the product of two of these still fits in a double."""

ROW_SUM_TOLERANCE = 1e-9
"""Largest miss of a row's total probability; the miss is accounted for exactly in β [T12]."""


def validate_game(game: MarkovGame) -> None:
    """Check every part of `game` and put its arrays into canonical, read-only form.

    Raises
    ------
    GameError
        With the place, the name, the value and the rule, in one line.
    """
    counts = _array(game.action_counts, "action_counts", np.int64)
    if counts.ndim != 2 or counts.shape[0] < 1 or counts.shape[1] < 1:
        raise GameError(
            f"MarkovGame: action_counts have shape {counts.shape}; must be (S, n) "
            "with at least one state and one agent"
        )
    _freeze(game, "action_counts", counts)
    n_states, n = counts.shape
    if counts.min() < 1:
        state, agent = (int(index) for index in np.argwhere(counts < 1)[0])
        raise GameError(
            f"MarkovGame: action count of agent {agent + 1} in state {state} is {counts[state, agent]}; "
            "must be at least 1"
        )
    if not isinstance(game.names, GameNames):
        raise GameError(f"MarkovGame: names are {shown(game.names)}; must be GameNames")
    game.names.validate(counts)
    object.__setattr__(game, "names", game.names.canonical())
    # In doubles first: the product of many counts wraps around in int64.
    if np.prod(counts, axis=1, dtype=np.float64).sum() > LARGEST_ROW_COUNT:
        raise GameError(
            f"MarkovGame: action_counts give more than {LARGEST_ROW_COUNT} rows; must be an enumerable game"
        )
    n_rows = int(game.offsets[-1])
    _validate_discount(game, n)
    _validate_rewards(game, n_rows, n)
    _validate_transitions(game, n_rows, n_states)
    _validate_exact(game)
    _validate_initial(game, n_states)


def _validate_discount(game: MarkovGame, n: int) -> None:
    discount = _array(game.discount, "discount", np.float64)
    if discount.ndim == 0:
        discount = np.full(n, float(discount))
    if discount.shape != (n,):
        raise GameError(f"MarkovGame: discount has shape {discount.shape}; must be one number or {n} numbers")
    for agent, factor in enumerate(discount.tolist()):
        if not 0 <= factor <= 1:
            raise GameError(
                f"MarkovGame: discount of agent {game.agent_name(agent)!r} is {factor}; must be in [0, 1]"
            )
    _freeze(game, "discount", discount)


def _validate_rewards(game: MarkovGame, n_rows: int, n: int) -> None:
    rewards = _array(game.rewards, "rewards", np.float64)
    if rewards.shape != (n_rows, n):
        raise GameError(f"MarkovGame: rewards have shape {rewards.shape}; must be (rows, n) = {(n_rows, n)}")
    wrong = ~(np.abs(rewards) <= LARGEST_REWARD)
    if wrong.any():
        row, agent = (int(index) for index in np.argwhere(wrong)[0])
        raise GameError(
            f"MarkovGame: reward of agent {game.agent_name(agent)!r} in {game.describe_row(row)} is "
            f"{rewards[row, agent]}; must be finite and at most {LARGEST_REWARD:g} in size"
        )
    _freeze(game, "rewards", rewards)


def _validate_transitions(game: MarkovGame, n_rows: int, n_states: int) -> None:
    if not sp.issparse(game.transitions):
        raise GameError(
            f"MarkovGame: transitions are {type(game.transitions).__name__}; must be a scipy sparse matrix "
            "(use MarkovGame.from_arrays for dense tables)"
        )
    if game.transitions.shape != (n_rows, n_states):
        raise GameError(
            f"MarkovGame: transitions have shape {game.transitions.shape}; "
            f"must be (rows, S) = {(n_rows, n_states)}"
        )
    if game.transitions.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: transitions have dtype {game.transitions.dtype}; must be numbers")
    stored = game.transitions.nnz
    matrix = sp.csr_array(game.transitions, dtype=np.float64, copy=True)
    if game.exact is not None and not matrix.has_sorted_indices:
        raise GameError("MarkovGame: columns of transitions are not ascending; must be, for exact numbers")
    # coo-like duplicates are summed silently by scipy; a game that has them is probably a mistake.
    matrix.sum_duplicates()
    if matrix.nnz != stored:
        raise GameError(
            f"MarkovGame: transitions hold {stored - matrix.nnz} duplicate entries; "
            "each (row, next state) must be given once"
        )
    matrix.sort_indices()
    if not np.isfinite(matrix.data).all() or (matrix.nnz and matrix.data.min() < 0):
        entry = int(np.flatnonzero(~np.isfinite(matrix.data) | (matrix.data < 0))[0])
        row = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
        raise GameError(
            f"MarkovGame: transition of {game.describe_row(row)} to state "
            f"{game.state_name(int(matrix.indices[entry]))!r} is {matrix.data[entry]}; must be at least 0"
        )
    if game.exact is None:
        matrix.eliminate_zeros()
    elif matrix.nnz and matrix.data.min() == 0:
        raise GameError("MarkovGame: a transition probability is too small for double precision")
    total = matrix.sum(axis=1)
    if game.termination is not None:
        total = total + _validate_termination(game, n_rows)
    wrong = np.flatnonzero(np.abs(total - 1) > ROW_SUM_TOLERANCE)
    if wrong.size:
        row = int(wrong[0])
        rest = " with their termination" if game.termination is not None else ""
        raise GameError(
            f"MarkovGame: transitions of {game.describe_row(row)} sum to {total[row]:.12g}{rest}; must be 1"
        )
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    object.__setattr__(game, "transitions", matrix)


def _validate_exact(game: MarkovGame) -> None:
    """Refuse exact numbers of which the doubles are not the rounded values."""
    exact = game.exact
    if exact is None:
        return
    n_rows, n = game.rewards.shape
    entries = game.transitions.data
    for name, shape in (
        ("reward_numerators", (n_rows, n)),
        ("reward_denominators", (n_rows,)),
        ("transition_numerators", entries.shape),
        ("transition_denominators", (n_rows,)),
        ("discount", (n,)),
    ):
        found = np.shape(getattr(exact, name))
        if found != shape:
            raise GameError(f"MarkovGame: exact {name} have shape {found}; must be {shape}")
    row_of_entry = np.repeat(np.arange(n_rows), np.diff(game.transitions.indptr))
    # Python divides integers with correct rounding.
    try:
        rewards = exact.reward_numerators / exact.reward_denominators[:, None]
        moves = exact.transition_numerators / exact.transition_denominators[row_of_entry]
    except (OverflowError, ZeroDivisionError):
        raise GameError("MarkovGame: an exact number is beyond double precision; must be a ratio") from None
    for name, rounded, doubles in (("rewards", rewards, game.rewards), ("transitions", moves, entries)):
        wrong = np.argwhere(rounded != doubles)
        if wrong.size:
            at = tuple(int(index) for index in wrong[0])
            row = at[0] if name == "rewards" else int(row_of_entry[at[0]])
            raise GameError(
                f"MarkovGame: {name} of {game.describe_row(row)} hold {doubles[at]}, exactly {rounded[at]}; "
                "must be the exact number, rounded"
            )
    for agent, (factor, double) in enumerate(zip(exact.discount, game.discount.tolist(), strict=True)):
        if float(factor) != double or not 0 <= factor <= 1:
            raise GameError(
                f"MarkovGame: discount of agent {game.agent_name(agent)!r} is {double}, exactly "
                f"{shown(factor)}; must be the exact number, rounded, in [0, 1]"
            )
    if not exact.holds_rationals(game.rewards, entries, row_of_entry):
        # All are doubles: one form for both keeps the game equal to itself after a file.
        object.__setattr__(game, "exact", None)


def _validate_termination(game: MarkovGame, n_rows: int) -> NDArray[np.float64]:
    ends = _array(game.termination, "termination", np.float64)
    if ends.shape != (n_rows,):
        raise GameError(f"MarkovGame: termination has shape {ends.shape}; must be (rows,) = {(n_rows,)}")
    bad = np.flatnonzero(~(ends >= 0) | ~np.isfinite(ends))
    if bad.size:
        raise GameError(
            f"MarkovGame: termination of {game.describe_row(int(bad[0]))} is {ends[bad[0]]}; "
            "must be at least 0"
        )
    # No termination at all and a vector of zeros mean the same; one form keeps files identical.
    _freeze(game, "termination", ends if ends.any() else None)
    return ends


def _validate_initial(game: MarkovGame, n_states: int) -> None:
    if game.initial is None:
        return
    initial = _array(game.initial, "initial", np.float64)
    if initial.shape != (n_states,):
        raise GameError(f"MarkovGame: initial has shape {initial.shape}; must be (S,) = {(n_states,)}")
    if not (initial >= 0).all() or abs(float(initial.sum()) - 1) > ROW_SUM_TOLERANCE:
        raise GameError(
            f"MarkovGame: initial distribution sums to {initial.sum():.12g} with least entry "
            f"{initial.min()}; must be probabilities that sum to 1"
        )
    _freeze(game, "initial", initial)


def _array(values: Any, name: str, dtype: type[np.float64] | type[np.int64]) -> NDArray[Any]:
    """Return an owned, contiguous copy with the wanted dtype; refuse what would change a value."""
    try:
        raw = np.asarray(values)
    except ValueError:
        raise GameError(f"MarkovGame: {name} are a ragged list; every axis must have one length") from None
    rule = "integers" if dtype is np.int64 else "numbers"
    if raw.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: {name} have dtype {raw.dtype}; must be {rule}")
    if dtype is np.int64 and not ((raw == np.floor(raw)) & (np.abs(raw) < 2.0**62)).all():
        raise GameError(f"MarkovGame: {name} are {shown(values)}; must be {rule}")
    return np.array(raw, dtype=dtype, order="C")


def _freeze(game: MarkovGame, name: str, value: NDArray[Any] | None) -> None:
    if value is not None:
        value.setflags(write=False)
    object.__setattr__(game, name, value)
