"""Audits against brute force and closed forms; what stands for a policy, and what is refused."""

from __future__ import annotations

import copy
import io
import json
import pickle
from dataclasses import replace
from itertools import combinations

import games
import numpy as np
import pytest
from rich.console import Console

from arneq_exact import Policy, ThreatModel, audit, catalog, load, save, solve, static_values
from arneq_exact.errors import GameError, PolicyError, ThreatError
from arneq_exact.oracle import contest as oracle
from arneq_exact.report.audit import budget_table, print_audit, set_table
from arneq_exact.report.studies import plain_text


def only(n: int, agent: int, K) -> ThreatModel:
    """Agent `agent` faces the set K for certain."""
    return ThreatModel(sets={i: [K] if i == agent else [[]] for i in range(n)})


def by_definition(game, threat, policy, agent) -> np.ndarray:
    return oracle.robust_value(oracle.contest(game, threat, policy, agent))


@pytest.mark.parametrize(("n", "k"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 2)])
def test_an_audit_is_what_the_definitions_say(rng, n, k):
    game = games.random_game(rng, n, 3, (1, 3) if n < 4 else 2, 0.8, ending=0.3)
    policy = games.random_policy(rng, game, pure=0.3)
    threat = ThreatModel(k)
    found = audit(game, threat, policy)
    assert sorted(found.robust) == sorted(found.attack) == list(range(n))
    assert len(found.by_set) == n * 2 ** (n - 1)
    for agent in range(n):
        for budget in range(n):
            expected = by_definition(game, ThreatModel(budget), policy, agent)
            np.testing.assert_allclose(found.robust[budget][agent], expected, rtol=0, atol=1e-11)
        family = [K for size in range(n) for K in combinations([j for j in range(n) if j != agent], size)]
        for K in family:
            expected = by_definition(game, only(n, agent, K), policy, agent)
            np.testing.assert_allclose(found.by_set[agent, K], expected, rtol=0, atol=1e-11)
        allowed = [found.by_set[agent, K] for K in family if len(K) <= k]
        np.testing.assert_allclose(found.static[agent], np.min(allowed, axis=0), rtol=0, atol=1e-11)
        best = oracle.best_value(oracle.contest(game, threat, policy, agent))[0]
        np.testing.assert_allclose(found.gap[agent], best - found.robust[k][agent], rtol=0, atol=1e-9)
    assert (found.nominal == found.robust[0]).all()
    assert (found.per_state == found.robust[k]).all()
    np.testing.assert_allclose(found.static, static_values(game, threat, policy).values, rtol=0, atol=0)


@pytest.mark.parametrize("name", sorted(games.threats(3) | games.general_threats(3)))
def test_every_threat(rng, name):
    threat = (games.threats(3) | games.general_threats(3))[name]
    game = games.random_game(rng, 3, 2, 2, 0.7)
    policy = games.random_policy(rng, game)
    found = audit(game, threat, policy)
    for agent in range(3):
        contest = oracle.contest(game, threat, policy, agent)
        own = oracle.robust_value(contest)
        np.testing.assert_allclose(found.per_state[agent], own, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.gap[agent], oracle.best_value(contest)[0] - own, rtol=0, atol=1e-9)
        for K in [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]:
            if agent not in K:
                alone = replace(only(3, agent, K), masks=threat.masks)
                expected = by_definition(game, alone, policy, agent)
                np.testing.assert_allclose(found.by_set[agent, K], expected, rtol=0, atol=1e-11)
    # A budget's other conditions stay; only the budget runs from 0 to n−1.
    kept = threat.k is not None and threat.distribution is None and threat.inequalities is None
    for k in range(3):
        same = replace(threat, k=k) if kept else ThreatModel(k, informed=threat.informed, masks=threat.masks)
        expected = [by_definition(game, same, policy, agent) for agent in range(3)]
        np.testing.assert_allclose(found.robust[k], expected, rtol=0, atol=1e-11)
    if kept:
        assert (found.per_state == found.robust[min(threat.k, 2)]).all()
    shared = threat.distribution is not None or threat.inequalities is not None
    if found.static is None:
        assert shared
        assert not threat.informed
        with pytest.raises(ThreatError, match="several sets with an agent in common"):
            static_values(game, threat, policy)
    else:
        np.testing.assert_array_equal(found.static, static_values(game, threat, policy).values)


