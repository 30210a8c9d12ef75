"""[T8] (iii), with corruption: the procedure goes round where clones vote.

Take a game of two agents who move in turn, and replace each by 2k+1 clones that earn the same and vote. At
budget k, k corrupted clones cannot overturn a unanimous vote, so that unanimous votes are worth what they are
worth without corruption; and a clone that votes against the others hands the outcome to the attacker, so that
they are stage ARNEQ. Under the selection in which the mover's clones all vote for its better action, the
procedure is that of the two agents without corruption. If that one runs into a cycle, as on NoSDE, so does
this one.

All of it is in Fractions. The two-agent game is read off the unanimous votes and its cycle is proved
(`arneq_exact.oracle.periodic_orbit`). The clones start once from 0, until they have voted three
times round along the cycle, and once from the values on the cycle, which must come back exactly, step by
step."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from arneq_exact.exact.arrays import ExactArray, exact_array, scaled
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.oracle.definition import exact_payoffs, is_budget
from arneq_exact.oracle.periodic_orbit import find_orbit
from arneq_exact.oracle.pure_play import pure_play
from arneq_exact.theory.draw.nosde import nosde_like
from arneq_exact.theory.engine.evidence import Comparison, Findings, equal
from arneq_exact.theory.engine.instance import Instance
from arneq_exact.theory.engine.statement import UNDER_HYPOTHESES, Hypothesis, Statement

CLONES = Hypothesis(
    "clones",
    "Two agents move in turn between two actions, each of them 2k+1 clones who earn the same and whose "
    "majority decides; any k other agents may be corrupted.",
)
CYCLE = Hypothesis(
    "cycle", "Without clones and corruption the procedure runs from 0 into a cycle, proved in Fractions."
)

STEPS = 60
"""Steps from 0 within which votes must have gone round the cycle, and those of the two agents too."""

ROUNDS = 3
"""Times round the cycle before votes from 0 count as having joined it: once may be chance, and values are
proved to stay on the cycle by a step from each of its own."""


class Vote(NamedTuple):
    """One step of the procedure.

    Attributes
    ----------
    actions : what the mover's clones vote for in every state
    equilibrium : whether unanimous votes are stage ARNEQ in every state
    plain : whether they are worth as much as without corruption
    values : (n, S)
    """

    actions: tuple[int, ...]
    equilibrium: bool
    plain: bool
    values: ExactArray


def movers(game: MarkovGame) -> list[list[int]]:
    """Return the agents that have a choice, state by state."""
    return [[agent for agent, count in enumerate(counts) if count > 1] for counts in game.action_counts]


def without_clones(game: MarkovGame, threat: ThreatModel) -> MarkovGame | None:
    """Return the game of two agents of which these are the clones, None if they are not [T8]."""
    size, groups = 2 * (threat.k or 0) + 1, movers(game)
    halves = [list(range(size)), list(range(size, 2 * size))]
    if (
        not is_budget(threat)
        or threat.probability is not None
        or game.n_agents != 2 * size
        or any(group not in halves for group in groups)
        or int(game.action_counts.max()) != 2
    ):
        return None
    rewards: list[list[Fraction]] = []
    moves: list[list[tuple[Fraction, int]]] = []
    for state, group in enumerate(groups):
        table = exact_payoffs(game, state)
        by_vote: dict[int, tuple[list[Fraction], list[tuple[Fraction, int]]]] = {}
        ballots = list(np.ndindex(*game.action_counts[state].tolist()))
        # Unanimous votes come first: the others must lead where their majority leads.
        for joint in sorted(ballots, key=lambda one: len({one[agent] for agent in group})):
            paid = [table[(agent, *joint)] for agent in range(2 * size)]
            row = int(game.offsets[state]) + ballots.index(joint)
            outcome = (paid, sorted(game.exact_moves(row)))
            vote = int(2 * sum(joint[agent] for agent in group) > size)
            if by_vote.setdefault(vote, outcome) != outcome or any(
                len({paid[agent] for agent in half}) > 1 for half in halves
            ):
                return None
        for vote in range(2):
            paid, following = by_vote[vote]
            rewards.append([paid[0], paid[size]])
            moves.append(following)
    counts = [[2, 1] if group == halves[0] else [1, 2] for group in groups]
    discounts = game.exact_discount()
    if len(set(discounts)) > 1 or any(sum((p for p, _ in row), Fraction(0)) != 1 for row in moves):
        return None
    return MarkovGame.from_rows(counts, rewards, moves, discounts[0])


def vote(game: MarkovGame, k: int, values: ExactArray) -> Vote:
    """Take one step of the procedure in which the clones vote for what is better for them uncorrupted."""
    following = values.copy()
    actions, equilibrium, plain = [], True, True
    for state, group in enumerate(movers(game)):
        whole, unit = scaled(exact_payoffs(game, state, values))
        ballots = [tuple(a if agent in group else 0 for agent in range(game.n_agents)) for a in range(2)]
        better = max(range(2), key=lambda a: int(whole[(group[0], *ballots[a])]))
        joint = ballots[better]
        found = pure_play(whole, k)
        worth = [Fraction(int(value), unit) for value in found.worth(joint)]
        equilibrium &= bool(found.equilibrium[joint])
        plain &= worth == [Fraction(int(whole[(agent, *joint)]), unit) for agent in range(game.n_agents)]
        actions.append(better)
        following[:, state] = worth
    return Vote(tuple(actions), equilibrium, plain, following)


def _goes_round(instance: Instance) -> Findings:
    game, k = instance.game, instance.threat.k or 0
    pair = without_clones(game, instance.threat)
    orbit = find_orbit(pair, 0, iterations=STEPS) if pair is not None and game.contraction.max() < 1 else None
    hypotheses: dict[str, bool | None] = {CLONES.name: pair is not None, CYCLE.name: orbit is not None}
    if orbit is None:
        return Findings(hypotheses=hypotheses)
    assert pair is not None
    around = [tuple(max(joint) for joint in play) for play in orbit.play]
    votes, joined = _from_zero(game, k, around)
    on_orbit = [np.repeat(values, game.n_agents // 2, axis=0) for values in orbit.values]
    exact = [vote(game, k, values) for values in on_orbit]
    expected = np.stack([*on_orbit[1:], on_orbit[0]])
    everything = [*votes, *exact]
    return Findings(
        comparisons=[
            _all("unanimous votes are stage ARNEQ", [one.equilibrium for one in everything]),
            _all("they are worth as much as without corruption", [one.plain for one in everything]),
            _all("votes from 0 go round the cycle of the two agents", [joined]),
            _all(
                "votes on the cycle, play along it",
                [a == one.actions for a, one in zip(around, exact, strict=True)],
            ),
            equal("values after a step on the cycle", np.stack([one.values for one in exact]), expected),
        ],
        hypotheses=hypotheses,
        quantities={
            "period": orbit.period,
            "values along the cycle": orbit.values,
            "steps from 0": len(votes),
        },
    )


def _from_zero(game: MarkovGame, k: int, around: list[tuple[int, ...]]) -> tuple[list[Vote], bool]:
    """Return the steps from 0, and whether the last ones have gone round some times."""
    values = exact_array(np.zeros((game.n_agents, game.n_states)))
    period, votes = len(around), []
    rounds = [(around[shift:] + around[:shift]) * ROUNDS for shift in range(period)]
    for _ in range(STEPS):
        votes.append(vote(game, k, values))
        values = votes[-1].values
        if [one.actions for one in votes[-ROUNDS * period :]] in rounds:
            return votes, True
    return votes, False


def _all(name: str, claims: list[bool]) -> Comparison:
    return equal(name, Fraction(sum(claims)), Fraction(len(claims)))


STATEMENTS = (
    Statement(
        id="T8.majority",
        title="The cycle stays where clones vote",
        claim="With 2k+1 clones for each of two agents who move in turn, as in NoSDE, a unanimous vote for "
        "the better action is a stage ARNEQ at budget k, and the procedure goes round the same exact cycle.",
        hypotheses=(CLONES, CYCLE),
        source="theory page, T8 (iii)",
        status=UNDER_HYPOTHESES,
        examine=_goes_round,
        families={"nosde-majority": lambda rng: Instance(nosde_like(rng, clones=True), ThreatModel(1))},
    ),
)
