"""[T6]: where one type of stage ARNEQ holds, the stage value moves no more than the payoffs do.

Under type A, val_i(Q) = max over product profiles of g_i, a maximum of functions each of which moves by at
most ‖ΔQ_i‖∞. Under type B′ it is a security value, a max-min of such functions. Without a common type the
selected equilibrium may be another one after any change however small [T8].

[T6a]: at a saddle (type B) agent i's strategy guarantees its value against all that others may do, which
nobody can do better than sec_i, and no ARNEQ does worse than sec_i [T5]: B implies B′. Not conversely: a
strategy may earn the security value and be open to harm that nobody is in a position to do.

Of the solvers only the selected policies and the decision about their types are taken. What a policy is worth
is computed from the definition, and so is what the types say: that the policy is a stage ARNEQ, that at type
B′ it is worth the security value, and that at type A no profile that is tried is worth more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from arneq_exact.attackers.stage_attackers import stage_attackers
from arneq_exact.errors import InputError
from arneq_exact.exact.arrays import scaled
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import exact_payoffs, exact_security_value, security_value, stage_payoffs
from arneq_exact.oracle.pure_play import pure_play, unique_profile
from arneq_exact.stage.solve import StageSolver
from arneq_exact.theory.draw import families, generators
from arneq_exact.theory.draw.typed_games import by_type, stage_pair
from arneq_exact.theory.engine.assumptions import SelectedType, selected_types
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import has_full_simplex
from arneq_exact.theory.engine.statement import FALSE_WITHOUT, UNDER_HYPOTHESES, Hypothesis, Statement

ONE_TYPE = Hypothesis(
    "one type", "Both selected stage ARNEQ are of type A for the agent, or both are of type B′."
)
SADDLE = Hypothesis("saddle", "The selected stage ARNEQ is a saddle for the agent (type B).")
VALUE_IS_SECURITY = Hypothesis("B′", "The agent's value at the stage ARNEQ is its security value.")
DECOUPLED = Hypothesis(
    "decoupled",
    "All other agents may be corrupted, k ≥ n−1.",
    lambda instance: instance.threat.decouples(instance.game.n_agents),
)

CHANGE = 1e-3
"""Largest change of a payoff where a game has no second stage to compare with: far above what solvers err by,
and small enough that the same kind of equilibrium is often selected again."""

# Why, in words that evidence carries, below.
TOLERANCE = 1e-8
WHY = (
    "policies are verified to 1e-10 of the payoff range and types to 1e-9 of it, at two stage games, each "
    "against a maximum or security value with errors as small"
)


def _pair(instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Return Q and Q': of the first two states, or of a state and a drawn change of its payoffs."""
    game = instance.game
    first = stage_payoffs(game, 0)
    if game.n_states > 1 and (game.action_counts[0] == game.action_counts[1]).all():
        return first, stage_payoffs(game, 1)
    return first, first + CHANGE * instance.rng().uniform(-1, 1, first.shape)


def _agent(instance: Instance) -> int:
    agent = instance.extras.get("agent", 0)
    if not 0 <= agent < instance.game.n_agents:
        raise InputError(f"statement: agent is {agent}; must be from 0 to {instance.game.n_agents - 1}")
    return int(agent)


def worth(
    payoff: FloatArray, policy: Sequence[FloatArray], agent: int, threat: ThreatModel, state: int = 0
) -> float:
    """Return g_i(π) at one agent's stage payoffs (A1, ..., An), from the definition."""
    return float((policy[agent] @ definition.matrix(payoff, policy, agent, threat, state)).min())


def best_found(
    payoff: FloatArray, agent: int, threat: ThreatModel, rng: np.random.Generator, state: int = 0
) -> float:
    """Return the most that a drawn mixed profile is worth, or becomes as agents take pure actions in turn."""
    profile = [families.mixture(rng, count) for count in payoff.shape]
    found = [worth(payoff, profile, agent, threat, state)]
    for free, count in enumerate(payoff.shape):
        tried = [
            [definition.unit(action, count) if j == free else x for j, x in enumerate(profile)]
            for action in range(count)
        ]
        values = [worth(payoff, one, agent, threat, state) for one in tried]
        profile = tried[int(np.argmax(values))]
        found.append(max(values))
    return max(found)


Selected = tuple[list[FloatArray], tuple[SelectedType, ...]]
"""A stage ARNEQ, one mixture per agent, and the agents' types at it."""


def _selected(instance: Instance, stages: FloatArray) -> list[Selected]:
    """Return the selected stage ARNEQ and its types for stage games (B, n, A1, ..., An)."""
    n = stages.shape[1]
    attackers = stage_attackers(instance.threat, stages.shape[2:])
    solver = StageSolver(attackers, selection=instance.extras.get("selection", "first"))
    found = solver.solve([np.ascontiguousarray(stages[:, agent]) for agent in range(n)])
    play = [[each[b] for each in found.policy] for b in range(len(stages))]
    return [
        (policy, selected_types(stage, policy, attackers)) for stage, policy in zip(stages, play, strict=True)
    ]


