"""`arneq check`: check a certificate or a solution's certificate."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from arneq_exact.commands.arguments import (
    add_command,
    add_game,
    add_output,
    add_threat,
    load_game,
    read_threat,
)
from arneq_exact.commands.output import PROVED, REFUSED, bounds_json, console, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "check", "check a certificate or a solution's certificate", run)
    add_game(parser)
    parser.add_argument("file", metavar="FILE", help="a certificate or a solution")
    add_threat(parser, "refuse any other threat than this one")
    parser.add_argument("--arithmetic", choices=("exact", "float"), help="default: the sealing one")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Run `arneq check`."""
    from arneq_exact.proof.check import check
    from arneq_exact.proof.claims import refuted_claim
    from arneq_exact.proof.files import read_certificate
    from arneq_exact.report.verdict import print_check

    game = load_game(options)
    certificate, solution = read_certificate(options.file, game)
    result = check(game, certificate, read_threat(options), arithmetic=options.arithmetic)
    if result.valid and solution is not None:
        refuted = refuted_claim(solution, certificate, result)
        result = replace(result, valid=not refuted, reason=refuted)
    if options.json:
        print_json(
            {
                "valid": result.valid,
                "reason": result.reason,
                "threat": result.threat.to_json(),
                "arithmetic": result.arithmetic,
                **bounds_json(result.epsilon, result.relative),
            }
        )
    else:
        print_check(console(), game, result)
    return PROVED if result.valid else REFUSED
