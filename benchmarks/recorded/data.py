"""Answers as plain data: what is written to JSON and compared."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from arneq_exact import (
    ArneqError,
    Certificate,
    CheckResult,
    MarkovGame,
    Policy,
    Solution,
    ThreatModel,
    check,
    save,
)

Cases = Iterator[tuple[str, Callable[[], Any]]]
"""Names, and what computes the data of each."""


Problems = Iterator[tuple[str, MarkovGame, ThreatModel, dict[str, Any]]]


def plain(value: Any) -> Any:
    """Return data for JSON that keeps every bit; Fractions and what is not finite become texts."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | Policy):
        return [plain(part) for part in value]
    return value


def digest(*arrays: Any) -> str:
    """Return a hash of the bytes and shapes of arrays."""
    total = sha256()
    for array in map(np.ascontiguousarray, arrays):
        total.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return total.hexdigest()


def certificate_data(game: MarkovGame, certificate: Certificate) -> Any:
    """Return a certificate as its file has it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        save(certificate, path, game)
        return json.loads(path.read_text(encoding="utf-8"))


def solution_data(game: MarkovGame, solution: Solution) -> dict[str, Any]:
    """Return a solution with its exact values, without its seconds."""
    return replace(solution, seconds=0.0).to_json(game) | {"exact_values": plain(solution.exact_values)}


def sealed_data(game: MarkovGame, certificate: Certificate) -> dict[str, Any]:
    """Return a certificate that was made, with its gap, and whether each arithmetic accepts it."""
    own, exact, rounded = (check(game, certificate, arithmetic=kind) for kind in (None, "exact", "float"))
    return {
        "proof": {
            "status": "certificate",
            "relative_gap": own.relative,
            "certificate": certificate_data(game, certificate),
        },
        "valid": [own.valid, exact.valid, rounded.valid],
    }


def check_data(result: CheckResult) -> dict[str, Any]:
    """Return a verdict: exact bounds as they are, bounds of the float checker as numbers."""
    bounds = result.epsilon if result.arithmetic == "exact" else [float(bound) for bound in result.epsilon]
    return {"valid": result.valid, "bounds": bounds, "relative": result.relative, "reason": result.reason}


def computed(compute: Callable[[], Any]) -> Any:
    """Return what is computed as plain data; a refusal by its class and message, a crash by its error."""
    try:
        data = compute()
    except ArneqError as error:
        data = {"refused": type(error).__name__, "message": str(error)}
    except Exception as error:
        data = {"crashed": f"{type(error).__name__}: {error}"}
    return json.loads(json.dumps(plain(data), allow_nan=False))


def text_of(data: Any) -> str:
    """Return the one text of an item's data."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
