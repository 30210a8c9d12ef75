"""Make a counterexample small: fewer states, agents and actions, then simpler numbers, as long as it stays
one.

The moves, in this order, until none of them works:

1. leave out a state (moves into it end the episode), an agent (fixed at one of its actions), an action,
2. a smaller budget, episodes that end sooner, certain moves instead of uncertain ones, a simpler discount,
3. rewards, one by one: 0, ±1, a whole number, half, three quarters, one nearer to 0.

Each move makes the instance smaller in the order of `cost`, so that shrinking ends. What stays is *locally*
smallest: no single move is left. A candidate counts only if the judge says so, which is the check in exact
arithmetic.

Extras named "policy" (one array (S, max A_i) per agent) and "agent" follow the moves; actions that the
policy plays are not left out. Where there are other arrays among the extras, or a threat that is no budget,
only numbers shrink."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import ceil, floor
from time import monotonic
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import ExactArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.theory.engine.instance import Instance

SIMPLE_DISCOUNTS = (Fraction(0), Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(4, 5))

SIMPLER: tuple[Callable[[Fraction], int | Fraction], ...] = (
    lambda number: 0,
    lambda number: (number > 0) - (number < 0),
    round,
    floor,
    ceil,
    lambda number: int(number / 2),
    lambda number: int(number * 3 / 4),
    lambda number: int(number) - ((number > 0) - (number < 0)),
)
"""What a reward is replaced by: 0, ±1, whole numbers next to it, half of it, and so on."""

Judge = Callable[[Instance], bool]
Moves = tuple[tuple[Fraction, int], ...]


@dataclass(frozen=True)
class Draft:
    """An instance taken apart into tables that are easy to cut.

    Attributes
    ----------
    rewards : one object array (n, A1, ..., An) of Fractions per state
    moves : one object array (A1, ..., An) of tuples ((probability, next state), ...) per state
    discount : tuple of Fraction
    threat : ThreatModel
    extras : dict
    seed, family
        Of the instance.
    """

    rewards: tuple[ExactArray, ...]
    moves: tuple[ExactArray, ...]
    discount: tuple[Fraction, ...]
    threat: ThreatModel
    extras: dict[str, Any]
    seed: int
    family: str

    @classmethod
    def of(cls, instance: Instance) -> Draft:
        """Take an instance apart."""
        game = instance.game
        moves = []
        for state in range(game.n_states):
            table = np.empty(int(game.offsets[state + 1] - game.offsets[state]), dtype=object)
            for place in range(len(table)):
                table[place] = tuple(game.exact_moves(int(game.offsets[state]) + place))
            moves.append(table.reshape(game.action_counts[state].tolist()))
        rewards = tuple(exact_payoffs(game, state) for state in range(game.n_states))
        parts = (
            game.exact_discount(),
            instance.threat,
            dict(instance.extras),
            instance.seed,
            instance.family,
        )
        return cls(rewards, tuple(moves), *parts)

    def instance(self) -> Instance:
        """Put the instance together."""
        rows = [row for table in self.rewards for row in table.reshape(len(table), -1).T.tolist()]
        moves = [list(entry) for table in self.moves for entry in table.ravel()]
        game = MarkovGame.from_rows(
            [list(table.shape) for table in self.moves],
            rows,
            moves,
            list(self.discount),
            termination=[max(1 - sum((p for p, _ in row), Fraction(0)), Fraction(0)) for row in moves],
        )
        return Instance(game, self.threat, self.extras, self.seed, self.family)

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.discount)

    def cost(self) -> tuple[Any, ...]:
        """Return what shrinks: agents, states, joint actions, the rest in numbers."""
        entries = [number for table in self.rewards for number in table.ravel()]
        odds = [p for table in self.moves for row in table.ravel() for p, _ in row]
        return (
            self.n,
            len(self.rewards),
            sum(table.size for table in self.moves),
            self.threat.k or 0,
            len(odds) + sum(p.denominator - 1 for p in odds),
            sum(factor.numerator + factor.denominator for factor in self.discount),
            sum(abs(number.numerator) + number.denominator - 1 for number in entries),
        )


def shrink(
    instance: Instance, judge: Judge, *, deadline: float | None = None, attempts: int = 5000
) -> tuple[Instance, int]:
    """Return a locally smallest instance that the judge still accepts, and the number of attempts.

    Parameters
    ----------
    instance : Instance
        One that the judge accepts.
    judge : function
        Whether an instance is still a counterexample.
    deadline : float, optional
        Moment of `time.monotonic` after which no attempt is made; the best so far is returned, as it is on
        Ctrl-C.
    attempts : int
        The most attempts.
    """
    run = _Run(Draft.of(instance), judge, deadline, attempts)
    try:
        # What was accepted last is whole at any moment: an interrupt costs the attempt that it falls into.
        while True:
            while any(map(run.accepts, _simpler_shapes(run.best))):
                pass
            changed = [run.simplify(state, place) for state, place in _entries(run.best)]
            if not any(changed):
                break
    except (_OutOfBudget, KeyboardInterrupt):
        pass
    return run.best.instance(), run.tried


class _OutOfBudget(Exception):  # noqa: N818 - ends the run, is no error
    """No attempt or no time is left."""


class _Run:
    """The best instance so far, and what was tried."""

    def __init__(self, best: Draft, judge: Judge, deadline: float | None, attempts: int) -> None:
        self.best, self.judge, self.deadline, self.attempts = best, judge, deadline, attempts
        self.tried = 0

    def accepts(self, candidate: Draft) -> bool:
        """Take a candidate if it is smaller and still a counterexample."""
        if candidate.cost() >= self.best.cost():
            return False
        if self.tried >= self.attempts or (self.deadline is not None and monotonic() > self.deadline):
            raise _OutOfBudget
        self.tried += 1
        if self.judge(candidate.instance()):
            self.best = candidate
            return True
        return False

    def simplify(self, state: int, place: int) -> bool:
        """Replace one reward by the simplest number that does as well."""
        number = self.best.rewards[state].ravel()[place]
        options = dict.fromkeys(Fraction(simpler(number)) for simpler in SIMPLER)
        return any(self.accepts(_with_reward(self.best, state, place, value)) for value in options)


def _entries(draft: Draft) -> list[tuple[int, int]]:
    return [(state, place) for state, table in enumerate(draft.rewards) for place in range(table.size)]


def _with_reward(draft: Draft, state: int, place: int, value: Fraction) -> Draft:
    table = draft.rewards[state].copy()
    table.reshape(-1)[place] = value
    return replace(draft, rewards=(*draft.rewards[:state], table, *draft.rewards[state + 1 :]))


def _simpler_shapes(draft: Draft) -> Iterator[Draft]:
    budget = draft.threat.to_json().keys() <= {"k"}
    plain = all(name in ("policy", "agent") or not _holds_arrays(v) for name, v in draft.extras.items())
    if budget and plain:
        yield from _fewer_states(draft)
        yield from _fewer_agents(draft)
        yield from _fewer_actions(draft)
        if draft.threat.k:
            yield replace(draft, threat=ThreatModel(draft.threat.k - 1))
    yield from _simpler_moves(draft)
    for factor in SIMPLE_DISCOUNTS:
        yield replace(draft, discount=(factor,) * draft.n)
    for state, table in enumerate(draft.rewards):
        for agent in range(draft.n):
            zeroed = table.copy()
            zeroed[agent] = table[agent] * 0
            rewards = (*draft.rewards[:state], zeroed, *draft.rewards[state + 1 :])
            yield replace(draft, rewards=rewards)


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, tuple) and any(map(_holds_arrays, value)))


def _policy(draft: Draft) -> list[ExactArray] | None:
    return list(draft.extras["policy"]) if "policy" in draft.extras else None


def _fewer_states(draft: Draft) -> Iterator[Draft]:
    for gone in range(len(draft.rewards) if len(draft.rewards) > 1 else 0):
        moves = [
            _mapped(table, partial(_without, gone))
            for state, table in enumerate(draft.moves)
            if state != gone
        ]
        extras = dict(draft.extras)
        if (policy := _policy(draft)) is not None:
            extras["policy"] = _trimmed([np.delete(array, gone, axis=0) for array in policy], moves)
        rewards = tuple(table for state, table in enumerate(draft.rewards) if state != gone)
        yield replace(draft, rewards=rewards, moves=tuple(moves), extras=extras)


def _trimmed(policy: Sequence[ExactArray], moves: Sequence[ExactArray]) -> list[ExactArray]:
    """Return arrays (S, A_i) that are as wide as the largest number of actions that is left."""
    return [array[:, : max(table.shape[j] for table in moves)] for j, array in enumerate(policy)]


def _without(gone: int, row: Moves) -> Moves:
    """Return a row of moves in which the episode ends where it would come to a state that is gone."""
    return tuple((p, state - (state > gone)) for p, state in row if state != gone)


def _mapped(table: ExactArray, change: Callable[[Moves], Moves]) -> ExactArray:
    result = np.empty(table.size, dtype=object)
    for place, row in enumerate(table.ravel()):
        result[place] = change(row)
    return result.reshape(table.shape)


def _fewer_agents(draft: Draft) -> Iterator[Draft]:
    if draft.n == 1:
        return
    policy = _policy(draft)
    for agent in range(draft.n):
        if draft.extras.get("agent") == agent:
            continue
        for action in range(max(table.shape[agent] for table in draft.moves)):
            at = [min(action, table.shape[agent] - 1) for table in draft.moves]
            extras = dict(draft.extras)
            if policy is not None:
                if any(policy[agent][state, a] != 1 for state, a in enumerate(at)):
                    continue
                extras["policy"] = [array for j, array in enumerate(policy) if j != agent]
            if "agent" in extras:
                extras["agent"] -= extras["agent"] > agent
            rewards = tuple(
                np.delete(table, agent, axis=0).take(a, axis=agent + 1)
                for table, a in zip(draft.rewards, at, strict=True)
            )
            moves = tuple(table.take(a, axis=agent) for table, a in zip(draft.moves, at, strict=True))
            discount = draft.discount[:agent] + draft.discount[agent + 1 :]
            fewer = replace(draft, rewards=rewards, moves=moves, discount=discount, extras=extras)
            yield fewer
            if draft.threat.k:
                yield replace(fewer, threat=ThreatModel(draft.threat.k - 1))


def _fewer_actions(draft: Draft) -> Iterator[Draft]:
    """Leave out an action in one state, or in all states that have as many."""
    policy = _policy(draft)
    whole = [list(range(len(draft.moves)))] if len(draft.moves) > 1 else []
    for states in [*whole, *([state] for state in range(len(draft.moves)))]:
        for agent in range(draft.n):
            for action in range(min(draft.moves[state].shape[agent] for state in states)):
                if any(draft.moves[state].shape[agent] == 1 for state in states):
                    continue
                if policy is not None and any(policy[agent][state, action] for state in states):
                    continue
                rewards, moves, extras = list(draft.rewards), list(draft.moves), dict(draft.extras)
                for state in states:
                    rewards[state] = np.delete(rewards[state], action, axis=agent + 1)
                    moves[state] = np.delete(moves[state], action, axis=agent)
                if policy is not None:
                    array = policy[agent].copy()
                    for state in states:
                        array[state, action:-1] = array[state, action + 1 :].copy()
                        array[state, -1] = array[state, -1] * 0
                    extras["policy"] = _trimmed([*policy[:agent], array, *policy[agent + 1 :]], moves)
                yield replace(draft, rewards=tuple(rewards), moves=tuple(moves), extras=extras)


def _simpler_moves(draft: Draft) -> Iterator[Draft]:
    def replaced(state: int, table: ExactArray) -> Draft:
        return replace(draft, moves=(*draft.moves[:state], table, *draft.moves[state + 1 :]))

    for state, table in enumerate(draft.moves):
        yield replaced(state, _mapped(table, lambda row: ()))
        for place, row in enumerate(table.ravel()):
            options: list[Moves] = [()] if row else []
            if len(row) > 1 or (row and row[0][0] != 1):
                options.append(((Fraction(1), max(row)[1]),))
            for option in options:
                changed = _mapped(table, lambda entry: entry)
                changed.reshape(-1)[place] = option
                yield replaced(state, changed)
