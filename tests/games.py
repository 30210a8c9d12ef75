"""Builders of test games, in one place: random ones of every kind, degenerate ones, named ones.

The named games are written out here again, independently of `arneq_exact.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import scipy.sparse as sp

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

Generator = np.random.Generator


def action_table(rng: Generator, n: int, n_states: int, actions) -> np.ndarray:
    """Return action counts (S, n): an int for all, a list per agent, a tuple for random in [low, high]."""
    if isinstance(actions, tuple):
        return rng.integers(actions[0], actions[1] + 1, (n_states, n))
    return np.tile(np.broadcast_to(actions, n), (n_states, 1)).astype(np.int64)


def random_game(
    rng: Generator,
    n: int = 2,
    n_states: int = 3,
    actions=2,
    discount=0.6,
    *,
    kind: str = "dense",
    ending: float = 0.0,
    scale: float = 1.0,
) -> MarkovGame:
    """A random game.

    `kind` is "dense" (uniform rewards, Dirichlet transitions), "sparse" (two successors a row, most rewards
    0), or "integer" (rewards in {0, 1, 2}, one successor a row). A share `ending` of rows ends the episode
    with a probability of about one half.
    """
    counts = action_table(rng, n, n_states, actions)
    rows = int(np.prod(counts, axis=1).sum())
    rewards = rng.uniform(-1, 1, (rows, n))
    if kind == "dense":
        moves = rng.dirichlet(np.ones(n_states), rows)
    else:
        moves = np.zeros((rows, n_states))
        weight = rng.uniform(0.2, 0.8, rows) if kind == "sparse" else np.ones(rows)
        np.add.at(moves, (np.arange(rows), rng.integers(n_states, size=rows)), weight)
        np.add.at(moves, (np.arange(rows), rng.integers(n_states, size=rows)), 1 - weight)
        if kind == "sparse":
            rewards *= rng.random((rows, n)) < 0.3
        else:
            rewards = rng.integers(0, 3, (rows, n)).astype(float)
    stays = np.where(rng.random(rows) < ending, rng.choice([0.5, 0.25, 0.0], rows), 1.0)
    moves = moves * stays[:, None]
    return MarkovGame(
        rewards=rewards * scale,
        transitions=sp.csr_array(moves),
        action_counts=counts,
        discount=np.broadcast_to(np.asarray(discount, dtype=float), n).copy(),
        termination=1 - stays if ending else None,
    )


def random_policy(rng: Generator, game: MarkovGame, horizon: int | None = None, pure: float = 0.0) -> Policy:
    """Dirichlet mixtures; a share `pure` of rows plays one action."""
    arrays = []
    for counts in game.action_counts.T:
        shape = (game.n_states, int(counts.max()))
        steps = np.zeros((horizon or 1, *shape))
        for step in steps:
            for state, count in enumerate(counts):
                row = rng.dirichlet(np.ones(count))
                step[state, :count] = np.eye(count)[rng.integers(count)] if rng.random() < pure else row
        arrays.append(steps if horizon else steps[0])
    return Policy(game, arrays)


def zero_sum_game(rng: Generator, n_states: int, actions, discount: float) -> MarkovGame:
    """Two agents, opposite rewards [F4]."""
    game = random_game(rng, 2, n_states, actions, discount)
    rewards = np.stack([game.rewards[:, 0], -game.rewards[:, 0]], axis=1)
    return MarkovGame(rewards, game.transitions, game.action_counts, game.discount)


def nosde(discount=0.75) -> MarkovGame:
    """[T8] (iii): agent 1 moves in s1, agent 2 in s2; actions keep, send."""
    rewards = [[1, 0], [0, 3], [3, 1], [0, 0]]
    moves = [[(1, 0)], [(1, 1)], [(1, 1)], [(1, 0)]]
    return MarkovGame.from_rows([[2, 1], [1, 2]], rewards, moves, discount)


def prisoners_dilemma() -> MarkovGame:
    """Action 1 (defect) dominates."""
    return MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])


def climbing() -> MarkovGame:
    """[F5], common reward."""
    return MarkovGame.one_shot([[[11, -30, 0], [-30, 7, 6], [0, 0, 5]]] * 2)


def penalty(kappa: float) -> MarkovGame:
    """[F5], common reward."""
    return MarkovGame.one_shot([[[10, 0, kappa], [0, 2, 0], [kappa, 0, 10]]] * 2)


def public_good(n: int, threshold: int, benefit: float, cost: float) -> MarkovGame:
    """[F2]; action 1 contributes."""
    payoffs = np.zeros((n, *[2] * n))
    for joint in product(range(2), repeat=n):
        for i in range(n):
            payoffs[(i, *joint)] = benefit * (sum(joint) >= threshold) - cost * joint[i]
    return MarkovGame.one_shot(payoffs)


def unanimity(n: int, values) -> MarkovGame:
    """[F3]: everyone gets v_x if all play x, else 0."""
    payoffs = np.zeros((n, *[len(values)] * n))
    for x, value in enumerate(values):
        payoffs[(slice(None), *[x] * n)] = value
    return MarkovGame.one_shot(payoffs)


def separable(tables, discount: float = 0.0, moves=None) -> MarkovGame:
    """[F1]: Q_i = Σ_j f_ij(a_j) in every state; tables[s][i][j] lists f_ij.

    `moves` (S, S) are transitions that ignore actions; without them the game is one-shot.
    """
    states = len(tables)
    n = len(tables[0])
    counts = [[len(tables[s][0][j]) for j in range(n)] for s in range(states)]
    rewards, rows = [], []
    for s in range(states):
        for joint in product(*(range(c) for c in counts[s])):
            rewards.append([sum(tables[s][i][j][joint[j]] for j in range(n)) for i in range(n)])
            rows.append([] if moves is None else [(p, t) for t, p in enumerate(moves[s]) if p])
    termination = [1.0] * len(rows) if moves is None else None
    return MarkovGame.from_rows(counts, rewards, rows, discount, termination=termination)


def separable_answer(tables, k: int) -> tuple[np.ndarray, list[list[int]]]:
    """[F1]: stage values (n, S) and each agent's actions per state, where the maximisers are unique."""
    states, n = len(tables), len(tables[0])
    best = [[int(np.argmax(tables[s][i][i])) for i in range(n)] for s in range(states)]
    values = np.zeros((n, states))
    for s in range(states):
        for i in range(n):
            losses = sorted(
                (tables[s][i][j][best[s][j]] - min(tables[s][i][j]) for j in range(n) if j != i), reverse=True
            )
            values[i, s] = sum(tables[s][i][j][best[s][j]] for j in range(n)) - sum(losses[: min(k, n - 1)])
    return values, best


