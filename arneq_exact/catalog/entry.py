"""What the catalog holds of a game: how to build it, where it comes from, and its known answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, get_args

from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

Number = int | float | Fraction | str
Label = Literal["cited", "closed-form", "computed-and-certified"]


@dataclass(frozen=True)
class KnownAnswer:
    """The values of an ARNEQ of one instance of a catalog game.

    Attributes
    ----------
    threat : ThreatModel
        Agents numbered from 0.
    values : {state name: one number per agent}
        Robust values at some or all states; a string "p/q" is a rational. With a horizon, the values
        with all steps still to go.
    label : {"cited", "closed-form", "computed-and-certified"}
        A publication, a derivation on paper, or a numerical answer rounded to ten decimals.
    source : str
        The citation, or the derivation in a few words.
    parameters : mapping
        Which instance of the game; empty for the default one.
    policy : callable, optional
        Builds, on that instance, an ARNEQ that has these values.
    unique : bool
        Whether every ARNEQ has these values. Where several exist, the answer is about `policy`.
    tolerance : float
        Largest absolute error of a double precision reproduction.
    horizon : int, optional
        Number of steps; None for the infinite game.
    """

    threat: ThreatModel
    values: Mapping[str, tuple[Number, ...]]
    label: Label
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    policy: Callable[[MarkovGame], Policy] | None = None
    unique: bool = True
    tolerance: float = 1e-9
    horizon: int | None = None

    def __post_init__(self) -> None:
        if self.label not in get_args(Label):
            raise InputError(f"KnownAnswer: label is {self.label!r}; must be one of {get_args(Label)}")
        if not self.unique and self.policy is None:
            raise InputError("KnownAnswer: the values are not unique; must have a policy that attains them")

    @property
    def exact(self) -> bool:
        """Whether the stored values are the exact rationals."""
        return not any(isinstance(value, float) for row in self.values.values() for value in row)

    def exact_values(self) -> dict[str, tuple[Fraction, ...]]:
        """Return the stored values as rationals (a float as the dyadic rational that it is)."""
        return {
            state: tuple(to_fraction(value, f"KnownAnswer: value at {state!r}") for value in row)
            for state, row in self.values.items()
        }


@dataclass(frozen=True)
class CatalogEntry:
    """One named game.

    Attributes
    ----------
    name, title, summary : str
    origin : str
        Authors, title, venue and year, or "constructed for arneq_exact" and why.
    parameters : {name: (default, meaning in one line)}
    build : callable
        Takes the parameters as keywords and returns the game.
    answers : tuple of KnownAnswer
    sizes : (n, S, rows)
        Of the default instance.
    """

    name: str
    title: str
    summary: str
    origin: str
    parameters: Mapping[str, tuple[Any, str]]
    build: Callable[..., MarkovGame]
    answers: tuple[KnownAnswer, ...]
    sizes: tuple[int, int, int]

    def load(self, **parameters: Any) -> MarkovGame:
        """Build the instance with `parameters`, defaults for the others.

        Raises
        ------
        InputError
            If a parameter is unknown or its value breaks a rule of the game.
        """
        for name in parameters:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise InputError(
                    f"catalog: game {self.name!r} has no parameter {name!r}; must be among: {known}"
                )
        defaults = {name: default for name, (default, _) in self.parameters.items()}
        return self.build(**{**defaults, **parameters})
