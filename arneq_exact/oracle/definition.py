"""Robust play of one stage, straight from its definition: a threat's attacks, and what they pay.

Nothing here shares code with kernels, solvers or checkers: corruption sets are listed from the threat's own
words, every attack is written out, and expectations are taken one agent at a time [T1], [T2], [T10]. All of
it works on doubles and, given object arrays of Fractions, in exact arithmetic; what it takes from `exact` is
elimination and matrix games, which `proof` does without. Only for small games: all attacks are enumerated.
`contest` builds the Markov game from these columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arneq_exact.exact.arrays import ExactArray
from arneq_exact.exact.linear import solve_linear
from arneq_exact.exact.matrix_games import exact_matrix_game, matrix_game
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

Array = NDArray[Any]
Set = tuple[int, ...]
Law = dict[Set, Fraction]
"""A distribution over corruption sets, each an ascending tuple of agents."""


class PureAttack(NamedTuple):
    """What an attacker does: a distribution over sets, and the action of every member of every set."""

    law: Law
    forced: Mapping[Set, Mapping[int, int]]


def corruption_sets(n: int, agent: int, k: int) -> list[Set]:
    """Return all sets of at most k agents other than `agent`."""
    others = [j for j in range(n) if j != agent]
    return [chosen for size in range(min(k, n - 1) + 1) for chosen in combinations(others, size)]


def vertices(threat: ThreatModel, n: int, agent: int) -> list[Law]:
    """Return distributions over sets whose convex hull is Ω_i; not only its extreme points."""
    if threat.distribution is not None:
        return [{tuple(sorted(K)): p for K, p in threat.distribution[agent].items() if p}]
    if threat.sets is not None:
        family = [tuple(sorted(K)) for K in threat.sets[agent]]
    else:
        assert threat.k is not None
        family = corruption_sets(n, agent, threat.k)
    if threat.inequalities is not None:
        pairs = threat.inequalities
        rows, bounds = pairs[agent] if isinstance(pairs, Mapping) else pairs
        found = polytope_vertices(len(family), rows, bounds)
        return [{K: p for K, p in zip(family, omega, strict=True) if p} for omega in found]
    rho = Fraction(1) if threat.probability is None else Fraction(threat.probability)
    laws: list[Law] = []
    for members in family:
        law: Law = {(): 1 - rho}
        law[members] = law.get(members, Fraction(0)) + rho
        laws.append({K: p for K, p in law.items() if p > 0})
    if rho < 1:
        laws.append({(): Fraction(1)})
    return [law for number, law in enumerate(laws) if law not in laws[:number]]


def polytope_vertices(
    size: int, rows: Sequence[Sequence[Fraction]], bounds: Sequence[Fraction]
) -> list[tuple[Fraction, ...]]:
    """Return the vertices of {ω ≥ 0, Σω = 1, rows · ω ≤ bounds}, found by making size − 1 tight.

    Examples
    --------
    >>> [[str(p) for p in vertex] for vertex in polytope_vertices(2, [[-2, 0]], [-1])]
    [['1', '0'], ['1/2', '1/2']]
    """
    limits = [[-Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    limits += [[Fraction(entry) for entry in row] for row in rows]
    edges = [Fraction(0)] * size + [Fraction(bound) for bound in bounds]
    found = set()
    for tight in combinations(range(len(limits)), size - 1):
        system = np.array([[Fraction(1)] * size, *(limits[i] for i in tight)], dtype=object)
        omega = solve_linear(system, np.array([Fraction(1), *(edges[i] for i in tight)], dtype=object))
        if omega is not None and all(
            sum((a * p for a, p in zip(limit, omega, strict=True)), Fraction(0)) <= edge
            for limit, edge in zip(limits, edges, strict=True)
        ):
            found.add(tuple(omega.tolist()))
    return sorted(found, reverse=True)


def is_budget(threat: ThreatModel) -> bool:
    """Tell whether a threat is a budget k, drawn anew at every state, with a probability or not."""
    other = (threat.sets, threat.distribution, threat.inequalities, threat.masks)
    return threat.k is not None and all(part is None for part in other) and threat.timing == "per-state"


def pure_attacks(
    threat: ThreatModel, counts: Sequence[int], agent: int, state: int, *, informed: bool | None = None
) -> Iterator[PureAttack]:
    """Yield every pure attack: a vertex of Ω_i and the actions of whoever it may corrupt [T10].

    Parameters
    ----------
    informed : bool, optional
        Whether actions may depend on the set that is drawn; by default as the threat says.
    """
    masks = {j: states[state] for j, states in (threat.masks or {}).items() if state in states}
    knows = threat.informed if informed is None else informed
    for law in vertices(threat, len(counts), agent):
        keys = [(K, j) for K in law for j in K] if knows else sorted({((), j) for K in law for j in K})
        choices = [tuple(masks.get(j, range(counts[j]))) for _, j in keys]
        for chosen in product(*choices):
            action = dict(zip(keys, chosen, strict=True))
            yield PureAttack(law, {K: {j: action[K if knows else (), j] for j in K} for K in law})


def listed_attacks(threat: ThreatModel, counts: Sequence[int], agent: int, state: int) -> list[PureAttack]:
    """Return pure attacks that suffice: of a budget those on sets of size m = min(k, n−1) [T1].

    Those of a budget stand in the documented order of columns. Any other threat has all its pure attacks.

    Examples
    --------
    >>> [attack.forced for attack in listed_attacks(ThreatModel(1), (2, 2, 1), 0, 0)]
    [{(1,): {1: 0}}, {(1,): {1: 1}}, {(2,): {2: 0}}]
    """
    every = list(pure_attacks(threat, counts, agent, state))
    if not is_budget(threat):
        return every
    largest = max(len(K) for attack in every for K in attack.law)
    return [attack for attack in every if largest in map(len, attack.law)]


def stage_payoffs(game: MarkovGame, state: int, values: FloatArray | None = None) -> FloatArray:
    """Return the payoffs (n, A1, ..., An) in a state; what follows is worth `values` (n, S), by default 0."""
    counts = tuple(game.action_counts[state].tolist())
    rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
    payoff = game.rewards[rows].T
    if values is not None:
        moves = game.transitions[rows].toarray()
        payoff = payoff + np.stack([g * (moves @ v) for g, v in zip(game.discount, values, strict=True)])
    return payoff.reshape(game.n_agents, *counts)


def exact_payoffs(game: MarkovGame, state: int, values: Array | None = None) -> Array:
    """Return the payoffs (n, A1, ..., An) in a state as Fractions; what follows is worth `values`, or 0."""
    rows = range(int(game.offsets[state]), int(game.offsets[state + 1]))
    table = np.empty((game.n_agents, len(rows)), dtype=object)
    for place, row in enumerate(rows):
        moves = [] if values is None else game.exact_moves(row)
        for agent, factor in enumerate(game.exact_discount()):
            later = sum((p * values[agent, s] for p, s in moves), Fraction(0)) if values is not None else 0
            table[agent, place] = game.exact_reward(row, agent) + factor * later
    return table.reshape(game.n_agents, *game.action_counts[state].tolist())


def reply_values(payoff: Array, agent: int, mixtures: Sequence[Array]) -> Array:
    """Return what each action of `agent` (A_i, ...) earns against independent mixtures of the others.

    The payoff (A1, ..., An, ...) may have further axes; they stand last in the result.
    """
    earned = np.moveaxis(payoff, agent, 0)
    others = [mixture for other, mixture in enumerate(mixtures) if other != agent]
    for axis, mixture in reversed(list(enumerate(others, start=1))):
        earned = np.tensordot(earned, mixture, axes=(axis, 0))
    return earned


def mixed_column(
    payoff: Array, policy: Sequence[Array], agent: int, law: Mapping[Set, Any], played: Mapping[Set, Any]
) -> Array:
    """Return what each action of `agent` earns when K is drawn from `law` and its members play `played[K]`.

    `played[K]` maps each member to its mixture.
    """
    columns = [
        weight * reply_values(payoff, agent, [played[K].get(j, own) for j, own in enumerate(policy)])
        for K, weight in law.items()
    ]
    total: Array = sum(columns[1:], columns[0])
    return total


def column(payoff: Array, policy: Sequence[Array], agent: int, attack: PureAttack) -> Array:
    """Return what each action of `agent` earns under a pure attack."""
    exact = payoff.dtype == object
    law = attack.law if exact else {K: float(p) for K, p in attack.law.items()}
    played = {
        K: {j: unit(a, payoff.shape[j], exact) for j, a in actions.items()}
        for K, actions in attack.forced.items()
    }
    return mixed_column(payoff, policy, agent, law, played)


def matrix(
    payoff: Array,
    policy: Sequence[Array],
    agent: int,
    threat: ThreatModel,
    state: int = 0,
    *,
    informed: bool | None = None,
) -> Array:
    """Return M_i^π (A_i, C) with a column for every pure attack, superfluous ones included."""
    attacks = pure_attacks(threat, payoff.shape[: len(policy)], agent, state, informed=informed)
    return columns_of(payoff, policy, agent, attacks)


def columns_of(payoff: Array, policy: Sequence[Array], agent: int, attacks: Iterable[PureAttack]) -> Array:
    """Return M_i^π (A_i, C, ...) with a column for each of some pure attacks."""
    return np.stack([column(payoff, policy, agent, attack) for attack in attacks], axis=1)


def unit(action: int, count: int, exact: bool = False) -> Array:
    """Return the pure strategy of an action."""
    pure = np.zeros(count) if not exact else np.array([Fraction(0)] * count, dtype=object)
    pure[action] = Fraction(1) if exact else 1.0
    return pure


def pure_play(profile: Sequence[int], counts: Sequence[int]) -> list[Array]:
    """Return the pure strategies of a profile of actions, in Fractions."""
    return [unit(action, count, True) for action, count in zip(profile, counts, strict=True)]


def matrix_game_value(table: Array) -> float:
    """Return the value of a matrix game by HiGHS, for the row player who maximises."""
    return float(_by_highs(table)[-1])


def _by_highs(table: Array) -> FloatArray:
    """Return a maximin mixture of the rows and, last, the value."""
    from scipy.optimize import linprog

    rows, columns = table.shape
    solved = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-table.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * rows + [(None, None)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.status == 0, solved.message
    found: FloatArray = solved.x
    return found


MOST_SUBMATRICES = 1000
"""Square submatrices up to which a matrix game is solved by trying all of them: some milliseconds of work."""


def maximin(table: FloatArray) -> tuple[float, FloatArray]:
    """Return value and a maximin mixture (A,) of a matrix game in doubles.

    A saddle in pure actions if there is one; else the best extreme strategy; else, where those are too many,
    what HiGHS finds, made exact by equations on its support. A mixture is worth what it guarantees.
    """
    rows, columns = table.shape
    worst = table.min(axis=1)
    if worst.max() == table.max(axis=0).min() or columns == 1:
        best = int(worst.argmax())
        return float(worst[best]), unit(best, rows)
    if comb(rows + columns, rows) <= MOST_SUBMATRICES:
        value, mixture = matrix_game(table)
        return float(value), mixture
    # In units of the spread: tolerances of HiGHS are absolute.
    low, spread = table.min(), np.ptp(table)
    mixture = np.clip(_by_highs((table - low) / spread)[:-1], 0, None)
    mixture /= mixture.sum()
    found = ((float((x @ table).min()), x) for x in (mixture, _equalised(table, mixture)))
    return max(found, key=lambda pair: pair[0])


SUPPORT = 1e-7
"""Weight of a row, and lead of a column in units of the spread, from which HiGHS, whose constraints hold to
1e-10, means it. A wrong guess costs nothing: the better one of both mixtures is taken."""


def _equalised(table: FloatArray, mixture: FloatArray) -> FloatArray:
    """Return the mixture on the same rows that makes its worst columns equal."""
    earned = mixture @ table
    rows = mixture > SUPPORT
    columns = earned <= earned.min() + SUPPORT * np.ptp(table)
    equal = np.column_stack([table[rows][:, columns].T, -np.ones(columns.sum())])
    system = np.vstack([equal, np.append(np.ones(rows.sum()), 0.0)])
    solved = np.linalg.lstsq(system, np.append(np.zeros(columns.sum()), 1.0))[0][:-1]
    result = np.zeros(len(mixture))
    result[rows] = np.clip(solved, 0, None)
    return result / result.sum() if result.sum() > 0 else mixture


def security_value(payoff: Array, agent: int) -> float:
    """Return sec_i = max_x min_{a_-i} Q_i(x, a_-i)."""
    return matrix_game_value(np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1))


def exact_security_value(payoff: ExactArray, agent: int) -> Fraction:
    """Return `security_value` of payoffs in Fractions, exactly."""
    return exact_matrix_game(np.moveaxis(payoff, agent, 0).reshape(payoff.shape[agent], -1))[0]
