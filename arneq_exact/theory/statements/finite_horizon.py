"""[T14] Backward induction: subgame-perfect without assumptions, and what its errors and its end cost.

For a time-indexed policy with T steps let L_t be agent i's robust values with t steps gone, U_t its
best-response values, both 0 at T. With M_t[v] the stage matrices at time t and the others' play there,

    L_t(s) = min_c (π_t(s)ᵀ M_t[L_{t+1}])_c,        U_t(s) = val M_t[U_{t+1}].

**Errors add up.** Let stage t (with t−1 steps before it) be ε_t-optimal: val M_t[L_{t+1}] − L_t ≤ ε_t for
all agents and states. A constant c more in the continuation adds at most β c to the value, so that U_t −
L_t ≤ ε_t + β max (U_{t+1} − L_{t+1}), and the total gap is U_1 − L_1 ≤ Σ_t β^{t−1} ε_t. Stage ARNEQs (ε_t =
0) with any selection therefore give gap 0 after every history: the policy is subgame-perfect, and since U
admits all behaviour against the others' Markov policy, no memory helps.

**For ever.** Play the T-step policy in the infinite game, then anything, say σ. Then the values after T
steps lie between min(r, 0)/(1−β) and max(r, 0)/(1−β), whoever deviates. Monotony and β^T for a constant
give U_1 ≤ (T-step best) + β^T max(r, 0)/(1−β) and L_1 ≥ (T-step robust) + β^T min(r, 0)/(1−β), so the gap
is at most

    β^T (max(r_max, 0) − min(r_min, 0)) / (1 − β)  +  Σ_t β^{t−1} ε_t.

Nothing is asked of the iteration, which is T steps of Eq. (2) read backwards: it may cycle, as on NoSDE
[T8].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from arneq_exact import catalog
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.evaluate import gap
from arneq_exact.markov.stage_step import StageStep
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import best_value, contest, robust_value
from arneq_exact.oracle.horizon import Play, judged
from arneq_exact.require import shown
from arneq_exact.solver.seal import certify
from arneq_exact.solver.solve import solve
from arneq_exact.stage.solve import StageSolver
from arneq_exact.theory.draw import families
from arneq_exact.theory.draw.threats import CLASSES, under_threat
from arneq_exact.theory.engine.evidence import Comparison, Findings, at_most, equal
from arneq_exact.theory.engine.given_play import (
    DISCOUNTED,
    KINDS,
    STAGE_ERROR,
    by_state,
    draw_budget,
    draw_game,
    policy_of,
    sizes,
)
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.stages import PER_STATE
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Statement

STAGE_WHY = (
    "every solver of stage games accepts an equilibrium with a regret of 1e-10 of the payoff range, at most "
    "two sizes; such errors add up over the steps"
)


def horizon_of(instance: Instance) -> int:
    """Return the extras' "horizon": by default the steps of a time-indexed policy among them, or 3.

    Raises
    ------
    InputError
        If it is no integer of at least 1, or not the number of steps of the policy.
    """
    steps = {array.shape[0] for array in instance.extras.get("policy", ()) if array.ndim == 3}
    horizon = instance.extras.get("horizon", min(steps, default=3))
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise InputError(f"statement: horizon is {shown(horizon)}; must be an integer of at least 1")
    if steps - {horizon}:
        raise InputError(f"statement: horizon is {horizon}; must be {min(steps)}, the steps of the policy")
    return horizon


def selected_plays(instance: Instance) -> list[Play]:
    """Return the stage ARNEQs of the backward induction over the horizon, the first step first."""
    game = instance.game
    selection = instance.extras.get("selection", "first")
    step = StageStep(game, instance.threat, partial(StageSolver, selection=selection))
    values = np.zeros((game.n_agents, game.n_states))
    plays: list[Play] = []
    for _ in range(horizon_of(instance)):
        found = step.at(values)
        plays.append(found.policy)
        values = found.value
    return plays[::-1]


def _units(game: MarkovGame, horizon: int) -> FloatArray:
    """Return each agent's largest possible value (n,) in `horizon` steps, 1 if it earns nothing."""
    total = np.array([sum(beta**t for t in range(horizon)) for beta in game.contraction])
    largest = np.abs(game.rewards).max(axis=0) * total
    result: FloatArray = np.where(largest > 0, largest, 1.0)
    return result


def _indexed(game: MarkovGame, plays: Sequence[Play]) -> Policy:
    return Policy(game, [np.stack([play[agent] for play in plays]) for agent in range(game.n_agents)])


def _zero(game: MarkovGame) -> tuple[FloatArray, FloatArray]:
    return np.zeros(game.n_states), np.zeros(game.n_states)


