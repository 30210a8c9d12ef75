"""The `arneq` command.

Exit codes: 0 for a proved answer, 1 for a certificate that fails, 2 for a usage or input error (one clear
line), 3 for "incomplete". Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arneq_exact.errors import ArneqError, InputError

if TYPE_CHECKING:
    from rich.console import Console

    from arneq_exact.model.game import MarkovGame
    from arneq_exact.model.threat import ThreatModel
    from arneq_exact.solver import Progress

PROVED, REFUSED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
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

    solving = _command(commands, "solve", "compute an equilibrium and prove it", _solve)
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
    solving.add_argument("--out", metavar="FILE", help="write the solution with its certificate as JSON")
    _output_arguments(solving)

    checking = _command(commands, "check", "check a certificate or a solution's certificate", _check)
    _game_argument(checking)
    checking.add_argument("file", metavar="FILE", help="a certificate or a solution")
    _threat_arguments(checking, "refuse any other threat than this one")
    checking.add_argument("--arithmetic", choices=("exact", "float"), help="default: the sealing one")
    _output_arguments(checking)

    judging = _command(commands, "gap", "judge a policy: robust values, worst attacks, proved gap", _gap)
    _game_argument(judging)
    judging.add_argument("policy", metavar="POLICY", help="a policy file")
    _threat_arguments(judging)
    judging.add_argument("--out", metavar="FILE", help="write the certificate as JSON")
    _output_arguments(judging)

    listing = _command(commands, "games", "list the catalog, describe or write one of its games", _games)
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
    group.add_argument("--threat", metavar="FILE", help="a JSON file with k, probability, sets, distribution")


def _output_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print machine-readable output")
    parser.add_argument("--states", type=int, default=20, help="states to print in tables (default: 20)")


def _solve(options: argparse.Namespace) -> int:
    from arneq_exact.model.json_writing import json_text
    from arneq_exact.report.tables import print_solution
    from arneq_exact.solver import solve

    game = _load_game(options)
    threat = _threat(options) or _no_corruption()
    with _progress(quiet=options.json) as progress:
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
        )
    if options.out:
        solution.save(game, options.out)
    if options.json:
        print(json_text(solution.to_json(game)), end="")
    else:
        print_solution(_console(), game, threat, solution, options.states)
        if options.out:
            print(f"written to {options.out}")
    return PROVED if solution.proved else INCOMPLETE


def _check(options: argparse.Namespace) -> int:
    from arneq_exact.certificate.check import check
    from arneq_exact.files import load_certificate
    from arneq_exact.report.verdict import print_check

    game = _load_game(options)
    certificate = load_certificate(options.file, game)
    result = check(game, certificate, _threat(options), arithmetic=options.arithmetic)
    if options.json:
        _print_json(
            {
                "valid": result.valid,
                "reason": result.reason,
                "threat": result.threat.to_json(),
                "arithmetic": result.arithmetic,
                "epsilon": [f"{bound.numerator}/{bound.denominator}" for bound in result.epsilon],
                "relative": list(result.relative),
            }
        )
    else:
        print_check(_console(), game, result)
    return PROVED if result.valid else REFUSED


def _gap(options: argparse.Namespace) -> int:
    from arneq_exact.certificate.build import seal
    from arneq_exact.certificate.files import certificate_to_json
    from arneq_exact.markov.bellman import one_blas_thread
    from arneq_exact.markov.evaluate import gap, robust_values
    from arneq_exact.model.files import load_policy
    from arneq_exact.model.json_writing import write_json
    from arneq_exact.report.tables import print_gap
    from arneq_exact.report.verdict import print_epsilon

    game = _load_game(options)
    threat = _threat(options) or _no_corruption()
    policy = load_policy(options.policy, game)
    with one_blas_thread():
        values = robust_values(game, threat, policy)
        gaps = gap(game, threat, policy)
        sealed = seal(game, threat, policy)
    if options.out:
        write_json(certificate_to_json(sealed.certificate, game), options.out)
    if options.json:
        _print_json(
            {
                "threat": threat.to_json(),
                "robust_values": values.tolist(),
                "gap": gaps.tolist(),
                "epsilon": [f"{bound.numerator}/{bound.denominator}" for bound in sealed.certificate.epsilon],
                "relative": list(sealed.relative),
            }
        )
    else:
        console = _console()
        print_gap(console, game, values if values.ndim == 2 else values[0], gaps, options.states)
        print_epsilon(console, game, sealed.certificate.epsilon, sealed.relative)
    return PROVED


def _games(options: argparse.Namespace) -> int:
    from arneq_exact import catalog
    from arneq_exact.model.files import save_game
    from arneq_exact.report.catalog import games_table, print_entry

    if options.name is None:
        entries = [catalog.entry(name) for name in catalog.names()]
        if options.out:
            raise InputError("--out is given without a game; must name a game of the catalog")
        if options.json:
            _print_json([_entry_json(entry) for entry in entries])
        else:
            _console().print(games_table(entries))
        return PROVED
    entry = catalog.entry(options.name)
    if options.out:
        game = catalog.load(options.name, **_parameters(options.param))
        save_game(game, options.out)
        print(f"{game!r} written to {options.out}")
    elif options.json:
        _print_json(_entry_json(entry))
    else:
        print_entry(_console(), entry)
    return PROVED


def _entry_json(entry: Any) -> dict[str, Any]:
    agents, states, rows = entry.sizes
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": entry.summary,
        "origin": entry.origin,
        "agents": agents,
        "states": states,
        "rows": rows,
        "parameters": {name: default for name, (default, _) in entry.parameters.items()},
        "answers": [
            {"label": answer.label, "threat": answer.threat.to_json(), "source": answer.source}
            for answer in entry.answers
        ],
    }


def _load_game(options: argparse.Namespace) -> MarkovGame:
    """Read a file if the name looks like one or exists; otherwise ask the catalog."""
    from arneq_exact import catalog
    from arneq_exact.model.files import load_game

    is_file = Path(options.game).suffix in (".json", ".npz") or Path(options.game).exists()
    if is_file:
        if options.param:
            raise InputError("--param goes with a game of the catalog; must be left out with a file")
        return load_game(options.game)
    return catalog.load(options.game, **_parameters(options.param))


def _parameters(assignments: Sequence[str]) -> dict[str, Any]:
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


def _threat(options: argparse.Namespace) -> ThreatModel | None:
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


def _no_corruption() -> ThreatModel:
    from arneq_exact.model.threat import ThreatModel

    return ThreatModel(0)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show what a long run is doing, on a terminal only."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    compiled = any((Path(__file__).parent / "stage" / "__pycache__").glob("*.nbi"))
    start = "starting" if compiled else "compiling kernels (first run only, less than a minute)"
    with console.status(start) as status:

        def show(progress: Progress) -> None:
            best = "" if progress.best == float("inf") else f", best relative gap {progress.best:.2g}"
            status.update(
                f"{progress.method}: {progress.line} ({progress.seconds:.1f} s{best}), Ctrl-C stops"
            )

        yield show


def _console() -> Console:
    from rich.console import Console

    # Piped output keeps one width, so that what is written to a file does not depend on the terminal.
    return Console() if sys.stdout.isatty() else Console(width=110)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main())
