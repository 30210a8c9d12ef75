"""Complete validation of a game's parts, once, at its construction.

What comes back is canonical (contiguous float64 and int64, sorted CSR, one discount per agent), owned by the
game and read-only, so that everything below may rely on it without a check of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from arneq_exact import require
from arneq_exact.errors import GameError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.exact import ExactData
from arneq_exact.model.names import GameNames
from arneq_exact.model.row_layout import first_rows, joint_action_of

LARGEST_ROW_COUNT = 2**40
"""Far above what fits in memory, far below what overflows."""

LARGEST_COUNT = 2.0**62
"""Doubles below it turn into int64 without wrapping around."""

LARGEST_REWARD = 1e150
"""Solvers multiply payoffs; the product of two of these still fits in a double."""

ROW_SUM_TOLERANCE = 1e-9
"""Largest miss of a row's total probability; the miss is accounted for exactly in β [T12]."""


@dataclass(frozen=True, eq=False)
class GameParts:
    """The parts of a `MarkovGame`, as it has them: given in any form, canonical after `canonical_parts`."""

    rewards: FloatArray
    transitions: sp.csr_array
    action_counts: IntArray
    discount: FloatArray
    termination: FloatArray | None
    initial: FloatArray | None
    names: GameNames
    exact: ExactData | None


def canonical_parts(given: GameParts) -> GameParts:
    """Check every part of a game and return the parts in canonical, read-only form.

    Raises
    ------
    GameError
        With the place, the name, the value and the rule, in one line.
    """
    counts = _action_counts(given.action_counts)
    if not isinstance(given.names, GameNames):
        raise require.broken(given.names, "MarkovGame: names", "GameNames", GameError, "are")
    given.names.validate(counts)
    sizes = _Sizes(counts, given.names)
    parts = replace(
        given,
        action_counts=counts,
        names=given.names.canonical(),
        discount=_discount(given.discount, sizes),
        rewards=_rewards(given.rewards, sizes),
        termination=_termination(given.termination, sizes),
    )
    parts = replace(parts, transitions=_transitions(parts, sizes))
    return replace(
        parts,
        exact=None if parts.exact is None else _exact(parts, parts.exact, sizes),
        initial=_initial(given.initial, sizes),
    )


class _Sizes:
    """The sizes of a game, and its places in words for messages."""

    def __init__(self, counts: IntArray, names: GameNames) -> None:
        # In doubles first: the product of many counts wraps around in int64.
        if np.prod(counts, axis=1, dtype=np.float64).sum() > LARGEST_ROW_COUNT:
            raise GameError(
                f"MarkovGame: action_counts give more than {LARGEST_ROW_COUNT} rows; "
                "must be an enumerable game"
            )
        self.counts, self.names = counts, names
        self.n_states, self.n = counts.shape
        self.offsets = first_rows(counts)
        self.n_rows = int(self.offsets[-1])

    def row(self, row: int) -> str:
        """Name a row."""
        return self.names.place(*joint_action_of(self.counts, self.offsets, row))


def _action_counts(values: Any) -> IntArray:
    counts = _array(values, "action_counts", np.int64)
    if counts.ndim != 2 or counts.shape[0] < 1 or counts.shape[1] < 1:
        raise GameError(
            f"MarkovGame: action_counts have shape {counts.shape}; must be (S, n) "
            "with at least one state and one agent"
        )
    if counts.min() < 1:
        state, agent = (int(index) for index in np.argwhere(counts < 1)[0])
        raise GameError(
            f"MarkovGame: action count of agent {agent + 1} in state {state} is {counts[state, agent]}; "
            "must be at least 1"
        )
    return counts


def _discount(values: Any, sizes: _Sizes) -> FloatArray:
    discount = _array(values, "discount", np.float64)
    if discount.ndim == 0:
        discount = np.full(sizes.n, float(discount))
    discount = _shaped(discount, "discount has", (sizes.n,), f"one number or {sizes.n} numbers")
    for agent, factor in enumerate(discount.tolist()):
        where = f"MarkovGame: discount of agent {sizes.names.agent(agent)!r}"
        require.probability(factor, where, GameError)
    return discount


