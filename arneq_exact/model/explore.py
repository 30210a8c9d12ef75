"""Enumerate the reachable states of a game that is given as a step function, breadth first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import GameError, StateLimitError
from arneq_exact.exact.rationals import double_or_fraction, to_fraction
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.require import shown

State = Hashable
Action = Hashable
Step = Callable[[Any, tuple[Any, ...]], tuple[Sequence[Any], Iterable[tuple[Any, Any]]]]
ActionSets = Sequence[Sequence[Any]] | Callable[[Any], Sequence[Sequence[Any]]]


def explore(
    initial_states: Iterable[State] | Mapping[State, Any],
    agents: Sequence[str] | int,
    actions: ActionSets,
    step: Step,
    discount: Any,
    *,
    limit: int = 100_000,
    progress: Callable[[int, int], None] | None = None,
) -> MarkovGame:
    """Build the Markov game of all states reachable from `initial_states`.

    Parameters
    ----------
    initial_states : iterable of hashable states, or {state: probability}
        A mapping also becomes the game's initial distribution.
    agents : names of the agents, or their number
    actions : one sequence of actions per agent, or ``actions(state)`` that returns that
        An action is any hashable with a distinct ``str``.
    step : ``step(state, joint_action) -> (rewards, [(probability, next_state), ...])``
        One reward per agent. ``None`` as next state ends the episode. A next state that occurs
        more than once has its probabilities added. Numbers may be rationals.
    discount : number or one per agent
    limit : int
        Most states to keep.
    progress : callable, optional
        Called as ``progress(states expanded, states found)`` after every state.

    Returns
    -------
    MarkovGame
        States in the order in which they were found, named by ``str(state)``.

    Raises
    ------
    StateLimitError
        If more than `limit` states are reachable.
    GameError
        If the step function returns something that is no game.

    Examples
    --------
    A countdown that one agent may stop:

    >>> def step(n, joint):
    ...     return [n], [(1, n - 1 if joint == ("go",) and n else None)]
    >>> explore([3], ["a"], [["go", "stop"]], step, 0.9).n_states
    4
    """
    if isinstance(agents, str | bool) or not isinstance(agents, int | Sequence) or not agents:
        rule = "at least one name or their number"
        raise require.broken(agents, "explore: agents", rule, GameError, "are")
    names = [str(i + 1) for i in range(agents)] if isinstance(agents, int) else list(agents)
    if not isinstance(initial_states, Iterable):
        rule = "an iterable of states"
        raise require.broken(initial_states, "explore: initial_states", rule, GameError, "are")
    found = _Found(limit)
    for state in initial_states:
        found.number(state)
    if not found.order:
        raise GameError("explore: initial_states is empty; must hold at least one state")
    counts: list[list[int]] = []
    labels: list[list[list[str]]] = []
    rows = _Rows()
    while len(counts) < len(found.order):
        state = found.order[len(counts)]
        sets = actions(state) if callable(actions) else actions
        if not _are_action_sets(sets, len(names)):
            raise GameError(
                f"explore: actions in state {str(state)!r} are {shown(sets)}; "
                f"must be at least one action for each of {len(names)} agents"
            )
        counts.append([len(choices) for choices in sets])
        labels.append([[str(action) for action in choices] for choices in sets])
        for joint in product(*sets):
            where = f"explore: step in state {str(state)!r}, joint action {joint}"
            rows.add(*_rewards_and_moves(step(state, joint), len(names), where), found)
        if progress is not None:
            progress(len(counts), len(found.order))
    initial = None
    if isinstance(initial_states, Mapping):
        initial = [initial_states.get(state, 0) for state in found.order]
    return MarkovGame.from_rows(
        counts,
        rows.rewards,
        rows.transitions,
        discount,
        termination=rows.termination,
        initial=initial,
        names=GameNames.of(names, [str(state) for state in found.order], labels),
    )


class _Found:
    """The states met so far, numbered in the order in which they were found."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.order: list[State] = []
        self._index: dict[State, int] = {}

    def number(self, state: State) -> int:
        """Return the number of a state, a new one if it is new."""
        if not isinstance(state, Hashable):
            raise GameError(f"explore: state {shown(state)} is not hashable; must be, such as a tuple")
        if state not in self._index:
            if len(self.order) >= self.limit:
                raise StateLimitError(
                    f"explore: more than limit = {self.limit} states are reachable (the next one is "
                    f"{str(state)!r}); raise limit or make the game smaller"
                )
            self._index[state] = len(self.order)
            self.order.append(state)
        return self._index[state]


class _Rows:
    """The rows of the states expanded so far."""

    def __init__(self) -> None:
        self.rewards: list[Sequence[Any]] = []
        self.transitions: list[list[tuple[Any, int]]] = []
        self.termination: list[float | Fraction] = []

    def add(
        self, paid: list[float | Fraction], moves: Iterator[tuple[float | Fraction, Any]], found: _Found
    ) -> None:
        """Add a row; next states that occur twice have their probabilities added."""
        row: dict[int | None, float | Fraction] = {}
        for probability, following in moves:
            if probability != 0:
                target = None if following is None else found.number(following)
                row[target] = _sum(row[target], probability) if target in row else probability
        self.rewards.append(paid)
        self.termination.append(row.pop(None, 0.0))
        self.transitions.append([(total, target) for target, total in row.items() if target is not None])


def _are_action_sets(sets: Any, n: int) -> bool:
    def has_length(value: Any) -> bool:
        return isinstance(value, Sequence | np.ndarray)

    return (
        has_length(sets) and len(sets) == n and all(has_length(choices) and len(choices) for choices in sets)
    )


def _rewards_and_moves(
    result: Any, n: int, where: str
) -> tuple[list[float | Fraction], Iterator[tuple[float | Fraction, Any]]]:
    """Take apart what `step` returned; errors that `step` itself raises are not touched."""
    try:
        paid, moves = result
        given = list(paid)
        pairs = iter(moves)
    except (TypeError, ValueError):
        raise GameError(
            f"{where} returns {shown(result)}; must be (rewards, [(probability, next state), ...])"
        ) from None
    if len(given) != n:
        raise GameError(f"{where} returns {len(given)} rewards; must be {n}")
    return [double_or_fraction(reward, f"{where}: reward", GameError) for reward in given], _moves(
        pairs, where
    )


def _moves(pairs: Iterator[Any], where: str) -> Iterator[tuple[float | Fraction, Any]]:
    for pair in pairs:
        try:
            probability, following = pair
        except (TypeError, ValueError):
            raise GameError(
                f"{where} returns the move {shown(pair)}; must be (probability, next state)"
            ) from None
        exact = to_fraction(probability, f"{where}: probability", GameError)
        if exact < 0:
            raise GameError(f"{where}: probability is {shown(probability)}; must be at least 0")
        # What is written as a rational is added as a rational, what is a double as a double.
        yield float(probability) if isinstance(probability, float) else exact, following


def _sum(first: float | Fraction, second: float | Fraction) -> float | Fraction:
    if isinstance(first, float) and isinstance(second, float):
        return first + second
    return Fraction(first) + Fraction(second)
