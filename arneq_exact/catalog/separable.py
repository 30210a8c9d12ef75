"""Additively separable payoffs: who does what is settled agent by agent, for every threat.

In state s agent i earns Q_i = Σ_j f_ij(s, a_j): what each agent does to i does not depend on what others
do. States follow one another whatever the agents play: from s the walk goes to s+1 (after the last, to the
first) with probability 2/3 and stays with 1/3. The tables are

    f_ii(s, a) = (3a + s + i) mod A,          f_ij(s, a) = ((a + 1)(2i + 3j + s + 1)) mod 7   for j ≠ i,

with agents, states and actions counted from 0, and A = 2 or 4 actions each, so that f_ii has one maximiser
a_i*(s) (3 has no factor in common with A).

[F1]: the ARNEQ values are unique. Against any attack agent i plays a_i*, and the attacker moves the min(k,
n−1) agents where it takes most: the stage value is Σ_j f_ij(a_j*) − (the sum of the min(k, n−1) largest
drops f_ij(a_j*) − min f_ij, j ≠ i), and V = (I − γP)⁻¹ of it.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer, Number
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel

NAME = "separable"
MOST_AGENTS, MOST_ACTIONS = 6, 4
"""Together 4096 joint actions of a state."""


def influence(i: int, j: int, state: int, action: int, actions: int) -> int:
    """Return f_ij(state, action): what agent j's action gives to agent i."""
    if i == j:
        return (3 * action + state + i) % actions
    return ((action + 1) * (2 * i + 3 * j + state + 1)) % 7


def build(agents: Any, states: Any, actions: Any, discount: Any) -> MarkovGame:
    """Build the game."""
    n = parameters.whole(NAME, "agents", agents, least=1, most=MOST_AGENTS)
    count = parameters.whole(NAME, "states", states, least=1)
    width = parameters.whole(NAME, "actions", actions, least=2, most=MOST_ACTIONS)
    parameters.refuse_unless(width != 3, NAME, "actions", actions, "2 or 4, so that maximisers are unique")
    parameters.require_size(NAME, count * width**n * n)
    rewards, moves = [], []
    for state in range(count):
        ahead = (state + 1) % count
        step: list[tuple[Any, int]] = [(1, state)] if count == 1 else [("1/3", state), ("2/3", ahead)]
        for joint in product(range(width), repeat=n):
            rewards.append([sum(influence(i, j, state, joint[j], width) for j in range(n)) for i in range(n)])
            moves.append(step)
    return MarkovGame.from_rows(
        [[width] * n] * count,
        rewards,
        moves,
        parameters.discount(NAME, discount),
        names=GameNames.of(None, [f"s{state}" for state in range(count)], None),
    )


def maximisers(game: MarkovGame) -> Policy:
    """Return the policy in which every agent plays a_i*."""
    width = int(game.action_counts[0, 0])
    return Policy.from_actions(
        game,
        [
            [max(range(width), key=lambda a: influence(i, i, s, a, width)) for i in range(game.n_agents)]
            for s in range(game.n_states)
        ],
    )


def _answer(k: int, values: dict[str, tuple[Number, ...]], **instance: Any) -> KnownAnswer:
    return KnownAnswer(
        ThreatModel(k), values, "closed-form", "formula of the module text [F1]", instance, maximisers
    )


ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Additively separable Markov game",
        summary=(
            "Payoffs add up over agents and actions do not move the state: closed form for every n and k."
        ),
        origin="constructed for arneq_exact [F1]",
        parameters={
            "agents": (3, "n"),
            "states": (2, "S"),
            "actions": (4, "A per agent, 2 or 4"),
            "discount": ("3/5", "discount factor"),
        },
        build=build,
        answers=(
            _answer(0, {"s0": ("65/3", "155/6", "65/3"), "s1": ("70/3", "80/3", "125/6")}),
            _answer(1, {"s0": ("65/6", "95/6", "35/2"), "s1": ("35/3", "50/3", "35/2")}),
            _answer(2, {"s0": ("65/6", 15, "85/6"), "s1": ("35/3", 15, "95/6")}),
            _answer(2, {"s0": (10, 22, 10, 18)}, agents=4, states=1, actions=2, discount="1/2"),
        ),
        sizes=(3, 2, 128),
    ),
)
