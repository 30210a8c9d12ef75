"""Small games worked by hand that statements are about: built from their numbers, drawn, and recognised.

A game is recognised by reading its numbers off and building it again, so that building and recognising cannot
drift apart. All numbers are rationals.

* *chain* [T13]: s1 → s2 → end, three agents with actions C and D. Agent 1 earns w in s1 if agent 2 plays C,
  and w' in s2 if agent 3 does.
* *watched* [T13]: in s1 agent 1 only watches and earns w if both others play C; then comes s2, where it
  relies on agent 2 or on agent 3 and earns w' if that one plays C; then the episode ends.
* *stay or leave* [T7]: two agents, two states. In the first agent 1 may *leave*, which ends the episode with
  −c/(1−γ), or *stay* for −c and be there again; agent 2 earns w whenever it stays. In the second, agent 2 may
  *go* to the first, or *take* p at once, 0 < p < γw.
* *jump* [T8]: two stage games with Q_1 = b·1{a_2 = 1 or a_3 = 1} − c a_1 in both, and Q_j = ±δ_j a_j for j =
  2, 3, with one sign in each.
* *corner* [T8]: two agents with two actions; in one corner both earn more than elsewhere, where each always
  earns the same."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import ExactArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.theory.draw import generators
from arneq_exact.theory.engine.instance import Instance

Generator = np.random.Generator

STAY, LEAVE, GO = 1, 0, 0
"""Actions of stay or leave."""


def _ratio(rng: Generator) -> Fraction:
    """Draw a positive rational of one digit over one digit."""
    return Fraction(int(rng.integers(1, 10)), int(rng.integers(1, 10)))


def _tenths(rng: Generator) -> Fraction:
    """Draw 1/10, ..., 9/10."""
    return Fraction(int(rng.integers(1, 10)), 10)


def chain(first: Fraction, second: Fraction, discount: Fraction) -> MarkovGame:
    """Return the chain with w = `first` and w' = `second`; action 0 is C."""
    rewards = [
        [paid * (joint[1 + state] == 0), 0, 0]
        for state, paid in enumerate((first, second))
        for joint in product(range(2), repeat=3)
    ]
    moves: list[list[tuple[int, int]]] = [[(1, 1)]] * 8 + [[]] * 8
    return MarkovGame.from_rows([[2, 2, 2]] * 2, rewards, moves, discount, termination=[0] * 8 + [1] * 8)


def chain_rewards(game: MarkovGame) -> tuple[Fraction, Fraction] | None:
    """Return w and w' > 0 if this is the chain, whatever agents 2 and 3 earn; else None."""
    if game.action_counts.tolist() != [[2, 2, 2]] * 2 or game.exact_discount()[0] <= 0:
        return None
    first, second = (Fraction(exact_payoffs(game, state)[0, 0, 0, 0]) for state in range(2))
    like = chain(first, second, game.exact_discount()[0])
    same_moves = all(game.exact_moves(row) == like.exact_moves(row) for row in range(16))
    same_pay = all((exact_payoffs(game, s)[0] == exact_payoffs(like, s)[0]).all() for s in range(2))
    return (first, second) if same_moves and same_pay and min(first, second) > 0 else None


def draw_chain(rng: Generator) -> Instance:
    """Draw the chain with rational rewards and discount."""
    first, second = _ratio(rng), _ratio(rng)
    return Instance(chain(first, second, _tenths(rng)), ThreatModel(1))


def watched(first: Fraction, second: Fraction, discount: Fraction) -> MarkovGame:
    """Return the watched game with w = `first` and w' = `second`; action 0 is C, and relying on agent 2."""
    rewards = [[first * (a == b == 0), 0, 0] for a, b in product(range(2), repeat=2)]
    rewards += [[second * (joint[1 + joint[0]] == 0), 0, 0] for joint in product(range(2), repeat=3)]
    moves: list[list[tuple[int, int]]] = [[(1, 1)]] * 4 + [[]] * 8
    return MarkovGame.from_rows(
        [[1, 2, 2], [2, 2, 2]], rewards, moves, discount, termination=[0] * 4 + [1] * 8
    )


def watched_numbers(game: MarkovGame) -> tuple[Fraction, Fraction, Fraction] | None:
    """Return w, w' and γ, all above 0, if this is the watched game, else None."""
    if game.n_agents != 3 or game.action_counts.tolist() != [[1, 2, 2], [2, 2, 2]]:
        return None
    first, second = (Fraction(exact_payoffs(game, state)[0, 0, 0, 0]) for state in range(2))
    discount = game.exact_discount()[0]
    if min(first, second, discount) <= 0 or not game.same_as(watched(first, second, discount)):
        return None
    return first, second, discount


