"""A second opinion on a certificate, from the standard library alone.

    python -m arneq_exact.referee GAME.json CERTIFICATE.json

The referee reads both JSON files itself, recomputes the content hash of the game, lists the attacker's
columns and evaluates the bound of [T12] or [T14] one Fraction at a time. It shares no line with the
rest of the package, so that a fault in the game model and one in the checkers would have to agree. The
second file may be a certificate or a solution, of which the certificate alone is judged.

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
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from itertools import accumulate, chain, combinations, product
from operator import mul
from typing import Any

Set = tuple[int, ...]
Point = tuple[tuple[Set, Fraction], ...]
# The sets that may be drawn, with their probabilities and the actions of their members.
Column = list[tuple[Fraction, Set, tuple[int, ...]]]
Row = tuple[list[Fraction], dict[int, Fraction]]
# The limits of the checker, so that the two agree on what is read: how far probabilities may miss 1, rewards
# whose sums stay doubles, bits of a bound and of a number, vertices of an attacker's polytope.
ZERO, TOLERANCE, LARGEST_REWARD = Fraction(0), Fraction(1, 10**9), Fraction(1e150)
LONGEST_DENOMINATOR, LONGEST_NUMBER, MOST_VERTICES = 1200, 4096, 400
THREAT_KEYS = ("k", "probability", "sets", "distribution", "inequalities", "informed", "masks", "timing")


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
    print(f"valid: threat {json.dumps(data['threat'])}{horizon}; no agent gains more than: {gaps}")
    return 0


# -- reading ------------------------------------------------------------------------------------


def _load(path: str) -> dict[str, Any]:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise ValueError("a key occurs twice in one object; must occur once")
        return result

    try:
        with open(path, encoding="utf-8") as file:
            # int refuses the constants NaN and Infinity.
            data = json.load(file, object_pairs_hook=distinct, parse_constant=int)
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{path}: cannot be read ({' '.join(str(error).split())[:200]})") from None
    return dict(_typed(data, dict, path))


def _need(fine: object, where: str, rule: str) -> None:
    if not fine:
        raise UnreadableError(f"{where}: must {rule}")


def _typed(value: Any, kind: type[Any], where: str, length: int | None = None) -> Any:
    if type(value) is not kind or (length is not None and len(value) != length):
        size = "" if length is None else f" of {length}"
        raise UnreadableError(f"{where} is {str(value)[:60]!r}; must be a JSON {kind.__name__}{size}")
    return value


def _keys(data: dict[str, Any], where: str, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    for key in sorted(set(data) ^ ({*required} | ({*optional} & set(data)))):
        fault = "unknown" if key in data else "missing"
        raise UnreadableError(f"{where}: key {key!r} is {fault}; must be {', '.join([*required, *optional])}")


def _format(data: dict[str, Any], where: str, name: str) -> None:
    fine = data.get("format") == name and type(data.get("version")) is int and data["version"] == 1
    _need(fine, where, f"have the format {name!r} and version 1")


def _number(value: Any, where: str) -> Fraction:
    # "1e999999999" would compute for hours.
    endless = type(value) is str and (len(value) > LONGEST_NUMBER or re.search(r"[eE][+-]?[\d_]{5}", value))
    try:
        if type(value) in (int, float, str) and not endless:
            number = Fraction(value)
            if max(number.numerator.bit_length(), number.denominator.bit_length()) <= LONGEST_NUMBER:
                return number
    except (ValueError, ZeroDivisionError, OverflowError):
        pass
    raise UnreadableError(f"{where} is {str(value)[:60]!r}; must be a finite number or a string 'p/q'")


def _real(value: Any, where: str) -> Fraction:
    number = _number(value, where)
    try:
        float(number)
    except OverflowError:
        raise UnreadableError(f"{where} is {value!r}; must lie within double precision") from None
    return number


def _natural(value: Any, where: str) -> int:
    _need(type(value) is int and value >= 0, where, "be an integer of at least 0")
    return int(value)


def _each(value: Any, where: str, read: Callable[[Any, str], Any]) -> list[Any]:
    return [read(entry, where) for entry in _typed(value, list, where)]


def _members(value: Any, where: str) -> Set:
    return tuple(sorted({*_each(value, where, _natural)}))


def _numbered(value: Any, where: str, read: Callable[[Any, str], Any]) -> dict[int, Any]:
    """Read an object with numbers as keys."""
    plain = all(re.fullmatch("0|[1-9][0-9]{0,17}", key) for key in _typed(value, dict, where))
    _need(plain, where, "have numbers such as '0' as keys")
    return {int(key): read(entry, f"{where} of {key}") for key, entry in value.items()}


def _table(value: Any, where: str, shape: Any) -> Any:
    """Read nested lists of numbers; a shape is the length of one, or a list of shapes."""
    if isinstance(shape, int):
        return [_real(entry, where) for entry in _typed(value, list, where, shape)]
    entries = _typed(value, list, where, len(shape))
    return [_table(entry, where, inner) for entry, inner in zip(entries, shape, strict=True)]


def _names(value: Any, where: str) -> list[str]:
    names = [str(_typed(name, str, where)) for name in _typed(value, list, where)]
    _need(names and all(names) and len(set(names)) == len(names), where, "be distinct non-empty names")
    return names


def _probabilities(masses: Sequence[Fraction], where: str) -> None:
    fine = min(masses, default=ZERO) >= 0 and abs(sum(masses, ZERO) - 1) <= TOLERANCE
    _need(fine, where, "be probabilities that sum to 1")


class Game:
    """The numbers of a game file, as Fractions, rows in C order of the joint actions."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        _format(data, where, "arneq-game")
        _keys(data, where, ("format", "version", "agents", "discount", "states"), ("initial",))
        self.agents = _names(data["agents"], f"{where}: agents")
        self.n = n = len(self.agents)
        factors = data["discount"] if isinstance(data["discount"], list) else [data["discount"]] * n
        self.discount = _table(factors, f"{where}: discount", n)
        _need(all(0 <= factor <= 1 for factor in self.discount), f"{where}: discount", "be in [0, 1]")
        states = [_typed(state, dict, f"{where}: states") for state in _typed(data["states"], list, where)]
        for state in states:
            _keys(state, f"{where}: states", ("name", "actions", "rows"))
        self.states = _names([state["name"] for state in states], f"{where}: states")
        self.index = {name: number for number, name in enumerate(self.states)}
        self.counts: list[list[int]] = []
        self.rows: list[dict[tuple[int, ...], Row]] = []
        for name, state in zip(self.states, states, strict=True):
            self._read_state(state, f"{where}: state {name!r}")
        if "initial" in data:
            _probabilities([*self._moves(data["initial"], f"{where}: initial").values()], f"{where}: initial")
        self.row_sum = max(sum(moves.values(), ZERO) for rows in self.rows for _, moves in rows.values())

    def _moves(self, data: Any, where: str) -> dict[int, Fraction]:
        _need({*_typed(data, dict, where)} <= {*self.states}, where, "name states of the game")
        return {self.index[name]: _real(p, where) for name, p in data.items()}

    def _read_state(self, state: dict[str, Any], where: str) -> None:
        actions = [_names(own, where) for own in _typed(state["actions"], list, f"{where}: actions", self.n)]
        found: dict[tuple[int, ...], Row] = {}
        for row in _typed(state["rows"], list, f"{where}: rows"):
            _keys(_typed(row, dict, where), where, ("actions", "rewards", "next"), ("end",))
            chosen = _typed(row["actions"], list, f"{where}: actions", self.n)
            place = f"{where}, row {str(chosen)[:60]}"
            known = all(action in own for action, own in zip(chosen, actions, strict=True))
            _need(known, place, "name actions of the state")
            joint = tuple(own.index(action) for action, own in zip(chosen, actions, strict=True))
            _need(joint not in found, place, "occur once")
            paid = _table(row["rewards"], f"{place}: rewards", self.n)
            _need(max(map(abs, paid)) <= LARGEST_REWARD, place, "have rewards of at most 1e150 in size")
            moves = self._moves(row["next"], f"{place}: next")
            _probabilities([_real(row.get("end", 0), f"{place}: end"), *moves.values()], place)
            _need(
                all(float(p) for p in moves.values() if p), place, "have probabilities that doubles can hold"
            )
            found[joint] = (paid, {target: moves[target] for target in sorted(moves) if moves[target]})
        self.counts.append([len(own) for own in actions])
        _need(len(found) == math.prod(self.counts[-1]), where, "have one row for each joint action")
        self.rows.append({joint: found[joint] for joint in product(*map(range, self.counts[-1]))})

    def content_hash(self) -> str:
        """SHA-256 of the canonical exact content."""
        rows = [row for state in self.rows for row in state.values()]
        starts = [0, *accumulate(len(moves) for _, moves in rows)]
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
    pairs = [(value, float(value)) for value in values]
    exceptions = "".join(
        f"{index}:{value.numerator}/{value.denominator};"
        for index, (value, double) in enumerate(pairs)
        if Fraction(double) != value
    )
    return struct.pack(f"<{len(pairs)}d", *(double for _, double in pairs)) + exceptions.encode("ascii")


