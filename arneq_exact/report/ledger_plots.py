"""Plots of the ledger's page, each an SVG text: ratios per iteration, margins, the cycle of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arneq_exact.report.drawing import FAINT, INK, legend, new_figure, quiet, svg_text, title

HOLDS, VIOLATED, MARK = "#2166ac", "#b2182b", "#e08214"
"""Blue and red of ColorBrewer's RdBu, and its orange: distinct for colour-blind readers too."""

LINES = ("#2166ac", "#1b7837", "#762a83", "#e08214", "#b2182b", "#878787")
"""Colours of traces, in their order."""

WHERE = "theory"
"""What a missing matplotlib is reported for."""


def ratio_plot(traces: Sequence[Mapping[str, Any]]) -> str:
    """Draw the ratio of residuals over the discount, iteration by iteration.

    Parameters
    ----------
    traces : sequence of mappings
        With "label", "discount", "ratio" (one number per iteration) and "types".
    """
    figure = new_figure(8.2, 4.2, WHERE)
    axis = figure.subplots()
    for trace, colour in zip(traces, LINES * len(traces), strict=False):
        scaled = [ratio / trace["discount"] for ratio in trace["ratio"]]
        fixed = trace["types"] == "fixed"
        axis.plot(
            range(1, len(scaled) + 1),
            scaled,
            color=colour,
            linewidth=1.6,
            linestyle="-" if fixed else "--",
            marker="o" if fixed else "x",
            markersize=4,
            label=f"{trace['label']} (types {trace['types']})",
        )
    axis.axhline(1, color=INK, linewidth=1)
    axis.set_yscale("log")
    axis.set_yticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
    axis.minorticks_off()
    axis.set_xlabel("iteration")
    axis.set_ylabel("residual / (γ · last residual)")
    axis.annotate("γ", (1, 1), xycoords=("axes fraction", "data"), xytext=(4, -3), textcoords="offset points")
    quiet(axis, "both")
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    return svg_text(figure)


def margin_plot(margins: Mapping[str, Sequence[tuple[float, float, bool]]]) -> str:
    """Draw every margin of every statement on one symmetric logarithmic axis.

    Parameters
    ----------
    margins : mapping of statement id to triples (margin, tolerance, violated)
    """
    names = list(margins)
    figure = new_figure(8.2, 0.26 * len(names) + 1.3, WHERE)
    axis = figure.subplots()
    for row, name in enumerate(names):
        for violated, colour, mark in ((False, HOLDS, "|"), (True, VIOLATED, "x")):
            chosen = [margin for margin, _, failed in margins[name] if failed == violated]
            axis.plot(
                chosen,
                [row] * len(chosen),
                linestyle="",
                marker=mark,
                color=colour,
                alpha=0.45,
                rasterized=True,
            )
        slack = max((tolerance for _, tolerance, _ in margins[name]), default=0.0)
        axis.plot([-slack], [row], linestyle="", marker="D", markersize=4, color=MARK)
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.set_xscale("symlog", linthresh=1e-16, linscale=0.4)
    axis.set_xticks([-1, -1e-4, -1e-8, -1e-12, 0, 1e-12, 1e-8, 1e-4, 1])
    axis.minorticks_off()
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlabel("margin: right side minus left side, in units of the statement")
    quiet(axis, "both")
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker="|", color=HOLDS, label="holds"),
        Line2D([], [], linestyle="", marker="x", color=VIOLATED, label="violated"),
        Line2D([], [], linestyle="", marker="D", markersize=4, color=MARK, label="minus the tolerance"),
    ]
    legend(figure, handles)
    return svg_text(figure)


def cycle_plot(panels: Sequence[Mapping[str, Any]]) -> str:
    """Draw the procedure's values in the plane of two agents' values, one panel for each k and state.

    Parameters
    ----------
    panels : sequence of mappings
        With "k", "state", "path" (pairs), "cycle" (pairs, may be empty) and "equilibrium" (a pair).
    """
    across = len({panel["state"] for panel in panels})
    figure = new_figure(4.1 * across, 3.3 * (len(panels) // across) + 0.5, WHERE)
    axes = figure.subplots(len(panels) // across, across, squeeze=False)
    for axis, panel in zip(axes.flat, panels, strict=True):
        axis.plot(
            *zip(*panel["path"], strict=True), color=FAINT, marker=".", linewidth=0.8, label="procedure"
        )
        if panel["cycle"]:
            closed = [*panel["cycle"], panel["cycle"][0]]
            axis.plot(*zip(*closed, strict=True), color=VIOLATED, marker="o", linewidth=1.6, label="cycle")
        axis.plot(
            *panel["equilibrium"], linestyle="", marker="*", markersize=12, color=HOLDS, label="equilibrium"
        )
        title(axis, f"k = {panel['k']}, state {panel['state']}")
        axis.set_xlabel("value of agent 1")
        axis.set_ylabel("value of agent 2")
        quiet(axis, "both")
    legend(figure, axes.flat[0].get_legend_handles_labels()[0])
    return svg_text(figure)
