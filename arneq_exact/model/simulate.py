"""Seeded simulation: episodes of a game under a policy, many at once.

A step draws every agent's action from its own mixture, pays the row's expected rewards, and draws the next
state from the row. What a row's declared termination leaves out of its transitions ends the episode; the
reward of that last step counts. A row without termination never ends an episode, whatever rounding leaves
out of its sum.

Simulation estimates what `arneq_exact.robust_values` and its neighbours compute. It is here for learners
and for tests that hold an environment against the tables of its game.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import GameError, PolicyError
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.row_layout import joint_strides
from arneq_exact.model.validation import ROW_SUM_TOLERANCE

END = -1
"""Stands for the next state of an episode that has ended."""


class Transitions:
    """The rows of a game's transitions in the form from which next states are drawn.

    Parameters
    ----------
    game : MarkovGame
    """

    def __init__(self, game: MarkovGame) -> None:
        matrix = game.transitions
        starts, lengths = matrix.indptr[:-1].astype(np.int64), np.diff(matrix.indptr).astype(np.int64)
        ends = np.zeros(game.n_rows) if game.termination is None else game.termination
        cumulative = np.empty(matrix.nnz)
        # Sums run within a row, not through all rows, so that a large game loses no digits.
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            entries = starts[rows][:, None] + np.arange(length)
            sums = matrix.data[entries].cumsum(axis=1)
            never = (ends[rows] == 0)[:, None] & (sums == sums[:, -1:])
            cumulative[entries] = np.where(never, np.inf, sums)
        self._starts, self._ends = starts, starts + lengths
        self._cumulative = cumulative
        self._states = np.append(matrix.indices.astype(np.int64), END)
        self._halvings = int(lengths.max(initial=0)).bit_length()

    def draw(self, rows: IntArray, uniforms: FloatArray) -> IntArray:
        """Return the next states (E,) after `rows` (E,), `END` where the episode ends.

        Parameters
        ----------
        rows : (E,) int
        uniforms : (E,) numbers drawn uniformly from [0, 1)
        """
        low, high = self._starts[rows], self._ends[rows]
        for _ in range(self._halvings):
            middle = (low + high) // 2
            # An empty interval stays empty; its middle may be no entry of the row at all.
            inside = low < high
            above = inside & (self._cumulative[np.where(inside, middle, 0)] <= uniforms)
            low = np.where(above, middle + 1, low)
            high = np.where(inside & ~above, middle, high)
        found: IntArray = self._states[np.where(low < self._ends[rows], low, -1)]
        return found


@dataclass(frozen=True, eq=False)
class Episodes:
    """Simulated episodes of a game; E episodes of at most T steps.

    Attributes
    ----------
    states : (E, T) int
        States in which actions were chosen, `END` after the episode's last step.
    actions : (E, T, n) int
        Actions chosen there, 0 after the last step.
    rewards : (E, T, n)
        Rewards of each step, 0 after the last step.
    lengths : (E,) int
        Number of steps.
    ended : (E,) bool
        Whether the episode ended by itself; the others were cut after T steps.
    """

    states: IntArray
    actions: IntArray
    rewards: FloatArray
    lengths: IntArray
    ended: np.ndarray[Any, np.dtype[np.bool_]]

    def returns(self, discount: Any) -> FloatArray:
        """Return the discounted sums of rewards (E, n); `discount` is one number or one per agent."""
        steps = np.arange(self.rewards.shape[1])[:, None]
        weights = np.asarray(discount, dtype=np.float64) ** steps
        sums: FloatArray = (self.rewards * weights).sum(axis=1)
        return sums


def simulate(
    game: MarkovGame, policy: Policy, episodes: int, *, max_steps: int, seed: int, start: Any = None
) -> Episodes:
    """Simulate episodes of a game under a policy.

    Parameters
    ----------
    game : MarkovGame
    policy : Policy
        Stationary, or time-indexed with a horizon of at least `max_steps`.
    episodes : int
        Number E of episodes.
    max_steps : int
        Number T of steps after which an episode is cut.
    seed : int
        Same seed, same episodes.
    start : state number or (S,) probabilities, optional
        First state; by default drawn from the game's initial distribution, uniformly if it has none.

    Raises
    ------
    InputError
        If an argument breaks its rule.

    Notes
    -----
    All steps of all episodes are kept: E·T·(2n + 1) numbers.

    Examples
    --------
    >>> game = MarkovGame.from_arrays([[[1]]], [[["1/2"]]], 1, termination=[["1/2"]])
    >>> run = simulate(game, Policy.uniform(game), 1000, max_steps=50, seed=0)
    >>> bool(run.ended.all()), round(float(run.lengths.mean()), 1)
    (True, 2.0)
    """
    require.instance(game, "simulate: game", MarkovGame, GameError)
    require.instance(policy, "simulate: policy", Policy, PolicyError, "a Policy of all agents")
    policy.require_fit(game, "simulate")
    episodes = require.whole(episodes, "simulate: episodes", at_least=1)
    max_steps = require.whole(max_steps, "simulate: max_steps", at_least=1)
    seed = require.whole(seed, "simulate: seed", at_least=0)
    if policy.horizon is not None and policy.horizon < max_steps:
        raise PolicyError(
            f"simulate: policy has horizon {policy.horizon}; must be at least max_steps = {max_steps}"
        )
    rng = np.random.default_rng(seed)
    transitions = Transitions(game)
    strides = joint_strides(game.action_counts)
    mixtures = [cumulative_mixture(array) for array in policy]

    here = draw_from(cumulative_mixture(start_distribution(game, start, "simulate")), rng.random(episodes))
    states = np.full((episodes, max_steps), END, dtype=np.int64)
    actions = np.zeros((episodes, max_steps, game.n_agents), dtype=np.int64)
    rewards = np.zeros((episodes, max_steps, game.n_agents))
    running = np.arange(episodes)
    for step in range(max_steps):
        chosen = np.stack(
            [
                draw_from((table if table.ndim == 2 else table[step])[here], rng.random(len(here)))
                for table in mixtures
            ],
            axis=1,
        )
        rows = game.offsets[here] + (chosen * strides[here]).sum(axis=1)
        states[running, step] = here
        actions[running, step] = chosen
        rewards[running, step] = game.rewards[rows]
        following = transitions.draw(rows, rng.random(len(here)))
        running, here = running[following != END], following[following != END]
        if not running.size:
            break
    ended = np.ones(episodes, dtype=np.bool_)
    ended[running] = False
    return Episodes(states, actions, rewards, (states != END).sum(axis=1), ended)


def cumulative_mixture(probabilities: FloatArray) -> FloatArray:
    """Return sums along the last axis; they are infinite from the last positive entry on.

    So no number below 1 is past the end, and nothing of probability 0 is ever drawn.
    """
    sums = np.cumsum(probabilities, axis=-1)
    cumulative: FloatArray = np.where(sums == sums[..., -1:], np.inf, sums)
    return cumulative


def draw_from(cumulative: FloatArray, uniforms: FloatArray) -> IntArray:
    """Return (E,) numbers drawn from cumulative mixtures: one (A,) for all, or (E, A)."""
    found: IntArray = (cumulative <= uniforms[:, None]).sum(axis=1, dtype=np.int64)
    return found


def start_distribution(game: MarkovGame, start: Any, where: str) -> FloatArray:
    """Return the distribution (S,) of the first state that `start` means.

    Raises
    ------
    GameError
        If `start` is neither None, nor a state's number, nor a distribution over states.
    """
    if start is None:
        return game.first_states
    if isinstance(start, int | np.integer) and not require.is_truth_value(start):
        certain = np.zeros(game.n_states)
        certain[game.state_number(start, f"{where}: start")] = 1
        return certain
    try:
        given = np.asarray(start, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.zeros(0)
    if (
        given.shape != (game.n_states,)
        or not (given >= 0).all()
        or not abs(given.sum() - 1) <= ROW_SUM_TOLERANCE
    ):
        rule = f"a state's number or probabilities of the {game.n_states} states"
        raise require.broken(start, f"{where}: start", rule, GameError)
    return given
