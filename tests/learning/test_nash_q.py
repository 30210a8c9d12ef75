"""Nash-Q: against a plain Python run of the same updates, exact fixed points, and the game where it fails."""

from __future__ import annotations

from functools import partial
from itertools import product

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, Policy, ThreatModel, gap, solve
from arneq_exact.errors import GameError, InputError
from arneq_exact.learning.exploration import RandomPairs, Trajectory
from arneq_exact.learning.nash_q import nash_q
from arneq_exact.learning.step_sizes import HARMONIC, Constant, Polynomial
from arneq_exact.markov.bellman import backup
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.stage.solve import StageSolver

HALF = ThreatModel(1, probability="1/2")


def plain_run(game, threat, updates, seed, exploration, step_size, selection="first"):
    """The definition, update by update, with the stage solvers of the procedure; the same random numbers."""
    generator = np.random.default_rng(seed)
    step = StageStep(game, threat, partial(StageSolver, selection=selection))
    n = game.n_agents
    begin = game.first_states.cumsum()
    state = int(np.searchsorted(begin, generator.random(), "right"))
    payoffs, visits = np.zeros((n, game.n_rows)), np.zeros(game.n_rows, dtype=int)
    dense = game.transitions.toarray()
    for _ in range(updates):
        draw = generator.random(n + 3)
        stage = step.at_payoffs(payoffs)
        counts = game.action_counts[state]
        if isinstance(exploration, RandomPairs):
            row = int(draw[0] * game.n_rows)
        else:
            chosen = []
            for j in range(n):
                law = stage.policy[j][state, : counts[j]] * (1 - exploration.epsilon)
                law = law + exploration.epsilon / counts[j]
                chosen.append(min(int(np.searchsorted(law.cumsum(), draw[j], "right")), counts[j] - 1))
            row = int(game.offsets[state] + np.ravel_multi_index(chosen, counts))
        following = int(np.searchsorted(dense[row].cumsum(), draw[n], "right"))
        visits[row] += 1
        alpha = float(step_size(visits[row]))
        ended = following == game.n_states
        later = 0.0 if ended else game.discount * stage.value[:, following]
        payoffs[:, row] = (1 - alpha) * payoffs[:, row] + alpha * (game.rewards[row] + later)
        if ended or draw[n + 1] < getattr(exploration, "restart", 0):
            following = int(np.searchsorted(begin, draw[n + 2], "right"))
        state = following
    return payoffs, visits


@pytest.mark.parametrize(
    ("n", "actions", "threat", "exploration"),
    [
        (2, (1, 3), ThreatModel(1), Trajectory()),
        (2, (1, 3), ThreatModel(0), Trajectory(0.3, 0.1)),
        (2, (1, 3), HALF, Trajectory(0.5, 0.2)),
        (3, (1, 2), ThreatModel(2), RandomPairs()),
        (3, (1, 2), ThreatModel(1), Trajectory(0.5)),
        (1, (1, 3), ThreatModel(0), Trajectory(0.2)),
    ],
    ids=["decoupled", "bimatrix", "polymatrix", "decoupled, n=3", "by enumeration", "one agent"],
)
def test_updates_are_those_of_the_definition(rng, n, actions, threat, exploration) -> None:
    """Ragged action counts, and episodes that end."""
    updates = 8 if threat.k == 1 and n == 3 else 300
    game = games.random_game(rng, n, 4, actions, 0.7, ending=0.4)
    start = rng.uniform(-1, 1, (n, game.n_rows))
    run = nash_q(
        game, threat, updates=updates, exploration=exploration, step_size=Polynomial(0.7), seed=5, snapshots=1
    )
    payoffs, visits = plain_run(game, threat, updates, 5, exploration, Polynomial(0.7))
    assert run.visits.tolist() == visits.tolist()
    np.testing.assert_allclose(run.payoffs, payoffs, atol=1e-9)
    step = StageStep(game, threat, StageSolver)
    np.testing.assert_allclose(run.values, step.at_payoffs(run.payoffs).value, atol=1e-12)
    again = nash_q(game, threat, updates=1, initial_payoffs=start, seed=5, snapshots=1)
    moved = np.flatnonzero(again.visits)
    assert len(moved) == 1
    kept = np.delete(np.arange(game.n_rows), moved)
    np.testing.assert_array_equal(again.payoffs[:, kept], start[:, kept])


@pytest.mark.parametrize("selection", ["nearest", "welfare", "agent-1"])
def test_selections(rng, selection: str) -> None:
    game = games.random_game(rng, 2, 2, 2, 0.5)
    run = nash_q(game, ThreatModel(0), updates=150, selection=selection, seed=1, snapshots=1)
    if selection != "nearest":
        payoffs, _ = plain_run(game, ThreatModel(0), 150, 1, Trajectory(), HARMONIC, selection)
        np.testing.assert_allclose(run.payoffs, payoffs, atol=1e-9)
    assert run.calls.get("compiled", 0) == 0
    assert run.calls["support_enumeration"] >= 150 / 4


