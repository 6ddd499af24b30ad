"""The commands, as they are called."""

import json

import pytest
from typer.testing import CliRunner

from rare_neurons.cli import commands
from rare_neurons.cli.commands import app


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, words)


@pytest.fixture
def called(call, monkeypatch):
    """Also: what Snakemake would be called with."""
    found = []
    monkeypatch.setattr(commands, "run_plainly", lambda words: found.append(words) or 0)
    monkeypatch.setattr(commands, "run_asked", lambda words, console: found.append(words) or 0)
    monkeypatch.setattr(commands, "run_shown", lambda words, console: found.append(words) or 0)
    return call, found


def test_init_writes_a_tour_and_keeps_what_is_there(call, tmp_path):
    done = call("init")
    assert done.exit_code == 0
    assert "run it: rare-neurons run" in done.output
    written = (tmp_path / "rare-neurons.yaml").read_text()
    assert "tour" in written
    (tmp_path / "rare-neurons.yaml").write_text("mine")
    done = call("init")
    assert (done.exit_code, (tmp_path / "rare-neurons.yaml").read_text()) == (1, "mine")
    assert "is there already; name another with --output, or replace it with --force" in done.output
    assert call("init", "--force").exit_code == 0
    assert (tmp_path / "rare-neurons.yaml").read_text() == written


def test_a_refusal_is_one_sentence_and_status_1(call):
    done = call("init", "nowhere")
    assert done.exit_code == 1
    assert done.output.startswith("error: no folder nowhere")


def test_run_hands_what_it_does_not_know_to_snakemake(called):
    call, found = called
    call("init")
    for words in (("run", "-n", "--cores", "2", "--forcerun", "probe"), ("run", "--plain", "results/summary.txt")):
        assert call(*words).exit_code == 0
    assert found[0][-4:] == ["--cores", "2", "--forcerun", "probe"]
    assert "-n" in found[0]
    assert found[1][-1] == "results/summary.txt"
    assert "--plain" not in found[1]


@pytest.mark.parametrize("first", [("--configfile", "a.yaml"), ("--configfile=a.yaml",)])
@pytest.mark.parametrize("command", ["run", "plan", "report", "atlas"])
def test_configurations_may_follow_one_another_as_snakemake_has_them(called, tmp_path, first, command):
    call, found = called
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text("")
    assert call(command, *first, "b.yaml", "c.yaml", "--forcerun", "x.yaml", "--", "d.yaml").exit_code == 0
    (words,) = found
    at = words.index("--configfile")
    assert words[at + 1 : at + 4] == ["a.yaml", "b.yaml", "c.yaml"]
    assert words[words.index("--forcerun") + 1] == "x.yaml"
    assert "d.yaml" in words[words.index("--") :]
    assert "no z.yaml in" in call(command, *first, "z.yaml").output


def test_plan_and_report_are_snakemakes(called):
    call, found = called
    call("init")
    call("plan")
    call("plan", "--json", "--cores", "2")
    call("report", "-o", "it.html")
    call("atlas")
    assert found[0][-2:] == ["--", "plan"]
    assert found[1][-4:] == ["--cores", "2", "--", "plan_json"]
    assert found[2][found[2].index("--report") + 1] == "it.html"
    assert found[3][-2:] == ["--", "atlas"]


def test_check_takes_results_by_default_and_all_of_its_options(call, monkeypatch):
    found = []
    monkeypatch.setattr(commands.checking, "main", lambda words: found.append(list(words)) or 1)
    assert call("check").exit_code == 1
    call("check", "--skip-weights")
    call("check", "there", "--adopt")
    assert found == [["results"], ["results", "--skip-weights"], ["there", "--adopt"]]


def test_the_list_of_commands_is_that_of_the_package(call):
    import rare_neurons.cli

    said = [line.split("`")[1] for line in rare_neurons.cli.__doc__.splitlines() if line.startswith("`")]
    assert [command.name or command.callback.__name__ for command in app.registered_commands] == said
    assert json.dumps(said) == '["init", "plan", "run", "atlas", "report", "compact", "check"]'
