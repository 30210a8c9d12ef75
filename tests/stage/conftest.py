"""Batches of stage games that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def make_payoffs() -> Callable[[np.random.Generator, str, int, int, int], np.ndarray]:
    """Payoffs (games, 2, A1, A2): generic, integers in {0, 1, 2}, or these with duplicated actions."""

    def make(rng: np.random.Generator, kind: str, games: int, A1: int, A2: int) -> np.ndarray:
        if kind == "generic":
            return rng.uniform(-1.0, 1.0, (games, 2, A1, A2))
        payoffs = rng.integers(0, 3, (games, 2, A1, A2)).astype(np.float64)
        if kind == "duplicated":
            payoffs[:, :, -1] = payoffs[:, :, 0]
            payoffs[::2, :, :, -1] = payoffs[::2, :, :, 0]
        return payoffs

    return make


@pytest.fixture(params=["generic", "integer", "duplicated"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kinds of `make_payoffs`."""
    return str(request.param)
