"""Evidence: the rule of verdicts, comparisons in doubles and Fractions, and files that lose nothing."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from arneq_exact.errors import FileError, InputError, StageError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.theory import ledger
from arneq_exact.theory.engine.encoding import decode, encode, frozen
from arneq_exact.theory.engine.evidence import Comparison, Evidence, Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import Hypothesis, Statement

GAME = MarkovGame.one_shot([[["1/3", -1], [-1, 1]], [[-1, 1], [1, -1]]])
INSTANCE = Instance(
    GAME,
    ThreatModel(1, probability="1/7"),
    {"third": np.array([[Fraction(1, 3), Fraction(2)]], dtype=object), "value": np.array([0.1, 2.0])},
    seed=5,
    family="dense",
)


def judged(findings: Findings, **options) -> Evidence:
    return Evidence.of("T1", findings, INSTANCE, **options)


GOOD, BAD = at_most("a", 1.0, 2.0), at_most("b", 2.0, 1.0)


@pytest.mark.parametrize(
    ("findings", "verdict", "reason"),
    [
        (Findings([GOOD]), "holds", ""),
        (Findings([GOOD, BAD]), "violated", ""),
        (Findings([at_most("c", 0.0, -1e-10)], tolerance=1e-9), "holds", ""),
        (Findings([at_most("c", 0.0, -1e-8)], tolerance=1e-9), "violated", ""),
        (Findings([equal("d", 0.0, -1e-8)], tolerance=1e-9), "violated", ""),
        (Findings([equal("d", Fraction(1, 3), Fraction(1, 3))]), "holds", ""),
        (Findings([equal("d", Fraction(1, 3), Fraction(10**20 + 1, 3 * 10**20))]), "violated", ""),
        (Findings([BAD], hypotheses={"types": False}), "hypotheses not met", "not met: types"),
        (Findings([BAD], hypotheses={"types": None}), "undecided", "not decided: types"),
        (Findings([BAD], hypotheses={"types": None, "m": False}), "hypotheses not met", "not met: m"),
        (Findings([BAD], undecided="too many boxes"), "undecided", "too many boxes"),
        (Findings(), "undecided", "nothing was compared"),
        (Findings([at_most("e", float("nan"), 1.0), GOOD]), "violated", ""),
    ],
)
def test_the_rule_of_verdicts(findings, verdict, reason):
    found = judged(findings)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_dropped_hypothesis_is_not_asked_for():
    findings = Findings([BAD], hypotheses={"types": False, "m": True})
    assert judged(findings, dropped=["types"]).verdict == "violated"
    assert judged(findings, dropped=["m"]).verdict == "hypotheses not met"


def test_the_worst_entry_and_the_worst_comparison_come_first():
    found = judged(Findings([at_most("a", [1.0, 5.0], [4.0, 6.0], [1.0, 4.0]), equal("b", [1.0], [1.5])]))
    assert found.comparisons[0] == Comparison("b", 1.0, 1.5, "=", -0.5)
    assert found.comparisons[1] == Comparison("a", 5.0, 6.0, "<=", 0.25)
    assert (found.left, found.right, found.margin) == (1.0, 1.5, -0.5)


def test_fractions_stay_exact_beside_whole_units():
    found = at_most("a", np.array([Fraction(1, 3)], dtype=object), 1, 2)
    assert found == Comparison("a", Fraction(1, 3), Fraction(1), "<=", Fraction(1, 3))
    assert isinstance(found.margin, Fraction)


def test_comparing_nothing_is_refused():
    with pytest.raises(InputError, match=r"comparison 'a': compares nothing"):
        at_most("a", [], [])


def test_evidence_is_frozen():
    found = judged(Findings([GOOD], quantities={"q": np.eye(2)}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.verdict = "holds"
    with pytest.raises(ValueError, match="read-only"):
        found.quantities["q"][0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        INSTANCE.extras["value"][0] = 5


def test_files_lose_nothing(tmp_path):
    quantities = {"q": np.eye(2), "deep": {"list": [Fraction(1, 3), float("inf"), None, True, "text", 0.1]}}
    found = judged(
        Findings(
            [equal("x", Fraction(1, 3), Fraction(1, 7)), GOOD],
            1e-9,
            "why",
            quantities,
            hypotheses={"m": True, "t": None},
        ),
        dropped=["t"],
    )
    found.save(tmp_path / "evidence.json")
    again = Evidence.load(tmp_path / "evidence.json")
    assert again.same_as(found)
    assert again.comparisons == found.comparisons
    assert again.instance.same_as(INSTANCE)
    assert again.instance.game.exact.reward(0, 0) == Fraction(1, 3)
    assert again.instance.threat == INSTANCE.threat
    assert again.quantities["deep"] == found.quantities["deep"]


def test_files_of_another_kind_are_refused(tmp_path):
    data = judged(Findings([GOOD])).to_json()
    with pytest.raises(FileError, match="verdict is 'maybe'; must be one of holds, violated"):
        Evidence.from_json({**data, "verdict": "maybe"})
    with pytest.raises(FileError, match="key 'verdict' is missing"):
        Evidence.from_json({key: value for key, value in data.items() if key != "verdict"})
    with pytest.raises(FileError, match="format is 'other'"):
        Evidence.from_json({**data, "format": "other"})


def test_what_cannot_be_written_is_refused():
    with pytest.raises(FileError, match="Instance: extras is <object"):
        Instance(GAME, ThreatModel(0), {"thing": object()})


@pytest.mark.parametrize(
    "value",
    [
        1,
        0.1,
        -0.0,
        "text",
        None,
        True,
        Fraction(-7, 3),
        float("-inf"),
        (1, (2.5, "x")),
        {"a": (Fraction(1),)},
    ],
)
def test_encoding_is_undone(value):
    assert decode(encode(frozen(value, "x")), "x") == value


@pytest.mark.parametrize(
    "array",
    [
        np.array([[0.1, np.nan], [-np.inf, 1.0]]),
        np.arange(4).reshape(2, 2),
        np.ones((1, 2)),
        np.array([True]),
    ],
)
def test_arrays_keep_their_kind_and_every_bit(array):
    text = json.dumps(encode(frozen(array, "x")), allow_nan=False)
    again = decode(json.loads(text), "x")
    assert again.dtype == array.dtype
    assert np.array_equal(again, array, equal_nan=array.dtype.kind == "f")


def test_statements_refuse_a_wrong_status_and_unknown_hypotheses():
    def made(status: str) -> Statement:
        assumed = (Hypothesis("types", "One type holds."),)
        return Statement(
            "T0", "t", "c", assumed, "s", status, lambda i: Findings([GOOD]), {"x": lambda r: INSTANCE}
        )

    with pytest.raises(InputError, match="status is 'false without luck'; must be 'proved'"):
        made("false without luck")
    with pytest.raises(InputError, match="hypothesis 'luck' is unknown; must be one of types"):
        made("false without types").check(GAME, ThreatModel(1), drop=["luck"])
    with pytest.raises(InputError, match="has no check in exact arithmetic"):
        made("proved under hypotheses").confirm_exactly(INSTANCE)
    assert made("proved under hypotheses").check(GAME, ThreatModel(1), seed=3).seed == 3
    with pytest.raises(InputError, match="must be 'proved' if there are none, and only then"):
        made("proved")


def test_a_hypothesis_that_nothing_decides_is_open():
    """A check that tells nothing of a hypothesis cannot have met it, and tells of no other ones."""
    assumed = (Hypothesis("types", "One type holds."), Hypothesis("early", "Seed.", lambda i: i.seed == 5))

    def made(told) -> Statement:
        return Statement(
            "T0",
            "t",
            "c",
            assumed,
            "s",
            "proved under hypotheses",
            lambda i: Findings([GOOD], hypotheses=told),
            {"x": lambda r: INSTANCE},
        )

    silent = made({}).check_instance(INSTANCE)
    assert (silent.verdict, silent.reason) == ("undecided", "not decided: types")
    assert silent.hypotheses == {"types": None, "early": True}
    assert made({}).check_instance(INSTANCE, drop=["types"]).verdict == "holds"
    assert made({"types": True}).check_instance(INSTANCE).verdict == "holds"
    with pytest.raises(InputError, match="its check tells of luck; must be its own hypotheses"):
        made({"luck": True}).check_instance(INSTANCE)


def test_nothing_is_computed_where_an_early_hypothesis_fails():
    def examine(instance):
        raise AssertionError("not to be called")

    early = Hypothesis("early", "The seed is 5.", lambda instance: instance.seed == 5)
    one = replace(
        ledger.statement("T1.sets"), hypotheses=(early,), status="proved under hypotheses", examine=examine
    )
    other = replace(INSTANCE, seed=6)
    found = one.check_instance(other)
    assert (found.verdict, found.reason) == ("hypotheses not met", "not met: early")
    with pytest.raises(AssertionError, match="not to be called"):
        one.check_instance(other, drop=["early"])
    fixed = replace(one, hypotheses=(replace(early, droppable=False),))
    with pytest.raises(InputError, match="hypothesis 'early' says what it is about; must not be dropped"):
        fixed.check_instance(other, drop=["early"])


def test_a_solver_that_gives_up_leaves_the_statement_undecided():
    def examine(instance):
        raise StageError("no method solved game 3")

    found = replace(ledger.statement("T3.existence"), examine=examine).check_instance(INSTANCE)
    assert (found.verdict, found.reason) == ("undecided", "a solver gave up: no method solved game 3")


def test_the_ledger_knows_its_statements():
    assert ledger.statement("T4.nash").id == "T4.nash"
    assert [one.id for one in ledger.statements(["T4"])] == ["T4.nash", "T4.decoupling", "T4.maximin"]
    assert ledger.statements() == ledger.STATEMENTS
    with pytest.raises(InputError, match="statement 'T99' is unknown; must be one of T1"):
        ledger.statements(["T1", "T99"])


def test_evidence_is_repeated_from_a_file(tmp_path):
    one = ledger.statement("T1.sets")
    for check in (one.check_instance, one.confirm_exactly):
        found = check(one.draw(2, seed=9))
        found.save(tmp_path / "evidence.json")
        again = ledger.repeat(Evidence.load(tmp_path / "evidence.json"))
        assert again.same_as(found)
        assert again.confirmed == (check == one.confirm_exactly)
