"""One stage ARNEQ in rational numbers: two agents under a probability of corruption, or any who decouple.

Rational data have a rational answer in just these classes: a threat that decouples [T4] leaves every agent
with a matrix game, and two agents with their attackers play a polymatrix game [T11]. (For n ≥ 3 in between,
rational data can force an irrational equilibrium.) Payoffs are brought to integers, which changes the unit
and the origin of each agent's payoffs and so no equilibrium:

* decoupled: the simplex method by integer pivoting (`exact_simplex`);
* two agents: an equilibrium in pure strategies of agents and attackers if there is one, because its numbers
  do not grow, else Lemke's method by integer pivoting (`exact_lemke`).

With p_i the probability with which agent i sees the other one corrupted, Q_i(a, b) payoffs of agent i (own
action first) and x the other's policy, the columns b of agent i's stage matrix are M_i(a; b) = (1 − p_i) Σ_c
Q_i(a, c) x(c) + p_i Q_i(a, b), or one column (1 − p_i = 1) without corruption. Masks leave fewer columns b.
Where the attacker has several probabilities to choose from, the largest is worst, if it is not masked
(`arneq_exact.attackers.stage_class.risks`); masked, it would choose between products of three
mixtures, and there is no rational answer in general. The policy with the attack is an equilibrium of the
stage game exactly if

    max_a Σ_b M_i(a; b) y_i(b)  =  min_b Σ_a π_i(a) M_i(a; b)   for every agent i,

and this number is agent i's value; it is compared before anything is returned.

References
----------
[T3], [T4], [T11]; von Stengel (2002), Handbook of Game Theory 3, 1723–1759 (integer pivoting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.attackers.stage_class import Decoupled, Risk
from arneq_exact.errors import StageError
from arneq_exact.exact.lemke import polymatrix_equilibrium
from arneq_exact.exact.rationals import common_denominator
from arneq_exact.exact.simplex import solve_integer_game

Table = list[list[Fraction]]


@dataclass(frozen=True)
class ExactStage:
    """One stage ARNEQ in rationals, per agent.

    Attributes
    ----------
    policy : one list of A_i Fractions per agent
    attack : one list of C_i Fractions per agent
        Optimal mixtures of the attackers over their columns.
    value : one Fraction per agent
    worst : one int per agent
        The first column that is worst for the policy.
    """

    policy: list[list[Fraction]]
    attack: list[list[Fraction]]
    value: list[Fraction]
    worst: list[int]


class ExactStageSolver:
    """Solve stage games in rationals.

    Parameters
    ----------
    attackers : StageAttackers
    bits : int, optional
        Length of intermediate integers past which a stage game is given up.

    Raises
    ------
    StageError
        If the class of stage game has no rational answer in general.

    Examples
    --------
    >>> import numpy as np
    >>> from fractions import Fraction as F
    >>> from arneq_exact import ThreatModel
    >>> from arneq_exact.attackers.stage_attackers import stage_attackers
    >>> pennies = np.array([[F(2), F(0)], [F(0), F(1)]], dtype=object)
    >>> nobody = stage_attackers(ThreatModel(0), (2, 2))
    >>> found = ExactStageSolver(nobody).solve([pennies, 1 - pennies])
    >>> found.policy
    [[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 3), Fraction(2, 3)]]
    """

    def __init__(self, attackers: StageAttackers, bits: int | None = None) -> None:
        self.attackers = attackers
        self.bits = bits
        self.decoupled = isinstance(attackers.stage_class, Decoupled)
        if not self.decoupled and attackers.risks is None:
            raise StageError(
                f"stage games of n = {attackers.n} agents under {attackers.described} are outside of the "
                "classes that have a rational equilibrium for certain"
            )

    def solve(self, payoffs: Sequence[NDArray[Any]]) -> ExactStage:
        """Return one stage ARNEQ.

        Parameters
        ----------
        payoffs : one object array (A1, ..., An) of Fractions per agent

        Raises
        ------
        StageError
            If intermediate integers pass `bits`, or the bound of pivots is met.
        """
        matrices, policy, attack = self._each_alone(payoffs) if self.decoupled else self._two_agents(payoffs)
        value, worst = [], []
        for agent, matrix in enumerate(matrices):
            harm = [_dot(policy[agent], column) for column in zip(*matrix, strict=True)]
            value.append(min(harm))
            if max(_dot(attack[agent], row) for row in matrix) != value[-1]:
                raise StageError("an exact stage equilibrium fails its own test: a fault in the program")
            before, after = _other_columns(self.attackers.of[agent])
            worst.append(before + harm.index(value[-1]))
            attack[agent] = [Fraction(0)] * before + attack[agent] + [Fraction(0)] * after
        return ExactStage(policy, attack, value, worst)

    def _each_alone(self, payoffs: Sequence[NDArray[Any]]) -> tuple[list[Table], Table, Table]:
        """Return every agent's matrix against all others together, and what both sides play."""
        counts = self.attackers.counts
        matrices = [
            _own_action_first(payoff, agent, [own[0].choices(j, counts) for j in range(len(counts))])
            for agent, (payoff, own) in enumerate(zip(payoffs, self.attackers.points, strict=True))
        ]
        pairs = [self._matrix_game(matrix) for matrix in matrices]
        return matrices, [x for x, _ in pairs], [y for _, y in pairs]

    def _two_agents(self, payoffs: Sequence[NDArray[Any]]) -> tuple[list[Table], Table, Table]:
        """Return both agents' matrices at an equilibrium, and what agents and attackers play in it."""
        assert self.attackers.risks is not None
        risks = self.attackers.risks
        everything = [range(count) for count in self.attackers.counts]
        tables = [_own_action_first(payoff, agent, everything) for agent, payoff in enumerate(payoffs)]
        policy, attack = _pure(tables, risks) or self._lemke(tables, risks)
        matrices = [_columns(risks[agent], table, policy[1 - agent]) for agent, table in enumerate(tables)]
        return matrices, policy, attack

    def _matrix_game(self, table: Table) -> tuple[list[Fraction], list[Fraction]]:
        lowest = min(min(row) for row in table)
        matrix = _integers([[entry - lowest for entry in row] for row in table])
        weights = solve_integer_game([[entry + 1 for entry in row] for row in matrix], self.bits)
        if weights is None:
            raise StageError(self._given_up())
        return _mixture(weights[0]), _mixture(weights[1])

    def _lemke(self, tables: list[Table], risks: Sequence[Risk]) -> tuple[Table, Table]:
        """Return the equilibrium at the end of Lemke's path; attackers who never strike take no part."""
        counts = [len(table) for table in tables]
        attacked = [agent for agent in range(2) if risks[agent].actions]
        sizes = counts + [len(risks[agent].actions) for agent in attacked]
        first = [sum(sizes[:player]) for player in range(len(sizes))]
        payoff = [[0] * sum(sizes) for _ in range(sum(sizes))]
        for agent in range(2):
            p = risks[agent].probability
            for a, row in enumerate(_integers(tables[agent])):
                for b, entry in enumerate(row):
                    payoff[first[agent] + a][first[1 - agent] + b] = (p.denominator - p.numerator) * entry
                if agent in attacked:
                    start = first[2 + attacked.index(agent)]
                    for column, b in enumerate(risks[agent].actions, start):
                        payoff[first[agent] + a][column] = p.numerator * row[b]
                        payoff[column][first[agent] + a] = -row[b]
        found = polymatrix_equilibrium(payoff, sizes, self.bits)
        if found is None:
            raise StageError(self._given_up())
        mixtures = [_mixture(weights) for weights in found]
        attack = [
            mixtures[2 + attacked.index(agent)] if agent in attacked else [Fraction(1)] for agent in range(2)
        ]
        return mixtures[:2], attack

    def _given_up(self) -> str:
        bound = "the bound of pivots" if self.bits is None else f"the bound of pivots or of {self.bits} bits"
        return f"an exact stage game passed {bound}"


