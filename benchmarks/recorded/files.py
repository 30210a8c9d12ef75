"""Files of every form: written, read, checked in both arithmetics and by the referee, written again."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from arneq_exact import (
    GameNames,
    MarkovGame,
    Policy,
    ThreatModel,
    audit,
    catalog,
    certify,
    check,
    load,
    save,
    solve,
    theory,
)
from arneq_exact.cli import main as arneq
from arneq_exact.learning import load_checkpoint, make_learner, save_checkpoint
from recorded.commands import environment
from recorded.data import Cases, check_data, digest, sealed_data
from recorded.games import dense, drawn, mixed, table, threats, uneven


def file_games() -> dict[str, MarkovGame]:
    """Return the games of the files: doubles and rationals, with names and without, of every shape."""
    names = GameNames.of(["row", "column"], ["near", "far"], [[["up", "down"], ["left", "right"]]] * 2)
    rational = drawn(4, table(2, 2, 2), "3/4", "rational", True)
    named = MarkovGame.from_rows(
        [[2, 2], [2, 2]],
        [["1/3", 1], [0, "-2/7"], [1, 0], ["5/3", "1/9"]] * 2,
        [[("1/2", 0), ("1/4", 1)], [(1, 1)], [("1/3", 0), ("2/3", 1)], [(0.5, 0)]] * 2,
        ["9/10", "1/2"],
        termination=["1/4", 0, 0, 0.5] * 2,
        initial=["1/4", "3/4"],
        names=names,
    )
    return {
        "solo": dense(0, 1, 3, 2),
        "pennies": catalog.load("matching-pennies"),
        "levels": drawn(2, table(2, 3, 2), "3/4", "rational levels"),
        "named": named,
        "rational": rational,
        "uneven": drawn(5, uneven(5, 3, 3), [0.3, 0.9, 0.6]),
        "ending": drawn(6, table(2, 3, 2), 0.9, "general", True),
        "team": dense(7, 3, 2, 2),
        "four": dense(8, 4, 1, 2),
        "nosde": catalog.load("nosde"),
        "steps": drawn(9, table(2, 2, 2), 1, "rational"),
    }


def file_answers() -> Iterator[tuple[str, str, ThreatModel, dict[str, Any]]]:
    """Yield the solutions that are written: game, label, threat, options."""
    yield "solo", "k0", ThreatModel(0), {}
    yield "pennies", "k0", ThreatModel(0), {}
    yield "pennies", "k1-exact", ThreatModel(1), {"exact": True}
    yield "levels", "k0-exact", ThreatModel(0), {"exact": True}
    yield "levels", "probability-exact", ThreatModel(1, probability="1/3"), {"exact": True}
    yield "named", "k0", ThreatModel(0), {}
    yield "named", "k1", ThreatModel(1), {}
    yield "rational", "probability", ThreatModel(1, probability="1/3"), {}
    yield "ending", "k0", ThreatModel(0), {}
    yield "team", "k0", ThreatModel(0), {}
    yield "team", "k1", ThreatModel(1), {}
    yield "team", "k2", ThreatModel(2), {}
    yield "four", "k1", ThreatModel(1), {}
    yield "four", "k2", ThreatModel(2), {}
    yield "nosde", "k0", ThreatModel(0), {}
    yield "nosde", "incomplete", ThreatModel(0), {"method": "procedure"}
    yield "steps", "k0-exact", ThreatModel(0), {"exact": True, "horizon": 3}
    yield "team", "horizon", ThreatModel(1), {"horizon": 2}
    for name in ("sets", "distribution", "inequalities", "informed-distribution", "masks", "masks-informed"):
        yield "team", name, file_threats()[name], {}


def file_threats() -> dict[str, ThreatModel]:
    """Return a threat of every kind by a name that suits a file; all fit the game "team"."""
    named = {name.replace(", ", "-").replace(" ", "-"): threat for name, threat in threats(3).items()}
    named["masks-informed"] = named.pop("masks-informed-distribution")
    return {f"k{k}": ThreatModel(k) for k in range(3)} | named | {"static": ThreatModel(1, timing="static")}


def write_files(folder: Path) -> None:
    """Write a file of every form: by kinds in folders, each named after its game."""
    kinds = (
        "games",
        "policies",
        "certificates",
        "solutions",
        "threats",
        "audits",
        "checkpoints",
        "counterexamples",
    )
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
    games = file_games()
    for name, game in games.items():
        save(game, folder / "games" / f"{name}.json")
        save(game, folder / "games" / f"{name}.npz")
        for label, policy in (("mixed", mixed(1, game)), ("steps", mixed(2, game, 2))):
            save(policy, folder / "policies" / f"{name}.{label}.json", game)
    for name, label, threat, options in file_answers():
        found = replace(solve(games[name], threat, **options), seconds=0.0)
        save(found, folder / "solutions" / f"{name}.{label}.json", games[name])
    for label, threat in file_threats().items():
        (folder / "threats" / f"{label}.json").write_text(
            json.dumps(threat.to_json()) + "\n", encoding="utf-8"
        )
        if threat.timing == "per-state":
            for kind, horizon in (("exact", None), ("float", None), ("exact", 2)):
                found = certify(games["team"], threat, mixed(3, games["team"], horizon), arithmetic=kind)
                name = f"team.{label}-{'horizon' if horizon else kind}.json"
                save(found, folder / "certificates" / name, games["team"])
    for name in ("solo", "named", "rational", "uneven", "four"):
        found = certify(games[name], ThreatModel(1), mixed(4, games[name]))
        save(found, folder / "certificates" / f"{name}.k1.json", games[name])
    exact = solve(games["levels"], ThreatModel(1, probability="1/3"), exact=True).certificate
    save(exact, folder / "certificates" / "levels.rational.json", games["levels"])
    for name, threat in (("team", ThreatModel(1)), ("named", ThreatModel(1, probability="1/3"))):
        save(
            audit(games[name], threat, mixed(1, games[name])),
            folder / "audits" / f"{name}.mixed.json",
            games[name],
        )
    for name in ("art-exact", "art-sampled"):
        save_checkpoint(file_learner(games["team"], name, 5), folder / "checkpoints" / f"team.{name}.npz")
    for one in theory.search.stored_counterexamples():
        name = f"{one.statement}-without-{one.dropped.replace(' ', '-')}.json"
        one.save(folder / "counterexamples" / name)


def file_learner(game: MarkovGame, name: str, count: int) -> Any:
    """Return the learner of a checkpoint."""
    learner = make_learner(
        name, game, ThreatModel(1), seed=3, **({"episodes": 10} if name == "art-sampled" else {})
    )
    learner.step(count)
    return learner


def files_written(new: Path) -> Cases:
    """What was written, file by file; certificates are judged again."""
    for path in sorted(new.glob("*/*")):
        yield f"{path.parent.name}/{path.name}", partial(file_data, path)


def file_data(path: Path) -> Any:
    """Return what a written file holds."""
    content = path.read_bytes()
    if path.parent.name in ("certificates", "solutions"):
        game = game_of(path)
        data = sealed_data(game, load(path, game))
        data["proof"] |= {"file": json.loads(content), "bytes": sha256(content).hexdigest()}
        return data
    data = json.loads(content) if path.suffix == ".json" else {}
    return data if path.parent.name == "audits" else {**data, "bytes": sha256(content).hexdigest()}


def game_of(path: Path) -> MarkovGame:
    """Return the game that a file belongs to."""
    return load(path.parents[1] / "games" / f"{path.name.split('.')[0]}.json")


def files_read(folder: Path) -> Cases:
    """What is read from recorded files, and whether they are written again to the byte."""
    for path in sorted(folder.glob("*/*")):
        yield f"{path.parent.name}/{path.name}", partial(read_file, path)


def read_file(path: Path) -> dict[str, Any]:
    """Read one recorded file, check what it claims, and write it again."""
    kind = path.parent.name
    with tempfile.TemporaryDirectory() as place:
        again = Path(place) / path.name
        if kind == "games":
            game = load(path)
            save(game, again)
            data = {"hash": game.content_hash, "text": repr(game)}
        elif kind == "threats":
            threat = ThreatModel.from_json(json.loads(path.read_text(encoding="utf-8")))
            again.write_text(json.dumps(threat.to_json()) + "\n", encoding="utf-8")
            points = [str(threat.corruptions(3, agent)) for agent in range(3)]
            data = {"corruptions": sha256("".join(points).encode()).hexdigest(), "text": threat.describe()}
        elif kind == "counterexamples":
            found = theory.search.Counterexample.load(path)
            found.save(again)
            repeated = theory.ledger.repeat(found.evidence)
            data = {"repeated": repeated.same_as(found.evidence), "text": str(found)}
        elif kind == "checkpoints":
            learner = file_learner(game_of(path), path.name.split(".")[1], 0)
            load_checkpoint(learner, path)
            save_checkpoint(learner, again)
            learner.step(2)
            data = {"bytes": digest(*learner.policy)}
        else:
            return read_by_game(path, again)
        return data | {"rewritten": again.read_bytes() == path.read_bytes()}


def read_by_game(path: Path, again: Path) -> dict[str, Any]:
    """Read a policy, an audit's policy, a certificate or a solution's certificate."""
    game, given = game_of(path), json.loads(path.read_text(encoding="utf-8"))
    thing = load(path, game)
    save(thing, again, game)
    if isinstance(thing, Policy):
        data: dict[str, Any] = {"policy": digest(*thing), "horizon": thing.horizon}
        inner = given.get("policy", given)
    else:
        names = [str(path.parents[1] / "games" / f"{path.name.split('.')[0]}.json"), str(path)]
        referee = [sys.executable, "-m", "arneq_exact.referee", *names]
        answer = subprocess.run(referee, env=environment(), capture_output=True, text=True, check=False)
        with redirect_stdout(io.StringIO()) as printed:
            code = arneq(["check", *names])
        data = {
            "own": check_data(check(game, thing)),
            "exact": check_data(check(game, thing, arithmetic="exact")),
            "float": check_data(check(game, thing, arithmetic="float")),
            "referee": {"code": answer.returncode, "line": answer.stdout},
            "command": {"code": code, "stdout": printed.getvalue()},
        }
        inner = given.get("certificate", given)
    # A file inside another one is compared as data: it stands further in.
    same = (
        again.read_bytes() == path.read_bytes() if inner is given else json.loads(again.read_bytes()) == inner
    )
    return data | {"rewritten": same}
