"""Which law of corruption the arguments of a threat give, and how its parts stand in JSON."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from arneq_exact.errors import ThreatError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.model.threat.budget import Budget
from arneq_exact.model.threat.corruption_sets import CorruptionSets, sets_of_json
from arneq_exact.model.threat.fixed_distribution import FixedDistribution, distribution_of_json
from arneq_exact.model.threat.inequalities import Inequalities, inequalities_of_json
from arneq_exact.model.threat.law import Law
from arneq_exact.model.threat.masks import masks_of_json
from arneq_exact.model.threat.reading import natural
from arneq_exact.require import shown

JSON_READERS: dict[str, Callable[[Any], Any]] = {
    "sets": sets_of_json,
    "distribution": distribution_of_json,
    "inequalities": inequalities_of_json,
    "masks": masks_of_json,
}
"""Arguments that JSON writes in another form than Python, with their readers."""


def law_of(k: Any, probability: Any, sets: Any, distribution: Any, inequalities: Any) -> Law:
    """Return the law that these arguments of `ThreatModel` give together; None is what is not given.

    Raises
    ------
    ThreatError
        If an argument breaks its rule, or they do not go together.
    """
    budget = None if k is None else natural(k, "k")
    if sets is not None and (budget is not None or distribution is not None):
        raise ThreatError("ThreatModel: sets are given with k or distribution; must be given alone")
    if budget is None and sets is None and distribution is None:
        raise ThreatError("ThreatModel: nothing is given; must have k, sets or distribution")
    for name, value in (("probability", probability), ("inequalities", inequalities)):
        if value is not None and distribution is not None:
            raise ThreatError(f"ThreatModel: {name} is given with distribution; must be left out")
    rho = _probability(probability, inequalities)
    if distribution is not None:
        return FixedDistribution.read(distribution, budget)
    law: Law = CorruptionSets.read(sets, rho) if budget is None else Budget(budget, rho)
    return law if inequalities is None else Inequalities.read(law, inequalities)


def _probability(probability: Any, inequalities: Any) -> Fraction:
    if probability is None:
        return Fraction(1)
    rho = to_fraction(probability, "ThreatModel: probability", ThreatError)
    if not 0 <= rho <= 1:
        raise ThreatError(f"ThreatModel: probability is {shown(probability)}; must be in [0, 1]")
    if inequalities is not None:
        raise ThreatError("ThreatModel: probability is given with inequalities; must be one of them")
    return rho
