"""A game in which every agent has an attacker of its own, in the arrays that learners work on.

The variables of all players are stacks of probability vectors, by name:

* ``policy`` (n, S, max A): π_i;
* ``points`` (n, S, E) and ``slots`` (n, S, Q, max A): a product attack, as in the paper. ω_i over the extreme
  points of Ω_i (for a budget k: the sets of k others), and π̂^i for each slot, that is for each other agent;
* ``columns`` (n, S, C) in place of these two: a joint attack, any mixture over columns.

A column c = (e, d) of a product attack has the probability y(e, d) = ω(e) z(d | e), where z is the product
of π̂ over the slots of e. The robust value is the same for both forms [T1], but only the joint form makes each
state's game of agent against attacker bilinear: with two corrupted agents or more, product attackers may have
no equilibrium to go to [T2].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.attack_kernel import product_gradient, product_mixture
from arneq_exact.learning.tables import Allowed, AttackTables, BoolArray, attack_tables, game_tables
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

ATTACKS = ("product", "joint")
STARTS = ("uniform", "initial")

Parts = dict[str, FloatArray]
"""Stacks of probability vectors, or gradients by them, by the name of the variable."""


class AttackedGame:
    """Tables, transitions and the shapes of all variables.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    attack : {"product", "joint"}
    start : {"uniform", "initial"}
        Where episodes begin: anywhere, or by the game's initial distribution.

    Attributes
    ----------
    allowed : dict of boolean arrays
        Which entries of each variable exist.
    start : (S,)
    columns : int
        The largest number of columns of any agent.
    """

    def __init__(self, game: MarkovGame, threat: ThreatModel, attack: str, start: str, where: str) -> None:
        self.game = game
        self.threat = threat
        self.attack = require.one_of(attack, f"{where}: attack", ATTACKS)
        self.start = _begin(game, start, where)
        n = game.n_agents
        self.shared = game_tables(game, threat)
        made = [attack_tables(game, threat, agent) for agent in range(n)]
        self.tables: list[AttackTables] = [tables for tables, _ in made]
        self.columns = max(tables.point.shape[1] for tables in self.tables)
        most = int(game.action_counts.max())
        own = np.arange(most)[None, None, :] < game.action_counts.T[:, :, None]
        self.allowed: dict[str, BoolArray] = {"policy": own, **_stacked([a for _, a in made], attack)}
        matrix = game.transitions
        self.rewards = np.ascontiguousarray(game.rewards)
        self.csr = (
            np.asarray(matrix.indptr, dtype=np.int64),
            np.asarray(matrix.indices, dtype=np.int64),
            np.asarray(matrix.data, dtype=np.float64),
        )

    def mixture(self, agent: int, parts: Parts) -> tuple[FloatArray, FloatArray]:
        """Return y (S, C) of an agent's attacker, and z: the same given the extreme point.

        A joint attack has no ω of its own, and z is y.
        """
        if self.attack == "joint":
            return parts["columns"][agent], parts["columns"][agent]
        shape = (self.game.n_states, self.columns)
        conditional, mixture = np.empty(shape), np.empty(shape)
        product_mixture(
            self.shared.signature,
            self.tables[agent],
            parts["points"][agent],
            parts["slots"][agent],
            conditional,
            mixture,
        )
        return mixture, conditional

    def add_gradient(
        self, agent: int, parts: Parts, columns: FloatArray, gradient: Parts, given_points: bool = False
    ) -> None:
        """Add to the gradients by an attacker's variables what that by its columns (S, C) means.

        The columns are those of y; with `given_points` of z, and ω gets nothing.
        """
        if self.attack == "joint":
            gradient["columns"][agent] += columns
            return
        product_gradient(
            self.shared.signature,
            self.tables[agent],
            parts["points"][agent],
            parts["slots"][agent],
            columns,
            gradient["points"][agent],
            gradient["slots"][agent],
            given_points,
        )

    def mixtures(self, parts: Parts) -> tuple[FloatArray, ...]:
        """Return every attacker's y, cut to its own columns: (S, C_i) per agent."""
        return tuple(
            self.mixture(agent, parts)[0][:, : tables.point.shape[1]].copy()
            for agent, tables in enumerate(self.tables)
        )


def _begin(game: MarkovGame, start: str, where: str) -> FloatArray:
    """Return where episodes begin, (S,); refuse to begin by an initial distribution that is not there."""
    if require.one_of(start, f"{where}: start", STARTS) == "uniform":
        return np.full(game.n_states, 1.0 / game.n_states)
    if game.initial is None:
        raise InputError(f"{where}: start is 'initial'; must be 'uniform' for a game without initial states")
    result: FloatArray = game.initial / game.initial.sum()
    return result


def _stacked(allowed: Sequence[Allowed], attack: str) -> dict[str, BoolArray]:
    """Return the attackers' variables as padded stacks over agents."""
    if attack == "joint":
        return {"columns": _padded([one.columns for one in allowed])}
    return {
        "points": _padded([one.points for one in allowed]),
        "slots": _padded([one.slots for one in allowed]),
    }


def _padded(arrays: Sequence[BoolArray]) -> BoolArray:
    """Stack boolean arrays (S, ...) of different widths; a vector of padding has its first entry."""
    widths = np.max([array.shape for array in arrays], axis=0)
    result = np.zeros((len(arrays), *widths), dtype=bool)
    for agent, array in enumerate(arrays):
        result[agent][tuple(slice(size) for size in array.shape)] = array
    result[..., 0] |= ~result.any(axis=-1)
    return result
