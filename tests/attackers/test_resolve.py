"""A game and a threat, resolved: groups of states, columns, positions; nothing is kept alive by it."""

from __future__ import annotations

import gc
import pickle
import weakref

import games
import numpy as np
import pytest

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.positions import Positions
from arneq_exact.attackers.resolve import KEPT_THREATS, resolve
from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.model.threat import ThreatModel

COUNTS = [(1,), (4,), (2, 3), (3, 1), (2, 3, 2), (1, 2, 3), (2, 1, 3, 2)]


def every_threat(n: int) -> dict[str, ThreatModel]:
    return games.threats(n) | (games.general_threats(n) if n > 1 else {})


CASES = [(counts, name) for counts in COUNTS for name in every_threat(len(counts))]
NOBODY = ThreatModel(0)


@pytest.mark.parametrize("actions", [2, (1, 3), [2, 1, 3]])
def test_groups_hold_every_row_once_in_order(rng, actions):
    game = games.random_game(rng, 3, 9, actions, 0.5)
    rows = np.arange(game.n_rows, dtype=float)
    seen, written = [], np.full(game.n_rows, np.nan)
    for group in resolve(game, NOBODY).groups:
        gathered = group.gather(rows)
        assert gathered.shape == (len(group.states), *group.counts)
        for state, table in zip(group.states, gathered, strict=True):
            assert tuple(game.action_counts[state]) == group.counts
            first, last = game.offsets[state], game.offsets[state + 1]
            assert table.reshape(-1).tolist() == list(range(first, last))
        seen.extend(gathered.reshape(-1).astype(int).tolist())
        group.scatter(gathered, written)
    assert sorted(seen) == list(range(game.n_rows))
    assert (written == rows).all()


def test_a_group_of_neighbours_is_a_view(rng):
    game = games.random_game(rng, 2, 5, 2, 0.5)
    (group,) = resolve(game, NOBODY).groups
    rows = np.zeros(game.n_rows)
    group.gather(rows)[3, 1, 0] = 1.0
    assert rows[3 * 4 + 2] == 1.0


def test_masks_split_groups(rng):
    game = games.random_game(rng, 3, 4, 2, 0.5)
    masked = resolve(game, ThreatModel(1, masks={1: {2: [0]}}))
    assert [group.states.tolist() for group in masked.groups] == [[0, 1, 3], [2]]
    # All of {}, {1}, {2} are extreme points: 1 + 2 + 2 columns, one fewer where agent 1 is masked.
    assert [masked.of(state).widths[0] for state in range(4)] == [5, 5, 4, 5]
    assert masked.widths == (5, 5, 5)


@pytest.mark.parametrize(("counts", "name"), CASES)
def test_columns_are_those_of_their_points(counts, name):
    """Draws, decisions and places against `Corruption.forced`, column by column."""
    for attacker in attackers_at(every_threat(len(counts))[name], counts, 0).of:
        draws = attacker.draws
        positions = Positions(attacker.parts, counts)
        joint = np.indices(counts).reshape(len(counts), -1).T
        listed = positions.of_rows(joint)
        assert len(draws.column) == sum(
            size * len(point.weights) for size, point in zip(attacker.sizes, attacker.points, strict=True)
        )
        for column in range(attacker.width):
            point, number = attacker.place(column)
            forced = point.forced(number, counts)
            of_column = np.flatnonzero(draws.column == column)
            assert draws.variant[of_column].tolist() == list(range(len(point.weights)))
            for at, (members, weight) in zip(of_column, point.weights, strict=True):
                part = draws.part[at]
                assert attacker.parts[part] == members
                assert draws.weight[at] == float(weight)
                actions = {j: int(a) for j, a in enumerate(draws.forced[at]) if a >= 0}
                assert actions == forced[members]
                # The rows in which the set plays so are those of the draw's position.
                agree = np.all([joint[:, j] == a for j, a in actions.items()], axis=0)
                assert ((listed[:, part] == positions.of_draws(draws)[at]) == agree).all()
        with pytest.raises(IndexError):
            attacker.place(attacker.width)


def test_it_is_resolved_once(rng):
    game = games.random_game(rng, 3, 4, 2, 0.5)
    found = resolve(game, ThreatModel(1))
    assert resolve(game, ThreatModel(1)) is found
    other = games.random_game(rng, 3, 2, 2, 0.5)
    assert resolve(other, ThreatModel(1)).of(0) is found.of(0)
    for number in range(2 * KEPT_THREATS):
        resolve(game, ThreatModel(1, probability=number / 100))


def test_games_are_not_kept_alive(rng):
    game = games.random_game(rng, 2, 3, 2, 0.5)
    resolve(game, NOBODY)
    gone = weakref.ref(game)
    del game
    gc.collect()
    assert gone() is None


def test_the_hash_of_a_threat_does_not_travel():
    threat = ThreatModel(1, probability="1/3")
    assert hash(threat) == hash(ThreatModel(1, probability="1/3"))
    assert "_hash" in vars(threat)
    copied = pickle.loads(pickle.dumps(threat))
    assert "_hash" not in vars(copied)
    assert copied == threat


def test_an_attacker_without_slots_has_one_column():
    (point,) = NOBODY.corruptions(2, 0)
    attacker = Attacker(0, (2, 3), [point])
    assert (attacker.width, attacker.parts, attacker.decided[0].shape) == (1, ((),), (1, 0))