def test_reference_backend_learns_the_same(rng) -> None:
    game = games.random_game(rng, 2, 2, 2, 0.5)
    fast, slow = (
        nash_q(game, ThreatModel(1), updates=40, seed=3, backend=backend, snapshots=1)
        for backend in ("auto", "reference")
    )
    assert fast.visits.tolist() == slow.visits.tolist()
    np.testing.assert_allclose(fast.payoffs, slow.payoffs, atol=1e-7)


CONVERGENT = {
    "decoupled": lambda rng: (games.random_game(rng, 2, 3, 2, 0.6), ThreatModel(1)),
    "decoupled, three agents": lambda rng: (games.random_game(rng, 3, 3, 2, 0.5), ThreatModel(2)),
    "decoupled, ragged, ending": lambda rng: (
        games.random_game(rng, 2, 4, (1, 3), 0.7, ending=0.5),
        ThreatModel(1),
    ),
    "zero-sum, k = 0": lambda rng: (games.zero_sum_game(rng, 3, 3, 0.6), ThreatModel(0)),
    "zero-sum, probability": lambda rng: (games.zero_sum_game(rng, 3, 2, 0.6), HALF),
    "zero-sum, k = 1": lambda rng: (games.zero_sum_game(rng, 3, 2, 0.6), ThreatModel(1)),
}


@pytest.mark.parametrize("exploration", [Trajectory(), Trajectory(0.4), RandomPairs()], ids=lambda e: e.name)
@pytest.mark.parametrize("case", CONVERGENT)
def test_converges_where_assumption_3_holds(rng, case: str, exploration) -> None:
    """[T7]: to the values that `solve` proves. Rewards are in [−1, 1]; the steps average over 1/α visits."""
    game, threat = CONVERGENT[case](rng)
    assert exploration.visits_everything(game)
    exact = solve(game, threat)
    assert exact.proved
    run = nash_q(
        game,
        threat,
        updates=200_000,
        step_size=Polynomial(0.8),
        exploration=exploration,
        reference_values=exact.values,
        snapshots=20,
    )
    error = run.trace.error
    np.testing.assert_allclose(error[-1], np.abs(run.payoffs - backup(game, exact.values)).max())
    assert error[-1] < 0.02
    assert error[-5:].max() < 0.5 * np.abs(backup(game, exact.values)).max()
    assert run.trace.residual[-1] < 0.03
    assert np.abs(run.values - exact.values).max() <= 0.02
    assert gap(game, threat, run.policy).max() < 0.1


