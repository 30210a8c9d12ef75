"""One agent against its attacker, once more from the definitions alone: dense, slow, and exact on demand.

Statements compare what the library's kernels return with what is computed here. Nothing here calls a kernel,
a solver or the resolution of threats into columns, so that a fault in one of those cannot hide on both sides
of a comparison. Fix the others' policy π_{-i} in one state. For every corruption set K of size m = min(k,
n−1) and every joint action a_K, written out by nested loops, the probability of each joint action is the
product of π_j(a_j) over the agents j outside K ∪ {i}, and

    M(a_i; K, a_K) = Σ_a [a agrees with a_i and a_K] Π_{j ∉ K ∪ {i}} π_j(a_j) Q_i(a)

is linear in Q_i = r_i + γ_i P v. So two tables per state, of rewards (A_i, C) and of moves (A_i, C, S), hold
everything. With a probability ρ of corruption a column is (1 − ρ) M_∅ + ρ M_c.

* Robust value and best reply: policy iteration on dense linear systems, in doubles or in Fractions.
* Best-response value: strategy improvement of Hoffman & Karp (1966), with matrix games solved by
  `exact.matrix_games`.

Numbers are float64, or Fractions in object arrays; the same lines serve both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np

from arneq_exact.errors import ThreatError
from arneq_exact.exact.arrays import Numbers, zeros
from arneq_exact.exact.linear import solve_linear
from arneq_exact.exact.matrix_games import matrix_game
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

Attack = tuple[tuple[int, ...], tuple[int, ...]]
"""A corruption set, ascending, and the action of each member."""

SETTLED = 1e-13
"""Gain, in units of the largest value or reward, below which policy iteration in doubles ends."""

ROUNDS = 500


def attacks(threat: ThreatModel, n: int, agent: int, counts: Sequence[int]) -> list[Attack]:
    """Return the attacker's pure attacks (K, a_K) with |K| = m in the documented order of columns.

    Raises
    ------
    ThreatError
        If the threat is not a budget k, with or without a probability.

    Examples
    --------
    >>> attacks(ThreatModel(1), 3, 0, (2, 2, 1))
    [((1,), (0,)), ((1,), (1,)), ((2,), (0,))]
    """
    if not is_budget(threat):
        raise ThreatError(
            f"first principles: threat is {threat.describe()}; must be a budget k, with a probability or not"
        )
    size = min(int(threat.k or 0), n - 1)
    if threat.probability is not None and Fraction(threat.probability) == 0:
        size = 0
    return [
        (members, actions)
        for members in combinations([j for j in range(n) if j != agent], size)
        for actions in product(*(range(counts[j]) for j in members))
    ]


def is_budget(threat: ThreatModel) -> bool:
    """Tell whether a threat is a budget k, drawn anew at every state, with a probability or not."""
    other = (threat.sets, threat.distribution, threat.inequalities, threat.masks)
    return threat.k is not None and all(part is None for part in other) and threat.timing == "per-state"


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
    attacks : one list of C pairs (K, a_K) per state
    chances : one table (A_i, C, joint actions) per state
        Probability of each joint action.
    """

    agent: int
    discount: Any
    paid: tuple[Numbers, ...]
    moves: tuple[Numbers, ...]
    attacks: tuple[list[Attack], ...]
    chances: tuple[Numbers, ...]

    @property
    def exact(self) -> bool:
        """Tell whether the numbers are Fractions."""
        return bool(self.paid[0].dtype == object)

    def stage(self, state: int, values: Numbers) -> Numbers:
        """Return M (A_i, C) of a state at continuation `values` (S,)."""
        result: Numbers = self.paid[state] + self.discount * (self.moves[state] @ values)
        return result

    def only(self, members: tuple[int, ...]) -> Contest:
        """Return the contest in which `members` are corrupted for certain, at every step."""
        kept = [[c for c, (K, _) in enumerate(own) if members == K] for own in self.attacks]
        return Contest(
            self.agent,
            self.discount,
            tuple(table[:, columns] for table, columns in zip(self.paid, kept, strict=True)),
            tuple(table[:, columns] for table, columns in zip(self.moves, kept, strict=True)),
            tuple([own[c] for c in columns] for own, columns in zip(self.attacks, kept, strict=True)),
            tuple(table[:, columns] for table, columns in zip(self.chances, kept, strict=True)),
        )


