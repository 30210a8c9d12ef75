"""Judgements of given policies, certificates and forgeries, audits, episodes, statements, the catalog."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from arneq_exact import (
    Certificate,
    MarkovGame,
    Policy,
    ThreatModel,
    audit,
    best_response,
    catalog,
    certify,
    check,
    explore,
    gap,
    robust_values,
    simulate,
    state_graph,
    static_response_bounds,
    static_values,
    theory,
    worst_attack,
)
from arneq_exact.cli import main as arneq
from recorded.data import Cases, check_data, digest, sealed_data
from recorded.games import dense, drawn, mixed, one_shot, table, threats, uneven


def judged_games() -> Iterator[tuple[str, MarkovGame, ThreatModel]]:
    """Yield games and threats for given policies, of every kind."""
    for n in (2, 3):
        game = dense(60 + n, n, 2, 2)
        listed = {f"k={k}": ThreatModel(k) for k in range(n)} | threats(n)
        for name, threat in listed.items():
            yield f"n={n} {name}", game, threat
    yield "n=1", dense(61, 1, 3, 3), ThreatModel(0)
    yield "uneven", drawn(62, uneven(62, 3, 4), [0.3, 0.9, 0.6]), ThreatModel(1)
    yield "rational", drawn(63, table(2, 3, 3), "3/4", "rational"), ThreatModel(1, probability="1/3")
    yield "ending", drawn(64, table(2, 3, 2), 0.99, "integer", True), ThreatModel(0)


def judgements() -> Cases:
    """Robust values, gaps, best responses and worst attacks of given policies."""
    for name, game, threat in judged_games():
        yield name, partial(judged, game, threat, mixed(1, game))
        yield f"{name} horizon 2", partial(judged, game, threat, mixed(2, game, 2))
    coin = one_shot(3, 2, 2)
    yield "static", partial(judged, coin, ThreatModel(1, timing="static"), Policy.uniform(coin))
    endless = drawn(1, table(2, 2, 2), 1)
    yield "discount 1", partial(judged, endless, ThreatModel(0), Policy.uniform(endless))


def judged(game: MarkovGame, threat: ThreatModel, policy: Policy) -> dict[str, Any]:
    """Judge a policy for every agent."""
    attacks, replies = [], []
    for agent in range(game.n_agents):
        found = worst_attack(game, threat, policy, agent)
        words = [found.describe(game, state) for state in range(game.n_states)]
        attacks.append({"column": found.column, "text": "\n".join(words)})
        reply = best_response(game, threat, policy, agent)
        replies.append([reply.value, reply.policy, reply.attack])
    return {
        "robust_values": robust_values(game, threat, policy),
        "gap": gap(game, threat, policy),
        "worst_attack": attacks,
        "best_response": replies,
    }


def certificates() -> Cases:
    """Certificates of given policies in both arithmetics."""
    for number, (name, game, threat) in enumerate(judged_games()):
        kind = ("exact", "float", None)[number % 3]
        horizon = 2 if number % 4 == 3 else None
        label = f"{name}{f', {kind}' if kind else ''}{', horizon' if horizon else ''}"
        yield label, partial(certified, game, threat, mixed(3, game, horizon), kind)


def certified(game: MarkovGame, threat: ThreatModel, policy: Policy, kind: str | None) -> dict[str, Any]:
    """Certify a policy and check the certificate."""
    return sealed_data(game, certify(game, threat, policy, arithmetic=kind))


def forgeries() -> Cases:
    """Certificates that were tampered with: refused, and why."""
    for name, horizon in (("stationary", None), ("horizon", 2)):
        game, threat = dense(70, 3, 2, 2), ThreatModel(1)
        honest = certify(game, threat, mixed(4, game, horizon))
        lower = tuple(bound - Fraction(1, 2**200) for bound in honest.epsilon)
        swapped = (honest.policy[1], honest.policy[0], *honest.policy[2:])
        forged: dict[str, dict[str, Any]] = {
            "honest": {},
            "lowered": {"epsilon": lower},
            "zero": {"epsilon": (0, 0, 0)},
            "negative": {"epsilon": (-1, -1, -1)},
            "raised": {"epsilon": tuple(bound + 1 for bound in honest.epsilon)},
            "other threat": {"threat": ThreatModel(2)},
            "no threat": {"threat": ThreatModel(0)},
            "other game": {"game": "0" * 64},
            "other play": {"policy": swapped},
            "no sum": {"policy": tuple(part * 0.5 for part in honest.policy)},
            "no attack": {"attacker": tuple(part * 0 for part in honest.attacker)},
            "values up": {"lower": honest.lower + 1},
            "values down": {"upper": honest.upper - 1},
            "other horizon": {"horizon": 3 if horizon else 1},
            "missing agent": {"epsilon": lower[:2]},
        }
        for kind, parts in forged.items():
            for arithmetic in ("exact", "float"):
                label = f"{name} {kind}, {arithmetic}"
                yield label, partial(verdict_on, game, honest, parts | {"arithmetic": arithmetic}, threat)


def verdict_on(
    game: MarkovGame, honest: Certificate, parts: dict[str, Any], threat: ThreatModel
) -> dict[str, Any]:
    """Check a certificate with some parts replaced."""
    return check_data(check(game, replace(honest, **parts), threat))


def audits() -> Cases:
    """Audits of given policies."""
    for name, game, threat in judged_games():
        if name.split(" ", 1)[-1] in (
            "k=1",
            "masks",
            "distribution",
            "informed",
            "sets",
            "uneven",
            "n=1",
            "ending",
        ):
            yield name, partial(audited, game, threat)
    yield "static", partial(audited, dense(65, 3, 2, 2), ThreatModel(1, timing="static"))


def audited(game: MarkovGame, threat: ThreatModel) -> dict[str, Any]:
    """Audit a policy."""
    return audit(game, threat, mixed(5, game)).to_json(game)


def static() -> Cases:
    """Values under corruption that stays, and bounds on best responses to it."""
    for name, game, threat in judged_games():
        yield name, partial(stayed, game, threat)
        yield f"{name} bounds", partial(bounded, game, threat)
    chain = catalog.load("static-chain")
    yield "static-chain", partial(stayed, chain, ThreatModel(1))


def stayed(game: MarkovGame, threat: ThreatModel) -> dict[str, Any]:
    """Evaluate a policy under corruption that stays."""
    found = static_values(game, threat, mixed(6, game))
    sets = [{str(members): values for members, values in own.items()} for own in found.by_set]
    before = found.before(np.full(game.n_states, 1 / game.n_states))
    same = robust_values(game, replace(threat, timing="static"), mixed(6, game))
    return {"values": found.values, "worst": found.worst, "by_set": sets, "before": before, "same": same}


def bounded(game: MarkovGame, threat: ThreatModel) -> list[Any]:
    """Bound what best responses to corruption that stays are worth."""
    policy = mixed(6, game)
    found = [static_response_bounds(game, threat, policy, agent) for agent in range(game.n_agents)]
    return [[one.lower, one.upper, one.response] for one in found]


def episodes() -> Cases:
    """Simulated episodes, explored games, graphs of states."""
    ending = drawn(80, uneven(80, 3, 4), 0.9, "general", True)
    yield "ending", partial(simulated, ending, mixed(7, ending), {})
    yield "start", partial(simulated, ending, mixed(7, ending), {"start": 1})
    yield "horizon", partial(simulated, ending, mixed(7, ending, 12), {"start": [0.5, 0, 0, 0.5]})
    yield "endless", partial(simulated, dense(81, 2, 3, 2), Policy.uniform(dense(81, 2, 3, 2)), {})
    for name in ("nosde", "nosde-majority", "static-chain", "grid-game-1"):
        yield f"graph of {name}", partial(graphed, catalog.load(name))
    yield "explored", explored


def simulated(game: MarkovGame, policy: Policy, options: dict[str, Any]) -> dict[str, Any]:
    """Simulate some episodes."""
    run = simulate(game, policy, 12, max_steps=10, seed=5, **options)
    data = {name: getattr(run, name) for name in ("states", "actions", "rewards", "lengths", "ended")}
    return data | {"returns": run.returns(game.discount)}


def graphed(game: MarkovGame) -> dict[str, Any]:
    """Return the graph of a game's states."""
    graph = state_graph(game)
    return {
        "nodes": [str(node) for node in graph.nodes(data=True)],
        "edges": [str(edge) for edge in graph.edges(data=True)],
    }


