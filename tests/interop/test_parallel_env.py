"""Markov games as PettingZoo environments: its own tests, the tables, attackers, refusals."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import games
import numpy as np
import pytest
from concentration import MOST_VISITS, bernstein, hoeffding
from pettingzoo.test import parallel_api_test, parallel_seed_test

from arneq_exact import (
    Policy,
    ThreatModel,
    audit,
    best_response,
    catalog,
    robust_values,
    static_values,
    worst_attack,
)
from arneq_exact.errors import InputError
from arneq_exact.interop.pettingzoo import Attack, corrupt, to_parallel_env
from arneq_exact.learning.registry import make_learner
from arneq_exact.model.simulate import cumulative_mixture, joint_strides

RNG = np.random.default_rng(3)
RAGGED = games.random_game(RNG, 3, 4, (1, 3), 0.8, kind="sparse", ending=0.5)

GAMES = {
    "one shot": games.climbing(),
    "no end": games.nosde(),
    "ragged, ending": RAGGED,
    "one agent": games.random_game(RNG, 1, 3, (1, 2), 0.9),
    "one state, one action": games.random_game(RNG, 2, 1, 1, 0.9),
    "grid": catalog.load("grid-game-1"),
    "foraging": catalog.load("level-based-foraging"),
}
OPTIONS = {
    "defaults": {},
    "one-hot": {"observation": "one-hot", "max_steps": 20},
    "features": {"observation": lambda state: [state, -0.5 * state], "discounting": "termination"},
    "masks": {"mask_in_observation": True, "illegal": "refuse", "discounting": "truncation"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_pettingzoo_api(game, options):
    parallel_api_test(to_parallel_env(game, **options), num_cycles=60)


@pytest.mark.parametrize("options", [OPTIONS[name] for name in ("defaults", "one-hot", "features")])
@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_pettingzoo_seeds(game, options):
    parallel_seed_test(lambda: to_parallel_env(game, **options), num_cycles=30)


@pytest.mark.parametrize("timing", ["per-state", "static"])
def test_pettingzoo_on_corrupted_environments(timing):
    policy = Policy.uniform(RAGGED)
    attack = Attack.committed(RAGGED, {(1,): 0.5, (0, 2): 0.25, (): 0.25}, policy)

    def make():
        return corrupt(to_parallel_env(RAGGED), attack, timing=timing)

    parallel_api_test(make(), num_cycles=60)
    parallel_seed_test(make, num_cycles=30)


def test_observations_lie_in_their_spaces():
    for options in OPTIONS.values():
        env = to_parallel_env(RAGGED, **{"max_steps": 9, **options, "illegal": "uniform"})
        ends = set()
        for seed in range(20):
            observations, _ = env.reset(seed=seed)
            while env.agents:
                actions = {agent: env.action_space(agent).sample() for agent in env.agents}
                before = env.here
                observations, _, terminated, _, _ = env.step(actions)
                for agent in env.possible_agents:
                    assert observations[agent] in env.observation_space(agent)
            # The end is no state: what is seen last stays.
            assert env.here == before or not terminated["1"]
            ends.add(terminated["1"])
        assert True in ends


def test_observations_tell_the_state():
    def seen(**options):
        env = to_parallel_env(games.nosde(), start=1, **options)
        return env.reset(seed=0)[0]["2"]

    assert seen() == 1
    assert seen(observation="one-hot").tolist() == [0, 1]
    assert seen(observation=[[1.5, 2], [3, 4]]).tolist() == [3, 4]
    assert seen(observation=lambda state: [[state, 7]]).tolist() == [[1, 7]]
    masked = seen(mask_in_observation=True)
    assert masked["observation"] == 1
    assert masked["action_mask"].tolist() == [1, 1]
    env = to_parallel_env(games.nosde(), start=0)
    _, infos = env.reset(seed=0)
    assert [infos[agent]["action_mask"].tolist() for agent in env.agents] == [[1, 1], [1, 0]]
    assert env.render() == "0"
    assert env.state().tolist() == 0


def test_networks_are_audited_on_what_they_were_trained_on():
    game = catalog.load("static-chain")
    env = to_parallel_env(game, observation=[[1, 0.5], [0, 2]])
    observations, _ = env.reset(seed=0)
    assert env.observation("s1").tolist() == env.observation(0).tolist() == observations["1"].tolist()

    def network(seen):
        logits = seen @ np.float32([[1, -1], [0.5, 2]])
        return np.exp(logits) / np.exp(logits).sum()

    found = audit(game, ThreatModel(1), [network] * 3, observe=env.observation)
    rows = np.float64([network(env.observation(state)) for state in (0, 1)])
    assert found.policy[2] == pytest.approx(rows / rows.sum(axis=1, keepdims=True))
    for state, message in (
        ("s3", "state is 's3'; must be the name of a state"),
        (2, "state is 2; must be a st"),
    ):
        with pytest.raises(InputError, match=f"observation: {message}"):
            env.observation(state)


# -- against the tables ----------------------------------------------------------------------------


class Sampled:
    """Whole episodes of an environment in which every agent plays its policy; batched draws keep it fast."""

    def __init__(self, env, policy: Policy, episodes: int, seed: int, **reset) -> None:
        game = env.unwrapped.game
        rng = np.random.default_rng(seed)
        mixtures = [cumulative_mixture(array) for array in policy]
        names = env.possible_agents
        self.steps: list[tuple[int, int, int]] = []  # row, next state or −1, episode
        self.returns = np.zeros((episodes, game.n_agents))
        self.first = np.zeros(episodes, dtype=int)
        strides = joint_strides(game)
        env.reset(seed=seed)
        for episode in range(episodes):
            env.reset(**reset)
            self.first[episode] = env.unwrapped.here
            worth = np.ones(game.n_agents)
            while env.agents:
                here = env.unwrapped.here
                numbers = rng.random(len(names))
                drawn = [int((table[here] <= u).sum()) for table, u in zip(mixtures, numbers, strict=True)]
                _, rewards, terminated, _, infos = env.step(dict(zip(names, drawn, strict=True)))
                played = [infos[name]["action"] for name in names]
                row = int(game.offsets[here] + strides[here] @ played)
                paid = [rewards[name] for name in names]
                assert paid == game.rewards[row].tolist()
                self.returns[episode] += worth * paid
                worth = worth * game.discount
                self.steps.append((row, -1 if terminated[names[0]] else env.unwrapped.here, episode))


@pytest.fixture(scope="module")
def sampled():
    policy = games.random_policy(np.random.default_rng(4), RAGGED, pure=0.2)
    return policy, Sampled(to_parallel_env(RAGGED, max_steps=40), policy, 6000, seed=5)


def test_frequencies_are_those_of_the_tensor(sampled):
    policy, run = sampled
    rows, following, _ = np.array(run.steps).T
    counts = np.zeros((RAGGED.n_rows, RAGGED.n_states + 1))
    np.add.at(counts, (rows, following), 1)  # −1, the end, is the last column
    expected = np.column_stack([RAGGED.transitions.toarray(), RAGGED.termination])
    assert not counts[expected == 0].any()
    visits = counts.sum(axis=1)
    often = visits > 300
    assert often.sum() > 10
    bound = hoeffding(visits[often], counts.size * MOST_VISITS)
    assert (np.abs(counts[often] / visits[often][:, None] - expected[often]) <= bound[:, None]).all()

    for state in range(RAGGED.n_states):
        block = slice(RAGGED.offsets[state], RAGGED.offsets[state + 1])
        joint = np.ones(1)
        for agent in range(3):
            joint = np.multiply.outer(joint, policy[agent][state, : RAGGED.action_counts[state, agent]])
        bound = hoeffding(visits[block].sum(), RAGGED.n_rows * MOST_VISITS)
        assert (np.abs(visits[block] / visits[block].sum() - joint.ravel()) <= bound).all()


def reach(game) -> np.ndarray:
    """The length of the interval in which returns lie, 0 included."""
    return (np.maximum(game.rewards.max(axis=0), 0) - np.minimum(game.rewards.min(axis=0), 0)) / (
        1 - game.discount
    )


def test_returns_are_the_values(sampled):
    policy, run = sampled
    exact = robust_values(RAGGED, ThreatModel(0), policy)
    for state in range(RAGGED.n_states):
        chosen = run.returns[run.first == state]
        bound = bernstein(chosen, reach(RAGGED), 12) + 0.8**40 * reach(RAGGED)
        assert (np.abs(chosen.mean(axis=0) - exact[:, state]) <= bound).all()
        assert (bound < 0.1 * reach(RAGGED)).all()


@pytest.mark.parametrize("discounting", ["termination", "truncation"])
def test_discount_as_probability_of_going_on(discounting):
    """Undiscounted sums have the discounted values as expectations; lengths are geometric."""
    game = games.random_game(np.random.default_rng(7), 2, 2, 2, 0.5)
    env = to_parallel_env(game, discounting=discounting, start=0)
    rng = np.random.default_rng(8)
    env.reset(seed=9)
    sums = np.zeros((6000, 2))
    lengths = np.zeros(6000, dtype=int)
    for episode in range(6000):
        env.reset()
        while env.agents:
            actions = dict(zip(env.agents, rng.integers(2, size=2), strict=True))
            _, rewards, terminated, truncated, _ = env.step(actions)
            # Later steps are left out, so that sums are bounded.
            sums[episode] += list(rewards.values()) if lengths[episode] < 12 else 0
            lengths[episode] += 1
        assert set(terminated.values()) == {discounting == "termination"}
        assert set(truncated.values()) == {discounting == "truncation"}
    exact = robust_values(game, ThreatModel(0), Policy.uniform(game))[:, 0]
    bound = bernstein(sums, 12 * 2 * np.abs(game.rewards).max(), 2) + 0.5**12 * reach(game)
    assert (np.abs(sums.mean(axis=0) - exact) <= bound).all()
    assert (bound < 0.2 * reach(game)).all()
    for steps in range(1, 5):
        assert abs((lengths == steps).mean() - 0.5**steps) <= hoeffding(6000, 4)


def test_truncation_after_max_steps():
    env = to_parallel_env(games.nosde(), start=0, max_steps=3)
    env.reset(seed=0)
    ends = [env.step({"1": 0, "2": 0})[2:4] for _ in range(3)]
    assert [truncated["1"] for _, truncated in ends] == [False, False, True]
    assert not any(terminated["1"] for terminated, _ in ends)
    assert env.agents == []
    with pytest.raises(InputError, match="step: no episode is running; must be started by reset"):
        env.step({"1": 0, "2": 0})


def test_an_end_at_the_last_step_is_no_truncation():
    env = to_parallel_env(games.prisoners_dilemma(), max_steps=1)
    env.reset(seed=0)
    _, rewards, terminated, truncated, infos = env.step({"1": np.int64(1), "2": np.array(0)})
    assert rewards == {"1": 5, "2": 0}
    assert all(terminated.values())
    assert not any(truncated.values())
    assert [infos[agent]["action"] for agent in "12"] == [1, 0]


def test_actions_that_a_state_has_not_are_replaced_uniformly():
    game = games.random_game(np.random.default_rng(11), 1, 2, 3, 0.5)
    game = replace(
        game, action_counts=np.array([[2], [3]]), rewards=game.rewards[:5], transitions=game.transitions[:5]
    )
    env = to_parallel_env(game, start=0)
    env.reset(seed=0)
    played = []
    for _ in range(3000):
        env.set_state((0,))
        played.append(env.step({"1": 2})[4]["1"]["action"])
    assert abs(np.mean(played) - 1 / 2) <= hoeffding(3000, 1)
    strict = to_parallel_env(game, start=0, illegal="refuse")
    strict.reset(seed=0)
    with pytest.raises(
        InputError, match="action of agent '1' in state '0' is 2; must be below 2, as its action"
    ):
        strict.step({"1": 2})


# -- attackers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2])
def test_worst_attack_brings_down_the_return_to_the_robust_value(k):
    policy = games.random_policy(np.random.default_rng(12), RAGGED)
    threat = ThreatModel(k)
    exact = robust_values(RAGGED, threat, policy)
    nominal = robust_values(RAGGED, ThreatModel(0), policy)
    env = corrupt(to_parallel_env(RAGGED, max_steps=40), worst_attack(RAGGED, threat, policy, 0))
    run = Sampled(env, policy, 4000, seed=13)
    told_apart = 0
    for state in range(RAGGED.n_states):
        chosen = run.returns[run.first == state][:, 0]
        bound = bernstein(chosen, reach(RAGGED)[0], 4) + 0.8**40 * reach(RAGGED)[0]
        assert abs(chosen.mean() - exact[0, state]) <= bound
        told_apart += nominal[0, state] - exact[0, state] > bound
    assert told_apart >= 1  # the test would see an attack that is not played


def play_under(attack: Attack, game, policy: Policy) -> np.ndarray:
    """Probabilities (S, rows) with which rows are played under an attack."""
    chances = np.zeros((game.n_states, game.n_rows))
    for state, counts in enumerate(game.action_counts):
        for forced, weight in attack.moves(state):
            joint = np.ones(1)
            for agent, count in enumerate(counts):
                own = policy[agent][state, :count]
                joint = np.multiply.outer(joint, np.eye(count)[forced[agent]] if agent in forced else own)
            chances[state, game.offsets[state] : game.offsets[state + 1]] += weight * joint.ravel()
    return chances


@pytest.mark.parametrize("kind", ["with a probability", "columns", "committed", "learned"])
def test_mixed_attacks_are_worth_what_their_moves_are(kind):
    policy = games.random_policy(np.random.default_rng(16), RAGGED)
    sometimes = ThreatModel(2, probability="1/3")
    if kind == "with a probability":
        attack = Attack.worst(RAGGED, worst_attack(RAGGED, sometimes, policy, 1))
    elif kind == "columns":
        attack = Attack.from_columns(
            RAGGED, ThreatModel(2), 2, best_response(RAGGED, ThreatModel(2), policy, 2).attack
        )
    elif kind == "committed":
        attack = Attack.committed(RAGGED, {(0,): 0.25, (1, 2): 0.25, (0, 1, 2): 0.25, (): 0.25}, policy)
    else:
        learner = make_learner("art-exact", RAGGED, ThreatModel(1), initial_spread=1.0)
        learner.step(5)
        attack = Attack.from_columns(RAGGED, ThreatModel(1), 0, learner.attack[0])
    chances = play_under(attack, RAGGED, policy)
    # Values under an attack are the solution of a linear system.
    system = np.eye(RAGGED.n_states) - 0.8 * (chances @ RAGGED.transitions.toarray())
    exact = np.linalg.solve(system, chances @ RAGGED.rewards).T
    if kind == "with a probability":
        assert exact[1] == pytest.approx(robust_values(RAGGED, sometimes, policy)[1])
    run = Sampled(corrupt(to_parallel_env(RAGGED, max_steps=40), attack), policy, 2000, seed=17)
    for state in range(RAGGED.n_states):
        chosen = run.returns[run.first == state]
        bound = bernstein(chosen, reach(RAGGED), 12) + 0.8**40 * reach(RAGGED)
        assert (np.abs(chosen.mean(axis=0) - exact[:, state]) <= bound).all()
    visits = np.bincount([row for row, _, _ in run.steps], minlength=RAGGED.n_rows)
    for state in range(RAGGED.n_states):
        block = slice(RAGGED.offsets[state], RAGGED.offsets[state + 1])
        bound = hoeffding(visits[block].sum(), RAGGED.n_rows * MOST_VISITS)
        assert (np.abs(visits[block] / visits[block].sum() - chances[state, block]) <= bound).all()


def test_a_set_drawn_once_per_episode_stays():
    """The chain [T13]: at s1 corruption at every state leaves agent 1 nothing, static corruption γ."""
    game = catalog.load("static-chain")
    policy = Policy.from_actions(game, [[0, 0, 0]] * 2)  # all play C
    exact = static_values(game, ThreatModel(1, timing="static"), policy)
    assert exact.values[0, 0] == pytest.approx(0.9)
    names = [str(agent) for agent in (1, 2, 3)]
    for members in ((1,), (2,)):
        only = ThreatModel(sets={0: [members], 1: [[]], 2: [[]]})
        for timing in ("static", "per-state"):
            env = corrupt(to_parallel_env(game, start=0), worst_attack(game, only, policy, 0), timing=timing)
            env.reset(seed=0)
            earned, worth = 0.0, 1.0
            while env.agents:
                _, rewards, _, _, infos = env.step(dict.fromkeys(names, 0))
                assert [infos[name]["corrupted"] for name in names] == [j in members for j in range(3)]
                earned, worth = earned + worth * rewards["1"], worth * 0.9
            assert earned == pytest.approx(exact.by_set[0][members][0])

    # One of the two with probability 1/2 each: redrawn at every step, a quarter of episodes loses both.
    both = Attack.committed(game, {(1,): 0.5, (2,): 0.5}, Policy.from_actions(game, [[1, 1, 1]] * 2))
    for timing, expected in (("static", {(0, 1): 1 / 2, (1, 0): 1 / 2}), ("per-state", {})):
        env = corrupt(to_parallel_env(game, start=0), both, timing=timing)
        env.reset(seed=1)
        seen: dict = {}
        for _ in range(2000):
            env.reset()
            pair = tuple(int(env.step(dict.fromkeys(names, 0))[1]["1"]) for _ in range(2))
            seen[pair] = seen.get(pair, 0) + 1 / 2000
        expected = expected or dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 1 / 4)
        assert seen.keys() == expected.keys()
        assert all(abs(seen[pair] - chance) <= hoeffding(2000, 6) for pair, chance in expected.items())


def test_attacks_by_step_need_short_episodes():
    game = games.nosde()
    attack = worst_attack(game, ThreatModel(1), Policy.uniform(game, horizon=5), 0)
    env = corrupt(to_parallel_env(game, max_steps=5), attack)
    env.reset(seed=0)
    for _ in range(5):
        env.step({"1": 0, "2": 0})
    assert env.agents == []
    for steps in (None, 6):
        with pytest.raises(InputError, match=f"attack has horizon 5 and max_steps is {steps}; must be"):
            corrupt(to_parallel_env(game, max_steps=steps), attack)


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observation": "pixels"}, "observation is 'pixels'; must be state, one-hot, or one array"),
        ({"observation": [1, 2]}, r"observation is \[1, 2\]; must be state, one-hot"),
        ({"observation": lambda state: [0] * (state + 1)}, "observation is .*; must be state, one-hot"),
        ({"observation": [[np.inf], [0]]}, "observation holds a number that is not finite"),
        ({"start": 2}, "to_parallel_env: start is 2; must be a state from 0 to 1"),
        ({"max_steps": 0}, "to_parallel_env: max_steps is 0; must be an integer of at least 1"),
        ({"discounting": "no"}, "discounting is 'no'; must be one of learner, termination, truncation"),
        ({"illegal": None}, "illegal is None; must be one of uniform, refuse"),
        ({"mask_in_observation": "yes"}, "mask_in_observation is 'yes'; must be one of True, False"),
        ({"seed": None}, "to_parallel_env: seed is None; must be an integer of at least 0"),
        ({"game": 3}, "to_parallel_env: game is 3; must be a MarkovGame"),
        (
            {"game": games.nosde([0.5, 0.75]), "discounting": "termination"},
            r"discounting is 'termination' and discounts are \[0.5, 0.75\]; must be one for all agents",
        ),
    ],
)
def test_refused_options(options, message):
    with pytest.raises(InputError, match=message):
        to_parallel_env(**{"game": games.nosde(), **options})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({"1": 0}, "step: action of agent '2' is missing; must be given for every agent"),
        ({"1": 0, "2": 2}, r"action of agent '2' is 2; must be in Discrete\(2\)"),
        ({"1": 0, "2": 0.5}, "action of agent '2' is 0.5; must be in Discrete"),
        ({"1": True, "2": 0}, "action of agent '1' is True; must be in Discrete"),
        (None, "step: actions are None; must be a mapping from agents to actions"),
        ([0, 0], r"step: actions are \[0, 0\]; must be a mapping from agents to actions"),
    ],
)
def test_refused_actions(actions, message):
    env = to_parallel_env(games.nosde())
    env.reset(seed=0)
    with pytest.raises(InputError, match=message):
        env.step(actions)
    if not isinstance(actions, dict):
        attacked = corrupt(env, Attack(env.game, lambda state: [({}, 1)]))
        attacked.reset(seed=0)
        with pytest.raises(InputError, match=message):
            attacked.step(actions)


def test_refused_states():
    env = to_parallel_env(games.nosde())
    with pytest.raises(InputError, match="reset: state is 2; must be a state from 0 to 1"):
        env.reset(options={"state": 2})
    with pytest.raises(InputError, match="reset: seed is -1; must be an integer of at least 0"):
        env.reset(seed=-1)
    with pytest.raises(InputError, match="set_state: state is 5; must be a state from 0 to 1"):
        env.set_state((5,))
    with pytest.raises(InputError, match="set_state: state is 1; must be what get_state returns"):
        env.set_state(1)
    with pytest.raises(InputError, match="reset: options are 3; must be a mapping or None"):
        env.reset(options=3)
    limited = to_parallel_env(games.nosde(), max_steps=5, start=1)
    limited.reset(seed=0)
    for state, message in (
        ((0, "x"), "set_state: steps is 'x'; must be an integer of at least 0"),
        ((0, -1), "set_state: steps is -1; must be an integer of at least 0"),
        ((0, 99), "set_state: steps is 99; must be below 5, where episodes are cut"),
        ((0, 5), "set_state: steps is 5; must be below 5"),
    ):
        with pytest.raises(InputError, match=message):
            limited.set_state(state)
        assert limited.get_state() == (1, 0)  # as it was
    limited.set_state((0, 4))
    assert limited.get_state() == (0, 4)


def test_refused_attacks():
    game = games.nosde()
    env = to_parallel_env(game)
    attack = Attack(game, lambda state: [({state: 0}, 1)])
    for arguments, message in (
        ((3, attack), "corrupt: env is 3; must be made by to_parallel_env"),
        ((env, None), "corrupt: attack is None; must be an Attack or a WorstAttack"),
        ((to_parallel_env(RAGGED), attack), "corrupt: attack was made for a game of other sizes"),
    ):
        with pytest.raises(InputError, match=message):
            corrupt(*arguments)
    with pytest.raises(InputError, match="corrupt: timing is 'once'; must be per-state or static"):
        corrupt(env, attack, timing="once")
    with pytest.raises(
        InputError, match="corrupt: timing is 'static' and the attack's corruption sets differ"
    ):
        corrupt(env, attack, timing="static")


WITHOUT = """
import sys
sys.modules["pettingzoo"] = None
from arneq_exact import catalog
from arneq_exact.interop.pettingzoo import to_parallel_env
try:
    to_parallel_env(catalog.load("nosde"))
except ValueError as error:
    print(error)
"""


def test_a_missing_library_is_told_in_one_line():
    ran = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    expected = "PettingZoo is not installed; must be, as by pip install 'arneq-exact[pettingzoo]'\n"
    assert ran.stdout == f"to_parallel_env: {expected}"
