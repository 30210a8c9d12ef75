"""Tables of an experiment: one per game and budget, and who beats whom."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from arneq_exact.report.bands import Band, Margin
from arneq_exact.report.tables import DUST, short_number, titled_table

DIGITS = 4
"""Significant digits of means: bands over seeds are rarely narrower."""

VERDICT_STYLE = {"better": "green", "worse": "red", "within the bands": "yellow", "one seed": "yellow"}


def final_tables(
    finals: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]], confidence: float
) -> Iterator[Table]:
    """Yield a table per game and budget: values and gap of every learner, after those of the exact answers.

    Parameters
    ----------
    finals, references : rows as `arneq_exact.learning.experiment.summary` makes them
    confidence : float
        Of the bands.
    """
    for game, k in dict.fromkeys((row["game"], row["k"]) for row in finals):
        exact = [row for row in references if (row["game"], row["k"]) == (game, k)]
        rows = [row for row in finals if (row["game"], row["k"]) == (game, k)]
        budgets = [name for name in rows[0] if name.startswith("robust_k")]
        titles = {"nominal": "nominal", **{name: f"k = {name[8:]}" for name in budgets}}
        titles |= {"gap": "gap", "seconds": "seconds"}
        table = titled_table(f"{game}, k = {k}")
        table.add_column("policy", min_width=18, overflow="fold")
        for title in titles.values():
            table.add_column(title, justify="right")
        table.add_column("seeds", justify="right")
        for row in exact:
            cells = ["" if row[name] is None else short_number(row[name], DIGITS) for name in titles]
            table.add_row(Text(f"{row['source']} ({row['status']})", style="bold"), *map(Text, cells), "")
        table.add_section()
        for row in rows:
            cells = [band_text(row[name]) for name in titles]
            table.add_row(Text(row["learner"]), *map(Text, cells), str(row["seeds"]))
        table.caption = (
            "values: means over agents and first states; gap: largest over agents and states; "
            f"± {confidence:.0%} band over seeds (?: of one seed, unknown); "
            "seconds: of the processor, of solve by the clock"
        )
        yield table


def margin_table(margins: Sequence[Margin]) -> Table:
    """Return by how much worst-case values differ, and whether that is more than the bands."""
    table = titled_table("Worst-case value, learner minus rival")
    for name in ("game", "k", "learner", "rival", "margin", "bands", "verdict"):
        table.add_column(name, justify="right" if name in ("k", "margin", "bands") else "left")
    for one in margins:
        cells = (one.game, str(one.k), one.learner, one.rival)
        bands = "?" if math.isnan(one.band) else short_number(one.band, DIGITS)
        numbers = (short_number(one.margin, DIGITS), bands)
        table.add_row(*map(Text, (*cells, *numbers)), Text(one.verdict, style=VERDICT_STYLE[one.verdict]))
    table.caption = "bands: sum of both half widths; only a larger margin counts; ?: of one seed, unknown"
    return table


def band_text(band: Band) -> str:
    """Return mean ± half width, the latter to two digits; ± ? if it is unknown."""
    mean = short_number(band.mean, DIGITS)
    if math.isnan(band.half_width):
        return f"{mean} ± ?"
    return mean if band.half_width < DUST else f"{mean} ± {band.half_width:.2g}"
