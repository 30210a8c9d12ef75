"""Games whose stage ARNEQ are of a known type: the classes on which the convergence theorem is run.

* *separable*: Q_i = Σ_j f_ij(a_j), with one a_j* that maximises every f_ij. Everybody plays a_j* under any
  budget [F1], and no profile is worth more: type A. For 0 < k < n−1 the agents who are not corrupted help,
  so the value is above the security value and B′ fails.
* *aligned*: the same with a small interaction of all actions on top, too small to reverse a choice.
* *planted*: any payoffs, but one joint action has every agent's largest payoff. At k = 0 it is an
  equilibrium of type A, among others: the selection has to take it ("type-a").
* *common*: one payoff for all up to the agents' units, k = 0, the best equilibrium selected.
* *zero-sum*: two agents, any corruption: every stage ARNEQ is a saddle [F4].
* *decoupled*: k ≥ n−1, any payoffs [T4].

As Markov games, joint actions of separable and aligned ones move the state little, so that what a joint
action is worth later does not reverse a choice either. Planted and common ones become games in which the
state ignores actions. Whether the type is there is decided at each stage game; it is not taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Final

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.theory.engine.instance import Instance

Generator = np.random.Generator

TYPED: Final = ("separable", "planted", "aligned", "common", "zero-sum", "decoupled")
"""Separable and aligned ones have 0 < k < n−1, planted and common ones k = 0."""

DISCOUNTS: Final = (0.2, 0.35, 0.5)
FAR: Final = {"planted": 0.1, "zero-sum": 0.1, "decoupled": 0.25}
"""How often a discount is 9/10, by class: a procedure takes 170 iterations then."""


def typed_payoffs(rng: Generator, kind: str, counts: Sequence[int], pairs: int) -> FloatArray:
    """Draw several payoff arrays of one class with one type, (pairs, n, A1, ..., An)."""
    n, shape = len(counts), tuple(counts)
    dense: FloatArray = rng.uniform(-1, 1, (pairs, n, *shape))
    if kind in ("separable", "aligned"):
        dense *= 0.05 if kind == "aligned" else 0.0
        for j, count in enumerate(shape):
            best = int(rng.integers(count))
            influence = rng.uniform(0, 1, (pairs, n, count))
            influence[:, :, best] = influence.max(axis=2) + rng.uniform(0.3, 1.0, (pairs, n))
            dense += influence.reshape(pairs, n, *(count if j == other else 1 for other in range(n)))
    elif kind == "planted":
        joint = tuple(int(rng.integers(count)) for count in shape)
        for payoff in dense.reshape(-1, *shape):
            payoff[joint] = payoff.max() + rng.uniform(0.2, 0.6)
    elif kind == "common":
        unit = rng.uniform(0.5, 2.0, n).reshape(n, *[1] * n)
        dense = unit * dense[:, :1]
    elif kind == "zero-sum":
        dense = np.stack([dense[:, 0], -dense[:, 0]], axis=1)
    return dense


def typed_setting(rng: Generator, kind: str, small: bool = False) -> tuple[tuple[int, ...], ThreatModel, str]:
    """Draw action counts, a threat and a selection for a class; small ones for whole procedures."""
    if kind in ("separable", "aligned"):
        n = 3 if small else int(rng.choice([3, 3, 4]))
        return (3,) * n, ThreatModel(int(rng.integers(1, n - 1))), "first"
    if kind in ("planted", "common"):
        n = 2 if small else int(rng.choice([2, 2, 2, 3]))
        counts = tuple(rng.integers(2, 5, 2).tolist()) if n == 2 else (2, 2, 2)
        return counts, ThreatModel(0), "type-a"
    if kind == "zero-sum":
        counts = tuple(rng.integers(1, 5, 2).tolist())
        chance = rng.choice(["0", "1/4", "2/3", "1"])
        return counts, ThreatModel(1, probability=str(chance)), "first"
    n = int(rng.integers(1, 4))
    return tuple(rng.integers(1, 4, n).tolist()), ThreatModel(int(rng.integers(n - 1, n + 2))), "first"


def stage_pair(rng: Generator, kind: str) -> Instance:
    """Draw a game of two states, both of which end the episode: a pair of stage games of one type."""
    counts, threat, selection = typed_setting(rng, kind)
    pair = typed_payoffs(rng, kind, counts, 2)
    if rng.random() < 0.5:
        # Near each other, where a jump would show.
        pair[1] = pair[0] + rng.choice([1e-3, 0.1]) * (pair[1] - pair[0])
    extras = {"agent": int(rng.integers(len(counts))), "selection": selection}
    return Instance(pair_game(pair), threat, extras)


def pair_game(pair: FloatArray) -> MarkovGame:
    """Return payoffs (2, n, A1, ..., An) as a game of two states without a future."""
    counts = pair.shape[2:]
    moves = np.zeros((2, *counts, 2))
    return MarkovGame.from_arrays(np.moveaxis(pair, 0, 1), moves, 0, termination=np.ones((2, *counts)))


def sampled_game(rng: Generator, kind: str) -> Instance:
    """Draw a small Markov game of a class whose states are near each other.

    Samples must not reverse a choice, and all pairs are to be visited. Discounts are at most 1/2.
    """
    counts, threat, selection = typed_setting(rng, kind, small=True)
    counts = tuple(min(count, 2 if len(counts) > 2 else 3) for count in counts)
    game = _markov_game(rng, kind, counts, 2, float(rng.choice(DISCOUNTS)), nearness=0.01)
    directions = [1, -1] if kind == "zero-sum" else [1] * game.n_agents
    return Instance(game, threat, {"selection": selection, "directions": directions})


def typed_game(rng: Generator, kind: str) -> Instance:
    """Draw a Markov game of a class with two or three states.

    Discounts are at most 1/2, and now and then 9/10 in classes where types are decided fast.
    """
    counts, threat, selection = typed_setting(rng, kind, small=True)
    n_states = 3 if rng.random() < 0.3 else 2
    far = rng.random() < FAR.get(kind, 0.0)
    discount = 0.9 if far else float(rng.choice(DISCOUNTS))
    game = _markov_game(rng, kind, counts, n_states, discount)
    return Instance(game, threat, {"selection": selection})


def _markov_game(
    rng: Generator,
    kind: str,
    counts: Sequence[int],
    n_states: int,
    discount: float,
    nearness: float = 1.0,
) -> MarkovGame:
    """Draw rewards and transitions of a class; at nearness 0 all states have the same rewards."""
    rows = prod(counts)
    drawn = typed_payoffs(rng, kind, counts, n_states)
    rewards = np.moveaxis(drawn[:1] + nearness * (drawn - drawn[:1]), 0, 1)
    still = np.repeat(rng.dirichlet(np.ones(n_states), n_states)[:, None], rows, axis=1)
    free = rng.dirichlet(np.ones(n_states), (n_states, rows))
    share = {"zero-sum": 1.0, "decoupled": 1.0, "aligned": 0.02}.get(kind, 0.0)
    moves = (1 - share) * still + share * free
    return MarkovGame.from_arrays(rewards, moves.reshape(n_states, *counts, n_states), discount)


def by_type(
    draw: Callable[[Generator, str], Instance], kinds: Sequence[str] = TYPED
) -> Mapping[str, Callable[[Generator], Instance]]:
    """Return the families of a statement, named after the class and its budget."""
    budget = {
        "separable": ", 0 < k < n-1",
        "aligned": ", 0 < k < n-1",
        "planted": ", k = 0",
        "common": ", k = 0",
    }

    def of(kind: str) -> Callable[[Generator], Instance]:
        return lambda rng: draw(rng, kind)

    return {kind + budget.get(kind, ""): of(kind) for kind in kinds}
