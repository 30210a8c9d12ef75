"""The options of `solve` that are plain data, validated at the border."""

from __future__ import annotations

from typing import Any

from arneq_exact import require
from arneq_exact.markov.exact_horizon import MOST_BITS
from arneq_exact.stage.solve import BACKENDS


def require_options(*, backend: Any, tol: Any, seed: Any, exact: Any, bits: Any) -> None:
    """Refuse options of `solve` that break their rules.

    Raises
    ------
    InputError
        With the value and the rule.
    """
    require.one_of(backend, "solve: backend", BACKENDS)
    require.positive(tol, "solve: tol")
    require.whole(seed, "solve: seed", at_least=0)
    require.flag(exact, "solve: exact")
    require.whole(bits, "solve: bits", at_least=1, at_most=MOST_BITS)
