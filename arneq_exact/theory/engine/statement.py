"""A statement of the theory as an object: what it claims, under which hypotheses, and how it is checked.

A statement is three functions and the words around them:

* ``examine(instance) -> Findings`` computes both sides of the claim, and no more: hypotheses are decided
  before it is asked, each by its own ``decide``, and the verdict is the engine's,
* ``families`` draws instances that meet the hypotheses, one function for each class of games,
* ``confirm(instance) -> Findings`` (where a hypothesis can be dropped) repeats the comparison in exact
  arithmetic: a counterexample counts only when this says so.

Ids begin with the id of the theory page, such as T4; a lettered or named part follows: T6a, T4.nash.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from arneq_exact.errors import InputError, StageError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.theory.engine.evidence import Evidence, Findings
from arneq_exact.theory.engine.instance import Instance

PROVED, UNDER_HYPOTHESES, FALSE_WITHOUT = "proved", "proved under hypotheses", "false without "


@dataclass(frozen=True)
class Hypothesis:
    """Something that a statement assumes.

    Attributes
    ----------
    name : str
        Short, as it stands in evidence and on the command line.
    text : str
        What is assumed, in one sentence.
    decide : function, optional
        Decides it from the instance at little cost, before anything is computed. Without one it comes out
        as the claim is computed, and the findings tell it.
    droppable : bool
        Whether the statement can be asked for without it. It cannot where nothing would be left to check,
        such as for a statement about one family of games.
    """

    name: str
    text: str
    decide: Callable[[Instance], bool | None] | None = field(default=None, compare=False, repr=False)
    droppable: bool = True


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement of the theory, ready to be run.

    Attributes
    ----------
    id : str
        Begins with the id of the theory page.
    title : str
    claim : str
        One sentence.
    hypotheses : tuple of Hypothesis
    source : str
        Where it is proved.
    status : str
        "proved", "proved under hypotheses", or "false without" and the name of a hypothesis.
    examine : function
        Of an instance, gives the findings.
    families : mapping of class name to function
        Each function draws, from a random generator, an instance that meets the hypotheses.
    confirm : function, optional
        Like `examine`, in exact arithmetic throughout.
    candidates : function, optional
        Of a random generator and the name of a dropped hypothesis, draws an instance for the search of
        counterexamples where the plain families would be long in finding one.
    """

    id: str
    title: str
    claim: str
    hypotheses: tuple[Hypothesis, ...]
    source: str
    status: str
    examine: Callable[[Instance], Findings]
    families: Mapping[str, Callable[[np.random.Generator], Instance]]
    confirm: Callable[[Instance], Findings] | None = None
    candidates: Callable[[np.random.Generator, str], Instance] | None = None

    def __post_init__(self) -> None:
        named = [hypothesis.name for hypothesis in self.hypotheses]
        if (self.status == PROVED) == bool(named):
            raise InputError(
                f"statement {self.id}: status is {self.status!r} with hypotheses {named}; "
                "must be 'proved' if there are none, and only then"
            )
        if self.status not in (PROVED, UNDER_HYPOTHESES) and (
            self.status.removeprefix(FALSE_WITHOUT) not in named
        ):
            raise InputError(
                f"statement {self.id}: status is {self.status!r}; must be 'proved', "
                f"'proved under hypotheses' or 'false without' one of {', '.join(named)}"
            )

    def check(
        self,
        game: MarkovGame,
        threat: ThreatModel,
        *,
        seed: int = 0,
        drop: Sequence[str] = (),
        family: str = "given",
        **extras: Any,
    ) -> Evidence:
        """Check the statement on a game.

        Parameters
        ----------
        game : MarkovGame
        threat : ThreatModel
        seed : int
            Of the random choices that the check makes.
        drop : sequence of str
            Names of hypotheses that are not asked for.
        family : str
            Class of games, a label.
        **extras
            What the statement speaks of besides, by name.

        Raises
        ------
        InputError
            If a dropped hypothesis is none of the statement's.
        """
        return self.check_instance(Instance(game, threat, extras, seed, family), drop=drop)

    def check_instance(self, instance: Instance, *, drop: Sequence[str] = ()) -> Evidence:
        """Check the statement on an instance; see `check`.

        Hypotheses that are decided beforehand come first: where one fails nothing else is computed, so that a
        statement can be checked on games that it is not about. Where a solver gives up on a stage game that
        the check needs, the evidence is undecided and says so.
        """

        def examine(instance: Instance) -> Findings:
            try:
                return self.examine(instance)
            except StageError as error:
                return Findings(undecided=f"a solver gave up: {error}")

        return Evidence.of(self.id, self._judged(instance, drop, examine), instance, drop)

    def confirm_exactly(self, instance: Instance, *, drop: Sequence[str] = ()) -> Evidence:
        """Check the statement on an instance in exact arithmetic.

        Raises
        ------
        InputError
            If the statement has no exact form.
        """
        if self.confirm is None:
            raise InputError(f"statement {self.id}: has no check in exact arithmetic")
        return Evidence.of(
            self.id, self._judged(instance, drop, self.confirm), instance, drop, confirmed=True
        )

    def _judged(
        self, instance: Instance, drop: Sequence[str], examine: Callable[[Instance], Findings]
    ) -> Findings:
        """Return the findings with every hypothesis told: None for one that nothing has decided."""
        self.require_hypotheses(drop)
        held: dict[str, bool | None] = {
            one.name: one.decide(instance) if one.decide is not None else None for one in self.hypotheses
        }
        if any(told is False and name not in drop for name, told in held.items()):
            return Findings(hypotheses=held)
        findings = examine(instance)
        left = {one.name for one in self.hypotheses if one.decide is None}
        strangers = sorted(set(findings.hypotheses) - left)
        if strangers:
            raise InputError(
                f"statement {self.id}: its check tells of {', '.join(strangers)}; must be its own hypotheses "
                "that are not decided beforehand"
            )
        return replace(findings, hypotheses={**held, **findings.hypotheses})

    def require_hypotheses(self, names: Sequence[str]) -> None:
        """Refuse names that are none of the statement's hypotheses, and those it cannot do without."""
        named = [hypothesis.name for hypothesis in self.hypotheses if hypothesis.droppable]
        for name in names:
            if name in {hypothesis.name for hypothesis in self.hypotheses} - set(named):
                raise InputError(
                    f"statement {self.id}: hypothesis {name!r} says what it is about; must not be dropped"
                )
            if name not in named:
                raise InputError(
                    f"statement {self.id}: hypothesis {name!r} is unknown; must be "
                    + (f"one of {', '.join(named)}" if named else "left out, there is none")
                )

    def draw(self, index: int, seed: int = 0) -> Instance:
        """Return instance number `index` of the statement: families take turns.

        The same id, seed and index give the same instance, whatever else is drawn.
        """
        names = list(self.families)
        family = names[index % len(names)]
        entropy = np.random.SeedSequence([zlib.crc32(self.id.encode()), seed, index])
        drawn = self.families[family](np.random.default_rng(entropy))
        return replace(drawn, seed=int(entropy.generate_state(1)[0]), family=family)