class Threat:
    """What a certificate says of the threat, and the attacker's choices in a game that it fits."""

    def __init__(self, data: Any, where: str) -> None:
        self.given = given = {*_typed(data, dict, where)}
        self.where = where
        _keys(data, where, (), THREAT_KEYS)
        self.k = _natural(data["k"], f"{where}: k") if "k" in given else None
        self.rho = _number(data.get("probability", 1), f"{where}: probability")
        self.sets = _numbered(data.get("sets", {}), f"{where}: sets", self._family)
        self.laws = _numbered(data.get("distribution", {}), f"{where}: distribution", self._law)
        cuts = data.get("inequalities", {})
        self.alike = isinstance(cuts, dict) and bool({"G", "h"} & {*cuts})
        self.cuts = _numbered({"0": cuts} if self.alike else cuts, f"{where}: inequalities", self._cut)
        self.informed = _typed(data.get("informed", False), bool, f"{where}: informed")
        masks = _numbered(data.get("masks", {}), f"{where}: masks", self._mask)
        self.masks = {(i, s): allowed for i, states in masks.items() for s, allowed in states.items()}
        self.timing = data.get("timing", "per-state")
        _need(self.timing in ("per-state", "static"), f"{where}: timing", "be per-state or static")
        _need(("sets" in given) != bool({"k", "distribution"} & given), where, "have k, sets or distribution")
        alone = len({"probability", "distribution", "inequalities"} & given) <= 1
        _need(alone and 0 <= self.rho <= 1, where, "have a probability in [0, 1] or another law, not both")

    def _family(self, data: Any, where: str) -> list[Set]:
        _need(data != [], where, "hold a set")
        return list(dict.fromkeys(_each(data, where, _members)))

    def _law(self, data: Any, where: str) -> dict[Set, Fraction]:
        pairs = _each(data, where, lambda pair, at: _typed(pair, list, at, 2))
        law = {_members(K, where): _number(p, where) for K, p in pairs}
        small = all(self.k is None or len(K) <= self.k for K in law)
        _need(small and len(law) == len(pairs), where, "hold distinct sets of at most k agents")
        _probabilities([*law.values()], where)
        return law

    def _cut(self, data: Any, where: str) -> tuple[list[list[Fraction]], list[Fraction]]:
        _keys(_typed(data, dict, where), where, ("G", "h"))
        rows = _each(data["G"], where, lambda row, at: _each(row, at, _number))
        bounds = _each(data["h"], where, _number)
        _need(len(rows) == len(bounds) and len({*map(len, rows)}) <= 1, where, "have rows of one length")
        return rows, bounds

    def _mask(self, data: Any, where: str) -> dict[int, Set]:
        masks = _numbered(data, where, _members)
        _need(all(masks.values()), where, "allow an action")
        return masks

    def require_fit(self, game: Game) -> None:
        """Refuse to read a threat that names other agents, states or actions than the game's."""
        agents = set(range(game.n))
        listed = {"sets": self.sets, "distribution": self.laws, "inequalities": self.cuts}
        by_agent = self.given & {"sets", "distribution", "" if self.alike else "inequalities"}
        _need(all({*listed[name]} == agents for name in by_agent), self.where, "list each agent")
        families = [(i, K) for sets in (self.sets, self.laws) for i in sets for K in sets[i]]
        _need(all({*K} <= agents - {i} for i, K in families), self.where, "hold sets of other agents")
        for (i, s), allowed in self.masks.items():
            known = i < game.n and s < len(game.states) and allowed[-1] < game.counts[s][i]
            _need(known, f"{self.where}: masks of {i} in {s}", "name actions of the game")

    def extreme_points(self, n: int, agent: int) -> list[Point]:
        """Return the extreme points of Ω_i, each a tuple of (corruption set, probability)."""
        others = [j for j in range(n) if j != agent]
        sizes = range(min(self.k or 0, n - 1) + 1)
        family = self.sets.get(agent) or [*chain.from_iterable(combinations(others, m) for m in sizes)]
        if "distribution" in self.given:
            total = sum(self.laws[agent].values(), ZERO)
            points = [[(K, p / total) for K, p in self.laws[agent].items()]]
        elif "inequalities" in self.given:
            corners = vertices(len(family), *self.cuts[0 if self.alike else agent])
            _need(corners, f"{self.where}: inequalities", f"fit the sets, with 1 to {MOST_VERTICES} vertices")
            points = [list(zip(family, corner, strict=True)) for corner in corners]
        else:
            kept = [K for K in family if self.masks or not any({*K} < {*other} for other in family)]
            kept = [*kept, ()] if self.masks and self.rho < 1 else kept
            points = [[((), 1 - self.rho), (K, self.rho)] if K else [((), Fraction(1))] for K in kept]
        laws = [{K: weight for K, weight in point if weight} for point in points]
        sets = sorted({K for law in laws for K in law}, key=lambda K: (len(K), K))
        laws.sort(key=lambda law: [law.get(K, ZERO) for K in sets], reverse=True)
        return list(dict.fromkeys(tuple((K, law[K]) for K in sets if K in law) for law in laws))

    def columns(self, points: list[Point], state: int, counts: list[int]) -> list[Column]:
        """Return the attacker's pure choices in a state."""
        columns = []
        for point in points:
            decisions = [(K, j) for K, _ in point for j in K]
            informed = self.informed and len({j for _, j in decisions}) < len(decisions)
            if not informed:
                decisions = sorted({((), j) for _, j in decisions})
            for actions in product(*(self.masks.get((j, state), range(counts[j])) for _, j in decisions)):
                decided = dict(zip(decisions, actions, strict=True))
                columns.append(
                    [(w, K, tuple(decided[K if informed else (), j] for j in K)) for K, w in point]
                )
        return columns


