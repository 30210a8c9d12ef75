"""Evidence: what came out when a statement was checked on one instance.

A statement says that something is at most something else, or equal to it. A check computes both sides, each
in its own way, and hands back its *findings*: the comparisons that it made, whether each hypothesis held, and
how far rounding may carry the two sides apart. The verdict follows from these by one rule for all statements
(`Evidence.of`), so that no check judges itself:

* ``hypotheses not met`` if a hypothesis is false (unless it was dropped on purpose),
* ``undecided`` if a hypothesis was not decided, or the check itself says that it could not decide,
* ``violated`` if some margin is below minus the tolerance,
* ``holds`` otherwise.

The *margin* of a comparison is (right − left) / unit for ``left <= right`` and −|right − left| / unit for
``left = right``; the unit is usually the payoff range, so that margins of different games can be told side by
side. That of the evidence is the least one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from arneq_exact.errors import FileError, InputError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.model.json_reading import as_list, as_object, check_format, check_keys, read_json
from arneq_exact.model.json_writing import write_json
from arneq_exact.require import shown
from arneq_exact.theory.engine.encoding import decode, encode, frozen
from arneq_exact.theory.engine.extras import is_number
from arneq_exact.theory.engine.instance import Instance

Number = float | Fraction

HOLDS, VIOLATED, NOT_MET, UNDECIDED = VERDICTS = ("holds", "violated", "hypotheses not met", "undecided")

FORMAT = "arneq-evidence"
VERSION = 1
"""Raised when the format changes in a way that old readers would misread."""


@dataclass(frozen=True)
class Comparison:
    """Two sides of one inequality or equation, and how far it is from failing.

    Attributes
    ----------
    name : str
        What is compared, in words.
    left, right : float or Fraction
    relation : {"<=", "="}
    margin : float or Fraction
        Negative where the relation fails, in units of the statement.
    """

    name: str
    left: Number
    right: Number
    relation: str
    margin: Number

    def __str__(self) -> str:
        return f"{self.name}: {float(self.left):.10g} {self.relation} {float(self.right):.10g}"


def at_most(name: str, left: Any, right: Any, unit: Any = 1) -> Comparison:
    """Compare left <= right, entry by entry; the worst entry is kept.

    Parameters
    ----------
    name : str
    left, right : numbers or arrays of one shape, or broadcast to one
        Floats, or Fractions (object arrays) throughout.
    unit : positive number or array
        What margins are divided by.

    Examples
    --------
    >>> at_most("value", [1.0, 2.0], [3.0, 2.5])
    Comparison(name='value', left=2.0, right=2.5, relation='<=', margin=0.5)
    """
    return _worst(name, left, right, unit, "<=")


def equal(name: str, left: Any, right: Any, unit: Any = 1) -> Comparison:
    """Compare left = right, entry by entry; see `at_most`.

    Examples
    --------
    >>> equal("both", Fraction(1, 3), Fraction(1, 3)).margin
    Fraction(0, 1)
    """
    return _worst(name, left, right, unit, "=")


def _worst(name: str, left: Any, right: Any, unit: Any, relation: str) -> Comparison:
    sides = [np.atleast_1d(np.asarray(side)) for side in (left, right, unit)]
    if any(side.dtype == object for side in sides):
        exact = np.vectorize(lambda number: to_fraction(number, f"comparison {name!r}"), otypes=[object])
        sides = [exact(side) if side.size else side for side in sides]
    else:
        sides = [side.astype(np.float64) for side in sides]
    one, other, by = np.broadcast_arrays(*sides)
    if not one.size:
        raise InputError(f"comparison {name!r}: compares nothing; must have at least one entry")
    margins = ((other - one if relation == "<=" else -abs(other - one)) / by).ravel().tolist()
    # A side that is not a number fails.
    at = min(range(len(margins)), key=lambda place: _rank(margins[place]))
    return Comparison(name, one.ravel().tolist()[at], other.ravel().tolist()[at], relation, margins[at])


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    text = data[key]
    if not isinstance(text, str):
        raise FileError(f"{where}: {key} is {shown(text)}; must be a text")
    return text


def _number(data: Any, where: str) -> Number:
    number: Any = decode(data, where)
    if not is_number(number):
        raise FileError(f"{where}: is {shown(data)}; must be a number")
    result: Number = number
    return result


def _rank(margin: Number) -> tuple[bool, Number]:
    """Order by margin; what is no number comes first."""
    return (margin == margin, margin)


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Attributes
    ----------
    comparisons : sequence of Comparison
        Each must hold if the statement is true and its hypotheses are met.
    tolerance : number
        Margins down to minus this much count as rounding; 0 for exact arithmetic.
    justification : str
        Why rounding cannot carry the sides farther apart.
    quantities : mapping
        Further numbers, for whoever looks closer.
    undecided : str
        Why the check could not decide; empty if it could.
    hypotheses : mapping
        Name to True, False, or None for open, of each hypothesis that comes out only as the claim is
        computed, such as the types of iterates. All others are decided once, before the check is asked.
    """

    comparisons: Sequence[Comparison] = ()
    tolerance: Number = 0
    justification: str = "exact arithmetic"
    quantities: Mapping[str, Any] = field(default_factory=dict)
    undecided: str = ""
    hypotheses: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The outcome of one check, with all that is needed to repeat it.

    Attributes
    ----------
    statement : str
        Id of the statement.
    verdict : {"holds", "violated", "hypotheses not met", "undecided"}
    comparisons : tuple of Comparison
        The one with the least margin first.
    hypotheses : mapping of name to True, False or None
    tolerance, justification, quantities
        As in `Findings`.
    reason : str
        Why the verdict is neither "holds" nor "violated"; else empty.
    dropped : tuple of str
        Hypotheses that were not asked for.
    instance : Instance
    confirmed : bool
        Whether the statement's check in exact arithmetic gave this.
    """

    statement: str
    verdict: str
    comparisons: tuple[Comparison, ...]
    hypotheses: Mapping[str, bool | None]
    tolerance: Number
    justification: str
    quantities: Mapping[str, Any]
    reason: str
    dropped: tuple[str, ...]
    instance: Instance
    confirmed: bool = False

    @classmethod
    def of(
        cls,
        statement: str,
        findings: Findings,
        instance: Instance,
        dropped: Sequence[str] = (),
        confirmed: bool = False,
    ) -> Evidence:
        """Judge findings by the rule in the module's text."""
        comparisons = tuple(sorted(findings.comparisons, key=lambda one: _rank(one.margin)))
        asked = {name: held for name, held in findings.hypotheses.items() if name not in dropped}
        failed = [name for name, held in asked.items() if held is False]
        open_ones = [name for name, held in asked.items() if held is None]
        reason = ""
        if failed:
            verdict, reason = NOT_MET, f"not met: {', '.join(failed)}"
        elif findings.undecided or open_ones or not comparisons:
            verdict = UNDECIDED
            reason = findings.undecided or (
                f"not decided: {', '.join(open_ones)}" if open_ones else "nothing was compared"
            )
        else:
            verdict = HOLDS if comparisons[0].margin >= -findings.tolerance else VIOLATED
        return cls(
            statement,
            verdict,
            comparisons,
            dict(findings.hypotheses),
            findings.tolerance,
            findings.justification,
            frozen(dict(findings.quantities), "Evidence: quantities"),
            reason,
            tuple(dropped),
            instance,
            confirmed,
        )

    @property
    def left(self) -> Number | None:
        """Left side of the comparison with the least margin, None if nothing was compared."""
        return self.comparisons[0].left if self.comparisons else None

    @property
    def right(self) -> Number | None:
        """Right side of the comparison with the least margin, None if nothing was compared."""
        return self.comparisons[0].right if self.comparisons else None

    @property
    def margin(self) -> Number | None:
        """The least margin, None if nothing was compared."""
        return self.comparisons[0].margin if self.comparisons else None

    @property
    def seed(self) -> int:
        """Seed of the check's random choices."""
        return self.instance.seed

    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; all numbers are exact."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "statement": self.statement,
            "verdict": self.verdict,
            "reason": self.reason,
            "comparisons": [
                {
                    "name": one.name,
                    "left": encode(one.left),
                    "relation": one.relation,
                    "right": encode(one.right),
                    "margin": encode(one.margin),
                }
                for one in self.comparisons
            ],
            "hypotheses": dict(self.hypotheses),
            "dropped": list(self.dropped),
            "confirmed": self.confirmed,
            "tolerance": encode(self.tolerance),
            "justification": self.justification,
            "quantities": encode(self.quantities),
            "instance": self.instance.to_json(),
        }

    @classmethod
    def from_json(cls, data: Any, where: str = "evidence") -> Evidence:
        """Read what `to_json` wrote.

        Raises
        ------
        FileError
            If it is anything else.
        """
        top = as_object(data, where)
        check_format(top, where, FORMAT, VERSION)
        names = ["statement", "verdict", "reason", "comparisons", "hypotheses", "dropped"]
        more = ["confirmed", "tolerance", "justification", "quantities", "instance"]
        check_keys(top, where, ["format", "version", *names, *more])
        if top["verdict"] not in VERDICTS:
            known = ", ".join(VERDICTS)
            raise FileError(f"{where}: verdict is {shown(top['verdict'])}; must be one of {known}")
        comparisons = []
        for number, entry in enumerate(as_list(top["comparisons"], f"{where}: comparisons"), 1):
            place = f"{where}: comparison {number}"
            check_keys(as_object(entry, place), place, ["name", "left", "relation", "right", "margin"])
            if entry["relation"] not in ("<=", "="):
                raise FileError(f"{place}: relation is {shown(entry['relation'])}; must be <= or =")
            sides = {side: _number(entry[side], f"{place}: {side}") for side in ("left", "right", "margin")}
            comparisons.append(Comparison(_text(entry, "name", place), relation=entry["relation"], **sides))
        hypotheses = as_object(top["hypotheses"], f"{where}: hypotheses")
        told = {**hypotheses, "confirmed": top["confirmed"]}
        for name, held in told.items():
            if not (isinstance(held, bool) or (held is None and name in hypotheses)):
                raise FileError(f"{where}: {name!r} is {shown(held)}; must be true or false, or null if open")
        dropped = as_list(top["dropped"], f"{where}: dropped")
        if not all(isinstance(name, str) for name in dropped):
            raise FileError(f"{where}: dropped is {shown(dropped)}; must be names of hypotheses")
        return cls(
            _text(top, "statement", where),
            top["verdict"],
            tuple(comparisons),
            hypotheses,
            _number(top["tolerance"], f"{where}: tolerance"),
            _text(top, "justification", where),
            decode(as_object(top["quantities"], f"{where}: quantities"), f"{where}: quantities"),
            _text(top, "reason", where),
            tuple(dropped),
            Instance.from_json(top["instance"], f"{where}: instance"),
            top["confirmed"],
        )

    def same_as(self, other: Evidence) -> bool:
        """Tell whether two pieces of evidence say the same, number by number."""
        return self.to_json() == other.to_json()

    def save(self, path: str | Path) -> None:
        """Write the evidence to a JSON file."""
        write_json(self.to_json(), path)

    @classmethod
    def load(cls, path: str | Path) -> Evidence:
        """Read what `save` wrote."""
        return cls.from_json(read_json(path), str(path))

    def __str__(self) -> str:
        first = str(self.comparisons[0]) if self.comparisons else self.reason
        return f"{self.statement} {self.verdict} ({first})"
