"""The JSON form of a certificate: every number exact, every list as long as its state needs.

::

    {"format": "arneq-certificate", "version": 1, "game": "<content hash>", "threat": {"k": 1},
     "arithmetic": "exact", "horizon": null,
     "policy": [agent][state][action], "attacker": [agent][state][column],
     "upper": [agent][state], "lower": [agent][state], "epsilon": ["p/q", ...]}

With a horizon T the first two read [agent][step][state][…] and u and l read [t][agent][state], t = 0…T.
Numbers are JSON numbers, taken at the exact value of the double, or strings "p/q".
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import CertificateError, InputError
from arneq_exact.exact.rationals import IntArray, double_or_fraction, to_fraction
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_reading import as_list, as_object, check_format, check_keys
from arneq_exact.model.json_writing import plain
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.fit import own_counts, require_fit
from arneq_exact.require import shown

FORMAT = "arneq-certificate"
VERSION = 1
"""Raised when the format changes in a way that old readers would misread."""
KEYS = (
    "format",
    "version",
    "game",
    "threat",
    "arithmetic",
    "horizon",
    "policy",
    "attacker",
    "upper",
    "lower",
    "epsilon",
)


def certificate_to_json(certificate: Certificate, game: MarkovGame) -> dict[str, Any]:
    """Return the certificate as data for a JSON file; `certificate_from_json` gives back the same.

    Raises
    ------
    CertificateError
        If it is no certificate of `game`.
    """
    if certificate.game != game.content_hash:
        raise CertificateError(
            "certificate_to_json: the certificate belongs to another game; must be its own"
        )
    require_fit(game, certificate)
    counts = [own_counts(game, certificate.threat, agent) for agent in range(game.n_agents)]
    timed = certificate.horizon is not None
    return {
        "format": FORMAT,
        "version": VERSION,
        "game": certificate.game,
        "threat": certificate.threat.to_json(),
        "arithmetic": certificate.arithmetic,
        "horizon": certificate.horizon,
        "policy": [
            _ragged(table, own, timed) for table, (own, _) in zip(certificate.policy, counts, strict=True)
        ],
        "attacker": [
            _ragged(table, own, timed) for table, (_, own) in zip(certificate.attacker, counts, strict=True)
        ],
        "upper": _plain_table(certificate.upper.tolist()),
        "lower": _plain_table(certificate.lower.tolist()),
        "epsilon": [plain(claim) for claim in certificate.epsilon],
    }


def certificate_from_json(data: Any, game: MarkovGame, where: str = "certificate") -> Certificate:
    """Return the certificate that `data` describes; it is read, not checked.

    Parameters
    ----------
    data : parsed JSON
    game : MarkovGame
        The game at hand. If the certificate names it, every list must be as long as the game says;
        one of another game is read without its numbers, for `check` to refuse.
    where : str
        The name of the file, for messages.

    Raises
    ------
    CertificateError
        Names the place, the value and the rule that it breaks.
    """
    try:
        return _read(as_object(data, where), game, where)
    except InputError as error:
        # Constructors name their class; a reader of files needs the name of the file there.
        message = str(error).removeprefix("ThreatModel: ").removeprefix("Certificate: ")
        named = message if message.startswith(where) else f"{where}: {message}"
        raise CertificateError(named) from None


def _ragged(table: NDArray[Any], counts: IntArray, timed: bool) -> list[Any]:
    if timed:
        return [_ragged(step, counts, False) for step in table]
    return [
        [plain(value) for value in row[:count]]
        for row, count in zip(table.tolist(), counts.tolist(), strict=True)
    ]


def _plain_table(values: list[Any]) -> list[Any]:
    return [_plain_table(value) if isinstance(value, list) else plain(value) for value in values]


def _read(top: dict[str, Any], game: MarkovGame, where: str) -> Certificate:
    check_format(top, where, FORMAT, VERSION)
    check_keys(top, where, KEYS)
    horizon = top["horizon"]
    if horizon is not None and (type(horizon) is not int or horizon < 1):
        raise CertificateError(
            f"{where}: horizon is {shown(horizon)}; must be null or an integer of at least 1"
        )
    for name, rule in (("game", "a content hash"), ("arithmetic", "'exact' or 'float'")):
        if not isinstance(top[name], str) or (name == "arithmetic" and top[name] not in ("exact", "float")):
            raise CertificateError(f"{where}: {name} is {shown(top[name])}; must be {rule}")
    threat = ThreatModel.from_json(top["threat"], f"{where}: threat")
    if top["game"] != game.content_hash:
        none = np.zeros((0, 0))
        return Certificate(top["game"], threat, (), (), none, none, (), top["arithmetic"], horizon)
    threat.require_fit(game.action_counts)
    tables: dict[str, list[NDArray[Any]]] = {}
    for position, name in enumerate(("policy", "attacker")):
        listed = as_list(top[name], f"{where}: {name}", game.n_agents, "agents")
        tables[name] = [
            _agent_table(
                per_agent,
                f"{where}: {name} of agent {game.agent_name(agent)!r}",
                own_counts(game, threat, agent)[position].tolist(),
                horizon,
            )
            for agent, per_agent in enumerate(listed)
        ]
    claims = as_list(top["epsilon"], f"{where}: epsilon", game.n_agents, "agents")
    sizes = [game.n_agents, game.n_states]
    if horizon is not None:
        sizes = [horizon + 1, *sizes]
    upper: Any = _numbers(top["upper"], f"{where}: upper", sizes)
    lower: Any = _numbers(top["lower"], f"{where}: lower", sizes)
    return Certificate(
        game=top["game"],
        threat=threat,
        policy=tuple(tables["policy"]),
        attacker=tuple(tables["attacker"]),
        upper=upper,
        lower=lower,
        epsilon=tuple(to_fraction(claim, f"{where}: epsilon") for claim in claims),
        arithmetic=top["arithmetic"],
        horizon=horizon,
    )


def _agent_table(data: Any, where: str, counts: list[int], horizon: int | None) -> NDArray[Any]:
    """Return (S, widest) from ragged rows, or (T, S, widest) with a horizon."""
    steps = [data] if horizon is None else as_list(data, where, horizon, "steps")
    rows: list[list[float | Fraction]] = []
    for number, step in enumerate(steps):
        place = where if horizon is None else f"{where}, step {number}"
        listed = as_list(step, place, len(counts), "states")
        for state, (row, count) in enumerate(zip(listed, counts, strict=True)):
            rows.append(_numbers(row, f"{place}, state number {state}", [count]))
    widest = max(counts)
    kind = object if any(isinstance(value, Fraction) for row in rows for value in row) else np.float64
    table = np.zeros((len(rows), widest), dtype=kind)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table if horizon is None else table.reshape(horizon, -1, widest)


def _numbers(data: Any, where: str, sizes: list[int]) -> list[Any]:
    """Return nested lists of numbers of the given sizes."""
    size, *inner = sizes
    entries = as_list(data, where, size, "entries")
    if inner:
        return [_numbers(entry, f"{where}, entry {index}", inner) for index, entry in enumerate(entries)]
    return [double_or_fraction(entry, where) for entry in entries]
