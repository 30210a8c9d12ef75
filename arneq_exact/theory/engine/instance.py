"""An instance of a statement: a game, a threat, and whatever else the statement speaks of.

Some statements compare two payoff arrays, judge a policy or follow a run. What they need besides the game and
the threat are the *extras*, by name: numbers, texts, arrays (of doubles or of Fractions), and lists and
mappings of these. An instance is complete: a check depends on nothing else, and draws whatever it must draw
from the instance's seed. So a file that holds an instance reproduces a check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import FileError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.game_json import game_from_json, game_to_json
from arneq_exact.model.json_reading import as_object, check_keys
from arneq_exact.model.threat import ThreatModel
from arneq_exact.theory.engine.encoding import decode, encode, frozen
from arneq_exact.theory.engine.extras import require_extras


@dataclass(frozen=True, eq=False)
class Instance:
    """What a statement is checked on.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    extras : mapping
        Whatever else the statement speaks of, by name.
    seed : int
        Of the random choices that a check makes; at least 0.
    family : str
        The class of games that it was drawn from, such as "dense" or "separable".

    Raises
    ------
    InputError
        If the seed, the family or an extra of a known name (`arneq_exact.theory.engine.extras`) breaks its
        rule.
    """

    game: MarkovGame
    threat: ThreatModel
    extras: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    family: str = "given"

    def __post_init__(self) -> None:
        object.__setattr__(self, "extras", frozen(dict(self.extras), "Instance: extras"))
        require.whole(self.seed, "Instance: seed", at_least=0)
        require.instance(self.family, "Instance: family", str, rule="a text")
        require_extras(self.game, self.extras)

    def rng(self) -> np.random.Generator:
        """Return a fresh generator for the random choices of a check."""
        return np.random.default_rng(self.seed)

    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; all numbers are exact."""
        return {
            "family": self.family,
            "seed": self.seed,
            "threat": self.threat.to_json(),
            "extras": encode(self.extras),
            "game": game_to_json(self.game),
        }

    @classmethod
    def from_json(cls, data: Any, where: str = "instance") -> Instance:
        """Read what `to_json` wrote.

        Raises
        ------
        FileError
            If it is anything else.
        """
        top = as_object(data, where)
        check_keys(top, where, ["family", "seed", "threat", "extras", "game"])
        game = game_from_json(top["game"], f"{where}: game")
        threat = ThreatModel.from_json(top["threat"], f"{where}: threat")
        extras = {
            name: decode(entry, f"{where}: extras: {name}")
            for name, entry in as_object(top["extras"], f"{where}: extras").items()
        }
        try:
            return cls(game, threat, extras, top["seed"], top["family"])
        except InputError as error:
            raise FileError(f"{where}: {error}") from None

    def same_as(self, other: Instance) -> bool:
        """Tell whether two instances are equal, bit for bit."""
        return (
            self.game.same_as(other.game)
            and self.threat.to_json() == other.threat.to_json()
            and encode(self.extras) == encode(other.extras)
            and (self.seed, self.family) == (other.seed, other.family)
        )
