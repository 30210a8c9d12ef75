"""Classes of stage games, what two agents fear, and what can be enumerated."""

from __future__ import annotations

from fractions import Fraction

import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.attackers.stage_class import Bimatrix, Decoupled, Enumeration, General, Risk, TwoAgents
from arneq_exact.model.threat import ThreatModel

HALF = Fraction(1, 2)
ON_SECOND = ((1, (0,)),)
MASKS = {1: {0: [0]}}
BOTH = ThreatModel(sets={0: [{1}], 1: [{0}]}, masks=MASKS)
ONE_SIDED = ThreatModel(sets={0: [{1}], 1: [[]]})


def resolved(n, threat, masks=(), actions=2):
    return stage_attackers(threat, (actions,) * n, masks)


@pytest.mark.parametrize(
    ("n", "threat", "masks", "expected"),
    [
        (1, ThreatModel(0), (), Decoupled(False)),
        (2, ThreatModel(0), (), Bimatrix()),
        (2, ThreatModel(1), (), Decoupled(False)),
        (2, ThreatModel(1, probability="1/2"), (), TwoAgents((0.5, 0.5))),
        (2, ThreatModel(1, probability=0), (), Bimatrix()),
        (3, ThreatModel(2), (), Decoupled(False)),
        (3, ThreatModel(1), (), General()),
        (3, ThreatModel(0), (), General()),
        (3, ThreatModel(2, probability="1/2"), (), General()),
        # [T4]: sets that hold everyone decouple as well; one agent alone always does.
        (3, ThreatModel(sets={0: [{1, 2}, {1}], 1: [{0, 2}], 2: [{0, 1}]}), (), Decoupled(False)),
        (2, ONE_SIDED, (), TwoAgents((1.0, 0.0))),
        (1, ThreatModel(5, probability="1/2"), (), Decoupled(False)),
        (2, ThreatModel(distribution={0: {(): 0.5, (1,): 0.5}, 1: {(): 1}}), (), TwoAgents((0.5, 0.0))),
        # Masks take columns away, which leaves decoupled games decoupled; smaller sets are others' columns.
        (2, BOTH, ON_SECOND, Decoupled(True)),
        (2, ThreatModel(1, masks=MASKS), (), General()),
        (2, ONE_SIDED, ON_SECOND, General()),
    ],
)
def test_classes(n, threat, masks, expected):
    assert resolved(n, threat, masks).stage_class == expected


def test_what_two_agents_fear():
    everything = (0, 1)
    assert resolved(2, ThreatModel(0)).risks == (Risk(Fraction(0), ()),) * 2
    assert resolved(2, ONE_SIDED).risks == (Risk(Fraction(1), everything), Risk(Fraction(0), ()))
    assert resolved(2, BOTH, ON_SECOND).risks == (Risk(Fraction(1), (0,)), Risk(Fraction(1), everything))
    # Of several probabilities the largest counts, unless masks are in the way.
    at_most_half = ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"]))
    assert resolved(2, at_most_half).risks == (Risk(HALF, everything),) * 2
    assert resolved(2, ThreatModel(1, masks=MASKS), ON_SECOND).risks is None
    assert resolved(3, ThreatModel(0)).risks is None


@pytest.mark.parametrize(
    ("n", "actions", "threat", "masks", "expected"),
    [
        (3, 4, ThreatModel(2), (), Enumeration.MAXIMIN),
        (2, 4, ThreatModel(0), (), Enumeration.TWO_AGENTS),
        (2, 4, BOTH, ON_SECOND, Enumeration.TWO_AGENTS),
        (2, 2, ThreatModel(1, masks=MASKS), ON_SECOND, Enumeration.TWO_ACTIONS),
        (2, 3, ThreatModel(1, masks=MASKS), ON_SECOND, None),
        (4, 2, ThreatModel(1), (), Enumeration.TWO_ACTIONS),
        (3, 3, ThreatModel(1), (), None),
        (5, 2, ThreatModel(1), (), None),
    ],
)
def test_what_can_be_enumerated(n, actions, threat, masks, expected):
    assert resolved(n, threat, masks, actions).enumeration is expected
