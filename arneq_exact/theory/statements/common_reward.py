"""[T7]: a common reward does not make types. At the ends of the scale it does.

A stage ARNEQ is of type A for all agents exactly if its profile maximises every g_i; and a profile that
maximises every g_i is a stage ARNEQ. So there is one of type A for all if and only if

    max over product profiles of min_i (g_i(π) − max g_i)  =  0.

With a common reward all g_i are the same at k = 0, and at k ≥ n−1 each depends on the own strategy alone:
the maxima are met at once. In between agent i's attacker spares agent i and nobody else, the g_i differ,
and what is best for one need not be best for another, though all earn the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.stage_attackers import attackers_at, stage_attackers
from arneq_exact.exact.arrays import ExactArray, exact_array
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs, is_budget, security_value, stage_payoffs
from arneq_exact.stage.types.greatest_value import columns_at_pure_profiles, greatest_value
from arneq_exact.theory.draw import generators
from arneq_exact.theory.engine.evidence import Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.proved_bound import proved_below
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, Hypothesis, Statement
from arneq_exact.theory.statements.contraction import worth

SHARES = (16, 64, 256)
"""Losses that a proof is tried for, as parts of the payoff range: large ones first, as
they take fewer boxes. Smaller ones than the last are not tried."""

ROUGH, FEW_CORNERS = 1e-3, 20_000
"""Accuracy and corners of the search for a good profile in doubles: its exact worth counts, whatever it is,
and an accuracy below the smallest share of the range is enough."""

GRID = 2**12
"""Its probabilities are rounded to multiples of 1/GRID: for three agents with three actions that loses less
than the smallest share."""


def _is_end(instance: Instance) -> bool:
    k = instance.threat.k
    return k is not None and (k == 0 or k >= instance.game.n_agents - 1)


COMMON = Hypothesis(
    "common reward",
    "All agents have the same payoffs.",
    lambda instance: bool((exact_payoffs(instance.game, 0)[1:] == exact_payoffs(instance.game, 0)[:1]).all()),
)
END = Hypothesis("end of the scale", "Nobody may be corrupted, or all others may: k = 0 or k ≥ n−1.", _is_end)


def _at_once(instance: Instance) -> Findings:
    """A profile at which every agent has its maximum: agent by agent, or at a pure profile."""
    payoffs, threat = stage_payoffs(instance.game, 0), instance.threat
    n = len(payoffs)
    attackers = attackers_at(threat, payoffs.shape[1:], 0)
    greatest = [greatest_value(payoff, own) for payoff, own in zip(payoffs, attackers.of, strict=True)]
    # Candidates: the maximiser of each agent, and each agent's own part of its maximiser.
    profiles = [one.profile for one in greatest if one.profile is not None]
    if len(profiles) < n:
        return Findings(undecided="the stage game is too large")
    profiles.append(tuple(profiles[i][i] for i in range(n)))
    most = [_maximum(payoff, i, threat, greatest[i].upper) for i, payoff in enumerate(payoffs)]
    reached = max(
        min(worth(payoff, profile, i, threat) - most[i] for i, payoff in enumerate(payoffs))
        for profile in profiles
    )
    unit = float(np.ptp(payoffs)) or 1.0
    return Findings(
        comparisons=[
            at_most("0, least of g_i − max g_i at the best profile found", 0.0, reached, unit),
            equal("max g_i by branch and bound, by definition", [one.upper for one in greatest], most, unit),
        ],
        tolerance=1e-8,
        justification="maxima are enclosed to 1e-9 of the payoff range, security values solved to 1e-10",
        quantities={"greatest values": most},
    )


def _maximum(payoff: FloatArray, agent: int, threat: ThreatModel, upper: float) -> float:
    """Return max g_i: the largest payoff at k = 0, the security value at k ≥ n−1, else a proved bound."""
    budget = threat.k if is_budget(threat) and threat.probability is None else None
    if budget == 0 or payoff.ndim == 1:
        return float(payoff.max())
    if budget is not None and budget >= payoff.ndim - 1:
        return security_value(payoff, agent)
    return upper


def _never_at_once(instance: Instance) -> Findings:
    """A proof in Fractions that no profile reaches at once the values that each agent can reach alone."""
    game, k = instance.game, instance.threat.k
    if k is None:
        return Findings(undecided="the threat is no budget")
    payoffs = exact_payoffs(game, 0)
    columns, reached = [], []
    for payoff, attacker in zip(payoffs, stage_attackers(instance.threat, payoffs.shape[1:]).of, strict=True):
        own: ExactArray = columns_at_pure_profiles(payoff, attacker)
        reached.append(_reached(own, payoff, attacker))
        columns.append(own - reached[-1])
    together = np.concatenate(columns)
    spread = payoffs.max() - payoffs.min()
    if not spread:
        return Findings(undecided="payoffs are constant")
    # The largest loss, in steps of the payoff range, that some agent is proved to have at every profile.
    for share in SHARES:
        loss = spread / share
        if proved_below(together, -loss):
            return Findings(
                comparisons=[
                    at_most(
                        "0, bound on the least of g_i − max g_i at any profile", Fraction(0), -loss, spread
                    )
                ],
                quantities={"values that each agent can reach": reached},
            )
    return Findings(undecided="no loss is proved")


def _reached(columns: Any, payoff: Any, attacker: Attacker) -> Fraction:
    """Return the exact value of a good profile for one agent: a pure one, or a rounded mixed one."""
    best = Fraction(columns.min(axis=0).max())
    found = greatest_value(payoff.astype(np.float64), attacker, accuracy=ROUGH, corners=FEW_CORNERS)
    if found.profile is not None:
        worth = columns
        for mixture in reversed(found.profile):
            weights = [Fraction(round(GRID * float(p))) for p in mixture]
            worth = worth.dot(exact_array(weights) / sum(weights))
        best = max(best, Fraction(min(worth.ravel().tolist())))
    return best


def _draw(rng: np.random.Generator, budget: str) -> Instance:
    drawn = generators.common_reward(rng, "")
    n = drawn.game.n_agents
    k = 0 if budget == "k = 0" else n - 1
    return Instance(drawn.game, ThreatModel(k))


STATEMENTS = (
    Statement(
        id="T7.common",
        title="A common reward and type A for all",
        claim="With a common reward and k = 0 or k ≥ n−1 some stage ARNEQ is of type A for all agents.",
        hypotheses=(COMMON, END),
        source="theory page, T7",
        status=FALSE_WITHOUT + END.name,
        examine=_at_once,
        families={
            "k = 0": lambda rng: _draw(rng, "k = 0"),
            "k = n-1": lambda rng: _draw(rng, "k = n-1"),
        },
        confirm=_never_at_once,
        candidates=generators.common_reward,
    ),
)
