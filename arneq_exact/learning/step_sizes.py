"""Step sizes α of stochastic approximation, by name, with what is known of their sums.

A schedule gives the step of the v-th update of one (state, joint action), v = 1, 2, …; pairs that are not
visited are not updated, so α_t = 0 for them. Assumption 2 of the convergence theorem [T7] asks of the steps
of every pair

    0 ≤ α < 1,     Σ_v α(v) = ∞     and     Σ_v α(v)² < ∞,

given that the pair is visited infinitely often (Assumption 1). For the schedules of this file all three are
decided here by calculus; of a function of one's own they cannot be decided by evaluating it.

References
----------
Robbins & Monro (1951), Annals of Mathematical Statistics 22, 400–407; Even-Dar & Mansour (2003), JMLR 5,
1–25 (linear and polynomial steps); Darken & Moody (1991), *Note on learning rate schedules for stochastic
optimization*, NIPS 3 (search-then-converge).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray


@runtime_checkable
class StepSize(Protocol):
    """A named schedule.

    Attributes
    ----------
    name : str
        The schedule with its parameters, as tables and plots show it.
    largest : float
        The largest step, α(1).
    sum_diverges : bool
        Whether Σ α(v) = ∞.
    square_sum_converges : bool
        Whether Σ α(v)² < ∞.
    """

    @property
    def name(self) -> str: ...

    @property
    def largest(self) -> float: ...

    @property
    def sum_diverges(self) -> bool: ...

    @property
    def square_sum_converges(self) -> bool: ...

    def __call__(self, visits: ArrayLike) -> FloatArray:
        """Return α(v) for visit numbers v ≥ 1 of any shape."""
        ...


@dataclass(frozen=True)
class Polynomial:
    """α(v) = scale · (offset + v)^(−power), by default 1/(1 + v).

    Its sum diverges iff power ≤ 1, that of its squares converges iff power > 1/2 (compare with the integral
    of x^(−power)). With power = 1 this is the harmonic schedule, and with offset = τ and scale = α₀ τ it is
    search-then-converge.

    Parameters
    ----------
    power : float
        At least 0.
    scale : float
        Above 0.
    offset : float
        At least 0. The first step scale / (offset + 1)^power must be at most 1.

    Raises
    ------
    InputError
        If a parameter breaks its rule.

    Examples
    --------
    >>> Polynomial()([1, 2, 3]).round(4).tolist()
    [0.5, 0.3333, 0.25]
    >>> [Polynomial(power).square_sum_converges for power in (0.5, 0.6)]
    [False, True]
    """

    power: float = 1.0
    scale: float = 1.0
    offset: float = 1.0

    def __post_init__(self) -> None:
        _require_number(self, "power", lambda number: number >= 0, "a number of at least 0")
        _require_number(self, "scale", lambda number: number > 0, "a number above 0")
        _require_number(self, "offset", lambda number: number >= 0, "a number of at least 0")
        if not self.largest <= 1:
            raise InputError(
                f"Polynomial: the first step, scale / (offset + 1)^power, is {self.largest:g}; must be <= 1"
            )

    @property
    def name(self) -> str:
        """The formula with its numbers."""
        top, below = f"{self.scale:g}", f"({self.offset:g} + v)" if self.offset else "v"
        return f"{top}/{below}" if self.power == 1 else f"{top}/{below}^{self.power:g}"

    @property
    def largest(self) -> float:
        """The first step."""
        return float(self.scale * (self.offset + 1) ** -self.power)

    @property
    def sum_diverges(self) -> bool:
        """Whether Σ α = ∞."""
        return self.power <= 1

    @property
    def square_sum_converges(self) -> bool:
        """Whether Σ α² < ∞."""
        return self.power > 0.5

    def __call__(self, visits: ArrayLike) -> FloatArray:
        """Return α(v)."""
        steps: FloatArray = self.scale * (self.offset + np.asarray(visits, dtype=np.float64)) ** -self.power
        return steps


@dataclass(frozen=True)
class Constant:
    """α(v) = value: forgets at a fixed rate, so noise never averages out and Σ α² = ∞.

    Parameters
    ----------
    value : float
        In (0, 1].

    Raises
    ------
    InputError
        If the value breaks its rule.

    Examples
    --------
    >>> Constant(0.1).name, Constant(0.1).square_sum_converges
    ('0.1', False)
    """

    value: float
    sum_diverges: ClassVar[bool] = True
    square_sum_converges: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _require_number(self, "value", lambda number: 0 < number <= 1, "a number in (0, 1]")

    @property
    def name(self) -> str:
        """The number."""
        return f"{self.value:g}"

    @property
    def largest(self) -> float:
        """The value."""
        return self.value

    def __call__(self, visits: ArrayLike) -> FloatArray:
        """Return α(v)."""
        return np.full(np.shape(visits), self.value)


@dataclass(frozen=True)
class Geometric:
    """α(v) = first · decay^(v−1): its sum is finite, so it can stop short of anything.

    Parameters
    ----------
    first : float
        In (0, 1].
    decay : float
        In (0, 1).

    Raises
    ------
    InputError
        If a parameter breaks its rule.

    Examples
    --------
    >>> Geometric(0.5, 0.5)([1, 2, 3]).tolist(), Geometric(0.5, 0.5).sum_diverges
    ([0.5, 0.25, 0.125], False)
    """

    first: float
    decay: float
    sum_diverges: ClassVar[bool] = False
    square_sum_converges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _require_number(self, "first", lambda number: 0 < number <= 1, "a number in (0, 1]")
        _require_number(self, "decay", lambda number: 0 < number < 1, "a number in (0, 1)")

    @property
    def name(self) -> str:
        """The formula with its numbers."""
        return f"{self.first:g}·{self.decay:g}^(v−1)"

    @property
    def largest(self) -> float:
        """The first step."""
        return self.first

    def __call__(self, visits: ArrayLike) -> FloatArray:
        """Return α(v)."""
        steps: FloatArray = self.first * self.decay ** (np.asarray(visits, dtype=np.float64) - 1)
        return steps


def step_sizes(schedule: StepSize | Callable[[int], float], first: int, last: int, where: str) -> FloatArray:
    """Return α(first), …, α(last − 1) of a named schedule or a function v -> α.

    Raises
    ------
    InputError
        If it is neither, or a step is not in [0, 1].
    """
    visits = np.arange(first, last)
    if isinstance(schedule, StepSize):
        return schedule(visits)
    if not callable(schedule):
        rule = "a schedule such as Polynomial(), or a function of the number of the visit"
        raise require.broken(schedule, f"{where}: step_size", rule)
    steps = np.empty(len(visits))
    for place, visit in enumerate(visits.tolist()):
        steps[place] = require.probability(schedule(visit), f"{where}: step_size({visit})")
    return steps


def _require_number(schedule: Any, name: str, rule: Callable[[float], bool], words: str) -> None:
    """Refuse a parameter that is no finite number or breaks its rule; keep it as a float."""
    where = f"{type(schedule).__name__}: {name}"
    number = require.number(getattr(schedule, name), where, words, lambda x: isfinite(x) and rule(x))
    object.__setattr__(schedule, name, number)


HARMONIC = Polynomial()
"""α(v) = 1/(1 + v), the schedule of [T7], which stays below 1."""
