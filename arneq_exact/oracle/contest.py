"""One agent against its attacker in a Markov game, from the definitions alone: dense, slow, exact on demand.

What statements and tests hold solvers and checkers against. Fix the others' policy π_{-i} in one state. The
column of an attack (see `definition`) is linear in Q_i = r_i + γ_i P v, so two tables per state, of rewards
(A_i, C) and of moves (A_i, C, S), hold everything, for any threat.

* Robust value and best reply: policy iteration on dense linear systems, in doubles or in Fractions.
* Best-response value: strategy improvement of Hoffman & Karp (1966), with matrix games solved by
  `definition.maximin`.
* One step of either, for finite horizons: `robust_step`, `best_step`.

Numbers are float64, or Fractions in object arrays; the same lines serve both.

References
----------
[T1], [T2], [T9], [T10], [T12], [T13]; Hoffman & Karp (1966), Management Science 12, 359–370.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from arneq_exact.exact.arrays import Numbers, exact_array, zeros
from arneq_exact.exact.linear import solve_linear
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import PureAttack, column, listed_attacks, maximin

SETTLED = 1e-13
"""Gain, in units of the largest value or reward, below which policy iteration in doubles ends: the error of
its linear systems."""

ROUNDS = 500
"""Rounds after which an iteration that has to end has a fault; a handful is usual."""

Listing = Callable[[ThreatModel, tuple[int, ...], int, int], Iterable[PureAttack]]
"""From threat, action counts, agent and state to the attacks that are columns."""


@dataclass(frozen=True)
class Contest:
    """What `agent` and its attacker play for, state by state, when the others' policy is fixed.

    Attributes
    ----------
    agent : int
    discount : float or Fraction
    paid : one table (A_i, C) per state
        Expected reward of an action against an attack.
    moves : one table (A_i, C, S) per state
        Probabilities of the next state.
    attacks : one list of C attacks per state
    play : one mixture (A_j,) per state and agent
    """

    agent: int
    discount: Any
    paid: tuple[Numbers, ...]
    moves: tuple[Numbers, ...]
    attacks: tuple[list[PureAttack], ...]
    play: tuple[list[Numbers], ...]

    @property
    def exact(self) -> bool:
        """Tell whether the numbers are Fractions."""
        return bool(self.paid[0].dtype == object)

    @property
    def own(self) -> list[Numbers]:
        """The agent's own mixtures (A_i,), state by state."""
        return [play[self.agent] for play in self.play]

    def stage(self, state: int, values: Numbers) -> Numbers:
        """Return M (A_i, C) of a state at continuation `values` (S,)."""
        result: Numbers = self.paid[state] + self.discount * (self.moves[state] @ values)
        return result

    def chances(self, state: int) -> Numbers:
        """Return the probability (A_i, C, joint actions) of each joint action of a state."""
        play = self.play[state]
        counts = [len(mixture) for mixture in play]
        rows = int(np.prod(counts))
        each = np.eye(rows, dtype=int).astype(self.paid[0].dtype).reshape(*counts, rows)
        return np.stack([column(each, play, self.agent, attack) for attack in self.attacks[state]], axis=1)

    def only(self, members: tuple[int, ...]) -> Contest:
        """Return the contest in which `members` are corrupted for certain, at every step."""
        kept = [[c for c, attack in enumerate(own) if list(attack.law) == [members]] for own in self.attacks]
        return Contest(
            self.agent,
            self.discount,
            tuple(table[:, columns] for table, columns in zip(self.paid, kept, strict=True)),
            tuple(table[:, columns] for table, columns in zip(self.moves, kept, strict=True)),
            tuple([own[c] for c in columns] for own, columns in zip(self.attacks, kept, strict=True)),
            self.play,
        )


def contest(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Sequence[Numbers],
    agent: int,
    *,
    exact: bool = False,
    attacks: Listing = listed_attacks,
) -> Contest:
    """Write out the contest of one agent with its attacker.

    Parameters
    ----------
    game, threat
    policy : one array (S, max A_j) per agent
    agent : int
    exact : bool
        Compute in Fractions; doubles are taken at their word.
    attacks : function
        Lists the columns; by default those that suffice, in the documented order for a budget.
        `definition.pure_attacks` lists superfluous ones as well.
    """
    rewards, transitions, discount = agent_tables(game, agent, exact)
    together = np.column_stack([rewards, transitions])
    paid, moves, found, played = [], [], [], []
    for state in range(game.n_states):
        counts = tuple(game.action_counts[state].tolist())
        play: list[Numbers] = [array[state, :count] for array, count in zip(policy, counts, strict=True)]
        play = [exact_array(mixture) if exact else mixture.astype(float) for mixture in play]
        own = list(attacks(threat, counts, agent, state))
        rows = slice(int(game.offsets[state]), int(game.offsets[state + 1]))
        payoff = together[rows].reshape(*counts, -1)
        table = np.stack([column(payoff, play, agent, attack) for attack in own], axis=1)
        paid.append(table[:, :, 0])
        moves.append(table[:, :, 1:])
        found.append(own)
        played.append(play)
    return Contest(agent, discount, tuple(paid), tuple(moves), tuple(found), tuple(played))


def agent_tables(game: MarkovGame, agent: int, exact: bool) -> tuple[Numbers, Numbers, Any]:
    """Return rewards (rows,), transitions (rows, S) and the discount of an agent."""
    if not exact:
        return game.rewards[:, agent], game.transitions.toarray(), float(game.discount[agent])
    rewards, moves = zeros(game.n_rows, True), zeros((game.n_rows, game.n_states), True)
    for row in range(game.n_rows):
        rewards[row] = game.exact_reward(row, agent)
        for chance, state in game.exact_moves(row):
            moves[row, state] = chance
    return rewards, moves, game.exact_discount()[agent]


