"""Every registered solver on the same families, judged by the checker and by brute force."""

from __future__ import annotations

from collections import Counter

import games
import numpy as np
import pytest

from arneq_exact import catalog, check, gap, robust_values, solve
from arneq_exact.errors import InputError, StageError
from arneq_exact.markov import best_response_iteration, decoupled, procedure, stage_policy_iteration
from arneq_exact.markov.candidates import Problem
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle
from arneq_exact.solver.registry import SOLVERS, solver_names
from arneq_exact.stage.selection import SELECTIONS

HALF = ThreatModel(1, probability="1/2")


def separable(n):
    rng = np.random.default_rng(n)
    tables = rng.integers(-5, 6, (2, n, n, 3)) + rng.uniform(0, 0.5, (2, n, n, 3))
    return tables, games.separable(tables, 0.8, [[0.25, 0.75], [0.5, 0.5]])


def separable_values(n, k):
    stage, _ = games.separable_answer(separable(n)[0], k)
    return np.linalg.solve(np.eye(2) - 0.8 * np.array([[0.25, 0.75], [0.5, 0.5]]), stage.T).T


def zero_sum():
    return games.zero_sum_game(np.random.default_rng(4), 3, 3, 0.8)


# name: (game, threat, the only values that an ARNEQ can have or None)
FAMILIES = {
    **{f"[F1] n={n} k={k}": (lambda n=n: separable(n)[1], ThreatModel(k), separable_values(n, k))
       for n in (1, 2, 3) for k in range(n)},
    "[F2] n=2 k=0": (lambda: games.public_good(2, 1, 3, 1), ThreatModel(0), None),
    "[F2] n=2 k=1": (lambda: games.public_good(2, 1, 3, 1), ThreatModel(1), [[2.0], [2.0]]),
    "[F2] n=3 k=1": (lambda: games.public_good(3, 2, 3, 1), ThreatModel(1), None),
    "[F2] n=3 k=2": (lambda: games.public_good(3, 1, 3, 1), ThreatModel(2), [[2.0]] * 3),
    "[F3] n=2 k=1": (lambda: games.unanimity(2, [1, 2, 5]), ThreatModel(1), [[1 / 1.7]] * 2),
    "[F3] n=2 k=0": (lambda: games.unanimity(2, [1, 2, 5]), ThreatModel(0), None),
    "[F3] n=3 k=1": (lambda: games.unanimity(3, [1, 2]), ThreatModel(1), None),
    "[F4] k=0": (zero_sum, ThreatModel(0), "zero-sum"),
    "[F4] k=1": (zero_sum, ThreatModel(1), "zero-sum"),
    "[F4] probability": (zero_sum, HALF, "zero-sum"),
    "[F5] climbing k=0": (games.climbing, ThreatModel(0), None),
    "[F5] climbing k=1": (games.climbing, ThreatModel(1), [[0.0], [66 / 47]]),
    "[F5] penalty k=1": (lambda: games.penalty(0.0), ThreatModel(1), [[10 / 7]] * 2),
    "[F5] penalty -10": (lambda: games.penalty(-10.0), ThreatModel(1), [[0.0]] * 2),
    "matching pennies": (games.matching_pennies, ThreatModel(0), [[0.0]] * 2),
    "prisoners' dilemma": (games.prisoners_dilemma, ThreatModel(0), [[1.0]] * 2),
    "[T8] k=0": (games.nosde, ThreatModel(0), [[4, 16 / 3], [16 / 3, 4]]),
    "[T8] k=1": (games.nosde, ThreatModel(1), [[4, 3], [0, 4]]),
    "[T8] probability": (games.nosde, ThreatModel(1, probability="1/2"), [[4, 4.8], [0, 4]]),
}  # fmt: skip

# Where a solver made for the class may end without a proof: what it says of itself.
FAILS = {
    # The stage equilibria of the cycling game are pure, its only equilibrium is mixed.
    ("stage-policy-iteration", "[T8] k=0"),
}


def accepted(entry):
    return [name for name, (build, threat, _) in FAMILIES.items() if entry.accepts(build(), threat)]


def judge(game, threat, solution) -> None:
    """What must hold of every answer, proved or not."""
    tol = 1e-8
    assert solution.status in ("exact", "certified", "incomplete")
    assert solution.proved == (max(solution.relative_gap) <= tol)
    assert (solution.status == "exact") == (solution.epsilon == (0,) * game.n_agents)
    result = check(game, solution.certificate, threat)
    assert result.valid, result.reason
    assert result.epsilon == solution.epsilon
    true = oracle.gap(game, threat, solution.policy)
    assert (true <= solution.gap + 2e-9 * np.abs(game.rewards).max()).all()


