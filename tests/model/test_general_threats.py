"""Inequalities, informed attackers, masks and timing [T10]: extreme points, order, files, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import games
import numpy as np
import pytest

from arneq_exact.errors import ThreatError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Slot

ONE, HALF, THIRD = Fraction(1), Fraction(1, 2), Fraction(1, 3)
GENERAL = [(n, name) for n in (2, 3, 4) for name in games.general_threats(n)]


def weights(threat: ThreatModel, n: int, agent: int) -> list[tuple[tuple[tuple[int, ...], Fraction], ...]]:
    return [corruption.weights for corruption in threat.corruptions(n, agent)]


def test_inequalities_over_the_budget_family() -> None:
    """ω(∅) ≥ 1/2 for n = 3, k = 1: the corners of a smaller simplex, ∅ first."""
    threat = ThreatModel(1, inequalities=([[-1, 0, 0]], ["-1/2"]))
    assert weights(threat, 3, 1) == [(((), ONE),), (((), HALF), ((0,), HALF)), (((), HALF), ((2,), HALF))]
    free = ThreatModel(1, inequalities=([], []))
    assert weights(free, 3, 1) == [(((), ONE),), (((0,), ONE),), (((2,), ONE),)]


def test_inequalities_over_listed_sets_follow_the_list() -> None:
    """Columns of G stand for the sets as listed; extreme points come in canonical order all the same."""
    sets = {0: [{1, 2}, set(), {2}], 1: [[]], 2: [[]]}
    pairs = {0: ([[1, 0, 0], [0, 1, 0]], ["1/3", 0]), 1: ([], []), 2: ([[1]], [1])}
    threat = ThreatModel(sets=sets, inequalities=pairs)
    assert weights(threat, 3, 0) == [(((2,), ONE),), (((2,), 1 - THIRD), ((1, 2), THIRD))]
    assert weights(threat, 3, 1) == [(((), ONE),)]


def test_a_point_is_a_fixed_distribution() -> None:
    rows = [[1, 0], [-1, 0]]
    point = ThreatModel(1, inequalities=(rows, ["1/3", "-1/3"]))
    law = {i: {frozenset(): "1/3", frozenset({1 - i}): "2/3"} for i in range(2)}
    assert point.same_as(ThreatModel(distribution=law), 2)
    assert not point.decouples(2)
    certain = ThreatModel(1, inequalities=([[1, 0]], [0]))
    assert certain.same_as(ThreatModel(1), 2)
    assert certain.decouples(2)


def test_agents_that_fall_together_or_never() -> None:
    """Agent 3 cannot be corrupted, agents 1 and 2 fall together."""
    threat = ThreatModel(sets={0: [{1}], 1: [{0}], 2: [{0, 1}, []]})
    assert [weights(threat, 3, i) for i in range(3)] == [
        [(((1,), ONE),)],
        [(((0,), ONE),)],
        [(((0, 1), ONE),)],
    ]


def test_informed_attackers_decide_for_every_set() -> None:
    law = {0: {frozenset({2}): "1/2", frozenset({1, 2}): "1/2"}, 1: {frozenset(): 1}, 2: {frozenset(): 1}}
    (committed,) = ThreatModel(distribution=law).corruptions(3, 0)
    (informed,) = ThreatModel(distribution=law, informed=True).corruptions(3, 0)
    assert committed.slots == (Slot(1, ((1, 2),)), Slot(2, ((2,), (1, 2))))
    assert informed.slots == (Slot(2, ((2,),)), Slot(1, ((1, 2),)), Slot(2, ((1, 2),)))
    counts = (2, 2, 3)
    assert (committed.shape(counts), informed.shape(counts)) == ((2, 3), (3, 2, 3))
    # Column 1·6 + 1·3 + 2 of 3 × 2 × 3: agent 2 alone plays 1; together they play 1 and 2.
    assert informed.forced(11, counts) == {(2,): {2: 1}, (1, 2): {1: 1, 2: 2}}
    assert committed.forced(5, counts) == {(2,): {2: 2}, (1, 2): {1: 1, 2: 2}}


def test_an_informed_attacker_of_separate_sets_gains_nothing() -> None:
    for threat in (ThreatModel(2), ThreatModel(1, probability=HALF), ThreatModel(1, inequalities=([], []))):
        knowing = ThreatModel.from_json({**threat.to_json(), "informed": True})
        assert knowing != threat
        assert knowing.same_as(threat, 3)


def test_masks_keep_every_set() -> None:
    """A masked agent cannot imitate its policy, so smaller sets and ∅ count."""
    masks = {1: {0: [1, 0, 1]}}
    threat = ThreatModel(1, masks=masks)
    assert weights(threat, 3, 0) == [(((), ONE),), (((1,), ONE),), (((2,), ONE),)]
    assert weights(ThreatModel(1, probability=THIRD, masks=masks), 2, 0) == [
        (((), ONE),),
        (((), 1 - THIRD), ((1,), THIRD)),
    ]
    never_none = ThreatModel(sets={0: [{1}], 1: [{0}]}, masks=masks)
    assert weights(never_none, 2, 0) == [(((1,), ONE),)]
    assert not ThreatModel(2, masks=masks).decouples(3)
    assert threat.masks_at(0) == ((1, (0, 1)),)
    assert threat.masks_at(1) == ()
    point = threat.corruptions(3, 0)[1].restricted(threat.masks_at(0))
    assert point.shape((2, 3, 3)) == (2,)
    assert point.choices(1, (2, 3, 3)) == (0, 1)
    # Masks of agents that the point does not corrupt leave it as it is.
    other = threat.corruptions(3, 0)[2]
    assert other.restricted(threat.masks_at(0)) is other


def test_certain_corruption_of_all_others_decouples_under_masks() -> None:
    """Nobody else's policy matters then, whatever the corrupted can do [T4]."""
    everyone = {i: [[j for j in range(3) if j != i]] for i in range(3)}
    assert ThreatModel(sets=everyone, masks={0: {0: [0]}}).decouples(3)


