"""The certificate of an ε-ARNEQ: all that a checker needs to prove the claim again [T12].

A certificate holds a policy π and, for every agent i, a mixture y_i over the attacker's columns and two
vectors u_i ≥ best-response value and l_i ≤ own robust value (both only nearly, the checker adds what is
missing). Nothing in it is believed: u, l and y are hints, any numbers whatever give a valid bound, and
good hints give a good one. What is sealed is the claim ε_i ≥ gap_i(s) for all states s, under the named
threat, in the game with the named content hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import CertificateError
from arneq_exact.exact.rationals import FloatArray, to_fraction
from arneq_exact.model.threat import ThreatModel

Numbers = NDArray[Any]
"""A float64 array, or an object array of Fractions."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """A claimed ε-ARNEQ with its evidence. The arrays are copied and made read-only.

    Attributes
    ----------
    game : str
        Content hash of the game.
    threat : ThreatModel
    policy : per agent (S, max A_i), or (T, S, max A_i) with a horizon
        Rows sum to exactly 1; zeros past the state's own actions.
    attacker : per agent (S, max C_i), or (T, S, max C_i)
        The mixture y_i over columns, in the canonical order of `arneq_exact.model.threat`; zeros past
        the state's own columns. The checkers divide each row by its exact sum.
    upper, lower : (n, S), or (T+1, n, S)
        u and l.
    epsilon : tuple of Fraction
        Claimed bound on the gap, one per agent.
    arithmetic : str
        "exact" or "float": which checker sealed the claim.
    horizon : int, optional
        Number of steps T; None if the policy is stationary in an infinite horizon.
    """

    game: str
    threat: ThreatModel
    policy: tuple[Numbers, ...]
    attacker: tuple[Numbers, ...]
    upper: Numbers
    lower: Numbers
    epsilon: tuple[Fraction, ...]
    arithmetic: str
    horizon: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.threat, ThreatModel):
            raise CertificateError(
                f"Certificate: threat is {type(self.threat).__name__}; must be a ThreatModel"
            )
        for name in ("policy", "attacker", "epsilon"):
            if not isinstance(getattr(self, name), Sequence):
                raise CertificateError(
                    f"Certificate: {name} is {type(getattr(self, name)).__name__}; "
                    "must be a tuple with one entry per agent"
                )
        for name in ("policy", "attacker"):
            frozen = tuple(_frozen(values, name) for values in getattr(self, name))
            object.__setattr__(self, name, frozen)
        for name in ("upper", "lower"):
            object.__setattr__(self, name, _frozen(getattr(self, name), name))
        claims = tuple(
            to_fraction(value, "Certificate: claimed epsilon", CertificateError) for value in self.epsilon
        )
        object.__setattr__(self, "epsilon", claims)

    @property
    def steps(self) -> int:
        """Number of one-step conditions: T, or 1 for an infinite horizon."""
        return 1 if self.horizon is None else self.horizon

    @property
    def values(self) -> FloatArray:
        """The policy's robust values l in doubles: (n, S), or (T+1, n, S)."""
        return np.array(self.lower, dtype=np.float64)

    @property
    def at_start(self) -> tuple[Numbers, Numbers]:
        """u and l (n, S) with all steps still to go, which is where the gap is bounded."""
        return (self.upper, self.lower) if self.horizon is None else (self.upper[0], self.lower[0])

    def policy_at(self, step: int) -> tuple[Numbers, ...]:
        """Return π (S, max A_i) per agent at `step`."""
        return self.policy if self.horizon is None else tuple(table[step] for table in self.policy)

    def attacker_at(self, step: int) -> tuple[Numbers, ...]:
        """Return y (S, max C_i) per agent at `step`."""
        return self.attacker if self.horizon is None else tuple(table[step] for table in self.attacker)


def _frozen(values: Any, name: str) -> Numbers:
    """Copy into a read-only float64 array, or an object array of Fractions where it holds others."""
    try:
        table = np.array(values, order="C")
    except ValueError:
        raise CertificateError(f"Certificate: {name} is a ragged table; must be an array") from None
    if table.dtype.kind == "f" or (table.dtype.kind in "iu" and np.abs(table).max(initial=0) <= 2**53):
        table = table.astype(np.float64)
    else:
        exact = np.empty(table.size, dtype=object)
        exact[:] = [to_fraction(value, f"Certificate: {name}", CertificateError) for value in table.flat]
        table = exact.reshape(table.shape)
    table.setflags(write=False)
    return table
