"""The search: it finds, shrinks and repeats itself; and every stored counterexample is confirmed again."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from arneq_exact import catalog
from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import FileError, InputError
from arneq_exact.exact.arrays import exact_array
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.stage.enumeration.listing import enumerate_equilibria
from arneq_exact.stage.types.equilibrium_types import TYPE_A, types_at
from arneq_exact.stage.types.greatest_value import columns_at_pure_profiles
from arneq_exact.theory import ledger
from arneq_exact.theory.draw import generators
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.proved_bound import proved_below
from arneq_exact.theory.engine.shrink import Draft, shrink
from arneq_exact.theory.engine.statement import FALSE_WITHOUT
from arneq_exact.theory.search import Counterexample, file_name, search, stored_counterexamples

STORED = {(one.statement, one.dropped): one for one in stored_counterexamples()}


def names(pair):
    return " without ".join(pair)


@pytest.mark.parametrize("pair", STORED, ids=names)
def test_stored_counterexample_is_confirmed_in_exact_arithmetic(pair):
    stored = STORED[pair]
    again = stored.confirm()
    assert again.verdict == "violated"
    assert again.tolerance == 0
    assert isinstance(again.margin, int | Fraction)
    assert again.margin < 0
    assert again.to_json() == stored.evidence.to_json()
    assert stored.command.startswith(f"arneq theory search {pair[0]} --drop ")
    assert stored.dropped in again.dropped
    # It is this hypothesis that fails, and no other one.
    assert [name for name, held in again.hypotheses.items() if held is not True] == [pair[1]]
    assert again.hypotheses[pair[1]] is False


def test_every_false_without_has_a_counterexample():
    for statement in ledger.STATEMENTS:
        if statement.status.startswith(FALSE_WITHOUT):
            assert (statement.id, statement.status.removeprefix(FALSE_WITHOUT)) in STORED, statement.id


def test_more_corruption_helps_everybody():
    """[T5], strong form: three agents, three actions, both ARNEQ unique, every value rises."""
    stored = STORED["T5.unique", "two agents"]
    game = stored.instance.game
    assert game.action_counts.tolist() == [[3, 3, 3]]
    payoffs = exact_payoffs(game, 0)
    before, after = ([Fraction(v) for v in stored.evidence.quantities[name]] for name in ("before", "after"))
    assert all(a < b for a, b in zip(before, after, strict=True))
    # From the definitions, without elimination: the profiles are strict equilibria with these values.
    for k, profile, worth in zip(
        (0, 1), stored.evidence.quantities["profiles"], (before, after), strict=True
    ):
        for agent in range(3):
            attacker = stage_attackers(ThreatModel(k), payoffs[agent].shape).of[agent]
            columns = columns_at_pure_profiles(payoffs[agent], attacker)
            assert min(columns[(slice(None), *profile)]) == worth[agent]
            for action in range(3):
                if action != profile[agent]:
                    other = (*profile[:agent], action, *profile[agent + 1 :])
                    own, deviating = columns[(slice(None), *profile)], columns[(slice(None), *other)]
                    assert any(deviating[c] < own[c] == worth[agent] for c in range(len(columns)))


def test_the_stored_cycle_has_one_stage_equilibrium_everywhere():
    """[T7] By the complete enumeration in integers, which shares nothing with elimination."""
    stored = STORED["T7", "fixed types"]
    game, values = stored.instance.game, stored.evidence.quantities["values"]
    period = stored.evidence.quantities["period"]
    assert len(values) == period > 1
    for t in range(period):
        for state in range(game.n_states):
            stage = exact_payoffs(game, state, values[t])
            found = enumerate_equilibria(stage.astype(np.float64), ThreatModel(0))
            assert (found.completeness, len(found)) == ("complete", 1)
            joint = tuple(stored.evidence.quantities["play"][t][state])
            assert tuple(int(x.argmax()) for x in found.equilibria[0].policy) == joint
            assert [stage[(agent, *joint)] for agent in range(2)] == values[
                (t + 1) % period, :, state
            ].tolist()
    assert any((values[t] != values[0]).any() for t in range(period))


def test_no_stage_equilibrium_of_the_stored_team_is_best_for_all():
    """[T7] Against the enumeration of all its stage ARNEQ, where that is complete."""
    stored = STORED["T7.common", "end of the scale"]
    game, threat = stored.instance.game, stored.instance.threat
    payoffs = game.rewards.T.reshape(3, *game.action_counts[0].tolist())
    assert (payoffs == payoffs[:1]).all()
    found = enumerate_equilibria(payoffs, threat)
    attackers = stage_attackers(threat, payoffs.shape[1:])
    assert len(found)
    for one in found.equilibria:
        assert not (types_at(payoffs, one.values, attackers) & TYPE_A).all()


def test_the_search_finds_an_easy_one_by_itself_and_again():
    found = search("T6a.converse", "decoupled", budget=60, seed=5, more=0)
    again = search("T6a.converse", "decoupled", budget=60, seed=5, more=0)
    assert found.to_json() == again.to_json()
    assert found.confirm().verdict == "violated"
    assert found.instance.game.n_rows <= found.found.game.n_rows
    other = search("T6a.converse", "decoupled", budget=60, seed=6, more=0)
    assert other.found.to_json() != found.found.to_json()


@pytest.mark.parametrize(
    "pair",
    [("T6a.converse", "decoupled"), ("T5.equilibria", "two agents"), ("T13.equal", "one set")],
    ids=names,
)
def test_the_recorded_command_finds_the_stored_counterexample(pair):
    stored = STORED[pair]
    assert search(*pair, budget=60, seed=stored.seed).to_json() == stored.to_json()


def test_what_is_shrunk_is_locally_smallest():
    found = search("T6a.converse", "decoupled", budget=60, seed=5, more=0)
    judge = ledger.statement("T6a.converse")

    def violates(instance):
        return judge.confirm_exactly(instance, drop=["decoupled"]).verdict == "violated"

    smallest, tried = shrink(found.instance, violates)
    assert tried > 0
    assert smallest.same_as(found.instance)


def test_nothing_is_found_where_the_statement_holds():
    """With its only violations excluded by the other hypothesis, T5.unique has none for two agents."""
    assert search("T5.unique", "unique", budget=1.0) is None


def test_files(tmp_path):
    stored = STORED["T6", "one type"]
    path = tmp_path / file_name("T6", "one type")
    stored.save(path)
    assert Counterexample.load(path).to_json() == stored.to_json()
    data = json.loads(path.read_text())
    data["command"] = "arneq theory search T6 --drop 'one type' --seed 99"
    path.write_text(json.dumps(data))
    with pytest.raises(FileError, match="command is"):
        Counterexample.load(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("T99", "one type"), "statement 'T99' is unknown"),
        (("T6", "two types"), "hypothesis 'two types' is unknown"),
        (("T6a", "saddle"), "T6a: has no check in exact arithmetic"),
        (("T6", "one type", 0), "budget is 0"),
        (("T6", "one type", 1.0, -1), "seed is -1; must be an integer of at least 0"),
        (("T6", "one type", 1.0, 0.5), "seed is 0.5"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        search(*arguments)


def test_an_interrupt_keeps_what_was_found():
    def stop(draws, violations, margin):
        if violations:
            raise KeyboardInterrupt

    found = search("T6a.converse", "decoupled", budget=60, seed=5, progress=stop)
    assert found.confirm().verdict == "violated"
    assert (
        search("T6", "one type", budget=60, progress=lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        is None
    )


def test_an_interrupt_while_shrinking_keeps_the_best_so_far():
    """Ctrl-C in the tenth attempt: what nine attempts have reached is a counterexample, smaller or not."""
    one = ledger.statement("T6a.converse")
    start = search("T6a.converse", "decoupled", budget=60, seed=5, more=0).found
    attempts = []

    def judge(instance):
        attempts.append(instance)
        if len(attempts) == 10:
            raise KeyboardInterrupt
        return one.confirm_exactly(instance, drop=["decoupled"]).verdict == "violated"

    smallest, tried = shrink(start, judge)
    assert tried == len(attempts) == 10
    assert one.confirm_exactly(smallest, drop=["decoupled"]).verdict == "violated"
    assert Draft.of(smallest).cost() < Draft.of(start).cost()


def test_a_search_interrupted_while_shrinking_returns_its_find():
    """What is judged next after the first violation belongs to the shrinking; Ctrl-C falls right there."""
    one = ledger.statement("T6a.converse")
    seen, interrupted = [0], []

    def confirm(instance):
        if seen[-1] and not interrupted:
            interrupted.append(instance)
            raise KeyboardInterrupt
        return one.confirm(instance)

    found = search(
        replace(one, confirm=confirm),
        "decoupled",
        budget=60,
        seed=5,
        more=0,
        progress=lambda draws, violations, margin: seen.append(violations),
    )
    assert len(interrupted) == 1
    assert found.confirm().verdict == "violated"
    assert found.instance.game.same_as(Draft.of(found.found).instance().game)


def test_shrinking_cuts_a_planted_part_out():
    """Three agents, two states; all that the judge asks for is one reward of 3."""
    generator = np.random.default_rng(1)
    counts, rows = [[2, 3, 2], [2, 2, 2]], 20
    rewards = generator.integers(-2, 3, (rows, 3))
    rewards[2, 1] = 3  # where everybody plays the policy
    game = MarkovGame.from_rows(counts, rewards.tolist(), [[("1/3", 0), ("2/3", 1)]] * rows, "9/10")
    policy = [np.eye(2)[[0, 0]], np.eye(3)[[1, 0]], np.eye(2)[[0, 0]]]
    start = Instance(game, ThreatModel(2), {"policy": policy, "agent": 1})

    def judge(instance):
        assert len(instance.extras["policy"]) == instance.game.n_agents
        for own, count in zip(instance.extras["policy"], instance.game.action_counts.T, strict=True):
            assert own.shape == (instance.game.n_states, count.max())
            assert (own.sum(axis=1) == 1).all()
        return bool((instance.game.rewards[:, instance.extras["agent"]] == 3).any())

    smallest, _ = shrink(start, judge)
    assert smallest.game.rewards.tolist() in ([[3.0]], [[0.0], [3.0]], [[3.0], [0.0]])
    assert smallest.threat.k == 0
    assert smallest.game.discount.tolist() == [0.0]
    assert smallest.extras["agent"] == 0


def test_a_draft_is_put_together_as_it_was(rng):
    drawn = [generators.markov(rng, ""), generators.pair(rng, ""), generators.first_action_play(rng, "")]
    for instance in [*drawn, Instance(catalog.load("nosde"), ThreatModel(0))]:
        again = Draft.of(instance).instance()
        assert again.game.content_hash == instance.game.content_hash
        assert again.threat.to_json() == instance.threat.to_json()


def test_bounds_are_proved_exactly():
    """Matching pennies as columns: the maximum over product profiles of the minimum is 1/2."""
    table = exact_array(np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]))
    assert proved_below(table, Fraction(501, 1000)) is True
    assert proved_below(table, Fraction(499, 1000)) is False
    # A correlated mixture would reach 1/2 here, a product no more than 1/4.
    corners = exact_array(np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]]))
    assert proved_below(corners, Fraction(3, 10)) is True
    assert proved_below(corners, Fraction(24, 100)) is False
    assert proved_below(corners, Fraction(251, 1000), boxes=1) is None
