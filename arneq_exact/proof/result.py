"""What a checker answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from arneq_exact.model.threat import ThreatModel


@dataclass(frozen=True)
class CheckResult:
    """The verdict on a certificate.

    Attributes
    ----------
    valid : bool
        True only if the claim is proved.
    epsilon : tuple of Fraction
        The recomputed bound per agent; empty if the check was refused before it was computed.
    shift : tuple of Fraction
        The part of `epsilon` that pays for the one-step residuals of u and l.
    relative : tuple of float
        `epsilon` in units of each agent's reward range (1 if constant), rounded up.
    threat : ThreatModel
        The threat that the claim is about.
    arithmetic : str
        "exact" or "float".
    reason : str
        Why the certificate is refused, in one line; empty if it is valid.
    """

    valid: bool
    epsilon: tuple[Fraction, ...]
    shift: tuple[Fraction, ...]
    relative: tuple[float, ...]
    threat: ThreatModel
    arithmetic: str
    reason: str = ""

    def __bool__(self) -> bool:
        return self.valid
