"""Runs that are killed and go on: the same bytes as if nothing had happened."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from arneq_exact import ThreatModel, catalog
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning import (
    learner_names,
    load_checkpoint,
    make_learner,
    save_checkpoint,
    train,
)
from arneq_exact.model import replace_file as replacing

OPTIONS = {
    "art-sampled": {"episodes": 20, "averaging": "linear", "update": "optimistic", "initial_spread": 1.0},
    "art-exact": {"update": "alternating", "averaging": "uniform", "attack": "joint"},
    "random-corruption": {"play": "random", "gradients": "sampled", "episodes": 5, "draw": "episode"},
    "independent-policy-gradient": {"update": "extragradient", "gradients": "sampled", "episodes": 5},
}


def game():
    return catalog.load("random-dense", agents=2, states=3, actions=2)


def made(name, seed=3):
    return make_learner(name, game(), ThreatModel(1), seed=seed, **OPTIONS.get(name, {}))


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_checkpoint import made, train
train(made("art-sampled"), 150, checkpoint={path!r}, every=1)
"""


def test_a_run_killed_at_any_moment_ends_byte_equal(tmp_path):
    """SIGKILL, three times, at moments that differ; the last checkpoint is the uninterrupted one's."""
    path = tmp_path / "killed.npz"
    code = RUN.format(tests=str(__file__).rsplit("/", 1)[0], path=str(path))
    seen = []
    for pause in (0.0, 0.013, 0.031):
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
        before = path.stat().st_mtime_ns if path.exists() else None
        while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            time.sleep(0.001)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        _, message = process.communicate()
        assert path.exists(), message
        learner = made("art-sampled")
        load_checkpoint(learner, path)
        seen.append(learner.iteration)
    assert seen == sorted(seen)
    assert 0 < seen[0] < 150
    train(made("art-sampled"), 150, checkpoint=path, every=1)
    whole = tmp_path / "whole.npz"
    train(made("art-sampled"), 150, checkpoint=whole, every=1)
    assert path.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("name", learner_names())
def test_every_learner_goes_on_where_it_was(name, tmp_path):
    whole = train(made(name), 7)
    train(made(name), 4, checkpoint=tmp_path / "run.npz", every=3)
    resumed = train(made(name), 7, checkpoint=tmp_path / "run.npz", every=3)
    assert resumed.iteration == whole.iteration == 7
    save_checkpoint(whole, tmp_path / "whole.npz")
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "run.npz").read_bytes()
    assert resumed.policy == whole.policy


def test_checkpoints_fall_on_multiples(tmp_path):
    seen = []
    train(made("art-exact"), 10, every=4, progress=lambda learner: seen.append(learner.iteration))
    train(made("art-exact"), 5, checkpoint=tmp_path / "a.npz", every=4)
    train(
        made("art-exact"),
        10,
        checkpoint=tmp_path / "a.npz",
        every=4,
        progress=lambda learner: seen.append(learner.iteration),
    )
    assert seen == [4, 8, 10, 8, 10]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    train(made("art-exact"), 2, checkpoint=path)
    with pytest.raises(FileError, match=r"run.npz: seed is 3; must be that of the run: 4$"):
        load_checkpoint(made("art-exact", seed=4), path)
    with pytest.raises(FileError, match="learner is 'ART'; must be that of the run: 'procedure'"):
        load_checkpoint(made("procedure"), path)
    other = make_learner("art-exact", game(), ThreatModel(1), seed=3, agent_rate=0.25)
    with pytest.raises(FileError, match="settings is"):
        load_checkpoint(other, path)
    with pytest.raises(FileError, match="threat is"):
        load_checkpoint(make_learner("art-exact", game(), ThreatModel(0), seed=3), path)
    with pytest.raises(FileError, match="game is"):
        load_checkpoint(make_learner("art-exact", catalog.load("nosde"), ThreatModel(1), seed=3), path)


def test_damaged_files_are_refused_in_one_line(tmp_path):
    path = tmp_path / "run.npz"
    train(made("art-exact"), 2, checkpoint=path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for damaged in (b"", b"no zip", whole[: len(whole) // 2], flipped):
        path.write_bytes(damaged)
        with pytest.raises(FileError, match="is no checkpoint") as raised:
            load_checkpoint(made("art-exact"), path)
        assert "\n" not in str(raised.value)
    with pytest.raises(FileError, match="there is no such file"):
        load_checkpoint(made("art-exact"), tmp_path / "none.npz")
    learner = made("art-exact")
    save_checkpoint(learner, path)
    with np.load(path, allow_pickle=False) as file:
        state = {name: file[name] for name in file.files}
    del state["variable_policy"]
    np.savez(path, **state)
    with pytest.raises(FileError, match=r"state holds .*; must hold .*variable_policy"):
        load_checkpoint(learner, path)
    state["variable_policy"] = np.zeros(3)
    np.savez(path, **state)
    with pytest.raises(FileError, match=r"variable_policy of the state is float64 \(3,\); must be float64"):
        load_checkpoint(learner, path)
    header = json.loads(str(state["header"]))
    np.savez(path, **{**state, "header": json.dumps({**header, "version": 99})})
    with pytest.raises(FileError, match="is no checkpoint of version 1"):
        load_checkpoint(learner, path)


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    """What is being written stands beside; if that fails it is an error, not a lost run."""
    path = tmp_path / "run.npz"
    train(made("art-exact"), 2, checkpoint=path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(replacing.os, "fsync", full)
        with pytest.raises(FileError, match=r"run.npz: cannot be written \(No space left"):
            train(made("art-exact"), 4, checkpoint=path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_do_not_cut_off_each_other(tmp_path, monkeypatch):
    """While one writes, another writes the same place: each replaces it by all that it has."""
    path, seen, sync = tmp_path / "file", [], os.fsync

    def meanwhile(number):
        monkeypatch.setattr(replacing.os, "fsync", sync)
        replacing.replace_file(path, b"another")
        seen.append(path.read_bytes())
        sync(number)

    monkeypatch.setattr(replacing.os, "fsync", meanwhile)
    replacing.replace_file(path, b"one that is longer")
    assert seen == [b"another"]
    assert path.read_bytes() == b"one that is longer"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"iterations": -1}, "iterations is -1; must be an integer of at least 0"),
        ({"iterations": 1.5}, "iterations is 1.5"),
        ({"iterations": 1, "every": 0}, "every is 0; must be an integer of at least 1"),
    ],
)
def test_odd_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        train(made("art-exact"), **arguments)
    with pytest.raises(InputError, match="learner is 'art'; must be one that make_learner makes"):
        train("art", 1)
