"""The search for counterexamples: draw, judge in exact arithmetic, keep the worst, shrink, save.

A statement that is false without one of its hypotheses has a check in exact arithmetic
(`Statement.confirm`) and often a generator of candidates. The search draws small games until one violates
the statement with that hypothesis dropped and all others met, goes on for some more draws to keep the worst
margin, and shrinks it (`arneq_exact.theory.engine.shrink`). Nothing counts that is not confirmed in exact
arithmetic: rounding finds no counterexamples here.

The same statement, hypothesis and seed give the same counterexample, unless the budget of time ends the
search."""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import FileError, InputError, StageError
from arneq_exact.model.json_reading import as_object, check_format, check_keys, read_json
from arneq_exact.model.json_writing import write_json
from arneq_exact.theory import ledger
from arneq_exact.theory.engine.evidence import VIOLATED, Evidence
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.shrink import shrink
from arneq_exact.theory.engine.statement import Statement

FORMAT = "arneq-counterexample"
VERSION = 1
"""Raised when the format changes in a way that old readers would misread."""

MORE = 25
"""Draws after the first violation, for a worse margin."""

FOLDER = "counterexamples"


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A small game on which a statement fails once a hypothesis is dropped.

    Attributes
    ----------
    statement : str
        Id of the statement.
    dropped : str
        Name of the hypothesis.
    evidence : Evidence
        The violation in exact arithmetic, with the shrunk instance.
    found : Instance
        The instance as it was drawn, before it was shrunk.
    seed : int
    draws : int
        Instances drawn up to the one that is kept, which is the last of them.
    violations : int
        How many of all instances drawn violated the statement.
    """

    statement: str
    dropped: str
    evidence: Evidence
    found: Instance
    seed: int
    draws: int
    violations: int

    @property
    def instance(self) -> Instance:
        """The smallest instance."""
        return self.evidence.instance

    @property
    def command(self) -> str:
        """The command that finds it again."""
        return shlex.join(
            ["arneq", "theory", "search", self.statement, "--drop", self.dropped, "--seed", str(self.seed)]
        )

    def confirm(self) -> Evidence:
        """Judge the instance once more in exact arithmetic."""
        return ledger.statement(self.statement).confirm_exactly(self.instance, drop=[self.dropped])

    def to_json(self) -> dict[str, Any]:
        """Return a form for JSON files; all numbers are exact."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "statement": self.statement,
            "dropped": self.dropped,
            "command": self.command,
            "seed": self.seed,
            "draws": self.draws,
            "violations": self.violations,
            "evidence": self.evidence.to_json(),
            "found": self.found.to_json(),
        }

    @classmethod
    def from_json(cls, data: Any, where: str = "counterexample") -> Counterexample:
        """Read what `to_json` wrote.

        Raises
        ------
        FileError
            If it is anything else.
        """
        top = as_object(data, where)
        check_format(top, where, FORMAT, VERSION)
        names = ["statement", "dropped", "seed", "draws", "violations", "evidence", "found", "command"]
        check_keys(top, where, ["format", "version", *names])
        for name in ("statement", "dropped"):
            require.instance(top[name], f"{where}: {name}", str, FileError, "a text")
        for name in ("seed", "draws", "violations"):
            require.whole(top[name], f"{where}: {name}", at_least=0, error=FileError)
        result = cls(
            top["statement"],
            top["dropped"],
            Evidence.from_json(top["evidence"], f"{where}: evidence"),
            Instance.from_json(top["found"], f"{where}: found"),
            top["seed"],
            top["draws"],
            top["violations"],
        )
        if top["command"] != result.command:
            raise FileError(f"{where}: command is {top['command']!r}; must be {result.command!r}")
        return result

    def save(self, path: str | Path) -> None:
        """Write the counterexample to a JSON file."""
        write_json(self.to_json(), path)

    @classmethod
    def load(cls, path: str | Path) -> Counterexample:
        """Read what `save` wrote."""
        return cls.from_json(read_json(path), str(path))

    def __str__(self) -> str:
        return (
            f"{self.statement} without {self.dropped!r}: {self.evidence.comparisons[0]}; "
            f"{self.instance.game.describe_size()}, draw {self.draws} of seed {self.seed}"
        )


