"""T6, T7 and T8 on the ledger's own families: what holds, and on which classes of games."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import catalog
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.oracle.periodic_orbit import find_orbit
from arneq_exact.theory import ledger
from arneq_exact.theory.draw import typed_games
from arneq_exact.theory.draw.typed_games import TYPED, pair_game
from arneq_exact.theory.draw.worked_games import stay_or_leave
from arneq_exact.theory.statements import convergence

MINE = [
    "T6",
    "T6a",
    "T6a.converse",
    "T7",
    "T7.common",
    "T7.selection",
    "T8.discontinuity",
    "T8.types",
    "T8.majority",
    "T5.unique",
]


@pytest.mark.parametrize("name", MINE)
def test_statement_holds_on_its_families(name):
    statement = ledger.statement(name)
    for index in range(2 * len(statement.families)):
        evidence = statement.check_instance(statement.draw(index, seed=3))
        assert evidence.verdict == "holds", f"{evidence} {evidence.hypotheses}"


def test_cycle_of_nosde():
    statement = ledger.statement("T8.cycle")
    for index in range(2):
        assert statement.check_instance(statement.draw(index)).verdict == "holds"


def test_pseudo_contraction_along_runs():
    statement = ledger.statement("T7.asynchronous")
    verdicts = Counter()
    for index in range(18):
        evidence = statement.check_instance(statement.draw(index))
        verdicts[evidence.verdict] += 1
        if evidence.verdict == "holds":
            found = evidence.quantities
            assert max(found["λ"]) <= 1e-8
            assert found["least visits"] > 0
            assert found["distance at the end"] < 0.9 * found["distance at the start"]
    assert set(verdicts) <= {"holds", "hypotheses not met"}
    assert verdicts["holds"] == 18


@pytest.mark.parametrize("name", ["T7", "T7.asynchronous"])
def test_threats_and_discounts_that_first_principles_do_not_cover_are_undecided(name):
    """No verdict, and no exception."""
    statement = ledger.statement(name)
    dilemma = catalog.load("prisoners-dilemma")
    for threat in (ThreatModel(1, timing="static"), ThreatModel(sets={0: [[1]], 1: [[]]})):
        evidence = statement.check(dilemma, threat)
        assert (evidence.verdict, "no budget" in evidence.reason) == ("undecided", True)
    undiscounted = MarkovGame.from_arrays(np.zeros((2, 1, 2, 2)), np.ones((1, 2, 2, 1)), 1)
    evidence = statement.check(undiscounted, ThreatModel(1))
    assert (evidence.verdict, "not below 1" in evidence.reason) == ("undecided", True)


def test_the_procedure_is_compared_with_what_the_types_say():
    """Agents of type B′ against minimax iteration, those of type A against other policies."""
    statement = ledger.statement("T7")
    names: dict[str, set[str]] = {}
    for index in range(6):
        evidence = statement.check_instance(statement.draw(index, seed=1))
        names[evidence.instance.family.split(",")[0]] = {one.name for one in evidence.comparisons}
        assert evidence.quantities["status"] == "converged"
    secured = "distance at type B′ from what minimax iteration secures"
    drawn = "robust value of a drawn policy, value at type A"
    assert all((secured in names[kind]) == (kind in ("zero-sum", "decoupled")) for kind in TYPED)
    assert all(drawn in names[kind] for kind in ("separable", "planted", "aligned", "common"))


def test_some_procedures_are_long_and_some_games_have_three_states():
    statement = ledger.statement("T7")
    games_ = [statement.draw(index).game for index in range(120)]
    assert {game.n_states for game in games_} == {2, 3}
    assert sum(game.discount[0] == 0.9 for game in games_) >= 5


def test_clones_go_round_the_cycle_of_nosde_and_only_where_there_is_one():
    """[T8]: values that creep to a limit never rest either; they are no cycle."""
    statement = ledger.statement("T8.majority")
    evidence = statement.check(catalog.load("nosde-majority"), ThreatModel(1))
    assert (evidence.verdict, evidence.quantities["period"]) == ("holds", 5)
    creeping = catalog.load("nosde-majority", discount="1/4")
    assert find_orbit(catalog.load("nosde", discount="1/4"), 0) is None
    evidence = statement.check(creeping, ThreatModel(1))
    assert evidence.verdict == "hypotheses not met"
    assert evidence.hypotheses == {"clones": True, "cycle": False}
    # Three clones do not withstand two corrupted ones; the others are no clones.
    for game, threat in (
        (catalog.load("nosde-majority"), ThreatModel(2)),
        (catalog.load("nosde"), ThreatModel(1)),
        (catalog.load("prisoners-dilemma"), ThreatModel(0)),
    ):
        assert statement.check(game, threat).hypotheses["clones"] is False


def test_a_fresh_selection_at_the_limit_is_no_equilibrium():
    """[T7]: c = w = 1, γ = 1/2 and p = 1/4: agent 2 goes for 1, and gets 0 where agent 1 leaves."""
    one, half, quarter = Fraction(1), Fraction(1, 2), Fraction(1, 4)
    game = stay_or_leave(one, one, quarter, half)
    evidence = ledger.statement("T7.selection").check(game, ThreatModel(0))
    assert evidence.verdict == "holds"
    assert evidence.quantities["values"].tolist() == [[-2, -1], [2, 1]]
    assert evidence.quantities["gap of the fresh selection"] == quarter
    for other, k in ((stay_or_leave(one, one, one, half), 0), (game, 1), (games.nosde(), 0)):
        assert ledger.statement("T7.selection").check(other, ThreatModel(k)).verdict == "hypotheses not met"


def test_clones_of_five_voters_go_round_too():
    evidence = ledger.statement("T8.majority").check(catalog.load("nosde-majority", budget=2), ThreatModel(2))
    assert (evidence.verdict, evidence.quantities["period"]) == ("holds", 5)


def test_the_classes_are_of_type_a_and_not_b_prime_where_it_matters():
    """A ledger filled with k ≥ n−1 and zero-sum games would prove little."""
    statement = ledger.statement("T6")
    assert list(statement.families) == [
        "separable, 0 < k < n-1",
        "planted, k = 0",
        "aligned, 0 < k < n-1",
        "common, k = 0",
        "zero-sum",
        "decoupled",
    ]
    seen: Counter[str] = Counter()
    for index in range(60):
        instance = statement.draw(index)
        k, n = instance.threat.k, instance.game.n_agents
        evidence = statement.check_instance(instance)
        only_a = all(evidence.quantities["type A"]) and not any(evidence.quantities["type B′"])
        if "0 < k < n-1" in instance.family:
            assert 0 < k < n - 1
            seen["between"] += only_a
        elif "k = 0" in instance.family:
            assert k == 0
            seen["none"] += only_a
    assert seen == {"between": 20, "none": 20}


def test_a_jump_is_no_violation_until_the_type_is_dropped():
    """[T8] (i) for two agents: the column agent turns, and the row agent's value falls from 5 to 1."""
    own = [[5.0, 1.0], [5.0, 1.0]]
    game = pair_game(np.array([[own, [[1, 0], [1, 0]]], [own, [[0, 1], [0, 1]]]]))
    statement = ledger.statement("T6")
    met = statement.check(game, ThreatModel(0), agent=0)
    assert met.verdict == "hypotheses not met"
    assert met.quantities["type A"] == (True, False)
    assert met.quantities["type B′"] == (False, True)
    dropped = statement.check(game, ThreatModel(0), agent=0, drop=["one type"])
    assert (dropped.verdict, dropped.left, dropped.right) == ("violated", 4.0, 0.0)
    exact = statement.confirm_exactly(met.instance, drop=["one type"])
    # Rows tie, so that the equilibrium is not unique: nothing is confirmed.
    assert exact.verdict == "undecided"
    strict = pair_game(np.array([[[[5, 1], [4, 0]], [[1, 0], [1, 0]]], [[[5, 1], [4, 0]], [[0, 1], [0, 1]]]]))
    assert statement.confirm_exactly(
        statement.check(strict, ThreatModel(0)).instance, drop=["one type"]
    ).margin == Fraction(-4, 5)


