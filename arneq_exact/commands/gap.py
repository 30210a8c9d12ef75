"""`arneq gap`: judge a stored policy."""

from __future__ import annotations

import argparse
from typing import Any

from arneq_exact.commands.arguments import add_judging, load_policy, read_problem
from arneq_exact.commands.output import PROVED, bounds_json, console, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    text = "judge a policy: robust values, worst attacks, proved gap"
    add_judging(commands, "gap", text, run, written="certificate")


def run(options: argparse.Namespace) -> int:
    """Run `arneq gap`."""
    from arneq_exact.markov.bellman import one_blas_thread
    from arneq_exact.markov.evaluate import gap, robust_values, worst_attack
    from arneq_exact.model.json_writing import write_json
    from arneq_exact.proof.certificate_json import certificate_to_json
    from arneq_exact.report.tables import print_profile
    from arneq_exact.report.verdict import print_epsilon
    from arneq_exact.solver.seal import seal

    game, threat = read_problem(options)
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
                **bounds_json(sealed.certificate.epsilon, sealed.relative),
            }
        )
        return PROVED
    terminal = console()
    at_start = values if values.ndim == 2 else values[0]
    print_profile(
        terminal, game, policy, at_start, attacks, title="Judged policy", states=options.states, gaps=gaps
    )
    print_epsilon(terminal, game, sealed.certificate.epsilon, sealed.relative)
    return PROVED
