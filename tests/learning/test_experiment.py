"""Experiments: what is run, that nothing but seeds decides the numbers, that a killed run goes on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from arneq_exact import ThreatModel, audit, catalog, gap, robust_values
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.checkpoint import save_checkpoint
from arneq_exact.learning.experiment import judging, running, scheduling
from arneq_exact.learning.experiment.configuration import read_config
from arneq_exact.learning.experiment.results import collect
from arneq_exact.learning.experiment.running import reference_path, run_path
from arneq_exact.learning.experiment.scheduling import run_experiment
from arneq_exact.learning.learner import Learner
from arneq_exact.learning.learners import make_learner
from arneq_exact.markov.bellman import one_blas_thread

TINY = Path(__file__).with_name("tiny_experiment.toml")
DECIDED = ("curves.csv", "final.csv", "reference.csv")
"""Tables in which no clock has a part."""


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in DECIDED}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The tiny experiment in one go, in this process."""
    out = tmp_path_factory.mktemp("whole")
    seen = []
    result = run_experiment(read_config(TINY), out, backend="sequential", progress=seen.append)
    result.write(out)
    return out, result, seen


def test_every_run_is_made_once_and_judged_on_its_way(whole):
    _, result, seen = whole
    assert len(result.config.runs) == 3 * (2 * 3 + 1)
    assert len(result.times) == len(result.config.runs) + 3
    final = {(row["game"], row["k"], row["learner"], row["seed"], row["agent"]) for row in result.final}
    assert len(final) == len(result.final) == 7 * (4 + 4 + 3)
    at = [row["iteration"] for row in result.curves if (row["learner"], row["game"]) == ("ART", "crate")]
    assert sorted(set(at)) == [0, 4, 8, 12]
    at = [row["iteration"] for row in result.curves if (row["learner"], row["game"]) == ("ART", "food")]
    assert sorted(set(at)) == [0, 2, 4, 6]
    last = seen[-1]
    assert last == {("crate", 1): (8, 8), ("crate", 2): (8, 8), ("food", 1): (8, 8)}


def test_the_numbers_are_those_of_the_learner_by_itself(whole):
    _, result, _ = whole
    game, threat = catalog.load("crate-pushing", width=3, height=3), ThreatModel(2)
    learner = make_learner("art-exact", game, threat, seed=1, initial_spread=1.0, agent_rate=5.0)
    for iteration in (0, 4, 8, 12):
        learner.step(iteration - learner.iteration)
        rows = [
            row
            for row in result.curves
            if (row["game"], row["k"], row["learner"], row["seed"]) == ("crate", 2, "ART", 1)
            and row["iteration"] == iteration
        ]
        own, gaps = robust_values(game, threat, learner.policy), gap(game, threat, learner.policy)
        for agent, row in enumerate(rows):
            assert row["robust"] == pytest.approx(own[agent] @ game.initial, abs=1e-12)
            assert row["gap"] == pytest.approx(gaps[agent].max(), abs=1e-12)
            assert row["gap_at_start"] == pytest.approx(gaps[agent] @ game.initial, abs=1e-12)
    found = audit(game, threat, learner.policy)
    rows = [r for r in result.final if (r["game"], r["k"], r["learner"], r["seed"]) == ("crate", 2, "ART", 1)]
    for agent, row in enumerate(rows):
        assert row["nominal"] == pytest.approx(found.nominal[agent] @ game.initial, abs=1e-12)
        for k in (1, 2, 3):
            assert row[f"robust_k{k}"] == pytest.approx(found.robust[k][agent] @ game.initial, abs=1e-12)
        assert row["static"] == pytest.approx(found.static[agent] @ game.initial, abs=1e-12)
    sampled = [row for row in result.final if row["learner"] == "ART, sampled"]
    assert all(row["environment_steps"] > 0 for row in sampled)


def test_the_reference_is_proved(whole):
    _, result, _ = whole
    assert {row["status"] for row in result.reference} <= {"exact", "certified"}
    for row in result.reference:
        assert (
            row["lower"] - 1e-7 <= row["robust_k2" if row["k"] == 2 else "robust_k1"] <= row["upper"] + 1e-7
        )
        assert row["proved_gap"] <= 1e-6


