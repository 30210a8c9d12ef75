"""The front door: ask solvers for candidates, certify, and say only what is proved.

Solvers yield candidates and never a verdict. A search asks them in order (`arneq_exact.solver.search`); a
judge evaluates each candidate and certifies those that look good (`arneq_exact.solver.judge`) [T12]. The
first whose proved gap is within tolerance is the answer. If none is, or time runs out, or the user
interrupts, the best candidate is returned as "incomplete" with the gap that was proved for it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from arneq_exact.markov import resume
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.candidates import Problem
from arneq_exact.markov.exact_horizon import MOST_BITS
from arneq_exact.markov.horizon import candidates_for_horizon
from arneq_exact.markov.resume import require_start
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.rounding import pointwise_bounds
from arneq_exact.solver.choice import beyond_solvers, chosen_solvers
from arneq_exact.solver.clock import Clock, OutOfTime, ProgressFunction
from arneq_exact.solver.judge import Judge
from arneq_exact.solver.options import require_options
from arneq_exact.solver.registry import SOLVERS
from arneq_exact.solver.search import Search
from arneq_exact.solver.solution import Solution, account, why_incomplete


def solve(
    game: MarkovGame,
    threat: ThreatModel,
    *,
    method: str = "auto",
    backend: str = "auto",
    horizon: int | None = None,
    exact: bool = False,
    bits: int = MOST_BITS,
    tol: float = 1e-8,
    seed: int = 0,
    progress: ProgressFunction = None,
    time_limit: float | None = None,
    start: Policy | Solution | None = None,
) -> Solution:
    """Compute one Adversarially Robust Nash Equilibrium, with a proof of how good it is.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    method : str
        "auto", or the name of a row in `arneq_exact.solver.registry.SOLVERS`.
    backend : {"auto", "reference"}
        Compiled kernels, or nashpy and cvxpy for the stage games.
    horizon : int, optional
        Number of steps of a finite horizon [T14]; discounts of 1 are allowed only there.
    exact : bool
        Try rational numbers first. There is a rational answer for a finite horizon, or where no state
        comes again (one-shot games), with n = 2 (not for a choice of probability under masks), or any n and
        a threat that decouples. Elsewhere, or past `bits`, the message says so and `method` is used.
    bits : int
        Longest numerator or denominator of an exact probability or value, at most 4096.
    tol : float
        Relative tolerance: in units of each agent's reward range (1 if constant).
    seed : int
        For restarts; the same seed gives the same answer.
    progress : callable, optional
        Called with a `Progress` whenever something changes.
    time_limit : float, optional
        Seconds after which no new step is begun.
    start : Policy or Solution, optional
        Where to begin: the answer of an earlier run. It is judged first and polished, and stage policy
        iteration and backward induction go on from it; the answer is never worse than `start`.

    Returns
    -------
    Solution
        "certified" if the proved gap is within `tol`, "exact" if it is 0, else "incomplete". Ctrl-C
        and the time limit give the best policy so far, with its proved gap, as "incomplete".

    Raises
    ------
    InputError
        If an argument breaks a rule. Never for lack of convergence.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # prisoners' dilemma
    >>> solution = solve(game, ThreatModel(0))
    >>> solution.status, solution.values.tolist()
    ('exact', [[1.0], [1.0]])
    """
    require_game_and_threat(game, threat, "solve")
    entries = chosen_solvers(SOLVERS, game, threat, method, horizon)
    require_options(backend=backend, tol=tol, seed=seed, exact=exact, bits=bits)
    clock = Clock("solve", progress, time_limit)
    given = start.policy if isinstance(start, Solution) else start
    first = None if given is None else require_start(game, given, horizon)
    if horizon is None:
        game.require_discounting("solve")
    methods = [(entry.name, entry.run) for entry in entries]
    if horizon is not None:
        methods.append(("backward-induction", partial(candidates_for_horizon, horizon=horizon)))
    if first is not None:
        methods.insert(0, (resume.METHOD, resume.run))
    problem = Problem(game, threat, backend, seed, start=first)
    search = Search(Judge(game, threat, float(tol)), clock, problem, horizon)
    with one_blas_thread():
        try:
            if exact:
                search.run_exactly(int(bits))
            if not search.is_proved:
                search.run(methods)
            ending = "every method was tried"
        except OutOfTime:
            ending = clock.ending
        except KeyboardInterrupt:
            ending = "interrupted"
        return _solution(search, ending)


def _solution(search: Search, ending: str) -> Solution:
    """Build the answer from the best candidate; `ending` tells why the search ended without a proof."""
    judge, best = search.judge, search.best_proved()
    assert best.sealed is not None
    sealed, certificate, note = best.sealed, best.sealed.certificate, best.candidate.note
    status = "certified" if best.relative <= judge.tol else "incomplete"
    status = status if any(certificate.epsilon) else "exact"
    policy = Policy(judge.game, [table.astype(np.float64) for table in certificate.policy])
    # The last entry is the winner's own.
    others = search.trace if status == "incomplete" else search.trace[:-1]
    offered = account(search.asked, others, before=status != "incomplete")
    if status == "incomplete":
        reasons = [beyond_solvers(SOLVERS, judge.game, judge.threat), *search.abandoned, ending]
        note = why_incomplete(reasons, note, best.relative, judge.tol)
    return Solution(
        status=status,
        policy=policy,
        values=certificate.values,
        gap=pointwise_bounds(*certificate.at_start, sealed.shift),
        epsilon=certificate.epsilon,
        relative_gap=sealed.relative,
        attack=judge.worst_attacks(best, policy, certificate.values),
        certificate=certificate,
        method=best.method,
        iterations=best.candidate.iterations,
        seconds=search.clock.seconds,
        trace=tuple(search.trace),
        message="; ".join([note, *offered]) + search.inexact,
    )
