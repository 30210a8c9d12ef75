"""The barrier path: follow the log-barrier central path of the optimality conditions to an ARNEQ.

The conditions of `arneq_exact.markov.optimality` are relaxed by a parameter μ > 0: every action a and column
c keeps a slack of μ w / x_a or μ w / y_c, with weights w (a full-support profile of agents and attackers). As
μ → ∞ the only solution is x = w, y = w; as μ → 0 slacks and mixtures become complementary, and limits are
ARNEQ. The path between is followed by compiled pseudo-arclength continuation (equations and variables in
`arneq_exact.stage.many_agents.path_kernel`), which passes its turning points in μ; near its end every small μ
is offered to `arneq_exact.markov.polish`. Where that fails the point itself is offered at the smallest
parameters: its gap is a small multiple of μ, whatever supports and ties are. Where a path gets stuck, its
last point is offered and another path is begun, with other weights and more cautious steps.

Guarantee: none in advance (generically a path exists; numerically it may be lost). Cost: 50 to 1,000 linear
systems, solved by blocks (`arneq_exact.stage.many_agents.block_kernel`): states couple through the nS values
alone. Reference: central paths and continuation as in Allgower & Georg (1990), Numerical Continuation
Methods.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.candidates import Candidate, Problem
from arneq_exact.markov.optimality import OptimalityConditions, Point, manageable
from arneq_exact.markov.polish import Polisher, unpolished
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel

STARTS = 6
"""Paths from different weights before other solvers get their turn."""

STEPS = 3000
"""Steps after which a path is left: several times what those that arrive take (50 to 1,000)."""

REPORTED_STEPS = 20
"""Steps between two reports, which are also where a time limit can stop a path."""

FIRST_LENGTH = 0.5
"""First step length, in logarithms of mixtures and of μ: less than a factor of two in any of them."""

LANDINGS = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
"""Parameters at which the path is left for a polish: from where supports begin to show, down to rounding."""

SMALL = 1e-10
"""Parameter from which on a point is worth judging as it is."""

GROWTH = (2.0, 1.4)
"""Factor by which easy steps grow, on the first path and on restarts."""


def accepts(game: MarkovGame, threat: ThreatModel) -> bool:
    """Accept games whose system of conditions is small enough for block elimination."""
    return manageable(game, threat)


def run(problem: Problem) -> Iterator[Candidate]:
    """Yield polished policies near the end of each path."""
    if problem.backend == "reference":
        # The reference libraries have nothing like it, and compiled kernels would not be theirs.
        return
    conditions = OptimalityConditions(problem.game, problem.threat)
    polisher = Polisher(conditions)
    rng = np.random.default_rng(problem.seed)
    for start in range(problem.first_start, problem.first_start + STARTS):
        weights = _weights(conditions, rng if start else None)
        yield from _follow(problem, _Path(conditions, weights, GROWTH[min(start, 1)]), polisher, start)


def _follow(problem: Problem, path: _Path, polisher: Polisher, start: int) -> Iterator[Candidate]:
    from arneq_exact.stage.many_agents.path_kernel import ARRIVED, MOVING

    label = f"barrier path {start + 1} of {problem.first_start + STARTS}"
    if not path.begin():
        return
    try:
        for target in LANDINGS:
            while True:
                problem.report(f"{label}, parameter {path.parameter:.2g}, step {path.steps}")
                ended = path.advance(target, REPORTED_STEPS)
                if ended != MOVING or path.steps >= STEPS:
                    break
            if ended != ARRIVED:
                note = f"barrier path {start + 1}, lost at parameter {path.parameter:.2g}"
                yield unpolished(path.conditions, path.landed(path.parameter), path.steps, note)
                return
            note = f"barrier path {start + 1}, parameter {target:g}"
            point = path.landed(target)
            candidate = polisher.candidate(point, path.steps, note)
            if candidate is not None:
                yield candidate
            elif target <= SMALL:
                yield unpolished(path.conditions, point, path.steps, f"{note}, not polished")
    finally:
        # Stopped half-way, the gap is a small multiple of the parameter reached.
        note = f"barrier path {start + 1}, stopped at parameter {path.parameter:.2g}"
        problem.unfinished = unpolished(path.conditions, path.here(), path.steps, note)


class _Path:
    """A point on the path, the direction along it and the step length."""

    def __init__(self, conditions: OptimalityConditions, weights: FloatArray, growth: float) -> None:
        # Compiled code is loaded when a path is first followed.
        from arneq_exact.stage.many_agents import linearised_kernel, path_kernel

        self.kernel = path_kernel
        self.conditions = conditions
        self.growth = growth
        self.path = path_kernel.Path(
            conditions.tables,
            conditions.rewards,
            weights,
            conditions.is_mixture,
            linearised_kernel.workspace(conditions.tables),
        )
        self.position = np.zeros(conditions.size + 1)
        self.tangent = np.zeros(conditions.size + 1)
        self.pace = np.array([FIRST_LENGTH, 0.0])

    @property
    def parameter(self) -> float:
        """The current μ."""
        return float(np.exp(self.position[-1]))

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return int(self.pace[1])

    def begin(self) -> bool:
        """Find the point of the path at a large parameter; False if Newton fails there."""
        return bool(self.kernel.begin(self.path, self.position, self.tangent))

    def advance(self, target: float, steps: int) -> int:
        """Go on to parameter `target` for at most `steps` steps; return what the kernel says."""
        state = (self.position, self.tangent, self.pace)
        return int(self.kernel.follow(self.path, *state, np.log(target), self.growth, steps))

    def here(self) -> Point:
        """Return the profile at the current point."""
        mixed = self.conditions.is_mixture
        return self.conditions.point(np.exp(self.position[:-1], out=self.position[:-1].copy(), where=mixed))

    def landed(self, target: float) -> Point:
        """Return the profile at a given parameter near the current point, or the current one."""
        return self.conditions.point(self.kernel.land(self.path, self.position, np.log(target)))


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
