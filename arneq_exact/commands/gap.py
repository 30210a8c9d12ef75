"""`arneq gap`: judge a stored policy."""

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
from arneq_exact.commands.output import PROVED, console, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "gap", "judge a policy: robust values, worst attacks, proved gap", run)
    add_game(parser)
    parser.add_argument("policy", metavar="POLICY", help="a policy file, or a solution's or certificate's")
    add_threat(parser)
    parser.add_argument("--out", metavar="FILE", help="write the certificate as JSON")
    add_output(parser, states=True)


def run(options: argparse.Namespace) -> int:
    """Run `arneq gap`."""
    from arneq_exact.markov.bellman import one_blas_thread
    from arneq_exact.markov.evaluate import gap, robust_values, worst_attack
    from arneq_exact.model.json_writing import write_json
    from arneq_exact.proof.certificate_json import certificate_to_json
    from arneq_exact.report.tables import print_profile
    from arneq_exact.report.verdict import print_epsilon
    from arneq_exact.solver.seal import seal

    require_output(options.out)
    game = load_game(options)
    threat = read_threat(options) or no_corruption()
    policy = load_policy(options.policy, game)
    with one_blas_thread():
        values = robust_values(game, threat, policy)
        gaps = gap(game, threat, policy)
        attacks = [worst_attack(game, threat, policy, agent) for agent in range(game.n_agents)]
        sealed = seal(game, threat, policy)
    if options.out:
        write_json(certificate_to_json(sealed.certificate, game), options.out)
    if options.json:
        print_json(
            {
                "threat": threat.to_json(),
                "robust_values": values.tolist(),
                "gap": gaps.tolist(),
                "worst_attack": [attack.column.tolist() for attack in attacks],
                "epsilon": [f"{bound.numerator}/{bound.denominator}" for bound in sealed.certificate.epsilon],
                "relative": list(sealed.relative),
            }
        )
    else:
        terminal = console()
        print_profile(
            terminal,
            game,
            policy,
            values if values.ndim == 2 else values[0],
            attacks,
            title="Judged policy",
            states=options.states,
            gaps=gaps,
        )
        print_epsilon(terminal, game, sealed.certificate.epsilon, sealed.relative)
    return PROVED
