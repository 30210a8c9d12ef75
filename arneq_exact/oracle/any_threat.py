"""The contest of one agent with its attacker under any threat, every pure attack written out.

A threat that is a budget k keeps the attacks on k agents alone, which are enough [T1]; under others every
pure attack counts, at every vertex of Ω_i, for committed attackers and for informed ones, and as masks allow
[T10]."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, zeros
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import Attack, Law, pure_attacks, unit, vertices
from arneq_exact.oracle.first_principles import Contest, agent_tables, is_budget


def laws(threat: ThreatModel, n: int, agent: int) -> list[Law]:
    """Return distributions over sets that are enough: those on k agents for a budget, else all vertices of
    Ω_i.

    Examples
    --------
    >>> [list(law) for law in laws(ThreatModel(1), 3, 0)]
    [[(1,)], [(2,)]]
    """
    found = vertices(threat, n, agent)
    if not is_budget(threat):
        return found
    sizes = [sum(len(K) * p for K, p in law.items()) for law in found]
    return [law for law, size in zip(found, sizes, strict=True) if size == max(sizes)]


def solver_attacks(game: MarkovGame, threat: ThreatModel, agent: int) -> list[list[Attack]]:
    """Return state by state the attacks that the solvers' columns stand for, in the documented order.

    Extreme points of Ω_i come as the threat resolves them; the attacks at each are listed by the definition,
    for an attacker whose only distribution it is [T10]. Whether the threat allows them is for the caller to
    ask."""
    listed: list[list[Attack]] = [[] for _ in range(game.n_states)]
    for point in threat.corruptions(game.n_agents, agent):
        law = {frozenset(members): weight for members, weight in point.weights}
        nobody = {frozenset[int](): 1}
        alone = ThreatModel(
            distribution={j: law if j == agent else nobody for j in range(game.n_agents)},
            informed=point.informed,
            masks=threat.masks,
        )
        for state, found in enumerate(listed):
            found += pure_attacks(alone, game.action_counts[state].tolist(), agent, state)
    return listed


def contest(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Sequence[Numbers],
    agent: int,
    *,
    exact: bool = False,
    attacks: Sequence[Sequence[Attack]] | None = None,
) -> Contest:
    """Write out the contest of one agent with its attacker.

    Parameters
    ----------
    game, threat
    policy : one array (S, max A_j) per agent
        The agent's own entry is not read.
    agent : int
    exact : bool
        Compute in Fractions; doubles are taken at their word.
    attacks : one list of attacks per state, optional
        The columns; by default those that the threat allows, and of equal ones the first.
    """
    rewards, transitions, discount = agent_tables(game, agent, exact)
    enough = laws(threat, game.n_agents, agent)
    paid, moves, found, drawn = [], [], [], []
    for state in range(game.n_states):
        counts = game.action_counts[state].tolist()
        play = [array[state, :count] for array, count in zip(policy, counts, strict=True)]
        if exact:
            play = [np.array([Fraction(p) for p in mixture.tolist()], dtype=object) for mixture in play]
        own = (
            [a for a in pure_attacks(threat, counts, agent, state) if a.law in enough]
            if attacks is None
            else attacks[state]
        )
        chances = np.stack([_chances(play, agent, attack, exact) for attack in own], axis=1)
        if attacks is None:
            every = chances.swapaxes(0, 1).reshape(len(own), -1).tolist()
            kept = [number for number, column in enumerate(every) if column not in every[:number]]
            chances, own = chances[:, kept], [own[number] for number in kept]
        block = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        paid.append(chances @ rewards[block])
        moves.append(chances @ transitions[block])
        found.append(list(own))
        drawn.append(chances)
    listed: Any = tuple(found)
    return Contest(agent, discount, tuple(paid), tuple(moves), listed, tuple(drawn))


def strangers(listed: Contest, faced: Contest) -> int:
    """Return how many attacks of one contest lead to joint actions as none of another does."""
    columns = [[table.swapaxes(0, 1).tolist() for table in one.chances] for one in (listed, faced)]
    return sum(column not in own for used, own in zip(*columns, strict=True) for column in used)


def _chances(play: Sequence[Numbers], agent: int, attack: Attack, exact: bool) -> Numbers:
    """Return the chance (A_i, joint actions) of each joint action against an attack."""
    counts = [len(mixture) for mixture in play]
    total = zeros(tuple(counts), exact)
    for K, weight in attack.law.items():
        forced = attack.forced[K]
        joint: Any = np.array(weight if exact else float(weight), dtype=object if exact else float)
        for j, mixture in enumerate(play):
            if j == agent:
                mixture = np.ones(counts[j], dtype=int)
            elif j in forced:
                mixture = unit(forced[j], counts[j], exact)
            joint = np.multiply.outer(joint, mixture)
        total = total + joint
    chosen = zeros((counts[agent], *counts), exact)
    for action in range(counts[agent]):
        at = (slice(None),) * agent + (action,)
        chosen[(action, *at)] = total[at]
    return chosen.reshape(counts[agent], -1)
