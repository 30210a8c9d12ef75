"""What commands print, with seconds and places masked."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any

import arneq_exact
from recorded.data import Cases

TINY = """title = "tiny"
seeds = 2
points = 2
[[games]]
name = "crate"
game = "crate-pushing"
parameters = {width = 3, height = 1}
k = [1]
[[learners]]
name = "ART"
learner = "art-exact"
iterations = 6
options = {initial_spread = 1.0}
[[learners]]
name = "procedure"
learner = "procedure"
iterations = 2
seeds = 1
"""


COMMANDS = (
    [],
    ["--help"],
    ["solve", "--help"],
    ["games"],
    ["games", "--json"],
    ["games", "unanimity", "--json"],
    ["games", "climbing", "--out", "climbing.json"],
    ["games", "nosde", "--param", "discount=1/2", "--out", "half.npz"],
    ["games", "nosde", "--param", "discount=2", "--out", "two.json"],
    ["games", "no-such-game"],
    ["solve", "nosde", "--k", "0", "--out", "nosde-k0.json"],
    ["check", "nosde", "nosde-k0.json", "--k", "0"],
    ["check", "nosde", "nosde-k0.json", "--k", "1"],
    ["check", "climbing.json", "nosde-k0.json"],
    ["check", "nosde", "nosde-k0.json", "--arithmetic", "float", "--json"],
    ["solve", "climbing.json", "--k", "1", "--exact"],
    ["solve", "climbing", "--k", "1", "--exact", "--json"],
    ["solve", "static-chain", "--k", "1", "--horizon", "3", "--states", "1"],
    ["solve", "nosde", "--k", "0", "--start", "nosde-k0.json"],
    ["solve", "nosde", "--method", "procedure"],
    ["solve", "nosde", "--method", "none"],
    ["solve", "nosde", "--k", "-1"],
    ["solve", "nosde", "--tol", "0"],
    ["solve", "nosde", "--probability", "1/3"],
    ["solve", "missing.json"],
    ["solve", "games/team.json", "--threat", "threats/masks-informed.json"],
    ["solve", "games/team.json", "--threat", "threats/static.json"],
    ["solve", "games/steps.npz", "--k", "0"],
    ["gap", "games/team.json", "policies/team.mixed.json", "--k", "1", "--out", "gap.json"],
    ["gap", "games/named.npz", "policies/named.steps.json", "--k", "1", "--probability", "1/3", "--json"],
    ["gap", "games/team.json", "policies/named.mixed.json"],
    ["check", "games/team.json", "gap.json"],
    ["check", "games/team.json", "policies/team.mixed.json"],
    ["audit", "games/team.json", "policies/team.mixed.json", "--k", "1"],
    ["audit", "games/named.json", "policies/named.mixed.json", "--k", "1", "--json"],
    ["theory"],
    ["theory", "--json"],
    ["theory", "run", "T4.nash", "T5.equilibria", "--games", "3"],
    ["theory", "run", "T4", "--games", "2", "--json"],
    ["theory", "search", "T4.nash", "--drop", "nothing"],
    ["theory", "repeat", "counterexamples/T4.decoupling-without-no-masks.json"],
    ["theory", "repeat", "climbing.json"],
    ["experiment", "tiny.toml", "--out", "results", "--figures", "none"],
    ["experiment", "missing.toml", "--out", "none", "--figures", "none"],
    ["nonsense"],
)


def commands(folder: Path) -> Cases:
    """Exit codes and texts of commands, each in a process of its own, one after the other in one place."""
    with tempfile.TemporaryDirectory() as place:
        copytree(folder, place, dirs_exist_ok=True)
        (Path(place) / "tiny.toml").write_text(TINY, encoding="utf-8")
        for command in COMMANDS:
            yield " ".join(["arneq", *command]), partial(commanded, command, place)


def commanded(command: list[str], place: str) -> dict[str, Any]:
    """Run one command."""
    done = subprocess.run(
        [sys.executable, "-m", "arneq_exact.cli", *command],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    data = {
        "code": done.returncode,
        "stdout": masked(done.stdout, place),
        "stderr": masked(done.stderr, place),
    }
    if command[:1] == ["experiment"] and not done.returncode:
        data["tables"] = {
            name: csv_data(Path(place) / "results" / f"{name}.csv") for name in ("curves", "final")
        }
    return data


def csv_data(path: Path) -> list[list[Any]]:
    """Return the cells of a table, numbers as numbers."""

    def cell(text: str) -> Any:
        try:
            return float(text)
        except ValueError:
            return text

    with path.open(encoding="utf-8", newline="") as file:
        return [[cell(text) for text in row] for row in csv.reader(file)]


def environment() -> dict[str, str]:
    """Return the environment of processes: the same package as here, plain output, one thread."""
    here = str(Path(arneq_exact.__file__).parents[1])
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": here, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "1"}


def masked(text: str, place: str) -> str:
    """Return a text without what differs from run to run: seconds, the folder, news of compilation."""
    text = re.sub(r"arneq: compiling kernels.*\n", "", text.replace(place, "PLACE"))
    text = re.sub(r'("seconds": )[\d.e+-]+', r"\1#", text)
    # Seconds in a table decide how wide its columns are.
    text = re.sub(r"┏[^└]*(?:seconds|time \(s\))[^└]*└.*\n", "a table with seconds\n", text)
    return re.sub(r"\b\d+(\.\d+)?(e-?\d+)? s\b", "# s", text)
