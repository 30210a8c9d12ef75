"""An independent judge in Fractions, for tiny games: true gaps by enumeration, and ε by the bare formula.

It judges the checkers and the package's oracle, and shares nothing with either. Own robust values are found
by trying every pure stationary attacker. A best-response value may be irrational, so it is bracketed: from
below by the own robust value of a given deviation, from above by the best pure deviation against a given
mixture of attacks. With near-optimal deviation and mixture the bracket is about 1e-15 wide. Costs grow
exponentially, so games stay at a handful of states and actions.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

Exact = list[Fraction]


class ExactGame:
    """A game as plain lists of Fractions: rewards[row][agent], moves[row][state]."""

    def __init__(self, game: MarkovGame) -> None:
        self.n, self.n_states = game.n_agents, game.n_states
        self.counts = game.action_counts.tolist()
        self.discount = game.exact_discount()
        self.rewards, self.moves = [], []
        for row in range(game.n_rows):
            self.rewards.append([game.exact_reward(row, agent) for agent in range(self.n)])
            moves = [Fraction(0)] * self.n_states
            for probability, state in game.exact_moves(row):
                moves[state] = probability
            self.moves.append(moves)
        self.rows = {}
        row = 0
        for state, counts in enumerate(self.counts):
            for joint in product(*map(range, counts)):
                self.rows[state, joint] = row
                row += 1

    def columns(self, threat: ThreatModel, agent: int, state: int) -> list[tuple]:
        """All pure attacks: (distribution over corruption sets, action of each member of each set)."""
        result = []
        masks = {j: states[state] for j, states in (threat.masks or {}).items() if state in states}
        for corruption in threat.corruptions(self.n, agent):
            members = [(K, j) for K, _ in corruption.weights for j in K]
            agents = sorted({j for _, j in members})
            informed = threat.informed and len(agents) < len(members)
            decisions = members if informed else agents
            owners = [j for _, j in members] if informed else agents
            for actions in product(*(masks.get(j) or range(self.counts[state][j]) for j in owners)):
                decided = dict(zip(decisions, actions, strict=True))
                attack = {(K, j): decided[(K, j) if informed else j] for K, j in members}
                result.append((corruption.weights, attack))
        return result

    def row_weights(self, policy, agent: int, state: int, own: int, column: tuple) -> dict[int, Fraction]:
        """Probability of each joint action of `state`, when `agent` plays `own` and is attacked so."""
        weights, attack = column
        result: dict[int, Fraction] = {}
        for joint in product(*map(range, self.counts[state])):
            if joint[agent] != own:
                continue
            total = Fraction(0)
            for members, probability in weights:
                term = probability
                for j, action in enumerate(joint):
                    if j == agent:
                        continue
                    if j in members:
                        term *= 1 if attack[members, j] == action else 0
                    else:
                        term *= policy[j][state][action]
                total += term
            if total:
                result[self.rows[state, joint]] = total
        return result

    def stage(
        self, policy, threat: ThreatModel, agent: int, state: int, values: Exact
    ) -> list[list[Fraction]]:
        """M[a][c] for continuation values, summed over joint actions term by term."""
        gamma = self.discount[agent]
        backed = {
            row: self.rewards[row][agent]
            + gamma * sum((p * v for p, v in zip(self.moves[row], values, strict=True)), Fraction(0))
            for (s, _), row in self.rows.items()
            if s == state
        }
        return [
            [
                sum(
                    (
                        w * backed[row]
                        for row, w in self.row_weights(policy, agent, state, own, column).items()
                    ),
                    Fraction(0),
                )
                for column in self.columns(threat, agent, state)
            ]
            for own in range(self.counts[state][agent])
        ]


def solve_linear(matrix: list[Exact], right: Exact) -> Exact:
    """Gauss–Jordan elimination in Fractions."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for pivot in range(size):
        chosen = next(r for r in range(pivot, size) if rows[r][pivot])
        rows[pivot], rows[chosen] = rows[chosen], rows[pivot]
        rows[pivot] = [value / rows[pivot][pivot] for value in rows[pivot]]
        for r in range(size):
            if r != pivot and rows[r][pivot]:
                factor = rows[r][pivot]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[pivot], strict=True)]
    return [line[-1] for line in rows]


def _linear_value(exact: ExactGame, agent: int, mixes: list[dict[int, Fraction]]) -> Exact:
    """Value of `agent` when state s draws row k with probability mixes[s][k]."""
    gamma = exact.discount[agent]
    matrix, right = [], []
    for state, mix in enumerate(mixes):
        line = [Fraction(int(state == other)) for other in range(exact.n_states)]
        for row, weight in mix.items():
            for other in range(exact.n_states):
                line[other] -= gamma * weight * exact.moves[row][other]
        matrix.append(line)
        right.append(sum((w * exact.rewards[row][agent] for row, w in mix.items()), Fraction(0)))
    return solve_linear(matrix, right)


def _mixed(parts: list[tuple[Fraction, dict[int, Fraction]]]) -> dict[int, Fraction]:
    mix: dict[int, Fraction] = {}
    for weight, rows in parts:
        for row, probability in rows.items():
            mix[row] = mix.get(row, Fraction(0)) + weight * probability
    return mix


def robust_value(exact: ExactGame, threat: ThreatModel, policy, agent: int) -> Exact:
    """Own robust value: the pointwise least over all pure stationary attackers [T1]."""
    options = []
    for state in range(exact.n_states):
        options.append(
            [
                _mixed(
                    [
                        (policy[agent][state][own], exact.row_weights(policy, agent, state, own, column))
                        for own in range(exact.counts[state][agent])
                    ]
                )
                for column in exact.columns(threat, agent, state)
            ]
        )
    values = [_linear_value(exact, agent, list(choice)) for choice in product(*options)]
    return [min(column) for column in zip(*values, strict=True)]


