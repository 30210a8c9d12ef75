"""Exploring behaviour: which (state, joint action) is tried next while agents learn.

Convergence of learning asks that every pair is tried infinitely often (Assumption 1, [T7]). For the two
behaviours of this file that is decided from the game's graph. Play with ε > 0 gives every joint action at
least the probability ∏ ε/A_i, so along its trajectory every edge of the graph has a probability bounded away
from 0; hence all states return for ever, almost surely, if and only if the graph is strongly connected, where
an edge leads from s to s' if some joint action does, and from s to every state in which episodes begin if an
episode can end, or be broken off, in s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from arneq_exact import require
from arneq_exact.model.game import MarkovGame


@dataclass(frozen=True)
class Trajectory:
    """Play one episode after another, exploring on the way.

    Each agent plays its part of the selected stage equilibrium, and with probability ε an action drawn
    uniformly, independently of the others. Episodes begin as the game's initial distribution says, uniformly
    if it has none.

    Parameters
    ----------
    epsilon : float
        In [0, 1]; 1, the default, explores only.
    restart : float
        Probability, in [0, 1], that the episode is broken off after a step: absorbing states are left then.

    Raises
    ------
    InputError
        If a parameter breaks its rule.
    """

    epsilon: float = 1.0
    restart: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epsilon", "restart"):
            given = getattr(self, name)
            object.__setattr__(self, name, require.probability(given, f"Trajectory: {name}"))

    @property
    def name(self) -> str:
        """The behaviour with its parameters."""
        return f"trajectory, ε = {self.epsilon:g}, restart {self.restart:g}"

    def visits_everything(self, game: MarkovGame) -> bool:
        """Tell whether every (state, joint action) is tried infinitely often, almost surely.

        For ε = 0 the answer is False where some state has more than one joint action: nothing is guaranteed.
        """
        if self.epsilon == 0 and game.n_rows > game.n_states:
            return False
        state = np.repeat(np.arange(game.n_states), np.diff(game.offsets))
        rows, following = game.transitions.nonzero()
        ends = np.zeros(game.n_rows) if game.termination is None else game.termination
        breaks = np.unique(state[(ends > 0) | (self.restart > 0)])
        begins = np.flatnonzero(game.first_states)
        sources = np.concatenate([state[rows], np.repeat(breaks, len(begins))])
        targets = np.concatenate([following, np.tile(begins, len(breaks))])
        graph = sp.csr_array((np.ones(len(sources)), (sources, targets)), shape=(game.n_states,) * 2)
        components, _ = connected_components(graph, directed=True, connection="strong")
        return bool(components == 1)


@dataclass(frozen=True)
class RandomPairs:
    """Draw every (state, joint action) uniformly and independently, as a generative model allows.

    Every pair is tried infinitely often, almost surely, in every game.
    """

    @property
    def name(self) -> str:
        """The behaviour."""
        return "random pairs"

    def visits_everything(self, game: MarkovGame) -> bool:
        """True: whatever the game, a pair comes up with probability 1/rows each time."""
        return True


Exploration = Trajectory | RandomPairs