def values_meet(expected, values) -> None:
    if isinstance(expected, str):
        np.testing.assert_allclose(values[0], -values[1], rtol=0, atol=1e-7)
        contest = oracle.contest(zero_sum(), ThreatModel(1), Policy.uniform(zero_sum()), 0)
        np.testing.assert_allclose(values[0], oracle.best_value(contest)[0], rtol=0, atol=1e-7)
    elif expected is not None:
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("entry", "name"),
    [pytest.param(entry, name, id=f"{entry.name}-{name}") for entry in SOLVERS for name in accepted(entry)],
)
def test_families(entry, name):
    build, threat, expected = FAMILIES[name]
    game = build()
    solution = solve(game, threat, method=entry.name)
    judge(game, threat, solution)
    if solution.proved:
        values_meet(expected, solution.values)
        assert solution.method == entry.name
    if entry.complete:
        assert solution.proved != ((entry.name, name) in FAILS), solution.message
    if entry.name == "decoupled":
        assert solution.proved


@pytest.mark.parametrize("name", FAMILIES)
def test_auto_solves_every_family(name):
    build, threat, expected = FAMILIES[name]
    solution = solve(build(), threat)
    assert solution.proved, solution.message
    values_meet(expected, solution.values)


@pytest.mark.parametrize("name", games.DEGENERATE)
@pytest.mark.parametrize("entry", SOLVERS, ids=solver_names())
def test_degenerate_games(rng, entry, name):
    for n in (1, 2, 3):
        game = games.DEGENERATE[name](rng, n)
        for threat in (ThreatModel(0), ThreatModel(1), ThreatModel(n - 1), HALF):
            if not entry.accepts(game, threat) or (
                n == 3 and name not in ("integer", "constant", "absorbing")
            ):
                continue
            solution = solve(game, threat, method=entry.name)
            judge(game, threat, solution)
            if threat.decouples(n) and entry.name in ("decoupled", "stage-policy-iteration"):
                assert solution.proved, solution.message


@pytest.mark.parametrize("name", games.DEGENERATE)
def test_auto_solves_degenerate_games_of_covered_classes(rng, name):
    for n in (1, 2):
        game = games.DEGENERATE[name](rng, n)
        for threat in games.threats(n).values():
            solution = solve(game, threat)
            assert solution.proved, (threat, solution.message)
            assert check(game, solution.certificate, threat).valid


def test_the_registry_is_complete():
    names = solver_names()
    assert len(names) == len(set(names))
    assert {"decoupled", "stage-policy-iteration", "procedure", "best-response-iteration"} <= set(names)
    for entry in SOLVERS:
        for text in (
            entry.games,
            entry.guarantee,
            entry.precision,
            entry.cost,
            entry.failure,
            entry.reference,
        ):
            assert text
            assert "\n" not in text


def test_every_covered_class_has_a_complete_solver_in_auto():
    for n in (1, 2):
        game = games.random_game(np.random.default_rng(0), n)
        for threat in games.threats(n).values():
            assert any(
                entry.complete and entry.automatic and entry.accepts(game, threat) for entry in SOLVERS
            )


# -- decoupled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_decoupled_values_are_security_values(rng, n):
    """[T4]: fixed points of each agent's own minimax operator; bounds are the candidate's values."""
    game = games.random_game(rng, n, 4, (1, 3), 0.9, ending=0.3)
    (candidate,) = decoupled.run(Problem(game, ThreatModel(n - 1)))
    for agent in range(n):
        contest = oracle.contest(game, ThreatModel(n - 1), candidate.policy, agent)
        value = candidate.bounds.upper[agent]
        np.testing.assert_allclose(oracle.best_step(contest, value), value, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        robust_values(game, ThreatModel(n - 1), candidate.policy), candidate.bounds.lower, rtol=0, atol=1e-11
    )
    assert (candidate.bounds.lower == candidate.bounds.upper).all()


def test_decoupled_one_agent_is_a_markov_decision_process():
    """A closed form: wait for 1 a step for ever, or take 5 once: 1/(1 − γ) = 10 > 5 + γ·0."""
    game = MarkovGame.from_rows([[2], [1]], [[1], [5], [0]], [[(1, 0)], [(1, 1)], [(1, 1)]], "9/10")
    solution = solve(game, ThreatModel(0))
    assert solution.status in ("exact", "certified")
    np.testing.assert_allclose(solution.values, [[10, 0]], rtol=0, atol=1e-12)
    assert solution.policy[0].tolist() == [[1, 0], [1, 0]]


