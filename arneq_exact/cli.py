"""The `arneq` command.

Exit codes: 0 for a proved answer, 1 for a certificate that fails, 2 for a usage or input error (one clear
line), 3 for "incomplete". Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from arneq_exact import commands as run
from arneq_exact.errors import ArneqError

USAGE, INTERRUPTED, READER_GONE = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of a pipe has gone; Python must not complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (ArneqError, OSError) as error:
        print(f"arneq {options.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"arneq {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arneq",
        description="Exact, certified Adversarially Robust Nash Equilibria of small Markov games.",
        epilog="exit codes: 0 proved, 1 certificate refused, 2 usage or input error, 3 incomplete",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    solving = _command(commands, "solve", "compute an equilibrium and prove it", run.solve_command)
    _game_argument(solving)
    _threat_arguments(solving)
    solving.add_argument("--horizon", type=int, metavar="T", help="number of steps of a finite horizon")
    solving.add_argument("--exact", action="store_true", help="try rational numbers first")
    solving.add_argument("--bits", type=int, default=4096, help="length of exact numbers (default: 4096)")
    solving.add_argument("--method", default="auto", help="a solver's name (default: auto)")
    solving.add_argument("--backend", default="auto", help="auto or reference (nashpy and cvxpy)")
    solving.add_argument("--tol", type=float, default=1e-8, help="relative tolerance (default: 1e-8)")
    solving.add_argument("--seed", type=int, default=0, help="for restarts (default: 0)")
    solving.add_argument("--time-limit", type=float, metavar="SECONDS")
    solving.add_argument("--start", metavar="FILE", help="begin at this policy or solution")
    solving.add_argument("--out", metavar="FILE", help="write the solution with its certificate as JSON")
    _output_arguments(solving, states=True)

    checking = _command(
        commands, "check", "check a certificate or a solution's certificate", run.check_command
    )
    _game_argument(checking)
    checking.add_argument("file", metavar="FILE", help="a certificate or a solution")
    _threat_arguments(checking, "refuse any other threat than this one")
    checking.add_argument("--arithmetic", choices=("exact", "float"), help="default: the sealing one")
    _output_arguments(checking)

    judging = _command(
        commands, "gap", "judge a policy: robust values, worst attacks, proved gap", run.gap_command
    )
    _game_argument(judging)
    judging.add_argument("policy", metavar="POLICY", help="a policy file")
    _threat_arguments(judging)
    judging.add_argument("--out", metavar="FILE", help="write the certificate as JSON")
    _output_arguments(judging, states=True)

    listing = _command(
        commands, "games", "list the catalog, describe or write one of its games", run.games_command
    )
    listing.add_argument("name", nargs="?", metavar="NAME")
    listing.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    listing.add_argument("--out", metavar="FILE", help="write the game as .json or .npz")
    _output_arguments(listing)
    return parser


def _command(
    commands: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _game_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .json or .npz file, or a name in the catalog")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="parameter of a catalog game"
    )


def _threat_arguments(parser: argparse.ArgumentParser, purpose: str = "the threat (default: --k 0)") -> None:
    group = parser.add_argument_group("threat", purpose)
    group.add_argument("--k", type=int, help="any set of at most k other agents may be corrupted")
    group.add_argument("--probability", metavar="RHO", help='probability of corruption, such as 0.1 or "1/3"')
    group.add_argument("--threat", metavar="FILE", help="a JSON file, see the file formats in the docs")


def _output_arguments(parser: argparse.ArgumentParser, states: bool = False) -> None:
    parser.add_argument("--json", action="store_true", help="print machine-readable output")
    if states:
        parser.add_argument("--states", type=_count, default=20, help="states to print (default: 20)")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative; must be at least 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
