"""The model-based procedure: convergence where proved, selections, options."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import gap, iterate, robust_values
from arneq_exact.errors import GameError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle

# -- convergence ------------------------------------------------------------------------------------


def test_nosde_converges_with_corruption():
    """[T8] (iii) at k = 1, at the rate of the discount [T7]."""
    result = iterate(games.nosde(), ThreatModel(1))
    assert result.status == "converged"
    assert result.cycle is None
    np.testing.assert_allclose(result.values, [[4, 3], [0, 4]], rtol=0, atol=1e-8)
    assert result.policy == Policy.from_actions(games.nosde(), [[0, 0], [0, 0]])
    assert result.residual == result.trace.residual[-1] <= 1e-10 * 3
    assert result.iterations == len(result.trace.residual) == len(result.trace.values) - 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_decoupled_iteration_contracts(rng, n):
    """[T7]: ratio ≤ γ, for any game, and the limit is an ARNEQ."""
    for kind in ("dense", "sparse", "integer"):
        game = games.random_game(rng, n, 4, (1, 3), 0.8, kind=kind)
        result = iterate(game, ThreatModel(n - 1))
        assert result.status == "converged"
        trace = result.trace
        large = trace.residual[1:] > 1e-8
        assert (trace.ratio[1:][large] <= 0.8 + 1e-6).all()
        assert np.isnan(trace.ratio[0])
        assert (trace.types == 3).all()
        assert gap(game, ThreatModel(n - 1), result.policy).max() <= 1e-8


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/3")])
def test_zero_sum_games_converge_to_the_minimax_value(rng, threat):
    """[T7], type B throughout, for every k and ρ."""
    game = games.zero_sum_game(rng, 4, 3, 0.8)
    result = iterate(game, threat)
    assert result.status == "converged"
    assert (result.trace.types & 2).all()
    contest = oracle.contest(game, ThreatModel(1), Policy.uniform(game), 0)
    np.testing.assert_allclose(
        oracle.best_step(contest, result.values[0]), result.values[0], rtol=0, atol=1e-8
    )
    np.testing.assert_allclose(result.values[0], -result.values[1], rtol=0, atol=1e-8)
    large = result.trace.residual[1:] > 1e-8
    assert (result.trace.ratio[1:][large] <= 0.8 + 1e-6).all()


def test_the_trace_is_the_operator(rng):
    """V^{t+1} are the stage values of an equilibrium of the backup of V^t, by brute force."""
    game = games.random_game(rng, 2, 3, 2, 0.7)
    start = rng.uniform(-1, 1, (2, 3))
    result = iterate(game, ThreatModel(0), max_iterations=1, initial_values=start)
    assert result.status == "limit"
    assert (result.trace.values[0] == start).all()
    assert (result.trace.values[1] == result.values).all()
    dense = game.transitions.toarray()
    for agent in range(2):
        contest = oracle.contest(game, ThreatModel(0), result.policy, agent)
        best = [contest.stage(s, start[agent]).max() for s in range(3)]
        np.testing.assert_allclose(result.values[agent], best, rtol=0, atol=1e-9)
        rows = game.rewards[:, agent] + 0.7 * dense @ start[agent]
        for s in range(3):
            joint = np.multiply.outer(result.policy[0][s], result.policy[1][s]).reshape(-1)
            assert joint @ rows[4 * s : 4 * s + 4] == pytest.approx(result.values[agent, s], abs=1e-9)
    assert result.residual == np.abs(result.values - start).max()


def test_a_start_at_the_solution_stops_at_once():
    game = games.nosde()
    result = iterate(game, ThreatModel(1), initial_values=[[4, 3], [0, 4]])
    assert (result.status, result.iterations) == ("converged", 1)


@pytest.mark.parametrize("rate", [0.3, 1.0, lambda t: 1.0 / (1 + t) ** 0.3])
def test_learning_rates_converge_to_the_same_point(rng, rate):
    for game, threat in (
        (games.nosde(), ThreatModel(1)),
        (games.random_game(rng, 3, 3, 2, 0.5), ThreatModel(2)),
        (games.zero_sum_game(rng, 3, 2, 0.5), ThreatModel(0)),
    ):
        plain = iterate(game, threat)
        learned = iterate(game, threat, learning_rate=rate, tol=1e-9)
        assert learned.status == "converged"
        np.testing.assert_allclose(learned.values, plain.values, rtol=0, atol=1e-7)


def test_damping_alone_does_not_end_the_cycle_of_nosde():
    """A constant learning rate lengthens the cycle; a schedule has no cycle to find."""
    game = games.nosde()
    damped = iterate(game, ThreatModel(0), learning_rate=0.5, keep_trace=False)
    assert damped.status == "cycle"
    assert damped.cycle.period == 6
    slowing = iterate(
        game, ThreatModel(0), learning_rate=lambda t: 1 / (t + 2), max_iterations=200, keep_trace=False
    )
    assert slowing.status == "limit"
    assert slowing.cycle is None


def test_learning_rate_one_is_the_plain_procedure(rng):
    game = games.random_game(rng, 2, 3, 2, 0.6)
    plain = iterate(game, ThreatModel(1), max_iterations=10)
    learned = iterate(game, ThreatModel(1), learning_rate=1, max_iterations=10)
    np.testing.assert_allclose(learned.trace.values, plain.trace.values, rtol=0, atol=1e-14)


def test_learning_rate_residual_is_that_of_the_payoffs(rng):
    """‖r + γ P val(Q) − Q‖ at the first step, where Q = r."""
    game = games.random_game(rng, 2, 3, 2, 0.6)
    learned = iterate(game, ThreatModel(1), learning_rate=0.5, max_iterations=1)
    later = 0.6 * game.transitions.toarray() @ learned.values.T
    assert learned.residual == pytest.approx(np.abs(later).max(), abs=1e-15)


# -- selections ------------------------------------------------------------------------------------


def coordination(discount=0.5) -> MarkovGame:
    """One state; both prefer to match, on the second action more."""
    rewards = np.array([[[1.0, 0.0], [0.0, 2.0]]] * 2)[:, None]
    return MarkovGame.from_arrays(rewards, np.ones((1, 2, 2, 1)), discount)


def test_selections_lead_to_different_equilibria():
    game = coordination()
    rich = iterate(game, ThreatModel(0), selection="welfare")
    np.testing.assert_allclose(rich.values, [[4], [4]], atol=1e-9)
    assert (rich.trace.types & 1).all()
    assert not (rich.trace.types & 2).any()

    def poorest(equilibria, payoffs, previous):
        return int(np.argmin([x @ payoffs.sum(axis=0) @ y for x, y in equilibria]))

    poor = iterate(game, ThreatModel(0), selection=poorest)
    np.testing.assert_allclose(poor.values, [[4 / 3], [4 / 3]], atol=1e-9)
    for result in (rich, poor):
        assert gap(game, ThreatModel(0), result.policy).max() <= 1e-9


def test_a_selection_function_sees_the_last_profile():
    seen = []

    def stay(equilibria, payoffs, previous):
        seen.append(previous)
        if previous is None:
            return len(equilibria) - 1
        return int(
            np.argmin([np.abs(np.concatenate(e) - np.concatenate(previous)).max() for e in equilibria])
        )

    result = iterate(coordination(), ThreatModel(0), selection=stay, max_iterations=5)
    assert seen[0] is None
    assert all(last is not None for last in seen[1:])
    assert len(seen) == 5
    stages = [np.concatenate(last) for last in seen[1:]]
    assert all(np.array_equal(stages[0], stage) for stage in stages[1:])
    np.testing.assert_allclose(np.concatenate([x[0] for x in result.policy]), stages[0], atol=1e-12)


@pytest.mark.parametrize("selection", ["first", "nearest", "welfare"])
def test_converged_runs_are_equilibria(rng, selection):
    """[T7]: where the selected policies settle they are an ARNEQ."""
    converged = 0
    for _ in range(8):
        game = games.random_game(rng, 2, 3, 2, 0.6)
        result = iterate(game, ThreatModel(0), selection=selection, max_iterations=400)
        if result.status == "converged":
            converged += 1
            assert gap(game, ThreatModel(0), result.policy).max() <= 1e-8
            np.testing.assert_allclose(
                robust_values(game, ThreatModel(0), result.policy), result.values, rtol=0, atol=1e-8
            )
    assert converged >= 4


# -- options ---------------------------------------------------------------------------------------


def test_limit_progress_and_no_trace():
    lines = []
    result = iterate(
        games.nosde(),
        ThreatModel(1),
        max_iterations=7,
        keep_trace=False,
        progress=lambda t, residual: lines.append((t, residual)),
    )
    assert (result.status, result.iterations) == ("limit", 7)
    assert [t for t, _ in lines] == list(range(1, 8))
    assert [residual for _, residual in lines] == result.trace.residual.tolist()
    assert result.trace.values.shape == (0, 2, 2)
    assert result.trace.types.shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"progress": 3}, "progress is 3; must be a function"),
        ({"learning_rate": 0}, "learning_rate is 0; must be in"),
        ({"learning_rate": 1.5}, "learning_rate is 1.5"),
        ({"learning_rate": "x"}, "learning_rate is 'x'"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": lambda t: 2.0 if t == 1 else 0.5}, r"learning_rate\(1\) is 2.0"),
        ({"max_iterations": 0}, "max_iterations is 0; must be an integer of at least 1"),
        ({"max_iterations": 2.5}, "max_iterations is 2.5"),
        ({"tol": -1e-9}, "tol is -1e-09; must be a number of at least 0"),
        ({"tol": float("nan")}, "tol is nan"),
        ({"tol": "x"}, "tol is 'x'"),
        ({"initial_values": np.zeros((2, 3))}, r"initial_values have shape \(2, 3\); must be \(n, S\)"),
        ({"initial_values": [[np.nan, 0], [0, 0]]}, "initial_values hold a number that is not finite"),
        ({"initial_values": "x"}, "initial_values must be a table"),
        ({"selection": "best"}, "selection is 'best'"),
        ({"backend": "fast"}, "backend is 'fast'"),
    ],
)
def test_options_that_do_not_exist_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        iterate(games.nosde(), ThreatModel(0), **options)


def test_selections_without_enumeration_are_refused(rng):
    with pytest.raises(InputError, match=r"selection is 'welfare'; stage games of n = 5 agents .* no enum"):
        iterate(games.random_game(rng, 5), ThreatModel(1), selection="welfare")


def test_a_discount_of_one_is_refused():
    game = MarkovGame.from_arrays(np.ones((1, 1, 2)), np.ones((1, 2, 1)), 1.0)
    with pytest.raises(GameError, match="iterate: discount of agent '1' is 1"):
        iterate(game, ThreatModel(0))


@pytest.mark.parametrize("name", games.DEGENERATE)
def test_degenerate_games(rng, name):
    for n in (1, 2):
        game = games.DEGENERATE[name](rng, n)
        unit = game.reward_range.max()
        for threat in (ThreatModel(0), ThreatModel(n - 1), ThreatModel(1, probability="1/2")):
            result = iterate(game, threat, max_iterations=3000, keep_trace=False)
            assert result.status in ("converged", "cycle")
            if result.status == "converged":
                assert gap(game, threat, result.policy).max() <= 1e-8 * unit
            else:
                assert result.cycle.period > 1
                assert result.cycle.amplitude > 1e-9 * unit
            assert result.status == "converged" or not threat.decouples(n)
