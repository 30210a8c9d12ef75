"""Names of agents, states and actions: kept where the caller gave them, numbers elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from arneq_exact.errors import GameError
from arneq_exact.exact.rationals import IntArray
from arneq_exact.require import shown


@dataclass(frozen=True)
class GameNames:
    """Names of a game; a part that is None is numbered.

    Attributes
    ----------
    agents : tuple of str, one per agent
    states : tuple of str, one per state
    actions : ``actions[state][agent][action]``
    """

    agents: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    actions: tuple[tuple[tuple[str, ...], ...], ...] | None = None

    @classmethod
    def of(
        cls,
        agents: Sequence[str] | None,
        states: Sequence[str] | None,
        actions: Sequence[Sequence[Sequence[str]]] | None,
    ) -> GameNames:
        """Freeze nested sequences of names."""
        # Games with one common list of actions share its tuple instead of one copy per state.
        shared: dict[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = {}

        def frozen(per_agent: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
            key = tuple(tuple(names) for names in per_agent)
            return shared.setdefault(key, key)

        for what, given in (("agents", agents), ("states", states), ("actions", actions)):
            if isinstance(given, str):
                raise GameError(f"MarkovGame: names of {what} are {shown(given)}; must be a list of names")
        try:
            return cls(
                None if agents is None else tuple(agents),
                None if states is None else tuple(states),
                None if actions is None else tuple(frozen(per_agent) for per_agent in actions),
            )
        except TypeError:
            raise GameError("MarkovGame: names of agents, states or actions are not lists of names") from None

    def canonical(self) -> GameNames:
        """Leave out parts that only spell the numbering: agents from 1, states and actions from 0.

        Files always spell the names; one form for both keeps a game equal to itself after a file.

        Examples
        --------
        >>> GameNames.of(["1", "2"], ["a"], None).canonical()
        GameNames(agents=None, states=('a',), actions=None)
        """
        return GameNames(
            None if _is_numbering(self.agents, 1) else self.agents,
            None if _is_numbering(self.states, 0) else self.states,
            None
            if self.actions is None
            or all(_is_numbering(names, 0) for per_agent in self.actions for names in per_agent)
            else self.actions,
        )

    def agent(self, agent: int) -> str:
        """Return the name of an agent, its number from 1 if it has none."""
        return self.agents[agent] if self.agents else str(agent + 1)

    def state(self, state: int) -> str:
        """Return the name of a state, its number from 0 if it has none."""
        return self.states[state] if self.states else str(state)

    def action(self, state: int, agent: int, action: int) -> str:
        """Return the name of an action, its number from 0 if it has none."""
        return self.actions[state][agent][action] if self.actions else str(action)

    def place(self, state: int, joint: tuple[int, ...]) -> str:
        """Name a row, by state and joint action, in an error message."""
        return f"state {self.state(state)!r}, joint action {joint}"

    def validate(self, action_counts: IntArray) -> None:
        """Refuse names that do not fit the sizes, are no strings, or occur twice in one list."""
        n_states, n = action_counts.shape
        if self.agents is not None:
            _check_list(self.agents, n, "agents")
        if self.states is not None:
            _check_list(self.states, n_states, "states")
        if self.actions is None:
            return
        if len(self.actions) != n_states:
            raise GameError(
                f"MarkovGame: names of actions are given for {len(self.actions)} states; must be {n_states}"
            )
        checked: set[tuple[int, tuple[int, ...]]] = set()
        for state, (per_agent, counts) in enumerate(zip(self.actions, action_counts.tolist(), strict=True)):
            if (id(per_agent), tuple(counts)) in checked:
                continue
            checked.add((id(per_agent), tuple(counts)))
            if len(per_agent) != n:
                raise GameError(
                    f"MarkovGame: names of actions in state {state} are given for {len(per_agent)} agents; "
                    f"must be {n}"
                )
            for agent, (names, count) in enumerate(zip(per_agent, counts, strict=True)):
                _check_list(names, int(count), f"actions of agent {agent + 1} in state {state}")


def _is_numbering(names: Sequence[str] | None, first: int) -> bool:
    return names is not None and all(name == str(number) for number, name in enumerate(names, first))


def _check_list(names: Sequence[str], count: int, what: str) -> None:
    if len(names) != count:
        raise GameError(f"MarkovGame: {len(names)} names of {what}; must be {count}")
    for name in names:
        if not isinstance(name, str) or not name:
            raise GameError(f"MarkovGame: {what} hold the name {shown(name)}; must be a non-empty string")
    if len(set(names)) < count:
        twice = next(name for name, times in Counter(names).items() if times > 1)
        raise GameError(f"MarkovGame: {what} hold the name {shown(twice)} twice; must be distinct")
