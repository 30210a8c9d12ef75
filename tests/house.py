"""The rooms of the house, ground first: a room imports from itself and from rooms above it in this list.

The test of imports reads it, and so does the docs page that draws the house.
"""

from __future__ import annotations

import ast
from pathlib import Path

HOUSE = (
    "version",
    "errors",
    "referee",
    "require",
    "exact",
    "model",
    "proof",
    "attackers",
    "report",
    "catalog",
    "strategies",
    "oracle",
    "stage",
    "markov",
    "enclosure",
    "solver",
    "learning",
    "interop",
    "study",
    "theory",
    "commands",
    "cli",
    "__main__",
)
MODEL = {"errors", "require", "exact", "model"}
NARROW: dict[str, set[str]] = {
    "referee": set(),
    # A checker shares no routine with a solver, so that no fault is common to both.
    "proof": MODEL,
    # Reports take plain data, so that results below may offer plots and tables.
    "report": {*MODEL, "proof", "attackers"},
    # The definition once more: it is what solvers are held against.
    "oracle": MODEL,
    "catalog": MODEL,
    "strategies": MODEL,
}
"""What a room may import from, where that is less than everything above it."""

WITHIN = {
    "stage": (
        "normal_form",
        "polishing",
        "verification",
        "reference",
        "kernels",
        "robust",
        "profiles",
        "zero_sum",
        "two_agents",
        "many_agents",
        "types",
        "enumeration",
        "selection",
        "exact_stage",
        "solve",
    ),
}
"""The same order inside a room that has rooms of its own."""


def allowed(room: str) -> set[str]:
    """The rooms that a room may import from, itself among them."""
    return {room} | NARROW.get(room, set(HOUSE[: HOUSE.index(room)]))


def room_of(module: str) -> str:
    """The room that a module is in, by its dotted name below the package root."""
    return module.split(".")[0]


def modules(root: Path) -> dict[str, Path]:
    """Files of the package by dotted name below the root: "" for the root, "stage" for stage/__init__.py."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, names: set[str]) -> set[str]:
    """Every absolute module that a file imports, at any depth, also what only type checkers see."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = whole.removeprefix("arneq_exact").lstrip(".") in names
                found.add(whole if is_module else str(node.module))
    return found


def own(path: Path, names: set[str]) -> set[str]:
    """Modules of the package that a file imports, below the root."""
    return {
        name.removeprefix("arneq_exact").lstrip(".")
        for name in imported(path, names)
        if name == "arneq_exact" or name.startswith("arneq_exact.")
    }
