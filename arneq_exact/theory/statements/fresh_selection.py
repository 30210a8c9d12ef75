"""[T7] The policy to return is one selected on the way: at the limit Q* a fresh selection may be no ARNEQ.

What is selected on the way accumulates at an ARNEQ. At Q* itself ties appear, and what is selected there may
be worth other values to other agents. The family: k = 0, two agents, two states. In the first one agent 1 may
*leave*, which ends the episode with −c/(1−γ), or *stay* for −c and be there again; agent 2 earns w whenever
it stays. In the second, agent 2 may *go* to the first, or *take* p at once, with 0 < p < γw.

From V = 0 on V_1^t > −c/(1−γ), so that agent 1 stays at every iterate, agent 2 goes from the second on, and
the values tend to those of (stay, go), an ARNEQ: each agent is of type A or B′ throughout. At Q* staying and
leaving are worth the same to agent 1. (leave, go) is a stage ARNEQ of Q* in both states, as good as any to a
selection that looks at Q* alone; yet agent 2 would then rather take p than go to a place that agent 1 leaves.

V*, the stage ARNEQ at Q* and the gaps of both policies are computed in Fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from arneq_exact.exact.arrays import exact_array, scaled
from arneq_exact.markov.iteration import iterate
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.contest import contest, reply_value, robust_value
from arneq_exact.oracle.definition import Array, exact_payoffs, is_budget
from arneq_exact.oracle.pure_play import pure_play
from arneq_exact.theory.draw.worked_games import GO, LEAVE, STAY, draw_stay_or_leave, is_stay_or_leave
from arneq_exact.theory.engine.assumptions import encountered_types
from arneq_exact.theory.engine.evidence import Findings, equal
from arneq_exact.theory.engine.given_play import by_state
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement
from arneq_exact.theory.statements.convergence import FIXED_TYPES, MAX_ITERATIONS

FAMILY = Hypothesis(
    "stay or leave",
    "The game is one of the family, for some c, w > 0, 0 < p < γw and γ, and k = 0.",
    lambda instance: (
        is_budget(instance.threat) and instance.threat.k == 0 and is_stay_or_leave(instance.game)
    ),
)


def _worth(game: MarkovGame, play: Policy) -> tuple[Array, Array]:
    """Return values and best-response values (n, S) of pure play without corruption, in Fractions."""
    own, best = [], []
    for agent in range(game.n_agents):
        faced = contest(game, ThreatModel(0), list(play), agent, exact=True)
        mine = [exact_array(mixture) for mixture in by_state(game, play[agent], agent)]
        own.append(robust_value(faced, mine))
        # Without corruption there is one attack: to do nothing.
        best.append(reply_value(faced, [exact_array([1])] * game.n_states))
    return np.stack(own), np.stack(best)


def _fresh(instance: Instance) -> Findings:
    game, threat = instance.game, instance.threat
    run = iterate(game, threat, tol=1e-10, max_iterations=MAX_ITERATIONS)
    on_the_way, fresh = (
        Policy.from_actions(game, np.array([[own, 0], [0, GO]], dtype=np.int64)) for own in (STAY, LEAVE)
    )
    (values, best), (left, best_fresh) = _worth(game, on_the_way), _worth(game, fresh)
    played = all(np.array_equal(a, b) for a, b in zip(run.policy, on_the_way, strict=True))
    tied = []
    for state, joints in enumerate([[(STAY, 0), (LEAVE, 0)], [(0, GO)]]):
        found = pure_play(scaled(exact_payoffs(game, state, values))[0], 0)
        tied += [int(found.equilibrium[joint]) for joint in joints]
    unit = float(game.reward_range.max() / (1 - game.discount.max()))
    price = exact_payoffs(game, 1)[1, 0, 1]
    return Findings(
        comparisons=[
            equal("the policy selected last is to stay and go", Fraction(int(played)), Fraction(1)),
            equal("last values, those of staying in Fractions", run.values, values.astype(float), unit),
            equal("values of staying, of the best replies", values, best),
            equal("staying and leaving are stage ARNEQ at Q*", Fraction(sum(tied)), Fraction(3)),
            equal("gap of the fresh selection, p", (best_fresh - left).max(), price, price),
        ],
        hypotheses={FIXED_TYPES.name: encountered_types(run).fixed},
        tolerance=1e-9,
        justification="the procedure stops at steps of 1e-10 of the reward range, and so within γ/(1 − γ) of "
        "that from its limit; the unit is 1/(1 − γ) of the largest reward range",
        quantities={"values": values, "gap of the fresh selection": (best_fresh - left).max()},
    )


STATEMENTS = (
    Statement(
        id="T7.selection",
        title="A fresh selection at the limit need not be an ARNEQ",
        claim="Under one type throughout, with an ARNEQ for the limit of the selected policies, a stage "
        "ARNEQ selected at Q* itself can have a gap.",
        hypotheses=(FAMILY, FIXED_TYPES),
        source="theory page, T7",
        status=UNDER_HYPOTHESES,
        examine=_fresh,
        families={"stay or leave": draw_stay_or_leave},
    ),
)
