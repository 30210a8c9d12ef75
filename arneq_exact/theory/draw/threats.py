"""Threats of every kind, drawn to a game: what statements that hold of any threat are run under.

Distributions, bounds and probabilities are small rationals, so that what is found is exact as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

import numpy as np

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.given_play import DISCOUNTS, with_policies
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import rational_mixture

CLASSES: Final = ("probability", "distribution", "sets", "inequalities", "informed", "masks")
"""Classes of threats: four ways to describe Ω_i, one of these with an informed attacker, a budget under
masks."""

WAYS = ("probability", "distribution", "sets", "inequalities")
"""Ways to describe an Ω_i that is no full simplex."""


def fixed_law(rng: np.random.Generator, n: int, agent: int) -> dict[frozenset[int], Fraction]:
    """Draw a fixed distribution over corruption sets."""
    sets = definition.corruption_sets(n, agent, n - 1)
    weights = rational_mixture(rng, len(sets))
    return {frozenset(K): p for K, p in zip(sets, weights, strict=True) if p}


def draw_threat(rng: np.random.Generator, case: str, game: MarkovGame) -> ThreatModel:
    """Draw a threat to a game: one of `WAYS`, or "informed" (one of these), or a budget under "masks"."""
    n = game.n_agents
    if case == "informed":
        return drawn_omega(rng, n, WAYS[int(rng.integers(1, 4))], True)
    if case != "masks":
        return drawn_omega(rng, n, case, False)
    masks = {
        agent: {
            state: sorted(rng.choice(count, int(rng.integers(1, count + 1)), replace=False).tolist())
            for state, count in enumerate(game.action_counts[:, agent].tolist())
        }
        for agent in range(n)
    }
    rho = Fraction(int(rng.integers(1, 9)), 8)
    return ThreatModel(int(rng.integers(1, n)), probability=rho if rho < 1 else None, masks=masks)


def drawn_omega(rng: np.random.Generator, n: int, way: str, informed: bool) -> ThreatModel:
    """Draw a threat that is described in one of `WAYS`."""
    if way == "inequalities":
        k = int(rng.integers(1, n))
        bound = _halfspaces(rng, len(definition.corruption_sets(n, 0, k)))
        return ThreatModel(k, inequalities=bound, informed=informed)
    if way == "probability":
        rho = Fraction(int(rng.integers(0, 9)), 8)
        return ThreatModel(int(rng.integers(1, n)), probability=rho, informed=informed)
    if way == "distribution":
        laws = {agent: fixed_law(rng, n, agent) for agent in range(n)}
        return ThreatModel(distribution=laws, informed=informed)
    families_of = {}
    for agent in range(n):
        sets = definition.corruption_sets(n, agent, n - 1)
        chosen = [K for K in sets if rng.random() < 0.6] or [sets[-1]]
        families_of[agent] = [frozenset(K) for K in chosen]
    return ThreatModel(sets=families_of, informed=informed)


def _halfspaces(rng: np.random.Generator, size: int) -> tuple[list[list[int]], list[Fraction]]:
    """Draw one or two inequalities that a drawn distribution meets."""
    inside = rational_mixture(rng, size)
    rows = rng.integers(-2, 3, (int(rng.integers(1, 3)), size)).tolist()
    spare = Fraction(int(rng.integers(0, 3)), 4)
    return rows, [sum((a * p for a, p in zip(row, inside, strict=True)), Fraction(0)) + spare for row in rows]


def under_threat(rng: np.random.Generator, case: str, *policies: str) -> Instance:
    """Draw a game of two or three agents with one or two states, a threat of a class, and policies by
    name."""
    n, states = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    counts = families.action_counts(rng, n, 3 if n == 2 else 2)
    kind = str(rng.choice(families.KINDS))
    game = families.markov_game(rng, kind, states, counts, float(rng.choice(DISCOUNTS)))
    drawn = {name: tuple(families.random_policy(rng, game)) for name in policies}
    return Instance(game, draw_threat(rng, case, game), drawn)


def stage_under_threat(rng: np.random.Generator, kind: str) -> Instance:
    """Draw a stage game under a probability, a fixed distribution, listed sets or inequalities."""
    n = int(rng.integers(2, 4))
    game = families.stage_game(rng, kind, families.action_counts(rng, n, 3 if n == 2 else 2))
    informed = bool(rng.random() < 0.4)
    return Instance(game, drawn_omega(rng, n, WAYS[int(rng.integers(4))], informed))


def under_any_threat(
    *policies: str, most_states: int = 3
) -> Mapping[str, Callable[[np.random.Generator], Instance]]:
    """Return families of all classes of games under budgets, and of all classes of threats, with policies."""
    of_threats = families.by_kind(lambda rng, case: under_threat(rng, case, *policies), CLASSES)
    return {**with_policies(*policies, most_states=most_states), **of_threats}
