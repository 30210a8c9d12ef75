"""Random games: dense and sparse, floating point or small integers, reproducible from a seed.

All numbers come from the raw 64-bit output of PCG64, whose stream numpy guarantees not to change, so that a
seed gives the same game with every version of numpy. One draw u is uniform on the multiples of 2⁻⁵³ in [0,
1).

* Rewards: 2u − 1 for each agent and row, the rows in the game's own order, agents fastest; with ``integer``
  instead 0, 1 or 2, which makes ties frequent.
* Transitions, dense: each row is proportional to −log(1 − u) over all states, that is uniform on the
  simplex. Sparse: `successors` draws of a state, with repetition, weighted alike; a state that is drawn
  more than once adds up. With ``integer`` the weights are 1, 2 or 3 instead, and probabilities are exact
  rationals.

Draws are made in the order rewards, then (sparse only) states, then weights.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

MOST_AGENTS = 64
"""Two actions of each would be 2⁶⁴ rows: beyond it not even the number of rows can be told in an array."""

BITS = 53
"""Of a draw: as many as a double holds."""


def build_dense(seed: Any, agents: Any, states: Any, actions: Any, discount: Any, integer: Any) -> MarkovGame:
    """Build a game in which every row may lead to every state."""
    name = "random-dense"
    count = parameters.whole(name, "states", states, least=1)
    return _build(name, seed, agents, count, actions, discount, integer, few=None)


def build_sparse(
    seed: Any, agents: Any, states: Any, actions: Any, discount: Any, integer: Any, successors: Any
) -> MarkovGame:
    """Build a game in which every row leads to a few states."""
    name = "random-sparse"
    count = parameters.whole(name, "states", states, least=1)
    few = parameters.whole(name, "successors", successors, least=1)
    return _build(name, seed, agents, count, actions, discount, integer, few=few)


def _build(
    name: str,
    seed: Any,
    agents: Any,
    count: int,
    actions: Any,
    discount: Any,
    integer: Any,
    *,
    few: int | None,
) -> MarkovGame:
    stream = np.random.PCG64(parameters.whole(name, "seed", seed, least=0))
    n = parameters.whole(name, "agents", agents, least=1, most=MOST_AGENTS)
    width = parameters.whole(name, "actions", actions, least=1)
    integer = parameters.flag(name, "integer", integer)
    factor = parameters.discount(name, discount)
    rows = count * width**n
    parameters.require_size(name, rows * (n + (few or count)))
    paid = _uniform(stream, (rows, n))
    if few is None:
        following = np.broadcast_to(np.arange(count), (rows, count))
    else:
        following = np.floor(_uniform(stream, (rows, few)) * count).astype(np.int64)
    drawn = _uniform(stream, following.shape)
    action_counts = np.full((count, n), width)
    if integer:
        weights = np.floor(3 * drawn).astype(np.int64) + 1
        return MarkovGame.from_rows(
            action_counts, np.floor(3 * paid).astype(np.int64).tolist(), _rational(weights, following), factor
        )
    weights = -np.log1p(-drawn)
    source = np.repeat(np.arange(rows), following.shape[1])
    matrix = sp.csr_array((weights.reshape(-1), (source, following.reshape(-1))), shape=(rows, count))
    matrix.sum_duplicates()
    matrix.data /= np.repeat(matrix.sum(axis=1), np.diff(matrix.indptr))
    return MarkovGame(2 * paid - 1, matrix, action_counts, np.full(n, float(factor)))


def _uniform(stream: np.random.PCG64, shape: tuple[int, ...]) -> FloatArray:
    """Draw an array of numbers in [0, 1), in C order."""
    raw = stream.random_raw(int(np.prod(shape)))
    uniform: FloatArray = (raw >> np.uint64(64 - BITS)).astype(np.float64) * 2.0**-BITS
    return uniform.reshape(shape)


def _rational(weights: IntArray, following: IntArray) -> list[list[tuple[Fraction, int]]]:
    """Return each row's transitions with exact probabilities, repeated states added up."""
    result = []
    for row, states in zip(weights.tolist(), following.tolist(), strict=True):
        together: dict[int, int] = {}
        for weight, state in zip(row, states, strict=True):
            together[state] = together.get(state, 0) + weight
        result.append([(Fraction(weight, sum(row)), state) for state, weight in together.items()])
    return result


def _answer(k: int, values: dict[str, tuple[Number, ...]], **instance: Any) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k),
        values,
        "computed-and-certified",
        "strategy improvement for the security values",
        instance,
    )


def _parameters(agents: int, states: int) -> dict[str, tuple[Any, str]]:
    return {
        "seed": (0, "seed; the same seed gives the same game everywhere"),
        "agents": (agents, "n"),
        "states": (states, "S"),
        "actions": (3, "actions of each agent in each state"),
        "discount": (0.9, "discount factor"),
        "integer": (False, "rewards 0, 1, 2 and transitions with small integer weights, as exact rationals"),
    }


ENTRIES = (
    CatalogEntry(
        name="random-dense",
        title="Random game with dense transitions",
        summary="Uniform rewards, transitions uniform on the simplex; or small integers with many ties.",
        origin="constructed for arneq_exact",
        parameters=_parameters(agents=3, states=10),
        build=build_dense,
        answers=(
            _answer(2, {"0": (-3.2315970708, -1.8152424268, -2.8997165597)}),
            _answer(2, {"0": (5.8427085691, 7.1611084388, 6.1734392498)}, integer=True),
        ),
        sizes=(3, 10, 270),
    ),
    CatalogEntry(
        name="random-sparse",
        title="Random game with sparse transitions",
        summary="Uniform rewards, a few successors for each joint action; or small integers with many ties.",
        origin="constructed for arneq_exact",
        parameters={**_parameters(agents=2, states=30), "successors": (4, "draws of a next state per row")},
        build=build_sparse,
        answers=(
            _answer(1, {"0": (1.936169862, 0.2089244582)}),
            _answer(1, {"0": (12.9737075739, 10.6772326643)}, integer=True),
        ),
        sizes=(2, 30, 270),
    ),
)
