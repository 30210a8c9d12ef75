"""Bimatrix games, a batch at a time: the stage games of two agents without corruption (n = 2, k = 0).

Payoffs are Q₁, Q₂ (A₁ × A₂), one matrix per agent, both indexed by (action of agent 1, action of agent 2). A
pair (x1, x2) is a Nash equilibrium [T4] if and only if every action in use is a best reply, which is what
verification measures: the largest gain by a pure reply, at most 1e-10 of the agent's own payoff range.

`solve_bimatrix` finds *one* equilibrium per game. Backend ``auto`` follows compiled Lemke–Howson paths
(`lemke_howson_kernel`), and enumerates supports where no path ends well. Backend ``reference`` does the same
with nashpy, and ends in a mixed-integer program in cvxpy; it never enters compiled code of ours.
`bimatrix_equilibria` enumerates the extreme equilibria of one game (`support_kernel`).

References
----------
[T3], [T4]; Nash (1951), Annals of Mathematics 54, 286–295; Lemke & Howson (1964), SIAM J. Appl. Math. 12,
413–423.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.normal_form import bimatrix_games, unit_pairs
from arneq_exact.stage.polishing import ENOUGH, polish
from arneq_exact.stage.verification import TOLERANCE, Candidate, check_backend, count, verified

METHODS: Final = (
    "none",
    "lemke-howson",
    "support-enumeration",
    "pure",
    "nashpy-lemke-howson",
    "nashpy-support-enumeration",
    "cvxpy-milp",
)
"""Names of the codes in `BimatrixSolutions.method`."""

SUPPORT_LIMIT: Final = 2_000_000
"""Largest number C(A1 + A2, A1) of support pairs that is enumerated."""

_Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class BimatrixSolutions:
    """One verified equilibrium for each of B bimatrix games.

    Attributes
    ----------
    x1 : (B, A1) array
        Mixtures of agent 1.
    x2 : (B, A2) array
        Mixtures of agent 2.
    method : (B,) int8 array
        Which method answered: an index into `METHODS`.
    regret : (B,) array
        Largest gain of an agent by a pure reply, divided by its payoff range (0 counts as 1); at most 1e-10.
    """

    x1: FloatArray
    x2: FloatArray
    method: NDArray[np.int8]
    regret: FloatArray


def solve_bimatrix(
    payoffs: ArrayLike,
    *,
    backend: str = "auto",
    pure_first: bool = False,
    calls: Counter[str] | None = None,
) -> BimatrixSolutions:
    """Find one Nash equilibrium for each of B bimatrix games [T4].

    Parameters
    ----------
    payoffs : (B, 2, A1, A2) array
        Payoffs of both agents, of any scale; each agent's are normalised by their own range.
    backend : {"auto", "reference"}
        ``auto``: compiled Lemke–Howson, then compiled support enumeration. ``reference``: the same by
        nashpy, then a mixed-integer program by cvxpy.
    pure_first : bool
        Return the first pure equilibrium, in the order of actions, where a game has one.
    calls : Counter, optional
        Receives the number of games given to each routine (``lemke_howson``, ``support_enumeration``,
        ``nashpy``, ``cvxpy``).

    Returns
    -------
    BimatrixSolutions
        The choice among several equilibria is deterministic: the end of the first Lemke–Howson path.

    Raises
    ------
    StageError
        If payoffs are not finite, or no method of the backend reaches a regret of 1e-10.

    Notes
    -----
    Every mixture is non-negative and was divided by its sum. Cost of ``auto``: usually about A1 + A2 pivots
    of (A1 + A2)² operations a game, exponentially many at worst; the number of pivots is bounded.

    Examples
    --------
    >>> battle_of_the_sexes = [[[3.0, 0.0], [0.0, 2.0]], [[2.0, 0.0], [0.0, 3.0]]]
    >>> solution = solve_bimatrix([battle_of_the_sexes])
    >>> solution.x1.tolist(), solution.x2.tolist()
    ([[1.0, 0.0]], [[1.0, 0.0]])
    """
    name = "solve_bimatrix"
    check_backend(backend, name)
    unit = unit_pairs(np.asarray(payoffs, dtype=np.float64), name)
    number, _, A1, A2 = unit.shape
    x1, x2 = np.zeros((number, A1)), np.zeros((number, A2))
    method = np.zeros(number, dtype=np.int8)
    if pure_first:
        _pure(unit, x1, x2, method)
    if backend == "auto":
        _by_lemke_howson(unit, x1, x2, method, calls)
    regret, _ = verified(
        bimatrix_games(unit),
        (x1, x2),
        method,
        lambda game: _candidates(unit[game], backend, calls),
        METHODS,
        name,
        backend,
    )
    return BimatrixSolutions(x1, x2, method, regret)


def bimatrix_equilibria(
    payoff: ArrayLike, *, backend: str = "auto", calls: Counter[str] | None = None
) -> list[_Pair]:
    """Enumerate the extreme equilibria of one bimatrix game.

    Parameters
    ----------
    payoff : (2, A1, A2) array
        Payoffs of both agents, of any scale.
    backend : {"auto", "reference"}
        ``auto``: compiled enumeration of supports and equally many best replies. ``reference``: nashpy's
        support enumeration, which can miss equilibria of degenerate games.
    calls : Counter, optional
        Receives the number of calls of each routine (``support_enumeration``, ``nashpy``).

    Returns
    -------
    list of pairs of (A1,) and (A2,) arrays
        Every pair verified to a regret of 1e-10 of the payoff ranges, no two within 1e-9 of each other,
        ordered by the sizes of the supports, then by the supports, pure equilibria first. For a
        non-degenerate game (``auto``) these are *all* equilibria. For a degenerate one they are extreme
        equilibria, found as far as floating point tells ties apart; no claim of completeness is made.

    Raises
    ------
    StageError
        If payoffs are not finite, or the game has more supports than its backend is given.

    Notes
    -----
    Cost: C(A1 + A2, A1) linear systems of size at most min(A1, A2) for each player: milliseconds at 7 × 7,
    a third of a second at 10 × 10.

    Examples
    --------
    >>> battle_of_the_sexes = [[[3.0, 0.0], [0.0, 2.0]], [[2.0, 0.0], [0.0, 3.0]]]
    >>> for x1, x2 in bimatrix_equilibria(battle_of_the_sexes):
    ...     print(x1.round(3), x2.round(3))
    [1. 0.] [1. 0.]
    [0. 1.] [0. 1.]
    [0.6 0.4] [0.4 0.6]
    """
    return equilibria_of_batch(np.asarray(payoff, dtype=np.float64)[None], backend=backend, calls=calls)[0]


def equilibria_of_batch(
    payoffs: ArrayLike, *, backend: str = "auto", calls: Counter[str] | None = None
) -> list[list[_Pair]]:
    """Return for each of a batch of games (B, 2, A1, A2) what `bimatrix_equilibria` returns."""
    check_backend(backend, "bimatrix_equilibria")
    units = unit_pairs(np.asarray(payoffs, dtype=np.float64), "bimatrix_equilibria")
    if not len(units):
        return []
    found = [_enumerated(unit, backend, calls) for unit in units]
    of = np.repeat(np.arange(len(units)), [len(pairs) for pairs in found])
    first, second = (np.stack([pair[side] for pairs in found for pair in pairs]) for side in (0, 1))
    # All candidates are verified at once: one by one that would take longer than finding them.
    regrets = np.split(bimatrix_games(units[of]).regret((first, second)), np.flatnonzero(np.diff(of)) + 1)
    return [
        _kept(unit, pairs, regret.tolist(), backend, calls)
        for unit, pairs, regret in zip(units, found, regrets, strict=True)
    ]


def _enumerated(unit: FloatArray, backend: str, calls: Counter[str] | None) -> list[_Pair]:
    """Return what the backend's enumeration finds in one unit game (2, A1, A2), not verified."""
    if backend == "auto":
        _check_support_limit(unit, "bimatrix_equilibria")
        found = _by_support_enumeration(unit, calls)
    else:
        from arneq_exact.stage.reference import NASHPY_SUPPORTS, bimatrix_by_nashpy_supports

        if 2 ** sum(unit.shape[1:]) > NASHPY_SUPPORTS:
            raise StageError(
                f"bimatrix_equilibria: {unit.shape[1]} by {unit.shape[2]} actions have more than the "
                f"{NASHPY_SUPPORTS} pairs of supports that nashpy is given"
            )
        found = bimatrix_by_nashpy_supports(unit, calls)
    # A float threshold may lose every equilibrium of a degenerate game; the solver behind finds one.
    return list(found) or [_one(unit, backend, calls)]


