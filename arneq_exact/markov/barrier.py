"""The barrier path: follow the log-barrier central path of the optimality conditions to an ARNEQ.

With weights w (a full-support profile of agents and attackers) and a parameter μ > 0, solve, for every
agent, state, action a and column c (notation of `arneq_exact.markov.optimality`),

    V + μ − (M y)_a − μ w_a / x_a = 0,      Σ x = 1,
    (xᵀM)_c − L + μ − μ w_c / y_c = 0,      Σ y = 1.

As μ → ∞ the only solution is x = w, y = w; as μ → 0 the slacks μ w / x become complementary to the
mixtures, and limits are ARNEQ. The path is followed in the variables log x, log y, V, L, log μ by
pseudo-arclength continuation, so that turning points in μ are passed, with an analytic Jacobian; near its
end every small μ is offered to `arneq_exact.markov.polish`. Where a path gets stuck, another one with
other weights is begun.

Guarantee: none in advance (generically a path exists; numerically it may be lost). Cost: a few hundred
dense factorisations of order N = Σ (A_i + C_i + 2) over agents and states, O(N³) each.
Reference: central paths and continuation as in Allgower & Georg (1990), Numerical Continuation Methods.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.optimality import LARGEST_SYSTEM, OptimalityConditions, Point
from arneq_exact.markov.polish import polish
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel

STARTS = 6
STEPS = 1500
LANDINGS = (1e-4, 1e-6, 1e-8, 1e-10)
CORRECTIONS = 6
ACCURACY = 1e-9
LONGEST_STEP = 5.0
SHORTEST_STEP = 1e-6
SAFE_LOG = 300.0


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept games whose system of conditions is small enough for dense linear algebra."""
    return OptimalityConditions(game, threat).size <= LARGEST_SYSTEM


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield polished policies near the end of each path."""
    conditions = OptimalityConditions(problem.game, problem.threat)
    rng = np.random.default_rng(problem.seed)
    for start in range(problem.first_start, problem.first_start + STARTS):
        path = _Path(conditions, _weights(conditions, rng if start else None))
        yield from _follow(problem, path, start)


def _follow(problem: Problem, path: _Path, start: int) -> Iterator[Candidate]:
    landings = list(LANDINGS)
    label = f"barrier path {start + 1} of {problem.first_start + STARTS}"
    if not path.begin():
        return
    for number in range(STEPS):
        if number % 10 == 0:
            problem.report(f"{label}, parameter {np.exp(path.position[-1]):.2g}, step {number}")
        if not path.step():
            return
        while landings and path.position[-1] <= np.log(landings[0]):
            target = landings.pop(0)
            near = path.landed(np.log(target))
            polished = polish(path.conditions, near)
            if polished is not None:
                yield Candidate(
                    Policy(problem.game, polished), number, f"barrier path {start + 1}, parameter {target:g}"
                )
        if not landings:
            return


class _Path:
    """A point on the path, the direction along it and the step length."""

    def __init__(self, conditions: OptimalityConditions, weights: FloatArray) -> None:
        self.conditions = conditions
        self.weights = weights
        mixtures = [*conditions.at_action, *conditions.at_column]
        # Numbers of the unknowns that are kept as logarithms, agents' then attackers'.
        self.logs = np.concatenate([numbers[numbers >= 0] for numbers in mixtures])
        agents = np.concatenate([numbers[numbers >= 0] for numbers in conditions.at_action])
        # The agents' conditions enter as V − M y, the attackers' as xᵀM − L.
        self.sign = np.ones(conditions.size)
        self.sign[agents] = -1.0
        self.position = np.zeros(conditions.size + 1)
        self.tangent = np.zeros(conditions.size + 1)
        self.length = 0.5

    def begin(self) -> bool:
        """Find the point of the path at a large parameter; False if Newton fails there."""
        conditions = self.conditions
        slowest = float(1 / (1 - conditions.discount.max()))
        profile = conditions.point(self.weights)
        point = conditions.at_profile(profile.x, profile.y)
        natural = conditions.vector(point)
        natural[self.logs] = np.log(natural[self.logs])
        self.position = np.append(natural, np.log(10 * slowest))
        down = np.zeros(conditions.size + 1)
        down[-1] = -1.0
        self.tangent = down
        corrected = self._correct(self.position, fixed_parameter=True)
        if corrected is None:
            return False
        self.position = corrected
        self.tangent = self._direction(corrected, down)
        return True

    def step(self) -> bool:
        """Advance once along the path, shortening the step until the corrector holds; False if stuck."""
        while self.length >= SHORTEST_STEP:
            move = self.length * self.tangent
            # No more than a factor e² of the parameter, and no unknown further than the cap, in one step.
            move *= min(1.0, 2.0 / max(abs(move[-1]), 1e-300), LONGEST_STEP / max(np.abs(move).max(), 1e-300))
            corrected = self._correct(self.position + move)
            if corrected is not None:
                tangent = self._direction(corrected, self.tangent)
                angle = float(tangent @ self.tangent)
                if angle > 0.7:
                    self.position, self.tangent = corrected, tangent
                    if angle > 0.9:
                        self.length = min(self.length * 1.6, 50.0)
                    return True
            self.length *= 0.4
        return False

    def landed(self, parameter: float) -> Point:
        """Return the profile at a given log parameter near the current point, or the current one."""
        guess = self.position.copy()
        guess[-1] = parameter
        landed = self._correct(guess, fixed_parameter=True)
        return self._point(self.position if landed is None else landed)

    def _point(self, position: FloatArray) -> Point:
        natural = position[:-1].copy()
        natural[self.logs] = np.exp(natural[self.logs])
        return self.conditions.point(natural)

    def _system(self, position: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return residual, Jacobian by the unknowns and derivative by the log parameter."""
        mixture = np.exp(position[self.logs])
        mu = float(np.exp(position[-1]))
        residual, jacobian = self.conditions.linearise(self._point(position))
        residual *= self.sign
        jacobian *= self.sign[:, None]
        jacobian[:, self.logs] *= mixture
        slack = mu * self.weights[self.logs] / mixture
        residual[self.logs] += mu - slack
        jacobian[self.logs, self.logs] += slack
        by_parameter = np.zeros(self.conditions.size)
        by_parameter[self.logs] = mu - slack
        scale = np.ones(self.conditions.size)
        scale[self.logs] = 1 / (1 + mu)
        return residual * scale, jacobian * scale[:, None], by_parameter * scale

    def _bordered(self, position: FloatArray, border: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """Return the residual and the square matrix with `border` as last row; None where not finite."""
        if np.abs(position[self.logs]).max() > SAFE_LOG:
            return None
        residual, jacobian, by_parameter = self._system(position)
        if not np.isfinite(residual).all():
            return None
        size = self.conditions.size
        matrix = np.empty((size + 1, size + 1))
        matrix[:size, :size] = jacobian
        matrix[:size, size] = by_parameter
        matrix[size] = border
        return residual, matrix

    def _correct(self, guess: FloatArray, fixed_parameter: bool = False) -> FloatArray | None:
        """Newton's method in the plane across the tangent, or at a fixed parameter; None if it fails."""
        border = self.tangent
        if fixed_parameter:
            border = np.zeros_like(self.tangent)
            border[-1] = 1.0
        position, before = guess, np.inf
        for number in range(3 * CORRECTIONS if fixed_parameter else CORRECTIONS):
            system = self._bordered(position, border)
            if system is None:
                return None
            residual, matrix = system
            step = _solved(matrix, np.append(-residual, 0.0))
            if step is None:
                return None
            size = float(np.abs(step).max())
            if fixed_parameter and size > 1.0:
                step /= size
            elif not fixed_parameter and (size > 2.0 or (number and size > 0.7 * before)) and size > ACCURACY:
                return None
            position, before = position + step, size
            if size <= ACCURACY:
                return position
        return position if before <= 1e-6 else None

    def _direction(self, position: FloatArray, last: FloatArray) -> FloatArray:
        """Return the unit tangent at a point that continues the last one."""
        system = self._bordered(position, last)
        if system is None:
            return last
        unit = np.zeros(len(position))
        unit[-1] = 1.0
        tangent = _solved(system[1], unit)
        if tangent is None:
            return last
        tangent /= np.linalg.norm(tangent)
        return tangent


def _solved(matrix: FloatArray, rhs: FloatArray) -> FloatArray | None:
    """Solve a linear system; None if it is singular to working accuracy."""
    try:
        solution = np.asarray(np.linalg.solve(matrix, rhs), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return solution if np.isfinite(solution).all() else None


def _weights(conditions: OptimalityConditions, rng: np.random.Generator | None) -> FloatArray:
    """Return uniform weights, or with a generator random ones: Dirichlet mixed with uniform."""
    vector = np.zeros(conditions.size)
    for at in (*conditions.at_action, *conditions.at_column):
        for numbers in at:
            used = numbers[numbers >= 0]
            vector[used] = 1 / len(used)
            if rng is not None:
                vector[used] = 0.3 / len(used) + 0.7 * rng.dirichlet(np.ones(len(used)))
    return vector
