"""The Markov game: one row per (state, joint action), enumerated explicitly.

Rows are grouped by state; within a state the joint actions stand in C order of that state's action
counts (the last agent's action runs fastest). State-dependent action sets and sparse transitions come
for free, and the Bellman backup of all agents is one sparse product.

Transition rows must sum to 1 together with their declared `termination`: probability that is missing
without being declared is refused, because a forgotten successor looks just like an ending episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from arneq_exact import require
from arneq_exact.errors import GameError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model import build_game
from arneq_exact.model.content_hash import content_hash
from arneq_exact.model.exact import ExactData
from arneq_exact.model.names import GameNames
from arneq_exact.model.row_layout import first_rows, joint_action_of
from arneq_exact.model.validation import GameParts, canonical_parts


@dataclass(frozen=True, eq=False)
class MarkovGame:
    """A finite general-sum Markov game in row layout.

    Parameters
    ----------
    rewards : (rows, n) float
        Expected immediate rewards, one row per (state, joint action).
    transitions : (rows, S) sparse
        Probabilities of the next state. Kept as canonical CSR; duplicate entries are refused.
    action_counts : (S, n) int
        Number of actions of each agent in each state, at least 1.
    discount : float or (n,)
        Discount of all agents, or one per agent, in [0, 1]. A discount of 1 is for finite horizons.
    termination : (rows,) float, optional
        Probability that the episode ends after this row, with continuation value 0. The row's
        transitions and its termination must sum to 1 within 1e-9.
    initial : (S,) float, optional
        Initial distribution; only a label, no solver depends on it.
    names : GameNames, optional
        Names of agents, states and actions; numbers where absent.
    exact : ExactData, optional
        The rationals of which the floats are the rounded values; set by the constructors that
        accept rational input (`from_arrays`, `from_rows`, `one_shot`, `explore`, JSON files).

    Raises
    ------
    GameError
        Names the place, the value and the rule that it breaks.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> game.n_agents, game.n_states, game.n_rows
    (2, 1, 4)
    """

    rewards: FloatArray
    transitions: sp.csr_array
    action_counts: IntArray
    discount: FloatArray
    termination: FloatArray | None = None
    initial: FloatArray | None = None
    names: GameNames = field(default_factory=GameNames)
    exact: ExactData | None = None

    def __post_init__(self) -> None:
        given = GameParts(**{part.name: getattr(self, part.name) for part in fields(self)})
        canonical = canonical_parts(given)
        for part in fields(self):
            object.__setattr__(self, part.name, getattr(canonical, part.name))

    # -- constructors ---------------------------------------------------------------------------

    @classmethod
    def from_arrays(
        cls,
        rewards: Any,
        transitions: Any,
        discount: Any,
        *,
        termination: Any = None,
        initial: Any = None,
        agents: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        actions: Sequence[Sequence[str]] | None = None,
    ) -> MarkovGame:
        """Build a game from dense tables; every state has the same action counts.

        Numbers may be floats, ints, Fractions or strings "p/q"; if any is not a float, the game
        keeps its exact rationals.

        Parameters
        ----------
        rewards : (n, S, A1, ..., An)
        transitions : (S, A1, ..., An, S)
        discount : number or n numbers
        termination : (S, A1, ..., An), optional
        initial : (S,), optional
        agents, states, actions : names, optional
            `actions` holds one list of names per agent.

        Examples
        --------
        >>> game = MarkovGame.from_arrays([[[1, "1/3"]]], [[[1], [1]]], "9/10")
        >>> game.exact.reward(1, 0)
        Fraction(1, 3)
        """
        parts = build_game.from_dense(rewards, transitions, discount, termination, initial)
        count = parts["action_counts"].shape[0]
        per_state = None if actions is None else [actions] * count
        return cls(**parts, names=GameNames.of(agents, states, per_state))

    @classmethod
    def from_rows(
        cls,
        action_counts: Any,
        rewards: Sequence[Sequence[Any]],
        transitions: Sequence[Sequence[tuple[Any, int]]],
        discount: Any,
        *,
        termination: Sequence[Any] | None = None,
        initial: Any = None,
        names: GameNames | None = None,
    ) -> MarkovGame:
        """Build a game from one entry per (state, joint action).

        Parameters
        ----------
        action_counts : (S, n)
        rewards : one sequence of n numbers per row
        transitions : one sequence of (probability, next state index) per row
        discount : number or n numbers
        termination : one number per row, optional
        initial : (S,), optional
        names : GameNames, optional
        """
        parts = build_game.from_rows(action_counts, rewards, transitions, discount, termination, initial)
        return cls(**parts, names=names or GameNames())

    @classmethod
    def one_shot(
        cls,
        payoffs: Any,
        *,
        agents: Sequence[str] | None = None,
        actions: Sequence[Sequence[str]] | None = None,
    ) -> MarkovGame:
        """Build a one-shot (normal-form) game: one state whose every joint action ends the episode.

        Parameters
        ----------
        payoffs : (n, A1, ..., An)
            Payoffs of each agent; the discount is 0.

        Examples
        --------
        >>> MarkovGame.one_shot([[3, 1, 2]]).n_agents
        1
        """
        parts = build_game.from_one_shot(payoffs)
        return cls(**parts, names=GameNames.of(agents, None, None if actions is None else [actions]))

    # -- sizes ----------------------------------------------------------------------------------

    @property
    def n_agents(self) -> int:
        """Number n of agents."""
        return int(self.action_counts.shape[1])

    @property
    def n_states(self) -> int:
        """Number S of states."""
        return int(self.action_counts.shape[0])

    @property
    def n_rows(self) -> int:
        """Number of (state, joint action) pairs."""
        return int(self.rewards.shape[0])

    @cached_property
    def offsets(self) -> IntArray:
        """First row of each state, and the number of rows at the end: (S+1,)."""
        return first_rows(self.action_counts)

    @cached_property
    def signature_groups(self) -> tuple[tuple[IntArray, tuple[int, ...]], ...]:
        """States grouped by their action counts: pairs of (state indices, counts)."""
        signatures, label = np.unique(self.action_counts, axis=0, return_inverse=True)
        label = label.reshape(-1)
        return tuple(
            (np.flatnonzero(label == group).astype(np.int64), tuple(int(a) for a in counts))
            for group, counts in enumerate(signatures)
        )

    def rows_of(self, states: IntArray, size: int) -> IntArray:
        """Return the rows (len(states), size) of states that all have `size` joint actions."""
        return self.offsets[states][:, None] + np.arange(size, dtype=np.int64)[None, :]

    def state_number(self, state: Any, where: str) -> int:
        """Return the number of a state as an int; refuse what is none.

        Raises
        ------
        InputError, GameError
            With `where`, the value and the rule.
        """
        number = require.whole(state, where, at_least=0)
        rule = f"a state from 0 to {self.n_states - 1}"
        return require.whole(number, where, at_least=0, at_most=self.n_states - 1, rule=rule, error=GameError)

    # -- facts ----------------------------------------------------------------------------------

    @cached_property
    def reward_range(self) -> FloatArray:
        """Per agent max r − min r, or 1 where rewards are constant: the unit of `tol`."""
        spread: FloatArray = self.rewards.max(axis=0) - self.rewards.min(axis=0)
        return np.where(spread > 0, spread, 1.0)

    def exact_reward_range(self) -> tuple[Fraction, ...]:
        """Per agent the exact max r − min r, or 1 where rewards are constant."""
        ranges = []
        for agent in range(self.n_agents):
            if self.exact is None:  # doubles are compared before two of them become Fractions
                column = self.rewards[:, agent]
                spread = Fraction(float(column.max())) - Fraction(float(column.min()))
            else:
                paid = [self.exact_reward(row, agent) for row in range(self.n_rows)]
                spread = max(paid) - min(paid)
            ranges.append(spread or Fraction(1))
        return tuple(ranges)

    @property
    def first_states(self) -> FloatArray:
        """Where episodes begin, (S,): the initial distribution, uniform if there is none."""
        return np.full(self.n_states, 1 / self.n_states) if self.initial is None else self.initial

    @cached_property
    def largest_row_sum(self) -> float:
        """The largest row sum of the transitions, as a double (the checkers take it exactly)."""
        return float(self.transitions.sum(axis=1).max())

    @property
    def contraction(self) -> FloatArray:
        """Per agent discount · largest row sum: the modulus β of the backup."""
        return self.discount * self.largest_row_sum

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the canonical exact content (numbers only; the same for JSON and npz)."""
        return content_hash(self.action_counts, self.discount, self.rewards, self.transitions, self.exact)

    # -- exact numbers: the rationals of a game that keeps them, else its doubles at their word ----

    def exact_reward(self, row: int, agent: int) -> Fraction:
        """Return the exact reward of an agent in a row."""
        if self.exact is None:
            return Fraction(self.rewards.item(row, agent))
        return self.exact.reward(row, agent)

    def exact_moves(self, row: int) -> list[tuple[Fraction, int]]:
        """Return the exact transitions of a row as pairs (probability, next state)."""
        start, stop = self.transitions.indptr[row : row + 2].tolist()
        states = self.transitions.indices[start:stop].tolist()
        if self.exact is None:
            return list(zip(map(Fraction, self.transitions.data[start:stop].tolist()), states, strict=True))
        return list(zip(self.exact.moves(row, start, stop), states, strict=True))

    def exact_discount(self) -> tuple[Fraction, ...]:
        """Per agent the discount as an exact rational."""
        return self.exact.discount if self.exact else tuple(map(Fraction, self.discount.tolist()))

    def require_discounting(self, where: str) -> None:
        """Refuse a game whose backup is no contraction, where an infinite horizon is meant."""
        for agent, modulus in enumerate(self.contraction):
            if modulus >= 1:
                raise GameError(
                    f"{where}: discount of agent {self.agent_name(agent)!r} is {self.discount[agent]:g}; "
                    "must be below 1 unless a finite horizon is given"
                )

    # -- names ----------------------------------------------------------------------------------

    def agent_name(self, agent: int) -> str:
        """Return the name of an agent, its number from 1 if it has none."""
        return self.names.agent(agent)

    def state_name(self, state: int) -> str:
        """Return the name of a state, its number from 0 if it has none."""
        return self.names.state(state)

    def action_name(self, state: int, agent: int, action: int) -> str:
        """Return the name of an action, its number from 0 if it has none."""
        return self.names.action(state, agent, action)

    def joint_action_of(self, row: int) -> tuple[int, tuple[int, ...]]:
        """Return (state, joint action) of a row."""
        return joint_action_of(self.action_counts, self.offsets, row)

    def describe_size(self) -> str:
        """Return the numbers of agents and states in words."""
        return f"{_counted(self.n_agents, 'agent')}, {_counted(self.n_states, 'state')}"

    def same_as(self, other: MarkovGame) -> bool:
        """Tell whether two games have the same numbers, names and initial distribution."""
        if not isinstance(other, MarkovGame):
            return False

        def equal(mine: FloatArray | None, theirs: FloatArray | None) -> bool:
            if mine is None or theirs is None:
                return mine is theirs
            return np.array_equal(mine, theirs)

        return (
            np.array_equal(self.action_counts, other.action_counts)
            and self.content_hash == other.content_hash
            and (self.exact is None) == (other.exact is None)
            and equal(self.termination, other.termination)
            and equal(self.initial, other.initial)
            and self.names == other.names
        )

    def __repr__(self) -> str:
        kind = ", exact rationals" if self.exact else ""
        return f"MarkovGame({self.describe_size()}, {_counted(self.n_rows, 'row')}{kind})"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