def explored() -> dict[str, Any]:
    """Return what is explored from the rules of a small race."""

    def step(place: tuple[int, int], joint: Any) -> Any:
        ahead = tuple(min(at + (action == "go"), 3) for at, action in zip(place, joint, strict=True))
        over = 3 in ahead
        after = None if over else ahead
        return [int(at == 3) - int(over and at < 3) for at in ahead], [("1/2", after), ("1/2", place)]

    game = explore([(0, 0)], ["one", "two"], lambda place: [["go", "stay"]] * 2, step, "9/10")
    names = [game.state_name(state) for state in range(game.n_states)]
    return {"hash": game.content_hash, "states": names, "text": repr(game)}


def statements() -> Cases:
    """Every statement of the theory on four drawn games."""
    for one in theory.ledger.statements():
        yield one.id, partial(stated, one.id)


def stated(name: str) -> dict[str, Any]:
    """Run one statement."""
    one = theory.ledger.statement(name)
    found = theory.run.run([name], games=4, seed=0)
    samples = [
        [sample.index, sample.family, sample.verdict, sample.margin, sample.tolerance, sample.only_a]
        for sample in found.samples
        if sample.statement == name
    ]
    claims = {hypothesis.name: hypothesis.text for hypothesis in one.hypotheses}
    return {
        "samples": samples,
        "evidence": len(found.evidence),
        "about": [one.title, one.claim, claims, one.status, one.source, list(one.families)],
    }


def catalogued() -> Cases:
    """What the catalog says of every game, and every known answer."""
    for name in catalog.names():
        yield name, partial(listed, name)
        for number in range(len(catalog.entry(name).answers)):
            yield f"{name} answer {number}", partial(answered, name, number)


def listed(name: str) -> dict[str, Any]:
    """Return an entry of the catalog, as it is printed as well."""
    entry = catalog.entry(name)
    game = entry.load()
    with redirect_stdout(io.StringIO()) as printed:
        arneq(["games", name])
    return {
        "hash": game.content_hash,
        "sizes": [entry.sizes, game.n_agents, game.n_states, game.n_rows],
        "names": digest(np.array([game.state_name(state) for state in range(game.n_states)])),
        "parameters": {key: [default, meaning] for key, (default, meaning) in entry.parameters.items()},
        "text": printed.getvalue(),
    }


def answered(name: str, number: int) -> dict[str, Any]:
    """Return a known answer, its policy by a hash."""
    answer = catalog.entry(name).answers[number]
    game = catalog.load(name, **answer.parameters)
    return {
        "hash": game.content_hash,
        "threat": answer.threat.to_json(),
        "values": {state: list(map(str, row)) for state, row in answer.exact_values().items()},
        "kind": [answer.label, answer.unique, answer.exact, answer.tolerance, answer.horizon],
        "policy": None if answer.policy is None else digest(*answer.policy(game)),
        "text": answer.source,
    }
