"""Random games and threats for tests of learners, and an objective computed from its definition alone."""

from __future__ import annotations

from itertools import product

import numpy as np

from arneq_exact import MarkovGame, ThreatModel
from arneq_exact.learning.attacked_game import AttackedGame
from arneq_exact.learning.parametrisation import Softmax


def random_game(rng, n, n_states, most_actions=2, discount=0.9, ending=False):
    """Action counts differ from state to state; transitions may end the episode."""
    counts = rng.integers(1, most_actions + 1, size=(n_states, n))
    counts[0] = most_actions
    rows = int(np.prod(counts, axis=1).sum())
    law = rng.dirichlet(np.ones(n_states + ending), size=rows)
    following = [[(p, s) for s, p in enumerate(row)] for row in law[:, :n_states]]
    return MarkovGame.from_rows(
        counts,
        rng.uniform(-1, 1, (rows, n)).tolist(),
        following,
        discount,
        termination=law[:, n_states] if ending else None,
    )


def random_threat(rng, n, n_states=0, counts=None):
    """One of all kinds: budgets, probabilities, informed, listed sets, masks."""
    kind = rng.integers(6)
    k = int(rng.integers(0, n))
    if kind == 0:
        return ThreatModel(k)
    if kind == 1:
        return ThreatModel(k, probability="1/3")
    if kind == 2:
        return ThreatModel(k, probability="1/2", informed=True)
    if kind == 3:
        return ThreatModel(sets={i: [[], [j for j in range(n) if j != i]] for i in range(n)})
    if kind == 4:
        laws = {i: {frozenset(): "1/4", frozenset(j for j in range(n) if j != i): "3/4"} for i in range(n)}
        return ThreatModel(distribution=laws) if n > 1 else ThreatModel(0)
    return ThreatModel(k, masks={0: {0: [1]}}) if n > 1 else ThreatModel(0)


def random_parts(rng, arena: AttackedGame):
    """Return random interior probabilities for all variables."""
    return {name: Softmax().probabilities(rng.normal(size=a.shape), a) for name, a in arena.allowed.items()}


def softmax_slope(probabilities, gradient):
    """∂J/∂θ from ∂J/∂p."""
    return probabilities * (gradient - (probabilities * gradient).sum(axis=-1, keepdims=True))


def columns_at(game, threat, agent, state):
    """List (extreme point, {set: weight}, {set: {agent: action}}, {slot: action}) in canonical order."""
    counts = tuple(int(a) for a in game.action_counts[state])
    listed = []
    for e, point in enumerate(threat.corruptions(game.n_agents, agent)):
        point = point.restricted(threat.masks_at(state))
        for column in range(int(np.prod(point.shape(counts)))):
            forced = point.forced(column, counts)
            decided = {
                (slot.agent, slot.sets if threat.informed else ()): forced[slot.sets[0]][slot.agent]
                for slot in point.slots
            }
            listed.append((e, {K: float(w) for K, w in point.weights}, forced, decided))
    return listed


def all_slots(game, threat, agent):
    """The order of the slots of a product attack."""
    states = range(game.n_states)
    return sorted(
        {slot for s in states for *_, decided in columns_at(game, threat, agent, s) for slot in decided}
    )


def mixture_at(game, threat, agent, state, parts, slots, only=None):
    """Probability of each column; of those of the extreme point `only`, given that."""
    chances = []
    for c, (e, _, _, decided) in enumerate(columns_at(game, threat, agent, state)):
        if "columns" in parts:
            chances.append(parts["columns"][agent, state, c])
            continue
        chance = parts["points"][agent, state, e] if only is None else float(e == only)
        for slot, action in decided.items():
            chance *= parts["slots"][agent, state, slots.index(slot), action]
        chances.append(chance)
    return chances


def values_by_definition(game, threat, agent, parts, only=None):
    """V_i (S,), by listing every state's columns, sets and joint actions."""
    n, n_states = game.n_agents, game.n_states
    slots = all_slots(game, threat, agent)
    chain, reward = np.zeros((n_states, n_states)), np.zeros(n_states)
    dense = game.transitions.toarray()
    for s in range(n_states):
        joints = list(product(*(range(a) for a in game.action_counts[s])))
        mixture = mixture_at(game, threat, agent, s, parts, slots, only)
        for y, (_, weights, forced, _) in zip(mixture, columns_at(game, threat, agent, s), strict=True):
            for members, weight in weights.items():
                for local, joint in enumerate(joints):
                    chance = y * weight
                    for j in range(n):
                        if j in members:
                            chance *= float(forced[members][j] == joint[j])
                        else:
                            chance *= parts["policy"][j, s, joint[j]]
                    row = game.offsets[s] + local
                    chain[s] += chance * dense[row]
                    reward[s] += chance * game.rewards[row, agent]
    return np.linalg.solve(np.eye(n_states) - game.discount[agent] * chain, reward)


def objective(game, threat, agent, parts, draw="step"):
    """J_i for a uniform start."""
    if draw == "step":
        return values_by_definition(game, threat, agent, parts).mean()
    total = 0.0
    for e in range(parts["points"].shape[2]):
        if e < len(threat.corruptions(game.n_agents, agent)):
            value = values_by_definition(game, threat, agent, parts, only=e)
            total += (parts["points"][agent, :, e] * value).mean()
    return total
