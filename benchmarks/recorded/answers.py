"""Enumerations, several equilibria, enclosures, iterations, learners and curves."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import numpy as np

from arneq_exact import (
    MarkovGame,
    ThreatModel,
    catalog,
    enclose,
    equilibria,
    iterate,
    nash_q,
    robustness_curve,
    solve,
)
from arneq_exact.learning import CONVERGENT, learner_names, make_learner
from arneq_exact.learning.exploration import RandomPairs, Trajectory
from arneq_exact.stage.enumeration import enumerate_equilibria
from recorded.data import Cases, certificate_data, digest
from recorded.files import file_games
from recorded.games import dense, drawn, one_shot, payoffs, table, threats, uneven


def enumerations() -> Cases:
    """All equilibria of stage games, of every class that has an enumeration and of one that has none."""
    two = {
        name: threats(2)[name] for name in ("sets", "distribution", "inequalities", "masks", "masks on sets")
    }
    cases: list[tuple[str, Any, ThreatModel]] = []
    for counts, whole in product(((2, 2), (3, 3), (2, 4)), (False, True)):
        size = f"{counts[0]}x{counts[1]}{' whole' * whole}"
        given = payoffs(sum(counts), *counts, whole=whole)
        cases += [(f"{size} k={k}", given, ThreatModel(k)) for k in (0, 1)]
        cases += [(f"{size} probability {p}", given, ThreatModel(1, probability=p)) for p in ("1/10", "2/3")]
    cases += [(f"2x2 {name}", payoffs(20, 2, 2), threat) for name, threat in two.items()]
    for whole, (name, threat) in product(
        (False, True), ({f"k={k}": ThreatModel(k) for k in range(3)} | threats(3)).items()
    ):
        cases.append((f"2x2x2{' whole' * whole} {name}", payoffs(30 + whole, 2, 2, 2, whole=whole), threat))
    cases += [(f"2x2x2x2 k={k}", payoffs(40, 2, 2, 2, 2), ThreatModel(k)) for k in range(4)]
    cases += [
        ("3x3x2 k=2", payoffs(50, 3, 3, 2), ThreatModel(2)),
        ("3x3x2 k=1", payoffs(50, 3, 3, 2), ThreatModel(1)),
    ]
    cases += [("fractions", [[["1/3", 0], [0, "2/3"]], [["1/7", 0], [0, 1]]], ThreatModel(0))]
    for name, given, threat in cases:
        for state in (0, 1) if threat.masks else (0,):
            yield f"{name}{' state 1' * state}", partial(enumerated, given, threat, state)


def enumerated(given: Any, threat: ThreatModel, state: int) -> dict[str, Any]:
    """Enumerate one stage game."""
    found = enumerate_equilibria(given, threat, state=state)
    return {
        "equilibria": [[one.policy, one.values, one.regret, one.exact] for one in found.equilibria],
        "completeness": found.completeness,
        "argument": found.argument,
        "products": found.products,
        "undecided": found.undecided,
    }


def several() -> Cases:
    """Several equilibria of one game."""
    games = {
        "battle-of-the-sexes k=0": (catalog.load("battle-of-the-sexes"), ThreatModel(0)),
        "climbing k=0": (catalog.load("climbing"), ThreatModel(0)),
        "team-coordination k=1": (catalog.load("team-coordination"), ThreatModel(1)),
        "one-shot n=3 k=1": (one_shot(1, 2, 2, 2), ThreatModel(1)),
        "one-shot n=3 with three actions": (one_shot(2, 3, 3, 3), ThreatModel(1)),
        "nosde k=0": (catalog.load("nosde"), ThreatModel(0)),
        "n=2 k=0": (dense(1, 2, 2, 2), ThreatModel(0)),
        "n=2 k=1": (dense(2, 2, 2, 2), ThreatModel(1)),
        "n=2 probability": (dense(3, 2, 2, 2), ThreatModel(1, probability="1/4")),
        "n=3 k=1": (dense(4, 3, 2, 2), ThreatModel(1)),
        "n=3 masks": (dense(5, 3, 2, 2), threats(3)["masks"]),
        "integer": (drawn(1, table(2, 2, 2), 0.5, "integer"), ThreatModel(0)),
    }
    for name, (game, threat) in games.items():
        yield name, partial(found_several, game, threat)


def found_several(game: MarkovGame, threat: ThreatModel) -> dict[str, Any]:
    """Look for several equilibria from four starts."""
    found = equilibria(game, threat, starts=4, seed=1)
    return {
        "found": [
            {
                "status": one.status,
                "relative_gap": one.relative_gap,
                "values": one.values,
                "starts": one.starts,
                "methods": one.methods,
                "certificate": certificate_data(game, one.certificate),
            }
            for one in found
        ],
        "starts": found.starts,
        "completeness": found.completeness,
        "message": found.message,
        "text": str(found),
    }


def enclosures() -> Cases:
    """Enclosures of equilibria, and reasons why there is none."""
    unanimity = catalog.load("unanimity", values=[1, 2])
    games = {f"one-shot n=3 k=1 {seed}": (one_shot(seed, 2, 2, 2), ThreatModel(1)) for seed in range(4)}
    games |= {f"n=3 k=1 {seed}": (dense(seed, 3, 2, 2), ThreatModel(1)) for seed in range(4)}
    games |= {f"n=2 k=0 {seed}": (dense(seed, 2, 3, 2), ThreatModel(0)) for seed in range(3)}
    games |= {
        f"n=2 probability {seed}": (dense(seed, 2, 2, 2), ThreatModel(1, probability="1/2"))
        for seed in range(2)
    }
    games |= {f"decoupled {seed}": (dense(seed, 3, 2, 2), ThreatModel(2)) for seed in range(2)}
    games["unanimity"] = (unanimity, ThreatModel(1))
    games["nosde"] = (catalog.load("nosde"), ThreatModel(0))
    games["masks"] = (dense(6, 3, 2, 2), threats(3)["masks"])
    games["team"] = (drawn(0, table(2, 2, 2), 0.9, "team"), ThreatModel(0))
    games["constant"] = (drawn(0, table(2, 2, 2), 0.9, "constant"), ThreatModel(1))
    for name, (game, threat) in games.items():
        yield name, partial(enclosed, game, threat, 128)
    yield "unanimity 256 bits", partial(enclosed, unanimity, ThreatModel(1), 256)
    yield "unanimity 64 bits", partial(enclosed, unanimity, ThreatModel(1), 64)


def enclosed(game: MarkovGame, threat: ThreatModel, bits: int) -> dict[str, Any]:
    """Solve and enclose."""
    found = enclose(game, threat, solve(game, threat), bits=bits)
    names = ("enclosed", "reason", "policy", "values", "width", "unique", "radius", "classes", "unknowns")
    return {name: getattr(found, name) for name in names}


def iterations() -> Cases:
    """The procedure with its trace: convergence, cycles, limits."""
    nosde, chance = catalog.load("nosde"), ThreatModel(1, probability="1/3")
    start = np.arange(4.0).reshape(2, 2)
    cases: list[tuple[str, MarkovGame, ThreatModel, dict[str, Any]]] = [
        (f"nosde {selection}", nosde, ThreatModel(0), {"selection": selection})
        for selection in ("first", "nearest", "welfare", "agent-0", "type-a", "type-b")
    ]
    cases += [
        ("nosde from other values", nosde, ThreatModel(0), {"initial_values": start}),
        ("nosde k=1", nosde, ThreatModel(1), {}),
        ("nosde-majority", catalog.load("nosde-majority"), ThreatModel(1), {}),
        ("n=2 k=1", dense(1, 2, 3, 2, 0.5), ThreatModel(1), {}),
        ("n=2 probability", dense(2, 2, 2, 2, 0.5), chance, {}),
        ("n=3 k=1", dense(3, 3, 2, 2, 0.5), ThreatModel(1), {}),
        ("n=3 masks", dense(4, 3, 2, 2, 0.5), threats(3)["masks"], {}),
        ("zero-sum", drawn(1, table(2, 2, 2), 0.5, "zero-sum"), ThreatModel(0), {}),
        ("learning rate", dense(5, 2, 2, 2, 0.5), ThreatModel(0), {"learning_rate": 0.5}),
        (
            "falling learning rate",
            dense(5, 2, 2, 2, 0.5),
            ThreatModel(0),
            {"learning_rate": lambda t: 1 / (1 + t)},
        ),
        ("reference", dense(6, 2, 2, 2, 0.5), ThreatModel(0), {"backend": "reference"}),
    ]
    for name, game, threat, options in cases:
        yield name, partial(iterated, game, threat, options)


def iterated(game: MarkovGame, threat: ThreatModel, options: dict[str, Any]) -> dict[str, Any]:
    """Run the procedure."""
    found = iterate(game, threat, max_iterations=150, **options)
    names = ("policy", "values", "status", "iterations", "residual", "calls")
    trace = {name: getattr(found.trace, name) for name in ("values", "residual", "ratio", "types")}
    cycle = None if found.cycle is None else [found.cycle.period, found.cycle.amplitude]
    return {name: getattr(found, name) for name in names} | {"cycle": cycle, "trace": trace}


def learners() -> Cases:
    """Short runs of every learner, to the byte."""
    three, pair = dense(5, 3, 3, 2), dense(6, 2, 3, 3)
    ending = drawn(7, uneven(7, 3, 3), 0.9, "general", True)
    few = {"episodes": 10, "initial_spread": 1.0}
    cases: list[tuple[str, str, MarkovGame, ThreatModel, int, dict[str, Any]]] = [
        (name, name, three, ThreatModel(1), 3 if name in ("procedure", "solve") else 12, {})
        for name in learner_names()
    ]
    variants: dict[str, dict[str, Any]] = {
        "convergent": {**CONVERGENT, "initial_spread": 1.0},
        "alternating": {"update": "alternating", "averaging": "uniform"},
        "extragradient": {"update": "extragradient", "averaging": "linear"},
        "entropy": {"entropy": 0.1, "entropy_schedule": {"polynomial": {"power": 0.5}}},
        "natural": {"natural": True, "exploration": 0.1},
    }
    cases += [
        (f"art-exact {name}", "art-exact", pair, ThreatModel(1), 12, options)
        for name, options in variants.items()
    ]
    cases += [
        ("art-exact masks", "art-exact", three, threats(3)["masks"], 12, {"initial_spread": 1.0}),
        ("art-exact distribution", "art-exact", three, threats(3)["informed distribution"], 12, {}),
        (
            "art-exact initial",
            "art-exact",
            file_games()["named"],
            ThreatModel(1),
            12,
            {"start": "initial", "initial_spread": 1.0},
        ),
        ("art-exact uneven", "art-exact", ending, ThreatModel(1), 12, {"initial_spread": 1.0}),
        ("art-sampled natural", "art-sampled", pair, ThreatModel(1), 8, {**few, "natural": True}),
        (
            "art-sampled simplex",
            "art-sampled",
            ending,
            ThreatModel(1),
            8,
            {**few, "parametrisation": "simplex", "exploration": 0.1},
        ),
        ("art-sampled static", "art-sampled", three, ThreatModel(1, timing="static"), 8, few),
        ("random-corruption random", "random-corruption", three, ThreatModel(1), 8, {"play": "random"}),
        ("fixed-corruption pair", "fixed-corruption", three, ThreatModel(1), 8, {"corrupted": [0, 1]}),
        ("procedure welfare", "procedure", pair, ThreatModel(0), 4, {"selection": "welfare"}),
    ]
    for label, name, game, threat, count, options in cases:
        yield label, partial(learnt, name, game, threat, count, options)
    runs: dict[str, tuple[MarkovGame, ThreatModel, dict[str, Any]]] = {
        "k=0": (pair, ThreatModel(0), {}),
        "k=1": (pair, ThreatModel(1), {"exploration": RandomPairs()}),
        "probability": (pair, ThreatModel(1, probability="1/2"), {"exploration": Trajectory(0.5, 0.1)}),
        "n=3 k=1": (three, ThreatModel(1), {"updates": 40}),
        "n=3 k=2": (ending, ThreatModel(2), {"step_size": lambda v: 1 / (v + 1)}),
        "welfare": (catalog.load("nosde"), ThreatModel(0), {"selection": "welfare", "updates": 200}),
    }
    for label, (game, threat, options) in runs.items():
        yield f"nash_q {label}", partial(sampled, game, threat, options)


def learnt(
    name: str, game: MarkovGame, threat: ThreatModel, count: int, options: dict[str, Any]
) -> dict[str, Any]:
    """Make a learner's first iterations."""
    learner = make_learner(name, game, threat, seed=7, **options)
    learner.step(count)
    return {
        "policy": learner.policy,
        "bytes": digest(*learner.policy),
        "attack": None if learner.attack is None else digest(*learner.attack),
        "state": {part: digest(array) for part, array in learner.state().items()},
        "settings": learner.settings,
    }


