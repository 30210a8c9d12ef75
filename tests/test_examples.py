"""Every example runs, holds what it asserts, and stays short enough to be read at once."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples"
# `make demo` runs the demo, which writes files and takes its time.
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.name != "demo.py")


def test_the_promised_examples_are_there() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        "quickstart",
        "nash_to_maximin",
        "nosde_cycle",
        "step_function",
        "judging_a_policy",
        "finite_horizon",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_short_and_asserts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert text.count("assert ") >= 3
