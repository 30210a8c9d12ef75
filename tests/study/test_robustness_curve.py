"""The robustness curve: closed forms, its ends, what it compares, ways out, stopping, refused arguments."""

from __future__ import annotations

import builtins
import sys
from fractions import Fraction

import games
import numpy as np
import pytest

from arneq_exact import catalog, check, robust_values, robustness_curve
from arneq_exact.errors import ArneqError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle

NOBODY = ThreatModel(0)


def verify(curve) -> None:
    """What every level of a curve promises."""
    game = curve.game
    assert [point.level for point in curve] == sorted({point.level for point in curve})
    for point in curve:
        policy = point.answer.policy
        assert check(game, point.answer.certificate, point.threat).valid
        np.testing.assert_allclose(point.values, robust_values(game, point.threat, policy), atol=1e-9)
        np.testing.assert_allclose(point.unattacked, robust_values(game, NOBODY, policy), atol=1e-9)
        np.testing.assert_allclose(point.price, curve.nash.values - point.unattacked, atol=1e-9)
        attacked = robust_values(game, point.threat, curve.nash.policy)
        np.testing.assert_allclose(point.nash_attacked, attacked, atol=1e-9)
        # An attack can only lower a value.
        assert (point.values <= point.unattacked + 1e-9).all()
        assert (point.nash_attacked <= curve.nash.values + 1e-9).all()


# -- closed forms -----------------------------------------------------------------------------------


def test_separable():
    """[F1]: the policy is the same for every k, so robustness is free, and both policies lose alike."""
    game = catalog.load("separable")
    curve = robustness_curve(game)
    verify(curve)
    assert [point.level for point in curve] == list(range(game.n_agents))
    for point in curve:
        np.testing.assert_allclose(point.price, 0, atol=1e-9)
        np.testing.assert_allclose(point.values, point.nash_attacked, atol=1e-9)
    losses = -np.diff([point.values for point in curve], axis=0)
    assert (losses >= -1e-9).all()
    # The largest ones first: each further corrupted agent costs less.
    assert (np.diff(losses, axis=0) <= 1e-9).all()


def test_public_good():
    """[F2]: threshold 1, worth 3, cost 1: k + 1 contributors, and the Nash policy breaks at once."""
    curve = robustness_curve(games.public_good(3, 1, 3, 1), starts=1)
    verify(curve)
    assert [point.status for point in curve] == ["exact"] * 3
    for k, point in enumerate(curve):
        assert sorted(point.values[:, 0].tolist()) == [2.0] * (k + 1) + [3.0] * (2 - k)
        assert point.answer is point.found[0]
    # Of the other two nobody contributes once the contributor is corrupted; alone it still contributes.
    assert sorted(curve[1].nash_attacked[:, 0].tolist()) == [0.0, 0.0, 2.0]
    # Unattacked, all together lose the cost of one more contributor each time.
    assert [float(point.price.sum()) for point in curve] == [0.0, 1.0, 2.0]


