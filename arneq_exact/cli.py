"""The `arneq` command.

Exit codes: 0 for a proved answer, 1 for a certificate that fails, 2 for a usage or input error (one clear
line), 3 for "incomplete". Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from arneq_exact.commands import COMMANDS
from arneq_exact.commands.output import INTERRUPTED, READER_GONE, USAGE
from arneq_exact.errors import ArneqError
from arneq_exact.version import __version__


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
        # The place that a message begins with may be the command's own name.
        message = str(error).removeprefix(f"{options.command}: ")
        print(f"arneq {options.command}: {message}", file=sys.stderr)
        return USAGE
    except MemoryError:
        # Python's own exit code for a traceback is 1, which here means that a certificate fails.
        print(f"arneq {options.command}: the game is too large for the memory", file=sys.stderr)
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
    parser.add_argument("--version", action="version", version=f"arneq {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
