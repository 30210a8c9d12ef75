"""Types of a selected stage ARNEQ: why the model-based procedure should contract there [T6].

For agent i with stage payoffs Q_i, stage value g_i(π) and threat of n ≤ 2 agents or a decoupling one:

* type A, global optimum: g_i(π) is the maximum of g_i over all mixed product profiles. For two agents
  g_i is, for fixed x_i, linear in the other's mixture x_j, so the maximum is reached at a pure a_j:
  max over a_j of the value of the matrix game (1 − p_i) Q_i(·, a_j) 1ᵀ + p_i Q_i. With p_i = 0 it is
  max Q_i, and with p_i = 1 it is the security value.
* type B′: g_i(π) = sec_i(Q_i), the security value max_x min_{a_-i} Q_i(x, a_-i).

For more agents, whatever the threat, the maximum is enclosed by branch and bound
(`arneq_exact.stage.greatest_value`). Type A holds where the upper bound is at most g_i(π), and fails where
the lower one is above; where the budget ends in between, it is neither claimed nor denied, and `UNDECIDED`
is set.

Where agents decouple both hold at every stage ARNEQ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arneq_exact.model.corruption import Corruption
from arneq_exact.model.rationals import FloatArray
from arneq_exact.stage.greatest_value import greatest_value
from arneq_exact.stage.linear import solve_matrix_games

TYPE_A = 1
TYPE_B_PRIME = 2
UNDECIDED = 4
"""Set where the budget did not suffice to tell whether type A holds."""

TOLERANCE = 1e-9
"""Of the agent's stage payoff range: closer than this, values count as equal."""

EPS = float(np.finfo(float).eps)

Flags = NDArray[np.uint8]


def equal_within(payoff: FloatArray) -> float:
    """Return how close values of a stage game must be to count as equal.

    1e-9 of the payoff range, and what rounding makes of values that are all the same.
    """
    return TOLERANCE * float(np.ptp(payoff)) + 16 * EPS * float(np.abs(payoff).max())


def equilibrium_types(
    payoff: FloatArray,
    value: FloatArray,
    agent: int,
    corrupted: float,
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> Flags:
    """Decide the types of one agent at a batch of selected stage ARNEQ of one or two agents.

    Parameters
    ----------
    payoff : (B, A1) or (B, A1, A2)
        Stage payoffs of the agent.
    value : (B,)
        Its stage value g_i at the selected equilibrium.
    agent : int
    corrupted : float
        Probability p_i with which it sees the other agent corrupted.
    backend, calls
        As in `arneq_exact.stage.solve.StageSolver`, for the linear programs of the security values.

    Returns
    -------
    (B,) uint8
        Sum of the flags `TYPE_A` and `TYPE_B_PRIME` that hold; 0 for neither.
    """
    batch = len(payoff)
    own_first = np.moveaxis(payoff, agent + 1, 1).reshape(batch, payoff.shape[agent + 1], -1)
    slack = np.array([equal_within(table) for table in own_first])
    security = solve_matrix_games(own_first, backend=backend, calls=calls).value
    if corrupted == 1:
        best = security
    elif corrupted == 0:
        best = own_first.max(axis=(1, 2))
    else:
        _, rows, columns = own_first.shape
        # One matrix game for each pure action of the other agent.
        benign = np.moveaxis(own_first, 2, 1)[:, :, :, None]
        games = (1 - corrupted) * benign + corrupted * own_first[:, None, :, :]
        solved = solve_matrix_games(games.reshape(-1, rows, columns), backend=backend, calls=calls)
        best = solved.value.reshape(batch, columns).max(axis=1)
    flags = np.zeros(batch, dtype=np.uint8)
    flags[value >= best - slack] |= TYPE_A
    flags[np.abs(value - security) <= slack] |= TYPE_B_PRIME
    return flags


def stage_types(
    payoffs: FloatArray,
    values: FloatArray,
    corruptions: Sequence[Sequence[Corruption]],
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> Flags:
    """Decide the types of every agent at one stage ARNEQ.

    Parameters
    ----------
    payoffs : (n, A1, ..., An)
    values : (n,)
        Stage values g_i.
    corruptions : for each agent, the extreme points of its Ω_i
    backend, calls
        As in `equilibrium_types`.

    Returns
    -------
    (n,) uint8
        As in `equilibrium_types`; with three agents or more `UNDECIDED` may stand in the place of `TYPE_A`.
    """
    if len(payoffs) <= 2:
        # Of several probabilities of corruption the largest is worst.
        risks = [
            max(sum(float(w) for members, w in point.weights if members) for point in points)
            for points in corruptions
        ]
        pairs = [
            equilibrium_types(payoff[None], values[i : i + 1], i, risks[i], backend=backend, calls=calls)
            for i, payoff in enumerate(payoffs)
        ]
        return np.concatenate(pairs)
    flags = np.zeros(len(payoffs), dtype=np.uint8)
    for agent, payoff in enumerate(payoffs):
        own_first = np.moveaxis(payoff, agent, 0).reshape(1, payoff.shape[agent], -1)
        slack = equal_within(payoff)
        security = solve_matrix_games(own_first, backend=backend, calls=calls).value[0]
        if abs(values[agent] - security) <= slack:
            flags[agent] |= TYPE_B_PRIME
        bar = float(values[agent]) + slack
        most = greatest_value(payoff, corruptions[agent], agent, target=bar, backend=backend, calls=calls)
        if most.upper <= bar:
            flags[agent] |= TYPE_A
        elif most.lower <= bar:
            flags[agent] |= UNDECIDED
    return flags
