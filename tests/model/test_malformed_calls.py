"""Malformed calls about policies, files, numbers and threats: each is refused in one line with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from arneq_exact.errors import (
    ArneqError,
    FileError,
    InputError,
    PolicyError,
    StateLimitError,
    ThreatError,
)
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.model.explore import explore
from arneq_exact.model.files import save_game, save_policy
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

NAN, INF = float("nan"), float("inf")
GAME = MarkovGame.from_rows(
    [[2, 1], [1, 1]],
    [[0, 0], [1, 2], [3, 4]],
    [[(1, 0)], [(1, 1)], [(1, 0)]],
    0.9,
    names=GameNames.of(["ann", "bob"], ["here", "there"], None),
)
POLICY = Policy.uniform(GAME)
OTHER = MarkovGame.one_shot([[1, 2, 3]])


POLICY_CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: Policy(GAME, 3), "probabilities are 3; must be a list of one array per agent"),
    (lambda: Policy(GAME, None), "probabilities are None"),
    (lambda: Policy(GAME, "uniform"), "probabilities are 'uniform'"),
    (lambda: Policy(GAME, {}), "probabilities are {}"),
    (lambda: Policy(GAME, []), "0 arrays are given; must be one for each agent: 2"),
    (lambda: Policy(GAME, [[[1, 0], [1, 0]]]), "1 arrays are given"),
    (lambda: Policy(GAME, np.ones((2, 2))), "one array (S, A) is given"),
    (lambda: Policy(GAME, [[[1, 0]], [[1], [1]]]), "probabilities of agent 'ann' have shape (1, 2); must be"),
    (lambda: Policy(GAME, [[[1, 0], [1, 0]], [1, 1]]), "probabilities of agent 'bob' have shape (2,)"),
    (lambda: Policy(GAME, [[[1, 0], [1]], [[1], [1]]]), "probabilities of agent 'ann' must be a table"),
    (lambda: Policy(GAME, [[["x", 0], [1, 0]], [[1], [1]]]), "probabilities of agent 'ann' must be a table"),
    (lambda: Policy(GAME, [[[None, 0], [1, 0]], [[1], [1]]]), "agent 'ann' in state 'here' is nan"),
    (lambda: Policy(GAME, [[[1j, 0], [1, 0]], [[1], [1]]]), "probabilities of agent 'ann' must be a table"),
    (lambda: Policy(GAME, [np.eye(2) * 1j, [[1], [1]]]), "probabilities of agent 'ann' must be a table"),
    (
        lambda: Policy(GAME, [[[2, -1], [1, 0]], [[1], [1]]]),
        "action 1 of agent 'ann' in state 'here' is -1.0",
    ),
    (lambda: Policy(GAME, [[[1, 0], [NAN, 0]], [[1], [1]]]), "agent 'ann' in state 'there' is nan"),
    (lambda: Policy(GAME, [[[1, 0], [0, 1]], [[1], [1]]]), "0 past the state's 1 actions"),
    (lambda: Policy(GAME, [[[0.5, 0.4], [1, 0]], [[1], [1]]]), "in state 'here' sum to 0.9; must be 1"),
    (
        lambda: Policy(GAME, [[[1, 0], [1, 0]], [[1], [0]]]),
        "agent 'bob' in state 'there' sum to 0; must be 1",
    ),
    (lambda: Policy(GAME, [[[[1, 0], [1, 0]]], [[1], [1]]]), "agents have different horizons"),
    (lambda: Policy(GAME, [np.zeros((0, 2, 2)), np.zeros((0, 2, 1))]), "have shape (0, 2, 2)"),
    (lambda: Policy(OTHER, list(POLICY)), "2 arrays are given; must be one for each agent: 1"),
    (lambda: Policy.uniform(GAME, 0), "horizon is 0; must be an integer of at least 1"),
    (lambda: Policy.uniform(GAME, -1), "horizon is -1"),
    (lambda: Policy.uniform(GAME, 1.5), "horizon is 1.5"),
    (lambda: Policy.from_actions(GAME, 0), "actions have shape ()"),
    (lambda: Policy.from_actions(GAME, [0, 0]), "actions have shape (2,); must end in (S, n) = (2, 2)"),
    (lambda: Policy.from_actions(GAME, [[0, 0], [1, 0]]), "agent 'ann' in state 'there' must be below 1"),
    (lambda: Policy.from_actions(GAME, [[-1, 0], [0, 0]]), "agent 'ann' in state 'here' must be below 2"),
    (lambda: Policy.from_actions(GAME, [[0.5, 0], [0, 0]]), "actions have dtype float64; must be integers"),
    (lambda: Policy.from_actions(GAME, [["0", "0"], ["0", "0"]]), "actions have dtype <U1"),
    (lambda: Policy.from_actions(GAME, [[0, 0], [0]]), "actions are a ragged list"),
    (
        lambda: Policy.from_callable(GAME, lambda _agent, _state: [1]),
        "'ann' in state 'here' has 1 probabilities",
    ),
    (lambda: Policy.from_callable(GAME, lambda *_: 1), "agent 'ann' in state 'here' has 1; must be a list"),
    (lambda: Policy.from_callable(GAME, lambda *_: "ab"), "agent 'ann' in state 'here' has 'ab'"),
    (lambda: Policy.from_callable(GAME, lambda *_: ["x", 1]), "in state 'here': probability is 'x'"),
    (
        lambda: Policy.from_callable(GAME, lambda agent, _: [0.5, 0.6][: 2 - agent]),
        "'ann' in state 'there' has 2",
    ),
    (lambda: POLICY.distance(Policy.uniform(GAME, 2)), "have different shapes"),
    (lambda: POLICY.require_fit(OTHER, "gap"), "gap: policy was made for a game of other sizes"),
    (
        lambda: save_policy(POLICY, OTHER, "policy.json"),
        "save_policy: policy was made for a game of other sizes",
    ),
]

FILE_CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: save_policy([1], GAME, "policy.json"), "policy is list; must be a Policy"),
    (lambda: save_policy(POLICY, GAME, "policy.npz"), "extension is '.npz'; must be .json"),
    (lambda: save_policy(POLICY, GAME, "/no/such/folder/policy.json"), "cannot be written"),
    (lambda: save_game([1], "game.json"), "game is list; must be a MarkovGame"),
    (lambda: save_game(GAME, "game.csv"), "extension is '.csv'; must be .json or .npz"),
    (lambda: save_game(GAME, "/no/such/folder/game.json"), "cannot be written"),
    (lambda: save_game(GAME, "/no/such/folder/game.npz"), "cannot be written"),
]

NUMBER_CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: to_fraction(object(), "tol"), "tol is <object object"),
    (
        lambda: to_fraction(np.array([[1, 2], [3, 4]]), "tol"),
        "tol is array([[1, 2], [3, 4]]); must be a number",
    ),
]

SETS = {0: [{1}], 1: [{0}]}
THREAT_CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: ThreatModel(), "nothing is given; must have k, sets or distribution"),
    (lambda: ThreatModel(-1), "k is -1; must be an integer of at least 0"),
    (lambda: ThreatModel(1.0), "k is 1.0"),
    (lambda: ThreatModel(True), "k is True"),
    (lambda: ThreatModel("1"), "k is '1'"),
    (lambda: ThreatModel(probability=0.5), "nothing is given"),
    (lambda: ThreatModel(1, probability=1.5), "probability is 1.5; must be in [0, 1]"),
    (lambda: ThreatModel(1, probability=-0.1), "probability is -0.1"),
    (lambda: ThreatModel(1, probability="x"), "probability is 'x'"),
    (lambda: ThreatModel(1, probability=NAN), "probability is nan"),
    (lambda: ThreatModel(1, probability=[0.5]), "probability is [0.5]"),
    (lambda: ThreatModel(1, sets=SETS), "sets are given with k or distribution; must be given alone"),
    (lambda: ThreatModel(sets=SETS, distribution={}), "sets are given with k or distribution"),
    (lambda: ThreatModel(sets=[[{1}], [{0}]]), "sets are [[{1}], [{0}]]; must be a mapping"),
    (lambda: ThreatModel(sets={0: []}), "the family of corruption sets of agent 0 is empty"),
    (lambda: ThreatModel(sets={0: 1}), "sets of agent 0 are 1; must be a list of sets"),
    (lambda: ThreatModel(sets={0: [1]}), "corruption set is 1; must be a set of agents"),
    (lambda: ThreatModel(sets={0: ["12"]}), "corruption set is '12'"),
    (lambda: ThreatModel(sets={0: [{-1}]}), "agent is -1; must be a number from 0"),
    (lambda: ThreatModel(sets={"0": [{1}]}), "agent is '0'"),
    (lambda: ThreatModel(sets={0: [{1.0}]}), "agent is 1.0"),
    (
        lambda: ThreatModel(sets={0: [{1}]}).corruptions(2, 0),
        "sets list the agents [0]; must list each of 0..1",
    ),
    (lambda: ThreatModel(sets=SETS).corruptions(3, 0), "sets list the agents [0, 1]; must list each of 0..2"),
    (
        lambda: ThreatModel(sets={0: [{0}], 1: [{0}]}).decouples(2),
        "sets of agent 0 hold [0]; must be a set of",
    ),
    (lambda: ThreatModel(sets={0: [{2}], 1: [{0}]}).corruptions(2, 1), "sets of agent 0 hold [2]"),
    (lambda: ThreatModel(distribution=3), "distribution are 3; must be a mapping"),
    (lambda: ThreatModel(distribution={0: [1]}), "distribution of agent 0 is [1]"),
    (lambda: ThreatModel(distribution={0: {}}), "distribution of agent 0 sums to 0; must be 1"),
    (lambda: ThreatModel(distribution={0: {frozenset({1}): 0.5}}), "distribution of agent 0 sums to 0.5"),
    (
        lambda: ThreatModel(distribution={0: {frozenset({1}): 1.5, frozenset(): -0.5}}),
        "distribution of agent 0 gives [] probability -0.5",
    ),
    (lambda: ThreatModel(distribution={0: {frozenset({1}): "x"}}), "distribution of agent 0 is 'x'"),
    (
        lambda: ThreatModel(1, distribution={0: {frozenset({1, 2}): 1}}),
        "holds [1, 2]; must be sets of at most k = 1",
    ),
    (lambda: ThreatModel(distribution={0: {(1, 2): 0.5, (2, 1): 0.5}}), "holds [1, 2] twice"),
    (
        lambda: ThreatModel(1, 0.5, distribution={0: {frozenset({1}): 1}}),
        "probability is given with distribution",
    ),
    (
        lambda: ThreatModel(distribution={0: {frozenset({1}): 1}}).decouples(2),
        "distribution list the agents [0]",
    ),
    (lambda: ThreatModel.from_json(1, "cert.json: threat"), "cert.json: threat: is 1; must be an object"),
    (lambda: ThreatModel.from_json({}, "t"), "t: nothing is given"),
    (lambda: ThreatModel.from_json({"K": 1}, "t"), "t: key 'K' is unknown; must be k, probability, sets"),
    (lambda: ThreatModel.from_json({"k": "1"}, "t"), "t: k is '1'"),
    (lambda: ThreatModel.from_json({"k": 1, "probability": {}}, "t"), "t: probability is {}"),
    (lambda: ThreatModel.from_json({"sets": []}, "t"), "t: sets are []; must be an object"),
    (lambda: ThreatModel.from_json({"sets": {"one": [[0]]}}, "t"), "t: sets have the key 'one'"),
    (lambda: ThreatModel.from_json({"sets": {"00": [[1]]}}, "t"), "t: sets have the key '00'"),
    (lambda: ThreatModel.from_json({"sets": {"0": None}}, "t"), "t: sets of agent 0 are None"),
    (lambda: ThreatModel.from_json({"distribution": {"0": {}}}, "t"), "t: distribution of agent 0 is {}"),
    (
        lambda: ThreatModel.from_json({"distribution": {"0": [[1]]}}, "t"),
        "must be a list of [set, probability]",
    ),
    (
        lambda: ThreatModel.from_json({"distribution": {"0": [[[1], 0.5], [[1], 0.5]]}}, "t"),
        "t: distribution of agent 0 lists a set twice",
    ),
]

CASES = [
    *[(call, PolicyError, fragment) for call, fragment in POLICY_CALLS],
    *[(call, FileError, fragment) for call, fragment in FILE_CALLS],
    *[(call, InputError, fragment) for call, fragment in NUMBER_CALLS],
    *[(call, ThreatError, fragment) for call, fragment in THREAT_CALLS],
]


@pytest.mark.parametrize(("call", "error", "fragment"), CASES, ids=[f"{n}" for n in range(len(CASES))])
def test_call_is_refused(call: Callable[[], Any], error: type[InputError], fragment: str) -> None:
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert fragment in message
    assert "\n" not in message
    assert len(message) < 300


def test_table_is_large() -> None:
    assert len(CASES) >= 90


def test_state_limit_is_no_input_error() -> None:
    with pytest.raises(StateLimitError, match=r"limit = 3 .*next one is '3'") as caught:
        explore([0], 1, [["go"]], lambda n, _: ([0], [(1, n + 1)]), 0.9, limit=3)
    assert isinstance(caught.value, ArneqError)
