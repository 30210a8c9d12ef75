"""What corruption does to a game: one equilibrium for every budget k, or for every probability ρ.

At each level of the threat, with π⁰ the Nash policy (the equilibrium computed without corruption) and π its
ARNEQ there, four values of every agent are compared:

* *equilibrium*: the robust value of π, what the ARNEQ guarantees under the attack;
* *Nash attacked*: the robust value of π⁰ under the same attack;
* *unattacked*: what π earns if nobody is corrupted;
* *Nash unattacked*: what π⁰ earns then. *Price* is Nash unattacked − unattacked, the price of robustness.

At k = 0 the two policies coincide; from k = n−1 on the equilibrium values are the security values [T4]. In
between there may be several equilibria, with different values, and values need not be monotone in k [T5].
The curve follows *one* equilibrium per level: the one that `solve` proves, or, with `starts`, the one with
the largest sum of values among those that `equilibria` finds. A price may be negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import to_fraction
from arneq_exact.markov.arguments import require_game_and_threat
from arneq_exact.markov.bellman import one_blas_thread
from arneq_exact.markov.evaluate import robust_values, worst_attack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.clock import Clock, Progress, ProgressFunction
from arneq_exact.solver.solution import Solution
from arneq_exact.solver.solve import solve
from arneq_exact.study.curve import CurvePoint, RobustnessCurve
from arneq_exact.study.equilibria import Equilibria, Equilibrium, equilibria

WHERE = "robustness_curve"
INTERRUPTED = "interrupted"
NOBODY = ThreatModel(0)

LEAST_LIMIT = 1e-3
"""Seconds for one more policy with a proved gap, where a study was stopped: enough for a small game's."""

_Answer = tuple[Solution | Equilibrium, Equilibria | None]


def robustness_curve(
    game: MarkovGame,
    ks: Iterable[int] | None = None,
    probabilities: Iterable[Any] | None = None,
    *,
    k: int = 1,
    starts: int = 0,
    tol: float = 1e-8,
    seed: int = 0,
    progress: ProgressFunction = None,
    time_limit: float | None = None,
) -> RobustnessCurve:
    """Compute an equilibrium at each level of a threat, and what robustness costs and gains.

    Parameters
    ----------
    game : MarkovGame
    ks : iterable of int, optional
        Budgets; by default 0, 1, ..., n−1.
    probabilities : iterable of numbers, optional
        Probabilities ρ of corruption, in [0, 1], instead of `ks`; may be rationals such as "1/3".
    k : int
        The budget that goes with `probabilities`.
    starts : int
        0: take the equilibrium that `solve` proves first. Otherwise look for several from that many
        starts, as `equilibria` does, and take the one with the largest sum of values.
    tol, seed
        As in `solve`.
    progress : callable, optional
        Called with a `Progress` whenever something changes.
    time_limit : float, optional
        Seconds for all levels together, after which no new step is begun.

    Returns
    -------
    RobustnessCurve
        Levels without a proof are "incomplete" and keep their proved gap. Ctrl-C and the time limit
        keep the levels finished until then.

    Raises
    ------
    ArneqError
        If an argument breaks a rule.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> curve = robustness_curve(catalog.load("penalty", penalty=-10))
    >>> [(point.level, point.status, point.values[0].tolist()) for point in curve]
    [(0, 'exact', [10.0]), (1, 'exact', [0.0])]
    >>> curve[1].nash_attacked[0].tolist(), curve[1].price[0].tolist()
    ([-10.0], [8.0])
    """
    require_game_and_threat(game, ThreatModel(0), WHERE)
    game.require_discounting(WHERE)
    name, levels = _levels(game, ks, probabilities, k)
    clock = Clock(WHERE, progress, time_limit)
    study = _Study(
        game,
        require.positive(tol, f"{WHERE}: tol"),
        require.whole(seed, f"{WHERE}: seed", at_least=0),
        require.whole(starts, f"{WHERE}: starts", at_least=0),
        clock,
    )
    nash = study.solved(NOBODY, "Nash policy")
    points: list[CurvePoint] = []
    try:
        for number, (level, threat) in enumerate(levels):
            if study.ending:
                break
            label = f"{name} = {level}, level {number + 1} of {len(levels)}"
            points.append(study.point(level, threat, nash, label))
    except KeyboardInterrupt:
        study.ending = INTERRUPTED
    message = f"{len(points)} of {len(levels)} levels"
    if study.ending:
        message += f"; {study.ending}"
    return RobustnessCurve(game, name, tuple(points), nash[0], message)


