"""The page on ART and its rivals says what the shipped results say: its tables are computed anew here.

The arithmetic is the page's own, from the records of single runs; nothing of the package's summary is used.
A table that differs is printed as it should be.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from arneq_exact.learning.experiment.configuration import read_config
from arneq_exact.report.tables import short_number

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "figures" / "art_and_rivals"
PAGE = (ROOT / "docs" / "theory" / "art-and-the-arneq.md").read_text(encoding="utf-8")
CONFIG = read_config(ROOT / "examples" / "experiments" / "art_and_rivals.toml")
SEEDS = range(10)
UNTRIED = range(3, 10)
"""Seeds on which no rate was tried."""
GOOD = 1e-3
SHOWN = 5e-4
"""Half widths from here on are shown."""


def records(name: str) -> list[dict[str, str]]:
    with open(RESULTS / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FINAL, TIMES, REFERENCE = records("final"), records("times"), records("reference")
GAMES = list(dict.fromkeys((row["game"], int(row["k"])) for row in FINAL))
LEARNERS = list(dict.fromkeys(row["learner"] for row in FINAL))
ARTS = [learner for learner in LEARNERS if learner.startswith("ART")]
RIVALS = [learner for learner in LEARNERS if learner not in (*ARTS, "procedure")]
HEADS = ("shared foraging", "foraging", "crate, k = 1", "crate, k = 2")


def of_agents(
    game: tuple[str, int], learner: str, quantity: str, seeds: Iterable[int]
) -> list[dict[str, float]]:
    """One mapping of agents to numbers for every seed there is."""
    found: dict[int, dict[str, float]] = {}
    for row in FINAL:
        if (row["game"], int(row["k"]), row["learner"]) == (*game, learner) and int(row["seed"]) in seeds:
            found.setdefault(int(row["seed"]), {})[row["agent"]] = float(row[quantity])
    return [found[seed] for seed in sorted(found)]


def band(values: list[float]) -> tuple[float, float]:
    """Mean and half width of Student's 95 % band."""
    if len(values) == 1:
        return values[0], 0.0
    return float(np.mean(values)), float(
        stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    )


def worth(game: tuple[str, int], learner: str, quantity: str, seeds: Iterable[int]) -> list[float]:
    """One number a seed: the mean over agents, of gaps the largest."""
    join = max if quantity == "gap" else lambda numbers: float(np.mean(list(numbers)))
    return [float(join(run.values())) for run in of_agents(game, learner, quantity, seeds)]


def verdict(game: tuple[str, int], mine: str, rival: str, seeds: Iterable[int]) -> str:
    name = f"robust_k{game[1]}"
    (a, wide_a), (b, wide_b) = (band(worth(game, learner, name, seeds)) for learner in (mine, rival))
    margin, both = a - b, wide_a + wide_b
    numbers = f"{margin:+.2g} ({0.0 if both < 1e-12 else both:.2g})".replace("-", "−")
    if abs(margin) <= both:
        return numbers
    return f"**better** {numbers}" if margin > 0 else f"*worse* {numbers}"


def margins(seeds: Iterable[int]) -> list[str]:
    return [
        f"| {mine} | {rival} | {' | '.join(verdict(game, mine, rival, seeds) for game in GAMES)} |"
        for mine in ARTS
        for rival in RIVALS
    ]


def yardsticks(game: str) -> dict[str, float]:
    """10⁻³ range/(1 − γ) of every agent."""
    made = next(one for one in CONFIG.instances if one.name == game).load()
    bounds = GOOD * made.reward_range / (1 - made.discount)
    return {made.agent_name(agent): float(bounds[agent]) for agent in range(made.n_agents)}


def gaps() -> list[str]:
    lines = []
    allowed = {game: yardsticks(game[0]) for game in GAMES}
    for learner in ARTS:
        for game, head in zip(GAMES, HEADS, strict=True):
            runs = of_agents(game, learner, "gap", SEEDS)
            good = sum(all(value <= allowed[game][agent] for agent, value in run.items()) for run in runs)
            cells = np.quantile([max(run.values()) for run in runs], (0, 0.25, 0.5, 0.75, 1))
            cells[cells < 1e-12] = 0.0
            lines.append(
                f"| {learner} | {head} | {' | '.join(f'{cell:.2g}' for cell in cells)} "
                f"| {min(allowed[game].values()):.2g} | {good} of {len(runs)} |"
            )
    return lines


