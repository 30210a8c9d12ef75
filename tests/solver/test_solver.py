"""The front door: statuses, proofs, determinism, backends, refused arguments."""

from __future__ import annotations

import json
from fractions import Fraction

import games
import numpy as np
import pytest
from solution_promises import verify

from arneq_exact import catalog, check, solve
from arneq_exact.errors import GameError, InputError, ThreatError
from arneq_exact.markov.candidates import Bounds, Candidate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle
from arneq_exact.solver import registry

# -- statuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "k"),
    [
        (games.prisoners_dilemma(), 0),
        (games.prisoners_dilemma(), 1),
        (games.matching_pennies(), 1),
        (games.penalty(-10), 1),
        (games.public_good(3, 1, 3, 1), 2),
    ],
)
def test_exact(game, k):
    solution = solve(game, ThreatModel(k))
    assert solution.status == "exact"
    assert solution.epsilon == (Fraction(0),) * game.n_agents
    verify(game, ThreatModel(k), solution)


def test_certified(rng):
    game = games.random_game(rng, 2, 4, 3, 0.9)
    solution = solve(game, ThreatModel(0))
    assert solution.status == "certified"
    assert 0 < max(solution.relative_gap) <= 1e-8
    verify(game, ThreatModel(0), solution)


def nosde_with_a_bystander() -> MarkovGame:
    """Three agents at k = 0: the only equilibrium mixes, and neither maximin nor uniform play is near it."""
    game = games.nosde()
    return MarkovGame.from_rows(
        [[2, 1, 1], [1, 2, 1]],
        [[*row, 0] for row in game.rewards.tolist()],
        [[(1, 0)], [(1, 1)], [(1, 1)], [(1, 0)]],
        0.75,
    )


def test_incomplete_names_the_class_and_its_proved_gap(monkeypatch):
    """A game that is too large for the solvers of its class, by a method that promises nothing."""
    hopeful = next(entry for entry in registry.SOLVERS if not entry.complete and entry.automatic)
    monkeypatch.setattr("arneq_exact.solver.solve.SOLVERS", (hopeful,))
    game = nosde_with_a_bystander()
    solution = solve(game, ThreatModel(0), method="best-response-iteration")
    assert solution.status == "incomplete"
    assert not solution.proved
    verify(game, ThreatModel(0), solution)
    size = "3 agents, 2 states under k = 0"
    assert f"{size} are more than any solver of whole classes takes" in solution.message
    assert f"proved relative gap of {max(solution.relative_gap):.3g}, tol is 1e-08" in solution.message
    # The best of all that was tried.
    assert max(solution.relative_gap) <= min(entry.relative_gap for entry in solution.trace) * (1 + 1e-6)
    assert solution.method == "best-response-iteration"


def test_incomplete_in_a_covered_class_does_not_blame_the_class():
    solution = solve(games.nosde(), ThreatModel(0), method="best-response-iteration")
    assert solution.status == "incomplete"
    assert "more than any solver" not in solution.message
    assert "every method was tried" in solution.message
    verify(games.nosde(), ThreatModel(0), solution)


def test_the_tolerance_is_relative_to_the_reward_range(rng):
    base = games.random_game(rng, 2, 3, 2, 0.9)
    for scale in (1e-6, 1.0, 1e6):
        game = MarkovGame(base.rewards * scale, base.transitions, base.action_counts, base.discount)
        solution = solve(game, ThreatModel(1))
        assert solution.proved
        assert max(solution.relative_gap) <= 1e-8
        verify(game, ThreatModel(1), solution)


def test_a_tolerance_out_of_reach_is_incomplete_not_certified(rng):
    game = games.random_game(rng, 2, 3, 3, 0.9)
    solution = solve(game, ThreatModel(1), tol=1e-40)
    assert solution.status == "incomplete"
    verify(game, ThreatModel(1), solution, tol=1e-40)
    assert max(solution.relative_gap) <= 1e-12


def test_a_weak_tolerance_accepts_more():
    game = games.nosde()
    loose = solve(game, ThreatModel(0), tol=1.0, method="best-response-iteration")
    assert loose.status == "certified"
    assert 1e-3 < max(loose.relative_gap) <= 1
    verify(game, ThreatModel(0), loose, tol=1.0)


def test_a_lying_solver_is_not_believed(monkeypatch, rng):
    """Bounds are hints: a solver that claims the uniform policy is optimal gets its true gap proved."""
    game = games.random_game(rng, 2, 2, 2, 0.5)
    threat = ThreatModel(1)

    def lies(problem):
        values = np.zeros((2, 2))
        attack = tuple(np.eye(2)[[0, 0]] for _ in range(2))
        yield Candidate(Policy.uniform(game), 1, "a lie", Bounds(attack, values, values))

    honest = registry.SOLVERS[0]
    assert honest.name == "decoupled"
    liar = type(honest)(**{**vars(honest), "run": lies})
    monkeypatch.setattr("arneq_exact.solver.solve.SOLVERS", (liar,))
    solution = solve(game, threat)
    assert solution.status == "incomplete"
    assert check(game, solution.certificate, threat).valid
    assert (oracle.gap(game, threat, solution.policy) <= solution.gap + 1e-8).all()


