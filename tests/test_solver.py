"""The front door: statuses, proofs, interruption, limits, determinism, refused arguments; fixed samples."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import brute_force
import games
import numpy as np
import pytest

from arneq_exact import check, gap, robust_values, solve
from arneq_exact.errors import GameError, InputError, StageError, ThreatError
from arneq_exact.markov import decoupled, registry
from arneq_exact.markov.candidates import Bounds, Candidate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel


def same_bits(first, second) -> bool:
    return all(a.tobytes() == b.tobytes() and a.shape == b.shape for a, b in zip(first, second, strict=True))


def verify(game, threat, solution, tol=1e-8) -> None:
    """What a Solution promises, field by field."""
    certificate = solution.certificate
    assert check(game, certificate, threat).valid
    assert check(game, certificate, threat).epsilon == solution.epsilon
    assert same_bits(solution.policy, certificate.policy)
    np.testing.assert_array_equal(solution.values, certificate.lower.astype(np.float64))
    units = game.exact_reward_range()
    for bound, unit, relative in zip(solution.epsilon, units, solution.relative_gap, strict=True):
        assert Fraction(relative) >= bound / unit
        assert relative <= float(bound / unit) * (1 + 1e-15) + 1e-300
    expected = "incomplete"
    if max(solution.relative_gap) <= tol:
        expected = "certified" if any(solution.epsilon) else "exact"
    assert solution.status == expected
    assert solution.proved == (expected != "incomplete")
    floats = gap(game, threat, solution.policy)
    assert solution.gap.shape == floats.shape
    assert (solution.gap >= floats - 1e-13 * np.abs(solution.values).max()).all()
    assert (solution.gap <= [[float(e) * (1 + 1e-12) + 1e-300] for e in solution.epsilon]).all()
    own = robust_values(game, threat, solution.policy)
    slack = solution.gap.max() + 1e-12 * max(1.0, np.abs(own).max())
    assert np.abs(own - solution.values).max() <= slack
    assert len(solution.attack) == game.n_agents
    assert solution.seconds > 0
    assert solution.iterations >= 0


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
    """A class that no solver covers, by a method that promises nothing."""
    hopeful = next(entry for entry in registry.SOLVERS if not entry.complete and entry.automatic)
    monkeypatch.setattr("arneq_exact.solver.SOLVERS", (hopeful,))
    game = nosde_with_a_bystander()
    solution = solve(game, ThreatModel(0), method="best-response-iteration")
    assert solution.status == "incomplete"
    assert not solution.proved
    verify(game, ThreatModel(0), solution)
    assert "games of n = 3 agents under k = 0 are a class that no solver covers yet" in solution.message
    assert f"proved relative gap of {max(solution.relative_gap):.3g}, tol is 1e-08" in solution.message
    # The best of all that was tried.
    assert max(solution.relative_gap) <= min(entry.relative_gap for entry in solution.trace) * (1 + 1e-6)
    assert solution.method == "best-response-iteration"


def test_incomplete_in_a_covered_class_does_not_blame_the_class():
    solution = solve(games.nosde(), ThreatModel(0), method="best-response-iteration")
    assert solution.status == "incomplete"
    assert "class" not in solution.message
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
    monkeypatch.setattr("arneq_exact.solver.SOLVERS", (liar,))
    solution = solve(game, threat)
    assert solution.status == "incomplete"
    assert check(game, solution.certificate, threat).valid
    assert (brute_force.gap(game, threat, solution.policy) <= solution.gap + 1e-8).all()


# -- interruption, limits, failures -----------------------------------------------------------------


class Interrupts:
    """A progress callback that presses Ctrl-C at the n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.seen = []

    def __call__(self, progress) -> None:
        self.seen.append(progress)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_an_interrupt_gives_the_best_policy_so_far(calls):
    game = games.nosde()
    progress = Interrupts(calls)
    solution = solve(game, ThreatModel(0), progress=progress)
    assert solution.status == "incomplete"
    assert "interrupted" in solution.message
    assert len(progress.seen) == calls
    verify(game, ThreatModel(0), solution)
    if calls == 1:
        # Before any candidate: the uniform policy, with its gap.
        assert solution.policy == Policy.uniform(game)
        assert solution.method == "none"
        assert solution.trace == ()
    else:
        best = min(entry.relative_gap for entry in solution.trace)
        assert max(solution.relative_gap) == pytest.approx(best, rel=1e-6)


def test_an_interrupt_in_a_finite_horizon():
    solution = solve(games.nosde(), ThreatModel(0), horizon=3, progress=Interrupts(1))
    assert solution.status == "incomplete"
    # The last step is solved; before it everyone plays uniformly.
    uniform = Policy.uniform(games.nosde(), 3)
    assert all((mine[:2] == flat[:2]).all() for mine, flat in zip(solution.policy, uniform, strict=True))
    assert solution.policy != uniform
    assert check(games.nosde(), solution.certificate, ThreatModel(0)).valid


@pytest.mark.parametrize("method", ["auto", "procedure", "barrier", "stage-policy-iteration"])
def test_the_time_limit_ends_every_method(method):
    game = games.nosde()
    solve(game, ThreatModel(0))  # kernels are compiled outside the limit
    solution = solve(game, ThreatModel(0), method=method, time_limit=1e-9)
    assert solution.status == "incomplete"
    assert "the time limit of 1e-09 s was reached" in solution.message
    assert solution.seconds < 5
    verify(game, ThreatModel(0), solution)