def _kept(
    unit: FloatArray, pairs: list[_Pair], regrets: list[float], backend: str, calls: Counter[str] | None
) -> list[_Pair]:
    """Return the distinct equilibria among candidates of known regret, polished if that helps, in order."""
    game = bimatrix_games(unit[None])
    kept: list[_Pair] = []
    for pair, regret in zip(pairs, regrets, strict=True):
        # Most vertices are accurate to rounding as they come; the others are worth a polish.
        if not regret <= ENOUGH:
            x1, x2 = polish(game, pair)
            pair = x1, x2
            regret = float(game.regret((x1[None], x2[None]))[0])
        if regret <= TOLERANCE and not any(_same(pair, other) for other in kept):
            kept.append(pair)
    return sorted(kept, key=_order) or [_one(unit, backend, calls)]


def _one(unit: FloatArray, backend: str, calls: Counter[str] | None) -> _Pair:
    """Return one verified equilibrium of a unit game; `StageError` if the backend finds none."""
    found = solve_bimatrix(unit[None], backend=backend, calls=calls)
    return found.x1[0], found.x2[0]


def _check_support_limit(unit: FloatArray, name: str) -> None:
    """Refuse a game with too many support pairs, or too many actions for bit patterns."""
    _, A1, A2 = unit.shape
    pairs = comb(A1 + A2, A1)
    if pairs > SUPPORT_LIMIT or max(A1, A2) > 60:
        raise StageError(
            f"{name}: {A1} by {A2} actions have {pairs} support pairs; must be at most {SUPPORT_LIMIT}, "
            "and at most 60 actions each"
        )


