"""What all drawings share: the figure, quiet axes, one legend above, the same bytes for the same numbers.

matplotlib is imported when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arneq_exact import require

INK, FAINT = "#333333", "#cccccc"
"""Text, and what must not compete with the data: nearly black on white, and a grey that prints."""

DOTS = 160
"""Dots per inch of figures in pixels: sharp on a screen at the size of a page."""


def new_figure(width: float, height: float, where: str) -> Any:
    """Return an empty figure of a size in inches.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    module = require.installed("matplotlib.figure", where=where, extra="plot")
    return module.Figure(figsize=(width, height), layout="constrained")


def quiet(axis: Any, lines: str = "y") -> None:
    """Draw axes in grey, with faint lines across the axis named, or "both"."""
    axis.grid(axis=lines, color=FAINT, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(FAINT)
    axis.tick_params(colors=INK, labelsize=8, length=3, color=FAINT)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set(size=9, color=INK)


def title(axis: Any, text: str) -> None:
    """Write a title at the upper left of a panel."""
    axis.set_title(text, loc="left", fontsize=10, fontweight="bold", color=INK)


def legend(figure: Any, handles: Sequence[Any]) -> None:
    """Put one legend above the panels."""
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )


def write(figure: Any, path: str | Path) -> None:
    """Write a figure to a file, without what differs from one run to the next."""
    metadata = {"Date": None} if Path(path).suffix == ".svg" else None
    _save(figure, path, fonttype="none", metadata=metadata)


def svg_text(figure: Any) -> str:
    """Return a figure as SVG text for a page, its letters as paths."""
    stream = io.StringIO()
    _save(figure, stream, fonttype="path", format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _save(figure: Any, target: Any, *, fonttype: str, **options: Any) -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "arneq", "svg.fonttype": fonttype}):
        figure.savefig(target, dpi=DOTS, **options)
