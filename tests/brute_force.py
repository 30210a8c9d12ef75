"""A slow oracle by definition, for tests of stages and Markov games.

Everything is a Python loop over what the definitions range over: every corruption set of the family, also
those that a reduction would drop, every joint action of the corrupted, every action of everyone else.
Values are found by value iteration, stage maximins by linprog of scipy. Nothing of the library computes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

import numpy as np
from scipy.optimize import linprog

Lottery = list[tuple[float, frozenset[int]]]


def lotteries(threat, n: int, agent: int) -> list[Lottery]:
    """The attacker's choices of ω that span Ω_i: one lottery over corruption sets each."""
    others = [j for j in range(n) if j != agent]
    rho = 1.0 if threat.probability is None else float(threat.probability)
    if threat.distribution is not None:
        return [[(float(p), frozenset(K)) for K, p in threat.distribution[agent].items() if p > 0]]
    if threat.sets is not None:
        family = [frozenset(K) for K in threat.sets[agent]]
    else:
        family = [
            frozenset(K) for size in range(min(threat.k, n - 1) + 1) for K in combinations(others, size)
        ]
    if threat.inequalities is not None:
        pairs = threat.inequalities
        laws = vertices(*(pairs[agent] if isinstance(pairs, dict) else pairs), len(family))
        return [[(float(p), K) for p, K in zip(law, family, strict=True) if p] for law in laws]
    choices = [[(1 - rho, frozenset[int]()), (rho, K)] for K in family]
    if rho < 1:
        choices.append([(1.0, frozenset())])
    return [[(p, K) for p, K in choice if p > 0] for choice in choices]


def vertices(rows, bounds, size: int) -> list[tuple[Fraction, ...]]:
    """Vertices of {ω ∈ Δ: Gω ≤ h}: where size − 1 constraints are tight."""
    walls = [([Fraction(int(j == k)) for j in range(size)], Fraction(0)) for k in range(size)]
    limits = [([Fraction(a) for a in row], Fraction(b)) for row, b in zip(rows, bounds, strict=True)]
    found = set()
    for tight in combinations([*walls, *limits], size - 1):
        point = solve_square([[Fraction(1)] * size, *(a for a, _ in tight)], [1, *(b for _, b in tight)])
        if point is None or min(point) < 0:
            continue
        if all(sum(a * w for a, w in zip(row, point, strict=True)) <= b for row, b in limits):
            found.add(tuple(point))
    return sorted(found, reverse=True)


def solve_square(table, right) -> list[Fraction] | None:
    """Gauss–Jordan elimination in Fractions; None if there is not exactly one solution."""
    size = len(right)
    lines = [[*line, Fraction(value)] for line, value in zip(table, right, strict=True)]
    for pivot in range(size):
        chosen = next((r for r in range(pivot, size) if lines[r][pivot]), None)
        if chosen is None:
            return None
        lines[pivot], lines[chosen] = lines[chosen], lines[pivot]
        lines[pivot] = [value / lines[pivot][pivot] for value in lines[pivot]]
        for r in range(size):
            if r != pivot and lines[r][pivot]:
                factor = lines[r][pivot]
                lines[r] = [a - factor * b for a, b in zip(lines[r], lines[pivot], strict=True)]
    return [line[-1] for line in lines]


Forced = dict[frozenset[int], dict[int, int]]


def columns(threat, n: int, agent: int, counts, state: int = 0) -> Iterator[tuple[Lottery, Forced]]:
    """Every pure choice of the attacker: a lottery, and an action for whoever each set corrupts."""
    allowed = {j: states[state] for j, states in (threat.masks or {}).items() if state in states}
    for lottery in lotteries(threat, n, agent):
        yield from forced_columns(lottery, counts, threat.informed, allowed)


def forced_columns(lottery: Lottery, counts, informed: bool = False, allowed=None) -> Iterator:
    """The columns of one lottery, in C order.

    Committed: joint actions of the agents that it may corrupt, ascending. Informed: one for each of its
    sets, smaller sets first.
    """
    sets = sorted((K for _, K in lottery), key=lambda K: (len(K), sorted(K)))
    decisions = [(K, j) for K in sets for j in sorted(K)]
    if not informed:
        decisions = sorted({(None, j) for _, j in decisions}, key=lambda decision: decision[1])
    choices = [(allowed or {}).get(j) or range(counts[j]) for _, j in decisions]
    for actions in product(*choices):
        decided = dict(zip(decisions, actions, strict=True))
        yield lottery, {K: {j: decided[K if informed else None, j] for j in K} for K in sets}


