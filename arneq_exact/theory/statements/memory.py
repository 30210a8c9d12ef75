"""[T13] With memory an agent can identify a static attacker's victim: stationary play is not enough there.

Three agents, one of whom may be corrupted from the first step to the last. In s1 agent 1 only watches, and
earns w if both others play C; then comes s2, where it relies on agent 2 or on agent 3 and earns w' if that
one plays C; then the episode ends. All who are not corrupted play C.

*Stationary play* relies on agent 2 with some probability x. The attacker may corrupt agent 2 or agent 3 and
play D at both steps, so that min(x, 1 − x) γ w' is left at s1, at most γ w' / 2, which x = 1/2 attains.

*With memory* agent 1 relies on the one who did not play D in s1, and on either with probability 1/2 if
nobody did. A corrupted agent that plays D in s1 gives itself away and leaves γ w'; one that plays C there
leaves w, and γ w' / 2 later. So min(γ w', w + γ w' / 2) is secured against all that a static attacker can
do, more than γ w' / 2 by min(γ w' / 2, w) > 0. (For a fixed plan of agent 1 the payoff is linear in what the
attacker draws, so that its pure plans, which are written out here, are enough.)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from arneq_exact.exact.arrays import exact_array
from arneq_exact.markov.static import static_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import has_full_simplex
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.static_corruption import corruptions

DRAWS = 4
"""Stationary policies that are tried."""


def watched_game(first: Fraction, second: Fraction, discount: Fraction) -> MarkovGame:
    """Return the game with w = `first` and w' = `second`; action 0 is C, and relying on agent 2."""
    rewards = [[first * (a == b == 0), 0, 0] for a, b in product(range(2), repeat=2)]
    rewards += [[second * (joint[1 + joint[0]] == 0), 0, 0] for joint in product(range(2), repeat=3)]
    moves: list[list[tuple[int, int]]] = [[(1, 1)]] * 4 + [[]] * 8
    return MarkovGame.from_rows(
        [[1, 2, 2], [2, 2, 2]], rewards, moves, discount, termination=[0] * 4 + [1] * 8
    )


def _numbers(game: MarkovGame) -> tuple[Fraction, Fraction, Fraction] | None:
    """Return w, w' and γ if this is the game, else None."""
    if game.n_agents != 3 or game.action_counts.tolist() != [[1, 2, 2], [2, 2, 2]]:
        return None
    first, second = (Fraction(exact_payoffs(game, state)[0, 0, 0, 0]) for state in range(2))
    discount = game.exact_discount()[0]
    if min(first, second, discount) <= 0 or not game.same_as(watched_game(first, second, discount)):
        return None
    return first, second, discount


def secured(first: Fraction, second: Fraction, discount: Fraction) -> Fraction:
    """Return what the plan with memory leaves against the worst pure plan of one corrupted agent, or none."""
    worth = []
    for victim, early, late in product((None, 1, 2), range(2), range(2)):
        played = [{victim: early}.get(j, 0) for j in (1, 2)]
        seen = [j for j, action in zip((1, 2), played, strict=True) if action == 0]
        relied = [Fraction({victim: late}.get(j, 0) == 0) for j in seen]
        worth.append(first * (played == [0, 0]) + discount * second * sum(relied) / len(relied))
    return min(worth)


def _memory(instance: Instance) -> Findings:
    game = instance.game
    numbers = _numbers(game)
    assert numbers is not None, "a hypothesis"
    first, second, discount = numbers
    most = discount * second / 2
    shares = [Fraction(1, 2), *(Fraction(int(n), 8) for n in instance.rng().integers(0, 9, DRAWS))]
    defined, solved = [], []
    for share in shares:
        policy = [
            exact_array([[1, 0], [share, 1 - share]]),
            exact_array([[1, 0], [1, 0]]),
            exact_array([[1, 0], [1, 0]]),
        ]
        defined.append(corruptions(game, ThreatModel(1), policy, 0, exact=True).static()[0])
        played = Policy(game, [array.astype(np.float64) for array in policy])
        solved.append(static_values(game, ThreatModel(1), played).values[0, 0])
    most_by_memory = secured(first, second, discount)
    size = first + second
    return Findings(
        [
            equal("static value of even reliance, γ w' / 2", defined[0], most, size),
            at_most("static values of stationary policies, γ w' / 2", defined, most, size),
            equal("static values by the solvers, by definition", solved, defined, size),
            equal(
                "what memory secures, γ w' / 2 and min(γ w' / 2, w)",
                most_by_memory,
                most + min(most, first),
                size,
            ),
        ],
        {},
        1e-14,
        "the solvers add and multiply a few numbers in doubles; all else is evaluated in Fractions",
        {"stationary": most, "memory": most_by_memory},
    )


def _draw(rng: np.random.Generator) -> Instance:
    first, second = (Fraction(int(rng.integers(1, 10)), int(rng.integers(1, 10))) for _ in range(2))
    return Instance(watched_game(first, second, Fraction(int(rng.integers(1, 10)), 10)), ThreatModel(1))


WATCHED = Hypothesis(
    "watched",
    "The game is that of the module's text, with w, w' and γ above 0.",
    lambda instance: _numbers(instance.game) is not None,
    droppable=False,
)
ONE_OF_ALL = Hypothesis(
    "k = 1",
    "Any one other agent may be corrupted.",
    lambda instance: (
        instance.threat.k == 1 and has_full_simplex(instance.threat) and instance.threat.masks is None
    ),
    droppable=False,
)

STATEMENTS = (
    Statement(
        id="T13.memory",
        title="Against corruption that stays, memory is worth more than any stationary policy",
        claim="On the game in which agent 1 first watches and then relies on somebody, memory secures "
        "min(γ w' / 2, w) > 0 more than the best stationary policy.",
        hypotheses=(WATCHED, ONE_OF_ALL),
        source="arneq_exact.theory.statements.memory; theory page, T13",
        status=UNDER_HYPOTHESES,
        examine=_memory,
        families={"watched": _draw},
    ),
)
