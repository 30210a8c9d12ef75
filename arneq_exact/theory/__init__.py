"""The theory as running code: statements, the evidence for them, and the search for counterexamples.

Modules are loaded when first used:

* ``ledger``: the statements by id, and evidence checked again (`ledger.repeat`),
* ``run``: statements on many drawn games (`run.run`),
* ``search``: a small game on which a statement fails without one of its hypotheses (`search.search`).

Examples
--------
>>> from arneq_exact import MarkovGame, ThreatModel, theory
>>> game = MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
>>> found = theory.ledger.statement("T5.equilibria").check(game, ThreatModel(0))
>>> found.verdict, found.left, found.right
('holds', 1.0, 1.0)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arneq_exact.theory import ledger as ledger
    from arneq_exact.theory import run as run
    from arneq_exact.theory import search as search
    from arneq_exact.theory.engine.evidence import Comparison as Comparison
    from arneq_exact.theory.engine.evidence import Evidence as Evidence
    from arneq_exact.theory.engine.evidence import Findings as Findings
    from arneq_exact.theory.engine.instance import Instance as Instance
    from arneq_exact.theory.engine.statement import Hypothesis as Hypothesis
    from arneq_exact.theory.engine.statement import Statement as Statement

_MODULES = ("ledger", "run", "search")
# Names, with the modules that they live in.
_HOMES = {
    "Comparison": "engine.evidence",
    "Evidence": "engine.evidence",
    "Findings": "engine.evidence",
    "Hypothesis": "engine.statement",
    "Instance": "engine.instance",
    "Statement": "engine.statement",
}

__all__ = [*sorted(_HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"arneq_exact.theory.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'arneq_exact.theory' has no attribute {name!r}")
    return getattr(importlib.import_module(f"arneq_exact.theory.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
