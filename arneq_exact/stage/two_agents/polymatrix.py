"""Two agents, corruption with probability p, a batch at a time: a four-player polymatrix game [T11].

Agent i reckons that the other agent is corrupted with probability p_i. Written out, for payoffs Q₁, Q₂
(A₁ × A₂, both indexed by the actions of agents 1 and 2), the players and their payoffs are

    agent 1      x1 ∈ Δ(A₁)   (1 − p₁) x1ᵀQ₁x2 + p₁ x1ᵀQ₁y1
    agent 2      x2 ∈ Δ(A₂)   (1 − p₂) x1ᵀQ₂x2 + p₂ y2ᵀQ₂x2
    attacker 1   y1 ∈ Δ(A₂)   − x1ᵀQ₁y1      (plays agent 2's actions against agent 1)
    attacker 2   y2 ∈ Δ(A₁)   − y2ᵀQ₂x2      (plays agent 1's actions against agent 2)

and an equilibrium of the four is a stage ARNEQ together with optimal attacks [T3]. p = 0 gives Nash
equilibria, p = 1 maximin strategies [T4]. The attackers' payoffs carry no factor p, so an attack is optimal
even where it is never drawn. Verification bounds the regret of all four by 1e-10 of the payoff range.

Backend ``auto`` runs Lemke's method on the complementarity problem of [T11] (`lemke_kernel`), and a
mixed-integer program where that fails. Backend ``reference`` is that program alone, in cvxpy: nashpy has
nothing for four players, and enumeration does not serve, since 6 actions each make 63⁴ supports.

References
----------
[T3], [T4], [T11]; Lemke (1965), Management Science 11, 681–689; Howson (1972), Management Science 18,
312–318.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arneq_exact.errors import StageError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.stage.normal_form import UnitGames, attacked_pairs, unit_pairs
from arneq_exact.stage.verification import Candidate, check_backend, count, verified

METHODS: Final = ("none", "lemke", "cvxpy-milp")
"""Names of the codes in `PolymatrixSolutions.method`."""

MILP_LIMIT: Final = 40
"""Largest number 2(A1 + A2) of actions, attackers' included, that the mixed-integer program is given."""

_NAME = "solve_polymatrix"


@dataclass(frozen=True)
class PolymatrixSolutions:
    """One verified equilibrium of two agents and their attackers for each of B games.

    Attributes
    ----------
    x1, x2 : (B, A1), (B, A2) arrays
        Mixtures of the agents.
    y1, y2 : (B, A2), (B, A1) arrays
        Mixtures of the attackers of agent 1 and of agent 2; each minimises its agent's payoff.
    method : (B,) int8 array
        Which method answered: an index into `METHODS`.
    regret : (B,) array
        Largest regret of the four players, divided by the agent's payoff range (0 counts as 1); at most
        1e-10.
    """

    x1: FloatArray
    x2: FloatArray
    y1: FloatArray
    y2: FloatArray
    method: NDArray[np.int8]
    regret: FloatArray


def solve_polymatrix(
    payoffs: ArrayLike,
    probability: ArrayLike,
    *,
    backend: str = "auto",
    calls: Counter[str] | None = None,
) -> PolymatrixSolutions:
    """Find one stage ARNEQ, with optimal attacks, for each of B two-agent games [T11].

    Parameters
    ----------
    payoffs : (B, 2, A1, A2) array
        Payoffs of both agents, of any scale; each agent's are normalised by their own range.
    probability : (2,) array or a number
        Probability, as agent 1 and agent 2 see it, that the other one is corrupted; in [0, 1].
    backend : {"auto", "reference"}
        ``auto``: compiled lexicographic Lemke, then the mixed-integer program. ``reference``: the
        mixed-integer program, by cvxpy.
    calls : Counter, optional
        Receives the number of games given to each routine (``lemke``, ``cvxpy``).

    Returns
    -------
    PolymatrixSolutions
        The choice among several equilibria is deterministic.

    Raises
    ------
    StageError
        If payoffs are not finite, a probability is outside [0, 1], no method of the backend reaches a regret
        of 1e-10, or the mixed-integer program would have more than `MILP_LIMIT` actions.

    Notes
    -----
    Every mixture is non-negative and was divided by its sum. Cost of ``auto``: with N = 2(A1 + A2) + 4,
    usually about N pivots of 2N² operations a game, exponentially many at worst; pivots are bounded.

    Examples
    --------
    >>> battle_of_the_sexes = [[[3.0, 0.0], [0.0, 2.0]], [[2.0, 0.0], [0.0, 3.0]]]
    >>> solution = solve_polymatrix([battle_of_the_sexes], 1.0)  # certain corruption: maximin
    >>> solution.x1.round(12).tolist(), solution.x2.round(12).tolist()
    ([[0.4, 0.6]], [[0.6, 0.4]])
    """
    check_backend(backend, _NAME)
    unit = unit_pairs(np.asarray(payoffs, dtype=np.float64), _NAME)
    corruption = _pair_of_probabilities(probability)
    number, _, A1, A2 = unit.shape
    mixtures = np.zeros((number, 2 * (A1 + A2)))
    method = np.zeros(number, dtype=np.int8)
    if backend == "auto":
        from arneq_exact.stage.two_agents.lemke_kernel import solve_unit_games

        solved = np.zeros(number, dtype=np.int8)
        count(calls, "lemke", number)
        solve_unit_games(unit, corruption, mixtures, solved)
        method[solved == 1] = METHODS.index("lemke")
    games = attacked_pairs(unit, corruption)
    parts = [np.ascontiguousarray(part) for part in np.split(mixtures, np.cumsum(games.sizes)[:-1], axis=1)]
    regret, _ = verified(
        games, parts, method, lambda game: _candidates(games, game, calls), METHODS, _NAME, backend
    )
    x1, x2, y1, y2 = parts
    return PolymatrixSolutions(x1, x2, y1, y2, method, regret)


def _candidates(games: UnitGames, game: int, calls: Counter[str] | None) -> Iterator[Candidate]:
    """What the mixed-integer program finds for one game."""
    from arneq_exact.stage.reference import equilibrium_by_milp

    actions = sum(games.sizes)
    if actions > MILP_LIMIT:
        raise StageError(
            f"{_NAME}: game {game} has {actions} actions, the attackers' included; the mixed-integer "
            f"program is given at most {MILP_LIMIT}"
        )
    for mixtures in equilibrium_by_milp(games, game, calls):
        yield "cvxpy-milp", mixtures


def _pair_of_probabilities(probability: ArrayLike) -> FloatArray:
    """One probability per agent, from two or from one for both."""
    given = np.asarray(probability, dtype=np.float64)
    if given.shape not in ((), (2,)) or not ((given >= 0.0) & (given <= 1.0)).all():
        raise StageError(f"{_NAME}: probability is {given.tolist()}; must be one or two numbers in [0, 1]")
    return np.ascontiguousarray(np.broadcast_to(given, 2))
