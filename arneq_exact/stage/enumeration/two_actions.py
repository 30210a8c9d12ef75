"""All stage ARNEQ of a few agents with at most two actions each, under any threat.

Write x_i for the probability of agent i's second action and f_c(x) for the payoff of agent i at column c of
its attacker. Every f_c is multi-affine: affine in each x_j. For fixed x_{-i} agent i maximises the concave
piecewise linear function g_i = min_c f_c of its own x_i, with slopes s_c = ∂f_c/∂x_i. A column is *active*
where f_c = g_i. Hence x_i is optimal if and only if one of these **patterns** holds:

* x_i = 0 and an active column has s_c ≤ 0;
* x_i = 1 and an active column has s_c ≥ 0;
* 0 < x_i < 1 and an active column has s_c = 0 (the agent is indifferent there);
* 0 < x_i < 1 and two active columns c, d have slopes of opposite signs, so that f_c = f_d.

So every mixing agent contributes one multi-affine equation, s_c = 0 or f_c − f_d = 0, and there are as many
equations as unknowns. `search_face` (`subdivision_kernel`) goes through the 3^n faces of the cube of
profiles, and through the choices of one pattern per mixing agent, by bisection.

**Completeness.** Every stage ARNEQ lies in the relative interior of one face and fulfils one choice of
patterns there. A box is only discarded where no choice can hold, because some function involved keeps its
sign, which for multi-affine functions the corners tell exactly; or because each choice has at most one zero
in it, by a mean-value argument, and that zero was found. What is found is then verified by regret, and what
is refuted by its regret is dropped. If no box remains undecided, the list is therefore complete and all its
members are isolated. The tests are carried out in double precision with a slack of 1e-12 of the payoff
range: rounding is allowed for, not enclosed.

Where a continuum of stage ARNEQ exists, or one where the equations are singular, boxes remain undecided at
any width. Every stage ARNEQ outside of them is in the list, and those are isolated ("isolated only");
inside, the list holds at least one of each connected heap of boxes wherever Newton's method finds one, on all
columns that tie there. On random games no box is left; on games with small integer payoffs they are common.

A generic game has an odd number of stage ARNEQ, as the equilibria of agents and attackers have index 1 in
sum [T3].

References
----------
[T1], [T3], [T10]; Neumaier (1990), *Interval Methods for Systems of Equations*, chapter 5 (exclusion and
uniqueness); Wilson (1971), SIAM J. Appl. Math. 21, 80–87, and Harsanyi (1973), Int. J. Game Theory 2,
235–250 (odd numbers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from arneq_exact.attackers.attacker import Attacker
from arneq_exact.attackers.stage_attackers import StageAttackers
from arneq_exact.exact.rationals import FloatArray, IntArray
from arneq_exact.stage.normal_form import unit_payoffs
from arneq_exact.stage.robust import robust_matrix
from arneq_exact.stage.verification import TOLERANCE

PURE, MIXES = (0, 1), 2

DEPTHS = (14, 6, 3)
"""Numbers of halvings of each axis, tried in turn while a face has more boxes than `BUDGET`."""

BUDGET = 40_000
"""Boxes examined per face."""

UNDECIDED = 4_000
"""Undecided boxes kept per face; with more, the face is searched again at less depth."""

SAME = 1e-8
"""Profiles nearer than this in every probability are one."""

_NEARLY = 1e-8  # a regret between the tolerance and this leaves it open whether a zero is an equilibrium


@dataclass(frozen=True)
class TwoActionProfiles:
    """What the search found.

    Attributes
    ----------
    profiles : (E, n) array
        Probabilities of second actions.
    undecided : (U, 2, n) array
        Lower and upper corners of boxes that could not be decided; none if the list is complete.
    exhausted : bool
        Whether even the coarsest search of some face was cut short.
    boxes : int
        Boxes examined.
    """

    profiles: FloatArray
    undecided: FloatArray
    exhausted: bool
    boxes: int


def two_action_profiles(payoffs: FloatArray, attackers: StageAttackers) -> TwoActionProfiles:
    """Search all faces of the cube of profiles.

    Parameters
    ----------
    payoffs : (n, A1, ..., An) array
        One or two actions each.
    attackers : StageAttackers
    """
    unit = unit_payoffs(np.asarray(payoffs, dtype=np.float64), 1, "two_action_profiles")[0]
    counts = unit.shape[1:]
    n = len(counts)
    columns = [corner_payoffs(own, attacker) for own, attacker in zip(unit, attackers.of, strict=True)]
    profiles: list[FloatArray] = []
    undecided: list[FloatArray] = []
    exhausted = False
    boxes = 0
    for play in product(*((*PURE[:count], MIXES)[: 2 * count - 1] for count in counts)):
        found, left, examined, short = _search(columns, np.array(play))
        boxes += examined
        exhausted |= short
        mixing = [i for i in range(n) if play[i] == MIXES]
        base = np.array(play, dtype=np.float64)
        for zero in found:
            # A zero may lie in the neighbourhood of its box, and outside of the face.
            if np.abs(zero - zero.clip(0.0, 1.0)).max(initial=0.0) > SAME:
                continue
            point = base.copy()
            point[mixing] = zero.clip(0.0, 1.0)
            regret = _regret(columns, point)
            if regret <= TOLERANCE:
                if not any(np.abs(point - other).max() <= SAME for other in profiles):
                    profiles.append(point)
            elif regret <= _NEARLY:
                undecided.append(np.stack([point, point]))
        whole = np.broadcast_to(base, (len(left), 2, n)).copy()
        whole[:, :, mixing] = left
        undecided += list(whole)
        for heap in _heaps(whole):
            width = (heap[0, 1] - heap[0, 0]).max()
            near = [
                point
                for point in profiles
                if ((heap[:, 0] - width <= point) & (point <= heap[:, 1] + width)).all(axis=1).any()
            ]
            settled = None if near else _settled(columns, mixing, heap)
            if settled is not None:
                profiles.append(settled)
    return TwoActionProfiles(
        np.array(profiles).reshape(-1, n), np.array(undecided).reshape(-1, 2, n), exhausted, boxes
    )


def corner_payoffs(unit: FloatArray, attacker: Attacker) -> FloatArray:
    """Return the agent's distinct f_c at the corners of the cube of profiles, (C, 2, ..., 2).

    Parameters
    ----------
    unit : (A1, ..., An) array
        Payoffs of the agent, in units of their range; at most two actions each. Lone actions are doubled.
    attacker : Attacker
    """
    n = unit.ndim
    corner = np.indices((2,) * n).reshape(n, -1)
    policy = [np.eye(count)[np.minimum(corner[i], count - 1)] for i, count in enumerate(unit.shape)]
    matrix = robust_matrix(np.broadcast_to(unit, (1 << n, *unit.shape)), policy, attacker)
    values = np.einsum("ba,bac->cb", policy[attacker.agent], matrix)
    return _distinct(values.reshape(-1, *[2] * n))


def _distinct(functions: FloatArray) -> FloatArray:
    """Drop functions that repeat an earlier one."""
    rows = functions.reshape(len(functions), -1)
    kept: list[int] = []
    for number, row in enumerate(rows):
        if (np.abs(rows[kept] - row).max(axis=1) > 1e-15).all():
            kept.append(number)
    return functions[kept]


def _search(columns: Sequence[FloatArray], play: IntArray) -> tuple[FloatArray, FloatArray, int, bool]:
    """Zeros and undecided boxes of one face, boxes examined, and whether the search was cut short."""
    from arneq_exact.stage.enumeration.subdivision_kernel import search_face

    n = len(play)
    d = int((play == MIXES).sum())
    per_agent = []
    for agent, functions in enumerate(columns):
        slope = np.diff(functions, axis=agent + 1).repeat(2, axis=agent + 1)
        pair = np.stack([functions, slope], axis=1)
        # Corner v of a face has bit j of v as coordinate of the j-th axis: the first axis runs fastest.
        at = tuple(slice(None) if kind == MIXES else int(kind) for kind in play)
        face = pair[(slice(None), slice(None), *at)]
        face = face.transpose(0, 1, *range(face.ndim - 1, 1, -1)).reshape(len(functions), 2, 1 << d)
        per_agent.append(np.stack(list(_distinct_pairs(face))))
    count = np.array([len(face) for face in per_agent])
    functions = np.zeros((n, int(count.max()), 2, 1 << d))
    for agent, face in enumerate(per_agent):
        functions[agent, : len(face)] = face
    examined = 0
    for depth in DEPTHS:
        roots = np.empty((256, d))
        left = np.empty((UNDECIDED, 2, d))
        boxes, found, undecided = search_face(count, functions, play, depth, BUDGET, roots, left)
        examined += boxes
        short = boxes > BUDGET or found > len(roots) or undecided > len(left)
        if not short:
            break
    return roots[:found], left[:undecided], examined, short


def _distinct_pairs(face: FloatArray) -> Iterator[FloatArray]:
    """Columns that differ on a face: against a pure agent, "corrupt it to play the same" changes nothing."""
    seen: list[FloatArray] = []
    for pair in face:
        if not any(np.abs(pair - other).max() <= 1e-15 for other in seen):
            seen.append(pair)
            yield pair


def _regret(columns: Sequence[FloatArray], point: FloatArray) -> float:
    """Largest gain of an agent: its best reply is at an end, or where two columns cross."""
    worst = 0.0
    for agent, functions in enumerate(columns):
        values = functions
        for j in reversed(range(len(point))):
            if j != agent:
                values = np.moveaxis(values, j + 1, -1) @ np.array([1.0 - point[j], point[j]])
        start, slope = values[:, 0], values[:, 1] - values[:, 0]
        difference = slope[:, None] - slope[None, :]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = (start[None, :] - start[:, None]) / difference
        ends = np.concatenate([[0.0, 1.0, point[agent]], crossing[(crossing > 0) & (crossing < 1)]])
        best = (start[:, None] + slope[:, None] * ends).min(axis=0)
        worst = max(worst, float(best.max() - best[2]))
    return worst


def _heaps(boxes: FloatArray) -> list[FloatArray]:
    """Connected components of boxes of equal size."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    if not len(boxes):
        return []
    width = (boxes[0, 1] - boxes[0, 0]).max()
    pairs = KDTree(boxes.mean(axis=1)).query_pairs(1.01 * width, p=np.inf, output_type="ndarray")
    size = len(boxes)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    number, label = connected_components(graph, directed=False)
    return [boxes[label == k] for k in range(number)]


