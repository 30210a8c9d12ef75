"""Distributions, and policies of a given game."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy

LARGEST_WEIGHT = 7
"""Of an outcome, over the sum of all: small, so that what is found stays readable, with ties and zeros."""


@st.composite
def distributions(draw: st.DrawFn, size: int, exact: bool = False, positive: bool = False) -> list[Any]:
    """Draw probabilities of `size` outcomes.

    Parameters
    ----------
    size : int
    exact : bool
        Fractions that sum to exactly 1; else doubles that do so as well as doubles do.
    positive : bool
        No probability is 0.

    Examples
    --------
    >>> from hypothesis import find
    >>> [str(p) for p in find(distributions(2, exact=True), lambda law: law[1] > 0)]
    ['0', '1']
    """
    least = 1 if positive else 0
    weights = [draw(st.integers(least, LARGEST_WEIGHT)) for _ in range(size)]
    if not any(weights):
        weights[0] = 1
    total = sum(weights)
    return [Fraction(weight, total) if exact else weight / total for weight in weights]


@st.composite
def policies(
    draw: st.DrawFn, game: MarkovGame, *, horizon: int | None = None, positive: bool = False
) -> Policy:
    """Draw policies of a game: pure and mixed, probabilities that doubles cannot hold among them.

    Parameters
    ----------
    game : MarkovGame
    horizon : int, optional
        Steps of a time-indexed policy; stationary ones if left out.
    positive : bool
        Every action has a positive probability.
    """
    arrays = []
    for counts in game.action_counts.T:
        steps = np.zeros((horizon or 1, game.n_states, int(counts.max())))
        for step, state in product(range(steps.shape[0]), range(game.n_states)):
            count = int(counts[state])
            steps[step, state, :count] = draw(distributions(count, positive=positive))
        arrays.append(steps if horizon else steps[0])
    return Policy(game, arrays)
