"""Enclosures: intervals that are proved to hold an ARNEQ, for equilibria that are not rational.

`certify` proves that a given policy is nearly an equilibrium. It does not tell how near an equilibrium is.
Here, existence is proved, in three parts that all run in ball arithmetic:

1. The actions and attacks in use give a square system (`reduced_system`); Krawczyk's test (`krawczyk`)
   proves one zero (x, y, V) in a box. At the zero every agent is indifferent among its actions in use, and
   its attacker among the attacks J in use.
2. In the box, probabilities are positive; tied attacks outside J are redundant (equal functions, or
   imitation with a regular W_D); all other attacks are strictly less bad; all other actions are strictly
   worse. Hence π is optimal against y and y against π at the backup of V, for every agent and state.
3. V is therefore the robust and the best-response value [T9], [T12]: the zero is an ARNEQ with values V.

*Uniqueness* is claimed for π alone, since y is not unique. Let π' be any ARNEQ with the same actions in use
and within the radius X of π. Its values V' lie within δ/(1−β) of V, δ the most that one backup of V changes
over X. Its optimal attack y' uses tied attacks only, and moves onto J as a solution y'' of M_J y'' = V', Σ
y'' = 1, which is enclosed over X; where the enclosure is positive, 0 = Σ y''(c) e(c) with e ≥ 0 makes e = 0
on J. So (x', y'', V') is a zero of the reduced system, and if its Jacobian is regular over that larger box,
it is the zero.

Where agents in a class share their unknowns (tried second), uniqueness holds among policies with that
symmetry.

What is refused: equilibria that are not isolated, or isolated but degenerate (an unused action as good as
those in use, an unused attack as bad as those in use, a singular Jacobian). The reason names the place.

References
----------
[T3], [T9], [T12]; Krawczyk (1969), Computing 4, 187–201; Rump (2010), Acta Numerica 19, 287–449.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arneq_exact import require
from arneq_exact.enclosure.play_in_use import alike
from arneq_exact.enclosure.reduced_system import NotEnclosed
from arneq_exact.errors import CertificateError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.fit import require_fit
from arneq_exact.require import shown

if TYPE_CHECKING:
    from arneq_exact.enclosure.verified_play import VerifiedPlay

NEAR = 1e-6
"""Farthest that the enclosed probabilities may lie from the policy given, or it is another's."""

FEWEST_BITS, MOST_BITS = 64, 4096
"""Precisions: a little more than a double's at least, and at most some 1,200 digits, to bound time."""

CLOSEST_MODULUS = 1 - Fraction(1, 10**9)
"""Largest β: values are 1/(1 − β) times as uncertain as rewards, and boxes are to stay below `NEAR`."""


