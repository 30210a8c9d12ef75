"""A checker's verdict on a terminal; imports no solver."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rich.console import Console
from rich.text import Text

from arneq_exact.model.game import MarkovGame
from arneq_exact.proof.result import CheckResult


def print_epsilon(
    console: Console, game: MarkovGame, epsilon: Sequence[Fraction], relative: Sequence[float]
) -> None:
    """Print the proved bound of every agent."""
    parts = [
        f"{game.agent_name(agent)}: {_small(bound)} (relative {share:.3g})"
        for agent, (bound, share) in enumerate(zip(epsilon, relative, strict=True))
    ]
    line = Text("proved ε, the most an agent can gain at any state: " + ", ".join(parts))
    console.print(line, soft_wrap=True)


def print_check(console: Console, game: MarkovGame, result: CheckResult) -> None:
    """Print a checker's verdict."""
    if not result.valid:
        console.print(Text.assemble(("refused", "bold red"), f": {result.reason}"), soft_wrap=True)
        return
    kind = "exact integers" if result.arithmetic == "exact" else "rigorous floating point"
    verdict = f", checked in {kind}, threat: {result.threat.describe()}"
    console.print(Text.assemble(("valid", "bold green"), verdict))
    print_epsilon(console, game, result.epsilon, result.relative)


def _small(bound: Fraction) -> str:
    return "0" if bound == 0 else f"{float(bound):.3g}"
