"""All stage ARNEQ of one stage game, and how much "all" is worth.

Three classes of stage games can be enumerated:

* *decoupled*: the threat decouples [T4], for any n and numbers of actions. The extreme maximin strategies of
  each agent, in integers (`two_agent_polyhedra`).
* *two agents*: n = 2, any numbers of actions, one probability of corruption for each agent [T11]. The pairs
  of vertices of two polyhedra with all labels, in integers (`two_agent_polyhedra`).
* *two actions*: up to four agents with at most two actions each, any threat [T10]. Bisection of the cube of
  profiles, in double precision (`two_action_enumeration`).

The first two work on the payoffs exactly as given (a float is the dyadic rational that it stores), and there
the set of stage ARNEQ is a finite union of products of polytopes. `StageEquilibriaList.products` describes
it completely, isolated equilibria and continua alike, by lists of mixtures for each agent: *a profile is a
stage ARNEQ if and only if some product has it in the convex hulls of its lists.* The list of equilibria then
holds the corners of the products: for k = 0 and n = 2 the extreme equilibria, for a threat that decouples
the profiles of extreme maximin strategies, and with 0 < ρ < 1 the projections of the extreme equilibria of
agents and attackers. In each case the completeness argument is that of the double description: every vertex
of a polyhedron is listed, and the best-response conditions say which vertices go together. In the third
class equilibria are in general irrational. The argument is the one of `two_action_enumeration`: no box of
profiles is left undecided. Where a continuum leaves some undecided, the list holds all equilibria outside of
the undecided boxes ("isolated only").

Whatever the class, every listed profile is verified: the gain of an agent by its best reply, by a linear
program on its robust stage matrix [T2], is at most 1e-10 of its payoff range.

References
----------
[T2], [T3], [T4], [T10], [T11]; those of the modules named above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arneq_exact.attackers.stage_attackers import StageAttackers, attackers_at
from arneq_exact.attackers.stage_class import MOST_AGENTS, Enumeration
from arneq_exact.errors import InputError, StageError
from arneq_exact.exact.rationals import FloatArray, to_fraction
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.enumeration.two_actions import two_action_profiles
from arneq_exact.stage.normal_form import unit_payoffs
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.two_agents.polyhedra import (
    ExactMixture,
    optimal_mixtures,
    two_agent_products,
)
from arneq_exact.stage.verification import TOLERANCE
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

LISTED = 20_000
"""Largest number of equilibria that is listed; products are never cut short."""

_NAME = "enumerate_equilibria"
"""The name that messages begin with."""


@dataclass(frozen=True)
class ListedEquilibrium:
    """One stage ARNEQ.

    Attributes
    ----------
    policy : one array (A_i,) per agent
    values : (n,) array
        The agents' stage values min_c (π_iᵀ M_i^π)_c.
    regret : float
        Largest gain of an agent by its best reply, over its payoff range; at most 1e-10.
    exact : one tuple of Fractions per agent, or None
        The same policy exactly, where the enumeration is exact.
    """

    policy: tuple[FloatArray, ...]
    values: FloatArray
    regret: float
    exact: tuple[ExactMixture, ...] | None


@dataclass(frozen=True)
class StageEquilibriaList:
    """Stage ARNEQ of one stage game, and whether these are all.

    Attributes
    ----------
    equilibria : tuple of ListedEquilibrium
        By the number of actions in use, then by the supports, then by the mixtures: pure ones first.
    completeness : {"complete", "isolated only", "incomplete"}
        "complete": `products` is the whole set of stage ARNEQ. "isolated only": the list holds every stage
        ARNEQ outside of the boxes in `undecided`; "incomplete": no claim.
    argument : str
        Why the list is complete, or why it is not.
    products : tuple
        The set of stage ARNEQ as a union of products: for each, and each agent, the mixtures whose convex
        hull is the agent's factor. With the status "isolated only" or "incomplete", those that are known.
    undecided : (U, 2, n) array
        Two actions each: lower and upper corners of the boxes, in probabilities of second actions, that may
        hold further stage ARNEQ.
    """

    equilibria: tuple[ListedEquilibrium, ...]
    completeness: str
    argument: str
    products: tuple[tuple[tuple[FloatArray, ...], ...], ...]
    undecided: FloatArray

    def __len__(self) -> int:
        return len(self.equilibria)

    @property
    def isolated(self) -> bool:
        """Whether every product is a single profile: a finite number of stage ARNEQ."""
        return all(len(mixtures) == 1 for factors in self.products for mixtures in factors)


def enumerate_equilibria(payoffs: ArrayLike, threat: ThreatModel, *, state: int = 0) -> StageEquilibriaList:
    """Enumerate the stage ARNEQ of one stage game.

    Parameters
    ----------
    payoffs : (n, A1, ..., An) array-like
        Floats, integers, Fractions or strings such as "1/3"; all are taken exactly.
    threat : ThreatModel
    state : int
        The state whose masks apply, if the threat has any.

    Returns
    -------
    StageEquilibriaList

    Raises
    ------
    InputError
        If the class of stage game has no enumeration, or payoffs are not such an array.
    StageError
        If a limit on the size of polyhedra is met, or an equilibrium fails verification.

    Notes
    -----
    Cost: two agents with A actions, about 1 ms for A = 3 and 2 ms for A = 4 without corruption, 4 and 20 ms
    with; three agents with two actions, 4 to 12 ms; four, a few tenths of a second. Exponential in A.

    Examples
    --------
    >>> battle_of_the_sexes = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    >>> found = enumerate_equilibria(battle_of_the_sexes, ThreatModel(0))
    >>> found.completeness, [[[str(p) for p in x] for x in one.exact] for one in found.equilibria]
    ('complete', [[['1', '0'], ['1', '0']], [['0', '1'], ['0', '1']], [['3/5', '2/5'], ['2/5', '3/5']]])
    >>> len(enumerate_equilibria(battle_of_the_sexes, ThreatModel(1, probability="1/10")))
    3
    >>> len(enumerate_equilibria(battle_of_the_sexes, ThreatModel(1)))  # the maximin profile alone
    1
    """
    exact = exact_payoffs(payoffs)
    return enumerate_under(exact, attackers_at(threat, exact.shape[1:], state))


def enumerate_under(payoffs: ArrayLike, attackers: StageAttackers) -> StageEquilibriaList:
    """Enumerate the stage ARNEQ under a threat that is resolved.

    Parameters
    ----------
    payoffs : (n, A1, ..., An) array-like
        As in `enumerate_equilibria`.
    attackers : StageAttackers
    """
    exact = exact_payoffs(payoffs)
    n, counts = attackers.n, attackers.counts
    kind = attackers.enumeration
    if kind is None:
        raise InputError(no_enumeration(attackers))
    if kind is Enumeration.TWO_ACTIONS:
        return _by_bisection(exact.astype(np.float64), attackers)
    if kind is Enumeration.MAXIMIN:
        own = [np.moveaxis(exact[agent], agent, 0).reshape(counts[agent], -1) for agent in range(n)]
        products = [tuple(optimal_mixtures(matrix.tolist()) for matrix in own)]
        argument = "every vertex of each agent's polytope of maximin strategies, in exact arithmetic"
    else:
        assert attackers.risks is not None
        products = list(two_agent_products([matrix.tolist() for matrix in exact], attackers.risks))
        argument = (
            "all pairs of vertices of both best-response polyhedra with all labels, in exact arithmetic"
        )
    profiles = {profile for factors in products for profile in islice(product(*factors), LISTED + 1)}
    completeness = "complete"
    if len(profiles) > LISTED:
        completeness, argument = "incomplete", f"over {LISTED} equilibria; products are complete"
    chosen = sorted(profiles, key=_order)[:LISTED]
    policies = [_as_floats(profile) for profile in chosen]
    return StageEquilibriaList(
        _verified(exact.astype(np.float64), policies, attackers, chosen),
        completeness,
        argument,
        tuple(tuple(_as_floats(mixtures) for mixtures in factors) for factors in products),
        np.empty((0, 2, n)),
    )


def no_enumeration(attackers: StageAttackers) -> str:
    """Say that a class has no enumeration, and which classes have."""
    return (
        f"stage games of n = {attackers.n} agents with {', '.join(map(str, attackers.counts))} actions under "
        f"{attackers.described} have no enumeration; must be n = 2 with one probability of corruption each, "
        f"n <= {MOST_AGENTS} with at most 2 actions each, or a threat that decouples"
    )


def _by_bisection(payoffs: FloatArray, attackers: StageAttackers) -> StageEquilibriaList:
    """The class of two actions."""
    found = two_action_profiles(payoffs, attackers)
    if found.exhausted:
        completeness = "incomplete"
        argument = "the search was cut short: too many boxes remain undecided at any width"
    elif len(found.undecided):
        completeness = "isolated only"
        argument = f"{len(found.undecided)} boxes hold a continuum or a singular equilibrium; see undecided"
    else:
        completeness = "complete"
        argument = f"bisection of the cube of profiles left none of {found.boxes} boxes undecided"
    policies = [
        tuple(np.array([1.0 - p, p][:count]) for p, count in zip(point, attackers.counts, strict=True))
        for point in found.profiles.tolist()
    ]
    policies.sort(key=_order)
    return StageEquilibriaList(
        _verified(payoffs, policies, attackers, None),
        completeness,
        argument,
        tuple(tuple((mixture,) for mixture in policy) for policy in policies),
        found.undecided,
    )


def _verified(
    payoffs: FloatArray,
    policies: Sequence[tuple[FloatArray, ...]],
    attackers: StageAttackers,
    exact: Sequence[tuple[ExactMixture, ...]] | None,
) -> tuple[ListedEquilibrium, ...]:
    """Values and regrets of all profiles, from their robust stage matrices."""
    if not policies:
        return ()
    n = len(payoffs)
    batch = [np.stack([policy[agent] for policy in policies]) for agent in range(n)]
    width = unit_payoffs(payoffs, 1, _NAME)[2]
    values, regret = np.empty((len(policies), n)), np.zeros(len(policies))
    for agent in range(n):
        payoff = np.broadcast_to(payoffs[agent], (len(policies), *payoffs.shape[1:]))
        matrix = robust_matrix(payoff, batch, attackers.of[agent])
        values[:, agent] = np.einsum("ba,bac->bc", batch[agent], matrix).min(axis=1)
        best = solve_matrix_games(np.ascontiguousarray(matrix)).value
        regret = np.maximum(regret, (best - values[:, agent]) / width[agent])
    if regret.max() > TOLERANCE:
        raise StageError(
            f"{_NAME}: equilibrium {regret.argmax()} has regret {regret.max():.3g} of the payoff range; "
            f"must be at most {TOLERANCE:g}"
        )
    return tuple(
        ListedEquilibrium(policy, values[e], float(regret[e]), None if exact is None else exact[e])
        for e, policy in enumerate(policies)
    )


def exact_payoffs(payoffs: ArrayLike) -> NDArray[Any]:
    """Every payoff of (n, A1, ..., An) as a Fraction, or `InputError` for another shape."""
    try:
        given = np.array(payoffs, dtype=object)
    except ValueError:
        given = np.array(None)
    if given.ndim < 2 or given.ndim != given.shape[0] + 1 or 0 in given.shape:
        raise InputError(f"payoffs have shape {given.shape}; must be (n, A1, ..., An)")
    exact = np.empty(given.shape, dtype=object)
    for where, entry in np.ndenumerate(given):
        exact[where] = entry if type(entry) is Fraction else to_fraction(entry, f"payoff {where}")
    return exact


def _as_floats(mixtures: Sequence[ExactMixture]) -> tuple[FloatArray, ...]:
    return tuple(np.array([float(p) for p in mixture]) for mixture in mixtures)


def _order(profile: Sequence[Any]) -> tuple[object, ...]:
    """Sort key: number of actions in use, then which, then the mixtures."""
    supports = [tuple(a for a, p in enumerate(mixture) if p > 0) for mixture in profile]
    return (sum(map(len, supports)), prod(map(len, supports)), supports, [tuple(x) for x in profile])
