"""Runs that may be killed at any moment: checkpoints, and training that goes on from them.

A checkpoint is an npz file with one header (which learner, game, threat, seed and options) and the arrays of
the learner's state. It is written beside its place, forced to the disk and moved there in one step, so that
whenever a run dies there is the last whole checkpoint or none. All randomness comes from (seed, iteration),
so a resumed run makes the very iterations that an uninterrupted one makes, and its last checkpoint is the
same to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.learner import Array, Learner
from arneq_exact.model.npz_file import read_npz, write_npz
from arneq_exact.require import shown

FORMAT = "arneq-checkpoint"
VERSION = 1
"""Of the format; files of another one are refused."""

Report = Callable[[Learner], None]


def train(
    learner: Learner,
    iterations: int,
    *,
    checkpoint: str | Path | None = None,
    every: int = 100,
    progress: Report | None = None,
) -> Learner:
    """Bring a learner to so many iterations in all, from its checkpoint if there is one.

    Parameters
    ----------
    learner : Learner
        Changed in place.
    iterations : int
        The total to reach; a learner that is there already stays as it is.
    checkpoint : path, optional
        Read at the beginning if the file exists, and written every `every` iterations and at the end.
    every : int
        Also how often `progress` is called.
    progress : callable, optional
        Called with the learner after every so many iterations, and not for those before a checkpoint.

    Returns
    -------
    Learner
        The same one.

    Raises
    ------
    InputError
        If an argument breaks its rule.
    FileError
        If the checkpoint is damaged, or of another run.

    Examples
    --------
    >>> from arneq_exact import MarkovGame, ThreatModel
    >>> from arneq_exact.learning import make_learner
    >>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> train(make_learner("art-exact", game, ThreatModel(1)), 30).iteration
    30
    """
    iterations = require.whole(iterations, "train: iterations", at_least=0)
    every = require.whole(every, "train: every", at_least=1)
    made = isinstance(learner, Learner)
    require.that(made, learner, "train: learner", "one that make_learner makes")
    if checkpoint is not None and Path(checkpoint).exists():
        load_checkpoint(learner, checkpoint)
    while learner.iteration < iterations:
        # Checkpoints fall on multiples of `every`, wherever the run began.
        learner.step(min(every - learner.iteration % every, iterations - learner.iteration))
        if checkpoint is not None:
            save_checkpoint(learner, checkpoint)
        if progress is not None:
            progress(learner)
    return learner


def save_checkpoint(learner: Learner, path: str | Path) -> None:
    """Write the learner's state so that the file is always whole; equal states give equal bytes.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    arrays: dict[str, Any] = dict(sorted(learner.state().items()))
    write_npz(path, {"header": np.array(json.dumps(_header(learner), sort_keys=True)), **arrays})


def load_checkpoint(learner: Learner, path: str | Path) -> None:
    """Put the state of a checkpoint back into a learner made with the same arguments.

    Raises
    ------
    FileError
        If the file is no checkpoint, or of another learner, game, threat, seed or other options.
    """
    state = read_npz(path, "checkpoint", "train")
    header = header_of(state, "header")
    if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise FileError(f"{path}: is no checkpoint of version {VERSION}; must be one that train wrote")
    expected = json.loads(json.dumps(_header(learner)))
    for key, value in expected.items():
        if header.get(key) != value:
            raise FileError(
                f"{path}: {key} is {shown(header.get(key))}; must be that of the run: {shown(value)}"
            )
    try:
        learner.restore(state)
    except InputError as error:
        raise FileError(f"{path}: {error}") from None


def _header(learner: Learner) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "learner": learner.name,
        "game": learner.game.content_hash,
        "threat": learner.threat.to_json(),
        "seed": learner.seed,
        "settings": learner.settings,
    }


def header_of(arrays: dict[str, Array], name: str) -> Any:
    """Take the header in JSON out of the arrays of a file; None if there is none."""
    try:
        return json.loads(str(arrays.pop(name, "null")))
    except ValueError:
        return None
