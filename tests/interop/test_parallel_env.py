"""Markov games as PettingZoo environments: its own tests, observations, refusals."""

from __future__ import annotations

import subprocess
import sys

import games
import numpy as np
import pytest
from episodes import RAGGED
from pettingzoo.test import parallel_api_test, parallel_seed_test

from arneq_exact import Policy, ThreatModel, audit, catalog
from arneq_exact.errors import InputError
from arneq_exact.interop.pettingzoo import Attack, corrupt, to_parallel_env

RNG = np.random.default_rng(3)

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
        ({"mask_in_observation": "yes"}, "mask_in_observation is 'yes'; must be True or False"),
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
