"""Episodes of environments, sampled for statistical tests, and the game that they are sampled from."""

from __future__ import annotations

import games
import numpy as np

from arneq_exact import Policy
from arneq_exact.model.row_layout import joint_strides
from arneq_exact.model.simulate import cumulative_mixture

RAGGED = games.random_game(np.random.default_rng(3), 3, 4, (1, 3), 0.8, kind="sparse", ending=0.5)


class Sampled:
    """Whole episodes of an environment in which every agent plays its policy; batched draws keep it fast."""

    def __init__(self, env, policy: Policy, episodes: int, seed: int, **reset) -> None:
        game = env.unwrapped.game
        rng = np.random.default_rng(seed)
        mixtures = [cumulative_mixture(array) for array in policy]
        names = env.possible_agents
        self.steps: list[tuple[int, int, int]] = []  # row, next state or −1, episode
        self.returns = np.zeros((episodes, game.n_agents))
        self.first = np.zeros(episodes, dtype=int)
        strides = joint_strides(game.action_counts)
        env.reset(seed=seed)
        for episode in range(episodes):
            env.reset(**reset)
            self.first[episode] = env.unwrapped.here
            worth = np.ones(game.n_agents)
            while env.agents:
                here = env.unwrapped.here
                numbers = rng.random(len(names))
                drawn = [int((table[here] <= u).sum()) for table, u in zip(mixtures, numbers, strict=True)]
                _, rewards, terminated, _, infos = env.step(dict(zip(names, drawn, strict=True)))
                played = [infos[name]["action"] for name in names]
                row = int(game.offsets[here] + strides[here] @ played)
                paid = [rewards[name] for name in names]
                assert paid == game.rewards[row].tolist()
                self.returns[episode] += worth * paid
                worth = worth * game.discount
                self.steps.append((row, -1 if terminated[names[0]] else env.unwrapped.here, episode))


def reach(game) -> np.ndarray:
    """The length of the interval in which returns lie, 0 included."""
    return (np.maximum(game.rewards.max(axis=0), 0) - np.minimum(game.rewards.min(axis=0), 0)) / (
        1 - game.discount
    )