def vertices(size: int, rows: list[list[Fraction]], bounds: list[Fraction]) -> list[tuple[Fraction, ...]]:
    """Return the vertices of the simplex cut by Gω ≤ h: points that no other is as tight as, and more.

    None, if G has another number of columns or there are too many.
    """
    points = [tuple(Fraction(int(j == k)) for j in range(size)) for k in range(size)]
    if any(len(row) != size for row in rows) or size > MOST_VERTICES:
        return []
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
        if len(points) > MOST_VERTICES:
            return []
    return points


# -- judging ------------------------------------------------------------------------------------


class Certificate:
    """The numbers of a certificate file, as Fractions, and the verdict on them.

    Policies and attackers read [agent][step][state], hints [step][agent][state]; without a horizon there
    is one step, and the hints of step 0 stand in for those of step 1.
    """

    def __init__(self, data: dict[str, Any], game: Game, where: str) -> None:
        _format(data, where, "arneq-certificate")
        parts = ("policy", "attacker", "upper", "lower", "epsilon")
        _keys(data, where, ("format", "version", "game", "threat", "arithmetic", "horizon", *parts))
        self.game, self.where, self.arithmetic = game, where, data["arithmetic"]
        _need(self.arithmetic in ("exact", "float"), f"{where}: arithmetic", "be 'exact' or 'float'")
        self.horizon = T = data["horizon"]
        _need(T is None or _natural(T, f"{where}: horizon"), f"{where}: horizon", "be null or at least 1")
        threat = Threat(data["threat"], f"{where}: threat")
        if _typed(data["game"], str, f"{where}: game") != game.content_hash():
            raise RefusedError(f"{where}: the certificate is of another game; must be of this one")
        threat.require_fit(game)
        self.columns: list[list[list[Column]]] = []
        for i in range(game.n):
            points = threat.extreme_points(game.n, i)
            self.columns.append([threat.columns(points, s, counts) for s, counts in enumerate(game.counts)])
        tables = {name: _typed(data[name], list, f"{where}: {name}") for name in parts}
        if T is None:
            one_step = {name: [[own] for own in tables[name]] for name in parts[:2]}
            tables |= one_step | {name: [tables[name]] * 2 for name in parts[2:4]}
        steps = T or 1
        _typed(tables["upper"], list, f"{where}: upper", steps + 1)
        actions = [[[counts[i] for counts in game.counts]] * steps for i in range(game.n)]
        widths = [[[len(columns) for columns in own]] * steps for own in self.columns]
        states = [[len(game.states)] * game.n] * (steps + 1)
        self.policy, self.attacker, self.upper, self.lower = (
            _table(tables[name], f"{where}: {name}", shape)
            for name, shape in zip(parts, (actions, widths, states, states), strict=False)
        )
        self.claims = [_number(x, where) for x in _typed(data["epsilon"], list, f"{where}: epsilon", game.n)]
        if threat.timing == "static":
            raise RefusedError(f"{where}: the threat is static; must be drawn anew at every state")

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
        upper, lower = ([step[agent] for step in hints] for hints in (self.upper, self.lower))
        if self.horizon is None:
            if beta >= 1:
                raise RefusedError(f"{self.where}: discount times largest row sum is not below 1; must be")
            error = _shortened(self._residual(agent, 0, upper, lower) / (1 - beta))
        else:
            error = max(ZERO, *(-u for u in upper[-1])) + max(ZERO, *lower[-1])
            for t in reversed(range(self.horizon)):
                error = _shortened(self._residual(agent, t, upper, lower) + beta * error)
        return _shortened(max(u - v for u, v in zip(upper[0], lower[0], strict=True)) + error)

    def _residual(self, agent: int, t: int, upper: list[list[Fraction]], lower: list[list[Fraction]]) -> Any:
        """Return δU + δL of step t."""
        rise = fall = ZERO
        for state in range(len(self.game.states)):
            name = f"{self.where}: bound of {self.game.agents[agent]!r}, state {self.game.states[state]!r}"
            pi = [table[t][state] for table in self.policy]
            if any(min(row) < 0 or sum(row) != 1 for row in pi):
                raise RefusedError(f"{name}: a policy does not sum to exactly 1; must")
            y = self.attacker[agent][t][state]
            if min(y) < 0 or not sum(y):
                raise RefusedError(f"{name}: the attacker's weights are negative or all 0; must not")
            high, low = (self._stage(agent, state, pi, hints[t + 1]) for hints in (upper, lower))
            best = max(sum(map(mul, y, line), ZERO) / sum(y) for line in high)
            worst = min(sum(map(mul, pi[agent], column), ZERO) for column in zip(*low, strict=True))
            rise, fall = max(rise, best - upper[t][state]), max(fall, lower[t][state] - worst)
        return rise + fall

    def _stage(self, agent: int, state: int, pi: list[list[Fraction]], values: list[Fraction]) -> Any:
        """Return M as a list over own actions of lists over columns."""
        game, others = self.game, [j for j in range(self.game.n) if j != agent]
        backed = {
            joint: paid[agent] + game.discount[agent] * sum((p * values[to] for to, p in moves.items()), ZERO)
            for joint, (paid, moves) in game.rows[state].items()
        }
        # means[K][(a_i, a_K)] = E[backed | a_i, a_K], the agents outside K and i following π.
        columns = self.columns[agent][state]
        means: dict[Set, dict[tuple[int, ...], Fraction]] = {
            K: {} for column in columns for _, K, _ in column
        }
        for joint, value in backed.items():
            for K, mean in means.items():
                key = (joint[agent], *(joint[j] for j in K))
                chance = math.prod((pi[j][joint[j]] for j in others if j not in K), start=Fraction(1))
                mean[key] = mean.get(key, ZERO) + chance * value
        return [
            [sum((w * means[K][(own, *forced)] for w, K, forced in column), ZERO) for column in columns]
            for own in range(game.counts[state][agent])
        ]


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
