"""Deterministic environments of other libraries, enumerated into a Markov game by `explore`.

An environment with the interface of PettingZoo's `ParallelEnv` or of gymnasium's `Env` (one agent) is put
into every state that it can reach, and stepped for every joint action there. It is put back by its own
`set_state`, or by stepping a deep copy made on arrival. Nothing is imported from those libraries.

A step must be a deterministic function of the state, and the *key* by which states are told apart must hold
all that matters. Both are checked: every step is taken twice, with differently seeded random generators, and
from a state that was reached in two ways once from each; outcomes must be equal. A random event too rare to
happen in one of two tries, or a difference that shows only several steps later, can pass.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from arneq_exact import require
from arneq_exact.errors import GameError, InputError
from arneq_exact.interop.adapter import WHERE, Adapter, Joint
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.require import shown

TRUNCATIONS = ("refuse", "end")


class _Arrival(NamedTuple):
    """How to go on from a state: a copy of the environment, or what its `set_state` takes."""

    saved: Any
    actions: tuple[tuple[Any, ...], ...]
    way: tuple[Hashable, ...]


class _Outcome(NamedTuple):
    """What a step leads to; `state` is None at the end."""

    rewards: tuple[Any, ...]
    state: Hashable


def from_environment(
    env: Any,
    *,
    discount: Any,
    key: Callable[[Any], Any] | None = None,
    seeds: Iterable[int] = (0,),
    truncation: str = "refuse",
    limit: int = 100_000,
    progress: Callable[[int, int], None] | None = None,
) -> MarkovGame:
    """Enumerate a deterministic environment into a Markov game.

    Parameters
    ----------
    env : ParallelEnv or gymnasium.Env
        With `Discrete` action spaces. If it has the methods `get_state` and `set_state`, these are used;
        else it is copied by `copy.deepcopy` and left as it is. Action masks are read from infos or
        observations as ``action_mask``. An agent that leaves before the others has one action, "gone",
        from then on, and rewards of 0 unless it is paid.
    discount : number or one per agent
    key : ``key(env)``, optional
        Returns what tells states apart: a hashable with a distinct ``str``, which becomes the state's name.
        By default what `get_state()` returns, else PettingZoo's `state()` where it is there, else the
        observations. Arrays, lists and mappings are turned into tuples.
    seeds : iterable of int
        Seeds of ``env.reset(seed=...)``; the states it leads to are where enumeration starts, and their
        frequencies the initial distribution.
    truncation : {"refuse", "end"}
        Whether a truncated episode is refused, because a time limit has no place in a stationary game, or
        taken as ended.
    limit, progress
        As in `arneq_exact.explore`.

    Returns
    -------
    MarkovGame

    Raises
    ------
    GameError
        If a step is not deterministic, the key tells too little, or the environment is no such game.
    StateLimitError
        If more than `limit` states are reachable.

    Notes
    -----
    The cost is two or three steps for every row of the game and, without `set_state`, as many deep copies.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> from arneq_exact.interop.pettingzoo import to_parallel_env
    >>> chain = catalog.load("static-chain")
    >>> env = to_parallel_env(chain, start=0)
    >>> again = from_environment(env, discount="9/10", key=lambda env: chain.state_name(env.here))
    >>> again.names.states, again.content_hash == chain.content_hash
    (('s1', 's2'), True)
    """
    require.that(truncation in TRUNCATIONS, truncation, f"{WHERE}: truncation", "refuse or end")
    require.optional(require.function, key, f"{WHERE}: key", rule="a function of the environment")
    given = seeds if isinstance(seeds, Iterable) else [seeds]
    starts = [require.whole(seed, f"{WHERE}: seed", at_least=0) for seed in given]
    if not starts:
        raise InputError(f"{WHERE}: seeds are empty; must be at least one")
    found = _Enumeration(Adapter(env), key, truncation == "end")
    first: dict[Hashable, Fraction] = {}
    for seed in starts:
        state = found.start(seed)
        first[state] = first.get(state, Fraction(0)) + Fraction(1, len(starts))
    game = explore(
        first, found.adapter.names, found.actions, found.step, discount, limit=limit, progress=progress
    )
    found.compare_late_arrivals()
    return game


class _Enumeration:
    """The states met so far, each with one arrival or with two that came by different ways."""

    def __init__(self, adapter: Adapter, key: Callable[[Any], Any] | None, may_truncate: bool) -> None:
        self.adapter = adapter
        self._key = key
        self._may_truncate = may_truncate
        self._arrivals: dict[Hashable, list[_Arrival]] = {}
        self._outcomes: dict[Hashable, dict[Joint, _Outcome]] = {}
        # Steps that were tried from both arrivals, and states with two for which that may be left to do.
        self._compared: set[tuple[Hashable, Joint]] = set()
        self._late: list[Hashable] = []
        self._tries = 0

    def start(self, seed: int) -> Hashable:
        """Return the state to which a reset leads."""
        env = self.adapter.env if self.adapter.settable else copy.deepcopy(self.adapter.env)
        observations, infos = env.reset(seed=seed)
        return self._arrive(env, observations, infos, ("reset", seed))

    def actions(self, state: Hashable) -> tuple[tuple[Any, ...], ...]:
        """Return the actions of every agent, for `explore`."""
        return self._arrivals[state][0].actions

    def step(self, state: Hashable, joint: Joint) -> tuple[tuple[Any, ...], list[tuple[int, Hashable]]]:
        """Return rewards and the one move, for `explore`, which asks once for each joint action."""
        outcome = self._try(state, 0, joint)
        self._outcomes.setdefault(state, {})[joint] = outcome
        self._compare(state, joint)
        return outcome.rewards, [(1, outcome.state)]

    def compare_late_arrivals(self) -> None:
        """Step from second arrivals that came after their state had been stepped from."""
        while self._late:
            state = self._late.pop()
            for joint in self._outcomes[state]:
                if (state, joint) not in self._compared:
                    self._compare(state, joint)

    def _compare(self, state: Hashable, joint: Joint) -> None:
        """Take a step again, from the other arrival if there is one, and refuse another outcome."""
        latest = len(self._arrivals[state]) - 1
        if latest > 0:
            self._compared.add((state, joint))
        first, second = self._outcomes[state][joint], self._try(state, latest, joint)
        if first != second:
            raise GameError(
                f"{WHERE}: joint action {joint} in state {shown(state)} gives {shown(tuple(first))} and then "
                f"{shown(tuple(second))}; must be deterministic, with a key that tells states apart"
            )

    def _try(self, state: Hashable, arrival: int, joint: Joint) -> _Outcome:
        """Step once from an arrival, with random generators unlike those of any other try."""
        self._tries += 1
        saved = self._arrivals[state][arrival].saved
        env = self.adapter.env
        if self.adapter.settable:
            env.set_state(copy.deepcopy(saved))
        else:
            env = _copy_with_other_randomness(saved, self._tries)
        observations, rewards, ended, cut, infos = self.adapter.step(env, joint)
        if cut and not self._may_truncate:
            raise GameError(
                f"{WHERE}: joint action {joint} in state {shown(state)} truncates the episode; must be an "
                "environment without a time limit, or truncation='end'"
            )
        following = None if ended else self._arrive(env, observations, infos, (state, joint))
        return _Outcome(tuple(rewards), following)

    def _arrive(self, env: Any, observations: Any, infos: Any, way: tuple[Hashable, ...]) -> Hashable:
        """Return the key of the present state, and keep what it takes to come back."""
        state = self._key_of(env, observations)
        actions = self.adapter.actions(env, observations, infos)
        arrivals = self._arrivals.setdefault(state, [])
        if arrivals and arrivals[0].actions != actions:
            raise GameError(
                f"{WHERE}: actions in state {shown(state)} are {shown(arrivals[0].actions)} and then "
                f"{shown(actions)}; must be the same whenever it is reached"
            )
        if not arrivals or (len(arrivals) < 2 and arrivals[0].way != way):
            saved = copy.deepcopy(env.get_state()) if self.adapter.settable else env
            arrivals.append(_Arrival(saved, actions, way))
            if len(arrivals) == 2:
                self._late.append(state)
        return state

    def _key_of(self, env: Any, observations: Any) -> Hashable:
        if self._key is not None:
            given = self._key(env)
        elif self.adapter.settable:
            given = env.get_state()
        else:
            given = self.adapter.global_state(env, observations)
        state = _hashable(given)
        if state is None or not isinstance(state, Hashable):
            raise require.broken(given, f"{WHERE}: key", "a hashable that tells states apart", GameError)
        # Who has left is part of the state, whatever the key says.
        gone = self.adapter.gone(env)
        return (state, *gone) if gone else state


def _hashable(value: Any) -> Any:
    """Turn arrays, lists and mappings into tuples of plain numbers."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _hashable(part)) for name, part in value.items()))
    if isinstance(value, list | tuple):
        return tuple(_hashable(part) for part in value)
    return value


def _copy_with_other_randomness(env: Any, salt: int) -> Any:
    """Copy an environment, and start every random generator that was copied with it anew.

    A plain copy would draw the same numbers as its original, and a random step would look deterministic.
    """
    copies: dict[int, Any] = {}
    twin = copy.deepcopy(env, copies)
    for part in list(copies.values()):
        if isinstance(part, np.random.Generator):
            part.bit_generator.state = type(part.bit_generator)(salt).state
        elif isinstance(part, np.random.RandomState | random.Random):
            part.seed(salt)
    return twin
