"""How far a mean of simulated numbers may be from its expectation: rigorous bounds, for statistical tests.

Bounds are for all comparisons of a test together: the probability that any of them fails by chance is below
`RARE`, whatever the seed. Where the number of draws is itself random, as the number of visits to a state is,
the bound is asked of every number up to `MOST_VISITS` at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

RARE = 1e-9
MOST_VISITS = 10**6


def hoeffding(draws: Any, comparisons: int) -> Any:
    """Return the deviation of means of `draws` independent numbers in [0, 1] (Hoeffding 1963)."""
    return np.sqrt(np.log(2 * comparisons / RARE) / (2 * np.asarray(draws, dtype=float)))


def bernstein(sample: np.ndarray, length: Any, comparisons: int) -> Any:
    """Return the deviation of the mean of a sample (N, ...) from an interval of some length.

    The empirical Bernstein bound of Maurer & Pontil (2009, Theorem 4), on both sides.
    """
    draws = len(sample)
    logarithm = np.log(4 * comparisons / RARE)
    spread = np.sqrt(2 * sample.var(axis=0, ddof=1) * logarithm / draws)
    return spread + 7 * np.asarray(length) * logarithm / (3 * (draws - 1))