def common_type(types: list[SelectedType]) -> bool | None:
    """Tell whether one of the types A and B′ holds at all equilibria; None if undecided."""
    if all(one.b_prime for one in types) or all(one.a for one in types):
        return True
    return None if all(one.a is not False for one in types) else False


def _non_expansive(instance: Instance) -> Findings:
    agent, threat = _agent(instance), instance.threat
    if threat.masks is not None:
        return Findings(undecided="what corrupted agents can play depends on the state")
    pair = np.stack(_pair(instance))
    selected = _selected(instance, pair)
    first, second = (types[agent] for _, types in selected)
    values = [
        worth(stage[agent], policy, agent, threat) for stage, (policy, _) in zip(pair, selected, strict=True)
    ]
    change = float(np.abs(pair[1, agent] - pair[0, agent]).max())
    unit = float(np.ptp(pair[:, agent])) or 1.0
    moved = abs(values[1] - values[0])
    comparisons = [at_most("change of the stage value, of the payoffs", moved, change, unit)]
    rng = instance.rng()
    for stage, (policy, types), value in zip(pair, selected, values, strict=True):
        comparisons += _as_defined(stage[agent], policy, types[agent], value, agent, threat, rng)
    return Findings(
        comparisons=comparisons,
        hypotheses={ONE_TYPE.name: common_type([first, second])},
        tolerance=TOLERANCE,
        justification=WHY,
        quantities={
            "ratio": moved / change if change else 0.0,
            "type A": [one.a for one in (first, second)],
            "type B′": [one.b_prime for one in (first, second)],
            "only A": all(one.a and not one.b_prime for one in (first, second)),
        },
    )


def _as_defined(
    payoff: FloatArray,
    policy: list[FloatArray],
    types: SelectedType,
    value: float,
    agent: int,
    threat: ThreatModel,
    rng: np.random.Generator,
) -> list[Comparison]:
    """Compare what the solvers say of a selected stage ARNEQ and its types with the definitions."""
    unit = float(np.ptp(payoff)) or 1.0
    reply = definition.matrix_game_value(definition.matrix(payoff, policy, agent, threat))
    comparisons = [
        equal("stage value by the solvers, by definition", types.value, value, unit),
        at_most("best reply to the stage ARNEQ, its value", reply, value, unit),
    ]
    if types.b_prime:
        security = security_value(payoff, agent)
        comparisons.append(equal("value at type B′, security value", value, security, unit))
    if types.a:
        found = best_found(payoff, agent, threat, rng)
        comparisons.append(at_most("profile found, value at type A", found, value, unit))
    return comparisons


def _jump(instance: Instance) -> Findings:
    """The same in Fractions, where both stage ARNEQ are pure, strict and proved to be unique."""
    game, k = instance.game, instance.threat.k
    if game.n_states != 2 or (game.action_counts[0] != game.action_counts[1]).any() or k is None:
        return Findings(undecided="not a pair of stage games under a budget")
    agent = _agent(instance)
    pair = [exact_payoffs(game, state) for state in range(2)]
    values, profiles, types = [], [], []
    attackers = stage_attackers(instance.threat, pair[0].shape[1:])
    for payoffs in pair:
        whole, unit = scaled(payoffs)
        joint = unique_profile(whole, k)
        found = pure_play(whole, k)
        if joint is None or not found.strict[joint]:
            return Findings(undecided="a stage ARNEQ is not proved to be unique, pure and strict")
        profiles.append(joint)
        values.append(Fraction(int(found.worth(joint)[agent]), unit))
        play = [np.eye(count)[action] for count, action in zip(payoffs.shape[1:], joint, strict=True)]
        types.append(selected_types(payoffs.astype(np.float64), play, attackers)[agent])
    change = abs(pair[1][agent] - pair[0][agent]).max()
    spread = max(max(one[agent].max() for one in pair) - min(one[agent].min() for one in pair), Fraction(0))
    return Findings(
        comparisons=[
            at_most(
                "change of the stage value, of the payoffs", abs(values[1] - values[0]), change, spread or 1
            )
        ],
        hypotheses={ONE_TYPE.name: common_type(types)},
        quantities={"equilibria": profiles, "values": values, "unique": True},
    )