def draw_watched(rng: Generator) -> Instance:
    """Draw the watched game with rational rewards and discount."""
    first, second = _ratio(rng), _ratio(rng)
    return Instance(watched(first, second, _tenths(rng)), ThreatModel(1))


def stay_or_leave(cost: Fraction, wage: Fraction, price: Fraction, discount: Fraction) -> MarkovGame:
    """Return the game with c, w, p and γ."""
    rewards: list[list[Any]] = [[-cost / (1 - discount), 0], [-cost, wage], [0, 0], [0, price]]
    moves: list[list[tuple[Fraction, int]]] = [[], [(Fraction(1), 0)], [(Fraction(1), 0)], []]
    return MarkovGame.from_rows([[2, 1], [1, 2]], rewards, moves, discount, termination=[1, 0, 0, 1])


def is_stay_or_leave(game: MarkovGame) -> bool:
    """Tell whether this is the game for some c, w > 0, 0 < p < γw and γ."""
    if game.action_counts.tolist() != [[2, 1], [1, 2]] or len(set(game.exact_discount())) > 1:
        return False
    discount = game.exact_discount()[0]
    first, second = exact_payoffs(game, 0), exact_payoffs(game, 1)
    cost, wage, price = -first[0, STAY, 0], first[1, STAY, 0], second[1, 0, 1]
    if not (0 < discount < 1 and cost > 0 and 0 < price < discount * wage):
        return False
    return stay_or_leave(cost, wage, price, discount).same_as(game)


def draw_stay_or_leave(rng: Generator) -> Instance:
    """Draw the game with rational numbers."""
    discount = Fraction(str(rng.choice(["1/4", "1/2", "3/4"])))
    cost, wage = (Fraction(int(rng.integers(1, 30)), int(rng.integers(1, 8))) for _ in range(2))
    return Instance(stay_or_leave(cost, wage, discount * wage * _tenths(rng), discount), ThreatModel(0))


def jump(bonus: Fraction, cost: Fraction, deltas: Sequence[Fraction]) -> ExactArray:
    """Return the payoffs (2, 3, 2, 2, 2) of the two stage games, of which the first has the signs of
    `deltas`."""
    tables = np.empty((2, 3, 2, 2, 2), dtype=object)
    for state, sign in enumerate((1, -1)):
        for a, b, c in product(range(2), repeat=3):
            own = bonus * int(b or c) - cost * a
            tables[(state, slice(None), a, b, c)] = [own, sign * deltas[0] * b, sign * deltas[1] * c]
    return tables


def is_jump(game: MarkovGame) -> bool:
    """Tell whether these are the two stage games, with b, c > 0, δ's of one sign and 2 max |δ_j| ≤ b."""
    if game.action_counts.tolist() != [[2, 2, 2]] * 2:
        return False
    given = np.stack([exact_payoffs(game, state) for state in range(2)])
    bonus, cost = given[0, 0, 0, 1, 1], -given[0, 0, 1, 0, 0]
    deltas = [given[0, 1, 0, 1, 0], given[0, 2, 0, 0, 1]]
    if min(bonus, cost) <= 0 or deltas[0] * deltas[1] <= 0 or 2 * max(map(abs, deltas)) > bonus:
        return False
    return bool((given == jump(bonus, cost, deltas)).all())


def draw_jump(rng: Generator, k: int) -> Instance:
    """Draw the two stage games with a budget k."""
    bonus, cost = Fraction(int(rng.integers(2, 10))), _tenths(rng)
    deltas = [Fraction(int(rng.integers(1, 50)), 100) for _ in range(2)]
    return Instance(generators.stages_game(jump(bonus, cost, deltas)), ThreatModel(k))


def is_corner(game: MarkovGame) -> bool:
    """Tell whether both agents earn more in one corner than elsewhere, where each always earns the same."""
    if game.action_counts.tolist() != [[2, 2]]:
        return False
    paid = exact_payoffs(game, 0)
    corner = np.unravel_index(int(paid[0].argmax()), (2, 2))
    return all(own[corner] > own.min() and np.count_nonzero(own == own.min()) == 3 for own in paid)


def draw_corner(rng: Generator, unit: Fraction) -> Instance:
    """Draw a game with a corner that pays multiples of `unit` more, without corruption."""
    corner = tuple(rng.integers(0, 2, 2).tolist())
    table = np.empty((2, 2, 2), dtype=object)
    for agent in range(2):
        low = int(rng.integers(-5, 6))
        table[agent] = Fraction(low)
        table[(agent, *corner)] = low + unit * int(rng.integers(1, 40))
    return Instance(generators.one_shot(table), ThreatModel(0))
