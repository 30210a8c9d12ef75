"""One agent against its attacker: policy iteration, and the safeguard where Newton's method cycles."""

from __future__ import annotations

import games
import numpy as np
import pytest

from arneq_exact import catalog
from arneq_exact.markov.attacked_agent import AttackedAgent
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import contest as oracle


def test_dust_where_values_are_zero_does_not_cycle():
    """Policy iteration of the attacker used to run to its limit here, between moves that are both worth 0."""
    game = catalog.load("level-based-foraging")
    policy = Policy.uniform(game)
    reply = AttackedAgent(game, ThreatModel(1), list(policy), 2).robust_value(policy[2])
    assert reply.rounds <= 21
    stage, _ = AttackedAgent(game, ThreatModel(1), list(policy), 2).stage_worst(policy[2], reply.value)
    np.testing.assert_allclose(stage, reply.value, rtol=0, atol=1e-15)


def van_der_wal() -> MarkovGame:
    """The zero-sum game on which Newton's method cycles (van der Wal 1978): value 8.

    One state; rewards [[3, 6], [2, 1]], the game goes on surely except after (first, second): 1/3; γ = 3/4.
    """
    rewards = [[r, -r] for r in (3, 6, 2, 1)]
    moves = [[(1, 0)], [("1/3", 0)], [(1, 0)], [(1, 0)]]
    return MarkovGame.from_rows([[2, 2]], rewards, moves, "3/4", termination=[0, "2/3", 0, 0])


class Watched(AttackedAgent):
    """Counts which steps `solve` takes; can be made to spoil Newton's."""

    spoil: np.random.Generator | None = None

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.newton = self.safeguard = 0
        self._inside = False

    def value_of(self, response, attack, start=None):
        found = super().value_of(response, attack, start)
        if not self._inside:
            self.newton += 1
            if self.spoil is not None:
                return found + self.spoil.uniform(50, 100, found.shape)
        return found

    def reply_to_attack(self, attack, start=None):
        self.safeguard += 1
        self._inside = True
        try:
            return super().reply_to_attack(attack, start)
        finally:
            self._inside = False


def watched(game, k, agent, policy=None) -> Watched:
    return Watched(game, ThreatModel(k), list(policy or Policy.uniform(game)), agent)


def test_newton_alone_cycles_on_van_der_wals_game():
    attacked = watched(van_der_wal(), 1, 0)
    values = [0.0]
    for _ in range(6):
        stage = attacked.stage_value(np.array(values[-1:]))
        values.append(float(attacked.value_of([stage.response], [stage.attack])[0]))
    assert values == pytest.approx([0, 12, 4, 12, 4, 12, 4], abs=1e-12)


def test_the_safeguard_solves_van_der_wals_game():
    for agent, value in ((0, 8.0), (1, -8.0)):
        attacked = watched(van_der_wal(), 1, agent)
        solved = attacked.solve()
        assert attacked.safeguard > 0
        np.testing.assert_allclose(solved.value, [value], rtol=0, atol=1e-12)
        assert solved.rounds < 20


@pytest.mark.parametrize("discount", [0.5, 0.9, 0.99])
def test_the_safeguard_alone_converges(rng, monkeypatch, discount):
    """Newton's steps are spoiled every time: only those of Hoffman and Karp can help."""
    for number in range(6):
        game = games.random_game(rng, 2 + number % 2, 5, (1, 3), discount)
        policy = games.random_policy(rng, game)
        k = 1
        plain = watched(game, k, 0, policy).solve()
        spoiled = watched(game, k, 0, policy)
        spoiled.spoil = rng
        solved = spoiled.solve()
        assert spoiled.safeguard > 1
        np.testing.assert_allclose(solved.value, plain.value, rtol=0, atol=1e-10)


@pytest.mark.parametrize("start", [None, 1e6, -1e6])
def test_the_start_does_not_matter(rng, start):
    game = games.random_game(rng, 2, 6, 3, 0.95)
    policy = games.random_policy(rng, game)
    attacked = watched(game, 1, 1, policy)
    begin = None if start is None else np.full(6, start)
    residual = attacked.stage_value(attacked.solve(begin).value).value - attacked.solve(begin).value
    assert np.abs(residual).max() <= 1e-11


def test_value_is_held_by_both_sides(rng):
    """The response guarantees the value, the attack holds every response to it, at every state."""
    for name, threat in games.threats(3).items():
        game = games.random_game(rng, 3, 4, (1, 3), [0.3, 0.9, 0.97], ending=0.3)
        policy = games.random_policy(rng, game)
        for agent in range(3):
            attacked = AttackedAgent(game, threat, list(policy), agent)
            solved = attacked.solve()
            held = attacked.robust_value(solved.response).value
            capped = attacked.reply_to_attack(solved.attack).value
            scale = max(1.0, float(np.abs(solved.value).max()))
            np.testing.assert_allclose(held, solved.value, rtol=0, atol=1e-11 * scale, err_msg=name)
            np.testing.assert_allclose(capped, solved.value, rtol=0, atol=1e-11 * scale, err_msg=name)


def test_rounds_hardly_depend_on_the_discount(rng):
    game = games.random_game(rng, 2, 20, 3, 0.5)
    for discount in (0.5, 0.9, 0.99, 0.999, 0.9999):
        same = MarkovGame(game.rewards, game.transitions, game.action_counts, np.full(2, discount))
        solved = watched(same, 1, 0).solve()
        assert solved.rounds <= 12


def test_reference_backend_solves_stage_programs_with_cvxpy(rng):
    from collections import Counter

    game = games.random_game(rng, 2, 2, 2, 0.5)
    policy = list(Policy.uniform(game))
    calls: Counter[str] = Counter()
    reference = AttackedAgent(game, ThreatModel(1), policy, 0, backend="reference", calls=calls).solve()
    assert set(calls) == {"cvxpy"}
    assert calls["cvxpy"] >= 2
    np.testing.assert_allclose(
        reference.value, AttackedAgent(game, ThreatModel(1), policy, 0).solve().value, rtol=0, atol=1e-9
    )


def test_padding_stays_zero(rng):
    game = games.random_game(rng, 3, 6, (1, 3), 0.7)
    policy = games.random_policy(rng, game)
    for agent in range(3):
        attacked = AttackedAgent(game, ThreatModel(1), list(policy), agent)
        solved = attacked.solve()
        for state, counts in enumerate(game.action_counts):
            width = sum(int(c) for j, c in enumerate(counts) if j != agent)
            assert (solved.response[state, counts[agent] :] == 0).all()
            assert (solved.attack[state, width:] == 0).all()
            assert solved.response[state].sum() == pytest.approx(1, abs=1e-12)
            assert solved.attack[state].sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", games.DEGENERATE)
def test_degenerate_games(rng, name):
    for n in (1, 2, 3):
        game = games.DEGENERATE[name](rng, n)
        policy = games.random_policy(rng, game, pure=0.5)
        unit = max(float(np.abs(game.rewards).max()), 1e-300)
        for k in range(min(n, 2)):
            for agent in range(n):
                contest = oracle.contest(game, ThreatModel(k), policy, agent)
                attacked = AttackedAgent(game, ThreatModel(k), list(policy), agent)
                own = attacked.robust_value(policy[agent])
                np.testing.assert_allclose(own.value, oracle.robust_value(contest), rtol=0, atol=1e-10 * unit)
                # The oracle's fixed-point equation, at the value that was found.
                value = attacked.solve().value
                np.testing.assert_allclose(
                    oracle.best_step(contest, value),
                    value,
                    rtol=0,
                    atol=1e-9 * max(unit, np.abs(value).max()),
                )