def test_unanimity():
    """[F3], n = 3: without corruption the better action, worth 4; k = 1 mixes, worth 4/9; k = 2: nothing."""
    curve = robustness_curve(catalog.load("unanimity"), starts=1)
    verify(curve)
    np.testing.assert_allclose([point.values[0, 0] for point in curve], [4, 4 / 9, 0], atol=1e-9)
    assert (curve[1].nash_attacked == 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_ends_of_the_scale(rng, n):
    """[T4]: k = 0 is Nash, k = n−1 the security values, and no ARNEQ is worth less [T5]."""
    game = games.random_game(rng, n, 2, 2, 0.6)
    curve = robustness_curve(game)
    verify(curve)
    assert len(curve) == n
    assert curve[0].answer is curve.nash
    assert (curve[0].price == 0).all()
    security = np.stack([secured(game, agent) for agent in range(n)])
    np.testing.assert_allclose(curve[n - 1].values, security, atol=1e-8)
    for point in curve:
        assert (point.values >= security - 1e-7).all()
        assert oracle.gap(game, point.threat, point.answer.policy).max() <= 1e-6
    if n == 2:
        assert (curve[0].values >= curve[1].values - 1e-7).all()
    beyond = robustness_curve(game, ks=[n + 2])
    np.testing.assert_allclose(beyond[0].values, security, atol=1e-8)


def secured(game, agent):
    """Security values (S,) of one agent: value iteration with linear programs."""
    from scipy.optimize import linprog

    values = np.zeros(game.n_states)
    for _ in range(50):
        backed = game.rewards[:, agent] + game.discount[agent] * (game.transitions @ values)
        for state, counts in enumerate(game.action_counts):
            block = backed[game.offsets[state] : game.offsets[state + 1]].reshape(counts)
            matrix = np.moveaxis(block, agent, 0).reshape(counts[agent], -1)
            rows, columns = matrix.shape
            values[state] = -linprog(
                np.append(np.zeros(rows), -1.0),
                A_ub=np.hstack([-matrix.T, np.ones((columns, 1))]),
                b_ub=np.zeros(columns),
                A_eq=[[1.0] * rows + [0.0]],
                b_eq=[1.0],
                bounds=[(0, None)] * rows + [(None, None)],
            ).fun
    return values


# -- probabilities ----------------------------------------------------------------------------------


def test_over_probabilities():
    """The penalty game: with probability ρ the Nash policy is worth 10 − 14 ρ, until mixing pays."""
    curve = robustness_curve(catalog.load("penalty"), probabilities=["1", 0, "1/2"])
    verify(curve)
    assert curve.name == "probability"
    assert [point.level for point in curve] == [0, Fraction(1, 2), 1]
    np.testing.assert_allclose([point.values[0, 0] for point in curve], [10, 3, 1.2], atol=1e-9)
    np.testing.assert_allclose([point.nash_attacked[0, 0] for point in curve], [10, 3, -4], atol=1e-9)
    # ρ = 0 is no corruption, ρ = 1 certain corruption.
    assert curve[0].answer is curve.nash
    certain = robustness_curve(catalog.load("penalty"), ks=[1])
    np.testing.assert_allclose(certain[0].values, curve[2].values, atol=1e-9)


def test_a_budget_goes_with_probabilities():
    curve = robustness_curve(games.public_good(3, 1, 3, 1), probabilities=[0.5], k=2)
    assert curve[0].threat == ThreatModel(2, probability="1/2")
    verify(curve)


# -- where values are told, and whom the worst attack corrupts --------------------------------------


def with_initial(game, initial):
    return MarkovGame(game.rewards, game.transitions, game.action_counts, game.discount, initial=initial)


def test_weighted_by_the_initial_distribution(rng):
    game = games.random_game(rng, 2, 2, 2, 0.6)
    plain = robustness_curve(game)
    weighted = robustness_curve(with_initial(game, np.array([0.25, 0.75])))
    assert plain.places == ("0", "1")
    assert weighted.places == ("initial",)
    assert len(plain.records()) == 2 * 2 * 2
    assert len(weighted.records()) == 2 * 2
    for row in weighted.records():
        states = [r for r in plain.records() if (r["k"], r["agent"]) == (row["k"], row["agent"])]
        for name in ("equilibrium", "nash_attacked", "unattacked", "nash_unattacked", "price"):
            expected = 0.25 * states[0][name] + 0.75 * states[1][name]
            assert row[name] == pytest.approx(expected, abs=1e-9)


def test_worst_corruption():
    """Of agent 1's two partners only the first matters in state 0, only the second in state 1."""
    rewards = [[a[1 + s], a[1], a[2]] for s in range(2) for a in np.ndindex(2, 2, 2)]
    moves = [[(1, 1 - s)] for s in range(2) for _ in range(8)]
    game = MarkovGame.from_rows([[2, 2, 2]] * 2, rewards, moves, 0.5)
    curve = robustness_curve(with_initial(game, np.array([0.5, 0.5])), ks=[0, 1, 2])
    assert curve.worst_corruption(0, 0, 0) == "nobody"
    assert curve.worst_corruption(1, 0, 0) == "2 in 1 states; 3 in 1 states"
    assert curve.worst_corruption(2, 0, 0) == "2, 3"
    by_state = robustness_curve(game, ks=[1])
    assert [by_state.worst_corruption(0, 0, state) for state in range(2)] == ["2", "3"]


# -- ways out ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curve():
    return robustness_curve(games.public_good(3, 1, 3, 1), starts=1)


def test_table(curve):
    text = str(curve)
    assert text.startswith("Robustness curve over k: 3 of 3 levels")
    assert "worst corruption" in text
    assert repr(curve) == "RobustnessCurve(3 levels of k, 3 proved)"


def test_long_tables_say_what_they_leave_out(rng):
    long = robustness_curve(games.random_game(rng, 1, 40, 2, 0.6), ks=[0, 1])
    assert "20 more rows in to_pandas()" in str(long)


def test_pandas(curve):
    pandas = pytest.importorskip("pandas")
    frame = curve.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["k"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert frame["equilibrium"].tolist() == [float(v) for point in curve for v in point.values[:, 0]]
    assert set(frame["status"]) == {"exact"}


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_plot(curve, tmp_path, ending):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curve.{ending}"
    curve.plot(path)
    assert path.stat().st_size > 5000


def drawn(curve, path, **options) -> str:
    """Text of a drawing, in which words are kept as comments."""
    curve.plot(path, **options)
    return path.read_text(encoding="utf-8")


def test_plot_of_many_states_and_unproved_levels(rng, tmp_path):
    pytest.importorskip("matplotlib")
    many = robustness_curve(games.random_game(rng, 1, 6, 2, 0.6), tol=1e-300)
    assert "incomplete" in {point.status for point in many}
    text = drawn(many, tmp_path / "hollow.svg")
    assert "hollow: not proved" in text
    assert "2 more states are not drawn" in text
    assert "state 5" not in text
    assert "incomplete, relative gap" in str(many)
    assert "5 more states" in drawn(many, tmp_path / "one.svg", states=[5])
    for states in ([6], [-1], ["0"]):
        with pytest.raises(InputError, match="plot: states hold"):
            many.plot(tmp_path / "no.svg", states=states)


def test_plot_of_many_agents(tmp_path):
    pytest.importorskip("matplotlib")
    text = drawn(robustness_curve(games.public_good(5, 1, 3, 1), ks=[0, 4]), tmp_path / "five.svg")
    assert "agent 5" in text
    assert "hollow" not in text


def test_plot_of_weighted_values(tmp_path):
    pytest.importorskip("matplotlib")
    weighted = robustness_curve(with_initial(games.nosde(), np.array([1.0, 0.0])), ks=[0])
    assert "more states" not in drawn(weighted, tmp_path / "weighted.svg")


@pytest.mark.parametrize(("library", "extra"), [("pandas", "table"), ("matplotlib", "plot")])
def test_a_missing_library_names_its_extra(curve, monkeypatch, tmp_path, library, extra):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match=rf"{library} is not installed; .*arneq-exact\[{extra}\]"):
        _ = curve.to_pandas() if library == "pandas" else curve.plot(tmp_path / "curve.png")


# -- being stopped ----------------------------------------------------------------------------------


@pytest.mark.parametrize("starts", [0, 2])
def test_the_time_limit_keeps_finished_levels(starts, tmp_path):
    stopped = robustness_curve(games.nosde(), time_limit=1e-9, starts=starts)
    assert len(stopped) == 0
    assert stopped.message == "0 of 2 levels; the time limit of 1e-09 s was reached"
    assert "0 of 2 levels" in str(stopped)
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError, match="the curve has no levels"):
        stopped.plot(tmp_path / "nothing.png")


