"""The games, threats and policies that are recorded: every class, small, with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact import (
    MarkovGame,
    Policy,
    ThreatModel,
    catalog,
)

METHODS = (
    "decoupled",
    "stage-policy-iteration",
    "barrier",
    "best-response-iteration",
    "procedure",
    "backward-induction",
)


KINDS = (
    "general",
    "integer",
    "one successor",
    "team",
    "zero-sum",
    "constant",
    "dummy agent",
    "twin actions",
    "absorbing",
    "scales",
    "shifted",
    "rational",
    "rational levels",
)


DISCOUNTS = (0.5, 0.9, 0.99)


LARGE = (
    "grid-game-1",
    "grid-game-2",
    "littman-soccer",
    "level-based-foraging",
    "patrolling",
    "crate-pushing",
)
"""Catalog games that are not solved here."""


def table(n: int, states: int, actions: int) -> np.ndarray:
    """Return equal action counts (S, n)."""
    return np.full((states, n), actions)


def uneven(seed: int, n: int, states: int, most: int = 3) -> np.ndarray:
    """Return action counts (S, n) from 1 to `most`."""
    return np.random.default_rng(seed).integers(1, most + 1, (states, n))


def drawn(
    seed: int, counts: np.ndarray, discount: Any = 0.9, kind: str = "general", ending: bool = False
) -> MarkovGame:
    """Draw a game of a kind; transitions are small integers over their sum."""
    rng = np.random.default_rng(seed)
    n_states, n = counts.shape
    source = np.repeat(np.arange(n_states), counts.prod(axis=1))
    rewards = rng.integers(-3, 4, (len(source), n)).astype(float)
    if kind in ("general", "scales", "shifted", "absorbing"):
        rewards = rng.uniform(-1, 1, rewards.shape)
    weights = rng.integers(0, 4, (len(source), n_states + 1))
    weights[np.arange(len(source)), rng.integers(n_states, size=len(source))] += 1
    if kind == "one successor":
        weights = np.eye(n_states + 1, dtype=int)[rng.integers(n_states + ending, size=len(source))]
    if kind == "rational levels":
        weights[:, :n_states][source[:, None] >= np.arange(n_states)] = 0
        weights[:, n_states] += 1
    elif not ending:
        weights[:, n_states] = 0
    if kind == "team":
        rewards[:] = rewards[:, :1]
    elif kind == "zero-sum":
        rewards[:, 1] = -rewards[:, 0]
    elif kind == "constant":
        rewards[:, 0] = 1
    elif kind == "absorbing":
        weights[source % 2 == 0] = np.eye(n_states + 1, dtype=int)[source[source % 2 == 0]]
    elif kind == "scales":
        rewards *= 10.0 ** np.resize([-6, 6, 0], n)
    elif kind == "shifted":
        rewards += 1e7
    elif kind in ("dummy agent", "twin actions"):
        copied = twins(counts, whole=kind == "dummy agent")
        rewards, weights = rewards[copied], weights[copied]
    rational = kind.startswith("rational")
    paid = rewards.tolist()
    if rational:
        below = rng.integers(1, 8, rewards.shape).tolist()
        paid = [
            [Fraction(int(a), b) for a, b in zip(*rows, strict=True)]
            for rows in zip(paid, below, strict=True)
        ]
    laws = [[Fraction(int(w), int(sum(row))) for w in row] for row in weights]
    number: Callable[[Fraction], Any] = Fraction if rational else float
    return MarkovGame.from_rows(
        counts,
        paid,
        [[(number(p), state) for state, p in enumerate(law[:n_states]) if p] for law in laws],
        discount,
        termination=[number(law[n_states]) for law in laws] if weights[:, n_states].any() else None,
    )


def twins(counts: np.ndarray, whole: bool) -> np.ndarray:
    """Return the row that each row copies: agent 0's last action is its first, or all of them are."""
    found: list[int] = []
    for row in counts.tolist():
        first = len(found)
        for joint in product(*map(range, row)):
            own = 0 if whole else joint[0] % max(row[0] - 1, 1)
            found.append(first + int(np.ravel_multi_index((own, *joint[1:]), row)))
    return np.array(found)


