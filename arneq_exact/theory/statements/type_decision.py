"""[T6] Types are decided right: type A means the best of all *mixed* product profiles, B and B′ what they
say.

Statements about types stand on the library's decision about a given profile π of one stage game. Here the
decision is looked at from the other side. With f_c(π) what agent i earns under the column c, g_i = min_c
f_c is, in the mixture of each single agent, the least of linear functions; so the best mixture of one
agent, the others held, is a matrix game (actions of that agent) × (columns). Going from agent to agent,
from several random profiles, gives mixed profiles that nobody alone can improve, and so lower bounds of the
maximum:

* where type A is claimed, no profile found may be worth more than g_i(π);
* where it is denied, the library's own witness, a mixed profile, must be worth more, judged from the
  definition;
* B holds if and only if π_i guarantees g_i(π) against all that others can do, B′ if and only if g_i(π) =
  sec_i.

Pure profiles would not be enough. If the others must match and one of the three may be corrupted, every
pure profile is worth 0 to agent 1, and mixed ones up to 1/2: hiding what one does protects. The profiles π
that are looked at are among them the best *pure* ones for an agent, where a test of pure profiles would
claim A.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np

from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.exact.matrix_games import matrix_game
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.stage.types.greatest_value import greatest_value
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.assumptions import selected_types
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import BUDGET, draw_budget
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement

STARTS: Final = 2
"""Drawn profiles to start from besides the one that is claimed: any that gets higher refutes the claim, and
many instances with few starts see more than few instances with many."""

SWEEPS: Final = 3
"""Rounds over the agents: the worth never falls, and whatever is reached is a lower bound, so that stopping
early makes the check weaker but not wrong."""

# Why, in words that evidence carries, below.
TOLERANCE: Final = 2e-9
WHY: Final = "types are decided up to 1e-9 of the payoff range, and matrix games are solved to 1e-10 of it"


def column_values(payoff: Array, agent: int, threat: ThreatModel, profile: list[Array], free: int) -> Array:
    """Return f_c (A_free, C) for the pure actions of `free`, all others playing `profile`."""
    if free == agent:
        return definition.matrix(payoff, profile, agent, threat)
    rows = []
    for action in range(payoff.shape[free]):
        played = [definition.unit(action, payoff.shape[j]) if j == free else x for j, x in enumerate(profile)]
        rows.append(profile[agent] @ definition.matrix(payoff, played, agent, threat))
    return np.array(rows)


def improved(payoff: Array, agent: int, threat: ThreatModel, profile: list[Array]) -> float:
    """Return the worth of a profile after each agent in turn has been given its best mixture for `agent`."""
    worth = -np.inf
    for _ in range(SWEEPS):
        for free in range(payoff.ndim):
            worth, mixture = matrix_game(column_values(payoff, agent, threat, profile, free))
            profile = [mixture if j == free else x for j, x in enumerate(profile)]
    return float(worth)


def best_pure_profile(payoff: Array, agent: int, threat: ThreatModel) -> list[Array]:
    """Return the pure profile that is worth most to `agent`, as mixtures."""
    counts = payoff.shape
    profiles = [
        [definition.unit(a, count) for a, count in zip(joint, counts, strict=True)]
        for joint in product(*map(range, counts))
    ]
    worth = [float((one[agent] @ definition.matrix(payoff, one, agent, threat)).min()) for one in profiles]
    return profiles[int(np.argmax(worth))]


def _decision(instance: Instance) -> Findings:
    game, threat, rng = instance.game, instance.threat, instance.rng()
    payoffs = definition.stage_payoffs(game, 0)
    n, counts = game.n_agents, payoffs.shape[1:]
    attackers = attackers_at(threat, counts, 0)
    agent = int(rng.integers(n))
    payoff = payoffs[agent]
    unit = float(np.abs(payoff).max()) or 1.0
    comparisons: list[Comparison] = []
    claimed = []
    for profile in (best_pure_profile(payoff, agent, threat), [families.mixture(rng, c) for c in counts]):
        decided = selected_types(payoffs, profile, attackers)[agent]
        value = float((profile[agent] @ definition.matrix(payoff, profile, agent, threat)).min())
        comparisons.append(equal("value by the solvers, by definition", decided.value, value, unit))
        claimed.append(decided.a)
        if decided.a:
            starts = [profile, *([families.mixture(rng, c) for c in counts] for _ in range(STARTS))]
            found = max(improved(payoff, agent, threat, start) for start in starts)
            comparisons.append(at_most("mixed profile found, value of type A", found, value, unit))
        elif decided.a is False and n > 2:
            comparisons.append(_witness(payoff, agent, threat, value, unit))
        comparisons += _saddle(payoff, agent, profile[agent], value, decided.b, decided.b_prime, unit)
    return Findings(comparisons, TOLERANCE, WHY, {"agent": agent, "type A": claimed})


def _witness(payoff: FloatArray, agent: int, threat: ThreatModel, value: float, unit: float) -> Comparison:
    """Compare the value with the mixed profile on which the library rests when it denies type A."""
    attacker = attackers_at(threat, payoff.shape, 0).of[agent]
    found = greatest_value(payoff, attacker, target=value).profile
    assert found is not None, "type A is denied by a profile"
    worth = float((found[agent] @ definition.matrix(payoff, list(found), agent, threat)).min())
    return at_most("value that is not of type A, mixed profile", value, worth, unit)


def _saddle(
    payoff: FloatArray, agent: int, own: FloatArray, value: float, b: bool, b_prime: bool, unit: float
) -> list[Comparison]:
    """Compare what is said about B and B′ with the worst case of the own strategy and the security value."""
    table = np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1)
    least, security = float((own @ table).min()), float(matrix_game(table)[0])
    apart = abs(value - security)
    return [
        at_most("value at type B, worst case", value, least, unit)
        if b
        else at_most("worst case, value not at type B", least, value, unit),
        at_most("distance of B′ from the security value", apart, 0.0, unit)
        if b_prime
        else at_most("nothing, distance of not B′ from the security value", 0.0, apart, unit),
    ]


def _draw(rng: np.random.Generator, kind: str) -> Instance:
    n = int(rng.integers(2, 4))
    if n == 3:
        return Instance(families.stage_game(rng, kind, (2, 2, 2)), draw_budget(rng, n))
    # With a probability in between, each agent minds both what the other means to do and what it may do.
    threat = ThreatModel(1, probability="1/2") if rng.random() < 0.5 else draw_budget(rng, n)
    return Instance(families.stage_game(rng, kind, families.action_counts(rng, n)), threat)


STATEMENTS = (
    Statement(
        id="T6.types",
        title="Types are decided over mixed profiles",
        claim="A profile counts as type A only if no mixed product profile is worth more to the agent.",
        hypotheses=(BUDGET,),
        source="arneq_exact.theory.statements.type_decision; theory page, T6",
        status=UNDER_HYPOTHESES,
        examine=_decision,
        families=families.by_kind(_draw),
    ),
)
