"""One run of an experiment: a learner trained, judged on its way, and resumed where it was stopped.

After every judged iteration the learner's state and all records so far are put into one file, which replaces
the former at once; so a run that is killed at any moment goes on from its last record, and ends with the
same records as a run that was not, but for the seconds that it took. Every number is made by the run's own
seed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.checkpoint import header_of
from arneq_exact.learning.experiment.configuration import BudgetedGame, Run, fingerprint, slug
from arneq_exact.learning.experiment.judging import curve_records, final_records, reference_records
from arneq_exact.learning.learner import Array
from arneq_exact.learning.learners import make_learner
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.model.npz_file import read_npz, write_npz
from arneq_exact.model.threat import ThreatModel

FOLDER = "runs"
RECORDS, STATE = "records", "state."
"""Names in a file: of the records, and before the names of the learner's arrays."""


def run_path(out: Path, run: Run) -> Path:
    """Return the file of a run."""
    return out / FOLDER / f"{run.key}.npz"


def reference_path(out: Path, instance: BudgetedGame) -> Path:
    """Return the file of the exact reference of an instance."""
    return out / FOLDER / f"{slug(f'{instance.name} k{instance.k} reference')}-{fingerprint(instance)}.npz"


def make_run(run: Run, out: Path) -> None:
    """Make or finish a run.

    Raises
    ------
    InputError
        If the learner refuses its options, or the file of the run is damaged.
    """
    path = run_path(out, run)
    records = read_records(path)
    if records is not None and records["done"]:
        return
    game, threat = run.instance.load(), ThreatModel(run.instance.k)
    learner = make_learner(run.learner, game, threat, seed=run.seed, **run.options)
    if records is None:
        records = {"curve": [], "final": [], "seconds": 0.0, "done": False}
    else:
        try:
            learner.restore(_read(path)[1])
        except InputError as error:
            raise FileError(f"{path}: {error}") from None
    for iteration in run.evaluated:
        if iteration < learner.iteration or (records["curve"] and iteration == learner.iteration):
            continue
        # Of this thread: other runs may be at work in others.
        began = time.thread_time()
        with one_blas_thread():
            learner.step(iteration - learner.iteration)
        records["seconds"] += time.thread_time() - began
        policy = learner.policy
        records["curve"] += [
            {"iteration": iteration, "environment_steps": learner.environment_steps, **record}
            for record in curve_records(game, threat, policy)
        ]
        if iteration == run.iterations:
            records["final"] = [
                {"iteration": iteration, "environment_steps": learner.environment_steps, **record}
                for record in final_records(game, threat, policy)
            ]
            records["done"] = True
        _write(path, records, learner.state())


def refer(instance: BudgetedGame, out: Path, time_limit: float) -> None:
    """Solve an instance, unless that has been done; an incomplete answer is tried again with more time."""
    path = reference_path(out, instance)
    known = read_records(path)
    if known is not None:
        incomplete = known["final"][0]["status"] == "incomplete"
        if not incomplete or time_limit <= known["time_limit"]:
            return
    records, seconds = reference_records(instance, time_limit)
    kept = {"final": records, "seconds": seconds, "time_limit": time_limit, "done": True}
    _write(path, kept, {})


def read_records(path: Path) -> dict[str, Any] | None:
    """Return the records in a file, None if there is none.

    Raises
    ------
    FileError
        If the file is damaged, or no file of a run.
    """
    return _read(path)[0] if path.exists() else None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    arrays = read_npz(path, "file of a run", "an experiment")
    records = header_of(arrays, RECORDS)
    if not isinstance(records, dict) or not {"final", "seconds", "done"} <= set(records):
        raise FileError(f"{path}: is no file of a run; must be one that an experiment wrote")
    return records, {name.removeprefix(STATE): array for name, array in arrays.items()}


def _write(path: Path, records: Mapping[str, Any], state: Mapping[str, Array]) -> None:
    """Replace a file at once: a reader, or a run that is resumed, sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"{STATE}{name}": array for name, array in state.items()}
    arrays[RECORDS] = np.array(json.dumps(records, ensure_ascii=False))
    write_npz(path, arrays)
