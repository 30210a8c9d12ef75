"""The configuration of an experiment: one TOML file for people, and the list of runs that it stands for.

::

    title = "ART and its rivals"
    seeds = 10                    # runs of each learner; seed s of all learners is the number s
    points = 30                   # of each learning curve, after the one at the beginning
    confidence = 0.95             # of the bands, over seeds
    time_limit = 60               # seconds for the exact reference of one game and budget

    [quick]                       # what --quick replaces
    seeds = 2
    points = 4
    scale = 0.02                  # share of the iterations that are made

    [[games]]
    name = "foraging"             # in tables and figures
    kind = "cooperative"          # likewise
    game = "level-based-foraging" # of the catalog
    parameters = {}
    k = [1]
    scale = 1.0                   # share of the iterations that are made here
    quick = {width = 2, food = {a1 = 2}, levels = [1, 1, 1]}   # parameters under --quick

    [[learners]]
    name = "ART"                  # not "reference"
    learner = "art-exact"         # in arneq_exact.learning.learners
    iterations = 1000
    options = {agent_rate = 1.0}
    seeds = 1                     # for a learner without randomness

An unknown key, a missing one or a value that breaks its rule is refused in one line.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from typing import Any

from arneq_exact import catalog, require
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.learners import learner_entry
from arneq_exact.model.game import MarkovGame

REFERENCE = "reference"
"""What stands for a learner in the rows of times of the exact answers."""


@dataclass(frozen=True)
class BudgetedGame:
    """A game under one budget.

    Attributes
    ----------
    name, kind : str
    game : str
        Name in the catalog.
    parameters : mapping
    k : int
    """

    name: str
    kind: str
    game: str
    parameters: Mapping[str, Any]
    k: int

    def load(self) -> MarkovGame:
        """Build the game, once in each process."""
        return _built(self.game, json.dumps(self.parameters, sort_keys=True))


@cache
def _built(game: str, parameters: str) -> MarkovGame:
    return catalog.load(game, **json.loads(parameters))


@cache
def _version() -> str:
    """Return the version of this package; a tree that was never installed has none."""
    try:
        return version("arneq-exact")
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class Run:
    """One learner on one instance with one seed: all that its numbers depend on.

    Attributes
    ----------
    instance : BudgetedGame
    label : str
        The learner's name in tables and figures.
    learner : str
        Its name in the registry.
    options : mapping
    iterations : int
    points : int
        Of the curve, after the one at iteration 0.
    seed : int
    """

    instance: BudgetedGame
    label: str
    learner: str
    options: Mapping[str, Any]
    iterations: int
    points: int
    seed: int

    @property
    def evaluated(self) -> list[int]:
        """Iterations at which the policy is judged: 0, …, `iterations`, at equal distances."""
        return sorted({round(self.iterations * point / self.points) for point in range(self.points + 1)})

    @property
    def key(self) -> str:
        """A file name; it changes with anything that the numbers depend on."""
        name = f"{self.instance.name} k{self.instance.k} {self.label} seed{self.seed}"
        return f"{slug(name)}-{fingerprint(self)}"


@dataclass(frozen=True)
class ExperimentConfig:
    """What is compared.

    Attributes
    ----------
    title : str
    confidence : float
    time_limit : float
        Seconds for the exact reference of one instance.
    instances : tuple of BudgetedGame
    runs : tuple of Run
        In the order of instances, learners and seeds.
    """

    title: str
    confidence: float
    time_limit: float
    instances: tuple[BudgetedGame, ...]
    runs: tuple[Run, ...]


def slug(text: str) -> str:
    """Return letters, digits and single hyphens.

    Examples
    --------
    >>> slug("ART, exact (k = 1)")
    'art-exact-k-1'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def fingerprint(thing: Run | BudgetedGame) -> str:
    """Return eight digits of a hash of all fields, of the game itself and of the version that makes numbers.

    The name and the parameters of a game do not tell whether the catalog still builds the same one.
    """
    instance = thing.instance if isinstance(thing, Run) else thing
    made_of = {"thing": asdict(thing), "game": instance.load().content_hash, "version": _version()}
    text = json.dumps(made_of, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_config(path: str | Path, *, quick: bool = False, seeds: int | None = None) -> ExperimentConfig:
    """Read a configuration.

    Parameters
    ----------
    path : str or Path
        A TOML file.
    quick : bool
        Whether the section `quick` and the games' quick parameters are taken.
    seeds : int, optional
        At most so many seeds of each learner.

    Raises
    ------
    FileError
        If the file cannot be read.
    InputError
        If it breaks a rule; names the place, the value and the rule.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(f"{path}: is no TOML file ({str(error).splitlines()[0]})") from None
    return config_from_data(data, str(path), quick=quick, seeds=seeds)


def config_from_data(
    data: Mapping[str, Any], where: str, *, quick: bool = False, seeds: int | None = None
) -> ExperimentConfig:
    """Return the configuration that parsed TOML stands for; see `read_config`."""
    top = _Table(
        data, where, ("title", "seeds", "points", "confidence", "time_limit", "quick", "games", "learners")
    )
    hurry = _Table(top.table("quick"), f"{where}: quick", ("seeds", "points", "scale", "time_limit"))
    # What the section of a hurry does not say is as at the top.
    settings = _Table({**top.data, **hurry.data} if quick else top.data, where, (*top.data, *hurry.data))
    most = settings.whole("seeds", 10)
    if seeds is not None:
        most = min(most, require.whole(seeds, "experiment: seeds", at_least=1))
    points = settings.whole("points", 30)
    scale = hurry.positive("scale", 1) if quick else 1.0
    confidence = top.positive("confidence", 0.95)
    if confidence >= 1:
        raise InputError(f"{where}: confidence is {confidence:g}; must be below 1")
    games = [_game(entry, f"{where}: games[{i}]", quick) for i, entry in enumerate(top.tables("games"))]
    learners = [
        _Table(entry, f"{where}: learners[{i}]", ("name", "learner", "iterations", "options", "seeds"))
        for i, entry in enumerate(top.tables("learners"))
    ]
    names = [learner.text("name") for learner in learners]
    _distinct(names, f"{where}: learners")
    for name in names:
        if slug(name) == REFERENCE:
            raise InputError(
                f"{where}: learners: name {require.shown(name)} is that of the exact answer's time; "
                "must be another"
            )
    _distinct([game[0][0].name for game in games], f"{where}: games")
    runs = []
    for instances, share in games:
        for instance in instances:
            for name, table in zip(names, learners, strict=True):
                runs += _runs(instance, name, table, points, most, scale * share)
    return ExperimentConfig(
        title=top.text("title"),
        confidence=confidence,
        time_limit=settings.positive("time_limit", 60),
        instances=tuple(instance for instances, _ in games for instance in instances),
        runs=tuple(runs),
    )


def _game(data: Any, where: str, quick: bool) -> tuple[list[BudgetedGame], float]:
    """Return one instance per budget, and the share of iterations made on it."""
    table = _Table(data, where, ("name", "kind", "game", "parameters", "k", "scale", "quick"))
    name, game = table.text("name"), table.text("game")
    listed = "a name of the catalog, as `arneq games` lists"
    require.that(game in catalog.names(), game, f"{where}: game", listed)
    parameters = {**table.table("parameters"), **(table.table("quick") if quick else {})}
    budgets = table.data.get("k")
    if not isinstance(budgets, list) or not budgets:
        raise require.broken(budgets, f"{where}: k", "a list of budgets")
    if any(budgets.index(k) < i for i, k in enumerate(budgets)):
        raise InputError(f"{where}: k is {require.shown(budgets)}; must hold every budget once")
    n = BudgetedGame(name, "", game, parameters, 0).load().n_agents
    instances = []
    for k in budgets:
        if require.whole(k, f"{where}: k", at_least=0) >= n:
            raise InputError(f"{where}: k holds {k}; must be budgets below the number of agents, {n}")
        instances.append(BudgetedGame(name, str(table.data.get("kind", "")), game, parameters, k))
    return instances, table.positive("scale", 1)


def _runs(
    instance: BudgetedGame, name: str, table: _Table, points: int, seeds: int, scale: float
) -> list[Run]:
    learner = learner_entry(table.text("learner"), f"{table.where}: learner").name
    iterations = max(1, round(table.whole("iterations") * scale))
    count = min(seeds, table.whole("seeds", seeds))
    options = table.table("options")
    return [Run(instance, name, learner, options, iterations, points, seed) for seed in range(count)]


class _Table:
    """A table of the file whose keys are known."""

    def __init__(self, data: Any, where: str, known: Sequence[str]) -> None:
        if not isinstance(data, Mapping):
            raise require.broken(data, where, "a table")
        require.keys(data, where, (), known)
        self.data, self.where = data, where

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        value = self.data.get(key)
        if not isinstance(value, str) or not slug(value):
            raise require.broken(value, f"{self.where}: {key}", "a text with a letter or a digit")
        return value

    def whole(self, key: str, default: Any = None) -> int:
        """Return an integer of at least 1."""
        return require.whole(self.data.get(key, default), f"{self.where}: {key}", at_least=1)

    def positive(self, key: str, default: Any) -> float:
        """Return a finite number above 0."""
        where = f"{self.where}: {key}"
        return require.number(self.data.get(key, default), where, "a positive number", lambda x: 0 < x < inf)

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a table, empty if it is not there."""
        value = self.data.get(key, {})
        if not isinstance(value, Mapping):
            raise require.broken(value, f"{self.where}: {key}", "a table")
        return value

    def tables(self, key: str) -> Sequence[Any]:
        """Return a list of tables that must not be empty."""
        value = self.data.get(key)
        if not isinstance(value, list) or not value:
            raise require.broken(value, f"{self.where}: {key}", f"at least one table [[{key}]]", verb="are")
        return value


def _distinct(names: Sequence[str], where: str) -> None:
    """Refuse names that would share a file."""
    slugs = [slug(name) for name in names]
    for name, short in zip(names, slugs, strict=True):
        if slugs.count(short) > 1:
            raise InputError(f"{where}: name {require.shown(name)} is given twice; must be distinct")
