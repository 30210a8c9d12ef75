"""Results as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.policy import Policy
from arneq_exact.model.rationals import FloatArray
from arneq_exact.model.threat import ThreatModel
from arneq_exact.report.verdict import print_epsilon
from arneq_exact.solution import Solution

STATUS_STYLE = {"exact": "bold green", "certified": "bold green", "incomplete": "bold yellow"}


def print_solution(
    console: Console, game: MarkovGame, threat: ThreatModel, solution: Solution, states: int
) -> None:
    """Print status, policy, values, worst attacks and the proved gap of at most `states` states."""
    style = STATUS_STYLE[solution.status]
    console.print(
        f"[{style}]{solution.status}[/]: {game.describe_size()}, "
        f"{threat.describe()}, by {solution.method} in {solution.seconds:.2f} s"
    )
    console.print(f"  {solution.message}", highlight=False)
    first_step = "" if solution.policy.horizon is None else f" with {solution.policy.horizon} steps to go"
    values = solution.values if solution.values.ndim == 2 else solution.values[0]
    console.print(
        profile_table(
            game,
            solution.policy,
            values,
            solution.attack,
            f"Policy and robust values{first_step}",
            states,
        )
    )
    print_epsilon(console, game, solution.epsilon, solution.relative_gap)


def profile_table(
    game: MarkovGame,
    policy: Policy,
    values: FloatArray,
    attacks: Sequence[WorstAttack],
    title: str,
    states: int,
) -> Table:
    """Return one row per state and agent: what it plays, what that is worth, its worst attack."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="")
    for name in ("state", "agent", "plays", "robust value", "worst attack"):
        table.add_column(name, justify="right" if name == "robust value" else "left", overflow="fold")
    arrays = policy.at(0)
    shown = min(states, game.n_states)
    for state in range(shown):
        for agent in range(game.n_agents):
            count = int(game.action_counts[state, agent])
            table.add_row(
                game.state_name(state) if agent == 0 else "",
                game.agent_name(agent),
                mixture_text(game, state, agent, arrays[agent][state, :count]),
                f"{values[agent, state]:.9g}",
                attacks[agent].describe(game, state),
                end_section=agent == game.n_agents - 1,
            )
    if shown < game.n_states:
        table.caption = f"{shown} of {game.n_states} states; --states shows more, --out and --json all"
    return table


def mixture_text(game: MarkovGame, state: int, agent: int, probabilities: FloatArray) -> str:
    """Return a mixture in words: actions with their probabilities, those of probability 0 left out."""
    played = np.flatnonzero(probabilities)
    if len(played) == 1:
        return game.action_name(state, agent, int(played[0]))
    return ", ".join(
        f"{game.action_name(state, agent, int(action))}: {probabilities[action]:.6g}" for action in played
    )


def print_gap(console: Console, game: MarkovGame, values: FloatArray, gaps: FloatArray, states: int) -> None:
    """Print robust values and gaps of a judged policy."""
    table = Table(title="Judged policy", title_justify="left", title_style="bold", header_style="")
    for name in ("state", "agent", "robust value", "gap"):
        table.add_column(name, justify="left" if name in ("state", "agent") else "right")
    shown = min(states, game.n_states)
    for state in range(shown):
        for agent in range(game.n_agents):
            table.add_row(
                game.state_name(state) if agent == 0 else "",
                game.agent_name(agent),
                f"{values[agent, state]:.9g}",
                f"{gaps[agent, state]:.3g}",
                end_section=agent == game.n_agents - 1,
            )
    if shown < game.n_states:
        table.caption = f"{shown} of {game.n_states} states; --states shows more, --json all"
    console.print(table)
