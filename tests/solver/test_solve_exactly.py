"""`solve(exact=True)`: what is exact, what is said where it is not, and that strangers can check it."""

from __future__ import annotations

import json
from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import catalog, check, load, referee, robust_values, save, solve
from arneq_exact.errors import InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

THREATS = [ThreatModel(0), ThreatModel(1), ThreatModel(1, probability="1/3")]


def verify(game, threat, solution) -> None:
    assert solution.status == "exact"
    assert solution.method == "exact"
    assert solution.epsilon == (0,) * game.n_agents
    result = check(game, solution.certificate, threat)
    assert result.valid
    assert result.epsilon == solution.epsilon
    assert not solution.gap.any()
    for table, rounded in zip(solution.exact_policy, solution.policy, strict=True):
        assert table.shape == rounded.shape
        assert all(sum(row) == 1 for row in table.reshape(-1, table.shape[-1]))
        assert [float(p) for p in table.flat] == rounded.reshape(-1).tolist()
    assert [float(v) for v in solution.exact_values.flat] == solution.values.reshape(-1).tolist()
    own = robust_values(game, threat, solution.policy)
    assert np.abs(own - solution.values).max() <= 1e-12 * max(1.0, np.abs(own).max())


@pytest.mark.parametrize("threat", THREATS, ids=str)
@pytest.mark.parametrize("horizon", [1, 4])
def test_finite_horizon(rng, threat, horizon):
    """Integer and real payoffs; a discount of 1; unequal action counts."""
    for kind in ("integer", "dense"):
        game = games.random_game(rng, 2, 3, (1, 3), 1.0, kind=kind)
        verify(game, threat, solve(game, threat, horizon=horizon, exact=True))


@pytest.mark.parametrize("threat", THREATS, ids=str)
def test_rational_data(threat):
    game = MarkovGame.from_arrays(
        [[[["1/3", 0], [0, "2/7"]]], [[[0, "1/5"], ["1/9", 0]]]], np.ones((1, 2, 2, 1)).tolist(), "9/10"
    )
    verify(game, threat, solve(game, threat, horizon=6, exact=True))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_threats_that_decouple(rng, n):
    game = games.random_game(rng, n, 2, 2, 0.9, kind="integer")
    verify(game, ThreatModel(n - 1), solve(game, ThreatModel(n - 1), horizon=3, exact=True))


