"""[T13] A chain on which corruption that stays does less harm than corruption drawn anew.

s1 → s2 → end, three agents, k = 1, all play C. Agent 1 earns w in s1 if agent 2 plays C, and w' in s2 if
agent 3 does. Drawn anew, corruption takes both: W^rect = 0. A set that stays takes one: W^static(s1) =
min(w, γ w').
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from arneq_exact.exact.arrays import exact_mixtures
from arneq_exact.markov.evaluate import robust_values
from arneq_exact.markov.static import static_values
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs
from arneq_exact.theory.engine.evidence import Findings, equal
from arneq_exact.theory.engine.given_play import policy_of
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import DISCOUNTED, is_plain_budget
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.static_corruption import corruptions


def chain_rewards(instance: Instance) -> tuple[Fraction, Fraction] | None:
    """Return (w, w') if the game is the chain and k = 1, else None."""
    game, threat = instance.game, instance.threat
    if game.action_counts.tolist() != [[2, 2, 2]] * 2 or threat.k != 1 or not is_plain_budget(threat):
        return None
    if [game.exact_moves(row) for row in range(16)] != [[(Fraction(1), 1)]] * 8 + [[]] * 8:
        return None
    if any((own != [1, 0]).any() for own in policy_of(instance)):
        return None
    found = []
    for state in range(2):
        own = np.moveaxis(exact_payoffs(game, state)[0], 1 + state, 0)
        if (own[0] != own[0, 0, 0]).any() or (own[1] != 0).any():
            return None
        found.append(Fraction(own[0, 0, 0]))
    first, second = found
    return (first, second) if min(first, second, game.exact_discount()[0]) > 0 else None


CHAIN = Hypothesis(
    "chain",
    "The game is the chain with rewards w, w' > 0, all play C, which is their first action, and k = 1.",
    lambda instance: chain_rewards(instance) is not None,
    droppable=False,
)


def _chain(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    rewards = chain_rewards(instance)
    assert rewards is not None, "the hypothesis says so"
    first, second = rewards
    gamma = game.exact_discount()[0]
    policy = policy_of(instance)
    defined = corruptions(game, threat, [exact_mixtures(array) for array in policy], 0, exact=True)
    played = Policy(game, policy)
    anew, once = robust_values(game, threat, played)[0], static_values(game, threat, played).values[0]
    kept = np.array([min(first, gamma * second), Fraction(0)], dtype=object)
    size = float(max(first, second))
    return Findings(
        [
            equal("drawn anew, 0", defined.rect, kept * 0),
            equal("drawn once, (min(w, γ w'), 0)", defined.static(), kept),
            equal("drawn anew by the solvers, 0", anew, 0.0, size),
            equal("drawn once by the solvers, (min(w, γ w'), 0)", once, kept.astype(float), size),
        ],
        {},
        1e-14,
        "the solvers add and multiply two numbers in doubles; the definitions are evaluated in Fractions",
        {"difference": kept[0]},
    )


def draw_chain(rng: np.random.Generator) -> Instance:
    """Draw the chain with rational rewards and discount."""
    first, second = (Fraction(int(rng.integers(1, 10)), int(rng.integers(1, 10))) for _ in range(2))
    gamma = Fraction(int(rng.integers(1, 10)), 10)
    rewards, moves = [], []
    for state in range(2):
        for joint in product(range(2), repeat=3):
            keeps = joint[1 + state] == 0
            rewards.append([(first, second)[state] * int(keeps), 0, 0])
            moves.append([(1, 1)] if state == 0 else [])
    game = MarkovGame.from_rows([[2, 2, 2]] * 2, rewards, moves, gamma, termination=[0] * 8 + [1] * 8)
    return Instance(game, ThreatModel(1))


STATEMENTS = (
    Statement(
        id="T13.chain",
        title="A chain on which the two differ",
        claim="On the chain W^rect(s1) = 0 and W^static(s1) = min(w, γ w') > 0 for agent 1.",
        hypotheses=(DISCOUNTED, CHAIN),
        source="arneq_exact.theory.statements.chain; theory page, T13",
        status=UNDER_HYPOTHESES,
        examine=_chain,
        families={"chain": draw_chain},
    ),
)
