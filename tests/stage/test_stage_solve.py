"""Stage ARNEQ of batches: every class, by the definition; selections; what is refused."""

from __future__ import annotations

from collections import Counter

import games
import numpy as np
import pytest

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.selection import SELECTIONS
from arneq_exact.stage.solve import StageSolver

NOBODY = stage_attackers(ThreatModel(0), (2, 2))
BATTLE = np.array([[[3.0, 0.0], [0.0, 2.0]], [[2.0, 0.0], [0.0, 3.0]]])


def stage_gap(payoffs, threat, profile) -> float:
    """Largest gain of an agent at one stage ARNEQ, by brute force; payoffs (n, A1..An)."""
    gains = []
    for agent, payoff in enumerate(payoffs):
        attacks = list(definition.pure_attacks(threat, payoff.shape, agent, 0))
        table = definition.columns_of(payoff, profile, agent, attacks)
        gains.append(definition.maximin(table)[0] - float((profile[agent] @ table).min()))
    return max(gains)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("name", games.threats(2))
@pytest.mark.parametrize("counts", [(2, 2), (1, 3), (3, 2), (3, 3)])
def test_two_agents_under_every_threat(rng, counts, name, backend):
    threat = games.threats(2)[name]
    attackers = stage_attackers(threat, counts)
    size = 6 if backend == "auto" else 2
    payoffs = [rng.uniform(-1, 1, (size, *counts)), rng.integers(0, 3, (size, *counts)).astype(float)]
    solved = StageSolver(attackers, backend=backend).solve(payoffs)
    for state in range(size):
        profile = [x[state] for x in solved.policy]
        assert stage_gap([payoff[state] for payoff in payoffs], threat, profile) <= 1e-9
        for agent, payoff in enumerate(payoffs):
            # The attack is optimal: no action earns more against it than the agent's own value.
            attacks = list(definition.pure_attacks(threat, counts, agent, 0))
            own = definition.columns_of(payoff[state], profile, agent, attacks)
            held = profile[agent] @ own
            library = attackers.of[agent]
            matrix = robust_matrix(payoff[state : state + 1], [x[None] for x in profile], library)[0]
            attack = solved.attack[agent][state]
            assert attack.sum() == pytest.approx(1, abs=1e-12)
            assert (matrix @ attack).max() <= held.min() + 1e-9


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_decoupled_values_are_security_values(rng, n, backend):
    """[T4]"""
    counts = tuple(int(c) for c in rng.integers(1, 4, n))
    payoffs = [rng.uniform(-1, 1, (2, *counts)) for _ in range(n)]
    calls: Counter[str] = Counter()
    attackers = stage_attackers(ThreatModel(n - 1), counts)
    solved = StageSolver(attackers, backend=backend, calls=calls).solve(payoffs)
    assert set(calls) == ({"simplex"} if backend == "auto" else {"cvxpy"})
    for agent, payoff in enumerate(payoffs):
        for state in range(2):
            table = np.moveaxis(payoff[state], agent, 0).reshape(counts[agent], -1)
            held = (solved.policy[agent][state] @ table).min()
            assert held == pytest.approx(definition.maximin(table)[0], abs=1e-9)


