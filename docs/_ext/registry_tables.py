"""Directives that read the package when the site is built, so that tables cannot drift from the code.

``solver-table`` and ``solver-facts NAME`` read the registry of solvers, ``learner-table`` that of learners,
``catalog-table`` and ``catalog-entries`` the catalog, ``command-help COMMAND`` the command line's own help.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from arneq_exact import catalog, cli
from arneq_exact.learning.learners import LEARNERS
from arneq_exact.solver.registry import SOLVERS

STATEMENT = re.compile(r"(\[(?:T|F)\d+[a-z]?\])")
FACTS = (
    ("games", "Which games"),
    ("guarantee", "One equilibrium or all, and what is guaranteed"),
    ("precision", "Precision"),
    ("cost", "Cost"),
    ("failure", "When it fails"),
    ("reference", "Reference"),
)


class Table(SphinxDirective):
    """Helpers of the directives below."""

    def text(self, text: str) -> list[nodes.Node]:
        """Return inline nodes: plain text with links to statements."""
        parts: list[nodes.Node] = []
        for part in STATEMENT.split(text):
            if STATEMENT.fullmatch(part):
                parts.append(self.link(part, part[1:-1].lower()))
            elif part:
                parts.append(nodes.Text(part))
        return parts

    def link(self, text: str, target: str) -> nodes.Node:
        """Return a reference to a label."""
        reference = addnodes.pending_xref(
            "", refdomain="std", reftype="ref", reftarget=target, refexplicit=True, refwarn=True
        )
        reference += nodes.inline("", text, classes=["std", "std-ref"])
        reference["refdoc"] = self.env.docname
        return reference

    def cell(self, content: str | Sequence[nodes.Node]) -> nodes.entry:
        """Return a table cell."""
        inline = self.text(content) if isinstance(content, str) else list(content)
        return nodes.entry("", nodes.paragraph("", "", *inline))

    def table(
        self, header: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]
    ) -> nodes.Node:
        """Return a table."""
        group = nodes.tgroup(cols=len(widths))
        group += [nodes.colspec(colwidth=width) for width in widths]
        if header:
            group += nodes.thead("", nodes.row("", *(self.cell(name) for name in header)))
        group += nodes.tbody("", *(nodes.row("", *(self.cell(value) for value in row)) for row in rows))
        return nodes.table("", group, classes=["colwidths-given"])


class SolverTable(Table):
    """All rows of the registry of solvers."""

    def run(self) -> list[nodes.Node]:
        rows = [
            (
                [self.link(entry.name, f"solver-{entry.name}")],
                entry.games,
                entry.guarantee,
                "yes" if entry.automatic else "no",
            )
            for entry in SOLVERS
        ]
        header = ("method", "which games", "what is guaranteed", "asked by auto")
        return [self.table(header, rows, (18, 32, 38, 12))]


class SolverFacts(Table):
    """What the registry says of one solver."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        found = [entry for entry in SOLVERS if entry.name == self.arguments[0]]
        if not found:
            raise self.error(f"no solver is called {self.arguments[0]!r}")
        (entry,) = found
        rows: list[Sequence[Any]] = [(label, getattr(entry, field)) for field, label in FACTS]
        rows.append(('Asked by method="auto"', "yes" if entry.automatic else "no, by name only"))
        covers = "yes" if entry.complete else "no, candidates are certified one by one"
        rows.append(("Counts its class as covered", covers))
        return [self.table((), rows, (28, 72))]


class LearnerTable(Table):
    """All rows of the registry of learners."""

    def run(self) -> list[nodes.Node]:
        rows = [([nodes.literal("", entry.name)], entry.aims_at, entry.trains_against) for entry in LEARNERS]
        return [self.table(("name", "aims at", "trains against"), rows, (25, 30, 45))]


class CatalogTable(Table):
    """The list of catalog games."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for name in catalog.names():
            entry = catalog.entry(name)
            labels = ", ".join(dict.fromkeys(answer.label for answer in entry.answers))
            rows.append(([self.link(name, f"game-{name}")], *map(str, entry.sizes), labels))
        return [self.table(("game", "agents", "states", "rows", "known answers"), rows, (32, 10, 10, 10, 38))]


class CatalogEntries(Table):
    """A section for every catalog game."""

    def run(self) -> list[nodes.Node]:
        return [self.section(catalog.entry(name)) for name in catalog.names()]

    def section(self, entry: catalog.CatalogEntry) -> nodes.Node:
        label = f"game-{entry.name}"
        section = nodes.section("", nodes.title("", entry.title), ids=[label], names=[label])
        self.env.get_domain("std").note_hyperlink_target(label, self.env.docname, label, entry.title)
        name = nodes.literal("", entry.name)
        section += nodes.paragraph("", "", name, nodes.Text(": "), *self.text(entry.summary))
        section += nodes.paragraph("", "", nodes.emphasis("", "Origin: "), *self.text(entry.origin))
        if entry.parameters:
            rows = [
                ([nodes.literal("", key)], [nodes.literal("", repr(default))], meaning)
                for key, (default, meaning) in entry.parameters.items()
            ]
            section += self.table(("parameter", "default", "meaning"), rows, (20, 20, 60))
        rows = []
        for answer in entry.answers:
            instance = ", ".join(f"{key} = {value}" for key, value in answer.parameters.items()) or "default"
            horizon = "" if answer.horizon is None else f", horizon {answer.horizon}"
            rows.append((f"{answer.threat.describe()}{horizon}", instance, answer.label, answer.source))
        if rows:
            section += self.table(("threat", "instance", "label", "source"), rows, (18, 18, 16, 48))
        return section


class CommandHelp(SphinxDirective):
    """The help text of the command, or of one of its commands."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        text = io.StringIO()
        width = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "86"
        try:
            with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
                cli.main([*" ".join(self.arguments).split(), "--help"])
        finally:
            del os.environ["COLUMNS"]
            if width is not None:
                os.environ["COLUMNS"] = width
        return [nodes.literal_block("", text.getvalue().rstrip(), language="none")]


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("solver-table", SolverTable)
    app.add_directive("solver-facts", SolverFacts)
    app.add_directive("learner-table", LearnerTable)
    app.add_directive("catalog-table", CatalogTable)
    app.add_directive("catalog-entries", CatalogEntries)
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
