"""What ART is measured against: the same learner, trained against something else.

* `IndependentPolicyGradient`: no attacker. Every agent ascends its own nominal value: aims at Nash.
* `AllOthersAdversarial`: an attacker that holds all other agents (k = n−1): aims at maximin.
* `RandomCorruption`: chance in the attacker's place. A set is drawn uniformly among the largest that the
  threat allows, and plays uniformly, or by policies drawn anew in every iteration.
* `FixedCorruption`: one set that everybody knows, played by a learning attacker.

All take the options of ART, from gradients to seeds.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.learning.art import ART
from arneq_exact.learning.attacked_game import Parts
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

PLAYS = ("uniform", "random")


class IndependentPolicyGradient(ART):
    """Policy gradient of every agent on its own nominal value, at once.

    Parameters
    ----------
    game, threat, seed, **options
        As for `ART`. The threat is not trained against.
    """

    name: ClassVar[str] = "independent-policy-gradient"

    @property
    def training_threat(self) -> ThreatModel:
        """Nobody is corrupted."""
        return ThreatModel(0)

    @property
    def attack(self) -> None:  # type: ignore[override]
        """There is none."""
        return


class AllOthersAdversarial(ART):
    """ART against the largest threat: all other agents are corrupted, for certain.

    Parameters
    ----------
    game, threat, seed, **options
        As for `ART`. Of the threat nothing is used but its masks.
    """

    name: ClassVar[str] = "all-others-adversarial"

    @property
    def training_threat(self) -> ThreatModel:
        """All others, under the masks of the threat."""
        n = self.game.n_agents
        everyone = {i: [[j for j in range(n) if j != i]] for i in range(n)}
        return ThreatModel(sets=everyone, masks=self.threat.masks)


class FixedCorruption(ART):
    """ART against one known set of corrupted agents.

    Parameters
    ----------
    game, threat, seed, **options
        As for `ART`. Of the threat nothing is used but its masks.
    corrupted : list of int, optional
        The agents, from 0; by default the last one. A corrupted agent faces the others of the set.

    Raises
    ------
    InputError
        If the agents are not distinct, or do not exist.
    """

    name: ClassVar[str] = "fixed-corruption"

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, corrupted: Any = None, **options: Any
    ) -> None:
        self.corrupted = self._members(game, corrupted)
        super().__init__(game, threat, seed=seed, **options)

    @property
    def training_threat(self) -> ThreatModel:
        """The set, less the agent itself, under the masks of the threat."""
        n = self.game.n_agents
        sets = {i: [[j for j in self.corrupted if j != i]] for i in range(n)}
        return ThreatModel(sets=sets, masks=self.threat.masks)

    @property
    def settings(self) -> dict[str, Any]:
        """All options by name."""
        return {**super().settings, "corrupted": self.corrupted}

    def _members(self, game: Any, corrupted: Any) -> list[int]:
        if not isinstance(game, MarkovGame):
            return []  # refused with the other arguments
        n = game.n_agents
        given = [n - 1] if corrupted is None else corrupted
        where, rule = f"{self.name}: corrupted", f"distinct agents from 0 to {n - 1}"
        if not isinstance(given, list | tuple):
            raise require.broken(corrupted, where, rule)
        members = [require.whole(j, where, at_least=0, at_most=n - 1, rule=rule) for j in given]
        require.that(len(set(members)) == len(members), corrupted, where, rule)
        return sorted(members)


class RandomCorruption(ART):
    """Policy gradient against corruption by chance.

    Parameters
    ----------
    game, threat, seed, **options
        As for `ART`; the attack has product form and does not learn.
    play : {"uniform", "random"}
        What corrupted agents play: uniformly, or by policies drawn uniformly, anew in every iteration.

    Raises
    ------
    InputError
        If an option breaks its rule.
    """

    name: ClassVar[str] = "random-corruption"

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, play: str = "uniform", **options: Any
    ) -> None:
        self.play = require.one_of(play, f"{self.name}: play", PLAYS)
        super().__init__(game, threat, seed=seed, **options)
        if self.options.attack != "product":
            raise InputError(
                f"{self.name}: attack is {self.options.attack!r}; must be 'product': it does not learn"
            )
        for name in ("points", "slots"):
            self._set_attack(name, np.zeros(self._variables[name].shape))

    @property
    def settings(self) -> dict[str, Any]:
        """All options by name."""
        return {**super().settings, "play": self.play}

    def _iterate(self) -> None:
        if self.play == "random":
            # Exponential variates, normalised, are uniform on the simplex.
            rng = np.random.default_rng([self.seed, 2, self.iteration])
            self._set_attack("slots", np.log(rng.standard_exponential(self._variables["slots"].shape)))
        super()._iterate()

    def _changes(self, variables: Parts, call: int) -> Parts:
        return {"policy": super()._changes(variables, call)["policy"]}

    def _set_attack(self, name: str, logits: FloatArray) -> None:
        self._variables[name][...] = self._form.start(logits, self._allowed[name])
