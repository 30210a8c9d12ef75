"""Deliberate faults are caught: with a kernel changed in one place, the ledger turns to "violated".

A fault is one edit of one line of a production function, made on its source, so that the rest of the
function stays what it is; the edit must still fit, or the test fails. Instances are drawn before the fault
and read from their files' form again under it, since threats remember how they were resolved. Without the
fault the statement holds on all of them.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from typing import Any

import pytest

from arneq_exact.learning import nash_q
from arneq_exact.markov import bellman
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.model.threat.budget import Budget
from arneq_exact.proof.check_exact import ExactSweep
from arneq_exact.proof.check_float import FloatSweep
from arneq_exact.proof.integers import IntegerGame
from arneq_exact.stage import robust
from arneq_exact.stage.types import equilibrium_types, greatest_value
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.ledger import statement

AVERAGED = """
            if one.sizes and policy:
                own = policy[min(one.kept - {agent})].reshape(batch, 1, -1, *[1] * (len(one.sizes) - 1))
                part = (part * own).sum(axis=2, keepdims=True) + 0 * part
            for place, actions in one.allowed:"""


INSTANCES = {"T6.types": 48, "T9.fixed-point": 28, "T12.soundness": 28}
"""How many instances are drawn where it is not 12."""


@dataclass(frozen=True)
class Fault:
    """One edit of one function of a module or a class, and the statements that must notice it."""

    home: Any
    name: str
    old: str
    new: str
    caught_by: tuple[str, ...]


FAULTS = {
    "attacker's sign, policy iteration": Fault(
        AttackedAgent,
        "_improve",
        '-np.einsum("ba,bac->bc", fixed[position], matrix)',
        'np.einsum("ba,bac->bc", fixed[position], matrix)',
        ("T5", "T9.responses", "T12.tightness", "T13.order", "T13.chain"),
    ),
    "attacker's sign, one step of a policy": Fault(
        AttackedAgent,
        "stage_worst",
        "columns.min(axis=1)",
        "columns.max(axis=1)",
        ("T14.errors",),
    ),
    "attacker's sign, stage values of the procedure": Fault(
        StageStep,
        "at_payoffs",
        ".min(axis=1)",
        ".max(axis=1)",
        ("T7", "T7.asynchronous", "T14.subgames"),
    ),
    "attacker's sign, checker": Fault(
        ExactSweep, "residuals", ".sum(axis=1).min(axis=1)", ".sum(axis=1).max(axis=1)", ("T12.soundness",)
    ),
    "K too small": Fault(
        Budget,
        "points",
        "self._sets(n, agent, 0 if masked else self.k)",
        "Budget(max(min(self.k, n - 1) - 1, 0))._sets(n, agent, 0)",
        (
            "T1",
            "T5",
            "T6",
            "T6.types",
            "T7",
            "T7.common",
            "T9.contraction",
            "T9.fixed-point",
            "T12.soundness",
            "T13.order",
            "T14.errors",
        ),
    ),
    "K too large": Fault(
        Budget,
        "points",
        "self._sets(n, agent, 0 if masked else self.k)",
        "Budget(self.k + 1)._sets(n, agent, 0)",
        (
            "T1",
            "T5",
            "T6",
            "T6.types",
            "T7",
            "T7.asynchronous",
            "T7.common",
            "T9.contraction",
            "T9.fixed-point",
            "T12.soundness",
            "T13.order",
            "T14.errors",
        ),
    ),
    "a benign agent averaged instead of corrupted": Fault(
        robust,
        "robust_matrix",
        "\n            for place, actions in one.allowed:",
        AVERAGED,
        (
            "T1",
            "T2.maximin",
            "T6",
            "T7",
            "T7.common",
            "T9.contraction",
            "T13.order",
            "T14.errors",
        ),
    ),
    "discount applied twice, backup": Fault(
        bellman,
        "backup_agent",
        "game.discount[agent] * values",
        "game.discount[agent] ** 2 * values",
        ("T7", "T9.contraction", "T14.errors"),
    ),
    "discount applied twice, value of play": Fault(
        bellman,
        "value_of_play",
        "gamma = float(game.discount[agent])",
        "gamma = float(game.discount[agent]) ** 2",
        ("T13.order", "T13.chain"),
    ),
    "discount applied twice, checker": Fault(
        IntegerGame,
        "backup",
        "gamma = self.discount[agent]",
        "gamma = self.discount[agent] ** 2",
        ("T12.soundness", "T12.tightness", "T14.errors"),
    ),
    "γ in place of β, checker": Fault(
        ExactSweep,
        "modulus",
        "self.integers.discount[agent] * self.integers.largest_row_sum",
        "self.integers.discount[agent]",
        ("T12.soundness",),
    ),
    "γ in place of β, checker in doubles": Fault(
        FloatSweep,
        "modulus",
        "self.game.exact_discount()[agent] * self.row_sum",
        "self.game.exact_discount()[agent]",
        ("T12.soundness",),
    ),
    "discount applied twice, Nash-Q": Fault(
        nash_q, "_rules", "discount=game.discount,", "discount=game.discount**2,", ("T7.asynchronous",)
    ),
    "attacker's sign, stage values of Nash-Q": Fault(
        nash_q._Learning,
        "_solve",
        "(mixture[0] @ matrix[0]).min()",
        "(mixture[0] @ matrix[0]).max()",
        ("T7.asynchronous",),
    ),
    "steps of the wrong visit, Nash-Q": Fault(
        nash_q._Learning,
        "_extend_steps",
        "len(self.steps) + 1, 2 * visits + 1,",
        "len(self.steps) + 2, 2 * visits + 2,",
        ("T7.asynchronous",),
    ),
    "nothing is learnt, Nash-Q": Fault(
        nash_q._Learning,
        "_extend_steps",
        "[self.steps, further]",
        "[self.steps, 0 * further]",
        ("T7.asynchronous",),
    ),
    "type A tested over pure profiles only": Fault(
        greatest_value._Search,
        "run",
        "return self.lower, most",
        "return (float(self.columns.min(axis=0).max()),) * 2",
        ("T6.types",),
    ),
    "type A tested over pure profiles only, two agents": Fault(
        equilibrium_types,
        "stage_types",
        "worth(np.concatenate(matrices)).reshape(",
        "np.concatenate(matrices).min(axis=2).max(axis=1).reshape(",
        ("T6.types",),
    ),
}


def mutant(fault: Fault) -> Callable[..., Any]:
    """The function with the edit made, in the namespace of its module."""
    original = getattr(fault.home, fault.name)
    source = textwrap.dedent(inspect.getsource(original))
    assert source.count(fault.old) == 1, f"{fault.name} has changed: the fault no longer fits"
    made: dict[str, Any] = {}
    exec(compile(source.replace(fault.old, fault.new), f"<{fault.name}>", "exec"), original.__globals__, made)
    function: Callable[..., Any] = made[fault.name]
    return function


def install(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the mutant in the place of the original, in every module that has imported it by name."""
    original, changed = getattr(fault.home, fault.name), mutant(fault)
    monkeypatch.setattr(fault.home, fault.name, changed)
    for name, module in list(sys.modules.items()):
        if name.startswith("arneq_exact") and getattr(module, fault.name, None) is original:
            monkeypatch.setattr(module, fault.name, changed)


