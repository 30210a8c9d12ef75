"""A second opinion on a certificate, from the standard library alone.

    python -m arneq_exact.referee GAME.json CERTIFICATE.json

The referee reads both JSON files itself, recomputes the content hash of the game, lists the attacker's
columns and evaluates the bound of [T12] or [T14] one Fraction at a time. It shares no line with the
rest of the package, so that a fault in the game model and one in the checkers would have to agree. The
second file may be a certificate or a solution, which holds its certificate under that key.

For agent i, with y divided by its sum and M(a; c) = Σ_K ω(K) E[r_i + γ_i P v | a_i = a, attack c],

    δU = max_s (max_a Σ_c y(c) M(a; c) − u)₊,  δL = max_s (l − min_c Σ_a π_i(a) M(a; c))₊,
    gap_i ≤ max_s (u − l) + (δU + δL)/(1 − β),  β = γ_i · (largest row sum of P) < 1.

With a horizon T, u_t and l_t stand against the values of t+1, the error at T is max (−u_T)₊ + max (l_T)₊,
each step adds its δU + δL to β times the error after it, and the bound is max_s (u_0 − l_0) + error.
The error and the bound are rounded up to a multiple of 2^-1200 where their denominators are longer.

It prints one line. Exit code 0: the claim is proved; 1: it is refused; 2: a file cannot be read as
what it should be, or the call is wrong.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import sys
from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from itertools import chain, combinations, product
from operator import mul
from typing import Any

Point = tuple[tuple[tuple[int, ...], Fraction], ...]
Row = tuple[list[Fraction], dict[int, Fraction]]
ZERO = Fraction(0)
ROW_SUM_TOLERANCE = Fraction(1, 10**9)
LONGEST_DENOMINATOR = 1200
THREAT_KEYS = ("k", "probability", "sets", "distribution", "inequalities", "informed", "masks", "timing")
LONGEST_TEXT = 4096


class UnreadableError(Exception):
    """A file is not what it should be."""


class RefusedError(Exception):
    """The claim is not proved."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the referee on two files; return the exit code."""
    paths = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if len(paths) != 2:
            raise UnreadableError("usage: python -m arneq_exact.referee GAME.json CERTIFICATE.json")
        game = Game(_load(paths[0]), paths[0])
        data = _load(paths[1])
        if data.get("format") == "arneq-solution":
            data = _typed(data.get("certificate"), dict, f"{paths[1]}: certificate")
        certificate = Certificate(data, game, paths[1])
        bounds = [certificate.proved(agent) for agent in range(game.n)]
    except UnreadableError as error:
        print(f"unreadable: {error}", file=sys.stderr)
        return 2
    except RefusedError as error:
        print(f"refused: {error}")
        return 1
    gaps = ", ".join(f"{name!r} {_upward(bound)}" for name, bound in zip(game.agents, bounds, strict=True))
    horizon = "" if certificate.horizon is None else f", horizon {certificate.horizon}"
    print(f"valid: threat {json.dumps(certificate.threat)}{horizon}; no agent gains more than: {gaps}")
    return 0


# -- reading ------------------------------------------------------------------------------------


def _load(path: str) -> dict[str, Any]:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise UnreadableError(f"{path}: a key occurs twice in one object; must occur once")
        return result

    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file, object_pairs_hook=distinct)
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{path}: cannot be read ({' '.join(str(error).split())[:200]})") from None
    return dict(_typed(data, dict, path))


def _typed(value: Any, kind: type[Any], where: str, length: int | None = None) -> Any:
    if type(value) is not kind:
        raise UnreadableError(f"{where} is {str(value)[:60]!r}; must be a JSON {kind.__name__}")
    if length is not None and len(value) != length:
        raise UnreadableError(f"{where} has {len(value)} entries; must have {length}")
    return value