def test_an_incomplete_reference_is_tried_again_with_more_time(tmp_path, monkeypatch):
    """A proved one is not, and neither is one that had as much time."""
    instance, asked = read_config(TINY).instances[0], []

    def solved(status):
        def records(_, limit):
            asked.append(limit)
            return [{"status": status}], 1.0

        return records

    for status, limit in (
        ("incomplete", 5),
        ("incomplete", 5),
        ("incomplete", 7),
        ("exact", 8),
        ("exact", 9),
    ):
        monkeypatch.setattr(running, "reference_records", solved(status))
        running.refer(instance, tmp_path, limit)
    assert asked == [5, 7, 8]


def test_the_catalog_knows_another_equilibrium():
    """The default crate game at k = 2: the stored policy is proved, and shown beside what solve finds."""
    instance = next(i for i in read_config(SHIPPED).instances if (i.name, i.k) == ("crate pushing", 2))
    known = judging._known_policy(instance, instance.load())
    assert known is not None
    assert gap(instance.load(), ThreatModel(2), known).max() < 1e-9
    quick = next(i for i in read_config(SHIPPED, quick=True).instances if i.name == "crate pushing")
    assert judging._known_policy(quick, quick.load()) is None


def test_workers_have_no_part_in_the_numbers(whole, tmp_path):
    run_experiment(read_config(TINY), tmp_path, backend="loky", workers=2).write(tmp_path)
    assert tables(tmp_path) == tables(whole[0])


def noting_workers(run, out):
    """Make a run, and note which worker of the cluster made it: outside of one this fails."""
    from distributed import get_worker

    place = out / "workers" / run.key
    place.parent.mkdir(exist_ok=True)
    place.write_text(get_worker().address)
    running.make_run(run, out)


def by_value(function):
    """Return a copy that is sent to workers as code: they cannot import this file."""
    return types.FunctionType(function.__code__, {"running": running, "__builtins__": __builtins__})


