"""A directive that draws the house: its rooms in order, and which room uses which, read from the source.

A dot in the row of a room and the column of another says that the first imports from the second. Rooms stand
in one order in rows and columns, so that imports run downward if and only if all dots lie below the diagonal.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import house  # noqa: E402

STEP = 19
"""Height of a row and width of a column, in pixels: names at 13 pixels stay apart."""

NAMES = 96
"""Room for the names at the left and above, in pixels: the longest has ten letters."""

STYLE = """
.house-picture text { fill: currentColor; font: 13px var(--font-stack--monospace, monospace); }
.house-picture .own { fill: currentColor; opacity: .18; }
.house-picture .use { fill: var(--color-brand-primary, #2757dd); }
.house-picture .line { stroke: currentColor; opacity: .12; }
.house-scroll { overflow-x: auto; }
"""


class Rooms:
    """The rooms that exist, each with its files, its lines, its text and the rooms that it uses."""

    def __init__(self) -> None:
        files = house.modules(ROOT / "arneq_exact")
        self.files: dict[str, list[Path]] = {}
        self.uses: dict[str, set[str]] = {}
        for module, path in files.items():
            room = house.room_of(module)
            if not room:
                continue
            self.files.setdefault(room, []).append(path)
            others = {house.room_of(other) for other in house.own(path, set(files))}
            self.uses.setdefault(room, set()).update(others - {room, ""})
        self.names = [room for room in house.HOUSE if room in self.files]

    def text(self, room: str) -> str:
        """What the room says of itself in its first sentence."""
        top = min(self.files[room], key=lambda path: (len(path.parts), path.name != "__init__.py"))
        told = ast.get_docstring(ast.parse(top.read_text(encoding="utf-8"))) or ""
        return " ".join(told.split("\n\n")[0].split())

    def lines(self, room: str) -> int:
        """Lines of source."""
        return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in self.files[room])


def picture(rooms: Rooms) -> str:
    """The table of dots as SVG."""
    names = rooms.names
    size = NAMES + STEP * len(names)
    parts = []
    for number, room in enumerate(names):
        y = NAMES + STEP * number
        middle = y + STEP / 2
        turned = f'transform="translate({middle + 4} {NAMES - 8}) rotate(-90)"'
        parts.append(f"<text {turned}>{escape(room)}</text>")
        parts.append(f'<line class="line" x1="0" x2="{size}" y1="{y + STEP}" y2="{y + STEP}"/>')
        parts.append(f'<text x="{NAMES - 8}" y="{middle + 4}" text-anchor="end">{escape(room)}</text>')
        parts.append(f'<rect class="own" x="{y}" y="{y}" width="{STEP}" height="{STEP}"/>')
        for used in sorted(rooms.uses[room], key=names.index):
            x = NAMES + STEP * names.index(used) + STEP / 2
            told = f"<title>{escape(room)} uses {escape(used)}</title>"
            parts.append(f'<circle class="use" cx="{x}" cy="{middle}" r="5">{told}</circle>')
    label = "Rooms of the package and which room uses which: all dots lie below the diagonal."
    return (
        f'<style>{STYLE}</style><div class="house-scroll"><svg class="house-picture" role="img" '
        f'aria-label="{label}" width="{size}" height="{size}" '
        f'viewBox="0 0 {size} {size}">{"".join(parts)}</svg></div>'
    )


class House(Directive):
    """The picture, and a list of the rooms."""

    def run(self) -> list[nodes.Node]:
        """Read the source as it is now."""
        rooms = Rooms()
        # The page is built again when a file of the package has changed.
        for path in (Path(__file__), *(path for files in rooms.files.values() for path in files)):
            self.state.document.settings.record_dependencies.add(str(path))
        listed = nodes.definition_list()
        for room in rooms.names:
            count = len(rooms.files[room])
            size = f"{count} file{'s' * (count > 1)}, {rooms.lines(room):,} lines"
            term = nodes.term("", "", nodes.literal("", room), nodes.Text(f"  {size}"))
            text = nodes.definition("", nodes.paragraph("", rooms.text(room)))
            listed += nodes.definition_list_item("", term, text)
        return [nodes.raw("", picture(rooms), format="html"), listed]


def setup(app: Any) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("house", House)
    return {"parallel_read_safe": True}
