"""Running the ledger: statements on many drawn games, by any number of workers, with nothing lost on the way.

Work is cut into *parts*: a statement and a range of instance numbers. An instance depends on the
statement's id, the seed and its number alone (`Statement.draw`), so a part gives the same samples whoever
computes it and when. Given a folder, every finished part is written to a file of its own, first under
another name, then moved: a run that was interrupted holds whole parts only, and the next one computes the
others. A folder belongs to one seed and one version of the source, so that a table never mixes two.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from arneq_exact import require
from arneq_exact.errors import FileError, InputError
from arneq_exact.model.json_reading import as_object, check_format, check_keys, read_json
from arneq_exact.model.json_writing import write_json
from arneq_exact.require import shown
from arneq_exact.theory.engine.encoding import decode, encode
from arneq_exact.theory.engine.evidence import HOLDS, NOT_MET, UNDECIDED, VERDICTS, VIOLATED, Evidence
from arneq_exact.theory.engine.statement import Statement
from arneq_exact.theory.ledger import statement, statements

FORMAT, PART_FORMAT, VERSION = "arneq-ledger-run", "arneq-ledger-part", 1

PART = 20
"""Instances of a part: a second or two of the slowest statements, which an interruption may cost a worker."""

KEPT = 2
"""Violations and open cases of a part that are kept whole; the others can be drawn again by their number."""

Progress = Callable[[int, int, str], None]
"""Called with the number of finished parts, of all parts, and the statement of the last one."""


@dataclass(frozen=True)
class Sample:
    """One check of a run.

    Attributes
    ----------
    statement : str
    index : int
        Number of the instance, see `Statement.draw`.
    family : str
    verdict : str
    margin : float or None
        The least margin; None if nothing was compared.
    tolerance : float
    only_a : bool or None
        Whether type A holds and type B′ does not; None where the statement does not tell.
    seconds : float
        Processor time of drawing and checking.
    """

    statement: str
    index: int
    family: str
    verdict: str
    margin: float | None
    tolerance: float
    only_a: bool | None
    seconds: float


@dataclass(frozen=True, eq=False)
class LedgerRun:
    """The samples of a run, by statement and number.

    Attributes
    ----------
    seed : int
    statements : tuple of Statement
    samples : tuple of Sample
        In the order of the ledger, then by number.
    evidence : tuple of Evidence
        Violations and open cases, at most two of each part.
    """

    seed: int
    statements: tuple[Statement, ...]
    samples: tuple[Sample, ...]
    evidence: tuple[Evidence, ...]

    @cached_property
    def violations(self) -> int:
        """Number of samples in which a statement was violated."""
        return sum(sample.verdict == VIOLATED for sample in self.samples)

    def table(self, by_family: bool = True) -> list[dict[str, Any]]:
        """Return a row per statement and class of games, or per statement.

        Each row has "statement", "title", "status", "class" (empty per statement), "games", "met"
        (hypotheses met and decided), "only_a" (those of them that are of type A and not B′, None where the
        statement does not tell), "undecided", "violations", "worst_margin", "tolerance" and "seconds"
        (processor time).
        """
        rows = []
        for one in self.statements:
            own = [sample for sample in self.samples if sample.statement == one.id]
            for name in dict.fromkeys(sample.family for sample in own) if by_family else [""]:
                chosen = [sample for sample in own if name in ("", sample.family)]
                judged = [sample for sample in chosen if sample.verdict in (HOLDS, VIOLATED)]
                margins = [sample.margin for sample in judged if sample.margin is not None]
                told = [sample.only_a for sample in judged if sample.only_a is not None]
                rows.append(
                    {
                        "statement": one.id,
                        "title": one.title,
                        "status": one.status,
                        "class": name,
                        "games": len(chosen),
                        "met": len(judged),
                        "only_a": sum(told) if told else None,
                        "undecided": sum(sample.verdict == UNDECIDED for sample in chosen),
                        "violations": sum(sample.verdict == VIOLATED for sample in chosen),
                        "worst_margin": min(margins, default=None),
                        "tolerance": max((sample.tolerance for sample in judged), default=0.0),
                        "seconds": sum(sample.seconds for sample in chosen),
                    }
                )
        return rows

    def worst(self, name: str) -> Evidence | None:
        """Draw and check again the instance with the least margin of a statement."""
        from arneq_exact.markov.bellman import one_blas_thread

        judged = [
            sample
            for sample in self.samples
            if sample.statement == name and sample.verdict in (HOLDS, VIOLATED)
        ]
        if not judged:
            return None
        least = min(judged, key=lambda sample: (sample.verdict != VIOLATED, sample.margin, sample.index))
        one = statement(name)
        with one_blas_thread():
            return one.check_instance(one.draw(least.index, self.seed))


def run(
    names: Sequence[str] = (),
    *,
    games: int = 200,
    seed: int = 0,
    folder: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> LedgerRun:
    """Check statements on drawn games.

    Parameters
    ----------
    names : sequence of str
        Ids of statements; "T4" stands for all parts of T4. Empty for the whole ledger.
    games : int
        Instances of each statement; its classes of games take turns.
    seed : int
        Of all that is drawn. The same seed gives the same samples, whatever the number of workers.
    folder : path, optional
        Where finished parts are kept; what an earlier run has left there is not computed again.
    workers : int
        Processes; 1 computes in this one.
    progress : function, optional
        See `Progress`.

    Raises
    ------
    InputError
        If an argument is out of range, a statement is unknown, or the folder holds another run.
    """
    games = require.whole(games, "run: games", at_least=1)
    seed = require.whole(seed, "run: seed", at_least=0)
    workers = require.whole(workers, "run: workers", at_least=1)
    chosen = statements(names)
    place = None if folder is None else _claimed(Path(folder), seed)
    parts = [(one.id, first, min(first + PART, games)) for one in chosen for first in range(0, games, PART)]
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for part in parts if place else []:
        path = _path(place, part)
        if path.exists():
            found[part] = _read(path, part)
    missing = [part for part in parts if part not in found]
    for part, data in _computed(missing, seed, workers):
        if place:
            path = _path(place, part)
            path.parent.mkdir(exist_ok=True)
            beside = path.with_suffix(".partial")
            write_json(data, beside)
            os.replace(beside, path)
        found[part] = data
        if progress is not None:
            progress(len(found), len(parts), part[0])
    return LedgerRun(
        seed,
        chosen,
        tuple(_sample(part[0], entry) for part in parts for entry in found[part]["samples"]),
        tuple(Evidence.from_json(entry) for part in parts for entry in found[part]["evidence"]),
    )


Part = tuple[str, int, int]
"""A statement's id, the number of the first instance, and the number after the last one."""

