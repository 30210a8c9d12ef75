"""Arguments that several commands share: how they are declared, and what is read from them."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arneq_exact.errors import InputError

if TYPE_CHECKING:
    from arneq_exact.model.game import MarkovGame
    from arneq_exact.model.policy import Policy
    from arneq_exact.model.threat import ThreatModel


def add_command(
    commands: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Declare a command; `run` takes the parsed options and returns the exit code."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def add_game(parser: argparse.ArgumentParser) -> None:
    """Declare GAME and the parameters of a catalog game, which `load_game` reads."""
    parser.add_argument("game", metavar="GAME", help="a .json or .npz file, or a name in the catalog")
    add_parameters(parser, "parameter of a catalog game")


def add_parameters(parser: argparse.ArgumentParser, text: str | None = None) -> None:
    """Declare `--param`, which `read_parameters` reads."""
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help=text)


def add_threat(parser: argparse.ArgumentParser, purpose: str = "the threat (default: --k 0)") -> None:
    """Declare the threat, which `read_threat` reads."""
    group = parser.add_argument_group("threat", purpose)
    group.add_argument("--k", type=int, help="any set of at most k other agents may be corrupted")
    group.add_argument("--probability", metavar="RHO", help='probability of corruption, such as 0.1 or "1/3"')
    group.add_argument("--threat", metavar="FILE", help="a JSON file, see the file formats in the docs")


def add_judging(
    commands: Any, name: str, text: str, run: Callable[[argparse.Namespace], int], written: str
) -> None:
    """Declare a command that judges a stored policy under a threat; `written` is what `--out` gets."""
    parser = add_command(commands, name, text, run)
    add_game(parser)
    parser.add_argument("policy", metavar="POLICY", help="a policy file, or a solution's or certificate's")
    add_threat(parser)
    parser.add_argument("--out", metavar="FILE", help=f"write the {written} as JSON")
    add_output(parser, states=True)


def read_problem(options: argparse.Namespace) -> tuple[MarkovGame, ThreatModel]:
    """Return game and threat, k = 0 where none is named, once it is clear that `--out` can be written."""
    from arneq_exact.model.threat import ThreatModel

    require_output(options.out)
    return load_game(options), read_threat(options) or ThreatModel(0)


def add_output(parser: argparse.ArgumentParser, states: bool = False) -> None:
    """Declare `--json`, and `--states` for commands that print a table by state."""
    parser.add_argument("--json", action="store_true", help="print machine-readable output")
    if states:
        parser.add_argument("--states", type=_count, default=20, help="states to print (default: 20)")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative; must be at least 0")
    return number


def require_output(path: str | None) -> None:
    """Refuse a place that cannot be written before hours are spent on what should go there."""
    if path is None:
        return
    if Path(path).suffix != ".json":
        raise InputError(f"--out is {path!r}; must end in .json")
    folder = Path(path).resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--out is {path!r}; its folder must exist and be writable")


def load_game(options: argparse.Namespace) -> MarkovGame:
    """Read a file if the name looks like one or exists; otherwise ask the catalog."""
    from arneq_exact import catalog
    from arneq_exact.model import files

    is_file = Path(options.game).suffix in (".json", ".npz") or Path(options.game).exists()
    if is_file:
        if options.param:
            raise InputError("--param goes with a game of the catalog; must be left out with a file")
        return files.load_game(options.game)
    return catalog.load(options.game, **read_parameters(options.param))


def load_policy(path: str, game: MarkovGame) -> Policy:
    """Read the policy of a policy's, a solution's or a certificate's file."""
    from arneq_exact.model.policy import Policy
    from arneq_exact.proof.files import load

    given: Any = load(path, game)
    # A certificate's policy may hold rationals; what goes on from it takes the nearest doubles.
    return (
        given if isinstance(given, Policy) else Policy(game, [table.astype(float) for table in given.policy])
    )


def read_parameters(assignments: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE pairs; a value that is valid JSON (a number, a list) is taken as such."""
    result: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise InputError(f"--param is {assignment!r}; must be NAME=VALUE")
        try:
            result[name] = json.loads(text)
        except json.JSONDecodeError:
            result[name] = text
    return result


def read_threat(options: argparse.Namespace) -> ThreatModel | None:
    """Return the threat that the options name, None if they name none."""
    from arneq_exact.model.json_reading import read_json
    from arneq_exact.model.threat import ThreatModel

    if options.threat:
        if options.k is not None or options.probability is not None:
            raise InputError("--threat is given with --k or --probability; must be given alone")
        return ThreatModel.from_json(read_json(options.threat), options.threat)
    if options.k is None:
        if options.probability is not None:
            raise InputError("--probability is given without --k; must go with it")
        return None
    return ThreatModel(options.k, probability=options.probability)