def _settled(columns: Sequence[FloatArray], mixing: Sequence[int], heap: FloatArray) -> FloatArray | None:
    """A stage ARNEQ near undecided boxes, by least-norm Newton steps on all columns that tie; or None."""
    width = float((heap[0, 1] - heap[0, 0]).max())
    for box in heap[:: max(1, len(heap) // 8)]:
        for reach in (8.0, 2.0, 0.5):
            point: FloatArray = box.mean(axis=0)
            active = [
                np.flatnonzero(values <= values.min() + reach * width)
                for values in (_at(columns[agent], point) for agent in mixing)
            ]
            for _ in range(12):
                value, jacobian = _tied_equations(columns, mixing, active, point)
                step = np.linalg.lstsq(jacobian[:, mixing], -value, rcond=1e-9)[0]
                point[mixing] = (point[mixing] + step).clip(0.0, 1.0)
            if _regret(columns, point) <= TOLERANCE:
                return point
    return None


def _tied_equations(
    columns: Sequence[FloatArray], mixing: Sequence[int], active: Sequence[IntArray], point: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Differences of the columns that tie, or the slope of a lone one, with their exact derivatives."""
    functions = []
    for agent, tied in zip(mixing, active, strict=True):
        own = columns[agent][tied]
        if len(tied) > 1:
            functions += list(own[1:] - own[0])
        else:
            functions += list(np.diff(own, axis=agent + 1).repeat(2, axis=agent + 1))
    together = np.stack(functions)
    jacobian = np.empty((len(functions), len(point)))
    for j in range(len(point)):
        ends = [_at(together, np.where(np.arange(len(point)) == j, end, point)) for end in (0.0, 1.0)]
        jacobian[:, j] = ends[1] - ends[0]
    return _at(together, point), jacobian


def _at(functions: FloatArray, point: FloatArray) -> FloatArray:
    """Values (F,) of multi-affine functions (F, 2, ..., 2) at a point."""
    for p in point[::-1]:
        functions = functions @ np.array([1.0 - p, p])
    return functions