def largest_row_sum(game: MarkovGame) -> Fraction:
    """Return the largest exact row sum of the transitions."""
    _, moves, _ = agent_tables(game, 0, True)
    return max(sum(row, Fraction(0)) for row in moves)


def robust_value(contest: Contest, own: Sequence[Numbers] | None = None) -> Numbers:
    """Return the value (S,) of mixtures of the agent, one (A_i,) per state, against the worst attack.

    By default they are those of its policy.
    """
    tables = [
        (mixture @ paid, np.tensordot(mixture, moves, axes=(0, 0)))
        for mixture, paid, moves in zip(own or contest.own, contest.paid, contest.moves, strict=True)
    ]
    return _decide(contest, tables, -1)


def reply_value(contest: Contest, attack: Sequence[Numbers]) -> Numbers:
    """Return the value (S,) of the agent's best reply to mixtures of attacks, one (C,) per state."""
    tables = [
        (paid @ mixture, np.tensordot(moves, mixture, axes=(1, 0)))
        for mixture, paid, moves in zip(attack, contest.paid, contest.moves, strict=True)
    ]
    return _decide(contest, tables, 1)


def best_value(contest: Contest) -> tuple[Numbers, list[Numbers]]:
    """Return the best-response robust value (S,) and mixtures that attain it, in doubles.

    Strategy improvement: each round plays maximin mixtures at the values of the last one, where they are
    better, and evaluates them against the worst attack. Values rise to the fixed point of T [T9].
    """
    states = range(len(contest.paid))
    own: list[Numbers] = [np.full(len(paid), 1 / len(paid)) for paid in contest.paid]
    values = robust_value(contest, own)
    solved: list[tuple[Numbers, tuple[float, Numbers]]] = []
    for _ in range(ROUNDS):
        stages = [contest.stage(state, values) for state in states]
        # Most states settle early; their matrix games need not be solved again.
        solved = [
            solved[state] if solved and np.array_equal(solved[state][0], table) else (table, maximin(table))
            for state, table in enumerate(stages)
        ]
        answers = [answer for _, answer in solved]
        slack = SETTLED * max(_size(contest), float(np.abs(values).max()), max(abs(v) for v, _ in answers))
        better = [value > values[state] + slack for state, (value, _) in enumerate(answers)]
        own = [answer[1] if up else old for up, answer, old in zip(better, answers, own, strict=True)]
        found = robust_value(contest, own)
        if not any(better) or float((found - values).max()) <= slack:
            return np.maximum(values, found), own
        values = found
    raise AssertionError("strategy improvement did not end")


def robust_step(contest: Contest, later: Numbers) -> Numbers:
    """Return what the policy is worth (S,) now if values `later` (S,) follow."""
    return np.array([(x @ contest.stage(s, later)).min() for s, x in enumerate(contest.own)])


def best_step(contest: Contest, later: FloatArray) -> FloatArray:
    """Return what a best response is worth (S,) now if values `later` (S,) follow, in doubles."""
    return np.array([maximin(contest.stage(s, later))[0] for s in range(len(contest.paid))])


def gap(game: MarkovGame, threat: ThreatModel, policy: Sequence[Numbers]) -> FloatArray:
    """Return best-response minus robust values (n, S) of a stationary policy, in doubles."""
    faced = [contest(game, threat, policy, agent) for agent in range(game.n_agents)]
    return np.array([best_value(one)[0] - robust_value(one) for one in faced])


def horizon_values(
    game: MarkovGame, threat: ThreatModel, policy: Policy, agent: int
) -> tuple[FloatArray, FloatArray]:
    """Return robust and best-response robust values (S,) of a time-indexed policy with all steps to go."""
    own, best = np.zeros(game.n_states), np.zeros(game.n_states)
    for step in reversed(range(len(policy[0]))):
        faced = contest(game, threat, policy.at(step), agent)
        own, best = robust_step(faced, own), best_step(faced, best)
    return own, best


def _size(contest: Contest) -> float:
    """Return the largest reward: where values are 0 by cancellation, rounding is of this size still."""
    return max(1e-300, max(float(np.abs(paid).max()) for paid in contest.paid))


def _decide(contest: Contest, tables: Sequence[tuple[Numbers, Numbers]], sign: int) -> Numbers:
    """Policy iteration for the side that still decides: rewards (D,) and moves (D, S) per state."""
    chosen = [int((sign * paid).argmax()) for paid, _ in tables]
    slack: Any = 0
    for _ in range(ROUNDS):
        values = _evaluate(contest, tables, chosen)
        if not contest.exact:
            slack = SETTLED * max(_size(contest), float(np.abs(values).max()))
        changed = False
        for state, (paid, moves) in enumerate(tables):
            worth = sign * (paid + contest.discount * (moves @ values))
            best = int(worth.argmax())
            if worth[best] > worth[chosen[state]] + slack:
                chosen[state], changed = best, True
        if not changed:
            return values
    raise AssertionError("policy iteration did not end")


def _evaluate(contest: Contest, tables: Sequence[tuple[Numbers, Numbers]], chosen: Sequence[int]) -> Numbers:
    paid = np.array([own[pick] for (own, _), pick in zip(tables, chosen, strict=True)])
    moves = np.stack([own[pick] for (_, own), pick in zip(tables, chosen, strict=True)])
    system = np.eye(len(paid), dtype=int).astype(moves.dtype) - contest.discount * moves
    if contest.exact:
        solved = solve_linear(system, paid)
        assert solved is not None, "a contraction has one fixed point"
        return solved
    result: Numbers = np.linalg.solve(system, paid)
    return result
