"""One agent against its own attacker, everyone else fixed: a zero-sum stochastic game [T9].

Fix π_{-i}. Agent i and its attacker play the discounted zero-sum game whose stage matrices are
M_i^{π(s)}(r_i + γ_i P v) (see `arneq_exact.stage.robust`). Three questions about it are answered here,
all by policy iteration, so that the work hardly depends on the discount:

* the value of a given pair (x, y) of stationary strategies: one linear system;
* the best reply to a fixed strategy of either side: a Markov decision process (Howard 1960);
* the value of the game with optimal x and y: Newton's method on v = T v, that is, solve the stage games
  and evaluate the pair exactly (Pollatschek & Avi-Itzhak 1969). Once several Newton steps in a row do
  not shrink the residual, the steps of Hoffman & Karp (1966) are taken instead (evaluate the best reply
  to y): slower, but they converge from anywhere.

If the threat decouples [T4] the matrices do not depend on π and the value is agent i's own maximin value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arneq_exact.attackers.resolve import resolve
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.markov.bellman import backup_agent, value_of_play
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.stage.robust import joint_play, robust_matrix
from arneq_exact.stage.zero_sum.linear import solve_matrix_games

ROUNDING = 64 * float(np.finfo(float).eps)
"""Relative difference that sums over columns and actions may have from rounding alone."""

TINY = float(np.finfo(float).tiny)
"""Unit of comparison where all values are 0."""

REPLY_ROUNDS = 1000
"""Policy iterations of a reply: a bound that is not met, should rounding make them go round in circles."""

PROMPT_ROUNDS = 10
"""Policy iterations of a reply in which states are compared each in units of its own payoffs. Later ones take
the largest value of all as unit: where values should be 0 and are dust, dust could cycle."""

GAME_ROUNDS = 200
"""Rounds of the zero-sum game: Newton takes about 10, Hoffman and Karp's steps some more."""

SHRUNK = 0.9
"""A residual of at most this share of the least so far counts as progress."""

PATIENCE = 3
"""Newton steps in a row that need not shrink the residual: far from the solution it may well grow."""


@dataclass(frozen=True)
class AttackedValue:
    """Value of the game of one agent against its attacker.

    Attributes
    ----------
    value : (S,)
    response : (S, max A_i)
        The agent's strategy x.
    attack : (S, max C_i)
        The attacker's mixture y over columns, zeros past the state's own columns.
    rounds : int
        Policy iterations used.
    """

    value: FloatArray
    response: FloatArray
    attack: FloatArray
    rounds: int


