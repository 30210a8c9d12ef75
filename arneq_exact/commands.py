"""What each `arneq` command does with its parsed options; returns the exit code.

Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arneq_exact.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from arneq_exact.model.game import MarkovGame
    from arneq_exact.model.policy import Policy
    from arneq_exact.model.threat import ThreatModel
    from arneq_exact.solution import Progress

PROVED, REFUSED, INCOMPLETE = 0, 1, 3


def _require_output(path: str | None) -> None:
    """Refuse a place that cannot be written before hours are spent on what should go there."""
    if path is None:
        return
    if Path(path).suffix != ".json":
        raise InputError(f"--out is {path!r}; must end in .json")
    folder = Path(path).resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--out is {path!r}; its folder must exist and be writable")


def solve_command(options: argparse.Namespace) -> int:
    """Run `arneq solve`."""
    from arneq_exact.model.json_writing import json_text
    from arneq_exact.report.tables import print_solution
    from arneq_exact.solver import solve

    _require_output(options.out)
    game = _load_game(options)
    threat = _threat(options) or _no_corruption()
    start = _start(options.start, game)
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
            start=start,
        )
    if options.json:
        print(json_text(solution.to_json(game)), end="")
    else:
        print_solution(_console(), game, threat, solution, options.states)
    if options.out:
        solution.save(game, options.out)
        if not options.json:
            print(f"written to {options.out}")
    return PROVED if solution.proved else INCOMPLETE


def _start(path: str | None, game: MarkovGame) -> Policy | None:
    """Read the policy of a policy's, a solution's or a certificate's file."""
    from arneq_exact.files import load
    from arneq_exact.model.policy import Policy

    if path is None:
        return None
    given: Any = load(path, game)
    # A certificate's policy may hold rationals; a run begins from the nearest doubles.
    return (
        given if isinstance(given, Policy) else Policy(game, [table.astype(float) for table in given.policy])
    )


def check_command(options: argparse.Namespace) -> int:
    """Run `arneq check`."""
    from arneq_exact.certificate.check import check
    from arneq_exact.certificate.claims import refuted_claim
    from arneq_exact.files import read_certificate
    from arneq_exact.report.verdict import print_check

    game = _load_game(options)
    certificate, solution = read_certificate(options.file, game)
    result = check(game, certificate, _threat(options), arithmetic=options.arithmetic)
    if result.valid and solution is not None:
        refuted = refuted_claim(solution, certificate, result)
        result = replace(result, valid=not refuted, reason=refuted)
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


def gap_command(options: argparse.Namespace) -> int:
    """Run `arneq gap`."""
    from arneq_exact.certificate.build import seal
    from arneq_exact.certificate.files import certificate_to_json
    from arneq_exact.markov.bellman import one_blas_thread
    from arneq_exact.markov.evaluate import gap, robust_values, worst_attack
    from arneq_exact.model.files import load_policy
    from arneq_exact.model.json_writing import write_json
    from arneq_exact.report.tables import print_profile
    from arneq_exact.report.verdict import print_epsilon

    _require_output(options.out)
    game = _load_game(options)
    threat = _threat(options) or _no_corruption()
    policy = load_policy(options.policy, game)
    with one_blas_thread():
        values = robust_values(game, threat, policy)
        gaps = gap(game, threat, policy)
        attacks = [worst_attack(game, threat, policy, agent) for agent in range(game.n_agents)]
        sealed = seal(game, threat, policy)
    if options.out:
        write_json(certificate_to_json(sealed.certificate, game), options.out)
    if options.json:
        _print_json(
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
        console = _console()
        print_profile(
            console,
            game,
            policy,
            values if values.ndim == 2 else values[0],
            attacks,
            title="Judged policy",
            states=options.states,
            gaps=gaps,
        )
        print_epsilon(console, game, sealed.certificate.epsilon, sealed.relative)
    return PROVED


def games_command(options: argparse.Namespace) -> int:
    """Run `arneq games`."""
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
    elif options.param:
        raise InputError("--param is given without --out; it chooses the instance that is written")
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
    """Show what a long run is doing, on a terminal only; say everywhere when kernels are compiled."""
    from rich.console import Console
    from rich.markup import escape

    from arneq_exact.report.progress import compile_notice

    console = Console(stderr=True)
    if not console.is_terminal or quiet:
        with compile_notice(lambda line: print(f"arneq: {line}", file=sys.stderr)):
            yield None
        return
    with console.status("starting") as status, compile_notice(status.update):

        def show(progress: Progress) -> None:
            best = "" if progress.best == float("inf") else f", best relative gap {progress.best:.2g}"
            line = f"{progress.method}: {progress.line} ({progress.seconds:.1f} s{best}), Ctrl-C stops"
            status.update(escape(line))

        yield show


def _console() -> Console:
    from rich.console import Console

    # Piped output keeps one width, so that what is written to a file does not depend on the terminal.
    return Console() if sys.stdout.isatty() else Console(width=110)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=1))