def dense(seed: int, agents: int, states: int, actions: int, discount: float = 0.9) -> MarkovGame:
    """Return a dense random game of the catalog."""
    return catalog.load(
        "random-dense", seed=seed, agents=agents, states=states, actions=actions, discount=discount
    )


def one_shot(seed: int, *counts: int, whole: bool = False) -> MarkovGame:
    """Return a one-shot game of random or whole payoffs."""
    return MarkovGame.one_shot(payoffs(seed, *counts, whole=whole))


def payoffs(seed: int, *counts: int, whole: bool = False) -> np.ndarray:
    """Return payoffs (n, A1, ..., An)."""
    rng, shape = np.random.default_rng(seed), (len(counts), *counts)
    return rng.integers(-2, 3, shape) if whole else rng.uniform(-1, 1, shape)


def threats(n: int) -> dict[str, ThreatModel]:
    """Return threats of every kind for n ≥ 2 agents, two states and two actions."""
    others = [[j for j in range(n) if j != i] for i in range(n)]
    nested = {i: {frozenset(others[i][:1]): "1/2", frozenset(others[i]): "1/2"} for i in range(n)}
    if n == 2:
        nested = {i: {frozenset(): "1/3", frozenset(others[i]): "2/3"} for i in range(n)}
    spared = {
        i: {frozenset(): "1/2", **{frozenset([j]): Fraction(1, 2 * n - 2) for j in others[i]}}
        for i in range(n)
    }
    capped = ([[-1] + [0] * (n - 1), [0] * (n - 1) + [1]], ["-1/4", "1/3"])
    own = {i: ([[-1] + [0] * (n - 1)], [Fraction(-1, i + 2)]) for i in range(n)}
    masks = {0: {0: [0], 1: [0]}, n - 1: {1: [1]}}
    sets = {i: [others[i][:1], others[i]] if i else [[]] for i in range(n)}
    return {
        "probability": ThreatModel(1, probability="1/3"),
        "everyone with probability": ThreatModel(n - 1, probability=0.4),
        "sets": ThreatModel(sets=sets),
        "disjoint sets": ThreatModel(sets={i: [[j] for j in others[i]] for i in range(n)}),
        "sets with probability": ThreatModel(sets=sets, probability="2/3"),
        "distribution": ThreatModel(distribution=nested),
        "distribution with nobody": ThreatModel(distribution=spared),
        "inequalities": ThreatModel(1, inequalities=capped),
        "inequalities of each agent": ThreatModel(1, inequalities=own),
        "informed": ThreatModel(n - 1, informed=True),
        "informed distribution": ThreatModel(distribution=nested, informed=True),
        "informed inequalities": ThreatModel(1, inequalities=capped, informed=True),
        "masks": ThreatModel(n - 1, masks=masks),
        "masks with probability": ThreatModel(1, probability="1/3", masks=masks),
        "masks on sets": ThreatModel(sets=sets, masks=masks),
        "masks, informed distribution": ThreatModel(distribution=nested, informed=True, masks=masks),
    }


def mixed(seed: int, game: MarkovGame, horizon: int | None = None) -> Policy:
    """Return a policy of positive probabilities, multiples of 1/64."""
    rng = np.random.default_rng(seed)
    tables = []
    for counts in game.action_counts.T:
        steps = np.zeros((horizon or 1, game.n_states, counts.max()))
        for step in steps:
            for state, count in enumerate(counts):
                cuts = np.sort(rng.choice(np.arange(1, 64), count - 1, replace=False))
                step[state, :count] = np.diff([0, *cuts, 64]) / 64
        tables.append(steps if horizon else steps[0])
    return Policy(game, tables)
