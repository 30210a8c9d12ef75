"""Solves of every class of games and threats, by every method."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

from arneq_exact import (
    MarkovGame,
    ThreatModel,
    catalog,
    check,
    solve,
)
from recorded.data import Cases, Problems, solution_data
from recorded.games import (
    DISCOUNTS,
    KINDS,
    LARGE,
    METHODS,
    dense,
    drawn,
    mixed,
    one_shot,
    table,
    threats,
    uneven,
)


def solves() -> Cases:
    """Whole solves of every class."""
    groups = (
        dense_problems(),
        sparse_problems(),
        kinds_problems(),
        threatened_problems(),
        uneven_problems(),
        exact_problems(),
        episodic_problems(),
        horizon_problems(),
        one_shot_problems(),
        reference_problems(),
        method_problems(),
        option_problems(),
        catalog_problems(),
    )
    for group in groups:
        for name, game, threat, options in group:
            yield name, partial(solved, game, threat, options)


def solved(game: MarkovGame, threat: ThreatModel, options: dict[str, Any]) -> dict[str, Any]:
    """Solve, and check the certificate."""
    found = solve(game, threat, **options)
    return {
        "game": game.content_hash,
        "threat": threat.to_json(),
        "valid": check(game, found.certificate, threat).valid,
        "solution": solution_data(game, found),
    }


def dense_problems() -> Problems:
    """Yield dense random games, n = 1–4, every k."""
    for n, variants in ((1, 6), (2, 9), (3, 7), (4, 4)):
        for k, variant in product((*range(n), n + 2) if n < 4 else range(n), range(variants)):
            discount, actions = DISCOUNTS[variant % 3], 2 + (variant % 2 if n < 4 else 0)
            game = dense(100 * n + variant, n, 1 + variant % 4, actions, discount)
            yield f"dense n={n} k={k} {variant}", game, ThreatModel(k), {}


def sparse_problems() -> Problems:
    """Yield sparse random games and those with whole rewards."""
    for n, whole, seed in product((2, 3), (False, True), range(3)):
        for k in range(n):
            options = {"agents": n, "states": 8, "actions": 2, "successors": 2, "integer": whole}
            game = catalog.load("random-sparse", seed=seed, **options)
            yield f"sparse n={n} k={k} {'whole ' * whole}{seed}", game, ThreatModel(k), {}


def kinds_problems() -> Problems:
    """Yield degenerate and awkward games of all kinds."""
    for (number, kind), seed in product(enumerate(KINDS), range(4)):
        n = 2 if kind == "zero-sum" else 2 + seed % 2
        discount = "3/4" if kind.startswith("rational") else DISCOUNTS[seed % 3]
        game = drawn(10 * number + seed, table(n, 3, 2 + seed // 2), discount, kind)
        yield f"{kind} {seed}", game, ThreatModel(seed % n), {}


def threatened_problems() -> Problems:
    """Yield games under general threats, n = 2–4."""
    for n in (2, 3, 4):
        for number, (name, threat) in enumerate(threats(n).items()):
            for seed in range(1 if n == 4 else 2):
                game = dense(1000 + 10 * number + seed, n, 2, 2, DISCOUNTS[(number + seed) % 3])
                yield f"{name} n={n} {seed}", game, threat, {}


def uneven_problems() -> Problems:
    """Yield games with action counts by state and discounts by agent."""
    for n, seed in product((2, 3), range(4)):
        for k in range(n):
            game = drawn(seed, uneven(seed, n, 4), [0.3, 0.9, 0.6][:n])
            yield f"uneven n={n} k={k} {seed}", game, ThreatModel(k), {}


def exact_problems() -> Problems:
    """Yield rational games solved in rational numbers, and some where there is no such answer."""
    exact = {"exact": True}
    risks = {"k=0": ThreatModel(0), "k=1": ThreatModel(1), "probability": ThreatModel(1, probability="1/3")}
    for (name, threat), seed in product(risks.items(), range(3)):
        shot = drawn(seed, table(2, 1, 2 + seed), 0, "rational levels")
        yield f"exact one-shot {name} {seed}", shot, threat, exact
        levels = drawn(seed, table(2, 3, 2), "3/4", "rational levels")
        yield f"exact levels {name} {seed}", levels, threat, exact
        yield (
            f"exact horizon {name} {seed}",
            drawn(seed, table(2, 2, 2), 1, "rational"),
            threat,
            exact | {"horizon": 3},
        )
    for seed in range(3):
        game = drawn(seed, table(3, 2, 2), "1/2", "rational levels")
        yield f"exact decoupled {seed}", game, ThreatModel(2), exact
        yield f"exact three agents {seed}", game, ThreatModel(1), exact
        yield (
            f"exact recurrent {seed}",
            drawn(seed, table(2, 2, 2), "1/2", "rational"),
            ThreatModel(seed % 2),
            exact,
        )
    yield (
        "exact few bits",
        drawn(0, table(2, 3, 3), "3/4", "rational levels"),
        ThreatModel(0),
        exact | {"bits": 8},
    )
    masks = threats(2)["masks with probability"]
    yield "exact masks", drawn(0, table(2, 2, 2), "3/4", "rational levels"), masks, exact


def episodic_problems() -> Problems:
    """Yield games whose episodes end by chance."""
    for n, seed in product((2, 3), range(3)):
        for k in range(n):
            discount = [0.9, 0.99][seed % 2]
            kind = ("general", "integer", "one successor")[seed]
            yield (
                f"episodic n={n} k={k} {seed}",
                drawn(seed, table(n, 4, 2), discount, kind, True),
                ThreatModel(k),
                {},
            )


def horizon_problems() -> Problems:
    """Yield finite horizons, discount 1 among them."""
    for n, horizon in product((1, 2, 3), (1, 2, 4)):
        for k in range(n):
            game = drawn(horizon, uneven(horizon, n, 3), [1, 0.9][horizon % 2], ending=k % 2 == 1)
            yield f"horizon {horizon} n={n} k={k}", game, ThreatModel(k), {"horizon": horizon}
    for n in (2, 3):
        for number, (name, threat) in enumerate(threats(n).items()):
            yield f"horizon 3 {name} n={n}", drawn(number, table(n, 2, 2), 1), threat, {"horizon": 3}


def one_shot_problems() -> Problems:
    """Yield one-shot games."""
    for counts, whole, seed in product(
        ((4,), (2, 3), (3, 3), (2, 2, 2), (3, 2, 2), (2, 2, 2, 2)), (False, True), range(2)
    ):
        for k in range(len(counts)):
            size = "x".join(map(str, counts))
            game = one_shot(seed, *counts, whole=whole)
            yield f"one-shot {size} k={k} {'whole ' * whole}{seed}", game, ThreatModel(k), {}


def reference_problems() -> Problems:
    """Yield games for the reference backend: two agents, or a threat that decouples."""
    for seed, k in product(range(3), range(2)):
        game = drawn(seed, table(2, 2, 2), 0.8, KINDS[seed])
        yield f"reference k={k} {seed}", game, ThreatModel(k), {"backend": "reference"}
    for seed in range(3):
        chance = ThreatModel(1, probability="1/3")
        yield f"reference probability {seed}", dense(seed, 2, 2, 2), chance, {"backend": "reference"}
        yield f"reference decoupled {seed}", dense(seed, 3, 2, 2), ThreatModel(2), {"backend": "reference"}
    yield "reference n=3 k=1", dense(0, 3, 1, 2), ThreatModel(1), {"backend": "reference"}


def method_problems() -> Problems:
    """Yield one game of each class for every named method, whether the method takes it or not."""
    games = {
        "n=1": (dense(0, 1, 3, 3), ThreatModel(0)),
        "n=2 k=0": (dense(1, 2, 3, 2), ThreatModel(0)),
        "n=2 k=1": (dense(2, 2, 3, 3), ThreatModel(1)),
        "n=2 probability": (dense(3, 2, 2, 2), ThreatModel(1, probability="1/2")),
        "n=3 k=0": (dense(4, 3, 2, 2), ThreatModel(0)),
        "n=3 k=1": (dense(5, 3, 2, 2), ThreatModel(1)),
        "n=3 k=2": (dense(6, 3, 2, 3), ThreatModel(2)),
        "n=3 masks": (dense(7, 3, 2, 2), threats(3)["masks"]),
        "nosde": (catalog.load("nosde"), ThreatModel(0)),
        "levels": (drawn(3, table(2, 4, 2), 0.9, "rational levels"), ThreatModel(0)),
    }
    for method, (name, (game, threat)) in product(METHODS, games.items()):
        yield f"{method} {name}", game, threat, {"method": method}
    yield "backward-induction horizon", *games["n=3 k=1"], {"method": "backward-induction", "horizon": 2}
    yield "no such method", *games["n=1"], {"method": "none"}


def option_problems() -> Problems:
    """Yield other seeds, tolerances and starts."""
    game, threat = dense(11, 3, 3, 2), ThreatModel(1)
    for seed in (1, 2, 3):
        yield f"seed {seed}", game, threat, {"seed": seed}
        yield f"seed {seed}, degenerate", drawn(seed, table(3, 3, 2), 0.9, "team"), threat, {"seed": seed}
    for tol in (1e-3, 1e-12, 1e-18):
        yield f"tol {tol}", game, threat, {"tol": tol}
    for seed in range(3):
        yield f"start {seed}", game, threat, {"start": mixed(seed, game)}
        yield f"start {seed} horizon", game, threat, {"start": mixed(seed, game, 2), "horizon": 2}
    pair = dense(12, 2, 3, 3)
    yield "start at the answer", pair, ThreatModel(0), {"start": solve(pair, ThreatModel(0))}
    yield "start of another game", pair, ThreatModel(0), {"start": mixed(0, game)}
    yield "no time", game, threat, {"time_limit": 0}
    yield "discount 1", drawn(0, table(2, 2, 2), 1), ThreatModel(0), {}
    yield "static", game, ThreatModel(1, timing="static"), {}
    yield "threat of another game", pair, threats(3)["sets"], {}


def catalog_problems() -> Problems:
    """Yield the catalog's small games at every k, and two larger ones."""
    for name in catalog.names():
        if name not in LARGE:
            game = catalog.load(name)
            for k in range(game.n_agents):
                yield f"{name} k={k}", game, ThreatModel(k), {}
    yield "grid-game-1 k=1", catalog.load("grid-game-1"), ThreatModel(1), {}
    yield "patrolling k=0", catalog.load("patrolling"), ThreatModel(0), {}