def _columns(risk: Risk, table: Table, other: list[Fraction]) -> Table:
    """Return M_i (A_i, C) against the other's policy."""
    p = risk.probability
    if p == 0:
        return [[_dot(row, other)] for row in table]
    spared = [(1 - p) * _dot(row, other) if p < 1 else Fraction(0) for row in table]
    return [[base + p * row[b] for b in risk.actions] for base, row in zip(spared, table, strict=True)]


def _pure(tables: list[Table], risks: Sequence[Risk]) -> tuple[Table, Table] | None:
    """Return the first equilibrium in which both agents and both attackers play one action."""
    counts = [len(table) for table in tables]
    for joint in product(*map(range, counts)):
        columns = [
            _pure_attack(risk, table, joint[agent], joint[1 - agent])
            for agent, (risk, table) in enumerate(zip(risks, tables, strict=True))
        ]
        if None not in columns:
            policy = [_unit(action, count) for action, count in zip(joint, counts, strict=True)]
            widths = [len(risk.actions) or 1 for risk in risks]
            return policy, [_unit(c or 0, width) for c, width in zip(columns, widths, strict=True)]
    return None


def _pure_attack(risk: Risk, table: Table, own: int, other: int) -> int | None:
    """Return a worst column against which the agent's action is best."""
    p = risk.probability
    if p == 0:
        return 0 if table[own][other] == max(row[other] for row in table) else None
    least = min(table[own][b] for b in risk.actions)
    for column, b in enumerate(risk.actions):
        if table[own][b] == least:
            paid = [(1 - p) * row[other] + p * row[b] for row in table]
            if paid[own] == max(paid):
                return column
    return None


def _other_columns(attacker: Attacker) -> tuple[int, int]:
    """Return the numbers of columns before and after those of the extreme point that is worst."""
    points = attacker.points
    worst = max(range(len(points)), key=lambda at: points[at].chance)
    return attacker.first[worst], attacker.width - attacker.first[worst + 1]


def _own_action_first(payoff: NDArray[Any], agent: int, choices: Sequence[Sequence[int]]) -> Table:
    """Return the payoffs as rows over the agent's own actions; columns are the others' joint choices."""
    own = [range(payoff.shape[j]) if j == agent else chosen for j, chosen in enumerate(choices)]
    moved = np.moveaxis(payoff[np.ix_(*own)], agent, 0)
    rows: Table = moved.reshape(moved.shape[0], -1).tolist()
    return rows


def _integers(table: Table) -> list[list[int]]:
    """Return the payoffs in another unit, as integers without a common divisor."""
    flat, _ = common_denominator(entry for row in table for entry in row)
    unit = gcd(*flat) or 1
    width = len(table[0])
    return [[entry // unit for entry in flat[start : start + width]] for start in range(0, len(flat), width)]


def _mixture(weights: list[int]) -> list[Fraction]:
    total = sum(weights)
    return [Fraction(weight, total) for weight in weights]


def _unit(action: int, count: int) -> list[Fraction]:
    return [Fraction(int(other == action)) for other in range(count)]


def _dot(weights: Sequence[Fraction], values: Sequence[Fraction]) -> Fraction:
    return sum((w * v for w, v in zip(weights, values, strict=True) if w and v), Fraction(0))
