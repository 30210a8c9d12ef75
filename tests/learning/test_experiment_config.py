"""The configuration file of an experiment: what it stands for, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from arneq_exact import catalog
from arneq_exact.errors import FileError, InputError
from arneq_exact.learning.experiment import configuration
from arneq_exact.learning.experiment.configuration import config_from_data, read_config

TINY = Path(__file__).with_name("tiny_experiment.toml")


def data(**changes):
    return {
        "title": "t",
        "games": [{"name": "a", "game": "nosde", "k": [0, 1]}],
        "learners": [{"name": "ART", "learner": "art-exact", "iterations": 10}],
        **changes,
    }


def game(**changes):
    return data(games=[{"name": "a", "game": "nosde", "k": [0], **changes}])


def learner(**changes):
    return data(learners=[{"name": "ART", "learner": "art-exact", "iterations": 10, **changes}])


def test_defaults():
    config = config_from_data(data(), "c")
    assert (config.title, config.confidence, config.time_limit) == ("t", 0.95, 60)
    assert [(run.instance.k, run.seed) for run in config.runs] == [(k, s) for k in (0, 1) for s in range(10)]
    assert config.runs[0].points == 30
    assert config.runs[0].evaluated == list(range(11))


def test_quick_and_fewer_seeds():
    config = read_config(TINY, quick=True)
    assert {run.seed for run in config.runs} == {0}
    assert {(run.label, run.instance.name, run.iterations) for run in config.runs} >= {
        ("ART", "crate", 6),
        ("ART", "food", 3),
        ("procedure", "food", 1),
    }
    assert config.runs[0].instance.parameters == {"width": 3, "height": 1}
    assert {run.seed for run in read_config(TINY, seeds=1).runs} == {0}
    assert {run.seed for run in read_config(TINY, seeds=9).runs} == {0, 1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (data(sedes=3), "c: key 'sedes' is unknown; must be title, seeds, points"),
        (data(seeds=0), "c: seeds is 0; must be an integer of at least 1"),
        (data(points=1.5), "c: points is 1.5; must be an integer of at least 1"),
        (data(confidence=1), "c: confidence is 1; must be below 1"),
        (data(time_limit=-1), "c: time_limit is -1; must be a positive number"),
        (data(title=3), "c: title is 3; must be a text"),
        (data(games=[]), r"c: games are \[\]; must be at least one table \[\[games\]\]"),
        (data(learners={}), "c: learners are {}; must be at least one table"),
        (data(games=[3]), r"c: games\[0\] is 3; must be a table"),
        (data(quick=3), "c: quick is 3; must be a table"),
        (data(quick={"games": 1}), "c: quick: key 'games' is unknown"),
        (game(game="nose"), r"c: games\[0\]: game is 'nose'; must be a name of the catalog"),
        (game(k=1), r"c: games\[0\]: k is 1; must be a list of budgets"),
        (game(k=[2]), r"c: games\[0\]: k holds 2; must be budgets below the number of agents, 2"),
        (game(k=[1, 0, 1]), r"c: games\[0\]: k is \[1, 0, 1\]; must hold every budget once"),
        (game(k=[-1]), r"c: games\[0\]: k is -1; must be an integer of at least 0"),
        (game(scale=0), r"c: games\[0\]: scale is 0; must be a positive number"),
        (game(parameters={"speed": 1}), "game 'nosde' has no parameter 'speed'"),
        (learner(learner="art"), r"c: learners\[0\]: learner is 'art'; must be one of art-exact"),
        (learner(iterations=None), r"c: learners\[0\]: iterations is None; must be an integer"),
        (learner(name="…"), r"c: learners\[0\]: name is '…'; must be a text with a letter or a digit"),
        (learner(options=[1]), r"c: learners\[0\]: options is \[1\]; must be a table"),
        (
            data(learners=[{"name": n, "learner": "art-exact", "iterations": 1} for n in ("A b", "a-b")]),
            "c: learners: name 'A b' is given twice; must be distinct",
        ),
        (learner(name="Reference"), "c: learners: name 'Reference' is that of the exact answer's time"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as caught:
        config_from_data(given, "c")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", ["content_hash", "version"])
def test_a_run_is_known_by_its_game_and_the_version_too(monkeypatch, other):
    """The same name and parameters may build another game one day: its runs are not those of today."""
    config = config_from_data(data(), "c")
    instance, run = config.instances[1], config.runs[0]
    before = [run.key, configuration.fingerprint(instance)]
    assert before == [run.key, configuration.fingerprint(instance)]
    if other == "version":
        monkeypatch.setattr(configuration, "_version", lambda: "99")
    else:
        monkeypatch.setattr(configuration.BudgetedGame, "load", lambda _: catalog.load("crate-pushing"))
    assert all(a != b for a, b in zip(before, [run.key, configuration.fingerprint(instance)], strict=True))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"none.toml: cannot be read \(No such file"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("title =")
    with pytest.raises(FileError, match=r"bad.toml: is no TOML file \(Invalid value") as caught:
        read_config(tmp_path / "bad.toml")
    assert "\n" not in str(caught.value)
