"""Means and confidence bands over seeds, and by how much one learner beats another.

A run counts as one observation: values are first averaged over agents, and of gaps the largest over agents is
taken. The band of m observations with mean x̄ and standard deviation s is x̄ ± t s/√m, with t the quantile of
Student's distribution of m − 1 degrees of freedom. One observation of a learner that chance decides says
nothing of others: its half width is not a number, and no verdict is drawn from it. Where chance has no part,
one observation is all there is (half width 0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from arneq_exact.learning.experiment.configuration import REFERENCE, Run
from arneq_exact.learning.experiment.judging import Record
from arneq_exact.learning.experiment.results import ExperimentResult
from arneq_exact.learning.learners import learner_entry
from arneq_exact.report.bands import Band, Margin

GAPS = ("gap", "gap_at_start")


def band(values: Sequence[float], confidence: float, *, random: bool = True) -> Band:
    """Return mean and half width.

    Parameters
    ----------
    values : sequence of float
        One per run.
    confidence : float
    random : bool
        Whether another run could have another value.

    Examples
    --------
    >>> band([1.0, 2.0, 3.0], 0.95)
    Band(mean=2.0, half_width=2.4841377...)
    >>> band([5.0], 0.95)
    Band(mean=5.0, half_width=nan)
    >>> band([5.0], 0.95, random=False)
    Band(mean=5.0, half_width=0.0)
    """
    from scipy.special import stdtrit

    count = len(values)
    mean = float(np.mean(values))
    if count == 1:
        return Band(mean, math.nan if random else 0.0)
    quantile = float(stdtrit(count - 1, (1 + confidence) / 2))
    return Band(mean, quantile * float(np.std(values, ddof=1)) / math.sqrt(count))


def curves(result: ExperimentResult) -> list[Record]:
    """Return a row per instance, learner and iteration: the bands of `robust` and `gap`."""
    return _bands(result.curves, ("game", "k", "learner", "iteration"), ("robust", "gap"), result)


def finals(result: ExperimentResult) -> list[Record]:
    """Return a row per instance and learner: the bands of all final quantities and of the seconds."""
    quantities = ("nominal", *_budgets(result.final), "static", "gap", "gap_at_start", "environment_steps")
    rows = _bands(result.final, ("game", "k", "learner"), quantities, result)
    for row in rows:
        times = [
            time["seconds"]
            for time in result.times
            if all(time[key] == row[key] for key in ("game", "k", "learner"))
        ]
        row["seconds"] = band(times, result.config.confidence)  # the clock is always left to chance
        row["seeds"] = len(times)
    return rows


def references(result: ExperimentResult) -> list[Record]:
    """Return a row per exact answer: values as means over agents, the largest proved gap.

    Seconds are those of `solve`, so they stand beside its answer alone; beside that of the catalog is None.
    """
    rows = []
    for (game, k, source), records in _grouped(result.reference, ("game", "k", "source")).items():
        numbers = {
            name: _observation(name, records)
            for name in ("nominal", *_budgets(records), "static", "gap", "lower", "upper")
        }
        seconds = [
            time["seconds"]
            for time in result.times
            if (time["game"], time["k"], time["learner"]) == (game, k, REFERENCE)
        ]
        rows.append(
            {
                "game": game,
                "k": k,
                "source": source,
                "status": records[0]["status"],
                "method": records[0]["method"],
                "proved": records[0]["status"] != "incomplete",
                **numbers,
                "proved_gap": max(record["proved_gap"] for record in records),
                "seconds": seconds[0] if source == "solve" else None,
            }
        )
    return rows


def margins(result: ExperimentResult) -> list[Margin]:
    """Return the margins of the robust value of every learner that is ART, over every other that learns."""
    art = {run.label for run in result.config.runs if run.learner.startswith("art-")}
    lines = {run.label for run in result.config.runs if not learner_entry(run.learner, "learner").learns}
    found = []
    rows = finals(result)
    for mine in (row for row in rows if row["learner"] in art):
        for other in rows:
            same = (other["game"], other["k"]) == (mine["game"], mine["k"])
            if same and other["learner"] not in art | lines:
                name = f"robust_k{mine['k']}" if mine["k"] else "nominal"
                a, b = mine[name], other[name]
                found.append(
                    Margin(
                        mine["game"],
                        mine["k"],
                        mine["learner"],
                        other["learner"],
                        a.mean - b.mean,
                        a.half_width + b.half_width,
                    )
                )
    return found


def decided_by_chance(run: Run) -> bool:
    """Tell whether a learner's policy depends on its seed."""
    entry = learner_entry(run.learner, "learner")
    options = {**entry.presets, **run.options}
    return entry.learns and bool(
        options.get("gradients") == "sampled"
        or options.get("initial_spread", 0) > 0
        or options.get("play") == "random"
    )


def _budgets(records: Iterable[Record]) -> list[str]:
    return sorted({name for record in records for name in record if name.startswith("robust_k")})


def _bands(
    records: Sequence[Record], keys: Sequence[str], quantities: Sequence[str], result: ExperimentResult
) -> list[Record]:
    rows = []
    random = {run.label: decided_by_chance(run) for run in result.config.runs}
    for key, group in _grouped(records, keys).items():
        row: Record = dict(zip(keys, key, strict=True))
        runs = _grouped(group, ("seed",)).values()
        for name in quantities:
            if name in group[0]:
                values = [_observation(name, run) for run in runs]
                row[name] = band(values, result.config.confidence, random=random[group[0]["learner"]])
        rows.append(row)
    return rows


def _observation(name: str, records: Sequence[Record]) -> float:
    """Return one number of one run from the rows of its agents."""
    values = [float(record[name]) for record in records if name in record]
    if name in GAPS:
        return max(values)
    return float(np.mean(values))


def _grouped(records: Iterable[Record], keys: Sequence[str]) -> dict[tuple[object, ...], list[Record]]:
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record[key] for key in keys), []).append(record)
    return groups
