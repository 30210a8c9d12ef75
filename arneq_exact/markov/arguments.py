"""The arguments that every public function of Markov games takes, validated once at the border."""

from __future__ import annotations

from typing import Any

from arneq_exact.errors import GameError, ThreatError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.rationals import shown
from arneq_exact.model.threat import ThreatModel


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
            f"{where}: threat is {threat.describe()}; must have timing 'per-state', because only evaluation "
            "is known for static corruption"
        )
