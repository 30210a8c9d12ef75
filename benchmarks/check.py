"""How long the checkers take, and what they prove.

    python benchmarks/check.py [--large]

Dense random games (n = 3, A = 3) go through the exact checker, the float checker and, up to S = 50, the
referee on JSON files; a sparse game of S = 10,000 (five successors a row, k = 1) through the float checker.
The evidence is arbitrary: the time does not depend on how good the bound is. `excess` is the float bound
over the exact one, minus 1. Last, the float bound is held against the exact one on 1,000 small games that
cancel, mix scales, underflow, or are rational.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from arneq_exact import referee
from arneq_exact.model.files import game_to_json, write_json
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate_json import certificate_to_json
from arneq_exact.proof.check import check
from arneq_exact.proof.check_float import CHECKING_WIDTH, evaluate_float

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "proof"))

from certificate_builder import build, random_hints, random_policy
from certificate_rounding_cases import compare


def dense_game(rng, n_states, n=3, most=3):
    """Every state can follow every row."""
    shape = (n_states, *(most,) * n)
    transitions = rng.dirichlet(np.ones(n_states), size=shape)
    return MarkovGame.from_arrays(rng.uniform(-1, 1, (n, *shape)), transitions, 0.9)


def sparse_game(rng, n_states, n=3, most=3, successors=5):
    """Five of the next forty states can follow a row."""
    rows = n_states * most**n
    near = np.sort(np.argpartition(rng.random((rows, 40)), successors, axis=1)[:, :successors], axis=1)
    targets = near + np.minimum(np.arange(rows) // most**n, n_states - 40)[:, None]
    weights = rng.dirichlet(np.ones(successors), size=rows)
    starts = np.arange(0, rows * successors + 1, successors)
    matrix = sp.csr_array((weights.ravel(), targets.ravel(), starts), shape=(rows, n_states))
    return MarkovGame(rng.uniform(-1, 1, (rows, n)), matrix, np.full((n_states, n), most), 0.9)


def seconds(action, repeats=3):
    """Least time of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def referee_seconds(game, certificate):
    """Time of the referee, files included."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/game.json", f"{folder}/certificate.json"]
        write_json(game_to_json(game), paths[0])
        write_json(certificate_to_json(certificate, game), paths[1])
        with contextlib.redirect_stdout(io.StringIO()):
            return seconds(lambda: referee.main(paths), repeats=1)


def main(large: bool = False) -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print(f"{'game':<28}{'exact s':>10}{'float s':>10}{'referee s':>11}{'excess':>11}")
    for n_states, k in ((10, 1), (50, 1), (100, 1), (200, 2)):
        game, threat = dense_game(rng, n_states), ThreatModel(k)
        made = build(game, threat, random_policy(rng, game), found=random_hints(rng, game, threat))
        assert check(game, made, threat).valid
        exact = seconds(lambda game=game, made=made: check(game, made))
        quick = seconds(lambda game=game, made=made: evaluate_float(game, made, CHECKING_WIDTH))
        loose = evaluate_float(game, made, CHECKING_WIDTH)[0]
        excess = max(float(a / b - 1) for a, b in zip(loose, made.epsilon, strict=True))
        slow = f"{referee_seconds(game, made):.2f}" if n_states <= 50 else "–"
        print(f"dense  S={n_states:<6} n=3 A=3 k={k}  {exact:>10.3f}{quick:>10.4f}{slow:>11}{excess:>11.1e}")
    for n_states in (10_000, 100_000) if large else (10_000,):
        game, threat = sparse_game(rng, n_states), ThreatModel(1)
        hints = random_hints(rng, game, threat)
        made = build(game, threat, random_policy(rng, game), arithmetic="float", found=hints)
        assert check(game, made, threat).valid
        quick = seconds(lambda game=game, made=made: check(game, made))
        print(f"sparse S={n_states:<6} n=3 A=3 k=1  {'–':>10}{quick:>10.3f}{'–':>11}{'–':>11}")
    below, closest = compare(seed=1, games=1000)
    print(f"float bound below the exact one in {below} of 1000 games; least relative excess {closest:.1e}")


if __name__ == "__main__":
    main("--large" in sys.argv)
