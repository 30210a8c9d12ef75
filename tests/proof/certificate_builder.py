"""Test-local certificates: random games of many shapes, and hints that need not be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import evaluate_float
from arneq_exact.proof.columns import column_counts, column_matrix

GRID = 2.0**-52


def random_game(rng, n=3, n_states=3, most_actions=2, discount=0.75, rational=False, ragged=True, scale=1.0):
    """A game with state-dependent action counts, sparse rows and some ending rows."""
    counts = rng.integers(1 if ragged else most_actions, most_actions + 1, size=(n_states, n))
    rows = int(np.prod(counts, axis=1).sum())
    rewards, transitions, ends = [], [], []
    for _ in range(rows):
        successors = rng.choice(n_states, size=rng.integers(1, n_states + 1), replace=False)
        if rational:
            weights = rng.integers(1, 8, size=len(successors) + 1)
            total = int(weights.sum())
            rewards.append([Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 8))) for _ in range(n)])
            probabilities = [Fraction(int(w), total) for w in weights]
        else:
            rewards.append((scale * rng.uniform(-1, 1, n)).tolist())
            weights = rng.dirichlet(np.ones(len(successors) + 1))
            probabilities = weights.tolist()
        ends.append(probabilities[-1])
        transitions.append([(p, int(s)) for p, s in zip(probabilities[:-1], successors, strict=True)])
    return MarkovGame.from_rows(counts, rewards, transitions, discount, termination=ends)


def random_threat(rng, n):
    """One of every kind of threat that a game of n agents can have."""
    kind = rng.integers(7)
    if kind == 0:
        return ThreatModel(int(rng.integers(0, n + 1)))
    if kind == 1:
        return ThreatModel(int(rng.integers(0, n)), probability=rng.choice(["1/3", "1/4", "0.9"]))
    others = {i: [j for j in range(n) if j != i] for i in range(n)}
    if kind == 4:
        size = 2 ** (n - 1)
        rows = rng.integers(-2, 3, (2, size)).tolist()
        # The uniform distribution is allowed.
        bounds = [Fraction(sum(row), size) + Fraction(1, 5) for row in rows]
        return ThreatModel(n - 1, inequalities=(rows, bounds), informed=bool(rng.random() < 0.5))
    if kind == 5:
        masks = {int(rng.integers(n)): {0: [0]}}
        return ThreatModel(int(rng.integers(1, n + 1)), probability=rng.choice([1.0, 0.25]), masks=masks)
    subsets = {i: {frozenset(j for j in others[i] if rng.random() < 0.5) for _ in range(2)} for i in range(n)}
    if kind == 6:
        law = {i: {frozenset(K): 1 for K in (others[i], others[i][:1])} for i in range(n)}
        law = {i: {K: Fraction(1, len(own)) for K in own} for i, own in law.items()}
        masks = {n - 1: {0: [0]}} if rng.random() < 0.5 else None
        return ThreatModel(distribution=law, informed=True, masks=masks)
    if kind == 2:
        return ThreatModel(sets={i: list(family) for i, family in subsets.items()})
    return ThreatModel(
        distribution={i: {K: Fraction(1, len(family)) for K in family} for i, family in subsets.items()}
    )


def on_grid(row):
    """Put probabilities on the 2^-52 grid so that they sum to exactly 1."""
    steps = np.round(np.asarray(row, dtype=float) / GRID).astype(np.int64)
    steps[int(np.argmax(steps))] += 2**52 - int(steps.sum())
    return steps * GRID


def random_policy(rng, game, horizon=None, pure=0.2):
    """Mixed policies on the grid, some rows pure."""
    tables = []
    for agent in range(game.n_agents):
        counts = game.action_counts[:, agent]
        table = np.zeros((horizon or 1, game.n_states, int(counts.max())))
        for step in range(horizon or 1):
            for state, count in enumerate(counts.tolist()):
                mix = (
                    np.eye(count)[rng.integers(count)]
                    if rng.random() < pure
                    else rng.dirichlet(np.ones(count))
                )
                table[step, state, :count] = on_grid(mix)
        tables.append(table if horizon else table[0])
    return tuple(tables)


def _backup(game, agent, values):
    return game.rewards[:, agent] + game.discount[agent] * (game.transitions @ values)


def _stage_weights(game, threat, policy, agent, state):
    """W (rows of the state, A_i, C) with M = Σ_row W[row] · backup[row]: one column matrix per row."""
    counts = game.action_counts[state]
    size = int(counts.prod())
    own = [
        np.repeat(table[state : state + 1, :count], size, axis=0)
        for table, count in zip(policy, counts, strict=True)
    ]
    masks = threat.masks_at(state)
    corruptions = [point.restricted(masks) for point in threat.corruptions(game.n_agents, agent)]
    one_hot = np.eye(size).reshape(size, *counts)
    return column_matrix(one_hot, agent, own, corruptions, lambda members, p: float(p))


def _solve(matrix):
    """Optimal mixtures x over rows and y over columns of a matrix game, as good as an LP makes them."""
    n_rows, n_columns = matrix.shape
    answer = linprog(
        np.r_[np.zeros(n_columns), 1.0],
        A_ub=np.c_[matrix, -np.ones(n_rows)],
        b_ub=np.zeros(n_rows),
        A_eq=[np.r_[np.ones(n_columns), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * n_columns + [(None, None)],
    )
    x, y = np.maximum(-answer.ineqlin.marginals, 0), np.maximum(answer.x[:-1], 0)
    return x / x.sum(), y / y.sum()


@dataclass
class Hints:
    """Per agent y, u, l, and a best response x; stationary, or over the steps of a horizon."""

    attacker: list
    upper: np.ndarray
    lower: np.ndarray
    deviation: list


def hints(game, threat, policy, horizon=None, rounds=4, sweeps=40):
    """Find y, u, l close to the best-response value and the own robust value, by value iteration."""
    n, n_states, steps = game.n_agents, game.n_states, horizon or 1
    attacker, deviation = [], []
    shape = (n, n_states) if horizon is None else (horizon + 1, n, n_states)
    upper, lower = np.zeros(shape), np.zeros(shape)
    for agent in range(n):
        width = int(column_counts(game, threat, agent).max())
        y = np.zeros((steps, n_states, width))
        x = np.zeros((steps, n_states, int(game.action_counts[:, agent].max())))
        high, low = np.zeros(n_states), np.zeros(n_states)
        for step in reversed(range(steps)):
            at = policy if horizon is None else tuple(table[step] for table in policy)

            weights = [_stage_weights(game, threat, at, agent, state) for state in range(n_states)]

            def matrices(values, weights=weights, agent=agent):
                rows = np.split(_backup(game, agent, values), game.offsets[1:-1])
                return [np.tensordot(row, weight, 1) for row, weight in zip(rows, weights, strict=True)]

            def best(values, mixtures, matrices=matrices):
                return np.array(
                    [(m @ mix[: m.shape[1]]).max() for m, mix in zip(matrices(values), mixtures, strict=True)]
                )

            def worst(values, at=at, agent=agent, matrices=matrices):
                return np.array(
                    [(p[: len(m)] @ m).min() for m, p in zip(matrices(values), at[agent], strict=True)]
                )

            for _ in range(rounds if horizon is None else 1):
                for state, matrix in enumerate(matrices(high)):
                    own, attack = _solve(matrix)
                    x[step, state], y[step, state] = 0, 0
                    x[step, state, : len(own)], y[step, state, : len(attack)] = on_grid(own), attack
                for _ in range(sweeps if horizon is None else 1):
                    high = best(high, y[step])
            for _ in range(3 * sweeps if horizon is None else 1):
                low = worst(low)
            if horizon is not None:
                upper[step, agent], lower[step, agent] = high, low
        if horizon is None:
            upper[agent], lower[agent] = high, low
        attacker.append(y if horizon else y[0])
        deviation.append(x if horizon else x[0])
    return Hints(attacker, upper, lower, deviation)


def build(game, threat, policy, horizon=None, arithmetic="exact", found=None):
    """A certificate sealed with the recomputed bound."""
    found = found or hints(game, threat, policy, horizon)
    draft = Certificate(
        game.content_hash,
        threat,
        policy,
        tuple(found.attacker),
        found.upper,
        found.lower,
        (Fraction(0),) * game.n_agents,
        arithmetic,
        horizon,
    )
    return sealed(game, draft)


def sealed(game, draft):
    """The same evidence with the claim that it supports."""
    evaluate = evaluate_exact if draft.arithmetic == "exact" else evaluate_float
    return replace(draft, epsilon=evaluate(game, draft)[0])


def random_hints(rng, game, threat, horizon=None, scale=1.0):
    """Arbitrary y, u, l: poor, but a valid certificate all the same."""
    n, steps = game.n_agents, horizon or 1
    attacker = []
    for agent in range(n):
        counts = column_counts(game, threat, agent)
        table = np.zeros((steps, game.n_states, int(counts.max())))
        for step in range(steps):
            for state, count in enumerate(counts.tolist()):
                table[step, state, :count] = rng.dirichlet(np.ones(count))
        attacker.append(table if horizon else table[0])
    shape = (n, game.n_states) if horizon is None else (horizon + 1, n, game.n_states)
    return Hints(attacker, scale * rng.uniform(-1, 2, shape), scale * rng.uniform(-2, 1, shape), [])