def sampled(game: MarkovGame, threat: ThreatModel, options: dict[str, Any]) -> dict[str, Any]:
    """Run Nash-Q."""
    found = nash_q(game, threat, seed=3, snapshots=4, **{"updates": 2000, **options})
    trace = {name: getattr(found.trace, name) for name in ("updates", "values", "residual")}
    names = ("payoffs", "values", "policy", "visits", "updates", "status", "calls")
    data = {name: getattr(found, name) for name in names}
    return data | {"trace": trace, "bytes": digest(found.payoffs, found.values, *found.policy)}


def curves() -> Cases:
    """Robustness curves over k, over a probability, and with several equilibria at each level."""
    quarters = {"probabilities": ["0", "1/4", "1/2", "3/4", "1"]}
    yield "penalty", partial(curved, catalog.load("penalty", penalty=-10), {})
    yield "threshold-public-good", partial(curved, catalog.load("threshold-public-good"), {})
    yield "static-chain", partial(curved, catalog.load("static-chain"), {"ks": [0, 2]})
    yield "n=3", partial(curved, dense(8, 3, 2, 2), {})
    yield "probabilities", partial(curved, catalog.load("battle-of-the-sexes"), quarters | {"starts": 3})


def curved(game: MarkovGame, options: dict[str, Any]) -> dict[str, Any]:
    """Follow a curve."""
    found = robustness_curve(game, **options)
    return {
        "points": [
            {
                "status": point.status,
                "relative_gap": point.answer.relative_gap,
                "level": point.level,
                "threat": point.threat.to_json(),
                "certificate": certificate_data(game, point.answer.certificate),
                "values": [point.values, point.nash_attacked, point.unattacked, point.price],
                "attack": [one.column for one in point.attack],
            }
            for point in found
        ],
        "records": found.records(),
        "message": found.message,
        "text": str(found),
    }
