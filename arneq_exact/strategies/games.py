"""Markov games: in general position, degenerate, or anything."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import isqrt, prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.require import shown
from arneq_exact.strategies.policies import distributions

POSITIONS = ("any", "general", "degenerate")
NUMBERS = ("any", "rational", "float")
REWARDS = ("general-sum", "zero-sum", "common")

Range = int | tuple[int, int]

LARGEST_DENOMINATOR = 97
"""Of drawn rationals: a prime, so that few of them share a denominator, and short enough to read."""

LARGEST_OF_DISCOUNTS = 50
"""Denominator of drawn discounts: powers of them appear in all values, and stay short."""

ROOT_SCALE = 10**6
"""Roots of primes are cut to six digits, far from any small linear relation."""

# Ordinary doubles, and the awkward: signed zeros, thirds, subnormal, the largest reward, beyond 2^53.
_doubles = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.1, 1 / 3, 5e-324, 1e150, 2.0**53 + 2])
_rationals = st.fractions(-100, 100, max_denominator=LARGEST_DENOMINATOR)
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@st.composite
def games(
    draw: st.DrawFn,
    *,
    agents: Range = (1, 3),
    states: Range = (1, 3),
    actions: Range = (1, 3),
    numbers: str = "any",
    position: str = "any",
    rewards: str = "general-sum",
    discounts: tuple[Any, Any] = (0, "9/10"),
    common_discount: bool = False,
    ending: bool = True,
    named: bool = False,
    most_rows: int = 100,
) -> MarkovGame:
    """Draw Markov games.

    Parameters
    ----------
    agents, states, actions : int or (least, most)
        Action counts differ between agents and states.
    numbers : {"any", "rational", "float"}
        Whether it is given fractions and integers, which it keeps exactly, or doubles.
    position : {"any", "general", "degenerate"}
        See the head of this module; "any" also has awkward doubles and arbitrary fractions.
    rewards : {"general-sum", "zero-sum", "common"}
        Zero-sum games have two agents.
    discounts : (least, most)
        Fractions or doubles between these.
    common_discount : bool
        One discount for all agents.
    ending : bool
        Whether some rows may end the episode.
    named : bool
        Whether agents, states and actions may have names, and states an initial distribution.
    most_rows : int
        Most rows (state, joint action); counts of actions are lowered to stay within it.

    Raises
    ------
    InputError
        If an option has no such value.
    """
    require.one_of(numbers, "games: numbers", NUMBERS)
    require.one_of(position, "games: position", POSITIONS)
    require.one_of(rewards, "games: rewards", REWARDS)
    most_rows = require.whole(most_rows, "games: most_rows", at_least=1)
    least, most = _discount_range(discounts)
    n = draw(_within(agents, "agents"))
    if rewards == "zero-sum" and n != 2:
        raise InputError(f"games: rewards are zero-sum with {n} agents; must be agents=2")
    n_states = draw(_within(states, "states"))
    counts = _limited(
        [[draw(_within(actions, "actions")) for _ in range(n)] for _ in range(n_states)], most_rows
    )
    exact = numbers == "rational" or (numbers == "any" and draw(st.booleans()))
    degenerate = position == "degenerate" or (position == "any" and draw(st.booleans()))
    rows = sum(prod(row) for row in counts)
    table = _rewards(draw, counts, rewards, "degenerate" if degenerate else position, exact)
    if position == "general":
        ends = int(ending and draw(st.booleans()))
        width = n_states + ends
        roots = draw(_roots(rows * width, True, signed=False))
        laws = [[*_shares(part, exact), *[0] * (1 - ends)] for part in _reshaped(roots, width)]
    else:
        laws = [draw(_successors(n_states, exact, degenerate, ending)) for _ in range(rows)]
    counts, kept = draw(_cut(counts, actions if isinstance(actions, int) else actions[0]))
    table, laws = ([rows_of[row] for row in kept] for rows_of in (table, laws))
    factor = (
        st.fractions(least, most, max_denominator=LARGEST_OF_DISCOUNTS)
        if exact
        else st.floats(float(least), float(most))
    )
    factors = [draw(factor) for _ in range(1 if common_discount or draw(st.booleans()) else n)] * n
    return MarkovGame.from_rows(
        counts,
        [[_number(value, exact) for value in row] for row in table],
        [[(p, state) for state, p in enumerate(law[:n_states])] for law in laws],
        [_number(value, exact) for value in factors[:n]],
        termination=[law[n_states] for law in laws],
        initial=draw(st.none() | distributions(n_states, exact)) if named else None,
        names=draw(_names(counts)) if named else None,
    )


def one_shot_games(**options: Any) -> st.SearchStrategy[MarkovGame]:
    """Draw games of one state whose every row ends the episode; options as for `games`.

    Raises
    ------
    InputError
        If an option has no such value, or says that there are other states or how they follow each other.
    """
    for name in ("states", "discounts", "common_discount", "ending"):
        if name in options and (name, options[name]) != ("states", 1):
            raise InputError(
                f"one_shot_games: {name} is {shown(options[name])}; must be left out: a one-shot game has "
                "one state and no future"
            )
    return games(**{**options, "states": 1}).map(_ended)


def _within(bounds: Range, name: str) -> st.SearchStrategy[int]:
    pair = (bounds, bounds) if isinstance(bounds, int) else bounds
    fits = (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and all(isinstance(bound, int) and not require.is_truth_value(bound) for bound in pair)
        and 1 <= pair[0] <= pair[1]
    )
    if not fits:
        rule = "a number from 1, or (least, most)"
        raise require.broken(bounds, f"games: {name}", rule, verb="are")
    return st.integers(*pair)


def _discount_range(bounds: Any) -> tuple[Fraction, Fraction]:
    """Return the least and the largest discount as Fractions."""
    rule = "(least, most) with 0 <= least <= most <= 1"
    refusal = require.broken(bounds, "games: discounts", rule, verb="are")
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise refusal
    try:
        least, most = (Fraction(bound) for bound in bounds)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise refusal from error
    if not 0 <= least <= most <= 1:
        raise refusal
    return least, most


def _limited(counts: list[list[int]], most_rows: int) -> list[list[int]]:
    """Lower the largest counts until the rows are few enough."""
    while sum(prod(row) for row in counts) > most_rows:
        state = max(range(len(counts)), key=lambda state: prod(counts[state]))
        agent = max(range(len(counts[state])), key=lambda agent: counts[state][agent])
        if counts[state][agent] == 1:
            break
        counts[state][agent] -= 1
    return counts


@st.composite
def _cut(draw: st.DrawFn, counts: list[list[int]], least: int) -> tuple[list[list[int]], list[int]]:
    """Lower counts of actions once the numbers are drawn; return them and the rows that are kept.

    An action that goes leaves the numbers of the others where they are. Shrinking can therefore take actions
    away one by one without losing what it has found.
    """
    kept, rows, first = [], [], 0
    for row in counts:
        own = [draw(st.sampled_from([*range(min(least, count), count), *[count] * 3])) for count in row]
        kept.append(own)
        for place, joint in enumerate(product(*(range(count) for count in row))):
            if all(action < count for action, count in zip(joint, own, strict=True)):
                rows.append(first + place)
        first += prod(row)
    return kept, rows


def _rewards(
    draw: st.DrawFn, counts: list[list[int]], sum_: str, position: str, exact: bool
) -> list[list[Any]]:
    """Draw the rewards of all agents, one list for each row."""
    n, rows = len(counts[0]), sum(prod(row) for row in counts)
    paid = 1 if sum_ != "general-sum" else n
    if position == "general":
        table = _reshaped(draw(_roots(rows * paid, exact, signed=True)), paid)
    elif position == "degenerate":
        table = draw(_degenerate_rewards(counts, paid))
    else:
        table = [[draw(_rationals if exact else _doubles) for _ in range(paid)] for _ in range(rows)]
    if sum_ == "zero-sum":
        return [[own, -own] for (own,) in table]
    return [own * n for own in table] if sum_ == "common" else table


def _number(value: Any, exact: bool) -> Any:
    return value if exact or isinstance(value, float) else float(value)


def _reshaped(values: list[Any], width: int) -> list[list[Any]]:
    return [values[first : first + width] for first in range(0, len(values), width)]


def _roots(size: int, exact: bool, signed: bool) -> st.SearchStrategy[list[Any]]:
    """Draw √p or ±√p for the first `size` primes p, in any order; shrunk, the order is that of p."""
    primes: list[int] = []
    candidate = 2
    while len(primes) < size:
        if all(candidate % prime for prime in primes if prime <= isqrt(candidate)):
            primes.append(candidate)
        candidate += 1
    roots = [Fraction(isqrt(prime * ROOT_SCALE**2), ROOT_SCALE) for prime in primes]
    if signed:
        roots = [-root if place % 2 else root for place, root in enumerate(roots)]
    return st.permutations([root if exact else float(root) for root in roots])


def _shares(weights: list[Fraction], exact: bool) -> list[Any]:
    """Divide by the sum."""
    total = sum(weights)
    return [weight / total if exact else float(weight / total) for weight in weights]


@st.composite
def _degenerate_rewards(draw: st.DrawFn, counts: list[list[int]], paid: int) -> list[list[int]]:
    """Rewards in {0, 1, 2}; agents may be constant, and actions may copy their first."""
    constant = [draw(st.booleans()) for _ in range(paid)]
    table: list[list[int]] = []
    for row in counts:
        copied = [draw(st.booleans()) for _ in row]
        known: dict[tuple[int, ...], list[int]] = {}
        for joint in product(*(range(count) for count in row)):
            first = tuple(0 if copy else action for copy, action in zip(copied, joint, strict=True))
            if first not in known:
                known[first] = [1 if same else draw(st.integers(0, 2)) for same in constant]
            table.append(list(known[first]))
    return table


@st.composite
def _successors(draw: st.DrawFn, n_states: int, exact: bool, degenerate: bool, ending: bool) -> list[Any]:
    """Probabilities of the states and, last, of the end."""
    if not degenerate:
        ends = ending and draw(st.booleans())
        law: list[Any] = draw(distributions(n_states + ends, exact))
        return law if ends else [*law, 0]
    following = draw(st.integers(0, n_states if ending else n_states - 1))
    return [int(state == following) for state in range(n_states + 1)]


def _ended(game: MarkovGame) -> MarkovGame:
    """Return the one-shot game of the rewards of a one-state game."""
    paid = np.empty((game.n_agents, game.n_rows), dtype=object)
    for agent, row in np.ndindex(paid.shape):
        paid[agent, row] = game.exact_reward(row, agent)
    return MarkovGame.one_shot(paid.reshape(-1, *game.action_counts[0]).tolist())


@st.composite
def _names(draw: st.DrawFn, counts: list[list[int]]) -> GameNames:
    """Names for some parts, the numbering spelt out for others, none for the rest."""

    def labels(count: int, first: int) -> list[str]:
        if draw(st.booleans()):
            return [str(number) for number in range(first, first + count)]
        return draw(st.lists(_texts, min_size=count, max_size=count, unique=True))

    return GameNames.of(
        labels(len(counts[0]), 1) if draw(st.booleans()) else None,
        labels(len(counts), 0) if draw(st.booleans()) else None,
        [[labels(count, 0) for count in row] for row in counts] if draw(st.booleans()) else None,
    )
