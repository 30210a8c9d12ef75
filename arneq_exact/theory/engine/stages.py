"""The stage games of an instance, state by state, with the play that a statement is checked at.

Statements about one stage are checked in every state of a game: at the payoffs Q_i = r_i + γ_i P v_i, where v
are the extras' "continuation" (n, S), by default 0. The play is the extras' "policy", one array (S, max A_i)
per agent, or is drawn from the instance's seed with small rational probabilities, so that it is the same play
in doubles and in Fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from arneq_exact.attackers.stage_attackers import attackers_at
from arneq_exact.exact.arrays import exact_array
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle import definition
from arneq_exact.oracle.definition import Array
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.theory.engine.evidence import Comparison, Findings
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import Hypothesis

EPS = float(np.finfo(float).eps)
"""Distance from 1 to the next double, 2^-52: one rounding errs by at most half of it, relatively."""

SLACK = 8
"""Times the bound that is derived for two sums: payoffs are sums themselves, r + γPv, and a column is summed
agent by agent. It is generous, not derived, and still far below any fault that is looked for."""


def has_full_simplex(threat: ThreatModel) -> bool:
    """Tell whether the threat is a budget k with the full simplex over its sets."""
    limits = (threat.probability, threat.distribution, threat.inequalities)
    return threat.k is not None and all(limit is None for limit in limits)


def is_plain_budget(threat: ThreatModel) -> bool:
    """Tell whether the threat is a budget k and nothing besides: full simplex, no masks, drawn anew."""
    return has_full_simplex(threat) and threat.masks is None and threat.timing == "per-state"


FULL_SIMPLEX = Hypothesis(
    "full simplex",
    "The attacker may choose any distribution over the sets of at most k other agents.",
    lambda instance: has_full_simplex(instance.threat),
)
NO_MASKS = Hypothesis(
    "no masks",
    "A corrupted agent may play all of its actions.",
    lambda instance: instance.threat.masks is None,
)
PER_STATE = Hypothesis(
    "per-state",
    "Corruption is drawn anew at every state.",
    lambda instance: instance.threat.timing == "per-state",
    droppable=False,
)
"""Nothing is left to check without it: robust values of solvers and definition are those of this
corruption."""

DISCOUNTED = Hypothesis(
    "discounted",
    "Discounts times row sums of transitions are below 1.",
    lambda instance: bool((instance.game.contraction < 1).all()),
    droppable=False,
)
"""Nothing is left to check without it: there need be no values at all."""


class Stage(NamedTuple):
    """One stage game and a play of it.

    Attributes
    ----------
    state : int
    payoffs : (n, A1, ..., An)
    play : one mixture (A_i,) per agent
    """

    state: int
    payoffs: Array
    play: tuple[Array, ...]

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.payoffs)

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of actions of each agent."""
        return tuple(self.payoffs.shape[1:])

    def size(self, agent: int) -> Any:
        """Return the largest payoff of the agent, as a unit for margins; 1 where all are 0."""
        largest = abs(self.payoffs[agent]).max()
        return largest if largest > 0 else largest + 1


def stages(instance: Instance, exact: bool = False) -> Iterator[Stage]:
    """Yield the stage game of every state, in doubles or in Fractions."""
    game, rng = instance.game, instance.rng()
    given = instance.extras.get("policy")
    values = instance.extras.get("continuation")
    for state in range(game.n_states):
        counts = game.action_counts[state].tolist()
        drawn = [rational_mixture(rng, count) for count in counts]
        if given is not None:
            drawn = [array[state, :count] for array, count in zip(given, counts, strict=True)]
        if exact:
            payoffs = definition.exact_payoffs(game, state, None if values is None else exact_array(values))
            play = tuple(np.array([Fraction(p) for p in one.tolist()], dtype=object) for one in drawn)
        else:
            payoffs = definition.stage_payoffs(game, state, values)
            play = tuple(np.asarray(one, dtype=np.float64) for one in drawn)
        yield Stage(state, payoffs, play)


def rational_mixture(rng: np.random.Generator, count: int) -> Array:
    """Draw a mixture of small rational probabilities: pure now and then."""
    weights = rng.integers(0, 5, count)
    if rng.random() < 0.2 or not weights.any():
        weights = np.eye(count, dtype=np.int64)[int(rng.integers(count))]
    total = int(weights.sum())
    return np.array([Fraction(int(weight), total) for weight in weights], dtype=object)


def kernel_matrix(
    payoff: FloatArray, play: Sequence[FloatArray], threat: ThreatModel, agent: int, state: int = 0
) -> FloatArray:
    """Return M_i^π (A_i, C) as the solvers build it."""
    attacker = attackers_at(threat, payoff.shape, state).of[agent]
    built: FloatArray = robust_matrix(payoff[None], [one[None] for one in play], attacker)[0]
    return built


def rounding(game_rows: int) -> float:
    """Bound the rounding of an expectation over `game_rows` joint actions, in units of the largest payoff.

    Each is a sum of that many products whose weights sum to 1 within a few units in the last place; two such
    sums in different orders differ by at most 2 (rows + agents + 2) eps, to first order. Agents + 2 are taken
    as 16, which holds for as many as 14 agents, and the whole `SLACK` times.
    """
    return 2 * SLACK * (game_rows + 16) * EPS


# Why, in words that evidence carries, below.
LP_TOLERANCE = 1e-9
LP_WHY = (
    "matrix games are verified to a duality gap of 1e-10 of their payoff range, which is at most 2 units; "
    "HiGHS is asked for 1e-10 on each constraint"
)

ROUNDING = (
    "sums of N products with weights that sum to 1 differ by at most a small multiple of N times 2^-52 of "
    "the largest payoff, whatever the order; N is the number of joint actions"
)


def summed(instance: Instance, comparisons: Sequence[Comparison], exact: bool) -> Findings:
    """Return findings that only the rounding of expectations can blur."""
    if exact:
        return Findings(comparisons)
    return Findings(comparisons, rounding(instance.game.n_rows), ROUNDING)
