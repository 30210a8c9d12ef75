"""The arguments that every public function of Markov games takes, validated once at the border."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from arneq_exact.errors import GameError, InputError, PolicyError, ThreatError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.require import shown
from arneq_exact.stage.solve import BACKENDS


def require_game_and_threat(game: Any, threat: Any, where: str, *, static: bool = False) -> None:
    """Refuse what is no game or no threat, and a threat that does not fit the game.

    Static corruption is refused unless `static` is set.

    Raises
    ------
    GameError, ThreatError
        With `where`, the value and the rule.
    """
    if not isinstance(game, MarkovGame):
        raise GameError(f"{where}: game is {shown(game)}; must be a MarkovGame")
    if not isinstance(threat, ThreatModel):
        raise ThreatError(
            f"{where}: threat is {shown(threat)}; must be a ThreatModel, such as ThreatModel(1)"
        )
    threat.require_fit(game.action_counts)
    if threat.timing != "per-state" and not static:
        raise ThreatError(
            f"{where}: threat is {threat.describe()}; must have timing 'per-state': under static corruption "
            "policies can be evaluated (robust_values, static_values), nothing more"
        )


def require_judgeable(game: Any, threat: Any, policy: Any, where: str, *, static: bool = False) -> None:
    """Refuse a policy that cannot be judged: another game's, or stationary where a discount is 1.

    Static corruption is refused unless `static` is set.

    Raises
    ------
    GameError, ThreatError, PolicyError
        With `where`, the value and the rule.
    """
    require_game_and_threat(game, threat, where, static=static)
    if not isinstance(policy, Policy):
        raise PolicyError(
            f"{where}: policy is {type(policy).__name__}; must be a Policy of all agents, "
            "as Policy(game, arrays) makes it"
        )
    policy.require_fit(game, where)
    if policy.horizon is None:
        game.require_discounting(where)


def require_agent(game: MarkovGame, agent: Any, where: str) -> None:
    """Refuse a number that is no agent's.

    Raises
    ------
    PolicyError
        With `where`, the value and the rule.
    """
    if isinstance(agent, bool) or not isinstance(agent, int | np.integer) or not 0 <= agent < game.n_agents:
        raise PolicyError(f"{where}: agent is {agent!r}; must be a number from 0 to {game.n_agents - 1}")


def require_options(backend: Any, tol: Any, time_limit: Any, seed: Any, progress: Any) -> None:
    """Refuse options of `solve` that break their rules.

    Raises
    ------
    InputError
        With the value and the rule.
    """
    if backend not in BACKENDS:
        raise InputError(f"solve: backend is {backend!r}; must be one of {', '.join(BACKENDS)}")
    if isinstance(tol, bool) or not isinstance(tol, Real) or not float(tol) > 0:
        raise InputError(f"solve: tol is {tol!r}; must be a positive number")
    if time_limit is not None and (
        isinstance(time_limit, bool) or not isinstance(time_limit, Real) or not float(time_limit) > 0
    ):
        raise InputError(f"solve: time_limit is {time_limit!r}; must be a positive number of seconds")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"solve: seed is {seed!r}; must be an integer of at least 0")
    if progress is not None and not callable(progress):
        raise InputError(f"solve: progress is {progress!r}; must be a function of one Progress")


def require_exactness(exact: Any, bits: Any, most: int) -> None:
    """Refuse options of exact solving that break their rules.

    Raises
    ------
    InputError
        With the value and the rule.
    """
    if not isinstance(exact, bool):
        raise InputError(f"solve: exact is {exact!r}; must be True or False")
    if isinstance(bits, bool) or not isinstance(bits, Integral) or not 1 <= int(bits) <= most:
        raise InputError(f"solve: bits is {bits!r}; must be an integer from 1 to {most}")
