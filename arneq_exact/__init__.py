"""Exact, certified Adversarially Robust Nash Equilibria (ARNEQ) of small Markov games.

Public names are loaded when first used, so that `import arneq_exact` and the checker stay light.

>>> from arneq_exact import MarkovGame, ThreatModel, solve
>>> game = MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
>>> solve(game, ThreatModel(1)).status
'exact'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# No module below the root has a public function's name: it would hide the function once imported.
_HOMES = {
    "MarkovGame": "arneq_exact.model.game",
    "GameNames": "arneq_exact.model.names",
    "explore": "arneq_exact.model.explore",
    "state_graph": "arneq_exact.model.state_graph",
    "simulate": "arneq_exact.model.simulate",
    "Policy": "arneq_exact.model.policy",
    "ThreatModel": "arneq_exact.model.threat",
    "solve": "arneq_exact.solver.solve",
    "Solution": "arneq_exact.solver.solution",
    "iterate": "arneq_exact.markov.iteration",
    "IterationResult": "arneq_exact.markov.iteration",
    "nash_q": "arneq_exact.learning.nash_q",
    "NashQResult": "arneq_exact.learning.nash_q_result",
    "equilibria": "arneq_exact.study.equilibria",
    "robustness_curve": "arneq_exact.study.robustness_curve",
    "robust_values": "arneq_exact.markov.evaluate",
    "best_response": "arneq_exact.markov.evaluate",
    "gap": "arneq_exact.markov.evaluate",
    "worst_attack": "arneq_exact.markov.evaluate",
    "static_values": "arneq_exact.markov.static",
    "static_response_bounds": "arneq_exact.markov.static",
    "audit": "arneq_exact.markov.audit",
    "Audit": "arneq_exact.markov.audit",
    "certify": "arneq_exact.solver.seal",
    "Certificate": "arneq_exact.proof.certificate",
    "check": "arneq_exact.proof.check",
    "CheckResult": "arneq_exact.proof.result",
    "enclose": "arneq_exact.enclosure.enclosure",
    "Enclosure": "arneq_exact.enclosure.enclosure",
    "load": "arneq_exact.proof.files",
    "save": "arneq_exact.proof.files",
    "ArneqError": "arneq_exact.errors",
    "__version__": "arneq_exact.version",
}

_PACKAGES = ("catalog", "theory")

__all__ = [*_PACKAGES, *sorted(_HOMES)]

if TYPE_CHECKING:
    from arneq_exact import catalog as catalog
    from arneq_exact import theory as theory
    from arneq_exact.enclosure.enclosure import Enclosure as Enclosure
    from arneq_exact.enclosure.enclosure import enclose as enclose
    from arneq_exact.errors import ArneqError as ArneqError
    from arneq_exact.learning.nash_q import nash_q as nash_q
    from arneq_exact.learning.nash_q_result import NashQResult as NashQResult
    from arneq_exact.markov.audit import Audit as Audit
    from arneq_exact.markov.audit import audit as audit
    from arneq_exact.markov.evaluate import best_response as best_response
    from arneq_exact.markov.evaluate import gap as gap
    from arneq_exact.markov.evaluate import robust_values as robust_values
    from arneq_exact.markov.evaluate import worst_attack as worst_attack
    from arneq_exact.markov.iteration import IterationResult as IterationResult
    from arneq_exact.markov.iteration import iterate as iterate
    from arneq_exact.markov.static import static_response_bounds as static_response_bounds
    from arneq_exact.markov.static import static_values as static_values
    from arneq_exact.model.explore import explore as explore
    from arneq_exact.model.game import MarkovGame as MarkovGame
    from arneq_exact.model.names import GameNames as GameNames
    from arneq_exact.model.policy import Policy as Policy
    from arneq_exact.model.simulate import simulate as simulate
    from arneq_exact.model.state_graph import state_graph as state_graph
    from arneq_exact.model.threat import ThreatModel as ThreatModel
    from arneq_exact.proof.certificate import Certificate as Certificate
    from arneq_exact.proof.check import check as check
    from arneq_exact.proof.files import load as load
    from arneq_exact.proof.files import save as save
    from arneq_exact.proof.result import CheckResult as CheckResult
    from arneq_exact.solver.seal import certify as certify
    from arneq_exact.solver.solution import Solution as Solution
    from arneq_exact.solver.solve import solve as solve
    from arneq_exact.study.equilibria import equilibria as equilibria
    from arneq_exact.study.robustness_curve import robustness_curve as robustness_curve
    from arneq_exact.version import __version__ as __version__


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"arneq_exact.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'arneq_exact' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
