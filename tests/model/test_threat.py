"""Threats resolve to the extreme points that the theory names, in a fixed order."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption

HALF = Fraction(1, 2)


def weights(threat: ThreatModel, n: int, agent: int) -> list[tuple[tuple[tuple[int, ...], Fraction], ...]]:
    return [corruption.weights for corruption in threat.corruptions(n, agent)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 7])
def test_k_gives_all_sets_of_the_largest_size(n: int, k: int) -> None:
    """[T1]: only |K| = min(k, n−1), each certain, in lexicographic order."""
    for agent in range(n):
        others = [j for j in range(n) if j != agent]
        size = min(k, n - 1)
        expected = [((members, Fraction(1)),) for members in combinations(others, size)]
        assert weights(ThreatModel(k), n, agent) == expected
        assert len(expected) == comb(n - 1, size)
    assert ThreatModel(k).decouples(n) == (k >= n - 1)


def test_probability_mixes_with_the_empty_set() -> None:
    """[T10]: the column (1−ρ) M_∅ + ρ M_c."""
    threat = ThreatModel(1, probability="1/4")
    assert weights(threat, 3, 1) == [
        (((), Fraction(3, 4)), ((0,), Fraction(1, 4))),
        (((), Fraction(3, 4)), ((2,), Fraction(1, 4))),
    ]
    assert not threat.decouples(2)
    assert weights(ThreatModel(1, probability=0), 3, 0) == [(((), Fraction(1)),)]
    assert weights(ThreatModel(0, probability="1/4"), 3, 0) == [(((), Fraction(1)),)]
    assert ThreatModel(1, probability=1).decouples(2)
    assert ThreatModel(1, probability=1) == ThreatModel(1)
    assert weights(ThreatModel(1, probability=0.1), 2, 0)[0][1] == ((1,), Fraction(0.1))


def test_sets_reduce_to_the_maximal_ones() -> None:
    threat = ThreatModel(sets={0: [{1}, {2}, {1, 2}, set(), {3}], 1: [set()], 2: [{0}, {0}], 3: [{1}, {0}]})
    assert weights(threat, 4, 0) == [(((3,), Fraction(1)),), (((1, 2), Fraction(1)),)]
    assert weights(threat, 4, 1) == [(((), Fraction(1)),)]
    assert weights(threat, 4, 2) == [(((0,), Fraction(1)),)]
    assert weights(threat, 4, 3) == [(((0,), Fraction(1)),), (((1,), Fraction(1)),)]


def test_empty_set_belongs_only_if_listed() -> None:
    """Corruption is certain without ∅ in the family; with ∅ alone nobody is ever corrupted."""
    certain = ThreatModel(sets={0: [{1}], 1: [{0}]})
    harmless = ThreatModel(sets={0: [set()], 1: [[]]})
    assert certain.same_as(ThreatModel(1), 2)
    assert harmless.same_as(ThreatModel(0), 2)
    assert certain.decouples(2)
    assert not harmless.decouples(2)
    # A corrupted agent may imitate its policy, so ∅ beside {1} adds nothing [T1].
    assert ThreatModel(sets={0: [{1}, set()], 1: [{0}]}).same_as(certain, 2)


def test_sets_with_probability() -> None:
    threat = ThreatModel(probability=HALF, sets={0: [{1}, set()], 1: [set()]})
    assert weights(threat, 2, 0) == [(((), HALF), ((1,), HALF))]
    assert weights(threat, 2, 1) == [(((), Fraction(1)),)]


def test_distribution_is_one_extreme_point() -> None:
    law = {frozenset({1, 2}): "1/6", frozenset({2}): "1/3", frozenset(): "1/2", frozenset({1}): 0}
    threat = ThreatModel(distribution={i: {frozenset(): 1} for i in (1, 2)} | {0: law})
    assert weights(threat, 3, 0) == [(((), HALF), ((2,), Fraction(1, 3)), ((1, 2), Fraction(1, 6)))]
    assert threat.corruptions(3, 0)[0].corruptible == (1, 2)
    assert threat.corruptions(3, 1)[0].corruptible == ()
    everyone = {i: {frozenset({0, 1, 2} - {i}): 1} for i in range(3)}
    assert ThreatModel(distribution=everyone).decouples(3)
    assert ThreatModel(2, distribution=everyone).same_as(ThreatModel(2), 3)


def test_distribution_of_doubles_is_normalised_exactly() -> None:
    law: dict[frozenset[int], Any] = {frozenset({1}): 0.1, frozenset(): 0.9}
    (corruption,) = ThreatModel(distribution={0: law, 1: {frozenset(): 1}}).corruptions(2, 0)
    assert sum(weight for _, weight in corruption.weights) == 1
    assert corruption.weights[1][1] == Fraction(0.1) / (Fraction(0.1) + Fraction(0.9))


def test_order_of_a_distribution_does_not_matter() -> None:
    items = [(frozenset({1}), HALF), (frozenset(), HALF)]
    one, two = (
        ThreatModel(distribution={0: dict(order), 1: {frozenset(): 1}}) for order in (items, items[::-1])
    )
    assert one == two
    assert hash(one) == hash(two)
    assert one.to_json() == two.to_json()


def test_numpy_integers_count_as_integers() -> None:
    assert ThreatModel(np.int64(1)) == ThreatModel(1)
    assert ThreatModel(sets={np.int64(0): [{np.int32(1)}], 1: [{0}]}) == ThreatModel(
        sets={0: [{1}], 1: [{0}]}
    )


@pytest.mark.parametrize(
    ("threat", "words"),
    [
        (ThreatModel(2), "k = 2"),
        (ThreatModel(1, probability="1/3"), "k = 1 with probability at most 1/3"),
        (ThreatModel(sets={0: [{1}], 1: [{0}]}), "explicit corruption sets"),
        (ThreatModel(distribution={0: {frozenset(): 1}}), "a fixed distribution over corruption sets"),
    ],
)
def test_description(threat: ThreatModel, words: str) -> None:
    assert threat.describe() == words


@st.composite
def threats(draw: st.DrawFn, n: int) -> ThreatModel:
    """Threats of every kind for games of `n` agents."""
    rho = draw(st.none() | st.fractions(0, 1, max_denominator=9) | st.floats(0, 1))
    kind = draw(st.sampled_from(["k", "sets", "distribution"]))
    if kind == "k":
        return ThreatModel(draw(st.integers(0, n + 1)), rho)
    subsets = {i: st.frozensets(st.sampled_from([j for j in range(n) if j != i])) for i in range(n)}
    if kind == "sets":
        return ThreatModel(
            probability=rho, sets={i: draw(st.lists(subsets[i], min_size=1, max_size=5)) for i in range(n)}
        )
    laws = {}
    for i in range(n):
        masses = draw(st.dictionaries(subsets[i], st.integers(1, 9), min_size=1, max_size=4))
        laws[i] = {K: Fraction(mass, sum(masses.values())) for K, mass in masses.items()}
    return ThreatModel(draw(st.none() | st.just(n)), distribution=laws)


@given(st.data(), st.integers(2, 4))
def test_every_threat_resolves_to_distributions(data: st.DataObject, n: int) -> None:
    threat = data.draw(threats(n))
    for agent in range(n):
        points = threat.corruptions(n, agent)
        assert points
        assert len(set(points)) == len(points)
        for point in points:
            assert sum(weight for _, weight in point.weights) == 1
            assert all(weight > 0 for _, weight in point.weights)
            assert all(members == tuple(sorted(set(members))) for members, _ in point.weights)
            assert all(agent not in members and set(members) <= set(range(n)) for members, _ in point.weights)
            assert point == Corruption.mixture(reversed(point.weights))


@given(st.data(), st.integers(2, 4))
def test_json_round_trip(data: st.DataObject, n: int) -> None:
    import json

    threat = data.draw(threats(n))
    again = ThreatModel.from_json(json.loads(json.dumps(threat.to_json())))
    assert again == threat
    assert hash(again) == hash(threat)
    assert again.same_as(threat, n)
    assert again.decouples(n) == threat.decouples(n)


@given(st.data(), st.integers(2, 4))
def test_decoupling_means_all_others_for_sure(data: st.DataObject, n: int) -> None:
    """[T4]: no doubt about who is corrupted, and nobody is left out."""
    threat = data.draw(threats(n))
    everyone = all(
        [K for K, _ in point.weights] == [tuple(j for j in range(n) if j != agent)]
        for agent in range(n)
        for point in threat.corruptions(n, agent)
    )
    assert threat.decouples(n) == everyone
