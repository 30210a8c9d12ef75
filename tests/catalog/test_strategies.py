"""Strategies: what they draw is what they promise, and what it shrinks to as well."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from arneq_exact import MarkovGame, ThreatModel, certify, check
from arneq_exact.errors import InputError
from arneq_exact.strategies import distributions, games, one_shot_games, policies, threats
from arneq_exact.strategies.threats import KINDS, PER_STATE

shrinking = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=list(HealthCheck),
)


def in_general_position(game: MarkovGame) -> bool:
    """No two rewards, and no two differences of rewards, are equal; every state follows every row."""
    rewards = np.sort(game.rewards.ravel())
    apart = [abs(a - b) for a, b in combinations(rewards.tolist(), 2)]
    distinct = len(np.unique(rewards)) == rewards.size and len(set(np.round(apart, 9))) == len(apart)
    moves = game.transitions.toarray() if game.transitions.nnz else np.ones((1, 1))  # one-shot: no moves
    different = game.n_states == 1 or len(np.unique(moves)) == moves.size
    return bool(distinct and (moves > 0).all() and different)


@given(games(position="general", most_rows=12, states=(1, 2)))
def test_general_position(game: MarkovGame) -> None:
    assert in_general_position(game)


@given(games(position="degenerate"))
def test_degenerate(game: MarkovGame) -> None:
    assert set(np.unique(game.rewards)) <= {0.0, 1.0, 2.0}
    assert set(np.unique(game.transitions.data)) <= {0.0, 1.0}


@given(games(agents=(2, 3), states=(2, 4), actions=2, numbers="rational", ending=False, common_discount=True))
def test_options(game: MarkovGame) -> None:
    assert 2 <= game.n_agents <= 3
    assert 2 <= game.n_states <= 4
    assert (game.action_counts == 2).all()
    assert game.exact is not None or set(np.unique(game.rewards)) <= {0.0, 1.0, 2.0}
    assert game.termination is None or not game.termination.any()
    assert len(set(game.exact_discount())) == 1
    assert max(game.exact_discount()) <= Fraction(9, 10)


@given(games(agents=3, states=3, actions=(1, 9), most_rows=20), games(numbers="float"))
def test_sizes_and_floats(limited: MarkovGame, game: MarkovGame) -> None:
    assert limited.n_rows <= 20
    assert game.exact is None or all(type(value) is float for value in game.rewards[0].tolist())


@given(games(agents=2, rewards="zero-sum"), games(rewards="common"))
def test_interests(opposed: MarkovGame, aligned: MarkovGame) -> None:
    assert (opposed.rewards.sum(axis=1) == 0).all()
    assert (aligned.rewards == aligned.rewards[:, :1]).all()


@given(one_shot_games(agents=2))
def test_one_shot(game: MarkovGame) -> None:
    assert game.n_states == 1
    assert game.transitions.nnz == 0


@given(st.data())
def test_distributions(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5))
    exact = data.draw(distributions(size, exact=True, positive=True))
    assert sum(exact) == 1
    assert min(exact) > 0
    assert abs(sum(data.draw(distributions(size))) - 1) < 1e-15


@given(st.data())
def test_threats_and_policies_fit(data: st.DataObject) -> None:
    """Both check themselves against the game when they are used."""
    game = data.draw(games(position="degenerate"))
    threat = data.draw(threats(game, kinds=PER_STATE))
    policy = data.draw(policies(game))
    certificate = certify(game, threat, policy)
    assert check(game, certificate, threat).valid
    assert data.draw(policies(game, horizon=2)).horizon == 2
    assert all((array[:, 0] > 0).all() for array in data.draw(policies(game, positive=True)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_threat_is_drawn(kind: str) -> None:
    """Of each kind there is a threat that is more than the simplest one, on a game fixed here."""
    game = MarkovGame.from_arrays(np.zeros((3, 1, 2, 2, 2)), np.ones((1, 2, 2, 2, 1)), 0.5)
    field = {"budget": "k", "static": "k"}.get(kind, kind)
    found = find(
        threats(game, kinds=[kind]),
        lambda threat: bool(getattr(threat, field)) and not threat.same_as(ThreatModel(0), 3),
        settings=shrinking,
    )
    found.require_fit(game.action_counts)


@pytest.mark.parametrize("position", ["any", "general", "degenerate"])
def test_a_shrunk_game_is_small_and_of_its_kind(position: str) -> None:
    """Shrinking for a game in which an agent has a choice: little else is left."""
    game = find(games(position=position), lambda game: (game.action_counts > 1).any(), settings=shrinking)
    assert game.n_rows <= 9  # of at most 81; how far it goes depends on Hypothesis
    assert position != "general" or in_general_position(game)
    assert position != "degenerate" or set(np.unique(game.rewards)) <= {0.0, 1.0, 2.0}


def test_shrinking_finds_a_small_game_without_a_pure_equilibrium() -> None:
    """Matching pennies, or a few actions more: Hypothesis does not promise the smallest game."""

    def without_pure_equilibrium(game: MarkovGame) -> bool:
        first, second = np.moveaxis(game.rewards.reshape(*game.action_counts[0], 2), -1, 0)
        best = (first == first.max(axis=0)) & (second == second.max(axis=1, keepdims=True))
        return not best.any()

    strategy = one_shot_games(agents=2, actions=(1, 5), position="general")
    game = find(strategy, without_pure_equilibrium, settings=settings(shrinking, max_examples=1000))
    assert game.n_rows <= 9
    assert in_general_position(game)


def test_invalid_draws_never_happen_while_shrinking() -> None:
    """Every example on the way, shrunk ones included, passes the border: none raises."""
    seen = []

    def grown(pair: tuple[MarkovGame, ThreatModel]) -> bool:
        game, threat = pair
        threat.require_fit(game.action_counts)
        seen.append(game)
        return game.n_agents >= 2 and bool(threat.sets)

    pairs = games(states=1, actions=2).flatmap(lambda game: st.tuples(st.just(game), threats(game)))
    _, threat = find(pairs, grown, settings=settings(shrinking, phases=[Phase.generate, Phase.shrink]))
    assert len(seen) > 50
    assert all((one.action_counts >= 1).all() for one in seen)
    assert threat.sets is not None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: games(numbers="real"), "games: numbers is 'real'; must be one of any, rational, float"),
        (lambda: games(position="x"), "games: position is 'x'; must be one of any, general, degenerate"),
        (
            lambda: games(agents=3, rewards="zero-sum"),
            "games: rewards are zero-sum with 3 agents; must be agents=2",
        ),
        (lambda: games(states=0), "games: states are 0; must be a number from 1, or (least, most)"),
        (lambda: threats(MarkovGame.one_shot([[1]]), kinds=["wide"]), "threats: kind 'wide' is unknown"),
        (lambda: games(agents=(2, 3, 4)), "games: agents are (2, 3, 4); must be a number from 1, or"),
        (lambda: games(agents="2"), "games: agents are '2'; must be a number from 1, or (least, most)"),
        (lambda: games(actions=(3, 2)), "games: actions are (3, 2); must be a number from 1, or"),
        (lambda: games(states=True), "games: states are True; must be a number from 1, or (least, most)"),
        (lambda: games(discounts=(0, 2)), "games: discounts are (0, 2); must be (least, most) with 0 <="),
        (lambda: games(discounts=("1/2", "1/4")), "games: discounts are ('1/2', '1/4'); must be (least,"),
        (lambda: games(discounts=("x", 1)), "games: discounts are ('x', 1); must be (least, most) with"),
        (lambda: games(discounts=0.5), "games: discounts are 0.5; must be (least, most) with 0 <= least"),
        (lambda: games(most_rows=0), "games: most_rows is 0; must be an integer of at least 1"),
        (lambda: one_shot_games(states=3), "one_shot_games: states is 3; must be left out"),
        (lambda: one_shot_games(ending=False), "one_shot_games: ending is False; must be left out"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        find(make(), lambda _: True, settings=shrinking)
    assert str(refusal.value).startswith(message)
