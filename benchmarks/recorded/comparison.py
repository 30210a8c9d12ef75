"""Two answers side by side: identical, within the rule, changed text, or different."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from recorded.data import text_of

PROOF = {"status", "relative_gap"}
"""Keys of what is proved: an object with both is compared by its gap."""


TEXTS = {"message", "reason", "argument", "text", "stdout", "stderr"}
"""Keys of wording: a difference there is a changed text."""


FREE = {"trace", "certificate", "file"}
"""Parts of a proof that may have another form: other candidates on the way, doubles in place of rationals."""


SLACK = 1e-12


TENFOLD = 10


IDENTICAL, WITHIN, WORDING, DIFFERENT = "identical", "within the rule", "changed text", "different"


VERDICTS = (IDENTICAL, WITHIN, WORDING, DIFFERENT)


@dataclass(frozen=True)
class Difference:
    """One difference within an item: where it is and what it means."""

    verdict: str
    where: str
    detail: str
    size: float = 0.0
    broken: bool = False
    """Whether keys, lengths or kinds differ, and not values alone."""


def judgement(old: Any, new: Any) -> tuple[str, str]:
    """Return the verdict on an item and the reason in a line."""
    if text_of(old) == text_of(new):
        return IDENTICAL, ""
    found = list(differences(old, new))
    if not found:
        return WITHIN, "another order of keys, or another form of equal numbers"
    verdict = max((one.verdict for one in found), key=VERDICTS.index)
    worst = sorted((one for one in found if one.verdict == verdict), key=lambda one: -one.size)
    parts = [f"{one.where or 'all'}: {one.detail}" for one in worst[:3]]
    return verdict, "; ".join(parts) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")


def differences(old: Any, new: Any, where: str = "") -> Iterator[Difference]:
    """Yield what differs between two items, by the rules of this file."""
    numbers = [isinstance(one, int | float) and not isinstance(one, bool) for one in (old, new)]
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            yield Difference(
                DIFFERENT, where, f"keys {sorted(old.keys() ^ new.keys())} are in one only", broken=True
            )
        elif old.keys() >= PROOF:
            yield from proof_differences(old, new, where)
        else:
            for key in old:
                yield from differences(old[key], new[key], f"{where}/{key}")
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield Difference(DIFFERENT, where, f"{len(old)} entries became {len(new)}", broken=True)
        else:
            for number, pair in enumerate(zip(old, new, strict=True)):
                yield from differences(*pair, f"{where}/{number}")
    elif all(numbers):
        size = abs(old - new) / max(1.0, abs(old))
        if size:
            verdict = WITHIN if size <= SLACK else DIFFERENT
            yield Difference(verdict, where, f"{old!r} became {new!r} (by {size:.2g})", size)
    elif old != new:
        wording = isinstance(old, str) and isinstance(new, str) and where.rsplit("/", 1)[-1] in TEXTS
        shown = changed_line(old, new) if wording else f"{shortened(old)} became {shortened(new)}"
        other = type(old) is not type(new)
        yield Difference(WORDING if wording else DIFFERENT, where, shown, broken=other)


def proof_differences(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[Difference]:
    """Compare what is proved: by status and gap, and if both hold, tell what else differs."""
    before, after = (float(np.max(np.array(one["relative_gap"], dtype=float))) for one in (old, new))
    if old["status"] != new["status"]:
        yield Difference(DIFFERENT, where, f"status {old['status']} became {new['status']}")
    elif not after <= max(TENFOLD * before, SLACK):
        yield Difference(DIFFERENT, where, f"relative gap {before:.3g} became {after:.3g}")
    elif text_of(old) != text_of(new):
        rest = [one for key in old for one in differences(old[key], new[key], f"{where}/{key}")]
        broken = [one for one in rest if one.broken and not FREE & set(one.where.split("/"))]
        if broken or all(one.verdict == WORDING for one in rest):
            yield from broken or rest
            return
        size = max((one.size for one in rest), default=0.0)
        places = sorted({one.where.removeprefix(where).split("/")[1] for one in rest})
        detail = f"relative gap {before:.3g} became {after:.3g}; "
        yield Difference(WITHIN, where, f"{detail}other {', '.join(places)}, numbers by {size:.2g}", size)


def changed_line(old: str, new: str) -> str:
    """Return the first line in which two texts differ."""
    lines = [text.splitlines() for text in (old, new)]
    for pair in zip(*lines, strict=False):
        if pair[0] != pair[1]:
            return f"{shortened(pair[0])} became {shortened(pair[1])}"
    return f"{len(lines[0])} lines became {len(lines[1])}"


def shortened(value: Any) -> str:
    """Return a value in a few words."""
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"
