"""Every known answer by the library: solved, and certified as stored."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest
from instances import answer_game

from arneq_exact import catalog, certify, check, robust_values, solve

ANSWERS = [
    pytest.param(name, number, id=f"{name}-{number}-k{answer.threat.k}")
    for name in catalog.names()
    for number, answer in enumerate(catalog.entry(name).answers)
]


@cache
def solved(game, threat, horizon):
    return solve(game, threat, horizon=horizon)


def agrees(game, answer, values):
    """Compare values (n, S) with the stored ones."""
    index = {game.state_name(state): state for state in range(game.n_states)}
    for state, row in answer.exact_values().items():
        for agent, value in enumerate(row):
            assert values[agent, index[state]] == pytest.approx(float(value), abs=answer.tolerance, rel=0)


@pytest.mark.parametrize(("name", "number"), ANSWERS)
def test_known_answer(name, number):
    answer = catalog.entry(name).answers[number]
    game = answer_game(name, number)
    ranges = game.exact_reward_range()
    solution = solved(game, answer.threat, answer.horizon)
    assert solution.proved, solution.message
    assert check(game, solution.certificate, answer.threat).valid
    if answer.unique:
        agrees(game, answer, solution.values if answer.horizon is None else solution.values[0])
    if answer.policy is not None:
        policy = answer.policy(game)
        certificate = certify(game, answer.threat, policy)
        result = check(game, certificate, answer.threat)
        assert result.valid, result.reason
        assert all(bound <= 1e-8 * unit for bound, unit in zip(result.epsilon, ranges, strict=True))
        values = robust_values(game, answer.threat, policy)
        agrees(game, answer, values if answer.horizon is None else values[0])


def test_rational_answers_of_pure_policies_are_proved_exactly():
    """Pure policies of rational one-shot games: the gap is 0 wherever the attacker is pure as well."""
    exact = rounded = 0
    for name in catalog.names():
        for number, answer in enumerate(catalog.entry(name).answers):
            game = answer_game(name, number)
            if answer.policy is None or not answer.exact or game.n_states > 1:
                continue
            policy = answer.policy(game)
            if any(((array != 0) & (array != 1)).any() for array in policy):
                continue
            certificate = certify(game, answer.threat, policy, arithmetic="exact")
            mixed = any(((array != 0) & (array != 1)).any() for array in certificate.attacker)
            assert mixed or not any(certificate.epsilon)
            exact, rounded = exact + (not mixed), rounded + mixed
            if not mixed:
                stated = next(iter(answer.exact_values().values()))
                assert [Fraction(value) for value in certificate.lower[:, 0]] == list(stated)
    assert exact >= 15
    assert rounded <= exact


def test_at_least_sixteen_games_and_ten_known_by_citation_or_closed_form():
    known = [
        name
        for name in catalog.names()
        if any(answer.label != "computed-and-certified" for answer in catalog.entry(name).answers)
    ]
    assert len(catalog.names()) >= 16
    assert len(known) >= 10
