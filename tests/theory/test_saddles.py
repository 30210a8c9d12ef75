"""[T6a] on games worked by hand: a saddle is worth the security value, which can be had without one."""

from __future__ import annotations

import pytest

from arneq_exact import MarkovGame, ThreatModel
from arneq_exact.theory.ledger import statement


@pytest.mark.parametrize("k", [0, 1])
def test_zero_sum_games_have_saddles(k: int) -> None:
    """Matching pennies, value 0, and a game with a pure saddle."""
    for table in ([[1, -1], [-1, 1]], [[2, 1], [3, 0]]):
        game = MarkovGame.one_shot([table, [[-value for value in row] for row in table]])
        evidence = statement("T6a").check(game, ThreatModel(k), agent=0)
        assert (evidence.verdict, evidence.comparisons[0].margin) == ("holds", pytest.approx(0, abs=1e-9))


@pytest.mark.parametrize(("selection", "verdict"), [("type-a", "hypotheses not met"), ("type-b", "holds")])
def test_one_game_with_and_without_a_saddle(selection: str, verdict: str) -> None:
    """[T8] (ii): the equilibrium worth 5 is hurt by a change of the other, the one worth 1 is not."""
    game = MarkovGame.one_shot([[[5, 1], [1, 1]], [[5, 1], [1, 1]]])
    evidence = statement("T6a").check(game, ThreatModel(0), agent=0, selection=selection)
    assert evidence.verdict == verdict