def contest(
    game: MarkovGame,
    threat: ThreatModel,
    policy: Sequence[Numbers],
    agent: int,
    *,
    exact: bool = False,
) -> Contest:
    """Write out the contest of one agent with its attacker.

    Parameters
    ----------
    game, threat
    policy : one array (S, max A_j) per agent
        The agent's own entry is not read.
    agent : int
    exact : bool
        Compute in Fractions; doubles are taken at their word.

    Raises
    ------
    ThreatError
        If the threat is not a budget k, with or without a probability.
    """
    rewards, transitions, discount = agent_tables(game, agent, exact)
    kind: Any = object if exact else float
    rho = 1 if threat.probability is None else Fraction(threat.probability)
    weight = rho if exact else float(rho)
    paid, moves, found, drawn = [], [], [], []
    for state in range(game.n_states):
        counts = [int(count) for count in game.action_counts[state]]
        own = attacks(threat, game.n_agents, agent, counts)
        rows = range(int(game.offsets[state]), int(game.offsets[state + 1]))
        chances = zeros((counts[agent], len(own), len(rows)), exact)
        for position, joint in enumerate(product(*map(range, counts))):
            play = [policy[j][state, action] for j, action in enumerate(joint)]
            play = [Fraction(p) if exact else float(p) for p in play]
            free = _chance(play, agent, ())
            for column, (members, actions) in enumerate(own):
                agrees = all(joint[j] == action for j, action in zip(members, actions, strict=True))
                forced = _chance(play, agent, members) if agrees else 0
                chances[joint[agent], column, position] = (1 - weight) * free + weight * forced
        block = slice(rows.start, rows.stop)
        paid.append((chances @ rewards[block]).astype(kind))
        moves.append((chances @ transitions[block]).astype(kind))
        found.append(own)
        drawn.append(chances)
    return Contest(agent, discount, tuple(paid), tuple(moves), tuple(found), tuple(drawn))


def _chance(play: Sequence[Any], agent: int, members: tuple[int, ...]) -> Any:
    """Return the probability that all agents but `agent` and `members` play what `play` gives them."""
    result: Any = 1
    for j, probability in enumerate(play):
        if j != agent and j not in members:
            result = result * probability
    return result


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


def robust_value(contest: Contest, own: Sequence[Numbers]) -> Numbers:
    """Return the value (S,) of the agent's mixtures `own`, one (A_i,) per state, against the worst attack."""
    tables = [
        (mixture @ paid, np.tensordot(mixture, moves, axes=(0, 0)))
        for mixture, paid, moves in zip(own, contest.paid, contest.moves, strict=True)
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

    Strategy improvement: each round plays extreme optimal strategies at the values of the last one, where
    they are better, and evaluates them against the worst attack. Values rise to the fixed point of T.
    """
    states = range(len(contest.paid))
    own = [np.full(len(paid), 1 / len(paid)) for paid in contest.paid]
    values = robust_value(contest, own)
    for _ in range(ROUNDS):
        answers = [matrix_game(contest.stage(state, values)) for state in states]
        slack = SETTLED * max(_size(contest), float(np.abs(values).max()), max(abs(v) for v, _ in answers))
        better = [value > values[state] + slack for state, (value, _) in enumerate(answers)]
        own = [answer[1] if up else old for up, answer, old in zip(better, answers, own, strict=True)]
        found = robust_value(contest, own)
        if not any(better) or float((found - values).max()) <= slack:
            return np.maximum(values, found), own
        values = found
    raise AssertionError("strategy improvement did not end")


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
