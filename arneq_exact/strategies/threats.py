"""Threats of every kind that fit a given game."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st

from arneq_exact import require
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.strategies.policies import distributions

PER_STATE = ("budget", "probability", "sets", "distribution", "inequalities", "informed", "masks")
"""Kinds under which corruption is drawn anew at every state."""

KINDS = (*PER_STATE, "static")

LARGEST_DENOMINATOR = 12
"""Of probabilities: it allows halves to sixths and twelfths, and a counterexample stays readable."""


@st.composite
def threats(
    draw: st.DrawFn,
    game: MarkovGame,
    *,
    kinds: Sequence[str] = ("budget", "probability", "sets", "distribution"),
) -> ThreatModel:
    """Draw threats that fit a game.

    Parameters
    ----------
    game : MarkovGame
    kinds : sequence of str
        Which kinds to draw from: "budget", "probability", "sets", "distribution", "inequalities", "informed",
        "masks", and "static" (a budget, drawn once per episode). The first ones are simplest, and what others
        shrink to.

    Raises
    ------
    InputError
        If a kind does not exist.
    """
    require.known(kinds, "threats", "kind", KINDS)
    n = game.n_agents
    kind = draw(st.sampled_from(list(kinds)))
    k = st.integers(0, n)
    fraction = st.fractions(0, 1, max_denominator=LARGEST_DENOMINATOR)
    if kind == "budget":
        return ThreatModel(draw(k))
    if kind == "static":
        return ThreatModel(draw(k), timing="static")
    if kind == "probability":
        return ThreatModel(draw(k), probability=draw(fraction))
    if kind == "inequalities":
        # The probability that nobody is corrupted is at least this: never empty, whatever the bound.
        budget, spared = draw(k), draw(fraction)
        return ThreatModel(budget, inequalities=_spared(n, budget, spared))
    if kind == "masks":
        return ThreatModel(draw(k), masks=draw(_masks(game)))
    others = [[j for j in range(n) if j != i] for i in range(n)]
    families = {i: draw(st.lists(_subsets(others[i]), min_size=1, max_size=3, unique=True)) for i in range(n)}
    if kind == "sets":
        return ThreatModel(sets=families)
    laws = {
        i: dict(zip(family, draw(distributions(len(family), exact=True, positive=True)), strict=True))
        for i, family in families.items()
    }
    return ThreatModel(distribution=laws, informed=kind == "informed")


def _subsets(members: list[int]) -> st.SearchStrategy[frozenset[int]]:
    return st.lists(st.booleans(), min_size=len(members), max_size=len(members)).map(
        lambda chosen: frozenset(j for j, taken in zip(members, chosen, strict=True) if taken)
    )


def _spared(n: int, k: int, least: Fraction) -> tuple[list[list[int]], list[Fraction]]:
    """ω(∅) ≥ least, over the sets of at most k agents in canonical order."""
    family = len(ThreatModel(k).family(n, 0))
    return [[-1] + [0] * (family - 1)], [-least]


@st.composite
def _masks(draw: st.DrawFn, game: MarkovGame) -> dict[int, dict[int, list[int]]]:
    """What corrupted agents can play, anything from one action to all."""
    masks: dict[int, dict[int, list[int]]] = {}
    for state, counts in enumerate(game.action_counts.tolist()):
        for agent, count in enumerate(counts):
            allowed: list[bool] = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            if any(allowed):
                masks.setdefault(agent, {})[state] = [action for action in range(count) if allowed[action]]
    return masks
