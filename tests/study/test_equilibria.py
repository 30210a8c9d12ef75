"""Several equilibria: known lists are found, everything is proved and distinct, searches can be stopped."""

from __future__ import annotations

from itertools import combinations, pairwise

import games
import numpy as np
import pytest

from arneq_exact import catalog, check, equilibria
from arneq_exact.errors import ArneqError, GameError, StageError
from arneq_exact.markov.candidates import Candidate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle
from arneq_exact.solver import registry
from arneq_exact.study.starts import enumerated

REPEATED_BATTLE = MarkovGame.from_rows(
    [[2, 2]], [[2, 1], [0, 0], [0, 0], [1, 2]], [[(1, 0)]] * 4, 0.5, initial=[1]
)
"""The battle of the sexes for ever: no one-shot game, so nothing is enumerated."""


def verify(found, tol=1e-8) -> None:
    """What every member of a search promises."""
    for one in found:
        result = check(found.game, one.certificate, found.threat)
        assert result.valid
        assert max(result.relative) <= tol
        assert one.relative_gap == result.relative
        assert one.epsilon == result.epsilon
        assert one.proved
        assert one.status == ("certified" if any(one.epsilon) else "exact")
        assert all((a == b).all() for a, b in zip(one.policy, one.certificate.policy, strict=True))
        assert oracle.gap(found.game, found.threat, one.policy).max() <= 1e-6
        assert one.starts <= found.starts
        assert one.methods
    for one, other in combinations(found, 2):
        assert one.policy.distance(other.policy) > found.distance
    weights = np.ones(found.game.n_states) if found.game.initial is None else found.game.initial
    assert all(first >= second - 1e-6 for first, second in pairwise((found.values @ weights).sum(axis=1)))


def pure_profiles(found):
    """The pure members by their actions."""
    return {
        tuple(int(array[0].argmax()) for array in one.policy): one
        for one in found
        if all(array.max() == 1 for array in one.policy)
    }


# -- one-shot games ---------------------------------------------------------------------------------


def test_battle_of_the_sexes_has_three():
    found = equilibria(catalog.load("battle-of-the-sexes"), ThreatModel(0))
    verify(found)
    assert found.completeness == "complete"
    assert found.starts == 0
    np.testing.assert_allclose(found.values[:, :, 0], [[2, 1], [1, 2], [2 / 3, 2 / 3]], atol=1e-9)
    # Corrupted, both play their maximin mixture, and that is unique [T4].
    attacked = equilibria(catalog.load("battle-of-the-sexes"), ThreatModel(1))
    verify(attacked)
    assert (len(attacked), attacked.completeness) == (1, "complete")
    np.testing.assert_allclose(attacked[0].policy[0], [[1 / 3, 2 / 3]], atol=1e-9)


@pytest.mark.parametrize("kappa", [0, -5])
def test_penalty_has_seven_without_corruption(kappa):
    """Every non-empty set of actions is the support of one symmetric equilibrium [F5]."""
    found = equilibria(games.penalty(kappa), ThreatModel(0))
    verify(found)
    assert found.completeness == "complete"
    supports = sorted(tuple(np.flatnonzero(one.policy[0][0] > 1e-9).tolist()) for one in found)
    assert supports == [(0,), (0, 1), (0, 1, 2), (0, 2), (1,), (1, 2), (2,)]


def test_public_good_pure_equilibria():
    """[F2]: three agents, threshold 1, k = 1: every pair of contributors, and no other pure profile."""
    found = equilibria(games.public_good(3, 1, 3, 1), ThreatModel(1), starts=1)
    verify(found)
    pure = pure_profiles(found)
    assert set(pure) == {(0, 1, 1), (1, 0, 1), (1, 1, 0)}
    for contributions, one in pure.items():
        assert one.status == "exact"
        assert one.values[:, 0].tolist() == [2.0 if gives else 3.0 for gives in contributions]


def test_two_values_of_one_game():
    """[T5]: n = 3, k = 1, common reward 2 if at least two ones, else 1."""
    reward = 1.0 + (np.indices((2, 2, 2)).sum(axis=0) >= 2)
    found = equilibria(MarkovGame.one_shot([reward] * 3), ThreatModel(1), starts=1)
    verify(found)
    assert found.completeness == "isolated only"
    assert found.message.startswith("1 of 1 starts; by enumeration")
    pure = pure_profiles(found)
    assert (pure[0, 0, 0].values == 1).all()
    assert (pure[1, 1, 1].values == 2).all()


