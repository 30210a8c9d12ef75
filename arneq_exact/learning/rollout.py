"""Policy gradients estimated from episodes of the game (REINFORCE; Williams 1992), without bias.

Every agent plays episodes of its own, in which its own attacker draws the corrupted agents. With p the
probability of what was played at step t and G_t the return from there,

    ∂J/∂p(a | s) ≈ mean over episodes of Σ_t 1{s_t = s, a_t = a} (G_t − b(s)) / p(a | s),

for the agent's actions, and likewise for its attacker's columns. b(s) is a baseline that follows the mean
return from s of *earlier* batches: being independent of the batch at hand it shifts no expectation, up to
a constant in every probability vector, and takes off variance. Softmax multiplies the p below the fraction
away again; on the simplex a floor under p, `exploration`, keeps the variance finite.
"""

from __future__ import annotations

from math import ceil, log

import numpy as np

from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.attacked_game import AttackedGame, Parts
from arneq_exact.learning.gradients import Gradients
from arneq_exact.learning.rollout_kernel import Chances, Rollouts, Sums, cumulate_by_point, simulate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.simulate import cumulative_mixture

BITS = 53
"""Of the uniform number that an episode's length is drawn by."""

LONGEST = 10_000_000
"""Steps of an episode that there is room for, 320 MB of it: up to a discount of 0.999996."""


class SampledGradients:
    """Gradients from episodes, a batch for every agent.

    Parameters
    ----------
    arena : AttackedGame
    draw : {"step", "episode"}
    episodes : int
        In each batch.
    seed : int
    baseline : (n, S)
        b_i, updated in place after every batch.
    baseline_rate : float
        b(s) moves so far towards the batch's mean return from s; at 0 it stays.

    Raises
    ------
    InputError
        If a discount is so near 1 that episodes may have more than `LONGEST` steps.

    Notes
    -----
    Episodes end with probability 1 − γ after every step in place of discounting, which costs variance but
    leaves no bias of truncation. A step of the game costs about a tenth of a microsecond.
    """

    def __init__(
        self,
        arena: AttackedGame,
        draw: str,
        episodes: int,
        seed: int,
        baseline: FloatArray,
        baseline_rate: float,
    ) -> None:
        self.arena = arena
        self.draw = draw
        self.episodes = episodes
        self.seed = seed
        self.baseline = baseline
        self.baseline_rate = baseline_rate
        self._following = following(arena.game)
        self._start = cumulative_mixture(arena.start)
        longest = max(_longest(arena.game, agent) for agent in range(arena.game.n_agents))
        self._trajectory = np.zeros((longest, 3), dtype=np.int64)
        self._paid = np.zeros(longest)

    def gradients(self, played: Parts, iteration: int, call: int) -> Gradients:
        """Return estimates from one batch for every agent, drawn by (seed, iteration, call, agent)."""
        arena, episodes = self.arena, self.episodes
        n, n_states = arena.game.n_agents, arena.game.n_states
        per_episode = self.draw == "episode"
        by = {name: np.zeros(array.shape) for name, array in played.items()}
        occupancy, objective, steps = np.zeros((n, n_states)), np.zeros(n), 0
        policy = cumulative_mixture(played["policy"])
        indptr, indices, _ = arena.csr
        for agent in range(n):
            mixture, conditional = arena.mixture(agent, played)
            points = played["points"][agent] if per_episode else np.ones((n_states, 1))
            if per_episode:
                columns = np.empty(conditional.shape)
                cumulate_by_point(arena.shared, arena.tables[agent], conditional, columns)
            else:
                columns = cumulative_mixture(mixture)
            sums = Sums(
                np.zeros(played["policy"].shape[1:]),
                np.zeros(points.shape),
                np.zeros(mixture.shape),
                np.zeros(n_states),
                np.zeros(n_states),
            )
            discount, baseline = float(arena.game.discount[agent]), self.baseline[agent]
            log_discount = log(discount) if discount > 0 else -np.inf
            key = np.random.SeedSequence([self.seed, 1, iteration, call, agent]).generate_state(1, np.uint64)
            made, total = simulate(
                arena.shared,
                arena.tables[agent],
                Chances(policy, cumulative_mixture(points), columns, self._following, self._start),
                Rollouts(agent, per_episode, arena.rewards, log_discount, indptr, indices, baseline),
                (key[0], episodes),
                (self._trajectory, self._paid),
                sums,
            )
            steps += int(made)
            objective[agent] = total / episodes
            occupancy[agent] = sums.visits / episodes
            by["policy"][agent] = _ratio(sums.policy, episodes * played["policy"][agent])
            if per_episode:
                by["points"][agent] = _ratio(sums.points, episodes * points)
            drawn = conditional if per_episode else mixture
            arena.add_gradient(agent, played, _ratio(sums.columns, episodes * drawn), by, per_episode)
            mean = _ratio(sums.returns, sums.visits)
            self.baseline[agent] += np.where(
                sums.visits > 0, self.baseline_rate * (mean - self.baseline[agent]), 0.0
            )
        return Gradients(by, occupancy, objective, steps)


def following(game: MarkovGame) -> FloatArray:
    """Return cumulative transition probabilities within each row, in CSR order: (entries,).

    In rows that do not end the episode the last entry is beyond 1, whatever rounding left in their sum.
    """
    indptr, data = game.transitions.indptr, game.transitions.data
    result = np.empty(len(data))
    for row in range(game.n_rows):
        entries = slice(int(indptr[row]), int(indptr[row + 1]))
        ends = game.termination is not None and game.termination[row] > 0
        if entries.stop > entries.start:
            result[entries] = np.cumsum(data[entries]) if ends else cumulative_mixture(data[entries])
    return result


def _longest(game: MarkovGame, agent: int) -> int:
    """Return the greatest length that an episode of the agent's can be drawn to have."""
    discount = float(game.discount[agent])
    length = 2 if discount == 0 else 2 + ceil(BITS * log(2) / -log(discount))
    if length > LONGEST:
        raise InputError(
            f"sampled gradients: discount of agent {game.agent_name(agent)!r} is {discount!r}; must be so "
            f"far below 1 that episodes have at most {LONGEST} steps, not {length}"
        )
    return length


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, 0 where nothing is below: what is never played has no estimate."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