def test_the_attacks_attain_the_values(rng):
    """Playing an attack's columns against the policy is worth the robust value, by the oracle's chain."""
    game = games.random_game(rng, 3, 3, 2, 0.8)
    policy = games.random_policy(rng, game)
    found = audit(game, ThreatModel(1), policy)
    for k, attacks in found.attack.items():
        for agent, attack in enumerate(attacks):
            contest = oracle.contest(game, ThreatModel(k), policy, agent)
            values = found.robust[k][agent]
            for state in range(3):
                corruption, forced = attack.at(game, state)
                ((members, _),) = corruption.weights
                mixtures = [
                    np.eye(2)[forced[members][j]] if j in members else policy[j][state] for j in range(3)
                ]
                play = np.einsum("a,b,c->abc", *mixtures).reshape(-1)
                rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
                backed = game.rewards[rows, agent] + 0.8 * (game.transitions[rows] @ values)
                assert play @ backed == pytest.approx(values[state], abs=1e-12)
                assert len(members) <= k
            np.testing.assert_allclose(oracle.robust_step(contest, values), values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_separable_games(rng, k):
    """[F1]: a set costs an agent what its members give at best less what they give at worst."""
    tables = rng.integers(-9, 10, (3, 3, 3, 3)) + rng.uniform(0, 0.5, (3, 3, 3, 3))
    moves = rng.dirichlet(np.ones(3), 3)
    _, best = games.separable_answer(tables, k)
    game = games.separable(tables, 0.8, moves)
    found = audit(game, ThreatModel(k), Policy.from_actions(game, best))
    assert found.gap.max() <= 1e-10
    chain = np.linalg.inv(np.eye(3) - 0.8 * moves)
    played = np.take_along_axis(tables, np.asarray(best)[:, None, :, None], axis=3)[..., 0]
    cost = played - tables.min(axis=3)  # state, agent, other
    for (agent, K), values in found.by_set.items():
        stage = played[:, agent].sum(axis=1) - cost[:, agent, list(K)].sum(axis=1)
        np.testing.assert_allclose(values, chain @ stage, rtol=0, atol=1e-10)


def test_the_chain_separates_the_timings():
    chain = catalog.load("static-chain")
    found = audit(chain, ThreatModel(1), Policy.from_actions(chain, [[0, 0, 0], [0, 0, 0]]))
    assert found.robust[1][0].tolist() == [0, 0]
    assert found.static[0].tolist() == [0.9, 0]
    assert found.by_set[0, (2,)].tolist() == [1, 0]
    assert found.worst[0].describe(chain, 1) == "3 plays D"


def test_an_equilibrium_has_no_gap():
    game = catalog.load("team-coordination")
    solution = solve(game, ThreatModel(1))
    found = audit(game, ThreatModel(1), solution.policy)
    assert found.gap.max() <= 1e-8 * game.reward_range.max()
    np.testing.assert_allclose(found.per_state, solution.values, rtol=0, atol=1e-9)


class Tensor:
    """What a tensor that is part of a computation shows to those who do not know its library."""

    def __init__(self, data):
        self.data = np.asarray(data, dtype=np.float32)

    def __array__(self, *_):
        raise RuntimeError("call detach first")

    def detach(self):
        return Detached(self.data)


class Detached:
    def __init__(self, data):
        self.data = data

    def cpu(self):
        return self

    def numpy(self):
        return self.data


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def test_what_stands_for_a_policy(rng):
    """Arrays, rules and networks of one policy are audited alike."""
    game = catalog.load("static-chain")
    weights = rng.normal(size=(3, 2, 2)).astype(np.float32)

    def one_hot(state):
        return np.eye(2, dtype=np.float32)[["s1", "s2"].index(state)]

    def network(agent):
        return lambda seen: softmax(weights[agent] @ seen)

    exact = np.array([[softmax(weights[i] @ one_hot(s)) for s in ("s1", "s2")] for i in range(3)])
    exact = exact.astype(float)
    exact /= exact.sum(axis=2, keepdims=True)
    networks = [network(agent) for agent in range(3)]
    asked = {
        "policy": (Policy(game, list(exact)), None),
        "array": (exact, None),
        "list of arrays": (list(exact), None),
        "nested lists": (exact.tolist(), None),
        "networks": (networks, one_hot),
        "networks with an eye each": (networks, [one_hot] * 3),
        "one network": (lambda seen: np.stack([f(seen) for f in networks]), one_hot),
        "networks that return tensors": ([lambda x, f=f: Tensor(f(x)) for f in networks], one_hot),
        "tensor": (Tensor(exact), None),
        "tensors": ([Tensor(array) for array in exact], None),
        "rules": ([lambda s, i=i: exact[i, int(s == "s2")] for i in range(3)], None),
        "arrays and a rule": ([exact[0], exact[1], lambda s: exact[2, int(s == "s2")]], None),
    }
    expected = audit(game, ThreatModel(1), asked["policy"][0])
    for name, (policy, observe) in asked.items():
        found = audit(game, ThreatModel(1), policy, observe=observe)
        assert found.policy.distance(expected.policy) < 1e-7, name
        np.testing.assert_allclose(found.gap, expected.gap, rtol=0, atol=1e-6)
    assert audit(game, ThreatModel(1), exact).policy == expected.policy


def test_states_with_fewer_actions_than_a_network_has_outputs():
    """Outputs past a state's own actions must be zero; a profile of equal width is cut to each agent's."""
    game = catalog.load("nosde")  # two actions in the own state, one in the other's
    wide = audit(game, ThreatModel(0), [lambda s: [0.5, 0.5] if s == "s1" else [1, 0], lambda s: [1, 0]])
    assert wide.policy[0].tolist() == [[0.5, 0.5], [1, 0]]
    padded = np.zeros((2, 2, 5))
    padded[..., 0] = 1
    assert (audit(game, ThreatModel(0), padded).policy[1] == [[1, 0], [1, 0]]).all()
    with pytest.raises(PolicyError, match="agent '1' in state 's2' has 2 probabilities; must be 1"):
        audit(game, ThreatModel(0), lambda s: [[0.5, 0.5], [1, 0]])


ONE = [[0.5, 0.5], [0.5, 0.5]]
HALF = [0.5, 0.5]


@pytest.mark.parametrize(
    ("policy", "observe", "message"),
    [
        (np.array(ONE), None, r"array of shape \(2, 2\), at most one agent's; must be a profile: one array"),
        (ONE, None, "policy has 2 entries; must be a profile: one entry for each of the 3 agents"),
        ([ONE], None, "policy has 1 entries; must be a profile: one entry for each of the 3 agents"),
        (
            lambda s: HALF,
            None,
            r"returns \[0.5, 0.5\] in state 's1', one agent's probabilities; must be a pro",
        ),
        (lambda s: np.array(HALF), None, "in state 's1', one agent's probabilities; must be a profile"),
        (lambda s: [HALF], None, "returns 1 rows in state 's1'; must be a profile: a row for each of the 3"),
        ([lambda s: HALF], None, "policy has 1 entries; must be a profile"),
        (lambda s: 0.5, None, "in state 's1', one agent's probabilities"),
        ([ONE, ONE, lambda s: [HALF]], None, r"agent '3' in state 's1' has shape \(1, 2\); must be a list"),
        ([ONE, ONE, lambda s: "no"], None, "agent '3' in state 's1' is 'no'; must be probabilities"),
        ([ONE, ONE, lambda s: [0.2, 0.2]], None, "agent '3' in state 's1' sum to 0.4; must be 1"),
        ([ONE, ONE, lambda s: np.float32([0.2, 0.2])], None, "agent '3' in state 's1' sum to 0.4"),
        ([ONE, ONE, [[True, False]] * 2], None, "policy of agent '3' is .*; must be probabilities"),
        (None, None, "policy is None; must be probabilities"),
        (lambda s: [[0.5, [1]], HALF, HALF], None, r"'1' in state 's1' is \[0.5, \[1\]\]; must be probab"),
        (lambda s: [0.5, [0.5], 0.5], None, "agent '1' in state 's1' has shape"),
        ([HALF, HALF, HALF], None, "rows of one agent's; must be a profile: one array"),
        ([np.array(HALF)] * 3, None, "rows of one agent's; must be a profile: one array"),
        ([ONE] * 3, lambda s: s, "observe is given with arrays; must go with functions"),
        ([lambda s: HALF] * 3, [lambda s: s], "observe has 1 functions; must be 3"),
        ([lambda s: HALF] * 3, 7, "observe is 7; must be a function, or one for each agent"),
        (lambda s: [HALF] * 3, [lambda s: s] * 3, "must be one function, as the policy is one for all"),
    ],
)
def test_what_is_no_profile_is_refused_in_one_line(policy, observe, message):
    game = catalog.load("static-chain")
    with pytest.raises(PolicyError, match=message) as caught:
        audit(game, ThreatModel(1), policy, observe=observe)
    assert "\n" not in str(caught.value)


def test_rows_of_one_agent_are_no_profile_where_there_are_as_many_states_as_agents():
    game = games.nosde()  # two agents, two states
    with pytest.raises(PolicyError, match=r"audit: policy is .*, rows of one agent's; must be a profile"):
        audit(game, ThreatModel(1), [[0.5, 0.5], [1.0, 0.0]])


def test_an_audit_is_frozen_throughout():
    """Its arrays, those of its attacks and its mappings, also once it has been pickled."""
    game = catalog.load("static-chain")
    first = audit(game, ThreatModel(1), Policy.uniform(game))
    for found in (first, pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        attacks = [*found.worst, *(attack for of_k in found.attack.values() for attack in of_k)]
        arrays = [found.nominal, found.per_state, found.static, found.gap]
        arrays += [*found.robust.values(), *found.by_set.values(), *(attack.column for attack in attacks)]
        assert not any(array.flags.writeable for array in arrays)
        assert len(attacks) == 3 + 9
        for mapping in (found.robust, found.by_set, found.attack):
            with pytest.raises(TypeError):
                mapping[0] = None
        assert found.to_json(game) == first.to_json(game)


def test_calls_that_cannot_be_answered():
    game = catalog.load("static-chain")
    policy = Policy.uniform(game)
    with pytest.raises(PolicyError, match="audit: policy is time-indexed; must be stationary"):
        audit(game, ThreatModel(1), Policy.uniform(game, 2))
    with pytest.raises(PolicyError, match="audit: observe is given with a Policy; must go with functions"):
        audit(game, ThreatModel(1), policy, observe=str)
    with pytest.raises(PolicyError, match="audit: policy was made for a game of other sizes"):
        audit(game, ThreatModel(1), Policy.uniform(games.matching_pennies()))
    with pytest.raises(ThreatError, match="must have timing 'per-state'"):
        audit(game, ThreatModel(1, timing="static"), policy)
    with pytest.raises(GameError, match="audit: game is 3"):
        audit(3, ThreatModel(1), policy)


def test_files_and_tables(tmp_path):
    game = catalog.load("level-based-foraging")
    found = audit(game, ThreatModel(1), Policy.uniform(game))
    found.save(game, tmp_path / "audit.json")
    data = json.loads((tmp_path / "audit.json").read_text())
    assert data["format"] == "arneq-audit"
    assert data["states"][0] == "a1 a2 c1 | b1 b2"
    for name in ("nominal", "per_state", "static", "gap"):
        assert data[name] == getattr(found, name).tolist()
    assert data["robust"]["2"] == found.robust[2].tolist()
    assert {(row["agent"], tuple(row["set"])) for row in data["by_set"]} == {
        (game.agent_name(i), tuple(game.agent_name(j) for j in K)) for i, K in found.by_set
    }
    save(found, tmp_path / "again.json", game)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "audit.json").read_bytes()
    assert load(tmp_path / "audit.json", game) == found.policy
    budgets = plain_text(budget_table(game, found, 1)).splitlines()
    start = next(line for line in budgets if "(start)" in line)
    assert f"{found.nominal[0] @ game.initial:.6g}" in start
    assert f"{found.robust[2][0] @ game.initial:.6g}" in start
    assert "3 plays load b1" in next(line for line in budgets if "a1 a2 c1" in line)
    sets = plain_text(set_table(game, found, 1))
    assert f"{found.by_set[0, (1, 2)][0]:.6g}" in sets
    assert "nobody" in sets
    stream = io.StringIO()
    print_audit(Console(file=stream, width=150), game, found, 1)
    assert "1 of 144 states; --states shows more, --json all" in stream.getvalue()


def test_many_sets_are_told_by_size():
    game = catalog.load("crate-pushing")
    found = audit(game, ThreatModel(1, probability="1/3"), Policy.uniform(game))
    text = plain_text(set_table(game, found, 1))
    assert "worst of 3" in text
    worst = min((K for i, K in found.by_set if i == 0 and len(K) == 2), key=lambda K: found.by_set[0, K][0])
    assert f"{found.by_set[0, worst][0]:.6g}" in text
    assert worst == (2, 3)
