"""The learners by name: one interface, and what each of ART's rivals aims at."""

from __future__ import annotations

import json

import games
import numpy as np
import pytest
from learning_cases import random_game

from arneq_exact import MarkovGame, Policy, ThreatModel, catalog, gap, iterate, robust_values, solve
from arneq_exact.errors import InputError, ThreatError
from arneq_exact.learning import CONVERGENT, LEARNERS, Learner, learner_names, make_learner

LEARNING = [name for name in learner_names() if name not in ("procedure", "solve")]
PRODUCT = {**CONVERGENT, "attack": "product"}


@pytest.mark.parametrize("name", learner_names())
def test_the_interface(name):
    """A learner counts its iterations, shows a policy that fits, and its settings are plain data."""
    game = catalog.load("random-dense", agents=2, states=2, actions=2)
    learner = make_learner(name, game, ThreatModel(1), seed=4)
    assert isinstance(learner, Learner)
    assert (learner.iteration, learner.environment_steps) == (0, 0)
    assert learner.policy == Policy.uniform(game)
    learner.step(0)
    assert learner.iteration == 0
    learner.step(2)
    assert learner.iteration == 2
    assert (learner.environment_steps > 0) == (name == "art-sampled")
    learner.policy.require_fit(game, "test")
    json.dumps(learner.settings)
    for array in learner.attack or ():
        np.testing.assert_allclose(array.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", LEARNING)
def test_equal_seeds_give_equal_bytes(name, rng):
    game = random_game(rng, 3, 2)
    options = {"gradients": "sampled", "episodes": 10, "initial_spread": 0.5}

    def bytes_of(seed):
        learner = make_learner(name, game, ThreatModel(1), seed=seed, **options)
        learner.step(3)
        return b"".join(array.tobytes() for array in learner.policy)

    assert bytes_of(1) == bytes_of(1)
    assert bytes_of(1) != bytes_of(2)


def test_a_state_belongs_to_the_learner_alone(rng):
    """What `state` returned does not change as learning goes on, and can be put back."""
    learner = make_learner("art-exact", random_game(rng, 2, 2), ThreatModel(1), initial_spread=1.0)
    state, policy = learner.state(), learner.policy
    learner.step(3)
    later = learner.policy
    learner.restore(state)
    assert learner.policy == policy
    learner.step(3)
    assert learner.policy == later
    with pytest.raises(InputError, match=r"ART: state holds iteration; must hold .*variable_policy"):
        learner.restore({"iteration": np.array(1)})


def test_independent_policy_gradient_reaches_nash():
    """The dominant actions of the prisoners' dilemma, whatever the threat; no attacker is shown."""
    game = games.prisoners_dilemma()
    learner = make_learner("independent-policy-gradient", game, ThreatModel(1), **CONVERGENT)
    assert learner.attack is None
    learner.step(500)
    assert gap(game, ThreatModel(0), learner.policy).max() <= 1e-9


def test_all_others_adversarial_reaches_maximin(rng):
    """Whatever the threat's own budget is."""
    game = random_game(rng, 3, 2, discount=0.5)
    learner = make_learner("all-others-adversarial", game, ThreatModel(0), **CONVERGENT)
    learner.step(3000)
    secure = solve(game, ThreatModel(2)).values
    np.testing.assert_allclose(robust_values(game, ThreatModel(2), learner.policy), secure, atol=1e-4)


def test_random_corruption_learns_the_best_reply_to_chance():
    """Action 0 is best against the partner, action 1 against uniform play, action 2 is safest."""
    one = [[2.0, 0.0], [1.9, 1.0], [1.2, 1.2]]
    two = [[1.0, 0.0]] * 3
    game = MarkovGame.one_shot([one, two])
    threat = ThreatModel(1)
    expected = {"independent-policy-gradient": 0, "random-corruption": 1, "all-others-adversarial": 2}
    for name, action in expected.items():
        learner = make_learner(name, game, threat, **PRODUCT)
        learner.step(500)
        assert learner.policy[0][0].argmax() == action
        assert learner.policy[0][0].max() > 1 - 1e-9
    random = make_learner("random-corruption", game, threat, play="random", natural=True, agent_rate=0.5)
    random.step(500)
    assert random.policy[0][0].argmax() == 1


def test_random_corruption_holds_its_attack_still(rng):
    """Uniform K and play, or policies that are new in every iteration; neither learns."""
    game = random_game(rng, 3, 2)
    still = make_learner("random-corruption", game, ThreatModel(1), initial_spread=2.0)
    before = still.attack
    still.step(3)
    for mine, earlier in zip(still.attack, before, strict=True):
        np.testing.assert_array_equal(mine, earlier)
        np.testing.assert_allclose(mine[0], np.full(4, 0.25))  # two sets, two actions
    moving = make_learner("random-corruption", game, ThreatModel(1), play="random")
    moving.step()
    first = moving.attack
    moving.step()
    assert np.abs(first[0] - moving.attack[0]).max() > 1e-3
    with pytest.raises(InputError, match="attack is 'joint'; must be 'product': it does not learn"):
        make_learner("random-corruption", game, ThreatModel(1), attack="joint")
    with pytest.raises(InputError, match="random-corruption: play is 'pure'; must be one of uniform, random"):
        make_learner("random-corruption", game, ThreatModel(1), play="pure")


def test_fixed_corruption_knows_who_is_corrupted():
    """Agent 1 is paid for what agent 2 and agent 3 do; knowing that it is 3, it relies on 2."""
    payoff = np.zeros((3, 3, 2, 2))
    payoff[0, 0] = 0.4
    payoff[0, 1, 0, :] = 1.0  # pays if agent 2 plays 0
    payoff[0, 2, :, 0] = 1.1  # pays if agent 3 plays 0
    payoff[1, :, 0, :] = 1.0
    payoff[2, :, :, 0] = 1.0
    game = MarkovGame.one_shot(payoff)
    for corrupted, action in ((None, 1), ([2], 1), ([1], 2), ([1, 2], 0), ([], 2)):
        options = {} if corrupted is None else {"corrupted": corrupted}
        learner = make_learner("fixed-corruption", game, ThreatModel(1), **PRODUCT, **options)
        learner.step(500)
        assert learner.policy[0][0].argmax() == action
    for corrupted in ([3], [0, 0], "2", [True], 1, [[0]], [{}]):
        with pytest.raises(InputError, match=r"fixed-corruption: corrupted is .*; must be distinct agents"):
            make_learner("fixed-corruption", game, ThreatModel(1), corrupted=corrupted)


def test_the_procedure_is_iterate():
    game = catalog.load("nosde")
    learner = make_learner("procedure", game, ThreatModel(1))
    learner.step(6)
    reference = iterate(game, ThreatModel(1), max_iterations=6, tol=1e-300)
    assert learner.policy == reference.policy
    with pytest.raises(ThreatError, match="must have timing 'per-state'"):
        make_learner("procedure", game, ThreatModel(1, timing="static"))


def test_solve_is_solve():
    game = catalog.load("nosde")
    learner = make_learner("solve", game, ThreatModel(1), tol=1e-6)
    assert learner.solution is None
    learner.step(3)
    assert learner.solution.proved
    assert learner.policy == learner.solution.policy


def test_names_are_unique_and_others_refused():
    assert len(set(learner_names())) == len(LEARNERS)
    with pytest.raises(InputError, match="make_learner: name is 'q-learning'; must be one of art-exact"):
        make_learner("q-learning", games.prisoners_dilemma(), ThreatModel(1))


def test_public_names_of_learning():
    from arneq_exact import learning

    for name in learning.__all__:
        assert getattr(learning, name) is not None
        assert name in dir(learning)
    with pytest.raises(AttributeError, match=r"module 'arneq_exact\.learning' has no attribute 'lerner'"):
        _ = learning.lerner