def test_groups_split_states_by_masks() -> None:
    threat = ThreatModel(1, masks={0: {1: [0]}, 1: {1: [0], 2: [1]}})
    states = [(np.array([0, 1, 3]), (2, 2)), (np.array([2]), (2, 3))]
    found = [(part.tolist(), counts, masks) for part, counts, masks in threat.groups(states)]
    assert found == [
        ([0, 3], (2, 2), ()),
        ([1], (2, 2), ((0, (0,)), (1, (0,)))),
        ([2], (2, 3), ((1, (1,)),)),
    ]
    assert len(list(ThreatModel(1).groups(states))) == 2


@pytest.mark.parametrize(("n", "name"), GENERAL)
def test_points_are_distinct_ordered_distributions(n: int, name: str) -> None:
    threat = games.general_threats(n)[name]
    for agent in range(n):
        points = threat.corruptions(n, agent)
        sets = sorted({K for point in points for K, _ in point.weights}, key=lambda K: (len(K), K))
        vectors = [[dict(point.weights).get(K, 0) for K in sets] for point in points]
        assert all(sum(vector) == 1 and min(vector) >= 0 for vector in vectors)
        assert all(later < earlier for earlier, later in pairwise(vectors))
        assert all(point == Corruption.mixture(point.weights, threat.informed) for point in points)


@pytest.mark.parametrize(("n", "name"), GENERAL)
@pytest.mark.parametrize("timing", ["per-state", "static"])
def test_json_round_trip(n: int, name: str, timing: str) -> None:
    data = {**games.general_threats(n)[name].to_json(), "timing": timing}
    threat = ThreatModel.from_json(data)
    again = ThreatModel.from_json(json.loads(json.dumps(threat.to_json())))
    assert again == threat
    assert hash(again) == hash(threat)
    assert again.same_as(threat, n)
    assert again.timing == timing
    assert ("timing" in threat.to_json()) == (timing == "static")


def test_threats_that_differ_in_one_part_are_not_the_same() -> None:
    threat = ThreatModel(1)
    for other in (
        ThreatModel(1, masks={0: {0: [0]}}),
        ThreatModel(1, timing="static"),
        ThreatModel(1, inequalities=([[1, 0]], ["1/2"])),
    ):
        assert not threat.same_as(other, 2)
        assert not other.same_as(threat, 2)
    assert ThreatModel(1, masks={}) == ThreatModel(1, masks={0: {}}) == threat


