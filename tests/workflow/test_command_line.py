"""`rare-neurons run`, `report` and `check` with the real Snakemake, on a finished run."""

import json
import re
import subprocess
import sys

import pytest

from rare_neurons.figures.registry import FIGURES
from tests.workflow.commanded import ERRORS

pytestmark = pytest.mark.pipeline

MAIN = "from rare_neurons.cli import main; main()"
CONFIG = ("--configfile", "config/config.yaml")


@pytest.fixture
def call(project):
    """Call the command line in the project's folder; returns its status and what it shows.

    Interpreters of their own (`whole`) are what a user starts; else Snakemake and its jobs are forked from a warm one.
    """

    def run(*words: str, whole: bool = False) -> tuple[int, str]:
        if not whole:
            done = project.start_warm("tests.workflow.commanded", *words)
            return done.returncode, done.stdout
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *words],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    return run


def test_a_run_shows_a_line_for_each_stage_and_keeps_the_rest_in_a_file(call, project):
    # Two runs: one would draw every figure again, after the members that are made of equal bytes.
    (project.folder / "results/summary.txt").unlink()
    members = "results/timelines/lineage/tiny-seed0.parquet"
    for words, model, rule, whole in (
        (("--cores", "2", "--forcerun", "lineage", "--", members), "tiny-seed0", "lineage", True),
        (("--cores", "1"), "all", "summary", False),
    ):
        status, shown = call("run", *CONFIG, *words, whole=whole)
        assert status == 0, shown
        lines = [" ".join(line.split()) for line in shown.splitlines()]
        assert any(re.fullmatch(rf"{model} {rule} 1 of 1 \d+ s", line) for line in lines), shown
        assert f"rule {rule}:" not in shown
        (log,) = re.findall(r"Full log: (\S+)", shown)
        assert f"rule {rule}:" in (project.folder / log).read_text()
    assert "rule figures:" not in (project.folder / log).read_text()
    assert (project.folder / "results/summary.txt").read_text().strip() in shown
    assert "Nothing to be done" in call("run", *CONFIG)[1]
    assert call("check", "--skip-weights", whole=True)[0] == 0


def test_what_cannot_work_is_shown_and_is_the_status(call, project):
    (project.folder / "more.yaml").write_text("probe: {engine: fast}\n")
    status, shown = call("run", *CONFIG, "--configfile", "more.yaml")
    assert status == 1
    assert "probe.engine: 'fast' is not allowed; allowed: 'certified', 'exact'" in shown
    assert "Traceback" not in shown


def test_a_job_that_fails_shows_the_end_of_its_log(call, project):
    (project.folder / "more.yaml").write_text("panels: {heldout: {targets_per_stratum: 5000}}\n")
    status, shown = call("run", *CONFIG, "--configfile", "more.yaml", "--cores", "1")
    assert status == 1
    assert re.search(r"heldout +panel +failed \(log: results/logs/panel/heldout\.log\)", shown)
    assert "error: panel 'heldout': the corpus has" in shown


def test_a_dry_run_and_a_report_are_snakemakes_own(call, project):
    status, shown = call("run", *CONFIG, "-n", "--forcerun", "integrity")
    assert status == 0
    assert re.search(r"integrity +1", shown)
    status, shown = call("report", *CONFIG, "-o", "it.html")
    assert status == 0, shown
    page = (project.folder / "it.html").read_text()
    said = page.split('id="workflow-desc"')[1].split("</script>")[0]
    assert "tiny-seed0" in said
    assert "Half of the" in said
    assert "by tier:" in said
    for figure in FIGURES:
        assert figure.caption.split(".")[0].split(";")[0] in page.replace("\\n", " "), figure.name
    assert not re.search(r"(src|href)=.{0,2}https?:", page.replace("\\", ""))  # nothing is fetched


def test_the_plan_says_what_a_panel_holds_and_the_run_costs_for_a_reader_and_a_program(call, project):
    status, shown = call("plan", *CONFIG)
    assert status == 0, shown
    assert "Panel heldout: " in shown
    assert "two more seeds" in " ".join(shown.split())
    assert "Building DAG" not in shown
    project.variables = {ERRORS: str(project.folder / "errors.txt")}
    status, shown = call("plan", *CONFIG, "--json")
    assert status == 0, shown
    said = json.loads(shown)
    assert said["panels"]["heldout"][0]["strata"][0]["n_targets"] == 150
    assert said["cost"]["core_seconds"]["probe"] > 0