def test_error_falls_with_the_number_of_updates(rng) -> None:
    game = games.random_game(rng, 2, 3, 2, 0.6)
    exact = solve(game, ThreatModel(1)).values
    errors = [
        np.mean(
            [
                nash_q(
                    game,
                    ThreatModel(1),
                    updates=updates,
                    step_size=Polynomial(0.8),
                    reference_values=exact,
                    seed=seed,
                    snapshots=1,
                ).trace.error[-1]
                for seed in range(5)
            ]
        )
        for updates in (1_000, 10_000, 100_000)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def pure_gaps() -> list[float]:
    game = games.nosde()
    policies = [Policy.from_actions(game, [[a, 0], [0, b]]) for a, b in product(range(2), repeat=2)]
    return [gap(game, ThreatModel(0), policy).max() for policy in policies]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("step_size", [Polynomial(0.75), HARMONIC, Constant(0.1)], ids=lambda step: step.name)
def test_fails_on_nosde(step_size, seed: int) -> None:
    """[T8] (iii): no policy on the way is near the one equilibrium, and selected values keep jumping.

    Falling steps average the jumps: Q comes near the backup of the equilibrium's values, where the movers are
    indifferent, but a stage equilibrium of a Q nearby is pure, so it is none of the game, now or later.
    """
    game, nash = games.nosde(), np.array([[4, 16 / 3], [16 / 3, 4]])
    run = nash_q(
        game,
        ThreatModel(0),
        updates=100_000,
        step_size=step_size,
        reference_values=nash,
        snapshots=20,
        seed=seed,
    )
    assert min(pure_gaps()) > 1
    step = StageStep(game, ThreatModel(0), StageSolver)
    for payoffs in run.trace.payoffs[2:]:
        selected = Policy(game, step.at_payoffs(payoffs).policy)
        assert all(set(np.unique(array)) <= {0.0, 1.0} for array in selected)
        assert gap(game, ThreatModel(0), selected).max() >= min(pure_gaps())
    assert run.trace.residual[2:].min() > 1
    assert np.ptp(run.trace.values[5:], axis=0).max() > 1.5
    if step_size == Polynomial(0.75):
        assert run.trace.error[-10:].max() < 0.2
    if step_size == Constant(0.1):
        assert run.trace.error[-10:].max() > 0.5


def test_nosde_at_full_corruption_converges() -> None:
    run = nash_q(
        games.nosde(),
        ThreatModel(1),
        updates=100_000,
        step_size=Polynomial(0.75),
        reference_values=np.array([[4.0, 3.0], [0.0, 4.0]]),
    )
    assert run.trace.error[-1] < 1e-3
    assert gap(games.nosde(), ThreatModel(1), run.policy).max() == 0


def test_seed_and_snapshots_and_progress(rng) -> None:
    game = games.random_game(rng, 2, 3, 2, 0.6, ending=0.3)
    told: list[int] = []
    first = nash_q(game, HALF, updates=45_000, seed=7, snapshots=1, progress=lambda t, r: told.append(t))
    second = nash_q(game, HALF, updates=45_000, seed=7, snapshots=13)
    other = nash_q(game, HALF, updates=45_000, seed=8, snapshots=1)
    assert first.payoffs.tobytes() == second.payoffs.tobytes() != other.payoffs.tobytes()
    assert first.visits.tolist() == second.visits.tolist()
    assert told == [20_000, 40_000, 45_000]
    assert second.trace.updates.tolist() == [45_000 * part // 13 for part in range(1, 14)]
    assert np.isnan(second.trace.error).all()
    assert second.trace.payoffs.shape == (13, 2, game.n_rows)
    assert (second.trace.payoffs[-1] == second.payoffs).all()
    assert first.visits.sum() == 45_000


def test_interrupted() -> None:
    """Ctrl-C keeps what was learnt: exactly the run that many updates long."""

    def stop(updates: int, residual: float) -> None:
        if updates >= 40_000:
            raise KeyboardInterrupt

    game = games.nosde()
    run = nash_q(game, ThreatModel(1), updates=10**9, snapshots=1, progress=stop)
    short = nash_q(game, ThreatModel(1), updates=40_000, snapshots=1)
    assert (run.status, run.updates) == ("interrupted", 40_000)
    assert run.payoffs.tobytes() == short.payoffs.tobytes()
    assert run.trace.updates.tolist() == [40_000]


def test_which_behaviour_visits_everything() -> None:
    absorbing, nosde = games.absorbing(2), games.nosde()
    assert not Trajectory().visits_everything(absorbing)
    assert Trajectory(restart=0.1).visits_everything(absorbing)
    assert RandomPairs().visits_everything(absorbing)
    assert Trajectory(0.1).visits_everything(nosde)
    assert not Trajectory(0).visits_everything(nosde)
    assert Trajectory().visits_everything(games.prisoners_dilemma())
    far = MarkovGame.from_rows(
        [[1], [1]], [[0], [1]], [[], [(1, 1)]], 0.5, termination=[1, 0], initial=[1, 0]
    )
    assert not Trajectory(restart=0.5).visits_everything(far)
    run = nash_q(far, ThreatModel(0), updates=1000, exploration=Trajectory(restart=0.5))
    assert run.visits.tolist() == [1000, 0]
    run = nash_q(absorbing, ThreatModel(0), updates=1000, exploration=Trajectory(), seed=2)
    assert run.visits[:2].sum() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 0}, "nash_q: updates is 0; must be an integer of at least 1"),
        ({"seed": -1}, "nash_q: seed is -1; must be an integer of at least 0"),
        ({"snapshots": 1.5}, "nash_q: snapshots is 1.5; must be an integer of at least 1"),
        ({"exploration": "greedy"}, "nash_q: exploration is 'greedy'; must be a Trajectory or RandomPairs"),
        ({"progress": 3}, "nash_q: progress is 3; must be a function of (updates, residual)"),
        ({"step_size": lambda visit: -1}, "nash_q: step_size(1) is -1; must be in [0, 1]"),
        (
            {"initial_payoffs": np.zeros((2, 3))},
            "nash_q: initial_payoffs have shape (2, 3); must be (n, rows) = (2, 4)",
        ),
        (
            {"reference_values": np.full((2, 2), np.nan)},
            "nash_q: reference_values hold a number that is not finite; must be finite",
        ),
        (
            {"reference_values": [["a"]]},
            "nash_q: reference_values must be a table (n, S) = (2, 2) of numbers",
        ),
    ],
)
def test_refusals(options: dict, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        nash_q(games.nosde(), ThreatModel(0), **options)
    assert str(refusal.value) == message


def test_refuses_games_and_behaviours() -> None:
    with pytest.raises(GameError, match="nash_q: discount of agent '1' is 1; must be below 1"):
        nash_q(games.nosde(1), ThreatModel(0))
    for name in ("epsilon", "restart"):
        with pytest.raises(InputError, match=f"Trajectory: {name} is 2; must be in"):
            Trajectory(**{name: 2})
