"""The house: imports run downward only, light parts stay light, files stay short, public names exist."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import arneq_exact

ROOT = Path(arneq_exact.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
HEAVY = ("numba", "cvxpy", "nashpy", "networkx", "matplotlib", "flint", "pandas")

# What each part may import from, besides itself. A longer name is the more special rule.
MAY_IMPORT = {
    "errors": set(),
    "model": {"errors"},
    "stage": {"errors", "model"},
    "markov": {"errors", "model", "stage"},
    "certificate": {"errors", "model"},
    # What gathers evidence stands above the solvers, and no checker may import it.
    "certificate.build": {"errors", "model", "certificate", "certificate.simplify", "markov"},
    "certificate.exact_answer": {"errors", "model", "certificate", "certificate.build", "markov"},
    "certificate.simplify": {"errors", "model"},
    "catalog": {"errors", "model"},
    # Bridges to other libraries; a game goes out, an environment comes in.
    "interop": {"errors", "model", "markov", "stage"},
    "referee": set(),
    "files": {"errors", "model", "certificate"},
    "solution": {"errors", "model", "certificate", "markov"},
    "solver": {
        "errors",
        "model",
        "stage",
        "markov",
        "certificate",
        "certificate.build",
        "certificate.exact_answer",
        "solution",
    },
    # Takes data, never asks for it.
    "report": {"errors", "model", "certificate", "markov", "catalog", "solution"},
    "study": {
        "errors",
        "model",
        "stage",
        "markov",
        "certificate",
        "certificate.build",
        "solution",
        "solver",
        "report",
    },
    # Statements are run on whatever is below; reports take their data, never the other way round.
    "theory": {
        "errors",
        "model",
        "stage",
        "markov",
        "certificate",
        "certificate.build",
        "catalog",
        "solution",
        "solver",
        "study",
        "report",
        "learning",
    },
    "learning": {"errors", "model", "stage", "markov"},
    "strategies": {"errors", "model"},
    # The exact answer as a learner among learners stands above the solvers; the registry names it, no more.
    "learning.references": {"errors", "model", "stage", "markov", "solution", "solver", "learning"},
    "learning.experiment": {
        "errors",
        "model",
        "markov",
        "solver",
        "catalog",
        "learning",
    },
    "cli": {"errors", "commands"},
    "commands": {
        "errors",
        "model",
        "markov",
        "certificate",
        "certificate.build",
        "catalog",
        "files",
        "solution",
        "solver",
        "report",
        "theory",
        "learning.experiment",
    },
    "": set(),
}


def dotted(path: Path) -> str:
    """Name of a module below the package root: "" for the root itself, "stage" for stage/__init__.py."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The most special rule that covers a module."""
    pieces = module.split(".")
    for length in range(len(pieces), 0, -1):
        if ".".join(pieces[:length]) in MAY_IMPORT:
            return ".".join(pieces[:length])
    raise AssertionError(f"no rule covers {module}: add one on purpose")


