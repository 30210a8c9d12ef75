"""Forged certificates against the checker: every claim that brute force finds false must be refused.

    python benchmarks/mutants.py [COUNT] [SEED]

Columns: mutants made; sound, whose evidence still proves their claim, so that they are to be accepted (a
mutation need not do harm: a scaled y is divided by its sum); accepted; unsound and accepted
(must be 0); sound and refused (must be 0); claims that are really false, some deviation gains more than
claimed; false and accepted (must be 0); and refused by hash or format alone (at most 50 of 1000).
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "proof"))

from certificate_mutants import sample, tally

COLUMNS = (
    "made",
    "sound",
    "accepted",
    "unsound accepted",
    "sound refused",
    "false",
    "false accepted",
    "by hash or format",
)


def main(count: int = 1000, seed: int = 0) -> int:
    """Print the table; return 1 if a false or unsound claim got through, or a sound one did not."""
    start = time.perf_counter()
    table = tally(sample(seed, count))
    seconds = time.perf_counter() - start
    honest = table.pop("honest")
    total: Counter[str] = sum(table.values(), Counter())
    print(f"{'mutation':<37}" + "".join(f"{name:>18}" for name in COLUMNS))
    for kind, row in [*sorted(table.items()), ("all", total)]:
        print(f"{kind:<37}" + "".join(f"{row[name]:>18}" for name in COLUMNS))
    print(f"honest certificates accepted: {honest['accepted']} of {honest['made']}; {seconds:.0f} s")
    wrong = total["false accepted"] + total["unsound accepted"] + total["sound refused"]
    wrong += honest["made"] - honest["accepted"]
    return int(wrong > 0 or total["by hash or format"] > 0.05 * count)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