MASKED = {
    "two agents, for certain": (2, ThreatModel(sets={0: [{1}], 1: [{0}]}, masks={1: {0: [1]}})),
    "two agents, one in three times": (
        2,
        ThreatModel(
            distribution={0: {(): "2/3", (1,): "1/3"}, 1: {(0,): "1/3", (): "2/3"}}, masks={0: {1: [0, 2]}}
        ),
    ),
    "two agents, at least half": (2, ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"]))),
    "three agents who decouple": (
        3,
        ThreatModel(sets={0: [{1, 2}], 1: [{0, 2}], 2: [{0, 1}]}, masks={0: {0: [1]}, 2: {0: [0, 2]}}),
    ),
}


@pytest.mark.parametrize("name", MASKED)
def test_masks_and_choices_of_a_probability(rng, name):
    n, threat = MASKED[name]
    game = games.random_game(rng, n, 2, 3, 0.9, kind="integer")
    verify(game, threat, solve(game, threat, horizon=2, exact=True))


def test_masks_without_a_rational_answer_are_named(rng):
    """An attacker that chooses how probable corruption is, under masks: certified, with the reason."""
    game = games.random_game(rng, 2, 2, 2, 0.9, kind="integer")
    threat = ThreatModel(1, masks={0: {0: [1]}})
    solution = solve(game, threat, horizon=3, exact=True)
    assert solution.proved
    assert solution.method == "backward-induction"
    assert "not in rational numbers: at step 2, state '0': stage games of n = 2 agents" in solution.message


def test_one_shot_and_known_answers():
    """[F5]: the security value of the column agent in the climbing game."""
    game = catalog.load("climbing")
    solution = solve(game, ThreatModel(1), exact=True)
    verify(game, ThreatModel(1), solution)
    assert solution.exact_values[1, 0] == Fraction(66, 47)
    assert solution.exact_policy[1][0].tolist() == [Fraction(6, 47), 0, Fraction(41, 47)]
    assert solution.policy.horizon is None


def test_games_without_a_horizon_that_end():
    """No state comes again: stationary, exact, in any order of states."""
    rewards = [[[[2, 0], [0, 1]]] * 3, [[[0, 1], [1, 0]]] * 3]
    moves = np.zeros((3, 2, 2, 3))
    moves[2, :, :, 0] = 0.5
    moves[2, 0, 0, 1] = 0.5
    moves[1, :, 1, 0] = 1
    game = MarkovGame.from_arrays(rewards, moves, 0.75, termination=1 - moves.sum(axis=-1))
    for threat in THREATS:
        solution = solve(game, threat, exact=True)
        verify(game, threat, solution)
        assert solution.values.shape == (2, 3)
        finite = solve(game, threat, horizon=3, exact=True)
        np.testing.assert_array_equal(finite.exact_values[0], solution.exact_values)


def test_a_discount_of_zero_needs_no_order(rng):
    game = games.random_game(rng, 2, 3, 2, 0.0, kind="integer")
    verify(game, ThreatModel(1), solve(game, ThreatModel(1), exact=True))


def test_past_the_budget_the_answer_is_floating(rng):
    game = games.random_game(rng, 2, 3, 3, 0.9)
    exact = solve(game, ThreatModel(0), horizon=2, exact=True)
    assert exact.status == "exact"
    solution = solve(game, ThreatModel(0), horizon=2, exact=True, bits=60)
    assert solution.status == "certified"
    assert solution.method == "backward-induction"
    assert "not in rational numbers: at step" in solution.message
    assert "the budget is 60" in solution.message
    assert solution.exact_values is None
    assert check(game, solution.certificate, ThreatModel(0)).valid
    np.testing.assert_array_equal(solution.exact_policy[0].astype(float), solution.policy[0])


@pytest.mark.parametrize("bits", [4, 10, 20, 60, 300, 4096])
def test_no_number_is_longer_than_the_budget(bits):
    """Values are products of payoffs and probabilities, and so the first to be too long."""
    rng = np.random.default_rng(0)
    moves = np.eye(2)[rng.integers(0, 2, (2, 2, 2))].tolist()
    game = MarkovGame.from_arrays(rng.integers(-9, 10, (2, 2, 2, 2)).tolist(), moves, "9/10")
    longest = 0
    for horizon in range(1, 9):
        solution = solve(game, ThreatModel(1), horizon=horizon, exact=True, bits=bits)
        assert solution.proved
        if solution.method != "exact":
            assert f"the budget is {bits}" in solution.message or "bits" in solution.message
            break
        numbers = [*solution.exact_values.flat, *(p for table in solution.exact_policy for p in table.flat)]
        longest = max(max(abs(x.numerator).bit_length(), x.denominator.bit_length()) for x in numbers)
        assert longest <= bits
    assert longest > 0 or bits == 4


@pytest.mark.parametrize(
    ("game", "threat", "reason"),
    [
        (games.nosde(), ThreatModel(0), "play from state '0' can go on without end"),
        (
            catalog.load("unanimity"),
            ThreatModel(1),
            "that have a rational equilibrium for certain",
        ),
    ],
)
def test_where_there_is_no_rational_answer(game, threat, reason):
    solution = solve(game, threat, exact=True)
    assert solution.proved
    assert reason in solution.message


def test_without_the_option_nothing_changes(rng):
    game = games.random_game(rng, 2, 2, 2, 0.5, kind="integer")
    assert solve(game, ThreatModel(1), horizon=2).method == "backward-induction"


def test_half_of_the_time_limit(rng):
    """A budget that the exact attempt cannot meet in time leaves an answer in floating point."""
    game = games.random_game(rng, 2, 12, 4, 0.9)
    solution = solve(game, ThreatModel(1), horizon=3, exact=True, time_limit=4.0)
    assert "not in rational numbers" in solution.message
    assert solution.status in ("certified", "incomplete")
    assert solution.seconds < 8


def test_its_file_convinces_the_referee(tmp_path, capsys):
    game = catalog.load("nosde")
    solution = solve(game, ThreatModel(0), horizon=4, exact=True)
    save(game, tmp_path / "game.json")
    save(solution, tmp_path / "solution.json", game)
    assert referee.main([str(tmp_path / "game.json"), str(tmp_path / "solution.json")]) == 0
    assert check(game, load(tmp_path / "solution.json", game), ThreatModel(0)).valid
    assert json.loads((tmp_path / "solution.json").read_text())["status"] == "exact"
    capsys.readouterr()


def test_worst_attacks_are_those_of_the_rational_policy():
    """At an equilibrium many columns tie, and rounding may not choose among them."""
    game = catalog.load("rock-paper-scissors")
    solution = solve(game, ThreatModel(1), exact=True)
    assert [attack.column.tolist() for attack in solution.attack] == [[0], [0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exact": 1}, "exact is 1; must be True or False"),
        ({"exact": True, "bits": 0}, "bits is 0; must be an integer from 1 to 4096"),
        ({"exact": True, "bits": 5000}, "bits is 5000"),
        ({"exact": True, "bits": True}, "bits is True"),
        ({"exact": True, "horizon": 0}, "horizon is 0; must be an integer of at least 1"),
    ],
)
def test_arguments(options, message):
    with pytest.raises(InputError, match=message):
        solve(games.prisoners_dilemma(), ThreatModel(0), **options)


def test_command_line(capsys):
    from arneq_exact import cli

    assert cli.main(["solve", "nosde", "--horizon", "3", "--exact", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "exact"
    assert cli.main(["solve", "nosde", "--horizon", "3", "--exact", "--bits", "2", "--json"]) == 0
    assert "not in rational numbers" in json.loads(capsys.readouterr().out)["message"]
