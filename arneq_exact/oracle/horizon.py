"""A time-indexed policy judged backwards from the definitions, after every history at once [T14].

Let L_t be agent i's robust values with t steps gone, U_t its best-response values. With M_t[v] the stage
matrices at time t and the others' play there, L_t(s) = min_c (π_t(s)ᵀ M_t[L_{t+1}])_c and U_t(s) = val
M_t[U_{t+1}]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.exact.matrix_games import matrix_game
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import contest

Play = tuple[FloatArray, ...]
"""One array (S, max A_i) per agent."""


@dataclass(frozen=True)
class Judged:
    """A time-indexed policy judged for one agent, from the definitions.

    Attributes
    ----------
    lower, upper : (T+1, S)
        Robust and best-response values, the first step first.
    errors : (T,)
        ε_t, the largest over the states.
    """

    lower: FloatArray
    upper: FloatArray
    errors: FloatArray


def judged(
    game: MarkovGame,
    threat: ThreatModel,
    plays: Sequence[Play],
    agent: int,
    end: tuple[FloatArray, FloatArray],
) -> Judged:
    """Judge the policy that plays `plays` in turn, after which agent i is worth `end` = (L, U), each (S,)."""
    lower, upper, errors = [end[0]], [end[1]], []
    for play in reversed(plays):
        faced = contest(game, threat, play, agent)
        states = range(game.n_states)
        ahead = [faced.stage(s, lower[-1]) for s in states]
        own = faced.own
        worth = np.array([(x @ matrix).min() for x, matrix in zip(own, ahead, strict=True)])
        errors.append(max(0.0, *(matrix_game(matrix)[0] - v for matrix, v in zip(ahead, worth, strict=True))))
        lower.append(worth)
        upper.append(np.array([matrix_game(faced.stage(s, upper[-1]))[0] for s in states]))
    return Judged(np.array(lower[::-1]), np.array(upper[::-1]), np.array(errors[::-1]))
