"""The answer of `solve`: a policy with its values, its worst attacks and its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_writing import write_json
from arneq_exact.model.policy import Policy
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.certificate_json import certificate_to_json


@dataclass(frozen=True)
class TraceEntry:
    """One candidate that was judged.

    Attributes
    ----------
    method : str
    note : str
    iterations : int
    relative_gap : float
        Largest gap over agents and states in units of the reward range, in floating point.
    """

    method: str
    note: str
    iterations: int
    relative_gap: float


def account(asked: Sequence[str], trace: Sequence[TraceEntry], *, before: bool) -> list[str]:
    """Tell in a few words what each method has offered, and which of those that ended offered nothing.

    Parameters
    ----------
    asked : list of str
        Methods that ran to their end.
    trace : list of TraceEntry
    before : bool
        Whether these candidates came before the one that won.

    Examples
    --------
    >>> account(["barrier"], [TraceEntry("procedure", "", 1, 0.03)], before=True)
    ['barrier offered no candidate', 'procedure offered 1 candidate before, relative gap 0.03']
    """
    parts = []
    for method in dict.fromkeys([*asked, *(entry.method for entry in trace)]):
        gaps = [entry.relative_gap for entry in trace if entry.method == method]
        count = f"{len(gaps) or 'no'} candidate{'s' * (len(gaps) > 1)}"
        best = (
            f"{' before' * before}, {'best ' * (len(gaps) > 1)}relative gap {min(gaps):.2g}" if gaps else ""
        )
        parts.append(f"{method} offered {count}{best}")
    return parts


def why_incomplete(reasons: Sequence[str], note: str, relative: float, tol: float) -> str:
    """Tell why a run ended without a proof, and what is proved for the best policy met (`note`)."""
    proved = f"the best policy met ({note}) has a proved relative gap of {relative:.3g}, tol is {tol:g}"
    return "; ".join([reason for reason in (*reasons, proved) if reason])


@dataclass(frozen=True, eq=False)
class Solution:
    """A policy with a proved bound on how far it is from an ARNEQ.

    Attributes
    ----------
    status : {"exact", "certified", "incomplete"}
        "exact": the proved gap is the rational 0. "certified": it is within tol. "incomplete":
        neither; `message` tells why, and the bound is proved all the same.
    policy : Policy
        The certificate's policy, bit for bit where it holds doubles. Where it holds other rationals
        (`solve` with ``exact=True``), every probability rounded to the nearest double; `exact_policy`
        has the rationals.
    values : (n, S), or (T+1, n, S) for a finite horizon
        Robust values of the policy.
    gap : (n, S)
        Proved upper bounds on what an agent could gain at each state.
    epsilon : tuple of Fraction
        Proved bound per agent, over all states.
    relative_gap : tuple of float
        `epsilon` in units of each agent's reward range, rounded up: what `tol` is compared with.
    attack : one WorstAttack per agent
    certificate : Certificate
    method : str
        The solver whose candidate won; "start" for the policy that the run was given.
    iterations : int
    seconds : float
    trace : tuple of TraceEntry
    message : str
        How the policy was found and what was offered besides; for "incomplete" also why it ended.
    """

    status: str
    policy: Policy
    values: FloatArray
    gap: FloatArray
    epsilon: tuple[Fraction, ...]
    relative_gap: tuple[float, ...]
    attack: tuple[WorstAttack, ...]
    certificate: Certificate
    method: str
    iterations: int
    seconds: float
    trace: tuple[TraceEntry, ...]
    message: str

    @property
    def proved(self) -> bool:
        """Tell whether the status is "exact" or "certified"."""
        return self.status != "incomplete"

    @property
    def exact_policy(self) -> tuple[NDArray[Any], ...]:
        """The policy that is proved, in Fractions: one object array per agent, shaped as in `policy`."""
        return tuple(_fractions(table) for table in self.certificate.policy)

    @property
    def exact_values(self) -> NDArray[Any] | None:
        """The values of `exact_policy` in Fractions, shaped as `values`; None unless they are proved.

        A proved gap of 0 with u = l leaves no room: best response and policy are worth just that.
        """
        certificate = self.certificate
        if any(certificate.epsilon) or (certificate.upper != certificate.lower).any():
            return None
        return _fractions(certificate.lower)

    def to_json(self, game: MarkovGame) -> dict[str, Any]:
        """Return the solution as data for a JSON file, its certificate included."""
        return {
            "format": "arneq-solution",
            "version": 1,
            "status": self.status,
            "method": self.method,
            "message": self.message,
            "iterations": self.iterations,
            "seconds": round(self.seconds, 6),
            "values": self.values.tolist(),
            "gap": self.gap.tolist(),
            "relative_gap": list(self.relative_gap),
            "attack": [np.asarray(attack.column).tolist() for attack in self.attack],
            "trace": [
                [entry.method, entry.note, entry.iterations, entry.relative_gap] for entry in self.trace
            ],
            "certificate": certificate_to_json(self.certificate, game),
        }

    def save(self, game: MarkovGame, path: str | Path) -> None:
        """Write the solution with its certificate; `arneq check` and the referee read the file."""
        write_json(self.to_json(game), path)

    def __repr__(self) -> str:
        worst = max(self.relative_gap)
        return f"Solution({self.status} by {self.method}, proved relative gap {worst:.3g})"


def _fractions(table: NDArray[Any]) -> NDArray[Any]:
    result = np.empty(table.size, dtype=object)
    result[:] = [Fraction(entry) for entry in table.flat]
    return result.reshape(table.shape)
