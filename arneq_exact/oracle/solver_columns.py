"""The attacks that the solvers' columns stand for, listed by the definition: what a solver says is judged by
it."""

from __future__ import annotations

from collections.abc import Sequence

from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import Contest
from arneq_exact.oracle.definition import PureAttack, pure_attacks


def solver_attacks(threat: ThreatModel, counts: Sequence[int], agent: int, state: int) -> list[PureAttack]:
    """Return the attacks of the columns of one state, in the documented order.

    Extreme points of Ω_i come as the threat resolves them; the attacks at each are listed by the definition,
    for an attacker whose only distribution it is [T10]. Whether the threat allows them is for the caller to
    ask (`strangers`).
    """
    nobody = {frozenset[int](): 1}
    found: list[PureAttack] = []
    for point in threat.corruptions(len(counts), agent):
        law = {frozenset(members): weight for members, weight in point.weights}
        alone = ThreatModel(
            distribution={j: law if j == agent else nobody for j in range(len(counts))},
            informed=point.informed,
            masks=threat.masks,
        )
        found += pure_attacks(alone, counts, agent, state)
    return found


def strangers(listed: Contest, faced: Contest) -> int:
    """Return how many attacks of one contest lead to joint actions as none of another does."""
    count = 0
    for state in range(len(listed.paid)):
        used, own = (one.chances(state).swapaxes(0, 1).tolist() for one in (listed, faced))
        count += sum(column not in own for column in used)
    return count
