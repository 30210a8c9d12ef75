"""Drawings of an experiment: learning curves against the exact answer, and final values by budget.

Figures are the same bytes for the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from arneq_exact.report.bands import Band
from arneq_exact.report.drawing import FAINT, INK, legend, new_figure, quiet, title, write

Row = Mapping[str, Any]

# Okabe & Ito, distinct for colour-blind readers too; learners in the order of the configuration.
COLOURS = ("#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#CC79A7", "#009E73", "#999999", "#8C564B")
LINES = ("-", "--", "-", "--", "-.", "-.", "-.", ":")
"""Dashes beside the colours: pairs of learners that share an idea share a line where colours are near."""

WHERE = "experiment"
"""What a missing matplotlib is reported for."""

EXACT = "#000000"
EXACT_LINES = {"solve": "-", "catalog": (0, (1, 1.5))}

LEAST_SHARE = 1e-5
"""Gaps below this share of the largest one are drawn at it: the scale is logarithmic."""

SHADES = ("#c6dbef", "#6baed6", "#2171b5", "#08306b", "#000000")
"""Budgets 0, 1, …, from pale to dark."""


def draw_curves(
    path: str | Path, curves: Sequence[Row], references: Sequence[Row], kinds: Mapping[str, str]
) -> None:
    """Draw gap and worst-case value of every learner while it learns, a row of panels per game and budget.

    Parameters
    ----------
    path : str or Path
    curves, references : rows as `arneq_exact.learning.experiment.summary` makes them
    kinds : {game: a word on it}

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    places = list(dict.fromkeys((row["game"], row["k"]) for row in curves))
    learners = list(dict.fromkeys(row["learner"] for row in curves))
    figure = new_figure(8.2, 2.35 * len(places) + 0.9, WHERE)
    grid = figure.subplots(len(places), 2, squeeze=False)
    exact_labels: dict[str, Any] = {}
    for (game, k), (left, right) in zip(places, grid, strict=True):
        rows = [row for row in curves if (row["game"], row["k"]) == (game, k)]
        floor = LEAST_SHARE * max(row["gap"].mean for row in rows)
        for number, learner in enumerate(learners):
            mine = [row for row in rows if row["learner"] == learner]
            _curve(left, mine, "gap", number, floor)
            _curve(right, mine, "robust", number, None)
        exact = [row for row in references if (row["game"], row["k"]) == (game, k)]
        exact_labels |= {label: handle for row in exact for label, handle in _exact(right, row)}
        kind = f" ({kinds[game]})" if kinds.get(game) else ""
        if floor > 0:
            left.set_yscale("log")
        left.set_ylabel("gap")
        right.set_ylabel(f"worst-case value, k = {k}")
        title(left, f"{game}{kind}, k = {k}")
        for axis in (left, right):
            quiet(axis)
    for axis in grid[-1]:
        axis.set_xlabel("share of the iterations, %")
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], linestyle=LINES[i % len(LINES)], label=learner)
        for i, learner in enumerate(learners)
    ]
    legend(figure, [*handles, *exact_labels.values()])
    write(figure, path)


def draw_finals(path: str | Path, finals: Sequence[Row], references: Sequence[Row]) -> None:
    """Draw what every learner's last policy is worth for every budget, a panel per game and budget.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    places = list(dict.fromkeys((row["game"], row["k"]) for row in finals))
    learners = list(dict.fromkeys(row["learner"] for row in finals))
    across, down = min(2, len(places)), -(-len(places) // 2)
    figure = new_figure(4.1 * across + 1.6, (0.24 * len(learners) + 1.2) * down + 0.6, WHERE)
    grid = figure.subplots(down, across, squeeze=False)
    axes = list(grid.flat)
    for axis in axes[len(places) :]:
        axis.set_visible(False)
    shown: dict[int, Any] = {}
    for axis, (game, k) in zip(axes, places, strict=False):
        exact = [row for row in references if (row["game"], row["k"]) == (game, k)]
        names = [f"ARNEQ ({row['source']})" if row["proved"] else "best of solve" for row in exact]
        rows = [row for row in finals if (row["game"], row["k"]) == (game, k)]
        budgets = ["nominal", *(name for name in rows[0] if name.startswith("robust_k"))]
        for height, row in enumerate([*exact, *rows]):
            for budget, name in enumerate(budgets):
                mean, half = _mean_and_half(row[name])
                shown[budget] = axis.errorbar(
                    mean,
                    -height,
                    xerr=half or None,
                    marker="D" if budget == k else "o",
                    markersize=6 if budget == k else 4.5,
                    color=SHADES[min(budget, len(SHADES) - 1)],
                    linewidth=1.2,
                    zorder=3 + budget,
                )
        axis.set_yticks([-height for height in range(len(exact) + len(rows))])
        axis.set_yticklabels([*names, *(row["learner"] for row in rows)], fontsize=8)
        axis.axhline(0.5 - len(exact), color=FAINT, linewidth=0.8)
        title(axis, f"{game}, k = {k}")
        axis.set_xlabel("value, mean over agents")
        quiet(axis, "x")
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="", marker="o", color=SHADES[min(budget, len(SHADES) - 1)],
            label="nobody corrupted" if budget == 0 else f"worst case, k = {budget}",
        )
        for budget in sorted(shown)
    ]  # fmt: skip
    handles.append(Line2D([], [], linestyle="", marker="D", color=INK, label="trained against"))
    legend(figure, handles)
    write(figure, path)


def require_plots() -> None:
    """Refuse figures where matplotlib is missing, before there is anything to draw.

    Raises
    ------
    InputError
        If it is not installed.
    """
    new_figure(1.0, 1.0, WHERE)


def _curve(axis: Any, rows: Sequence[Row], name: str, number: int, floor: float | None) -> None:
    """Draw the mean of one learner with its band."""
    last = max(row["iteration"] for row in rows)
    x = [100 * row["iteration"] / last for row in rows]
    colour, line = COLOURS[number % len(COLOURS)], LINES[number % len(LINES)]
    bands: list[Band] = [row[name] for row in rows]

    def lifted(values: Sequence[float]) -> list[float]:
        return list(values) if floor is None else [max(value, floor) for value in values]

    if not any(isnan(band.half_width) for band in bands):
        axis.fill_between(
            x,
            lifted([band.mean - band.half_width for band in bands]),
            lifted([band.mean + band.half_width for band in bands]),
            color=colour,
            alpha=0.12,
            linewidth=0,
        )
    axis.plot(x, lifted([band.mean for band in bands]), color=colour, linestyle=line, linewidth=1.5)


def _exact(axis: Any, row: Row) -> list[tuple[str, Any]]:
    """Draw an exact answer: a line if it is proved, else the interval of its proved bounds."""
    if row["proved"]:
        label = "proved ARNEQ" if row["source"] == "solve" else "proved ARNEQ of the catalog"
        line = axis.axhline(
            row["lower"],
            color=EXACT,
            linewidth=1.1,
            linestyle=EXACT_LINES[row["source"]],
            zorder=1.5,
            label=label,
        )
        return [(label, line)]
    label = "proved bounds (solve incomplete)"
    return [
        (label, axis.axhspan(row["lower"], row["upper"], color=FAINT, alpha=0.5, zorder=0.5, label=label))
    ]


def _mean_and_half(value: Any) -> tuple[float, float]:
    """Return a number to draw and half the length of its bar; an unknown band has none."""
    if isinstance(value, float):
        return value, 0.0
    return value.mean, 0.0 if isnan(value.half_width) else value.half_width
