"""Backward induction in rational numbers [T14]: exact policies, attacks and values.

Where stage games of rational data have rational equilibria (two agents, or a threat that decouples), so has
a game that ends after T steps: V_T = 0, and V_t is the stage value at the exact backup of V_{t+1}. The same
holds without a horizon where no state comes again, one-shot games first of all, and where the discount is
0. Then states are solved in an order in which all successors come first, and the policy is stationary.

The price is length. The probabilities of a mixed stage equilibrium are ratios of determinants of payoffs,
so that a step multiplies the number of digits by the number of actions or so, and T steps by its T-th
power; play that stays pure adds a few digits a step. Hence the budget: as soon as a probability or a value
needs more than `bits` bits above or below the line, `StageError` tells at which step and state. Integers
inside a stage game may be `SPACE` times as long, since factors cancel at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.resolve import resolve
from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import LARGEST_BITS
from arneq_exact.markov.horizon import require_horizon
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.exact_stage import ExactStage, ExactStageSolver

ObjectArray = NDArray[Any]
SPACE = 16
"""Length of integers inside a stage game, in units of the budget."""

MOST_BITS = LARGEST_BITS
"""The largest budget: longer numbers have no place in a certificate's file."""


@dataclass(frozen=True)
class ExactEquilibrium:
    """An ARNEQ in Fractions, with its proof.

    Attributes
    ----------
    policy : one object array (S, max A_i) per agent, (T, S, max A_i) with a horizon
    attack : one object array (S, max C_i) per agent, or (T, S, max C_i)
        Optimal mixtures of the attackers.
    values : (n, S), or (T+1, n, S)
    worst : one array (S,) of int per agent, or (T, S)
        Columns of the worst attack on the policy.
    """

    policy: tuple[ObjectArray, ...]
    attack: tuple[ObjectArray, ...]
    values: ObjectArray
    worst: tuple[NDArray[np.int64], ...]


def exact_equilibrium(
    game: MarkovGame,
    threat: ThreatModel,
    horizon: int | None,
    *,
    bits: int = MOST_BITS,
    report: Callable[[str], None] = lambda line: None,
) -> ExactEquilibrium:
    """Return an exact ARNEQ of a finite horizon, or of a game in which no state comes again.

    Parameters
    ----------
    game, threat
    horizon : int or None
    bits : int
        Longest numerator or denominator of a probability or a value.
    report : callable
        Called once per step with a line of progress.

    Raises
    ------
    StageError
        If the class of game has no rational answer in general, or `bits` do not suffice.
    InputError
        If the horizon is no positive integer.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[2, 0], [0, 1]], [[0, 1], [1, 0]]])
    >>> exact_equilibrium(game, ThreatModel(0), None).values.tolist()
    [[Fraction(2, 3)], [Fraction(1, 2)]]
    """
    induction = _Induction(game, threat, bits)
    n, n_states = game.n_agents, game.n_states
    if horizon is None:
        order = _successors_first(game)
        values = _zeros((n, n_states))
        report(f"exact arithmetic, {n_states} states")
        stages = {state: induction.solve(state, values, into=values) for state in order}
        steps = [[stages[state] for state in range(n_states)]]
    else:
        require_horizon(game, horizon)
        values = _zeros((horizon + 1, n, n_states))
        steps = []
        for step in reversed(range(horizon)):
            report(f"exact arithmetic, step {step} of {horizon}")
            now, later, where = values[step], values[step + 1], f"step {step}, "
            steps.append([induction.solve(s, later, into=now, where=where) for s in range(n_states)])
        steps.reverse()
    first = 0 if horizon is None else slice(None)
    return ExactEquilibrium(
        tuple(_table([[stage.policy[i] for stage in row] for row in steps])[first] for i in range(n)),
        tuple(_table([[stage.attack[i] for stage in row] for row in steps])[first] for i in range(n)),
        values,
        tuple(np.array([[stage.worst[i] for stage in row] for row in steps])[first] for i in range(n)),
    )