def test_nosde_violates_convergence_once_the_types_are_dropped():
    statement = ledger.statement("T7")
    game = games.nosde()
    assert statement.check(game, ThreatModel(0)).verdict == "hypotheses not met"
    dropped = statement.check(game, ThreatModel(0), drop=["fixed types"])
    assert dropped.verdict == "violated"
    assert dropped.quantities["period"] == 5
    assert statement.check(game, ThreatModel(1)).verdict == "holds"


def test_orbit_of_nosde_in_fractions():
    """The orbit is one: each value is the best of keep and send at the value before."""
    orbit = find_orbit(catalog.load("nosde"), 0)
    assert orbit.period == 5
    g = Fraction(3, 4)
    for t in range(5):
        (x1, x2), (y1, y2) = orbit.values[t]
        following = orbit.values[(t + 1) % 5]
        keeps, sends = (1 + g * x1, g * y1), (g * x2, 3 + g * y2)
        assert tuple(following[:, 0]) == max(keeps, sends)
        keeps, sends = (3 + g * x2, 1 + g * y2), (g * x1, g * y1)
        assert tuple(following[:, 1]) == max(keeps, sends, key=lambda pair: pair[1])
    assert find_orbit(catalog.load("nosde"), 1) is None


def test_exact_payoffs_with_values_are_that_of_the_doubles(rng):
    from arneq_exact.exact.arrays import exact_array
    from arneq_exact.markov.bellman import backup

    game = games.random_game(rng, 3, 2, (1, 3), 0.9)
    values = rng.uniform(-1, 1, (3, 2))
    exact = np.concatenate(
        [exact_payoffs(game, s, exact_array(values)).reshape(3, -1) for s in range(2)], axis=1
    )
    np.testing.assert_allclose(exact.astype(float), backup(game, values), atol=1e-13)


@pytest.mark.parametrize("kind", TYPED)
def test_classes_meet_the_hypothesis_by_decision(kind):
    generator = np.random.default_rng(4)
    for _ in range(4):
        instance = typed_games.typed_game(generator, kind)
        evidence = ledger.statement("T7").check_instance(instance)
        assert evidence.hypotheses[convergence.FIXED_TYPES.name] is True
        assert evidence.quantities["largest ratio"] <= evidence.quantities["modulus"] + 1e-5
