"""The robustness curve as data: its levels, what is told of each, and the ways out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import InputError
from arneq_exact.exact.rationals import FloatArray
from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel
from arneq_exact.solver.solution import Solution
from arneq_exact.study.equilibria import Equilibria, Equilibrium

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """One level of the threat.

    Attributes
    ----------
    level : int or Fraction
        k, or ρ.
    threat : ThreatModel
    answer : Solution or Equilibrium
        The equilibrium with its proof, or the best policy met, "incomplete".
    found : Equilibria or None
        All equilibria that were found at this level, where several were looked for.
    attack : one WorstAttack per agent
    nash_attacked : (n, S)
        Robust values of the Nash policy under this threat.
    unattacked : (n, S)
        Values of the answer's policy if nobody is corrupted.
    price : (n, S)
        Values of the Nash policy less those of the answer's policy, both unattacked.
    """

    level: int | Fraction
    threat: ThreatModel
    answer: Solution | Equilibrium
    found: Equilibria | None
    attack: tuple[WorstAttack, ...]
    nash_attacked: FloatArray
    unattacked: FloatArray
    price: FloatArray

    @property
    def values(self) -> FloatArray:
        """Robust values (n, S) of the answer's policy: equilibrium values where it is proved."""
        return self.answer.values

    @property
    def status(self) -> str:
        """The answer's status: "exact", "certified" or "incomplete"."""
        return self.answer.status


@dataclass(frozen=True, eq=False)
class RobustnessCurve:
    """Equilibria over levels of a threat, compared with the Nash policy.

    Iterate over its points; print it for a table.

    Attributes
    ----------
    game : MarkovGame
    name : {"k", "probability"}
        What the levels are.
    points : tuple of CurvePoint
        Ascending; fewer than asked for if the study was stopped.
    nash : Solution or Equilibrium
        The equilibrium without corruption that the curve compares with.
    message : str
    """

    game: MarkovGame
    name: str
    points: tuple[CurvePoint, ...]
    nash: Solution | Equilibrium
    message: str

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[CurvePoint]:
        return iter(self.points)

    def __getitem__(self, number: int) -> CurvePoint:
        return self.points[number]

    @property
    def places(self) -> tuple[str, ...]:
        """Where values are told: "initial" if the game has an initial distribution, else every state."""
        if self.game.initial is not None:
            return ("initial",)
        return tuple(self.game.state_name(state) for state in range(self.game.n_states))

    def at_places(self, values: FloatArray) -> FloatArray:
        """Return values (n, S) as (n, places): weighted by the initial distribution if there is one."""
        if self.game.initial is None:
            return values
        weighted: FloatArray = (values @ self.game.initial)[:, None]
        return weighted

    def worst_corruption(self, number: int, agent: int, place: int) -> str:
        """Return whom the worst attack on `agent` corrupts, in words.

        Under an initial distribution in all states, the sets with the numbers of their states.
        """
        attack = self.points[number].attack[agent]
        states = [place] if self.game.initial is None else range(self.game.n_states)
        found: Counter[str] = Counter()
        for state in states:
            members = attack.at(self.game, state)[0].corruptible
            found[", ".join(self.game.agent_name(j) for j in members) or "nobody"] += 1
        if len(found) == 1:
            return next(iter(found))
        return "; ".join(f"{names} in {count} states" for names, count in found.most_common())

    def records(self) -> list[dict[str, Any]]:
        """Return one row per level, place and agent, as `to_pandas` shows them."""
        rows = []
        nash = self.at_places(self.nash.values)
        for number, point in enumerate(self.points):
            told = [
                self.at_places(values)
                for values in (point.values, point.nash_attacked, point.unattacked, point.price)
            ]
            for place, text in enumerate(self.places):
                for agent in range(self.game.n_agents):
                    equilibrium, attacked, unattacked, price = (
                        float(values[agent, place]) for values in told
                    )
                    rows.append(
                        {
                            self.name: point.level if self.name == "k" else float(point.level),
                            "state": text,
                            "agent": self.game.agent_name(agent),
                            "status": point.status,
                            "relative_gap": max(point.answer.relative_gap),
                            "equilibrium": equilibrium,
                            "nash_attacked": attacked,
                            "unattacked": unattacked,
                            "nash_unattacked": float(nash[agent, place]),
                            "price": price,
                            "worst_corruption": self.worst_corruption(number, agent, place),
                            "found": 1 if point.found is None else len(point.found),
                        }
                    )
        return rows

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame with one row per level, place and agent.

        Raises
        ------
        InputError
            If pandas is not installed.
        """
        pandas = require.installed("pandas", where="to_pandas", extra="table")
        frame: pd.DataFrame = pandas.DataFrame(self.records())
        return frame

    def plot(self, path: str | Path, *, states: Sequence[int] | None = None) -> None:
        """Draw the curve to a file: one panel per agent, one row of panels per state.

        Levels that are not proved have hollow marks.

        Parameters
        ----------
        path : str or Path
            Its ending tells the format: .png, .svg, .pdf.
        states : sequence of int, optional
            Which states to draw where there is no initial distribution; by default the first four.

        Raises
        ------
        InputError
            If matplotlib is not installed, or a state does not exist.
        """
        from arneq_exact.report.curve_plot import MOST_ROWS, draw_curve

        count = len(self.places)
        chosen = list(range(min(count, MOST_ROWS))) if states is None else list(states)
        for state in chosen:
            if not isinstance(state, int | np.integer) or not 0 <= state < count:
                raise InputError(f"plot: states hold {state!r}; must be numbers from 0 to {count - 1}")
        rows = {self.places[place] for place in chosen}
        draw_curve(
            path,
            [record for record in self.records() if record["state"] in rows],
            self._others(),
            self.name,
            nash_proved=self.nash.proved,
            hidden=count - len(chosen),
        )

    def _others(self) -> list[tuple[float, str, str, float]]:
        """Return (level, state, agent, robust value) of every equilibrium that the curve does not follow."""
        return [
            (float(point.level), text, self.game.agent_name(agent), float(told[agent, place]))
            for point in self.points
            for one in point.found or ()
            if one is not point.answer
            for told in [self.at_places(one.values)]
            for place, text in enumerate(self.places)
            for agent in range(self.game.n_agents)
        ]

    def __repr__(self) -> str:
        proved = sum(point.answer.proved for point in self.points)
        return f"RobustnessCurve({len(self.points)} levels of {self.name}, {proved} proved)"

    def __str__(self) -> str:
        from arneq_exact.report.studies import curve_table, plain_text

        title = f"Robustness curve over {self.name}: {self.message}"
        return plain_text(curve_table(self.records(), self.name, title))
