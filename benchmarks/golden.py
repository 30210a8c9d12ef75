"""What the package answers, recorded once and compared with what other code answers.

    python benchmarks/golden.py record DIR                   record with the package that is importable
    python benchmarks/golden.py compare DIR                  compute again; exit code 1 on a difference
    python benchmarks/golden.py compare DIR --only solve     one family; may be given more than once

Recorded are answers of every class of games, by family: solves, enumerations, enclosures, learners, studies,
judgements, statements of the theory, the catalog, and what commands print. DIR/results holds a JSON file per
family, DIR/files files of every form that the package writes, DIR/index.json what there is. `compare` reads
the files of DIR too, checks their certificates in both arithmetics and by the referee, and writes them again.

An item is *identical* if no byte differs. Where a proof stands behind it, it is *within the rule* with the
same status and a proved relative gap of at most ten times the old one, or 1e-12; numbers without a proof may
differ by 1e-12 of their size, or of 1. *Changed text* is wording alone: messages, and what commands print
under the same exit code. All else is *different*. Whatever is not identical is listed. Seconds are masked,
seeds are fixed. On another processor, or with other versions of numpy and scipy, last bits may differ where
nothing else does: record and compare on one machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from recorded.answers import curves, enclosures, enumerations, iterations, learners, several
from recorded.commands import commands
from recorded.comparison import DIFFERENT, IDENTICAL, VERDICTS, judgement
from recorded.data import Cases, computed, text_of
from recorded.files import files_read, files_written, write_files
from recorded.judging import (
    audits,
    catalogued,
    certificates,
    episodes,
    forgeries,
    judgements,
    statements,
    static,
)
from recorded.solves import solves
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import arneq_exact

FORMAT, VERSION = "arneq-golden", 1


def families(recorded: Path, written: Path) -> dict[str, Callable[[], Cases]]:
    """Return what is recorded, by family; files are read from one folder and were written to the other."""
    return {
        "solve": solves,
        "enumerate": enumerations,
        "equilibria": several,
        "enclose": enclosures,
        "iterate": iterations,
        "learn": learners,
        "curve": curves,
        "judge": judgements,
        "certify": certificates,
        "forge": forgeries,
        "audit": audits,
        "static": static,
        "simulate": episodes,
        "theory": statements,
        "catalog": catalogued,
        "files written": partial(files_written, written),
        "files read": partial(files_read, recorded),
        "commands": partial(commands, recorded),
    }


def cpu_seconds() -> float:
    """Return processor seconds of this process and its children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def all_of(cases: Cases) -> dict[str, Any]:
    """Compute a family; what breaks between two of its items is an item as well."""
    found: dict[str, Any] = {}
    try:
        for name, compute in cases:
            if name in found:
                raise RuntimeError(f"{name} occurs twice")
            found[name] = computed(compute)
    except Exception as error:
        found["family"] = {"crashed": f"{type(error).__name__}: {error}"}
    return found


