"""Random games for the search of counterexamples: small, rational, and of several kinds.

Payoffs are integers or small fractions throughout, so that what is found is exact as it stands:

* *dense*: uniform on the multiples of 1/8 in [−8, 8],
* *sparse*: most payoffs 0,
* *integer*: 0, 1, 2, with many ties,
* *near-degenerate*: 0, 1, 2 moved by at most 1/64,
* *structured*: agents who are alike (payoffs depend on the own action and on how many others play what), or
  a common reward, or, in games of several states, one agent who moves in each.

A generator draws the kind too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.arrays import ExactArray, exact_array
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.theory.engine.instance import Instance

Generator = np.random.Generator

KINDS: Final = ("dense", "sparse", "integer", "near-degenerate")
DISCOUNTS: Final = ("1/2", "2/3", "3/4", "4/5", "9/10")


def numbers(rng: Generator, kind: str, shape: Sequence[int]) -> ExactArray:
    """Draw an array of Fractions of one kind."""
    if kind == "dense":
        return exact_array(rng.integers(-64, 65, shape)) / 8
    if kind == "sparse":
        return exact_array(np.where(rng.random(shape) < 0.3, rng.integers(-4, 5, shape), 0))
    if kind == "integer":
        return exact_array(rng.integers(0, 3, shape))
    return exact_array(rng.integers(0, 3, shape)) + exact_array(rng.integers(-4, 5, shape)) / 256


def payoffs(rng: Generator, kind: str, counts: Sequence[int]) -> ExactArray:
    """Draw the payoffs (n, A1, ..., An) of a stage game."""
    n = len(counts)
    if kind == "alike":
        return alike(rng, n, counts[0])
    if kind == "common":
        return np.repeat(numbers(rng, str(rng.choice(KINDS)), (1, *counts)), n, axis=0)
    return numbers(rng, kind, (n, *counts))


def alike(rng: Generator, n: int, actions: int) -> ExactArray:
    """Draw payoffs of agents who are alike: own action, and how many others play each action.

    One time in four any payoffs. Else the last action is bad for whoever plays it: nobody plays it of their
    own will, but a corrupted agent may. Two times in four it is *spiteful*, and harms the others too, each of
    their actions by an amount of its own. One time in four the rest is a *dilemma*: but for that harm, the
    second action pays a little more than the first, whatever the others do.
    """
    keys, place = _keys(n, actions)
    paid = rng.integers(-9, 10, len(keys))
    harm = rng.integers(0, 30, actions)
    way = int(rng.integers(4))
    if way > 2:
        for number, (own, others) in enumerate(keys):
            if own == 1:
                paid[number] = paid[keys.index((0, others))] + int(rng.integers(1, 6))
    for number, (own, others) in enumerate(keys):
        if way > 0 and own == actions - 1:
            paid[number] -= 60
        if way > 1:
            paid[number] -= harm[own] * others.count(actions - 1)
    table: ExactArray = exact_array(paid)[place]
    return table


@cache
def _keys(n: int, actions: int) -> tuple[list[tuple[int, tuple[int, ...]]], NDArray[Any]]:
    """Return all pairs (own action, sorted actions of others), and which one holds for whom and where."""
    keys: dict[tuple[int, tuple[int, ...]], int] = {}
    place = np.empty((n, *[actions] * n), dtype=np.int64)
    for joint in product(range(actions), repeat=n):
        for agent, own in enumerate(joint):
            key = (own, tuple(sorted(joint[:agent] + joint[agent + 1 :])))
            place[(agent, *joint)] = keys.setdefault(key, len(keys))
    return list(keys), place


def one_shot(table: ExactArray) -> MarkovGame:
    """Return payoffs (n, A1, ..., An) as a one-shot game."""
    return stages_game(table[None])


def stages_game(tables: ExactArray) -> MarkovGame:
    """Return payoffs (S, n, A1, ..., An) as a game of S states without a future."""
    counts = tables.shape[2:]
    rows = [row for table in tables for row in table.reshape(len(counts), -1).T.tolist()]
    return MarkovGame.from_rows(
        [list(counts)] * len(tables), rows, [[]] * len(rows), 0, termination=[1] * len(rows)
    )


def stage(rng: Generator, drop: str) -> Instance:
    """Draw a one-shot game of two or three agents and a budget."""
    n = int(rng.choice([2, 3]))
    counts = rng.integers(2, 4, n).tolist()
    kind = str(rng.choice(KINDS))
    return Instance(one_shot(payoffs(rng, kind, counts)), ThreatModel(int(rng.integers(0, n))), family=kind)


def pair(rng: Generator, drop: str) -> Instance:
    """Draw two stage games, near each other most of the time, as a game of two states without a future."""
    n = int(rng.choice([2, 2, 3]))
    counts = rng.integers(2, 4, n).tolist()
    kind = str(rng.choice(KINDS))
    first = payoffs(rng, kind, counts)
    second = payoffs(rng, kind, counts)
    if rng.random() < 0.7:
        second = first + exact_array(rng.integers(-2, 3, first.shape)) / 4
    game = stages_game(np.stack([first, second]))
    threat = ThreatModel(int(rng.integers(0, n)))
    return Instance(game, threat, {"agent": int(rng.integers(n))}, family=kind)


def alike_agents(rng: Generator, drop: str) -> Instance:
    """Draw a one-shot game of three agents who are alike, with three actions each, and no corruption."""
    return Instance(one_shot(payoffs(rng, "alike", [3] * 3)), ThreatModel(0), family="alike")


def common_reward(rng: Generator, drop: str) -> Instance:
    """Draw a one-shot game of three agents with a common reward, one of whom may be corrupted."""
    counts = rng.integers(2, 4, 3).tolist()
    return Instance(one_shot(payoffs(rng, "common", counts)), ThreatModel(1), family="common")


def markov(rng: Generator, drop: str) -> Instance:
    """Draw a game of two agents with few states and certain moves; half of the time they take turns."""
    n_states = int(rng.choice([2, 2, 3]))
    turns = rng.random() < 0.5
    kind = str(rng.choice(KINDS))
    counts = rng.integers(2, 4, (n_states, 2))
    if turns:
        movers = rng.integers(0, 2, n_states)
        counts[np.arange(n_states), 1 - movers] = 1
    rows = int(counts.prod(axis=1).sum())
    game = MarkovGame.from_rows(
        counts.tolist(),
        numbers(rng, kind, (rows, 2)).tolist(),
        [[(1, int(state))] for state in rng.integers(0, n_states, rows)],
        str(rng.choice(DISCOUNTS)),
    )
    return Instance(game, ThreatModel(0), family="turns" if turns else kind)


def first_action_play(rng: Generator, drop: str) -> Instance:
    """Draw a game of three agents with few states, with the first actions as the policy."""
    n_states = int(rng.choice([2, 3]))
    counts = [[2, 2, 2]] * n_states
    rows = 8 * n_states
    kind = str(rng.choice(KINDS))
    moves, ends = _moves(rng, rows, n_states)
    game = MarkovGame.from_rows(
        counts, numbers(rng, kind, (rows, 3)).tolist(), moves, str(rng.choice(DISCOUNTS)), termination=ends
    )
    return Instance(game, ThreatModel(1), family=kind)


def _moves(rng: Generator, rows: int, n_states: int) -> tuple[list[list[tuple[int, int]]], list[int]]:
    """Draw certain moves, some of which end the episode."""
    drawn: NDArray[Any] = rng.integers(0, n_states + 1, rows)
    moves = [[(1, int(state))] if state < n_states else [] for state in drawn]
    return moves, [int(state == n_states) for state in drawn]
