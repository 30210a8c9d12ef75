"""What is in use at an equilibrium, found in floating point: actions, and attacks that are equally bad.

Everything here is a guess for `enclosure` to prove or to refuse. Agents that the game treats alike (every
swap of two of them maps game and threat onto themselves) may be put into one class that shares its unknowns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption
from arneq_exact.proof.certificate import Certificate

IN_USE = 1e-7
"""Probability above which an action or an attack counts as in use: far above what solvers leave of others."""

ALIKE = 1e-6
"""Most that policies of agents in one class may differ: they are two roundings of one policy."""

Column = tuple[tuple[Fraction, tuple[tuple[int, int], ...]], ...]
"""What an attack does: pairs of a probability and the ((agent, forced action), ...) that go with it."""


def attack_columns(corruptions: Sequence[Corruption], counts: Sequence[int]) -> list[Column]:
    """Return every column in canonical order, written out."""
    columns: list[Column] = []
    for point in corruptions:
        for column in range(math.prod(point.shape(counts))):
            forced = point.forced(column, counts)
            columns.append(
                tuple((weight, tuple(sorted(forced[drawn].items()))) for drawn, weight in point.weights)
            )
    return columns


def support(row: Sequence[Any]) -> list[int]:
    """Return the actions in use, the most likely one last: its probability is 1 minus the others'."""
    used = [action for action, probability in enumerate(row) if probability > IN_USE]
    used.sort(key=lambda action: (float(row[action]), -action))
    return used


def alike(game: MarkovGame, threat: ThreatModel, certificate: Certificate) -> list[int]:
    """Return for each agent the first agent that it can be swapped with, itself if there is none.

    Game and threat must be equal after the swap, exactly; the policies only nearly.
    """
    first = list(range(game.n_agents))
    for agent in range(game.n_agents):
        for other in range(agent):
            if first[other] == other and _swappable(game, threat, certificate, other, agent):
                first[agent] = other
                break
    return first


def _swappable(game: MarkovGame, threat: ThreatModel, certificate: Certificate, i: int, j: int) -> bool:
    swap = list(range(game.n_agents))
    swap[i], swap[j] = j, i
    counts = game.action_counts
    discounts = game.exact_discount()
    if not np.array_equal(counts[:, i], counts[:, j]) or discounts[i] != discounts[j]:
        return False
    near = np.abs(_floats(certificate.policy[i]) - _floats(certificate.policy[j])).max() <= ALIKE
    return bool(near) and _same_threat(threat, swap) and _same_rows(game, swap)


def _same_threat(threat: ThreatModel, swap: list[int]) -> bool:
    n = len(swap)

    def laws(agent: int, renamed: list[int]) -> set[Corruption]:
        return {
            Corruption.mixture(
                (([renamed[a] for a in drawn], weight) for drawn, weight in point.weights), point.informed
            )
            for point in threat.corruptions(n, agent)
        }

    same = all(laws(agent, swap) == laws(swap[agent], list(range(n))) for agent in range(n))
    return threat.masks is None and same


def _same_rows(game: MarkovGame, swap: list[int]) -> bool:
    for states, counts in game.signature_groups:
        size = int(np.prod(counts))
        swapped = np.arange(size).reshape(counts).transpose(swap).reshape(-1)
        for first in game.offsets[states].tolist():
            for row, image in enumerate(swapped.tolist()):
                rewards, moves = exact_row(game, first + row)
                others, ways = exact_row(game, first + image)
                if moves != ways or any(rewards[a] != others[swap[a]] for a in range(len(swap))):
                    return False
    return True


def exact_row(game: MarkovGame, row: int) -> tuple[list[Fraction], dict[int, Fraction]]:
    """Return the exact rewards and the exact probabilities of successors of a row."""
    moves = {state: chance for chance, state in game.exact_moves(row)}
    return [game.exact_reward(row, agent) for agent in range(game.n_agents)], moves


def _floats(table: Any) -> Any:
    return np.asarray(table, dtype=np.float64)