def _subgames(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    plays = selected_plays(instance)
    solved = gap(game, threat, _indexed(game, plays))
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(_units(game, len(plays))):
        found = judged(game, threat, plays, agent, _zero(game))
        comparisons += [
            at_most("gain of a deviation after any history, nothing", found.upper - found.lower, 0.0, unit),
            equal("gap by the solvers, by definition", solved[agent], found.upper[0] - found.lower[0], unit),
        ]
    return Findings(comparisons, 2 * STAGE_ERROR * len(plays), STAGE_WHY)


def _sum_of_errors(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    horizon = horizon_of(instance)
    given = policy_of(instance)
    # A stationary policy is played at every step.
    policy = Policy(
        game, [array if array.ndim == 3 else np.repeat(array[None], horizon, axis=0) for array in given]
    )
    plays = [policy.at(step) for step in range(horizon)]
    solved, claimed = gap(game, threat, policy), certify(game, threat, policy).epsilon
    comparisons: list[Comparison] = []
    shares = []
    faced = [judged(game, threat, plays, agent, _zero(game)) for agent in range(game.n_agents)]
    errors = np.max([one.errors for one in faced], axis=0)
    for agent, (unit, found) in enumerate(zip(_units(game, horizon), faced, strict=True)):
        weights = float(game.contraction[agent]) ** np.arange(horizon)
        total = found.upper[0] - found.lower[0]
        proved, own = float(claimed[agent]), float(weights @ found.errors)
        comparisons += [
            at_most("total gap, discounted sum of this agent's errors", total, own, unit),
            at_most("sum of this agent's errors, of the largest", own, weights @ errors, unit),
            equal("gap by the solvers, by definition", solved[agent], np.maximum(total, 0), unit),
            equal("ε of the certificate, total gap", proved, max(0.0, float(total.max())), unit),
        ]
        shares.append(float(total.max() / max(own, 1e-300)))
    return Findings(comparisons, 4 * STAGE_ERROR * horizon, STAGE_WHY, {"share of the sum": shares})


def _for_ever(instance: Instance) -> Findings:
    game, threat, afterwards = instance.game, instance.threat, policy_of(instance, "afterwards")
    plays = selected_plays(instance)
    comparisons: list[Comparison] = []
    gaps, bounds = [], []
    for agent, size in enumerate(sizes(game)):
        later = contest(game, threat, afterwards, agent)
        end = robust_value(later, by_state(game, afterwards[agent], agent)), best_value(later)[0]
        found = judged(game, threat, plays, agent, end)
        beta = float(game.contraction[agent])
        paid = game.rewards[:, agent]
        most = beta ** len(plays) * (max(paid.max(), 0) - min(paid.min(), 0)) / (1 - beta)
        gaps.append(float((found.upper[0] - found.lower[0]).max()))
        bounds.append(float(most))
        comparisons.append(
            at_most("gap of the endless play, β^T / (1−β) times rewards", gaps[-1], bounds[-1], size)
        )
    return Findings(
        comparisons,
        2 * STAGE_ERROR * len(plays),
        STAGE_WHY,
        {"gap": gaps, "bound": bounds},
    )


def _solved(instance: Instance) -> Findings:
    """What `solve` returns, judged step by step: its values, its ε at the start, and what is left after
    that."""
    game, threat = instance.game, instance.threat
    horizon = horizon_of(instance)
    solution = solve(game, threat, horizon=horizon, seed=instance.seed)
    if not solution.proved:
        return Findings(undecided=f"no equilibrium was proved: {solution.message}")
    policy = Policy(game, list(solution.policy))
    plays = [policy.at(step) for step in range(horizon)]
    comparisons: list[Comparison] = []
    for agent, unit in enumerate(_units(game, horizon)):
        found = judged(game, threat, plays, agent, _zero(game))
        left = found.upper - found.lower
        proved = float(solution.certificate.epsilon[agent])
        comparisons += [
            equal("values of the solution, by definition", solution.values[:, agent], found.lower, unit),
            at_most("gap at the start by definition, proved ε", float(left[0].max()), proved, unit),
            at_most("gain of a deviation after any history, nothing", left, 0.0, unit),
        ]
    return Findings(comparisons, 2 * STAGE_ERROR * horizon, STAGE_WHY)


def _selection(rng: np.random.Generator, n: int, threat: ThreatModel) -> str:
    """Draw a selection: several only where all stage equilibria are enumerated in no time."""
    if n == 2 and threat.k == 0:
        return str(rng.choice(["first", "welfare", "agent-0", "agent-1"]))
    return "first"


def _setting(rng: np.random.Generator, kind: str) -> tuple[MarkovGame, ThreatModel]:
    """Draw a game of a class under a budget, or any game under a threat of a class."""
    if kind in CLASSES:
        drawn = under_threat(rng, kind)
        return drawn.game, drawn.threat
    game = draw_game(rng, kind, most_states=2)
    return game, draw_budget(rng, game.n_agents)


def _draw_solved(rng: np.random.Generator, kind: str) -> Instance:
    game, threat = _setting(rng, kind)
    return Instance(game, threat, {"horizon": int(rng.integers(1, 5))})


def _draw_horizon(rng: np.random.Generator, kind: str) -> Instance:
    game, threat = _setting(rng, kind)
    if rng.random() < 0.3:
        game = _undiscounted(game)
    horizon = int(rng.integers(1, 4))
    return Instance(game, threat, {"horizon": horizon, "selection": _selection(rng, game.n_agents, threat)})


def _undiscounted(game: MarkovGame) -> MarkovGame:
    """Return the game with discount 1, which a horizon allows."""
    return MarkovGame(
        game.rewards, game.transitions, game.action_counts, np.ones(game.n_agents), game.termination
    )


def _draw_perturbed(rng: np.random.Generator, kind: str) -> Instance:
    """Draw play that is off the stage equilibria by much or by little, or has nothing to do with them."""
    drawn = _draw_horizon(rng, kind)
    game, horizon = drawn.game, drawn.extras["horizon"]
    off = float(rng.choice([1e-4, 0.1, 1.0]))
    plays = selected_plays(drawn) if off < 1 else [tuple(families.random_policy(rng, game))] * horizon
    others = [tuple(families.random_policy(rng, game)) for _ in range(horizon)]
    policy = tuple(
        np.stack([(1 - off) * play[i] + off * other[i] for play, other in zip(plays, others, strict=True)])
        for i in range(game.n_agents)
    )
    return Instance(game, drawn.threat, {"horizon": horizon, "policy": policy})


def _draw_endless(rng: np.random.Generator, kind: str) -> Instance:
    game, threat = _setting(rng, kind)
    afterwards = tuple(families.random_policy(rng, game))
    return Instance(
        game,
        threat,
        {
            "horizon": int(rng.integers(1, 5)),
            "selection": _selection(rng, game.n_agents, threat),
            "afterwards": afterwards,
        },
    )


def draw_cycling(rng: np.random.Generator) -> Instance:
    """Draw a game near NoSDE, in other units, on which the iteration runs into a cycle of period 5 [T8]."""
    game = catalog.load("nosde")
    scale = rng.uniform(0.5, 2.0, 2)
    rewards = scale * (game.rewards + rng.uniform(-0.01, 0.01, game.rewards.shape))
    near = MarkovGame(rewards, game.transitions, game.action_counts, game.discount)
    afterwards = tuple(families.random_policy(rng, near))
    return Instance(near, ThreatModel(0), {"horizon": int(rng.integers(1, 16)), "afterwards": afterwards})


_KINDS = (*KINDS, *CLASSES)

_ENDLESS: dict[str, Callable[[np.random.Generator], Instance]] = {
    **families.by_kind(_draw_endless, _KINDS),
    "cycling": draw_cycling,
}

STATEMENTS = (
    Statement(
        id="T14.subgames",
        title="Backward induction is subgame-perfect",
        claim="Any stage ARNEQs, solved backwards from 0, leave nothing to gain after any history.",
        hypotheses=(PER_STATE,),
        source="arneq_exact.theory.statements.finite_horizon; theory page, T14",
        status=UNDER_HYPOTHESES,
        examine=_subgames,
        families=families.by_kind(_draw_horizon, _KINDS),
    ),
    Statement(
        id="T14.errors",
        title="Errors of stages discount and add up",
        claim="If the stage with t−1 steps before it is ε_t-optimal, the total gap is at most Σ β^(t−1) ε_t.",
        hypotheses=(PER_STATE,),
        source="arneq_exact.theory.statements.finite_horizon; theory page, T14",
        status=UNDER_HYPOTHESES,
        examine=_sum_of_errors,
        families=families.by_kind(_draw_perturbed, _KINDS),
    ),
    Statement(
        id="T14.endless",
        title="A long horizon is nearly an equilibrium for ever",
        claim=(
            "Backward induction over T steps, then anything, is a non-stationary ε-ARNEQ with "
            "ε <= β^T (max(r, 0) − min(r, 0)) / (1 − β), even where the iteration cycles."
        ),
        hypotheses=(DISCOUNTED, PER_STATE),
        source="arneq_exact.theory.statements.finite_horizon; theory page, T14",
        status=UNDER_HYPOTHESES,
        examine=_for_ever,
        families=_ENDLESS,
    ),
    Statement(
        id="T14.solve",
        title="The solution for a horizon is subgame-perfect, with the values and the ε that it tells",
        claim="What `solve` returns for T steps has its values, at most its ε as gap, and leaves nothing to "
        "gain after any history.",
        hypotheses=(PER_STATE,),
        source="arneq_exact.theory.statements.finite_horizon; theory page, T14",
        status=UNDER_HYPOTHESES,
        examine=_solved,
        families=families.by_kind(_draw_solved, _KINDS),
    ),
)