def _rewards(values: Any, sizes: _Sizes) -> FloatArray:
    shape = (sizes.n_rows, sizes.n)
    rewards = _shaped(_array(values, "rewards", np.float64), "rewards have", shape, f"(rows, n) = {shape}")
    wrong = ~(np.abs(rewards) <= LARGEST_REWARD)
    if wrong.any():
        row, agent = (int(index) for index in np.argwhere(wrong)[0])
        raise GameError(
            f"MarkovGame: reward of agent {sizes.names.agent(agent)!r} in {sizes.row(row)} is "
            f"{rewards[row, agent]}; must be finite and at most {LARGEST_REWARD:g} in size"
        )
    return rewards


def _termination(values: Any, sizes: _Sizes) -> FloatArray | None:
    if values is None:
        return None
    shape = (sizes.n_rows,)
    ends = _shaped(_array(values, "termination", np.float64), "termination has", shape, f"(rows,) = {shape}")
    bad = np.flatnonzero(~(ends >= 0) | ~np.isfinite(ends))
    if bad.size:
        raise GameError(
            f"MarkovGame: termination of {sizes.row(int(bad[0]))} is {ends[bad[0]]}; must be at least 0"
        )
    # No termination at all and a vector of zeros mean the same; one form keeps files identical.
    return ends if ends.any() else None


def _transitions(parts: GameParts, sizes: _Sizes) -> sp.csr_array:
    given, exact = parts.transitions, parts.exact
    if not sp.issparse(given):
        raise GameError(
            f"MarkovGame: transitions are {type(given).__name__}; must be a scipy sparse matrix "
            "(use MarkovGame.from_arrays for dense tables)"
        )
    shape = (sizes.n_rows, sizes.n_states)
    if given.shape != shape:
        raise GameError(f"MarkovGame: transitions have shape {given.shape}; must be (rows, S) = {shape}")
    if given.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: transitions have dtype {given.dtype}; must be numbers")
    matrix = sp.csr_array(given, dtype=np.float64, copy=True)
    if exact is not None and not matrix.has_sorted_indices:
        raise GameError("MarkovGame: columns of transitions are not ascending; must be, for exact numbers")
    # coo-like duplicates are summed silently by scipy; a game that has them is probably a mistake.
    matrix.sum_duplicates()
    if matrix.nnz != given.nnz:
        raise GameError(
            f"MarkovGame: transitions hold {given.nnz - matrix.nnz} duplicate entries; "
            "each (row, next state) must be given once"
        )
    matrix.sort_indices()
    if not np.isfinite(matrix.data).all() or (matrix.nnz and matrix.data.min() < 0):
        entry = int(np.flatnonzero(~np.isfinite(matrix.data) | (matrix.data < 0))[0])
        row = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
        raise GameError(
            f"MarkovGame: transition of {sizes.row(row)} to state "
            f"{sizes.names.state(int(matrix.indices[entry]))!r} is {matrix.data[entry]}; must be at least 0"
        )
    if exact is None:
        matrix.eliminate_zeros()
    elif matrix.nnz and matrix.data.min() == 0:
        raise GameError("MarkovGame: a transition probability is too small for double precision")
    _require_sums(matrix, parts.termination, sizes)
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    return matrix


def _require_sums(matrix: sp.csr_array, termination: FloatArray | None, sizes: _Sizes) -> None:
    total = matrix.sum(axis=1)
    if termination is not None:
        total = total + termination
    wrong = np.flatnonzero(np.abs(total - 1) > ROW_SUM_TOLERANCE)
    if wrong.size:
        row = int(wrong[0])
        rest = " with their termination" if termination is not None else ""
        raise GameError(
            f"MarkovGame: transitions of {sizes.row(row)} sum to {total[row]:.12g}{rest}; must be 1"
        )


