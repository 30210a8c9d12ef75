"""Games, policies and evidence that make rounding as bad as it gets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from certificate_builder import Hints, build, random_hints, random_policy, random_threat

from arneq_exact.model.game import MarkovGame
from arneq_exact.proof.check_float import CHECKING_WIDTH, evaluate_float


def _rows(rng, game_rewards, counts, n_states, probabilities, discount):
    rows = int(np.prod(counts, axis=1).sum())
    rewards = [game_rewards(rng) for _ in range(rows)]
    transitions, ends = [], []
    for _ in range(rows):
        masses = probabilities(rng, n_states + 1)
        transitions.append([(p, s) for s, p in enumerate(masses[:-1])])
        ends.append(masses[-1])
    return MarkovGame.from_rows(counts, rewards, transitions, discount, termination=ends)


def _tiny(rng, count):
    masses = np.array([10.0 ** rng.uniform(-320, -1) for _ in range(count)]) / count
    masses[rng.integers(count)] += 1 - masses.sum()
    return masses.tolist()


def _smooth(rng, count):
    return rng.dirichlet(np.ones(count)).tolist()


REWARDS = {
    "plain": lambda rng: rng.uniform(-1, 1, 3).tolist(),
    "cancelling": lambda rng: rng.choice([1e16, -1e16 + 2, -1e16, 1.0], 3).tolist(),
    "mixed": lambda rng: (10.0 ** rng.uniform(-149, 149, 3) * rng.choice([-1, 1], 3)).tolist(),
    "subnormal": lambda rng: (rng.integers(-9, 10, 3) * 5e-324).tolist(),
    "rational": lambda rng: [Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 98))) for _ in range(3)],
}


def heavy_case(rng, number):
    """A game, a threat, a policy and evidence that make rounding as bad as it gets."""
    kind = list(REWARDS)[number % len(REWARDS)]
    counts = rng.integers(1, 3, size=(2, 3))
    masses = _tiny if number % 3 == 1 and kind != "rational" else _smooth
    discount = (0.0, 0.5, 0.9, 0.999999, 1 - 2.0**-20)[int(rng.integers(5))]
    game = _rows(rng, REWARDS[kind], counts, 2, masses, discount)
    threat = random_threat(rng, 3)
    horizon = 2 if number % 4 == 3 else None
    policy = random_policy(rng, game, horizon)
    found = random_hints(rng, game, threat, horizon, scale=float(np.abs(game.rewards).max()) or 1.0)
    if number % 2:
        # u and l at the fixed point make the residuals pure rounding.
        values = _settled(game, policy, found, threat, horizon)
        found = Hints(found.attacker, values, values, [])
    if number % 7 == 2:
        for table in found.attacker:
            table *= rng.uniform(0.6, 1.9)
    return game, threat, policy, horizon, found


def _settled(game, policy, found, threat, horizon):
    values = found.upper.copy()
    if horizon is None:
        for _ in range(30):
            values = (
                game.rewards[game.offsets[:-1]].T
                + game.discount[:, None] * (game.transitions[game.offsets[:-1]] @ values.T).T
            )
    return values


def compare(seed, games):
    """How often the float bound lies below the exact one, and the least relative excess where it does not."""
    rng, below, closest = np.random.default_rng(seed), 0, np.inf
    for number in range(games):
        game, threat, policy, horizon, found = heavy_case(rng, number)
        made = build(game, threat, policy, horizon, found=found)
        for bound, exact in zip(evaluate_float(game, made, CHECKING_WIDTH)[0], made.epsilon, strict=True):
            below += bound < exact
            if exact > 0:
                closest = min(closest, float(bound / exact - 1))
    return below, closest
