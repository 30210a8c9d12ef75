"""What the tests of enumerations share: threats on two agents, and stage gaps from the definition."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition

TWO_AGENTS = {
    "k=0": ThreatModel(0),
    "rho": ThreatModel(1, probability="1/2"),
    "k=1": ThreatModel(1),
    "one-sided": ThreatModel(sets={0: [{1}], 1: [[]]}),
    "other-sided": ThreatModel(sets={0: [[]], 1: [{0}]}),
    "masked": ThreatModel(sets={0: [{1}], 1: [{0}]}, masks={1: {0: [1]}}),
    "fixed": ThreatModel(distribution={0: {(): "2/3", (1,): "1/3"}, 1: {(0,): 1}}),
    "bounded": ThreatModel(1, inequalities=([[-1, 0]], ["-1/2"])),
}


def gap_of(payoffs, threat, profile) -> float:
    """Largest gain of an agent, from the definition; masks of state 0 apply."""
    gains = []
    for agent, payoff in enumerate(payoffs):
        attacks = list(definition.pure_attacks(threat, payoff.shape, agent, 0))
        table = definition.columns_of(payoff, profile, agent, attacks)
        gains.append(definition.maximin(table)[0] - float((profile[agent] @ table).min()))
    return max(gains)


def in_hull(point: np.ndarray, mixtures) -> bool:
    corners = np.array(mixtures).T
    answer = linprog(
        np.zeros(corners.shape[1]),
        A_eq=np.vstack([corners, np.ones(corners.shape[1])]),
        b_eq=np.r_[point, 1.0],
        bounds=(0, None),
    )
    return answer.status == 0


def profiles_of(found) -> set[tuple[float, ...]]:
    """Profiles as numbers rounded to 9 digits."""
    return {tuple(np.round(np.concatenate(one.policy), 9) + 0.0) for one in found.equilibria}
