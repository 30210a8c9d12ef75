"""Random games and policies for the properties of this folder: small, ragged, awkward."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.model.policy import Policy

# A busy machine must not turn slow generation into a failure.
quick = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

doubles = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.1, 1 / 3, 5e-324, 1e150, 2.0**53 + 2])
rationals = st.fractions(-100, 100, max_denominator=97)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@st.composite
def distributions(draw: st.DrawFn, size: int, exact: bool) -> list[Any]:
    """Probabilities that sum to 1: rationals exactly, doubles as well as doubles do."""
    weights = draw(st.lists(st.integers(0, 7), min_size=size, max_size=size).filter(any))
    total = sum(weights)
    return [Fraction(weight, total) if exact else weight / total for weight in weights]


@st.composite
def names(draw: st.DrawFn, counts: list[list[int]]) -> GameNames:
    """Names for some parts, the numbering spelt out for others, none for the rest."""

    def labels(count: int, first: int) -> list[str]:
        if draw(st.booleans()):
            return [str(number) for number in range(first, first + count)]
        return draw(st.lists(texts, min_size=count, max_size=count, unique=True))

    return GameNames.of(
        labels(len(counts[0]), 1) if draw(st.booleans()) else None,
        labels(len(counts), 0) if draw(st.booleans()) else None,
        [[labels(count, 0) for count in row] for row in counts] if draw(st.booleans()) else None,
    )


@st.composite
def games(draw: st.DrawFn, named: bool = True) -> MarkovGame:
    """Games of 1–3 agents and 1–3 states with 1–3 actions, which differ between states."""
    n = draw(st.integers(1, 3))
    n_states = draw(st.integers(1, 3))
    counts = [[draw(st.integers(1, 3 if n < 3 else 2)) for _ in range(n)] for _ in range(n_states)]
    exact = draw(st.booleans())
    numbers = rationals if exact else doubles
    n_rows = sum(prod(row) for row in counts)
    ends = draw(st.booleans())
    rewards, transitions, termination = [], [], []
    for _ in range(n_rows):
        rewards.append([draw(numbers) for _ in range(n)])
        law = draw(distributions(n_states + ends, exact))
        transitions.append([(p, state) for state, p in enumerate(law[:n_states])])
        termination.append(law[-1] if ends else 0)
    factor = st.fractions(0, 1, max_denominator=50) if exact else st.floats(0, 1)
    return MarkovGame.from_rows(
        counts,
        rewards,
        transitions,
        [draw(factor) for _ in range(n)] if draw(st.booleans()) else draw(factor),
        termination=termination,
        initial=draw(st.none() | distributions(n_states, exact)),
        names=draw(names(counts)) if named else None,
    )


@st.composite
def policies(draw: st.DrawFn, game: MarkovGame) -> Policy:
    """Stationary or time-indexed policies of `game`, with awkward doubles."""
    horizon = draw(st.none() | st.integers(1, 3))
    arrays = []
    for counts in game.action_counts.T:
        shape = (horizon or 1, game.n_states, int(counts.max()))
        array = np.zeros(shape)
        for step, state in product(range(shape[0]), range(shape[1])):
            law = draw(distributions(int(counts[state]), False))
            array[step, state, : len(law)] = law
        arrays.append(array if horizon else array[0])
    return Policy(game, arrays)
