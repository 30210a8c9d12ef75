"""Names of agents, states and actions: kept where the caller gave them, numbers elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arneq_exact.errors import GameError


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

        return cls(
            None if agents is None else tuple(agents),
            None if states is None else tuple(states),
            None if actions is None else tuple(frozen(per_agent) for per_agent in actions),
        )

    def validate(self, action_counts: Sequence[Sequence[int]]) -> None:
        """Refuse names that do not fit the sizes, are no strings, or occur twice in one list."""
        n = len(action_counts[0])
        if self.agents is not None:
            _check_list(self.agents, n, "agents")
        if self.states is not None:
            _check_list(self.states, len(action_counts), "states")
        if self.actions is None:
            return
        if len(self.actions) != len(action_counts):
            raise GameError(
                f"MarkovGame: names of actions are given for {len(self.actions)} states; "
                f"must be {len(action_counts)}"
            )
        checked: set[tuple[int, tuple[int, ...]]] = set()
        for state, (per_agent, counts) in enumerate(zip(self.actions, action_counts, strict=True)):
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


def _check_list(names: Sequence[str], count: int, what: str) -> None:
    if len(names) != count:
        raise GameError(f"MarkovGame: {len(names)} names of {what}; must be {count}")
    for name in names:
        if not isinstance(name, str) or not name:
            raise GameError(f"MarkovGame: {what} has the name {name!r}; must be a non-empty string")
    if len(set(names)) < count:
        twice = next(name for name in names if list(names).count(name) > 1)
        raise GameError(f"MarkovGame: {what} has the name {twice!r} twice; must be distinct")
