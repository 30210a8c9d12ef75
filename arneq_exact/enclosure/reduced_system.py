"""The conditions of an equilibrium as a square system of polynomials that can be regular.

Unknowns are the probabilities x_i(a|s) of actions in use, the values V_i(s), and the probabilities y_i(c|s)
of a set J_i(s) of attacks; of each mixture the likeliest entry is 1 minus the others. Equations, per agent
and state:

    (M_i y_i)(a) = V_i          for the actions a in use,
    (π_iᵀ M_i)(c) = V_i         for the attacks c in J but the last,      M_i = M_i^π(s)[r_i + γ_i P V_i].

As many as unknowns. The last attack's condition follows: with e(c) = (π_iᵀ M_i)(c) − V_i the first line
gives Σ_J y(c) e(c) = 0, and y > 0 there. The system of *all* equally bad attacks would be singular, because
y is never unique for 0 < k < n−1. Which attacks are left out of J, and why nothing is lost:

* *the same function.* Columns of M that are equal polynomials (dummy agents, agents in one class) are merged.
* *imitation.* A corrupted agent that plays its own policy changes nothing. So for two corruption sets K, K'
  with L = K ∩ K' and any a_L, Σ_{a_{K∖L}} π(a_{K∖L}) M(·; K, (a_L, a_{K∖L})) equals the same sum for K': a
  linear relation Σ_c w(c) M(·; c) = 0 with Σ w = 0, hence Σ w(c) e(c) = 0. As many attacks D are left out as
  there are independent relations; where the square part W_D is regular, e = 0 on J implies e = 0 on D, and
  every optimal attack on J ∪ D can be moved, entries perhaps negative, onto J without changing M y.

References
----------
[T1], [T3], [T9]; Krawczyk (1969), Computing 4, 187–201.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations as pairs
from itertools import product as combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.attackers.resolve import resolve
from arneq_exact.enclosure.play_in_use import IN_USE, Column, attack_columns, exact_row, support
from arneq_exact.enclosure.polynomials import Evaluator, Polynomial, add, constant, linear, product, unknown
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate

LARGEST = 600
"""Most unknowns that are tried: work with a dense Jacobian of balls is cubic in them."""

TIE = 1e-6
"""Attacks that are this much less bad than the worst, relative to payoffs, count as equally bad: a guess
between rounding and differences that mean something, which the balls then prove or refuse."""


class NotEnclosed(Exception):  # noqa: N818 - an answer, told in `Enclosure.reason`
    """Why there is no enclosure."""


@dataclass
class StageAttack:
    """Attacks on one agent in one state.

    Attributes
    ----------
    tied : set of int
        Columns that count as equally bad and worst.
    merged : {column: column}
        The column that stands for each tied one.
    kept : list of int
        J, the likeliest last.
    dropped : list of int
        D.
    relations : list of {column: weight}
        As many as `dropped`; their square part there must be regular.
    """

    tied: set[int]
    merged: dict[int, int]
    kept: list[int]
    dropped: list[int]
    relations: list[dict[int, Polynomial]]


class ReducedSystem:
    """Numbered unknowns, their guessed values and the equations.

    Parameters
    ----------
    game, threat, certificate
    first : list of int
        For each agent the one whose unknowns it shares, itself if none.

    Raises
    ------
    NotEnclosed
        If the attacks in use cannot be reduced to a square system.
    """

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, certificate: Certificate, first: Sequence[int]
    ) -> None:
        self.game, self.first = game, list(first)
        self.agents = sorted(set(first))
        self.guess: list[float] = []
        self.play: dict[tuple[int, int], list[Polynomial]] = {}
        self.value: dict[tuple[int, int], Polynomial] = {}
        self.actions: dict[tuple[int, int], list[int]] = {}
        for agent in self.agents:
            for state in range(game.n_states):
                row = certificate.policy[agent][state, : game.action_counts[state, agent]].tolist()
                used = self.actions[agent, state] = support(row)
                self.play[agent, state] = self._mixture(row, used)
                self.value[agent, state] = self._new(certificate.lower[agent, state])
        if len(self.guess) > LARGEST:
            raise NotEnclosed(f"over {LARGEST} unknowns are too many")
        attackers = resolve(game, threat)
        self.columns = {
            (agent, state): attack_columns(attackers.of(state).points[agent], self._counts(state))
            for agent in self.agents
            for state in range(game.n_states)
        }
        self._expected: dict[Any, Polynomial] = {}
        self.attack: dict[tuple[int, int], list[Polynomial]] = {}
        self.stages: dict[tuple[int, int], StageAttack] = {}
        self.equations: list[Polynomial] = []
        for agent, state in list(self.columns):
            mixture = np.array(certificate.attacker[agent][state].tolist(), dtype=np.float64)
            self._write(agent, state, mixture[: len(self.columns[agent, state])])

    # -- polynomials ----------------------------------------------------------------------------

    def payoff(self, agent: int, state: int, action: int, column: int) -> Polynomial:
        """Return M_i(a; c)."""
        terms = self.columns[agent, state][column]
        return linear((weight, self._given(agent, state, action, forced)) for weight, forced in terms)

    def harm(self, agent: int, state: int, column: int) -> Polynomial:
        """Return (π_iᵀ M_i)(c) − V_i."""
        play = self.play[agent, state]
        paid = (
            (1, product(play[a], self.payoff(agent, state, a, column))) for a in self.actions[agent, state]
        )
        return linear([*paid, (-1, self.value[agent, state])])

    def worth(self, agent: int, state: int, action: int) -> Polynomial:
        """Return (M_i y_i)(a) − V_i."""
        kept = self.stages[agent, state].kept
        attack = self.attack[agent, state]
        paid = (
            (1, product(mixture, self.payoff(agent, state, action, c)))
            for c, mixture in zip(kept, attack, strict=True)
        )
        return linear([*paid, (-1, self.value[agent, state])])

    def _given(self, agent: int, state: int, action: int, forced: tuple[tuple[int, int], ...]) -> Polynomial:
        """Return E Q_i where some actions are given and the others follow π."""
        key = agent, state, action, forced
        if key in self._expected:
            return self._expected[key]
        fixed = {agent: action, **dict(forced)}
        options: list[list[int]] = [
            [fixed[j]] if j in fixed else self.actions[self.first[j], state]
            for j in range(self.game.n_agents)
        ]
        result: Polynomial = {}
        for joint in combinations(*options):
            weights = [self.play[self.first[j], state][a] for j, a in enumerate(joint) if j not in fixed]
            row = int(self.game.offsets[state] + np.ravel_multi_index(joint, self._counts(state)))
            add(result, product(*weights, self._backup(agent, row)))
        self._expected[key] = result
        return result

    def _backup(self, agent: int, row: int) -> Polynomial:
        if (agent, row) not in self._expected:
            rewards, moves = exact_row(self.game, row)
            gamma = self.game.exact_discount()[agent]
            terms = [(gamma * p, self.value[agent, to]) for to, p in moves.items()]
            self._expected[agent, row] = linear([(1, constant(rewards[agent])), *terms])
        return self._expected[agent, row]

    def _counts(self, state: int) -> tuple[int, ...]:
        return tuple(int(a) for a in self.game.action_counts[state])

    # -- unknowns and equations -----------------------------------------------------------------

    def _new(self, guess: Any) -> Polynomial:
        self.guess.append(float(guess))
        return unknown(len(self.guess) - 1)

    def _mixture(self, row: Sequence[Any], used: Sequence[int]) -> list[Polynomial]:
        """Return the probability of every entry; unknowns for those in use but the last."""
        result: list[Polynomial] = [{} for _ in row]
        for entry in used[:-1]:
            result[entry] = self._new(row[entry])
        result[used[-1]] = linear([(1, constant(1)), *((-1, result[entry]) for entry in used[:-1])])
        return result

    def _write(self, agent: int, state: int, mixture: NDArray[np.float64]) -> None:
        """Choose the attacks of one agent and state, and append its equations."""
        where = f"agent {self.game.agent_name(agent)!r} in state {self.game.state_name(state)!r}"
        used = self.actions[agent, state]
        stage, weights = self._choose(agent, state, mixture / mixture.sum())
        if len(stage.kept) > len(used):
            raise NotEnclosed(
                f"{where} faces {len(stage.kept)} independent attacks that are equally bad with "
                f"{len(used)} actions in use: the attack is not determined"
            )
        if min(weights[column] for column in stage.kept) <= IN_USE:
            raise NotEnclosed(f"{where} faces an attack as bad as those in use that is not: degenerate")
        stage.kept.sort(key=lambda column: (weights[column], -column))
        self.stages[agent, state] = stage
        dense = [weights.get(column, 0.0) for column in range(len(mixture))]
        mixed = self._mixture(dense, stage.kept)
        self.attack[agent, state] = [mixed[column] for column in stage.kept]
        self.equations += [self.worth(agent, state, action) for action in used]
        self.equations += [self.harm(agent, state, column) for column in stage.kept[:-1]]

    def _choose(
        self, agent: int, state: int, mixture: NDArray[np.float64]
    ) -> tuple[StageAttack, dict[int, float]]:
        """Return the attacks to keep and drop, with guessed weights of those that are kept."""
        numbers = Evaluator(float)
        harms = [numbers.value(self.harm(agent, state, column), self.guess) for column in range(len(mixture))]
        size = max(1.0, float(np.abs(self.game.rewards[:, agent]).max()), abs(min(harms)))
        tied = {column for column, harm in enumerate(harms) if harm - min(harms) <= TIE * size}
        merged: dict[int, int] = {}
        seen: dict[Any, int] = {}
        weights: dict[int, float] = {}
        for column in sorted(tied):
            paid = (self.payoff(agent, state, action, column) for action in self.actions[agent, state])
            merged[column] = seen.setdefault(tuple(frozenset(entry.items()) for entry in paid), column)
            weights[merged[column]] = weights.get(merged[column], 0.0) + float(mixture[column])
        relations = self._relations(agent, state, merged)
        dropped, used = _drop(relations, weights, lambda entry: numbers.value(entry, self.guess))
        kept = [column for column in weights if column not in dropped]
        total = sum(weights[column] for column in kept)
        if not total > 0.5:
            raise NotEnclosed(
                f"the attack given on agent {self.game.agent_name(agent)!r} in state "
                f"{self.game.state_name(state)!r} is not worst for the policy, which is no equilibrium then"
            )
        weights = {column: weights[column] / total for column in kept}
        return StageAttack(tied, merged, kept, dropped, used), weights

    def _relations(self, agent: int, state: int, merged: dict[int, int]) -> list[dict[int, Polynomial]]:
        """Return the relations of imitation among tied columns, merged ones as one."""
        result = []
        for sides in imitations(self.columns[agent, state], self._counts(state)):
            relation: dict[int, Polynomial] = {}
            inside = True
            for sign, side in zip((1, -1), sides, strict=True):
                for column, played in side:
                    weight = product(*(self.play[self.first[j], state][a] for j, a in played))
                    inside = inside and (not weight or column in merged)
                    if weight and inside and column is not None:
                        add(relation.setdefault(merged[column], {}), weight, sign)
            relation = {column: weight for column, weight in relation.items() if weight}
            if inside and relation:
                result.append(relation)
        return result


Side = list[tuple[int | None, tuple[tuple[int, int], ...]]]


def imitations(columns: Sequence[Column], counts: Sequence[int]) -> list[tuple[Side, Side]]:
    """Return the relations of imitation between every two corruption sets of one probability.

    A side lists pairs of a column and the ((agent, action), ...) whose probabilities multiply to its weight;
    the column is None where a mask forbids it.
    """
    plain: dict[tuple[Fraction, tuple[int, ...]], dict[tuple[int, ...], int]] = {}
    for number, column in enumerate(columns):
        drawn = [(weight, forced) for weight, forced in column if forced]
        if len(drawn) == 1:
            weight, forced = drawn[0]
            key = weight, tuple(agent for agent, _ in forced)
            plain.setdefault(key, {})[tuple(action for _, action in forced)] = number
    result = []
    for one, other in pairs(plain.items(), 2):
        (weight, members), (other_weight, others) = one[0], other[0]
        if weight == other_weight:
            common = [j for j in members if j in others]
            for fixed in combinations(*(range(counts[j]) for j in common)):
                given = dict(zip(common, fixed, strict=True))
                result.append((_side(members, one[1], given, counts), _side(others, other[1], given, counts)))
    return result


def _side(
    members: tuple[int, ...],
    columns: dict[tuple[int, ...], int],
    given: dict[int, int],
    counts: Sequence[int],
) -> Side:
    side: Side = []
    for joint in combinations(*([given[j]] if j in given else range(counts[j]) for j in members)):
        played = tuple((j, a) for j, a in zip(members, joint, strict=True) if j not in given)
        side.append((columns.get(joint), played))
    return side


def _drop(
    relations: list[dict[int, Polynomial]], weights: dict[int, float], number: Any
) -> tuple[list[int], list[dict[int, Polynomial]]]:
    """Move the attack along the relations until no more columns can be spared; changes `weights`."""
    columns = sorted(weights)
    table = np.array([[number(r.get(c, {})) for c in columns] for r in relations]).reshape(-1, len(columns))
    y = np.array([weights[column] for column in columns])
    open_columns = np.ones(len(columns), dtype=np.bool_)
    dropped: list[int] = []
    used: list[dict[int, Polynomial]] = []
    for index, relation in enumerate(relations):
        line = table[index]
        if np.abs(line).max() <= IN_USE:
            continue
        choices = []
        for direction in (line, -line):
            down = open_columns & (direction < -IN_USE)
            if down.any():
                ratios = np.where(down, y / np.where(down, -direction, 1.0), np.inf)
                leaving = int(ratios.argmin())
                moved = y + ratios[leaving] * direction
                rest = open_columns.copy()
                rest[leaving] = False
                choices.append((float(moved[rest].min(initial=np.inf)), leaving, moved))
        if not choices:
            continue
        _, leaving, y = max(choices, key=lambda choice: choice[0])
        open_columns[leaving] = False
        dropped.append(columns[leaving])
        used.append(relation)
        for later in range(index + 1, len(table)):
            table[later] -= table[later, leaving] / line[leaving] * line
    for column, weight in zip(columns, y.tolist(), strict=True):
        weights[column] = weight
    return dropped, used