# -- determinism and backends -----------------------------------------------------------------------


def bytes_of(game, solution) -> str:
    data = solution.to_json(game)
    del data["seconds"]
    return json.dumps(data)


@pytest.mark.parametrize("k", [0, 1])
def test_the_same_seed_gives_the_same_bytes(rng, k):
    for game in (games.random_game(rng, 2, 4, 3, 0.95), games.nosde(), games.climbing()):
        first = solve(game, ThreatModel(k), seed=7)
        assert bytes_of(game, first) == bytes_of(game, solve(game, ThreatModel(k), seed=7))


def test_reference_backend_agrees_where_values_are_unique(rng):
    for game, threat in (
        (games.nosde(), ThreatModel(1)),
        (games.random_game(rng, 2, 2, 2, 0.6), ThreatModel(1)),
        (games.random_game(rng, 3, 2, 2, 0.6), ThreatModel(2)),
        (games.random_game(rng, 1, 3, 3, 0.6), ThreatModel(0)),
        (games.zero_sum_game(rng, 2, 2, 0.6), ThreatModel(0)),
        (games.zero_sum_game(rng, 2, 2, 0.6), ThreatModel(1, probability="1/3")),
    ):
        reference = solve(game, threat, backend="reference")
        compiled = solve(game, threat)
        assert reference.proved, reference.message
        verify(game, threat, reference)
        np.testing.assert_allclose(reference.values, compiled.values, rtol=0, atol=1e-6)


def test_naming_the_method_uses_no_other(rng):
    game = games.random_game(rng, 2, 3, 2, 0.8)
    for name in ("decoupled", "stage-policy-iteration", "procedure", "barrier"):
        solution = solve(game, ThreatModel(1), method=name)
        assert solution.method == name
        assert solution.proved


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "method is 'magic'; must be auto or one of decoupled, "),
        ({"method": None}, "method is None"),
        ({"backend": "fast"}, "backend is 'fast'; must be one of auto, reference"),
        ({"tol": 0}, "tol is 0; must be a positive number"),
        ({"tol": -1e-8}, "tol is -1e-08"),
        ({"tol": float("nan")}, "tol is nan"),
        ({"tol": "1e-8"}, "tol is '1e-8'"),
        ({"tol": True}, "tol is True"),
        ({"time_limit": 0}, "time_limit is 0; must be a positive number of seconds"),
        ({"time_limit": True}, "time_limit is True; must be a positive number of seconds"),
        ({"time_limit": "x"}, "time_limit is 'x'"),
        ({"seed": -1}, "seed is -1; must be an integer of at least 0"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"progress": 3}, "progress is 3; must be a function"),
        ({"method": "backward-induction"}, "method is 'backward-induction' with horizon None"),
        ({"method": "decoupled", "horizon": 2}, "method is 'decoupled' with horizon 2"),
        (
            {"method": "decoupled"},
            "method 'decoupled' does not take n = 2 agents under k = 0; it takes any n",
        ),
    ],
)
def test_arguments_are_refused_in_one_line(options, message):
    with pytest.raises(InputError) as caught:
        solve(games.nosde(), ThreatModel(0), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_games_and_threats_are_refused():
    with pytest.raises(ThreatError, match="solve: threat is 0; must be a ThreatModel"):
        solve(games.nosde(), 0)
    with pytest.raises(GameError, match="solve: game is 'nosde'; must be a MarkovGame"):
        solve("nosde", ThreatModel(0))
    with pytest.raises(ThreatError, match=r"sets list the agents \[0\]"):
        solve(games.nosde(), ThreatModel(sets={0: [[1]]}))
    endless = MarkovGame.from_arrays(np.ones((1, 1, 2)), np.ones((1, 2, 1)), 1)
    with pytest.raises(GameError, match="discount of agent '1' is 1; must be below 1 unless"):
        solve(endless, ThreatModel(0))


def test_a_large_game_with_large_values_is_sealed_in_doubles():
    """What the decoupled solver knows is of a recentred game; the checker of large games takes doubles."""
    game = catalog.load("random-dense", seed=3, agents=2, states=120, actions=12, discount=0.99999)
    solution = solve(game, ThreatModel(1), method="decoupled")
    assert solution.certificate.arithmetic == "float"
    assert check(game, solution.certificate, ThreatModel(1)).valid
    assert max(solution.relative_gap) <= 1e-2
