"""`load` and `save` for everything that has a file format, by what the object or the file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arneq_exact.errors import FileError, InputError
from arneq_exact.model.files import load_game, load_policy, save_game, save_policy
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_reading import read_json
from arneq_exact.model.json_writing import write_json
from arneq_exact.model.policy import Policy
from arneq_exact.model.policy_json import policy_from_json
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.certificate_json import certificate_from_json, certificate_to_json


def save(thing: Any, path: str | Path, game: MarkovGame | None = None) -> None:
    """Write a game, policy, certificate, solution or audit.

    Parameters
    ----------
    thing : MarkovGame, Policy, Certificate, Solution or Audit
    path : str or Path
        Games by extension: ``.json`` for people, ``.npz`` for size. All else is JSON.
    game : MarkovGame, optional
        The game that all but a game belongs to; it holds the names.

    Raises
    ------
    InputError
        If the object has no file format, or its game is missing.
    FileError
        If the file cannot be written.
    """
    if isinstance(thing, MarkovGame):
        save_game(thing, path)
        return
    # Solutions and audits are known by their parts: importing them would pull in every solver.
    is_result = hasattr(thing, "to_json") and (hasattr(thing, "certificate") or hasattr(thing, "by_set"))
    if not is_result and not isinstance(thing, Policy | Certificate):
        raise InputError(
            f"save: {type(thing).__name__} has no file format; must be a game, policy, "
            "certificate, solution or audit"
        )
    if game is None:
        raise InputError(f"save: game is missing; must be given with a {type(thing).__name__}")
    if isinstance(thing, Policy):
        save_policy(thing, game, path)
    elif isinstance(thing, Certificate):
        write_json(certificate_to_json(thing, game), path)
    else:
        write_json(thing.to_json(game), path)


def load(path: str | Path, game: MarkovGame | None = None) -> MarkovGame | Policy | Certificate:
    """Read a game, or with `game` a policy or a certificate.

    A solution's file is read as the certificate that it holds, an audit's as the policy: no more is
    proved or needed.

    Raises
    ------
    FileError
        If the file is none of these, or breaks its format; the message names the place.
    """
    if game is None:
        return load_game(path)
    data = read_json(path)
    kind = data.get("format")
    if kind == "arneq-policy":
        return load_policy(path, game)
    if kind == "arneq-audit":
        return policy_from_json(data.get("policy"), game, f"{path}: policy")
    if kind in ("arneq-certificate", "arneq-solution"):
        return load_certificate(path, game)
    raise FileError(f"{path}: format is {kind!r}; must be arneq-policy, -audit, -certificate or -solution")


def load_certificate(path: str | Path, game: MarkovGame) -> Certificate:
    """Read a certificate, or the certificate in a solution's file."""
    return read_certificate(path, game)[0]


def read_certificate(path: str | Path, game: MarkovGame) -> tuple[Certificate, dict[str, Any] | None]:
    """Read a certificate; from a solution's file also the data around it, which may claim more."""
    data = read_json(path)
    if data.get("format") != "arneq-solution":
        return certificate_from_json(data, game, str(path)), None
    if "certificate" not in data:
        raise FileError(f"{path}: key 'certificate' is missing; a solution must hold one")
    return certificate_from_json(data["certificate"], game, f"{path}: certificate"), data
