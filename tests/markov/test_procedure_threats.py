"""The procedure and backward induction under every threat and for any number of agents [T10], [T14]."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel, check, gap, iterate, robust_values, solve
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.oracle import contest as oracle
from arneq_exact.stage.solve import StageSolver
from arneq_exact.stage.types.equilibrium_types import TYPE_A, TYPE_B_PRIME, UNDECIDED, stage_types

THREATS = list(games.general_threats(3))


@pytest.mark.parametrize("name", THREATS)
@pytest.mark.parametrize(("n", "actions"), [(2, 3), (3, 2)])
def test_backward_induction_is_subgame_perfect(rng, n, actions, name):
    """No agent gains at any step, by the oracle; masks differ from state to state."""
    threat = games.general_threats(n)[name]
    game = games.random_game(rng, n, 2, actions, [0.9] * (n - 1) + [1.0], ending=0.3)
    policy = solve(game, threat, horizon=2).policy
    values = robust_values(game, threat, policy)
    for agent in range(n):
        for step in range(2):
            contest = oracle.contest(game, threat, policy.at(step), agent)
            later = values[step + 1, agent]
            np.testing.assert_allclose(
                oracle.robust_step(contest, later), values[step, agent], rtol=0, atol=1e-9
            )
            np.testing.assert_allclose(
                oracle.best_step(contest, later), values[step, agent], rtol=0, atol=1e-9
            )


@pytest.mark.parametrize("name", THREATS)
def test_finite_horizons_are_proved(rng, name):
    threat = games.general_threats(3)[name]
    game = games.random_game(rng, 3, 3, (1, 3), 0.9)
    solution = solve(game, threat, horizon=3)
    assert solution.proved, solution.message
    assert solution.method == "backward-induction"
    assert check(game, solution.certificate, threat).valid


@pytest.mark.parametrize("name", THREATS)
@pytest.mark.parametrize(("n", "actions"), [(2, 3), (3, 2), (3, 3)])
def test_what_converges_is_an_equilibrium(rng, n, actions, name):
    """[T7]"""
    threat = games.general_threats(n)[name]
    game = games.random_game(rng, n, 2, actions, 0.3)
    for selection in ("first", "nearest") if (n, actions) == (3, 3) else ("first",):
        result = iterate(game, threat, selection=selection, max_iterations=60, keep_trace=n < 3)
        assert result.status in ("converged", "cycle")
        if result.status == "converged":
            assert gap(game, threat, result.policy).max() <= 1e-8
            assert oracle.gap(game, threat, result.policy).max() <= 1e-8


def test_a_mask_changes_the_value_where_it_holds():
    """A corrupted partner must pay 1 in state 0 and pays nothing in state 1: together worth 1 + γ · 2."""
    payoff = [[[1.0, 0.0]], [[1.0, 0.0]]]
    game = MarkovGame.from_arrays([payoff, np.zeros((2, 1, 2))], np.full((2, 1, 2, 2), 0.5), 0.5)
    threat = ThreatModel(sets={0: [{1}], 1: [{0}]}, masks={1: {0: [0]}})
    result = iterate(game, threat)
    assert result.status == "converged"
    np.testing.assert_allclose(result.values[0], [1.5, 0.5], rtol=0, atol=1e-9)
    # Nothing that the policies do matters to agent 0: a global optimum; the security value only in state 1.
    assert (result.trace.types[:, 0] == [TYPE_A, TYPE_A | TYPE_B_PRIME]).all()
    solution = solve(game, threat, horizon=2)
    np.testing.assert_allclose(solution.values[:, 0], [[1.25, 0.25], [1, 0], [0, 0]], rtol=0, atol=1e-12)


def test_masks_that_allow_everything_change_nothing(rng):
    """The columns gain smaller sets, which corrupted agents who can imitate make superfluous [T1]."""
    game = games.random_game(rng, 2, 3, 2, 0.7)
    free = {0: {s: [0, 1] for s in range(3)}, 1: {1: [0, 1]}}
    plain, masked = iterate(game, ThreatModel(1)), iterate(game, ThreatModel(1, masks=free))
    assert plain.status == masked.status == "converged"
    np.testing.assert_allclose(masked.values, plain.values, rtol=0, atol=1e-8)


@pytest.mark.parametrize("threat", [ThreatModel(1), ThreatModel(1, masks={0: {0: [0]}})])
def test_the_solver_named_procedure_takes_any_game(rng, threat):
    game = games.random_game(rng, 3, 2, 2, 0.5)
    solution = solve(game, threat, method="procedure")
    assert solution.method == "procedure"
    assert check(game, solution.certificate, threat).valid
    assert solution.proved or "cycle" in solution.message


def test_nearest_without_enumeration_stays_where_it_is():
    """Two conventions, three actions each: values of either, from the profile that was played last."""
    team = np.zeros((3, 3, 3))
    team[0, 0, 0], team[1, 1, 1], team[2, 2, 2] = 1.0, 2.0, 3.0
    game = MarkovGame.one_shot([team] * 3)
    solver = StageSolver(stage_attackers(ThreatModel(0), team.shape), selection="nearest")
    for action in range(3):
        last = [0.9 * np.eye(3)[[action]] + 0.1 / 3] * 3
        found = solver.solve([team[None]] * 3, last)
        assert all(np.allclose(x, np.eye(3)[action]) for x in found.policy)
    assert iterate(game, ThreatModel(0), selection="nearest").status == "converged"


@pytest.mark.parametrize("selection", ["welfare", "type-a", "agent-2", lambda *_: 0])
def test_selections_without_an_enumeration_are_refused_before_anything_runs(rng, selection):
    game = games.random_game(rng, 3, 2, 3, 0.5)
    with pytest.raises(
        InputError, match=r"selection is .* have no enumeration; must be .* one of first, nearest"
    ):
        iterate(game, ThreatModel(1), selection=selection)
    masked = ThreatModel(1, masks={0: {1: [0]}})
    with pytest.raises(
        InputError, match="n = 2 agents with 3, 3 actions under k = 1, masked actions have no"
    ):
        iterate(
            games.random_game(rng, 2, 2, 3, 0.5),
            masked,
            selection=selection if selection != "agent-2" else "agent-1",
        )


def test_the_reference_has_no_solver_for_general_stage_games(rng):
    for game, threat in (
        (games.random_game(rng, 3), ThreatModel(1)),
        (games.random_game(rng, 2), ThreatModel(1, masks={0: {0: [0]}})),
    ):
        with pytest.raises(InputError, match="are solved by backend 'auto' only"):
            iterate(game, threat, backend="reference")
        solution = solve(game, threat, method="procedure", backend="reference")
        assert solution.status == "incomplete"


def test_masked_stage_games_that_decouple_are_for_the_reference_too(rng):
    game = games.random_game(rng, 2, 2, 2, 0.5)
    threat = ThreatModel(sets={0: [{1}], 1: [{0}]}, masks={1: {0: [1]}})
    reference = iterate(game, threat, backend="reference", max_iterations=4)
    assert set(reference.calls) == {"cvxpy"}
    compiled = iterate(game, threat, max_iterations=4)
    np.testing.assert_allclose(reference.trace.values, compiled.trace.values, rtol=0, atol=1e-9)


def test_types_are_bounded_where_profiles_cannot_be_searched(rng):
    """Three agents, three actions: the best profile of a common reward is of type A, no other is."""
    game = games.random_game(rng, 3, 2, 3, 0.5)
    result = iterate(game, ThreatModel(1), max_iterations=3)
    words = {name for names in result.trace.type_names(-1) for name in names}
    assert words <= {"neither", "A", "B′", "A and B′", "A undecided", "B′, A undecided"}
    team = np.zeros((3, 3, 3))
    team[0, 0, 0], team[1, 1, 1] = 1.0, 2.0
    attackers = stage_attackers(ThreatModel(0), team.shape)
    found = stage_types([np.stack([team] * 3)] * 3, np.array([[2.0, 1.0, 0.0]] * 3), attackers)
    assert found.tolist() == [[TYPE_A, 0, TYPE_B_PRIME]] * 3
    attackers = stage_attackers(ThreatModel(1), team.shape)
    best = np.where(np.arange(3) == 0, 1.0, 0.0)
    own = np.multiply.outer(best, np.ones((3, 3)))  # only one's own action counts
    payoffs = [own[None], *[np.moveaxis(own, 0, i)[None] for i in (1, 2)]]
    flags = stage_types(payoffs, np.ones((3, 1)), attackers)
    assert (flags == TYPE_A | TYPE_B_PRIME).all()
    assert not (flags & UNDECIDED).any()
