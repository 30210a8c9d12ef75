"""The model-based procedure of Eq. (2) as a solver: its last selected policies are the candidates [T7].

Guarantee: where one type of stage equilibrium holds throughout, the policies converge to an ARNEQ at
rate γ; elsewhere it may cycle [T8], and the next selection is tried. `arneq_exact.iterate` runs the
same procedure with its trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from arneq_exact.attackers.stage_class import Bimatrix, General
from arneq_exact.errors import StageError
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.iteration import iterate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.selection import SELECTIONS
from arneq_exact.stage.solve import WITHOUT_ENUMERATION

SETTLED = 1e-13
"""Residual, in reward ranges, at which the procedure has settled: well below the tolerances of `solve`."""


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept every game."""
    return True


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield the outcome of the procedure for each named selection of stage equilibria."""
    if problem.backend == "reference" and General() in problem.attackers.classes:
        # The reference libraries have nothing for these stage games.
        return
    for selection in _selections(problem):
        label = f"the procedure of Eq. (2), {selection} equilibrium"
        problem.report(label)
        try:
            result = iterate(
                problem.game,
                problem.threat,
                backend=problem.backend,
                selection=selection,
                tol=SETTLED,
                keep_trace=False,
                progress=partial(_report, problem, label),
            )
        except StageError as error:
            problem.report(f"selection {selection} abandoned: {error}")
            continue
        problem.calls.update(result.calls)
        ending = result.status if result.cycle is None else f"cycle of period {result.cycle.period}"
        yield Candidate(
            result.policy, result.iterations, f"procedure of Eq. (2), {selection} equilibrium, {ending}"
        )


def _selections(problem: Problem) -> tuple[str, ...]:
    """Return the selections to try, in order."""
    classes = problem.attackers.classes
    if General() in classes:
        return WITHOUT_ENUMERATION
    return SELECTIONS if classes == {Bimatrix()} else ("first",)


def _report(problem: Problem, label: str, iteration: int, residual: float) -> None:
    """Pass on the state of the run; `report` ends it when time is up."""
    problem.report(f"{label}, iteration {iteration}, residual {residual:.2g}")
