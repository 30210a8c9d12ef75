"""The catalog as a whole: names, parameters, messages, sizes and labels."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import get_args

import pytest
from instances import answer_game

from arneq_exact import catalog
from arneq_exact.catalog.entry import KnownAnswer, Label
from arneq_exact.errors import InputError
from arneq_exact.model.threat import ThreatModel

NAMES = catalog.names()


def test_names_are_distinct_and_kebab_case():
    assert len(NAMES) >= 16
    assert len(set(NAMES)) == len(NAMES)
    assert all(
        name == name.lower() and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_default_game_has_the_stated_sizes(name):
    entry = catalog.entry(name)
    start = time.process_time()
    game = catalog.load(name)
    assert time.process_time() - start < 5
    assert (game.n_agents, game.n_states, game.n_rows) == entry.sizes
    assert (game.contraction < 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name):
    entry = catalog.entry(name)
    assert entry.title
    assert entry.summary.endswith(".")
    assert len(entry.origin) >= 8
    assert entry.answers
    assert all(meaning for _, meaning in entry.parameters.values())
    for number, answer in enumerate(entry.answers):
        assert answer.label in get_args(Label)
        assert answer.source
        game = answer_game(name, number)
        states = {game.state_name(state) for state in range(game.n_states)}
        assert answer.values
        for state, row in answer.exact_values().items():
            assert state in states
            assert len(row) == game.n_agents
        answer.threat.corruptions(game.n_agents, 0)
        if answer.label == "computed-and-certified":
            assert not answer.exact


def test_enough_games_have_an_answer_from_paper():
    proved = [
        name
        for name in NAMES
        if any(answer.label in ("cited", "closed-form") for answer in catalog.entry(name).answers)
    ]
    assert len(proved) >= 10


def test_enough_games_have_a_policy_between_the_ends_of_the_scale():
    between = {
        name
        for name in NAMES
        for number, answer in enumerate(catalog.entry(name).answers)
        if answer.policy and 0 < answer.threat.k < answer_game(name, number).n_agents - 1
    }
    assert len(between) >= 6


@pytest.mark.parametrize(
    ("name", "words"),
    [("nosd", ["'nosd'", "did you mean 'nosde'?", "climbing"]), ("", ["''", "must be one of"]), (3, ["3"])],
)
def test_unknown_names_are_refused_with_the_choices(name, words):
    with pytest.raises(InputError) as caught:
        catalog.load(name)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("nosde", {"gamma": 1}, ["no parameter 'gamma'", "discount"]),
        ("climbing", {"size": 1}, ["no parameter 'size'", "none"]),
        ("nosde", {"discount": 2}, ["discount", "2", "[0, 1]"]),
        ("nosde", {"discount": "x"}, ["'x'", "must be a number"]),
        ("nosde-majority", {"budget": 0}, ["budget", "from 1 to 4"]),
        ("nosde-majority", {"budget": 1.5}, ["1.5", "integer"]),
        ("matching-pennies", {"heads": -1}, ["heads", "above -1"]),
        ("rock-paper-scissors", {"paper": 0}, ["paper", "above 0"]),
        ("penalty", {"penalty": 3}, ["at most 2"]),
        ("prisoners-dilemma", {"reward": 9}, ["temptation > reward"]),
        ("battle-of-the-sexes", {"other": 0}, ["above 0"]),
        ("threshold-public-good", {"cost": 2}, ["cost", "below benefit"]),
        ("unanimity", {"values": 3}, ["values", "list"]),
        ("unanimity", {"values": (1, -1)}, ["above 0"]),
        ("separable", {"actions": 3}, ["2 or 4"]),
        ("separable", {"states": 10**9}, ["'separable' of this size", "must be smaller"]),
        (
            "random-dense",
            {"states": 1e9},
            ["'random-dense' of this size", "over 50000000", "must be smaller"],
        ),
        ("random-sparse", {"agents": 30}, ["'random-sparse' of this size", "must be smaller"]),
        ("random-dense", {"agents": 10**9}, ["agents", "from 1 to 64"]),
    ],
)
def test_inadmissible_parameters_are_refused_in_one_line(name, parameters, words):
    with pytest.raises(InputError) as caught:
        catalog.load(name, **parameters)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_a_known_answer_must_be_checkable():
    with pytest.raises(InputError, match="not unique"):
        KnownAnswer(ThreatModel(0), {"0": (1,)}, "closed-form", "demo", unique=False)
    with pytest.raises(InputError, match="label"):
        KnownAnswer(ThreatModel(0), {"0": (1,)}, "guessed", "demo")


def test_importing_the_catalog_pulls_in_no_solver():
    code = (
        "import sys; import arneq_exact.catalog as c; c.names(); "
        "print([m for m in ('numba', 'cvxpy', 'nashpy', 'networkx', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
