"""Compiled sampled updates of Nash-Q, with compiled stage solvers for the classes that have one.

One update: try a pair (s, a), see the reward and the next state s', and move Q_i(s, a) towards
r_i + γ_i val_i(Q(s')). An update changes the stage game of one state only, so values are kept, and a state is
solved again when it is next needed. What a stage kernel leaves unsolved, or a class without one, is handed
back to the caller: `run_updates` returns that state and goes on from there when called again.

Every update consumes n + 3 uniform numbers, whatever happens in it, so that a run does not depend on how it
is cut into calls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.kernels import compiled, replies, to_unit
from arneq_exact.stage.two_agents import lemke_howson_kernel, lemke_kernel
from arneq_exact.stage.verification import TOLERANCE
from arneq_exact.stage.zero_sum import simplex_kernel

# Numbers of the classes of stage games, for compiled code, which compares no texts.
BY_CALLER, DECOUPLED, BIMATRIX, POLYMATRIX = range(4)

FINISHED = -1
"""Returned in the place of a state: states are numbered from 0."""

_simplex = simplex_kernel.solve_unit_games
_lemke_howson = lemke_howson_kernel.solve_unit_games
_lemke = lemke_kernel.solve_unit_games
_ACCEPT = TOLERANCE


class Rules(NamedTuple):
    """What does not change in a run.

    Attributes
    ----------
    kind : int
        Which stage solver.
    probability : (2,)
        For `POLYMATRIX`: with which probability each agent sees the other corrupted.
    pairs : bool
        Whether pairs are drawn uniformly; else play goes along a trajectory.
    epsilon, restart : float
        See `arneq_exact.learning.exploration.Trajectory`.
    start : (S,)
        Cumulative distribution of the states in which episodes begin.
    counts : (S, n)
    offsets : (S + 1,)
    row_state : (rows,)
    rewards : (rows, n)
    indptr, indices : transitions in compressed rows
    cumulative : their probabilities, summed up within each row
    last : (rows,)
        The last entry of rows that never end, −1 for others: rounding must not end an episode.
    discount : (n,)
    """

    kind: int
    probability: FloatArray
    pairs: bool
    epsilon: float
    restart: float
    start: FloatArray
    counts: IntArray
    offsets: IntArray
    row_state: IntArray
    rewards: FloatArray
    indptr: IntArray
    indices: IntArray
    cumulative: FloatArray
    last: IntArray
    discount: FloatArray


class Memory(NamedTuple):
    """What a run changes, in place.

    Attributes
    ----------
    payoffs : (rows, n)
    visits : (rows,)
    values : (S, n)
    policy : (S, n, max A)
    stale : (S,)
        1 where values and policy do not belong to the payoffs any more.
    cursor : (3,)
        Updates done, the state that play is in, and stage games solved by kernels.
    """

    payoffs: FloatArray
    visits: IntArray
    values: FloatArray
    policy: FloatArray
    stale: IntArray
    cursor: IntArray


@compiled
def run_updates(rules: Rules, memory: Memory, uniforms: FloatArray, first: int, steps: FloatArray) -> int:
    """Run the updates first, first + 1, …, one per row of ``uniforms`` (T, n + 3).

    ``steps[v]`` is the step size of the (v+1)-th visit. Begins with the update ``memory.cursor[0]``. Returns
    `FINISHED`, or the state that the caller has to solve before it calls again.
    """
    n = rules.counts.shape[1]
    cursor = memory.cursor
    while cursor[0] - first < uniforms.shape[0]:
        draw = uniforms[cursor[0] - first]
        state = cursor[1]
        if rules.pairs:
            row = int(draw[0] * rules.row_state.shape[0])
        else:
            if rules.epsilon < 1.0 and not _refresh(rules, memory, state):
                return int(state)
            row = _explore(rules, memory, state, draw)
        following = _next_state(rules, row, draw[n])
        if following >= 0 and not _refresh(rules, memory, following):
            return int(following)
        step = steps[memory.visits[row]]
        for i in range(n):
            target = rules.rewards[row, i]
            if following >= 0:
                target += rules.discount[i] * memory.values[following, i]
            memory.payoffs[row, i] = (1.0 - step) * memory.payoffs[row, i] + step * target
        memory.visits[row] += 1
        memory.stale[rules.row_state[row]] = 1
        if following < 0 or draw[n + 1] < rules.restart:
            following = _drawn(rules.start, 0, rules.start.shape[0], draw[n + 2])
        cursor[1] = following
        cursor[0] += 1
    return FINISHED


@compiled
def _explore(rules: Rules, memory: Memory, state: int, draw: FloatArray) -> int:
    """The row of a joint action: every agent follows its policy, and explores with probability ε."""
    joint = 0
    for j in range(rules.counts.shape[1]):
        actions = rules.counts[state, j]
        chosen = actions - 1
        if rules.epsilon == 1.0:
            chosen = int(draw[j] * actions)
        else:
            total = 0.0
            for action in range(actions):
                total += rules.epsilon / actions + (1.0 - rules.epsilon) * memory.policy[state, j, action]
                if draw[j] < total:
                    chosen = action
                    break
        joint = joint * actions + chosen
    return int(rules.offsets[state] + joint)


@compiled
def _next_state(rules: Rules, row: int, uniform: float) -> int:
    """The state after a row, or −1 if the episode ends."""
    place = _drawn(rules.cumulative, rules.indptr[row], rules.indptr[row + 1], uniform)
    if place == rules.indptr[row + 1]:
        place = rules.last[row]
    return int(rules.indices[place]) if place >= 0 else -1


@compiled
def _drawn(cumulative: FloatArray, first: int, end: int, uniform: float) -> int:
    """The first entry of ``cumulative[first:end]`` above ``uniform``, or ``end``."""
    while first < end:
        middle = (first + end) // 2
        if uniform < cumulative[middle]:
            end = middle
        else:
            first = middle + 1
    return first


@compiled
def _refresh(rules: Rules, memory: Memory, state: int) -> bool:
    """Solve the stage game of a state if its payoffs changed; False if the caller has to."""
    if memory.stale[state] == 0:
        return True
    solved = False
    if rules.kind == DECOUPLED:
        solved = True
        for agent in range(rules.counts.shape[1]):
            solved = solved and _maximin(rules, memory, state, agent)
    elif rules.kind == BIMATRIX or rules.kind == POLYMATRIX:
        solved = _two_agents(rules, memory, state)
    if solved:
        memory.stale[state] = 0
        memory.cursor[2] += 1
    return solved


@compiled
def _maximin(rules: Rules, memory: Memory, state: int, agent: int) -> bool:
    """The matrix game of an agent against all others together [T4]."""
    counts = rules.counts[state]
    A = counts[agent]
    rows = rules.offsets[state + 1] - rules.offsets[state]
    inner = 1
    for j in range(agent + 1, counts.shape[0]):
        inner *= counts[j]
    matrix = np.empty((1, A, rows // A))
    for row in range(rows):
        block, rest = divmod(row, A * inner)
        action, low = divmod(rest, inner)
        matrix[0, action, block * inner + low] = memory.payoffs[rules.offsets[state] + row, agent]
    least, width = to_unit(matrix[0])
    x = np.empty((1, A))
    y = np.empty((1, rows // A))
    method = np.zeros(1, np.int8)
    _simplex(matrix, x, y, method)
    if method[0] == simplex_kernel.UNSOLVED:
        return False
    lower = replies(matrix[0].T, y[0], x[0])[0]
    upper = replies(matrix[0], x[0], y[0])[2]
    memory.values[state, agent] = least + width * lower
    memory.policy[state, agent, :A] = x[0]
    return upper - lower <= _ACCEPT


@compiled
def _two_agents(rules: Rules, memory: Memory, state: int) -> bool:
    """A Nash equilibrium of two agents, or a stage ARNEQ under a probability of corruption [T11]."""
    A1, A2 = rules.counts[state]
    unit = np.empty((1, 2, A1, A2))
    for agent in range(2):
        for i in range(A1):
            for j in range(A2):
                unit[0, agent, i, j] = memory.payoffs[rules.offsets[state] + i * A2 + j, agent]
    mixtures = np.zeros((1, 2 * (A1 + A2)))
    solved = np.zeros(1, np.int8)
    least1, width1 = to_unit(unit[0, 0])
    least2, width2 = to_unit(unit[0, 1])
    if rules.kind == BIMATRIX:
        x1 = np.zeros((1, A1))
        x2 = np.zeros((1, A2))
        _lemke_howson(unit, x1, x2, solved)
        mixtures[0, :A1] = x1[0]
        mixtures[0, A1 : A1 + A2] = x2[0]
    else:
        _lemke(unit, rules.probability, mixtures, solved)
    if solved[0] == 0:
        return False
    x = mixtures[0, :A1]
    y = mixtures[0, A1 : A1 + A2]
    memory.policy[state, 0, :A1] = x
    memory.policy[state, 1, :A2] = y
    for agent in range(2):
        benign = 0.0
        for i in range(A1):
            for j in range(A2):
                benign += x[i] * y[j] * unit[0, agent, i, j]
        p = rules.probability[agent]
        worst = 0.0
        if p > 0.0:
            worst = replies(unit[0, 0].T, y, x)[0] if agent == 0 else replies(unit[0, 1], x, y)[0]
        value = (1.0 - p) * benign + p * worst
        memory.values[state, agent] = least1 + width1 * value if agent == 0 else least2 + width2 * value
    return True
