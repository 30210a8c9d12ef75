"""The directive ``statement-evidence ID``: what the ledger holds of a statement and of all its parts.

It reads the ledger (claims, hypotheses, status, source, the module of the check), the table of a run
(`docs/theory/evidence.csv`, written by ``make evidence``), and the counterexamples that come with the
package, so that nothing of it is typed into a page.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from docutils import nodes
from registry_tables import Table

from arneq_exact.model.game_json import game_to_json
from arneq_exact.theory.engine.encoding import encode
from arneq_exact.theory.engine.statement import Statement
from arneq_exact.theory.ledger import STATEMENTS
from arneq_exact.theory.search import FOLDER, Counterexample, file_name, stored_counterexamples

TABLE = Path(__file__).parent.parent / "theory" / "evidence.csv"
LONGEST, WIDEST = 40, 100
"""Lines of a counterexample that are shown, and characters of a line."""

COLUMNS = (
    "class of game",
    "games",
    "hypotheses met",
    "only A",
    "undecided",
    "violations",
    "worst margin",
    "tolerance",
)


def parts(label: str) -> list[Statement]:
    """Return the statements of the ledger that belong to one id of the pages, such as T4 or T6a."""
    return [one for one in STATEMENTS if one.id.split(".")[0] == label]


def runs() -> list[dict[str, str]]:
    """Return the rows of the table of evidence."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def described(found: Counterexample) -> str:
    """Return a counterexample in words: its size, what fails in it, by how much, and how it was found."""
    worst = found.evidence.comparisons[0]
    sides = f"{worst.name}: {_short(worst.left)} {worst.relation} {_short(worst.right)}"
    instance = found.instance
    drawn = f"draw {found.draws} of seed {found.seed}"
    if found.found.family != "given":
        drawn += f", from the class “{found.found.family}” of the search's generators"
    return (
        f"{instance.game.describe_size()}, threat {instance.threat.describe()}; fails, exactly: {sides}; "
        f"{drawn}, then shrunk"
    )


def _short(number: Any) -> str:
    """An exact number, or its decimals where it is long."""
    text = str(Fraction(number))
    return text if len(text) <= 24 else f"{float(number):.10g}"


def written_out(found: Counterexample) -> str:
    """Return the numbers of a counterexample, one row of the game a line, with exact rationals."""
    instance = found.instance
    game = game_to_json(instance.game)
    discount = game["discount"]
    lines = [f"discount {', '.join(map(str, discount)) if isinstance(discount, list) else discount}"]
    for state in game["states"]:
        for row in state["rows"]:
            moves = [f"{name} ({chance})" for name, chance in row["next"].items()]
            moves += [f"end ({row['end']})"] if row.get("end") else []
            lines.append(
                f"state {state['name']}, actions {' '.join(row['actions'])}: "
                f"rewards {', '.join(map(str, row['rewards']))}; then {', '.join(moves) or 'end (1)'}"
            )
    lines += [f"{name} = {encode(value)}" for name, value in sorted(instance.extras.items())]
    if len(lines) > LONGEST:
        lines = [*lines[:LONGEST], f"… {len(lines) - LONGEST} lines more in the file"]
    return "\n".join(line if len(line) <= WIDEST else line[: WIDEST - 1] + "…" for line in lines)


class StatementEvidence(Table):
    """Every part of a statement: claim, hypotheses, check, evidence, counterexamples."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        label = self.arguments[0]
        chosen = parts(label)
        if not chosen:
            raise self.error(f"the ledger has no statement {label!r}")
        self.env.note_dependency(str(TABLE))
        rows = runs()
        stored = stored_counterexamples()
        result: list[nodes.Node] = [nodes.rubric("", "In the ledger")]
        for one in chosen:
            own = [row for row in rows if row["statement"] == one.id]
            found = [example for example in stored if example.statement == one.id]
            result += self.part(one, own, found)
        return result

    def part(
        self, one: Statement, rows: Sequence[dict[str, str]], found: Sequence[Counterexample]
    ) -> list[nodes.Node]:
        """Return the nodes of one statement."""
        target = f"statement-{one.id.lower()}"
        heading = nodes.paragraph("", "", nodes.strong("", f"{one.id}: {one.title}."), nodes.Text(" "))
        heading += self.text(one.claim)
        heading["ids"].append(nodes.make_id(target))
        facts = [("Status", one.status), ("Source", one.source)]
        facts += [(f"Assumes “{hypothesis.name}”", hypothesis.text) for hypothesis in one.hypotheses]
        table: list[Sequence[Any]] = list(facts)
        table.append(("Checked by", [nodes.literal("", one.examine.__module__)]))
        table.append(("Evidence", self.summary(rows)))
        for example in found:
            how = nodes.literal("", example.command)
            words = [*self.text(f"{described(example)}; found by "), how]
            table.append((f"Without “{example.dropped}”", words))
        result: list[nodes.Node] = [heading, self.table((), table, (24, 76))]
        for example in found:
            file = f"arneq_exact/theory/{FOLDER}/{file_name(example.statement, example.dropped)}"
            caption = nodes.Text(f"{one.id} without “{example.dropped}”, all of the game (")
            result.append(nodes.paragraph("", "", caption, nodes.literal("", file), nodes.Text("):")))
            result.append(nodes.literal_block("", written_out(example), language="none"))
        return result

    def summary(self, rows: Sequence[dict[str, str]]) -> str:
        """Return a line over all classes of games."""
        games, met, violations = (
            sum(int(row[name]) for row in rows) for name in ("games", "hypotheses met", "violations")
        )
        margins = [(float(row["worst margin"]), row) for row in rows if row["worst margin"]]
        if not margins:
            return f"{games} games, {met} meet the hypotheses, {violations} violations"
        worst, row = min(margins, key=lambda pair: pair[0])
        place = f"class {row['class of game']}, tolerance {float(row['tolerance']):.1g}"
        return (
            f"{games} games in {len(rows)} classes, {met} meet the hypotheses, {violations} violations; "
            f"worst margin {worst:.2g} ({place})"
        )


class EvidenceTable(Table):
    """The whole table of evidence, a row for each statement and class of games."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(TABLE))
        rows = [[row["statement"], *(_rounded(row[name], name) for name in COLUMNS)] for row in runs()]
        return [self.table(("statement", *COLUMNS), rows, (16, 22, 8, 10, 8, 10, 10, 12, 12))]


def _rounded(text: str, column: str) -> str:
    return f"{float(text):.2g}" if text and column in ("worst margin", "tolerance") else text


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("statement-evidence", StatementEvidence)
    app.add_directive("evidence-table", EvidenceTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