def cell(values: list[float]) -> str:
    mean, wide = band(values)
    shown = short_number(0.0 if abs(mean) < 1e-12 else mean, 4)
    return shown if wide < SHOWN else f"{shown} ± {wide:.1g}"


def finals(game: tuple[str, int]) -> list[str]:
    names = ["nominal", *(f"robust_k{k}" for k in (1, 2, 3) if (k < 3 or game[0] == "crate pushing")), "gap"]
    lines = []
    for source in dict.fromkeys(row["source"] for row in REFERENCE):
        rows = [row for row in REFERENCE if (row["game"], int(row["k"]), row["source"]) == (*game, source)]
        if rows:
            cells = [cell([float(np.mean([float(row[name]) for row in rows]))]) for name in names[:-1]]
            cells.append(cell([max(float(row["gap"]) for row in rows)]))
            took = seconds(game, source)
            lines.append(f"| {source} ({rows[0]['status']}) | {' | '.join(cells)} | {took} |")
    for learner in LEARNERS:
        cells = [cell(worth(game, learner, name, SEEDS)) for name in names]
        lines.append(f"| {learner} | {' | '.join(cells)} | {seconds(game, learner)} |")
    return lines


def seconds(game: tuple[str, int], learner: str) -> str:
    """Of the catalog no time is told: it has its answers in store."""
    if learner == "catalog":
        return ""
    wanted = (*game, "reference" if learner == "solve" else learner)
    rows = [row for row in TIMES if (row["game"], int(row["k"]), row["learner"]) == wanted]
    return cell([float(row["seconds"]) for row in rows])


def table(heading: str) -> list[str]:
    """The rows of the first table after a heading or a caption in bold."""
    assert PAGE.count(heading) == 1, heading
    lines = PAGE.split(heading)[1].splitlines()
    ruled = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    return list(takewhile(lambda line: line.startswith("|"), lines[ruled + 1 :]))


def require(heading: str, expected: list[str]) -> None:
    assert table(heading) == expected, "\n" + "\n".join(expected)


@pytest.mark.parametrize("game", GAMES, ids=HEADS)
def test_final_values(game: tuple[str, int]) -> None:
    require(f"**{game[0]}, k = {game[1]}**", finals(game))


def test_final_gaps() -> None:
    require("**Final gaps over ten seeds**", gaps())


@pytest.mark.parametrize(("heading", "seeds"), [("**All ten seeds**", SEEDS), ("**Seeds 3 to 9**", UNTRIED)])
def test_margins(heading: str, seeds: range) -> None:
    require(heading, margins(seeds))


def test_what_is_said_of_the_verdicts() -> None:
    """How often each ART is better, worse or within the bands, and what the untried seeds change."""

    def word(line: str) -> list[str]:
        return [
            "better" if "**" in part else "worse" if "*" in part else "within"
            for part in line.split(" | ")[2:]
        ]

    for mine in ARTS:
        found = [v for line in margins(SEEDS) if line.startswith(f"| {mine} |") for v in word(line)]
        counts = f"| {mine} | {found.count('better')} | {found.count('worse')} | {found.count('within')} |"
        assert counts in table("**Verdicts of 16 comparisons**"), counts
    changed = [
        (old.split(" | ")[0], before, after)
        for old, new in zip(margins(SEEDS), margins(UNTRIED), strict=True)
        for before, after in zip(word(old), word(new), strict=True)
        if before != after
    ]
    assert changed == [("| ART, sampled", "better", "within")] * 3  # "three verdicts, all of sampled ART"


def test_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"`(\w+\.csv)`", PAGE)
    assert sorted(set(named)) == sorted(file.name for file in RESULTS.glob("*.csv"))
