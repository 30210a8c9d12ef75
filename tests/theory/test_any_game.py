"""Every statement can be asked of any game: it says that it is not about it, and is never violated."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from arneq_exact import MarkovGame, ThreatModel, catalog
from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.errors import InputError
from arneq_exact.theory import ledger
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.nosde import is_nosde, nosde_like
from arneq_exact.theory.draw.threats import stage_under_threat
from arneq_exact.theory.engine.stages import kernel_matrix, stages
from arneq_exact.theory.search import stored_counterexamples
from arneq_exact.theory.statements.attackers_as_players import documented_columns, draw_solvable
from arneq_exact.theory.statements.pure_attacks import draw_masked

HALF = Fraction(1, 2)
NOBODY = frozenset[int]()
DILEMMA = np.array([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])


def undiscounted(game):
    return MarkovGame(
        game.rewards, game.transitions, game.action_counts, np.ones(game.n_agents), game.termination
    )


def sample_games():
    rng = np.random.default_rng(7)
    nosde = catalog.load("nosde")
    return {
        "prisoners-dilemma": catalog.load("prisoners-dilemma"),
        "nosde": nosde,
        "one-shot": MarkovGame.one_shot(DILEMMA),
        "three agents": families.markov_game(rng, "integer", 2, (2, 2, 2), 0.5),
        "three actions": MarkovGame.one_shot(rng.integers(0, 5, (3, 3, 3, 3))),
        "one agent": families.markov_game(rng, "integer", 2, (3,), 0.5),
        "dense": families.markov_game(rng, "dense", 2, (2, 2), 0.5),
        "nothing": MarkovGame.one_shot(np.zeros((2, 2, 2))),
        "chain": catalog.load("static-chain"),
        "discount 1, endless": undiscounted(nosde),
        "discount 1, ending": undiscounted(
            MarkovGame.one_shot(np.array([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
        ),
    }


def sample_threats(n):
    """Threats of every kind, for n agents: others are named by their distance from the agent."""
    neighbour = {i: frozenset({(i + 1) % n}) if n > 1 else NOBODY for i in range(n)}
    laws = {i: {NOBODY: HALF, neighbour[i]: HALF} if n > 1 else {NOBODY: 1} for i in range(n)}
    return {
        "k = 0": ThreatModel(0),
        "k = 1": ThreatModel(1),
        "k = 2": ThreatModel(2),
        "static": ThreatModel(1, timing="static"),
        "probability": ThreatModel(1, probability="1/2"),
        "informed": ThreatModel(1, informed=True),
        "distribution": ThreatModel(distribution=laws),
        "sets": ThreatModel(sets={i: list(dict.fromkeys([NOBODY, neighbour[i]])) for i in range(n)}),
        "masks": ThreatModel(1, masks={0: {0: [0]}}),
        "inequalities": ThreatModel(1, inequalities=([[-1] + [0] * (n - 1)], ["-1/2"])),
    }


GAMES = sample_games()
STORED = stored_counterexamples()

PAIRS = [
    (label, kind)
    for label, game in GAMES.items()
    for kind in sample_threats(game.n_agents)
    if kind in ("k = 0", "k = 1") or label in ("one-shot", "three agents", "one agent")
]
"""Every game under the budgets 0 and 1, and a few of them under every kind of threat."""


@cache
def asked(name, label, kind):
    game = GAMES[label]
    return ledger.statement(name).check(game, sample_threats(game.n_agents)[kind])


@pytest.mark.parametrize("one", ledger.STATEMENTS, ids=[one.id for one in ledger.STATEMENTS])
def test_a_statement_can_be_asked_of_any_game(one):
    """No exception, and never violated: a theorem holds, is about something else, or is undecided."""
    names = [hypothesis.name for hypothesis in one.hypotheses]
    for label, kind in PAIRS:
        found = asked(one.id, label, kind)
        assert found.verdict in ("holds", "hypotheses not met", "undecided"), f"{label}, {kind}: {found}"
        assert list(found.hypotheses) == names, f"{label}, {kind}"


def test_the_games_are_not_all_refused():
    """Most statements hold of some of them; those about a family are about NoSDE or the chain at most."""
    some = {
        one.id: sum(asked(one.id, *pair).verdict == "holds" for pair in PAIRS) for one in ledger.STATEMENTS
    }
    assert some["T3.existence"] == len(PAIRS)
    assert some["T8.cycle"] == some["T13.chain"] == 1
    silent = {name for name, count in some.items() if not count}
    assert silent == {"T7.selection", "T8.discontinuity", "T8.types", "T13.memory"}


@pytest.mark.parametrize("one", ledger.STATEMENTS, ids=[one.id for one in ledger.STATEMENTS])
def test_stored_counterexamples_are_no_violations_without_a_drop(one):
    for stored in STORED:
        found = one.check(stored.instance.game, stored.instance.threat)
        assert found.verdict != "violated", f"{stored}: {found}"


@pytest.mark.parametrize(
    "extras",
    [
        {"policy": 3},
        {"policy": [np.ones((1, 2))]},
        {"agent": 9},
        {"horizon": "long"},
        {"continuation": np.ones(2)},
    ],
)
def test_wrong_extras_are_refused(extras):
    with pytest.raises(InputError, match="Instance: "):
        ledger.statement("T1").check(GAMES["one-shot"], ThreatModel(0), **extras)


def test_a_policy_of_the_wrong_length_is_refused():
    game = GAMES["nosde"]
    policy = [np.tile([1.0, 0.0], (2, 2, 1)) for _ in range(2)]
    one = ledger.statement("T14.errors")
    assert one.check(game, ThreatModel(0), policy=policy).verdict == "holds"
    assert len(one.check(game, ThreatModel(0)).quantities["share of the sum"]) == 2
    with pytest.raises(InputError, match="horizon is 3; must be 2, the steps of the policy"):
        one.check(game, ThreatModel(0), policy=policy, horizon=3)


def test_columns_by_definition_are_the_solvers_columns_in_their_order():
    """Under every kind of threat, so that an attack of the solvers can be judged by the definition."""
    rng = np.random.default_rng(11)
    compared = 0
    for draw in (stage_under_threat, draw_masked, draw_solvable):
        for _ in range(40):
            drawn = draw(rng, "dense")
            for stage in stages(drawn):
                points = attackers_at(drawn.threat, stage.counts, stage.state).points
                for agent in range(stage.n):
                    listed = documented_columns(stage, drawn.threat, points[agent], agent)
                    built = kernel_matrix(stage.payoffs[agent], stage.play, drawn.threat, agent, stage.state)
                    np.testing.assert_allclose(listed, built, rtol=0, atol=1e-12)
                    compared += 1
    assert compared > 200


def test_the_nosde_family_is_recognised_exactly():
    rng = np.random.default_rng(0)
    assert all(is_nosde(nosde_like(rng)) for _ in range(8))
    assert not is_nosde(nosde_like(rng, clones=True))
    game = catalog.load("nosde")
    nudged = game.rewards.copy()
    nudged[0, 0] += 1e-9
    for rewards, discount in ((nudged, game.discount), (-game.rewards, game.discount), (game.rewards, 0.5)):
        assert not is_nosde(MarkovGame(rewards, game.transitions, game.action_counts, discount))
    with pytest.raises(InputError, match="hypothesis 'NoSDE' says what it is about; must not be dropped"):
        ledger.statement("T8.cycle").check(GAMES["one-shot"], ThreatModel(0), drop=["NoSDE"])