def write_family(path: Path, found: dict[str, Any]) -> None:
    """Write the items of a family, one a line."""
    lines = [f"{json.dumps(name, ensure_ascii=False)}: {text_of(data)}" for name, data in found.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def record(folder: Path, console: Console) -> int:
    """Write all results and files to a new folder; the exit code tells whether nothing crashed."""
    if folder.exists() and any(folder.iterdir()):
        console.print(f"{folder} is not empty; must be a new folder")
        return 2
    (folder / "results").mkdir(parents=True, exist_ok=True)
    write_files(folder / "files")
    index: dict[str, Any] = {"format": FORMAT, "version": VERSION, "families": {}}
    report = Table(title="recorded")
    for heading in ("family", "items", "refused", "CPU s"):
        report.add_column(heading, justify="left" if heading == "family" else "right")
    broken, whole = [], cpu_seconds()
    for family, cases in families(folder / "files", folder / "files").items():
        begun = cpu_seconds()
        found = all_of(cases())
        write_family(folder / "results" / f"{family.replace(' ', '-')}.json", found)
        index["families"][family] = list(found)
        broken += [
            f"{family}: {name}: {text_of(data)[:200]}" for name, data in found.items() if is_broken(data)
        ]
        refused = sum(isinstance(data, dict) and "refused" in data for data in found.values())
        report.add_row(family, str(len(found)), str(refused), f"{cpu_seconds() - begun:.1f}")
        console.print(f"{family}: {len(found)} items", highlight=False)
    text = json.dumps(index, ensure_ascii=False, indent=1)
    (folder / "index.json").write_text(text + "\n", encoding="utf-8")
    console.print(report)
    console.print(f"{sum(map(len, index['families'].values()))} items, {cpu_seconds() - whole:.0f} s of CPU")
    for line in broken:
        console.print(line, markup=False, highlight=False)
    return 1 if broken else 0


def is_broken(data: Any) -> bool:
    """Tell whether an item is no evidence: it crashed, or its file is not written again as it was read."""
    return isinstance(data, dict) and (
        "crashed" in data
        or data.get("rewritten") is False
        or (data.get("valid") is False and "solution" in data)
    )


def compare(folder: Path, console: Console, only: list[str]) -> int:
    """Compute all again; the exit code tells whether nothing is different."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    if (index.get("format"), index.get("version")) != (FORMAT, VERSION):
        console.print(f"{folder}: is no record of version {VERSION}")
        return 2
    report = Table(title="compared")
    for heading in ("family", "items", *VERDICTS, "CPU s"):
        report.add_column(heading, justify="left" if heading == "family" else "right")
    tally, begun = Counter[str](), cpu_seconds()
    with tempfile.TemporaryDirectory() as place:
        written = Path(place) / "files"
        if not only or "files written" in only:
            write_files(written)
        for family, cases in families(folder / "files", written).items():
            if only and family not in only:
                continue
            started = cpu_seconds()
            path = folder / "results" / f"{family.replace(' ', '-')}.json"
            counts = compare_family(
                family, json.loads(path.read_text(encoding="utf-8")), all_of(cases()), console
            )
            row = [str(counts[verdict]) for verdict in VERDICTS]
            report.add_row(family, str(counts.total()), *row, f"{cpu_seconds() - started:.1f}")
            tally += counts
    report.add_section()
    report.add_row(
        "all", str(tally.total()), *(str(tally[one]) for one in VERDICTS), f"{cpu_seconds() - begun:.1f}"
    )
    console.print(report)
    return 1 if tally[DIFFERENT] else 0


def compare_family(family: str, old: dict[str, Any], new: dict[str, Any], console: Console) -> Counter[str]:
    """Compare the items of a family, and list those that are not identical."""
    counts = Counter[str]()
    for name in {**old, **new}:
        if name not in old or name not in new:
            verdict, reason = DIFFERENT, "is new" if name in new else "is missing"
        else:
            verdict, reason = judgement(old[name], new[name])
        counts[verdict] += 1
        if verdict != IDENTICAL:
            line = f"{verdict}: {family}: {name}: {reason}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{family}: {counts[IDENTICAL]} of {counts.total()} identical", highlight=False)
    return counts


def main(arguments: Iterable[str] | None = None) -> int:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("record", "compare"))
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAMILY", help="compare this family only"
    )
    options = parser.parse_args(None if arguments is None else list(arguments))
    console = Console(width=130)
    known = families(options.folder, options.folder)
    for family in options.only:
        if family not in known:
            parser.error(f"family {family!r} is unknown; must be one of {', '.join(known)}")
    console.print(f"the package is {Path(arneq_exact.__file__).parent}", highlight=False, soft_wrap=True)
    started = time.perf_counter()
    with threadpool_limits(1):
        if options.action == "record":
            code = record(options.folder, console)
        else:
            code = compare(options.folder, console, options.only)
    console.print(f"{time.perf_counter() - started:.0f} s by the clock", highlight=False)
    return code


if __name__ == "__main__":
    sys.exit(main())