def expected(payoff: np.ndarray, mixtures, agent: int, action: int, lottery: Lottery, forced) -> float:
    """E_{K ~ ω} Σ_a Π π_j(a_j) Q(a) with a_i = action and a_K forced."""
    total = 0.0
    for chance, K in lottery:
        for joint in product(*(range(count) for count in payoff.shape)):
            weight = chance
            for j, a in enumerate(joint):
                if j == agent:
                    weight *= a == action
                elif j in K:
                    weight *= a == forced[K][j]
                else:
                    weight *= mixtures[j][a]
            total += weight * payoff[joint]
    return total


def matrix(payoff: np.ndarray, mixtures, agent: int, attacks) -> np.ndarray:
    """M_i^π (A_i, columns) of one state for the columns `attacks`."""
    return np.array(
        [
            [expected(payoff, mixtures, agent, action, *attack) for attack in attacks]
            for action in range(payoff.shape[agent])
        ]
    )


def maximin(table: np.ndarray) -> float:
    """max_x min_c (xᵀ table)_c by a linear program."""
    lower, upper = table.min(axis=1).max(), table.max(axis=0).min()
    if lower == upper:
        return float(lower)
    rows, width = table.shape
    low, spread = table.min(), np.ptp(table)
    unit = (table - low) / spread
    answer = linprog(
        np.r_[np.zeros(rows), -1.0],
        A_ub=np.hstack([-unit.T, np.ones((width, 1))]),
        b_ub=np.zeros(width),
        A_eq=np.r_[np.ones(rows), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert answer.status == 0
    return float(low - spread * answer.fun)


class Contest:
    """What one agent faces when the others play `policy`: linear maps from values to stage matrices."""

    def __init__(self, game, threat, policy, agent: int, step: int = 0) -> None:
        self.game, self.agent = game, agent
        self.own = [row[: game.action_counts[s, agent]] for s, row in enumerate(policy.at(step)[agent])]
        dense = game.transitions.toarray()
        self.rewards, self.moves = [], []
        for state in range(game.n_states):
            counts = tuple(int(c) for c in game.action_counts[state])
            mixtures = [played[state, : counts[j]] for j, played in enumerate(policy.at(step))]
            attacks = list(columns(threat, game.n_agents, agent, counts, state))
            rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
            self.rewards.append(matrix(game.rewards[rows, agent].reshape(counts), mixtures, agent, attacks))
            self.moves.append(
                np.stack(
                    [
                        matrix(dense[rows, following].reshape(counts), mixtures, agent, attacks)
                        for following in range(game.n_states)
                    ],
                    axis=2,
                )
            )

    def stage(self, state: int, values: np.ndarray) -> np.ndarray:
        return self.rewards[state] + float(self.game.discount[self.agent]) * (self.moves[state] @ values)

    def robust_step(self, values: np.ndarray) -> np.ndarray:
        return np.array([(x @ self.stage(s, values)).min() for s, x in enumerate(self.own)])

    def best_step(self, values: np.ndarray) -> np.ndarray:
        return np.array([maximin(self.stage(s, values)) for s in range(self.game.n_states)])

    def fixed_point(self, step, tolerance: float, start: np.ndarray | None = None) -> np.ndarray:
        """Value iteration until the error is at most `tolerance` of the largest reward, from any start."""
        gamma = float(self.game.discount[self.agent])
        unit = max(float(np.abs(self.game.rewards[:, self.agent]).max()), 1e-300)
        values = np.zeros(self.game.n_states) if start is None else start
        for _ in range(5000):
            following = step(values)
            change = float(np.abs(following - values).max())
            values = following
            if change * gamma <= tolerance * unit * (1 - gamma):
                return values
        raise AssertionError("the oracle did not converge")

    def robust_values(self, tolerance: float = 1e-12, start: np.ndarray | None = None) -> np.ndarray:
        return self.fixed_point(self.robust_step, tolerance, start)

    def best_values(self, tolerance: float = 1e-10, start: np.ndarray | None = None) -> np.ndarray:
        return self.fixed_point(self.best_step, tolerance, start)


def gap(game, threat, policy, upper=None, lower=None) -> np.ndarray:
    """Best-response minus robust values (n, S) of a stationary policy.

    Value iteration begins at `upper` and `lower` if given: wrong guesses cost time, not truth.
    """
    rows = []
    for agent in range(game.n_agents):
        contest = Contest(game, threat, policy, agent)
        high = contest.best_values(1e-9, None if upper is None else upper[agent])
        low = contest.robust_values(1e-11, None if lower is None else lower[agent])
        rows.append(high - low)
    return np.array(rows)
