"""Noticing that a sequence of values repeats: the procedure may cycle for ever [T8]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arneq_exact.exact.rationals import FloatArray

MAX_PERIOD = 64
"""Longest period looked for: so many earlier values are kept and compared with the last at every step."""

CYCLE_TOLERANCE = 1e-10
"""Values count as repeated when they agree to this, relative to the largest value."""

LEAST = 1e-300
"""Stands for the largest value where all are 0, so that the tolerance is not."""


@dataclass(frozen=True)
class Cycle:
    """A cycle of the procedure.

    Attributes
    ----------
    period : int
        Iterations after which the values repeat.
    amplitude : float
        Largest difference between two values of one agent and state along the cycle.
    """

    period: int
    amplitude: float


class CycleWatch:
    """Notices that a sequence of values repeats: a full period must have recurred."""

    def __init__(self) -> None:
        self._history: list[FloatArray] = []
        self._sums: list[float] = []
        self._recurred = np.zeros(MAX_PERIOD + 1, dtype=np.int64)

    def see(self, values: FloatArray) -> Cycle | None:
        """Take the next values; return the cycle once the values of a whole period have recurred."""
        slack = CYCLE_TOLERANCE * max(float(np.abs(values).max()), LEAST)
        total = float(values.sum())
        found = None
        for period in range(1, min(MAX_PERIOD, len(self._history)) + 1):
            # The sums are compared first: they rule out nearly every period at no cost.
            close = abs(total - self._sums[-period]) <= slack * values.size
            if close and float(np.abs(values - self._history[-period]).max()) <= slack:
                self._recurred[period] += 1
            else:
                self._recurred[period] = 0
            if found is None and period > 1 and self._recurred[period] >= period:
                found = period
        self._history.append(values)
        self._sums.append(total)
        del self._history[: -MAX_PERIOD - 1], self._sums[: -MAX_PERIOD - 1]
        # Values that repeat with period 1 converge; the residual decides about them.
        if found is None or self._recurred[1]:
            return None
        orbit = np.stack(self._history[-found:])
        return Cycle(found, float((orbit.max(axis=0) - orbit.min(axis=0)).max()))
