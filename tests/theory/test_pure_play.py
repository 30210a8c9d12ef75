"""Pure stage ARNEQ and iterated elimination against the complete enumeration, in integers and Fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.pure_play import pure_play, survivors, unique_profile
from arneq_exact.stage.enumeration.listing import enumerate_equilibria

CASES = [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]


@pytest.mark.parametrize(("n", "k"), CASES)
def test_against_the_enumeration(n, k):
    generator = np.random.default_rng(10 * n + k)
    unique = 0
    for _ in range(40):
        payoffs = generator.integers(-5, 6, (n,) + (2,) * n)
        full = enumerate_equilibria(payoffs.astype(float), ThreatModel(k))
        found = pure_play(payoffs, k)
        only = unique_profile(payoffs, k)
        if only is not None:
            unique += 1
            assert full.completeness == "complete"
            assert [[int(x.argmax()) for x in one.policy] for one in full.equilibria] == [list(only)]
            assert found.worth(only).tolist() == pytest.approx(full.equilibria[0].values.tolist())
        if full.completeness == "complete" and full.isolated:
            listed = {tuple(int(x.argmax()) for x in e.policy) for e in full.equilibria if _pure(e)}
            assert set(found.profiles()) <= listed
    assert unique > 0


def _pure(equilibrium):
    return all(x.max() > 1 - 1e-9 for x in equilibrium.policy)


def test_strict_means_that_every_deviation_loses():
    dilemma = np.array([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    assert np.argwhere(pure_play(dilemma, 0).strict).tolist() == [[1, 1]]
    constant = np.zeros((2, 2, 2), dtype=int)
    assert pure_play(constant, 0).equilibrium.all()
    assert not pure_play(constant, 0).strict.any()


def test_corrupted_agents_may_play_what_was_eliminated():
    """[T5] An action that nobody plays of their own will still decides at k = 1."""
    table = np.zeros((3, 2, 2, 2), dtype=int)
    # Action 1 is bad for whoever plays it, and takes 5 from an agent that plays 0 in the first place.
    for agent in range(3):
        own = np.moveaxis(table[agent], agent, 0)
        own[1] = -20
        own[0, 1, :] -= 5
        own[0, :, 1] -= 5
    assert unique_profile(table, 0) == unique_profile(table, 1) == (0, 0, 0)
    assert pure_play(table, 0).worth((0, 0, 0)).tolist() == [0, 0, 0]
    assert pure_play(table, 1).worth((0, 0, 0)).tolist() == [-5, -5, -5]
    assert pure_play(table, 2).worth((0, 0, 0)).tolist() == [-10, -10, -10]


def test_fractions_and_integers_agree():
    generator = np.random.default_rng(0)
    payoffs = generator.integers(-3, 4, (3, 3, 2, 2))
    exact = np.vectorize(Fraction, otypes=[object])(payoffs) / 7
    for k in range(3):
        one, other = pure_play(payoffs, k), pure_play(exact, k)
        assert (one.equilibrium == other.equilibrium).all()
        assert (one.strict == other.strict).all()
        assert (other.values * 7 == one.values).all()
        assert survivors(payoffs, k) == survivors(exact, k)
