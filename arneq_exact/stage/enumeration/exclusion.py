"""Proofs of "no": no pure stage ARNEQ, and no stage ARNEQ with these supports.

**Pure profiles.** A pure profile is no stage ARNEQ if some agent has a mixture whose worst column is better
than the worst column of its action. `pure_profiles` finds one for every pure profile that is none, for any n
and threat; the mixture is needed, since against an attacker an agent may gain by mixing only. `gain`
computes what is gained.

**Supports.** For two agents, in the notation of `two_agent_polyhedra`, say which actions each of the four
players uses with positive probability. On either side that asks for a point of P₁ (of P₂) at which

* rows of unused actions, and best-reply rows of actions in use, are zero,
* all other best-reply rows are at least zero, and rows of actions in use are positive.

By Motzkin's theorem of the alternative there is none if and only if some *combination of the rows vanishes
identically* with weights that are non-negative on the second kind, and on the rows of actions in use
non-negative and not all zero. These weights are the witness. Without corruption they have a plain meaning:
let agent 2's weights be z. They sum to 0, so z moves probability between its actions, towards some and away
from actions in use, in such a way that agent 2 does not lose against any action in I, and gains against one:
so it cannot be indifferent on J while agent 1 uses exactly I. A dominated action in J is a special case.

An equilibrium with given supports exists if and only if both sides have such a point. Therefore
`excluded_supports` splits *all* patterns of supports into those that are realised and those with a witness,
and with the products of `arneq_exact.stage.enumeration.listing` each "no" can be checked by itself: `refutes`
evaluates a witness from the payoffs alone.

References
----------
[T2], [T3], [T11]; Motzkin (1936), *Beiträge zur Theorie der linearen Ungleichungen*; Porter, Nudelman &
Shoham (2008), Games and Economic Behavior 63, 642–662 (supports of equilibria).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations, product
from math import prod
from typing import Any

from numpy.typing import ArrayLike, NDArray

from arneq_exact.errors import InputError, StageError
from arneq_exact.exact.simplex import maximise
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.stage.enumeration.listing import attack_on, corruptions_at, exact_payoffs
from arneq_exact.stage.two_agents.polyhedra import (
    Attack,
    ExactMixture,
    Polyhedron,
    optimal_mixtures,
    two_agent_polyhedra,
)

PATTERNS = 50_000
"""Largest number of patterns of supports that is gone through."""

Supports = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Deviation:
    """Why a pure profile is no stage ARNEQ.

    Attributes
    ----------
    profile : tuple of int
    agent : int
    mixture : tuple of Fraction
        Guarantees the agent more than its action in the profile.
    """

    profile: tuple[int, ...]
    agent: int
    mixture: ExactMixture


@dataclass(frozen=True)
class ExcludedSupports:
    """Why no stage ARNEQ of two agents has certain supports.

    Attributes
    ----------
    supports : tuple of tuples of int
        Actions in use of agents 1 and 2, then of the attackers on them, where present.
    side : int
        0 for P₁, 1 for P₂.
    weights : tuple of tuples of Fraction
        Weights of the rows, in the same grouping, one for each action that the player has.
    """

    supports: Supports
    side: int
    weights: tuple[tuple[Fraction, ...], ...]


def pure_profiles(
    payoffs: ArrayLike, threat: ThreatModel, *, state: int = 0
) -> tuple[list[tuple[int, ...]], list[Deviation]]:
    """Split the pure profiles of a stage game into stage ARNEQ and profiles with a profitable deviation.

    Parameters
    ----------
    payoffs, threat, state
        As in `arneq_exact.stage.enumeration.listing.enumerate_equilibria`, of any n.

    Returns
    -------
    tuple
        The pure stage ARNEQ; if there are none, the deviations are a proof of it.

    Examples
    --------
    >>> matching_pennies = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
    >>> found, deviations = pure_profiles(matching_pennies, ThreatModel(0))
    >>> found, [(one.profile, one.agent) for one in deviations]
    ([], [((0, 0), 1), ((0, 1), 0), ((1, 0), 0), ((1, 1), 1)])
    """
    exact, corruptions = _resolved(payoffs, threat, state)
    found, deviations = [], []
    for profile in product(*(range(count) for count in exact.shape[1:])):
        for agent, points in enumerate(corruptions):
            matrix = _columns(exact[agent], points, agent, profile)
            worst = [min(row) for row in matrix]
            if max(worst) > worst[profile[agent]]:
                better = tuple(Fraction(int(a == worst.index(max(worst)))) for a in range(len(worst)))
            else:
                better = optimal_mixtures(matrix)[0]
            if _guarantee(better, matrix) > worst[profile[agent]]:
                deviations.append(Deviation(profile, agent, better))
                break
        else:
            found.append(profile)
    return found, deviations


def gain(payoffs: ArrayLike, threat: ThreatModel, deviation: Deviation, *, state: int = 0) -> Fraction:
    """What a deviation guarantees in excess of the pure profile; it refutes the profile if positive.

    Examples
    --------
    >>> pennies = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]
    >>> gain(pennies, ThreatModel(1), Deviation((0, 0), 0, (Fraction(1, 2), Fraction(1, 2))))
    Fraction(1, 1)
    """
    exact, corruptions = _resolved(payoffs, threat, state)
    agent = deviation.agent
    if min(deviation.mixture) < 0 or sum(deviation.mixture) != 1:
        raise InputError(f"gain: mixture is {deviation.mixture}; must be non-negative with sum 1")
    matrix = _columns(exact[agent], corruptions[agent], agent, deviation.profile)
    return _guarantee(deviation.mixture, matrix) - min(matrix[deviation.profile[agent]])


def excluded_supports(
    payoffs: ArrayLike, threat: ThreatModel, *, state: int = 0
) -> tuple[list[Supports], list[ExcludedSupports]]:
    """Split all patterns of supports of two agents and their attackers into realised and excluded ones.

    Parameters
    ----------
    payoffs, threat, state
        As in `arneq_exact.stage.enumeration.listing.enumerate_equilibria`, of two agents.

    Raises
    ------
    StageError
        If there are over `PATTERNS` patterns.

    Examples
    --------
    >>> battle_of_the_sexes = [[[3, 0], [0, 2]], [[2, 0], [0, 3]]]
    >>> realised, excluded = excluded_supports(battle_of_the_sexes, ThreatModel(0))
    >>> realised, len(excluded)
    ([((0,), (0,)), ((1,), (1,)), ((0, 1), (0, 1))], 6)
    >>> one = excluded[0]  # against agent 1's action 0, agent 2 gains by moving from action 1 to action 0
    >>> one.supports, one.side, [str(z) for z in one.weights[1]]
    (((0,), (1,)), 0, ['1/2', '-1/2'])
    >>> refutes(battle_of_the_sexes, ThreatModel(0), one)
    True
    """
    exact, attacks = _two_agents(payoffs, threat, state)
    both = two_agent_polyhedra([matrix.tolist() for matrix in exact], attacks)
    players = _players(exact, attacks)
    if prod(2 ** len(actions) - 1 for actions in players) > PATTERNS:
        raise StageError(f"excluded_supports: over {PATTERNS} patterns of supports, which is the limit")
    realised, excluded = [], []
    for supports in product(*(_nonempty(actions) for actions in players)):
        used = [a in support for actions, support in zip(players, supports, strict=True) for a in actions]
        for side, polyhedron in enumerate(both):
            weights = _witness(polyhedron, used)
            if weights is not None:
                parts = iter(weights)
                grouped = tuple(tuple(next(parts) for _ in actions) for actions in players)
                excluded.append(ExcludedSupports(supports, side, grouped))
                break
        else:
            realised.append(supports)
    return sorted(realised, key=lambda one: (sum(map(len, one)), one)), excluded


def refutes(payoffs: ArrayLike, threat: ThreatModel, excluded: ExcludedSupports, *, state: int = 0) -> bool:
    """Check a witness from the payoffs alone: the signs of its weights, and that the combination vanishes."""
    exact, attacks = _two_agents(payoffs, threat, state)
    players = _players(exact, attacks)
    # Seen from the side's agent, whose action comes first in both tables.
    own, other = exact if excluded.side == 0 else (exact[1].T, exact[0].T)
    facing = attacks if excluded.side == 0 else attacks[::-1]
    p = facing[1].probability
    groups: list[dict[int, Fraction]] = []
    needed: list[Fraction] = []
    allowed: list[Fraction] = []
    for kind, g in zip(("use", "reply", "reply", "use"), _groups(excluded.side, facing), strict=True):
        if g is None:
            groups.append({})
            continue
        weights = dict(zip(players[g], excluded.weights[g], strict=True))
        used = set(excluded.supports[g])
        groups.append(weights)
        if kind == "use":
            needed += [weight for a, weight in weights.items() if a in used]
        else:
            allowed += [weight for a, weight in weights.items() if a not in used]
    x, reply, column, y = groups
    sums = [sum(part.values(), Fraction(0)) for part in (reply, column)]
    if min([*needed, *allowed]) < 0 or max(needed) == 0 or any(sums):
        return False
    return all(
        x[a]
        + (y[d] if y else 0)
        - sum(w * ((1 - p) * other[a, b] + p * other[d, b]) for b, w in reply.items())
        + sum(w * own[a, c] for c, w in column.items())
        == 0
        for a in x
        for d in y or [a]
    )


def _groups(side: int, attacks: Sequence[Attack]) -> tuple[int, int, int | None, int | None]:
    """Positions of the agent, the other one, the attacker on it and the one on the other, or None."""
    on_own, on_other = (bool(attack.actions) for attack in attacks)
    if not on_own or not on_other:
        return side, 1 - side, 2 if on_own else None, 2 if on_other else None
    return side, 1 - side, 2 + side, 3 - side


def _witness(polyhedron: Polyhedron, used: Sequence[bool]) -> list[Fraction] | None:
    """Weights of the rows, in units of payoffs, that exclude a pattern from one side, or None."""
    rows = [list(row) for row in polyhedron.rows]
    strict = [u and own for u, own in zip(used, polyhedron.in_use, strict=True)]
    free = [u != own for u, own in zip(used, polyhedron.in_use, strict=True)]
    # The unknowns are weights ≥ 0; free ones are differences of two, and so is that of Σx = Σy.
    columns = [*rows, *([-entry for entry in row] for row, loose in zip(rows, free, strict=True) if loose)]
    if polyhedron.balanced:
        A = polyhedron.actions
        D = sum(polyhedron.in_use) - A
        balance = [1] * A + [-1] * D + [0] * (len(rows[0]) - A - D)
        columns += [balance, [-entry for entry in balance]]
    goal = [int(s) for s in strict] + [0] * (len(columns) - len(rows))
    equations = [list(entries) for entries in zip(*columns, strict=True)]
    tableau = [[*equation, 0] for equation in equations]
    tableau += [[-entry for entry in equation] + [0] for equation in equations]
    tableau += [[*goal, 1], [*goal, 0]]
    solved = maximise(tableau)
    if solved is None:
        raise StageError("excluded_supports: the bound of pivots was met")
    weights = solved[1]
    if not any(weight for weight, s in zip(weights, strict, strict=False) if s):
        return None
    opposite = iter(weights[len(rows) :])
    net = [weight - (next(opposite) if loose else 0) for weight, loose in zip(weights, free, strict=False)]
    scaled = [Fraction(weight * unit) for weight, unit in zip(net, polyhedron.scale, strict=True)]
    total = sum(weight for weight, s in zip(scaled, strict, strict=True) if s)
    return [weight / total for weight in scaled]


def _resolved(
    payoffs: ArrayLike, threat: ThreatModel, state: int
) -> tuple[NDArray[Any], list[tuple[Corruption, ...]]]:
    exact = exact_payoffs(payoffs)
    return exact, corruptions_at(threat, len(exact), state)


def _two_agents(payoffs: ArrayLike, threat: ThreatModel, state: int) -> tuple[NDArray[Any], list[Attack]]:
    """Exact payoffs, and what each of two agents fears."""
    exact, corruptions = _resolved(payoffs, threat, state)
    of_two = corruptions if len(exact) == 2 else []
    attacks = [attack for points in of_two if (attack := attack_on(points, exact.shape[1:]))]
    if len(attacks) != 2:
        raise InputError(
            f"stage games of n = {len(exact)} agents under {threat.describe()} have no witnesses for "
            "supports; must be n = 2 with one probability of corruption each"
        )
    return exact, attacks


def _players(exact: NDArray[Any], attacks: Sequence[Attack]) -> list[tuple[int, ...]]:
    """Actions of the agents, and of their attackers where present."""
    agents = [tuple(range(count)) for count in exact.shape[1:]]
    return agents + [attack.actions for attack in attacks if attack.actions]


def _nonempty(actions: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All non-empty subsets, by size."""
    return chain.from_iterable(combinations(actions, size) for size in range(1, len(actions) + 1))


def _columns(
    payoff: NDArray[Any], points: Sequence[Corruption], agent: int, profile: tuple[int, ...]
) -> list[list[Fraction]]:
    """M_i at a pure profile, exactly [T10]."""
    counts = payoff.shape
    columns = []
    for point in points:
        for number in range(prod(point.shape(counts))):
            column = [Fraction(0)] * counts[agent]
            for members, forced in point.forced(number, counts).items():
                weight = dict(point.weights)[members]
                for a in range(counts[agent]):
                    played = [a if j == agent else forced.get(j, profile[j]) for j in range(len(counts))]
                    column[a] += weight * payoff[tuple(played)]
            columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def _guarantee(mixture: ExactMixture, matrix: Sequence[Sequence[Fraction]]) -> Fraction:
    """What a mixture earns in its worst column."""
    return min(
        sum((p * entry for p, entry in zip(mixture, column, strict=True)), Fraction(0))
        for column in zip(*matrix, strict=True)
    )