class _Induction:
    """The exact data of a game, row by row, and its stage solver."""

    def __init__(self, game: MarkovGame, threat: ThreatModel, bits: int) -> None:
        self.game, self.bits = game, bits
        self.discount = game.exact_discount()
        self.attackers = resolve(game, threat)
        if game.n_agents != 2:
            # For other numbers of agents all states are within the classes, or none is.
            self._solver(0)

    def _solver(self, state: int) -> ExactStageSolver:
        return ExactStageSolver(self.attackers.of(state), SPACE * self.bits)

    def solve(self, state: int, later: ObjectArray, *, into: ObjectArray, where: str = "") -> ExactStage:
        """Solve the stage game of a state after which `later` (n, S) is earned; write its values."""
        game = self.game
        counts = tuple(int(a) for a in game.action_counts[state])
        rows = range(int(game.offsets[state]), int(game.offsets[state + 1]))
        moves = [game.exact_moves(row) for row in rows]
        payoffs = []
        for agent in range(game.n_agents):
            table = np.empty(len(rows), dtype=object)
            table[:] = [
                game.exact_reward(row, agent)
                + self.discount[agent] * sum((p * later[agent, to] for p, to in move), Fraction(0))
                for row, move in zip(rows, moves, strict=True)
            ]
            payoffs.append(table.reshape(counts))
        where = f"at {where}state {game.state_name(state)!r}"
        self._require_short((entry for table in payoffs for entry in table.flat), where)
        try:
            found = self._solver(state).solve(payoffs)
        except StageError as error:
            raise StageError(f"{where}: {error}") from None
        answer = [*found.policy, *found.attack, found.value]
        self._require_short((entry for row in answer for entry in row), where)
        into[:, state] = found.value
        return found

    def _require_short(self, numbers: Iterable[Fraction], where: str) -> None:
        longest = max(
            max(number.numerator.bit_length(), number.denominator.bit_length()) for number in numbers
        )
        if longest > self.bits:
            raise StageError(f"{where} a number of {longest} bits is needed, the budget is {self.bits}")


def _successors_first(game: MarkovGame) -> list[int]:
    """Return the states so that all that follow a state, other than at discount 0, stand before it.

    Raises
    ------
    StageError
        If some state can come again.
    """
    pointers, successors = game.transitions.indptr, game.transitions.indices
    following: list[set[int]] = []
    for state in range(game.n_states):
        first, last = int(game.offsets[state]), int(game.offsets[state + 1])
        span = successors[int(pointers[first]) : int(pointers[last])]
        following.append(set(map(int, span)) if game.discount.any() else set())
    order: list[int] = []
    waiting = [len(after) for after in following]
    before: list[list[int]] = [[] for _ in following]
    for state, after in enumerate(following):
        for other in after:
            before[other].append(state)
    ready = [state for state, count in enumerate(waiting) if count == 0]
    while ready:
        order.append(ready.pop())
        for state in before[order[-1]]:
            waiting[state] -= 1
            if waiting[state] == 0:
                ready.append(state)
    if len(order) < game.n_states:
        state = next(state for state, count in enumerate(waiting) if count)
        raise StageError(
            f"without a horizon, play from state {game.state_name(state)!r} can go on without end, "
            "and values need not be rational"
        )
    return order


def _zeros(shape: tuple[int, ...]) -> ObjectArray:
    return np.full(shape, Fraction(0), dtype=object)


def _table(steps: list[list[list[Fraction]]]) -> ObjectArray:
    """Return ragged rows as one array (T, S, widest), padded with zeros."""
    widest = max(len(row) for step in steps for row in step)
    table = _zeros((len(steps), len(steps[0]), widest))
    for t, step in enumerate(steps):
        for state, row in enumerate(step):
            table[t, state, : len(row)] = row
    return table