# -- from starts ------------------------------------------------------------------------------------


def test_starts_alone_find_the_three():
    """The same game for ever: the same equilibria, worth 1 / (1 − γ) times as much."""
    found = equilibria(REPEATED_BATTLE, ThreatModel(0), starts=6)
    verify(found)
    assert found.completeness == "incomplete"
    assert found.message == "6 of 6 starts"
    np.testing.assert_allclose(found.values[:, :, 0], [[4, 2], [2, 4], [4 / 3, 4 / 3]], atol=1e-9)
    assert all(1 <= one.starts <= 6 for one in found)


def test_unanimity_by_starts(monkeypatch):
    """[F3], n = 3, k = 1: the mixture worth 4/9, and a worthless one; the enumeration is switched off."""
    monkeypatch.setattr("arneq_exact.study.equilibria.enumerated", lambda game, threat: None)
    found = equilibria(catalog.load("unanimity"), ThreatModel(1), starts=4)
    verify(found)
    np.testing.assert_allclose(found[0].values, 4 / 9, atol=1e-9)
    assert found[0].starts == 4
    assert found[-1].values.max() == 0


def test_separable_game_with_a_unique_equilibrium():
    """[F1]: without ties every agent has a dominant action."""
    found = equilibria(catalog.load("separable"), ThreatModel(1), starts=1)
    verify(found)
    assert [one.starts for one in found] == [1]


def test_a_game_where_the_procedure_cycles_has_one():
    """[T8] (iii): the unique stationary equilibrium, whatever the start."""
    found = equilibria(games.nosde(), ThreatModel(0), starts=2)
    verify(found)
    assert [one.starts for one in found] == [2]
    np.testing.assert_allclose(found[0].policy[0][0], [1 / 3, 2 / 3], atol=1e-9)


@pytest.mark.parametrize(("n", "k"), [(2, 0), (2, 1), (3, 1)])
def test_random_games(rng, n, k):
    found = equilibria(games.random_game(rng, n, 2, 2, 0.6), ThreatModel(k), starts=2)
    verify(found)
    assert found


def same(first, second) -> bool:
    return len(first) == len(second) and all(
        one.policy == other.policy and one.starts == other.starts and one.methods == other.methods
        for one, other in zip(first, second, strict=True)
    )


def test_a_seed_decides_everything_and_more_starts_only_add():
    first, again = (equilibria(REPEATED_BATTLE, ThreatModel(0), starts=2, seed=5) for _ in range(2))
    assert same(first, again)
    more = equilibria(REPEATED_BATTLE, ThreatModel(0), starts=4, seed=5)
    for one in first:
        assert any(one.policy == other.policy and one.starts <= other.starts for other in more)


def test_starts_differ(monkeypatch):
    """The public good has equilibria enough: no solver may end at the same one from every start."""
    monkeypatch.setattr("arneq_exact.study.equilibria.enumerated", lambda game, threat: None)
    found = equilibria(games.public_good(3, 1, 3, 1), ThreatModel(1), starts=5)
    verify(found)
    assert len(found) >= 4
    for method in ("barrier", "best-response-iteration"):
        assert sum(method in one.methods for one in found) >= 2


def test_distance_merges():
    found = equilibria(REPEATED_BATTLE, ThreatModel(0), starts=2, distance=1.0)
    assert [one.starts for one in found] == [2]


def test_a_tolerance_out_of_reach_leaves_what_is_exact():
    found = equilibria(catalog.load("battle-of-the-sexes"), ThreatModel(0), starts=1, tol=1e-300)
    assert [one.status for one in found] == ["exact"] * len(found)
    assert len(found) >= 2
    # Where a listed equilibrium was refused, nothing is claimed.
    assert (found.completeness == "complete") == (len(found) == 3)


# -- being stopped ----------------------------------------------------------------------------------


def test_an_interrupt_keeps_what_was_found():
    def progress(news):
        lines.append(news)
        if "2 found" in news.line:
            raise KeyboardInterrupt

    lines = []
    found = equilibria(REPEATED_BATTLE, ThreatModel(0), progress=progress)
    verify(found)
    assert len(found) == 2
    assert found.starts < 20
    assert found.message.endswith("; interrupted")
    assert all(later.seconds >= earlier.seconds for earlier, later in pairwise(lines))
    assert lines[0].best == np.inf
    assert lines[-1].best <= 1e-8


