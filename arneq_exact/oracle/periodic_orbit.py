"""A periodic orbit of the model-based procedure in rational numbers, and the proof that it is one.

Let the procedure select, at iteration t, the pure joint action a^t(s) in every state, with a^{t+p} = a^t.
While it does so, V^{t+1}_i(s) = r_i(s, b) + γ_i Σ_s' P(s'|s, b) V^t_i(s') with b the joint action that
agent i's attacker turns a^t(s) into; p steps are one affine map, a contraction, and its fixed point V^0
solves a linear system with rational data. It *is* an orbit of the procedure if at every t, at the exact
payoffs Q^t, a^t(s) is a stage ARNEQ, worth V^{t+1}(s). If moreover it is the unique stage ARNEQ in every
state, the procedure has no choice: whatever its selection, from V^0 it goes round for ever.

The orbit is *guessed* by running the procedure in doubles, with pure unique stage ARNEQ only
(`arneq_exact.oracle.pure_play`), and then solved and proved in Fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.arrays import ExactArray, exact_array
from arneq_exact.exact.linear import solve_linear
from arneq_exact.model.game import MarkovGame
from arneq_exact.oracle.definition import exact_payoffs, stage_payoffs
from arneq_exact.oracle.pure_play import Joint, largest_sets, pure_play, unique_profile

LONGEST = 12
"""Longest period that is looked for: each unknown value of an orbit is a row of a system in Fractions."""

ITERATIONS = 150
"""Steps in doubles before the guess is given up: three rounds of the longest period and time to fall in."""

STEADY = 40
"""Steps of one and the same play after which nothing but a fixed point is expected, beyond the longest
period."""

ROUNDS = 20
"""Times round the play in doubles, after which values at discounts of 9/10 and less change no worst
column."""

Play = list[Joint]
"""One joint action per state."""


@dataclass(frozen=True)
class PeriodicOrbit:
    """A proved orbit.

    Attributes
    ----------
    values : (p, n, S) object array of Fractions
        V^0, …, V^{p−1}; V^p = V^0, and no two are equal.
    play : one list of S joint actions per step
    """

    values: ExactArray
    play: tuple[Play, ...]

    @property
    def period(self) -> int:
        """The number of steps after which the values repeat."""
        return len(self.play)

    def amplitude(self) -> Fraction:
        """Return the largest difference of one agent's values in one state along the orbit."""
        return Fraction((self.values.max(axis=0) - self.values.min(axis=0)).max())


def find_orbit(game: MarkovGame, k: int, iterations: int = ITERATIONS) -> PeriodicOrbit | None:
    """Look for a periodic orbit with pure, unique and strict stage ARNEQ that starts from V = 0.

    Parameters
    ----------
    game : MarkovGame
        With discounts below 1.
    k : int
        Budget of the attackers.
    iterations : int
        Steps in doubles before the guess is given up.

    Returns
    -------
    PeriodicOrbit or None
        Proved, or not found.
    """
    values = np.zeros((game.n_agents, game.n_states))
    history: list[Play] = []
    for step in range(iterations):
        play: Play = []
        following = np.empty_like(values)
        for state in range(game.n_states):
            stage = stage_payoffs(game, state, values)
            joint = unique_profile(stage, k)
            if joint is None:
                return None
            play.append(joint)
            following[:, state] = pure_play(stage, k).worth(joint)
        history.append(play)
        values = following
        if step > STEADY and all(one == play for one in history[-STEADY:]):
            return None
    for period in range(2, LONGEST + 1):
        if history[-period:] == history[-2 * period : -period] == history[-3 * period : -2 * period]:
            return proved_orbit(game, k, history[-period:])
    return None


def proved_orbit(game: MarkovGame, k: int, play: list[Play]) -> PeriodicOrbit | None:
    """Solve for the orbit with this play in Fractions and prove it; None if it is none."""
    n, size, period = game.n_agents, game.n_states, len(play)
    discount = game.exact_discount()
    values = np.full((period, n, size), Fraction(0), dtype=object)
    # Which joint action the attacker's worst column leads to depends on the values: try that of the doubles.
    floats = np.zeros((n, size))
    attacked: list[NDArray[Any]] = []
    for step in range(ROUNDS * period):
        rows = np.empty((n, size), dtype=np.int64)
        following = np.empty_like(floats)
        for state in range(size):
            stage = stage_payoffs(game, state, floats)
            for agent in range(n):
                reached = _worst_profile(stage[agent], k, agent, play[step % period][state])
                following[agent, state] = stage[agent][reached]
                rows[agent, state] = int(np.ravel_multi_index(reached, stage[agent].shape))
        attacked, floats = [*attacked[-period + 1 :], rows], following
    for agent in range(n):
        # Unknown V^t(s) has number t S + s;  V^{t+1}(s) = r + γ Σ P V^t.
        matrix = exact_array(np.eye(period * size))
        right = exact_array(np.zeros(period * size))
        for t in range(period):
            for state in range(size):
                row = int(attacked[t][agent, state])
                at = ((t + 1) % period) * size + state
                right[at] = exact_payoffs(game, state)[agent].ravel()[row]
                for p, s in game.exact_moves(int(game.offsets[state]) + row):
                    matrix[at, t * size + s] -= discount[agent] * p
        solved = solve_linear(matrix, right)
        assert solved is not None, "the values of a discounted orbit are unique"
        values[:, agent, :] = solved.reshape(period, size)
    if any((values[t] == values[0]).all() for t in range(1, period)):
        return None
    for t in range(period):
        for state in range(size):
            stage = exact_payoffs(game, state, values[t])
            joint = play[t][state]
            found = pure_play(stage, k)
            worth = found.worth(joint)
            if not found.strict[joint] or unique_profile(stage, k) != joint:
                return None
            if (worth != values[(t + 1) % period, :, state]).any():
                return None
    return PeriodicOrbit(values, tuple(play))


def _worst_profile(payoff: NDArray[np.float64], k: int, agent: int, joint: Joint) -> Joint:
    """Return what the attacker of `agent` turns a pure joint action into."""
    best: tuple[float, Joint] | None = None
    for K in largest_sets(payoff.ndim, agent, k):
        at = tuple(slice(None) if j in K else action for j, action in enumerate(joint))
        block = payoff[at]
        number = int(np.argmin(block))
        forced = dict(zip(K, np.unravel_index(number, block.shape), strict=True)) if K else {}
        reached = tuple(int(forced.get(j, action)) for j, action in enumerate(joint))
        if best is None or payoff[reached] < best[0]:
            best = (float(payoff[reached]), reached)
    assert best is not None
    return best[1]
