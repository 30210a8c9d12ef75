"""Attacks in a form that can be played: at every state, whom the attacker corrupts and what they then play.

An attack on a game is, state by state, a joint distribution over *moves*: a move says which agents are
corrupted and what each of them plays. That covers pure columns (`arneq_exact.worst_attack`), mixtures of
columns (the attack of `arneq_exact.best_response` and of certificates), and the product form ω ⊗ π̂ of
learners [T10].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.attackers.resolve import resolve
from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import FloatArray, as_float
from arneq_exact.markov.arguments import require_agent, require_game_and_threat
from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.simulate import cumulative_mixture
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Members, canonical_order
from arneq_exact.require import shown

Forced = dict[int, int]
"""A move: the corrupted agents, from 0, with the action that each of them is made to play."""

SUM_TOLERANCE = 1e-9
"""Largest miss of a sum of probabilities, as of a policy's; draws divide it away."""


class Attack:
    """What an attacker does, stationary or by step.

    Parameters
    ----------
    game : MarkovGame
    moves : ``moves(state)``, or a list of such for the steps of a finite horizon
        Returns the pairs (move, probability) of a state; moves are ``{agent: action}``, numbered from 0, and
        ``{}`` leaves everybody alone.

    Raises
    ------
    ThreatError
        If the moves of a state are no distribution over actions that it has.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> half = Attack(game, lambda state: [({1: 0}, 0.5), ({}, 0.5)])
    >>> half.sets(0)
    {(): 0.5, (1,): 0.5}
    """

    def __init__(self, game: MarkovGame, moves: Any) -> None:
        steps = moves if isinstance(moves, Sequence) else [moves]
        if not isinstance(game, MarkovGame) or not steps or not all(callable(step) for step in steps):
            raise ThreatError(
                f"Attack: game is {shown(game)} and moves are {shown(moves)}; "
                "must be a MarkovGame and a function of a state's number"
            )
        self.horizon: int | None = len(steps) if isinstance(moves, Sequence) else None
        """Number of steps of an attack by step, None for a stationary one."""
        self._counts = game.action_counts
        self._tables = [
            [_StateMoves(game, state, step(state)) for state in range(game.n_states)] for step in steps
        ]

    @classmethod
    def worst(cls, game: MarkovGame, found: WorstAttack) -> Attack:
        """Play what `arneq_exact.worst_attack` found: a pure column in every state.

        Raises
        ------
        ThreatError
            If it was found for a game of other sizes.
        """
        columns = np.atleast_2d(found.column)
        if columns.shape[1] != game.n_states:
            raise ThreatError(f"Attack: attack is on a game of {columns.shape[1]} states; must fit {game!r}")
        attackers = resolve(game, found.threat)
        sizes = [attackers.of(state).widths[found.agent] for state in range(game.n_states)]
        if (columns >= sizes).any():
            raise ThreatError(f"Attack: attack has columns that are missing here; must fit {game!r}")
        weights = np.eye(attackers.widths[found.agent])[columns]
        return cls.from_columns(
            game, found.threat, found.agent, weights if found.column.ndim == 2 else weights[0]
        )

    @classmethod
    def from_columns(cls, game: MarkovGame, threat: ThreatModel, agent: int, weights: Any) -> Attack:
        """Play a mixture over the columns of a threat on `agent`.

        Parameters
        ----------
        game : MarkovGame
        threat : ThreatModel
        agent : int
            The agent, from 0, whose attacker it is.
        weights : (S, max C_i), or (T, S, max C_i)
            Probabilities of the columns in the canonical order of `arneq_exact.model.threat`, such as
            ``best_response(...).attack``.
        """
        require_game_and_threat(game, threat, "Attack", static=True)
        require_agent(game, agent, "Attack")
        try:
            given = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            given = np.zeros(0)
        width = resolve(game, threat).widths[agent]
        if given.ndim not in (2, 3) or given.shape[-2:] != (game.n_states, width):
            raise ThreatError(
                f"Attack: weights have shape {given.shape}; must be (S, max C) = {(game.n_states, width)}, "
                "with a leading T for a finite horizon"
            )

        def step(table: FloatArray) -> Callable[[int], list[tuple[Forced, float]]]:
            return lambda state: _column_moves(game, threat, agent, state, table[state])

        return cls(game, step(given) if given.ndim == 2 else [step(table) for table in given])

    @classmethod
    def committed(cls, game: MarkovGame, sets: Any, policy: Policy) -> Attack:
        """Draw a corruption set, and let its members play their part of `policy`: ω ⊗ π̂.

        Parameters
        ----------
        game : MarkovGame
        sets : {tuple or frozenset of agents: probability}, or ``sets(state)`` that returns that
        policy : Policy
            Stationary; what each agent plays while it is corrupted.

        Examples
        --------
        >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
        >>> attack = Attack.committed(game, {(1,): 0.5, (): 0.5}, Policy.uniform(game))
        >>> attack.moves(0)
        [({1: 0}, 0.25), ({1: 1}, 0.25), ({}, 0.5)]
        """
        if not isinstance(policy, Policy) or policy.horizon is not None:
            rule = "a stationary Policy of all agents"
            raise require.broken(policy, "Attack: policy", rule, ThreatError)
        policy.require_fit(game, "Attack")

        def moves(state: int) -> list[tuple[Forced, float]]:
            found: list[tuple[Forced, float]] = []
            law = sets(state) if callable(sets) else sets
            if not isinstance(law, Mapping):
                raise ThreatError(f"Attack: sets are {shown(law)}; must be {{set of agents: probability}}")
            for members, chance in law.items():
                if not isinstance(members, tuple | frozenset):
                    raise ThreatError(f"Attack: sets hold {shown(members)}; must hold tuples of agents")
                for agent in members:
                    require_agent(game, agent, "Attack")
                held = sorted(set(members))
                if len(held) < len(members):
                    raise ThreatError(f"Attack: sets hold {shown(members)}; must hold an agent once")
                weight = as_float(chance, f"Attack: probability of {shown(members)}", ThreatError)
                for joint in product(*(np.flatnonzero(policy[agent][state]).tolist() for agent in held)):
                    drawn = np.prod([policy[agent][state, a] for agent, a in zip(held, joint, strict=True)])
                    found.append((dict(zip(held, joint, strict=True)), float(drawn) * weight))
            return found

        return cls(game, moves)

    def require_fit(self, game: MarkovGame, where: str) -> None:
        """Refuse a game of other sizes than the one the attack was made for."""
        if not np.array_equal(self._counts, game.action_counts):
            raise ThreatError(f"{where}: attack was made for a game of other sizes; must fit {game!r}")

    def moves(self, state: int, step: int = 0) -> list[tuple[Forced, float]]:
        """Return the moves in a state with their probabilities."""
        table = self._table(state, step)
        return [(dict(move), chance) for move, chance in zip(table.moves, table.chances, strict=True)]

    def sets(self, state: int, step: int = 0) -> dict[Members, float]:
        """Return the distribution over corruption sets in a state, small sets first."""
        return dict(self._table(state, step).sets)

    def draw(self, rng: np.random.Generator, state: int, step: int = 0) -> Forced:
        """Draw a move."""
        return self._table(state, step).draw(rng, None)

    def draw_for(self, rng: np.random.Generator, members: Members, state: int, step: int = 0) -> Forced:
        """Draw what `members` play, given that they are the corrupted ones."""
        return self._table(state, step).draw(rng, members)

    def draw_set(self, rng: np.random.Generator, state: int, step: int = 0) -> Members:
        """Draw a corruption set."""
        return tuple(sorted(self.draw(rng, state, step)))

    def has_one_family(self) -> bool:
        """Tell whether the same corruption sets are possible in every state and at every step."""
        return len({frozenset(table.sets) for tables in self._tables for table in tables}) == 1

    def _table(self, state: int, step: int) -> _StateMoves:
        return self._tables[step if self.horizon else 0][state]