def test_progress_tells_method_line_best_and_seconds():
    lines = []
    solution = solve(games.nosde(), ThreatModel(0), progress=lines.append)
    assert solution.proved
    assert lines[0].best == np.inf
    assert lines[0].method == "stage-policy-iteration"
    assert all(later.seconds >= earlier.seconds for earlier, later in itertools.pairwise(lines))
    assert all(later.best <= earlier.best for earlier, later in itertools.pairwise(lines))
    assert {line.method for line in lines} <= {entry.name for entry in registry.SOLVERS}
    assert all(line.line for line in lines)


@pytest.mark.parametrize("error", [StageError("no method solved game 0"), np.linalg.LinAlgError("no SVD")])
def test_a_solver_that_breaks_down_is_abandoned(monkeypatch, rng, error):
    game = games.random_game(rng, 2, 2, 2, 0.5)

    def breaks(problem):
        yield Candidate(Policy.uniform(game), 0, "uniform policy")
        raise error

    broken = type(registry.SOLVERS[0])(**{**vars(registry.SOLVERS[0]), "name": "broken", "run": breaks})
    monkeypatch.setattr("arneq_exact.solver.SOLVERS", (broken,))
    solution = solve(game, ThreatModel(1))
    assert solution.status == "incomplete"
    assert f"broken was abandoned: {error}" in solution.message
    verify(game, ThreatModel(1), solution)
    # The next one is still asked.
    monkeypatch.setattr("arneq_exact.solver.SOLVERS", (broken, *registry.SOLVERS))
    assert solve(game, ThreatModel(1)).proved


def test_a_stage_solver_that_fails_everywhere_leaves_the_uniform_policy(monkeypatch):
    """Backward induction and maximin need stage games: nothing escapes when they fail."""

    def fails(*arguments, **options):
        raise StageError("no method solved game 0")

    monkeypatch.setattr("arneq_exact.markov.stage_step.StageSolver.solve", fails)
    solution = solve(games.nosde(), ThreatModel(0), horizon=2)
    assert solution.status == "incomplete"
    assert "backward-induction was abandoned: no method solved game 0" in solution.message
    assert solution.policy == Policy.uniform(games.nosde(), 2)


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


# -- refused ----------------------------------------------------------------------------------------


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


# -- fixed samples of the studies -------------------------------------------------------------------


@pytest.mark.parametrize("number", range(24))
def test_sample_of_decoupled_games(number):
    """All are certified, whatever the size and discount."""
    rng = np.random.default_rng([11, number])
    n = 2 + number % 3
    n_states = int(rng.integers(2, 21)) if n < 4 else int(rng.integers(2, 9))
    actions = (2, 4) if n < 4 else (2, 3)
    kind = ("dense", "sparse", "integer")[number % 3]
    discount = (0.5, 0.9, 0.99)[number // 3 % 3]
    game = games.random_game(rng, n, n_states, actions, discount, kind=kind, ending=0.2 * (number % 2))
    threat = ThreatModel(n - 1)
    solution = solve(game, threat)
    assert solution.proved, solution.message
    verify(game, threat, solution)
    # [T4]: values are unique, fixed points of each agent's own minimax operator.
    if n_states <= 6 and n < 4:
        for agent in range(n):
            contest = brute_force.Contest(game, threat, solution.policy, agent)
            np.testing.assert_allclose(
                contest.best_step(solution.values[agent]), solution.values[agent], rtol=0, atol=1e-7
            )


def test_sample_of_two_agent_nash_games():
    """30 games at k = 0, dense, sparse and integer: at least 29 are certified."""
    proved = 0
    for number in range(30):
        rng = np.random.default_rng([12, number])
        kind = ("dense", "sparse", "integer")[number % 3]
        discount = (0.5, 0.9, 0.99)[number // 3 % 3]
        game = games.random_game(rng, 2, int(rng.integers(1, 9)), (2, 3), discount, kind=kind)
        solution = solve(game, ThreatModel(0))
        verify(game, ThreatModel(0), solution)
        proved += solution.proved
    assert proved >= 29


@pytest.mark.parametrize("number", range(9))
def test_sample_of_two_agents_with_a_probability(number):
    """State-dependent action sets; different views of the two agents."""
    rng = np.random.default_rng([13, number])
    threat = (
        ThreatModel(1, probability="1/4"),
        ThreatModel(1, probability=0.9),
        ThreatModel(distribution={0: {frozenset(): "1/3", frozenset({1}): "2/3"}, 1: {frozenset(): 1}}),
    )[number % 3]
    kind = ("dense", "sparse", "integer")[number // 3]
    game = games.random_game(rng, 2, 4, (1, 4), [0.9, 0.7], kind=kind)
    solution = solve(game, threat)
    assert solution.proved, solution.message
    verify(game, threat, solution)


def test_decoupled_bounds_need_no_second_look(monkeypatch):
    """The solver's own mixtures and values are the evidence: nothing is solved again to certify."""
    game = games.random_game(np.random.default_rng(5), 2, 5, 3, 0.9)
    (candidate,) = decoupled.run(decoupled.Problem(game, ThreatModel(1)))
    monkeypatch.setattr("arneq_exact.certificate.build._evidence", pytest.fail)
    solution = solve(game, ThreatModel(1))
    assert solution.proved
    upper = solution.certificate.upper.astype(np.float64)
    np.testing.assert_allclose(upper, candidate.bounds.upper, rtol=0, atol=1e-11)


def test_simple_values_are_proved_exactly():
    """Evidence may be guessed rationals: the values 12/(1 + 3ρ) of the cycling game close the gap."""
    game = games.nosde("3/4")
    for rho, worth in (("1/2", Fraction(24, 5)), ("3/5", Fraction(30, 7))):
        threat = ThreatModel(1, probability=rho)
        solution = solve(game, threat)
        verify(game, threat, solution)
        assert solution.status == "exact"
        assert Fraction(solution.certificate.lower[0, 1]) == worth
