"""`arneq audit`: everything that can be said exactly about a stored policy."""

from __future__ import annotations

import argparse
from typing import Any

from arneq_exact.commands.arguments import (
    add_command,
    add_game,
    add_output,
    add_threat,
    load_game,
    load_policy,
    no_corruption,
    read_threat,
    require_output,
)
from arneq_exact.commands.output import PROVED, console, print_json, solver_progress


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands, "audit", "judge a policy for every budget, every corruption set and both timings", run
    )
    add_game(parser)
    parser.add_argument("policy", metavar="POLICY", help="a policy file, or a solution's or certificate's")
    add_threat(parser)
    parser.add_argument("--out", metavar="FILE", help="write the audit as JSON")
    add_output(parser, states=True)


def run(options: argparse.Namespace) -> int:
    """Run `arneq audit`."""
    from arneq_exact.markov.audit import audit
    from arneq_exact.report.audit import print_audit

    require_output(options.out)
    game = load_game(options)
    threat = read_threat(options) or no_corruption()
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
