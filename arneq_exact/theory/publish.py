"""A run of the ledger as files: a table, a page, and the evidence behind its worst margins."""

from __future__ import annotations

from pathlib import Path

from arneq_exact.report.theory_page import page, table_text
from arneq_exact.theory.engine.evidence import HOLDS, VIOLATED
from arneq_exact.theory.pictures import contraction_traces, nosde_cycle
from arneq_exact.theory.run import LedgerRun
from arneq_exact.theory.search import stored_counterexamples


def publish(run: LedgerRun, folder: str | Path, command: str) -> list[Path]:
    """Write a run to a folder and return what was written.

    * ``table.csv``: a row for each statement and class of games.
    * ``index.html``: the same as a page that needs no other file, with plots.
    * ``evidence/ID.json``: for each statement the instance with the least margin, and
      ``evidence/ID-violated-N.json`` for violations; `arneq theory repeat FILE` checks such a file again.

    Parameters
    ----------
    run : LedgerRun
    folder : path
        Must exist.
    command : str
        What was run, for the page.
    """
    place = Path(folder)
    stored = stored_counterexamples()
    rows = []
    for one, row in zip(run.statements, run.table(by_family=False), strict=True):
        assumed = [(hypothesis.name, hypothesis.text) for hypothesis in one.hypotheses]
        found = [(str(case), case.command) for case in stored if case.statement == one.id]
        rows.append({**row, "claim": one.claim, "hypotheses": assumed, "counterexamples": found})
    classes = run.table()
    written = [place / "table.csv", place / "index.html"]
    written[0].write_text(table_text(classes), encoding="utf-8")
    margins = {
        one.id: [
            (sample.margin, sample.tolerance, sample.verdict == VIOLATED)
            for sample in run.samples
            if sample.statement == one.id
            and sample.verdict in (HOLDS, VIOLATED)
            and sample.margin is not None
        ]
        for one in run.statements
    }
    text = page(
        statements=rows,
        classes=classes,
        margins=margins,
        traces=contraction_traces(run.seed),
        cycle=nosde_cycle(),
        command=command,
    )
    written[1].write_text(text, encoding="utf-8")
    shown = place / "evidence"
    shown.mkdir(exist_ok=True)
    for one in run.statements:
        worst = run.worst(one.id)
        if worst is not None:
            worst.save(shown / f"{one.id}.json")
            written.append(shown / f"{one.id}.json")
    violated = [evidence for evidence in run.evidence if evidence.verdict == VIOLATED]
    for number, evidence in enumerate(violated, 1):
        evidence.save(shown / f"{evidence.statement}-violated-{number}.json")
        written.append(shown / f"{evidence.statement}-violated-{number}.json")
    return written
