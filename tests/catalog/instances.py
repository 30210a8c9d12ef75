"""The game of each known answer, built once for all tests."""

from __future__ import annotations

from functools import cache

from arneq_exact import catalog
from arneq_exact.model.game import MarkovGame


@cache
def default_game(name: str) -> MarkovGame:
    return catalog.load(name)


@cache
def answer_game(name: str, number: int) -> MarkovGame:
    entry = catalog.entry(name)
    chosen = dict(entry.answers[number].parameters)
    if all(chosen[key] == entry.parameters[key][0] for key in chosen):
        return default_game(name)
    return catalog.load(name, **chosen)
