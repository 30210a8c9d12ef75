"""The results of an experiment: tables of records, collected from the files of the runs and written as such.

Four tables. `curves`: a row per judged iteration and agent. `final`: a row per run and agent. `reference`: a
row per exact answer and agent. `times`: a row per run. What a seed decides and what the clock decides stand
in different tables, so that `curves` and `final` are the same bytes for any number of workers, and so is
`reference` wherever the solver ends before its time limit.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.learning.experiment.configuration import REFERENCE, BudgetedGame, ExperimentConfig
from arneq_exact.learning.experiment.judging import Record
from arneq_exact.learning.experiment.running import read_records, reference_path, run_path
from arneq_exact.model.replace_file import replace_file

FORMATS = ("csv", "parquet")


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """The tables of an experiment.

    Attributes
    ----------
    config : ExperimentConfig
    curves, final, reference, times : list of records
        Values are means over first states. `robust` is the robust value under the instance's own budget,
        `robust_k…` under others, `static` that of a set drawn once per episode; `gap` is the agent's gap at
        its worst state. `lower` and `upper` of the reference are proved bounds. Times are processor seconds
        of training alone; those of the learner "reference" are seconds of `solve` by the clock.
    """

    config: ExperimentConfig
    curves: list[Record]
    final: list[Record]
    reference: list[Record]
    times: list[Record]

    @property
    def tables(self) -> dict[str, list[Record]]:
        """The tables by name."""
        return {name: getattr(self, name) for name in ("curves", "final", "reference", "times")}

    def write(self, out: Path, form: str = "csv") -> list[Path]:
        """Write every table to a file; return the files.

        Raises
        ------
        InputError
            If the form is unknown, or Parquet is asked for without pandas and pyarrow.
        """
        require_format(form)
        paths = []
        for name, records in self.tables.items():
            paths.append(out / f"{name}.{form}")
            (_write_csv if form == "csv" else _write_parquet)(paths[-1], records)
        return paths


def require_format(form: str) -> None:
    """Refuse a form of tables that cannot be written, before there is anything to write.

    Raises
    ------
    InputError
        If the form is unknown, or Parquet is asked for without pandas and pyarrow.
    """
    if require.one_of(form, "experiment: format", FORMATS) == "parquet":
        # What holds tables, and what it writes Parquet with.
        require.installed("pandas", "pyarrow", where="experiment", extra="table")


def collect(config: ExperimentConfig, out: Path) -> ExperimentResult:
    """Collect the tables from the files of the runs, in the order of the configuration."""
    result = ExperimentResult(config, [], [], [], [])
    for instance in config.instances:
        records = _records(reference_path(out, instance))
        head = _head(instance)
        result.reference.extend({**head, **record} for record in records["final"])
        result.times.append({**head, "learner": REFERENCE, "seed": 0, "seconds": records["seconds"]})
    for run in config.runs:
        records = _records(run_path(out, run))
        head = {**_head(run.instance), "learner": run.label, "seed": run.seed}
        result.curves.extend({**head, **record} for record in records["curve"])
        result.final.extend({**head, **record} for record in records["final"])
        result.times.append({**head, "seconds": records["seconds"]})
    return result


def _head(instance: BudgetedGame) -> Record:
    return {"game": instance.name, "k": instance.k}


def _records(path: Path) -> Mapping[str, Any]:
    records = read_records(path)
    if records is None or not records["done"]:
        raise InputError(f"{path}: the run is not finished; must be, before results are collected")
    return records


def _columns(records: Sequence[Record]) -> list[str]:
    """Return all keys in the order in which they first occur; games differ in their budgets."""
    return list(dict.fromkeys(key for record in records for key in record))


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, _columns(records), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    replace_file(path, text.getvalue().encode("utf-8"))


def _write_parquet(path: Path, records: Sequence[Record]) -> None:
    import pandas as pd

    pd.DataFrame(records, columns=_columns(records)).to_parquet(path, index=False)