class AttackedAgent:
    """The zero-sum stochastic game of `agent` against its attacker, for fixed `policy` of the others.

    Parameters
    ----------
    game : MarkovGame
    threat : ThreatModel
    policy : one array (S, max A_j) per agent
    agent : int
    backend : {"auto", "reference"}
        Who solves the stage linear programs.
    """

    def __init__(
        self,
        game: MarkovGame,
        threat: ThreatModel,
        policy: Sequence[FloatArray],
        agent: int,
        *,
        backend: str = "auto",
        calls: Counter[str] | None = None,
    ) -> None:
        self.game = game
        self.agent = agent
        attackers = resolve(game, threat)
        self.groups = attackers.groups
        self.attackers = [group.stage.of[agent] for group in self.groups]
        self.others = [group.policy(policy) for group in self.groups]
        self.max_columns = attackers.widths[agent]
        self.max_actions = int(game.action_counts[:, agent].max())
        self.backend = backend
        self.calls = calls

    def matrices(self, value: FloatArray) -> list[FloatArray]:
        """Return M_i^π of the backup of `value` (S,): per group (B, A_i, C)."""
        rows = backup_agent(self.game, self.agent, value)
        return [
            robust_matrix(group.gather(rows), others, attacker)
            for group, others, attacker in zip(self.groups, self.others, self.attackers, strict=True)
        ]

    def value_of(
        self, response: Sequence[FloatArray], attack: Sequence[FloatArray], start: FloatArray | None = None
    ) -> FloatArray:
        """Return the value (S,) of a pair of strategies, given group by group."""
        weights = np.empty(self.game.n_rows)
        for group, others, attacker, x, y in zip(
            self.groups, self.others, self.attackers, response, attack, strict=True
        ):
            group.scatter(joint_play(x, others, y, attacker), weights)
        return value_of_play(self.game, self.agent, weights, start)

    def robust_value(self, response: FloatArray, start: FloatArray | None = None) -> AttackedValue:
        """Return the value of `response` (S, max A_i) against its worst attack, which is pure [T1]."""
        return self._reply(self._cut_responses(response), "attacker", start)

    def reply_to_attack(self, attack: FloatArray, start: FloatArray | None = None) -> AttackedValue:
        """Return the value of the agent's best reply to `attack` (S, max C_i)."""
        return self._reply(self._cut_attacks(attack), "agent", start)

    def stage_value(self, value: FloatArray) -> AttackedValue:
        """Return one step T v: stage values with optimal stage strategies of both sides."""
        matrices = self.matrices(value)
        stage = [solve_matrix_games(matrix, backend=self.backend, calls=self.calls) for matrix in matrices]
        return AttackedValue(
            self._spread([games.value for games in stage]),
            self._padded([games.row for games in stage], self.max_actions),
            self._padded([games.column for games in stage], self.max_columns),
            1,
        )

    def stage_worst(self, response: FloatArray, value: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return one step T_π v of `response` (S, max A_i), and the minimising columns (S,)."""
        worst = np.empty(self.game.n_states, dtype=np.int64)
        least = np.empty(self.game.n_states)
        own = self._cut_responses(response)
        for group, x, matrix in zip(self.groups, own, self.matrices(value), strict=True):
            columns = np.einsum("ba,bac->bc", x, matrix)
            worst[group.states] = columns.argmin(axis=1)
            least[group.states] = columns.min(axis=1)
        return least, worst

    def solve(self, start: FloatArray | None = None) -> AttackedValue:
        """Return the value of the game with optimal strategies of both sides."""
        value = np.zeros(self.game.n_states) if start is None else start
        best_residual, best, newton, stalls = np.inf, None, True, 0
        for rounds in range(1, GAME_ROUNDS + 1):
            stage = self.stage_value(value)
            scale = max(TINY, float(np.abs(stage.value).max()), float(np.abs(value).max()))
            residual = float(np.abs(stage.value - value).max())
            stalls = 0 if residual <= SHRUNK * best_residual else stalls + 1
            if best is None or residual < best_residual:
                best_residual = residual
                best = AttackedValue(value, stage.response, stage.attack, rounds)
            if residual <= ROUNDING * scale:
                break
            # There is no way back: each return to Newton could undo what the safeguard has gained.
            newton = newton and stalls <= PATIENCE
            if newton:
                value = self.value_of(
                    self._cut_responses(stage.response), self._cut_attacks(stage.attack), value
                )
            else:
                bound = self.reply_to_attack(stage.attack, value).value
                # Hoffman–Karp values fall monotonically after the first; rounding ends the fall.
                if float(np.abs(bound - value).max()) <= ROUNDING * scale:
                    break
                value = bound
        assert best is not None
        return best

    def _reply(self, fixed: list[FloatArray], mover: str, start: FloatArray | None) -> AttackedValue:
        """Policy iteration for one side against the other side's fixed strategy."""
        attacker_moves = mover == "attacker"
        value = np.zeros(self.game.n_states) if start is None else start
        chosen: list[FloatArray] = []
        rounds = 0
        while rounds < REPLY_ROUNDS:
            least_unit = TINY if rounds < PROMPT_ROUNDS else max(TINY, float(np.abs(value).max()))
            picks, changed = self._improve(fixed, attacker_moves, value, chosen, least_unit)
            if chosen and not changed:
                break
            chosen = picks
            pair = (fixed, chosen) if attacker_moves else (chosen, fixed)
            value = self.value_of(*pair, start=value)
            rounds += 1
        response, attack = (fixed, chosen) if attacker_moves else (chosen, fixed)
        return AttackedValue(
            value,
            self._padded(response, self.max_actions),
            self._padded(attack, self.max_columns),
            rounds,
        )

    def _improve(
        self,
        fixed: list[FloatArray],
        attacker_moves: bool,
        value: FloatArray,
        chosen: list[FloatArray],
        least_unit: float,
    ) -> tuple[list[FloatArray], bool]:
        """Return the mover's greedy pure moves at `value`, and whether they differ from `chosen`.

        A chosen move is kept unless another is better beyond rounding; otherwise ties could cycle.
        Rounding is measured in units of the state's payoffs, and of `least_unit` at least.
        """
        picks, changed = [], False
        for position, matrix in enumerate(self.matrices(value)):
            worth = (
                -np.einsum("ba,bac->bc", fixed[position], matrix)
                if attacker_moves
                else np.einsum("bac,bc->ba", matrix, fixed[position])
            )
            pick = np.zeros_like(worth)
            pick[np.arange(len(worth)), worth.argmax(axis=1)] = 1.0
            if chosen:
                slack = ROUNDING * np.maximum(np.abs(matrix).max(axis=(1, 2)), least_unit)
                better = (worth.max(axis=1) - (worth * chosen[position]).sum(axis=1)) > slack
                pick = np.where(better[:, None], pick, chosen[position])
                changed = changed or bool(better.any())
            picks.append(pick)
        return picks, changed

    def _cut_responses(self, response: FloatArray) -> list[FloatArray]:
        return [response[group.states, : group.counts[self.agent]] for group in self.groups]

    def _cut_attacks(self, attack: FloatArray) -> list[FloatArray]:
        return [
            attack[group.states, : attacker.width]
            for group, attacker in zip(self.groups, self.attackers, strict=True)
        ]

    def _spread(self, per_group: Sequence[FloatArray]) -> FloatArray:
        result = np.empty(self.game.n_states)
        for group, values in zip(self.groups, per_group, strict=True):
            result[group.states] = values
        return result

    def _padded(self, per_group: Sequence[FloatArray], width: int) -> FloatArray:
        result = np.zeros((self.game.n_states, width))
        for group, values in zip(self.groups, per_group, strict=True):
            result[group.states, : values.shape[1]] = values
        return result
