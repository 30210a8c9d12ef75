"""Running an experiment: all its runs in parallel, each once, whatever has been interrupted before.

The runs are independent, so they are handed to joblib: to processes of this machine, or to a Dask cluster
whose workers see the same output folder. Each keeps its own file (`arneq_exact.learning.experiment.running`),
so that an experiment that was killed goes on where every run of it was. Who computes a run has no part in
its numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from arneq_exact import require
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.experiment.configuration import ExperimentConfig
from arneq_exact.learning.experiment.results import ExperimentResult, collect
from arneq_exact.learning.experiment.running import (
    FOLDER,
    make_run,
    read_records,
    refer,
    reference_path,
    run_path,
)
from arneq_exact.learning.learners import make_learner
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.model.threat import ThreatModel

BACKENDS = ("loky", "threading", "sequential", "dask")

Progress = Callable[[Mapping[tuple[str, int], tuple[float, int]]], None]
"""Takes, by game and budget, how many runs are finished (with fractions) of how many."""

WATCH_SECONDS = 0.5
"""Between two looks at the files of the runs: often enough for an eye, too seldom to cost anything."""


def run_experiment(
    config: ExperimentConfig,
    out: str | Path,
    *,
    workers: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> ExperimentResult:
    """Make the runs that are missing, and collect all.

    Parameters
    ----------
    config : ExperimentConfig
    out : str or Path
        The folder of the results; runs of other configurations in it are left alone.
    workers : int
        Runs that are made at the same time.
    backend : {"loky", "threading", "sequential", "dask"}
        What joblib runs them on. With "dask", on `scheduler` if one is given, else on the client of the
        caller if there is one, else on a local cluster of `workers` processes.
    scheduler : str, optional
        Address of a Dask scheduler, such as "tcp://head:8786".
    progress : callable, optional

    Raises
    ------
    InputError
        If an argument breaks a rule, joblib or dask is missing, or a learner refuses its options. Nothing has
        been run then.
    FileError
        If the folder cannot be made, or a file of an earlier run in it is damaged.
    """
    workers = require.whole(workers, "experiment: workers", at_least=1)
    require.one_of(backend, "experiment: backend", BACKENDS)
    if scheduler is not None and backend != "dask":
        raise InputError(f"experiment: scheduler is given with backend {backend!r}; must go with 'dask'")
    joblib = require.installed("joblib", where="experiment", extra="experiment")
    folder = Path(out).resolve()  # workers elsewhere have working directories of their own
    _require_learners(config)
    _require_folder(config, folder)
    # The references first: each may take as long as many runs.
    tasks = [joblib.delayed(refer)(instance, folder, config.time_limit) for instance in config.instances]
    # Then seed by seed: what is stopped early can be shown with fewer seeds.
    tasks += [joblib.delayed(make_run)(run, folder) for run in sorted(config.runs, key=lambda run: run.seed)]
    with ExitStack() as stack:
        if backend == "dask":
            stack.enter_context(_dask(scheduler, workers))
        if progress is not None:
            stack.enter_context(_watched(config, folder, progress))
        # Around all runs of this process; workers elsewhere limit themselves in every run.
        stack.enter_context(one_blas_thread())
        stack.enter_context(joblib.parallel_config(backend=backend))
        joblib.Parallel(n_jobs=-1 if backend == "dask" else workers, batch_size=1)(tasks)
    return collect(config, folder)


def _require_learners(config: ExperimentConfig) -> None:
    """Make every learner once on every instance: what one refuses should not be known after hours."""
    made = set()
    for run in config.runs:
        instance = run.instance
        if (instance.name, instance.k, run.label) not in made:
            made.add((instance.name, instance.k, run.label))
            for name in ("name", "game", "threat", "seed"):
                if name in run.options:
                    raise InputError(
                        f"experiment: {run.label}: option {name!r} is given; must not be: the run sets it"
                    )
            try:
                make_learner(run.learner, instance.load(), ThreatModel(instance.k), **run.options)
            except InputError as error:
                raise InputError(
                    f"experiment: {run.label} on {instance.name}, k = {instance.k}: {error}"
                ) from None


def _require_folder(config: ExperimentConfig, folder: Path) -> None:
    """Make the folder, and read what earlier runs have left in it."""
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot be made a folder of results ({error.strerror})") from None
    for path in (
        *(reference_path(folder, instance) for instance in config.instances),
        *(run_path(folder, run) for run in config.runs),
    ):
        read_records(path)


@contextmanager
def _dask(scheduler: str | None, workers: int) -> Iterator[None]:
    """Provide the Dask client that joblib's backend will find."""
    distributed = require.installed("distributed", where="experiment", extra="dask", called="dask")
    if scheduler is None and _has_client(distributed):
        yield
        return
    with ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            address = stack.enter_context(
                distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
        try:
            client = distributed.Client(address)
        except (ValueError, TypeError, OSError) as error:
            raise InputError(
                f"experiment: scheduler is {address!r}; must be the address of one that runs "
                f"({' '.join(str(error).split())})"
            ) from None
        stack.enter_context(client)
        yield


def _has_client(distributed: Any) -> bool:
    try:
        distributed.get_client()
    except ValueError:
        return False
    return True


@contextmanager
def _watched(config: ExperimentConfig, out: Path, progress: Progress) -> Iterator[None]:
    """Tell `progress` about the files of the runs until the block ends: this works for every backend."""
    finished: dict[Path, float] = {}

    def share(path: Path, iterations: int) -> float:
        if finished.get(path, 0.0) < 1.0:
            records = read_records(path)
            if records is not None:
                last = records["curve"][-1]["iteration"] if records.get("curve") else 0
                finished[path] = 1.0 if records["done"] else last / (iterations + 1)
        return finished.get(path, 0.0)

    def tell() -> None:
        state: dict[tuple[str, int], tuple[float, int]] = {}
        for instance in config.instances:
            state[instance.name, instance.k] = (share(reference_path(out, instance), 0), 1)
        for run in config.runs:
            key = (run.instance.name, run.instance.k)
            done, count = state[key]
            state[key] = (done + share(run_path(out, run), run.iterations), count + 1)
        progress(state)

    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            tell()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        tell()