def matching_pennies() -> MarkovGame:
    """Value 0 by (1/2, 1/2)."""
    return MarkovGame.one_shot([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])


def absorbing(n: int) -> MarkovGame:
    """A start from which agent 0 chooses one of two absorbing states, of constant rewards 1 and 2 to all."""
    counts = [[2] + [1] * (n - 1), [1] * n, [1] * n]
    rewards = [[0] * n, [0] * n, [1] * n, [2] * n]
    return MarkovGame.from_rows(counts, rewards, [[(1, 1)], [(1, 2)], [(1, 1)], [(1, 2)]], 0.9)


def duplicated(rng: Generator, n: int, n_states: int, discount: float) -> MarkovGame:
    """Integer rewards; every agent's last action is a copy of its first."""
    game = random_game(rng, n, n_states, 2, discount, kind="integer")
    rewards = game.rewards.reshape(n_states, *[2] * n, n)
    moves = game.transitions.toarray().reshape(n_states, *[2] * n, n_states)
    for axis in range(1, n + 1):
        copy = [0, 1, 0]
        rewards, moves = rewards.take(copy, axis=axis), moves.take(copy, axis=axis)
    return MarkovGame(
        rewards.reshape(-1, n),
        sp.csr_array(moves.reshape(-1, n_states)),
        np.full((n_states, n), 3, dtype=np.int64),
        game.discount,
    )


Build = Callable[[Generator, int], MarkovGame]

