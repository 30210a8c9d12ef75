"""Compiled search of one face of the cube of mixed profiles, all agents having two actions.

A face is the set of profiles in which some agents play a given pure action and the others mix; its points
are those of a cube [0, 1]^d with one axis for each mixing agent. All functions at hand are multi-affine and
are stored by their 2^d values at the corners of a box: those of a half-box are averages, so that bisection
costs next to nothing, and *the range of a multi-affine function over a box is exactly the range of its
corner values*. That makes the exclusion tests below sharp.

The theory is in `arneq_exact.stage.enumeration.two_actions`; what is computed here, for every box:

* columns that cannot be worst anywhere in the box are set aside, and then the *patterns* of each agent (see
  there) that cannot hold; a box where an agent has none is discarded;
* every choice E = 0 of one pattern equation per mixing agent is examined: does it have no solution in the
  box, or at most one, which is then found (`single_zero_kernel`)?
* if some choice is neither, the box is bisected, down to a least width, and reported as undecided there.

Payoffs are of range one, and nothing is discarded unless it fails by more than `SLACK`.
"""

from __future__ import annotations

import numpy as np

from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.enumeration.single_zero_kernel import SINGLE, SLACK, UNKNOWN, single_zero
from arneq_exact.stage.kernels import compiled

_CHOICES = (
    64  # with more choices of pattern equations a box is bisected first, which costs as much as some tens
)

MIXES = 2
"""Code of an agent that uses both actions, beside 0 and 1 for a pure one."""


@compiled
def search_face(
    columns: IntArray,
    functions: FloatArray,
    play: IntArray,
    depth: int,
    budget: int,
    roots: FloatArray,
    undecided: FloatArray,
) -> tuple[int, int, int]:
    """Find all points of a face that may be equilibria.

    Parameters
    ----------
    columns : (n,)
        Number of columns of each agent.
    functions : (n, C, 2, 2^d)
        Corner values over the face: payoff f of each column, and its slope in the agent's own mixture.
    play : (n,)
        0 or 1 for a pure action, 2 for an agent who mixes; mixing agents are the axes, in order.
    depth : int
        How often each axis may be halved.
    budget : int
        Boxes allowed.
    roots : (R, d) array
        Receives the zeros found.
    undecided : (U, 2, d) array
        Receives lower and upper corners of undecided boxes.

    Returns
    -------
    tuple of int
        Numbers of boxes examined, of zeros and of undecided boxes; the last two are one more than there is
        room for, and the first one more than the budget, where the search was cut short.
    """
    n, C = functions.shape[:2]
    corners = functions.shape[3]
    d = roots.shape[1]
    room = d * (depth + 1) + 2
    stack = np.empty((room, n, C, 2, corners))
    low, width = np.empty((room, d)), np.empty((room, d))
    level = np.zeros((room, d), np.int64)
    stack[0] = functions
    low[0], width[0] = 0.0, 1.0
    top = 1
    patterns = np.empty((n, C * (C + 1) // 2, 2), np.int64)
    count = np.empty(n, np.int64)
    box = np.empty((n, C, 2, corners))
    equations, scaled = np.empty((d, corners)), np.empty((d, corners))
    zero = np.empty(d)
    boxes = found = left = 0
    while top:
        top -= 1
        boxes += 1
        if boxes > budget:
            break
        box[:] = stack[top]
        if not _possible(columns, box, play, patterns, count):
            continue
        choices = 1
        for i in range(n):
            choices *= count[i]
        open_choice = choices > _CHOICES
        choice = 0
        while not open_choice and choice < choices:
            _choose(choice, box, play, patterns, count, equations)
            verdict = single_zero(equations, scaled, zero)
            open_choice = verdict == UNKNOWN
            if verdict == SINGLE:
                if found == roots.shape[0]:
                    return boxes, found + 1, left
                roots[found] = low[top] + width[top] * zero
                found += 1
            choice += 1
        if not open_choice:
            continue
        axis = 0
        for j in range(1, d):
            if level[top, j] < level[top, axis]:
                axis = j
        if level[top, axis] == depth:
            if left == undecided.shape[0]:
                return boxes, found, left + 1
            undecided[left, 0] = low[top]
            undecided[left, 1] = low[top] + width[top]
            left += 1
            continue
        low[top + 1], width[top + 1], level[top + 1] = low[top], width[top], level[top]
        _halve(box, axis, stack[top], stack[top + 1])
        width[top, axis] *= 0.5
        width[top + 1, axis] *= 0.5
        low[top + 1, axis] += width[top, axis]
        level[top, axis] += 1
        level[top + 1, axis] += 1
        top += 2
    return boxes, found, left


@compiled
def _halve(box: FloatArray, axis: int, lower: FloatArray, upper: FloatArray) -> None:
    """Corner values over the two halves of a box."""
    n, C, kinds, corners = box.shape
    bit = 1 << axis
    for i in range(n):
        for c in range(C):
            for kind in range(kinds):
                for v in range(corners):
                    if not v & bit:
                        a, b = box[i, c, kind, v], box[i, c, kind, v | bit]
                        lower[i, c, kind, v], upper[i, c, kind, v | bit] = a, b
                        middle = 0.5 * (a + b)
                        lower[i, c, kind, v | bit] = middle
                        upper[i, c, kind, v] = middle


@compiled
def _possible(
    columns: IntArray, box: FloatArray, play: IntArray, patterns: IntArray, count: IntArray
) -> bool:
    """List the patterns that may hold in a box; False if an agent has none."""
    n, C, _, corners = box.shape
    active = np.empty(C, np.bool_)
    least, most = np.empty(C), np.empty(C)
    for i in range(n):
        for c in range(columns[i]):
            active[c] = True
            for other in range(columns[i]):
                gap = np.inf
                for v in range(corners):
                    gap = min(gap, box[i, c, 0, v] - box[i, other, 0, v])
                active[c] = active[c] and gap <= SLACK
            least[c] = box[i, c, 1].min()
            most[c] = box[i, c, 1].max()
        count[i] = 0
        if play[i] != MIXES:
            for c in range(columns[i]):
                fits = least[c] <= SLACK if play[i] == 0 else most[c] >= -SLACK
                if active[c] and fits:
                    count[i] = 1
        else:
            for c in range(columns[i]):
                for other in range(c, columns[i]):
                    if not (active[c] and active[other]):
                        continue
                    if other == c:
                        fits = least[c] <= SLACK and most[c] >= -SLACK
                    else:
                        fits = (least[c] <= SLACK and most[other] >= -SLACK) or (
                            least[other] <= SLACK and most[c] >= -SLACK
                        )
                        low, high = np.inf, -np.inf
                        for v in range(corners):
                            difference = box[i, c, 0, v] - box[i, other, 0, v]
                            low, high = min(low, difference), max(high, difference)
                        fits = fits and low <= SLACK and high >= -SLACK
                    if fits:
                        patterns[i, count[i], 0], patterns[i, count[i], 1] = c, other
                        count[i] += 1
        if count[i] == 0:
            return False
    return True


@compiled
def _choose(
    choice: int, box: FloatArray, play: IntArray, patterns: IntArray, count: IntArray, equations: FloatArray
) -> None:
    """Write the corner values of the equations of choice number ``choice``."""
    k = 0
    for i in range(box.shape[0]):
        if play[i] != MIXES:
            continue
        c, other = patterns[i, choice % count[i], 0], patterns[i, choice % count[i], 1]
        choice //= count[i]
        for v in range(box.shape[3]):
            equations[k, v] = box[i, c, 1, v] if c == other else box[i, c, 0, v] - box[i, other, 0, v]
        k += 1
