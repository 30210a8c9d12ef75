"""The NoSDE game and that of its voting clones, up to what makes no difference [T8].

Each group of agents (an agent, or the clones of one) may be paid in a unit of its own, either group may be
in the part of the first, and the states may stand in either order.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact import catalog
from arneq_exact.exact.arrays import ExactArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.oracle.definition import exact_payoffs

Moves = list[list[tuple[Fraction, int]]]
"""Of each row, probabilities and next states."""


def nosde_like(rng: np.random.Generator, clones: bool = False) -> MarkovGame:
    """Draw the NoSDE game (or that of its clones) in other units and another order."""
    game = catalog.load("nosde-majority" if clones else "nosde")
    units = [Fraction(int(rng.integers(1, 30)), int(rng.integers(1, 8))) for _ in range(2)]
    states = rng.permutation(2).tolist()
    tables, moves = _arranged(game, units, states, bool(rng.random() < 0.5))
    rewards = [row for table in tables for row in table.reshape(len(table), -1).T.tolist()]
    counts = [list(table.shape[1:]) for table in tables]
    return MarkovGame.from_rows(counts, rewards, moves, game.exact_discount()[0])


def is_nosde(game: MarkovGame) -> bool:
    """Tell exactly whether a game is NoSDE (without clones) in some units and order.

    Examples
    --------
    >>> is_nosde(nosde_like(np.random.default_rng(3))), is_nosde(catalog.load("prisoners-dilemma"))
    (True, False)
    """
    base = catalog.load("nosde")
    same_shape = game.n_states == 2 and game.n_agents == base.n_agents
    if not same_shape or game.exact_discount() != base.exact_discount():
        return False
    given = [exact_payoffs(game, state) for state in range(2)]
    moves: Moves = [game.exact_moves(row) for row in range(game.n_rows)]
    for states in ([0, 1], [1, 0]):
        for swapped in (False, True):
            tables, expected = _arranged(base, [Fraction(1)] * 2, states, swapped)
            if moves == expected and _same_up_to_units(given, tables):
                return True
    return False


def _arranged(
    game: MarkovGame, units: list[Fraction], states: list[int], swapped: bool
) -> tuple[list[ExactArray], Moves]:
    """Return payoffs (n, A1, ..., An) per state, and moves, with states and groups in another order."""
    n = game.n_agents
    half = n // 2
    agents = [*range(half, n), *range(half)] if swapped else list(range(n))
    scale = [units[agent // half] for agent in agents]
    tables: list[ExactArray] = []
    moves: Moves = []
    for state in states:
        table: Any = exact_payoffs(game, state)
        table = table.transpose(0, *(1 + a for a in agents))[agents]
        tables.append(np.stack([own * unit for own, unit in zip(table, scale, strict=True)]))
        counts = game.action_counts[state].tolist()
        for number in np.arange(table[0].size).reshape(counts).transpose(agents).ravel().tolist():
            row = game.exact_moves(int(game.offsets[state]) + number)
            moves.append([(p, states.index(s)) for p, s in row])
    return tables, moves


def _same_up_to_units(given: list[ExactArray], tables: list[ExactArray]) -> bool:
    """Tell whether payoffs differ by one positive factor for each group of agents."""
    if [table.shape for table in given] != [table.shape for table in tables]:
        return False
    n = len(given[0])
    for group in (slice(0, n // 2), slice(n // 2, n)):
        own, other = (np.concatenate([table[group].ravel() for table in side]) for side in (given, tables))
        unit = own.sum() / other.sum()
        if unit <= 0 or (own != unit * other).any():
            return False
    return True
