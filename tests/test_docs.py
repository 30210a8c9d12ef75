"""The pages hold what they show: code and commands run, ids match, what they name exists."""

from __future__ import annotations

import contextlib
import csv
import doctest
import importlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from arneq_exact import cli, referee
from arneq_exact.proof import rounding
from arneq_exact.solver.registry import SOLVERS
from arneq_exact.stage import verification
from arneq_exact.stage.two_agents import polymatrix
from arneq_exact.theory import ledger
from arneq_exact.theory.engine.statement import FALSE_WITHOUT
from arneq_exact.theory.ledger import STATEMENTS as LEDGER
from arneq_exact.theory.search import stored_counterexamples

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)
THEORY = "\n".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "theory").glob("*.md")))
FEWEST = 500
"""Games of every statement in the table of evidence that meet its hypotheses, at least."""

FEWEST_OF_A_TYPE = 100
"""For the statements about types: games at 0 < k < n−1 of type A and not B′, and games at k = 0, at least."""

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATEMENTS = [*(f"T{number}" for number in range(1, 15)), "T6a", *(f"F{number}" for number in range(1, 7))]


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS))


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, language, text) of the page's fenced code that can be run."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        if match[1] in ("python", "console"):
            yield text.count("\n", 0, match.start(2)), match[1], match[2]


RUNNABLE = [page for page in PAGES if any(blocks(page))]


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_code_of_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a page share their names and one empty folder."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    ran = 0
    for line, language, text in blocks(page):
        if language == "console":
            ran += run_commands(text, f"{name_of(page)}, line {line}")
        else:
            ran += run_python(text, names, page, line)
    assert ran > 0


def run_python(text: str, names: dict[str, object], page: Path, line: int) -> int:
    """Run a block with prompts as a doctest, one without as it stands; return how much was run."""
    if ">>>" not in text:
        exec(compile("\n" * line + text, str(page), "exec"), names)
        return 1
    test = doctest.DocTestParser().get_doctest(text, names, name_of(page), str(page), line)
    report = io.StringIO()
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.write, clear_globs=False)
    names.update(test.globs)
    assert not result.failed, report.getvalue()
    return result.attempted


def run_commands(text: str, where: str) -> int:
    """Run the commands after each `$` and compare what they print."""
    count = 0
    for session in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = session.partition("\n")
        arguments = shlex.split(command)
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            if arguments[0] == "arneq":
                code = cli.main(arguments[1:])
            else:
                assert arguments[:3] == ["python", "-m", "arneq_exact.referee"], where
                code = referee.main(arguments[3:])
        got = shown.getvalue()
        assert code in (0, 1, 3), f"{where}: {command}\n{got}"
        assert doctest.OutputChecker().check_output(expected, got, FLAGS), f"{where}: {command}\n{got}"
        count += 1
    return count


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_has_its_place(statement: str) -> None:
    """Each id is a target exactly once in the theory pages, above a heading that starts with it."""
    assert len(re.findall(rf"^\({statement}\)=\n+#+ {statement}\b", THEORY, re.MULTILINE)) == 1