def test_a_dask_cluster_makes_the_same_numbers(whole, tmp_path, monkeypatch):
    """A scheduler and two workers on this machine, within this process: none has to be started."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(scheduling, "make_run", by_value(noting_workers))
    config = read_config(TINY)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        run_experiment(config, tmp_path, backend="dask").write(tmp_path)
        workers = set(client.scheduler_info()["workers"])
    noted = {path.name: path.read_text() for path in (tmp_path / "workers").iterdir()}
    assert set(noted) == {run.key for run in config.runs}
    assert set(noted.values()) == workers
    assert len(workers) == 2
    assert tables(tmp_path) == tables(whole[0])


def test_a_scheduler_is_found_by_its_address(tmp_path, monkeypatch):
    """Workers are processes with a working directory of their own; the folder is given relative to ours."""
    distributed = pytest.importorskip("distributed")
    config = read_config(TINY, quick=True)
    run_experiment(config, tmp_path / "here", backend="sequential").write(tmp_path / "here")
    monkeypatch.setattr(scheduling, "make_run", by_value(noting_workers))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        monkeypatch.chdir(tmp_path)
        address = cluster.scheduler_address
        run_experiment(config, "there", backend="dask", scheduler=address).write(tmp_path / "there")
        workers = {worker.worker_address for worker in cluster.workers.values()}
    noted = {path.name: path.read_text() for path in (tmp_path / "there" / "workers").iterdir()}
    assert set(noted) == {run.key for run in config.runs}
    assert set(noted.values()) == workers
    assert tables(tmp_path / "there") == tables(tmp_path / "here")


def test_a_scheduler_that_is_none_is_refused_in_one_line(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="scheduler is 'nonsense'; must be the address of one") as caught:
        run_experiment(read_config(TINY), tmp_path, backend="dask", scheduler="nonsense")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no zip", "half"])
@pytest.mark.parametrize("name", ["run", "reference"])
def test_a_damaged_file_is_refused_before_the_work(whole, tmp_path, monkeypatch, content, name):
    config = read_config(TINY)
    run = config.runs[5]
    path = run_path(tmp_path, run) if name == "run" else reference_path(tmp_path, run.instance)
    path.parent.mkdir()
    bytes_of = (whole[0] / "runs" / path.name).read_bytes()
    path.write_bytes(bytes_of[: len(bytes_of) // 2] if content == "half" else content)
    monkeypatch.setattr(scheduling, "refer", lambda *_: pytest.fail("something was run"))
    with pytest.raises(FileError, match=rf"{path.name}: is no file of a run") as caught:
        run_experiment(config, tmp_path, backend="sequential")
    assert "\n" not in str(caught.value)


def test_a_file_of_something_else_is_refused(tmp_path):
    """A whole file, but not with what a run keeps, or with the state of another learner."""
    run = read_config(TINY).runs[0]
    path = run_path(tmp_path, run)
    running._write(path, {"done": True}, {})
    with pytest.raises(FileError, match="is no file of a run; must be one that an experiment wrote"):
        running.make_run(run, tmp_path)
    records = {"curve": [], "final": [], "seconds": 0.0, "done": False}
    running._write(path, records, {"iteration": np.zeros(2)})
    with pytest.raises(FileError, match=rf"{path.name}: ART: state holds iteration; must hold"):
        running.make_run(run, tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match=r"file: cannot be made a folder of results \("):
        run_experiment(read_config(TINY), tmp_path / "file")


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


def test_the_end_of_one_run_leaves_others_their_limit():
    """One thread of BLAS holds in the whole process until the last of overlapping blocks ends."""
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == before
    assert before != {1}


def test_runs_in_threads_keep_to_one_thread_of_blas(tmp_path, monkeypatch):
    """From the first to the last, also between them; and their seconds are their own."""
    seen = []

    def noting(run, out):
        seen.append(blas_threads())
        running.make_run(run, out)
        seen.append(blas_threads())

    monkeypatch.setattr(scheduling, "make_run", noting)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        run_experiment(read_config(TINY, quick=True), tmp_path, backend="threading", workers=2)
        assert blas_threads() != {1}
    assert len(seen) == 2 * len(read_config(TINY, quick=True).runs)
    assert seen == [{1}] * len(seen)


def test_seconds_are_those_of_the_runs_own_thread(tmp_path, monkeypatch):
    """What another thread of the process does meanwhile is not counted."""
    over, config, step = threading.Event(), read_config(TINY, quick=True), Learner.step

    def busy():
        while not over.is_set():
            sum(range(1000))

    def waiting(learner, iterations):
        until = time.process_time() + 0.2
        while time.process_time() < until:
            time.sleep(0.005)
        step(learner, iterations)

    running.make_run(config.runs[0], tmp_path / "warm")
    monkeypatch.setattr(Learner, "step", waiting)
    other = threading.Thread(target=busy)
    other.start()
    try:
        running.make_run(config.runs[0], tmp_path)
    finally:
        over.set()
        other.join()
    assert len(config.runs[0].evaluated) * 0.2 > 0.5
    assert running.read_records(run_path(tmp_path, config.runs[0]))["seconds"] < 0.2


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("records", [1, 30])
def test_a_stopped_experiment_goes_on(whole, tmp_path, monkeypatch, records):
    """Stopped before a record is kept, wherever that is, it ends with the numbers of one that was not."""
    judge, left = running.curve_records, [records]

    def failing(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise _StoppedError
        return judge(*arguments)

    monkeypatch.setattr(running, "curve_records", failing)
    with pytest.raises(_StoppedError):
        run_experiment(read_config(TINY), tmp_path, backend="sequential")
    with pytest.raises(InputError, match="the run is not finished"):
        collect(read_config(TINY), tmp_path)
    made = []
    monkeypatch.setattr(running, "curve_records", lambda *a: (made.append(1), judge(*a))[1])
    run_experiment(read_config(TINY), tmp_path, backend="sequential").write(tmp_path)
    assert tables(tmp_path) == tables(whole[0])
    # Nothing that was recorded is made again.
    total = sum(len(run.evaluated) for run in read_config(TINY).runs)
    assert len(made) == total - records


def test_a_killed_process_goes_on(whole, tmp_path):
    code = (
        "import sys\n"
        "from arneq_exact.learning.experiment.configuration import read_config\n"
        "from arneq_exact.learning.experiment.scheduling import run_experiment\n"
        f"run_experiment(read_config({str(TINY)!r}), {str(tmp_path)!r}, backend='sequential')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 120
    runs = tmp_path / "runs"
    while time.monotonic() < until and process.poll() is None:
        if runs.exists() and len([p for p in runs.iterdir() if "seed" in p.name]) >= 3:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert runs.exists()
    run_experiment(read_config(TINY), tmp_path, backend="sequential").write(tmp_path)
    assert tables(tmp_path) == tables(whole[0])


def test_a_changed_configuration_is_another_run(whole, tmp_path):
    """Results of another configuration in the same folder are neither read nor touched."""
    text = TINY.read_text().replace("agent_rate = 5.0", "agent_rate = 6.0")
    (tmp_path / "changed.toml").write_text(text)
    old, new = read_config(TINY).runs, read_config(tmp_path / "changed.toml").runs
    same = [a.key == b.key for a, b in zip(old, new, strict=True)]
    assert [a.label in ("ART", "independent") for a in old] == [not equal for equal in same]
    assert len({run.key for run in (*old, *new)}) == len(old) + same.count(False)


def test_csv_and_parquet_hold_the_same(whole, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    out, result, _ = whole
    result.write(tmp_path, "parquet")
    for name, records in result.tables.items():
        with open(out / f"{name}.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(records)
        assert [row["game"] for row in rows] == [record["game"] for record in records]
        frame = pandas.read_parquet(tmp_path / f"{name}.parquet")
        column = next(key for key in ("robust", "nominal", "seconds") if key in rows[0])
        np.testing.assert_array_equal([float(row[column]) for row in rows], frame[column])
    with pytest.raises(InputError, match="format is 'xlsx'; must be one of csv, parquet"):
        result.write(tmp_path, "xlsx")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers is 0; must be an integer of at least 1"),
        ({"backend": "mpi"}, "backend is 'mpi'; must be one of loky, threading, sequential, dask"),
        ({"scheduler": "tcp://x:1"}, "scheduler is given with backend 'loky'; must go with 'dask'"),
    ],
)
def test_calls_that_break_a_rule(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        run_experiment(read_config(TINY), tmp_path, **arguments)


@pytest.mark.parametrize(
    ("learner", "options", "message"),
    [
        ("art-exact", "agent_speed = 1.0", "option 'agent_speed' is unknown"),
        ("procedure", "speed = 1", "procedure: option 'speed' is unknown; must be one of selection"),
        ("solve", "speed = 1", "solve: option 'speed' is unknown; must be one of method, backend"),
        ("solve", "start = 1", "solve: option 'start' is unknown"),
        ("solve", "horizon = 3", "solve: option 'horizon' is unknown"),
        ("solve", "tol = -1", "solve: tol is -1; must be a positive number"),
        ("solve", "method = 'magic'", "solve: method is 'magic'; must be auto or one of"),
        ("solve", "bits = 0", "solve: bits is 0; must be an integer from 1 to"),
        ("solve", "exact = 1", "solve: exact is 1; must be True or False"),
    ],
)
def test_options_that_a_learner_refuses_are_told_before_the_work(
    tmp_path, monkeypatch, learner, options, message
):
    text = f"""
