"""The solvers of Markov games: one row each, read by `solve`, the tests, the docs and the command line.

To add a solver, write a file with ``accepts(game, threat)`` and ``run(problem)`` and add its row here.
`method="auto"` asks the rows in order, but for small games of three agents or more (`automatic_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arneq_exact.markov import barrier, best_response_iteration, decoupled, procedure, stage_policy_iteration
from arneq_exact.markov.candidates import Run
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel


@dataclass(frozen=True)
class SolverEntry:
    """One solver and what may be expected of it.

    Attributes
    ----------
    name : str
        The value of `method`.
    games : str
        Which numbers of agents, threats and horizons.
    guarantee : str
    precision : str
    cost : str
    failure : str
        What it does when it fails.
    reference : str
    complete : bool
        Whether a class of games counts as covered because this solver accepts it.
    automatic : bool
        Whether `auto` asks it.
    accepts, run
        The solver.
    """

    name: str
    games: str
    guarantee: str
    precision: str
    cost: str
    failure: str
    reference: str
    complete: bool
    automatic: bool
    accepts: Callable[[MarkovGame, ThreatModel], bool]
    run: Run


SOLVERS: tuple[SolverEntry, ...] = (
    SolverEntry(
        name="decoupled",
        games="any n, every other agent corrupted for certain (k ≥ n−1); n = 1; infinite horizon",
        guarantee="one ARNEQ, always; the values are unique",
        precision="rounding error over (1 - discount)",
        cost="about 10 rounds an agent: S linear programs and one sparse linear system each",
        failure="stops at the least residual reached; the certificate shows it",
        reference="Hoffman & Karp (1966); Pollatschek & Avi-Itzhak (1969); [T4]",
        complete=True,
        automatic=True,
        accepts=decoupled.accepts,
        run=decoupled.run,
    ),
    SolverEntry(
        name="stage-policy-iteration",
        games="every n and threat; infinite horizon",
        guarantee="one ARNEQ where it settles; none in advance (restarts, then incomplete)",
        precision="rounding error over (1 - discount) after polishing",
        cost="a few rounds: S stage games, n sparse linear systems; polishing is cubic in nS",
        failure="restarts with other selections, values and damping up to 6 times, then incomplete",
        reference="[T3], [T11]; the procedure of Eq. (2) with exact evaluation",
        complete=True,
        automatic=True,
        accepts=stage_policy_iteration.accepts,
        run=stage_policy_iteration.run,
    ),
    SolverEntry(
        name="barrier",
        games="every n and threat, up to 1,500 values (nS) and 3e7 numbers in its blocks; infinite horizon",
        guarantee="one ARNEQ where a path is followed to its end; none in advance",
        precision="rounding error over (1 - discount) after polishing",
        cost="50 to 1,000 solutions by blocks: S inverses of order n(A + 2), and a dense one of order nS",
        failure="up to 6 paths with other weights, then incomplete",
        reference="central path by continuation: Allgower & Georg (1990); [T3], [T9]",
        complete=True,
        automatic=True,
        accepts=barrier.accepts,
        run=barrier.run,
    ),
    SolverEntry(
        name="best-response-iteration",
        games="every game; infinite horizon",
        guarantee="none; finds pure ARNEQ where play settles",
        precision="exact for pure policies",
        cost="one zero-sum stochastic game per agent and round, 20 rounds at most",
        failure="incomplete, with the proved gap of the best policy met",
        reference="[T9]",
        complete=False,
        automatic=True,
        accepts=best_response_iteration.accepts,
        run=best_response_iteration.run,
    ),
    SolverEntry(
        name="procedure",
        games="every n and threat; infinite horizon",
        guarantee="one ARNEQ where one type of stage equilibrium holds throughout [T7]",
        precision="linear convergence at rate discount, down to rounding",
        cost="log(1/tol)/log(1/discount) sweeps of S stage games; enumerations where a selection needs them",
        failure="detects cycles, tries other selections where there are any, then incomplete",
        reference="Noether, Nika, Singla & Radanovic (2024), Theorem 2; Hu & Wellman (2003)",
        complete=False,
        automatic=False,
        accepts=procedure.accepts,
        run=procedure.run,
    ),
)


SMALL = 20
"""States below which `auto` prefers the barrier path for three agents or more: there it loses fewer games."""


def automatic_order(solvers: Sequence[SolverEntry], game: MarkovGame) -> tuple[SolverEntry, ...]:
    """Return the solvers that `auto` asks, in order.

    The barrier path loses fewer games; turning points multiply with the number of states, which stage
    policy iteration does not mind.
    """
    asked = [entry for entry in solvers if entry.automatic]
    if game.n_agents >= 3 and game.n_states < SMALL:
        asked.sort(key=lambda entry: {"decoupled": 0, "barrier": 1}.get(entry.name, 2))
    return tuple(asked)


def solver_names() -> list[str]:
    """Return the values that `method` may have besides "auto"."""
    return [entry.name for entry in SOLVERS]