def _keys(data: dict[str, Any], where: str, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    for key in sorted(set(data) ^ ({*required} | ({*optional} & set(data)))):
        fault = "unknown" if key in data else "missing"
        raise UnreadableError(f"{where}: key {key!r} is {fault}; must be {', '.join([*required, *optional])}")


def _format(data: dict[str, Any], where: str, name: str) -> None:
    if (data.get("format"), data.get("version")) != (name, 1):
        raise UnreadableError(f"{where}: format and version are not {name!r} and 1; must be")


def _number(value: Any, where: str) -> Fraction:
    # "1e999999999" would compute for hours.
    endless = type(value) is str and (len(value) > LONGEST_TEXT or re.search(r"[eE][+-]?\d{5}", value))
    try:
        if type(value) in (int, float, str) and not endless:
            return Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        pass
    raise UnreadableError(f"{where} is {str(value)[:60]!r}; must be a finite number or a string 'p/q'")


def _names(value: Any, where: str) -> list[str]:
    names = [str(_typed(name, str, where)) for name in _typed(value, list, where)]
    if not names or len(set(names)) < len(names):
        raise UnreadableError(f"{where}: names are missing or occur twice; must be distinct")
    return names


class Game:
    """The numbers of a game file, as Fractions, rows in C order of the joint actions."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        _format(data, where, "arneq-game")
        _keys(data, where, ("format", "version", "agents", "discount", "states"), ("initial",))
        self.agents = _names(data["agents"], f"{where}: agents")
        self.n = n = len(self.agents)
        factors = data["discount"] if isinstance(data["discount"], list) else [data["discount"]] * n
        _typed(factors, list, f"{where}: discount", n)
        self.discount = [_number(factor, f"{where}: discount") for factor in factors]
        if not all(0 <= factor <= 1 for factor in self.discount):
            raise UnreadableError(f"{where}: a discount lies outside [0, 1]; must be inside")
        states = [_typed(state, dict, f"{where}: states") for state in _typed(data["states"], list, where)]
        for state in states:
            _keys(state, f"{where}: states", ("name", "actions", "rows"))
        self.states = _names([state["name"] for state in states], f"{where}: states")
        self.counts: list[list[int]] = []
        self.rows: list[dict[tuple[int, ...], Row]] = []
        for name, state in zip(self.states, states, strict=True):
            self._read_state(state, f"{where}: state {name!r}")
        self.row_sum = max(sum(moves.values(), ZERO) for rows in self.rows for _, moves in rows.values())

    def _read_state(self, state: dict[str, Any], where: str) -> None:
        actions = [_names(own, where) for own in _typed(state["actions"], list, f"{where}: actions", self.n)]
        index = {name: number for number, name in enumerate(self.states)}
        found: dict[tuple[int, ...], Row] = {}
        for row in _typed(state["rows"], list, f"{where}: rows"):
            _keys(_typed(row, dict, where), where, ("actions", "rewards", "next"), ("end",))
            chosen = _typed(row["actions"], list, f"{where}: actions", self.n)
            place = f"{where}, row {chosen}"
            if any(action not in own for action, own in zip(chosen, actions, strict=True)):
                raise UnreadableError(f"{place}: an action is unknown; must be one of the state's")
            joint = tuple(own.index(action) for action, own in zip(chosen, actions, strict=True))
            paid = [_number(r, place) for r in _typed(row["rewards"], list, f"{place}: rewards", self.n)]
            given = _typed(row["next"], dict, f"{place}: next")
            if any(name not in index for name in given) or joint in found:
                raise UnreadableError(f"{place}: occurs twice or leads to an unknown state; must not")
            moves = {index[name]: _number(p, f"{place}: next") for name, p in given.items()}
            masses: list[Fraction] = [_number(row.get("end", 0), f"{place}: end"), *moves.values()]
            if min(masses) < 0 or abs(sum(masses, ZERO) - 1) > ROW_SUM_TOLERANCE:
                raise UnreadableError(f"{place}: next and end must be probabilities that sum to 1")
            found[joint] = (paid, {target: moves[target] for target in sorted(moves) if moves[target]})
        self.counts.append([len(own) for own in actions])
        if len(found) < math.prod(self.counts[-1]):
            raise UnreadableError(f"{where}: has {len(found)} rows; must have one for each joint action")
        self.rows.append({joint: found[joint] for joint in product(*map(range, self.counts[-1]))})

    def content_hash(self) -> str:
        """SHA-256 of the canonical exact content."""
        rows = [row for state in self.rows for row in state.values()]
        starts = [0]
        for _, moves in rows:
            starts.append(starts[-1] + len(moves))
        digest = hashlib.sha256(b"arneq-game-content-1")
        digest.update(_integers([self.n, len(self.states), *(c for own in self.counts for c in own)]))
        digest.update(_reals(self.discount))
        digest.update(_reals([reward for paid, _ in rows for reward in paid]))
        digest.update(_integers(starts))
        digest.update(_integers([target for _, moves in rows for target in moves]))
        digest.update(_reals([p for _, moves in rows for p in moves.values()]))
        return digest.hexdigest()


def _integers(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def _reals(values: list[Fraction]) -> bytes:
    try:
        doubles = [float(value) for value in values]
    except OverflowError:
        raise UnreadableError("a number of the game lies beyond double precision; must lie within") from None
    exceptions = "".join(
        f"{index}:{value.numerator}/{value.denominator};"
        for index, (value, double) in enumerate(zip(values, doubles, strict=True))
        if Fraction(double) != value
    )
    return struct.pack(f"<{len(doubles)}d", *doubles) + exceptions.encode("ascii")


def extreme_points(threat: dict[str, Any], n: int, agent: int, where: str) -> list[Point]:
    """Return the extreme points of Ω_i, each a tuple of (corruption set, probability)."""
    _keys(threat, f"{where}: threat", (), THREAT_KEYS)
    others = {j for j in range(n) if j != agent}
    try:
        rho = _number(threat.get("probability", 1), where)
        most = _typed(threat.get("k", n), int, where)
        masked = any(threat.get("masks", {}).values())
        proper = threat.get("timing", "per-state") == "per-state" and 0 <= rho <= 1
        if "distribution" in threat:
            law = {tuple(sorted(set(K))): _number(p, where) for K, p in threat["distribution"][str(agent)]}
            total = sum(law.values(), ZERO)
            points = [[(K, p / total) for K, p in law.items()]]
            proper = proper and rho == 1 and min(law.values()) >= 0 and abs(total - 1) <= ROW_SUM_TOLERANCE
            proper = proper and not {"sets", "inequalities"} & {*threat} and all(len(K) <= most for K in law)
        else:
            by_size = chain.from_iterable(
                combinations(sorted(others), m) for m in range(min(most, n - 1) + 1)
            )
            listed = threat["sets"][str(agent)] if "sets" in threat else by_size
            family = list(dict.fromkeys(tuple(sorted(set(K))) for K in listed))
            proper = proper and family != [] and ("k" in threat) != ("sets" in threat)
            if "inequalities" in threat:
                pair = threat["inequalities"]
                pair = pair if "G" in pair else pair[str(agent)]
                rows = [[_number(entry, where) for entry in row] for row in pair["G"]]
                corners = vertices(len(family), rows, [_number(entry, where) for entry in pair["h"]])
                points = [list(zip(family, corner, strict=True)) for corner in corners]
                proper = proper and "probability" not in threat and points != []
            else:
                kept = [K for K in family if masked or not any(set(K) < set(other) for other in family)]
                kept = [*kept, ()] if masked and rho < 1 else kept
                points = [[((), 1 - rho), (K, rho)] if K else [((), Fraction(1))] for K in kept]
        if not proper or any(not others.issuperset(K) for point in points for K, _ in point):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        raise UnreadableError(f"{where}: threat is {str(threat)[:60]}; must fit the game") from None
    laws = [{K: weight for K, weight in point if weight} for point in points]
    sets = sorted({K for law in laws for K in law}, key=lambda K: (len(K), K))
    laws.sort(key=lambda law: [law.get(K, ZERO) for K in sets], reverse=True)
    return list(dict.fromkeys(tuple((K, law[K]) for K in sets if K in law) for law in laws))


def vertices(size: int, rows: list[list[Fraction]], bounds: list[Fraction]) -> list[tuple[Fraction, ...]]:
    """Return the vertices of the simplex cut by Gω ≤ h: points that no other is as tight as, and more."""
    points = [tuple(Fraction(int(j == k)) for j in range(size)) for k in range(size)]
    if any(len(row) != size for row in rows):
        raise ValueError
    for row, bound in zip(rows, bounds, strict=True):
        slack = {point: bound - sum(map(mul, row, point), ZERO) for point in points}
        pairs = [(a, b) for a in points for b in points if slack[a] > 0 > slack[b]]
        points = [point for point in points if slack[point] >= 0]
        for a, b in pairs:
            share = slack[a] / (slack[a] - slack[b])
            points.append(tuple(x + share * (y - x) for x, y in zip(a, b, strict=True)))
        tight = {
            p: {j for j, w in enumerate(p) if not w}
            | {size + r for r, g in enumerate(rows) if sum(map(mul, g, p), ZERO) == bounds[r]}
            for p in points
        }
        points = [point for point in tight if not any(tight[point] < other for other in tight.values())]
    return points


def masked_actions(threat: dict[str, Any], game: Game, where: str) -> dict[tuple[int, int], list[int]]:
    """Return what a corrupted agent can play, by (agent, state), where that is not everything."""
    numbers = {str(number): number for number in range(max(game.n, len(game.states)))}
    try:
        listed = [(i, s, own) for i, states in threat.get("masks", {}).items() for s, own in states.items()]
        masks = {(numbers[i], numbers[s]): sorted(set(own)) for i, s, own in listed}
        if not all(own and {*own} <= {*range(game.counts[s][i])} for (i, s), own in masks.items()):
            raise ValueError
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise UnreadableError(f"{where}: masks are {str(threat['masks'])[:60]}; must fit the game") from None
    return masks


class Certificate:
    """The numbers of a certificate file, as Fractions, and the verdict on them."""

    def __init__(self, data: dict[str, Any], game: Game, where: str) -> None:
        _format(data, where, "arneq-certificate")
        parts = ("policy", "attacker", "upper", "lower", "epsilon")
        _keys(data, where, ("format", "version", "game", "threat", "arithmetic", "horizon", *parts))
        if data["game"] != game.content_hash():
            raise RefusedError(f"{where}: the certificate is of another game; must be of this one")
        if data["arithmetic"] not in ("exact", "float"):
            raise UnreadableError(f"{where}: arithmetic is neither 'exact' nor 'float'; must be")
        self.game, self.where, self.arithmetic = game, where, data["arithmetic"]
        self.threat = _typed(data["threat"], dict, f"{where}: threat")
        self.horizon = data["horizon"]
        if self.horizon is not None and _typed(self.horizon, int, f"{where}: horizon") < 1:
            raise UnreadableError(f"{where}: horizon is {self.horizon}; must be null or at least 1")
        self.informed = _typed(self.threat.get("informed", False), bool, f"{where}: informed")
        self.masks = masked_actions(self.threat, game, where)
        self.points = [extreme_points(self.threat, game.n, i, where) for i in range(game.n)]
        states, timed = len(game.states), [] if self.horizon is None else [self.horizon]
        self.policy, self.attacker = (
            [
                self._read(table, f"{where}: {name} of agent {i}", [*timed, states, None])
                for i, table in enumerate(_typed(data[name], list, f"{where}: {name}", game.n))
            ]
            for name in ("policy", "attacker")
        )
        sizes = [*(size + 1 for size in timed), game.n, states]
        self.upper, self.lower = (self._read(data[name], f"{where}: {name}", sizes) for name in parts[2:4])
        self.claims = [_number(x, where) for x in _typed(data["epsilon"], list, f"{where}: epsilon", game.n)]

    def _read(self, data: Any, where: str, sizes: list[int | None]) -> Any:
        """Nested lists of numbers of the given sizes; None is any size."""
        if not sizes:
            return _number(data, where)
        return [self._read(entry, where, sizes[1:]) for entry in _typed(data, list, where, sizes[0])]

    def proved(self, agent: int) -> Fraction:
        """Return the recomputed bound of an agent; refuse a claim that it does not prove."""
        claim, bound = self.claims[agent], self._bound(agent)
        if claim < bound or (self.arithmetic == "exact" and claim != bound):
            name = f"{self.where}: epsilon of {self.game.agents[agent]!r}"
            raise RefusedError(f"{name} is {_upward(claim)}; must be the recomputed {_upward(bound)}")
        return bound

    def _bound(self, agent: int) -> Fraction:
        """Return ε of one agent, by the formulas above."""
        beta = self.game.discount[agent] * self.game.row_sum
        if self.horizon is None:
            if beta >= 1:
                raise RefusedError(f"{self.where}: discount times largest row sum is not below 1; must be")
            first = (self.upper[agent], self.lower[agent])
            residual = self._residual(agent, self.policy, self.attacker[agent], first, first)
            error = _shortened(residual / (1 - beta))
        else:
            hints = [(u[agent], v[agent]) for u, v in zip(self.upper, self.lower, strict=True)]
            first = hints[0]
            error = max(ZERO, *(-u for u in hints[-1][0])) + max(ZERO, *hints[-1][1])
            for t in reversed(range(self.horizon)):
                policy = [table[t] for table in self.policy]
                residual = self._residual(agent, policy, self.attacker[agent][t], hints[t], hints[t + 1])
                error = _shortened(residual + beta * error)
        return _shortened(max(u - v for u, v in zip(*first, strict=True)) + error)

    def _residual(self, agent: int, policy: Any, attacker: Any, now: Any, later: Any) -> Fraction:
        """Return δU + δL of one step."""
        rise = fall = ZERO
        for state, counts in enumerate(self.game.counts):
            name = f"{self.where}: bound of {self.game.agents[agent]!r}, state {self.game.states[state]!r}"
            pi = [table[state] for table in policy]
            for row, count in zip(pi, counts, strict=True):
                if len(row) != count or min(row) < 0 or sum(row) != 1:
                    raise RefusedError(f"{name}: a policy does not sum to exactly 1; must")
            high, low = (self._stage(agent, state, pi, values) for values in later)
            y = attacker[state]
            if len(y) != len(high[0]) or min(y) < 0 or not sum(y):
                raise RefusedError(f"{name}: attacker has no {len(high[0])} proper weights; must")
            best = max(sum(map(mul, y, line), ZERO) / sum(y) for line in high)
            worst = min(sum(map(mul, pi[agent], column), ZERO) for column in zip(*low, strict=True))
            rise, fall = max(rise, best - now[0][state]), max(fall, now[1][state] - worst)
        return rise + fall

    def _stage(self, agent: int, state: int, pi: list[list[Fraction]], values: list[Fraction]) -> Any:
        """Return M as a list over own actions of lists over columns."""
        game, others = self.game, [j for j in range(self.game.n) if j != agent]
        backed = {
            joint: paid[agent] + game.discount[agent] * sum((p * values[to] for to, p in moves.items()), ZERO)
            for joint, (paid, moves) in game.rows[state].items()
        }
        # means[K][(a_i, a_K)] = E[backed | a_i, a_K], the agents outside K and i following π.
        sets = {members for point in self.points[agent] for members, _ in point}
        means: dict[tuple[int, ...], dict[tuple[int, ...], Fraction]] = {members: {} for members in sets}
        for joint, value in backed.items():
            for members, mean in means.items():
                key = (joint[agent], *(joint[j] for j in members))
                chance = math.prod((pi[j][joint[j]] for j in others if j not in members), start=Fraction(1))
                mean[key] = mean.get(key, ZERO) + chance * value
        matrix: list[list[Fraction]] = [[] for _ in range(game.counts[state][agent])]
        for point in self.points[agent]:
            decided = [(K, j) for K, _ in point for j in K]
            informed = self.informed and len({j for _, j in decided}) < len(decided)
            if not informed:
                decided = sorted({((), j) for _, j in decided})
            choices = (self.masks.get((j, state), range(game.counts[state][j])) for _, j in decided)
            for actions in product(*choices):
                attack = dict(zip(decided, actions, strict=True))
                for own, line in enumerate(matrix):
                    parts = (
                        w * means[K][(own, *[attack[K if informed else (), j] for j in K])] for K, w in point
                    )
                    line.append(sum(parts, ZERO))
        return matrix


def _shortened(value: Fraction) -> Fraction:
    if value.denominator.bit_length() <= LONGEST_DENOMINATOR:
        return value
    return Fraction(math.ceil(value * 2**LONGEST_DENOMINATOR), 2**LONGEST_DENOMINATOR)


def _upward(value: Fraction) -> str:
    """Six digits, rounded up."""
    up = Context(prec=6, rounding=ROUND_CEILING)
    return str(up.divide(Decimal(value.numerator), Decimal(value.denominator)))


if __name__ == "__main__":
    sys.exit(main())