def _saddle_is_security(instance: Instance) -> Findings:
    agent = _agent(instance)
    payoffs = stage_payoffs(instance.game, 0)
    if instance.threat.masks is not None:
        return Findings(undecided="what corrupted agents can play depends on the state")
    ((policy, types),) = _selected(instance, payoffs[None])
    unit = float(np.ptp(payoffs[agent])) or 1.0
    security = security_value(payoffs[agent], agent)
    value = worth(payoffs[agent], policy, agent, instance.threat)
    return Findings(
        comparisons=[equal("value at the saddle, security value", value, security, unit)],
        hypotheses={SADDLE.name: types[agent].b},
        tolerance=TOLERANCE,
        justification=WHY,
        quantities={"type B′": types[agent].b_prime},
    )


def _security_is_saddle(instance: Instance) -> Findings:
    """Look at the selected stage ARNEQ and all pure ones of type B′ for the one that is least of a saddle."""
    payoffs = stage_payoffs(instance.game, 0)
    threat, n = instance.threat, instance.game.n_agents
    if threat.masks is not None:
        return Findings(undecided="what corrupted agents can play depends on the state")
    candidates = _selected(instance, payoffs[None])
    if has_full_simplex(threat) and threat.k is not None:
        attackers = stage_attackers(threat, payoffs.shape[1:])
        for joint in pure_play(payoffs, threat.k).profiles():
            play = [np.eye(count)[action] for count, action in zip(payoffs.shape[1:], joint, strict=True)]
            candidates.append((play, selected_types(payoffs, play, attackers)))
    comparisons = []
    for agent in [_agent(instance)] if "agent" in instance.extras else range(n):
        own_first = np.moveaxis(payoffs[agent], agent, 0).reshape(payoffs.shape[agent + 1], -1)
        unit = float(np.ptp(own_first)) or 1.0
        for policy, types in candidates:
            if types[agent].b_prime:
                least = float((policy[agent] @ own_first).min())
                value = worth(payoffs[agent], policy, agent, threat)
                comparisons.append(at_most("value, worst case of the own strategy", value, least, unit))
    return Findings(
        comparisons=comparisons,
        hypotheses={VALUE_IS_SECURITY.name: bool(comparisons)},
        tolerance=TOLERANCE,
        justification=WHY,
    )


def _security_is_no_saddle(instance: Instance) -> Findings:
    """Look through all pure stage ARNEQ, in Fractions, for the one that is least of a saddle."""
    k = instance.threat.k
    if k is None:
        return Findings(undecided="the threat is no budget")
    n = instance.game.n_agents
    whole, unit = scaled(exact_payoffs(instance.game, 0))
    found = pure_play(whole, k)
    worst = None
    for joint in found.profiles():
        value = found.worth(joint)
        for agent in range(n):
            least = whole[agent].take(joint[agent], axis=agent).min()
            security = exact_security_value(whole[agent], agent)
            if value[agent] == security and (worst is None or least - value[agent] < worst[0]):
                spread = int(np.ptp(whole[agent])) or 1
                worst = (least - value[agent], value[agent], least, spread, agent, joint)
    if worst is None:
        return Findings(undecided="no pure stage ARNEQ of the saddle kind is of type B′ for an agent")
    _, value, least, spread, agent, joint = worst
    return Findings(
        comparisons=[
            at_most(
                "value, worst case of the own strategy",
                Fraction(int(value), unit),
                Fraction(int(least), unit),
                Fraction(spread, unit),
            )
        ],
        hypotheses={VALUE_IS_SECURITY.name: True},
        quantities={"agent": agent, "equilibrium": joint},
    )


STATEMENTS = (
    Statement(
        id="T6",
        title="The stage value is non-expansive",
        claim="Where both selected stage ARNEQ are of type A, or both of type B′, an agent's value changes "
        "by no more than the largest change of its payoffs.",
        hypotheses=(ONE_TYPE,),
        source="theory page, T6; Hu and Wellman (2003) for k = 0",
        status=FALSE_WITHOUT + ONE_TYPE.name,
        examine=_non_expansive,
        families=by_type(stage_pair),
        confirm=_jump,
        candidates=generators.pair,
    ),
    Statement(
        id="T6a",
        title="At a saddle the value is the security value",
        claim="Type B implies type B′.",
        hypotheses=(SADDLE,),
        source="theory page, T6a",
        status=UNDER_HYPOTHESES,
        examine=_saddle_is_security,
        families=by_type(stage_pair, ("zero-sum", "decoupled")),
    ),
    Statement(
        id="T6a.converse",
        title="Where agents decouple, the security value is a saddle",
        claim="Where agents decouple, type B′ implies type B.",
        hypotheses=(VALUE_IS_SECURITY, DECOUPLED),
        source="theory page, T6a and T4",
        status=FALSE_WITHOUT + DECOUPLED.name,
        examine=_security_is_saddle,
        families=by_type(stage_pair, ("decoupled",)),
        confirm=_security_is_no_saddle,
        candidates=generators.stage,
    ),
)
