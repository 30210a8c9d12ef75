"""Take a constant off an agent's values: the same game, with room for the digits that matter.

Values are about the mean reward over 1 − γ. Where that is many orders larger than the differences between
actions (a large constant in the rewards, a discount close to 1), doubles spend their digits on the constant.
For any number C the substitution V = V′ + C turns

    V(s) = E[r + γ P V]      into      V′(s) = E[r′ + γ P V′],     r′ = r − (1 − γ) C + γ C (ρ − 1),

where ρ is the row's exact sum of transition probabilities. So the game with rewards r′ has the same
equilibria, row by row and whatever the row sums, and values that are less by C. The last term is what
makes the step sound: rows of doubles miss 1 by about 1e-16, and a large C turns that into a real difference
between actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Bounds
from arneq_exact.model.game import MarkovGame

GRID = 2**120
"""Offsets are rounded to multiples of 1/GRID: far below what any bound can show."""


@dataclass(frozen=True)
class Recentred:
    """An equivalent game and how to come back.

    Attributes
    ----------
    game : MarkovGame
        In doubles; solvers work on it.
    offset : tuple of Fraction, one per agent
        C: what was taken off the agent's values.
    """

    game: MarkovGame
    offset: tuple[Fraction, ...]

    def restored(self, bounds: Bounds) -> Bounds:
        """Return evidence about the recentred game as evidence about the original one, exactly."""
        if not any(self.offset):
            return bounds
        return replace(bounds, upper=self._raised(bounds.upper), lower=self._raised(bounds.lower))

    def _raised(self, values: FloatArray) -> FloatArray:
        result = np.empty(values.shape, dtype=object)
        # The agent's axis stands before the states; a finite horizon is never recentred.
        for agent, offset in enumerate(self.offset):
            result[agent] = [Fraction(value) + offset for value in values[agent].tolist()]
        return result


def rounding_loss(game: MarkovGame, values: FloatArray) -> float:
    """Return the relative gap that rounding alone may leave in answers with these values (n, S).

    Values are correct to their last digit at best, and a residual of that size counts 1/(1 − β) times.
    """
    slack = np.finfo(np.float64).eps * np.abs(values).max(axis=1) / (1 - game.contraction)
    return float((slack / game.reward_range).max())


def recentre_at(game: MarkovGame, values: FloatArray) -> Recentred:
    """Recentre so that these values (n, S), of the game as it is, come out near 0."""
    return recentre(game, (1 - game.discount) * values.mean(axis=1))


def levels(game: MarkovGame) -> FloatArray:
    """Return rough values (n, S) before anything is known: the mean reward, for ever."""
    # With a discount of 1 the episodes end, or there are no values: the modulus is below 1 where there are.
    rate = np.where(game.discount < 1, game.discount, game.contraction)
    mean = game.rewards.mean(axis=0) / (1 - rate)
    return np.repeat(mean[:, None], game.n_states, axis=1)


def recentred_further(game: MarkovGame, work: Recentred, values: FloatArray, loss: float) -> Recentred | None:
    """Return `game` recentred at `values`, which are those of `work`; None if nothing would be won.

    Nothing is won where rounding costs at most the relative gap `loss`, or where episodes end: a
    constant per step is none of such a game's.
    """
    if game.termination is not None or rounding_loss(work.game, values) <= loss:
        return None
    offset = np.array([float(offset) for offset in work.offset])
    return recentre_at(game, values + offset[:, None])


def unchanged(game: MarkovGame) -> Recentred:
    """Return the game as it is."""
    return Recentred(game, (Fraction(0),) * game.n_agents)


def recentre(game: MarkovGame, level: FloatArray) -> Recentred:
    """Take ``level`` (n,), a mean reward per step, off every agent's rewards.

    The discounts must be below 1.
    """
    excess = _row_excess(game)
    offset = []
    rewards = np.empty_like(game.rewards)
    for agent, (mean, factor) in enumerate(zip(level.tolist(), game.exact_discount(), strict=True)):
        exact = Fraction(round(Fraction(mean) / (1 - factor) * GRID), GRID)
        offset.append(exact)
        rewards[:, agent] = (game.rewards[:, agent] - mean) + float(factor * exact) * excess
    inner = MarkovGame(
        rewards, game.transitions, game.action_counts, game.discount, game.termination, names=game.names
    )
    return Recentred(inner, tuple(offset))


def _row_excess(game: MarkovGame) -> FloatArray:
    """Return ρ − 1 of every row, correct to its own last digits."""
    starts = game.transitions.indptr.tolist()
    if game.exact is None:
        entries = game.transitions.data.tolist()
        return np.array([math.fsum([*entries[a:b], -1.0]) for a, b in pairwise(starts)])
    numerators, denominators = game.exact.transition_numerators, game.exact.transition_denominators
    return np.array(
        [
            float(Fraction(sum(numerators[a:b].tolist()) - below, below))
            for (a, b), below in zip(pairwise(starts), denominators.tolist(), strict=True)
        ]
    )