def test_reference_backend_solves_and_counts(rng):
    game = games.random_game(rng, 2, 2, 2, 0.6)
    calls: Counter[str] = Counter()
    (candidate,) = decoupled.run(Problem(game, ThreatModel(1), backend="reference", calls=calls))
    assert set(calls) == {"cvxpy"}
    assert gap(game, ThreatModel(1), candidate.policy).max() <= 1e-8


# -- the others -------------------------------------------------------------------------------------


def test_stage_policy_iteration_evaluates_its_stages(rng):
    """Polished profiles and those where runs end are offered; one of the first is an equilibrium."""
    game = games.random_game(rng, 2, 4, 2, 0.95)
    notes = []
    best = np.inf
    for number, candidate in enumerate(stage_policy_iteration.run(Problem(game, ThreatModel(0), seed=1))):
        notes.append(candidate.note)
        best = min(best, float(gap(game, ThreatModel(0), candidate.policy).max()))
        if best <= 1e-9 or number > 200:
            break
    assert best <= 1e-9
    assert all(note.startswith("stage policy iteration") for note in notes)
    assert "start 1 (" in notes[0]


def test_stage_policy_iteration_restarts_are_seeded(rng):
    game = games.nosde()

    def notes(seed):
        found = stage_policy_iteration.run(Problem(game, ThreatModel(0), seed=seed))
        return [(c.note, [array.tolist() for array in c.policy]) for c in found]

    assert notes(3) == notes(3)
    # NoSDE singles out no stage equilibrium that is right: every start runs to its end.
    starts = [note.partition("start ")[2].partition(" ")[0] for note, _ in notes(3)]
    assert starts == [str(number + 1) for number in range(stage_policy_iteration.STARTS)]


def test_a_failing_stage_game_abandons_the_start(monkeypatch):
    from arneq_exact.markov import stage_policy_iteration as module

    def fails(self, *arguments):
        raise StageError("no method solved game 0")

    monkeypatch.setattr(module.StageStep, "at", fails)
    lines = []
    problem = Problem(games.nosde(), ThreatModel(0), report=lines.append)
    assert list(stage_policy_iteration.run(problem)) == []
    assert any("start abandoned: no method solved game 0" in line for line in lines)


def test_best_response_play_finds_pure_arneq():
    """[F1] for every k: dominant actions are found in one round, and play stops when it repeats."""
    for k in range(3):
        tables, game = separable(3)
        found = list(best_response_iteration.run(Problem(game, ThreatModel(k))))
        assert [c.note for c in found[:2]] == ["uniform policy", "maximin strategies"]
        assert len(found) < 2 + best_response_iteration.ROUNDS
        last = found[-1]
        _, best = games.separable_answer(tables, k)
        assert last.policy == Policy.from_actions(game, best)
        assert gap(game, ThreatModel(k), last.policy).max() <= 1e-12


def test_best_response_play_is_bounded_where_it_cycles():
    found = list(best_response_iteration.run(Problem(games.nosde(), ThreatModel(0))))
    assert len(found) == 2 + best_response_iteration.ROUNDS


def test_procedure_as_a_solver_tries_every_selection():
    lines = []
    found = list(procedure.run(Problem(games.nosde(), ThreatModel(0), report=lines.append)))
    assert [c.note for c in found] == [
        f"procedure of Eq. (2), {name} equilibrium, cycle of period 5" for name in SELECTIONS
    ]
    assert {"first", "nearest", "welfare", "type-a", "type-b"} <= set(SELECTIONS)
    assert len(lines) >= 3
    (only,) = procedure.run(Problem(games.nosde(), ThreatModel(1)))
    assert only.note == "procedure of Eq. (2), first equilibrium, converged"


def test_a_method_that_does_not_take_the_class_is_refused():
    game = games.public_good(3, 2, 3, 1)
    with pytest.raises(
        InputError, match="method 'decoupled' does not take n = 3 agents under k = 1; it takes"
    ):
        solve(game, ThreatModel(1), method="decoupled")


@pytest.mark.parametrize(("number", "k"), [(1, 0), (1, 1), (2, 0), (2, 1)])
def test_grid_games(number, k):
    """[F6]: proved, with values that an equilibrium of theirs may have."""
    game = catalog.load(f"grid-game-{number}")
    solution = solve(game, ThreatModel(k))
    assert solution.proved, solution.message
    assert check(game, solution.certificate, ThreatModel(k)).valid
    start = int(np.argmax(game.initial))
    values = solution.values[:, start]
    if (number, k) == (1, 1):
        np.testing.assert_allclose(values, 0, atol=1e-6)
    elif (number, k) == (2, 1):
        np.testing.assert_allclose(values, 49.005, atol=1e-5)
    else:
        assert (values >= -1e-6).all()
        assert (values <= (97.0299 if number == 1 else 98.01) + 1e-5).all()
