"""The clock of a run: how long it may go on, who is told about it, and when a proof on the way is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from arneq_exact import require

PROOF_INTERVAL = 1.0
"""Seconds between proofs that are made for progress: what a watcher waits for without impatience."""

PROOF_SHARE = 10
"""Times that a proof for progress took, before the next one: they may cost a tenth of a run."""


LEAST_TIME = 1e-9
"""Seconds that are left when none are: a limit must be positive, and this one is over at once."""


@dataclass(frozen=True)
class Progress:
    """What a run is doing.

    Attributes
    ----------
    method : str
    line : str
        What the solver reports.
    best : float
        Least relative gap judged so far, inf at first; floating point, not proved.
    proved : float
        Least relative gap proved so far for a policy met, inf at first; brought up to date once a second.
    seconds : float
    """

    method: str
    line: str
    best: float
    proved: float
    seconds: float


ProgressFunction = Callable[[Progress], None] | None


class OutOfTime(Exception):  # noqa: N818 - ends a search, is no error
    """The time limit has passed. Raised from the reports of a solver, which may be deep in its work."""


def require_time_limit(time_limit: Any, where: str) -> None:
    """Refuse a time limit that is none."""
    rule = "a positive number of seconds"
    require.optional(require.positive, time_limit, f"{where}: time_limit", rule=rule)


@dataclass
class Clock:
    """The time of one run, from the moment that the clock is made.

    Attributes
    ----------
    where : str
        The public function, for messages.
    progress : callable, optional
    time_limit : float, optional
        Seconds after which no new step is begun.
    share : float
        The part of the limit that may be used at present.
    """

    where: str
    progress: ProgressFunction
    time_limit: float | None
    share: float = 1.0
    started: float = field(default_factory=time.perf_counter)
    next_proof: float = field(default_factory=lambda: PROOF_INTERVAL)

    def __post_init__(self) -> None:
        require.optional(
            require.function, self.progress, f"{self.where}: progress", rule="a function of one Progress"
        )
        require_time_limit(self.time_limit, self.where)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self.started

    @property
    def left(self) -> float | None:
        """Seconds that are left, above 0 in any case; None without a limit."""
        return None if self.time_limit is None else max(self.time_limit - self.seconds, LEAST_TIME)

    @property
    def over(self) -> bool:
        """Tell whether the time limit, or the share of it, has passed."""
        return self.time_limit is not None and self.seconds >= self.share * self.time_limit

    @property
    def ending(self) -> str:
        """Say that the time limit has passed."""
        return f"the time limit of {self.time_limit:g} s was reached"

    def tell(self, method: str, line: str, best: float, proved: float) -> None:
        """Pass on a line of progress."""
        if self.progress is not None:
            self.progress(Progress(method, line, best, proved, self.seconds))

    def go_on(self) -> None:
        """Raise `OutOfTime` if the time limit has passed."""
        if self.over:
            raise OutOfTime

    @property
    def proof_is_due(self) -> bool:
        """Tell whether somebody watches and has waited long enough for a proof."""
        return self.progress is not None and self.seconds >= self.next_proof

    @contextmanager
    def proving(self) -> Iterator[None]:
        """Set the time of the next proof for progress by how long the one within the block takes."""
        began = self.seconds
        yield
        now = self.seconds
        self.next_proof = now + max(PROOF_INTERVAL, PROOF_SHARE * (now - began))
