"""A contest in which both sides may remember everything, solved as a whole: a game in extensive form.

Against a stationary π_{-i} agent i may remember states, joint actions, its own past choices; so may its
attacker. In the game that is played for two steps from s_0 and then pays γ² v(s_2) for given values v, let
both use any history-dependent behaviour. This is a zero-sum game in extensive form with perfect recall, and a
linear program in realization weights solves it (von Stengel 1996, Games and Economic Behavior 14, 220–246):
an agent's sequence is () or (a_0) or (a_0, what was seen, a_1), a plan gives every sequence the product of
the probabilities along it, and

    max Σ_h q(h) over plans x of the agent, where for the attacker's first column c:
    q(c) ≤ Σ_a M(a; c) x(a) + Σ over what is seen (row, s_1) of q(c, row, s_1), and
    q(c, row, s_1) ≤ Σ_a' w(row, s_1; a_0, c) M_{s_1}(a'; c') x(a_0, row, s_1, a') for its second column c',

with M_{s_1} the stage matrix at v, discounted by γ. The program knows nothing of dynamic programming. Two
steps show the mechanism for any number: where v is the best-response value, a fixed point, and the program is
worth v(s_0), the argument can be repeated from the end."""

from __future__ import annotations

from itertools import product

import numpy as np
import scipy.sparse as sp

from arneq_exact.exact.rationals import FloatArray
from arneq_exact.model.game import MarkovGame
from arneq_exact.oracle.contest import Contest

CONSTRAINT_ERROR = 1e-10
"""What HiGHS may miss on every constraint and bound, with payoffs in sizes: the least it can be asked for."""


def history_dependent_value(
    game: MarkovGame, faced: Contest, state: int, values: FloatArray, size: float
) -> tuple[float, int]:
    """Return the value of two steps from `state` with all history-dependent behaviour, then `values` (S,).

    Payoffs are put in units of `size`, since the tolerances of HiGHS are absolute. The second number counts
    the constraints and bounds of the program.

    Raises
    ------
    AssertionError
        If HiGHS does not solve the program, which has a solution.
    """
    from scipy.optimize import linprog

    agent, gamma = faced.agent, float(faced.discount)
    moves = game.transitions.toarray()
    first_row = int(game.offsets[state])
    chances = faced.chances(state)
    joints = list(product(*map(range, game.action_counts[state].tolist())))
    seen = [
        (row, following)
        for row in range(len(joints))
        for following in range(game.n_states)
        if moves[first_row + row, following] > 0
    ]
    later = {what: faced.stage(what[1], values) / size for what in seen}
    paid = faced.paid[state] / size
    own, columns = paid.shape
    # Unknowns: x(a_0); x(a_0, seen, a_1); what each first column leads to where something is seen; the value.
    starts, count = {}, own
    for what in seen:
        starts[what] = count
        count += len(later[what])
    follow = {pair: count + number for number, pair in enumerate(product(range(columns), seen))}
    total = count + len(follow)
    rows: list[dict[int, float]] = []
    for column in range(columns):
        line = {total: 1.0, **{action: -float(paid[action, column]) for action in range(own)}}
        rows.append(line | {follow[column, what]: -1.0 for what in seen})
        for what in seen:
            chance = chances[joints[what[0]][agent], column, what[0]]
            weight = gamma * chance * moves[first_row + what[0], what[1]]
            for reply in later[what].T:
                line = {follow[column, what]: 1.0}
                rows.append(line | {starts[what] + a: -weight * float(m) for a, m in enumerate(reply)})
    plans: list[dict[int, float]] = [dict.fromkeys(range(own), 1.0)]
    for what in seen:
        line = dict.fromkeys(range(starts[what], starts[what] + len(later[what])), 1.0)
        plans.append(line | {joints[what[0]][agent]: -1.0})
    solved = linprog(
        -np.eye(total + 1)[total],
        A_ub=_sparse(rows, total + 1),
        b_ub=np.zeros(len(rows)),
        A_eq=_sparse(plans, total + 1),
        b_eq=np.eye(len(plans))[0],
        bounds=[(0.0, None)] * count + [(None, None)] * (len(follow) + 1),
        method="highs",
        options={
            "primal_feasibility_tolerance": CONSTRAINT_ERROR,
            "dual_feasibility_tolerance": CONSTRAINT_ERROR,
        },
    )
    assert solved.status == 0, solved.message
    return size * float(solved.x[total]), len(rows) + len(plans) + count


def _sparse(rows: list[dict[int, float]], width: int) -> sp.csr_array:
    """Return rows of {column: entry} as a matrix."""
    entries = [(number, column, entry) for number, row in enumerate(rows) for column, entry in row.items()]
    where, columns, data = (list(part) for part in zip(*entries, strict=True))
    return sp.csr_array((data, (where, columns)), shape=(len(rows), width))