title = "bad"
[[games]]
name = "g"
game = "nosde"
k = [1]
[[learners]]
name = "L"
learner = "{learner}"
iterations = 1
options = {{{options}}}
"""
    (tmp_path / "bad.toml").write_text(text)
    monkeypatch.setattr(scheduling, "refer", lambda *_: pytest.fail("something was run"))
    with pytest.raises(InputError, match=f"experiment: L on g, k = 1: .*{message}") as caught:
        run_experiment(read_config(tmp_path / "bad.toml"), tmp_path / "out", backend="sequential")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["name", "game", "threat", "seed"])
def test_what_the_run_sets_is_no_option(tmp_path, name):
    (tmp_path / "bad.toml").write_text(TINY.read_text().replace("agent_rate", name))
    with pytest.raises(InputError, match=f"experiment: ART: option '{name}' is given; must not be"):
        run_experiment(read_config(tmp_path / "bad.toml"), tmp_path / "out", backend="sequential")


def test_options_of_the_solver_are_kept_as_plain_numbers(tmp_path):
    game, given = catalog.load("nosde"), {"bits": np.int64(64), "tol": np.float32(0.5), "time_limit": 9}
    learner = make_learner("solve", game, ThreatModel(1), **given)
    assert learner.settings == {"bits": 64, "tol": 0.5, "time_limit": 9.0}
    save_checkpoint(learner, tmp_path / "run.npz")


SHIPPED = Path(__file__).parents[2] / "examples" / "experiments" / "art_and_rivals.toml"


def test_the_shipped_experiment_has_the_sizes_that_it_claims():
    config = read_config(SHIPPED)
    sizes = {}
    for instance in config.instances:
        game = instance.load()
        sizes.setdefault((game.n_agents, game.n_states), set()).add(instance.k)
    assert sizes == {(3, 144): {1}, (4, 25): {1, 2}}
    assert {run.seed for run in config.runs} == set(range(10))
    assert {run.learner for run in config.runs} == {
        "art-exact",
        "art-sampled",
        "independent-policy-gradient",
        "random-corruption",
        "all-others-adversarial",
        "fixed-corruption",
        "procedure",
    }
