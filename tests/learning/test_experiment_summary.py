"""Bands, margins, tables and figures of an experiment."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core import event
from scipy import stats

from arneq_exact import ThreatModel, cli
from arneq_exact.learning.experiment import summary
from arneq_exact.learning.experiment.configuration import Run, read_config
from arneq_exact.learning.experiment.results import ExperimentResult
from arneq_exact.learning.learners import make_learner
from arneq_exact.report.experiment import final_tables, margin_table
from arneq_exact.report.experiment_plot import draw_curves, draw_finals
from arneq_exact.report.studies import plain_text

TINY = Path(__file__).with_name("tiny_experiment.toml")


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_a_band_is_students(rng, confidence):
    values = rng.normal(3, 2, 7).tolist()
    found = summary.band(values, confidence)
    low, high = stats.t.interval(confidence, 6, np.mean(values), stats.sem(values))
    assert found.mean - found.half_width == pytest.approx(low)
    assert found.mean + found.half_width == pytest.approx(high)


@pytest.mark.parametrize(
    ("margin", "verdict"),
    [(0.3, "better"), (-0.3, "worse"), (0.2, "within the bands"), (0, "within the bands")],
)
def test_only_a_margin_beyond_both_bands_counts(margin, verdict):
    assert summary.Margin("g", 1, "a", "b", margin, 0.2).verdict == verdict


def test_one_seed_is_no_certainty():
    """Whatever the margin: of a learner that chance decides, one seed tells nothing of others."""
    one = {"ART": [(9.0, 9.0)], "independent": [(0.0, 0.0), (0.0, 0.2)], "procedure": [(9.0, 9.0)]}
    result = made_up(one, {"ART": [(0, 0)], "independent": [(1, 2), (3, 1)], "procedure": [(0, 0)]})
    rows = {row["learner"]: row for row in summary.finals(result)}
    assert rows["ART"]["robust_k1"].mean == 9
    assert np.isnan(rows["ART"]["robust_k1"].half_width)
    assert rows["procedure"]["robust_k1"] == summary.Band(9.0, 0.0)
    assert all(np.isnan(row["robust"].half_width) for row in summary.curves(result)[:2])
    (margin,) = summary.margins(result)
    assert margin.margin == pytest.approx(8.95)
    assert margin.verdict == "one seed"
    text = plain_text(margin_table([margin]))
    assert "one seed" in text
    assert "nan" not in text
    (table,) = final_tables(summary.finals(result), summary.references(result), 0.95)
    text = plain_text(table)
    assert next(line for line in text.splitlines() if "ART" in line).count("9 ± ?") == 1
    assert "nan" not in text
    (rival,) = summary.margins(made_up({**one, "ART": one["independent"], "independent": one["ART"]},
                                       {name: [(0, 0), (0, 0)] for name in one}))  # fmt: skip
    assert rival.verdict == "one seed"


@pytest.mark.parametrize(
    ("learner", "options", "random"),
    [
        ("art-exact", {}, False),
        ("art-exact", {"initial_spread": 0.0}, False),
        ("art-exact", {"initial_spread": 0.1}, True),
        ("art-exact", {"gradients": "sampled"}, True),
        ("art-sampled", {"episodes": 2}, True),
        ("independent-policy-gradient", {}, False),
        ("independent-policy-gradient", {"gradients": "sampled", "episodes": 2}, True),
        ("random-corruption", {}, False),
        ("random-corruption", {"play": "random"}, True),
        ("fixed-corruption", {"corrupted": [0]}, False),
        ("procedure", {}, False),
    ],
)
def test_what_chance_decides_is_what_the_seed_changes(learner, options, random):
    """The learners themselves, with two seeds, say whether that is so."""
    instance = read_config(TINY, quick=True).instances[0]
    game, threat = instance.load(), ThreatModel(1)
    policies = []
    for seed in range(2):
        made = make_learner(learner, game, threat, seed=seed, **options)
        made.step(3)
        policies.append(made.policy)
    assert summary.decided_by_chance(Run(instance, "name", learner, options, 3, 1, 0)) is random
    assert (policies[0] != policies[1]) is random


def made_up(robust, gaps, *, status="certified") -> ExperimentResult:
    """Two agents; per learner a list over seeds of (agent 1, agent 2)."""
    config = read_config(TINY)
    head = {"game": "crate", "k": 1}
    final, curves, times = [], [], []
    for learner, seeds in robust.items():
        for seed, pair in enumerate(seeds):
            for agent, value in enumerate(pair):
                row = {**head, "learner": learner, "seed": seed, "agent": str(agent + 1)}
                gap = {"gap": gaps[learner][seed][agent], "gap_at_start": 0.0}
                final.append(
                    {
                        **row,
                        "environment_steps": 0,
                        "nominal": 2.0,
                        "robust_k1": value,
                        "static": value,
                        **gap,
                    }
                )
                for iteration in (0, 10):
                    curves.append(
                        {**row, "iteration": iteration, "robust": value - 1 + iteration / 10, **gap}
                    )
            times.append({**head, "learner": learner, "seed": seed, "seconds": 1.0 + seed})
    times.append({**head, "learner": "reference", "seed": 0, "seconds": 7.0})
    reference = [
        {**head, "source": "solve", "status": status, "method": "m", "agent": agent, "nominal": 2.0,
         "robust_k1": 1.0, "static": 1.0, "gap": 0.0, "gap_at_start": 0.0, "lower": 1.0, "upper": upper,
         "proved_gap": upper - 1}
        for agent, upper in (("1", 1.0), ("2", 1.0 if status == "certified" else 3.0))
    ]  # fmt: skip
    return ExperimentResult(config, curves, final, reference, times)


def two_learners(**options) -> ExperimentResult:
    return made_up(
        {"ART": [(1.0, 3.0), (2.0, 4.0)], "independent": [(0.0, 0.0), (0.0, 0.2)], "procedure": [(9.0, 9.0)]},
        {"ART": [(0.1, 0.3), (0.5, 0.0)], "independent": [(1, 2), (3, 1)], "procedure": [(0, 0)]},
        **options,
    )


def test_values_are_means_and_gaps_maxima_over_agents():
    rows = {row["learner"]: row for row in summary.finals(two_learners())}
    assert rows["ART"]["robust_k1"] == summary.band([2.0, 3.0], 0.95)
    assert rows["ART"]["gap"] == summary.band([0.3, 0.5], 0.95)
    assert rows["ART"]["seconds"] == summary.band([1.0, 2.0], 0.95)
    assert rows["ART"]["seeds"] == 2
    assert rows["procedure"]["robust_k1"] == summary.Band(9.0, 0.0)
    curve = [row for row in summary.curves(two_learners()) if row["learner"] == "independent"]
    assert [row["iteration"] for row in curve] == [0, 10]
    assert curve[1]["robust"].mean == pytest.approx(0.05)
    assert curve[1]["robust"].half_width == pytest.approx(summary.band([0.0, 0.1], 0.95).half_width)
    assert curve[0]["gap"] == summary.band([2, 3], 0.95)


def test_margins_are_of_art_over_learners_not_over_lines():
    (margin,) = summary.margins(two_learners())
    assert (margin.learner, margin.rival) == ("ART", "independent")
    assert margin.margin == pytest.approx(2.45)
    bands = [summary.band([2.0, 3.0], 0.95), summary.band([0.0, 0.1], 0.95)]
    assert margin.band == pytest.approx(sum(one.half_width for one in bands))
    assert "within the bands" in plain_text(margin_table([margin]))


def test_the_final_table_and_the_exact_answer():
    result = two_learners()
    (table,) = final_tables(summary.finals(result), summary.references(result), 0.95)
    text = plain_text(table)
    assert "solve (certified)" in text
    line = next(line for line in text.splitlines() if "independent" in line)
    assert "2.5 ±" in line
    assert "0.05 ±" in line


def test_seconds_of_solve_stand_beside_its_own_answer_only():
    result = two_learners()
    result.reference.extend([{**row, "source": "catalog"} for row in list(result.reference)])
    rows = {row["source"]: row for row in summary.references(result)}
    assert (rows["solve"]["seconds"], rows["catalog"]["seconds"]) == (7.0, None)
    (table,) = final_tables(summary.finals(result), summary.references(result), 0.95)
    column = next(column for column in table.columns if str(column.header) == "seconds")
    assert [str(cell) for cell in column.cells][:2] == ["7", ""]


def test_the_exact_answer_is_a_line_or_its_proved_bounds(tmp_path):
    """Proved: one line; incomplete: the interval between the bounds; the same bytes every time."""
    for status, label, other in (
        ("certified", "proved ARNEQ", "proved bounds"),
        ("incomplete", "proved bounds", "proved ARNEQ"),
    ):
        result = two_learners(status=status)
        files = [tmp_path / f"{status}{turn}.svg" for turn in range(2)]
        for file in files:
            draw_curves(file, summary.curves(result), summary.references(result), {"crate": "two teams"})
        text = files[0].read_text()
        assert label in text
        assert other not in text
        assert "crate (two teams), k = 1" in text
        assert files[0].read_bytes() == files[1].read_bytes()
    draw_finals(tmp_path / "final.svg", summary.finals(result), summary.references(result))
    assert "best of solve" in (tmp_path / "final.svg").read_text()


def run(capsys, *arguments):
    code = cli.main(["experiment", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command(capsys, tmp_path):
    code, text, _ = run(
        capsys, TINY, "--out", tmp_path / "out", "--quick", "--seeds", 1, "--backend", "sequential"
    )
    assert code == 0
    assert "Worst-case value, learner minus rival" in text
    written = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert written == {
        "curves.csv", "final.csv", "reference.csv", "times.csv", "curves.svg", "final.svg"
    }  # fmt: skip
    # A second call finds everything done, and prints the same.
    began = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").iterdir()}
    again = run(capsys, TINY, "--out", tmp_path / "out", "--quick", "--seeds", 1, "--backend", "sequential")
    assert again[1] == text
    assert began == {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").iterdir()}


def test_refusals_are_one_line(capsys, tmp_path):
    code, _, error = run(capsys, tmp_path / "none.toml", "--out", tmp_path)
    assert code == 2
    assert "none.toml: cannot be read" in error
    assert error.count("\n") == 1
    code, _, error = run(capsys, TINY, "--out", tmp_path, "--seeds", 0)
    assert (code, "experiment: seeds is 0" in error) == (2, True)


@pytest.mark.parametrize(
    ("missing", "arguments", "message"),
    [
        (None, ["--format", "xlsx"], "format is 'xlsx'; must be one of csv, parquet"),
        ("pandas", ["--format", "parquet"], "pandas or pyarrow is not installed"),
        ("pyarrow", ["--format", "parquet"], "pandas or pyarrow is not installed"),
        ("matplotlib.figure", [], "matplotlib is not installed"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(
    capsys, tmp_path, monkeypatch, missing, arguments, message
):
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    code, _, error = run(capsys, TINY, "--out", tmp_path / "out", *arguments)
    assert (code, error.count("\n")) == (2, 1)
    assert message in error
    assert not (tmp_path / "out").exists()


SHIPPED = Path(__file__).parents[2] / "examples" / "experiments" / "art_and_rivals.toml"


def compiling(events) -> float:
    """Seconds between the start and the end of compilations, what they compile on the way included."""
    total, depth, began = 0.0, 0, 0.0
    for when, one in events:
        if one.is_start:
            began = when if depth == 0 else began
            depth += 1
        else:
            depth -= 1
            total += when - began if depth == 0 else 0.0
    return total


def test_the_shipped_experiment_runs_quickly(capsys, tmp_path):
    """Every learner and every family of the real experiment: `--quick` takes less than a minute.

    Of the processor, in one process. What is compiled for the first time is not counted.
    """
    began = time.process_time()
    with event.install_recorder("numba:compile") as recorder:
        code, text, _ = run(capsys, SHIPPED, "--out", tmp_path, "--quick", "--backend", "sequential")
    assert time.process_time() - began - compiling(recorder.buffer) < 60
    assert code == 0
    for name in ("shared foraging, k = 1", "foraging, k = 1", "crate pushing, k = 1", "crate pushing, k = 2"):
        assert re.search(rf"^{name}", text, re.MULTILINE), name
    # Whether the solver ends before its limit of some seconds is the machine's matter; it always answers.
    assert len(re.findall(r"solve \((?:certified|exact|incomplete)\)", text)) == 4