def search(
    statement: Statement | str,
    drop: str,
    budget: float = 120.0,
    seed: int = 0,
    *,
    more: int = MORE,
    progress: Callable[[int, int, float], None] | None = None,
) -> Counterexample | None:
    """Look for a counterexample to a statement without one of its hypotheses.

    Parameters
    ----------
    statement : Statement or str
        The statement or its id.
    drop : str
        Name of the hypothesis.
    budget : float
        Seconds. Ctrl-C ends the search as well; what was found by then is returned.
    seed : int
    more : int
        Draws after the first violation, to keep the worst margin.
    progress : callable, optional
        Called as ``progress(draws, violations, worst margin)`` after each draw; the margin is 0 before any.

    Returns
    -------
    Counterexample or None
        None if none was found.

    Raises
    ------
    InputError
        If there is no such statement or hypothesis, the statement has no check in exact arithmetic, or the
        budget or the seed is out of range.

    Examples
    --------
    >>> found = search("T6", "one type", seed=1, more=0)
    >>> found.confirm().verdict, found.command
    ('violated', "arneq theory search T6 --drop 'one type' --seed 1")
    """
    chosen = ledger.statement(statement) if isinstance(statement, str) else statement
    chosen.require_hypotheses([drop])
    if chosen.confirm is None:
        raise InputError(f"statement {chosen.id}: has no check in exact arithmetic; must have one")
    seed = require.whole(seed, "search: seed", at_least=0)
    budget = require.positive(budget, "search: budget", "a number of seconds above 0")
    deadline = monotonic() + budget
    hunt = _Hunt(chosen, drop, seed)
    try:
        while monotonic() < deadline and not hunt.finished(more):
            hunt.draw()
            if progress is not None:
                progress(hunt.draws, hunt.violations, hunt.margin)
    except KeyboardInterrupt:
        deadline = 0.0
    if hunt.found is None:
        return None
    smallest, _ = shrink(hunt.found, hunt.violates, deadline=deadline)
    evidence = chosen.confirm_exactly(smallest, drop=[drop])
    return Counterexample(chosen.id, drop, evidence, hunt.found, seed, hunt.kept_at, hunt.violations)


class _Hunt:
    """The draws of one search."""

    def __init__(self, statement: Statement, drop: str, seed: int) -> None:
        self.statement, self.drop = statement, drop
        self.entropy = [zlib.crc32(text.encode()) for text in (statement.id, drop)] + [seed]
        self.draws = self.violations = self.first_at = self.kept_at = 0
        self.margin: Any = 0
        self.found: Instance | None = None

    def finished(self, more: int) -> bool:
        """Whether enough was drawn after the first violation."""
        return self.found is not None and self.draws >= self.first_at + more

    def draw(self) -> None:
        """Draw one instance and keep it if it is the worst violation so far."""
        rng = np.random.default_rng(np.random.SeedSequence([*self.entropy, self.draws]))
        families = list(self.statement.families.values())
        if self.statement.candidates is not None:
            instance = self.statement.candidates(rng, self.drop)
        else:
            instance = families[self.draws % len(families)](rng)
        self.draws += 1
        evidence = self._judged(instance)
        if evidence is None or evidence.verdict != VIOLATED or evidence.margin is None:
            return
        self.violations += 1
        if self.found is None:
            self.first_at = self.draws
        if evidence.margin < self.margin:
            self.found, self.margin, self.kept_at = instance, evidence.margin, self.draws

    def violates(self, instance: Instance) -> bool:
        """Judge an instance in exact arithmetic."""
        evidence = self._judged(instance)
        return evidence is not None and evidence.verdict == VIOLATED

    def _judged(self, instance: Instance) -> Evidence | None:
        try:
            return self.statement.confirm_exactly(instance, drop=[self.drop])
        except StageError:
            # An exact linear program met its bound of pivots: nothing is known of this instance.
            return None


def stored_counterexamples() -> list[Counterexample]:
    """Return the counterexamples that come with the package, by statement and hypothesis."""
    folder = resources.files("arneq_exact.theory") / FOLDER
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    found = []
    for name in names:
        with resources.as_file(folder / name) as path:
            found.append(Counterexample.load(path))
    return found


def file_name(statement: str, drop: str) -> str:
    """Return the name under which a counterexample is stored.

    Examples
    --------
    >>> file_name("T6", "one type")
    'T6-without-one-type.json'
    """
    words = "".join(letter if letter.isalnum() or letter == "." else "-" for letter in drop)
    return f"{statement}-without-{words.strip('-')}.json"
