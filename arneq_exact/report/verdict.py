"""A checker's verdict on a terminal; imports no solver."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rich.console import Console

from arneq_exact.certificate.result import CheckResult
from arneq_exact.model.game import MarkovGame


def print_epsilon(
    console: Console, game: MarkovGame, epsilon: Sequence[Fraction], relative: Sequence[float]
) -> None:
    """Print the proved bound of every agent."""
    parts = [
        f"{game.agent_name(agent)}: {_small(bound)} (relative {share:.3g})"
        for agent, (bound, share) in enumerate(zip(epsilon, relative, strict=True))
    ]
    console.print("proved ε, the most an agent can gain at any state: " + ", ".join(parts), highlight=False)


def print_check(console: Console, game: MarkovGame, result: CheckResult) -> None:
    """Print a checker's verdict."""
    if not result.valid:
        console.print(f"[bold red]refused[/]: {result.reason}", highlight=False)
        return
    kind = "exact integers" if result.arithmetic == "exact" else "rigorous floating point"
    console.print(f"[bold green]valid[/], checked in {kind}, threat: {result.threat.describe()}")
    print_epsilon(console, game, result.epsilon, result.relative)


def _small(bound: Fraction) -> str:
    return "0" if bound == 0 else f"{float(bound):.3g}"
