"""Which solvers `solve` asks, by the name of the method that the caller gives."""

from __future__ import annotations

from dataclasses import replace

from arneq_exact.errors import InputError
from arneq_exact.markov.components import levels_first
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.registry import SolverEntry, automatic_order


def chosen_solvers(
    solvers: tuple[SolverEntry, ...], game: MarkovGame, threat: ThreatModel, method: str, horizon: int | None
) -> tuple[SolverEntry, ...]:
    """Return the solvers to ask, in order; none for a finite horizon, which has one of its own.

    Those that solve whole classes try the levels of the state graph first, where there are several; threats
    that decouple need no such help.

    Raises
    ------
    InputError
        If there is no such method, or it does not take this class of game.
    """
    names = [*(entry.name for entry in solvers), "backward-induction"]
    if method != "auto" and method not in names:
        raise InputError(f"solve: method is {method!r}; must be auto or one of {', '.join(names)}")
    if (method == "backward-induction") != (horizon is not None) and method != "auto":
        raise InputError(
            f"solve: method is {method!r} with horizon {horizon!r}; "
            "backward-induction goes with a horizon, every other method without"
        )
    if horizon is not None:
        return ()
    accepting = tuple(
        replace(entry, run=levels_first(entry.run)) if _by_levels(entry) else entry
        for entry in solvers
        if entry.accepts(game, threat)
    )
    if method == "auto":
        return automatic_order(accepting, game)
    chosen = tuple(entry for entry in accepting if entry.name == method)
    if not chosen:
        entry = next(entry for entry in solvers if entry.name == method)
        raise InputError(
            f"solve: method {method!r} does not take n = {game.n_agents} agents under "
            f"{threat.describe()}; it takes {entry.games}"
        )
    return chosen


def beyond_solvers(solvers: tuple[SolverEntry, ...], game: MarkovGame, threat: ThreatModel) -> str:
    """Say that a game is too large for every solver made for its class; "" if it is not."""
    if any(entry.complete and entry.accepts(game, threat) for entry in solvers):
        return ""
    return f"{game.describe_size()} under {threat.describe()} are more than any solver of whole classes takes"


def _by_levels(entry: SolverEntry) -> bool:
    return entry.complete and entry.name != "decoupled"