NAMES = {dotted(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """Every absolute module that a file imports, at any depth, without what only type checkers see."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = whole.removeprefix("arneq_exact").lstrip(".") in NAMES
                found.add(whole if is_module else str(node.module))
    return found


def own(path: Path) -> set[str]:
    """Modules of the package that a file imports, below the root."""
    return {
        name.removeprefix("arneq_exact").lstrip(".")
        for name in imported(path)
        if name == "arneq_exact" or name.startswith("arneq_exact.")
    }


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_run_downward(path):
    part = part_of(dotted(path)) if dotted(path) else ""
    allowed = MAY_IMPORT[part] | {part}
    for module in own(path):
        assert module, f"{dotted(path)} imports the package root, which is above everything"
        assert part_of(module) in allowed, f"{dotted(path)} ({part}) imports {module}"


def test_the_rules_have_no_cycle():
    """Following what may be imported never leads back."""
    below: dict[str, set[str]] = {}

    def reach(part: str) -> set[str]:
        if part not in below:
            below[part] = set()
            below[part] = set().union(*({other} | reach(other) for other in MAY_IMPORT[part]), set())
        return below[part]

    for part in MAY_IMPORT:
        assert part not in reach(part)


BAD = """
def f():
    from arneq_exact.markov import (
        registry as r,
    )
    import arneq_exact.solver as s
from arneq_exact import catalog
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from arneq_exact import cli
"""


def test_the_test_sees_an_upward_import(tmp_path, monkeypatch):
    """The reader of imports is not blind: aliases, nested and multi-line imports are seen."""
    file = tmp_path / "bad.py"
    file.write_text(BAD)
    assert own(file) == {"markov.registry", "solver", "catalog"}


def run_blocked(blocked, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter where importing any of `blocked` fails."""
    wall = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in blocked)
    return subprocess.run([sys.executable, "-c", wall + code], capture_output=True, text=True, check=False)


CHECK_A_FILE = """
from arneq_exact import MarkovGame, ThreatModel, check, load
game = load({game!r})
result = check(game, load({solution!r}, game), ThreatModel(0))
print(result.valid, [str(e) for e in result.epsilon])
"""


@pytest.mark.parametrize(
    "module", ["certificate.check", "certificate.check_float", "certificate.files", "files", "model.game", ""]
)
def test_checkers_import_without_solvers(module):
    ran = run_blocked(HEAVY, f"import {f'arneq_exact.{module}'.rstrip('.')}; print('light')")
    assert ran.stdout == "light\n", ran.stderr


def test_a_solution_is_checked_where_no_solver_can_be_imported(tmp_path):
    import games

    from arneq_exact import ThreatModel, save, solve

    game = games.prisoners_dilemma()
    save(game, tmp_path / "game.json")
    save(solve(game, ThreatModel(0)), tmp_path / "solution.json", game)
    code = CHECK_A_FILE.format(game=str(tmp_path / "game.json"), solution=str(tmp_path / "solution.json"))
    blocked = (*HEAVY, "arneq_exact.markov", "arneq_exact.stage", "arneq_exact.solver", "threadpoolctl")
    ran = run_blocked(blocked, code)
    assert ran.stdout == "True ['0', '0']\n", ran.stderr


def test_the_checker_pulls_in_no_solver():
    code = "import sys, arneq_exact.certificate.check\nprint(*sorted(m for m in sys.modules if 'arneq' in m))"
    loaded = run_blocked((), code).stdout.split()
    assert "arneq_exact.certificate.check" in loaded
    assert not [name for name in loaded if name.split(".")[1:2] in (["markov"], ["stage"], ["catalog"])]
    assert not {"arneq_exact.certificate.build", "arneq_exact.certificate.simplify"} & set(loaded)


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, arneq_exact\nprint([n for n in {(*HEAVY, 'numpy', 'scipy')!r} if n in sys.modules])"
    assert run_blocked((), code).stdout == "[]\n"


@pytest.mark.parametrize("folder", ["model", "markov", "stage", "certificate", "report", "study", "learning"])
def test_reference_libraries_are_imported_when_used(folder):
    """cvxpy, nashpy, matplotlib, pandas, joblib and dask never at the top of a module."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                heavy = {name.split(".")[0] for name in names} & {
                    "cvxpy",
                    "nashpy",
                    "matplotlib",
                    "pandas",
                    "joblib",
                    "distributed",
                }
                assert not heavy, f"{path} imports {heavy} at the top"


def test_the_referee_needs_the_standard_library_alone():
    path = ROOT / "referee.py"
    for name in imported(path):
        assert name.split(".")[0] in sys.stdlib_module_names, name
    others = ("numpy", "scipy", "arneq_exact", *HEAVY)
    ran = run_blocked(others, f"import runpy; runpy.run_path({str(path)!r}); print('alone')")
    assert ran.stdout == "alone\n", ran.stderr


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_files_stay_short(path):
    """The referee is one file by design."""
    limit = 520 if path.name == "referee.py" else 350
    assert len(path.read_text(encoding="utf-8").splitlines()) < limit


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_modules_say_what_they_are_for(path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


PUBLIC = [
    "MarkovGame",
    "explore",
    "Policy",
    "ThreatModel",
    "solve",
    "Solution",
    "iterate",
    "IterationResult",
    "nash_q",
    "NashQResult",
    "robust_values",
    "best_response",
    "gap",
    "audit",
    "Audit",
    "worst_attack",
    "static_values",
    "static_response_bounds",
    "certify",
    "Certificate",
    "check",
    "CheckResult",
    "enclose",
    "Enclosure",
    "load",
    "save",
    "catalog",
    "ArneqError",
    "state_graph",
    "simulate",
    "equilibria",
    "robustness_curve",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name):
    assert getattr(arneq_exact, name) is not None
    assert name in arneq_exact.__all__
    assert name in dir(arneq_exact)


def test_every_listed_name_exists_and_has_a_docstring():
    for name in arneq_exact.__all__:
        assert getattr(arneq_exact, name).__doc__, name


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="module 'arneq_exact' has no attribute 'sovle'"):
        _ = arneq_exact.sovle


def test_catalog_names_and_loads():
    assert "nosde" in arneq_exact.catalog.names()
    assert arneq_exact.catalog.load("nosde").n_states == 2


def test_no_two_test_modules_share_a_name():
    """Pytest imports test modules by their base name; two of one name break a fresh run."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert len(names) == len(set(names))