def test_the_time_limit_stops():
    found = equilibria(games.nosde(), ThreatModel(0), time_limit=1e-9)
    assert found.message == "0 of 20 starts; stopped by the time limit of 1e-09 s"
    assert (len(found), found.starts) == (0, 0)
    assert found.values.shape == (0, 2, 2)
    assert str(found).startswith("0 distinct equilibria")


def test_a_solver_that_breaks_down_is_passed_over(monkeypatch):
    def breaks(problem):
        yield Candidate(Policy.uniform(problem.game), 0, "uniform policy")
        raise StageError("no method solved game 0")

    broken = type(registry.SOLVERS[0])(
        **{**vars(registry.SOLVERS[0]), "name": "broken", "run": breaks, "accepts": lambda game, threat: True}
    )
    monkeypatch.setattr("arneq_exact.study.starts.SOLVERS", (broken,))
    lines = []
    found = equilibria(games.nosde(), ThreatModel(0), starts=2, progress=lines.append)
    assert found.starts == 2
    assert any("abandoned: no method solved game 0" in line.line for line in lines)


# -- tables and refused arguments -------------------------------------------------------------------


def test_table_and_repr():
    found = equilibria(catalog.load("battle-of-the-sexes"), ThreatModel(0))
    text = str(found)
    assert text.startswith("3 distinct equilibria\n")
    assert "opera: 0.666667, boxing: 0.333333" in text
    assert "all by enumeration" in text
    assert repr(found) == "Equilibria(3 found from 0 starts, k = 0)"


def test_long_tables_say_what_they_leave_out(rng):
    found = equilibria(games.random_game(rng, 1, 6, 2, 0.5), ThreatModel(0), starts=1)
    assert "4 of 6 states are shown" in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"starts": 0}, "equilibria: starts is 0; must be an integer of at least 1"),
        ({"starts": True}, "equilibria: starts is True; must be"),
        ({"starts": 2.5}, "equilibria: starts is 2.5; must be"),
        ({"seed": -1}, "equilibria: seed is -1; must be an integer of at least 0"),
        ({"distance": 0}, "equilibria: distance is 0; must be a positive number"),
        ({"tol": "small"}, "equilibria: tol is 'small'; must be a positive number"),
        ({"tol": float("nan")}, "equilibria: tol is nan; must be a positive number"),
        ({"time_limit": -1}, "equilibria: time_limit is -1; must be a positive number"),
        ({"progress": 3}, "equilibria: progress is 3; must be a function"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ArneqError, match=message):
        equilibria(games.nosde(), ThreatModel(0), **arguments)


def test_refused_games():
    with pytest.raises(GameError, match="equilibria: game is 3"):
        equilibria(3, ThreatModel(0))
    with pytest.raises(GameError, match="discount"):
        equilibria(games.nosde(1.0), ThreatModel(0))


def test_rational_payoffs_are_enumerated_as_they_are():
    """Action 1 ties with the others at (1/2, 1/2), where 7/10 + 1/10 = 8/10; the doubles' sum is less."""
    own = [["7/10", "1/10"], ["8/10", 0], [0, "8/10"]]
    game = MarkovGame.one_shot([own, np.zeros((3, 2), dtype=int).tolist()])
    found = equilibria(game, ThreatModel(0))
    assert found.completeness == "complete"
    verify(found)
    tied = [one for one in found if one.policy[0][0, 0] == 1]
    assert [one.policy[1][0].tolist() for one in tied] == [[0.5, 0.5]]
    doubles = np.array([[[0.7, 0.1], [0.8, 0.0], [0.0, 0.8]], np.zeros((3, 2))])
    rounded = equilibria(MarkovGame.one_shot(doubles), ThreatModel(0))
    assert not [one for one in rounded if one.policy[0][0, 0] == 1]


def test_what_is_slow_to_enumerate_is_searched_instead(rng):
    """No clock stops an enumeration, so none is begun that takes long."""
    threat = ThreatModel(1, probability="1/2")
    small, large = (MarkovGame.one_shot(rng.uniform(size=(2, actions, actions))) for actions in (3, 6))
    assert enumerated(small, threat) is not None
    assert enumerated(large, threat) is None
    assert enumerated(large, ThreatModel(0)) is not None
