"""Classes of random games that statements are run on: easy to draw, and each hard in a way of its own.

* *dense*: every number uniform; general position, so that ties have probability 0.
* *sparse*: most payoffs 0, two successors for a joint action.
* *integer*: payoffs 0, 1, 2 and certain successors: many ties, many equilibria.
* *degenerate*: an action twice, an agent that is indifferent, a constant game.
* *near-degenerate*: integer payoffs moved by about 1e-7, so that ties are nearly there.
* *separable*: Q_i = Σ_j f_ij(a_j); transitions ignore actions [F1].
* *aligned*: one payoff for all, up to the unit and a small own part.
* *opposed*: payoffs add up to zero over the agents.

A game is drawn with transitions and a discount, or as a one-shot game.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Final

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.theory.engine.instance import Instance

Generator = np.random.Generator

KINDS: Final = (
    "dense",
    "sparse",
    "integer",
    "degenerate",
    "near-degenerate",
    "separable",
    "aligned",
    "opposed",
)


def by_kind(
    draw: Callable[[Generator, str], Instance], kinds: Sequence[str] = KINDS
) -> Mapping[str, Callable[[Generator], Instance]]:
    """Return the families of a statement: one for each class of games."""

    def of(kind: str) -> Callable[[Generator], Instance]:
        return lambda rng: draw(rng, kind)

    return {kind: of(kind) for kind in kinds}


def payoff_table(rng: Generator, kind: str, counts: Sequence[int]) -> FloatArray:
    """Draw the payoffs (n, A1, ..., An) of one stage game of a class."""
    n, shape = len(counts), tuple(counts)
    dense: FloatArray = rng.uniform(-1, 1, (n, *shape))
    if kind == "dense":
        return dense
    if kind == "sparse":
        return np.where(rng.random(dense.shape) < 0.3, dense, 0.0)
    if kind == "integer":
        return rng.integers(0, 3, dense.shape).astype(np.float64)
    if kind == "near-degenerate":
        return rng.integers(0, 3, dense.shape) + 1e-7 * dense
    if kind == "degenerate":
        return _degenerate(rng, dense, shape)
    if kind == "separable":
        total = np.zeros((n, *shape))
        for j, count in enumerate(shape):
            own = rng.uniform(-1, 1, (n, count))
            total += own.reshape(n, *(count if other == j else 1 for other in range(n)))
        return total
    if kind == "aligned":
        scale = rng.uniform(0.5, 2.0, n).reshape(n, *[1] * n)
        return scale * dense[:1] + 0.05 * dense
    if kind == "opposed":
        return np.concatenate([dense[:-1], -dense[:-1].sum(axis=0, keepdims=True)]) if n > 1 else dense
    raise AssertionError(f"no class of games is called {kind}")


def _degenerate(rng: Generator, dense: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Repeat an action, make an agent indifferent, or make all payoffs constant."""
    table = np.round(2 * dense) / 2
    way = int(rng.integers(3))
    if way == 0:
        agent = int(rng.integers(len(shape)))
        copied = np.moveaxis(table, agent + 1, 1)
        copied[:, -1] = copied[:, 0]
    elif way == 1:
        agent = int(rng.integers(len(shape)))
        table[agent] = table[agent].mean(axis=agent, keepdims=True)
    else:
        table[:] = table.reshape(len(shape), -1)[:, 0].reshape(-1, *[1] * len(shape))
    return table


def stage_game(rng: Generator, kind: str, counts: Sequence[int]) -> MarkovGame:
    """Draw a one-shot game of a class."""
    return MarkovGame.one_shot(payoff_table(rng, kind, counts))


def markov_game(
    rng: Generator, kind: str, n_states: int, counts: Sequence[int], discount: float
) -> MarkovGame:
    """Draw a Markov game of a class, with the same number of actions in every state."""
    n, rows = len(counts), prod(counts)
    rewards = np.stack([payoff_table(rng, kind, counts) for _ in range(n_states)], axis=1)
    if kind == "separable":
        moves = np.repeat(rng.dirichlet(np.ones(n_states), n_states)[:, None], rows, axis=1)
    elif kind in ("integer", "degenerate", "near-degenerate"):
        moves = np.eye(n_states)[rng.integers(n_states, size=(n_states, rows))]
    elif kind == "sparse":
        weight = rng.integers(1, 8, (n_states, rows, 1)) / 8
        one, other = (np.eye(n_states)[rng.integers(n_states, size=(n_states, rows))] for _ in range(2))
        moves = weight * one + (1 - weight) * other
    else:
        moves = rng.dirichlet(np.ones(n_states), (n_states, rows))
    return MarkovGame.from_arrays(
        rewards.reshape(n, n_states, *counts), moves.reshape(n_states, *counts, n_states), discount
    )


def action_counts(rng: Generator, n: int, most: int = 3) -> tuple[int, ...]:
    """Draw the number of actions of each agent: 1 now and then, else 2 to `most`."""
    return tuple(1 if rng.random() < 0.05 else int(rng.integers(2, most + 1)) for _ in range(n))


def mixture(rng: Generator, size: int) -> FloatArray:
    """Draw a mixture: now and then pure or on few actions, else uniform on the simplex."""
    drawn: FloatArray = rng.dirichlet(np.full(size, rng.choice([0.1, 1.0, 5.0])))
    return drawn if np.isfinite(drawn).all() else np.eye(size)[int(rng.integers(size))]


def random_policy(rng: Generator, game: MarkovGame) -> Policy:
    """Draw a stationary policy of all agents."""
    arrays = [np.zeros((game.n_states, int(counts.max()))) for counts in game.action_counts.T]
    for agent, array in enumerate(arrays):
        for state, count in enumerate(game.action_counts[:, agent].tolist()):
            array[state, :count] = mixture(rng, count)
    return Policy(game, arrays)
