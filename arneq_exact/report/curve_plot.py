"""The robustness curve as a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arneq_exact.errors import InputError
from arneq_exact.report.drawing import INK, legend, new_figure, quiet, title, write

MOST_ROWS = 4
"""Rows of panels that are drawn by default: what fits on a page."""

MOST_COLUMNS = 4
"""Panels side by side where there is one state only: wider ones would not fit on a page."""

# Blue and vermilion of Okabe & Ito, distinct for colour-blind readers too, and paler tones behind.
EQUILIBRIUM, NASH, QUIET, OTHERS = "#0072B2", "#D55E00", "#9FCFF0", "#999999"

LEAST_SHARE = 0.1
"""Part of a common scale that every agent's values must fill: less cannot be read."""

LABELS = {"k": "corrupted agents, at most k", "probability": "probability of corruption, at most ρ"}


def draw_curve(
    path: str | Path,
    records: Sequence[Mapping[str, Any]],
    others: Sequence[tuple[float, str, str, float]],
    level: str,
    *,
    nash_proved: bool,
    hidden: int,
) -> None:
    """Draw one panel per state and agent and write the figure to `path`.

    Parameters
    ----------
    path : str or Path
    records : rows of a robustness curve
    others : (level, state, agent, value) of equilibria that the curve does not follow
    level : {"k", "probability"}
    nash_proved : bool
        Whether the Nash policy is proved; its marks are hollow if not.
    hidden : int
        Number of states that are not drawn.

    Raises
    ------
    InputError
        If matplotlib is not installed, or there is nothing to draw.
    """
    if not records:
        raise InputError("plot: the curve has no levels; must have at least one")
    states = list(dict.fromkeys(record["state"] for record in records))
    agents = list(dict.fromkeys(record["agent"] for record in records))
    panels = [(state, agent) for state in states for agent in agents]
    across = min(len(agents), MOST_COLUMNS) if len(states) == 1 else len(agents)
    down = -(-len(panels) // across)
    figure = new_figure(max(2.7 * across + 0.6, 6.2), 2.3 * down + 1.1, "plot")
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=_comparable(records, agents))
    axes = list(grid.flat)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for number, (axis, (state, agent)) in enumerate(zip(axes, panels, strict=False)):
        rows = [record for record in records if (record["state"], record["agent"]) == (state, agent)]
        points = [(x, value) for x, at, of, value in others if (at, of) == (state, agent)]
        _panel(axis, rows, points, level, nash_proved)
        name = f"agent {agent}" if agent.isdecimal() else agent
        place = "" if state == "initial" or len(states) == 1 else f", state {state}"
        title(axis, name + place)
        if number + across >= len(panels):
            axis.set_xlabel(LABELS[level])
            axis.tick_params(labelbottom=True)
        if number % across == 0:
            axis.set_ylabel("value")
    _legend(figure, records, bool(others), nash_proved, hidden)
    write(figure, path)


def _comparable(records: Sequence[Mapping[str, Any]], agents: Sequence[str]) -> bool:
    """Tell whether one scale of values serves all agents: none would be squeezed into a tenth of it."""

    def spread(chosen: Sequence[Mapping[str, Any]]) -> float:
        values = [record[name] for record in chosen for name in SERIES]
        return float(max(values) - min(values))

    return all(
        spread([record for record in records if record["agent"] == agent]) >= LEAST_SHARE * spread(records)
        for agent in agents
    )


def _panel(
    axis: Any,
    rows: Sequence[Mapping[str, Any]],
    others: Sequence[tuple[float, float]],
    level: str,
    nash_proved: bool,
) -> None:
    """Draw one agent in one state: the pair unattacked in pale tones behind, the pair attacked before it."""
    x = [record[level] for record in rows]
    proved = [record["status"] != "incomplete" for record in rows]
    value = {name: [record[name] for record in rows] for name in SERIES}
    axis.fill_between(
        x, value["unattacked"], value["nash_unattacked"], color=QUIET, alpha=0.25, linewidth=0, zorder=1
    )
    if others:
        axis.plot(*zip(*others, strict=True), **_style("others"), zorder=2)
    for order, name in enumerate(SERIES):
        whole = [nash_proved] * len(x) if name.startswith("nash") else proved
        style = _style(name)
        axis.plot(x, value[name], **{**style, "marker": ""}, zorder=3 + order)
        for filled in (True, False):
            chosen = [index for index, full in enumerate(whole) if full == filled]
            face = style["color"] if filled else "white"
            axis.plot(
                [x[index] for index in chosen],
                [value[name][index] for index in chosen],
                **{**style, "linestyle": "", "markerfacecolor": face},
                zorder=10 + order,
            )
    if level == "k":
        axis.set_xticks(x)
    axis.margins(x=0.08, y=0.12)
    quiet(axis)


SERIES = {
    "nash_unattacked": ("Nash policy, unattacked", NASH, 1.0, ":", "", 0.0),
    "unattacked": ("ARNEQ, unattacked", QUIET, 4.0, "-", "o", 8.5),
    "nash_attacked": ("Nash policy, attacked", NASH, 1.4, "--", "s", 7.0),
    "equilibrium": ("ARNEQ, attacked", EQUILIBRIUM, 1.8, "-", "o", 4.5),
}
"""Label, colour, line width, line style, mark and its size of every line, from back to front.

What lies behind is wider, so that it still shows where values are equal.
"""


def _style(name: str) -> dict[str, Any]:
    if name == "others":
        return {"color": OTHERS, "linestyle": "", "marker": "_", "markersize": 9, "markeredgewidth": 1.1}
    _, colour, width, line, mark, size = SERIES[name]
    return {
        "color": colour,
        "linewidth": width,
        "linestyle": line,
        "marker": mark,
        "markersize": size,
        "markeredgewidth": 1.3,
    }


def _legend(
    figure: Any, records: Sequence[Mapping[str, Any]], others: bool, nash_proved: bool, hidden: int
) -> None:
    """Put one legend above the panels, with a word on hollow marks where there are any."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], label=label, **_style(name)) for name, (label, *_) in reversed(SERIES.items())
    ]
    handles.append(Patch(facecolor=QUIET, alpha=0.35, label="price of robustness"))
    if others:
        handles.append(Line2D([], [], label="other equilibria found", **_style("others")))
    if not nash_proved or any(record["status"] == "incomplete" for record in records):
        hollow = {**_style("equilibrium"), "linestyle": "", "markerfacecolor": "white", "color": INK}
        handles.append(Line2D([], [], label="hollow: not proved", **hollow))
    legend(figure, handles)
    if hidden > 0:
        figure.supxlabel(f"{hidden} more states are not drawn", fontsize=8, color=INK)