@pytest.mark.parametrize("starts", [0, 1])
def test_an_interrupt_keeps_finished_levels(starts):
    def progress(news):
        if news.line.startswith("k = 1"):
            raise KeyboardInterrupt

    game = games.public_good(3, 1, 3, 1)
    stopped = robustness_curve(game, starts=starts, progress=progress)
    assert stopped.message.endswith("of 3 levels; interrupted")
    assert 1 <= len(stopped) <= 2
    verify(stopped)
    assert stopped[0].answer.proved


# -- refused arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ks": [0], "probabilities": [0]}, "ks and probabilities are given; must be one of them"),
        ({"ks": 1}, "ks are 1; must be a list"),
        ({"ks": "01"}, "ks are '01'; must be a list"),
        ({"ks": []}, "ks are empty"),
        ({"ks": [-1]}, "k is -1; must be an integer of at least 0"),
        ({"ks": [0.5]}, r"k is 0\.5; must be"),
        ({"probabilities": ["half"]}, "probability"),
        ({"probabilities": [1.5]}, "must be in"),
        ({"probabilities": [0.5], "k": -1}, "k is -1"),
        ({"tol": 0}, "robustness_curve: tol is 0"),
        ({"seed": -1}, "robustness_curve: seed is -1"),
        ({"starts": -1}, "robustness_curve: starts is -1"),
        ({"time_limit": 0}, "robustness_curve: time_limit is 0"),
        ({"progress": 1}, "robustness_curve: progress is 1"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ArneqError, match=message):
        robustness_curve(games.prisoners_dilemma(), **arguments)
