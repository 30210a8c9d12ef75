"""Statements on given play: a game, a budget, a policy of all agents, and values, all of them drawn.

Games are tiny, since both sides of a statement are computed for each: one to three agents, one to three
states, one to three actions. To the classes of `arneq_exact.theory.draw.families` comes *ending*: rows that
end the episode, action counts that differ by state, and a discount for each agent.

Margins are told in units of an agent's *size*, max |r_i| / (1 − β_i): no value under any play is larger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import scipy.sparse as sp

from arneq_exact.exact.arrays import Numbers
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import Contest
from arneq_exact.oracle.definition import is_budget
from arneq_exact.theory.draw import families
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import DISCOUNTED as DISCOUNTED
from arneq_exact.theory.engine.statement import Hypothesis

Generator = np.random.Generator

KINDS: Final = (*families.KINDS, "ending")
DISCOUNTS: Final = (0.25, 0.5, 0.75, 0.9)

STAGE_ERROR = 1e-10
"""Relative duality gap up to which the library accepts the solution of a matrix game."""

OPERATOR_ERROR = (
    "the library accepts a matrix game with a duality gap of 1e-10 of its payoff range, which is at most two "
    "sizes; two of them enter"
)
VALUE_ERROR = (
    "one step of T is known to 1e-10 of the payoff range, at most two sizes, and the fixed point of a "
    "contraction β to 1/(1−β) times that; two fixed points enter"
)


def value_tolerance(game: MarkovGame) -> float:
    """Return how far two computed fixed points may be off, in sizes; see `VALUE_ERROR`."""
    return 4 * STAGE_ERROR / (1 - float(game.contraction.max()))


BUDGET = Hypothesis(
    "budget",
    "The attacker may corrupt any k other agents, drawn anew at every state.",
    lambda instance: is_budget(instance.threat),
)


def draw_game(rng: Generator, kind: str, *, most_agents: int = 3, most_states: int = 3) -> MarkovGame:
    """Draw a tiny game of a class."""
    n, states = int(rng.integers(1, most_agents + 1)), int(rng.integers(1, most_states + 1))
    if kind == "ending":
        return _ending(rng, n, states)
    counts = families.action_counts(rng, n, 3 if n < 3 else 2)
    return families.markov_game(rng, kind, states, counts, float(rng.choice(DISCOUNTS)))


def _ending(rng: Generator, n: int, states: int) -> MarkovGame:
    counts = rng.integers(1, 4 if n < 3 else 3, (states, n))
    rows = int(counts.prod(axis=1).sum())
    stays = np.where(rng.random(rows) < 0.5, rng.choice([0.0, 0.5, 0.75], rows), 1.0)
    moves = rng.dirichlet(np.ones(states), rows) * stays[:, None]
    return MarkovGame(
        rng.uniform(-1, 1, (rows, n)),
        sp.csr_array(moves),
        counts,
        rng.choice(DISCOUNTS, n),
        termination=1 - stays,
    )


def draw_budget(rng: Generator, n: int, *, probability: bool = True) -> ThreatModel:
    """Draw a budget k < n, now and then with a probability of corruption."""
    k = int(rng.integers(0, n))
    if probability and k and rng.random() < 0.25:
        return ThreatModel(k, probability=str(rng.choice(["1/3", "1/2", "9/10"])))
    return ThreatModel(k)


def with_policies(
    *names: str, probability: bool = True, most_states: int = 3
) -> Mapping[str, Callable[[Generator], Instance]]:
    """Return families of games with a budget, and one random policy for each name among the extras."""

    def draw(rng: Generator, kind: str) -> Instance:
        game = draw_game(rng, kind, most_states=most_states)
        threat = draw_budget(rng, game.n_agents, probability=probability)
        return Instance(game, threat, {name: tuple(families.random_policy(rng, game)) for name in names})

    return families.by_kind(draw, KINDS)


def policy_of(instance: Instance, name: str = "policy") -> tuple[FloatArray, ...]:
    """Return a policy among the extras, rows divided by their sums; by default all play the first action."""
    game, given = instance.game, instance.extras.get(name)
    if given is None:
        given = Policy.from_actions(game, np.zeros((game.n_states, game.n_agents), dtype=np.int64))
    return tuple(array / array.sum(axis=-1, keepdims=True) for array in given)


def draw_values(rng: Generator, game: MarkovGame) -> FloatArray:
    """Draw values (n, S) of the size that values have."""
    drawn: FloatArray = sizes(game)[:, None] * rng.uniform(-1, 1, (game.n_agents, game.n_states))
    return drawn


def sizes(game: MarkovGame) -> FloatArray:
    """Return every agent's size (n,), 1 where it earns nothing anywhere."""
    largest = np.abs(game.rewards).max(axis=0) / (1 - game.contraction)
    result: FloatArray = np.where(largest > 0, largest, 1.0)
    return result


def by_state(game: MarkovGame, array: Numbers, agent: int) -> list[Numbers]:
    """Cut an array (S, max A_i) of an agent's mixtures to the actions of each state."""
    return [row[:count] for row, count in zip(array, game.action_counts[:, agent], strict=True)]


def attack_by_state(faced: Contest, table: Numbers) -> list[Numbers]:
    """Cut an array (S, max C_i) of mixtures of attacks to the attacks of each state."""
    return [row[: len(columns)] for row, columns in zip(table, faced.attacks, strict=True)]


def padded(game: MarkovGame, own: Sequence[Numbers], agent: int) -> FloatArray:
    """Return mixtures, one per state, as an array (S, max A_i)."""
    array = np.zeros((game.n_states, int(game.action_counts[:, agent].max())))
    for row, mixture in zip(array, own, strict=True):
        row[: len(mixture)] = mixture
    return array
