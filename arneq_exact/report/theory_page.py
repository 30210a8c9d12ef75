"""The ledger as a table and as a page: takes data, knows no statement.

The page is one HTML file that needs nothing else: style and plots are inside.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from arneq_exact.report.ledger_plots import cycle_plot, margin_plot, ratio_plot

COLUMNS = {
    "statement": "statement",
    "class": "class of game",
    "games": "games",
    "met": "hypotheses met",
    "only_a": "only A",
    "undecided": "undecided",
    "violations": "violations",
    "worst_margin": "worst margin",
    "tolerance": "tolerance",
    "seconds": "time (s)",
}
"""Columns of the table: names in the rows, and their heads."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; padding: 0.15rem 0.7rem 0.15rem 0; }
th { border-bottom: 2px solid #888; vertical-align: bottom; }
td { border-bottom: 1px solid #ddd; vertical-align: top; }
th.n, td.n { text-align: right; }
td.n { white-space: nowrap; }
td.title { min-width: 17rem; }
td.status { min-width: 8rem; }
tr.violated td { background: #fbe3e4; }
tr.open td { background: #fff6dd; }
details { margin: 0.4rem 0; }
summary { cursor: pointer; }
.wide { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
p.note { color: #555; font-size: 13px; }
"""


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as CSV text, one for each statement and class of games."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS.values())
    for row in rows:
        writer.writerow(["" if row[name] is None else row[name] for name in COLUMNS])
    return stream.getvalue()


def page(
    *,
    statements: Sequence[Mapping[str, Any]],
    classes: Sequence[Mapping[str, Any]],
    margins: Mapping[str, Sequence[tuple[float, float, bool]]],
    traces: Sequence[Mapping[str, Any]],
    cycle: Sequence[Mapping[str, Any]],
    command: str,
) -> str:
    """Return the page as HTML text.

    Parameters
    ----------
    statements : rows per statement
        With the names in `COLUMNS`, and "title", "claim", "status", "hypotheses" (pairs of name and text) and
        "counterexamples" (pairs of a line about one and the command that finds it).
    classes : rows per statement and class of games
    margins, traces, cycle
        Data of `margin_plot`, `ratio_plot` and `cycle_plot`.
    command : str
        What was run, shown for whoever wants to run it again.
    """
    games = sum(row["games"] for row in statements)
    violations = sum(row["violations"] for row in statements)
    verdict = "none violated" if violations == 0 else f"{violations} violations"
    parts = [
        "<h1>The theory, statement by statement</h1>",
        f"<p>{len(statements)} statements were checked on {games} games: <b>{verdict}</b>.</p>",
        f"<p class=note>Command: <code>{escape(command)}</code></p>",
        "<h2>Statements</h2>",
        _table(statements, ("statement", "title", "status", *list(COLUMNS)[2:])),
        "<p class=note>A margin is the right side of a claim minus its left side, or minus the difference of "
        "both sides of an equation, in units of the statement; below minus the tolerance it counts as a "
        "violation. Time is processor time.</p>",
        "<h2>Margins</h2>",
        f"<div class=wide>{margin_plot(margins)}</div>",
        "<h2>Contraction of the procedure</h2>",
        "<p>The residual of each iteration over γ times the one before: on the line or below, the procedure "
        "contracts. With a fixed type for every agent and state it must [T7].</p>",
        f"<div class=wide>{ratio_plot(traces)}</div>",
        "<h2>The NoSDE game in the value plane</h2>",
        "<p>Without corruption the procedure runs into a cycle and does not come to the only stationary "
        "equilibrium; with k = 1 it converges to it [T8].</p>",
        f"<div class=wide>{cycle_plot(cycle)}</div>",
        "<h2>By class of games</h2>",
    ]
    for row in statements:
        own = [one for one in classes if one["statement"] == row["statement"]]
        assumed = "".join(
            f"<li><b>{escape(name)}</b>: {escape(text)}</li>" for name, text in row["hypotheses"]
        )
        parts.append(
            f"<details{' open' if row['violations'] else ''}><summary><b>{escape(row['statement'])}</b> "
            f"{escape(row['title'])}</summary><p>{escape(row['claim'])}</p>"
            + (f"<ul>{assumed}</ul>" if assumed else "")
            + "".join(
                f"<p>Counterexample: {escape(text)}<br><code>{escape(finds)}</code></p>"
                for text, finds in row["counterexamples"]
            )
            + _table(own, tuple(COLUMNS)[1:])
            + "</details>"
        )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>arneq theory</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    texts = ("statement", "class", "title", "status")
    heads = "".join(
        f"<th{'' if name in texts else ' class=n'}>{escape(COLUMNS.get(name, name))}</th>" for name in names
    )
    lines = []
    for row in rows:
        mark = " class=violated" if row["violations"] else " class=open" if row["undecided"] else ""
        cells = "".join(
            f"<td class={name}>{escape(row[name])}</td>"
            if name in texts
            else f"<td class=n>{_number(row[name])}</td>"
            for name in names
        )
        lines.append(f"<tr{mark}>{cells}</tr>")
    return (
        f"<div class=wide><table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return "0" if value == 0 else f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.1e}"
