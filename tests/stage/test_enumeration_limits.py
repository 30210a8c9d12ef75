"""What the enumeration refuses, and a list that is cut short."""

from __future__ import annotations

import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.enumeration import listing as enumeration
from arneq_exact.stage.enumeration.cost import is_quick
from arneq_exact.stage.enumeration.listing import enumerate_equilibria


@pytest.mark.parametrize(
    "payoffs", [1.0, [1, 2], np.zeros((3, 2, 2)), [[[1]], [[2, 3]]], np.zeros((2, 0, 2))]
)
def test_payoffs_of_another_shape_are_refused(payoffs):
    with pytest.raises(InputError, match="payoffs have shape"):
        enumerate_equilibria(payoffs, ThreatModel(0))


def test_payoffs_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match=r"payoff \(1, 0, 1\) is 'x'"):
        enumerate_equilibria([[[1, 2]], [[3, "x"]]], ThreatModel(0))


def test_classes_without_enumeration_are_refused_by_name():
    with pytest.raises(InputError, match="n = 3 agents with 2, 3, 2 actions under k = 1 have no enumeration"):
        enumerate_equilibria(np.zeros((3, 2, 3, 2)), ThreatModel(1))
    masked = ThreatModel(1, masks={1: {0: [0]}})
    with pytest.raises(
        InputError, match="n = 2 agents with 3, 3 actions under k = 1, masked actions have no"
    ):
        enumerate_equilibria(np.zeros((2, 3, 3)), masked)


def test_a_list_that_is_cut_is_incomplete(monkeypatch):
    monkeypatch.setattr(enumeration, "LISTED", 3)
    cut = enumerate_equilibria(np.zeros((2, 2, 2)), ThreatModel(0))
    assert (cut.completeness, len(cut)) == ("incomplete", 3)
    assert [[len(mixtures) for mixtures in factors] for factors in cut.products] == [[2, 2]]


@pytest.mark.parametrize(
    ("counts", "threat", "quick"),
    [
        ((6, 6), ThreatModel(0), True),
        ((7, 6), ThreatModel(0), False),
        ((6, 6), ThreatModel(1), True),  # decoupled
        ((5, 5), ThreatModel(1, probability="1/2"), True),
        ((5, 6), ThreatModel(1, probability="1/2"), False),
        ((5, 6), ThreatModel(sets={0: [[1]], 1: [[]]}), False),
        ((2, 2, 2, 2), ThreatModel(1), True),
        ((2, 2, 3), ThreatModel(1), False),
    ],
)
def test_what_is_quick_to_enumerate(counts, threat, quick):
    assert is_quick(stage_attackers(threat, counts)) is quick
