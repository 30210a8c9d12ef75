"""The house: imports run downward only, light parts stay light, files stay short, public names exist."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import house
import networkx
import pytest

import arneq_exact

ROOT = Path(arneq_exact.__file__).parent
MODULES = house.modules(ROOT)
FILES = pytest.mark.parametrize(("module", "path"), MODULES.items(), ids=MODULES)
HEAVY = ("numba", "cvxpy", "nashpy", "networkx", "matplotlib", "flint", "pandas")


def own(path: Path) -> set[str]:
    """Modules of the package that a file imports, below the root."""
    return house.own(path, set(MODULES))


@FILES
def test_imports_run_downward(module, path):
    room = house.room_of(module)
    for other in own(path) if room else ():
        assert other, f"{module} imports the package root, which is above everything"
        assert house.room_of(other) in house.allowed(room), f"{module} ({room}) imports {other}"


@pytest.mark.parametrize("room", house.WITHIN)
def test_imports_run_downward_within_a_room(room):
    order = house.WITHIN[room]
    for module, path in MODULES.items():
        if module.startswith(f"{room}."):
            place = order.index(module.split(".")[1])
            for other in own(path):
                if other.startswith(f"{room}."):
                    assert order.index(other.split(".")[1]) <= place, f"{module} imports {other}"


def test_every_room_is_in_the_house():
    assert {house.room_of(name) for name in MODULES} - {""} <= set(house.HOUSE)
    below = {room: set(house.HOUSE[: house.HOUSE.index(room)]) for room in house.NARROW}
    assert all(others <= below[room] for room, others in house.NARROW.items())


def test_no_module_leads_back_to_itself():
    """Within rooms as well, and what only type checkers see included: no circle of imports at all."""
    graph = networkx.DiGraph()
    graph.add_edges_from((module, other) for module, path in MODULES.items() if module for other in own(path))
    assert [circle for circle in networkx.strongly_connected_components(graph) if len(circle) > 1] == []
    assert not list(networkx.nodes_with_selfloops(graph))


BAD = """
def f():
    from arneq_exact.solver import (
        registry as r,
    )
    import arneq_exact.solver.solve as s
from arneq_exact import catalog
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from arneq_exact import cli
"""


def test_the_test_sees_an_upward_import(tmp_path, monkeypatch):
    """The reader of imports is not blind: aliases, nested and multi-line imports are seen."""
    file = tmp_path / "bad.py"
    file.write_text(BAD)
    assert own(file) == {"solver.registry", "solver.solve", "catalog", "cli"}


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
    "module", ["proof.check", "proof.check_float", "proof.certificate_json", "proof.files", "model.game", ""]
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
    code = "import sys, arneq_exact.proof.check\nprint(*sorted(m for m in sys.modules if 'arneq' in m))"
    loaded = run_blocked((), code).stdout.split()
    assert "arneq_exact.proof.check" in loaded
    assert not [
        name for name in loaded if name.split(".")[1:2] in (["markov"], ["stage"], ["catalog"], ["solver"])
    ]


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, arneq_exact\nprint([n for n in {(*HEAVY, 'numpy', 'scipy')!r} if n in sys.modules])"
    assert run_blocked((), code).stdout == "[]\n"


@pytest.mark.parametrize("folder", [room for room in house.HOUSE if (ROOT / room).is_dir()])
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
    for name in house.imported(path, set(MODULES)):
        assert name.split(".")[0] in sys.stdlib_module_names, name
    others = ("numpy", "scipy", "arneq_exact", *HEAVY)
    ran = run_blocked(others, f"import runpy; runpy.run_path({str(path)!r}); print('alone')")
    assert ran.stdout == "alone\n", ran.stderr


@FILES
def test_files_stay_short(module, path):
    """The referee is one file by design."""
    limit = 520 if path.name == "referee.py" else 350
    assert len(path.read_text(encoding="utf-8").splitlines()) < limit


@FILES
def test_modules_say_what_they_are_for(module, path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


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
