"""The ledger on a terminal: what there is to be checked, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from arneq_exact.report.tables import titled_table


def statements_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each statement, with "statement", "title", "status" and "hypotheses" (names)."""
    table = titled_table(f"{len(rows)} statements")
    for name in ("id", "statement", "status", "hypotheses"):
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = (row["statement"], row["title"], row["status"], ", ".join(row["hypotheses"]))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def outcome_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each statement of a run; see `arneq_exact.report.theory_page` for their names."""
    violations = sum(row["violations"] for row in rows)
    title = f"{sum(row['games'] for row in rows)} games, {violations or 'no'} violations"
    table = titled_table(title)
    heads = ("statement", "games", "met", "undecided", "violations", "worst margin", "tolerance", "time (s)")
    for name in heads:
        table.add_column(name, justify="left" if name == "statement" else "right")
    for row in rows:
        margin = "" if row["worst_margin"] is None else f"{row['worst_margin']:.2g}"
        table.add_row(
            Text(row["statement"]),
            *(str(row[name]) for name in ("games", "met", "undecided", "violations")),
            margin,
            f"{row['tolerance']:.2g}",
            f"{row['seconds']:.1f}",
            style="bold red" if row["violations"] else "yellow" if row["undecided"] else "",
        )
    return table
