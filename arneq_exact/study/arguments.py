"""What the studies ask of their arguments, and their clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from operator import index
from typing import Any

from arneq_exact.errors import InputError
from arneq_exact.solver.solution import Progress

ProgressFunction = Callable[[Progress], None] | None


def whole(where: str, name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`, or refuse."""
    try:
        number = least - 1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise InputError(f"{where}: {name} is {value!r}; must be an integer of at least {least}")
    return number


def positive(where: str, name: str, value: Any) -> float:
    """Return a positive number, or refuse."""
    if isinstance(value, bool) or not isinstance(value, Real) or not float(value) > 0:
        raise InputError(f"{where}: {name} is {value!r}; must be a positive number")
    return float(value)


@dataclass
class Clock:
    """The time limit of a study and who is told about its progress.

    Attributes
    ----------
    where : str
        The public function, for messages.
    progress : callable, optional
    time_limit : float, optional
    """

    where: str
    progress: ProgressFunction
    time_limit: float | None
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.progress is not None and not callable(self.progress):
            raise InputError(
                f"{self.where}: progress is {self.progress!r}; must be a function of one Progress"
            )
        if self.time_limit is not None:
            positive(self.where, "time_limit", self.time_limit)

    @property
    def seconds(self) -> float:
        """Seconds since the study began."""
        return time.perf_counter() - self.started

    @property
    def left(self) -> float | None:
        """Seconds that are left, above 0 in any case; None without a limit."""
        return None if self.time_limit is None else max(self.time_limit - self.seconds, 1e-9)

    @property
    def over(self) -> bool:
        """Tell whether the time limit has passed."""
        return self.time_limit is not None and self.seconds >= self.time_limit

    def tell(self, method: str, line: str, best: float, proved: float) -> None:
        """Pass on a line of progress."""
        if self.progress is not None:
            self.progress(Progress(method, line, best, proved, self.seconds))