class _StateMoves:
    """The moves of one state, validated; moves of probability 0 are left out."""

    def __init__(self, game: MarkovGame, state: int, given: Any) -> None:
        where = f"Attack: moves in state {game.state_name(state)!r}"
        self.moves: list[Forced] = []
        self.chances: list[float] = []
        try:
            pairs = [(dict(move), chance) for move, chance in given]
        except (TypeError, ValueError):
            raise ThreatError(f"{where} are {shown(given)}; must be pairs (move, probability)") from None
        for move, chance in pairs:
            weight = as_float(chance, f"{where}: probability", ThreatError)
            if weight < 0:
                raise ThreatError(f"{where}: probability is {weight}; must be at least 0")
            for agent, action in move.items():
                require_agent(game, agent, where)
                count = int(game.action_counts[state, agent])
                whole = isinstance(action, int | np.integer) and not require.is_truth_value(action)
                if not whole or not 0 <= action < count:
                    what = f"{where} make agent {game.agent_name(agent)!r}"
                    rule = f"an action from 0 to {count - 1}"
                    raise require.broken(action, what, rule, ThreatError, "play")
            if weight > 0:
                self.moves.append({int(agent): int(action) for agent, action in move.items()})
                self.chances.append(weight)
        if abs(sum(self.chances) - 1) > SUM_TOLERANCE:
            raise ThreatError(f"{where}: probabilities sum to {sum(self.chances):.12g}; must be 1")
        groups: dict[Members, list[int]] = {}
        for number, move in enumerate(self.moves):
            groups.setdefault(tuple(sorted(move)), []).append(number)
        self.sets = {
            members: sum(self.chances[number] for number in groups[members])
            for members in sorted(groups, key=canonical_order)
        }
        chances = np.array(self.chances)
        # Draws given a set come from the moves of that set alone, None stands for all.
        self._drawn: dict[Members | None, tuple[list[int], FloatArray]] = {
            members: (numbers, cumulative_mixture(chances[numbers] / chances[numbers].sum()))
            for members, numbers in groups.items()
        }
        self._drawn[None] = (list(range(len(chances))), cumulative_mixture(chances / chances.sum()))

    def draw(self, rng: np.random.Generator, members: Members | None) -> Forced:
        numbers, cumulative = self._drawn[members]
        return self.moves[numbers[int(np.searchsorted(cumulative, rng.random(), side="right"))]]


def _column_moves(
    game: MarkovGame, threat: ThreatModel, agent: int, state: int, weights: FloatArray
) -> list[tuple[Forced, float]]:
    """Return the moves of a mixture over columns."""
    attacker = resolve(game, threat).of(state).of[agent]
    if weights[attacker.width :].any():
        raise ThreatError(
            f"Attack: weights in state {game.state_name(state)!r} reach past its {attacker.width} columns; "
            "must be 0 there"
        )
    found: list[tuple[Forced, float]] = []
    for column in np.flatnonzero(weights).tolist():
        corruption, number = attacker.place(column)
        forced = corruption.forced(number, attacker.counts)
        found += [
            (forced[members], float(weight) * float(weights[column]))
            for members, weight in corruption.weights
        ]
    return found
