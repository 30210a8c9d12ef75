"""What stands around the package: the archive of sources, the citation, the hooks and the hosted checks."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

import arneq_exact

ROOT = Path(__file__).parents[1]
MADE = ("*.pyc", "__pycache__", "*.nbc", "*.nbi", "_build", ".venv", "*.egg-info", ".*_cache", ".hypothesis")
"""What tools leave behind, which no archive holds."""


def read_yaml(name: str):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def sources() -> set[str]:
    """Every file of the sources: those that git tracks, or all where there is no git, as in an archive."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        return set(listed.stdout.splitlines())
    left_behind = shutil.ignore_patterns(*MADE)
    return {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and not any(left_behind("", [part]) for part in path.relative_to(ROOT).parts)
    }


def test_the_archive_of_sources_is_complete(tmp_path):
    """All of it, tests and their data among them; built as a tool that builds packages does."""
    copy = tmp_path / "copy"
    for name in sources():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    build = "from setuptools import setup; setup()"
    ran = subprocess.run(
        [sys.executable, "-c", build, "-q", "sdist", "--dist-dir", str(tmp_path)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    assert arneq_exact.__version__ in archive.name
    assert sources() <= held
    assert any(name.startswith("tests/") and name.endswith(".toml") for name in held)


def test_the_citation_is_of_this_version_and_names_the_paper():
    """The keys that Citation File Format 1.2 requires, of the software and of what it refers to."""
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert str(citation["cff-version"]) == "1.2.0"
    assert str(citation["version"]) == arneq_exact.__version__
    assert citation["license"] == setup_cfg()["metadata"]["license"]
    assert citation["authors"] == [{"name": "The arneq_exact developers"}]
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= set(paper)
    theory = " ".join((ROOT / "docs/theory/index.md").read_text(encoding="utf-8").split())
    for said in (paper["title"], paper["journal"], *(author["family-names"] for author in paper["authors"])):
        assert said in theory


def make_targets() -> list[str]:
    """The targets of .ci/run, in their order."""
    return re.findall(r"^make (\w+)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)


def test_hosted_checks_are_those_of_ci_run_on_every_version():
    workflow = read_yaml(".github/workflows/ci.yml")
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        f"make {name}" for name in make_targets()
    ]
    classifiers = setup_cfg()["metadata"]["classifiers"]
    assert job["strategy"]["matrix"]["python-version"] == re.findall(r"Python :: (3\.\d+)", classifiers)
    # YAML reads the key `on` as a truth value.
    assert {"push", "pull_request"} <= set(workflow[True])


def test_hooks_run_what_make_runs():
    (local,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    rules = re.findall(
        r"^\t\$\(BIN\)/((?:ruff|mypy).*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    assert entries == [rule.removesuffix(" .") for rule in rules]
