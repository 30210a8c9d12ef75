"""Which stage games are enumerated where nobody insists on it: those that take tenths of a second.

The polyhedra of two agents without corruption have one label an action. A probability of corruption adds the
attackers' actions, and with them most of the cost: at ρ = 1/2, 5 × 5 actions take about 0.1 s, 5 × 6 about 1
s and 6 × 6 over 10 s, while 6 × 6 without corruption take 10 ms. The bisection of two actions each is
limited by itself, to four agents and to a number of boxes: about 2 s at worst, for continua.
"""

from __future__ import annotations

from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.attackers.stage_class import Enumeration

QUICK_ACTIONS = 12
"""Actions of all agents together up to which an enumeration is quick."""

QUICK_ATTACKED_ACTIONS = 10
"""The same for two agents that fear an attack of each other's."""


def is_quick(attackers: StageAttackers) -> bool:
    """Tell whether stage games have an enumeration, and one that is quick.

    Examples
    --------
    >>> from arneq_exact import ThreatModel
    >>> from arneq_exact.attackers.stage_attackers import stage_attackers
    >>> [is_quick(stage_attackers(ThreatModel(1, probability="1/2"), (5, a))) for a in (5, 6)]
    [True, False]
    """
    if attackers.enumeration is None:
        return False
    two_agents = attackers.enumeration is Enumeration.TWO_AGENTS
    attacked = two_agents and any(risk.actions for risk in attackers.risks or ())
    return sum(attackers.counts) <= (QUICK_ATTACKED_ACTIONS if attacked else QUICK_ACTIONS)