def deviation_value(exact: ExactGame, policy, attacker, threat: ThreatModel, agent: int) -> Exact:
    """The most a pure stationary deviation earns against the fixed mixture `attacker` of columns.

    An upper bound of the best-response robust value, equal to it if the mixture is optimal.
    """
    options = []
    for state in range(exact.n_states):
        columns = exact.columns(threat, agent, state)
        total = sum(attacker[state][: len(columns)], Fraction(0))
        options.append(
            [
                _mixed(
                    [
                        (y / total, exact.row_weights(policy, agent, state, own, column))
                        for y, column in zip(attacker[state], columns, strict=False)
                    ]
                )
                for own in range(exact.counts[state][agent])
            ]
        )
    values = [_linear_value(exact, agent, list(choice)) for choice in product(*options)]
    return [max(column) for column in zip(*values, strict=True)]


def _horizon_values(exact: ExactGame, threat: ThreatModel, steps: list, agent: int, backed) -> Exact:
    """Backward induction from 0 with `backed(step, state, M)` as the value of a stage."""
    values = [Fraction(0)] * exact.n_states
    for step in reversed(range(len(steps))):
        values = [
            backed(step, state, exact.stage(steps[step], threat, agent, state, values))
            for state in range(exact.n_states)
        ]
    return values


def gap_bracket(game: MarkovGame, threat: ThreatModel, policy, found, horizon: int | None = None):
    """Lower and upper bounds of max_s gap_i(s) per agent, exact; tight if `found` is near-optimal.

    With a horizon the gap is that at step 0.
    """
    exact = ExactGame(game)
    low, high = [], []
    for agent in range(exact.n):
        if horizon is None:
            own = [fractions(table) for table in policy]
            attacker, deviation = fractions(found.attacker[agent]), fractions(found.deviation[agent])
            value = robust_value(exact, threat, own, agent)
            moved = [deviation if j == agent else table for j, table in enumerate(own)]
            below = robust_value(exact, threat, moved, agent)
            above = deviation_value(exact, own, attacker, threat, agent)
        else:
            steps = [[fractions(table[step]) for table in policy] for step in range(horizon)]

            def least(mixtures):
                return lambda t, s, m: min(
                    sum(x * line[c] for x, line in zip(mixtures[t][s], m, strict=False))
                    for c in range(len(m[0]))
                )

            def most(mixtures):
                return lambda t, s, m: max(
                    sum(y * x for y, x in zip(mixtures[t][s], line, strict=False)) / sum(mixtures[t][s])
                    for line in m
                )

            deviation = [fractions(table) for table in found.deviation[agent]]
            attacker = [fractions(table) for table in found.attacker[agent]]
            value = _horizon_values(exact, threat, steps, agent, least([step[agent] for step in steps]))
            below = _horizon_values(exact, threat, steps, agent, least(deviation))
            above = _horizon_values(exact, threat, steps, agent, most(attacker))
        low.append(max(b - v for b, v in zip(below, value, strict=True)))
        high.append(max(a - v for a, v in zip(above, value, strict=True)))
    return low, high


def fractions(table) -> list[Exact]:
    """A table of numbers as lists of Fractions."""
    return [[Fraction(x) for x in row] for row in np.asarray(table).tolist()]


def bare_bound(game: MarkovGame, certificate) -> tuple[list[Fraction], list[Fraction]]:
    """ε and its residual part straight from the formulas, one Fraction at a time."""
    exact = ExactGame(game)
    most = max(sum(row, Fraction(0)) for row in exact.moves)
    epsilons, shifts = [], []

    def step_error(step: int, agent: int, now: tuple, later: tuple) -> Fraction:
        policy = [fractions(table) for table in certificate.policy_at(step)]
        attacker = fractions(certificate.attacker_at(step)[agent])
        rise = fall = Fraction(0)
        for state in range(exact.n_states):
            high = exact.stage(policy, certificate.threat, agent, state, [Fraction(v) for v in later[0]])
            low = exact.stage(policy, certificate.threat, agent, state, [Fraction(v) for v in later[1]])
            y, x = attacker[state][: len(high[0])], policy[agent][state]
            best = max(sum(w * m for w, m in zip(y, line, strict=True)) / sum(y) for line in high)
            worst = min(sum(x[own] * low[own][c] for own in range(len(low))) for c in range(len(low[0])))
            rise = max(rise, best - Fraction(now[0][state]))
            fall = max(fall, Fraction(now[1][state]) - worst)
        return rise + fall

    for agent in range(exact.n):
        beta = exact.discount[agent] * most
        if certificate.horizon is None:
            hints = (certificate.upper[agent], certificate.lower[agent])
            assert beta < 1
            shift = step_error(0, agent, hints, hints) / (1 - beta)
            first = hints
        else:
            pairs = [
                (certificate.upper[t, agent], certificate.lower[t, agent])
                for t in range(certificate.horizon + 1)
            ]
            shift = max(Fraction(0), *(-Fraction(v) for v in pairs[-1][0])) + max(
                Fraction(0), *(Fraction(v) for v in pairs[-1][1])
            )
            for step in reversed(range(certificate.horizon)):
                shift = step_error(step, agent, pairs[step], pairs[step + 1]) + beta * shift
            first = pairs[0]
        shifts.append(shift)
        epsilons.append(max(Fraction(u) - Fraction(v) for u, v in zip(*first, strict=True)) + shift)
    return epsilons, shifts