def test_decoupled_games_meet_their_known_values():
    """[F5]: security values of climbing and penalty."""
    climbing = games.climbing()
    payoffs = [climbing.rewards[:, i].reshape(1, 3, 3) for i in range(2)]
    solved = StageSolver(stage_attackers(ThreatModel(1), (3, 3))).solve(payoffs)
    np.testing.assert_allclose(solved.policy[0][0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(solved.policy[1][0], [6 / 47, 0, 41 / 47], atol=1e-12)
    penalty = [games.penalty(0).rewards[:, i].reshape(1, 3, 3) for i in range(2)]
    for mixture in StageSolver(stage_attackers(ThreatModel(1), (3, 3))).solve(penalty).policy:
        np.testing.assert_allclose(mixture[0], [1 / 7, 5 / 7, 1 / 7], atol=1e-12)


def choose_with(selection, payoffs=BATTLE, previous=None):
    solver = StageSolver(NOBODY, selection=selection)
    solved = solver.solve([payoff[None] for payoff in payoffs], previous)
    return [x[0] for x in solved.policy]


def test_welfare_selection_takes_the_largest_sum():
    payoffs = np.array([[[1.0, 0.0], [0.0, 5.0]], [[2.0, 0.0], [0.0, 1.0]]])
    np.testing.assert_allclose(choose_with("welfare", payoffs), [[0, 1], [0, 1]])
    np.testing.assert_allclose(choose_with("welfare", payoffs[:, ::-1, ::-1]), [[1, 0], [1, 0]])


@pytest.mark.parametrize("target", [([1, 0], [1, 0]), ([0, 1], [0, 1]), ([0.6, 0.4], [0.4, 0.6])])
def test_nearest_selection_stays_near(target):
    previous = [0.9 * np.array([x]) + 0.05 for x in target]
    np.testing.assert_allclose(choose_with("nearest", previous=previous), target, atol=1e-12)


def test_nearest_without_a_last_profile_takes_some_equilibrium():
    profile = choose_with("nearest")
    assert stage_gap(BATTLE, ThreatModel(0), profile) <= 1e-12


def test_a_function_selects():
    seen = []

    def last(equilibria, payoffs, previous):
        seen.append((len(equilibria), payoffs.tolist(), previous))
        return len(equilibria) - 1

    profile = choose_with(last)
    assert seen == [(3, BATTLE.tolist(), None)]
    assert stage_gap(BATTLE, ThreatModel(0), profile) <= 1e-12
    picks = {tuple(np.round(choose_with(lambda *_, pick=pick: pick)[0], 9)) for pick in range(3)}
    assert picks == {(1.0, 0.0), (0.0, 1.0), (0.6, 0.4)}


@pytest.mark.parametrize("answer", [-1, 3, 99, 0.5, "1", None])
def test_a_function_that_names_no_equilibrium_is_refused(answer):
    with pytest.raises(InputError, match=f"selection returned {answer!r}; must be an index below the 3"):
        choose_with(lambda *_: answer)


@pytest.mark.parametrize("selection", ["best", "", 3, None])
def test_unknown_selections_are_refused(selection):
    with pytest.raises(InputError, match="selection is"):
        StageSolver(NOBODY, selection=selection)


def test_selections_without_enumeration_are_refused_by_name():
    attackers = stage_attackers(ThreatModel(1), (2, 3, 2))
    with pytest.raises(InputError, match="n = 3 agents with 2, 3, 2 actions under k = 1 have no"):
        StageSolver(attackers, selection="welfare")


def test_enumeration_is_no_part_of_the_reference():
    attackers = stage_attackers(ThreatModel(1, probability="1/2"), (2, 2))
    with pytest.raises(InputError, match=r"selection 'welfare'.*are solved by backend 'auto' only"):
        StageSolver(attackers, selection="welfare", backend="reference")


def test_unknown_backend_is_refused():
    for threat in (ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/2")):
        with pytest.raises(InputError, match="backend is 'fast'; must be one of auto, reference"):
            StageSolver(stage_attackers(threat, (2, 2)), backend="fast")


def test_every_named_selection_returns_equilibria_on_both_backends(rng):
    for selection in SELECTIONS:
        for backend in ("auto", "reference"):
            payoffs = [rng.uniform(-1, 1, (3, 3, 2)) for _ in range(2)]
            solver = StageSolver(
                stage_attackers(ThreatModel(0), (3, 2)), selection=selection, backend=backend
            )
            solved = solver.solve(payoffs)
            for state in range(3):
                profile = [x[state] for x in solved.policy]
                assert stage_gap([payoff[state] for payoff in payoffs], ThreatModel(0), profile) <= 1e-9
