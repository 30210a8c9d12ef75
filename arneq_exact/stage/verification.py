"""The verdict on what a stage solver returns, and the one way in which all of them get there.

Every stage solver measures its answer by the regret of `arneq_exact.stage.normal_form`; an answer is verified
if its regret is at most `TOLERANCE` = 1e-10. What the first method of a backend leaves unverified goes to the
methods behind it, one game at a time: **try** a candidate, **polish** it, **verify** it, and take the first
that passes (`verified`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.normal_form import UnitGames
from arneq_exact.stage.polishing import polish

TOLERANCE = 1e-10
"""Regret, in units of payoff ranges, of a verified answer: far above rounding, far below what is compared."""

Candidate = tuple[str, Sequence[FloatArray]]
"""Name of the method, and a mixture for every player."""


def verified(
    games: UnitGames,
    mixtures: Sequence[FloatArray],
    method: NDArray[np.int8],
    candidates: Callable[[int], Iterator[Candidate]],
    methods: Sequence[str],
    name: str,
    backend: str,
) -> tuple[FloatArray, list[FloatArray]]:
    """Verify all answers, and find others where they fail.

    Parameters
    ----------
    games : UnitGames
    mixtures : one array (B, A_b) per player
        What the first method of the backend found; zeros where it found nothing. Changed in place.
    method : (B,) int8 array
        Which method answered: an index into ``methods``. Changed in place.
    candidates : callable
        Yields the candidates of the methods behind the first for one game, in their order.
    methods : sequence of str
    name, backend : str
        For the message.

    Returns
    -------
    regret : (B,) array
    best : one array (B,) per player
        Payoff of the best pure reply.

    Raises
    ------
    StageError
        If the regret of a game stays above `TOLERANCE`.
    """
    regret, best = games.measure(mixtures)
    for number in np.flatnonzero(~(regret <= TOLERANCE)).tolist():
        alone = games.game(number)
        for routine, found in candidates(number):
            method[number] = methods.index(routine)
            polished = polish(alone, found)
            for mixture, new in zip(mixtures, polished, strict=True):
                mixture[number] = new
            again, reply = alone.measure([new[None] for new in polished])
            for mine, theirs in zip((regret, *best), (again, *reply), strict=True):
                mine[number] = theirs[0]
            if regret[number] <= TOLERANCE:
                break
    refuse_unverified(regret, name, backend)
    return regret, best


def refuse_unverified(regret: FloatArray, name: str, backend: str) -> None:
    """Raise `StageError` naming the first game whose regret is above the tolerance (or nan)."""
    failed = np.flatnonzero(~(regret <= TOLERANCE))
    if failed.size:
        first = int(failed[0])
        raise StageError(
            f"{name}: no method of backend {backend!r} solved game {first} of {regret.size} to {TOLERANCE:g} "
            f"of its payoff range; the best answer has regret {regret[first]:.3g}"
        )


def check_backend(backend: str, name: str) -> None:
    """Refuse a backend that does not exist."""
    if backend not in ("auto", "reference"):
        raise StageError(f"{name}: backend {backend!r} is unknown; must be 'auto' or 'reference'")


def count(calls: Counter[str] | None, routine: str, number: int) -> None:
    """Add ``number`` games to the tally of ``routine``, if the caller keeps one."""
    if calls is not None and number:
        calls[routine] += number