def sections() -> dict[str, str]:
    """The text of each statement in the theory pages, by id."""
    parts = re.split(r"^\(([TF]\d+a?)\)=\n", THEORY, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_ledger_and_pages_hold_the_same_statements() -> None:
    """Both ways: every part in the ledger belongs to a section, every section has its part shown there."""
    in_ledger = {one.id.split(".")[0] for one in LEDGER}
    in_pages = {label for label in sections() if label.startswith("T")}
    assert in_ledger == in_pages == {name for name in STATEMENTS if name.startswith("T")}
    for label, text in sections().items():
        shown = re.findall(r"^```\{statement-evidence\} (\w+)$", text, re.MULTILINE)
        assert shown == ([label] if label in in_ledger else []), label
    assert len({one.id for one in LEDGER}) == len(LEDGER)


def test_every_statement_is_proved_in_its_section() -> None:
    """T8 consists of examples, which the page runs."""
    for label, text in sections().items():
        if label.startswith("T"):
            assert ("**Proof.**" in text and "∎" in text) != (label == "T8"), label


def test_every_statement_is_tested() -> None:
    """Tests name the statement that they are about, apart from the ledger's own run of it."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    text = text.replace(Path(__file__).read_text(encoding="utf-8"), "")
    missing = [name for name in STATEMENTS if not re.search(rf"[\[ \"]{name}[\],. \"]", text)]
    assert missing == []


def test_table_of_evidence_is_that_of_the_ledger() -> None:
    """Every statement and class of games is in the table that the pages show, met, and not violated."""
    with (DOCS / "theory" / "evidence.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [(one.id, family) for one in LEDGER for family in one.families]
    assert sorted((row["statement"], row["class of game"]) for row in rows) == sorted(expected)
    for row in rows:
        assert int(row["violations"]) == 0, row
        assert float(row["worst margin"] or 0) >= -float(row["tolerance"]), row
    for one in LEDGER:
        own = [row for row in rows if row["statement"] == one.id]
        assert sum(int(row["hypotheses met"]) for row in own) >= FEWEST, one.id


@pytest.mark.parametrize("name", ["T6", "T7"])
def test_evidence_of_types_is_not_of_minimax_alone(name: str) -> None:
    """Between the ends of the scale the convergence theorem rests on type A where B′ fails; so at k = 0."""
    with (DOCS / "theory" / "evidence.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["statement"] == name]
    between = [row for row in rows if row["class of game"].endswith(", 0 < k < n-1")]
    at_zero = [row for row in rows if row["class of game"].endswith(", k = 0")]
    assert sum(int(row["only A"]) for row in between) >= FEWEST_OF_A_TYPE
    assert sum(int(row["hypotheses met"]) for row in at_zero) >= FEWEST_OF_A_TYPE


def test_every_dropped_hypothesis_has_its_counterexample() -> None:
    """Both ways: what is said to be false without a hypothesis, and the files that prove it."""
    claimed = {
        (one.id, one.status.removeprefix(FALSE_WITHOUT))
        for one in LEDGER
        if one.status.startswith(FALSE_WITHOUT)
    }
    stored = {(found.statement, found.dropped) for found in stored_counterexamples()}
    assert claimed <= stored
    for name, dropped in stored:
        assert dropped in {hypothesis.name for hypothesis in ledger.statement(name).hypotheses}


def test_statements_named_in_code_exist() -> None:
    named = set()
    for folder in ("arneq_exact", "tests", "examples", "benchmarks", "docs"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.md")]:
            if "_build" not in path.parts:
                for group in re.findall(
                    r"\[((?:[TF]\d+[a-z]?)(?:, [TF]\d+[a-z]?)*)\]", path.read_text(encoding="utf-8")
                ):
                    named |= set(group.split(", "))
    assert named >= {"T4", "T12", "F2"}
    assert named <= set(STATEMENTS)


def test_statements_that_code_rests_on_are_named_there() -> None:
    """The other way round: a statement of the theory is used, or tested, somewhere in the code."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("arneq_exact", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
    )
    # A group such as [T6, T7], and a range written out, count for each of their members.
    missing = [name for name in STATEMENTS if not re.search(rf"[\[ ]{name}[\],]", text)]
    assert missing in ([], ["T6a"])


def test_every_solver_has_a_page() -> None:
    pages = {page.stem for page in (DOCS / "reference" / "solvers").glob("*.md")}
    for entry in SOLVERS:
        assert entry.name in pages
        text = (DOCS / "reference" / "solvers" / f"{entry.name}.md").read_text(encoding="utf-8")
        assert f"{{solver-facts}} {entry.name}\n" in text
        assert f"(solver-{entry.name})=\n" in text
    assert pages >= {"backward-induction", "stage-linear", "stage-bimatrix", "stage-polymatrix", "index"}


