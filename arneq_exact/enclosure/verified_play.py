"""The three parts of `enclosure` in balls: the zero, what makes it an ARNEQ, and how far it is alone.

Importing this module needs python-flint.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from arneq_exact.enclosure.krawczyk import BallSystem, ball, ends, norm, precision
from arneq_exact.enclosure.polynomials import Polynomial
from arneq_exact.enclosure.reduced_system import NotEnclosed, ReducedSystem
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate

RADII = (2.0**-8, 2.0**-12, 2.0**-16, 2.0**-22, 2.0**-30, 2.0**-40)
"""Radii at which uniqueness is tried, the largest first: it matters by how many digits, not by how much."""

ROW_SUM_SLACK = Fraction(1, 10**12)
"""What the sum in doubles of a row of probabilities is off by at most: it is off by far less."""


Point = Sequence[Any]


class VerifiedPlay:
    """An enclosed zero of the reduced system that is proved to be an ARNEQ.

    Parameters
    ----------
    game, threat, certificate
    first : list of int
        For each agent the one whose unknowns it shares.
    bits : int

    Raises
    ------
    NotEnclosed
    """

    def __init__(
        self, game: MarkovGame, threat: ThreatModel, certificate: Certificate, first: list[int], bits: int
    ) -> None:
        self.game, self.bits = game, bits
        self.system = ReducedSystem(game, threat, certificate, first)
        self.equations = BallSystem(self.system.equations)
        self.evaluate = self.equations.balls.value
        with precision(bits):
            found = self.equations.zero(self.system.guess, bits)
            if isinstance(found, str):
                raise NotEnclosed(found)
            self.box, self.inverse = found
            weak = self._weak_point(self.box, {})
        if weak:
            raise NotEnclosed(weak)

    def interval(self, polynomial: Polynomial) -> tuple[Fraction, Fraction]:
        """Return the ends of a probability or a value."""
        with precision(self.bits):
            return ends(self.evaluate(polynomial, self.box))

    # -- part 2: it is an equilibrium -----------------------------------------------------------

    def _weak_point(self, box: Point, attacks: dict[tuple[int, int], list[Any]]) -> str:
        """Return which condition is not proved over the box, "" if all are.

        `attacks` may hold enclosures of the attacks on J instead of those in the box.
        """
        for (agent, state), stage in self.system.stages.items():
            where = f"of agent {self.game.agent_name(agent)!r} in state {self.game.state_name(state)!r}"
            used = self.system.actions[agent, state]
            play = self.system.play[agent, state]
            y = attacks.get((agent, state)) or self._values(self.system.attack[agent, state], box)
            if not all(self.evaluate(play[action], box) > 0 for action in used):
                return f"a probability {where} is not proved positive"
            if not all(weight > 0 for weight in y):
                return f"an attack {where} is not proved to be in use"
            if not self._relations_regular(stage.dropped, stage.relations, box):
                return f"equally bad attacks {where} are not proved redundant"
            others = set(range(len(self.system.columns[agent, state]))) - stage.tied
            harms = (self.system.harm(agent, state, column) for column in others)
            if not all(self.evaluate(harm, box) > 0 for harm in harms):
                return f"an attack not in use {where} is not proved less bad"
            # Policies that uniqueness is about use the same actions: others matter for existence alone.
            for action in () if attacks else set(range(len(play))) - set(used):
                if not self.evaluate(self.system.worth(agent, state, action), box) < 0:
                    name = self.game.action_name(state, agent, action)
                    return f"action {name!r} {where} is not used but not proved worse"
        return ""

    def _relations_regular(
        self, dropped: list[int], relations: list[dict[int, Polynomial]], box: Point
    ) -> bool:
        if not dropped:
            return True
        square = [[self.evaluate(r.get(column, {}), box) for column in dropped] for r in relations]
        return not flint.arb_mat(square).det().contains(0)

    def _payoff(self, agent: int, state: int, action: int, column: int, box: Point) -> Any:
        return self.evaluate(self.system.payoff(agent, state, action, column), box)

    def _values(self, polynomials: Sequence[Polynomial], box: Point) -> list[Any]:
        return [self.evaluate(polynomial, box) for polynomial in polynomials]

    # -- uniqueness -----------------------------------------------------------------------------

    def radius_of_uniqueness(self) -> float:
        """Return the largest radius tried within which no other such ARNEQ is; 0 if none is proved."""
        with precision(self.bits):
            return next((radius for radius in RADII if self._alone_within(radius)), 0.0)

    def _alone_within(self, radius: float) -> bool:
        system = self.system
        wide = list(self.box)
        for (agent, state), used in system.actions.items():
            for action in used[:-1]:
                (number,) = next(iter(system.play[agent, state][action]))
                wide[number] = wide[number] + flint.arb(0, radius)
        spread = self._spread_of_values(wide)
        if spread is None:
            return False
        for polynomial in system.value.values():
            (number,) = next(iter(polynomial))
            wide[number] = wide[number] + flint.arb(0, spread)
        attacks = {}
        for agent, state in system.stages:
            weights = self._attack_over(agent, state, wide)
            if weights is None:
                return False
            attacks[agent, state] = weights
            for column, weight in zip(system.attack[agent, state][:-1], weights, strict=False):
                (number,) = next(iter(column))
                wide[number] = weight
        return not self._weak_point(wide, attacks) and self.equations.one_zero_at_most(wide, self.inverse)

    def _spread_of_values(self, wide: Point) -> Any:
        """Return how far robust values of policies in the box can be from V: δ/(1−β)."""
        change = flint.arb(0)
        for (agent, state), columns in self.system.columns.items():
            harms = [
                self.evaluate(self.system.harm(agent, state, column), wide) for column in range(len(columns))
            ]
            least = harms[0]
            for harm in harms[1:]:
                least = least.min(harm)
            change = change.max(abs(least).upper())
        largest_row_sum = Fraction(self.game.largest_row_sum) + ROW_SUM_SLACK
        modulus = max(self.game.exact_discount()) * largest_row_sum
        spread = change / (1 - ball(modulus))
        return spread.upper() if spread.is_finite() and modulus < 1 else None

    def _attack_over(self, agent: int, state: int, wide: Point) -> list[Any] | None:
        """Enclose the y with M_J y = V, Σ y = 1 over the box: ‖y − y₀‖ ≤ ‖G(b − N y₀)‖ / (1 − ‖I − G N‖)."""
        system = self.system
        kept = system.stages[agent, state].kept
        if len(kept) == 1:
            return [flint.arb(1)]
        value = self.evaluate(system.value[agent, state], wide)
        rows = [
            [self._payoff(agent, state, action, column, wide) for column in kept]
            for action in system.actions[agent, state]
        ]
        matrix = flint.arb_mat([*rows, [flint.arb(1)] * len(kept)])
        right = flint.arb_mat([*([value] for _ in rows), [flint.arb(1)]])
        middle = np.array([[float(entry.mid()) for entry in row] for row in matrix.tolist()])
        left = flint.arb_mat(np.linalg.pinv(middle).tolist())
        start = [weight.mid() for weight in self._values(system.attack[agent, state], self.box)]
        identity = flint.arb_mat([[int(r == c) for c in range(len(kept))] for r in range(len(kept))])
        slack = norm(identity - left * matrix)
        if not slack < 1:
            return None
        off = norm(left * (right - matrix * flint.arb_mat([[weight] for weight in start])))
        radius = (off / (1 - slack)).upper()
        return [weight + flint.arb(0, radius) for weight in start]
