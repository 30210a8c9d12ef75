"""Enumerate the reachable states of a game that is given as a step function, breadth first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from arneq_exact.errors import GameError, StateLimitError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames

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
    names = [str(i + 1) for i in range(agents)] if isinstance(agents, int) else list(agents)
    start = list(initial_states)
    if not start:
        raise GameError("explore: initial_states is empty; must hold at least one state")
    index: dict[State, int] = {}
    order: list[State] = []

    def number(state: State) -> int:
        if state not in index:
            if len(order) >= limit:
                raise StateLimitError(
                    f"explore: more than limit = {limit} states are reachable (the next one is "
                    f"{str(state)!r}); raise limit or make the game smaller"
                )
            index[state] = len(order)
            order.append(state)
        return index[state]

    for state in start:
        number(state)
    counts: list[list[int]] = []
    labels: list[list[list[str]]] = []
    rewards: list[Sequence[Any]] = []
    transitions: list[list[tuple[Any, int]]] = []
    termination: list[Any] = []
    expanded = 0
    while expanded < len(order):
        state = order[expanded]
        sets = actions(state) if callable(actions) else actions
        if len(sets) != len(names) or not all(len(choices) for choices in sets):
            raise GameError(
                f"explore: actions in state {str(state)!r} are {sets!r}; "
                f"must be at least one action for each of {len(names)} agents"
            )
        counts.append([len(choices) for choices in sets])
        labels.append([[str(action) for action in choices] for choices in sets])
        for joint in product(*sets):
            paid, moves = step(state, joint)
            if len(paid) != len(names):
                raise GameError(
                    f"explore: step in state {str(state)!r}, joint action {joint} returns {len(paid)} "
                    f"rewards; must be {len(names)}"
                )
            row: dict[int, Any] = {}
            end: Any = 0
            for probability, following in moves:
                if following is None:
                    end = end + probability
                elif probability != 0:
                    target = number(following)
                    row[target] = row[target] + probability if target in row else probability
            rewards.append(paid)
            transitions.append([(probability, target) for target, probability in row.items()])
            termination.append(end)
        expanded += 1
        if progress is not None:
            progress(expanded, len(order))
    initial = None
    if isinstance(initial_states, Mapping):
        initial = [initial_states.get(state, 0) for state in order]
    return MarkovGame.from_rows(
        counts,
        rewards,
        transitions,
        discount,
        termination=termination,
        initial=initial,
        names=GameNames.of(names, [str(state) for state in order], labels),
    )