@pytest.mark.parametrize(
    ("threat", "words"),
    [
        (ThreatModel(2, inequalities=([], [])), "k = 2 under linear inequalities"),
        (ThreatModel(1, informed=True), "k = 1, informed attacker"),
        (
            ThreatModel(sets={0: [[]]}, masks={0: {0: [0]}}, timing="static"),
            "explicit corruption sets, masked actions, drawn once per episode",
        ),
    ],
)
def test_description(threat: ThreatModel, words: str) -> None:
    assert threat.describe() == words


PAIR = ([[1, 0]], [1])
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: ThreatModel(1, probability=HALF, inequalities=PAIR), "probability is given with inequalities"),
    (lambda: ThreatModel(distribution={}, inequalities=PAIR), "inequalities is given with distribution"),
    (lambda: ThreatModel(1, inequalities=3), "inequalities are 3; must be a pair (G, h)"),
    (lambda: ThreatModel(1, inequalities=([1, 0], [1])), "a row of G is 1; must be a list of numbers"),
    (
        lambda: ThreatModel(1, inequalities=([[1], [1, 0]], [1, 1])),
        "rows of lengths [1, 2] in G and 2 numbers",
    ),
    (lambda: ThreatModel(1, inequalities=([[1, 0]], [])), "rows of lengths [2] in G and 0 numbers in h"),
    (lambda: ThreatModel(1, inequalities=([["x", 0]], [1])), "G is 'x'; must be a number"),
    (lambda: ThreatModel(1, inequalities={0: ([[1, 0]], [None])}), "h of agent 0 is None"),
    (
        lambda: ThreatModel(1, inequalities=PAIR).corruptions(3, 2),
        "agent 2 have 2 columns; must have one for each of its 3",
    ),
    (lambda: ThreatModel(1, inequalities={0: PAIR}).corruptions(2, 0), "inequalities list the agents [0]"),
    (lambda: ThreatModel(1, inequalities=([[1, 1]], [0])).corruptions(2, 0), "leave no distribution"),
    (lambda: ThreatModel(1, informed=1), "informed is 1; must be True or False"),
    (lambda: ThreatModel(1, timing="once"), "timing is 'once'; must be per-state or static"),
    (lambda: ThreatModel(1, masks=[0]), "masks are [0]; must be a mapping from agents"),
    (lambda: ThreatModel(1, masks={0: [0]}), "masks of agent 0 are [0]; must be a mapping from states"),
    (lambda: ThreatModel(1, masks={0: {0: []}}), "masks of agent 0 in state 0 allow nothing"),
    (
        lambda: ThreatModel(1, masks={0: {0: 1}}),
        "masks of agent 0 in state 0 are 1; must be a list of actions",
    ),
    (lambda: ThreatModel(1, masks={0: {"s": [1]}}), "masks of agent 0: state is 's'"),
    (lambda: ThreatModel(1, masks={0: {0: [-1]}}), "masks of agent 0: action is -1"),
    (
        lambda: ThreatModel(1, masks={2: {0: [0]}}).require_fit(np.array([[2, 2]])),
        "must be agents 0..1 and states",
    ),
    (lambda: ThreatModel(1, masks={0: {1: [0]}}).require_fit(np.array([[2, 2]])), "name state 1; must be"),
    (
        lambda: ThreatModel(1, masks={0: {0: [2]}}).require_fit(np.array([[2, 2]])),
        "allow action 2; must be actions 0..1",
    ),
    (
        lambda: ThreatModel.from_json({"k": 1, "inequalities": []}, "t"),
        "t: inequalities are []; must be an object",
    ),
    (
        lambda: ThreatModel.from_json({"k": 1, "inequalities": {"G": []}}, "t"),
        "t: inequalities are {'G': []}; must be",
    ),
    (
        lambda: ThreatModel.from_json({"k": 1, "inequalities": {"x": {}}}, "t"),
        "t: inequalities have the key 'x'",
    ),
    (
        lambda: ThreatModel.from_json({"k": 1, "masks": {"0": {"a": [0]}}}, "t"),
        "t: masks of agent 0 have the key 'a'",
    ),
    (lambda: ThreatModel.from_json({"k": 1, "informed": 1}, "t"), "t: informed is 1"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_refused_in_one_line(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ThreatError) as refusal:
        call()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
