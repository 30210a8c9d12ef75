"""A slow, dense oracle for tests, written from the definitions of [T1], [T2] and [T12] alone.

It shares nothing with the library's solvers: numpy, and scipy's linprog for an agent's stage problem. The
attacker's choices are enumerated as the definition lists them, every set K with |K| ≤ k (the empty one
included) with every joint action of K, without the reduction to |K| = m.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.optimize import linprog


@dataclass
class Contest:
    """One agent against its attacker in one state: rewards (A, C) and next-state probabilities (A, C, S)."""

    rewards: np.ndarray
    moves: np.ndarray

    def backup(self, factor: float, values: np.ndarray) -> np.ndarray:
        return self.rewards + factor * (self.moves @ values)


def attacks(threat, n: int, agent: int, counts) -> Iterator[list[tuple[float, dict[int, int]]]]:
    """Yield the attacker's pure choices, each a lottery over {corrupted agent: action}."""
    others = [j for j in range(n) if j != agent]
    rho = 1.0 if threat.probability is None else float(threat.probability)
    for size in range(min(threat.k, n - 1) + 1):
        for members in combinations(others, size):
            for joint in product(*(range(counts[j]) for j in members)):
                yield [(1 - rho, {}), (rho, dict(zip(members, joint, strict=True)))]


def contests(game, threat, policy, agent: int, step: int = 0) -> list[Contest]:
    """Enumerate, state by state, what `agent` faces when the others play `policy`."""
    n = game.n_agents
    played = policy.at(step)
    dense = game.transitions.toarray()
    result = []
    for state in range(game.n_states):
        counts = [int(c) for c in game.action_counts[state]]
        rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        table = np.hstack([game.rewards[rows, agent : agent + 1], dense[rows]])
        table = np.moveaxis(table.reshape(*counts, -1), agent, 0).reshape(counts[agent], -1, table.shape[1])
        columns = []
        for lottery in attacks(threat, n, agent, counts):
            weights = 0.0
            for probability, corrupted in lottery:
                outer = np.ones(1)
                for j in range(n):
                    if j != agent:
                        mix = (
                            np.eye(counts[j])[corrupted[j]]
                            if j in corrupted
                            else played[j][state, : counts[j]]
                        )
                        outer = np.multiply.outer(outer, mix).reshape(-1)
                weights = weights + probability * outer
            columns.append(np.einsum("arx,r->ax", table, weights))
        stacked = np.stack(columns, axis=1)
        result.append(Contest(stacked[:, :, 0], stacked[:, :, 1:]))
    return result


