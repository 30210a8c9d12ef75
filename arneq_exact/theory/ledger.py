"""The ledger: every statement that is run, one row each, in the order of the theory page."""

from __future__ import annotations

from collections.abc import Sequence

from arneq_exact.errors import InputError
from arneq_exact.theory.engine.evidence import Evidence
from arneq_exact.theory.engine.statement import Statement
from arneq_exact.theory.statements import (
    attackers_as_players,
    best_responses,
    certificate_bound,
    common_reward,
    contraction,
    convergence,
    ends_of_the_scale,
    finite_horizon,
    fresh_selection,
    general_threats,
    linear_program,
    majority_votes,
    monotonicity,
    polymatrix_form,
    pure_attacks,
    sampled_updates,
    static_corruption,
    type_decision,
    without_types,
)

STATEMENTS: tuple[Statement, ...] = (
    *pure_attacks.STATEMENTS,
    *linear_program.STATEMENTS,
    *attackers_as_players.STATEMENTS,
    *ends_of_the_scale.STATEMENTS,
    *monotonicity.STATEMENTS,
    *type_decision.STATEMENTS,
    *contraction.STATEMENTS,
    *convergence.STATEMENTS,
    *sampled_updates.STATEMENTS,
    *fresh_selection.STATEMENTS,
    *common_reward.STATEMENTS,
    *without_types.STATEMENTS,
    *majority_votes.STATEMENTS,
    *best_responses.STATEMENTS,
    *general_threats.STATEMENTS,
    *polymatrix_form.STATEMENTS,
    *certificate_bound.STATEMENTS,
    *static_corruption.STATEMENTS,
    *finite_horizon.STATEMENTS,
)

MERGED = {"T10": "T1", "T10.certificate": "T12.soundness", "T10.tightness": "T12.tightness"}
"""Ids of version 0.1.0 whose claims are made of any threat by another statement."""


def statement(name: str) -> Statement:
    """Return the statement with this id.

    Raises
    ------
    InputError
        If there is none.
    """
    for one in STATEMENTS:
        if one.id == name:
            return one
    if name in MERGED:
        raise InputError(f"statement {name!r} is part of {MERGED[name]} now; must be asked of that one")
    known = ", ".join(one.id for one in STATEMENTS)
    raise InputError(f"statement {name!r} is unknown; must be one of {known}")


def statements(names: Sequence[str] = ()) -> tuple[Statement, ...]:
    """Return the statements with these ids, in the order of the ledger; all of them for no names.

    The id of a theory page, such as "T4", stands for all of its parts.
    """
    chosen = set()
    for name in names:
        parts = {one.id for one in STATEMENTS if one.id == name or one.id.split(".")[0] == name}
        chosen |= parts or {statement(name).id}
    return tuple(one for one in STATEMENTS if not names or one.id in chosen)


def repeat(evidence: Evidence) -> Evidence:
    """Check the statement of some evidence once more, on the same instance in the same way.

    Evidence is reproduced if the new one says the same (`Evidence.same_as`).
    """
    judged = statement(evidence.statement)
    check = judged.confirm_exactly if evidence.confirmed else judged.check_instance
    return check(evidence.instance, drop=evidence.dropped)
