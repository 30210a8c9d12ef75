"""A fixed sample of forged certificates; `benchmarks/mutants.py` judges a thousand."""

from __future__ import annotations

import pytest
from certificate_mutants import sample


@pytest.fixture(scope="module")
def verdicts():
    return sample(seed=1, count=150)


def test_every_false_claim_is_refused(verdicts):
    false = [verdict for verdict in verdicts if verdict.false]
    assert len(false) >= 60
    assert [verdict.kind for verdict in false if verdict.accepted] == []


def test_every_accepted_claim_is_supported_by_its_evidence(verdicts):
    assert [v.kind for v in verdicts if v.accepted and not v.supported] == []
    assert [v.kind for v in verdicts if v.supported and not v.accepted] == []


def test_honest_certificates_are_accepted(verdicts):
    honest = [verdict for verdict in verdicts if verdict.kind == "honest"]
    assert len(honest) >= 5
    assert all(verdict.accepted for verdict in honest)


def test_few_are_refused_by_hash_or_format_alone(verdicts):
    assert sum(verdict.formal for verdict in verdicts) <= 0.07 * len(verdicts)
    assert all(verdict.reason for verdict in verdicts if not verdict.accepted)
