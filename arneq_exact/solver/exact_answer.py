"""The exact answer of a game that has one: a rational equilibrium, certified with a proved gap of 0.

The certificate holds Fractions throughout: π, the attackers' optimal mixtures y, and u = l = the values, so
that every residual of [T12] and [T14] is 0 and so is the claim. It is the checker that finds this, here as
anywhere; nothing is sealed on the word of the solver. The float policy that goes with it has every
probability rounded to the nearest double.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from arneq_exact.markov.candidates import Candidate
from arneq_exact.markov.evaluate import WorstAttack, worst_attack
from arneq_exact.markov.exact_horizon import exact_equilibrium
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.solver.seal import Sealed, claimed


@dataclass(frozen=True)
class ExactAnswer:
    """A rational ARNEQ as `solve` reports it.

    Attributes
    ----------
    candidate : Candidate
        With the policy in doubles.
    sealed : Sealed
        With the certificate in Fractions.
    attack : one WorstAttack per agent
        On the rational policy: rounding could turn the choice among equally bad columns.
    """

    candidate: Candidate
    sealed: Sealed
    attack: tuple[WorstAttack, ...]


def exact_answer(
    game: MarkovGame,
    threat: ThreatModel,
    horizon: int | None,
    bits: int,
    report: Callable[[str], None],
) -> ExactAnswer:
    """Solve in rationals and certify.

    Raises
    ------
    StageError
        If there is no rational answer in general, or `bits` do not suffice for it.
    """
    found = exact_equilibrium(game, threat, horizon, bits=bits, report=report)
    report("checking the exact answer")
    draft = Certificate(
        game=game.content_hash,
        threat=threat,
        policy=found.policy,
        attacker=found.attack,
        upper=found.values,
        lower=found.values,
        epsilon=(Fraction(0),) * game.n_agents,
        arithmetic="exact",
        horizon=horizon,
    )
    policy = Policy(game, [table.astype(np.float64) for table in found.policy])
    attack = tuple(
        replace(worst_attack(game, threat, policy, agent), column=column)
        for agent, column in enumerate(found.worst)
    )
    note = "integer pivoting" if horizon is None else "backward induction by integer pivoting"
    return ExactAnswer(Candidate(policy, horizon or 1, note), claimed(game, draft), attack)