class Certified(Protocol):
    """Anything with a certificate, such as a `Solution`."""

    @property
    def certificate(self) -> Certificate:
        """The certificate."""


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Intervals that hold an ARNEQ, or the reason why there are none.

    Attributes
    ----------
    enclosed : bool
        True only if existence is proved.
    reason : str
        Why there is no enclosure; empty if there is.
    policy : one object array (S, max A_i, 2) of Fractions per agent
        Lower and upper ends of every probability; both 0 for actions not in use.
    values : object array (n, S, 2) of Fractions
    width : float
        The widest interval, rounded up.
    unique : bool
        Whether it is proved to be the only ARNEQ near: with the same actions in use, and every
        probability within `radius`; and with the symmetry of `classes`, if any.
    radius : float
        0 if not unique.
    classes : tuple of tuple of int
        Agents that play alike because game and threat treat them alike; empty if not used.
    unknowns : int
        Size of the system.
    """

    enclosed: bool
    reason: str
    policy: tuple[NDArray[Any], ...] = ()
    values: NDArray[Any] | None = None
    width: float = float("inf")
    unique: bool = False
    radius: float = 0.0
    classes: tuple[tuple[int, ...], ...] = ()
    unknowns: int = 0

    def __bool__(self) -> bool:
        return self.enclosed

    def __repr__(self) -> str:
        if not self.enclosed:
            return f"Enclosure(none: {self.reason})"
        alone = f"unique within {self.radius:.2g}" if self.unique else "existence only"
        return f"Enclosure({self.unknowns} unknowns, width {self.width:.2g}, {alone})"


def enclose(
    game: MarkovGame, threat: ThreatModel, solution: Certified | Certificate, *, bits: int = 128
) -> Enclosure:
    """Prove that an ARNEQ exists next to a solution, and enclose it in intervals.

    Parameters
    ----------
    game, threat
    solution : Solution or Certificate
        Of this game, stationary, and near an equilibrium.
    bits : int
        Precision; intervals are about 2^(20 − bits) wide.

    Returns
    -------
    Enclosure
        `enclosed` is False, with the reason, where no proof is found: it never raises for that.

    Raises
    ------
    InputError
        If the arguments do not fit together, or python-flint is not installed.

    Examples
    --------
    Three agents must agree on an action worth 1 or 2 while one of them may be corrupted: they play the first
    with probability √2/(1 + √2) = 2 − √2.

    >>> from arneq_exact import Policy, ThreatModel, catalog, certify, enclose
    >>> game = catalog.load("unanimity", values=[1, 2])
    >>> near = Policy(game, [[[2 - 2**0.5, 2**0.5 - 1]]] * 3)
    >>> found = enclose(game, ThreatModel(1), certify(game, ThreatModel(1), near))
    >>> found.enclosed, found.unique, found.classes
    (True, True, ((0, 1, 2),))
    >>> low, high = found.policy[0][0, 0]
    >>> (2 - high) ** 2 < 2 < (2 - low) ** 2, float(high - low) < 1e-30
    (True, True)
    """
    certificate = _certificate(game, threat, solution)
    bits = require.whole(bits, "enclose: bits", at_least=FEWEST_BITS, at_most=MOST_BITS)
    if certificate.game != game.content_hash or not certificate.threat.same_as(threat, game.n_agents):
        raise CertificateError("enclose: solution is of another game or threat; must be of this one")
    require_fit(game, certificate)
    require.installed("flint", where="enclose", extra="enclosure", called="python-flint")
    from arneq_exact.enclosure.verified_play import VerifiedPlay

    try:
        _require_covered(game, threat, certificate)
        alone = list(range(game.n_agents))
        try:
            return _enclosed(game, certificate, VerifiedPlay(game, threat, certificate, alone, bits))
        except NotEnclosed:
            first = alike(game, threat, certificate)
            if first == alone:
                raise
        return _enclosed(game, certificate, VerifiedPlay(game, threat, certificate, first, bits))
    except NotEnclosed as why:
        return Enclosure(False, str(why))


def _certificate(game: Any, threat: Any, solution: Any) -> Certificate:
    """Return the solution's certificate, or refuse an argument that is not what its name says."""
    certificate = getattr(solution, "certificate", solution)
    for name, given, found, kind in (
        ("game", game, game, MarkovGame),
        ("threat", threat, threat, ThreatModel),
        ("solution", solution, certificate, Certificate),
    ):
        if not isinstance(found, kind):
            rule = "Solution or Certificate" if name == "solution" else kind.__name__
            raise CertificateError(f"enclose: {name} is {shown(given)}; must be a {rule}")
    checked: Certificate = certificate
    return checked


def _require_covered(game: MarkovGame, threat: ThreatModel, certificate: Certificate) -> None:
    if certificate.horizon is not None:
        raise NotEnclosed("the solution has a finite horizon; only stationary policies are enclosed")
    if threat.timing != "per-state":
        raise NotEnclosed("static corruption is not covered")
    for agent, gamma in enumerate(game.exact_discount()):
        if gamma * Fraction(game.largest_row_sum) >= CLOSEST_MODULUS:
            raise NotEnclosed(f"the discount of agent {game.agent_name(agent)!r} is too near 1")


def _enclosed(game: MarkovGame, certificate: Certificate, play: VerifiedPlay) -> Enclosure:
    """Read the intervals and refuse them if they are far from the policy."""
    system, n = play.system, game.n_agents
    policy = []
    values = np.full((n, game.n_states, 2), Fraction(0), dtype=object)
    for agent in range(n):
        leader = system.first[agent]
        table = np.full((*certificate.policy[agent].shape, 2), Fraction(0), dtype=object)
        for state in range(game.n_states):
            for action in system.actions[leader, state]:
                table[state, action] = play.interval(system.play[leader, state][action])
            values[agent, state] = play.interval(system.value[leader, state])
        off = max(
            max(abs(Fraction(given) - end) for end in pair)
            for given, pair in zip(certificate.policy[agent].flat, table.reshape(-1, 2), strict=True)
        )
        if off > NEAR:
            raise NotEnclosed(
                f"the nearest equilibrium found is {float(off):.2g} from the policy of agent "
                f"{game.agent_name(agent)!r}, which is no equilibrium itself"
            )
        policy.append(table)
    tables = [*policy, values]
    width = max(float((table[..., 1] - table[..., 0]).max()) for table in tables)
    radius = play.radius_of_uniqueness()
    classes = tuple(
        group
        for leader in system.agents
        if len(group := tuple(agent for agent in range(n) if system.first[agent] == leader)) > 1
    )
    return Enclosure(
        enclosed=True,
        reason="",
        policy=tuple(policy),
        values=values,
        width=float(np.nextafter(width, np.inf)) if width else 0.0,
        unique=radius > 0,
        radius=radius,
        classes=classes,
        unknowns=len(system.guess),
    )
