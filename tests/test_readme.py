"""The README's example runs and prints what its comments say."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_example(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(code.strip().splitlines()) <= 11
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    said = re.findall(r"^print\(.*?\)\s+# (.*)$", code, re.MULTILINE)
    assert len(printed) == len(said) == 5
    for line, comment in zip(printed, said, strict=True):
        # A comment may end in an explanation or an ellipsis after what is printed.
        assert comment.startswith(line) or line.startswith(comment.partition("...")[0])


def test_the_two_commands_stand_first():
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:6]
    assert any("make demo" in line for line in head)
    assert any("make test" in line for line in head)
