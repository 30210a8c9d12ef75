"""Does a certificate fit its game at all? Shapes, signs and sums, before any arithmetic is spent.

The proof of [T12] uses that π and every y_i are probability distributions: π must sum to exactly 1
(`math.fsum` decides that for doubles: it rounds the exact sum once, so it returns 0 only for 0), and y
must be nonnegative and not zero, since the checkers divide it by its exact sum. u and l are arbitrary.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import CertificateError
from arneq_exact.exact.rationals import IntArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.columns import ColumnGroup, column_counts, column_groups, counted


def own_counts(game: MarkovGame, threat: ThreatModel, agent: int) -> tuple[IntArray, IntArray]:
    """Return the numbers (S,) of actions and of attacker columns of `agent` in each state."""
    return game.action_counts[:, agent], column_counts(game, threat, agent)


def require_fit(game: MarkovGame, certificate: Certificate) -> list[list[ColumnGroup]]:
    """Refuse a certificate whose parts are not what their names say.

    Returns
    -------
    list
        For each agent what its attacker can do, state by state: checkers go on from there.

    Raises
    ------
    CertificateError
        With the place, the value and the rule, in one line.
    ThreatError
        If the threat does not fit the game.
    """
    n, horizon = game.n_agents, certificate.horizon
    certificate.threat.require_fit(game.action_counts)
    if certificate.threat.timing != "per-state":
        raise CertificateError(
            f"Certificate: threat is {certificate.threat.describe()}; must be drawn anew at every state, "
            "as the bound assumes"
        )
    if certificate.arithmetic not in ("exact", "float"):
        raise CertificateError(
            f"Certificate: arithmetic is {certificate.arithmetic!r}; must be 'exact' or 'float'"
        )
    if horizon is not None and (isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1):
        raise CertificateError(f"Certificate: horizon is {horizon!r}; must be an integer of at least 1")
    for name, parts in (
        ("policies", certificate.policy),
        ("attackers", certificate.attacker),
        ("claimed epsilons", certificate.epsilon),
    ):
        if len(parts) != n:
            raise CertificateError(f"Certificate: {len(parts)} {name} are given; must be one per agent: {n}")
    for name, values in (("upper", certificate.upper), ("lower", certificate.lower)):
        shape = (n, game.n_states) if horizon is None else (horizon + 1, n, game.n_states)
        if values.shape != shape:
            raise CertificateError(f"Certificate: {name} has shape {values.shape}; must be {shape}")
        if values.dtype != object and not np.isfinite(values).all():
            raise CertificateError(f"Certificate: {name} holds a number that is not finite; must be finite")
    groups = [column_groups(game, certificate.threat, agent) for agent in range(n)]
    for agent, own in enumerate(groups):
        columns = counted(own, game.n_states)
        _require_rows(game, "policy", agent, certificate.policy[agent], game.action_counts[:, agent], horizon)
        _require_rows(game, "attacker", agent, certificate.attacker[agent], columns, horizon)
    return groups


def _require_rows(
    game: MarkovGame, name: str, agent: int, table: NDArray[Any], counts: IntArray, horizon: int | None
) -> None:
    """Require rows of nonnegative numbers, zero past `counts`; a policy's sum to exactly 1."""
    owner = f"Certificate: {name} of agent {game.agent_name(agent)!r}"
    shape: tuple[int, ...] = (game.n_states, int(counts.max()))
    if horizon is not None:
        shape = (horizon, *shape)
    if table.shape != shape:
        raise CertificateError(f"{owner} has shape {table.shape}; must be {shape}")
    beyond = np.arange(shape[-1])[None, :] >= counts[:, None]
    wrong = ~(table >= 0) | (beyond & (table != 0))
    if table.dtype != object:
        wrong |= ~np.isfinite(table)
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        raise CertificateError(
            f"{owner} {_place(game, place[:-1])}, entry {place[-1]}, is {table[place]}; "
            f"must be finite, at least 0, and 0 past the state's {counts[place[-2]]} entries"
        )
    rows = table.reshape(-1, shape[-1])
    if name == "attacker":
        bad = np.flatnonzero((rows == 0).all(axis=1))
    else:
        bad = np.array([index for index, row in enumerate(rows.tolist()) if not _sums_to_one(row)])
    if bad.size:
        place = tuple(int(index) for index in np.unravel_index(int(bad[0]), shape[:-1]))
        total = float(sum(rows[int(bad[0])].tolist()))
        rule = "have a positive entry" if name == "attacker" else "sum to exactly 1"
        raise CertificateError(f"{owner} {_place(game, place)} sums to {total!r}; must {rule}")


def _sums_to_one(row: list[Any]) -> bool:
    if isinstance(row[0], float):
        return math.fsum([*row, -1.0]) == 0.0
    return sum(row, Fraction(0)) == 1


def _place(game: MarkovGame, place: tuple[int, ...]) -> str:
    step = f"at step {place[0]} " if len(place) == 2 else ""
    return f"{step}in state {game.state_name(place[-1])!r}"