SAMPLE_KEYS = ("index", "family", "verdict", "margin", "tolerance", "seconds", "only_a")


def _computed(parts: Iterable[Part], seed: int, workers: int) -> Iterator[tuple[Part, dict[str, Any]]]:
    """Yield parts as they are finished."""
    if workers == 1:
        for part in parts:
            yield compute(part, seed)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from pool(delayed(compute)(part, seed) for part in parts)


def compute(part: Part, seed: int) -> tuple[Part, dict[str, Any]]:
    """Check the instances of one part; returns the part with its data for a file."""
    from arneq_exact.markov.bellman import one_blas_thread

    name, first, last = part
    one = statement(name)
    samples, evidence = [], []
    kept = {VIOLATED: 0, UNDECIDED: 0, NOT_MET: KEPT, HOLDS: KEPT}
    with one_blas_thread():
        for index in range(first, last):
            start = time.process_time()
            found = one.check_instance(one.draw(index, seed))
            samples.append(
                {
                    "index": index,
                    "family": found.instance.family,
                    "verdict": found.verdict,
                    "margin": encode(None if found.margin is None else float(found.margin)),
                    "tolerance": float(found.tolerance),
                    "only_a": found.quantities.get("only A"),
                    "seconds": round(time.process_time() - start, 6),
                }
            )
            if kept[found.verdict] < KEPT:
                kept[found.verdict] += 1
                evidence.append(found.to_json())
    data = {"format": PART_FORMAT, "version": VERSION, "samples": samples, "evidence": evidence}
    return part, data


def _sample(name: str, entry: dict[str, Any]) -> Sample:
    return Sample(statement=name, **{**entry, "margin": decode(entry["margin"], "margin")})


def _path(folder: Path | None, part: Part) -> Path:
    assert folder is not None
    name, first, last = part
    return folder / "parts" / f"{name}-{first:06d}-{last:06d}.json"


def _read(path: Path, part: Part) -> dict[str, Any]:
    """Return the data of a finished part.

    Raises
    ------
    FileError
        If the file is no part, or does not hold the part's samples, all of them, in order.
    """
    where = str(path)
    data = as_object(read_json(path), where)
    check_format(data, where, PART_FORMAT, VERSION)
    check_keys(data, where, ["format", "version", "samples", "evidence"])
    for name in ("samples", "evidence"):
        if not isinstance(data[name], list):
            raise FileError(f"{where}: {name} is {shown(data[name])}; must be a list")
    _, first, last = part
    wanted = list(range(first, last))
    for number, entry in enumerate(data["samples"], 1):
        place = f"{where}: sample {number}"
        check_keys(as_object(entry, place), place, SAMPLE_KEYS)
        if entry["verdict"] not in VERDICTS:
            raise FileError(
                f"{place}: verdict is {shown(entry['verdict'])}; must be one of {', '.join(VERDICTS)}"
            )
        for name, kind in (("family", str), ("tolerance", int | float), ("seconds", int | float)):
            if not isinstance(entry[name], kind):
                raise FileError(f"{place}: {name} is {shown(entry[name])}; must be a text or a number")
    held = [entry["index"] for entry in data["samples"]]
    if held != wanted:
        raise FileError(
            f"{where}: holds the samples {shown(held)}; must be {first} to {last - 1}, all of them in order"
        )
    return data


def _claimed(folder: Path, seed: int) -> Path:
    """Make the folder a run's own, or refuse it if it holds another run."""
    marker = folder / "run.json"
    own = {"format": FORMAT, "version": VERSION, "seed": seed, "source": source_hash()}
    if marker.exists():
        held = read_json(marker)
        check_format(held, str(marker), FORMAT, VERSION)
        for key, words in (
            ("seed", f"of seed {held.get('seed')}"),
            ("source", "by another version of the source"),
        ):
            if held.get(key) != own[key]:
                raise InputError(f"{folder}: holds a run {words}; must be a new folder")
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is no folder of a run and not empty; must be a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(own, marker)
    return folder


def source_hash() -> str:
    """Return a hash of the package's source: evidence belongs to the code that gave it."""
    root = Path(__file__).parents[1]
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
