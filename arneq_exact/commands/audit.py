"""`arneq audit`: everything that can be said exactly about a stored policy."""

from __future__ import annotations

import argparse
from typing import Any

from arneq_exact.commands.arguments import add_judging, load_policy, read_problem
from arneq_exact.commands.output import PROVED, console, print_json, solver_progress


def add(commands: Any) -> None:
    """Declare the command."""
    text = "judge a policy for every budget, every corruption set and both timings"
    add_judging(commands, "audit", text, run, written="audit")


def run(options: argparse.Namespace) -> int:
    """Run `arneq audit`."""
    from arneq_exact.markov.audit import audit
    from arneq_exact.report.audit import print_audit

    game, threat = read_problem(options)
    policy = load_policy(options.policy, game)
    with solver_progress(quiet=options.json):
        found = audit(game, threat, policy)
    if options.out:
        found.save(game, options.out)
    if options.json:
        print_json(found.to_json(game))
    else:
        print_audit(console(), game, found, options.states)
    return PROVED