def test_figures_of_stage_solvers() -> None:
    """The numbers in these hand-written tables are those of the code."""
    for name in ("stage-linear", "stage-bimatrix", "stage-polymatrix"):
        text = (DOCS / "reference" / "solvers" / f"{name}.md").read_text(encoding="utf-8")
        assert f"at most {verification.TOLERANCE:.0e} of" in text
    assert f"up to {polymatrix.MILP_LIMIT} actions" in text
    assert f"pass {rounding.LONGEST_DENOMINATOR} bits" in (DOCS / "theory" / "certificate.md").read_text(
        encoding="utf-8"
    )


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = {DOCS / "index.md"}
    for page in PAGES:
        for toctree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            entries = [line for line in toctree.split("\n") if line and not line.startswith(":")]
            listed |= {(page.parent / f"{entry}.md").resolve() for entry in entries}
    assert {page.resolve() for page in PAGES} == {page.resolve() for page in listed}


READ = [*PAGES, ROOT / "README.md", *(ROOT / "benchmarks").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
"""The site's pages and those that stand beside the code, but the changelog, which tells of what was."""

WRITTEN = {"ledger/table.csv", "ledger/index.html", "ledger/evidence/", "runs/"}
"""What commands on the pages write into a reader's own folder."""


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or is reached from one by attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        try:
            found: object = importlib.import_module(module)
        except ModuleNotFoundError as error:
            # A module that is there and misses one of its own is another fault than a wrong name.
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def wrong_names(text: str) -> set[str]:
    """The package's names in a text that lead nowhere: dotted ones, and those that directives document."""
    named = re.findall(r"\barneq_exact(?:\.[A-Za-z_]\w*)+", text)
    module = ""
    for directive, name in re.findall(r"^\.\. (\w+):: ([\w.]+)$", text, re.MULTILINE):
        if directive in ("automodule", "currentmodule"):
            module = name
        elif directive.startswith("auto") and not name.startswith("arneq_exact."):
            named.append(f"{module}.{name}")
    return {name for name in named if not exists(name)}


def wrong_paths(text: str) -> set[str]:
    """The files and folders that a text names and the sources do not have.

    A path may start at any folder: pages say `stage/solve.py` for a file of the package. NAME stands for
    any name.
    """
    named = set(re.findall(r"(?<![\w./*-])(?:[\w-]+/)*\w+\.py\b", text))
    named |= set(re.findall(r"`((?:[A-Za-z_][\w-]*/)+[\w.-]*)`", text))
    return {path for path in named - WRITTEN if not re.search(rf"/{pattern(path)}/", SOURCES)}


def pattern(path: str) -> str:
    """The expression of a path in `SOURCES`."""
    return re.escape(path.rstrip("/")).replace("NAME", "[^/\n]+")


SOURCES = "\n".join(
    f"/{path.relative_to(ROOT).as_posix()}/"
    for folder in ("arneq_exact", "benchmarks", "docs", "examples", "tests")
    for path in [ROOT / folder, *(ROOT / folder).rglob("*")]
    if not {"_build", "__pycache__"} & set(path.parts)
)
"""Every file and folder of the sources, one a line, between slashes."""


@pytest.mark.parametrize("page", READ, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert (wrong_names(text), wrong_paths(text)) == (set(), set())


def test_wrong_names_and_paths_are_found() -> None:
    """Rooms that have moved, and those that stand, in the ways in which pages name them."""
    page = ".. automodule:: arneq_exact.stage.profiles\n\n.. autoclass:: "
    good = (
        "{mod}`arneq_exact.solver.seal` `arneq_exact.solve` `stage/solve.py` `catalog/NAME.py` `theory/draw/`"
    )
    for text in (good, f"{page}StageProfiles\n"):
        assert (wrong_names(text), wrong_paths(text)) == (set(), set())
    assert wrong_names(f"{page}Profiles\n") == {"arneq_exact.stage.profiles.Profiles"}
    assert wrong_names("arneq_exact.certify.seal, `arneq_exact.solver.sealed`") == {
        "arneq_exact.certify.seal",
        "arneq_exact.solver.sealed",
    }
    bad = "`stage/lp.py`, `python benchmarks/golds.py`, `enclose/`"
    assert wrong_paths(bad) == {"stage/lp.py", "benchmarks/golds.py", "enclose/"}
