"""Snakemake's command line, and the display beside it, with a stand-in for Snakemake."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from rare_neurons.cli import engine
from rare_neurons.cli.engine import command, environment, run_asked, run_shown
from rare_neurons.errors import RequestError
from rare_neurons.house import house


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "rare-neurons.yaml").write_text("models: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_house_gives_workflow_and_profile_and_the_rest_passes_through(folder):
    words = command([], ["--cores", "3", "-n", "results/summary.txt"], folder)
    assert words[:3] == [sys.executable, "-m", "snakemake"]
    assert words[3:] == [
        *("--snakefile", str(house() / "Snakefile"), "--configfile", "rare-neurons.yaml"),
        *("--workflow-profile", str(house() / "profiles/default")),
        *("--cores", "3", "-n", "results/summary.txt"),
    ]


@pytest.mark.parametrize("more", [["--workflow-profile", "profiles/slurm"], ["--workflow-profile=profiles/slurm"]])
def test_a_profile_of_the_house_is_found_by_its_name_unless_the_folder_has_it(folder, more):
    words = command([], more, folder)
    assert str(house() / "profiles/slurm") in " ".join(words)
    assert str(house() / "profiles/default") not in words
    (folder / "profiles/slurm").mkdir(parents=True)
    assert command([], more, folder)[-len(more) :] == more


def test_layers_of_configuration_in_their_order(folder):
    (folder / "more.yaml").touch()
    words = command([Path("rare-neurons.yaml"), Path("more.yaml")], [], folder)
    at = words.index("--configfile")
    assert words[at + 1 : at + 3] == ["rare-neurons.yaml", "more.yaml"]


def test_no_configuration_says_how_to_write_one(tmp_path):
    with pytest.raises(RequestError, match=r"no rare-neurons\.yaml in .*; write one with `rare-neurons init`"):
        command([], [], tmp_path)


def test_without_what_measures_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(
        RequestError, match=r"snakemake and torch not installed.*its extra `run`, such as pip install '\.\[run\]'"
    ):
        command([], [], folder)


def test_one_thread_for_each_job_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = environment()
    assert (found["OMP_NUM_THREADS"], found["MKL_NUM_THREADS"], found["PYTHONDONTWRITEBYTECODE"]) == ("4", "1", "")


STAND_IN = """\
import json, sys
assert "--" not in sys.argv or sys.argv[-2:] == ["--", "plan"]
print("Building DAG of jobs...")
print("warning: few documents", file=sys.stderr)
with open(sys.argv[sys.argv.index("--logger-rare-neurons-events") + 1], "w") as events:
    for event in EVENTS:
        print(json.dumps(event), file=events)
sys.exit(STATUS)
"""
DONE = [
    {"event": "planned", "results": "results", "jobs": {"1": ["a", "probe", 2]}},
    {"event": "started", "jobs": [1]},
    {"event": "finished", "job": 1},
]


def stand_in(folder, events: list, status: int) -> list[str]:
    (folder / "it.py").write_text(STAND_IN.replace("EVENTS", repr(events)).replace("STATUS", str(status)))
    return [sys.executable, "it.py"]


def test_a_run_is_shown_by_its_events_and_all_else_is_in_the_log(folder):
    (folder / "results").mkdir()
    (folder / "results/summary.txt").write_text("what was found\n")
    text = io.StringIO()
    assert run_shown(stand_in(folder, DONE, 0), Console(file=text, width=200)) == 0
    shown = text.getvalue()
    assert "2 of 2" in shown
    assert "warning: few documents" in shown
    assert "what was found" in shown
    assert "Building DAG" not in shown
    (log,) = (folder / ".snakemake/log").iterdir()
    assert f"Full log: {log.relative_to(folder)}" in shown
    assert "Building DAG" in log.read_text()


def test_a_run_that_ends_without_a_word_shows_its_log(folder):
    text = io.StringIO()
    assert run_shown(stand_in(folder, [], 3), Console(file=text, width=200)) == 3
    assert "Building DAG" in text.getvalue()


@pytest.mark.parametrize("status", [0, 1])
def test_an_answer_follows_on_standard_output_alone_and_an_error_is_shown(folder, capsys, status):
    error = [{"event": "error", "text": "no such folder"}] if status else []
    text = io.StringIO()
    words = [*stand_in(folder, [*DONE, *error], status), "--", "plan"]  # after which everything is a target
    assert run_asked(words, Console(file=text, width=200)) == status
    assert capsys.readouterr().out == "Building DAG of jobs...\n"  # all that the stand-in prints there
    assert "warning: few documents" in text.getvalue()
    assert ("no such folder" in text.getvalue()) == bool(status)
    assert "Building DAG" not in text.getvalue()
