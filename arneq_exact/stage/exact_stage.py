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
(`arneq_exact.stage.enumeration.listing.attack_on`); masked, it would choose between products of three
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

from arneq_exact.errors import StageError
from arneq_exact.exact.lemke import polymatrix_equilibrium
from arneq_exact.exact.rationals import common_denominator
from arneq_exact.exact.simplex import solve_integer_game
from arneq_exact.model.threat import ThreatModel
from arneq_exact.model.threat.corruption import Corruption, Masks
from arneq_exact.stage.enumeration.listing import attack_on
from arneq_exact.stage.robust import column_counts
from arneq_exact.stage.two_agents.polyhedra import Attack

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
    """Solve stage games of one threat in rationals.

    Parameters
    ----------
    n : int
    threat : ThreatModel
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
    >>> pennies = np.array([[F(2), F(0)], [F(0), F(1)]], dtype=object)
    >>> found = ExactStageSolver(2, ThreatModel(0)).solve([pennies, 1 - pennies])
    >>> found.policy
    [[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 3), Fraction(2, 3)]]
    """

    def __init__(self, n: int, threat: ThreatModel, bits: int | None = None) -> None:
        self.decoupled = threat.decouples(n)
        self.described = f"stage games of n = {n} agents under {threat.describe()} are outside of the classes"
        if n != 2 and not self.decoupled:
            raise StageError(f"{self.described} that have a rational equilibrium for certain")
        self.points = [threat.corruptions(n, agent) for agent in range(n)]
        self.bits = bits

    def solve(self, payoffs: Sequence[NDArray[Any]], masks: Masks = ()) -> ExactStage:
        """Return one stage ARNEQ.

        Parameters
        ----------
        payoffs : one object array (A1, ..., An) of Fractions per agent
        masks : tuple of (agent, actions)
            What corrupted agents can play in the state at hand, where that is not everything.

        Raises
        ------
        StageError
            If intermediate integers pass `bits`, or the bound of pivots is met, or masks leave the attacker a
            choice of probabilities.
        """
        counts = payoffs[0].shape
        points = [[point.restricted(masks) for point in own] for own in self.points]
        if self.decoupled:
            matrices = [
                _own_action_first(payoff, agent, [own[0].choices(j, counts) for j in range(len(counts))])
                for agent, (payoff, own) in enumerate(zip(payoffs, points, strict=True))
            ]
            pairs = [self._matrix_game(matrix) for matrix in matrices]
            policy, attack = [x for x, _ in pairs], [y for _, y in pairs]
        else:
            everything = [range(count) for count in counts]
            tables = [_own_action_first(payoff, agent, everything) for agent, payoff in enumerate(payoffs)]
            attacks = [feared for own in points if (feared := attack_on(own, counts)) is not None]
            if len(attacks) < 2:
                raise StageError(f"{self.described} that have a rational equilibrium for certain")
            policy, attack = _pure(tables, attacks) or self._lemke(tables, attacks)
            matrices = [
                _columns(attacks[agent], table, policy[1 - agent]) for agent, table in enumerate(tables)
            ]
        value, worst = [], []
        for agent, matrix in enumerate(matrices):
            harm = [_dot(policy[agent], column) for column in zip(*matrix, strict=True)]
            value.append(min(harm))
            if max(_dot(attack[agent], row) for row in matrix) != value[-1]:
                raise StageError("an exact stage equilibrium fails its own test: a fault in the program")
            before, after = _other_columns(points[agent], counts)
            worst.append(before + harm.index(value[-1]))
            attack[agent] = [Fraction(0)] * before + attack[agent] + [Fraction(0)] * after
        return ExactStage(policy, attack, value, worst)

    def _matrix_game(self, table: Table) -> tuple[list[Fraction], list[Fraction]]:
        lowest = min(min(row) for row in table)
        matrix = _integers([[entry - lowest for entry in row] for row in table])
        weights = solve_integer_game([[entry + 1 for entry in row] for row in matrix], self.bits)
        if weights is None:
            raise StageError(self._given_up())
        return _mixture(weights[0]), _mixture(weights[1])

    def _lemke(self, tables: list[Table], attacks: Sequence[Attack]) -> tuple[Table, Table]:
        """Return the equilibrium at the end of Lemke's path; attackers who never strike take no part."""
        counts = [len(table) for table in tables]
        attacked = [agent for agent in range(2) if attacks[agent].actions]
        sizes = counts + [len(attacks[agent].actions) for agent in attacked]
        first = [sum(sizes[:player]) for player in range(len(sizes))]
        payoff = [[0] * sum(sizes) for _ in range(sum(sizes))]
        for agent in range(2):
            p = attacks[agent].probability
            for a, row in enumerate(_integers(tables[agent])):
                for b, entry in enumerate(row):
                    payoff[first[agent] + a][first[1 - agent] + b] = (p.denominator - p.numerator) * entry
                if agent in attacked:
                    start = first[2 + attacked.index(agent)]
                    for column, b in enumerate(attacks[agent].actions, start):
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


def _columns(attack: Attack, table: Table, other: list[Fraction]) -> Table:
    """Return M_i (A_i, C) against the other's policy."""
    p = attack.probability
    if p == 0:
        return [[_dot(row, other)] for row in table]
    spared = [(1 - p) * _dot(row, other) if p < 1 else Fraction(0) for row in table]
    return [[base + p * row[b] for b in attack.actions] for base, row in zip(spared, table, strict=True)]


def _pure(tables: list[Table], attacks: Sequence[Attack]) -> tuple[Table, Table] | None:
    """Return the first equilibrium in which both agents and both attackers play one action."""
    counts = [len(table) for table in tables]
    for joint in product(*map(range, counts)):
        columns = [
            _pure_attack(attack, table, joint[agent], joint[1 - agent])
            for agent, (attack, table) in enumerate(zip(attacks, tables, strict=True))
        ]
        if None not in columns:
            policy = [_unit(action, count) for action, count in zip(joint, counts, strict=True)]
            widths = [len(attack.actions) or 1 for attack in attacks]
            return policy, [_unit(c or 0, width) for c, width in zip(columns, widths, strict=True)]
    return None


def _pure_attack(attack: Attack, table: Table, own: int, other: int) -> int | None:
    """Return a worst column against which the agent's action is best."""
    p = attack.probability
    if p == 0:
        return 0 if table[own][other] == max(row[other] for row in table) else None
    least = min(table[own][b] for b in attack.actions)
    for column, b in enumerate(attack.actions):
        if table[own][b] == least:
            paid = [(1 - p) * row[other] + p * row[b] for row in table]
            if paid[own] == max(paid):
                return column
    return None


def _other_columns(points: Sequence[Corruption], counts: Sequence[int]) -> tuple[int, int]:
    """Return the numbers of columns before and after those of the extreme point that is worst."""
    worst = max(range(len(points)), key=lambda at: sum(w for members, w in points[at].weights if members))
    widths = column_counts(points, tuple(counts))
    return sum(widths[:worst]), sum(widths[worst + 1 :])


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