def stage_maximin(matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return value and maximin mixture of a matrix game for its row player."""
    if matrix.shape[1] == 1 or matrix.shape[0] == 1:
        best = int(matrix.min(axis=1).argmax())
        return float(matrix.min(axis=1)[best]), np.eye(matrix.shape[0])[best]
    pure = matrix.min(axis=1).max()
    if pure == matrix.max(axis=0).min():
        best = int(matrix.min(axis=1).argmax())
        return float(pure), np.eye(matrix.shape[0])[best]
    rows, columns = matrix.shape
    # In units of the spread: linprog's tolerances are absolute.
    low, spread = matrix.min(), np.ptp(matrix)
    unit = (matrix - low) / spread
    answer = linprog(
        np.r_[np.zeros(rows), -1.0],
        A_ub=np.hstack([-unit.T, np.ones((columns, 1))]),
        b_ub=np.zeros(columns),
        A_eq=np.r_[np.ones(rows), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    mixture = np.clip(answer.x[:rows], 0, None)
    mixture /= mixture.sum()
    return max(
        ((float((x @ matrix).min()), x) for x in (mixture, equalised(matrix, mixture))),
        key=lambda pair: pair[0],
    )


def equalised(matrix: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Solve for the mixture on the same rows that makes its worst columns exactly equal."""
    payoffs = mixture @ matrix
    rows = mixture > 1e-7
    columns = payoffs <= payoffs.min() + 1e-7 * np.ptp(matrix)
    equations = np.vstack(
        [np.c_[matrix[rows][:, columns].T, -np.ones(columns.sum())], np.r_[np.ones(rows.sum()), 0]]
    )
    solution = np.linalg.lstsq(equations, np.r_[np.zeros(columns.sum()), 1.0])[0][:-1]
    result = np.zeros(len(mixture))
    result[rows] = np.clip(solution, 0, None)
    return result / result.sum() if result.sum() > 0 else mixture


def robust_value(game, faced: list[Contest], own: list[np.ndarray], agent: int) -> np.ndarray:
    """Return the agent's value when it plays `own`: the attacker's MDP by policy iteration."""
    factor, count = float(game.discount[agent]), game.n_states
    width = max(contest.rewards.shape[1] for contest in faced)
    paid = np.full((count, width), np.inf)
    moves = np.zeros((count, width, count))
    for state, contest in enumerate(faced):
        used = contest.rewards.shape[1]
        paid[state, :used] = own[state] @ contest.rewards
        moves[state, :used] = np.einsum("a,acs->cs", own[state], contest.moves)
    every = np.arange(count)
    chosen = paid.argmin(axis=1)
    while True:
        values = np.linalg.solve(np.eye(count) - factor * moves[every, chosen], paid[every, chosen])
        backed = paid + factor * (moves @ values)
        better = backed.argmin(axis=1)
        gain = backed[every, chosen] - backed[every, better]
        scale = 1e-13 * (1 + np.abs(values).max())
        if (gain <= scale).all():
            return values
        chosen = np.where(gain > scale, better, chosen)


def own_rows(game, policy, agent: int, step: int = 0) -> list[np.ndarray]:
    """Return the agent's mixtures, one per state, without padding."""
    played = policy.at(step)[agent]
    return [played[state, : game.action_counts[state, agent]] for state in range(game.n_states)]


def values_of(game, threat, policy, agent: int) -> np.ndarray:
    """Return the robust values (S,) of `policy` for `agent`."""
    return robust_value(game, contests(game, threat, policy, agent), own_rows(game, policy, agent), agent)


def best_response(game, threat, policy, agent: int, rounds: int = 200) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the agent's best-response robust values (S,) and mixtures.

    By strategy improvement (Hoffman and Karp 1966): every round answers the attacker's best reply.
    """
    faced = contests(game, threat, policy, agent)
    factor = float(game.discount[agent])
    own = [np.full(len(contest.rewards), 1 / len(contest.rewards)) for contest in faced]
    values = robust_value(game, faced, own, agent)
    solved: list = [None] * len(faced)
    for _ in range(rounds):
        backups = [contest.backup(factor, values) for contest in faced]
        # Most states settle early; their linear programs need not be solved again.
        answers = [
            known[1] if known is not None and np.array_equal(known[0], new) else stage_maximin(new)
            for known, new in zip(solved, backups, strict=True)
        ]
        solved = list(zip(backups, answers, strict=True))
        scale = 1e-14 * (1 + np.abs(values).max())
        improved = [value > old + scale for (value, _), old in zip(answers, values, strict=True)]
        if not any(improved):
            return values, own
        own = [new if up else old for up, (_, new), old in zip(improved, answers, own, strict=True)]
        old, values = values, np.maximum(values, robust_value(game, faced, own, agent))
        # Improvements of this size are rounding; without the test the rounds would chase it for long.
        if (values - old).max() <= 10 * scale:
            return values, own
    raise AssertionError("the oracle did not converge")


def best_values(game, threat, policy, agent: int) -> np.ndarray:
    """Return the agent's best-response robust values (S,)."""
    return best_response(game, threat, policy, agent)[0]


def horizon_values(game, threat, policy, agent: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return own and best-response robust values (S,) of a time-indexed policy with all steps to go."""
    factor = float(game.discount[agent])
    own, best = np.zeros(game.n_states), np.zeros(game.n_states)
    for step in reversed(range(horizon)):
        faced = contests(game, threat, policy, agent, step)
        rows = own_rows(game, policy, agent, step)
        own = np.array([(x @ c.backup(factor, own)).min() for x, c in zip(rows, faced, strict=True)])
        best = np.array([stage_maximin(c.backup(factor, best))[0] for c in faced])
    return own, best
