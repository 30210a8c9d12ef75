"""Mutated certificates, re-sealed as well as a forger could, and the judgement on each.

A mutant keeps what a careless checker would look at consistent: the content hash is that of the mutated
game, shapes fit, policies sum to exactly 1, and the claim is either the old one or what a checker that
skips a step would compute (no residuals, 1 in place of 1/(1−β), and so on). Whether its claim is false
is decided by brute force on the tiny game (`gap_bracket`), whether its evidence supports the claim by
the bare formula (`bare_bound`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from certificate_brute_force import bare_bound, gap_bracket
from certificate_builder import build, hints, on_grid, random_game, random_policy, random_threat

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check import check
from arneq_exact.proof.columns import column_counts

LEAST_FORMAL = 4
"""Kinds that hash or format alone refuses are built from every so-many-th base only."""


@dataclass
class Mutant:
    """A certificate that claims something about a game, and the threat that the caller means."""

    kind: str
    game: MarkovGame
    certificate: Certificate
    threat: ThreatModel


@dataclass
class Verdict:
    """What the judges and the checker say about a mutant."""

    kind: str
    false: bool
    supported: bool
    accepted: bool
    formal: bool
    reason: str


def base(rng, number):
    """A random tiny game with an honest, tight certificate; all arithmetics and horizons take turns."""
    n = (2, 3, 3, 2, 1)[number % 5]
    horizon = 2 if number % 3 == 2 else None
    game = random_game(rng, n, 2, 2, discount=0.75, rational=number % 4 == 1, ragged=number % 2 == 0)
    threat = ThreatModel(1) if number % 2 else random_threat(rng, n)
    policy = random_policy(rng, game, horizon)
    found = hints(game, threat, policy, horizon)
    return game, build(game, threat, policy, horizon, "float" if number % 4 == 3 else "exact", found), found


def mutants(rng, number):
    """Yield every mutation that applies to base `number`, the honest certificate first."""
    game, honest, _ = base(rng, number)
    n, timed = game.n_agents, honest.horizon is not None
    spread = tuple(
        max(Fraction(u) - Fraction(v) for u, v in zip(*pair, strict=True))
        for pair in zip(
            *(table[0] if timed else table for table in (honest.upper, honest.lower)), strict=True
        )
    )
    one = int(rng.integers(n))

    def mutant(kind, changed=game, **parts):
        return Mutant(kind, changed, replace(honest, game=changed.content_hash, **parts), honest.threat)

    def per_agent(values, agent, value):
        return tuple(value if i == agent else old for i, old in enumerate(values))

    yield mutant("honest")
    # -- the claim
    yield mutant("claim zero", epsilon=(Fraction(0),) * n)
    yield mutant("claim halved", epsilon=tuple(e / 2 for e in honest.epsilon))
    yield mutant("claim a little lower", epsilon=tuple(e * (1 - Fraction(1, 2**20)) for e in honest.epsilon))
    yield mutant(
        "claim rounded down", epsilon=tuple(Fraction(float(e) * (1 - 1e-15)) for e in honest.epsilon)
    )
    yield mutant("claims of other agents", epsilon=honest.epsilon[1:] + honest.epsilon[:1])
    yield mutant("claim negative", epsilon=tuple(-e for e in honest.epsilon))
    # -- u and l, with the claim of a checker that forgets the residuals
    drop = rng.uniform(0.01, 1) * (float(max(spread)) + 0.1)
    lowered, raised = honest.upper - drop, honest.lower + drop
    yield mutant("u lowered", upper=lowered)
    yield mutant(
        "u lowered, claim without residuals", upper=lowered, epsilon=tuple(s - Fraction(drop) for s in spread)
    )
    yield mutant(
        "l raised, claim without residuals", lower=raised, epsilon=tuple(s - Fraction(drop) for s in spread)
    )
    yield mutant("u = l, claim zero", upper=honest.lower, epsilon=(Fraction(0),) * n)
    half = replace(honest, upper=lowered)
    shifts = bare_bound(game, half)[1]
    cheap = tuple(s - Fraction(drop) + shift / 4 for s, shift in zip(spread, shifts, strict=True))
    yield mutant("u lowered, residual without 1/(1-beta)", upper=lowered, epsilon=cheap)
    order = np.roll(np.arange(n), 1)
    yield mutant(
        "u and l of other agents", upper=honest.upper[..., order, :], lower=honest.lower[..., order, :]
    )
    yield mutant("u of other states", upper=honest.upper[..., ::-1], lower=honest.lower[..., ::-1])
    # -- y
    tables = tuple(np.roll(table, 1, axis=-1) for table in honest.attacker)
    counts = [column_counts(game, honest.threat, agent) for agent in range(n)]
    if all(np.ptp(widths) == 0 for widths in counts):
        yield mutant("columns rotated", attacker=tables)
        firsts = tuple(np.eye(t.shape[-1])[np.zeros(t.shape[:-1], dtype=int)] for t in tables)
        yield mutant("columns dropped but the first", attacker=firsts)
        yield mutant("columns dropped, claim zero", attacker=firsts, epsilon=(Fraction(0),) * n)
    yield mutant("y scaled", attacker=tuple(table * 0.75 for table in honest.attacker))
    # -- π
    other = random_policy(rng, game, honest.horizon)
    yield mutant("another policy", policy=other)
    yield mutant("another policy of one agent", policy=per_agent(honest.policy, one, other[one]))
    nudged = _nudged(game, honest.policy[one], one)
    yield mutant("policy nudged", policy=per_agent(honest.policy, one, nudged))
    if n > 1 and honest.policy[0].shape == honest.policy[1].shape and np.ptp(game.action_counts[:, :2]) == 0:
        swapped = (honest.policy[1], honest.policy[0], *honest.policy[2:])
        yield mutant("policies swapped", policy=swapped)
    # -- the game
    yield mutant("reward raised", _changed(game, rng, "reward"))
    yield mutant("a probability moved", _changed(game, rng, "transition"))
    yield mutant("rewards of other agents", _changed(game, rng, "agents"))
    yield mutant("discount raised", _changed(game, rng, "discount"))
    if not timed:
        yield mutant(
            "discount raised, claim zero", _changed(game, rng, "discount"), epsilon=(Fraction(0),) * n
        )
    # -- the threat
    for kind, threat in _other_threats(honest.threat, n):
        made = replace(honest, threat=threat, attacker=_refitted(game, threat, honest))
        yield Mutant(kind, game, made, threat)
    # -- time
    if timed:
        flipped = {name: tuple(t[::-1] for t in getattr(honest, name)) for name in ("policy", "attacker")}
        yield mutant("policy of other steps", policy=flipped["policy"])
        yield mutant("steps reversed", **flipped, upper=honest.upper[::-1], lower=honest.lower[::-1])
        low_end, high_end = honest.upper.copy(), honest.lower.copy()
        low_end[-1] -= drop
        high_end[-1] += drop
        yield mutant("u below 0 at the end", upper=low_end)
        yield mutant("l above 0 at the end, claim zero", lower=high_end, epsilon=(Fraction(0),) * n)
        cut = {name: tuple(t[1:] for t in getattr(honest, name)) for name in ("policy", "attacker")}
        yield mutant("first step cut", **cut, upper=honest.upper[1:], lower=honest.lower[1:], horizon=1)
        last = {name: tuple(t[0] for t in getattr(honest, name)) for name in ("policy", "attacker")}
        yield mutant("horizon dropped", **last, upper=honest.upper[0], lower=honest.lower[0], horizon=None)
    else:
        twice = {
            name: tuple(np.stack([t, t]) for t in getattr(honest, name)) for name in ("policy", "attacker")
        }
        ends = {name: np.stack([getattr(honest, name)] * 3) for name in ("upper", "lower")}
        yield mutant("horizon invented", **twice, **ends, horizon=2)
    # -- what hash or format alone refuses
    if number % LEAST_FORMAL == 0:
        yield replace(mutant("reward raised, hash kept", _changed(game, rng, "reward")), certificate=honest)
        short = honest.policy[one].copy()
        short[short == short.max()] -= 2.0**-52
        yield mutant("policy sums to less than 1", policy=per_agent(honest.policy, one, short))
        yield mutant("y negative", attacker=tuple(-table for table in honest.attacker))
        yield Mutant("expected threat differs", game, honest, ThreatModel(0 if honest.threat.k else 1))


def _nudged(game, table, agent):
    """Move about 1 % of the mass towards uniform, on the grid."""
    moved = table.copy()
    for place in np.ndindex(table.shape[:-1]):
        count = int(game.action_counts[place[-1], agent])
        moved[place][:count] = on_grid(0.99 * table[place][:count] + 0.01 / count)
    return moved


def _changed(game, rng, what):
    """A game that differs in one number, or in whose rewards are whose."""
    counts, n = game.action_counts, game.n_agents
    exact = game.exact
    rewards = [
        [exact.reward(row, i) if exact else game.rewards[row, i] for i in range(n)]
        for row in range(game.n_rows)
    ]
    matrix, transitions = game.transitions, []
    for row in range(game.n_rows):
        entries = range(matrix.indptr[row], matrix.indptr[row + 1])
        transitions.append(
            [
                (
                    Fraction(exact.transition_numerators[e], exact.transition_denominators[row])
                    if exact
                    else matrix.data[e],
                    int(matrix.indices[e]),
                )
                for e in entries
            ]
        )
    ends = list(game.termination) if game.termination is not None else None
    discount = 0.75
    row = int(rng.integers(game.n_rows))
    if what == "reward":
        rewards[row] = [reward + Fraction(1, 2) if exact else reward + 0.5 for reward in rewards[row]]
    elif what == "agents":
        rewards = [paid[1:] + paid[:1] for paid in rewards]
    elif what == "discount":
        discount = 0.875
    else:
        share, target = transitions[row][0]
        other = (target + 1) % game.n_states
        kept = [(p, s) for p, s in transitions[row] if s not in (target, other)]
        rest = sum(p for p, s in transitions[row] if s == other)
        transitions[row] = [*kept, (share / 4, target), (rest + share - share / 4, other)]
    return MarkovGame.from_rows(counts, rewards, transitions, discount, termination=ends)


def _other_threats(threat, n):
    if threat.k is not None and threat.distribution is None and threat.inequalities is None:
        rho = threat.probability
        if threat.k < n - 1:
            yield "claim of a smaller k", ThreatModel(threat.k + 1, probability=rho)
        if threat.k > 0 and n > 1:
            yield "claim of a larger k", ThreatModel(threat.k - 1, probability=rho)
            yield "claim of another probability", ThreatModel(threat.k, probability="1/8" if rho else "1/2")
    elif n > 1:
        yield "claim of other sets", ThreatModel(n - 1)
    yield "claim of a less informed attacker", replace(threat, informed=not threat.informed)
    yield "claim under other masks", replace(threat, masks=None if threat.masks else {n - 1: {0: [0]}})
    if threat.inequalities is not None:
        yield "claim under other inequalities", replace(threat, inequalities=None)


def _refitted(game, threat, honest):
    """Keep what fits of y in its columns under another threat, and fill up with ones."""
    result = []
    for agent, table in enumerate(honest.attacker):
        counts = column_counts(game, threat, agent)
        new = np.zeros((*table.shape[:-1], int(counts.max())))
        shared = min(new.shape[-1], table.shape[-1])
        new[..., :shared] = table[..., :shared]
        beyond = np.arange(new.shape[-1])[None, :] >= counts[:, None]
        new[np.broadcast_to(beyond, new.shape)] = 0
        for place in np.ndindex(new.shape[:-1]):
            count = counts[place[-1]]
            new[place][:count] = (
                new[place][:count] / new[place].sum() if new[place].sum() > 0.1 else 1 / count
            )
        result.append(new)
    return tuple(result)


class Judge:
    """Decides by brute force; remembers the true gaps of games, threats and policies seen before."""

    def __init__(self):
        self._known = {}

    def true_gap(self, mutant):
        """Bracket of the gaps under the threat that the caller means."""
        made = mutant.certificate
        tables = tuple(table.tobytes() for table in made.policy)
        key = (mutant.game.content_hash, repr(mutant.threat.to_json()), made.horizon, tables)
        if key not in self._known:
            found = hints(mutant.game, mutant.threat, made.policy, made.horizon)
            self._known[key] = gap_bracket(mutant.game, mutant.threat, made.policy, found, made.horizon)
        return self._known[key]

    def verdict(self, mutant):
        """Judge and check one mutant."""
        made, game = mutant.certificate, mutant.game
        result = check(game, made, mutant.threat)
        formal = not result.valid and not result.epsilon
        low, _ = self.true_gap(mutant)
        false = any(claim < gap for claim, gap in zip(made.epsilon, low, strict=True))
        supported = False
        if not formal:
            bound, _ = bare_bound(game, made)
            pairs = list(zip(made.epsilon, bound, strict=True))
            supported = all(c == b if made.arithmetic == "exact" else c >= b for c, b in pairs)
        return Verdict(mutant.kind, false, supported, result.valid, formal, result.reason)


def sample(seed, count):
    """Judge `count` mutants; the honest certificates come on top of the count."""
    rng, judge, verdicts, made, number = np.random.default_rng(seed), Judge(), [], 0, 0
    while made < count:
        for mutant in mutants(rng, number):
            verdicts.append(judge.verdict(mutant))
            made += mutant.kind != "honest"
            if made >= count:
                break
        number += 1
    return verdicts


def tally(verdicts):
    """Counts per kind of what was made, is sound or false, and was accepted or refused."""
    table = {}
    for verdict in verdicts:
        row = table.setdefault(verdict.kind, Counter())
        row["made"] += 1
        row["sound"] += verdict.supported
        row["accepted"] += verdict.accepted
        row["unsound accepted"] += verdict.accepted and not verdict.supported
        row["sound refused"] += verdict.supported and not verdict.accepted
        row["false"] += verdict.false
        row["false accepted"] += verdict.false and verdict.accepted
        row["by hash or format"] += verdict.formal
    return table
