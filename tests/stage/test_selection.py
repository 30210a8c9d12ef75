"""Selections of stage ARNEQ: what they choose, in the procedure too, and what is refused."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import MarkovGame, gap, iterate
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.selection import SELECTIONS, Chooser

MIXED_TYPES = np.array([[[5.0, 1.0], [1.0, 1.0]]] * 2)


def values_under(selection, payoffs, threat) -> list[float]:
    result = iterate(MarkovGame.one_shot(payoffs), threat, selection=selection)
    assert result.status == "converged"
    return result.values[:, 0].round(9).tolist()


def test_types_choose_between_the_global_optimum_and_the_saddle():
    """[T8] (ii), [T5]"""
    assert values_under("type-a", MIXED_TYPES, ThreatModel(0)) == [5, 5]
    assert values_under("type-b", MIXED_TYPES, ThreatModel(0)) == [1, 1]
    team = np.where(np.indices((2, 2, 2)).sum(axis=0) >= 2, 2.0, 1.0)
    payoffs = np.stack([team] * 3)
    assert values_under("type-a", payoffs, ThreatModel(1)) == [2, 2, 2]
    assert values_under("type-b", payoffs, ThreatModel(1)) == [1, 1, 1]
    assert values_under("welfare", payoffs, ThreatModel(1)) == [2, 2, 2]


@pytest.mark.parametrize("threat", [ThreatModel(0), ThreatModel(1, probability="1/10")])
def test_an_agent_gets_its_best(threat):
    battle = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    first, second = values_under("agent-0", battle, threat), values_under("agent-1", battle, threat)
    assert first[0] > second[0]
    assert second[1] > first[1]
    assert first == second[::-1]


def test_selections_are_refused_by_name():
    nobody = stage_attackers(ThreatModel(0), (2, 2))
    for wrong in ("best", "agent-2", "agent-", 3):
        with pytest.raises(
            InputError, match="must be one of first, nearest, welfare, type-a, type-b, agent-0"
        ):
            Chooser(wrong, nobody)
    assert {"first", "nearest"} < set(SELECTIONS)


def test_nearest_does_not_enumerate_what_is_slow(rng):
    """Two agents with 6 actions under a probability of corruption would take 10 s a stage game."""
    threat = ThreatModel(1, probability="1/2")
    for counts, enumerated in ((3, True), (6, False)):
        game = games.random_game(rng, 2, 2, counts, 0.5)
        result = iterate(game, threat, selection="nearest", max_iterations=40)
        assert ("enumeration" in result.calls) is enumerated
        assert result.status == "converged"
        assert gap(game, threat, result.policy).max() <= 1e-8


@pytest.mark.parametrize("selection", [*SELECTIONS, "agent-2"])
def test_the_procedure_runs_on_three_agents(rng, selection):
    """[T7]: what converges is an ARNEQ."""
    game = games.random_game(rng, 3, 2, [2, 2, 1], 0.5)
    result = iterate(game, ThreatModel(1), selection=selection, max_iterations=60)
    assert result.status == "converged"
    assert gap(game, ThreatModel(1), result.policy).max() <= 1e-8
    assert result.trace.types.shape == (result.iterations, 3, 2)
    assert result.calls.get("enumeration", 0) == (0 if selection == "first" else 2 * result.iterations)
