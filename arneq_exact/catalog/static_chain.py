"""A chain on which corruption drawn once per episode is weaker than corruption drawn at every state.

Three agents walk s1 → s2 → end; everybody plays C or D in both states, and no action changes the walk
[T13]. In s1 agent 1 earns 1 if agent 2 plays C, and agent 2 earns 1 for playing C. In s2 agent 1 earns 1 if
agent 3 plays C, and agent 3 earns 1 for playing C. What agents do otherwise has no effect.

C is strictly dominant wherever an action matters, and no agent's own reward can be hurt, so agents 2 and 3
are worth (1, 0) and (γ, 1) in (s1, s2) for every k. Agent 1 is worth (1 + γ, 1) at k = 0 and, with
corruption drawn at every state, (0, 0) for k ≥ 1: first agent 2 is corrupted, then agent 3. If one set K
with |K| ≤ 1 is drawn once per episode, agent 1 keeps min(γ, 1) = γ at s1.
"""

from __future__ import annotations

from typing import Any

from arneq_exact.catalog import parameters
from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.policies import tabulated
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

NAME = "static-chain"


def build(discount: Any) -> MarkovGame:
    """Build the chain."""

    def step(state: str, joint: tuple[str, ...]) -> tuple[list[int], list[tuple[int, str | None]]]:
        _, second, third = (int(action == "C") for action in joint)
        if state == "s1":
            return [second, second, 0], [(1, "s2")]
        return [third, 0, third], [(1, None)]

    return explore({"s1": 1}, 3, [["C", "D"]] * 3, step, parameters.discount(NAME, discount))


_ALL_C = tabulated({"s1": ("C",) * 3, "s2": ("C",) * 3})

ENTRIES = (
    CatalogEntry(
        name=NAME,
        title="Chain that separates per-state from static corruption",
        summary=(
            "Corruption drawn at every state takes everything from agent 1, corruption drawn once per "
            "episode leaves it γ."
        ),
        origin="constructed for arneq_exact [T13]",
        parameters={"discount": ("9/10", "discount factor γ; the known answers are for 9/10")},
        build=build,
        answers=tuple(
            KnownAnswer(
                ThreatModel(k),
                {"s1": first, "s2": second},
                "closed-form",
                "strict dominance, in the module text [T13]",
                policy=_ALL_C,
            )
            for k, first, second in (
                (0, ("19/10", 1, "9/10"), (1, 0, 1)),
                (1, (0, 1, "9/10"), (0, 0, 1)),
                (2, (0, 1, "9/10"), (0, 0, 1)),
            )
        ),
        sizes=(3, 2, 16),
    ),
)