def _pure(unit: FloatArray, x1: FloatArray, x2: FloatArray, method: NDArray[np.int8]) -> None:
    """Fill in the first pure equilibrium of every game that has one."""
    games, _, _, A2 = unit.shape
    best1 = unit[:, 0] == unit[:, 0].max(axis=1, keepdims=True)
    best2 = unit[:, 1] == unit[:, 1].max(axis=2, keepdims=True)
    stable = (best1 & best2).reshape(games, -1)
    has = np.flatnonzero(stable.any(axis=1))
    row, column = np.divmod(stable[has].argmax(axis=1), A2)
    x1[has, row] = 1.0
    x2[has, column] = 1.0
    method[has] = METHODS.index("pure")


def _by_lemke_howson(
    unit: FloatArray,
    x1: FloatArray,
    x2: FloatArray,
    method: NDArray[np.int8],
    calls: Counter[str] | None,
) -> None:
    """Fill in the games without an answer by the compiled Lemke–Howson method."""
    from arneq_exact.stage.two_agents.lemke_howson_kernel import solve_unit_games

    games = np.flatnonzero(method == METHODS.index("none"))
    a, b = np.zeros((games.size, x1.shape[1])), np.zeros((games.size, x2.shape[1]))
    solved = np.zeros(games.size, dtype=np.int8)
    count(calls, "lemke_howson", games.size)
    solve_unit_games(np.ascontiguousarray(unit[games]), a, b, solved)
    x1[games], x2[games] = a, b
    method[games[solved == 1]] = METHODS.index("lemke-howson")


def _candidates(unit: FloatArray, backend: str, calls: Counter[str] | None) -> Iterator[Candidate]:
    """Candidates for one game from the methods behind the first, in their order."""
    if backend == "auto":
        _check_support_limit(unit, "solve_bimatrix")
        for pair in _by_support_enumeration(unit, calls):
            yield "support-enumeration", pair
        return
    from arneq_exact.stage import reference

    for pair in reference.bimatrix_by_nashpy_paths(unit, calls):
        yield "nashpy-lemke-howson", pair
    for pair in reference.bimatrix_by_nashpy_supports(unit, calls):
        yield "nashpy-support-enumeration", pair
    for mixtures in reference.equilibrium_by_milp(bimatrix_games(unit[None]), 0, calls):
        yield "cvxpy-milp", mixtures


def _by_support_enumeration(unit: FloatArray, calls: Counter[str] | None) -> Iterator[_Pair]:
    """Pairs of vertices of the best-response polytopes that have every label between them."""
    from arneq_exact.stage.two_agents.support_kernel import vertices

    _, A1, A2 = unit.shape
    count(calls, "support_enumeration", 1)
    points1, unused1, replies1 = vertices(np.ascontiguousarray(unit[1]))
    points2, unused2, replies2 = vertices(np.ascontiguousarray(unit[0].T))
    rows = unused1[:, None] | replies2
    columns = replies1[:, None] | unused2
    for v, w in np.argwhere((rows == (1 << A1) - 1) & (columns == (1 << A2) - 1)):
        yield points1[v], points2[w]


def _same(pair: _Pair, other: _Pair) -> bool:
    """Whether two pairs differ by rounding only."""
    return all(np.abs(a - b).max() <= 1e-9 for a, b in zip(pair, other, strict=True))


def _order(pair: _Pair) -> tuple[object, ...]:
    """Sort key: number of actions in use, then which, then the mixtures themselves."""
    supports = [tuple(np.flatnonzero(mixture > 1e-9).tolist()) for mixture in pair]
    return (sum(map(len, supports)), *supports, *(tuple(mixture.tolist()) for mixture in pair))
