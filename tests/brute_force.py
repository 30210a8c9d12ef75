"""The oracle of all tests, dense and slow, written from the definitions of [T1], [T2] and [T12] alone.

The attacker's choices are enumerated as the definitions list them: every corruption set of the family, also
those that a reduction would drop, with every joint action of the corrupted. Stage maximins come from linprog
of scipy, values from strategy improvement on dense matrices. Nothing of the library computes here.
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


def matrix(payoff: np.ndarray, mixtures, agent: int, attacks) -> np.ndarray:
    """M_i^π (A_i, columns) of one state for the columns `attacks`: E_{K ~ ω} Σ_a Π π_j(a_j) Q(a), a_K forced.

    The payoff (A_1, …, A_n, …) may have further axes; they stand last in the result.
    """
    n = len(mixtures)
    table = np.moveaxis(payoff, agent, 0)
    table = table.reshape(payoff.shape[agent], -1, *payoff.shape[n:])
    columns = []
    for lottery, forced in attacks:
        total = 0.0
        for chance, K in lottery:
            weights = np.array([chance])
            for j in range(n):
                if j != agent:
                    mixture = np.eye(payoff.shape[j])[forced[K][j]] if j in K else mixtures[j]
                    weights = np.multiply.outer(weights, mixture).reshape(-1)
            total = total + weights
        columns.append(np.tensordot(table, total, axes=(1, 0)))
    return np.stack(columns, axis=1)


def maximin(table: np.ndarray) -> float:
    """max_x min_c (xᵀ table)_c."""
    return maximin_mixture(table)[0]


def maximin_mixture(table: np.ndarray) -> tuple[float, np.ndarray]:
    """Value and maximin mixture of a matrix game for its row player, by a linear program."""
    rows, width = table.shape
    worst = table.min(axis=1)
    if worst.max() == table.max(axis=0).min() or width == 1:
        return float(worst.max()), np.eye(rows)[int(worst.argmax())]
    # In units of the spread: linprog's tolerances are absolute.
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
    mixture = np.clip(answer.x[:rows], 0, None)
    mixture /= mixture.sum()
    found = ((float((x @ table).min()), x) for x in (mixture, equalised(table, mixture)))
    return max(found, key=lambda pair: pair[0])


def equalised(table: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """The mixture on the same rows that makes its worst columns exactly equal."""
    payoffs = mixture @ table
    rows = mixture > 1e-7
    columns = payoffs <= payoffs.min() + 1e-7 * np.ptp(table)
    equations = np.vstack(
        [np.c_[table[rows][:, columns].T, -np.ones(columns.sum())], np.r_[np.ones(rows.sum()), 0]]
    )
    solution = np.linalg.lstsq(equations, np.r_[np.zeros(columns.sum()), 1.0])[0][:-1]
    result = np.zeros(len(mixture))
    result[rows] = np.clip(solution, 0, None)
    return result / result.sum() if result.sum() > 0 else mixture


class Contest:
    """What one agent faces when the others play `policy`: linear maps from values to stage matrices."""

    def __init__(self, game, threat, policy, agent: int, step: int = 0) -> None:
        self.game, self.agent, self.discount = game, agent, float(game.discount[agent])
        self.own = [row[: game.action_counts[s, agent]] for s, row in enumerate(policy.at(step)[agent])]
        self.unit = np.abs(game.rewards[:, agent]).max()
        dense = game.transitions.toarray()
        self.rewards, self.moves = [], []
        for state in range(game.n_states):
            counts = tuple(int(c) for c in game.action_counts[state])
            mixtures = [played[state, : counts[j]] for j, played in enumerate(policy.at(step))]
            attacks = list(columns(threat, game.n_agents, agent, counts, state))
            rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
            both = np.hstack([game.rewards[rows, agent : agent + 1], dense[rows]])
            faced = matrix(both.reshape(*counts, -1), mixtures, agent, attacks)
            self.rewards.append(faced[:, :, 0])
            self.moves.append(faced[:, :, 1:])

    def stage(self, state: int, values: np.ndarray) -> np.ndarray:
        return self.rewards[state] + self.discount * (self.moves[state] @ values)

    def robust_step(self, values: np.ndarray) -> np.ndarray:
        return np.array([(x @ self.stage(s, values)).min() for s, x in enumerate(self.own)])

    def best_step(self, values: np.ndarray) -> np.ndarray:
        return np.array([maximin(self.stage(s, values)) for s in range(self.game.n_states)])

    def robust_values(self, own=None) -> np.ndarray:
        """Values (S,) of the agent's mixtures `own`, by default its policy: the attacker's decision process.

        By policy iteration, so that what it returns are the values of one of the attacker's policies.
        """
        count = self.game.n_states
        width = max(rewards.shape[1] for rewards in self.rewards)
        paid, moves = np.full((count, width), np.inf), np.zeros((count, width, count))
        for state, mixture in enumerate(self.own if own is None else own):
            used = self.rewards[state].shape[1]
            paid[state, :used] = mixture @ self.rewards[state]
            moves[state, :used] = np.einsum("a,acs->cs", mixture, self.moves[state])
        every = np.arange(count)
        chosen = paid.argmin(axis=1)
        while True:
            system = np.eye(count) - self.discount * moves[every, chosen]
            values = np.linalg.solve(system, paid[every, chosen])
            backed = paid + self.discount * (moves @ values)
            better = backed.argmin(axis=1)
            gain = backed[every, chosen] - backed[every, better]
            scale = 1e-13 * max(self.unit, np.abs(values).max())
            if (gain <= scale).all():
                return values
            chosen = np.where(gain > scale, better, chosen)

    def best_values(self) -> np.ndarray:
        """Best-response robust values (S,), by strategy improvement (Hoffman and Karp 1966).

        Every round plays the maximin mixtures against the values of the last, and takes the attacker's best
        reply to them; the values rise to the
        fixed point of `best_step`.
        """
        own = [np.full(len(rewards), 1 / len(rewards)) for rewards in self.rewards]
        values = self.robust_values(own)
        solved: list = [(None, None)] * len(own)
        for _ in range(200):
            stages = [self.stage(s, values) for s in range(len(own))]
            # Most states settle early; their linear programs need not be solved again.
            solved = [
                (new, known if old is not None and np.array_equal(old, new) else maximin_mixture(new))
                for (old, known), new in zip(solved, stages, strict=True)
            ]
            answers = [answer for _, answer in solved]
            scale = 1e-14 * max(self.unit, np.abs(values).max())
            improved = [value > old + scale for (value, _), old in zip(answers, values, strict=True)]
            if not any(improved):
                return values
            own = [new if up else old for up, (_, new), old in zip(improved, answers, own, strict=True)]
            old, values = values, np.maximum(values, self.robust_values(own))
            # Improvements of this size are rounding; without the test the rounds would chase it for long.
            if (values - old).max() <= 10 * scale:
                return values
        raise AssertionError("the oracle did not converge")


def gap(game, threat, policy) -> np.ndarray:
    """Best-response minus robust values (n, S) of a stationary policy."""
    contests = [Contest(game, threat, policy, agent) for agent in range(game.n_agents)]
    return np.array([contest.best_values() - contest.robust_values() for contest in contests])


def horizon_values(game, threat, policy, agent: int) -> tuple[np.ndarray, np.ndarray]:
    """Robust and best-response robust values (S,) of a time-indexed policy with all steps to go."""
    own, best = np.zeros(game.n_states), np.zeros(game.n_states)
    for step in reversed(range(policy.horizon)):
        contest = Contest(game, threat, policy, agent, step)
        own, best = contest.robust_step(own), contest.best_step(best)
    return own, best
