"""Runs of the ledger: resumed, interrupted, the same for any number of workers; their table and page."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

from arneq_exact import cli
from arneq_exact.errors import FileError, InputError
from arneq_exact.report.theory_page import table_text
from arneq_exact.theory import ledger
from arneq_exact.theory import run as running
from arneq_exact.theory.engine.evidence import Evidence, Findings, at_most
from arneq_exact.theory.run import run
from arneq_exact.theory.search import stored_counterexamples

NAMES = ["T1.sets", "T10.informed"]


def told(found):
    """All that must not depend on when and by whom it was computed."""
    return [replace(sample, seconds=0.0) for sample in found.samples]


def test_a_run_is_the_same_for_any_number_of_workers(tmp_path):
    alone = run(NAMES, games=45, seed=3)
    shared = run(NAMES, games=45, seed=3, workers=2, folder=tmp_path / "shared")
    assert told(alone) == told(shared)
    assert [len(alone.samples), alone.violations] == [90, 0]
    assert told(run(NAMES, games=45, seed=4)) != told(alone)


def test_an_interrupted_run_loses_no_finished_part(tmp_path, monkeypatch):
    done = []

    def stop(finished, total, name):
        done.append((finished, total, name))
        if finished == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(NAMES, games=45, folder=tmp_path / "kept", progress=stop)
    assert done == [(1, 6, "T1.sets"), (2, 6, "T1.sets")]
    kept = sorted(path.name for path in (tmp_path / "kept" / "parts").iterdir())
    assert kept == ["T1.sets-000000-000020.json", "T1.sets-000020-000040.json"]

    computed = []
    real = running.compute
    monkeypatch.setattr(running, "compute", lambda part, seed: (computed.append(part), real(part, seed))[1])
    resumed = run(NAMES, games=45, folder=tmp_path / "kept")
    assert computed[0] == ("T1.sets", 40, 45)
    assert len(computed) == 4
    monkeypatch.undo()
    assert told(resumed) == told(run(NAMES, games=45))


def test_more_games_go_on_from_fewer(tmp_path, monkeypatch):
    run(["T1.sets"], games=20, folder=tmp_path / "kept")
    computed = []
    real = running.compute
    monkeypatch.setattr(running, "compute", lambda part, seed: (computed.append(part), real(part, seed))[1])
    found = run(["T1.sets"], games=40, folder=tmp_path / "kept")
    assert computed == [("T1.sets", 20, 40)]
    assert [sample.index for sample in found.samples] == list(range(40))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda data: data.update(samples=data["samples"][:3]),
            "holds the samples .*; must be 0 to 19, all of",
        ),
        (lambda data: data["samples"].reverse(), "must be 0 to 19, all of them in order"),
        (
            lambda data: data["samples"][4].update(verdict="fine"),
            "sample 5: verdict is 'fine'; must be",
        ),
        (lambda data: data["samples"][4].pop("margin"), "sample 5: key 'margin' is missing"),
        (lambda data: data["samples"][4].update(seconds="2"), "sample 5: seconds is '2'; must be"),
        (lambda data: data.update(samples=5), "samples is 5; must be a list"),
    ],
)
def test_a_part_must_hold_all_of_its_samples(tmp_path, change, message):
    run(["T1.sets"], games=20, folder=tmp_path / "kept")
    path = tmp_path / "kept" / "parts" / "T1.sets-000000-000020.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(FileError, match=message):
        run(["T1.sets"], games=20, folder=tmp_path / "kept")


def test_a_folder_belongs_to_one_run(tmp_path, monkeypatch):
    run(["T1.sets"], games=2, folder=tmp_path / "kept")
    with pytest.raises(InputError, match="holds a run of seed 0; must be a new folder"):
        run(["T1.sets"], games=2, seed=1, folder=tmp_path / "kept")
    monkeypatch.setattr(running, "source_hash", lambda: "other")
    with pytest.raises(InputError, match="holds a run by another version of the source"):
        run(["T1.sets"], games=2, folder=tmp_path / "kept")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="is no folder of a run and not empty"):
        run(["T1.sets"], games=2, folder=tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(("name", "value"), [("games", 0), ("games", 2.5), ("seed", -1), ("workers", True)])
def test_arguments_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=rf"^run: {name} is {value}; must be an integer of at least"):
        run(["T1.sets"], **{name: value})


def test_violations_are_counted_and_kept(tmp_path, monkeypatch):
    """A statement that fails on every fourth instance."""
    one = ledger.statement("T1.sets")

    def examine(instance):
        return Findings([at_most("always 1, sometimes 0", 1.0, float(instance.seed % 4 > 0))])

    broken = replace(one, examine=examine)
    monkeypatch.setattr(ledger, "STATEMENTS", (broken,))
    found = run([], games=40, folder=tmp_path / "kept")
    expected = sum(one.draw(index).seed % 4 == 0 for index in range(40))
    assert found.violations == expected > 0
    assert [evidence.verdict for evidence in found.evidence] == ["violated"] * len(found.evidence)
    assert 2 <= len(found.evidence) <= 4
    assert found.worst("T1.sets").verdict == "violated"
    (row,) = found.table(by_family=False)
    assert (row["games"], row["met"], row["violations"], row["worst_margin"]) == (40, 40, expected, -1.0)
    assert cli.main(["theory", "run", "--games", "40", "--out", str(tmp_path / "kept")]) == 1
    assert "T1.sets-violated-1.json" in {path.name for path in (tmp_path / "kept" / "evidence").iterdir()}


def test_the_table_has_a_row_for_each_class():
    found = run(["T1.sets"], games=16)
    rows = list(csv.DictReader(table_text(found.table()).splitlines()))
    families = list(ledger.statement("T1.sets").families)
    assert [(row["statement"], row["class of game"], row["games"]) for row in rows] == [
        ("T1.sets", name, "2") for name in families
    ]
    assert all(row["violations"] == "0" and float(row["worst margin"]) <= 0 for row in rows)
    assert sum(int(row["hypotheses met"]) for row in rows) == 16
    assert {row["only A"] for row in rows} == {""}


def test_the_table_counts_games_of_type_a_alone():
    """Between the ends of the scale aligned interests are of type A and not B′; decoupled ones are of B′."""
    counted = {row["class"]: (row["met"], row["only_a"]) for row in run(["T6"], games=12).table()}
    assert counted["separable, 0 < k < n-1"] == counted["aligned, 0 < k < n-1"] == (2, 2)
    assert counted["decoupled"] == (2, 0)


class Tags(HTMLParser):
    """Opened and closed tags, and whatever is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "br", "image"):
            self.open.append(tag)
        self.fetched += [
            value for name, value in attributes if name in ("src", "href", "xlink:href") and value[0] != "#"
        ]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_command_writes_a_page_that_needs_no_other_file(tmp_path, capsys):
    folder = tmp_path / "ledger"
    assert cli.main(["theory", "run", *NAMES, "--games", "8", "--seed", "2", "--out", str(folder)]) == 0
    assert "16 games, no violations" in capsys.readouterr().out
    text = (folder / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.counts["svg"] == 3
    assert all(link.startswith("data:") for link in tags.fetched)
    assert "arneq theory run T1.sets T10.informed --games 8 --seed 2" in text
    assert "<b>none violated</b>" in text
    for name in NAMES:
        assert re.search(rf"<b>{name}</b>", text)
    stored = [found for found in stored_counterexamples() if found.statement in NAMES]
    assert text.count("Counterexample: ") == len(stored) >= 2
    assert all(escape(found.command) in text for found in stored)
    before = (folder / "table.csv").read_text(encoding="utf-8")
    assert cli.main(["theory", "run", *NAMES, "--games", "8", "--seed", "2", "--out", str(folder)]) == 0
    assert (folder / "table.csv").read_text(encoding="utf-8") == before
    assert (folder / "index.html").read_text(encoding="utf-8") == text


def test_the_command_lists_and_repeats(tmp_path, capsys):
    assert cli.main(["theory", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in listed] == [one.id for one in ledger.STATEMENTS]
    assert cli.main(["theory"]) == 0
    assert f"{len(ledger.STATEMENTS)} statements" in capsys.readouterr().out

    one = ledger.statement("T1.sets")
    found = one.check_instance(one.draw(1))
    found.save(tmp_path / "evidence.json")
    assert cli.main(["theory", "repeat", str(tmp_path / "evidence.json")]) == 0
    assert "the file says the same" in capsys.readouterr().out
    data = json.loads((tmp_path / "evidence.json").read_text())
    data["comparisons"][0]["left"] += 1
    Evidence.from_json(data).save(tmp_path / "forged.json")
    assert cli.main(["theory", "repeat", str(tmp_path / "forged.json")]) == 1
    assert "the file says otherwise" in capsys.readouterr().out


def test_the_command_refuses_unknown_statements(capsys):
    assert cli.main(["theory", "run", "T99"]) == 2
    assert "arneq theory: statement 'T99' is unknown; must be one of T1," in capsys.readouterr().err


def test_the_command_tells_what_an_interruption_keeps(tmp_path, capsys, monkeypatch):
    real = running.compute

    def stop(part, seed):
        if part[1] == 20:
            raise KeyboardInterrupt
        return real(part, seed)

    monkeypatch.setattr(running, "compute", stop)
    folder = str(tmp_path / "ledger")
    assert cli.main(["theory", "run", "T1.sets", "--games", "40", "--out", folder]) == 130
    assert f"finished parts are kept in {folder}; the same command resumes" in capsys.readouterr().err
    assert len(list((tmp_path / "ledger" / "parts").iterdir())) == 1


def test_the_command_searches(tmp_path, capsys):
    out = tmp_path / "found.json"
    drop = ["--drop", "no masks", "--seed", "1", "--budget", "60"]
    assert cli.main(["theory", "search", "T1.sets", *drop, "--out", str(out)]) == 0
    assert "T1.sets without 'no masks'" in capsys.readouterr().out
    assert json.loads(out.read_text())["evidence"]["verdict"] == "violated"
    assert cli.main(["theory", "search", "T1.sets", "--drop", "luck"]) == 2
    assert "hypothesis 'luck' is unknown; must be one of full simplex, no masks" in capsys.readouterr().err
    assert cli.main(["theory", "search", "T1.sets", "--drop", "no masks", "--seed", "-1"]) == 2
    assert "seed is -1; must be an integer of at least 0" in capsys.readouterr().err
    assert cli.main(["theory", "repeat", str(out)]) == 0
    assert "the file says the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (["comparisons"], 5, "comparisons: is 5; must be a list"),
        (["comparisons", 0, "left"], "x", "comparison 1: left: is 'x'; must be a number"),
        (["comparisons", 0, "relation"], "<", "comparison 1: relation is '<'; must be <= or ="),
        (["comparisons", 0, "name"], 1, "comparison 1: name is 1; must be a text"),
        (["hypotheses"], None, "hypotheses: is None; must be an object"),
        (["hypotheses", "no masks"], 1, "'no masks' is 1; must be true or false, or null if open"),
        (["confirmed"], None, "'confirmed' is None; must be true or false"),
        (["dropped"], None, "dropped: is None; must be a list"),
        (["dropped"], [1], "dropped is [1]; must be names of hypotheses"),
        (["verdict"], [], "verdict is []; must be one of holds"),
        (["statement"], 7, "statement is 7; must be a text"),
        (["tolerance"], {"float": "a"}, "must hold a number or an array"),
        (["quantities"], 3, "quantities: is 3; must be an object"),
        (["instance", "seed"], "a", "Instance: seed is 'a'; must be an integer of at least 0"),
        (["instance", "seed"], -3, "Instance: seed is -3; must be an integer of at least 0"),
        (["instance", "family"], None, "Instance: family is None; must be a text"),
        (["instance", "extras"], [], "extras: is []; must be an object"),
        (["instance", "extras"], {"policy": 5}, "Instance: policy is 5; must be a list of"),
        (["instance", "extras"], {"agent": "me"}, "Instance: agent is 'me'; must be an integer from 0"),
        (
            ["instance", "extras"],
            {"continuation": {"array": [[1.0]]}},
            "continuation has shape (1, 1); must be",
        ),
        (
            ["instance", "extras"],
            {"continuation": {"array": [[1], [1, 2]]}},
            "must hold a number or an array",
        ),
        (["instance", "extras"], {"upper": {"array": ["a"]}}, "must hold an array of numbers"),
        (["instance", "extras"], {"horizon": 0}, "Instance: horizon is 0; must be an integer of at least 1"),
        (["instance", "extras"], {"directions": [1]}, "Instance: directions is (1,); must be"),
        (
            ["instance", "extras"],
            {"selection": 3},
            "selection is 3; must be the name of a selection",
        ),
    ],
)
def test_malformed_evidence_is_refused_in_one_line(tmp_path, capsys, where, value, message):
    one = ledger.statement("T1.sets")
    drawn = next(drawn for drawn in map(one.draw, range(20)) if drawn.game.n_agents > 1)
    data = one.check_instance(drawn).to_json()
    place = data
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(data))
    assert cli.main(["theory", "repeat", str(path)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert str(path) in said
    assert said.count("\n") == 1


def test_a_search_without_a_find_says_so_in_json(capsys):
    arguments = ["theory", "search", "T1.sets", "--drop", "full simplex", "--budget", "0.01", "--json"]
    assert cli.main(arguments) == 3
    assert json.loads(capsys.readouterr().out) == {
        "statement": "T1.sets",
        "dropped": "full simplex",
        "evidence": None,
    }
