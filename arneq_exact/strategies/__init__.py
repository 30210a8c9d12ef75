"""Hypothesis strategies that draw games, threats and policies, for tests of solvers: one's own, and ours.

Every draw is valid by construction, and so is whatever it shrinks to: smaller games have fewer agents, states
and actions and simpler numbers, but their rows still sum to 1, threats still name agents of the game, and
policies still fit it. Nothing is filtered.

*General position* means that nothing coincides by accident. Rewards are ±√p, each with a prime p of its own;
square roots of distinct primes are linearly independent over the rationals, so no two sums of them are equal.
(What is stored is their rounding, to a double or to a fraction of 10⁶.) Transition probabilities are in the
ratio of such roots, and every state can follow every row. Numbers can only be exchanged with each other, so a
shrunk game is in general position still.

*Degenerate* games are made of coincidences: rewards in {0, 1, 2}, one successor a row, actions that copy
others, agents or whole games that earn a constant. They are where solvers fail.

>>> from hypothesis import given
>>> @given(games(agents=2, states=2))
... def test_sizes(game):
...     assert (game.n_agents, game.n_states) == (2, 2)
>>> test_sizes()
"""

from __future__ import annotations

from arneq_exact.strategies.games import games as games
from arneq_exact.strategies.games import one_shot_games as one_shot_games
from arneq_exact.strategies.policies import distributions as distributions
from arneq_exact.strategies.policies import policies as policies
from arneq_exact.strategies.threats import threats as threats

__all__ = ["distributions", "games", "one_shot_games", "policies", "threats"]
