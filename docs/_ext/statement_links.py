"""Links from ids of statements, in pages and in docstrings, to their place in the theory pages.

In docstrings, names in single backticks and the indented formulas of a module's text are set as code.
"""

from __future__ import annotations

import re
from typing import Any

GROUP = re.compile(r"(?<!\[)\[((?:T|F)\d+[a-z]?(?:, (?:T|F)\d+[a-z]?)*)\](?!\()")
NAME = re.compile(r"(?<![`:\w])`([^`]+)`(?![`_])(\w?)")
FENCE = re.compile(r"^\s*(```|~~~|:::)")


def with_links(text: str, link: str) -> str:
    """Return `text` with every id in a group such as [T6, T7] made into a link."""

    def replaced(match: re.Match[str]) -> str:
        return ", ".join(link.format(label=label) for label in match[1].split(", "))

    return GROUP.sub(replaced, text)


def in_page(app: Any, docname: str, source: list[str]) -> None:
    """Put links into a MyST page, outside of code."""
    lines, fenced = [], False
    for line in source[0].split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.startswith("#"):
            line = with_links(line, "{{ref}}`[{label}] <{label}>`")
        lines.append(line)
    source[0] = "\n".join(lines)


def in_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Put links and code into a docstring, outside of examples."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            line = NAME.sub(lambda match: f"``{match[1]}``" + (match[2] and "\\ " + match[2]), line)
            lines[number] = with_links(line, ":ref:`[{label}] <{label}>`")


def formulas_as_code(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the lines of an indented block in a module's text apart, as they are in the source."""
    if what != "module":
        return
    result: list[str] = []
    before = ""
    for line in lines:
        starts = line.startswith("    ") and before and not before.startswith(" ")
        if starts and not result[-1] and not before.endswith("::"):
            result += ["::", ""]
        result.append(line)
        before = line or before
    lines[:] = result


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", in_page)
    app.connect("autodoc-process-docstring", in_docstring)
    app.connect("autodoc-process-docstring", formulas_as_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