@dataclass
class _Study:
    """One call of `robustness_curve`."""

    game: MarkovGame
    tol: float
    seed: int
    starts: int
    clock: Clock
    ending: str = ""

    def solved(self, threat: ThreatModel, label: str) -> _Answer:
        """Solve one level; note if that ended by Ctrl-C or the clock, which come out as incomplete."""

        def tell(inner: Progress) -> None:
            self.clock.tell(inner.method, f"{label}: {inner.line}", inner.best, inner.proved)

        found = None
        if self.starts:
            found = equilibria(
                self.game,
                threat,
                starts=self.starts,
                seed=self.seed,
                tol=self.tol,
                progress=tell,
                time_limit=self.clock.left,
            )
            self._note(found.message)
        answer: Solution | Equilibrium
        if found and found.found:
            answer = found[0]
        else:
            # Stopped or not, `solve` gives a policy with a proved gap.
            limit = LEAST_LIMIT if self.ending else self.clock.left
            answer = solve(self.game, threat, tol=self.tol, seed=self.seed, progress=tell, time_limit=limit)
            if not answer.proved:
                self._note(answer.message)
        return answer, found

    def _note(self, message: str) -> None:
        if INTERRUPTED in message:
            self.ending = INTERRUPTED
        elif self.clock.over:
            self.ending = self.clock.ending

    def point(self, level: int | Fraction, threat: ThreatModel, nash: _Answer, label: str) -> CurvePoint:
        """Solve one level and compare it with the Nash policy."""
        game = self.game
        unthreatened = threat.same_as(NOBODY, game.n_agents)
        answer, found = nash if unthreatened else self.solved(threat, label)
        with one_blas_thread():
            attack = tuple(worst_attack(game, threat, answer.policy, i) for i in range(game.n_agents))
            attacked = robust_values(game, threat, nash[0].policy)
            unattacked = robust_values(game, NOBODY, answer.policy)
            # The same function for both terms: equal policies have a price of exactly 0.
            price = robust_values(game, NOBODY, nash[0].policy) - unattacked
        return CurvePoint(level, threat, answer, found, attack, attacked, unattacked, price)


def _levels(
    game: MarkovGame, ks: Iterable[int] | None, probabilities: Iterable[Any] | None, k: int
) -> tuple[str, list[tuple[int | Fraction, ThreatModel]]]:
    """Return what the levels are, and the levels ascending, each with its threat."""
    if ks is not None and probabilities is not None:
        raise InputError(f"{WHERE}: ks and probabilities are given; must be one of them")
    given: Any = probabilities if probabilities is not None else range(game.n_agents) if ks is None else ks
    name = "ks" if probabilities is None else "probabilities"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{WHERE}: {name} are {given!r}; must be a list")
    listed = list(given)
    if not listed:
        raise InputError(f"{WHERE}: {name} are empty; must hold at least one level")
    if probabilities is None:
        budgets = sorted({require.whole(each, f"{WHERE}: k", at_least=0) for each in listed})
        return "k", [(budget, ThreatModel(budget)) for budget in budgets]
    budget = require.whole(k, f"{WHERE}: k", at_least=0)
    chances = sorted({to_fraction(each, f"{WHERE}: probability", InputError) for each in listed})
    return "probability", [(chance, ThreatModel(budget, probability=chance)) for chance in chances]