def _exact(parts: GameParts, exact: ExactData, sizes: _Sizes) -> ExactData | None:
    """Refuse exact numbers of which the doubles are not the rounded values; None if all are doubles."""
    entries = parts.transitions.data
    for name, shape in (
        ("reward_numerators", parts.rewards.shape),
        ("reward_denominators", (sizes.n_rows,)),
        ("transition_numerators", entries.shape),
        ("transition_denominators", (sizes.n_rows,)),
        ("discount", (sizes.n,)),
    ):
        found = np.shape(getattr(exact, name))
        if found != shape:
            raise GameError(f"MarkovGame: exact {name} have shape {found}; must be {shape}")
    row_of_entry = np.repeat(np.arange(sizes.n_rows), np.diff(parts.transitions.indptr))
    # Python divides integers with correct rounding.
    try:
        rewards = exact.reward_numerators / exact.reward_denominators[:, None]
        moves = exact.transition_numerators / exact.transition_denominators[row_of_entry]
    except (OverflowError, ZeroDivisionError):
        raise GameError("MarkovGame: an exact number is beyond double precision; must be a ratio") from None
    for name, rounded, doubles in (("rewards", rewards, parts.rewards), ("transitions", moves, entries)):
        wrong = np.argwhere(rounded != doubles)
        if wrong.size:
            at = tuple(int(index) for index in wrong[0])
            row = at[0] if name == "rewards" else int(row_of_entry[at[0]])
            raise GameError(
                f"MarkovGame: {name} of {sizes.row(row)} hold {doubles[at]}, exactly {rounded[at]}; "
                "must be the exact number, rounded"
            )
    for agent, (factor, double) in enumerate(zip(exact.discount, parts.discount.tolist(), strict=True)):
        if float(factor) != double or not 0 <= factor <= 1:
            raise GameError(
                f"MarkovGame: discount of agent {sizes.names.agent(agent)!r} is {double}, exactly "
                f"{require.shown(factor)}; must be the exact number, rounded, in [0, 1]"
            )
    # Where all are doubles one form for both keeps the game equal to itself after a file.
    return exact if exact.holds_rationals(parts.rewards, entries, row_of_entry) else None


def _initial(values: Any, sizes: _Sizes) -> FloatArray | None:
    if values is None:
        return None
    shape = (sizes.n_states,)
    initial = _shaped(_array(values, "initial", np.float64), "initial has", shape, f"(S,) = {shape}")
    if not (initial >= 0).all() or abs(float(initial.sum()) - 1) > ROW_SUM_TOLERANCE:
        raise GameError(
            f"MarkovGame: initial distribution sums to {initial.sum():.12g} with least entry "
            f"{initial.min()}; must be probabilities that sum to 1"
        )
    return initial


def _array(values: Any, name: str, dtype: type[np.float64] | type[np.int64]) -> NDArray[Any]:
    """Return an owned, contiguous, read-only copy with the wanted dtype; refuse what would change a value."""
    try:
        raw = np.asarray(values)
    except ValueError:
        raise GameError(f"MarkovGame: {name} are a ragged list; every axis must have one length") from None
    rule = "integers" if dtype is np.int64 else "numbers"
    if raw.dtype.kind not in "iuf":
        raise GameError(f"MarkovGame: {name} have dtype {raw.dtype}; must be {rule}")
    if dtype is np.int64 and not ((raw == np.floor(raw)) & (np.abs(raw) < LARGEST_COUNT)).all():
        raise GameError(f"MarkovGame: {name} are {require.shown(values)}; must be {rule}")
    array = np.array(raw, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


def _shaped(array: NDArray[Any], what: str, shape: tuple[int, ...], rule: str) -> NDArray[Any]:
    if array.shape != shape:
        raise GameError(f"MarkovGame: {what} shape {array.shape}; must be {rule}")
    array.setflags(write=False)
    return array
