"""Habits that can be read off the source: short functions, few parameters, reasons beside constants."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import house

import arneq_exact

MODULES = house.modules(Path(arneq_exact.__file__).parent)

LONGEST = 60
"""Lines of a function without its docstring: a screen."""

MOST_PARAMETERS = 7
"""Positional parameters: what a reader can hold in mind. Keywords tell their names where they are used."""


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a file, nested ones as well."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    told = 0 if docstring is None else docstring.count("\n") + 1
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - told


LONG = ("conditions_of_state", "search_face", "simulate", "nash_q")
"""Compiled loops (split in three, `conditions_of_state` takes up to 1.6 times as long, and `simulate` a third
more), and a public call with twelve options, each of which is checked by name."""

MANY = ("conditions_of_state", "direction_rows", "product_gradient")
"""Compiled functions that fill arrays which their callers hold one by one."""


def test_functions_are_short_and_take_few_parameters():
    found = []
    for module, path in MODULES.items():
        for function in functions(path):
            taken = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
            count = len(set(taken) - {"self", "cls"})
            if (length(function) > LONGEST and function.name not in LONG) or (
                count > MOST_PARAMETERS and function.name not in MANY
            ):
                found.append(f"{module}.{function.name}: {length(function)} lines, {count} parameters")
    assert found == []


def bare_constants(source: str) -> list[str]:
    """Numeric constants of a module with no reason beside them: no text below, no comment above or within."""
    lines, body = source.splitlines(), ast.parse(source).body
    found = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target = node.target
        else:
            continue
        if not isinstance(target, ast.Name) or not _is_numeric(node.value):
            continue
        below = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        assert node.end_lineno is not None
        first = node.lineno - 1
        while first and lines[first - 1].strip():  # a comment may stand above several that belong together
            first -= 1
        if not below and not any("#" in line for line in lines[first : node.end_lineno]):
            found.append(f"line {node.lineno}: {target.id}")
    return found


def _is_numeric(value: ast.expr | None) -> bool:
    """Tell numbers, arithmetic of numbers and conversions of them from tables, texts and objects."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    if isinstance(value, ast.UnaryOp):
        return _is_numeric(value.operand)
    if isinstance(value, ast.BinOp):
        return _is_numeric(value.left) or _is_numeric(value.right)
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in ("Fraction", "float", "int", "np.uint64")
    return False


def test_every_numeric_constant_has_its_reason_beside_it():
    found = {module: bare_constants(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}
    assert {module: bare for module, bare in found.items() if bare} == {}


def test_the_test_sees_a_bare_constant():
    told = '\nB = 1e-9\n"""Rounding."""\nC: float = 2.0**-52  # a unit\n\n# Why.\nD = Fraction(1, 3)\n\n'
    source = f"A = 3\n{told}E = -2 * 7\n"
    assert bare_constants(source) == ["line 1: A", "line 10: E"]


def test_no_two_classes_share_a_name():
    """The referee stands alone on purpose and has a `Certificate` of its own."""
    homes = defaultdict(list)
    for module, path in MODULES.items():
        if module != "referee":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].append(module)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