def forget() -> None:
    """Clear every cache of the package: what was resolved without a fault, or with one, is resolved anew."""
    for name, module in list(sys.modules.items()):
        if name.startswith("arneq_exact"):
            for one in vars(module).values():
                if isinstance(one, _lru_cache_wrapper):
                    one.cache_clear()


def verdicts(name: str, instances: list[dict[str, Any]]) -> list[str]:
    """The verdicts of a statement on instances in their files' form."""
    one = statement(name)
    return [one.check_instance(Instance.from_json(data)).verdict for data in instances]


@pytest.fixture(scope="module")
def sound():
    """Draw instances of a statement, once, on which it holds."""
    known: dict[str, list[dict[str, Any]]] = {}

    def instances(name: str) -> list[dict[str, Any]]:
        if name not in known:
            known[name] = [
                statement(name).draw(index, seed=4).to_json() for index in range(INSTANCES.get(name, 12))
            ]
            assert set(verdicts(name, known[name])) == {"holds"}
        return known[name]

    return instances


CASES = [(fault, name) for fault, made in FAULTS.items() for name in made.caught_by]


@pytest.mark.parametrize(("fault", "name"), CASES, ids=[f"{name}: {fault}" for fault, name in CASES])
def test_the_ledger_turns_to_violated(fault, name, sound, monkeypatch):
    """The same instances on which the statement holds show the fault."""
    instances = sound(name)
    with monkeypatch.context() as patched:
        install(FAULTS[fault], patched)
        forget()
        found = verdicts(name, instances)
    forget()
    assert "violated" in found
