"""`arneq solve`: compute an equilibrium and prove it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from arneq_exact.commands.arguments import (
    add_command,
    add_game,
    add_output,
    add_threat,
    load_policy,
    read_problem,
)
from arneq_exact.commands.output import INCOMPLETE, PROVED, console, solver_progress

if TYPE_CHECKING:
    from arneq_exact.model.game import MarkovGame
    from arneq_exact.model.threat import ThreatModel
    from arneq_exact.solver.solution import Solution


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "solve", "compute an equilibrium and prove it", run)
    add_game(parser)
    add_threat(parser)
    parser.add_argument("--horizon", type=int, metavar="T", help="number of steps of a finite horizon")
    parser.add_argument("--exact", action="store_true", help="try rational numbers first")
    parser.add_argument("--bits", type=int, default=4096, help="length of exact numbers (default: 4096)")
    parser.add_argument("--method", default="auto", help="a solver's name (default: auto)")
    parser.add_argument("--backend", default="auto", help="auto or reference (nashpy and cvxpy)")
    parser.add_argument("--tol", type=float, default=1e-8, help="relative tolerance (default: 1e-8)")
    parser.add_argument("--seed", type=int, default=0, help="for restarts (default: 0)")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS")
    parser.add_argument("--start", metavar="FILE", help="begin at this policy or solution")
    parser.add_argument("--out", metavar="FILE", help="write the solution with its certificate as JSON")
    add_output(parser, states=True)


def run(options: argparse.Namespace) -> int:
    """Run `arneq solve`."""
    from arneq_exact.model.json_writing import json_text
    from arneq_exact.solver.solve import solve

    game, threat = read_problem(options)
    start = None if options.start is None else load_policy(options.start, game)
    with solver_progress(quiet=options.json) as progress:
        solution = solve(
            game,
            threat,
            method=options.method,
            backend=options.backend,
            horizon=options.horizon,
            exact=options.exact,
            bits=options.bits,
            tol=options.tol,
            seed=options.seed,
            progress=progress,
            time_limit=options.time_limit,
            start=start,
        )
    if options.json:
        print(json_text(solution.to_json(game)), end="")
    else:
        _print(game, threat, solution, options.states)
    if options.out:
        solution.save(game, options.out)
        if not options.json:
            print(f"written to {options.out}")
    return PROVED if solution.proved else INCOMPLETE


def _print(game: MarkovGame, threat: ThreatModel, solution: Solution, states: int) -> None:
    """Print status, policy, values, worst attacks and the proved gap of at most `states` states."""
    from rich.text import Text

    from arneq_exact.report.tables import STATUS_STYLE, print_profile
    from arneq_exact.report.verdict import print_epsilon

    terminal = console()
    what = f": {game.describe_size()}, {threat.describe()}, by {solution.method} in {solution.seconds:.2f} s"
    terminal.print(Text.assemble((solution.status, STATUS_STYLE[solution.status]), what))
    terminal.print(Text(f"  {solution.message}"))
    first_step = "" if solution.policy.horizon is None else f" with {solution.policy.horizon} steps to go"
    print_profile(
        terminal,
        game,
        solution.policy,
        solution.values if solution.values.ndim == 2 else solution.values[0],
        solution.attack,
        title=f"Policy and robust values{first_step}",
        states=states,
    )
    print_epsilon(terminal, game, solution.epsilon, solution.relative_gap)
