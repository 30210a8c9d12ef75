"""The arguments that every public function of Markov games takes, validated once at the border."""

from __future__ import annotations

from typing import Any

from arneq_exact import require
from arneq_exact.errors import GameError, PolicyError, ThreatError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel


def require_game_and_threat(game: Any, threat: Any, where: str, *, static: bool = False) -> None:
    """Refuse what is no game or no threat, and a threat that does not fit the game.

    Static corruption is refused unless `static` is set.

    Raises
    ------
    GameError, ThreatError
        With `where`, the value and the rule.
    """
    require.instance(game, f"{where}: game", MarkovGame, GameError)
    rule = "a ThreatModel, such as ThreatModel(1)"
    require.instance(threat, f"{where}: threat", ThreatModel, ThreatError, rule)
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
    most = game.n_agents - 1
    rule = f"a number from 0 to {most}"
    require.whole(agent, f"{where}: agent", at_least=0, at_most=most, rule=rule, error=PolicyError)
