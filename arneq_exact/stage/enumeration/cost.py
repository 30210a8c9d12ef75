"""Which stage games are enumerated where nobody insists on it: those that take tenths of a second.

The polyhedra of two agents without corruption have one label an action. A probability of corruption adds the
attackers' actions, and with them most of the cost: at ρ = 1/2, 5 × 5 actions take about 0.1 s, 5 × 6 about 1
s and 6 × 6 over 10 s, while 6 × 6 without corruption take 10 ms. The bisection of two actions each is
limited by itself, to four agents and to a number of boxes: about 2 s at worst, for continua.
"""

from __future__ import annotations

from collections.abc import Sequence

from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.stage.enumeration.listing import attack_on, enumeration_class

QUICK_ACTIONS = 12
"""Actions of all agents together up to which an enumeration is quick."""

QUICK_ATTACKED_ACTIONS = 10
"""The same for two agents that fear an attack of each other's."""


def is_quick(counts: Sequence[int], corruptions: Sequence[Sequence[Corruption]]) -> bool:
    """Tell whether stage games have an enumeration, and one that is quick.

    Parameters
    ----------
    counts : numbers of actions
    corruptions : for each agent, the extreme points of its Ω_i

    Examples
    --------
    >>> from arneq_exact import ThreatModel
    >>> points = [ThreatModel(1, probability="1/2").corruptions(2, agent) for agent in range(2)]
    >>> is_quick([5, 5], points), is_quick([6, 6], points)
    (True, False)
    """
    kind = enumeration_class(counts, corruptions)
    if kind is None:
        return False
    attacks = [attack_on(points, counts) for points in corruptions] if kind == "two agents" else []
    attacked = any(attack is not None and attack.actions for attack in attacks)
    return sum(counts) <= (QUICK_ATTACKED_ACTIONS if attacked else QUICK_ACTIONS)
