"""The main job, end to end: solve, prove, write, check. Run by `make demo`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from arneq_exact import ThreatModel, catalog, cli, iterate, save

OUT = Path("demo")


def arneq(*arguments: str) -> None:
    """Show a command line and run it; stop if it does not answer with a proof."""
    print(f"\n$ arneq {' '.join(arguments)}", flush=True)
    code = cli.main(list(arguments))
    if code:
        sys.exit(code)


def referee(game: str, file: str) -> None:
    """Show and run the second, independent checker: one file, standard library only."""
    print(f"\n$ python -m arneq_exact.referee {game} {file}", flush=True)
    subprocess.run([sys.executable, "-m", "arneq_exact.referee", game, file], check=True)


def main() -> None:
    """Run the demonstration."""
    OUT.mkdir(exist_ok=True)
    print("1. Grid game 1 of Hu and Wellman: Nash (k = 0), then each agent safe against the other (k = 1).")
    arneq("games", "grid-game-1", "--out", f"{OUT}/grid.json")
    for k in ("0", "1"):
        arneq("solve", f"{OUT}/grid.json", "--k", k, "--states", "1", "--out", f"{OUT}/grid-k{k}.json")
        arneq("check", f"{OUT}/grid.json", f"{OUT}/grid-k{k}.json", "--k", k)
    referee(f"{OUT}/grid.json", f"{OUT}/grid-k0.json")

    print("\n2. NoSDE: the model-based procedure runs into a cycle at k = 0; the solver does not.")
    result = iterate(catalog.load("nosde"), ThreatModel(0))
    assert result.cycle is not None
    print(
        f"procedure: {result.status} of period {result.cycle.period}, amplitude {result.cycle.amplitude:.4f}"
    )
    arneq("games", "nosde", "--out", f"{OUT}/nosde.json")
    arneq("solve", f"{OUT}/nosde.json", "--k", "0", "--out", f"{OUT}/nosde-k0.json")
    arneq("check", f"{OUT}/nosde.json", f"{OUT}/nosde-k0.json", "--k", "0")
    referee(f"{OUT}/nosde.json", f"{OUT}/nosde-k0.json")

    print("\n3. A stored policy with 0 < k < n-1, judged: unanimity, n = 3, k = 1.")
    answer = next(a for a in catalog.entry("unanimity").answers if a.threat.k == 1)
    game = catalog.load("unanimity", **answer.parameters)
    assert answer.policy is not None
    assert game.n_agents == 3
    save(game, OUT / "unanimity.json")
    save(answer.policy(game), OUT / "policy.json", game)
    arneq("gap", f"{OUT}/unanimity.json", f"{OUT}/policy.json", "--k", "1", "--out", f"{OUT}/gap.json")
    arneq("check", f"{OUT}/unanimity.json", f"{OUT}/gap.json", "--k", "1")
    referee(f"{OUT}/unanimity.json", f"{OUT}/gap.json")


if __name__ == "__main__":
    main()
