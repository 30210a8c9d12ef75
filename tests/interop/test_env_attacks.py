"""Attackers in PettingZoo environments: what they are worth, how long their sets stay, refusals."""

from __future__ import annotations

import games
import numpy as np
import pytest
from concentration import MOST_VISITS, bernstein, hoeffding
from episodes import RAGGED, Sampled, reach

from arneq_exact import (
    Policy,
    ThreatModel,
    best_response,
    catalog,
    robust_values,
    static_values,
    worst_attack,
)
from arneq_exact.errors import InputError
from arneq_exact.interop.pettingzoo import Attack, corrupt, to_parallel_env
from arneq_exact.learning.learners import make_learner


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
