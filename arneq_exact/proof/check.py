"""The verdict on a certificate: is it of this game and threat, and does its claim cover the bound?

The bound of [T12] is evaluated again (`arneq_exact.proof.bound`), exactly or in doubles.
"""

from __future__ import annotations

from fractions import Fraction

from arneq_exact.errors import CertificateError, InputError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.proof.bound import Bound
from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.check_exact import evaluate_exact
from arneq_exact.proof.check_float import CHECKING_WIDTH, evaluate_float
from arneq_exact.proof.result import CheckResult


def check(
    game: MarkovGame,
    certificate: Certificate,
    threat: ThreatModel | None = None,
    *,
    arithmetic: str | None = None,
) -> CheckResult:
    """Prove or refuse the claim of a certificate.

    Parameters
    ----------
    game : MarkovGame
        The game that the caller means; a certificate of another game is refused.
    certificate : Certificate
    threat : ThreatModel, optional
        The threat that the caller means; a certificate for another threat is refused.
    arithmetic : {"exact", "float"}, optional
        Which checker to use; by default the one that sealed the certificate. A claim sealed and
        checked exactly must equal the recomputed bound; otherwise it must not be below it.

    Returns
    -------
    CheckResult
        `valid` only if the claim is proved. Nothing that is wrong with a certificate raises.

    Raises
    ------
    CertificateError
        If the call itself is wrong: an argument of another type, an arithmetic that does not exist.
    """
    for name, given, kind in (
        ("game", game, MarkovGame),
        ("certificate", certificate, Certificate),
        ("threat", threat, ThreatModel | None),
    ):
        if not isinstance(given, kind):
            rule = getattr(kind, "__name__", "ThreatModel or None")
            raise CertificateError(f"check: {name} is {type(given).__name__}; must be {rule}")
    used = certificate.arithmetic if arithmetic is None else arithmetic
    if arithmetic not in (None, "exact", "float"):
        raise CertificateError(f"check: arithmetic is {arithmetic!r}; must be 'exact' or 'float'")
    found, reason = Bound((), ()), ""
    relative: tuple[float, ...] = ()
    try:
        _require_same(game, certificate, threat)
        if used == "float":
            found = evaluate_float(game, certificate, CHECKING_WIDTH)
        else:
            found = evaluate_exact(game, certificate)
        relative = found.relative(game)
        _require_claim(game, certificate, found.epsilon, used)
    except InputError as error:
        reason = str(error)
    return CheckResult(not reason, *found, relative, certificate.threat, used, reason)


def _require_same(game: MarkovGame, certificate: Certificate, threat: ThreatModel | None) -> None:
    if certificate.game != game.content_hash:
        raise CertificateError(
            f"Certificate: game has content hash {str(certificate.game)[:12]}…; "
            f"must be {game.content_hash[:12]}…, that of the game at hand"
        )
    if threat is not None and not certificate.threat.same_as(threat, game.n_agents):
        raise CertificateError(
            f"Certificate: threat is {certificate.threat.describe()}; must be {threat.describe()}"
        )


def _require_claim(
    game: MarkovGame, certificate: Certificate, epsilon: tuple[Fraction, ...], used: str
) -> None:
    must_equal = used == certificate.arithmetic == "exact"
    for agent, (claim, bound) in enumerate(zip(certificate.epsilon, epsilon, strict=True)):
        if claim < bound or (must_equal and claim != bound):
            rule = "equal" if must_equal else "be at least"
            raise CertificateError(
                f"Certificate: claimed epsilon of agent {game.agent_name(agent)!r} is {_text(claim)}; "
                f"must {rule} the recomputed {_text(bound)} (it is off by {_text(claim - bound)})"
            )


def _text(value: Fraction) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return f"beyond the range of doubles, with sign {1 if value > 0 else -1}"
