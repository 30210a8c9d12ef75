"""The options of learners by gradients, validated once; all plain data, as in a configuration file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.learning.attacked_game import ATTACKS, STARTS
from arneq_exact.learning.gradients import DRAWS
from arneq_exact.learning.parametrisation import PARAMETRISATIONS
from arneq_exact.learning.step_sizes import Constant, Geometric, Polynomial, StepSize

GRADIENTS = ("exact", "sampled")
LARGEST = 1e100
"""Of every number: products of two, over as many iterations as one likes, stay finite."""

UPDATES = ("simultaneous", "alternating", "extragradient", "optimistic")
AVERAGES = ("last", "uniform", "linear")

Schedule = Mapping[str, Any]

_SCHEDULES: dict[str, Callable[..., StepSize]] = {
    "constant": Constant,
    "polynomial": Polynomial,
    "geometric": Geometric,
}


def _constant() -> Schedule:
    return {"constant": {"value": 1.0}}


@dataclass(frozen=True)
class TrainingOptions:
    """How agents and attackers learn.

    Rates are in units of the agent's reward range: scaling an agent's rewards changes nothing. A rate is
    multiplied by its schedule, which is 1 unless given, as ``{"polynomial": {"power": 0.5}}`` with the name
    and the parameters of a schedule of `arneq_exact.learning.step_sizes`.

    Attributes
    ----------
    gradients : {"exact", "sampled"}
        From the model, or from episodes.
    parametrisation : {"softmax", "simplex"}
        See `arneq_exact.learning.parametrisation`.
    attack : {"product", "joint"}
        ω and π̂ as in the paper, or any mixture over columns; see `arneq_exact.learning.attacked_game`.
    natural : bool
        Divide gradients by the occupancy of the state; in softmax, natural policy gradient. Sampled gradients
        are divided by the visits of their own batch, which is no longer free of bias.
    update : {"simultaneous", "alternating", "extragradient", "optimistic"}
        Gradient descent ascent at once; agents first, then attackers at the new policies (two evaluations);
        the gradient of a trial step applied at where it began (Korpelevich 1976, two evaluations); the same
        with the trial step taken by the gradient before (Popov 1980, one evaluation).
    agent_rate, attacker_rate : float
        Two different rates or schedules make two time scales.
    agent_schedule, attacker_schedule : schedule
    entropy : float
        Weight τ of an entropy bonus for every player at the states it visits, in units of the reward range;
        of what it would play without exploration.
    entropy_schedule : schedule
    averaging : {"last", "uniform", "linear"}
        What `policy` shows: the last iterate, or the average over iterations, of equal or growing weight.
    exploration : float
        Share ε of uniform play that every player mixes in; needed by sampled gradients on the simplex. With
        natural sampled steps it bounds how far an action that is hardly ever played can throw its logit.
    initial_spread : float
        Standard deviation of the logits that learning begins with, drawn by the seed; 0 begins uniformly.
    start : {"uniform", "initial"}
        Where episodes begin. "uniform" is an exploratory start: no state is without a gradient.
    draw : {"step", "episode"}, optional
        Whether corrupted agents are drawn at every step or once per episode, by ω at the first state.
        By default as the threat's timing says.
    episodes : int
        Per agent and evaluation of a sampled gradient.
    baseline_rate : float
        Rate in [0, 1] at which a baseline follows the mean return from each state; 0 is no baseline.

    Raises
    ------
    InputError
        With the value and the rule.
    """

    gradients: str = "exact"
    parametrisation: str = "softmax"
    attack: str = "product"
    natural: bool = False
    update: str = "simultaneous"
    agent_rate: float = 0.5
    attacker_rate: float = 0.5
    agent_schedule: Schedule = field(default_factory=_constant)
    attacker_schedule: Schedule = field(default_factory=_constant)
    entropy: float = 0.0
    entropy_schedule: Schedule = field(default_factory=_constant)
    averaging: str = "last"
    exploration: float = 0.0
    initial_spread: float = 0.0
    start: str = "uniform"
    draw: str | None = None
    episodes: int = 100
    baseline_rate: float = 0.1

    def __post_init__(self) -> None:
        for name, choices in (
            ("gradients", GRADIENTS),
            ("parametrisation", tuple(PARAMETRISATIONS)),
            ("attack", ATTACKS),
            ("update", UPDATES),
            ("averaging", AVERAGES),
            ("start", STARTS),
        ):
            require.one_of(getattr(self, name), name, choices)
        require.optional(require.one_of, self.draw, "draw", known=DRAWS)
        require.instance(self.natural, "natural", bool, rule="True or False")
        for name, fits, words in (
            ("agent_rate", lambda number: number > 0, "a number above 0"),
            ("attacker_rate", lambda number: number > 0, "a number above 0"),
            ("entropy", lambda number: number >= 0, "a number of at least 0"),
            ("initial_spread", lambda number: number >= 0, "a number of at least 0"),
            ("exploration", lambda number: 0 <= number < 1, "a number in [0, 1)"),
            ("baseline_rate", lambda number: 0 <= number <= 1, "a number in [0, 1]"),
        ):
            number = require.number(getattr(self, name), name, words, fits)
            require.that(number <= LARGEST, getattr(self, name), name, f"at most {LARGEST:g}")
            object.__setattr__(self, name, number)
        object.__setattr__(self, "episodes", require.whole(self.episodes, "episodes", at_least=1))
        explored = self.gradients == "exact" or self.parametrisation == "softmax" or self.exploration > 0
        rule = "above 0 where sampled gradients move points of the simplex"
        require.that(explored, self.exploration, "exploration", rule)
        for name in ("agent_schedule", "attacker_schedule", "entropy_schedule"):
            schedule_of(getattr(self, name), name)
            object.__setattr__(self, name, _plain(getattr(self, name)))

    @classmethod
    def of(cls, where: str, options: Mapping[str, Any]) -> TrainingOptions:
        """Make the options from keywords; `where` names the learner in errors."""
        require.known(options, where, "option", [one.name for one in fields(cls)])
        try:
            return cls(**options)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def as_data(self) -> dict[str, Any]:
        """Return all options by name."""
        return asdict(self)


def schedule_of(given: Any, name: str) -> StepSize:
    """Return the schedule that one entry {name: parameters} describes.

    Raises
    ------
    InputError
        If there is no such schedule, or a parameter breaks its rule.

    Examples
    --------
    >>> schedule_of({"polynomial": {"power": 0.5}}, "agent_schedule").name
    '1/(1 + v)^0.5'
    """
    if not isinstance(given, Mapping) or len(given) != 1 or not set(given) <= set(_SCHEDULES):
        raise require.broken(given, name, f"one of {', '.join(_SCHEDULES)} with its parameters")
    ((kind, parameters),) = given.items()
    try:
        return _SCHEDULES[kind](**parameters)
    except TypeError as error:
        raise require.broken(given, name, f"a schedule with parameters of its own ({error})") from None


def _plain(schedule: Schedule) -> Schedule:
    """Return the same with Python's own numbers, as a checkpoint is written with."""

    def number(value: Any) -> Any:
        if require.is_truth_value(value) or not isinstance(value, Real):
            return value
        return int(value) if isinstance(value, Integral) else float(value)

    ((kind, parameters),) = schedule.items()
    return {str(kind): {name: number(value) for name, value in parameters.items()}}