DEGENERATE: dict[str, Build] = {
    "integer": lambda rng, n: random_game(rng, n, 3, 2, 0.7, kind="integer"),
    "duplicate actions": lambda rng, n: duplicated(rng, n, 2, 0.7),
    "constant": lambda rng, n: MarkovGame.from_arrays(
        np.full((n, 2, *[2] * n), 3.0), np.full((2, *[2] * n, 2), 0.5), 0.9
    ),
    "one action": lambda rng, n: random_game(rng, n, 3, 1, 0.9),
    "one state": lambda rng, n: random_game(rng, n, 1, 3, 0.9),
    "absorbing": lambda rng, n: absorbing(n),
    "tiny rewards": lambda rng, n: random_game(rng, n, 2, 2, 0.8, scale=1e-6),
    "huge rewards": lambda rng, n: random_game(rng, n, 2, 2, 0.8, scale=1e6),
    "unequal actions": lambda rng, n: random_game(rng, n, 4, (1, 3), 0.8, ending=0.5),
    "unequal discounts": lambda rng, n: random_game(rng, n, 3, 2, np.linspace(0.3, 0.95, n)),
    "sparse": lambda rng, n: random_game(rng, n, 4, 2, 0.9, kind="sparse"),
}
"""Degenerate games of n agents, by name."""


def threats(n: int) -> dict[str, ThreatModel]:
    """Threats of every kind for n agents."""
    found = {f"k={k}": ThreatModel(k) for k in range(n)}
    found["k beyond n"] = ThreatModel(n + 2)
    found["probability 0"] = ThreatModel(n - 1, probability=0)
    found["everyone with probability"] = ThreatModel(n - 1, probability="2/5")
    if n >= 3:
        found["k=1 with probability"] = ThreatModel(1, probability=0.25)
    others = [[j for j in range(n) if j != i] for i in range(n)]
    # The first other agent, or everyone: nested; agent 0 sees nobody corrupted.
    found["sets"] = ThreatModel(sets={i: [others[i][:1], others[i]] if i else [[]] for i in range(n)})
    found["disjoint sets"] = ThreatModel(sets={i: [[j] for j in others[i]] or [[]] for i in range(n)})
    found["sets with probability"] = ThreatModel(
        sets={i: [others[i], others[i][-1:]] for i in range(n)}, probability="1/3"
    )
    nested = {
        i: {frozenset(): "1/2", frozenset(others[i][:1]): "1/4", frozenset(others[i]): "1/4"}
        if n > 2
        else {frozenset(): "1/2", frozenset(others[i]): "1/2"}
        if n == 2
        else {frozenset(): 1}
        for i in range(n)
    }
    found["distribution with nested sets"] = ThreatModel(distribution=nested)
    return found


def general_threats(n: int) -> dict[str, ThreatModel]:
    """Threats [T10] for n ≥ 2 agents and at least two states: inequalities, informed attackers, masks."""
    family = 2 ** (n - 1)
    # Nobody corrupted with probability 1/4 at least, the largest set with 1/3 at most.
    capped = ([[-1] + [0] * (family - 1), [0] * (family - 1) + [1]], ["-1/4", "1/3"])
    others = [[j for j in range(n) if j != i] for i in range(n)]
    nested = {i: {frozenset(others[i][:1]): "1/2", frozenset(others[i]): "1/2"} for i in range(n)}
    if n == 2:
        nested = {i: {frozenset(): "1/3", frozenset(others[i]): "2/3"} for i in range(n)}
    masks = {0: {0: [0], 1: [0]}, n - 1: {1: [0]}}
    return {
        "inequalities": ThreatModel(n - 1, inequalities=capped),
        "inequalities of an informed attacker": ThreatModel(n - 1, inequalities=capped, informed=True),
        "distribution to an informed attacker": ThreatModel(distribution=nested, informed=True),
        "masks": ThreatModel(n - 1, masks=masks),
        "masks with probability": ThreatModel(1, probability="1/3", masks=masks),
        "masks on sets": ThreatModel(sets={i: [others[i], others[i][:1]] for i in range(n)}, masks=masks),
        "masks on an informed attacker": ThreatModel(distribution=nested, informed=True, masks=masks),
    }
